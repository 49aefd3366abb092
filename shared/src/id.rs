//! Names that a survey's author gives to surveys, questions and options.
//!
//! An id is 1 to 64 characters of `a-z`, `0-9`, `_` and `-`, starting with a letter or a digit, so
//! that it can stand in a URL, an attribute and a metric's label as it is.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

/// Longest id, in bytes.
pub const MAX_LENGTH: usize = 64;

/// Why a text is no id.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum IdError {
    /// The text has no character.
    Empty,
    /// The text is longer than [`MAX_LENGTH`].
    TooLong,
    /// The text holds something else than `a-z`, `0-9`, `_`, `-`, or starts with `_` or `-`.
    Character,
}

impl fmt::Display for IdError {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(match self {
            Self::Empty => "an id needs at least one character",
            Self::TooLong => "an id has at most 64 characters",
            Self::Character => "an id has only a-z, 0-9, _ and -, and starts with a letter or a digit",
        })
    }
}

impl std::error::Error for IdError {}

fn parse(text: &str) -> Result<Box<str>, IdError> {
    let starts_well = match text.bytes().next() {
        None => return Err(IdError::Empty),
        Some(first) => first.is_ascii_lowercase() || first.is_ascii_digit(),
    };
    if text.len() > MAX_LENGTH {
        return Err(IdError::TooLong);
    }
    let allowed =
        |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_' || byte == b'-';
    if starts_well && text.bytes().all(allowed) { Ok(text.into()) } else { Err(IdError::Character) }
}

macro_rules! id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(Box<str>);

        impl $name {
            /// The id as text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl FromStr for $name {
            type Err = IdError;

            fn from_str(text: &str) -> Result<Self, IdError> {
                parse(text).map(Self)
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
                out.write_str(&self.0)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
                out.write_str(&self.0)
            }
        }

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
                to.serialize_str(&self.0)
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
                let text = Box::<str>::deserialize(from)?;
                parse(&text).map(Self).map_err(de::Error::custom)
            }
        }
    };
}

id! {
    /// Names a survey.
    SurveyId
}
id! {
    /// Names a question within its survey.
    QuestionId
}
id! {
    /// Names an option within its question.
    OptionId
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_takes_what_a_url_takes_as_it_is() {
        for good in ["a", "checkout", "check-out_2", "0", &"x".repeat(64)] {
            assert_eq!(good.parse::<SurveyId>().unwrap().as_str(), good);
        }
    }

    #[test]
    fn an_id_refuses_everything_else_with_its_reason() {
        assert_eq!("".parse::<SurveyId>(), Err(IdError::Empty));
        assert_eq!("x".repeat(65).parse::<SurveyId>(), Err(IdError::TooLong));
        for bad in ["A", "-a", "_a", "a b", "é", "a/b", "a.b", "a\n"] {
            assert_eq!(bad.parse::<QuestionId>(), Err(IdError::Character), "{bad:?}");
        }
    }
}
