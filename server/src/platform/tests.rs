//! Calls against the sandbox, which knows the platform's shapes by itself.

use std::time::Duration;

use jiff::Timestamp;
use serde_json::json;
use tokio::net::TcpListener;

use super::*;
use crate::accepted::{Accepted, StoredAnswer, StoredValue};
use crate::config::tests::good;
use crate::config::{Config, Kind, Survey};
use crate::sandbox::{self, Fault, Sandbox, Settings, Token, Touchpoint};

/// A sandbox at no pace, the platform's settings that lead there, and a survey that it knows.
pub(crate) async fn sandbox() -> (Sandbox, Platform, Survey) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let mut config: Config = good();
    let mut platform = (*config.platforms[0]).clone();
    platform.base_url = format!("http://{}{BASE_PATH}", listener.local_addr().unwrap());
    platform.timeout = Duration::from_secs(5);
    let survey = (*config.surveys.remove(0)).clone();
    let question = |asked: &crate::config::Question, kind| sandbox::Question {
        guid: asked.guid[&survey.languages[0]].to_string().to_lowercase(),
        sibling: asked.id.to_string(),
        language: survey.languages[0],
        kind,
        text: String::new(),
        mandatory: asked.required,
        labels: Vec::new(),
    };
    let settings = Settings {
        interval: Duration::ZERO,
        tokens: vec![Token::all(platform.token.clone())],
        touchpoints: vec![Touchpoint {
            guid: survey.touchpoint.to_string(),
            company: survey.company.to_string(),
            name: "checkout".into(),
            languages: survey.languages.clone(),
            email: true,
            mandatory_metadata: Vec::new(),
            questions: vec![
                question(&survey.questions[0], sandbox::Kind::Score { min: 0, max: 10 }),
                question(&survey.questions[1], sandbox::Kind::Text),
            ],
        }],
        ..Settings::default()
    };
    let sandbox = Sandbox::new(settings);
    tokio::spawn(sandbox::run(listener, sandbox.clone(), std::future::pending()));
    (sandbox, platform, survey)
}

/// A response in French with some answers, as the platform writes it.
pub(crate) fn response_json(id: &str, answers: &str) -> String {
    format!(
        r#"{{"uniqueID":"{id}","dateAnswer":"2026-01-02T03:04:05Z","language_UniqueID":"901AF5BC-06CB-4DE0-B523-135ECFDC882A",
        "keyValues":{{"shop":"1"}},"email":"jef@example.com","answerQuestions":[{answers}]}}"#
    )
    .replace('\n', " ")
}

/// One of its answers; `value` is a key and a value.
pub(crate) fn answer_json(question: &str, sibling: &str, text: &str, value: &str) -> String {
    format!(
        r#"{{"question_UniqueID":"{question}","question_SiblingUniqueID":"{sibling}","question_Text":"{text}",{value}}}"#
    )
}

async fn platform() -> (Sandbox, Client, Survey) {
    let (sandbox, platform, survey) = sandbox().await;
    (sandbox, Client::new(&platform, &mut Connections::default()).unwrap(), survey)
}

pub(crate) fn accepted() -> Accepted {
    let answer = |question: &str, value| StoredAnswer { question: question.parse().unwrap(), value };
    Accepted {
        language: "nl".into(),
        answers: vec![
            answer("recommend", StoredValue::Score(3)),
            answer("why", StoredValue::Text("J’aime bien américain préparé.".into())),
        ],
        metadata: [("shop".to_owned(), "1".to_owned())].into(),
        respondent: None,
        answered_at: Timestamp::UNIX_EPOCH,
    }
}

#[test]
fn an_answer_has_the_pages_keys_casing_and_nulls() {
    let config = good();
    let accepted = accepted();
    let body = serde_json::to_value(AddAnswer::new(&config.surveys[0], &accepted).unwrap()).unwrap();
    let expected = json!({
        "cultureInfo": "NL",
        "languageUniqueId": "1B5C1275-4F92-422F-B1FC-799BF8E30598",
        "metadata": { "shop": "1" },
        "respondent": { "UniqueID": null, "FirstName": null, "LastName": null, "Email": null, "Phone": null },
        "CompanyUniqueID": "ec28d381-4883-4731-9462-74c3dc82aff1",
        "answers": [
            { "QuestionItemUniqueID": "CFD52369-B323-4CF3-BA11-9ACD0983B01D",
              "Score": 3, "Text": null, "Boolean": null, "Options": null },
            { "QuestionItemUniqueID": "11111111-1111-4111-8111-111111111111",
              "Score": null, "Text": "J’aime bien américain préparé.", "Boolean": null, "Options": null },
        ],
        "campaign_UniqueID": "f30f55f0-a770-4096-aa9f-8bc2a2aff25f",
    });
    assert_eq!(body, expected);
}

/// The survey with an option that takes words, and a visitor's answer that uses it.
fn with_words() -> (Survey, Accepted) {
    let mut survey = (*good().surveys[0]).clone();
    let dutch = survey.languages[0];
    if let Kind::Choice { options, .. } = &mut survey.questions[3].kind {
        let guid = "77777777-7777-4777-8777-777777777777".parse().unwrap();
        options[1].other = Some([(dutch, guid)].into());
    }
    let chosen = ["web", "shop"].map(|id| id.parse().unwrap()).to_vec();
    let value = StoredValue::OptionsWithWords(chosen, "Een tante".into());
    let answers = vec![StoredAnswer { question: "found".parse().unwrap(), value }];
    (survey, Accepted { answers, ..accepted() })
}

#[test]
fn words_for_other_are_the_answer_to_a_text_question_of_their_own() {
    let (mut survey, accepted) = with_words();
    let body = AddAnswer::new(&survey, &accepted).unwrap();
    assert_eq!(body.visitors_words(), ["Een tante"], "they are hidden in a refusal");
    let expected = json!([
        { "QuestionItemUniqueID": "55555555-5555-4555-8555-555555555555",
          "Score": null, "Text": null, "Boolean": null, "Options": ["W", "Winkel"] },
        { "QuestionItemUniqueID": "77777777-7777-4777-8777-777777777777",
          "Score": null, "Text": "Een tante", "Boolean": null, "Options": null },
    ]);
    assert_eq!(serde_json::to_value(&body).unwrap()["answers"], expected);
    drop(body);
    survey.questions[3] = good().surveys[0].questions[3].clone();
    let error = AddAnswer::new(&survey, &accepted).map(|_| ()).unwrap_err();
    assert!(error.to_string().contains("question found has no `other`"), "{error}");
}

#[test]
fn what_the_configuration_has_lost_is_named() {
    let mut survey = (*good().surveys[0]).clone();
    survey.questions.remove(1);
    let accepted = accepted();
    let error = AddAnswer::new(&survey, &accepted).map(|_| ()).unwrap_err();
    assert!(error.to_string().contains("why"), "{error}");
}

#[tokio::test]
async fn an_answer_is_added_and_comes_back_with_its_metadata() {
    let (sandbox, client, survey) = platform().await;
    let accepted = accepted();
    let body = AddAnswer::new(&survey, &accepted).unwrap();
    let Outcome::Reply(reply) = client.add_answer(&survey.touchpoint, &body).await else { panic!() };
    assert_eq!((reply.status, reply.words.as_str()), (200, ""), "{:?}", sandbox.arrivals()[0]);
    let now = sandbox.arrivals()[0].time;
    let (from, to) = (now - jiff::SignedDuration::from_mins(1), now + jiff::SignedDuration::from_mins(1));
    let responses = all(&client, &survey, from, to).await;
    assert_eq!(responses.len(), 1);
    assert_eq!(responses[0].key_values["shop"], "1");
    assert!(all(&client, &survey, from - jiff::SignedDuration::from_hours(2), from).await.is_empty());
}

/// Every response of a window.
async fn all(client: &Client, survey: &Survey, from: Timestamp, to: Timestamp) -> Vec<Response> {
    let (found, all) = std::sync::mpsc::channel();
    let responses = client.get_all(&survey.touchpoint, from, to).await.unwrap();
    responses.each(move |response| found.send(response).unwrap()).await.unwrap();
    all.iter().collect()
}

#[tokio::test]
async fn a_list_of_responses_that_breaks_off_is_no_list() {
    let (sandbox, client, survey) = platform().await;
    let (from, to) = (Timestamp::UNIX_EPOCH, Timestamp::UNIX_EPOCH + jiff::SignedDuration::from_hours(1));
    for fault in [Fault::CutReply, Fault::Garbage] {
        sandbox.misbehave(fault.clone());
        let responses = client.get_all(&survey.touchpoint, from, to).await;
        let read = match responses {
            Ok(responses) => responses.each(|_: Response| {}).await,
            Err(error) => Err(error),
        };
        assert!(read.is_err(), "{fault:?}");
        sandbox.behave();
    }
}

#[tokio::test]
async fn a_window_of_more_than_31_days_is_not_asked_for() {
    let (sandbox, client, survey) = platform().await;
    let from = Timestamp::UNIX_EPOCH;
    let to = from + jiff::SignedDuration::from_hours(31 * 24 + 1);
    assert!(matches!(client.get_all(&survey.touchpoint, from, to).await, Err(ReportError::Window)));
    assert!(matches!(client.get_all(&survey.touchpoint, to, from).await, Err(ReportError::Window)));
    assert_eq!(sandbox.counts().arrived, 0);
}

#[tokio::test]
async fn each_way_of_failing_has_its_outcome() {
    let (sandbox, mut platform, survey) = sandbox().await;
    platform.timeout = Duration::from_millis(500);
    let client = Client::new(&platform, &mut Connections::default()).unwrap();
    let accepted = accepted();
    let body = AddAnswer::new(&survey, &accepted).unwrap();
    let call = async |fault: Fault| {
        sandbox.misbehave(fault);
        client.add_answer(&survey.touchpoint, &body).await
    };
    let words = Some("[\"one\",\"two\"]".to_owned());
    let refused = call(Fault::Status { status: 400, retry_after: None, body: words }).await;
    assert_eq!(refused, Outcome::Reply(Reply { status: 400, retry_after: None, words: "one; two".into() }));
    let busy = call(Fault::Status { status: 429, retry_after: Some(7), body: None }).await;
    let wait = Some(Duration::from_secs(7));
    assert_eq!(busy, Outcome::Reply(Reply { status: 429, retry_after: wait, words: String::new() }));
    for lost in
        [Fault::CutAtHead, Fault::CutAfterBody, Fault::LostReply, Fault::LateReply(Duration::from_secs(5))]
    {
        assert!(matches!(call(lost.clone()).await, Outcome::Lost(_)), "{lost:?}");
    }
    for arrived in [Fault::CutReply, Fault::Garbage] {
        let outcome = call(arrived).await;
        assert!(matches!(outcome, Outcome::Reply(Reply { status: 200, .. })), "{outcome:?}");
    }
}

#[tokio::test]
async fn a_refused_connection_is_not_sent() {
    let mut platform = (*good().platforms[0]).clone();
    // It is nobody else's, and nobody listens.
    let deaf = tokio::net::TcpSocket::new_v4().unwrap();
    deaf.bind("127.0.0.1:0".parse().unwrap()).unwrap();
    platform.base_url = format!("http://{}", deaf.local_addr().unwrap());
    let client = Client::new(&platform, &mut Connections::default()).unwrap();
    let (config, accepted) = (good(), accepted());
    let body = AddAnswer::new(&config.surveys[0], &accepted).unwrap();
    let outcome = client.add_answer(&config.surveys[0].touchpoint, &body).await;
    assert!(matches!(&outcome, Outcome::NotSent(reason) if !reason.contains("127.0.0.1")), "{outcome:?}");
}

#[test]
fn a_clients_debug_output_holds_no_token() {
    let client = Client::new(&good().platforms[0], &mut Connections::default()).unwrap();
    assert!(!format!("{client:?}").contains("c2VjcmV0"));
}

fn respondent(email: &str) -> NewRespondent {
    NewRespondent { email: email.into(), language: "nl".into(), ..NewRespondent::default() }
}

#[tokio::test]
async fn respondents_are_added_one_at_a_time_and_several_at_once() {
    let (sandbox, client, survey) = platform().await;
    let one = client.add_respondent(&survey.touchpoint, &respondent("jef@example.com")).await.unwrap();
    assert!(matches!(one, Outcome::Reply(Reply { status: 201, .. })), "{one:?}");
    let several = [respondent("an@example.com"), respondent("jo@example.com")];
    let several = client.add_respondents(&survey.touchpoint, &several).await.unwrap();
    assert!(matches!(several, Outcome::Reply(Reply { status: 200, .. })), "{several:?}");
    let emails: Vec<_> = sandbox.respondents().iter().map(|added| added.json["email"].clone()).collect();
    assert_eq!(emails, ["jef@example.com", "an@example.com", "jo@example.com"]);
}

#[tokio::test]
async fn a_refused_respondent_is_named_in_the_platforms_words() {
    let (_sandbox, client, survey) = platform().await;
    let refused = client.add_respondent(&survey.touchpoint, &respondent("jef")).await.unwrap();
    let Outcome::Reply(reply) = refused else { panic!("{refused:?}") };
    assert_eq!((reply.status, reply.words.as_str()), (400, "The respondent email jef is invalid"));
}

#[tokio::test]
async fn a_net_promoter_score_is_read_whole_and_narrowed() {
    let (sandbox, client, survey) = platform().await;
    let (from, to) = ("2020-01-01T00:00:00Z".parse().unwrap(), "2099-01-01T00:00:00Z".parse().unwrap());
    let nps = async |filters: &[NpsFilter]| client.get_nps(&survey.touchpoint, from, to, filters).await;
    assert!(nps(&[]).await.unwrap().is_empty());
    let accepted = accepted();
    client.add_answer(&survey.touchpoint, &AddAnswer::new(&survey, &accepted).unwrap()).await;
    let score = nps(&[]).await.unwrap();
    assert_eq!((score.nps, score.detractors, score.is_empty()), (-100.0, 100.0, false));
    let filter = |value: &str| [NpsFilter { key: "shop".into(), values: vec![value.into()] }];
    assert_eq!(nps(&filter("1")).await.unwrap(), score);
    assert!(nps(&filter("2")).await.unwrap().is_empty());
    assert!(matches!(client.get_nps(&survey.touchpoint, to, from, &[]).await, Err(ReportError::Window)));
    for fault in [Fault::Garbage, Fault::CutReply] {
        sandbox.misbehave(fault);
        assert!(matches!(nps(&[]).await, Err(ReportError::Read(_) | ReportError::Call(Outcome::Lost(_)))));
    }
    sandbox.misbehave(Fault::Status { status: 500, retry_after: None, body: None });
    assert!(matches!(nps(&[]).await, Err(ReportError::Call(Outcome::Reply(Reply { status: 500, .. })))));
}
