//! Times and spans as operators' pages say them.

use std::time::Duration;

use jiff::Timestamp;
use maud::{Markup, html};

/// The time from one moment to a later one, in words.
pub(super) fn span(later: Timestamp, earlier: Timestamp) -> String {
    duration(Duration::try_from(later.duration_since(earlier)).unwrap_or_default())
}

/// A duration in at most two units.
pub(super) fn duration(span: Duration) -> String {
    let seconds = span.as_secs();
    match seconds {
        0 if span.subsec_millis() > 0 => format!("{} ms", span.subsec_millis()),
        0..60 => format!("{seconds} s"),
        60..3_600 => format!("{} min {} s", seconds / 60, seconds % 60),
        3_600..86_400 => format!("{} h {} min", seconds / 3_600, seconds % 3_600 / 60),
        _ => format!("{} d {} h", seconds / 86_400, seconds % 86_400 / 3_600),
    }
}

/// A moment, to the second, in UTC.
pub(super) fn moment(at: Timestamp) -> Markup {
    html! { time.time datetime=(at) { (at.strftime("%Y-%m-%d %H:%M:%S UTC")) } }
}

/// A day.
pub(super) fn day(at: Timestamp) -> String {
    at.strftime("%-d %b").to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_duration_is_said_in_at_most_two_units() {
        for (seconds, said) in
            [(0, "0 s"), (59, "59 s"), (61, "1 min 1 s"), (7_260, "2 h 1 min"), (90_000, "1 d 1 h")]
        {
            assert_eq!(duration(Duration::from_secs(seconds)), said);
        }
        assert_eq!(duration(Duration::from_millis(20)), "20 ms");
    }
}
