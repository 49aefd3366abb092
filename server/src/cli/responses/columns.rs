//! Responses as a table: a row per response, a column per question.

use std::collections::{BTreeSet, HashMap};
use std::fmt::Write as _;
use std::io::Write;

use super::spool::Spool;
use crate::cli::words::{self, tame};
use crate::config::Survey;
use crate::platform::{Answered, RESPONDENT};

/// Rows of a table for people, at most.
const ROWS: usize = 100;

/// What the columns are.
pub(super) struct Columns {
    /// Titles of the questions, in order.
    questions: Vec<String>,
    /// Where a question is, by its GUID or by that which joins its languages.
    places: HashMap<String, usize>,
    metadata: Vec<String>,
}

impl Columns {
    /// Those of a survey, and after them what else was answered.
    pub(super) fn of(survey: &Survey, spool: &Spool) -> anyhow::Result<Self> {
        let mut columns = Self { questions: Vec::new(), places: HashMap::new(), metadata: Vec::new() };
        for question in &survey.questions {
            let place = columns.questions.len();
            columns.questions.push(question.id.to_string());
            let guids = question.guid.values().map(|guid| guid.as_str().to_ascii_lowercase());
            columns.places.extend(guids.map(|guid| (guid, place)));
            if let Some(words) = question.kind.other() {
                let place = columns.questions.len();
                columns.questions.push(format!("{}.other", question.id));
                let guids = words.values().map(|guid| guid.as_str().to_ascii_lowercase());
                columns.places.extend(guids.map(|guid| (guid, place)));
            }
        }
        // A question may be answered in a language that the configuration does not have before it is in one that it does.
        let mut unreadable = 0;
        let answered = each(spool)?.inspect(|answered| unreadable += u64::from(answered.is_err()));
        for answer in answered.flatten().flat_map(|answered| answered.answers) {
            if let Some(place) = columns.places.get(&answer.question).copied()
                && !answer.sibling.is_empty()
            {
                columns.places.insert(answer.sibling, place);
            }
        }
        let mut metadata = BTreeSet::new();
        for answered in each(spool)?.flatten() {
            metadata.extend(answered.metadata.into_keys());
            for answer in answered.answers {
                let keys = [answer.question, answer.sibling];
                let known = keys.iter().find_map(|key| columns.places.get(key).copied());
                let place = known.unwrap_or_else(|| columns.add(&answer.text));
                for key in keys.into_iter().filter(|key| !key.is_empty()) {
                    columns.places.entry(key).or_insert(place);
                }
            }
        }
        if unreadable > 0 {
            eprintln!(
                "{unreadable} responses cannot be understood and are left out; --format ndjson has them"
            );
        }
        columns.metadata = metadata.into_iter().collect();
        Ok(columns)
    }

    /// A column for a question that the configuration does not have.
    fn add(&mut self, text: &str) -> usize {
        let text = words::plain(text.trim());
        let text = if text.is_empty() { "question".to_owned() } else { text };
        let mut title = text.clone();
        let mut count = 1;
        while self.questions.contains(&title) {
            count += 1;
            title = format!("{text} ({count})");
        }
        self.questions.push(title);
        self.questions.len() - 1
    }

    fn titles(&self) -> Vec<String> {
        let first = ["response", "answered_at", "language"].map(str::to_owned);
        let metadata = self.metadata.iter().map(|key| format!("metadata.{key}"));
        let respondent = RESPONDENT.iter().map(|field| format!("respondent.{field}"));
        first.into_iter().chain(self.questions.iter().cloned()).chain(metadata).chain(respondent).collect()
    }

    fn row(&self, answered: Answered) -> Vec<String> {
        let mut values = vec![String::new(); self.questions.len()];
        for answer in answered.answers {
            let place = self.places.get(&answer.question).or_else(|| self.places.get(&answer.sibling));
            let Some(value) = place.and_then(|place| values.get_mut(*place)) else { continue };
            if !value.is_empty() && !answer.value.is_empty() {
                value.push_str("; ");
            }
            value.push_str(&answer.value);
        }
        let Answered { id, at, language, respondent, mut metadata, .. } = answered;
        let metadata = self.metadata.iter().map(|key| metadata.remove(key).unwrap_or_default());
        let said = |field: &&str| {
            let found = respondent.iter().find(|(name, _)| name == field);
            found.map(|(_, value)| value.clone()).unwrap_or_default()
        };
        let respondent = RESPONDENT.iter().map(said);
        [id, at, language].into_iter().chain(values).chain(metadata).chain(respondent).collect()
    }

    /// Writes the table for spreadsheets (RFC 4180).
    pub(super) fn write_csv(&self, spool: &Spool, excel: bool, mut out: impl Write) -> anyhow::Result<()> {
        if excel {
            out.write_all("\u{feff}".as_bytes())?;
        }
        let delimiter = if excel { b';' } else { b',' };
        let mut csv =
            csv::WriterBuilder::new().delimiter(delimiter).terminator(csv::Terminator::CRLF).from_writer(out);
        csv.write_record(self.titles().iter().map(|title| tame(title)))?;
        for answered in each(spool)?.flatten() {
            csv.write_record(self.row(answered).iter().map(|cell| tame(cell)))?;
        }
        Ok(csv.flush()?)
    }

    /// The table for people: what fits, without who answered.
    pub(super) fn table(&self, spool: &Spool, width: Option<u16>) -> anyhow::Result<String> {
        let shown = 3 + self.questions.len();
        let mut table = comfy_table::Table::new();
        table.load_preset(comfy_table::presets::NOTHING);
        if let Some(width) = width {
            table.set_content_arrangement(comfy_table::ContentArrangement::Dynamic).set_width(width);
        }
        table.set_header(&self.titles()[1..shown]);
        for answered in each(spool)?.flatten().take(ROWS) {
            let cells = &self.row(answered)[1..shown];
            let mut row = comfy_table::Row::from(cells.iter().map(|cell| words::plain(cell)));
            row.max_height(2);
            table.add_row(row);
        }
        if spool.responses() == 0 {
            return Ok("No responses.\n".into());
        }
        let mut text = String::new();
        for line in table.lines() {
            writeln!(text, "{}", line.trim_end())?;
        }
        let more = spool.responses().saturating_sub(ROWS as u64);
        if more > 0 {
            writeln!(text, "and {more} more: --format csv has them all")?;
        }
        Ok(text)
    }
}

/// Each response; or that it cannot be understood.
fn each(spool: &Spool) -> anyhow::Result<impl Iterator<Item = Result<Answered, ()>>> {
    // A line that cannot be read is not there for anybody: the file's length is known.
    Ok(spool.each()?.map_while(Result::ok).map(|line| Answered::read(&line).map_err(|_| ())))
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use super::super::spool::Task;
    use super::*;
    use crate::config::tests::good;
    use crate::platform::tests::{answer_json as answer, response_json as response};

    const SIBLING: &str = "1f6cb28d-a553-4acc-beca-0b69d9a4ddd0";

    fn spool(lines: &[String]) -> Spool {
        let at = |text: &str| text.parse().unwrap();
        let (from, to) = (at("2026-01-01T00:00:00Z"), at("2026-02-01T00:00:00Z"));
        let mut spool = Spool::unnamed(Task { touchpoint: "t".into(), from, to }).unwrap();
        let mut file = spool.lines_to_come().unwrap();
        for line in lines {
            writeln!(file, "{line}").unwrap();
        }
        spool.came(to, lines.len() as u64).unwrap();
        spool
    }

    fn csv(survey: &Survey, spool: &Spool) -> String {
        let mut out = Vec::new();
        Columns::of(survey, spool).unwrap().write_csv(spool, false, &mut out).unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn a_question_has_one_column_in_all_languages() {
        let config = good();
        let survey = &config.surveys[0];
        let ours = survey.questions[0].guid.values().next().unwrap().as_str().to_uppercase();
        let lines = [
            // The same question in a language that the configuration does not have.
            response("a", &answer("other-language", SIBLING, "Comment?", r#""answer_Value":3"#)),
            response("b", &answer(&ours, SIBLING, "Hoe?", r#""answer_Value":9"#)),
            response(
                "c",
                &answer("new-nl", "new", "Waarom\\nniet?", r#""answer_Text":"Te \"duur\", vind ik""#),
            ),
            response("d", &answer("new-fr", "new", "Pourquoi?", r#""answer_Text":"Cher""#)),
        ];
        let csv = csv(survey, &spool(&lines));
        let rows: Vec<&str> = csv.split("\r\n").collect();
        assert!(rows[0].starts_with("response,answered_at,language,recommend,why,"), "{}", rows[0]);
        assert!(rows[0].contains(",Waarom niet?,metadata.shop,respondent.first_name,"), "{}", rows[0]);
        assert!(rows[1].starts_with("a,2026-01-02T03:04:05Z,fr,3,"), "{}", rows[1]);
        assert!(rows[2].starts_with("b,2026-01-02T03:04:05Z,fr,9,"), "{}", rows[2]);
        assert!(rows[3].contains(r#","Te ""duur"", vind ik",1,"#), "{}", rows[3]);
        assert!(rows[4].contains(",Cher,1,,,jef@example.com,,"), "{}", rows[4]);
        assert_eq!(rows[0].matches("omment").count() + rows[0].matches("Hoe").count(), 0, "{}", rows[0]);
    }

    #[test]
    fn without_responses_there_are_titles_and_words() {
        let config = good();
        let spool = spool(&[]);
        assert_eq!(csv(&config.surveys[0], &spool).lines().count(), 1);
        let table = Columns::of(&config.surveys[0], &spool).unwrap().table(&spool, Some(80)).unwrap();
        assert_eq!(table, "No responses.\n");
    }
}
