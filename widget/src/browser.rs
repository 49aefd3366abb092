//! What the widget asks of the browser itself: clock, randomness, the page's address, events.

use uuid::Builder;
use wasm_bindgen::JsValue;
use web_sys::{CustomEvent, CustomEventInit, HtmlElement};

/// The visitor's clock, in milliseconds since 1970.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a date before 1970 becomes 1970, which is right enough"
)]
pub(crate) fn now() -> u64 {
    js_sys::Date::now() as u64
}

/// The visitor's clock, as RFC 3339 in UTC.
pub(crate) fn now_text() -> String {
    js_sys::Date::new_0().to_iso_string().into()
}

/// A new UUID v4 in its usual writing. `crypto.randomUUID` is absent from pages without TLS; `getRandomValues` is not.
pub(crate) fn uuid() -> String {
    let mut bytes = [0; 16];
    let crypto = web_sys::window().and_then(|window| window.crypto().ok());
    let filled = crypto.and_then(|crypto| crypto.get_random_values_with_u8_array(&mut bytes).ok());
    if filled.is_none() {
        bytes = std::array::from_fn(|_| random());
    }
    let uuid = Builder::from_random_bytes(bytes).into_uuid();
    uuid.hyphenated().encode_lower(&mut [0; 36]).to_owned()
}

/// A random byte, for whatever nobody gains by guessing.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "0 to 255 fits")]
pub(crate) fn random() -> u8 {
    (js_sys::Math::random() * 256.0) as u8
}

/// The page's address without query and fragment, which may hold what is nobody's business.
pub(crate) fn page_url() -> Option<String> {
    let location = web_sys::window()?.location();
    address(&(location.origin().ok()? + &location.pathname().ok()?))
}

/// The address of the page before, cut in the same way.
pub(crate) fn referrer() -> Option<String> {
    address(&web_sys::window()?.document()?.referrer())
}

/// The part of an address that may be told; `None` for what has no host.
fn address(url: &str) -> Option<String> {
    let end = url.bytes().position(|byte| byte == b'?' || byte == b'#').unwrap_or(url.len());
    url.starts_with("http").then(|| url[..end].to_owned())
}

/// Tells the page that something happened: ids and steps as JSON, never words.
pub(crate) fn emit(host: &HtmlElement, name: &str, detail: &str) {
    let init = CustomEventInit::new();
    init.set_bubbles(true);
    init.set_composed(true);
    init.set_detail(&js_sys::JSON::parse(detail).unwrap_or(JsValue::NULL));
    if let Ok(event) = CustomEvent::new_with_event_init_dict(&["afterword:", name].concat(), &init) {
        // A page that cancels it changes nothing.
        host.dispatch_event(&event).ok();
    }
}

#[cfg(test)]
mod tests {
    use super::address;

    #[test]
    fn an_address_loses_query_and_fragment() {
        let cut = |url| address(url);
        assert_eq!(cut("https://shop.example/a?token=1#x").as_deref(), Some("https://shop.example/a"));
        assert_eq!(cut("https://shop.example/a#x?y").as_deref(), Some("https://shop.example/a"));
        assert_eq!(cut("https://shop.example/").as_deref(), Some("https://shop.example/"));
        assert_eq!(cut(""), None);
        assert_eq!(cut("nullsrcdoc"), None);
    }
}
