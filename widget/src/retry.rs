//! What a reply means for a submission, and how long to wait before the next try. Pure.

/// What becomes of a submission.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// The server has it.
    Durable,
    /// The server will never take it as it is.
    Refused,
    /// The server may take it later.
    Later,
}

/// What a status means. 409 says that the server has answers under this very UUID: the visitor's. What is
/// refused is wrong by itself; all else may come from a proxy, or from a server that knows the survey or
/// the page's origin only tomorrow. `outbox.js` has the same list.
pub(crate) fn verdict(status: u16) -> Verdict {
    match status {
        200..=299 | 409 => Verdict::Durable,
        400 | 413 | 415 | 422 => Verdict::Refused,
        _ => Verdict::Later,
    }
}

/// The longest first delay, in milliseconds.
const FIRST: u32 = 2_000;
/// The longest delay that is not asked for by the server.
const LONGEST: u32 = 300_000;

/// Milliseconds until the next try: twice as long each time up to five minutes, of which
/// `random` (0 to 255) spreads the second half, so that a server that returns is not stormed; never
/// earlier than the server asked for (`after`, seconds).
pub(crate) fn delay(tries: u32, random: u8, after: Option<u32>) -> u32 {
    let most = FIRST.saturating_mul(1 << tries.min(10)).min(LONGEST);
    let jittered = most / 2 + most / 2 * u32::from(random) / 255;
    // A timer holds 31 bits; a server that asks for more than 24 days is asked a little early.
    let asked = after.unwrap_or(0).saturating_mul(1000).min(i32::MAX as u32 - LONGEST);
    if asked == 0 { jittered } else { asked + jittered / 4 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_status_has_its_verdict() {
        let table: serde_json::Value = serde_json::from_str(include_str!("../verdicts.json")).unwrap();
        for (name, wanted) in
            [("durable", Verdict::Durable), ("refused", Verdict::Refused), ("later", Verdict::Later)]
        {
            let statuses = table[name].as_array().unwrap();
            assert!(!statuses.is_empty());
            for status in statuses {
                let status = status.as_u64().unwrap().try_into().unwrap();
                assert_eq!(verdict(status), wanted, "{status}");
            }
        }
    }

    #[test]
    fn delays_grow_to_five_minutes_and_are_spread() {
        assert_eq!(delay(0, 0, None), 1_000);
        assert!((1_900..=2_000).contains(&delay(0, 255, None)));
        assert_eq!(delay(1, 0, None), 2_000);
        assert_eq!(delay(40, 0, None), 150_000);
        assert!(delay(u32::MAX, 255, None) <= 300_000);
    }

    #[test]
    fn a_server_that_names_a_time_is_not_asked_earlier() {
        for tries in 0..12 {
            for random in [0, 128, 255] {
                assert!(delay(tries, random, Some(30)) >= 30_000);
            }
        }
        assert!(i32::try_from(delay(3, 255, Some(u32::MAX))).is_ok());
    }
}
