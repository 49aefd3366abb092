//! The rate's memory: when each client may come again. Bounded, whatever comes.
//!
//! A client that has not come for a while is like one that never came, so it is forgotten: only those
//! who came within the last minute or so have a bucket of their own. An attacker with a network of
//! IPv6, which has billions of /64s, could still fill any memory. So there are buckets for
//! [`CLIENTS`] clients, some 3 MB, and whoever comes when all are taken shares one with the
//! neighbourhood: the /16 of an IPv4 address, the /32 of an IPv6 address, of which there are
//! [`NEIGHBOURHOODS`]. That hits the attacker's own neighbours first, and not every newcomer, as one
//! bucket for all of them would; and those who are known already notice nothing.

use std::collections::HashMap;
use std::hash::{BuildHasher, RandomState};
use std::sync::{Mutex, MutexGuard, PoisonError};

use governor::clock;
use governor::middleware::NoOpMiddleware;
use governor::nanos::Nanos;
use governor::state::keyed::ShrinkableKeyedStateStore;
use governor::state::{InMemoryState, NotKeyed, StateStore};
use governor::{Quota, RateLimiter};
use tokio::time::Instant;

use crate::config::Rate;
use crate::http::ClientKey;

/// Clients with a bucket of their own.
const CLIENTS: usize = 100_000;
/// Buckets that are shared once all clients' are taken.
const NEIGHBOURHOODS: usize = 4_096;

/// A limit for each client.
pub(super) type PerClient = RateLimiter<ClientKey, Buckets, Monotonic, NoOpMiddleware<Nanos>>;
/// A limit for all of them together.
pub(super) type ForAll = RateLimiter<NotKeyed, InMemoryState, Monotonic, NoOpMiddleware<Nanos>>;

/// A rate for each client.
pub(super) fn per_client(rate: Rate) -> PerClient {
    let quota = Quota::per_minute(rate.per_minute).allow_burst(rate.burst);
    RateLimiter::new(quota, Buckets::with_room(CLIENTS), Monotonic::start())
}

/// Time since a start; follows tokio's paused time in tests.
#[derive(Clone, Copy, Debug)]
pub(super) struct Monotonic(Instant);

impl Monotonic {
    pub(super) fn start() -> Self {
        Self(Instant::now())
    }
}

impl clock::Clock for Monotonic {
    type Instant = Nanos;

    fn now(&self) -> Nanos {
        self.0.elapsed().into()
    }
}

/// The buckets of one limit. What a bucket holds is the time at which it will be full again.
#[derive(Debug)]
pub(super) struct Buckets {
    room: usize,
    /// Keyed at random: nobody can choose addresses that share a neighbourhood's bucket.
    hasher: RandomState,
    taken: Mutex<Taken>,
}

#[derive(Debug)]
struct Taken {
    own: HashMap<ClientKey, Nanos>,
    shared: Vec<Option<Nanos>>,
}

impl Buckets {
    fn with_room(room: usize) -> Self {
        let taken = Taken { own: HashMap::new(), shared: vec![None; NEIGHBOURHOODS] };
        Self { room, hasher: RandomState::new(), taken: Mutex::new(taken) }
    }

    fn taken(&self) -> MutexGuard<'_, Taken> {
        self.taken.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn shared_by(&self, key: ClientKey) -> usize {
        let buckets = NEIGHBOURHOODS as u64;
        usize::try_from(self.hasher.hash_one(key.neighbourhood()) % buckets).unwrap_or_default()
    }
}

impl StateStore for Buckets {
    type Key = ClientKey;

    fn measure_and_replace<T, F, E>(&self, key: &ClientKey, measure: F) -> Result<T, E>
    where
        F: Fn(Option<Nanos>) -> Result<(T, Nanos), E>,
    {
        let mut taken = self.taken();
        if taken.own.len() < self.room || taken.own.contains_key(key) {
            let (outcome, full_again) = measure(taken.own.get(key).copied())?;
            taken.own.insert(*key, full_again);
            return Ok(outcome);
        }
        let bucket = &mut taken.shared[self.shared_by(*key)];
        let (outcome, full_again) = measure(*bucket)?;
        *bucket = Some(full_again);
        Ok(outcome)
    }
}

impl ShrinkableKeyedStateStore<ClientKey> for Buckets {
    fn retain_recent(&self, drop_below: Nanos) {
        self.taken().own.retain(|_, full_again| *full_again > drop_below);
    }

    fn shrink_to_fit(&self) {
        self.taken().own.shrink_to_fit();
    }

    fn len(&self) -> usize {
        self.taken().own.len()
    }

    fn is_empty(&self) -> bool {
        self.taken().own.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use std::net::{IpAddr, Ipv6Addr};
    use std::num::NonZeroU32;
    use std::time::Duration;

    use governor::clock::Clock as _;

    use super::*;

    fn limiter(per_minute: u32, burst: u32, room: usize) -> PerClient {
        let number = |number| NonZeroU32::new(number).unwrap();
        let quota = Quota::per_minute(number(per_minute)).allow_burst(number(burst));
        RateLimiter::new(quota, Buckets::with_room(room), Monotonic::start())
    }

    fn key(address: impl Into<IpAddr>) -> ClientKey {
        address.into().into()
    }

    /// One of the /64s of an attacker's /32.
    fn attacker(n: u32) -> ClientKey {
        key(Ipv6Addr::from_bits(0x2001_0db8 << 96 | u128::from(n) << 64 | 1))
    }

    #[tokio::test(start_paused = true)]
    async fn a_client_has_its_burst_and_then_its_rate_and_others_have_theirs() {
        let limiter = limiter(30, 3, 100);
        let (one, other) = (key([192, 0, 2, 1]), key([192, 0, 2, 2]));
        let passed = |key| (0..10).filter(|_| limiter.check_key(&key).is_ok()).count();
        assert_eq!((passed(one), passed(other)), (3, 3));
        let refused = limiter.check_key(&one).unwrap_err();
        assert_eq!(refused.wait_time_from(limiter.clock().now()), Duration::from_secs(2));
        tokio::time::advance(Duration::from_secs(2)).await;
        assert_eq!((passed(one), passed(other)), (1, 1));
        tokio::time::advance(Duration::from_mins(1)).await;
        assert_eq!(passed(one), 3);
    }

    #[tokio::test(start_paused = true)]
    async fn a_network_full_of_clients_takes_bounded_memory_and_its_own_neighbourhood_only() {
        let limiter = limiter(30, 3, 50);
        let known = key([192, 0, 2, 1]);
        assert!(limiter.check_key(&known).is_ok());
        let passed = (0..10_000).filter(|n| limiter.check_key(&attacker(*n)).is_ok()).count();
        assert_eq!((passed, limiter.len()), (49 + 3, 50), "a bucket for the rest of the /32");
        assert!(limiter.check_key(&known).is_ok(), "who is known keeps the own bucket");
        let newcomers = (0..100).filter(|n| limiter.check_key(&key([198, *n, 0, 1])).is_ok()).count();
        assert!(newcomers >= 90, "a few may share the attacker's bucket by chance: {newcomers}");
    }

    #[tokio::test(start_paused = true)]
    async fn who_has_not_come_for_a_while_is_forgotten() {
        let limiter = limiter(30, 3, 100);
        for n in 0..100 {
            limiter.check_key(&attacker(n)).unwrap();
        }
        limiter.retain_recent();
        assert_eq!(limiter.len(), 100);
        tokio::time::advance(Duration::from_secs(10)).await;
        limiter.retain_recent();
        limiter.shrink_to_fit();
        assert!(limiter.is_empty());
    }
}
