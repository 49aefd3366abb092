//! How many connections are open at a time: all of them, and those of one client.
//!
//! A connection that finds no place is closed at once. To leave it in the system's own queue would be
//! worse: nothing would tell a visitor's browser or a proxy to try elsewhere or later, whoever fills
//! the queue would keep out the others unseen, and whose connection it is could not be looked at.
//! A browser that finds the door closed keeps the answers and tries again.

use std::collections::HashMap;
use std::net::IpAddr;
use std::num::NonZeroU32;
use std::sync::{Arc, Mutex, PoisonError, RwLock};

use super::peer::ClientKey;
use super::room;
use crate::config::{Config, Limits, Network};
use crate::seldom::Seldom;

/// The places of one listener.
#[derive(Clone, Debug)]
pub struct Places(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    bounds: RwLock<Bounds>,
    taken: Mutex<Taken>,
    told: [Seldom; 2],
}

/// How many places there are.
#[derive(Clone, Debug)]
pub(super) struct Bounds {
    most: Option<NonZeroU32>,
    most_per_client: Option<NonZeroU32>,
    /// Those who connect for others: each may take as many places as there are.
    trusted_proxies: Vec<Network>,
}

/// Holds a key only while one of its connections is open, so it never outgrows them.
#[derive(Debug, Default)]
struct Taken {
    all: u32,
    by: HashMap<ClientKey, u32>,
}

impl Bounds {
    fn of(config: &Config) -> Self {
        let (granted, room) = (config.limits.connections, room::for_connections(config.platforms.len()));
        let most = granted.into_iter().chain(room).min();
        if let (Some(granted), Some(most)) = (granted, most)
            && most < granted
        {
            tracing::warn!(
                %granted,
                %most,
                "the system has not enough file descriptors for [limits] `connections`: raise their number \
                 (`LimitNOFILE`, `ulimit -n`)"
            );
        }
        Self::new(most, &config.limits, &config.trusted_proxies)
    }

    pub(super) fn new(most: Option<NonZeroU32>, limits: &Limits, trusted_proxies: &[Network]) -> Self {
        let trusted_proxies = trusted_proxies.to_vec();
        Self { most, most_per_client: limits.connections_per_address, trusted_proxies }
    }
}

/// The place of one connection; free again when it is dropped.
#[derive(Debug)]
pub(super) struct Place {
    shared: Arc<Shared>,
    client: Option<ClientKey>,
}

/// Why there is no place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Full {
    /// Every place is taken.
    All,
    /// The client has all that it may have.
    Client,
}

impl Places {
    /// The places that a configuration grants, and no more than the process has room for beside all
    /// that it has to do itself.
    pub fn new(config: &Config) -> Self {
        Self::with(Bounds::of(config))
    }

    pub(super) fn with(bounds: Bounds) -> Self {
        Self(Arc::new(Shared {
            bounds: RwLock::new(bounds),
            taken: Mutex::default(),
            told: [Seldom::hourly(), Seldom::hourly()],
        }))
    }

    /// Grants what another configuration does; who has a place keeps it.
    pub fn adopt(&self, config: &Config) {
        *self.0.bounds.write().unwrap_or_else(PoisonError::into_inner) = Bounds::of(config);
    }

    /// Takes a place for a connection, or counts and tells that there is none.
    pub(super) fn take(&self, peer: IpAddr) -> Option<Place> {
        match self.try_take(peer) {
            Ok(place) => Some(place),
            Err(full) => {
                self.tell(full, peer);
                None
            }
        }
    }

    fn try_take(&self, peer: IpAddr) -> Result<Place, Full> {
        let shared = &self.0;
        let bounds = shared.bounds.read().unwrap_or_else(PoisonError::into_inner);
        let proxy = bounds.trusted_proxies.iter().any(|network| network.contains(peer));
        let client = (!proxy).then(|| ClientKey::from(peer));
        let mut taken = shared.taken.lock().unwrap_or_else(PoisonError::into_inner);
        let full = |most: Option<NonZeroU32>, taken: u32| most.is_some_and(|most| taken >= most.get());
        if full(bounds.most, taken.all) {
            return Err(Full::All);
        }
        if let Some(client) = client {
            let own = taken.by.get(&client).copied().unwrap_or_default();
            if full(bounds.most_per_client, own) {
                return Err(Full::Client);
            }
            taken.by.insert(client, own + 1);
        }
        taken.all += 1;
        Ok(Place { shared: Arc::clone(shared), client })
    }

    fn tell(&self, full: Full, peer: IpAddr) {
        let (reason, told) = match full {
            Full::All => ("all", &self.0.told[0]),
            Full::Client => ("address", &self.0.told[1]),
        };
        metrics::counter!("afterword_connections_refused_total", "reason" => reason).increment(1);
        if !told.is_due() {
            return;
        }
        match full {
            Full::All => tracing::warn!(
                %peer,
                "too many connections: new ones are closed; see [limits] `connections` (said once an hour)"
            ),
            Full::Client => tracing::warn!(
                %peer,
                "too many connections from one address: new ones are closed; if it is your reverse proxy, \
                 add it to `trusted_proxies` (said once an hour)"
            ),
        }
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut taken = self.shared.taken.lock().unwrap_or_else(PoisonError::into_inner);
        taken.all = taken.all.saturating_sub(1);
        let Some(client) = self.client else { return };
        match taken.by.get_mut(&client) {
            Some(own) if *own > 1 => *own -= 1,
            _ => _ = taken.by.remove(&client),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn places(all: u32, per_client: u32) -> Places {
        let limits = Limits {
            visitor: None,
            requests: None,
            connections: NonZeroU32::new(all),
            connections_per_address: NonZeroU32::new(per_client),
        };
        Places::with(Bounds::new(limits.connections, &limits, &["10.0.0.0/8".parse().unwrap()]))
    }

    fn take(places: &Places, peer: &str) -> Result<Place, Full> {
        places.try_take(peer.parse().unwrap())
    }

    #[test]
    fn one_client_cannot_take_the_places_of_the_others() {
        let places = places(4, 2);
        let _first = take(&places, "2001:db8::1").unwrap();
        let second = take(&places, "2001:db8::2").unwrap();
        assert_eq!(take(&places, "2001:db8::3").unwrap_err(), Full::Client);
        let _other = take(&places, "192.0.2.1").unwrap();
        drop(second);
        take(&places, "2001:db8::3").unwrap();
    }

    #[test]
    fn a_trusted_proxy_may_take_every_place_and_no_more() {
        let places = places(4, 2);
        let mut held: Vec<_> = (0..4).map(|_| take(&places, "10.1.2.3").unwrap()).collect();
        assert_eq!(take(&places, "::ffff:10.1.2.3").unwrap_err(), Full::All);
        assert_eq!(take(&places, "192.0.2.1").unwrap_err(), Full::All);
        held.clear();
        take(&places, "192.0.2.1").unwrap();
    }

    #[test]
    fn what_is_closed_is_forgotten() {
        let places = places(1_000, 2);
        let held: Vec<_> =
            (0..200u32).map(|n| places.try_take(IpAddr::from(n.to_be_bytes())).unwrap()).collect();
        drop(held);
        let taken = places.0.taken.lock().unwrap();
        assert_eq!((taken.all, taken.by.len()), (0, 0));
    }
}
