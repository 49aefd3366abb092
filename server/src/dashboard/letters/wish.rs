//! What a page of letters is asked for, and what it says was done: both travel in its address.

use uuid::Uuid;

use crate::dashboard::{Dashboard, form};
use crate::operator::{Order, STUCK, Selection, StateName};
use crate::page::{self, Tone};

/// What a page of letters was asked for.
pub(super) struct Wish {
    pub(super) selection: Selection,
    pub(super) after: Option<Uuid>,
    /// What was done just before, for the page to say so.
    pub(super) done: Option<Done>,
}

impl Wish {
    pub(super) fn read<'a>(pairs: impl Iterator<Item = (&'a str, &'a str)>) -> Result<Self, String> {
        let mut wish = Self { selection: Selection::default(), after: None, done: None };
        for (name, value) in pairs.filter(|(_, value)| !value.trim().is_empty()) {
            match name {
                "after" => wish.after = value.parse().ok(),
                "done" => wish.done = Done::read(value),
                _ => {
                    if let Some(Err(wrong)) = wish.selection.take(name, value.trim()) {
                        return Err(wrong);
                    }
                }
            }
        }
        if wish.selection.states.is_empty() {
            wish.selection.states = STUCK.map(StateName).into();
        }
        Ok(wish)
    }

    /// True if nothing is asked for but what waits for an operator.
    pub(super) fn is_usual(&self) -> bool {
        self.selection == Selection { states: STUCK.map(StateName).into(), ..Selection::default() }
    }

    /// What is asked for and is not configured, in words: it may be mistyped.
    pub(super) fn unknown(&self, dashboard: &Dashboard) -> Vec<String> {
        let config = dashboard.live.config();
        let survey = self.selection.survey.as_ref().filter(|id| config.survey(id.as_str()).is_none());
        let lane = self.selection.lane.as_deref().filter(|name| config.platform(name).is_none());
        let words =
            [survey.map(|id| format!("No survey “{id}”")), lane.map(|name| format!("No lane “{name}”"))];
        words.into_iter().flatten().collect()
    }

    /// The page to go back to after a change.
    pub(super) fn back(&self) -> Self {
        let selection = Selection { submissions: Vec::new(), ..self.selection.clone() };
        Self { selection, after: None, done: None }
    }

    /// The same page, with something after or something done.
    pub(super) fn address(&self, more: Option<(&'static str, String)>) -> String {
        form::address("/letters", self.selection.pairs().into_iter().chain(more))
    }
}

/// What was done, in numbers: they travel in an address, and whoever writes one makes the page say nothing else.
#[derive(Clone, Copy)]
pub(super) struct Done {
    pub(super) order: Order,
    pub(super) changed: u64,
    /// Entries that were meant and had changed meanwhile.
    pub(super) left: u64,
}

impl Done {
    pub(super) fn pair(self) -> (&'static str, String) {
        let name = if self.order == Order::Retry { "retried" } else { "discarded" };
        ("done", format!("{name}-{}-{}", self.changed, self.left))
    }

    fn read(text: &str) -> Option<Self> {
        let mut parts = text.split('-');
        let order = match parts.next()? {
            "retried" => Order::Retry,
            "discarded" => Order::Discard,
            _ => return None,
        };
        let mut number = || parts.next()?.parse().ok();
        Some(Self { order, changed: number()?, left: number()? })
    }

    pub(super) fn tone(self) -> Tone {
        if self.changed > 0 { Tone::Good } else { Tone::Warn }
    }

    pub(super) fn said(self) -> String {
        let entries = entries(self.changed);
        let done = match (self.order, self.changed, self.left) {
            (_, 0, 0) => "Nothing was selected, and nothing was done".to_owned(),
            (_, 0, _) => "Nothing was changed".to_owned(),
            (Order::Retry, ..) => format!("Back in line: {entries}, at the lane's pace"),
            (Order::Discard, ..) => format!("Discarded: {entries}"),
        };
        match self.left {
            0 => format!("{done}."),
            left => {
                format!("{done}; {} could not be changed, or had changed meanwhile.", self::entries(left))
            }
        }
    }
}

pub(super) fn entries(count: u64) -> String {
    if count == 1 { "1 entry".to_owned() } else { format!("{} entries", page::grouped(count)) }
}
