//! Who answered, and the one rule book for that.
//!
//! The widget asks [`fault`] before it hands in what a visitor has written; the server asks it of whatever comes.

use serde::{Deserialize, Serialize};

use crate::limits;

/// What a visitor can say about themselves.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Field {
    /// The first name.
    FirstName,
    /// The last name.
    LastName,
    /// The e-mail address.
    Email,
    /// The phone number.
    Phone,
}

impl Field {
    /// All of them, in the order in which they are asked.
    pub const ALL: [Self; 4] = [Self::FirstName, Self::LastName, Self::Email, Self::Phone];

    /// Its name in a submission.
    pub fn name(self) -> &'static str {
        match self {
            Self::FirstName => "first_name",
            Self::LastName => "last_name",
            Self::Email => "email",
            Self::Phone => "phone",
        }
    }
}

/// What is wrong with a field.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// It has more than [`limits::RESPONDENT_FIELD`] characters.
    TooLong,
    /// It holds a control character, a line end among them.
    ControlCharacter,
    /// It is no e-mail address.
    NoEmail,
}

/// What is wrong with a field that is not empty and has nothing blank around it, if anything; `None` stands for the
/// page's own id of the visitor.
pub fn fault(field: Option<Field>, value: &str) -> Option<Fault> {
    if value.chars().count() > limits::RESPONDENT_FIELD {
        Some(Fault::TooLong)
    } else if value.chars().any(|c| limits::is_forbidden(c) || c == '\n' || c == '\t') {
        Some(Fault::ControlCharacter)
    } else if field == Some(Field::Email) && !looks_like_email(value) {
        Some(Fault::NoEmail)
    } else {
        None
    }
}

/// Only what is surely wrong is refused: whether an address exists, nobody knows before writing to it.
fn looks_like_email(text: &str) -> bool {
    let Some((local, host)) = text.rsplit_once('@') else { return false };
    let quoted = local.len() > 2 && local.starts_with('"') && local.ends_with('"');
    let label = |label: &str| !label.is_empty() && !label.starts_with('-') && !label.ends_with('-');
    !text.chars().any(char::is_whitespace)
        && (quoted || !local.contains('@') && local.split('.').all(|part| !part.is_empty()))
        && host.contains('.')
        && host.split('.').all(label)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_needs_a_name_a_host_and_no_blank() {
        for good in [
            "jef@example.com",
            "jef+shop@mail.example.com",
            "\"a@b\"@example.com",
            "\"a..b.\"@example.com",
            "用户@例子.广告",
            "j@a-b.photography",
            "-o'neil_{x}=!#-@1.xn--p1ai",
            "jef@[192.0.2.1]",
        ] {
            assert_eq!(fault(Some(Field::Email), good), None, "{good}");
        }
        for wrong in [
            "jef",
            "@example.com",
            "jef@localhost",
            "jef tester@example.com",
            "jef@",
            "a@@b.nl",
            "a@b@c.nl",
            "\"@b.nl\"@",
            "\"@\"a@b.nl",
            "a@b..nl",
            "a@.b.nl",
            "a@b.nl.",
            "a@.",
            "a@-b.nl",
            "a@b-.nl",
            "a@b.-nl",
            ".a@b.nl",
            "a.@b.nl",
            "a..b@b.nl",
        ] {
            assert_eq!(fault(Some(Field::Email), wrong), Some(Fault::NoEmail), "{wrong}");
            assert_eq!(fault(Some(Field::FirstName), wrong), None, "{wrong}");
        }
    }

    #[test]
    fn no_field_has_lines_or_is_endless() {
        assert_eq!(fault(None, "a\nb"), Some(Fault::ControlCharacter));
        assert_eq!(fault(None, &"é".repeat(limits::RESPONDENT_FIELD)), None);
        assert_eq!(fault(None, &"é".repeat(limits::RESPONDENT_FIELD + 1)), Some(Fault::TooLong));
    }

    #[test]
    fn names_are_those_of_the_wire() {
        for field in Field::ALL {
            assert_eq!(serde_json::to_value(field).unwrap(), field.name());
        }
    }
}
