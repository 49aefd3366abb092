//! What a visitor's browser hands in: the JSON of `POST /v1/surveys/{survey}/answers`.
//!
//! These are wire types: lenient about keys they do not know (an older replica must not lose what a
//! newer widget sends), turned into checked [`Answer`](crate::Answer)s by [`crate::answer::check`].

use std::collections::BTreeMap;
use std::fmt;

use serde::de::value::MapAccessDeserializer;
use serde::de::{Error, MapAccess, Unexpected, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use uuid::Uuid;

/// One visitor's answers to one survey.
#[derive(Clone, PartialEq, Serialize, Deserialize)]
#[serde(remote = "Self")]
pub struct Submission {
    /// Made by the browser; the idempotency key of everything that follows.
    pub submission: Uuid,
    /// The language that the visitor saw, as a BCP 47 tag.
    pub language: String,
    /// The answers, at most one for a question.
    pub answers: Vec<WireAnswer>,
    /// What the page told about the visit (`meta-…`).
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub metadata: BTreeMap<String, String>,
    /// Who answered, if the page said so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub respondent: Option<Respondent>,
    /// Where and when it was answered.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub context: Option<Context>,
    /// [`Definition::version`](crate::Definition::version) of what was answered.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub definition: Option<String>,
}

/// One answer on the wire: exactly one of the four values, words for "other" beside options.
#[derive(Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(remote = "Self")]
pub struct WireAnswer {
    /// The question's id.
    pub question: String,
    /// The step chosen.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "whole")]
    pub score: Option<i32>,
    /// The words written.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
    /// Yes (`true`) or no.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub boolean: Option<bool>,
    /// The ids of the options chosen.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub options: Option<Vec<String>>,
    /// Beside `options`: what the one called "other" means.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub other: Option<String>,
}

/// Who answered. Personal data: never logged, and kept no longer than the delivery takes.
#[derive(Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(remote = "Self")]
pub struct Respondent {
    /// The first name.
    #[serde(default)]
    pub first_name: Option<String>,
    /// The last name.
    #[serde(default)]
    pub last_name: Option<String>,
    /// The e-mail address.
    #[serde(default)]
    pub email: Option<String>,
    /// The phone number.
    #[serde(default)]
    pub phone: Option<String>,
    /// The page's own id for the visitor.
    #[serde(default)]
    pub id: Option<String>,
}

/// Where and when a survey was answered.
#[derive(Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(remote = "Self")]
pub struct Context {
    /// The page's address; the server drops its query and fragment.
    #[serde(default)]
    pub page_url: Option<String>,
    /// The address of the page before; the server drops its query and fragment.
    #[serde(default)]
    pub referrer: Option<String>,
    /// The visitor's clock at the moment of sending, RFC 3339.
    #[serde(default)]
    pub answered_at: Option<String>,
}

/// Only ids: answers and personal data do not belong in a log.
impl fmt::Debug for Submission {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("Submission").field("submission", &self.submission).finish_non_exhaustive()
    }
}

/// Reads a type from a JSON object and from nothing else: what serde derives would also take the
/// bare values in a list. `remote = "Self"` leaves the trait to us, and gives what it derived.
macro_rules! object {
    ($($name:ident),+) => {$(
        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
                struct Object;
                impl<'de> Visitor<'de> for Object {
                    type Value = $name;

                    fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
                        out.write_str("an object")
                    }

                    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<$name, A::Error> {
                        $name::deserialize(MapAccessDeserializer::new(map))
                    }
                }
                from.deserialize_map(Object)
            }
        }

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
                $name::serialize(self, to)
            }
        }
    )+};
}

object!(Submission, WireAnswer, Respondent, Context);

fn whole<'de, D: Deserializer<'de>>(from: D) -> Result<Option<i32>, D::Error> {
    Ok(Option::<Whole>::deserialize(from)?.map(|Whole(number)| number))
}

/// A whole number however it is written: to JSON, `9.0` is one as well.
struct Whole(i32);

impl<'de> Deserialize<'de> for Whole {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        from.deserialize_i32(WholeVisitor)
    }
}

struct WholeVisitor;

impl Visitor<'_> for WholeVisitor {
    type Value = Whole;

    fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("a whole number of 32 bits")
    }

    fn visit_i64<E: Error>(self, number: i64) -> Result<Whole, E> {
        let fitting = i32::try_from(number).map(Whole);
        fitting.map_err(|_| E::invalid_value(Unexpected::Signed(number), &self))
    }

    fn visit_u64<E: Error>(self, number: u64) -> Result<Whole, E> {
        let fitting = i32::try_from(number).map(Whole);
        fitting.map_err(|_| E::invalid_value(Unexpected::Unsigned(number), &self))
    }

    fn visit_f64<E: Error>(self, number: f64) -> Result<Whole, E> {
        let fits = number.fract() == 0.0 && (f64::from(i32::MIN)..=f64::from(i32::MAX)).contains(&number);
        #[expect(clippy::cast_possible_truncation, reason = "it is whole and fits")]
        let whole = fits.then_some(Whole(number as i32));
        whole.ok_or_else(|| E::invalid_value(Unexpected::Float(number), &self))
    }
}
