//! `[limits]`: how much one client, and all of them together, may ask of the public listener.
//!
//! The defaults let a class or an office behind one address answer at the same time, and keep one
//! address from filling a lane alone: a platform takes 60 answers a minute.

use std::num::NonZeroU32;

use super::reader::{Table, Value};

/// The limits of the public listener; `None` is no limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Submissions from one client.
    pub visitor: Option<Rate>,
    /// All other requests from one client.
    pub requests: Option<Rate>,
    /// Connections that are open at a time.
    pub connections: Option<NonZeroU32>,
    /// Those of one client, unless it is a trusted proxy.
    pub connections_per_address: Option<NonZeroU32>,
}

/// So many at once, and from then on so many a minute.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rate {
    /// How many a minute, in the long run.
    pub per_minute: NonZeroU32,
    /// How many at once, after a while without any.
    pub burst: NonZeroU32,
}

/// The largest number that a limit may have.
const MOST: u32 = 1_000_000;

pub(super) fn read(root: &Table<'_>) -> Option<Limits> {
    let table = match root.get("limits") {
        Some(value) => Some(value.table()?),
        None => None,
    };
    let limits = table.as_ref();
    let visitor = rate(limits, ["visitor_per_minute", "visitor_burst"], [30, 60]);
    let requests = rate(limits, ["requests_per_minute", "requests_burst"], [1_200, 600]);
    let connections = limit(limits, "connections", 8_192);
    let connections_per_address = limit(limits, "connections_per_address", 256);
    if let Some(table) = table {
        table.finish();
    }
    Some(Limits {
        visitor: visitor.ok()?,
        requests: requests.ok()?,
        connections: connections.ok()?,
        connections_per_address: connections_per_address.ok()?,
    })
}

/// A number; adds a problem to any other value, and to 0, which would refuse everybody.
pub(super) fn number(value: &Value<'_>, hint: &str) -> Option<NonZeroU32> {
    let given = value.integer()?;
    let number = u32::try_from(given).ok().filter(|number| *number <= MOST).and_then(NonZeroU32::new);
    if number.is_none() {
        value.problem(format!("a limit is 1 to {MOST}"), hint);
    }
    number
}

/// A limit, or `None` where the file says `false`; `Err` after a problem.
fn limit(table: Option<&Table<'_>>, key: &'static str, default: u32) -> Result<Option<NonZeroU32>, ()> {
    let Some(value) = table.and_then(|table| table.get(key)) else { return Ok(NonZeroU32::new(default)) };
    match value.is_boolean().then(|| value.boolean()).flatten() {
        Some(false) => Ok(None),
        Some(true) => {
            value.problem("true is no limit", "write a number, or false for no limit");
            Err(())
        }
        None => number(&value, "write false for no limit").map(Some).ok_or(()),
    }
}

fn rate(
    table: Option<&Table<'_>>,
    [per_minute, burst]: [&'static str; 2],
    defaults: [u32; 2],
) -> Result<Option<Rate>, ()> {
    let rate = limit(table, per_minute, defaults[0]);
    let burst = match table.and_then(|table| table.get(burst)) {
        Some(value) if rate == Ok(None) => {
            value.problem(
                format!("`{per_minute}` is false, so there is nothing to burst"),
                "remove one of the two",
            );
            return Err(());
        }
        Some(value) => number(&value, "write how many may come at once"),
        None => NonZeroU32::new(defaults[1]),
    };
    let (per_minute, burst) = (rate?, burst.ok_or(())?);
    Ok(per_minute.map(|per_minute| Rate { per_minute, burst }))
}
