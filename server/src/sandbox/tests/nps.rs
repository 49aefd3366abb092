//! `getnpsscore`: the shape and the numbers of section 10.

use super::super::add_answer::MODEL;
use super::*;

const ALL: (&str, &str) = ("20000101000000", "20991231235959");

async fn nps(address: SocketAddr, (start, end): (&str, &str), body: &str) -> super::Answer {
    let line = format!("POST /V1.0/EN/campaign/{TOUCHPOINT}/analysis/nps/getnpsscore/{start}/{end}");
    let authorization = format!("basic {TOKEN}");
    let headers = [("Authorization", authorization.as_str()), ("Content-Type", "application/json")];
    request(address, &line, &headers, body).await
}

/// The score and the three shares, as they are written.
fn figures(answer: &super::Answer) -> String {
    let json = answer.json();
    ["nps", "detractors", "passive", "promoters"].map(|key| json[key].to_string()).join(" ")
}

/// 1 detractor, 11 passive, 7 promoters: the page's example; the first nine in one shop.
async fn example() -> (Sandbox, SocketAddr) {
    let (sandbox, address) = start().await;
    let scores = [6].into_iter().chain([7; 6]).chain([8; 5]).chain([9; 3]).chain([10; 4]);
    for (place, score) in scores.enumerate() {
        let mut body = right();
        body["answers"][0]["Score"] = json!(score);
        body["metadata"]["shop"] = json!(if place < 9 { "Gent" } else { "Antwerpen" });
        assert_eq!(add(address, &body).await.status(), Some(200));
    }
    (sandbox, address)
}

#[tokio::test]
async fn the_numbers_are_the_pages() {
    let (_sandbox, address) = example().await;
    let answer = nps(address, ALL, "").await;
    assert_eq!((answer.status(), figures(&answer)), (Some(200), "31 5.26 57.9 36.84".into()));
    let json = answer.json();
    let keys: Vec<&String> = json.as_object().unwrap().keys().collect();
    assert_eq!(keys, ["date", "detractors", "nps", "passive", "promoters", "uniqueID"]);
    assert!(json["nps"].is_i64());
}

#[tokio::test]
async fn a_filter_takes_one_of_its_values_and_several_filters_each() {
    let (_sandbox, address) = example().await;
    let asked = async |filters: Value| figures(&nps(address, ALL, &filters.to_string()).await);
    assert_eq!(asked(json!([])).await, "31 5.26 57.9 36.84");
    let gent = json!([{ "key": "shop", "filterValues": ["Gent"] }]);
    assert_eq!(asked(gent).await, "-11 11.11 88.89 0.0");
    let both = json!([{ "key": "shop", "filterValues": ["Gent", "Antwerpen"] }]);
    assert_eq!(asked(both).await, "31 5.26 57.9 36.84");
    let none = json!([
        { "key": "shop", "filterValues": ["Gent"] },
        { "key": "number of pieces", "filterValues": ["9"] },
    ]);
    assert_eq!(asked(none).await, "0 0.0 0.0 0.0");
}

#[tokio::test]
async fn what_is_no_filter_or_no_range_is_refused() {
    let (_sandbox, address) = start().await;
    for body in ["{}", "[", "[1]", r#"[{"key":"shop"}]"#, r#"[{"key":"shop","filterValues":"Gent"}]"#] {
        let refused = nps(address, ALL, body).await;
        assert_eq!((refused.status(), refused.json()), (Some(400), json!([MODEL])), "{body}");
    }
    for range in [("2026", ALL.1), (ALL.1, ALL.0)] {
        assert_eq!(nps(address, range, "").await.status(), Some(400));
    }
}

#[tokio::test]
async fn only_answers_of_the_range_count() {
    let (sandbox, address) = start().await;
    let language = "nl".parse().unwrap();
    for (time, score) in
        [("2025-12-31T23:59:59Z", 0), ("2026-01-01T00:00:00Z", 10), ("2026-02-01T00:00:00Z", 0)]
    {
        let mut body = right();
        body["answers"][0]["Score"] = json!(score);
        sandbox.put(TOUCHPOINT, language, time.parse().unwrap(), body);
    }
    let january = nps(address, ("20260101000000", "20260131235959"), "").await;
    assert_eq!(figures(&january), "100 0.0 0.0 100.0");
}
