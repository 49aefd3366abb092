//! A score: the steps of its scale, what they mean, and what they look like.

use shared::{Look, limits};

use super::super::reader::{Table, Value, words};
use super::super::text::{Languages, PerLanguage, per_language};
use super::{Kind, Scope};

pub(super) fn read(kind: &Value<'_>, table: &Table<'_>, scope: &Scope<'_>) -> Option<Kind> {
    let scale = table.get("scale");
    let (min, max) = (table.get("min"), table.get("max"));
    let bounds = match (&scale, &min, &max) {
        (Some(scale), None, None) => scale.one_of(&[("nps", (0, 10)), ("csat", (1, 5)), ("ces", (1, 7))]),
        (None, Some(min), Some(max)) => min.integer().zip(max.integer()).and_then(|(low, high)| {
            let steps = i64::from(high) - i64::from(low) + 1;
            if !(2..=i64::from(limits::SCORE_STEPS)).contains(&steps) {
                max.problem(format!("a scale has 2 to {} steps", limits::SCORE_STEPS), "");
                return None;
            }
            Some((low, high))
        }),
        _ => {
            kind.problem(
                "a score needs a scale",
                "add scale = \"nps\" (0-10), \"csat\" (1-5) or \"ces\" (1-7), or both min and max",
            );
            None
        }
    };
    let label = |key| table.optional(key, |value| per_language(value, scope.languages, "label", words));
    let (low, high) = (label("low"), label("high"));
    let labels = table.get("labels").map_or(Some(Vec::new()), |value| {
        if let Some(end) = table.get("low").or_else(|| table.get("high")) {
            end.problem("`labels` is there too", "`labels` says it of every step: remove `low` and `high`");
        }
        read_labels(&value, scope.languages, bounds)
    });
    let look = table.get("look").map_or(Some(Look::Numbers), |value| {
        let look = read_look(&value, bounds)?;
        let ends = table.get("low").is_some() && table.get("high").is_some();
        if look == Look::Smileys && !ends && table.get("labels").is_none() {
            let hint = "add `labels`, or `low` and `high`: who does not see them has to hear which is which";
            value.problem("smileys without words", hint);
        }
        Some(look)
    });
    let colors = table.flag("colors");
    let (min, max) = bounds?;
    let (low, high) = (low.ok()?, high.ok()?);
    Some(Kind::Score { min, max, low, high, labels: labels?, look: look?, colors: colors? })
}

/// What each step means; `bounds` are absent where they could not be read.
fn read_labels(
    value: &Value<'_>,
    languages: &Languages,
    bounds: Option<(i32, i32)>,
) -> Option<Vec<PerLanguage<String>>> {
    let entries = value.array()?;
    if let Some((min, max)) = bounds
        && usize::try_from(max - min + 1) != Ok(entries.len())
    {
        value.problem(
            format!("{} labels for the {} steps from {min} to {max}", entries.len(), max - min + 1),
            "write one for each step, the lowest first",
        );
        return None;
    }
    let labels: Vec<_> = entries.iter().map(|entry| per_language(entry, languages, "label", words)).collect();
    labels.into_iter().collect()
}

fn read_look(value: &Value<'_>, bounds: Option<(i32, i32)>) -> Option<Look> {
    let looks = [
        ("numbers", Look::Numbers),
        ("stars", Look::Stars),
        ("smileys", Look::Smileys),
        ("list", Look::List),
    ];
    let look = value.one_of(&looks)?;
    let (what, most) = match look {
        Look::Numbers | Look::List => return Some(look),
        Look::Stars => ("stars", limits::STARS),
        Look::Smileys => ("smileys", limits::SMILEYS),
    };
    if let (Look::Stars, Some((min, _))) = (look, bounds)
        && min != 1
    {
        value.problem(format!("the first star would stand for {min}"), "write min = 1");
        return None;
    }
    if let Some((min, max)) = bounds
        && max - min >= most
    {
        let hint = format!("a scale of {what} has at most {most}: use `list` or `numbers`, or fewer steps");
        value.problem(format!("{} {what} are too many", max - min + 1), hint);
        return None;
    }
    Some(look)
}
