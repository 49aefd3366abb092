//! A configuration's text: a problem has a place that is in the file, and what is fine can be served.

#![no_main]

use std::path::Path;

use libfuzzer_sys::fuzz_target;
use server::config::{Config, ConfigError};
use server::intake::ServedDefinition;

const TOKEN: &str = "c2VjcmV0OnRva2Vu";

fuzz_target!(|text: &str| {
    // Files of this machine are none of the fuzzer's business.
    if text.contains("_file") || text.contains('\\') || text.contains(TOKEN) {
        return;
    }
    match Config::parse(text, "fuzz.toml", Path::new(""), &|_| Some(TOKEN.to_owned())) {
        Ok(config) => serves(&config),
        Err(ConfigError::Invalid { problems, path }) => {
            assert!(!problems.is_empty());
            let lines: Vec<&str> = text.split('\n').collect();
            for problem in &problems {
                let line = lines.get(problem.line.wrapping_sub(1)).expect("the line is in the file");
                assert!((1..=line.chars().count() + 1).contains(&problem.column), "{problem:?} in {line:?}");
                assert!(!problem.message.is_empty());
            }
            assert!(problems.is_sorted_by_key(|problem| (problem.line, problem.column)));
            let report = ConfigError::Invalid { problems, path };
            assert!(!format!("{report} {report:?}").contains(TOKEN));
        }
        Err(error) => panic!("{error}"),
    }
});

fn serves(config: &Config) {
    assert!(!config.platforms.is_empty() && !config.surveys.is_empty());
    assert!(!format!("{config:?}").contains(TOKEN));
    config.advice();
    for survey in &config.surveys {
        assert!(config.survey(survey.id.as_str()).is_some());
        for language in &survey.languages {
            let served = ServedDefinition::new(survey, *language);
            let json = serde_json::to_string(&served.definition).expect("it can be sent");
            let read: shared::Definition = serde_json::from_str(&json).expect("a browser can read it");
            assert!(read == served.definition && !read.questions.is_empty());
        }
    }
}
