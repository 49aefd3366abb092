//! `[survey.contact]`: how a visitor may be reached, asked of those who agree to it.

use shared::{Field, ShowIf, survey::ContactField};

use super::question::{self, Question};
use super::reader::{Value, words};
use super::screens::{self, Link};
use super::text::{Languages, PerLanguage, per_language};

/// What is asked, and what the visitor agrees to.
#[derive(Clone, Debug)]
pub struct Contact {
    /// Of whom; of everybody, if absent.
    pub show_if: Option<ShowIf>,
    /// A line that asks for it.
    pub title: PerLanguage<String>,
    /// More about it.
    pub text: Option<PerLanguage<String>>,
    /// What the visitor agrees to.
    pub consent: PerLanguage<String>,
    /// Where to read what becomes of it.
    pub link: Option<Link>,
    /// What is asked of those who agree; never empty.
    pub fields: Vec<ContactField>,
}

pub(super) fn read(
    value: &Value<'_>,
    languages: &Languages,
    questions: Option<&[Question]>,
) -> Option<Contact> {
    let table = value.table()?;
    let show_if = table.optional("show_if", |value| question::read_show_if_at_the_end(value, questions?));
    let title = screens::required(&table, "title", languages);
    let text = table.optional("text", |value| per_language(value, languages, "text", words));
    let consent = screens::required(&table, "consent", languages);
    let link = table.optional("link", |value| screens::read_link(value, languages));
    let fields = Field::ALL.map(|field| {
        table.optional(field.name(), |value| value.one_of(&[("optional", false), ("required", true)]))
    });
    table.finish();
    let mut asked = Vec::new();
    for (field, required) in Field::ALL.into_iter().zip(fields) {
        asked.extend(required.ok()?.map(|required| ContactField { field, required }));
    }
    if asked.is_empty() {
        let hint = "add email = \"required\": of first_name, last_name, email and phone each is optional or required";
        value.problem("nothing is asked", hint);
        return None;
    }
    Some(Contact {
        show_if: show_if.ok()?,
        title: title?,
        text: text.ok()?,
        consent: consent?,
        link: link.ok()?,
        fields: asked,
    })
}
