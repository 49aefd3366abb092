//! The bodies of "add respondent" and "add respondents": Hello Customer API overview, sections 6 to 8, casing as it is
//! there.

use std::collections::BTreeMap;

use serde::Serialize;
use shared::Language;

use crate::config::Guid;

/// Somebody whom the platform is to survey.
///
/// The platform sends nobody anything without an address and a language. The four names of their own are what it can
/// make anonymous; `key_values` it cannot (section 6).
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct NewRespondent {
    /// The address.
    pub email: String,
    /// The language's code.
    pub language: String,
    /// First name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub first_name: Option<String>,
    /// Last name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_name: Option<String>,
    /// Phone number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub phone: Option<String>,
    /// The operator's own id for them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// Metadata.
    #[serde(default)]
    pub key_values: BTreeMap<String, String>,
}

/// The language of a respondent is none of the platform's.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the language {0:?} is none of the platform's")]
pub struct NoLanguage(pub String);

/// The JSON of one respondent; what is not known is left out.
#[derive(Serialize)]
pub(super) struct AddRespondent<'a> {
    #[serde(rename = "firstName", skip_serializing_if = "Option::is_none")]
    first_name: Option<&'a str>,
    #[serde(rename = "lastName", skip_serializing_if = "Option::is_none")]
    last_name: Option<&'a str>,
    email: &'a str,
    #[serde(rename = "phoneNumber", skip_serializing_if = "Option::is_none")]
    phone: Option<&'a str>,
    #[serde(rename = "custom_UniqueID", skip_serializing_if = "Option::is_none")]
    id: Option<&'a str>,
    #[serde(rename = "campaign_UniqueID")]
    touchpoint: &'a str,
    #[serde(rename = "language_UniqueID")]
    language: &'static str,
    #[serde(rename = "keyValues")]
    key_values: &'a BTreeMap<String, String>,
}

impl<'a> AddRespondent<'a> {
    pub(super) fn new(touchpoint: &'a Guid, new: &'a NewRespondent) -> Result<Self, NoLanguage> {
        let language = Language::matching(&new.language).ok_or_else(|| NoLanguage(new.language.clone()))?;
        Ok(Self {
            first_name: new.first_name.as_deref(),
            last_name: new.last_name.as_deref(),
            email: &new.email,
            phone: new.phone.as_deref(),
            id: new.id.as_deref(),
            touchpoint: touchpoint.as_str(),
            language: language.guid(),
            key_values: &new.key_values,
        })
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_respondent_has_the_pages_keys_and_what_is_not_known_is_left_out() {
        let touchpoint: Guid = "c8dc5f94-a9e8-4743-8744-e66a73a7e724".parse().unwrap();
        let text = |text: &str| Some(text.to_owned());
        let mut new = NewRespondent {
            email: "JohnDoe@mycompany.example".into(),
            language: "nl".into(),
            first_name: text("John"),
            last_name: text("Doe"),
            phone: text("+32486697306"),
            id: text("8754864354"),
            key_values: [("Winkel".to_owned(), "Brugge".to_owned())].into(),
        };
        let body = |new: &NewRespondent| {
            serde_json::to_value(AddRespondent::new(&touchpoint, new).unwrap()).unwrap()
        };
        let expected = json!({
            "firstName": "John",
            "lastName": "Doe",
            "email": "JohnDoe@mycompany.example",
            "phoneNumber": "+32486697306",
            "custom_UniqueID": "8754864354",
            "campaign_UniqueID": "c8dc5f94-a9e8-4743-8744-e66a73a7e724",
            "language_UniqueID": "1B5C1275-4F92-422F-B1FC-799BF8E30598",
            "keyValues": { "Winkel": "Brugge" },
        });
        assert_eq!(body(&new), expected);
        (new.first_name, new.last_name, new.phone, new.id) = (None, None, None, None);
        assert_eq!(body(&new).as_object().unwrap().len(), 4);
        new.language = "tlh".into();
        assert!(AddRespondent::new(&touchpoint, &new).is_err_and(|error| error.to_string().contains("tlh")));
    }
}
