//! Whose a stored submission is, and who is mentioned in it.

use crate::accepted::Accepted;

/// An e-mail address to look for, without regard to case. Never shown.
pub(super) struct Address(String);

/// What a stored submission has to do with an address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Found {
    /// It is the respondent's.
    Theirs,
    /// It is somewhere else in it.
    Mentioned,
}

impl Address {
    /// An address, if the text looks like one.
    pub(super) fn new(text: &str) -> Option<Self> {
        let text = text.trim();
        let (local, domain) = text.rsplit_once('@')?;
        let fine = !local.is_empty() && !domain.is_empty() && !text.contains(char::is_whitespace);
        fine.then(|| Self(text.to_lowercase()))
    }

    /// What a stored submission has to do with it; a body that cannot be read mentions what is in its
    /// bytes.
    pub(super) fn in_body(&self, body: &[u8]) -> Option<Found> {
        let Ok(accepted) = serde_json::from_slice::<Accepted>(body) else {
            return self.in_text(&String::from_utf8_lossy(body)).then_some(Found::Mentioned);
        };
        let respondent = accepted.respondent.unwrap_or_default();
        if respondent.email.as_deref().is_some_and(|email| email.trim().to_lowercase() == self.0) {
            return Some(Found::Theirs);
        }
        let person =
            [respondent.email, respondent.id, respondent.first_name, respondent.last_name, respondent.phone];
        let answers = accepted.answers.iter().filter_map(|answer| answer.value.words());
        let person = person.iter().flatten();
        let mut texts = person.chain(accepted.metadata.values()).map(String::as_str).chain(answers);
        texts.any(|text| self.in_text(text)).then_some(Found::Mentioned)
    }

    /// True if the address stands in a text by itself, and not as a part of a longer one.
    fn in_text(&self, text: &str) -> bool {
        let text = text.to_lowercase();
        let in_address = |letter: char| letter.is_alphanumeric() || "._%+-".contains(letter);
        text.match_indices(&self.0).any(|(start, found)| {
            let before = text[..start].chars().next_back();
            let mut after = text[start + found.len()..].chars();
            let goes_on = match after.next() {
                Some('.') => after.next().is_some_and(char::is_alphanumeric),
                Some(letter) => letter.is_alphanumeric() || letter == '-',
                None => false,
            };
            !before.is_some_and(in_address) && !goes_on
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::accepted::StoredValue;

    fn body(email: Option<&str>, words: &str) -> Vec<u8> {
        let body = serde_json::json!({
            "language": "nl",
            "answers": [{"question": "why", "value": {"text": words}}],
            "metadata": {},
            "respondent": {"email": email},
            "answered_at": "2026-11-23T12:00:00Z",
        });
        body.to_string().into_bytes()
    }

    #[test]
    fn a_respondent_is_found_whatever_the_case() {
        let address = Address::new(" Jef@Example.COM ").unwrap();
        for email in ["jef@example.com", "JEF@EXAMPLE.COM", " jef@example.com\n"] {
            assert_eq!(address.in_body(&body(Some(email), "")), Some(Found::Theirs), "{email:?}");
        }
        for other in [Some("notjef@example.com"), Some("jef@example.com.au"), None] {
            assert_eq!(address.in_body(&body(other, "jef")), None, "{other:?}");
        }
    }

    #[test]
    fn an_address_is_mentioned_where_it_stands_by_itself() {
        let address = Address::new("jef@example.com").unwrap();
        let found = |words: &str| address.in_body(&body(Some("an@example.com"), words));
        for words in ["ask jef@example.com.", "<JEF@example.com>", "mailto:jef@example.com, or call"] {
            assert_eq!(found(words), Some(Found::Mentioned), "{words}");
        }
        for words in
            ["notjef@example.com", "jef@example.com.au", "jef@example.community", "a.jef@example.com"]
        {
            assert_eq!(found(words), None, "{words}");
        }
        assert_eq!(address.in_body(b"no JSON, but jef@example.com"), Some(Found::Mentioned));
    }

    #[test]
    fn words_for_other_are_looked_through_as_well() {
        let mut accepted: Accepted = serde_json::from_slice(&body(None, "")).unwrap();
        accepted.answers[0].value = StoredValue::OptionsWithWords(Vec::new(), "jef@example.com".into());
        let found = Address::new("jef@example.com").unwrap().in_body(&serde_json::to_vec(&accepted).unwrap());
        assert_eq!(found, Some(Found::Mentioned));
    }

    #[test]
    fn what_is_no_address_is_not_looked_for() {
        for text in ["", "jef", "@", "jef@", "@example.com", "jef tester@example.com"] {
            assert!(Address::new(text).is_none(), "{text:?}");
        }
    }
}
