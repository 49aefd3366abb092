//! What a list has to have before anything of it is sent: every fault, with its row and column.

use std::collections::HashMap;
use std::collections::hash_map::Entry;

use shared::{Field, Language, limits, respondent};

use crate::cli::sheet::{self, Fault, RowFaults, SEVERAL_LINES, Sheet, several_lines};
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
    let mut faults = titles(sheet, &columns, rules);
    let mut warnings = suspected(sheet);
    // Where the columns are wrong, every row would be.
    let rows = if faults.is_empty() {
        sheet.each(&mut faults, |cells, wrong| respondent(cells, sheet, &columns, rules, wrong))
    } else {
        Vec::new()
    };
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

/// What is wrong with the titles.
fn titles(sheet: &Sheet, columns: &[Column], rules: &Rules) -> Vec<Fault> {
    let mut faults = Vec::new();
    let has = |field| columns.contains(&Column::Field(field));
    if !has(RespondentField::Email) {
        let words = match sheet.undivided() {
            Some(words) => format!("there is none, but {words}"),
            None => format!(
                "there is none, and without an address nobody is surveyed; the columns are {}",
                sheet.columns.join(", ")
            ),
        };
        faults.push(Fault::of_column(RespondentField::Email.name(), words));
    }
    if !has(RespondentField::Language) && rules.language.is_none() {
        faults.push(sheet::no_language(RespondentField::Language.name()));
    }
    faults.extend(sheet.twice(columns));
    for key in &rules.mandatory {
        if !columns.contains(&column(key)) {
            faults.push(Fault::of_column(key, "there is none, and it is mandatory"));
        }
    }
    for title in &sheet.columns {
        if title.chars().count() > limits::METADATA_KEY {
            let words = format!("a key has at most {} characters", limits::METADATA_KEY);
            faults.push(Fault::of_column(title, words));
        }
    }
    faults
}

/// Says which titles may be meant as the person's own.
fn suspected(sheet: &Sheet) -> Vec<String> {
    let mut words = Vec::new();
    for title in sheet.columns.iter().filter(|title| RespondentField::named(title).is_none()) {
        if let Some(field) = RespondentField::suspected(title) {
            words.push(format!(
                "column {title:?} goes along as metadata, which the platform does not make anonymous; if it is meant as \
                 {0}, call it {0}",
                field.name()
            ));
        }
    }
    words
}

/// A row as a respondent.
fn respondent(
    cells: &[String],
    sheet: &Sheet,
    columns: &[Column],
    rules: &Rules,
    wrong: &mut RowFaults<'_>,
) -> NewRespondent {
    let language = rules.language.map(|language| language.to_string());
    let mut new = NewRespondent { language: language.unwrap_or_default(), ..NewRespondent::default() };
    let titled = cells.iter().zip(columns).zip(&sheet.columns);
    for ((cell, column), title) in titled.filter(|((cell, _), _)| !cell.is_empty()) {
        match column {
            Column::Untitled => wrong.at("a column without a title", format!("{cell:?} would be lost")),
            Column::Key(key) => match metadata(cell) {
                Ok(value) => _ = new.key_values.insert(key.clone(), value),
                Err(words) => wrong.at(key, words),
            },
            Column::Field(field) => {
                if let Err(words) = set(*field, cell, rules, &mut new) {
                    wrong.at(title, words);
                }
            }
        }
    }
    missing(cells, columns, rules, wrong);
    new
}

/// A value of metadata; or what is wrong with it.
fn metadata(cell: &str) -> Result<String, String> {
    if cell.chars().count() > limits::METADATA_VALUE {
        return Err(format!("it has more than {} characters", limits::METADATA_VALUE));
    }
    several_lines(cell).map_or_else(|| Ok(cell.to_owned()), |words| Err(words.to_owned()))
}

/// Puts a cell where it belongs; or says what is wrong with it.
fn set(field: RespondentField, cell: &str, rules: &Rules, new: &mut NewRespondent) -> Result<(), String> {
    match field {
        RespondentField::Email => new.email = personal(Some(Field::Email), cell)?,
        RespondentField::Language => new.language = language(cell, &rules.languages)?.to_string(),
        RespondentField::FirstName => new.first_name = Some(personal(Some(Field::FirstName), cell)?),
        RespondentField::LastName => new.last_name = Some(personal(Some(Field::LastName), cell)?),
        RespondentField::Phone => {
            let number = personal(Some(Field::Phone), cell)?;
            if !looks_like_phone(cell) {
                return Err(format!("{cell:?} is no phone number"));
            }
            new.phone = Some(number);
        }
        RespondentField::Id => new.id = Some(personal(None, cell)?),
        RespondentField::Touchpoint => {
            if cell.parse::<Guid>().as_ref() != Ok(&rules.touchpoint) {
                return Err(format!("{cell} is not the touchpoint {}", rules.touchpoint));
            }
        }
    }
    Ok(())
}

/// What is the person's own; or what is wrong with it. `None` stands for the operator's id of them.
fn personal(field: Option<Field>, cell: &str) -> Result<String, String> {
    match respondent::fault(field, cell) {
        None => Ok(cell.to_owned()),
        Some(respondent::Fault::NoEmail) => Err(format!("{cell:?} is no e-mail address")),
        Some(respondent::Fault::TooLong) => {
            Err(format!("it has more than {} characters", limits::RESPONDENT_FIELD))
        }
        Some(respondent::Fault::ControlCharacter) => Err(SEVERAL_LINES.to_owned()),
    }
}

/// A language by its code or the platform's GUID, if it is one of those that are known.
fn language(cell: &str, known: &[Language]) -> Result<Language, String> {
    let language = Language::with_guid(cell).or_else(|| Language::matching(cell));
    let language = language.ok_or_else(|| format!("{cell:?} is none of the platform's languages"))?;
    if !known.is_empty() && !known.contains(&language) {
        let known: Vec<String> = known.iter().map(ToString::to_string).collect();
        return Err(format!("{cell:?} is not among those of the survey: {}", known.join(", ")));
    }
    Ok(language)
}

/// Says what a row has to have and has not.
fn missing(cells: &[String], columns: &[Column], rules: &Rules, wrong: &mut RowFaults<'_>) {
    let empty = |column: &Column| {
        let place = columns.iter().position(|other| other == column);
        place.and_then(|place| cells.get(place)).is_none_or(String::is_empty)
    };
    let email = RespondentField::Email;
    if empty(&Column::Field(email)) {
        wrong.at(email.name(), "it is empty");
    }
    let language = RespondentField::Language;
    if rules.language.is_none() && empty(&Column::Field(language)) {
        wrong.at(language.name(), "it is empty");
    }
    for key in rules.mandatory.iter().filter(|key| empty(&column(key))) {
        wrong.at(key, "it is empty, and mandatory");
    }
}

/// Only what is surely none is refused.
fn looks_like_phone(text: &str) -> bool {
    let digits = text.chars().filter(char::is_ascii_digit).count();
    digits >= 3 && text.chars().all(|sign| sign.is_ascii_digit() || " +-./()x".contains(sign))
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
