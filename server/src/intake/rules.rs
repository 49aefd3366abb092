//! A survey's rules as they travel to the page: with the loader, or with the definition.
//!
//! Short keys, and nothing that is as usual: every page pays for them before anything is asked.

use serde_json::{Map, Value, json};
use shared::pipe::piped;

use crate::config::{Device, Kind, Layout, Mode, Pause, PerLanguage, Position, Question, Survey};

/// The rules, as `loader.js` reads them: times in seconds, shares in percent. Of those who would be asked, only
/// `share` percent are.
pub(super) fn rules(survey: &Survey, share: u8) -> Value {
    let show = &survey.show;
    let mut rules = Map::new();
    let mut set = |key: &str, value: Option<Value>| {
        rules.extend(value.map(|value| (key.to_owned(), value)));
    };
    set("survey", Some(json!(survey.id)));
    set("mode", (show.mode != Mode::Inline).then(|| json!(show.mode.name())));
    set("full", uses_what_few_do(survey).then(|| json!(FULL)));
    set("counts", survey.counts.then_some(json!(true)));
    set("position", (show.position != Position::default()).then(|| json!(show.position.name())));
    set("after", show.due.after.map(|after| json!(after.as_secs_f64())));
    set("scroll", show.due.scroll.map(|percent| json!(percent)));
    set("exit", show.due.exit.then_some(json!(true)));
    set("click", show.due.click.as_ref().map(|click| json!(click)));
    set("event", show.due.event.as_ref().map(|event| json!(event)));
    let list = |list: Vec<&str>| (!list.is_empty()).then(|| json!(list.join(" ")));
    set("pages", list(show.pages.iter().map(String::as_str).collect()));
    set("devices", list(show.devices.iter().copied().map(Device::name).collect()));
    let sample = u16::from(show.sample.unwrap_or(100)) * u16::from(share) / 100;
    set("sample", (show.sample.is_some() || sample < 100).then(|| json!(sample)));
    let pause = |pause: Option<Pause>| {
        pause.map(|pause| match pause {
            Pause::For(span) => json!(span.as_secs()),
            Pause::Never => json!("never"),
        })
    };
    set("shown", pause(show.again.shown));
    set("dismissed", pause(show.again.dismissed));
    set("answered", pause(show.again.answered));
    set("remember", show.remember.filter(|remember| !remember).map(|_| json!("no")));
    // With its languages, in their order: the first is the fallback.
    let labels = survey
        .languages
        .iter()
        .filter_map(|language| Some(json!([language.tag(), show.label.get(language)?])));
    let labels: Vec<Value> = labels.collect();
    set("label", (!labels.is_empty()).then_some(Value::Array(labels)));
    Value::Object(rules)
}

/// What the names of glue and module begin with that know what few surveys use (`FULL` in the widget).
const FULL: &str = "full-";

/// True for a survey that the usual module cannot show.
fn uses_what_few_do(survey: &Survey) -> bool {
    let asks = |question: &Question| {
        let search = matches!(question.kind, Kind::Choice { search: true, .. });
        search || question.kind.other().is_some() || repeats(&question.text, question.hint.as_ref())
    };
    survey.layout == Layout::Page
        || survey.language_switch
        || survey.contact.is_some()
        || survey.questions.iter().any(asks)
        || survey.thanks.iter().any(|ending| repeats(&ending.title, ending.text.as_ref()))
}

/// True for texts that repeat an earlier answer.
fn repeats(text: &PerLanguage<String>, more: Option<&PerLanguage<String>>) -> bool {
    let mut texts = text.values().chain(more.into_iter().flat_map(PerLanguage::values));
    texts.any(|text| piped(text).next().is_some())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::tests::good;
    use crate::config::{Again, Due, Mode, Show};

    #[test]
    fn what_is_as_usual_costs_nothing() {
        let survey = &good().surveys[0];
        assert_eq!(rules(survey, 100), json!({ "survey": "checkout" }));
    }

    #[test]
    fn a_survey_that_uses_what_few_do_names_the_module_that_knows_it() {
        let uses = |change: fn(&mut Survey)| {
            let mut survey = (*good().surveys[0]).clone();
            change(&mut survey);
            rules(&survey, 100).get("full").cloned()
        };
        assert_eq!(uses(|_| {}), None);
        for change in [
            (|survey: &mut Survey| survey.layout = Layout::Page) as fn(&mut Survey),
            |survey| survey.language_switch = true,
            |survey| _ = survey.questions[1].text.insert(survey.languages[0], "{recommend}?".into()),
            |survey| survey.questions[1].hint = Some([(survey.languages[0], "{recommend}?".into())].into()),
            |survey| {
                if let Kind::Choice { search, .. } = &mut survey.questions[3].kind {
                    *search = true;
                }
            },
            |survey| {
                if let Kind::Choice { options, .. } = &mut survey.questions[3].kind {
                    options[0].other = Some(PerLanguage::new());
                }
            },
        ] {
            assert_eq!(uses(change), Some(json!("full-")));
        }
        let text = crate::config::tests::GOOD.replace(
            "[survey.metadata]",
            "[survey.contact]\ntitle = { nl = \"?\", fr = \"?\" }\nconsent = { nl = \"!\", fr = \"!\" }\nphone = \"optional\"\n\n[survey.metadata]",
        );
        let thanks = crate::config::tests::GOOD.replace(
            "[survey.metadata]",
            "[[survey.thanks]]\ntitle = { nl = \"{recommend}\", fr = \"{recommend}\" }\n\n[survey.metadata]",
        );
        for text in [text, thanks] {
            let config = crate::config::tests::parse(&text).unwrap();
            assert_eq!(rules(&config.surveys[0], 100)["full"], "full-");
        }
    }

    #[test]
    fn a_backlog_lowers_the_share_of_those_who_would_be_asked() {
        let mut survey = (*good().surveys[0]).clone();
        assert_eq!(rules(&survey, 40)["sample"], 40);
        assert_eq!(rules(&survey, 0)["sample"], 0);
        survey.show.sample = Some(50);
        assert_eq!(rules(&survey, 100)["sample"], 50);
        assert_eq!(rules(&survey, 40)["sample"], 20);
    }

    #[test]
    fn rules_are_written_as_the_loader_reads_them() {
        let mut survey = (*good().surveys[0]).clone();
        let [dutch, french] = [survey.languages[0], survey.languages[1]];
        survey.show = Show {
            mode: Mode::Tab,
            position: Position::TopEnd,
            due: Due { after: Some(std::time::Duration::from_millis(1_500)), exit: true, ..Due::default() },
            pages: vec!["/thanks".into(), "/orders/*".into()],
            devices: vec![Device::Phone, Device::Tablet],
            sample: Some(0),
            again: Again { answered: Some(Pause::Never), ..Again::default() },
            remember: Some(false),
            label: [(french, "Avis".to_owned()), (dutch, "Mening".to_owned())].into(),
        };
        let expected = json!({
            "survey": "checkout", "mode": "tab", "position": "top-end", "after": 1.5, "exit": true,
            "pages": "/thanks /orders/*", "devices": "phone tablet", "sample": 0, "answered": "never",
            "remember": "no", "label": [["nl", "Mening"], ["fr", "Avis"]],
        });
        assert_eq!(rules(&survey, 100), expected);
    }
}
