//! What proxies say about whom they forward for: `X-Forwarded-For`, and `Forwarded` (RFC 7239).
//!
//! Every proxy adds itself to the right, so a list is read from the right, and only as far as who
//! wrote it can be trusted: what stands further left may be the client's own invention. A list is
//! cut at its commas, also where a quoted text would hold one: a quotation mark that a client left
//! open must not swallow what a proxy added behind it. A piece that is not wholly well-formed
//! names nobody.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use axum::http::{HeaderMap, HeaderName, header};

/// The header that most proxies write.
pub(super) const X_FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");

/// The nodes of `X-Forwarded-For`, nearest first; `None` for one that names no address.
pub(super) fn x_forwarded_for(headers: &HeaderMap) -> impl Iterator<Item = Option<IpAddr>> {
    elements(headers, X_FORWARDED_FOR).map(|element| node(element?))
}

/// The nodes of `Forwarded`, nearest first; `None` for one that names no address.
pub(super) fn forwarded(headers: &HeaderMap) -> impl Iterator<Item = Option<IpAddr>> {
    elements(headers, header::FORWARDED).map(|element| node(forwarded_for(element?)?))
}

/// A list's elements, from the last of its last header; `None` for one that is not ASCII. Empty ones
/// do not count.
fn elements(headers: &HeaderMap, name: HeaderName) -> impl Iterator<Item = Option<&str>> {
    let values = headers.get_all(name).iter().rev();
    let pieces = values.flat_map(|value| value.as_bytes().rsplit(|byte| *byte == b','));
    pieces.map(<[u8]>::trim_ascii).filter(|piece| !piece.is_empty()).map(|piece| {
        let ascii = piece.is_ascii().then_some(piece)?;
        str::from_utf8(ascii).ok()
    })
}

/// The value of `for` in an element like `for="[2001:db8::1]:4711";proto=https`.
fn forwarded_for(element: &str) -> Option<&str> {
    let mut found = None;
    for pair in element.split(';') {
        let (name, value) = pair.trim().split_once('=')?;
        let value = match value.strip_prefix('"') {
            Some(rest) => rest.strip_suffix('"')?,
            None => value,
        };
        let plain = |c: char| c.is_ascii_graphic() && !matches!(c, '"' | '\\');
        if !value.chars().all(plain) {
            return None;
        }
        if name.eq_ignore_ascii_case("for") && found.replace(value).is_some() {
            return None;
        }
    }
    found
}

/// An address with or without a port; `None` for `unknown`, for hidden names like `_proxy`, and for
/// everything else.
fn node(text: &str) -> Option<IpAddr> {
    if let Some(rest) = text.strip_prefix('[') {
        let (address, port) = rest.split_once(']')?;
        let fine = port.is_empty() || port.strip_prefix(':').is_some_and(is_port);
        return fine.then(|| address.parse::<Ipv6Addr>().ok()).flatten().map(canonical);
    }
    if let Ok(address) = text.parse::<IpAddr>() {
        return Some(address.to_canonical());
    }
    let (address, port) = text.rsplit_once(':')?;
    let address: Ipv4Addr = address.parse().ok()?;
    is_port(port).then_some(address.into())
}

fn canonical(address: Ipv6Addr) -> IpAddr {
    IpAddr::V6(address).to_canonical()
}

/// A port, or the hidden name of one.
fn is_port(text: &str) -> bool {
    let hidden = |name: &str| {
        !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"._-".contains(&byte))
    };
    match text.strip_prefix('_') {
        Some(name) => hidden(name),
        None => (1..=5).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit()),
    }
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;

    use super::*;

    fn headers(name: &HeaderName, values: &[&str]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for value in values {
            headers.append(name, HeaderValue::from_str(value).unwrap());
        }
        headers
    }

    fn shown(nodes: impl Iterator<Item = Option<IpAddr>>) -> Vec<String> {
        nodes.map(|node| node.map_or("-".into(), |address| address.to_string())).collect()
    }

    #[test]
    fn x_forwarded_for_is_read_from_the_right_over_all_its_headers() {
        for (values, expected) in [
            (&["192.0.2.1"][..], &["192.0.2.1"][..]),
            (&["192.0.2.1, 10.0.0.1,10.0.0.2"], &["10.0.0.2", "10.0.0.1", "192.0.2.1"]),
            (&["192.0.2.1, 10.0.0.1", "10.0.0.2"], &["10.0.0.2", "10.0.0.1", "192.0.2.1"]),
            (&["192.0.2.1:4711"], &["192.0.2.1"]),
            (
                &["[2001:db8::1]:4711", "[2001:db8::2]", "2001:db8::3"],
                &["2001:db8::3", "2001:db8::2", "2001:db8::1"],
            ),
            (&["::ffff:192.0.2.1"], &["192.0.2.1"]),
            (&["[::ffff:192.0.2.1]:80"], &["192.0.2.1"]),
            (&["", ",192.0.2.1, ,"], &["192.0.2.1"]),
            (&[""], &[]),
            (&["unknown"], &["-"]),
            (&["192.0.2.1, me"], &["-", "192.0.2.1"]),
            (&["192.0.2"], &["-"]),
            (&["192.0.2.1:"], &["-"]),
            (&["192.0.2.1:port"], &["-"]),
            (&["[192.0.2.1]"], &["-"]),
            (&["[2001:db8::1"], &["-"]),
            (&["[2001:db8::1]x"], &["-"]),
            (&["2001:db8::1]:80"], &["-"]),
            (&["\"192.0.2.1\""], &["-"]),
        ] {
            assert_eq!(shown(x_forwarded_for(&headers(&X_FORWARDED_FOR, values))), expected, "{values:?}");
        }
    }

    #[test]
    fn forwarded_is_read_from_the_right_by_its_for() {
        for (values, expected) in [
            (&["for=192.0.2.1"][..], &["192.0.2.1"][..]),
            (&["For=192.0.2.1;proto=https; by=203.0.113.43"], &["192.0.2.1"]),
            (&["for=192.0.2.1, for=10.0.0.1", "for=10.0.0.2"], &["10.0.0.2", "10.0.0.1", "192.0.2.1"]),
            (&["for=\"[2001:db8:cafe::17]:4711\""], &["2001:db8:cafe::17"]),
            (&["for=\"[2001:db8:cafe::17]\";host=example.com"], &["2001:db8:cafe::17"]),
            (&["for=\"192.0.2.1:_hidden\""], &["192.0.2.1"]),
            (&["for=192.0.2.1:_"], &["-"]),
            (&["for=unknown"], &["-"]),
            (&["for=_hidden, for=_SEVKISEK"], &["-", "-"]),
            (&["proto=https"], &["-"]),
            (&["192.0.2.1"], &["-"]),
            (&["for"], &["-"]),
            (&["for=192.0.2.1;for=192.0.2.2"], &["-"]),
            (&["for=192.0.2.1;"], &["-"]),
            (&["for=\"192.0.2.1"], &["-"]),
            (&["for=192.0.2.1\""], &["-"]),
            (&["for=\"192.0.2.1\\\""], &["-"]),
            (&["for=\"192.0.2.1\"x"], &["-"]),
        ] {
            assert_eq!(shown(forwarded(&headers(&header::FORWARDED, values))), expected, "{values:?}");
        }
    }

    #[test]
    fn a_quotation_mark_left_open_swallows_nothing() {
        let headers = headers(&header::FORWARDED, &["for=\"192.0.2.66, for=192.0.2.1"]);
        assert_eq!(shown(forwarded(&headers)), ["192.0.2.1", "-"]);
        let mut raw = HeaderMap::new();
        raw.append(&X_FORWARDED_FOR, HeaderValue::from_bytes(b"192.0.2.66\xff, 192.0.2.1").unwrap());
        assert_eq!(shown(x_forwarded_for(&raw)), ["192.0.2.1", "-"]);
    }
}
