//! `afterword sandbox`: a platform to try a configuration against.

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::Args;
use uuid::Uuid;

use crate::config::{Config, Kind, PerLanguage, Survey};
use crate::platform::{BASE_PATH, MOST_LABELS};
use crate::sandbox::{self, Question, Sandbox, Settings, Token, Touchpoint};
use crate::server::{self, Follower, Hangups};

#[derive(Args)]
pub(super) struct SandboxArgs {
    /// The configuration file: its tokens, touchpoints and questions are what the sandbox knows, as they change, too
    #[arg(long, short, env = "AFTERWORD_CONFIG", value_name = "FILE")]
    config: PathBuf,
    /// Where to listen
    #[arg(long, default_value = "127.0.0.1:8082")]
    listen: SocketAddr,
    /// The least time between two calls, in milliseconds; the platform's is 1000
    #[arg(long, default_value_t = 1_000, value_name = "MS")]
    interval: u64,
}

pub(super) async fn sandbox(arguments: SandboxArgs) -> anyhow::Result<()> {
    let hangups = Hangups::hear();
    let (config, files) = super::load_and_follow(&arguments.config);
    let config = config?;
    let listener = super::bind(arguments.listen, "the sandbox").await?;
    let address = listener.local_addr()?;
    let mut settings = settings(&config);
    settings.interval = std::time::Duration::from_millis(arguments.interval);
    println!("The sandbox listens on {address}.\n");
    println!("  Arrivals   http://{address}/");
    println!("  Use it     base_url = \"http://{address}{BASE_PATH}\" in [platform.…]\n");
    println!("Press Ctrl-C to stop.");
    let sandbox = Sandbox::new(settings);
    let follower = Follower::new(arguments.config, files, hangups);
    let following = tokio::spawn(follow(follower, sandbox.clone()));
    sandbox::run(listener, sandbox, server::signal()).await;
    following.abort();
    Ok(())
}

/// Lets the sandbox know what the file says now, whenever it has changed.
async fn follow(mut follower: Follower, sandbox: Sandbox) {
    loop {
        match follower.next().await.0 {
            Ok(config) => {
                let Settings { tokens, touchpoints, .. } = settings(&config);
                let names: Vec<String> =
                    touchpoints.iter().map(|touchpoint| touchpoint.name.clone()).collect();
                sandbox.know(tokens, touchpoints);
                println!("The sandbox goes by the new configuration: {}.", names.join(", "));
            }
            Err(error) => {
                eprintln!("The sandbox stays with what it knows, since the configuration is wrong:\n{error}");
            }
        }
    }
}

/// What a platform knows that has just this configuration's touchpoints.
pub(super) fn settings(config: &Config) -> Settings {
    let of = |platform: &crate::config::PlatformName| {
        let surveys = config.surveys.iter().filter(|survey| survey.platform == *platform);
        surveys.map(|survey| survey.touchpoint.to_string()).collect()
    };
    let token = |platform: &std::sync::Arc<crate::config::Platform>| Token {
        secret: platform.token.clone(),
        touchpoints: Some(of(&platform.name)),
        calls: None,
    };
    let mut touchpoints: Vec<Touchpoint> = Vec::new();
    for survey in &config.surveys {
        let guid = survey.touchpoint.as_str();
        let known = touchpoints.iter_mut().find(|touchpoint| touchpoint.guid.eq_ignore_ascii_case(guid));
        match known {
            Some(touchpoint) => {
                // Two surveys may ask the same: the platform has it once.
                let known = |question: &Question| touchpoint.question(&question.guid).is_some();
                let new: Vec<_> = questions(survey).into_iter().filter(|it| !known(it)).collect();
                touchpoint.questions.extend(new);
                let new = survey.languages.iter().filter(|l| !touchpoint.languages.contains(l));
                let new: Vec<_> = new.copied().collect();
                touchpoint.languages.extend(new);
            }
            None => touchpoints.push(Touchpoint {
                guid: guid.to_owned(),
                company: survey.company.to_string(),
                name: survey.id.to_string(),
                languages: survey.languages.clone(),
                email: true,
                mandatory_metadata: Vec::new(),
                questions: questions(survey),
            }),
        }
    }
    Settings { tokens: config.platforms.iter().map(token).collect(), touchpoints, ..Settings::default() }
}

fn questions(survey: &Survey) -> Vec<Question> {
    let in_all_languages = |question: &crate::config::Question| {
        let [sibling, words_sibling] = [Uuid::new_v4(), Uuid::new_v4()].map(|uuid| uuid.to_string());
        let one = |(language, guid): (&shared::Language, &crate::config::Guid)| Question {
            guid: guid.to_string(),
            sibling: sibling.clone(),
            language: *language,
            text: question.text.get(language).cloned().unwrap_or_default(),
            kind: kind(&question.kind, *language),
            mandatory: question.required,
            labels: labels(&question.kind, *language),
        };
        let words = |(language, guid): (&shared::Language, &crate::config::Guid)| Question {
            kind: sandbox::Kind::Text,
            sibling: words_sibling.clone(),
            mandatory: false,
            labels: Vec::new(),
            ..one((language, guid))
        };
        let other = question.kind.other().into_iter().flatten();
        question.guid.iter().map(one).chain(other.map(words)).collect::<Vec<_>>()
    };
    survey.questions.iter().flat_map(in_all_languages).collect()
}

fn kind(kind: &Kind, language: shared::Language) -> sandbox::Kind {
    match kind {
        Kind::Score { min, max, .. } => sandbox::Kind::Score { min: i64::from(*min), max: i64::from(*max) },
        Kind::Text { .. } => sandbox::Kind::Text,
        Kind::YesNo => sandbox::Kind::YesNo,
        Kind::Choice { several, options, .. } => sandbox::Kind::Choice {
            several: *several,
            values: options.iter().filter_map(|option| option.value.get(&language).cloned()).collect(),
        },
    }
}

/// What the steps of a score are called: each of them, where the platform has room for that, or the first and the last.
fn labels(kind: &Kind, language: shared::Language) -> Vec<String> {
    let Kind::Score { min, max, low, high, labels, .. } = kind else { return Vec::new() };
    let of = |label: &PerLanguage<String>| label.get(&language).cloned().unwrap_or_default();
    if (1..=MOST_LABELS).contains(&labels.len()) {
        return labels.iter().map(of).collect();
    }
    let [low, high] = [low.as_ref().or(labels.first()), high.as_ref().or(labels.last())];
    let last = usize::try_from(max - min).unwrap_or_default().min(MOST_LABELS - 1);
    let place = |place| if place == 0 { low } else { high.filter(|_| place == last) };
    (0..=last).map(|at| place(at).map(of).unwrap_or_default()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::tests::{GOOD, parse};

    #[test]
    fn a_question_is_known_with_its_labels_and_whether_it_may_be_left_out() {
        let ends = r#"low = { nl = "Nooit", fr = "Jamais" }"#;
        let labels = |scale: &str, words: &str| {
            let text = GOOD.replace("at_most = 6", "at_most = 1");
            let text = text.replace("scale = \"nps\"", scale).replace(ends, words);
            let settings = settings(&parse(&text).unwrap());
            settings.touchpoints[0].questions[0].labels.join("|")
        };
        let both = format!("{ends}\nhigh = {{ nl = \"Altijd\", fr = \"Toujours\" }}");
        assert_eq!(labels("scale = \"nps\"", ends), "Nooit||||||");
        assert_eq!(labels("scale = \"nps\"", &both), "Nooit||||||Altijd");
        assert_eq!(labels("scale = \"csat\"", &both), "Nooit||||Altijd");
        let steps: Vec<String> = (1..=3).map(|step| format!("{{ nl = \"{step}\", fr = \"f\" }}")).collect();
        assert_eq!(labels("min = 1\nmax = 3", &format!("labels = [{}]", steps.join(", "))), "1|2|3");
        let settings = settings(&crate::config::tests::good());
        let questions = &settings.touchpoints[0].questions;
        let mandatory = questions.iter().map(|question| question.mandatory);
        assert_eq!(mandatory.collect::<Vec<_>>(), [true, true, false, false, false, false, false, false]);
    }
}
