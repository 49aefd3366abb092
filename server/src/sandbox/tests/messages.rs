//! One test per message of the page, and what the page leaves open.

use serde_json::{Value, json};

use super::super::add_answer::{
    ANSWER_NOT_CORRECT, ANSWERED_TWICE, LANGUAGE_EMPTY, LANGUAGE_MALFORMED, LANGUAGE_NOT_PART, MODEL,
    QUESTION_EMPTY, QUESTION_MALFORMED, WRONG_COMPANY, check,
};
use super::super::{Call, Settings, Token};
use super::*;

const NIL: &str = "00000000-0000-0000-0000-000000000000";

/// The messages for the right body with one thing changed, each once.
fn messages(change: impl FnOnce(&mut Value)) -> Vec<String> {
    let mut body = right();
    change(&mut body);
    let problems = check(&touchpoint(), &body).err().unwrap_or_default();
    let mut messages: Vec<String> = problems.into_iter().map(|problem| problem.message).collect();
    messages.dedup();
    messages
}

fn remove(value: &mut Value, key: &str) {
    value.as_object_mut().unwrap().remove(key).unwrap();
}

#[test]
fn the_pages_own_shape_is_taken_in_any_case_of_a_guid() {
    assert_eq!(messages(|_| {}), [""; 0]);
    assert_eq!(
        messages(|body| body["answers"][0]["QuestionItemUniqueID"] = json!(SCORE.to_lowercase())),
        [""; 0]
    );
    assert_eq!(messages(|body| body["CompanyUniqueID"] = json!(COMPANY.to_uppercase())), [""; 0]);
}

#[tokio::test]
async fn what_it_knows_may_change_while_it_runs() {
    let (sandbox, address) = start_with(Settings { interval: Duration::ZERO, ..settings() }).await;
    assert_eq!(add(address, &right()).await.status(), Some(200));
    let renamed = Touchpoint { name: "renamed".into(), questions: Vec::new(), ..touchpoint() };
    sandbox.know(settings().tokens, vec![renamed]);
    assert_eq!(add(address, &right()).await.status(), Some(400), "its questions are gone");
    let other = Token::all("b3RoZXI=".into());
    sandbox.know(vec![other], vec![touchpoint()]);
    assert_eq!(add(address, &right()).await.status(), Some(401), "the token has no rights any more");
    sandbox.know(settings().tokens, vec![touchpoint()]);
    assert_eq!(add(address, &right()).await.status(), Some(200));
    let arrivals = sandbox.arrivals();
    assert!(arrivals.iter().all(|arrival| arrival.token == Some(0)), "{arrivals:?}");
}

#[test]
fn every_key_has_to_be_there_in_its_own_case_and_no_other() {
    for key in right().as_object().unwrap().keys() {
        assert!(messages(|body| remove(body, key)).contains(&MODEL.to_owned()), "{key}");
        let cased = |body: &mut Value| {
            let value = body[key].take();
            remove(body, key);
            body[if *key == key.to_lowercase() { key.to_uppercase() } else { key.to_lowercase() }] = value;
        };
        assert!(messages(cased).contains(&MODEL.to_owned()), "{key} in another case");
    }
    for key in ["UniqueID", "FirstName", "LastName", "Email", "Phone"] {
        assert_eq!(messages(|body| remove(&mut body["respondent"], key)), [MODEL], "{key}");
    }
    for key in ["Score", "Text", "Boolean", "Options"] {
        assert!(messages(|body| remove(&mut body["answers"][0], key)).contains(&MODEL.to_owned()), "{key}");
    }
    assert_eq!(messages(|body| body["extra"] = json!(1)), [MODEL]);
    assert_eq!(messages(|body| body["respondent"]["firstName"] = json!("x")), [MODEL]);
    assert_eq!(messages(|body| body["answers"][0]["score"] = json!(1)), [MODEL]);
}

#[test]
fn every_value_has_to_have_its_type() {
    for wrong in [json!(null), json!([]), json!("x"), json!(1)] {
        assert!(messages(|body| *body = wrong.clone()).contains(&MODEL.to_owned()));
    }
    for (key, value) in [
        ("cultureInfo", json!(null)),
        ("languageUniqueId", json!(7)),
        ("respondent", json!(null)),
        ("CompanyUniqueID", json!("x")),
        ("answers", json!({})),
        ("campaign_UniqueID", json!(null)),
    ] {
        assert_eq!(messages(|body| body[key] = value), [MODEL], "{key}");
    }
    assert!(messages(|body| body["metadata"] = json!([])).contains(&MODEL.to_owned()));
    assert_eq!(messages(|body| body["metadata"]["number of pieces"] = json!(8)), [MODEL]);
    assert_eq!(messages(|body| body["respondent"]["Phone"] = json!(32)), [MODEL]);
    assert_eq!(messages(|body| body["answers"][0]["Score"] = json!("3")), [MODEL]);
    assert_eq!(messages(|body| body["answers"][4]["Options"] = json!([1])), [MODEL]);
}

#[test]
fn an_answer_has_exactly_one_value() {
    assert_eq!(messages(|body| body["answers"][0]["Score"] = json!(null)), [MODEL]);
    assert_eq!(messages(|body| body["answers"][0]["Text"] = json!("too")), [MODEL]);
}

#[test]
fn culture_and_touchpoint_agree_with_language_and_path() {
    assert_eq!(messages(|body| body["cultureInfo"] = json!("FR")), [MODEL]);
    assert_eq!(messages(|body| body["cultureInfo"] = json!("nl")), [MODEL]);
    assert_eq!(messages(|body| body["campaign_UniqueID"] = json!(COMPANY)), [MODEL]);
}

#[test]
fn the_guid_of_the_language_is_empty() {
    for empty in [json!(""), json!(null), json!(NIL)] {
        assert_eq!(messages(|body| body["languageUniqueId"] = empty), [LANGUAGE_EMPTY]);
    }
}

#[test]
fn the_format_of_the_guid_of_the_language_is_not_valid() {
    for wrong in ["nl", "{1B5C1275-4F92-422F-B1FC-799BF8E30598}", "1B5C12754F92422FB1FC799BF8E30598"] {
        assert_eq!(messages(|body| body["languageUniqueId"] = json!(wrong)), [LANGUAGE_MALFORMED]);
    }
}

#[test]
fn the_language_is_not_part_of_the_touchpoint() {
    let german = "B913ECA5-638C-4B5C-80FD-4BC9E3B29587";
    for other in [german, COMPANY] {
        assert_eq!(messages(|body| body["languageUniqueId"] = json!(other)), [LANGUAGE_NOT_PART]);
    }
}

#[test]
fn the_guid_of_a_question_is_empty() {
    for empty in [json!(""), json!(null), json!(NIL)] {
        assert_eq!(messages(|body| body["answers"][0]["QuestionItemUniqueID"] = empty), [QUESTION_EMPTY]);
    }
}

#[test]
fn the_format_of_the_guid_of_a_question_is_not_valid() {
    assert_eq!(
        messages(|body| body["answers"][0]["QuestionItemUniqueID"] = json!("score")),
        [QUESTION_MALFORMED]
    );
}

#[test]
fn an_answer_does_not_fit_its_question() {
    for other in [COMPANY, SCORE_FRENCH] {
        let change = |body: &mut Value| body["answers"][0]["QuestionItemUniqueID"] = json!(other);
        assert_eq!(messages(change), [ANSWER_NOT_CORRECT], "unknown, or in another language");
    }
    for (place, answer) in [
        (0, given(SCORE, "Score", json!(11))),
        (0, given(SCORE, "Score", json!(-1))),
        (0, given(SCORE, "Score", json!(2.5))),
        (0, given(SCORE, "Text", json!("nine"))),
        (1, given(TEXT, "Score", json!(1))),
        (2, given(YES_NO, "Options", json!(["Yes"]))),
        (3, given(SINGLE, "Options", json!(["Web", "Winkel"]))),
        (3, given(SINGLE, "Options", json!([]))),
        (4, given(SEVERAL, "Options", json!([]))),
        (4, given(SEVERAL, "Options", json!(["web"]))),
        (4, given(SEVERAL, "Options", json!(["Web", "Web"]))),
    ] {
        assert_eq!(
            messages(|body| body["answers"][place] = answer.clone()),
            [ANSWER_NOT_CORRECT],
            "{answer}"
        );
    }
}

#[test]
fn our_own_messages_where_the_page_has_none() {
    assert_eq!(messages(|body| body["CompanyUniqueID"] = json!(TOUCHPOINT)), [WRONG_COMPANY]);
    assert_eq!(messages(|body| body["answers"][1] = body["answers"][0].clone()), [ANSWERED_TWICE]);
    let missing = ["The metadata shop is mandatory for this touchpoint"];
    assert_eq!(messages(|body| remove(&mut body["metadata"], "shop")), missing);
    assert_eq!(messages(|body| body["metadata"]["shop"] = json!("")), missing);
}

#[tokio::test]
async fn all_messages_come_at_once_each_once_as_an_array() {
    let (sandbox, address) = start().await;
    let mut body = right();
    body["languageUniqueId"] = json!("x");
    body["answers"][0]["Score"] = json!("3");
    body["answers"][1]["QuestionItemUniqueID"] = json!("");
    remove(&mut body["respondent"], "Phone");
    let answer = add(address, &body).await;
    assert_eq!(answer.status(), Some(400));
    assert_eq!(answer.json(), json!([LANGUAGE_MALFORMED, MODEL, QUESTION_EMPTY]));
    let arrivals = sandbox.arrived(1, DEADLINE).await;
    assert_eq!(arrivals[0].messages.len(), 3);
    assert!(arrivals[0].reasons.iter().any(|reason| reason == "respondent has no Phone"));
    assert!(!arrivals[0].stored && sandbox.answers().is_empty());
}

#[tokio::test]
async fn what_is_no_json_or_says_it_is_something_else_is_no_model() {
    let (_, address) = start().await;
    let line = format!("POST /v1.0/en/Campaign/{}/Answers/ADD", TOUCHPOINT.to_uppercase());
    let authorization = format!("BASIC {TOKEN}");
    let right = right().to_string();
    for (kind, body, status) in [
        ("application/json", "{", 400),
        ("application/json", "", 400),
        ("text/plain", right.as_str(), 400),
        ("application/json; charset=utf-8", right.as_str(), 200),
    ] {
        let headers = [("Authorization", authorization.as_str()), ("Content-Type", kind)];
        let answer = request(address, &line, &headers, body).await;
        assert_eq!(answer.status(), Some(status), "{kind} {body}");
        assert!(status == 200 || answer.json() == json!([MODEL]));
    }
}

#[tokio::test]
async fn an_unknown_touchpoint_and_an_unknown_call_are_said_so() {
    let (_, address) = start().await;
    let authorization = format!("basic {TOKEN}");
    let headers = [("Authorization", authorization.as_str()), ("Content-Type", "application/json")];
    let line = format!("POST /V1.0/EN/campaign/{COMPANY}/answers/add");
    let answer = request(address, &line, &headers, &right().to_string()).await;
    assert_eq!(
        (answer.status(), answer.json()),
        (Some(400), json!([format!("Touchpoint with ID: {COMPANY} not found")]))
    );
    for (line, status) in [
        (format!("POST /V1.0/EN/campaign/{TOUCHPOINT}/respondent/remove"), 404),
        ("GET /V1.0/EN/elsewhere".into(), 404),
        (format!("GET /V1.0/EN/campaign/{TOUCHPOINT}/answers/add"), 405),
    ] {
        assert_eq!(request(address, &line, &headers, "").await.status(), Some(status), "{line}");
    }
}

#[tokio::test]
async fn without_a_token_and_its_rights_there_is_an_empty_401() {
    let other = Token { touchpoints: Some(vec![COMPANY.into()]), ..Token::all("other".to_owned().into()) };
    let reader = Token { calls: Some(vec![Call::GetAnswers]), ..Token::all("reader".to_owned().into()) };
    let tokens = vec![other, reader, Token::all(TOKEN.to_owned().into())];
    let (sandbox, address) = start_with(Settings { interval: Duration::ZERO, tokens, ..settings() }).await;
    let line = format!("POST /V1.0/EN/campaign/{TOUCHPOINT}/answers/add");
    let bearer = format!("Bearer {TOKEN}");
    for authorization in ["", "basic", TOKEN, "basic wrong", &bearer, "basic other", "basic reader"] {
        let headers = [("Authorization", authorization), ("Content-Type", "application/json")];
        let answer = request(address, &line, &headers, &right().to_string()).await;
        assert_eq!((answer.status(), answer.body()), (Some(401), ""), "{authorization}");
    }
    let headers = [("Authorization", "basic reader")];
    let line = format!("GET /V1.0/EN/campaign/{TOUCHPOINT}/answers/getall/20260101000000/20260102000000");
    assert_eq!(request(address, &line, &headers, "").await.status(), Some(200));
    assert_eq!(sandbox.counts().stored, 0);
}
