//! A survey as the configuration writes it.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use shared::{Language, SurveyId};

use crate::cli::words::counted;
use crate::config::{Guid, Origin, PlatformName};
use crate::platform::{AskedKind, AskedQuestion, InLanguage, MOST_LABELS};

/// What only the platform fills in, in its own e-mails.
const FILLED_IN: &str = "$_";

/// Why a question is left out that nobody here can ask.
const UNKNOWN: &str = "its kind is not known here";

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
        let mut text = self.head(&languages, &mut notes);
        let mut ids = BTreeSet::new();
        let mut count = 0;
        for asked in &usable {
            let id = free(&mut ids, base(asked.kind));
            let question = Question::of(asked, &languages);
            let cut = (self.answered.is_none() && question.is_full()).then(may_be_cut);
            match question.write(&id, cut.as_deref()) {
                Ok(question) => {
                    text.push_str(&question);
                    count += 1;
                    notes.extend(cut.map(|words| format!("{id}: {words}")));
                }
                Err(why) => notes.push(why),
            }
        }
        if count == 0 {
            return Err(format!("there is nothing that could be asked: {}", notes.join("; ")));
        }
        let tags: Vec<&str> = languages.iter().map(|language| language.tag()).collect();
        let summary = format!("{} in {}", counted(count, "question"), tags.join(", "));
        Ok(Written { text, notes, summary })
    }

    /// What comes before the questions.
    fn head(&self, languages: &[Language], notes: &mut Vec<String>) -> String {
        let mut text = String::new();
        if let Some(count) = self.answered {
            let [made, missing] = from_responses(count);
            notes.push(format!("it is {made}: {missing}"));
            writeln!(text, "# It is {made}:\n# {missing}.").ok();
        }
        writeln!(text, "[[survey]]").ok();
        let mut origins: Vec<String> = self.origins.iter().map(|origin| quoted(origin.as_str())).collect();
        if origins.is_empty() {
            notes.push(
                "origins: write the address of your site in the place of https://www.example.com".into(),
            );
            origins.push(quoted("https://www.example.com"));
        }
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
        text
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

/// What is to be said of a list that is full.
fn may_be_cut() -> String {
    format!("the platform lists {MOST_LABELS} options at most: add those that are missing")
}

/// What is to be said of a question that is not written.
fn left_out(text: &str, why: &str) -> String {
    format!("{text:?} is left out: {why}")
}

/// Whether a question can be asked here.
fn usable(question: &AskedQuestion, notes: &mut Vec<String>) -> bool {
    let known = question.kind != AskedKind::Unknown;
    if !known {
        let text = question.languages.first().map(|it| it.text.as_str()).unwrap_or_default();
        notes.push(left_out(text, UNKNOWN));
    }
    known
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

/// A question in the languages of the survey.
struct Question<'a> {
    asked: &'a AskedQuestion,
    each: Vec<(Language, &'a InLanguage)>,
}

impl<'a> Question<'a> {
    fn of(asked: &'a AskedQuestion, languages: &[Language]) -> Self {
        let each = languages.iter().filter_map(|language| Some((*language, of(asked, *language)?)));
        Self { asked, each: each.collect() }
    }

    /// Whether it has as many options as the platform lists, in one of the languages.
    fn is_full(&self) -> bool {
        matches!(self.asked.kind, AskedKind::Choice { .. })
            && self.each.iter().any(|(_, it)| it.labels.len() >= MOST_LABELS)
    }

    /// The whole of it; or why it cannot be written.
    fn write(&self, id: &str, cut: Option<&str>) -> Result<String, String> {
        let kind = match self.asked.kind {
            AskedKind::Score { min, max } => self.score(min, max),
            AskedKind::Text => "kind = \"text\"".to_owned(),
            AskedKind::YesNo => "kind = \"yes_no\"".to_owned(),
            AskedKind::Choice { several } => self.choice(several, cut)?,
            AskedKind::Unknown => return Err(left_out(self.text(), UNKNOWN)),
        };
        let mut text = format!("\n[[survey.question]]\nid = {}\n{kind}\n", quoted(id));
        if self.asked.mandatory {
            writeln!(text, "required = true").ok();
        }
        if self.each.iter().any(|(_, it)| it.text.contains(FILLED_IN)) {
            writeln!(text, "# Only the platform fills in what is between $_ and _$: write it out.").ok();
        }
        writeln!(text, "text = {}", self.per_language(|it| it.text.trim())).ok();
        writeln!(text, "guid = {}", self.per_language(|it| &it.guid)).ok();
        Ok(text)
    }

    fn score(&self, min: i32, max: i32) -> String {
        let scale = match (min, max) {
            (0, 10) => "scale = \"nps\"".to_owned(),
            (1, 5) => "scale = \"csat\"".to_owned(),
            (1, 7) => "scale = \"ces\"".to_owned(),
            _ => format!("min = {min}\nmax = {max}"),
        };
        let steps = usize::try_from(max - min + 1).unwrap_or_default();
        let last =
            self.each.iter().map(|(_, it)| it.labels.len()).max().unwrap_or_default().saturating_sub(1);
        let labels = if (0..steps).all(|place| self.has_label(place)) {
            let labels: Vec<String> = (0..steps).map(|place| format!("  {},", self.label(place))).collect();
            format!("\nlabels = [\n{}\n]", labels.join("\n"))
        } else if last > 0 && self.has_label(0) && self.has_label(last) {
            format!("\nlow = {}\nhigh = {}", self.label(0), self.label(last))
        } else {
            String::new()
        };
        format!("kind = \"score\"\n{scale}{labels}")
    }

    fn choice(&self, several: bool, cut: Option<&str>) -> Result<String, String> {
        let counts: BTreeSet<usize> = self.each.iter().map(|(_, it)| it.labels.len()).collect();
        let count = counts.first().copied().unwrap_or_default();
        if counts.len() != 1 || count == 0 || !(0..count).all(|place| self.has_label(place)) {
            let why = "its options are not known in every language; add it by hand";
            return Err(left_out(self.text(), why));
        }
        let several = if several { "\nseveral = true" } else { "" };
        let cut = cut.map(|words| format!("\n# It may be cut: {words}.")).unwrap_or_default();
        let option =
            |place: usize| format!("  {{ id = \"option-{}\", text = {} }},", place + 1, self.label(place));
        let options: Vec<String> = (0..count).map(option).collect();
        Ok(format!("kind = \"choice\"{several}{cut}\noptions = [\n{}\n]", options.join("\n")))
    }

    /// Its text in the first language.
    fn text(&self) -> &str {
        self.each.first().map(|(_, it)| it.text.as_str()).unwrap_or_default()
    }

    /// Whether a label has words in every language.
    fn has_label(&self, place: usize) -> bool {
        self.each.iter().all(|(_, it)| it.labels.get(place).is_some_and(|label| !label.is_empty()))
    }

    fn label(&self, place: usize) -> String {
        self.per_language(|it| it.labels.get(place).map(String::as_str).unwrap_or_default())
    }

    /// A value for each language, as a table.
    fn per_language(&self, value: impl Fn(&InLanguage) -> &str) -> String {
        let pair =
            |(language, it): &(Language, &InLanguage)| format!("{} = {}", language.tag(), quoted(value(it)));
        let pairs: Vec<String> = self.each.iter().map(pair).collect();
        format!("{{ {} }}", pairs.join(", "))
    }
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
