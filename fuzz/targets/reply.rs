//! The platform's words: whatever it repeats, in whatever form and wherever it breaks off, neither our
//! token nor what the visitor wrote is kept.
//!
//! The bytes 1 to 5 stand for what is private, as it is and escaped, so that the fuzzer finds it easily.

#![no_main]

use libfuzzer_sys::fuzz_target;
use secrecy::SecretString;
use server::platform::{Private, words};

/// `operator:open sesame` in base64.
const TOKEN: &str = "b3BlcmF0b3I6b3BlbiBzZXNhbWU=";
const PASSWORD: &str = "open sesame";
const WRITTEN: &str = "Zu spät,\nund \"kaputt\" \\ 🙂.";
const EMAIL: &str = "jef@example.com";
/// As much as the client reads of a refusal.
const READ: usize = 8_192;
const KEPT: usize = 2_048;

fuzz_target!(|data: &[u8]| {
    let escaped = |text: &str| text.encode_utf16().map(|unit| format!("\\u{unit:04X}")).collect::<String>();
    let quoted = |text: &str| serde_json::to_string(text).unwrap_or_default().trim_matches('"').to_owned();
    let forms = [TOKEN.to_owned(), escaped(TOKEN), PASSWORD.to_owned(), quoted(WRITTEN), EMAIL.to_owned()];
    let mut body = Vec::new();
    for byte in data {
        match usize::from(*byte).checked_sub(1).and_then(|place| forms.get(place)) {
            Some(form) => body.extend_from_slice(form.as_bytes()),
            None => body.push(*byte),
        }
    }
    body.truncate(READ);

    let token = SecretString::from(TOKEN.to_owned());
    let long = WRITTEN.repeat(300);
    let visitors = [vec![WRITTEN, EMAIL], vec![EMAIL, &long, WRITTEN]];
    // The long one takes its time under the sanitizer.
    for visitor in &visitors[..if data.len().is_multiple_of(8) { 2 } else { 1 }] {
        let kept = words(&body, &Private::new(&token, visitor.clone()));
        assert!(kept.len() <= KEPT && !kept.chars().any(char::is_control));
        let line = WRITTEN.replace('\n', " ");
        for secret in [TOKEN, PASSWORD, EMAIL, WRITTEN, &line] {
            assert!(!kept.contains(secret), "{secret:?} in {kept:?}");
        }
    }
});
