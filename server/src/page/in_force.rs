//! What every page says of the configuration, where its file is not in force as it is.

use maud::{Markup, html};

use super::Tone;
use crate::config::{ConfigError, Faulty, Problem};
use crate::live::{InForce, ReloadError};
use crate::page;

impl InForce {
    /// What operators have to know about the file, on any of their pages: nothing, if it is in force as it is.
    pub fn notice(&self) -> Markup {
        html! {
            @match self.trouble.as_deref() {
                Some(ReloadError::Config(ConfigError::Invalid(faulty))) => (page::notice(Tone::Bad, html! {
                    strong { "The configuration is wrong. " } "What was in force before stays in force."
                    @for Faulty { path, problems } in faulty {
                        ul.problems aria-label=(path) { @for problem in problems { (told(path, problem)) } }
                    }
                })),
                Some(error) => (page::notice(Tone::Bad, html! {
                    strong { (error.to_string()) ". " } "What was in force before stays in force."
                })),
                None => {}
            }
            @if !self.at_next_start.is_empty() {
                (page::notice(Tone::Warn, html! {
                    strong { "Start the server again: " } "new values of "
                    @for (at, key) in self.at_next_start.iter().enumerate() { @if at > 0 { ", " } code { (key) } }
                    " come into force at the next start only."
                }))
            }
        }
    }
}

fn told(path: &str, problem: &Problem) -> Markup {
    html! {
        li {
            code { (path) ":" (problem.line) ":" (problem.column) " " (problem.key) } " " (problem.message)
            @if !problem.hint.is_empty() { span.quiet { " · " (problem.hint) } }
        }
    }
}
