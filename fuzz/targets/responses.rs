//! The platform's list of responses: read or refused, and what is new in it changes nothing.

#![no_main]

use libfuzzer_sys::fuzz_target;
use serde_json::Value;
use server::platform::{Response, read_each};

fuzz_target!(|body: &[u8]| {
    let read: Result<Vec<Response>, _> = serde_json::from_slice(body);
    let mut streamed = Vec::new();
    let outcome = read_each(body, |response| streamed.push(response));
    // A stream hands on what comes before it turns out to be broken.
    assert_eq!(outcome.is_ok(), read.is_ok());
    assert!(read.as_ref().is_ok_and(|read| *read == streamed) || read.is_err());
    let json: Result<Value, _> = serde_json::from_slice(body);
    let (Ok(read), Ok(Value::Array(mut list))) = (read, json) else { return };
    assert_eq!(read.len(), list.len());
    // Keys that are there twice are refused by the one and merged by the other.
    for response in &mut list {
        if let Value::Object(response) = response {
            response.insert("something new".to_owned(), Value::from(vec![1, 2]));
        }
    }
    let body = serde_json::to_vec(&list).expect("a list can be written");
    let again: Vec<Response> = serde_json::from_slice(&body).expect("new keys do not matter");
    assert!(again == read);
});
