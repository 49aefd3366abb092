//! What a list has to have before anything of it is sent: every fault, with its row and column.

use std::collections::hash_map::Entry;
use std::collections::{BTreeMap, HashMap};

use shared::{Field, Language, limits, respondent};

use crate::cli::sheet::{Row, Sheet, several_lines, undivided};
use crate::config::Guid;
use crate::platform::{NewRespondent, RespondentField};

/// Rows with another's address that are named, at most.
const REPEATED: usize = 20;

/// What respondents are held against.
pub(super) struct Rules {
    pub(super) touchpoint: Guid,
    /// Those of the touchpoint, as far as they are known.
    pub(super) languages: Vec<Language>,
    /// For rows without one.
    pub(super) language: Option<Language>,
    /// Metadata keys that every row has to have.
    pub(super) mandatory: Vec<String>,
}

/// Something wrong.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Fault {
    /// `None` if it is the list as a whole.
    pub(super) row: Option<u64>,
    pub(super) column: String,
    pub(super) words: String,
}

impl std::fmt::Display for Fault {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if let Some(row) = self.row {
            write!(out, "row {row}, ")?;
        }
        write!(out, "{}: {}", self.column, self.words)
    }
}

/// What a column is for.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Column {
    Field(RespondentField),
    Key(String),
    /// It has no title, and may not have anything else.
    Untitled,
}

/// What was found out about a list.
#[derive(Debug)]
pub(super) struct Checked {
    /// The rows in order, with those that are right.
    pub(super) rows: Vec<(u64, Option<NewRespondent>)>,
    pub(super) faults: Vec<Fault>,
    /// What may not be meant as it is written.
    pub(super) warnings: Vec<String>,
    /// What the columns are for, in words.
    pub(super) fields: Vec<&'static str>,
    pub(super) keys: Vec<String>,
}

/// Checks a list.
pub(super) fn check(sheet: &Sheet, rules: &Rules) -> Checked {
    let columns: Vec<Column> = sheet.columns.iter().map(|title| column(title)).collect();
    let (mut faults, mut warnings) = (Vec::new(), Vec::new());
    titles(sheet, &columns, rules, &mut faults, &mut warnings);
    let mut rows = Vec::new();
    // Where the columns are wrong, every row would be.
    if faults.is_empty() {
        for row in &sheet.rows {
            let before = faults.len();
            let respondent = respondent(row, sheet, &columns, rules, &mut faults);
            rows.push((row.number, respondent.filter(|_| faults.len() == before)));
        }
        if sheet.rows.is_empty() {
            let words = "there are no rows below the titles".into();
            faults.push(Fault { row: None, column: "the list".into(), words });
        }
    }
    warnings.extend(repeated(&rows));
    let fields = columns.iter().filter_map(|column| match column {
        Column::Field(field) => Some(field.name()),
        _ => None,
    });
    let keys = columns.iter().filter_map(|column| match column {
        Column::Key(key) => Some(key.clone()),
        _ => None,
    });
    let (fields, keys) = (fields.collect(), keys.collect());
    Checked { rows, faults, warnings, fields, keys }
}

/// Says which rows have the address of one before them: two surveys may be meant.
fn repeated(rows: &[(u64, Option<NewRespondent>)]) -> Vec<String> {
    let mut first = HashMap::new();
    let mut words = Vec::new();
    for (row, new) in rows.iter().filter_map(|(row, new)| Some((row, new.as_ref()?))) {
        match first.entry(new.email.to_lowercase()) {
            Entry::Occupied(other) => {
                let other = other.get();
                words.push(format!(
                    "rows {other} and {row} have the same address: {} is added for each",
                    new.email
                ));
            }
            Entry::Vacant(place) => _ = place.insert(row),
        }
    }
    let more = words.len().saturating_sub(REPEATED);
    words.truncate(REPEATED);
    if more > 0 {
        words.push(format!("and {more} more rows have the address of another"));
    }
    words
}

fn column(title: &str) -> Column {
    match RespondentField::named(title) {
        Some(field) => Column::Field(field),
        None if title.is_empty() => Column::Untitled,
        None => Column::Key(RespondentField::metadata_key(title).to_owned()),
    }
}

fn titles(
    sheet: &Sheet,
    columns: &[Column],
    rules: &Rules,
    faults: &mut Vec<Fault>,
    warnings: &mut Vec<String>,
) {
    let mut whole = |column: &str, words: String| {
        faults.push(Fault { row: None, column: format!("column {column:?}"), words });
    };
    let listed = sheet.columns.join(", ");
    let has = |field| columns.contains(&Column::Field(field));
    if !has(RespondentField::Email) {
        let words = match undivided(&sheet.columns) {
            Some(words) => format!("there is none, but {words}"),
            None => {
                format!("there is none, and without an address nobody is surveyed; the columns are {listed}")
            }
        };
        whole(RespondentField::Email.name(), words);
    }
    if !has(RespondentField::Language) && rules.language.is_none() {
        let words = "there is none: add it, or say --language for all rows".to_owned();
        whole(RespondentField::Language.name(), words);
    }
    for (place, column) in columns.iter().enumerate() {
        if *column != Column::Untitled && columns[..place].contains(column) {
            whole(&sheet.columns[place], "it is there twice".into());
        }
    }
    for key in &rules.mandatory {
        if !columns.contains(&column(key)) {
            whole(key, "there is none, and it is mandatory".into());
        }
    }
    for title in &sheet.columns {
        if title.chars().count() > limits::METADATA_KEY {
            whole(title, format!("a key has at most {} characters", limits::METADATA_KEY));
        }
        if RespondentField::named(title).is_none()
            && let Some(field) = RespondentField::suspected(title)
        {
            warnings.push(format!(
                "column {title:?} goes along as metadata, which the platform does not make anonymous; if it is meant as \
                 {0}, call it {0}",
                field.name()
            ));
        }
    }
}

fn respondent(
    row: &Row,
    sheet: &Sheet,
    columns: &[Column],
    rules: &Rules,
    faults: &mut Vec<Fault>,
) -> Option<NewRespondent> {
    let mut wrong = |column: &str, words: String| {
        faults.push(Fault { row: Some(row.number), column: column.to_owned(), words });
    };
    let cells = match &row.cells {
        Ok(cells) => cells,
        Err(count) => {
            let words = format!("there are {count}, and {} titles", columns.len());
            wrong("cells", words);
            return None;
        }
    };
    let mut new = NewRespondent { language: language(rules.language), ..NewRespondent::default() };
    let mut key_values = BTreeMap::new();
    let (mut has_email, mut has_language) = (false, rules.language.is_some());
    for ((cell, column), title) in cells.iter().zip(columns).zip(&sheet.columns) {
        if cell.is_empty() {
            continue;
        }
        match column {
            Column::Untitled => wrong("a column without a title", format!("{cell:?} would be lost")),
            Column::Key(key) if cell.chars().count() > limits::METADATA_VALUE => {
                wrong(key, format!("it has more than {} characters", limits::METADATA_VALUE));
            }
            Column::Key(key) => match several_lines(cell) {
                Some(words) => wrong(key, words.into()),
                None => _ = key_values.insert(key.clone(), cell.clone()),
            },
            Column::Field(RespondentField::Touchpoint) => {
                if cell.parse::<Guid>().as_ref() != Ok(&rules.touchpoint) {
                    wrong(title, format!("{cell} is not the touchpoint {}", rules.touchpoint));
                }
            }
            Column::Field(RespondentField::Language) => {
                has_language = true;
                let found = Language::with_guid(cell).or_else(|| Language::matching(cell));
                match found {
                    None => wrong(title, format!("{cell:?} is none of the platform's languages")),
                    Some(found) if !rules.languages.is_empty() && !rules.languages.contains(&found) => {
                        let known: Vec<String> = rules.languages.iter().map(ToString::to_string).collect();
                        wrong(
                            title,
                            format!("{cell:?} is not among those of the survey: {}", known.join(", ")),
                        );
                    }
                    Some(found) => new.language = found.to_string(),
                }
            }
            Column::Field(field) => {
                let (rule, value) = match field {
                    RespondentField::Email => {
                        has_email = true;
                        new.email.clone_from(cell);
                        (Some(Field::Email), None)
                    }
                    RespondentField::FirstName => (Some(Field::FirstName), Some(&mut new.first_name)),
                    RespondentField::LastName => (Some(Field::LastName), Some(&mut new.last_name)),
                    RespondentField::Phone => (Some(Field::Phone), Some(&mut new.phone)),
                    _ => (None, Some(&mut new.id)),
                };
                if let Some(value) = value {
                    *value = Some(cell.clone());
                }
                let words = match respondent::fault(rule, cell) {
                    None if *field == RespondentField::Phone && !looks_like_phone(cell) => {
                        format!("{cell:?} is no phone number")
                    }
                    None => continue,
                    Some(respondent::Fault::NoEmail) => format!("{cell:?} is no e-mail address"),
                    Some(respondent::Fault::TooLong) => {
                        format!("it has more than {} characters", limits::RESPONDENT_FIELD)
                    }
                    Some(respondent::Fault::ControlCharacter) => {
                        "it holds a line end or another control sign".into()
                    }
                };
                wrong(title, words);
            }
        }
    }
    if !has_email {
        wrong(RespondentField::Email.name(), "it is empty".into());
    }
    if !has_language {
        wrong(RespondentField::Language.name(), "it is empty".into());
    }
    for key in &rules.mandatory {
        let place = columns.iter().position(|other| *other == column(key));
        if place.and_then(|place| cells.get(place)).is_none_or(String::is_empty) {
            wrong(key, "it is empty, and mandatory".into());
        }
    }
    new.key_values = key_values;
    Some(new)
}

/// Only what is surely none is refused.
fn looks_like_phone(text: &str) -> bool {
    let digits = text.chars().filter(char::is_ascii_digit).count();
    digits >= 3 && text.chars().all(|sign| sign.is_ascii_digit() || " +-./()x".contains(sign))
}

fn language(language: Option<Language>) -> String {
    language.map(|language| language.to_string()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::sheet::read;

    fn rules() -> Rules {
        Rules {
            touchpoint: "f30f55f0-a770-4096-aa9f-8bc2a2aff25f".parse().unwrap(),
            languages: ["nl", "fr"].map(|code| code.parse().unwrap()).to_vec(),
            language: None,
            mandatory: vec!["store".into()],
        }
    }

    fn faults(text: &str) -> Vec<String> {
        let touchpoint = RespondentField::Touchpoint.name();
        let text = text.replace("TOUCHPOINT", touchpoint);
        let checked = check(&read(text.as_bytes(), None).unwrap(), &rules());
        checked.faults.iter().map(|fault| fault.to_string().replace(touchpoint, "TOUCHPOINT")).collect()
    }

    #[test]
    fn a_good_list_becomes_respondents_whatever_the_order_of_its_columns() {
        let text = "store;Language;LASTNAME;phone number;email;ID;kind\n\
                    Gent;FR;Tester;+32486;jef@example.com;7;\n\
                    Luik;1b5c1275-4f92-422f-b1fc-799bf8e30598;;;an@example.com;;web\n";
        let text = text.replace("ID;", &format!("{};", RespondentField::Id.name()));
        let checked = check(&read(text.as_bytes(), None).unwrap(), &rules());
        assert_eq!(checked.faults, []);
        let [(2, Some(jef)), (3, Some(an))] = checked.rows.as_slice() else { panic!("{checked:?}") };
        assert_eq!(
            (jef.language.as_str(), jef.last_name.as_deref(), jef.phone.as_deref(), jef.id.as_deref()),
            ("fr", Some("Tester"), Some("+32486"), Some("7"))
        );
        assert_eq!(jef.key_values, [("store".to_owned(), "Gent".to_owned())].into());
        assert_eq!((an.language.as_str(), an.last_name.as_deref(), an.key_values.len()), ("nl", None, 2));
        assert_eq!(checked.keys, ["store", "kind"]);
    }

    #[test]
    fn every_fault_is_named_with_its_row_and_column() {
        let text = "email,language,store,TOUCHPOINT\n\
                    jef,nl,Gent,\n\
                    ,de,,\n\
                    an@example.com,tlh,Gent,ec28d381-4883-4731-9462-74c3dc82aff1\n\
                    jo@example.com,,Gent,\n\
                    jo@example.com\n";
        assert_eq!(
            faults(text),
            [
                "row 2, email: \"jef\" is no e-mail address",
                "row 3, language: \"de\" is not among those of the survey: nl, fr",
                "row 3, email: it is empty",
                "row 3, store: it is empty, and mandatory",
                "row 4, language: \"tlh\" is none of the platform's languages",
                "row 4, TOUCHPOINT: ec28d381-4883-4731-9462-74c3dc82aff1 is not the touchpoint \
                 f30f55f0-a770-4096-aa9f-8bc2a2aff25f",
                "row 5, language: it is empty",
                "row 6, cells: there are 1, and 4 titles",
            ]
        );
    }

    #[test]
    fn a_quote_that_the_next_row_closes_swallows_no_row() {
        let text = "email,language,store\na@b.nl,nl,\"x\nb@b.nl,nl,y\"\nc@b.nl,nl,a\u{7}b\n";
        let words = "store: it holds a line end or another control sign";
        assert_eq!(faults(text), [format!("row 2, {words}"), format!("row 3, {words}")]);
    }

    #[test]
    fn wrong_titles_are_told_once_and_not_for_every_row() {
        let told = faults("naam,store\nJef,Gent\nAn,Gent\n");
        assert_eq!(told.len(), 2, "{told:?}");
        assert!(told[0].contains("\"email\"") && told[0].contains("naam, store"), "{told:?}");
        assert!(told[1].contains("--language"), "{told:?}");
        let told = faults("email|language|store\njef@example.com|nl|Gent\n");
        assert!(told[0].contains("--delimiter"), "{told:?}");
        let told = faults("email,E-mail,language,store\na@example.com,b@example.com,nl,Gent\n");
        assert_eq!(told, ["column \"E-mail\": it is there twice"]);
        assert_eq!(faults("email,language,store\n"), ["the list: there are no rows below the titles"]);
    }

    #[test]
    fn phones_and_mandatory_names_are_checked_and_metadata_of_its_own_stays_metadata() {
        let phone = RespondentField::Phone.name();
        let text = format!(
            "email,language,store,{phone}\njef@example.com,nl,Gent,geen\nan@example.com,nl,Gent,(09) 223-4\n"
        );
        let checked = check(&read(text.as_bytes(), None).unwrap(), &rules());
        let told: Vec<String> = checked.faults.iter().map(ToString::to_string).collect();
        assert_eq!(told, [format!("row 2, {phone}: \"geen\" is no phone number")]);
        let mut rules = rules();
        rules.mandatory = vec![RespondentField::FirstName.name().into()];
        let text = r#"[{"email":"jef@example.com","language":"nl","firstName":"Jef","keyValues":{"language":"fr"}}]"#;
        let checked = check(&read(text.as_bytes(), None).unwrap(), &rules);
        let (_, Some(jef)) = &checked.rows[0] else { panic!("{:?}", checked.faults) };
        assert_eq!((jef.language.as_str(), jef.key_values["language"].as_str()), ("nl", "fr"));
    }

    #[test]
    fn an_address_that_is_there_twice_is_warned_of() {
        let list = |addresses: &[String]| {
            let rows: Vec<String> = addresses.iter().map(|address| format!("{address},nl,Gent")).collect();
            let text = format!("email,language,store\n{}", rows.join("\n"));
            check(&read(text.as_bytes(), None).unwrap(), &rules())
        };
        let checked = list(&["jef@example.com", "an@example.com", "Jef@Example.com"].map(Into::into));
        assert!(checked.faults.is_empty());
        assert_eq!(
            checked.warnings,
            ["rows 2 and 4 have the same address: Jef@Example.com is added for each"]
        );
        let warnings = list(&vec!["jef@example.com".into(); 100]).warnings;
        assert_eq!(warnings.len(), REPEATED + 1);
        assert_eq!(warnings[REPEATED], "and 79 more rows have the address of another");
    }

    #[test]
    fn a_person_in_metadata_is_warned_of() {
        let text = "email,language,store,phone\njef@example.com,nl,Gent,+32486\n";
        let checked = check(&read(text.as_bytes(), None).unwrap(), &rules());
        assert!(checked.faults.is_empty());
        assert!(checked.warnings[0].contains("phoneNumber"), "{:?}", checked.warnings);
    }
}
