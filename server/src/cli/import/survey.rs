//! A survey as the configuration writes it.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use shared::{Language, SurveyId};

use crate::cli::words::counted;
use crate::config::{Guid, Origin, PlatformName};
use crate::platform::{AskedKind, AskedQuestion, InLanguage, MOST_LABELS};

/// What only the platform fills in, in its own e-mails.
const FILLED_IN: &str = "$_";

/// What is to be said of a list that may be cut.
const CUT: &str = "the platform lists 7 options at most: add those that are missing";

/// A survey to be written.
pub(super) struct Draft<'a> {
    pub(super) id: &'a SurveyId,
    pub(super) platform: &'a PlatformName,
    pub(super) company: &'a Guid,
    pub(super) touchpoint: &'a Guid,
    pub(super) origins: &'a [Origin],
    pub(super) languages: &'a [Language],
    /// In how many responses the questions were found; `None` where the platform has listed them.
    pub(super) answered: Option<usize>,
}

/// A survey that was written.
#[derive(Debug)]
pub(super) struct Written {
    pub(super) text: String,
    /// What has to be looked at.
    pub(super) notes: Vec<String>,
    pub(super) summary: String,
}

impl Draft<'_> {
    /// Writes it; an error if nothing is left to ask.
    pub(super) fn write(&self, asked: &[AskedQuestion]) -> Result<Written, String> {
        let mut notes = Vec::new();
        let usable: Vec<&AskedQuestion> =
            asked.iter().filter(|question| usable(question, &mut notes)).collect();
        let languages = self.languages(&usable, &mut notes)?;
        let mut text = String::new();
        if let Some(count) = self.answered {
            let [made, missing] = from_responses(count);
            notes.push(format!("it is {made}: {missing}"));
            writeln!(text, "# It is {made}:\n# {missing}.").ok();
        }
        writeln!(text, "[[survey]]").ok();
        let origins: Vec<String> = self.origins.iter().map(|origin| quoted(origin.as_str())).collect();
        let origins = if origins.is_empty() {
            notes.push(
                "origins: write the address of your site in the place of https://www.example.com".into(),
            );
            vec![quoted("https://www.example.com")]
        } else {
            origins
        };
        let tags: Vec<String> = languages.iter().map(|language| quoted(language.tag())).collect();
        for (key, value) in [
            ("id", quoted(self.id.as_str())),
            ("platform", quoted(self.platform.as_str())),
            ("company", quoted(self.company.as_str())),
            ("touchpoint", quoted(self.touchpoint.as_str())),
            ("origins", format!("[{}]", origins.join(", "))),
            ("languages", format!("[{}]", tags.join(", "))),
        ] {
            writeln!(text, "{key} = {value}").ok();
        }
        writeln!(text, "\n[survey.metadata]").ok();
        writeln!(text, "# With it an answer whose call was cut off can be found again.").ok();
        writeln!(text, "submission = {{ context = \"submission\" }}").ok();
        let mut ids = BTreeSet::new();
        for question in &usable {
            let id = free(&mut ids, base(question.kind));
            let cut = self.answered.is_none() && full(question, &languages);
            match write(&mut text, &id, question, &languages, cut) {
                Ok(()) if cut => notes.push(format!("{id}: {CUT}")),
                Ok(()) => {}
                Err(why) => notes.push(why),
            }
        }
        let count = text.matches("\n[[survey.question]]").count();
        if count == 0 {
            return Err(format!("there is nothing that could be asked: {}", notes.join("; ")));
        }
        let questions = if count == 1 { "1 question".to_owned() } else { format!("{count} questions") };
        Ok(Written { text, notes, summary: format!("{questions} in {}", tags.join(", ").replace('"', "")) })
    }

    /// The languages that every question has.
    fn languages(&self, asked: &[&AskedQuestion], notes: &mut Vec<String>) -> Result<Vec<Language>, String> {
        let mut all: Vec<Language> = Vec::new();
        for in_language in asked.iter().flat_map(|question| &question.languages) {
            if let Some(language) = Language::matching(&in_language.language).filter(|it| !all.contains(it)) {
                all.push(language);
            }
        }
        let wanted = if self.languages.is_empty() { &all } else { self.languages };
        let mut languages = Vec::new();
        for language in wanted {
            match asked.iter().find(|question| of(question, *language).is_none()) {
                None => languages.push(*language),
                Some(question) => notes.push(format!(
                    "{language} is left out: a question has no text in it ({})",
                    question.languages.first().map(|it| it.text.as_str()).unwrap_or_default()
                )),
            }
        }
        if languages.is_empty() {
            return Err(format!("no language has a text for every question: {}", notes.join("; ")));
        }
        Ok(languages)
    }
}

/// What a survey is made from that the platform has not listed, and what may be missing in it.
fn from_responses(count: usize) -> [String; 2] {
    let missing = "a question, a language or an option that nobody has answered or chosen lately may be missing, and so may \
                   required and labels; whether company is right was not seen";
    [format!("made from {} of the last 31 days", counted(count, "response")), missing.to_owned()]
}

/// Whether the list of options may be cut in one of the languages.
fn full(question: &AskedQuestion, languages: &[Language]) -> bool {
    let mut each = languages.iter().filter_map(|language| of(question, *language));
    matches!(question.kind, AskedKind::Choice { .. }) && each.any(|it| it.labels.len() >= MOST_LABELS)
}

/// Whether a question can be asked here.
fn usable(question: &AskedQuestion, notes: &mut Vec<String>) -> bool {
    let name = question.languages.first().map(|it| it.text.as_str()).unwrap_or_default();
    if question.kind == AskedKind::Unknown {
        notes.push(format!("{name:?} is left out: its kind is not known here"));
    }
    question.kind != AskedKind::Unknown
}

/// A question in a language, if it has words there.
fn of(question: &AskedQuestion, language: Language) -> Option<&InLanguage> {
    let is =
        |it: &&InLanguage| Language::matching(&it.language) == Some(language) && !it.text.trim().is_empty();
    question.languages.iter().find(is)
}

fn base(kind: AskedKind) -> &'static str {
    match kind {
        AskedKind::Score { min: 0, max: 10 } => "nps",
        AskedKind::Score { min: 1, max: 5 } => "csat",
        AskedKind::Score { min: 1, max: 7 } => "ces",
        AskedKind::Score { .. } => "score",
        AskedKind::Text => "text",
        AskedKind::YesNo => "yes-no",
        AskedKind::Choice { .. } => "choice",
        AskedKind::Unknown => "unknown",
    }
}

/// An id that no other has.
fn free(ids: &mut BTreeSet<String>, base: &str) -> String {
    let mut id = base.to_owned();
    let mut count = 1;
    while !ids.insert(id.clone()) {
        count += 1;
        id = format!("{base}-{count}");
    }
    id
}

fn write(
    text: &mut String,
    id: &str,
    question: &AskedQuestion,
    languages: &[Language],
    cut: bool,
) -> Result<(), String> {
    let each: Vec<(Language, &InLanguage)> =
        languages.iter().filter_map(|language| Some((*language, of(question, *language)?))).collect();
    let per_language = |value: &dyn Fn(&InLanguage) -> String| -> String {
        let pairs: Vec<String> = each
            .iter()
            .map(|(language, it)| format!("{} = {}", language.tag(), quoted(&value(it))))
            .collect();
        format!("{{ {} }}", pairs.join(", "))
    };
    let label = |place: usize| per_language(&|it| it.labels.get(place).cloned().unwrap_or_default());
    let everywhere =
        |place: usize| each.iter().all(|(_, it)| it.labels.get(place).is_some_and(|it| !it.is_empty()));
    let mut lines = Vec::new();
    let mut own = |line: String| lines.push(line);
    match question.kind {
        AskedKind::Score { min, max } => {
            own("kind = \"score\"".into());
            match (min, max) {
                (0, 10) => own("scale = \"nps\"".into()),
                (1, 5) => own("scale = \"csat\"".into()),
                (1, 7) => own("scale = \"ces\"".into()),
                _ => own(format!("min = {min}\nmax = {max}")),
            }
            let steps = usize::try_from(max - min + 1).unwrap_or_default();
            let last = each.iter().map(|(_, it)| it.labels.len()).max().unwrap_or_default().saturating_sub(1);
            if (0..steps).all(everywhere) {
                let labels: Vec<String> = (0..steps).map(|place| format!("  {},", label(place))).collect();
                own(format!("labels = [\n{}\n]", labels.join("\n")));
            } else if last > 0 && everywhere(0) && everywhere(last) {
                own(format!("low = {}\nhigh = {}", label(0), label(last)));
            }
        }
        AskedKind::Text => own("kind = \"text\"".into()),
        AskedKind::YesNo => own("kind = \"yes_no\"".into()),
        AskedKind::Choice { several } => {
            let counts: BTreeSet<usize> = each.iter().map(|(_, it)| it.labels.len()).collect();
            let count = counts.first().copied().unwrap_or_default();
            let first = each.first().map(|(_, it)| it.text.as_str()).unwrap_or_default();
            if counts.len() != 1 || count == 0 || !(0..count).all(everywhere) {
                return Err(format!(
                    "{first:?} is left out: its options are not known in every language; add it by hand"
                ));
            }
            own("kind = \"choice\"".into());
            if several {
                own("several = true".into());
            }
            let option =
                |place: usize| format!("  {{ id = \"option-{}\", text = {} }},", place + 1, label(place));
            let options: Vec<String> = (0..count).map(option).collect();
            if cut {
                own(format!("# It may be cut: {CUT}."));
            }
            own(format!("options = [\n{}\n]", options.join("\n")));
        }
        AskedKind::Unknown => return Ok(()),
    }
    writeln!(text, "\n[[survey.question]]\nid = {}", quoted(id)).ok();
    for line in lines {
        writeln!(text, "{line}").ok();
    }
    if question.mandatory {
        writeln!(text, "required = true").ok();
    }
    if each.iter().any(|(_, it)| it.text.contains(FILLED_IN)) {
        writeln!(text, "# Only the platform fills in what is between $_ and _$: write it out.").ok();
    }
    writeln!(text, "text = {}", per_language(&|it| it.text.trim().to_owned())).ok();
    writeln!(text, "guid = {}", per_language(&|it| it.guid.clone())).ok();
    Ok(())
}

/// A text in quotes; what a JSON text may be is one of TOML's as well, but for one sign.
fn quoted(text: &str) -> String {
    serde_json::to_string(&text.replace('\u{7f}', "")).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn question(kind: AskedKind, languages: &[(&str, &str, &[&str])]) -> AskedQuestion {
        let own =
            |text: &str| text.bytes().fold(7_u32, |sum, byte| sum.wrapping_mul(31).wrapping_add(byte.into()));
        let languages = languages.iter().map(|(language, text, labels)| InLanguage {
            language: (*language).into(),
            guid: format!("{:08x}-0000-4000-8000-000000000000", own(text)),
            text: (*text).into(),
            labels: labels.iter().map(|label| (*label).to_owned()).collect(),
        });
        AskedQuestion { sibling: String::new(), kind, mandatory: true, languages: languages.collect() }
    }

    fn written_from(
        answered: Option<usize>,
        asked: &[AskedQuestion],
        languages: &[Language],
    ) -> Result<Written, String> {
        let guid: Guid = "f30f55f0-a770-4096-aa9f-8bc2a2aff25f".parse().unwrap();
        let id: SurveyId = "checkout".parse().unwrap();
        let platform = PlatformName::new("main");
        let draft = Draft {
            id: &id,
            platform: &platform,
            company: &guid,
            touchpoint: &guid,
            origins: &[],
            languages,
            answered,
        };
        draft.write(asked)
    }

    fn written(asked: &[AskedQuestion], languages: &[Language]) -> Result<Written, String> {
        written_from(None, asked, languages)
    }

    const PLATFORM: &str = "store = \"sqlite:q.db\"\n[platform.main]\ntoken_env = \"TOKEN\"\n\n";

    #[test]
    fn what_is_written_is_a_configuration() {
        let asked = [
            question(
                AskedKind::Score { min: 0, max: 10 },
                &[
                    ("nl", "Hoe \"graag\"?\n$_CompanyName_$", &["Niet", "Wel"]),
                    ("fr", "Comment?", &["Non", "Oui"]),
                ],
            ),
            question(
                AskedKind::Score { min: 1, max: 3 },
                &[("nl", "Hoe?", &["a", "b", "c"]), ("fr", "Combien?", &["d", "e", "f"])],
            ),
            question(AskedKind::Text, &[("nl", "Waarom?", &[]), ("fr", "Pourquoi?", &[])]),
            question(AskedKind::YesNo, &[("nl", "Weer?", &[]), ("fr", "Encore?", &[])]),
            question(
                AskedKind::Choice { several: true },
                &[("nl", "Waar?", &["Web", "Winkel"]), ("fr", "Où?", &["Web", "Magasin"])],
            ),
            question(AskedKind::Text, &[("nl", "Nog iets?", &[]), ("fr", "Autre chose?", &[])]),
        ];
        let written = written(&asked, &[]).unwrap();
        let text = format!("{PLATFORM}{}", written.text);
        let config =
            crate::config::Config::parse(&text, "x", std::path::Path::new(""), &|_| Some("t".into()));
        let config = config.unwrap_or_else(|error| panic!("{error}\n{text}"));
        assert_eq!(config.surveys[0].summary(), "6 questions in nl, fr");
        assert_eq!(config.advice().len(), 0);
        let ids: Vec<&str> =
            config.surveys[0].questions.iter().map(|question| question.id.as_str()).collect();
        assert_eq!(ids, ["nps", "score", "text", "yes-no", "choice", "text-2"]);
        assert!(
            written.text.contains("low = { nl = \"Niet\", fr = \"Non\" }")
                && written.text.contains("labels = [")
        );
        assert!(written.text.contains("between $_ and _$"));
        assert!(written.notes[0].contains("example.com"), "{:?}", written.notes);
    }

    #[test]
    fn what_cannot_be_asked_is_left_out_with_words() {
        let asked = [
            question(AskedKind::Text, &[("nl", "Waarom?", &[]), ("fr", "Pourquoi?", &[]), ("de", " ", &[])]),
            question(
                AskedKind::Choice { several: false },
                &[("nl", "Waar?", &["Web"]), ("fr", "Où?", &["Web", "Magasin"])],
            ),
            question(AskedKind::Unknown, &[("nl", "Teken iets", &[])]),
        ];
        let notes = written(&asked, &[]).unwrap().notes.join("\n");
        for part in ["\"Teken iets\" is left out", "\"Waar?\" is left out", "de is left out"] {
            assert!(notes.contains(part), "{part}: {notes}");
        }
        let german = ["de".parse().unwrap()];
        assert!(written(&asked, &german).unwrap_err().contains("no language"));
        assert!(written(&asked[2..], &[]).is_err());
    }

    #[test]
    fn what_is_made_from_responses_says_so_where_it_is_read() {
        let asked = [question(AskedKind::Text, &[("nl", "Waarom?", &[])])];
        let written = written_from(Some(1), &asked, &[]).unwrap();
        assert!(
            written.text.starts_with("# It is made from 1 response of the last 31 days:\n# "),
            "{}",
            written.text
        );
        let note = &written.notes[0];
        for part in ["1 response of", "language", "option", "required", "labels", "company"] {
            assert!(note.contains(part) && written.text.contains(part), "{part}: {note}");
        }
    }

    #[test]
    fn a_full_list_of_options_is_said_to_be_cut() {
        let labels: Vec<String> = (1..=MOST_LABELS).map(|place| format!("Optie {place}")).collect();
        let labels: Vec<&str> = labels.iter().map(String::as_str).collect();
        let choice = |labels| [question(AskedKind::Choice { several: false }, &[("nl", "Waar?", labels)])];
        let cut = written(&choice(&labels), &[]).unwrap();
        assert!(cut.text.contains("# It may be cut: the platform lists 7 options at most"), "{}", cut.text);
        assert!(
            cut.notes.iter().any(|note| note.starts_with("choice: the platform lists 7")),
            "{:?}",
            cut.notes
        );
        let whole = written(&choice(&labels[1..]), &[]).unwrap();
        assert!(!whole.text.contains("at most") && whole.notes.len() == 1, "{:?}", whole.notes);
        let chosen = written_from(Some(9), &choice(&labels), &[]).unwrap();
        assert!(!chosen.text.contains("at most"), "{}", chosen.text);
    }
}
