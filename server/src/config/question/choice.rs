//! A choice: its options, and how many of them.

use shared::limits;

use super::super::reader::{Table, Value, words};
use super::super::survey::ID_HINT;
use super::super::text::per_language;
use super::{ChoiceOption, Kind, Scope, read_guids};

/// From so many options on, a list can be searched unless `search` says otherwise.
const LONG: usize = 16;

pub(super) fn read(table: &Table<'_>, scope: &Scope<'_>) -> Option<Kind> {
    let several = table.flag("several");
    let options = table
        .required(
            "options",
            &format!("add options = [{{ id = \"web\", text = {} }}]", scope.languages.sample("…")),
        )
        .and_then(|value| read_options(&value, scope));
    let bound = |key| table.optional(key, |value| read_bound(value, several?, options.as_ref()?.len()));
    let (min, max) = (bound("min"), bound("max"));
    if let (Ok(Some(least)), Ok(Some(most)), Some(value)) = (min, max, table.get("min"))
        && least > most
    {
        value.problem(format!("nobody can choose at least {least} and at most {most}"), "lower `min`");
        return None;
    }
    let shuffle = table.flag("shuffle");
    let search = table.optional("search", Value::boolean);
    let options = options?;
    let search = search.ok()?.unwrap_or(options.len() >= LONG);
    let (several, min, max) = (several?, min.ok()?, max.ok()?);
    Some(Kind::Choice { several, min, max, shuffle: shuffle?, search, options })
}

/// How many of the options have to be, or may be, chosen.
fn read_bound(value: &Value<'_>, several: bool, options: usize) -> Option<u32> {
    let bound = u32::try_from(value.integer()?).unwrap_or_default();
    if !several {
        value.problem("only one may be chosen anyway", "add several = true, or remove it");
        return None;
    }
    if bound == 0 || bound as usize > options {
        value.problem(format!("of {options} options, 1 to {options} may be chosen"), "");
        return None;
    }
    Some(bound)
}

fn read_options(value: &Value<'_>, scope: &Scope<'_>) -> Option<Vec<ChoiceOption>> {
    let entries = value.array()?;
    if !(2..=limits::OPTIONS).contains(&entries.len()) {
        value.problem(format!("a choice has 2 to {} options", limits::OPTIONS), "");
        return None;
    }
    let mut options: Vec<ChoiceOption> = Vec::new();
    for entry in &entries {
        let Some(option) = read_option(entry, scope) else { continue };
        if option.other.is_some() && options.iter().any(|before| before.other.is_some()) {
            entry.problem("two options take words", "keep `other` on one of them");
        }
        if options.iter().any(|other| other.id == option.id) {
            entry.problem(format!("there are two options {:?}", option.id.as_str()), "give each its own id");
        }
        options.push(option);
    }
    (options.len() == entries.len()).then_some(options)
}

fn read_option(value: &Value<'_>, scope: &Scope<'_>) -> Option<ChoiceOption> {
    let table = value.table()?;
    let id = table.required("id", "add id = \"web\"").and_then(|value| value.parse(ID_HINT));
    let text = table
        .required("text", &format!("add text = {}", scope.languages.sample("…")))
        .and_then(|value| per_language(&value, scope.languages, "text", words));
    let own = table.optional("value", |value| per_language(value, scope.languages, "value", words));
    let other = table.optional("other", |value| {
        let table = value.table()?;
        let guid = read_guids(&table, scope, "of a text question, which takes the words");
        table.finish();
        guid
    });
    let fixed = table.optional("fixed", Value::boolean);
    table.finish();
    let text = text?;
    let value = own.ok()?.unwrap_or_else(|| text.clone());
    let other = other.ok()?;
    // It sums up the others, and so stays behind them.
    let fixed = fixed.ok()?.unwrap_or(other.is_some());
    Some(ChoiceOption { id: id?, text, value, fixed, other })
}
