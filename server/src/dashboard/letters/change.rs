//! `POST /letters/change`: sends letters again, or gives them up.

use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::{Extension, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use jiff::Timestamp;
use maud::{Markup, html};

use super::wish::{Done, Wish, entries};
use super::{refused, unreadable};
use crate::dashboard::Dashboard;
use crate::dashboard::form::{self, Fields};
use crate::dashboard::frame::{self, Place};
use crate::dashboard::session::Operator;
use crate::operator::{self, ChangeReply, ChangeRequest, OperatorError, Order};
use crate::queue::QueueError;

/// What a form asks for.
struct Asked {
    order: Order,
    /// All that is listed, whatever is ticked.
    all: bool,
    /// The operator has heard what it means.
    sure: bool,
    as_of: Option<Timestamp>,
    wish: Wish,
}

pub(in crate::dashboard) async fn change(
    State(dashboard): State<Dashboard>,
    Extension(operator): Extension<Operator>,
    body: Bytes,
) -> Response {
    let Ok(fields) = Fields::of(&operator, &body) else {
        return frame::outlived(&dashboard, &operator, Place::Letters, ("Letters", "/letters"));
    };
    let asked = match Asked::read(&fields) {
        Ok(asked) => asked,
        Err(wrong) => return unreadable(&dashboard, &operator, &wrong),
    };
    if asked.names_nothing() {
        return asked.done(0, 0);
    }
    let request = match asked.request() {
        Ok(request) => request,
        Err(wrong) => {
            let back = asked.wish.back().address(None);
            return refused(&dashboard, &operator, &wrong, ("Back", &back));
        }
    };
    let dry_run = request.dry_run;
    match run(&dashboard, asked.order, request).await {
        Ok(reply) if dry_run => {
            let body = confirm(&operator, &fields, &asked, &reply);
            frame::still(&dashboard, &operator, Place::Letters, "Letters", &body)
        }
        Ok(reply) => asked.done(reply.changed.total(), reply.left.len() + reply.missing.len()),
        Err(OperatorError::Queue(error)) => broken(&dashboard, &operator, &error),
        Err(error) => unreadable(&dashboard, &operator, &error.to_string()),
    }
}

impl Asked {
    fn read(fields: &Fields) -> Result<Self, String> {
        let (order, all) = match fields.get("do") {
            Some("retry") => (Order::Retry, false),
            Some("retry-all") => (Order::Retry, true),
            Some("discard") => (Order::Discard, false),
            Some("discard-all") => (Order::Discard, true),
            _ => return Err("the form does not say what is to be done".into()),
        };
        // What is ticked counts only where the selection alone is meant.
        let wish = Wish::read(fields.pairs().filter(|(name, _)| !all || *name != "submission"))?;
        let as_of = fields.get("as_of").and_then(|time| time.parse().ok());
        Ok(Self { order, all, sure: fields.get("sure") == Some("yes"), as_of, wish })
    }

    fn names_nothing(&self) -> bool {
        !self.all && self.wish.selection.submissions.is_empty()
    }

    /// What the queue is asked to do, or why nothing can come of it.
    fn request(&self) -> Result<ChangeRequest, String> {
        // What is shown may be in states that such a change does not take.
        let mut selection = self.wish.selection.clone();
        selection.states.retain(|state| self.order.takes().contains(&state.0));
        if selection.states.is_empty() {
            let shown: Vec<_> = self.wish.selection.states.iter().map(ToString::to_string).collect();
            let done = match self.order {
                Order::Retry => "sent again",
                Order::Discard => "discarded",
            };
            return Err(format!("Nothing was changed: what is {} cannot be {done}", shown.join(" or ")));
        }
        let dry_run = !self.sure && (self.all || self.order == Order::Discard);
        Ok(ChangeRequest { selection, all: self.all, as_of: self.as_of, dry_run })
    }

    /// Leads back to the page, which says what was done.
    fn done(&self, changed: u64, left: usize) -> Response {
        let left = u64::try_from(left).unwrap_or(u64::MAX);
        let done = Done { order: self.order, changed, left };
        Redirect::to(&self.wish.back().address(Some(done.pair()))).into_response()
    }
}

/// Runs a change to its end, whether or not somebody still waits for its reply.
async fn run(
    dashboard: &Dashboard,
    order: Order,
    request: ChangeRequest,
) -> Result<ChangeReply, OperatorError> {
    let (queue, now) = (Arc::clone(&dashboard.queue), dashboard.clock.now());
    let changing = tokio::spawn(async move { operator::change(&*queue, order, &request, now).await });
    changing.await.unwrap_or(Err(OperatorError::Queue(QueueError::Stopped)))
}

fn broken(dashboard: &Dashboard, operator: &Operator, error: &QueueError) -> Response {
    let status = (StatusCode::SERVICE_UNAVAILABLE, "Letters");
    let words = html! { strong { "The store fails: " } (error.to_string()) ". Nothing more was changed." };
    frame::refusal(dashboard, operator, Place::Letters, status, &words)
}

/// The page that says what would be done, and wants to hear that it is meant.
fn confirm(operator: &Operator, fields: &Fields, asked: &Asked, reply: &ChangeReply) -> Markup {
    let order = asked.order;
    let (count, back) = (reply.changed.total(), asked.wish.back().address(None));
    let entries = entries(count);
    html! {
        h1 { @if order == Order::Retry { "Send " (entries) " again?" } @else { "Discard " (entries) "?" } }
        form.card method="post" action="/letters/change" {
            @if count == 0 {
                p { "None of them can be changed: they are being sent, or have been settled meanwhile." }
            } @else {
                p { strong { (reply.changed) "." }
                    @if order == Order::Retry {
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
            @if count > 0 && order == Order::Discard {
                label.check { input type="checkbox" name="sure" value="yes" required; " I know that they are gone then." }
            } @else {
                input type="hidden" name="sure" value="yes";
            }
            div.actions {
                @if count > 0 {
                    button.loud.danger[order == Order::Discard] {
                        @if order == Order::Retry { "Send " (entries) " again" } @else { "Discard " (entries) }
                    }
                }
                a.button href=(back) { "Back" }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_form_whose_states_no_change_takes_is_told_so_however_many_are_ticked() {
        let request = |form: &str| Asked::read(&Fields::read(&form.to_owned().into())).unwrap().request();
        let ticked =
            "submission=6f9b1c52-7d0e-4a55-9a39-3f4f4a2b1c01&submission=6f9b1c52-7d0e-4a55-9a39-3f4f4a2b1c02";
        for (form, told) in [
            ("do=retry&state=waiting,sending", "what is waiting or sending cannot be sent again"),
            ("do=discard&state=sending", "what is sending cannot be discarded"),
            ("do=retry-all&state=waiting", "what is waiting cannot be sent again"),
        ] {
            let refused = request(&format!("{form}&{ticked}")).unwrap_err();
            assert_eq!(refused, format!("Nothing was changed: {told}"));
        }
        let taken = request(&format!("do=retry&state=waiting,dead&{ticked}")).unwrap();
        assert_eq!((taken.selection.states.len(), taken.selection.submissions.len()), (1, 2));
    }
}
