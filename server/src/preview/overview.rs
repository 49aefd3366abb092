//! All frames of one survey on one page, and the list of surveys.

use std::time::Duration;

use axum::extract::rejection::QueryRejection;
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use axum::response::Response;
use maud::{Markup, html};
use serde::Deserialize;
use shared::Language;

use super::{Source, with_policy};
use crate::config::{Mode, Survey};
use crate::page::{self, Place, Tone};

/// As all operators' pages, and with frames of its own.
const POLICY: &str = "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; img-src 'self'; \
    frame-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; \
    trusted-types live";
/// How often the page looks for changes.
const LOOK: Duration = Duration::from_secs(1);
/// The ways to show a survey that visitors see.
const MODES: [Mode; 4] = [Mode::Inline, Mode::Popover, Mode::Modal, Mode::Tab];
const THEMES: [&str; 2] = ["light", "dark"];
/// In CSS pixels: the narrowest phone, a tablet, a desktop.
const WIDTHS: [u16; 3] = [320, 768, 1280];

/// What is left out; nothing, if absent.
#[derive(Clone, Default, PartialEq, Eq, Deserialize)]
pub(super) struct Filter {
    lang: Option<String>,
    mode: Option<String>,
    theme: Option<String>,
    width: Option<u16>,
}

impl Filter {
    /// What of it there is for a survey; and whether that is all of it.
    fn within(&self, survey: &Survey) -> (Self, bool) {
        let of =
            |asked: &Option<String>, has: &dyn Fn(&str) -> bool| asked.clone().filter(|asked| has(asked));
        let within = Self {
            lang: of(&self.lang, &|lang| survey.languages.iter().any(|language| language.tag() == lang)),
            mode: of(&self.mode, &|mode| MODES.map(Mode::name).contains(&mode)),
            theme: of(&self.theme, &|theme| THEMES.contains(&theme)),
            width: self.width.filter(|width| WIDTHS.contains(width)),
        };
        let whole = within == *self;
        (within, whole)
    }
}

pub(super) async fn index(State(source): State<Source>) -> Response {
    let now = source.now();
    let body = html! {
        (page::bar(Place::Preview, None))
        div.head { h1 { "Preview" } p.quiet { "Each survey in every mode, language, theme and width. Answers go nowhere." } }
        (now.notice())
        section.card { ul.previews { @for survey in &now.config.surveys {
            li { a href={ "/preview/" (survey.id) } { (survey.id) } " " span.quiet { (survey.summary()) } }
        } } }
    };
    with_policy(page::respond("Afterword: preview", Some(LOOK), &body), POLICY, false)
}

pub(super) async fn survey(
    State(source): State<Source>,
    Path(id): Path<String>,
    asked: Result<Query<Filter>, QueryRejection>,
) -> Response {
    let now = source.now();
    let Some(survey) = now.config.survey(&id) else {
        let body = html! {
            (page::bar(Place::Preview, None))
            h1 { "Preview" }
            (page::notice(Tone::Bad, html! { strong { "There is no survey “" (id) "”. " } a href=(Place::Preview.address()) { "All surveys" } }))
            (now.notice())
        };
        let mut response = page::respond("Afterword: preview", Some(LOOK), &body);
        *response.status_mut() = StatusCode::NOT_FOUND;
        return with_policy(response, POLICY, false);
    };
    let (filter, whole) = match asked {
        Ok(Query(filter)) => filter.within(survey),
        Err(_) => (Filter::default(), false),
    };
    let body = html! {
        link rel="stylesheet" href="/preview.css";
        (page::bar(Place::Preview, None))
        div.head {
            h1 { "Preview of " (survey.id) }
            p.quiet { "As the file says it now. Try it out (a modal alone): answers are checked as always, and go nowhere. " a href=(Place::Preview.address()) { "All surveys" } }
        }
        (now.notice())
        @if !whole {
            (page::notice(Tone::Warn, "The address asks for a language, a mode, a theme or a width that there is not: it is left out."))
        }
        (filters(survey, &filter))
        @for language in survey.languages.iter().filter(|language| fits(filter.lang.as_ref(), language.tag())) {
            (in_language(survey, *language, &filter, &now.files.version()))
        }
    };
    with_policy(page::respond(&format!("Preview: {}", survey.id), Some(LOOK), &body), POLICY, false)
}

fn fits(wanted: Option<&String>, one: &str) -> bool {
    wanted.is_none_or(|wanted| wanted == one)
}

fn in_language(survey: &Survey, language: Language, filter: &Filter, version: &str) -> Markup {
    let modes = MODES.map(Mode::name).into_iter().filter(|mode| fits(filter.mode.as_ref(), mode));
    html! {
        section.card.frames aria-label=(language.name()) {
            h2 {
                (language.name())
                @if language.endonym() != language.name() { " " span.quiet lang=(language.tag()) { (language.endonym()) } }
            }
            @for mode in modes {
                h3 { (mode) }
                div.row {
                    @for theme in THEMES.into_iter().filter(|theme| fits(filter.theme.as_ref(), theme)) {
                        @for width in WIDTHS.into_iter().filter(|width| filter.width.is_none_or(|wanted| wanted == *width)) {
                            (frame(survey, language, mode, theme, width, version))
                        }
                    }
                }
            }
        }
    }
}

fn frame(survey: &Survey, language: Language, mode: &str, theme: &str, width: u16, version: &str) -> Markup {
    let address = format!("/preview/{}/frame?lang={}&mode={mode}&theme={theme}", survey.id, language.tag());
    let name = format!("{mode}, {}, {theme}, {width} pixels", language.name());
    html! {
        figure {
            figcaption { (theme) ", " (width) " px · " a href=(address) target="_blank" { "alone" } }
            div class={ "window w" (width) } {
                // The version has it loaded anew when the configuration has changed.
                // A modal takes the focus, which would throw somebody who scrolls by from frame to frame.
                iframe loading="lazy" title=(name) src={ (address) "&v=" (version) } inert[mode == Mode::Modal.name()] {}
            }
        }
    }
}

/// One part of a filter.
type Part = fn(&mut Filter) -> &mut Option<String>;

/// Links that leave frames out, one list for each thing.
fn filters(survey: &Survey, filter: &Filter) -> Markup {
    let languages: Vec<String> = survey.languages.iter().map(|language| language.tag().to_owned()).collect();
    let modes = MODES.map(|mode| mode.name().to_owned()).to_vec();
    let widths = WIDTHS.map(|width| width.to_string()).to_vec();
    let lists: [(&str, Vec<String>, Part); 3] = [
        ("Language", languages, |filter| &mut filter.lang),
        ("Mode", modes, |filter| &mut filter.mode),
        ("Theme", THEMES.map(str::to_owned).to_vec(), |filter| &mut filter.theme),
    ];
    html! {
        nav.card.filters aria-label="What is shown" {
            @for (name, values, of) in lists {
                div { span.quiet { (name) }
                    @let chosen = of(&mut filter.clone()).clone();
                    (choice("all", chosen.is_none(), &with(filter, |filter| *of(filter) = None)))
                    @for value in values {
                        (choice(&value, chosen.as_ref() == Some(&value), &with(filter, |filter| *of(filter) = Some(value.clone()))))
                    }
                }
            }
            div { span.quiet { "Width" }
                (choice("all", filter.width.is_none(), &with(filter, |filter| filter.width = None)))
                @for value in widths {
                    @let width = value.parse().ok();
                    (choice(&value, filter.width == width, &with(filter, |filter| filter.width = width)))
                }
            }
        }
    }
}

fn choice(name: &str, chosen: bool, address: &str) -> Markup {
    html! { a href=(address) aria-current=[chosen.then_some("true")] { (name) } }
}

/// The address of the page with a changed filter.
fn with(filter: &Filter, change: impl FnOnce(&mut Filter)) -> String {
    let mut filter = filter.clone();
    change(&mut filter);
    let parts = [
        filter.lang.map(|lang| format!("lang={lang}")),
        filter.mode.map(|mode| format!("mode={mode}")),
        filter.theme.map(|theme| format!("theme={theme}")),
        filter.width.map(|width| format!("width={width}")),
    ];
    format!("?{}", parts.into_iter().flatten().collect::<Vec<_>>().join("&"))
}
