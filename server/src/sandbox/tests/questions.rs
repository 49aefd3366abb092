//! A touchpoint's questions, as the platform's mobile SDKs fetch them.

use super::super::add_answer::WRONG_COMPANY;
use super::*;

async fn get(address: SocketAddr, company: &str) -> super::Answer {
    let line = format!(
        "GET /V2.0/EN/company/{company}/touchpoint/{TOUCHPOINT}/question/GetTouchpointSurveyQuestions"
    );
    request(address, &line, &[("Authorization", &format!("basic {TOKEN}"))], "").await
}

#[tokio::test]
async fn a_question_has_its_labels_and_says_whether_it_may_be_left_out() {
    let mut touchpoint = touchpoint();
    touchpoint.questions[0].labels = ["Nooit", "", "Altijd"].map(str::to_owned).to_vec();
    let touchpoints = vec![touchpoint];
    let (_, address) = start_with(Settings { interval: Duration::ZERO, touchpoints, ..settings() }).await;
    let answer = get(address, &COMPANY.to_uppercase()).await;
    assert_eq!(answer.status(), Some(200));
    let json = answer.json();
    let items = json[0]["items"].as_array().unwrap();
    let mandatory: Vec<bool> = items.iter().map(|item| item["isMandatory"].as_bool().unwrap()).collect();
    assert_eq!(mandatory, [true, true, false, false, false, false]);
    let labels = |item: &Value| ["label1", "label2", "label3", "label7"].map(|key| item[key].clone());
    assert_eq!(labels(&items[0]), [json!("Nooit"), Value::Null, json!("Altijd"), Value::Null]);
    assert_eq!(labels(&items[5]), [json!("Web"), json!("Winkel"), Value::Null, Value::Null]);
}

#[tokio::test]
async fn another_company_is_refused() {
    let (_, address) = start().await;
    for company in [TOUCHPOINT, "x"] {
        let answer = get(address, company).await;
        assert_eq!((answer.status(), answer.json()), (Some(400), json!([WRONG_COMPANY])), "{company}");
    }
}
