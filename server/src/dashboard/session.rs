//! Who is let in: those who show the admin token, with each request or once on the login page.
//!
//! A session is a cookie that holds when it ends and a name made by chance, signed with a key that comes from the
//! token: it outlives a restart, is good at every replica, and ends for all with a new token. The name also signs the
//! forms of that session's pages. Who shows wrong tokens has to wait.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv4Addr};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use axum::extract::Request;
use axum::http::{HeaderMap, HeaderValue, header};
use base64::Engine as _;
use base64::prelude::{BASE64_STANDARD, BASE64_URL_SAFE_NO_PAD};
use hmac::{Hmac, KeyInit, Mac};
use jiff::Timestamp;
use secrecy::{ExposeSecret, SecretString};
use sha2::{Digest, Sha256};
use tokio::time::Instant;
use uuid::Uuid;

use crate::http::{ClientKey, Peer};
use crate::stranger;

/// How long somebody stays logged in.
const LASTS: Duration = Duration::from_hours(12);
/// Wrong tokens that one address may show within [`WITHIN`].
const WRONG: usize = 10;
const WITHIN: Duration = Duration::from_mins(5);
/// Addresses that are remembered for their wrong tokens, at most.
const REMEMBERED: usize = 10_000;
/// The session's cookie.
const COOKIE: &str = "afterword-session";

/// What the listener remembers of those who come.
#[derive(Clone, Debug)]
pub(super) struct Sessions(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    /// Signs forms where nobody has to log in.
    chance: Vec<u8>,
    /// The names of sessions that were ended before their time, and when that would have come.
    over: Mutex<HashMap<String, i64>>,
    /// When wrong tokens came from where, and which: a program that shows the same again and again tries nothing.
    wrong: Mutex<HashMap<ClientKey, Vec<Wrong>>>,
}

/// When a wrong token came, and its SHA-256.
type Wrong = (Instant, [u8; 32]);

/// Who asks: let in, and able to send forms.
#[derive(Clone, Debug)]
pub(super) struct Operator {
    /// What every form has to carry.
    pub(super) form_key: String,
    /// True if there is a session to end.
    pub(super) may_leave: bool,
}

/// Why somebody is not let in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Refused {
    /// No token, or a wrong one.
    Unknown,
    /// Too many wrong tokens came from the same address; none counts until then.
    Throttled(Duration),
}

impl Sessions {
    pub(super) fn new() -> Self {
        let chance = [Uuid::new_v4(), Uuid::new_v4()].map(Uuid::into_bytes).concat();
        Self(Arc::new(Shared { chance, over: Mutex::default(), wrong: Mutex::default() }))
    }

    /// Looks at what a request shows.
    pub(super) fn admit(
        &self,
        token: Option<&SecretString>,
        request: &Request,
        now: Timestamp,
    ) -> Result<Operator, Refused> {
        let Some(token) = token else {
            let form_key = signature(&self.0.chance, "form");
            return Ok(Operator { form_key, may_leave: false });
        };
        let key = key(token);
        if let Some(shown) = shown(request.headers()) {
            self.check(token, &shown, peer(request))?;
            return Ok(Operator { form_key: signature(&key, "form of a program"), may_leave: false });
        }
        let name = cookies(request.headers()).find_map(|cookie| self.session(&key, cookie, now));
        let name = name.ok_or(Refused::Unknown)?;
        Ok(Operator { form_key: signature(&key, &format!("form {name}")), may_leave: true })
    }

    /// Holds a token against the right one. Who has shown many wrong ones is not even told of a right one.
    pub(super) fn check(&self, token: &SecretString, shown: &str, peer: ClientKey) -> Result<(), Refused> {
        let now = Instant::now();
        let mut wrong = self.0.wrong.lock().unwrap_or_else(PoisonError::into_inner);
        let recent = |(at, _): &Wrong| now.saturating_duration_since(*at) < WITHIN;
        // Where too many addresses try, all new ones count as one.
        let crowded = wrong.len() >= REMEMBERED && !wrong.contains_key(&peer);
        let peer = if crowded { ClientKey::V4(Ipv4Addr::UNSPECIFIED) } else { peer };
        if let Some(times) = wrong.get_mut(&peer) {
            times.retain(recent);
            if times.len() >= WRONG {
                return Err(Refused::Throttled(WITHIN.saturating_sub(now - times[0].0)));
            }
        }
        // Hashes of equal length: comparing them tells nothing about the token by its time.
        let digest: [u8; 32] = Sha256::digest(shown.as_bytes()).into();
        if <[u8; 32]>::from(Sha256::digest(token.expose_secret())) == digest {
            return Ok(());
        }
        if crowded {
            wrong.retain(|_, times| times.iter().any(recent));
        }
        let times = wrong.entry(peer).or_default();
        if times.iter().any(|(_, known)| *known == digest) {
            return Err(Refused::Unknown);
        }
        times.push((now, digest));
        tracing::warn!(%peer, "a wrong admin token was shown");
        Err(Refused::Unknown)
    }

    /// A new session's cookie.
    pub(super) fn begin(token: &SecretString, headers: &HeaderMap, now: Timestamp) -> HeaderValue {
        let name = Uuid::new_v4().simple().to_string();
        let ends = now.as_second().saturating_add(LASTS.as_secs().cast_signed());
        let signature = signature(&key(token), &format!("session {ends} {name}"));
        cookie(&format!("{ends}.{name}.{signature}"), LASTS, headers)
    }

    /// Ends a session before its time, and gives the cookie that takes its place.
    pub(super) fn end(&self, token: &SecretString, headers: &HeaderMap, now: Timestamp) -> HeaderValue {
        let key = key(token);
        let names: Vec<String> =
            cookies(headers).filter_map(|cookie| self.session(&key, cookie, now)).collect();
        let mut over = self.0.over.lock().unwrap_or_else(PoisonError::into_inner);
        over.retain(|_, ends| *ends > now.as_second());
        over.extend(
            names
                .into_iter()
                .map(|name| (name, now.as_second().saturating_add(LASTS.as_secs().cast_signed()))),
        );
        cookie("", Duration::ZERO, headers)
    }

    /// The name of a session that is right and not over.
    fn session(&self, key: &[u8], cookie: &str, now: Timestamp) -> Option<String> {
        let (ends, rest) = cookie.split_once('.')?;
        let (name, signed) = rest.split_once('.')?;
        let right = is_signature(key, &format!("session {ends} {name}"), signed);
        let lasts = ends.parse::<i64>().is_ok_and(|ends| ends > now.as_second());
        let over = self.0.over.lock().unwrap_or_else(PoisonError::into_inner).contains_key(name);
        (right && lasts && !over).then(|| name.to_owned())
    }
}

impl Operator {
    /// True for what one of this operator's own forms carries.
    pub(super) fn sent(&self, form_key: &str) -> bool {
        Sha256::digest(form_key.as_bytes()) == Sha256::digest(self.form_key.as_bytes())
    }
}

/// Who is at the other end.
pub(super) fn peer(request: &Request) -> ClientKey {
    let peer = request.extensions().get::<Peer>();
    ClientKey::from(peer.map_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED), |peer| peer.0))
}

/// The token that a header shows: `Bearer TOKEN`, or as the password of `Basic`.
pub(super) fn shown(headers: &HeaderMap) -> Option<String> {
    let header = headers.get(header::AUTHORIZATION)?.to_str().ok()?;
    let (scheme, value) = header.split_once(' ')?;
    if scheme.eq_ignore_ascii_case("bearer") {
        return Some(value.trim().to_owned());
    }
    if !scheme.eq_ignore_ascii_case("basic") {
        return None;
    }
    let pair = String::from_utf8(BASE64_STANDARD.decode(value.trim()).ok()?).ok()?;
    pair.split_once(':').map(|(_, password)| password.to_owned())
}

fn cookies(headers: &HeaderMap) -> impl Iterator<Item = &str> {
    let lines = headers.get_all(header::COOKIE).iter().filter_map(|line| line.to_str().ok());
    let pairs = lines.flat_map(|line| line.split(';')).filter_map(|pair| pair.trim().split_once('='));
    pairs.filter(|(name, _)| *name == COOKIE).map(|(_, value)| value)
}

/// Sent back to this host only, never to a page's script, and never with what another site posts.
fn cookie(value: &str, lasts: Duration, headers: &HeaderMap) -> HeaderValue {
    // The form's own page says by what scheme it was reached, also behind a proxy.
    let origin = headers.get(header::ORIGIN).and_then(|origin| origin.to_str().ok()).unwrap_or_default();
    let secure = if origin.starts_with("https://") && !stranger::has_foreign_origin(headers) {
        "; Secure"
    } else {
        ""
    };
    let seconds = lasts.as_secs();
    let text = format!("{COOKIE}={value}; Path=/; Max-Age={seconds}; HttpOnly; SameSite=Lax{secure}");
    HeaderValue::try_from(text).unwrap_or(HeaderValue::from_static(""))
}

fn key(token: &SecretString) -> [u8; 32] {
    let mut digest = Sha256::new();
    digest.update(b"afterword sessions ");
    digest.update(token.expose_secret());
    digest.finalize().into()
}

fn mac(key: &[u8], text: &str) -> Hmac<Sha256> {
    #[expect(clippy::expect_used, reason = "every length of key will do")]
    let mut mac = Hmac::<Sha256>::new_from_slice(key).expect("HMAC takes any key");
    mac.update(text.as_bytes());
    mac
}

fn signature(key: &[u8], text: &str) -> String {
    BASE64_URL_SAFE_NO_PAD.encode(mac(key, text).finalize().into_bytes())
}

fn is_signature(key: &[u8], text: &str, signature: &str) -> bool {
    let bytes = BASE64_URL_SAFE_NO_PAD.decode(signature);
    bytes.is_ok_and(|bytes| mac(key, text).verify_slice(&bytes).is_ok())
}

#[cfg(test)]
mod tests {
    use axum::body::Body;

    use super::*;

    fn token() -> SecretString {
        SecretString::from("a secret".to_owned())
    }

    fn asking(headers: &[(&str, &str)]) -> Request {
        let request =
            headers.iter().fold(Request::builder(), |request, (name, value)| request.header(*name, *value));
        request.body(Body::empty()).unwrap()
    }

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(1_800_000_000 + second).unwrap()
    }

    /// A cookie as the browser sends it back.
    fn sent_back(cookie: &HeaderValue) -> String {
        cookie.to_str().unwrap().split(';').next().unwrap().to_owned()
    }

    #[tokio::test]
    async fn a_session_lasts_for_half_a_day_over_restarts_and_ends_with_the_token() {
        let (sessions, token) = (Sessions::new(), token());
        let cookie = Sessions::begin(&token, &HeaderMap::new(), at(0));
        let sent = sent_back(&cookie);
        let asked = |cookie: &str| asking(&[("cookie", &format!("other=1; {cookie}"))]);
        for listener in [&sessions, &Sessions::new()] {
            assert!(listener.admit(Some(&token), &asked(&sent), at(12 * 3_600 - 1)).unwrap().may_leave);
            assert_eq!(
                listener.admit(Some(&token), &asked(&sent), at(12 * 3_600)).unwrap_err(),
                Refused::Unknown
            );
            let other = SecretString::from("another".to_owned());
            assert!(listener.admit(Some(&other), &asked(&sent), at(1)).is_err());
        }
        let (ends, rest) = sent.split_once('.').unwrap();
        let longer = format!("{ends}9.{rest}");
        assert!(sessions.admit(Some(&token), &asked(&longer), at(1)).is_err(), "signed");
        sessions.end(&token, asked(&sent).headers(), at(1));
        assert!(sessions.admit(Some(&token), &asked(&sent), at(2)).is_err(), "logged out");
    }

    #[tokio::test]
    async fn a_form_is_of_one_session_only() {
        let (sessions, token) = (Sessions::new(), token());
        let mut operators = (0..2).map(|_| {
            let cookie = sent_back(&Sessions::begin(&token, &HeaderMap::new(), at(0)));
            sessions.admit(Some(&token), &asking(&[("cookie", &cookie)]), at(1)).unwrap()
        });
        let (one, other) = (operators.next().unwrap(), operators.next().unwrap());
        assert!(one.sent(&one.form_key) && !one.sent(&other.form_key) && !one.sent(""));
        let open = sessions.admit(None, &asking(&[]), at(1)).unwrap();
        assert!(
            open.sent(&open.form_key)
                && !open.sent(&Sessions::new().admit(None, &asking(&[]), at(1)).unwrap().form_key)
        );
    }

    #[tokio::test]
    async fn a_cookie_is_kept_from_scripts_and_sites_and_goes_over_tls_where_it_came_so() {
        let with = |origin: &str| {
            let request = asking(&[("origin", origin), ("host", "ops.example")]);
            Sessions::begin(&token(), request.headers(), at(0)).to_str().unwrap().to_owned()
        };
        let cookie = with("http://ops.example");
        assert!(cookie.contains("; HttpOnly; SameSite=Lax") && !cookie.contains("Secure"), "{cookie}");
        assert!(with("https://ops.example").ends_with("; Secure"));
        assert!(!with("https://evil.example").contains("Secure"));
    }

    #[tokio::test(start_paused = true)]
    async fn who_shows_wrong_tokens_has_to_wait_and_others_do_not() {
        let (sessions, token) = (Sessions::new(), token());
        let peer = |last: u8| ClientKey::V4(Ipv4Addr::new(192, 0, 2, last));
        for turn in 0..WRONG {
            assert_eq!(sessions.check(&token, &format!("wrong {turn}"), peer(1)), Err(Refused::Unknown));
            // The same again is no other try.
            assert_eq!(sessions.check(&token, "outdated", peer(2)), Err(Refused::Unknown));
            tokio::time::advance(Duration::from_secs(1)).await;
        }
        let wait = WITHIN.checked_sub(Duration::from_secs(10)).unwrap();
        assert_eq!(sessions.check(&token, "a secret", peer(1)), Err(Refused::Throttled(wait)));
        assert_eq!(sessions.check(&token, "a secret", peer(2)), Ok(()));
        tokio::time::advance(wait).await;
        assert_eq!(sessions.check(&token, "a secret", peer(1)), Ok(()));
    }

    #[test]
    fn the_token_is_shown_as_bearer_or_as_a_password() {
        let shown = |header: &str| super::shown(asking(&[("authorization", header)]).headers());
        assert_eq!(shown("Bearer secret").as_deref(), Some("secret"));
        assert_eq!(shown("basic b3BzOnNlY3JldA==").as_deref(), Some("secret"));
        for wrong in ["", "secret", "Basic c2VjcmV0", "Basic !", "Digest secret"] {
            assert_eq!(shown(wrong), None, "{wrong}");
        }
    }
}
