//! The way from one of the operators' pages to the others.

use maud::{Markup, html};

use super::logo;

/// The operators' pages that lead to each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// How the lanes stand.
    Status,
    /// What waits for an operator.
    Letters,
    /// What is served, and what was answered.
    Surveys,
    /// What visitors see.
    Preview,
}

impl Place {
    const ALL: [Self; 4] = [Self::Status, Self::Letters, Self::Surveys, Self::Preview];

    /// Where it is.
    pub fn address(self) -> &'static str {
        match self {
            Self::Status => "/",
            Self::Letters => "/letters",
            Self::Surveys => "/surveys",
            Self::Preview => "/preview",
        }
    }

    fn name(self) -> &'static str {
        match self {
            Self::Status => "Status",
            Self::Letters => "Letters",
            Self::Surveys => "Surveys",
            Self::Preview => "Preview",
        }
    }
}

/// Leads to every place; `here` is the one that the page stands on.
pub fn bar(here: Place, way_out: Option<&Markup>) -> Markup {
    html! {
        header.bar {
            a.home href="/" { (logo()) span { "Afterword" } }
            nav aria-label="Pages" {
                @for place in Place::ALL {
                    a href=(place.address()) aria-current=[(place == here).then_some("page")] { (place.name()) }
                }
            }
            @if let Some(way_out) = way_out { (way_out) }
        }
    }
}
