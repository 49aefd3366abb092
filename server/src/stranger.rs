//! Tells an operator's own requests from those that another site's page makes a browser send.
//!
//! For listeners that trust whoever reaches them: a browser on the same machine reaches them too,
//! and it runs strangers' pages. Knows only headers that pages cannot write.

use http::{HeaderMap, header};

/// The host that a request names; empty where it names none.
pub fn host(headers: &HeaderMap) -> &str {
    headers.get(header::HOST).and_then(|host| host.to_str().ok()).unwrap_or_default()
}

/// True when the host is an IP address or `localhost`: any other name may be a stranger's who lets
/// it lead here (DNS rebinding).
pub fn is_address(host: &str) -> bool {
    let name = host.rsplit_once(':').filter(|(_, port)| port.bytes().all(|it| it.is_ascii_digit()));
    let name = name.map_or(host, |(name, _)| name).trim_start_matches('[').trim_end_matches(']');
    name.eq_ignore_ascii_case("localhost") || name.parse::<std::net::IpAddr>().is_ok()
}

/// True when the request names an origin that is not the host it is sent to.
///
/// The scheme is not compared: a proxy may have taken TLS off.
pub fn has_foreign_origin(headers: &HeaderMap) -> bool {
    let origin = headers.get(header::ORIGIN).map(|origin| origin.to_str().unwrap_or_default());
    origin.is_some_and(|origin| origin.split_once("://").map(|(_, own)| own) != Some(host(headers)))
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    #[test]
    fn only_addresses_and_localhost_are_no_names() {
        for address in ["127.0.0.1", "127.0.0.1:9090", "[::1]", "[::1]:9090", "localhost:1", "LOCALHOST"] {
            assert!(is_address(address), "{address}");
        }
        for name in ["", ":80", "evil.example", "localhost.evil.example:80", "127.0.0.1.evil.example", "1:a"]
        {
            assert!(!is_address(name), "{name}");
        }
    }

    #[test]
    fn an_origin_other_than_the_host_is_foreign() {
        let foreign = |origin: Option<&'static str>| {
            let mut headers = HeaderMap::new();
            headers.insert(header::HOST, HeaderValue::from_static("127.0.0.1:9090"));
            if let Some(origin) = origin {
                headers.insert(header::ORIGIN, HeaderValue::from_static(origin));
            }
            has_foreign_origin(&headers)
        };
        assert!(!foreign(None) && !foreign(Some("http://127.0.0.1:9090")));
        for origin in ["null", "", "http://127.0.0.1", "http://127.0.0.1:9091", "https://evil.example"] {
            assert!(foreign(Some(origin)), "{origin}");
        }
    }
}
