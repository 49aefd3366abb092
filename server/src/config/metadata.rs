//! `[survey.metadata]`: what goes along with each answer, by the platform's key.

use shared::limits;

use super::reader::Value;

/// One key of the platform's metadata, and where its value comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MetadataRule {
    /// The platform's key, as written.
    pub key: String,
    /// Where its value comes from.
    pub source: MetadataSource,
}

/// Where a metadata value comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum MetadataSource {
    /// Always this.
    Fixed(String),
    /// What the page says (`meta-…`); nothing else of the page gets through.
    Page {
        /// The page's key.
        key: String,
        /// True when a submission without it is refused.
        required: bool,
    },
    /// What the server knows about the visit.
    Context(ContextKey),
}

/// What the server knows about a visit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ContextKey {
    /// The page's address without query and fragment.
    PageUrl,
    /// The address of the page before, without query and fragment.
    Referrer,
    /// `desktop`, `tablet` or `mobile`.
    Device,
    /// The language answered in, as a two-letter code.
    Language,
    /// When it was answered, RFC 3339, UTC.
    AnsweredAt,
    /// The submission's UUID.
    Submission,
}

const CONTEXT: [(&str, ContextKey); 6] = [
    ("page_url", ContextKey::PageUrl),
    ("referrer", ContextKey::Referrer),
    ("device", ContextKey::Device),
    ("language", ContextKey::Language),
    ("answered_at", ContextKey::AnsweredAt),
    ("submission", ContextKey::Submission),
];

pub(super) fn read(value: &Value<'_>) -> Option<Vec<MetadataRule>> {
    let entries = value.table()?.entries();
    if entries.len() > limits::METADATA_KEYS {
        value.problem(format!("more than {} keys", limits::METADATA_KEYS), "");
        return None;
    }
    let rule = |(key, value): &(&str, Value<'_>)| {
        if key.is_empty() || key.chars().count() > limits::METADATA_KEY {
            value.problem(format!("a key has 1 to {} characters", limits::METADATA_KEY), "");
            return None;
        }
        Some(MetadataRule { key: (*key).to_owned(), source: source(value)? })
    };
    let rules: Vec<_> = entries.iter().map(rule).collect();
    rules.into_iter().collect()
}

fn source(value: &Value<'_>) -> Option<MetadataSource> {
    if !value.is_table() {
        return value.string().map(|fixed| MetadataSource::Fixed(fixed.to_owned()));
    }
    let table = value.table()?;
    let (page, context) = (table.get("page"), table.get("context"));
    let required = table.get("required").map(|value| value.boolean());
    let source = match (page, context) {
        (Some(page), None) => {
            let key = page.string();
            let named_well = key.is_some_and(|key| page_key(key).is_some());
            if key.is_some() && !named_well {
                page.problem(
                    "a page's key has 1 to 64 of a-z, 0-9, _ and -",
                    "it becomes the attribute meta-KEY",
                );
            }
            let required = required.unwrap_or(Some(false));
            key.filter(|_| named_well)
                .zip(required)
                .map(|(key, required)| MetadataSource::Page { key: key.to_owned(), required })
        }
        (None, Some(context)) => {
            if required.is_some() {
                value.problem("`required` belongs to a page's key", "remove it");
            }
            context.one_of(&CONTEXT).map(MetadataSource::Context)
        }
        _ => {
            value.problem("one of `page` and `context` has to be here", "write { page = \"pieces\" }");
            None
        }
    };
    table.finish();
    source
}

/// A page's key is written as an attribute's name, and so has the shape of an id.
fn page_key(key: &str) -> Option<shared::QuestionId> {
    key.parse().ok()
}
