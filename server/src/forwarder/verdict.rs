//! What a call's outcome means: one pure function.

use std::time::Duration;

use crate::platform::Outcome;

/// What an outcome means for the entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It arrived.
    Delivered,
    /// It did not arrive, and may be sent again; after this long, if the platform said so.
    Later(Option<Duration>),
    /// It may have arrived.
    Unknown,
    /// The platform will never take it as it is.
    Rejected,
    /// The token may not do this at the moment.
    Paused,
}

impl Verdict {
    /// The verdict's name in metrics, logs and tables.
    pub fn name(self) -> &'static str {
        match self {
            Self::Delivered => "delivered",
            Self::Later(_) => "later",
            Self::Unknown => "unknown",
            Self::Rejected => "rejected",
            Self::Paused => "paused",
        }
    }
}

/// The verdict on an outcome.
pub fn verdict(outcome: &Outcome) -> Verdict {
    match outcome {
        Outcome::NotSent(_) => Verdict::Later(None),
        Outcome::Lost(_) => Verdict::Unknown,
        Outcome::Reply(reply) => match reply.status {
            200..=299 => Verdict::Delivered,
            429 | 503 => Verdict::Later(reply.retry_after),
            401 => Verdict::Paused,
            408 | 500..=599 => Verdict::Unknown,
            _ => Verdict::Rejected,
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::platform::Reply;

    fn reply(status: u16) -> Verdict {
        verdict(&Outcome::Reply(Reply { status, retry_after: None, words: String::new() }))
    }

    #[test]
    fn any_2xx_is_delivered() {
        for status in [200, 201, 202, 204, 299] {
            assert_eq!(reply(status), Verdict::Delivered, "{status}");
        }
    }

    #[test]
    fn a_429_or_503_is_later() {
        assert_eq!(reply(429), Verdict::Later(None));
        assert_eq!(reply(503), Verdict::Later(None));
    }

    #[test]
    fn later_waits_as_long_as_the_platform_asks() {
        let wait = Some(Duration::from_secs(7));
        let outcome = Outcome::Reply(Reply { status: 429, retry_after: wait, words: String::new() });
        assert_eq!(verdict(&outcome), Verdict::Later(wait));
    }

    #[test]
    fn what_failed_before_a_byte_was_written_is_later() {
        assert_eq!(verdict(&Outcome::NotSent("refused".into())), Verdict::Later(None));
    }

    #[test]
    fn another_5xx_or_a_408_is_unknown() {
        for status in [408, 500, 501, 502, 504, 599] {
            assert_eq!(reply(status), Verdict::Unknown, "{status}");
        }
    }

    #[test]
    fn what_was_lost_after_writing_began_is_unknown() {
        assert_eq!(verdict(&Outcome::Lost("reset".into())), Verdict::Unknown);
    }

    #[test]
    fn any_other_3xx_or_4xx_is_rejected() {
        for status in [301, 302, 304, 307, 400, 403, 404, 405, 409, 410, 413, 422, 451] {
            assert_eq!(reply(status), Verdict::Rejected, "{status}");
        }
    }

    #[test]
    fn a_401_is_paused() {
        assert_eq!(reply(401), Verdict::Paused);
    }
}
