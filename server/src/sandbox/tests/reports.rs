//! `getall`: the shape of section 9, the range, and how a platform may differ from it.

use tokio::time::advance;

use super::super::Reports;
use super::*;

const DAY: i64 = 24 * 3_600;

/// The range of `getall` around the present moment, moved by some seconds.
fn around(sandbox: &Sandbox, moved: i64) -> (String, String) {
    let now = sandbox.time(tokio::time::Instant::now()).as_second() + moved;
    let date = |second| jiff::Timestamp::from_second(second).unwrap().strftime("%Y%m%d%H%M%S").to_string();
    (date(now - 60), date(now + 60))
}

async fn read(sandbox: &Sandbox, address: SocketAddr, moved: i64) -> Vec<Value> {
    let (start, end) = around(sandbox, moved);
    let answer = get_all(address, &start, &end).await;
    assert_eq!(answer.status(), Some(200));
    answer.json().as_array().unwrap().clone()
}

fn keys(value: &Value) -> Vec<&str> {
    value.as_object().unwrap().keys().map(String::as_str).collect()
}

/// The example of section 9, without what is inside the empty lists.
fn pages_example() -> Value {
    serde_json::from_str(
        r#"{"firstName":"John","lastName":"Doe","privateIp":"84.198.158.58","publicIp":"84.198.158.58:58554",
        "email":"john.doe@gmail.com","phoneNumber":"0491623685","campaign_UniqueID":"","language_UniqueID":"",
        "respondent_UniqueID":"","survey_UniqueID":"","hasBeenContacted":false,"hasBeenForwarded":false,
        "dateSurveyed":"2020-09-29T13:36:25Z","dateAnswer":"2020-09-29T13:42:37Z","custom_UniqueID":"","keyValues":{},
        "answerQuestions":[
        {"answer_Date":"2020-09-29T13:42:37Z","answer_Value":6,"survey_UniqueID":"","question_UniqueID":"",
        "question_SiblingUniqueID":"","question_Text":"","question_SortOrder":1,"question_HasScoreAnswer":true,
        "question_HasNpsValueAnswer":false,"question_HasTextAnswer":false,"question_HasBooleanAnswer":false,
        "question_HasCesScoreAnswer":true,"question_HasCsatScoreAnswer":false,"question_HasMultipleChoiceAnswer":false,
        "uniqueID":""},
        {"answer_Text":"","answer_Date":"2020-09-29T13:42:37Z","survey_UniqueID":"","question_UniqueID":"",
        "question_SiblingUniqueID":"","question_Text":"","question_SortOrder":2,"question_HasScoreAnswer":false,
        "question_HasNpsValueAnswer":false,"question_HasTextAnswer":true,"question_HasBooleanAnswer":false,
        "question_HasCesScoreAnswer":false,"question_HasCsatScoreAnswer":false,
        "question_HasMultipleChoiceAnswer":false,"prediction":{"items":[]},"uniqueID":""}],
        "answerTags":[],"forwardedMessages":[],"repliedMessages":[],"notes":[],"hasBeenDisabledForReview":false,
        "uniqueID":""}"#,
    )
    .unwrap()
}

#[tokio::test]
async fn an_answer_comes_back_in_the_shape_of_the_page() {
    let (sandbox, address) = start().await;
    add(address, &right()).await;
    let read = read(&sandbox, address, 0).await;
    let [one] = read.as_slice() else { panic!("{read:?}") };
    let example = pages_example();
    assert_eq!(keys(one), keys(&example));
    assert_eq!(one["keyValues"], right()["metadata"]);
    assert_eq!(one["campaign_UniqueID"], TOUCHPOINT);
    assert_eq!(one["language_UniqueID"], "1b5c1275-4f92-422f-b1fc-799bf8e30598");
    assert_eq!((&one["firstName"], &one["phoneNumber"]), (&json!("Jef"), &json!("")));
    let date = one["dateAnswer"].as_str().unwrap();
    assert!(date.len() == 20 && date.ends_with('Z'), "{date}");

    let questions = one["answerQuestions"].as_array().unwrap();
    assert_eq!(keys(&questions[0]), keys(&example["answerQuestions"][0]));
    assert_eq!(keys(&questions[1]), keys(&example["answerQuestions"][1]));
    assert_eq!(
        (&questions[0]["answer_Value"], &questions[0]["question_HasNpsValueAnswer"]),
        (&json!(3), &json!(true))
    );
    assert_eq!(questions[0]["question_UniqueID"], SCORE.to_lowercase());
    assert_eq!(questions[1]["answer_Text"], "J’aime bien américain préparé.");
    assert_eq!(questions[2]["answer_Boolean"], false);
    assert_eq!(questions[4]["answer_Options"], json!(["Winkel", "Web"]));
    let order: Vec<_> =
        questions.iter().map(|question| question["question_SortOrder"].as_i64().unwrap()).collect();
    assert_eq!(order, [1, 2, 3, 4, 5], "counted within the language");
}

#[tokio::test]
async fn siblings_are_joined_over_the_languages() {
    let (sandbox, address) = start().await;
    let mut french = right();
    french["cultureInfo"] = json!("FR");
    french["languageUniqueId"] = json!("901AF5BC-06CB-4DE0-B523-135ECFDC882A");
    french["answers"] = json!([given(SCORE_FRENCH, "Score", json!(9))]);
    add(address, &right()).await;
    assert_eq!(add(address, &french).await.status(), Some(200));
    let read = read(&sandbox, address, 0).await;
    let sibling = |one: &Value| one["answerQuestions"][0]["question_SiblingUniqueID"].clone();
    assert_eq!(sibling(&read[0]), sibling(&read[1]));
    assert_ne!(read[0]["uniqueID"], read[1]["uniqueID"]);
}

#[tokio::test]
async fn a_range_is_at_most_31_days_in_order_and_well_formed() {
    let (_, address) = start().await;
    for (start, end, status) in [
        ("20260101000000", "20260201000000", 200),
        ("20260101000000", "20260201000001", 400),
        ("20260101000000", "20260101000000", 200),
        ("20260101000001", "20260101000000", 400),
        ("20260230000000", "20260301000000", 400),
        ("2026010100000", "20260102000000", 400),
        ("2026-01-01", "20260102000000", 400),
        ("+2026010100000", "20260102000000", 400),
    ] {
        assert_eq!(get_all(address, start, end).await.status(), Some(status), "{start} {end}");
    }
}

#[tokio::test(start_paused = true)]
async fn an_answer_shows_up_only_after_the_lag() {
    let (sandbox, address) = start().await;
    sandbox.set_reports(Reports { lag: Duration::from_secs(30), ..Reports::default() });
    add(address, &right()).await;
    advance(Duration::from_millis(29_999)).await;
    assert_eq!(read(&sandbox, address, 0).await.len(), 0);
    advance(Duration::from_millis(1)).await;
    assert_eq!(read(&sandbox, address, 0).await.len(), 1);
}

#[tokio::test]
async fn another_zone_moves_dates_and_range() {
    let (sandbox, address) = start().await;
    add(address, &right()).await;
    let date = |read: &[Value]| read[0]["dateAnswer"].as_str().unwrap().parse::<jiff::Timestamp>().unwrap();
    let utc = date(&read(&sandbox, address, 0).await);
    sandbox.set_reports(Reports { ahead: DAY, ..Reports::default() });
    assert_eq!(read(&sandbox, address, 0).await.len(), 0);
    assert_eq!(date(&read(&sandbox, address, DAY).await).as_second(), utc.as_second() + DAY);
}

#[tokio::test]
async fn metadata_can_be_dropped_and_reading_refused() {
    let (sandbox, address) = start().await;
    add(address, &right()).await;
    sandbox.set_reports(Reports { without_metadata: true, ..Reports::default() });
    assert_eq!(read(&sandbox, address, 0).await[0]["keyValues"], json!({}));
    sandbox.set_reports(Reports { refused: true, ..Reports::default() });
    let answer = get_all(address, "20260101000000", "20260102000000").await;
    assert_eq!((answer.status(), answer.body()), (Some(401), ""));
}
