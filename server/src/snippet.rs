//! The tag that brings a survey to a page, with what the survey asks of the page.
//!
//! Knows nothing of who shows it, and where.

use crate::config::{MetadataSource, Survey};

/// Where the loader is that brings a survey's rules along, on a server that browsers reach at an address.
pub fn loader(server: &str, survey: &Survey) -> String {
    format!("{server}/widget.js?survey={}", survey.id)
}

/// The tag for a page.
pub fn tag(server: &str, survey: &Survey) -> String {
    bare_tag(server, survey, &attributes(survey, "data-"))
}

/// A tag with these attributes beside the loader's address.
pub fn bare_tag(server: &str, survey: &Survey, attributes: &str) -> String {
    format!("<script async src=\"{}\"{attributes}></script>", loader(server, survey))
}

/// An attribute for each key that the page tells, as ` data-meta-pieces="VALUE"`; an element's have no prefix.
pub fn attributes(survey: &Survey, prefix: &str) -> String {
    let keys: Vec<String> = page_keys(survey).map(|key| format!(" {prefix}meta-{key}=\"VALUE\"")).collect();
    keys.concat()
}

/// The keys that the page tells.
pub fn page_keys(survey: &Survey) -> impl Iterator<Item = &str> {
    survey.metadata.iter().filter_map(|rule| match &rule.source {
        MetadataSource::Page { key, .. } => Some(key.as_str()),
        _ => None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::tests::good;

    #[test]
    fn a_tag_asks_the_page_for_what_the_survey_needs_of_it() {
        let config = good();
        let survey = config.survey("checkout").unwrap();
        let source = "https://feedback.example.com/widget.js?survey=checkout";
        assert_eq!(
            tag("https://feedback.example.com", survey),
            format!("<script async src=\"{source}\" data-meta-pieces=\"VALUE\"></script>")
        );
        assert_eq!(attributes(survey, ""), " meta-pieces=\"VALUE\"");
        let without = Survey { metadata: Vec::new(), ..(**survey).clone() };
        assert_eq!(
            tag("https://feedback.example.com", &without),
            format!("<script async src=\"{source}\"></script>")
        );
    }
}
