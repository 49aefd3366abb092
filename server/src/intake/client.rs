//! Whose request it is: the peer's, or, where the peer is a trusted proxy, whose the proxy says.
//!
//! The address told is the rightmost that is not itself a trusted proxy. Nobody else can choose what
//! counts as their address: where a list cannot be read that far, the nearest address that is sure
//! counts, which is a proxy's, and whoever sends such lists shares one limit with others who do.
//! The same goes where a trusted proxy passes on both kinds of list and they tell two addresses:
//! it wrote one, and the other may be the client's.
//!
//! A list from anybody else is ignored, and noticed: most often it means that `trusted_proxies`
//! lacks the reverse proxy, and that all visitors share one limit.

use std::net::IpAddr;

use axum::http::{HeaderMap, header};

use super::forwarded::{self, X_FORWARDED_FOR};
use crate::config::Network;
use crate::seldom::Seldom;

/// Finds out whose requests are.
#[derive(Debug)]
pub(super) struct Clients {
    trusted_proxies: Vec<Network>,
    told_of_private: Seldom,
    told_of_public: Seldom,
}

impl Clients {
    pub(super) fn new(trusted_proxies: Vec<Network>) -> Self {
        Self { trusted_proxies, told_of_private: Seldom::hourly(), told_of_public: Seldom::hourly() }
    }

    /// The address of the client; notices a list that is not trusted.
    pub(super) fn address(&self, peer: IpAddr, headers: &HeaderMap) -> IpAddr {
        if self.is_proxy(peer) {
            return self.told(peer, headers);
        }
        if headers.contains_key(&X_FORWARDED_FOR) || headers.contains_key(header::FORWARDED) {
            self.notice(peer);
        }
        peer
    }

    fn is_proxy(&self, address: IpAddr) -> bool {
        self.trusted_proxies.iter().any(|network| network.contains(address))
    }

    /// What a trusted proxy tells; the proxy itself where it tells nothing.
    fn told(&self, proxy: IpAddr, headers: &HeaderMap) -> IpAddr {
        let usual = self.walk(proxy, forwarded::x_forwarded_for(headers));
        let standard = self.walk(proxy, forwarded::forwarded(headers));
        match (usual, standard) {
            (Some(usual), Some(standard)) if usual != standard => proxy,
            (told, other) => told.or(other).unwrap_or(proxy),
        }
    }

    /// Goes from one proxy to the next until somebody is none; `None` where nothing is listed.
    fn walk(&self, proxy: IpAddr, nodes: impl Iterator<Item = Option<IpAddr>>) -> Option<IpAddr> {
        let mut nearest = None;
        for node in nodes {
            match node {
                None => return nearest.or(Some(proxy)),
                Some(address) if self.is_proxy(address) => nearest = Some(address),
                Some(address) => return Some(address),
            }
        }
        nearest
    }

    fn notice(&self, peer: IpAddr) {
        let private = is_private(peer);
        let kind = if private { "private" } else { "public" };
        metrics::counter!("afterword_untrusted_forwarded_total", "peer" => kind).increment(1);
        let told = if private { &self.told_of_private } else { &self.told_of_public };
        if !told.is_due() {
            return;
        }
        let add = if self.trusted_proxies.is_empty() {
            format!("trusted_proxies = [\"{peer}\"]")
        } else {
            format!("\"{peer}\" to trusted_proxies")
        };
        if private {
            tracing::warn!(
                %peer,
                "requests are forwarded by a proxy that is not trusted, so all visitors behind it share one \
                 limit: add {add} to the configuration (said once an hour)"
            );
        } else {
            tracing::warn!(
                %peer,
                "a request claims to be forwarded, which is ignored: if the peer is your proxy, add {add} to \
                 the configuration; if not, somebody tries to pass for others, in vain (said once an hour)"
            );
        }
    }
}

/// True for addresses that come from no public network: a reverse proxy's, most likely.
fn is_private(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => address.is_loopback() || address.is_private() || address.is_link_local(),
        IpAddr::V6(address) => {
            address.is_loopback() || address.is_unique_local() || address.is_unicast_link_local()
        }
    }
}

#[cfg(test)]
mod tests {
    use axum::http::{HeaderName, HeaderValue};
    use proptest::prelude::*;

    use super::*;
    use crate::http::ClientKey;

    fn clients() -> Clients {
        Clients::new(vec!["10.0.0.0/8".parse().unwrap(), "2001:db8:ffff::/48".parse().unwrap()])
    }

    fn ip(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    fn told(peer: &str, lists: &[(HeaderName, &str)]) -> String {
        let mut headers = HeaderMap::new();
        for (name, value) in lists {
            headers.append(name, HeaderValue::from_str(value).unwrap());
        }
        clients().address(ip(peer), &headers).to_string()
    }

    #[test]
    fn only_a_trusted_proxy_may_tell_an_address() {
        let usual = |value| told("10.0.0.1", &[(X_FORWARDED_FOR, value)]);
        for (list, client) in [
            ("192.0.2.1", "192.0.2.1"),
            ("192.0.2.66, 192.0.2.1", "192.0.2.1"),
            ("192.0.2.1, 10.0.0.2", "192.0.2.1"),
            ("192.0.2.66, 192.0.2.1, 10.0.0.3, 10.0.0.2", "192.0.2.1"),
            ("2001:db8::1, 2001:db8:ffff::1", "2001:db8::1"),
            // Nothing but proxies: the furthest.
            ("10.0.0.3, 10.0.0.2", "10.0.0.3"),
            // As far as it can be read.
            ("192.0.2.1, unknown", "10.0.0.1"),
            ("192.0.2.1, junk, 10.0.0.2", "10.0.0.2"),
            ("", "10.0.0.1"),
        ] {
            assert_eq!(usual(list), client, "{list}");
        }
        assert_eq!(told("192.0.2.9", &[(X_FORWARDED_FOR, "192.0.2.1")]), "192.0.2.9");
        assert_eq!(told("192.0.2.9", &[(header::FORWARDED, "for=192.0.2.1")]), "192.0.2.9");
        assert_eq!(told("10.0.0.1", &[(header::FORWARDED, "for=192.0.2.1")]), "192.0.2.1");
        assert_eq!(told("10.0.0.1", &[]), "10.0.0.1");
    }

    #[test]
    fn two_lists_that_tell_two_addresses_tell_none() {
        let both =
            |usual, standard| told("10.0.0.1", &[(X_FORWARDED_FOR, usual), (header::FORWARDED, standard)]);
        assert_eq!(both("192.0.2.1", "for=192.0.2.1"), "192.0.2.1");
        assert_eq!(both("192.0.2.1", "for=192.0.2.66"), "10.0.0.1");
        assert_eq!(both("192.0.2.1", "for=_hidden"), "10.0.0.1");
        assert_eq!(both("", "for=192.0.2.1"), "192.0.2.1");
    }

    #[test]
    fn a_proxys_usual_addresses_are_private() {
        for address in ["127.0.0.1", "10.0.0.1", "172.17.0.1", "192.168.1.1", "::1", "fd00::1", "fe80::1"] {
            assert!(is_private(ip(address)), "{address}");
        }
        assert!(!is_private(ip("192.0.2.1")) && !is_private(ip("2001:db8::1")));
    }

    fn bytes() -> impl Strategy<Value = Vec<u8>> {
        let likely =
            "[0-9a-f.:,;=\"\\[\\] _]{0,60}|for=\"?[0-9a-f.:\\[\\]]{0,40}\"?".prop_map(String::into_bytes);
        prop_oneof![likely, proptest::collection::vec(any::<u8>(), 0..60)]
    }

    proptest! {
        #[test]
        fn no_list_panics_and_an_untrusted_peer_stays_itself(
            usual in proptest::collection::vec(bytes(), 0..3),
            standard in proptest::collection::vec(bytes(), 0..3),
        ) {
            let mut headers = HeaderMap::new();
            for (name, values) in [(X_FORWARDED_FOR, usual), (header::FORWARDED, standard)] {
                for value in values.iter().filter_map(|value| HeaderValue::from_bytes(value).ok()) {
                    headers.append(&name, value);
                }
            }
            let own = ip("192.0.2.9");
            prop_assert_eq!(clients().address(own, &headers), own);
            clients().address(ip("10.0.0.1"), &headers);
        }

        #[test]
        fn whatever_a_client_sends_a_proxy_that_adds_its_address_tells_it(
            sent in proptest::collection::vec(bytes(), 0..3),
        ) {
            let mut headers = HeaderMap::new();
            for value in sent.iter().filter_map(|value| HeaderValue::from_bytes(value).ok()) {
                headers.append(X_FORWARDED_FOR, value);
            }
            headers.append(X_FORWARDED_FOR, HeaderValue::from_static("192.0.2.1"));
            prop_assert_eq!(clients().address(ip("10.0.0.1"), &headers), ip("192.0.2.1"));
            // A header of the other kind, which the proxy passes on, makes the client no other client.
            if let Some(Ok(value)) = sent.first().map(|value| HeaderValue::from_bytes(value)) {
                headers.append(header::FORWARDED, value);
            }
            let address = clients().address(ip("10.0.0.1"), &headers);
            let key = ClientKey::from(address);
            prop_assert!(key == ip("192.0.2.1").into() || key == ip("10.0.0.1").into());
        }
    }
}
