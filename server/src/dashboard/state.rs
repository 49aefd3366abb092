//! Where an entry stands, as the pages show it.

use maud::Markup;

use crate::page::{self, Tone};
use crate::queue::State;

/// The state's name, and how good the news is.
pub(super) fn pill(state: State) -> Markup {
    page::pill(tone(state), state.name())
}

fn tone(state: State) -> Tone {
    match state {
        State::Dead | State::Parked => Tone::Bad,
        State::Delivered => Tone::Good,
        State::Waiting | State::Sending | State::Discarded => Tone::Quiet,
        State::Delayed | State::Unknown => Tone::Warn,
    }
}
