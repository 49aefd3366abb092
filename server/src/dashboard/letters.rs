//! `/letters`: what waits for an operator, to be read, sent again or given up, one by one or together.
//!
//! What cannot be undone is asked twice: a page says what would go, and wants to hear that it is meant. What came
//! into its state after the operator looked is left alone.

use axum::Router;
use axum::body::Bytes;
use axum::extract::{DefaultBodyLimit, Extension, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::{get, post};
use maud::{Markup, html};
use uuid::Uuid;

use super::form::{self, Fields, Parameters};
use super::frame::{self, Place};
use super::session::Operator;
use super::{Dashboard, entry, time};
use crate::operator::{
    self, ChangeReply, ChangeRequest, ListRequest, Listing, OperatorError, Row, Selection, StateName,
};
use crate::page::{self, Tone};
use crate::queue::{Change, State as EntryState};

/// Entries on one page.
const LISTED: u32 = 50;
/// A form with every entry of a page selected, and some more.
const LARGEST: usize = 1 << 20;
/// What waits for an operator.
const STUCK: [EntryState; 2] = [EntryState::Dead, EntryState::Parked];
/// What the filter offers, as parameters of an address.
const STATES: [(&str, &str); 6] = [
    ("dead,parked", "Dead letters and parked"),
    ("dead", "Dead letters"),
    ("parked", "Parked"),
    ("unknown", "Looked up"),
    ("delayed", "To be tried again"),
    ("waiting,delayed,sending,unknown,parked,dead", "All that is open"),
];

pub(super) fn routes() -> Router<Dashboard> {
    Router::new()
        .route("/letters", get(list))
        .route("/letters/change", post(change))
        .route("/letters/{submission}", get(entry::page))
        .layer(DefaultBodyLimit::max(LARGEST))
}

/// What a page of letters was asked for.
struct Wish {
    selection: Selection,
    after: Option<Uuid>,
    /// What was done just before, for the page to say so.
    done: Option<Done>,
}

impl Wish {
    fn read<'a>(pairs: impl Iterator<Item = (&'a str, &'a str)>) -> Result<Self, String> {
        let mut wish = Self { selection: Selection::default(), after: None, done: None };
        for (name, value) in pairs.filter(|(_, value)| !value.trim().is_empty()) {
            match name {
                "after" => wish.after = value.parse().ok(),
                "done" => wish.done = Done::read(value),
                _ => {
                    if let Some(Err(wrong)) = wish.selection.take(name, value.trim()) {
                        return Err(wrong);
                    }
                }
            }
        }
        if wish.selection.states.is_empty() {
            wish.selection.states = STUCK.map(StateName).into();
        }
        Ok(wish)
    }

    /// True if nothing is asked for but what waits for an operator.
    fn is_usual(&self) -> bool {
        self.selection == Selection { states: STUCK.map(StateName).into(), ..Selection::default() }
    }

    /// What is asked for and is not configured, in words: it may be mistyped.
    fn unknown(&self, dashboard: &Dashboard) -> Vec<String> {
        let config = dashboard.live.config();
        let survey = self.selection.survey.as_ref().filter(|id| config.survey(id.as_str()).is_none());
        let lane = self.selection.lane.as_deref().filter(|name| config.platform(name).is_none());
        let words =
            [survey.map(|id| format!("No survey “{id}”")), lane.map(|name| format!("No lane “{name}”"))];
        words.into_iter().flatten().collect()
    }

    /// The page to go back to after a change.
    fn back(&self) -> Self {
        let selection = Selection { submissions: Vec::new(), ..self.selection.clone() };
        Self { selection, after: None, done: None }
    }

    /// The same page, with something after or something done.
    fn address(&self, more: Option<(&'static str, String)>) -> String {
        form::address("/letters", self.selection.pairs().into_iter().chain(more))
    }
}

async fn list(
    State(dashboard): State<Dashboard>,
    Extension(operator): Extension<Operator>,
    Parameters(asked): Parameters,
) -> Response {
    let wish = match Wish::read(asked.pairs()) {
        Ok(wish) => wish,
        Err(wrong) => return unreadable(&dashboard, &operator, &wrong),
    };
    let request =
        ListRequest { selection: wish.selection.clone(), limit: LISTED, after: wish.after, newest: false };
    let body = match operator::list(&*dashboard.queue, &request).await {
        Ok(listing) => body(&dashboard, &operator, &wish, &listing),
        Err(OperatorError::Queue(error)) => frame::broken("Letters", &error),
        Err(error) => return unreadable(&dashboard, &operator, &error.to_string()),
    };
    frame::live(&dashboard, &operator, Place::Letters, "Letters", &body)
}

fn unreadable(dashboard: &Dashboard, operator: &Operator, wrong: &str) -> Response {
    let words = html! { (wrong) ". " a href="/letters" { "All letters" } };
    let status = (StatusCode::UNPROCESSABLE_ENTITY, "Letters");
    frame::refusal(dashboard, operator, Place::Letters, status, &words)
}

fn body(dashboard: &Dashboard, operator: &Operator, wish: &Wish, listing: &Listing) -> Markup {
    let now = dashboard.clock.now();
    html! {
        div.head {
            h1 { "Letters" }
            p.quiet { "Dead letters were refused by the platform; parked ones may have arrived. Both stay until you send them again or give them up." }
        }
        @if let Some(done) = &wish.done { (page::notice(done.tone(), html! { (done.said()) })) }
        (filters(dashboard, wish))
        @if listing.entries.is_empty() {
            section.card.empty {
                h2 { (page::pill(Tone::Good, "nothing here")) }
                p {
                    @if wish.is_usual() { "Nothing waits for you." } @else { "No entry is like this." }
                    @for unknown in wish.unknown(dashboard) { " " (unknown) " is configured." }
                    @if !wish.is_usual() { " " a href="/letters" { "All letters" } }
                    @if wish.after.is_some() { " " a href=(wish.address(None)) { "To the first" } }
                }
            }
        } @else {
            form.card method="post" action="/letters/change" {
                (form::key(operator))
                input type="hidden" name="as_of" value=(now);
                @for (name, value) in wish.selection.pairs() { input type="hidden" name=(name) value=(value); }
                div.scroll.first { table.cards {
                    thead { tr {
                        th { span.hidden { "Select" } } th { "Submission" } th { "Survey" } th { "State" }
                        th.number { "Calls" } th.number { "Ago" } th { "Why" }
                    } }
                    tbody { @for row in &listing.entries { (self::row(row, now)) } }
                } }
                div.row {
                    div.actions {
                        button.loud name="do" value="retry" { "Send selected again" }
                        button name="do" value="discard" { "Discard selected …" }
                    }
                    div.actions {
                        button name="do" value="retry-all" { "Send all of these again …" }
                        button name="do" value="discard-all" { "Discard all of these …" }
                    }
                    @if let Some(last) = listing.entries.last().filter(|_| listing.more) {
                        a.next href=(wish.address(Some(("after", last.submission.to_string())))) { "Next " (LISTED) }
                    }
                }
            }
        }
    }
}

fn filters(dashboard: &Dashboard, wish: &Wish) -> Markup {
    let config = dashboard.live.config();
    let pairs = wish.selection.pairs();
    let has = |name: &str| pairs.iter().find(|(own, _)| *own == name).map(|(_, value)| value.as_str());
    let (state, survey, lane) = (has("state"), has("survey"), has("lane"));
    html! {
        form.card.filter method="get" action="/letters" {
            div { label for="state" { "State" } select #state name="state" {
                @for (value, name) in STATES { option value=(value) selected[state == Some(value)] { (name) } }
            } }
            div { label for="survey" { "Survey" } select #survey name="survey" {
                option value="" { "Any" }
                @for each in &config.surveys { option selected[survey == Some(each.id.as_str())] { (each.id) } }
            } }
            @if config.platforms.len() > 1 {
                div { label for="lane" { "Lane" } select #lane name="lane" {
                    option value="" { "Any" }
                    @for each in &config.platforms { option selected[lane == Some(each.name.as_str())] { (each.name) } }
                } }
            }
            div.wide { label for="words" { "Words of the platform" }
                input #words type="search" name="error_contains" value=[has("error_contains")];
            }
            button { "Filter" }
        }
    }
}

fn row(row: &Row, now: jiff::Timestamp) -> Markup {
    let since = row.settled_at.unwrap_or(row.accepted_at);
    html! {
        tr id={ "e" (row.submission) } {
            td { label.check { input type="checkbox" name="submission" value=(row.submission);
                span.hidden { "Select " (row.submission) } } }
            td.name { a href={ "/letters/" (row.submission) } { code { (row.submission) } } }
            td { (row.survey) }
            td { (page::pill(tone(row.state.0), row.state.0.name())) }
            td.number data-name="Calls" { (row.attempts) }
            td.number data-name="Ago" { (time::span(now, since)) }
            td.wide { (row.last_error.as_deref().unwrap_or("–")) }
        }
    }
}

pub(super) fn tone(state: EntryState) -> Tone {
    match state {
        EntryState::Dead | EntryState::Parked => Tone::Bad,
        EntryState::Delivered => Tone::Good,
        EntryState::Waiting | EntryState::Sending | EntryState::Discarded => Tone::Quiet,
        EntryState::Delayed | EntryState::Unknown => Tone::Warn,
    }
}

/// What a form wants done.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Wanted {
    Retry,
    Discard,
}

async fn change(
    State(dashboard): State<Dashboard>,
    Extension(operator): Extension<Operator>,
    body: Bytes,
) -> Response {
    let Ok(fields) = Fields::of(&operator, &body) else {
        return frame::outlived(&dashboard, &operator, Place::Letters, ("Letters", "/letters"));
    };
    let (wanted, all) = match fields.get("do") {
        Some("retry") => (Wanted::Retry, false),
        Some("retry-all") => (Wanted::Retry, true),
        Some("discard") => (Wanted::Discard, false),
        Some("discard-all") => (Wanted::Discard, true),
        _ => return unreadable(&dashboard, &operator, "the form does not say what is to be done"),
    };
    // What is ticked counts only where the selection alone is meant.
    let pairs = fields.pairs().filter(|(name, _)| !all || *name != "submission");
    let wish = match Wish::read(pairs) {
        Ok(wish) => wish,
        Err(wrong) => return unreadable(&dashboard, &operator, &wrong),
    };
    if !all && wish.selection.submissions.is_empty() {
        return Redirect::to(&wish.back().address(Some(Done { wanted, changed: 0, left: 0 }.pair())))
            .into_response();
    }
    let sure = fields.get("sure") == Some("yes");
    // What is shown may be in states that such a change does not take.
    let mut selection = wish.selection.clone();
    selection.states.retain(|state| wanted.change().takes().contains(&state.0));
    if selection.states.is_empty() {
        return Redirect::to(&wish.back().address(Some(Done { wanted, changed: 0, left: 1 }.pair())))
            .into_response();
    }
    let request = ChangeRequest {
        selection,
        all,
        as_of: fields.get("as_of").and_then(|time| time.parse().ok()),
        dry_run: !sure && (all || wanted == Wanted::Discard),
    };
    match run(&dashboard, wanted, request.clone()).await {
        Ok(reply) if request.dry_run => {
            let body = confirm(&operator, &fields, &wish, wanted, &reply);
            frame::still(&dashboard, &operator, Place::Letters, "Letters", &body)
        }
        Ok(reply) => {
            let left = u64::try_from(reply.left.len() + reply.missing.len()).unwrap_or(u64::MAX);
            let done = Done { wanted, changed: reply.changed.total(), left };
            Redirect::to(&wish.back().address(Some(done.pair()))).into_response()
        }
        Err(OperatorError::Queue(error)) => {
            let status = (StatusCode::SERVICE_UNAVAILABLE, "Letters");
            let words =
                html! { strong { "The store fails: " } (error.to_string()) ". Nothing more was changed." };
            frame::refusal(&dashboard, &operator, Place::Letters, status, &words)
        }
        Err(error) => unreadable(&dashboard, &operator, &error.to_string()),
    }
}

/// Runs a change to its end, whether or not somebody still waits for its reply.
async fn run(
    dashboard: &Dashboard,
    wanted: Wanted,
    request: ChangeRequest,
) -> Result<ChangeReply, OperatorError> {
    let (queue, now) = (std::sync::Arc::clone(&dashboard.queue), dashboard.clock.now());
    let changing = tokio::spawn(async move {
        match wanted {
            Wanted::Retry => operator::retry(&*queue, &request, now).await,
            Wanted::Discard => operator::discard(&*queue, &request, now).await,
        }
    });
    changing.await.unwrap_or(Err(OperatorError::Queue(crate::queue::QueueError::Stopped)))
}

impl Wanted {
    fn change(self) -> Change {
        match self {
            Self::Retry => Change::Retry,
            Self::Discard => Change::Discard,
        }
    }
}

/// What was done, in numbers: they travel in an address, and whoever writes one makes the page say nothing else.
#[derive(Clone, Copy)]
struct Done {
    wanted: Wanted,
    changed: u64,
    /// Entries that were meant and had changed meanwhile.
    left: u64,
}

impl Done {
    fn pair(self) -> (&'static str, String) {
        let name = if self.wanted == Wanted::Retry { "retried" } else { "discarded" };
        ("done", format!("{name}-{}-{}", self.changed, self.left))
    }

    fn read(text: &str) -> Option<Self> {
        let mut parts = text.split('-');
        let wanted = match parts.next()? {
            "retried" => Wanted::Retry,
            "discarded" => Wanted::Discard,
            _ => return None,
        };
        let mut number = || parts.next()?.parse().ok();
        Some(Self { wanted, changed: number()?, left: number()? })
    }

    fn tone(self) -> Tone {
        if self.changed > 0 { Tone::Good } else { Tone::Warn }
    }

    fn said(self) -> String {
        let entries = entries(self.changed);
        let done = match (self.wanted, self.changed, self.left) {
            (_, 0, 0) => "Nothing was selected, and nothing was done".to_owned(),
            (_, 0, _) => "Nothing was changed".to_owned(),
            (Wanted::Retry, ..) => format!("Back in line: {entries}, at the lane's pace"),
            (Wanted::Discard, ..) => format!("Discarded: {entries}"),
        };
        match self.left {
            0 => format!("{done}."),
            left => {
                format!("{done}; {} could not be changed, or had changed meanwhile.", self::entries(left))
            }
        }
    }
}

fn entries(count: u64) -> String {
    if count == 1 { "1 entry".to_owned() } else { format!("{} entries", page::grouped(count)) }
}

/// The page that says what would be done, and wants to hear that it is meant.
fn confirm(operator: &Operator, fields: &Fields, wish: &Wish, wanted: Wanted, reply: &ChangeReply) -> Markup {
    let (count, back) = (reply.changed.total(), wish.back().address(None));
    let entries = entries(count);
    html! {
        h1 { @if wanted == Wanted::Retry { "Send " (entries) " again?" } @else { "Discard " (entries) "?" } }
        form.card method="post" action="/letters/change" {
            @if count == 0 {
                p { "None of them can be changed: they are being sent, or have been settled meanwhile." }
            } @else {
                p { strong { (reply.changed) "." }
                    @if wanted == Wanted::Retry {
                        " They go out at the lane's pace, behind what waits. What is parked may have arrived, and would be there twice then."
                    } @else {
                        " What the visitors sent goes for good, and the platform never gets it. This cannot be undone."
                    }
                }
            }
            (form::key(operator))
            @for (name, value) in fields.pairs().filter(|(name, _)| !["form_key", "sure", "as_of"].contains(name)) {
                input type="hidden" name=(name) value=(value);
            }
            input type="hidden" name="as_of" value=(fields.get("as_of").map_or(reply.as_of.to_string(), str::to_owned));
            @if count > 0 && wanted == Wanted::Discard {
                label.check { input type="checkbox" name="sure" value="yes" required; " I know that they are gone then." }
            } @else {
                input type="hidden" name="sure" value="yes";
            }
            div.actions {
                @if count > 0 {
                    button.loud.danger[wanted == Wanted::Discard] {
                        @if wanted == Wanted::Retry { "Send " (entries) " again" } @else { "Discard " (entries) }
                    }
                }
                a.button href=(back) { "Back" }
            }
        }
    }
}
