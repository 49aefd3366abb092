//! The platform's own score: one call of the lane's, made when an operator asks for it, and kept until the next.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use axum::body::Bytes;
use axum::extract::{Extension, Path, State};
use axum::response::{IntoResponse, Redirect, Response};
use jiff::Timestamp;
use maud::{Markup, html};
use shared::SurveyId;

use super::wish::Wish;
use super::{DAY, rounded, unknown};
use crate::config::Survey;
use crate::dashboard::form::{self, Fields};
use crate::dashboard::frame::{self, Place};
use crate::dashboard::session::Operator;
use crate::dashboard::{Dashboard, time};
use crate::forwarder::{Call, Done, NotMade};
use crate::page::{self, Tone};
use crate::platform::{Nps, ReportError, advice};

/// What the platform has said when it was asked for its own score, by survey and days.
#[derive(Clone, Default)]
pub(in crate::dashboard) struct Asked(Arc<Mutex<HashMap<(SurveyId, u16), Said>>>);

/// What the platform said, and when.
#[derive(Clone)]
struct Said {
    at: Timestamp,
    nps: Result<Nps, String>,
}

impl Asked {
    /// The platform's own score, as it was asked for last.
    pub(super) fn card(&self, operator: &Operator, survey: &Survey, wish: &Wish, now: Timestamp) -> Markup {
        let known = self
            .0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .get(&(survey.id.clone(), wish.days()))
            .cloned();
        html! {
            section.card {
                h2 { "The platform's own score" }
                @match known.as_ref().map(|said| (&said.nps, said.at)) {
                    Some((Ok(nps), at)) => {
                        @if nps.is_empty() {
                            p { "The platform has no score of these days." }
                        } @else {
                            dl.figures {
                                (page::figure("NPS", rounded(nps.nps)))
                                (page::figure("promoters", format!("{:.0} %", nps.promoters)))
                                (page::figure("passives", format!("{:.0} %", nps.passive)))
                                (page::figure("detractors", format!("{:.0} %", nps.detractors)))
                            }
                        }
                        p.quiet { "Asked " (time::span(now, at)) " ago, over " (wish.days()) " days and all languages. It may count an answer two hours later, and those that came by other ways too." }
                    }
                    Some((Err(words), at)) => (page::notice(Tone::Bad, html! { (words) span.quiet { " Asked " (time::span(now, at)) " ago." } })),
                    None => p.quiet { "It is one call of the lane's, after visitors' answers, so it is made only when you ask for it." },
                }
                form method="post" action={ "/surveys/" (survey.id) "/nps" } {
                    (form::key(operator))
                    input type="hidden" name="days" value=(wish.days());
                    input type="hidden" name="lang" value=(wish.lang.as_deref().unwrap_or_default());
                    button { "Ask the platform" }
                }
            }
        }
    }

    fn keep(&self, survey: &SurveyId, days: u16, said: Said) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).insert((survey.clone(), days), said);
    }
}

/// `POST /surveys/{survey}/nps`: asks the platform for its own score.
pub(in crate::dashboard) async fn ask(
    State(dashboard): State<Dashboard>,
    Extension(operator): Extension<Operator>,
    Path(id): Path<String>,
    body: Bytes,
) -> Response {
    let config = dashboard.live.config();
    let Some(survey) = config.survey(&id) else { return unknown(&dashboard, &operator, &id) };
    let Ok(fields) = Fields::of(&operator, &body) else {
        let address = format!("/surveys/{}", survey.id);
        return frame::outlived(&dashboard, &operator, Place::Surveys, ("Survey", &address));
    };
    let wish = Wish::read(&fields);
    let days = wish.days();
    let now = dashboard.clock.now();
    let whole = |at: Timestamp| Timestamp::from_second(at.as_second()).unwrap_or(at);
    let (to, from) = (whole(now), whole(now.checked_sub(DAY * u32::from(days)).unwrap_or(now)));
    let call = Call::GetNps { touchpoint: survey.touchpoint.clone(), from, to, filters: Vec::new() };
    let own = dashboard.lanes().into_iter().find(|lane| lane.platform.name == survey.platform);
    let nps = match own {
        Some(own) => said(own.desk.ask(call).await),
        None => Err("the survey's lane is not there at the moment".to_owned()),
    };
    dashboard.asked.keep(&survey.id, days, Said { at: dashboard.clock.now(), nps });
    Redirect::to(&Wish::address(survey, days, wish.lang.as_deref())).into_response()
}

/// A score, or why there is none, in words that hold nothing of the platform's.
fn said(done: Result<Done, NotMade>) -> Result<Nps, String> {
    match done {
        Ok(Done::Nps(nps)) => Ok(nps),
        Ok(Done::Failed(ReportError::Call(outcome))) => {
            let advice = advice(&outcome).map(|advice| format!("; {advice}")).unwrap_or_default();
            Err(format!("The platform did not answer with a score: {outcome}{advice}."))
        }
        Ok(Done::Failed(error)) => Err(format!("The platform's answer cannot be used: {error}.")),
        Ok(_) => Err("The platform answered with something else.".to_owned()),
        Err(not_made) => Err(format!("It was not asked: {not_made}.")),
    }
}
