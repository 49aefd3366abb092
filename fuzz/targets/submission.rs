//! A submission's bytes, all the way to the platform's JSON, against the demo's surveys.
//!
//! Whatever intake accepts can be stored, read again and mapped, and holds nothing that its limits forbid.

#![no_main]

use std::path::Path;
use std::sync::{Arc, LazyLock};

use libfuzzer_sys::fuzz_target;
use server::accepted::{Accepted, StoredValue};
use server::clock::Clock;
use server::config::Config;
use server::demo::CONFIG;
use server::intake::Intake;
use server::platform::AddAnswer;
use server::queue::{Options, SqliteQueue};
use shared::limits;

/// The demo's configuration, and its intake in front of a queue that nothing gets into.
static DEMO: LazyLock<(Arc<Config>, Intake, tempfile::TempDir)> = LazyLock::new(|| {
    let text = CONFIG
        .replace("@STORE@", "queue.db")
        .replace("@PLATFORM@", "http://127.0.0.1:1")
        .replace("@SHOP@", "https://shop.example");
    let token = |_: &str| Some("token".to_owned());
    let config = Arc::new(Config::parse(&text, "demo", Path::new(""), &token).expect("the demo is fine"));
    let folder = tempfile::tempdir().expect("a folder");
    let queue =
        Arc::new(SqliteQueue::open(&folder.path().join("queue.db"), Options::default()).expect("a queue"));
    let intake = Intake::new(Arc::clone(&config), queue, Clock::start());
    (config, intake, folder)
});

fuzz_target!(|body: &[u8]| {
    if body.len() > limits::BODY_BYTES {
        return;
    }
    let (config, intake, _) = &*DEMO;
    for survey in &config.surveys {
        let Ok(entry) = intake.read(survey.id.as_str(), body) else { continue };
        let again = intake.read(survey.id.as_str(), body).expect("what was accepted once is again");
        assert!(entry.fingerprint == again.fingerprint && entry.submission == again.submission);
        assert!(!entry.submission.is_nil() && entry.survey == survey.id);

        let accepted: Accepted = serde_json::from_slice(&entry.body).expect("what is stored can be read");
        assert!(serde_json::to_vec(&accepted).expect("it can be stored") == entry.body);
        assert!((1..=survey.questions.len()).contains(&accepted.answers.len()));
        let texts = accepted.answers.iter().filter_map(|answer| match &answer.value {
            StoredValue::Text(text) => Some((text, limits::TEXT_MAX as usize)),
            _ => None,
        });
        let listed = |key: &String| survey.metadata.iter().any(|rule| rule.key == *key);
        assert!(accepted.metadata.keys().all(listed), "only the survey's own keys");
        let metadata = accepted.metadata.values().map(|value| (value, limits::URL));
        for (text, longest) in texts.chain(metadata) {
            assert!(text.chars().count() <= longest && !text.chars().any(limits::is_forbidden));
        }

        let mapped = AddAnswer::new(survey, &accepted).expect("what is accepted can be mapped");
        let mapped = serde_json::to_value(&mapped).expect("it can be sent");
        let answers = mapped["answers"].as_array().expect("a list of answers");
        assert_eq!(answers.len(), accepted.answers.len());
        for answer in answers.iter().filter_map(|answer| answer.as_object()) {
            let values = answer.values().filter(|value| !value.is_null()).count();
            assert_eq!(values, 2, "the question and one value");
        }
    }
});
