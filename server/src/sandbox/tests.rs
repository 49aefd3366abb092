//! Tests over TCP, by a client that knows nothing but bytes; one file per concern.

mod faults;
mod messages;
mod nps;
mod pages;
mod questions;
mod reports;
mod respondents;
mod throttle;

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use serde_json::{Value, json};
use tokio::net::TcpListener;

use super::{Kind, Question, Sandbox, Settings, Token, Touchpoint};
use crate::waiting::DEADLINE;

const TOKEN: &str = "ZGVtb0BleGFtcGxlLmNvbTpFRTZBQTg1NjVGMjkzOTc=";
const TOUCHPOINT: &str = "f30f55f0-a770-4096-aa9f-8bc2a2aff25f";
const COMPANY: &str = "ec28d381-4883-4731-9462-74c3dc82aff1";
const SCORE: &str = "CFD52369-B323-4CF3-BA11-9ACD0983B01D";
const TEXT: &str = "8DEA4E28-9E0C-4E4F-92B0-04F50FEB74CB";
const YES_NO: &str = "9D1F0A33-3B0E-4B0B-8B46-0F0A2C7D5E01";
const SINGLE: &str = "9D1F0A33-3B0E-4B0B-8B46-0F0A2C7D5E02";
const SEVERAL: &str = "9D1F0A33-3B0E-4B0B-8B46-0F0A2C7D5E03";
const SCORE_FRENCH: &str = "9D1F0A33-3B0E-4B0B-8B46-0F0A2C7D5E04";

fn touchpoint() -> Touchpoint {
    let question = |guid: &str, sibling: &str, language: &str, kind| Question {
        guid: guid.into(),
        sibling: sibling.into(),
        language: language.parse().unwrap(),
        kind,
        text: format!("{sibling}?"),
        mandatory: sibling == "recommend",
        labels: Vec::new(),
    };
    let choice = |several| Kind::Choice { several, values: vec!["Web".into(), "Winkel".into()] };
    Touchpoint {
        guid: TOUCHPOINT.into(),
        company: COMPANY.into(),
        name: "checkout".into(),
        languages: vec!["nl".parse().unwrap(), "fr".parse().unwrap()],
        email: true,
        mandatory_metadata: vec!["shop".into()],
        questions: vec![
            question(SCORE, "recommend", "nl", Kind::Score { min: 0, max: 10 }),
            question(SCORE_FRENCH, "recommend", "fr", Kind::Score { min: 0, max: 10 }),
            question(TEXT, "why", "nl", Kind::Text),
            question(YES_NO, "again", "nl", Kind::YesNo),
            question(SINGLE, "paid", "nl", choice(false)),
            question(SEVERAL, "found", "nl", choice(true)),
        ],
    }
}

/// An answer with one value and nulls for the rest.
fn given(question: &str, key: &str, value: Value) -> Value {
    let mut answer = json!({ "QuestionItemUniqueID": question, "Score": null, "Text": null, "Boolean": null, "Options": null });
    answer[key] = value;
    answer
}

/// A body that is right.
fn right() -> Value {
    json!({
        "cultureInfo": "NL",
        "languageUniqueId": "1B5C1275-4F92-422F-B1FC-799BF8E30598",
        "metadata": { "number of pieces": "8", "shop": "1" },
        "respondent": { "UniqueID": null, "FirstName": "Jef", "LastName": "Tester", "Email": "jef@example.com", "Phone": null },
        "CompanyUniqueID": COMPANY,
        "answers": [
            given(SCORE, "Score", json!(3)),
            given(TEXT, "Text", json!("J’aime bien américain préparé.")),
            given(YES_NO, "Boolean", json!(false)),
            given(SINGLE, "Options", json!(["Web"])),
            given(SEVERAL, "Options", json!(["Winkel", "Web"])),
        ],
        "campaign_UniqueID": TOUCHPOINT.to_uppercase(),
    })
}

/// A sandbox without a throttle that listens on a free port.
async fn start() -> (Sandbox, SocketAddr) {
    start_with(Settings { interval: Duration::ZERO, ..settings() }).await
}

fn settings() -> Settings {
    let tokens = vec![Token::all(TOKEN.to_owned().into())];
    Settings { tokens, touchpoints: vec![touchpoint()], ..Settings::default() }
}

async fn start_with(settings: Settings) -> (Sandbox, SocketAddr) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let sandbox = Sandbox::new(settings);
    tokio::spawn(super::run(listener, sandbox.clone(), std::future::pending()));
    (sandbox, address)
}

/// What came back before the connection ended: all of it, half of it, or nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Answer {
    raw: String,
}

impl Answer {
    fn status(&self) -> Option<u16> {
        self.raw.split(' ').nth(1)?.parse().ok()
    }

    fn header(&self, name: &str) -> Option<&str> {
        let head = self.raw.split("\r\n\r\n").next()?;
        let lines = head.lines().filter_map(|line| line.split_once(": "));
        lines.into_iter().find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value)
    }

    fn body(&self) -> &str {
        self.raw.split_once("\r\n\r\n").map_or("", |(_, body)| body)
    }

    fn json(&self) -> Value {
        serde_json::from_str(self.body()).unwrap()
    }
}

/// Makes one request with these lines of a head, on a connection of its own.
async fn request(address: SocketAddr, line: &str, headers: &[(&str, &str)], body: &str) -> Answer {
    let mut head = format!("{line} HTTP/1.1\r\nConnection: close\r\nContent-Length: {}\r\n", body.len());
    if !headers.iter().any(|(name, _)| name.eq_ignore_ascii_case("host")) {
        head = format!("{head}Host: {address}\r\n");
    }
    for (name, value) in headers {
        head = format!("{head}{name}: {value}\r\n");
    }
    let bytes = format!("{head}\r\n{body}");
    let call = move || {
        let mut stream = TcpStream::connect(address).unwrap();
        stream.set_read_timeout(Some(DEADLINE)).unwrap();
        stream.write_all(bytes.as_bytes()).ok();
        let mut raw = Vec::new();
        // A connection that is reset gives what came before.
        stream.read_to_end(&mut raw).ok();
        Answer { raw: String::from_utf8_lossy(&raw).into_owned() }
    };
    tokio::task::spawn_blocking(call).await.unwrap()
}

async fn add(address: SocketAddr, body: &Value) -> Answer {
    let line = format!("POST /V1.0/EN/campaign/{TOUCHPOINT}/answers/add");
    let authorization = format!("basic {TOKEN}");
    let headers = [("Authorization", authorization.as_str()), ("Content-Type", "application/json")];
    request(address, &line, &headers, &body.to_string()).await
}

async fn get_all(address: SocketAddr, start: &str, end: &str) -> Answer {
    let line = format!("GET /V1.0/EN/campaign/{TOUCHPOINT}/answers/getall/{start}/{end}");
    request(address, &line, &[("Authorization", &format!("basic {TOKEN}"))], "").await
}
