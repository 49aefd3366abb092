//! The other end of a connection, and what clients are told apart by.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// The address at the other end of a request's connection; an extension of every request.
/// IPv4 mapped into IPv6 is IPv4.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Peer(pub IpAddr);

/// What one client is told from another by: its IPv4 address, or the /64 of its IPv6 address, which
/// is the least that a household or a server gets; within it, it may change its address at will.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ClientKey {
    /// An address.
    V4(Ipv4Addr),
    /// The first half of an address.
    V6(u64),
}

impl fmt::Display for ClientKey {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::V4(address) => address.fmt(out),
            Self::V6(network) => write!(out, "{}/64", Ipv6Addr::from_bits(u128::from(*network) << 64)),
        }
    }
}

impl From<IpAddr> for ClientKey {
    fn from(address: IpAddr) -> Self {
        match address.to_canonical() {
            IpAddr::V4(address) => Self::V4(address),
            IpAddr::V6(address) => {
                let [a, b, c, d, ..] = address.segments().map(u64::from);
                Self::V6(a << 48 | b << 32 | c << 16 | d)
            }
        }
    }
}

impl ClientKey {
    /// The neighbourhood: the /16 of an IPv4 address, the /32 of an IPv6 address, about what one
    /// provider hands out.
    pub(crate) fn neighbourhood(self) -> Self {
        match self {
            Self::V4(address) => Self::V4(Ipv4Addr::from_bits(address.to_bits() >> 16 << 16)),
            Self::V6(half) => Self::V6(half >> 32 << 32),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(address: &str) -> ClientKey {
        address.parse::<IpAddr>().unwrap().into()
    }

    #[test]
    fn a_client_is_an_ipv4_address_or_an_ipv6_64() {
        assert_ne!(key("192.0.2.1"), key("192.0.2.2"));
        assert_eq!(key("192.0.2.1"), key("::ffff:192.0.2.1"));
        assert_eq!(key("2001:db8:1:2::1"), key("2001:db8:1:2:ffff:ffff:ffff:ffff"));
        assert_ne!(key("2001:db8:1:2::1"), key("2001:db8:1:3::1"));
        assert_ne!(key("192.0.2.1"), key("::192.0.2.1"), "not mapped, so not IPv4");
        assert_eq!(key("::ffff:192.0.2.1").to_string(), "192.0.2.1");
        assert_eq!(key("2001:db8:1:2::1").to_string(), "2001:db8:1:2::/64");
    }

    #[test]
    fn a_neighbourhood_is_a_16_or_a_32() {
        assert_eq!(key("192.0.2.1").neighbourhood(), key("192.0.255.255").neighbourhood());
        assert_ne!(key("192.0.2.1").neighbourhood(), key("192.1.2.1").neighbourhood());
        assert_eq!(key("2001:db8:1:2::1").neighbourhood(), key("2001:db8:ffff:ffff::").neighbourhood());
        assert_ne!(key("2001:db8::").neighbourhood(), key("2001:db9::").neighbourhood());
    }
}
