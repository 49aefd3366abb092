//! One try to hand a submission in.

use gloo_net::http::{Request, Response};
use web_sys::AbortSignal;

use crate::json::Json;
use crate::outbox::Entry;
use crate::retry::{Verdict, verdict};

/// What came of a try.
pub(crate) struct Reply {
    /// What becomes of the submission.
    pub(crate) verdict: Verdict,
    /// Seconds that the server asked to wait.
    pub(crate) after: Option<u32>,
    /// The first question that the server named as wrongly answered.
    pub(crate) question: Option<String>,
}

/// A try that hangs for so long is given up, in milliseconds; the same submission goes again.
const PATIENCE: u32 = 30_000;

/// Posts a submission. Never fails: no reply at all means later.
///
/// A string goes as `text/plain`, which needs no preflight.
pub(crate) async fn post(entry: &Entry) -> Reply {
    let url = [&entry.origin, "/v1/surveys/", &entry.survey, "/answers"].concat();
    let patience = AbortSignal::timeout_with_u32(PATIENCE);
    let request = Request::post(&url).abort_signal(Some(&patience)).body(entry.body.as_str());
    let mut reply = Reply { verdict: Verdict::Later, after: None, question: None };
    let Ok(request) = request else { return reply };
    let Ok(response) = request.send().await else { return reply };
    reply.verdict = verdict(response.status());
    match reply.verdict {
        Verdict::Durable => {}
        Verdict::Refused => reply.question = wrong_question(&response).await,
        Verdict::Later => {
            reply.after = response.headers().get("retry-after").and_then(|after| after.parse().ok());
        }
    }
    reply
}

/// Looks into an `application/problem+json`.
async fn wrong_question(response: &Response) -> Option<String> {
    let problem = Json::read(&response.text().await.ok()?)?;
    let wrong = problem.get("errors").list().iter().find_map(|wrong| wrong.get("question").text())?;
    Some(wrong.to_owned())
}
