//! Whether an answer arrived whose call has no known outcome: when to ask the platform, for which
//! window, and what its reply means. Pure.
//!
//! One look-up serves every unknown entry of a touchpoint. A platform that lags, keeps another time
//! or drops the metadata shows nothing at all, so that an answer is not in the reply proves little by
//! itself: it counts only where a submission known to be delivered is shown, by this look-up or an
//! earlier one, and not before `settle` has passed. Where others were delivered after it, one of them has
//! to be shown as well: a platform that lags for longer than `settle` shows what is old, and not yet what
//! is new.

use std::collections::HashSet;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use uuid::Uuid;

use super::verdict::{Verdict, verdict};
use crate::clock;
use crate::platform::{LONGEST_WINDOW, ReportError};
use crate::queue::Unknown;

/// Our clock and the platform's may differ by this much.
const MARGIN: Duration = Duration::from_mins(5);
/// Entries that one look-up serves, at most; the others have their turn at the next.
pub(super) const ENTRIES: u32 = 500;
/// Delivered submissions that are expected in a reply, at most; one of them is proof.
pub(super) const WITNESSES: u32 = 20;

/// When an entry that has just become unknown is looked up first.
pub(super) fn first(now: Timestamp, interval: Duration, settle: Duration) -> Timestamp {
    clock::later(now, (interval * 10).min(settle))
}

/// When an entry is looked up again that was last tried at `until`: ever more rarely, and once more
/// as soon as its absence counts.
pub(super) fn next(now: Timestamp, until: Timestamp, interval: Duration, settle: Duration) -> Timestamp {
    let age = Duration::try_from(now.duration_since(until)).unwrap_or_default();
    let again = clock::later(now, (age / 2).clamp(interval * 10, interval * 600));
    let counts = clock::later(until, settle);
    if now < counts { again.min(counts) } else { again }
}

/// How long a touchpoint is left alone after a look-up, the number of failed ones in a row counted.
pub(super) fn pause(interval: Duration, failures: u32) -> Duration {
    (interval * 20).saturating_mul(1 << failures.min(5))
}

/// What a look-up asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Window {
    pub(super) from: Timestamp,
    pub(super) to: Timestamp,
    /// False where nobody knows what the time was: then it covers nothing for sure.
    sure: bool,
}

impl Window {
    /// The window in which the entries arrived, if they did, with the latest of what is known to be
    /// delivered before them, and what was delivered just after; cut to what the platform answers.
    pub(super) fn of(
        entries: &[Unknown],
        witness: Option<Timestamp>,
        newer: &[(Uuid, Timestamp)],
    ) -> Option<Self> {
        let since = entries.iter().map(|entry| entry.since).min()?;
        let until = entries.iter().map(|entry| entry.until).max()?;
        let last = newer.iter().map(|(_, at)| *at).max().map_or(until, |newest| newest.max(until));
        let to = clock::later(last, MARGIN);
        let earliest = to.checked_sub(LONGEST_WINDOW).unwrap_or(Timestamp::MIN);
        let from = witness.map_or(since, |witness| witness.min(since));
        let from = from.checked_sub(MARGIN).unwrap_or(Timestamp::MIN);
        // A witness from long ago proves nothing that is worth a month of responses each time.
        let near = since.checked_sub(MARGIN).unwrap_or(Timestamp::MIN);
        let from = if from < earliest { near } else { from };
        Some(Self { from: from.max(earliest), to, sure: true })
    }

    /// The same where the system's clock and ours have drifted apart, since the machine stood still for a while or began with
    /// a wrong time: with what may lie at either one's time, as far as the platform answers.
    pub(super) fn widened(self, drift: SignedDuration) -> Self {
        let Self { from, to, .. } = self;
        if drift.unsigned_abs() <= MARGIN {
            return self;
        }
        let moved = |time: Timestamp| time.checked_add(drift).unwrap_or(time);
        let (first, last) = (from.min(moved(from)), to.max(moved(to)));
        let near = last.checked_sub(LONGEST_WINDOW).is_ok_and(|earliest| earliest <= first);
        let (from, to) = if near { (first, last) } else { (from, to) };
        Self { from, to, sure: false }
    }

    /// True if all of a span surely lies within.
    pub(super) fn covers(&self, since: Timestamp, until: Timestamp) -> bool {
        self.sure && self.from <= since && until <= self.to
    }
}

/// What a look-up brought.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Seen {
    /// What the platform showed of those that were asked for. They arrived, also where the reply broke off after them.
    pub(super) found: HashSet<Uuid>,
    pub(super) ending: Ending,
}

/// How a look-up ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Ending {
    /// The reply was read to its end: what is not in it was not shown.
    Whole,
    /// It could not be asked, or its reply broke off; it may be another time.
    Failed,
    /// The token may not ask at the moment (401).
    Denied,
    /// It will not tell, or not so that it can be read.
    Refused,
}

impl Ending {
    /// The end of a look-up that brought an error.
    pub(super) fn of(error: &ReportError) -> Self {
        let ReportError::Call(outcome) = error else { return Self::Refused };
        match verdict(outcome) {
            Verdict::Later(_) | Verdict::Unknown => Self::Failed,
            Verdict::Paused => Self::Denied,
            Verdict::Rejected | Verdict::Delivered => Self::Refused,
        }
    }

    /// Its name in metrics and logs.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Whole => "shown",
            Self::Failed => "failed",
            Self::Denied => "denied",
            Self::Refused => "refused",
        }
    }

    /// The verdict as which the call is counted.
    pub(super) fn verdict(self) -> Verdict {
        match self {
            Self::Whole => Verdict::Delivered,
            Self::Failed => Verdict::Later(None),
            Self::Denied => Verdict::Paused,
            Self::Refused => Verdict::Rejected,
        }
    }
}

impl Seen {
    /// A look-up that ended before anything was shown.
    pub(super) fn nothing(ending: Ending) -> Self {
        Self { found: HashSet::new(), ending }
    }
}

/// After this long, and many failures, nobody waits for a look-up any more.
const GIVE_UP: Duration = Duration::from_hours(24);

/// What is known about a look-up and the touchpoint when an entry is judged.
pub(super) struct Evidence<'a> {
    pub(super) seen: &'a Seen,
    pub(super) window: &'a Window,
    /// When the platform was asked.
    pub(super) asked_at: Timestamp,
    /// True where a look-up has shown a submission known to be delivered.
    pub(super) proven: bool,
    /// Some of what was delivered after the entries, to be held against what is shown.
    pub(super) newer: &'a [(Uuid, Timestamp)],
    /// True when many look-ups in a row have failed.
    pub(super) hopeless: bool,
    /// True when the platform takes answers meanwhile.
    pub(super) takes_answers: bool,
    pub(super) settle: Duration,
}

/// What a look-up says about an entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Finding {
    /// It arrived.
    Found,
    /// It did not arrive.
    Absent,
    /// Nobody will ever know.
    Undecidable,
    /// Too early to say.
    Open,
}

/// Judges an entry.
pub(super) fn judge(entry: &Unknown, evidence: &Evidence<'_>) -> Finding {
    let passed = |wait| clock::later(entry.until, wait) <= evidence.asked_at;
    let late = || passed(evidence.settle.saturating_add(GIVE_UP));
    let Seen { found, ending } = evidence.seen;
    match ending {
        _ if found.contains(&entry.entry.submission) => Finding::Found,
        _ if !passed(evidence.settle) => Finding::Open,
        Ending::Whole => {
            let mut newer = evidence.newer.iter().filter(|(_, at)| *at >= entry.until).peekable();
            let lags = newer.peek().is_some() && !newer.any(|(id, _)| found.contains(id));
            let covered = evidence.window.covers(entry.since, entry.until);
            match (evidence.proven && covered, lags) {
                (true, false) => Finding::Absent,
                (true, true) if !passed(evidence.settle * 2) => Finding::Open,
                _ => Finding::Undecidable,
            }
        }
        Ending::Refused => Finding::Undecidable,
        // A token that may add nothing either will be mended: then it may ask, too.
        Ending::Denied if evidence.takes_answers || late() => Finding::Undecidable,
        Ending::Failed if evidence.hopeless && (evidence.takes_answers || late()) => Finding::Undecidable,
        Ending::Denied | Ending::Failed => Finding::Open,
    }
}

/// Whether read-back is proven for a touchpoint after a look-up that expected `witnesses`; as before
/// where nothing was expected.
pub(super) fn proven(before: bool, seen: &Seen, window: &Window, witnesses: &[(Uuid, Timestamp)]) -> bool {
    let mut expected = witnesses.iter().filter(|(_, at)| window.covers(*at, *at)).peekable();
    if expected.peek().is_none() {
        return before;
    }
    // Of a reply that broke off nobody knows what the rest would have shown.
    expected.any(|(id, _)| seen.found.contains(id)) || (before && seen.ending != Ending::Whole)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::queue::{Entry, EntryId};

    const SECOND: Duration = Duration::from_secs(1);
    const SETTLE: Duration = Duration::from_hours(2);

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_second(1_700_000_000 + seconds).unwrap()
    }

    fn unknown(number: u8, since: i64, until: i64) -> Unknown {
        let entry = Entry {
            id: EntryId::new(i64::from(number)),
            survey: "checkout".parse().unwrap(),
            submission: Uuid::from_bytes([number; 16]),
            body: Vec::new(),
            attempts: 1,
            accepted_at: at(0),
        };
        Unknown { entry, since: at(since), until: at(until) }
    }

    fn shown(numbers: &[u8]) -> Seen {
        let found = numbers.iter().map(|number| Uuid::from_bytes([*number; 16])).collect();
        Seen { found, ending: Ending::Whole }
    }

    fn finding(seen: &Seen, asked_at: i64, proven: bool) -> Finding {
        let entry = unknown(1, 10, 40);
        let window = Window::of(std::slice::from_ref(&entry), None, &[]).unwrap();
        judge(&entry, &Evidence { proven, ..evidence(seen, &window, asked_at) })
    }

    /// What a look-up says where read-back is proven and nothing else is known.
    fn evidence<'a>(seen: &'a Seen, window: &'a Window, asked_at: i64) -> Evidence<'a> {
        Evidence {
            seen,
            window,
            asked_at: at(asked_at),
            proven: true,
            newer: &[],
            hopeless: false,
            takes_answers: false,
            settle: SETTLE,
        }
    }

    #[test]
    fn what_is_shown_arrived_however_early_and_unproven() {
        assert_eq!(finding(&shown(&[1]), 41, false), Finding::Found);
    }

    #[test]
    fn absence_counts_only_after_settle_and_only_where_read_back_is_proven() {
        let settled = 40 + 7_200;
        assert_eq!(finding(&shown(&[2]), settled - 1, true), Finding::Open);
        assert_eq!(finding(&shown(&[2]), settled, true), Finding::Absent);
        assert_eq!(finding(&shown(&[2]), settled, false), Finding::Undecidable);
    }

    #[test]
    fn a_refusal_decides_nothing_before_settle_and_a_failure_never() {
        assert_eq!(finding(&Seen::nothing(Ending::Refused), 50, true), Finding::Open);
        assert_eq!(finding(&Seen::nothing(Ending::Refused), 9_999, true), Finding::Undecidable);
        assert_eq!(finding(&Seen::nothing(Ending::Failed), 99_999, true), Finding::Open);
    }

    #[test]
    fn what_a_reply_showed_before_it_broke_off_arrived_and_of_the_rest_it_says_nothing() {
        let broken = |numbers: &[u8], ending| Seen { ending, ..shown(numbers) };
        for ending in [Ending::Failed, Ending::Refused] {
            assert_eq!(finding(&broken(&[1], ending), 41, false), Finding::Found);
        }
        assert_eq!(finding(&broken(&[2], Ending::Failed), 99_999, true), Finding::Open);
        let window = Window { from: at(0), to: at(100), sure: true };
        let witnesses = [7, 8].map(|number| (Uuid::from_bytes([number; 16]), at(50)));
        assert!(proven(false, &broken(&[8], Ending::Failed), &window, &witnesses));
        assert!(proven(true, &broken(&[9], Ending::Failed), &window, &witnesses));
        assert!(!proven(false, &broken(&[9], Ending::Failed), &window, &witnesses));
    }

    #[test]
    fn what_keeps_failing_is_given_up_once_answers_are_taken_or_after_a_day() {
        let entry = unknown(1, 10, 40);
        let window = Window::of(std::slice::from_ref(&entry), None, &[]).unwrap();
        let (settled, late) = (40 + 7_200, 40 + 7_200 + 86_400);
        let judged = |seen: &Seen, asked_at, hopeless, takes_answers| {
            judge(&entry, &Evidence { hopeless, takes_answers, ..evidence(seen, &window, asked_at) })
        };
        for (ending, hopeless) in [(Ending::Failed, true), (Ending::Denied, false)] {
            let seen = Seen::nothing(ending);
            assert_eq!(judged(&seen, settled, hopeless, false), Finding::Open, "{seen:?}");
            assert_eq!(judged(&seen, settled, hopeless, true), Finding::Undecidable, "{seen:?}");
            assert_eq!(judged(&seen, late, hopeless, false), Finding::Undecidable, "{seen:?}");
            assert_eq!(judged(&seen, settled - 1, true, true), Finding::Open, "{seen:?}");
        }
        assert_eq!(
            judged(&Seen::nothing(Ending::Failed), late, false, true),
            Finding::Open,
            "it may answer the next time"
        );
    }

    #[test]
    fn a_platform_that_does_not_show_what_came_after_shows_no_absence() {
        let entry = unknown(1, 10, 40);
        let newer = [(Uuid::from_bytes([7; 16]), at(50)), (Uuid::from_bytes([8; 16]), at(60))];
        let window = Window::of(std::slice::from_ref(&entry), None, &newer).unwrap();
        assert!(window.covers(at(60), at(60)));
        let judged = |seen: &Seen, asked_at| {
            judge(&entry, &Evidence { newer: &newer, ..evidence(seen, &window, asked_at) })
        };
        let settled = 40 + 7_200;
        assert_eq!(judged(&shown(&[2]), settled), Finding::Open, "it lags");
        assert_eq!(judged(&shown(&[8]), settled), Finding::Absent);
        assert_eq!(judged(&shown(&[2]), settled + 7_200), Finding::Undecidable);
        assert_eq!(judged(&shown(&[1]), settled), Finding::Found);
    }

    #[test]
    fn an_entry_outside_of_the_window_is_not_absent() {
        let old = unknown(1, -40 * 86_400, 0);
        let window = Window::of(&[old.clone(), unknown(2, 0, 60)], None, &[]).unwrap();
        let nothing = shown(&[]);
        let evidence = evidence(&nothing, &window, 99_999);
        assert_eq!(judge(&old, &evidence), Finding::Undecidable);
        assert_eq!(judge(&unknown(2, 0, 60), &evidence), Finding::Absent);
    }

    #[test]
    fn a_window_covers_the_entries_and_a_witness_but_no_more_than_31_days() {
        let entries = [unknown(1, 1_000, 1_030), unknown(2, 2_000, 2_010)];
        let window = Window::of(&entries, None, &[]).unwrap();
        assert_eq!(window, Window { from: at(700), to: at(2_310), sure: true });
        assert_eq!(Window::of(&entries, Some(at(100)), &[]).unwrap().from, at(-200));
        assert_eq!(Window::of(&entries, Some(at(5_000)), &[]).unwrap().from, at(700));
        let month_ago = at(-40 * 86_400);
        assert_eq!(Window::of(&entries, Some(month_ago), &[]).unwrap().from, at(700), "too far away to help");
        assert_eq!(Window::of(&[], None, &[]), None);
    }

    #[test]
    fn one_witness_proves_read_back_and_only_witnesses_disprove_it() {
        let window = Window { from: at(0), to: at(100), sure: true };
        let witnesses = [7, 8].map(|number| (Uuid::from_bytes([number; 16]), at(50)));
        assert!(proven(false, &shown(&[8]), &window, &witnesses));
        assert!(!proven(true, &shown(&[9]), &window, &witnesses), "it stopped showing what is there");
        let elsewhere = [(Uuid::from_bytes([7; 16]), at(500))];
        for before in [true, false] {
            assert_eq!(proven(before, &shown(&[9]), &window, &elsewhere), before);
            assert_eq!(proven(before, &Seen::nothing(Ending::Failed), &window, &witnesses), before);
        }
    }

    #[test]
    fn look_ups_grow_apart_and_one_comes_as_soon_as_absence_counts() {
        assert_eq!(first(at(0), SECOND, SETTLE), at(10));
        assert_eq!(first(at(0), SECOND, Duration::ZERO), at(0));
        let mut now = at(10);
        let mut times = Vec::new();
        while now < at(7_200) {
            now = next(now, at(0), SECOND, SETTLE);
            times.push(now.duration_since(at(0)).as_secs());
        }
        assert_eq!(times[..4], [20, 30, 45, 67]);
        assert_eq!(times.last(), Some(&7_200), "{times:?}");
        assert!(times.len() < 30, "{} calls for one entry", times.len());
        assert_eq!(next(at(7_200), at(0), SECOND, SETTLE), at(7_800));
    }

    #[test]
    fn a_touchpoint_that_fails_is_asked_ever_more_rarely() {
        assert_eq!([0, 1, 2, 9].map(|failures| pause(SECOND, failures).as_secs()), [20, 40, 80, 640]);
    }

    #[test]
    fn a_clock_that_drifted_widens_the_window_and_proves_no_absence() {
        let entry = unknown(1, 10, 40);
        let window = Window::of(std::slice::from_ref(&entry), None, &[]).unwrap();
        let same = window.clone().widened(SignedDuration::from_secs(-200));
        assert_eq!(same, window);
        let hour = SignedDuration::from_hours(1);
        let late = window.clone().widened(hour);
        assert_eq!((late.from, late.to), (window.from, window.to + hour));
        let early = window.clone().widened(-hour);
        assert_eq!((early.from, early.to), (window.from - hour, window.to));
        let years = window.clone().widened(SignedDuration::from_hours(50 * 365 * 24));
        assert_eq!((years.from, years.to), (window.from, window.to));
        let seen = shown(&[]);
        let judged = |window| judge(&entry, &Evidence { proven: true, ..evidence(&seen, window, 10_000) });
        assert_eq!((judged(&window), judged(&late)), (Finding::Absent, Finding::Undecidable));
    }
}
