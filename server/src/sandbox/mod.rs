//! A platform to try things out with: the Hello Customer API on its own port, strict as its page.
//!
//! It is written from the "Hello Customer API overview" by itself and shares no code with the
//! module that calls the platform, so that it checks the wire format for real. It throttles by
//! arrival, knows tokens, touchpoints, languages and questions, answers every message the page
//! lists, hands stored answers and their NPS back, and can be told to misbehave. It keeps everything
//! in memory and forgets the oldest. The token is never shown, neither by `Debug` nor by a page.
//!
//! The way of a call: `http` takes the connection, `call` notes the arrival (`throttle`), applies
//! the misbehaviour in force (`misbehave`), checks token and throttle, and leaves the rest to one
//! file per kind of call (`add_answer`, `add_respondent`, `get_all`, `get_nps`, `get_questions`). `pages` shows it.
//!
//! Beside the platform's calls the same listener has, for people at a terminal (only by an IP
//! address or `localhost` as the host, and never from another site's page):
//!
//! | | |
//! |---|---|
//! | `GET /` | what arrived and when, live, with buttons to misbehave |
//! | `GET /sandbox/arrivals?after=N` | the same as JSON, oldest first |
//! | `POST /sandbox/misbehave` | a [`Misbehaviour`] as JSON (or a form), in the place of the one before |
//! | `POST /sandbox/behave` | an end to it |
//!
//! ```text
//! curl http://127.0.0.1:8082/sandbox/misbehave -d '{"fault": "status", "status": 503, "retry_after": 5, "calls": 3}'
//! curl http://127.0.0.1:8082/sandbox/misbehave -d '{"fault": "lost_reply", "share": 0.3, "only": ["add_answer"]}'
//! curl http://127.0.0.1:8082/sandbox/misbehave -d '{"fault": "late_reply", "milliseconds": 40000, "seconds": 60}'
//! curl http://127.0.0.1:8082/sandbox/behave -X POST
//! ```
//!
//! `fault` is one of `status` (with `status`, `retry_after`, `body`), `late` and `late_reply` (with
//! `milliseconds`), `cut_at_head`, `cut_after_body`, `lost_reply`, `cut_reply`, `garbage`; `calls`,
//! `seconds`, `share` and `only` limit it.

mod add_answer;
mod add_respondent;
mod arrival;
mod arrivals_table;
mod call;
mod control;
mod get_all;
mod get_nps;
mod get_questions;
mod http;
mod misbehave;
mod pages;
mod reply;
mod route;
mod settings;
mod state;
mod throttle;

#[cfg(test)]
mod tests;

pub use arrival::{Answer, Arrival, Counts, Respondent};
pub use http::run;
pub use misbehave::{Fault, Misbehaviour};
pub use route::Call;
pub use settings::{Kind, Question, Reports, Settings, Token, Touchpoint};
pub use state::Sandbox;
