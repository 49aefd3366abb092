//! `afterword embed`: ready snippets for the pages that show a survey.

use anyhow::Context as _;
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use clap::{Args, ValueEnum};
use sha2::{Digest, Sha384};

use super::words::say;
use crate::config::{Config, Survey};
use crate::intake::{EmbeddedWidget, NOT_BUILT};
use crate::snippet::{attributes, bare_tag, loader, page_keys, tag};

#[derive(Args)]
pub(super) struct Embed {
    #[command(flatten)]
    file: super::ConfigFile,
    /// The survey's id; every survey, if left out
    #[arg(long, short, value_name = "ID")]
    survey: Option<String>,
    /// For what; everything, if left out
    #[arg(long = "for", value_name = "KIND")]
    kind: Option<Kind>,
}

/// Where a snippet goes.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Kind {
    /// A page of your own
    Html,
    /// The same, with a loader that is pinned by its digest
    Pinned,
    /// Google Tag Manager
    Gtm,
    /// A React component
    React,
    /// A Vue component
    Vue,
    /// A WordPress theme's functions.php
    Wordpress,
}

impl Kind {
    /// What the snippet is, as a comment above it says.
    fn title(self) -> &'static str {
        match self {
            Self::Html => "HTML: where the survey belongs, or in <head>",
            Self::Pinned => "HTML, pinned: to be changed with each upgrade of the server",
            Self::Gtm => "Google Tag Manager: a tag of type Custom HTML, on the pages that ask",
            Self::React => "React: <Feedback /> where the survey belongs",
            Self::Vue => "Vue: a component; <afterword-survey> has to be a custom element to the compiler",
            Self::Wordpress => "WordPress: in the theme's functions.php",
        }
    }
}

pub(super) fn embed(arguments: &Embed) -> anyhow::Result<()> {
    let config = super::load_without_secrets(&arguments.file.config)?;
    let wanted = arguments.survey.as_deref();
    let surveys: Vec<_> =
        config.surveys.iter().filter(|survey| wanted.is_none_or(|id| survey.id.as_str() == id)).collect();
    if surveys.is_empty() {
        let known: Vec<_> = config.surveys.iter().map(|survey| survey.id.as_str()).collect();
        anyhow::bail!("there is no survey {:?}; known: {}", wanted.unwrap_or_default(), known.join(", "));
    }
    let server = server(&config)?;
    for survey in surveys {
        for kind in Kind::value_variants() {
            if arguments.kind.is_none() {
                say(&format!("# {} - {}\n\n", survey.id, kind.title()))?;
            } else if arguments.kind != Some(*kind) {
                continue;
            }
            say(&format!("{}\n\n", snippet(*kind, &server, survey)?))?;
        }
    }
    Ok(())
}

/// Where browsers reach the server.
fn server(config: &Config) -> anyhow::Result<String> {
    config.public_url.clone().context(
        "the configuration does not say where browsers reach the server; add public_url = \"https://…\" at its top",
    )
}

fn snippet(kind: Kind, server: &str, survey: &Survey) -> anyhow::Result<String> {
    let address = loader(server, survey);
    Ok(match kind {
        Kind::Html => tag(server, survey),
        Kind::Pinned => pinned(server, survey)?,
        // The tag manager drops attributes that it does not know.
        Kind::Gtm => match told(survey) {
            Some(told) => {
                format!("<script>\n  {told}\n</script>\n{}", bare_tag(server, survey, ""))
            }
            None => tag(server, survey),
        },
        Kind::React => component(REACT, &address, survey),
        Kind::Vue => component(VUE, &address, survey),
        Kind::Wordpress => {
            // It makes the tag by itself, without attributes of ours.
            let told = told(survey)
                .map(|told| format!("\n    wp_add_inline_script(\"afterword\", '{told}', \"before\");"));
            format!(
                "add_action(\"wp_enqueue_scripts\", function () {{\n    wp_enqueue_script(\"afterword\", \"{address}\", \
                 [], null, [\"strategy\" => \"async\", \"in_footer\" => true]);{}\n}});",
                told.unwrap_or_default()
            )
        }
    })
}

/// How a page tells its keys where the tag cannot; `None` if it has none to tell.
fn told(survey: &Survey) -> Option<String> {
    let pairs: Vec<_> = page_keys(survey).map(|key| format!("\"{key}\": \"VALUE\"")).collect();
    let call = |pairs: String| {
        format!("(window.afterword = window.afterword || []).push([\"setMetadata\", {{ {pairs} }}]);")
    };
    (!pairs.is_empty()).then(|| call(pairs.join(", ")))
}

fn pinned(server: &str, survey: &Survey) -> anyhow::Result<String> {
    let build = EmbeddedWidget::build().context(NOT_BUILT)?;
    let loader = EmbeddedWidget::get(&format!("{build}/widget.js")).context(NOT_BUILT)?;
    let digest = BASE64_STANDARD.encode(Sha384::digest(&loader.data));
    Ok(format!(
        "<script async src=\"{server}/a/{build}/widget.js\" data-survey=\"{}\"\n        \
         integrity=\"sha384-{digest}\" crossorigin=\"anonymous\"{}></script>",
        survey.id,
        attributes(survey, "data-"),
    ))
}

/// A component: the loader once for the page, and the element as long as the component lives.
fn component(text: &str, address: &str, survey: &Survey) -> String {
    text.replace("ADDRESS", address)
        .replace("ATTRIBUTES", &format!("survey=\"{}\"{}", survey.id, attributes(survey, "")))
}

const REACT: &str = r#"import { useEffect } from "react";

const loader = "ADDRESS";

export function Feedback() {
  useEffect(() => {
    if (document.querySelector(`script[src="${loader}"]`)) return;
    const script = Object.assign(document.createElement("script"), { src: loader, async: true });
    script.dataset.mode = "none"; // the element below is shown, and not one for the tag
    document.head.append(script);
  }, []);
  return <afterword-survey ATTRIBUTES></afterword-survey>;
}"#;

const VUE: &str = r#"<script setup>
import { onMounted } from "vue";

const loader = "ADDRESS";

onMounted(() => {
  if (document.querySelector(`script[src="${loader}"]`)) return;
  const script = Object.assign(document.createElement("script"), { src: loader, async: true });
  script.dataset.mode = "none"; // the element below is shown, and not one for the tag
  document.head.append(script);
});
</script>

<template>
  <afterword-survey ATTRIBUTES></afterword-survey>
</template>"#;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::tests::good;

    #[test]
    fn every_snippet_tells_what_the_survey_needs_of_the_page() {
        let config = good();
        let survey = config.survey("checkout").unwrap();
        let of = |kind, survey: &Survey| snippet(kind, "https://feedback.example.com", survey).unwrap();
        let without = Survey { metadata: Vec::new(), ..(**survey).clone() };
        for kind in Kind::value_variants().iter().copied().filter(|kind| *kind != Kind::Pinned) {
            assert!(of(kind, survey).contains("pieces"), "{}", kind.title());
            assert!(!of(kind, &without).contains("VALUE"), "{}", kind.title());
        }
        let told =
            "(window.afterword = window.afterword || []).push([\"setMetadata\", { \"pieces\": \"VALUE\" }]);";
        assert!(of(Kind::Gtm, survey).starts_with(&format!("<script>\n  {told}\n</script>\n<script async")));
        let line = format!("\n    wp_add_inline_script(\"afterword\", '{told}', \"before\");\n}});");
        assert!(of(Kind::Wordpress, survey).ends_with(&line), "{}", of(Kind::Wordpress, survey));
    }
}
