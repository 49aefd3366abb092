//! What the pages' forms and addresses say: fields by name, and the key that only the operator's own pages have.

use std::convert::Infallible;

use axum::body::Bytes;
use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use maud::{Markup, html};

use super::session::Operator;

/// The field of the key.
const KEY: &str = "form_key";

/// The fields of a form, in their order.
pub(super) struct Fields(Vec<(String, String)>);

/// The parameters of a page's address. Whatever somebody has typed there, the page answers.
pub(super) struct Parameters(pub(super) Fields);

impl<S: Sync> FromRequestParts<S> for Parameters {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        Ok(Self(Fields::parse(parts.uri.query().unwrap_or_default().as_bytes())))
    }
}

/// A form that is not one of the operator's own pages, or of a session that is over.
#[derive(Clone, Copy, Debug)]
pub(super) struct NotOurs;

/// The hidden field that every form needs.
pub(super) fn key(operator: &Operator) -> Markup {
    html! { input type="hidden" name=(KEY) value=(operator.form_key); }
}

impl Fields {
    /// Any form's fields.
    pub(super) fn read(body: &Bytes) -> Self {
        Self::parse(body)
    }

    fn parse(text: &[u8]) -> Self {
        let pairs = url::form_urlencoded::parse(text);
        Self(pairs.map(|(name, value)| (name.into_owned(), value.into_owned())).collect())
    }

    /// The fields of one of the operator's own forms.
    pub(super) fn of(operator: &Operator, body: &Bytes) -> Result<Self, NotOurs> {
        let fields = Self::read(body);
        if operator.sent(fields.get(KEY).unwrap_or_default()) { Ok(fields) } else { Err(NotOurs) }
    }

    /// A field's value.
    pub(super) fn get(&self, name: &str) -> Option<&str> {
        self.pairs().find(|(own, _)| *own == name).map(|(_, value)| value)
    }

    /// All fields.
    pub(super) fn pairs(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(name, value)| (name.as_str(), value.as_str()))
    }
}

/// An address with parameters.
pub(super) fn address<'a>(path: &str, pairs: impl IntoIterator<Item = (&'a str, String)>) -> String {
    let mut query = url::form_urlencoded::Serializer::new(String::new());
    for (name, value) in pairs {
        query.append_pair(name, &value);
    }
    let query = query.finish();
    if query.is_empty() { path.to_owned() } else { format!("{path}?{query}") }
}
