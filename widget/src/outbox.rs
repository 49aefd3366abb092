//! Submissions that wait on the visitor's device.
//!
//! A submission is written here before it is sent and leaves only when the server has it, or will
//! never take it. One key of `localStorage` per submission, so that tabs do not overwrite each
//! other: `afterword:outbox:UUID` -> `{"survey", "origin", "at", "body"}`. Where storage is refused
//! or full, [`keep`] says so and the caller keeps the entry in memory.

use web_sys::Storage;

use crate::json::{Json, Object};

const PREFIX: &str = "afterword:outbox:";

/// For how long a submission waits: 7 days, in milliseconds.
///
/// The server remembers submissions longer, so that one that is sent again makes no second entry.
const LIFE: u64 = 7 * 24 * 60 * 60 * 1000;

/// One submission that waits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Entry {
    /// The submission's UUID; the key says it, the value does not repeat it.
    pub(crate) id: String,
    /// The survey that was answered.
    pub(crate) survey: String,
    /// The server, with its path prefix, without a slash at the end.
    pub(crate) origin: String,
    /// When it was kept, in milliseconds since 1970, by the visitor's clock.
    pub(crate) at: u64,
    /// What to send: the JSON of a submission.
    pub(crate) body: String,
}

impl Entry {
    /// True once the entry is too old to be sent.
    ///
    /// A clock that was put back makes an entry younger, never older.
    fn is_stale(&self, now: u64) -> bool {
        now.saturating_sub(self.at) > LIFE
    }

    /// Reads what a key holds; `None` for keys and values of others.
    fn read(key: &str, value: &str) -> Option<Self> {
        let id = key.strip_prefix(PREFIX)?;
        let json = Json::read(value)?;
        let text = |key| json.get(key).text().map(str::to_owned);
        Some(Self {
            id: id.to_owned(),
            survey: text("survey")?,
            origin: text("origin")?,
            at: u64::try_from(json.get("at").number()?).ok()?,
            body: text("body")?,
        })
    }

    /// What its key holds.
    fn written(&self) -> String {
        Object::new()
            .text("survey", &self.survey)
            .text("origin", &self.origin)
            .raw("at", &self.at.to_string())
            .text("body", &self.body)
            .end()
    }

    fn key(&self) -> String {
        [PREFIX, &self.id].concat()
    }
}

/// Writes an entry; false where the device does not keep it.
pub(crate) fn keep(entry: &Entry) -> bool {
    storage().is_some_and(|storage| storage.set_item(&entry.key(), &entry.written()).is_ok())
}

/// Forgets an entry, if it is there.
pub(crate) fn forget(entry: &Entry) {
    if let Some(storage) = storage() {
        storage.remove_item(&entry.key()).ok();
    }
}

/// What waits for one survey of one server, oldest first. Drops entries that are too old.
pub(crate) fn waiting(survey: &str, origin: &str, now: u64) -> Vec<Entry> {
    let Some(storage) = storage() else { return Vec::new() };
    let mut found: Vec<Entry> = Vec::new();
    let keys = (0..storage.length().unwrap_or(0)).filter_map(|at| storage.key(at).ok().flatten());
    for key in keys.collect::<Vec<_>>() {
        let value = storage.get_item(&key).ok().flatten();
        let Some(entry) = value.and_then(|value| Entry::read(&key, &value)) else { continue };
        if entry.is_stale(now) {
            forget(&entry);
        } else if entry.survey == survey && entry.origin == origin {
            // An insertion, since few ever wait, and a sort costs 2 KB.
            let place = found.iter().take_while(|other| other.at <= entry.at).count();
            found.insert(place, entry);
        }
    }
    found
}

/// The device's storage; `None` where the browser refuses it.
fn storage() -> Option<Storage> {
    web_sys::window()?.local_storage().ok()?
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry() -> Entry {
        Entry {
            id: "6f9b".into(),
            survey: "checkout".into(),
            origin: "https://feedback.example".into(),
            at: 1_000,
            body: r#"{"submission":"6f9b"}"#.into(),
        }
    }

    #[test]
    fn an_entry_survives_its_storage() {
        let written = entry().written();
        assert_eq!(Entry::read(&entry().key(), &written), Some(entry()));
    }

    #[test]
    fn what_others_store_is_left_alone() {
        let written = entry().written();
        assert_eq!(Entry::read("cart", &written), None);
        assert_eq!(Entry::read("afterword:outbox:1", "[]"), None);
        assert_eq!(Entry::read("afterword:outbox:1", "{"), None);
    }

    #[test]
    fn an_entry_is_dropped_after_seven_days_and_not_before() {
        assert!(!entry().is_stale(1_000 + LIFE));
        assert!(entry().is_stale(1_001 + LIFE));
        assert!(!entry().is_stale(0), "a clock that was put back drops nothing");
    }
}
