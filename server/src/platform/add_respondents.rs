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
#[derive(Clone, Default, PartialEq, Eq, serde::Deserialize, Serialize)]
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

/// Personal data stays out.
impl std::fmt::Debug for NewRespondent {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.debug_struct("NewRespondent").field("language", &self.language).finish_non_exhaustive()
    }
}

/// What of a respondent has a name of its own at the platform; everything else is metadata.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum RespondentField {
    /// The address.
    Email,
    /// The language.
    Language,
    /// First name.
    FirstName,
    /// Last name.
    LastName,
    /// Phone number.
    Phone,
    /// The operator's own id for them.
    Id,
    /// The touchpoint.
    Touchpoint,
}

/// The platform's names of what is the person's own, for help texts.
pub const RESPONDENT_COLUMNS: &str = "firstName, lastName, email, phoneNumber, custom_UniqueID and language";

impl RespondentField {
    /// The platform's names, as its own lists have them in the first line.
    const NAMES: [(&str, Self); 8] = [
        ("email", Self::Email),
        ("language", Self::Language),
        ("language_UniqueID", Self::Language),
        ("firstName", Self::FirstName),
        ("lastName", Self::LastName),
        ("phoneNumber", Self::Phone),
        ("custom_UniqueID", Self::Id),
        ("campaign_UniqueID", Self::Touchpoint),
    ];

    /// The field that a column is for; capitals, blanks and other signs between the letters do not count.
    pub fn named(column: &str) -> Option<Self> {
        let letters = |text: &str| -> String {
            text.chars().filter(|letter| letter.is_alphanumeric()).flat_map(char::to_lowercase).collect()
        };
        let column = letters(column);
        Self::NAMES.iter().find(|(name, _)| letters(name) == column).map(|(_, field)| *field)
    }

    /// Its name at the platform.
    pub fn name(self) -> &'static str {
        Self::NAMES.iter().find(|(_, field)| *field == self).map_or("", |(name, _)| name)
    }

    /// The metadata key that a column is for; a list of objects has metadata in one of their own, as the platform does.
    pub fn metadata_key(column: &str) -> &str {
        column.strip_prefix("keyValues.").unwrap_or(column)
    }

    /// The field that a column may have been meant for, though nobody knows: as metadata it would not be made anonymous
    /// with the person (section 6).
    pub fn suspected(column: &str) -> Option<Self> {
        match column.trim().to_lowercase().as_str() {
            "phone" | "mobile" | "gsm" | "tel" | "telephone" | "telefoon" => Some(Self::Phone),
            "name" | "surname" | "family name" | "familyname" | "naam" | "nom" => Some(Self::LastName),
            "given name" | "voornaam" | "prénom" | "prenom" => Some(Self::FirstName),
            "mail" | "e-mail address" | "email address" | "emailaddress" | "e-mailadres" => Some(Self::Email),
            "id" | "customer id" | "customerid" | "klantnummer" => Some(Self::Id),
            "lang" | "locale" | "culture" | "taal" | "langue" => Some(Self::Language),
            _ => None,
        }
    }
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
    fn columns_are_known_by_the_platforms_names_however_they_are_written() {
        for (column, field) in [
            ("email", RespondentField::Email),
            ("E-mail", RespondentField::Email),
            ("FIRSTNAME", RespondentField::FirstName),
            ("First name", RespondentField::FirstName),
            ("phone_number", RespondentField::Phone),
            ("custom_UniqueID", RespondentField::Id),
            ("Language UniqueId", RespondentField::Language),
        ] {
            assert_eq!(RespondentField::named(column), Some(field), "{column}");
        }
        assert_eq!(RespondentField::named("store"), None);
        assert_eq!(
            (RespondentField::named("phone"), RespondentField::suspected("Phone")),
            (None, Some(RespondentField::Phone))
        );
        assert_eq!(RespondentField::Id.name(), "custom_UniqueID");
    }

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
