//! A row of a list as a submission.

use std::collections::{BTreeMap, HashMap};
use std::time::Duration;

use jiff::Timestamp;
use sha2::{Digest, Sha256};
use shared::submission::{Context, WireAnswer};
use shared::{Field, Language, OptionId, Respondent, Submission, Words};
use uuid::Uuid;

use crate::cli::sheet::{self, Fault, RowFaults, Sheet, several_lines};
use crate::cli::target::moment;
use crate::clock::later;
use crate::config::{Kind, MetadataSource, Question, Survey};
use crate::platform::RESPONDENT;

/// What a column is.
enum Column<'a> {
    Language,
    AnsweredAt,
    Submission,
    Answer(&'a Question),
    /// The words for a question's option called "other".
    Other(&'a Question),
    Metadata(String),
    Respondent(Field),
    /// The page's own id of who answered.
    RespondentId,
}

const YES: [&str; 5] = ["true", "yes", "1", "y", "x"];
const NO: [&str; 4] = ["false", "no", "0", "n"];

/// Characters of a day.
const DAY: usize = "2026-01-31".len();
/// How much sooner than by UTC a day begins elsewhere.
const AHEAD: Duration = Duration::from_hours(14);
/// How fast another clock may be.
const FAST: Duration = Duration::from_mins(5);

/// Makes submissions of a list's rows.
pub(super) struct Maker<'a> {
    survey: &'a Survey,
    columns: Vec<(String, Column<'a>)>,
    language: Option<Language>,
    now: Timestamp,
    /// How many rows there have been with the same content.
    seen: HashMap<[u8; 32], u64>,
    /// What yes and no are called in the survey's languages.
    words: (Vec<String>, Vec<String>),
}

impl<'a> Maker<'a> {
    /// Reads the titles; or everything that is wrong with them.
    pub(super) fn new(
        survey: &'a Survey,
        list: &Sheet,
        language: Option<Language>,
        now: Timestamp,
    ) -> Result<Self, Vec<Fault>> {
        let titles = &list.columns;
        if let Some(words) =
            list.undivided().filter(|_| titles.iter().all(|title| column(survey, title).is_none()))
        {
            return Err(vec![Fault::of_list(format!("the list has {words}"))]);
        }
        let mut wrong = Vec::new();
        let mut columns = Vec::new();
        for title in titles {
            match column(survey, title) {
                Some(column) => columns.push((title.clone(), column)),
                None => wrong.push(unknown(survey, title)),
            }
        }
        wrong.extend(list.twice(titles));
        if language.is_none() && !columns.iter().any(|(_, column)| matches!(column, Column::Language)) {
            wrong.push(sheet::no_language("language"));
        }
        wrong.extend(sheet::not_offered(language, &survey.languages).map(Fault::of_list));
        let said = |word: fn(&Words) -> &str| {
            survey
                .languages
                .iter()
                .map(|language| word(crate::words::words(*language)).to_lowercase())
                .collect()
        };
        let words = (said(|words| &words.yes), said(|words| &words.no));
        if !wrong.is_empty() {
            return Err(wrong);
        }
        Ok(Self { survey, columns, language, now, seen: HashMap::new(), words })
    }

    /// The next row as a submission.
    pub(super) fn make(&mut self, cells: &[String], wrong: &mut RowFaults<'_>) -> Submission {
        let mut submission = self.read(cells, wrong);
        // A row with a fault is none of those that say the same.
        if wrong.is_empty() && submission.submission.is_nil() {
            match self.uuid(&submission) {
                Ok(uuid) => submission.submission = uuid,
                Err(error) => wrong.at("submission", error.to_string()),
            }
        }
        submission
    }

    /// Without a UUID, unless the row has one.
    fn read(&self, cells: &[String], wrong: &mut RowFaults<'_>) -> Submission {
        let mut submission = Submission {
            submission: Uuid::nil(),
            language: self.language.map(|language| language.to_string()).unwrap_or_default(),
            answers: Vec::new(),
            metadata: BTreeMap::new(),
            respondent: None,
            context: None,
            definition: None,
        };
        let mut other = Vec::new();
        for ((title, column), cell) in self.columns.iter().zip(cells).filter(|(_, cell)| !cell.is_empty()) {
            let mut fault = |words: String| wrong.at(title, words);
            match column {
                Column::Language => cell.clone_into(&mut submission.language),
                Column::AnsweredAt => match moment(cell) {
                    Ok(at) if at > self.latest(cell) => fault("this is in the future".into()),
                    Ok(at) => submission.context = Some(answered_at(at)),
                    Err(words) => fault(words),
                },
                Column::Submission => match cell.parse() {
                    Ok(uuid) => submission.submission = uuid,
                    Err(_) => fault(format!("{cell:?} is no UUID")),
                },
                Column::Metadata(key) => match several_lines(cell) {
                    Some(words) => fault(words.into()),
                    None => _ = submission.metadata.insert(key.clone(), cell.clone()),
                },
                Column::Respondent(field) => {
                    let respondent = submission.respondent.get_or_insert_default();
                    *place_of(*field, respondent) = Some(cell.clone());
                }
                Column::RespondentId => {
                    submission.respondent.get_or_insert_default().id = Some(cell.clone());
                }
                Column::Answer(question) => match self.answer(question, cell) {
                    Ok(answer) => submission.answers.push(answer),
                    Err(words) => fault(words),
                },
                Column::Other(question) => other.push((question.id.as_str(), cell.clone(), title)),
            }
        }
        for (question, words, title) in other {
            match submission.answers.iter_mut().find(|answer| answer.question == question) {
                Some(answer) => answer.other = Some(words),
                None => wrong.at(title, "no option was chosen that these words are about"),
            }
        }
        submission
    }

    /// The latest that something can have been answered.
    fn latest(&self, written: &str) -> Timestamp {
        later(self.now, if written.len() == DAY { AHEAD } else { FAST })
    }

    /// The same for the same content, in whatever list and place; another one for each row of a list with it.
    fn uuid(&mut self, submission: &Submission) -> serde_json::Result<Uuid> {
        let mut content = submission.clone();
        content.answers.sort_by(|one, other| one.question.cmp(&other.question));
        let content = serde_json::to_vec(&(&self.survey.id, content))?;
        let content: [u8; 32] = Sha256::digest(content).into();
        let seen = self.seen.entry(content).or_default();
        *seen += 1;
        let hash = Sha256::new().chain_update(content).chain_update(seen.to_be_bytes()).finalize();
        let mut bytes = [0; 16];
        bytes.copy_from_slice(&hash[..16]);
        Ok(uuid::Builder::from_custom_bytes(bytes).into_uuid())
    }

    fn answer(&self, question: &Question, cell: &str) -> Result<WireAnswer, String> {
        let answer = WireAnswer { question: question.id.to_string(), ..WireAnswer::default() };
        match &question.kind {
            Kind::Score { .. } => match cell.parse() {
                Ok(score) => Ok(WireAnswer { score: Some(score), ..answer }),
                Err(_) => Err(format!("{cell:?} is no whole number")),
            },
            Kind::Text { .. } => Ok(WireAnswer { text: Some(cell.to_owned()), ..answer }),
            Kind::YesNo => {
                let given = cell.to_lowercase();
                let is = |plain: &[&str], said: &[String]| {
                    plain.contains(&given.as_str()) || said.contains(&given)
                };
                let boolean = match (is(&YES, &self.words.0), is(&NO, &self.words.1)) {
                    (true, _) => true,
                    (_, true) => false,
                    _ => return Err(format!("{cell:?} is neither yes nor no")),
                };
                Ok(WireAnswer { boolean: Some(boolean), ..answer })
            }
            Kind::Choice { .. } => {
                let given = cell.split([';', '|']).map(str::trim).filter(|given| !given.is_empty());
                let chosen: Result<Vec<String>, String> = given
                    .map(|given| {
                        let found = option(question, given).map(ToString::to_string);
                        found.ok_or_else(|| format!("{given:?} is no option"))
                    })
                    .collect();
                Ok(WireAnswer { options: Some(chosen?), ..answer })
            }
        }
    }
}

/// An option by its id, its text in some language, or what the platform calls it.
fn option<'a>(question: &'a Question, given: &str) -> Option<&'a OptionId> {
    let Kind::Choice { options, .. } = &question.kind else { return None };
    let lower = given.to_lowercase();
    let by_id = options.iter().find(|option| option.id.as_str() == given);
    let named = || {
        options.iter().find(|option| {
            option.text.values().chain(option.value.values()).any(|text| text.to_lowercase() == lower)
        })
    };
    by_id.or_else(named).map(|option| &option.id)
}

fn column<'a>(survey: &'a Survey, title: &str) -> Option<Column<'a>> {
    let question = |id: &str| survey.questions.iter().find(|question| question.id.as_str() == id);
    match title {
        "language" => return Some(Column::Language),
        "answered_at" => return Some(Column::AnsweredAt),
        "submission" => return Some(Column::Submission),
        _ => {}
    }
    if let Some(question) = question(title) {
        return Some(Column::Answer(question));
    }
    if let Some(key) = title.strip_prefix("metadata.") {
        return Some(Column::Metadata(key.to_owned()));
    }
    if let Some(field) = title.strip_prefix("respondent.") {
        let known = Field::ALL.into_iter().find(|known| known.name() == field).map(Column::Respondent);
        return known.or((field == "id").then_some(Column::RespondentId));
    }
    let (id, other) = title.rsplit_once('.')?;
    question(id).filter(|_| other == "other").map(Column::Other)
}

fn unknown(survey: &Survey, title: &str) -> Fault {
    let questions: Vec<&str> = survey.questions.iter().map(|question| question.id.as_str()).collect();
    let keys = survey.metadata.iter().filter_map(|rule| match &rule.source {
        MetadataSource::Page { key, .. } => Some(format!(", metadata.{key}")),
        _ => None,
    });
    let words = format!(
        "it is not known here; there is language, answered_at, submission, {}{}, and respondent.{}",
        questions.join(", "),
        keys.collect::<String>(),
        RESPONDENT.join(", respondent.")
    );
    Fault::of_column(title, words)
}

fn answered_at(at: Timestamp) -> Context {
    Context { answered_at: Some(at.to_string()), ..Context::default() }
}

fn place_of(field: Field, respondent: &mut Respondent) -> &mut Option<String> {
    match field {
        Field::FirstName => &mut respondent.first_name,
        Field::LastName => &mut respondent.last_name,
        Field::Email => &mut respondent.email,
        Field::Phone => &mut respondent.phone,
    }
}

/// The column that a place in a submission comes from.
pub(super) fn column_of(pointer: &str, submission: &Submission) -> Option<String> {
    let mut segments = pointer.trim_start_matches('/').split('/');
    match (segments.next()?, segments.next()) {
        ("answers", Some(place)) => {
            let answer = submission.answers.get(place.parse::<usize>().ok()?)?;
            Some(answer.question.clone())
        }
        ("" | "answers", _) => None,
        (outer, Some(inner)) => Some(format!("{outer}.{}", inner.replace("~1", "/").replace("~0", "~"))),
        (outer, None) => Some(outer.to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::sheet::{Row, read};
    use crate::config::tests::good;

    fn now() -> Timestamp {
        "2026-11-26T12:00:00Z".parse().unwrap()
    }

    fn made(titles: &str, cells: &str) -> Result<Submission, Vec<String>> {
        let config = good();
        let split = |text: &str| -> Vec<String> { text.split(',').map(str::to_owned).collect() };
        let list = Sheet { columns: split(titles), rows: vec![Row { number: 2, cells: Ok(split(cells)) }] };
        let told = |faults: Vec<Fault>| -> Vec<String> { faults.iter().map(Fault::in_row).collect() };
        let mut maker = Maker::new(&config.surveys[0], &list, None, now()).map_err(told)?;
        let mut faults = Vec::new();
        let (_, made) = list.each(&mut faults, |cells, wrong| maker.make(cells, wrong)).remove(0);
        made.ok_or_else(|| told(faults))
    }

    #[test]
    fn nobody_has_answered_in_the_future() {
        let at = |cell: &str| made("language,recommend,answered_at", &format!("nl,9,{cell}")).map(drop);
        // It is the 27th in Auckland, and another clock may be fast.
        for good in ["2026-11-26", "2026-11-27", "2026-11-26T12:04:00Z", "2026-11-26T13:04:00+01:00"] {
            assert_eq!(at(good), Ok(()), "{good}");
        }
        for wrong in ["2026-11-28", "2062-11-26", "2026-11-26T12:06:00Z", "2026-11-27T00:00:00Z"] {
            assert_eq!(at(wrong), Err(vec!["answered_at: this is in the future".into()]), "{wrong}");
        }
    }

    #[test]
    fn a_wrong_delimiter_is_told_of_once() {
        let wrong = made("language|recommend", "nl|9").unwrap_err();
        assert!(matches!(&wrong[..], [only] if only.contains("--delimiter")), "{wrong:?}");
        assert!(!made("recomend", "9").unwrap_err().join("\n").contains("--delimiter"));
    }

    /// The UUIDs of the rows of a list.
    fn uuids(list: &str) -> Vec<Uuid> {
        let config = good();
        let list = read(list.as_bytes(), None).unwrap();
        let mut maker = Maker::new(&config.surveys[0], &list, None, now()).unwrap();
        let made = list.each(&mut Vec::new(), |cells, wrong| maker.make(cells, wrong));
        made.into_iter().filter_map(|(_, submission)| Some(submission?.submission)).collect()
    }

    #[test]
    fn a_row_is_the_same_submission_in_a_list_that_was_mended() {
        let list = "language,recommend,why,again\nnl,9,\"two\nlines\",ja\nnl,negen,,nee\nfr,3,,nee\n";
        let [nine, three] = uuids(list)[..] else { panic!() };
        let mended = list.replace("negen", "8");
        let [again, new, behind] = uuids(&mended)[..] else { panic!() };
        assert_eq!((again, behind), (nine, three));
        assert!(new != nine && new != three);
        // Saved by another program, with more rows, in another order.
        assert_eq!(uuids(&list.replace('\n', "\r\n").replace("ja", "TRUE")), [nine, three]);
        assert_eq!(
            uuids("again;recommend;language;why;found\nnee;3;fr;;\nja;9;nl;\"two\nlines\";\n"),
            [three, nine]
        );
        assert_eq!(uuids(&format!("{list}fr,4,,nee\n"))[..2], [nine, three]);
        // A new version has to know what an old one stored.
        assert_eq!(three.to_string(), "435ea3fc-afbf-8371-8d50-f9a78984acf7");
    }

    #[test]
    fn rows_that_say_the_same_are_an_answer_each() {
        let [one, two, three] = uuids("language,recommend\nnl,9\nnl,9\nnl,9\n")[..] else { panic!() };
        assert!(one != two && two != three && one != three);
        assert_eq!(uuids("recommend,language\n3,nl\n9,nl\n9,nl\n9,nl\n")[1..], [one, two, three]);
        let own = "0b9e6c5e-52a5-4a3c-8f3e-0c6f2a9d1f10";
        let list = format!("language,recommend,submission\nnl,9,{own}\nnl,9,\n");
        assert_eq!(uuids(&list), [own.parse().unwrap(), one]);
    }

    #[test]
    fn a_row_becomes_a_submission_that_is_the_same_each_time() {
        let titles = "language,answered_at,recommend,why,again,found,metadata.pieces,respondent.email";
        let row = "nl,2026-01-31,9,Snel,Ja,Winkel; web,3,jef@example.com";
        let submission = made(titles, row).unwrap();
        let json = serde_json::to_value(&submission).unwrap();
        assert_eq!(json["answers"][0], serde_json::json!({ "question": "recommend", "score": 9 }));
        assert_eq!(json["answers"][2], serde_json::json!({ "question": "again", "boolean": true }));
        assert_eq!(
            json["answers"][3],
            serde_json::json!({ "question": "found", "options": ["shop", "web"] })
        );
        assert_eq!(json["metadata"]["pieces"], "3");
        assert_eq!(json["respondent"]["email"], "jef@example.com");
        assert_eq!(json["context"]["answered_at"], "2026-01-31T00:00:00Z");
        assert_eq!(made(titles, row).unwrap().submission, submission.submission);
        assert_eq!(submission.submission.get_version_num(), 8);
        let empty = made(titles, "nl,,9,,,,,").unwrap();
        assert_eq!(
            (empty.answers.len(), empty.respondent.is_none(), empty.context.is_none()),
            (1, true, true)
        );
    }

    #[test]
    fn whatever_is_known_of_a_respondent_may_be_in_a_list() {
        for field in RESPONDENT {
            let submission = made(&format!("language,respondent.{field}"), "nl,x").unwrap();
            let respondent = serde_json::to_value(submission.respondent.unwrap()).unwrap();
            assert_eq!(respondent[field], "x", "{field}");
        }
    }

    #[test]
    fn what_a_cell_cannot_be_is_told_under_its_title() {
        let wrong = made(
            "language,recommend,again,found,submission,answered_at,metadata.pieces",
            "nl,negen,misschien,tv,7,gisteren,3\nnl",
        );
        let wrong = wrong.unwrap_err();
        let expected = [
            "recommend: \"negen\"",
            "again: \"misschien\"",
            "found: \"tv\"",
            "submission: \"7\"",
            "answered_at: write a day",
            "metadata.pieces: it holds a line end",
        ];
        assert_eq!(wrong.len(), expected.len(), "{wrong:?}");
        for (wrong, expected) in wrong.iter().zip(expected) {
            assert!(wrong.starts_with(expected), "{wrong}");
        }
        let unknown = made("recomend,language,language", "9,nl,nl").unwrap_err().join("\n");
        assert!(unknown.contains("\"recomend\"") && unknown.contains("recommend"), "{unknown}");
        assert!(unknown.contains("\"language\": it is there twice"), "{unknown}");
    }

    #[test]
    fn a_place_in_a_submission_is_found_again_in_the_list() {
        let submission = made("language,recommend", "nl,9").unwrap();
        let of = |pointer: &str| column_of(pointer, &submission);
        assert_eq!(of("/answers/0/score").as_deref(), Some("recommend"));
        assert_eq!(of("/metadata/a~1b").as_deref(), Some("metadata.a/b"));
        assert_eq!(of("/language").as_deref(), Some("language"));
        assert_eq!(of(""), None);
    }
}
