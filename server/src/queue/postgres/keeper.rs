//! Leases: who may forward a lane.
//!
//! One task renews every lease that this process holds and applies for those it wants, in one statement
//! each. A lease ends by the database's clock; our own deadline is reckoned from a moment *before* the
//! renewal was sent, on the monotonic clock, so it is never later. When it has passed, or the database says
//! that the lease is gone, the lease is withdrawn from its owner here.
//!
//! Whatever an owner writes is fenced: its transaction first locks the lease row and sees that owner, term
//! and time still hold ([`super::statements::FENCE`]). A lane is taken over only with a lock that conflicts
//! with that one, so what an old owner has begun is either through before the new one begins, or fails.
//! A renewal takes a weaker lock, and waits for others' looks at the table only.
//!
//! A lease is also of the token that the lane is worked with. Servers that have read different files may know one token by
//! two lanes' names, and the platform counts its calls by token: while the one lane is held, the other is not to be had.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use deadpool_postgres::Pool;
use tokio::sync::{Notify, watch};
use tokio::time::Instant;
use tokio_postgres::types::Type;
use uuid::Uuid;

use super::connection::{LIMIT, Session, get, once, statement};
use crate::config::{PlatformName, TokenMark};
use crate::queue::{Lease, QueueError};
use crate::seldom::Seldom;

/// Renewals in a span, so that some may fail.
const RENEWALS: u32 = 6;
/// The time between two renewals is between these.
const SOONEST: Duration = Duration::from_millis(200);
const LATEST: Duration = Duration::from_secs(5);
/// While a lane is wanted that another server has, it is applied for this often: it may be released.
const WANTING: Duration = Duration::from_secs(1);
/// A task with no deadline looks again after this time.
const LONG: Duration = Duration::from_hours(1);

/// Whoever waits for rows here waits for them in their lanes' order, so that no two wait for each other.
const RENEW: &str = "
WITH ours AS (
    SELECT lease.lane, held.span FROM unnest($2::text[], $3::bigint[], $4::bigint[]) AS held (lane, term, span)
    JOIN afterword.lease ON lease.lane = held.lane AND lease.term = held.term
    WHERE lease.owner = $1 AND lease.expires_at > clock_timestamp()
    ORDER BY lease.lane FOR NO KEY UPDATE OF lease)
UPDATE afterword.lease SET expires_at = clock_timestamp() + ours.span * interval '1 millisecond'
FROM ours WHERE lease.lane = ours.lane
RETURNING lease.lane";

const REGISTER: &str = "
INSERT INTO afterword.lease (lane, owner, term, expires_at)
SELECT lane, $1, 0, '-infinity' FROM unnest($2::text[]) AS wanted (lane) ORDER BY lane
ON CONFLICT (lane) DO NOTHING";

/// One server after the other, so that no two find one token free under two names.
const IN_TURN: &str = "SELECT pg_advisory_xact_lock(hashtextextended('afterword.lease', 0))";

/// Keeps other lanes of the wanted tokens from being renewed until we have seen which of them are held.
/// What waits for a row looks at it again only if the row was written meanwhile, so it is.
const HOLD_STILL: &str = "
WITH others AS (
    SELECT lane FROM afterword.lease WHERE owner <> $1 AND EXISTS (
        SELECT FROM unnest($2::text[], $3::bigint[]) AS wanted (lane, token)
        WHERE wanted.token = lease.token AND wanted.lane <> lease.lane)
    ORDER BY lane FOR NO KEY UPDATE)
UPDATE afterword.lease SET token = lease.token FROM others WHERE lease.lane = others.lane";

const APPLY: &str = "
WITH free AS (
    SELECT lease.lane, wanted.token, wanted.span
    FROM unnest($2::text[], $3::bigint[], $4::bigint[]) AS wanted (lane, token, span)
    JOIN afterword.lease ON lease.lane = wanted.lane
    WHERE (lease.expires_at <= clock_timestamp() OR lease.owner = $1) AND NOT EXISTS (
        SELECT FROM afterword.lease AS other
        WHERE other.token = wanted.token AND other.lane <> wanted.lane AND other.owner <> $1
            AND other.expires_at > clock_timestamp())
    ORDER BY lease.lane FOR UPDATE OF lease SKIP LOCKED)
UPDATE afterword.lease SET owner = $1, term = lease.term + 1, token = free.token,
    expires_at = clock_timestamp() + free.span * interval '1 millisecond'
FROM free WHERE lease.lane = free.lane
RETURNING lease.lane, lease.term";

const RELEASE: &str = "UPDATE afterword.lease SET expires_at = '-infinity' WHERE lane = $1 AND owner = $2";

/// A lane that somebody here has asked for.
struct Wish {
    /// False once it is released.
    wanted: bool,
    token: TokenMark,
    span: Duration,
    lease: watch::Sender<Option<Lease>>,
}

impl Wish {
    fn held(&self) -> Option<Lease> {
        *self.lease.borrow()
    }
}

/// What this process holds and wants.
pub(super) struct Keeper {
    /// Names this process in the table.
    pub(super) owner: Uuid,
    pool: Pool,
    wishes: Mutex<HashMap<PlatformName, Wish>>,
    /// Tells the task that there is something new to ask for.
    poke: Notify,
    /// True after a release that the database did not take, until it answers again.
    away: AtomicBool,
    /// Held while the database is asked, so that a release is not overtaken by an application.
    asking: tokio::sync::Mutex<()>,
}

impl Keeper {
    pub(super) fn new(pool: Pool) -> Arc<Self> {
        Arc::new(Self {
            owner: Uuid::new_v4(),
            pool,
            wishes: Mutex::default(),
            poke: Notify::new(),
            away: AtomicBool::new(false),
            asking: tokio::sync::Mutex::default(),
        })
    }

    fn wishes(&self) -> MutexGuard<'_, HashMap<PlatformName, Wish>> {
        self.wishes.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Applies for a lane with a token, and goes on holding it until it is released.
    pub(super) fn lease(
        &self,
        lane: &PlatformName,
        token: TokenMark,
        span: Duration,
    ) -> watch::Receiver<Option<Lease>> {
        let mut wishes = self.wishes();
        let wish = wishes.entry(lane.clone()).or_insert_with(|| Wish {
            wanted: false,
            token,
            span,
            lease: watch::Sender::new(None),
        });
        if wish.token != token {
            // It is held with the other one.
            wish.lease.send_replace(None);
            wish.token = token;
            self.poke.notify_one();
        }
        if !wish.wanted || wish.span != span {
            (wish.wanted, wish.span) = (true, span);
            // A shorter span may be in the table before we hear of it.
            let soonest = Instant::now() + span;
            if let Some(lease) = wish.held().filter(|lease| lease.until > Some(soonest)) {
                wish.lease.send_replace(Some(Lease { until: Some(soonest), ..lease }));
            }
            self.poke.notify_one();
        }
        wish.lease.subscribe()
    }

    /// Gives a lane up: here at once, and in the table, so that nobody has to wait for it. A database that is away is not
    /// asked once more for each lane: the leases end by themselves.
    pub(super) async fn release(&self, lane: &PlatformName) -> Result<(), QueueError> {
        if let Some(wish) = self.wishes().get_mut(lane) {
            wish.wanted = false;
            wish.lease.send_replace(None);
        }
        let _asking = self.asking.lock().await;
        // It may have been asked for again while the lock was awaited.
        if self.wishes().get(lane).is_some_and(|wish| wish.wanted) {
            return Ok(());
        }
        if self.away.load(Ordering::Relaxed) {
            return Err(QueueError::Store("the database is away; the lease ends by itself".into()));
        }
        let values: &[_] = &[(&lane.as_str() as _, Type::TEXT), (&self.owner as _, Type::UUID)];
        let released = once(&self.pool, LIMIT, RELEASE, values).await.map(|_| ());
        self.away.store(released.is_err(), Ordering::Relaxed);
        released
    }

    /// The term in which this process owns a lane at the moment, by its own deadline.
    pub(super) fn term(&self, lane: &PlatformName) -> Option<i64> {
        let now = Instant::now();
        let held = self.wishes().get(lane).and_then(Wish::held)?;
        held.until.is_none_or(|until| until > now).then(|| i64::try_from(held.term).unwrap_or(i64::MAX))
    }

    /// Renews and applies for as long as the process lives.
    pub(super) async fn run(&self) {
        loop {
            self.while_expiring(self.ask()).await;
            let pause = self.pause();
            let next = async {
                tokio::select! {
                    () = tokio::time::sleep(pause) => {}
                    () = self.poke.notified() => {}
                }
            };
            self.while_expiring(next).await;
        }
    }

    fn pause(&self) -> Duration {
        let pause = self.shortest().map_or(LONG, |span| (span / RENEWALS).clamp(SOONEST, LATEST));
        let wanting = self.wishes().values().any(|wish| wish.wanted && wish.held().is_none());
        if wanting { pause.min(WANTING) } else { pause }
    }

    fn shortest(&self) -> Option<Duration> {
        self.wishes().values().filter(|wish| wish.wanted).map(|wish| wish.span).min()
    }

    /// Waits for something, and withdraws leases as soon as their time has come.
    async fn while_expiring(&self, work: impl Future<Output = ()>) {
        tokio::pin!(work);
        loop {
            let deadline = self.expire().unwrap_or_else(|| Instant::now() + LONG);
            tokio::select! {
                () = &mut work => return,
                () = tokio::time::sleep_until(deadline) => {}
            }
        }
    }

    /// Withdraws what has ended; says when the next one ends.
    fn expire(&self) -> Option<Instant> {
        let now = Instant::now();
        let mut next: Option<Instant> = None;
        for (lane, wish) in &*self.wishes() {
            match wish.held().and_then(|lease| lease.until) {
                Some(until) if until <= now => {
                    tracing::warn!(%lane, "the lease of the lane has ended: it could not be renewed in time");
                    wish.lease.send_replace(None);
                }
                Some(until) => next = Some(next.map_or(until, |next| next.min(until))),
                None => {}
            }
        }
        next
    }

    /// Renews what is held, then applies for what is not.
    async fn ask(&self) {
        let _asking = self.asking.lock().await;
        let outcomes = [self.renew().await, self.apply().await];
        if outcomes.iter().all(Result::is_ok) {
            self.away.store(false, Ordering::Relaxed);
        }
        for outcome in outcomes {
            if let Err(error) = outcome {
                static TOLD: Seldom = Seldom::by_the_minute();
                if TOLD.is_due() {
                    tracing::warn!(%error, "leases could not be renewed (said once a minute)");
                }
            }
        }
    }

    /// A request that takes longer than this is better made again, on another connection.
    fn limit(&self) -> Duration {
        self.shortest().map_or(LIMIT, |span| (span / 3).clamp(SOONEST, LIMIT))
    }

    async fn renew(&self) -> Result<(), QueueError> {
        let mut held: Vec<(PlatformName, i64, Duration)> = Vec::new();
        for (lane, wish) in self.wishes().iter().filter(|(_, wish)| wish.wanted) {
            if let Some(lease) = wish.held() {
                held.push((lane.clone(), i64::try_from(lease.term).unwrap_or(i64::MAX), wish.span));
            }
        }
        if held.is_empty() {
            return Ok(());
        }
        let lanes: Vec<&str> = held.iter().map(|(lane, ..)| lane.as_str()).collect();
        let terms: Vec<i64> = held.iter().map(|(_, term, _)| *term).collect();
        let spans: Vec<i64> = held.iter().map(|(.., span)| millis(*span)).collect();
        let sent = Instant::now();
        let values: &[_] = &[
            (&self.owner as _, Type::UUID),
            (&lanes as _, Type::TEXT_ARRAY),
            (&terms as _, Type::INT8_ARRAY),
            (&spans as _, Type::INT8_ARRAY),
        ];
        let rows = once(&self.pool, self.limit(), RENEW, values).await?;
        let renewed = rows.iter().map(|row| get(row, 0)).collect::<Result<Vec<&str>, _>>()?;
        let wishes = self.wishes();
        for (lane, term, span) in &held {
            let Some(wish) = wishes.get(lane) else { continue };
            // Released, or ended and not asked for again: then this answer comes too late.
            let Some(lease) = wish.held().filter(|lease| i64::try_from(lease.term) == Ok(*term)) else {
                continue;
            };
            if renewed.contains(&lane.as_str()) {
                wish.lease.send_replace(Some(Lease { until: Some(sent + *span), ..lease }));
            } else {
                tracing::warn!(%lane, "the lease of the lane is gone: another server has it");
                wish.lease.send_replace(None);
            }
        }
        Ok(())
    }

    async fn apply(&self) -> Result<(), QueueError> {
        let mut wanted: Vec<(PlatformName, TokenMark, Duration)> = Vec::new();
        for (lane, wish) in self.wishes().iter().filter(|(_, wish)| wish.wanted && wish.held().is_none()) {
            wanted.push((lane.clone(), wish.token, wish.span));
        }
        if wanted.is_empty() {
            return Ok(());
        }
        let lanes: Vec<&str> = wanted.iter().map(|(lane, ..)| lane.as_str()).collect();
        let tokens: Vec<i64> = wanted.iter().map(|(_, token, _)| token.0).collect();
        let spans: Vec<i64> = wanted.iter().map(|(.., span)| millis(*span)).collect();
        let (owner, lanes) = ((&self.owner as _, Type::UUID), (&lanes as _, Type::TEXT_ARRAY));
        let tokens = (&tokens as _, Type::INT8_ARRAY);
        let sent = Instant::now();
        let session = Session::open(&self.pool, self.limit()).await?;
        let register: &[_] = &[owner.clone(), lanes.clone()];
        let hold_still: &[_] = &[owner.clone(), lanes.clone(), tokens.clone()];
        let apply: &[_] = &[owner, lanes, tokens, (&spans as _, Type::INT8_ARRAY)];
        let statements = [
            statement(IN_TURN, &[]),
            statement(REGISTER, register),
            statement(HOLD_STILL, hold_still),
            statement(APPLY, apply),
        ];
        let rows = session.run(&statements).await?;
        let wishes = self.wishes();
        for row in rows.last().into_iter().flatten() {
            let (lane, term): (&str, i64) = (get(row, 0)?, get(row, 1)?);
            let lane = PlatformName::new(lane);
            let found = wanted.iter().find(|(wanted, ..)| *wanted == lane);
            let (Some((_, token, span)), Some(wish)) = (found, wishes.get(&lane)) else { continue };
            if wish.wanted && wish.token == *token {
                let lease =
                    Lease { term: u64::try_from(term).unwrap_or_default(), until: Some(sent + *span) };
                wish.lease.send_replace(Some(lease));
            }
        }
        Ok(())
    }

    /// Sets our own deadline of a lease, as if time or the clock had played a trick.
    #[cfg(test)]
    pub(super) fn pretend(&self, lane: &PlatformName, until: Instant) {
        if let Some(wish) = self.wishes().get(lane) {
            wish.lease.send_modify(|lease| {
                if let Some(lease) = lease {
                    lease.until = Some(until);
                }
            });
        }
    }
}

fn millis(span: Duration) -> i64 {
    i64::try_from(span.as_millis()).unwrap_or(i64::MAX)
}
