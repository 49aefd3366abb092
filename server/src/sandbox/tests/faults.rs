//! Misbehaviours as a client sees them, and what they leave behind.

use tokio::time::advance;

use super::super::{Call, Fault, Misbehaviour};
use super::*;

const LATE: Duration = Duration::from_secs(5);

/// What a client gets from a fault, and whether the answer was stored all the same.
async fn met(fault: Fault) -> (Answer, bool) {
    let (sandbox, address) = start().await;
    sandbox.misbehave(Misbehaviour::from(fault.clone()).calls(1));
    let answer = add(address, &right()).await;
    let arrivals = sandbox.arrived(1, DEADLINE).await;
    assert_eq!(arrivals[0].fault, Some(fault));
    assert_eq!(add(address, &right()).await.status(), Some(200), "it ended after one call");
    (answer, arrivals[0].stored)
}

#[tokio::test]
async fn a_status_is_answered_and_nothing_is_done() {
    let fault = Fault::Status { status: 503, retry_after: Some(7), body: Some("later".into()) };
    let (answer, stored) = met(fault).await;
    assert_eq!(
        (answer.status(), answer.header("retry-after"), answer.body()),
        (Some(503), Some("7"), "later")
    );
    assert!(!stored);
}

#[tokio::test]
async fn a_connection_is_cut_before_and_after_the_body_without_a_byte() {
    for fault in [Fault::CutAtHead, Fault::CutAfterBody] {
        let (answer, stored) = met(fault).await;
        assert_eq!((answer.raw.as_str(), stored), ("", false));
    }
}

#[tokio::test]
async fn a_reply_is_lost_and_the_answer_is_stored() {
    let (answer, stored) = met(Fault::LostReply).await;
    assert_eq!((answer.raw.as_str(), stored), ("", true));
}

#[tokio::test]
async fn a_reply_breaks_off_in_the_middle_of_its_body() {
    let (answer, stored) = met(Fault::CutReply).await;
    let promised: usize = answer.header("content-length").unwrap().parse().unwrap();
    assert_eq!((answer.status(), stored), (Some(200), true));
    assert!(!answer.body().is_empty() && answer.body().len() < promised, "{answer:?}");
}

#[tokio::test]
async fn garbage_comes_with_a_200() {
    let (answer, stored) = met(Fault::Garbage).await;
    assert_eq!((answer.status(), stored), (Some(200), true));
    assert!(serde_json::from_str::<Value>(answer.body()).is_err());
}

#[tokio::test(start_paused = true)]
async fn a_late_reply_comes_long_after_the_answer_is_stored() {
    let (sandbox, address) = start().await;
    sandbox.misbehave(Fault::LateReply(LATE));
    let client = tokio::spawn(async move { add(address, &right()).await });
    assert_eq!(sandbox.answered(1, DEADLINE).await.len(), 1);
    assert!(!client.is_finished());
    advance(LATE).await;
    assert_eq!(client.await.unwrap().status(), Some(200));
}

#[tokio::test(start_paused = true)]
async fn a_late_platform_stores_the_answer_after_the_client_has_gone() {
    let (sandbox, address) = start().await;
    sandbox.misbehave(Fault::Late(LATE));
    let body = right().to_string();
    let length = body.len();
    let head = format!(
        "POST /V1.0/EN/campaign/{TOUCHPOINT}/answers/add HTTP/1.1\r\nHost: x\r\nAuthorization: basic {TOKEN}\r\n\
         Content-Type: application/json\r\nContent-Length: {length}\r\n\r\n"
    );
    let stream = std::net::TcpStream::connect(address).unwrap();
    (&stream).write_all(format!("{head}{body}").as_bytes()).unwrap();
    assert!(sandbox.until(DEADLINE, |counts| counts.arrived == 1).await);
    assert_eq!(sandbox.counts().stored, 0);
    drop(stream);
    assert_eq!(sandbox.answered(1, 2 * LATE).await.len(), 1);
}

#[tokio::test]
async fn a_fault_spares_other_kinds_of_call_and_ends_when_told() {
    let (sandbox, address) = start().await;
    sandbox.misbehave(Misbehaviour::from(Fault::LostReply).only(Call::GetAnswers));
    assert_eq!(add(address, &right()).await.status(), Some(200));
    assert_eq!(get_all(address, "x", "y").await.status(), None);
    sandbox.behave();
    assert_eq!(get_all(address, "x", "y").await.status(), Some(400));
}

#[tokio::test(start_paused = true)]
async fn a_call_that_meets_a_fault_counts_for_the_throttle() {
    let (sandbox, address) = start_with(settings()).await;
    sandbox.misbehave(Misbehaviour::from(Fault::CutAtHead).calls(1));
    assert_eq!(add(address, &right()).await.status(), None);
    assert_eq!(add(address, &right()).await.status(), Some(429));
}

#[tokio::test]
async fn old_arrivals_are_forgotten_and_still_counted() {
    let (sandbox, address) = start_with(Settings { interval: Duration::ZERO, keep: 2, ..settings() }).await;
    for _ in 0..3 {
        add(address, &right()).await;
    }
    let arrivals = sandbox.arrived(3, DEADLINE).await;
    assert_eq!(arrivals.iter().map(|arrival| arrival.number).collect::<Vec<_>>(), [2, 3]);
    assert_eq!((sandbox.answers().len(), sandbox.counts().stored), (2, 3));
}
