//! One try to hand a submission in.
//!
//! With `fetch` itself: gloo-net's wrapper costs 1.9 KB compressed.

use wasm_bindgen::JsCast;
use wasm_bindgen_futures::JsFuture;
use web_sys::{AbortSignal, RequestInit, Response};

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

/// The largest body that may outlive its page, in bytes. Browsers allow 64 KiB for all that a page has
/// under way, its own beacons included.
const OUTLIVES: usize = 20_000;

/// Posts a submission. Never fails: no reply at all means later.
///
/// A string goes as `text/plain`, which needs no preflight.
pub(crate) async fn post(entry: &Entry) -> Reply {
    let mut reply = Reply { verdict: Verdict::Later, after: None, question: None };
    let mut url = entry.origin.clone();
    for part in ["/v1/surveys/", &entry.survey, "/answers"] {
        url.push_str(part);
    }
    let Some(response) = fetch(&url, &entry.body).await else { return reply };
    reply.verdict = verdict(response.status());
    match reply.verdict {
        Verdict::Durable => {}
        Verdict::Refused => reply.question = wrong_question(&response).await,
        Verdict::Later => {
            reply.after =
                response.headers().get("retry-after").ok().flatten().and_then(|after| after.parse().ok());
        }
    }
    reply
}

async fn fetch(url: &str, body: &str) -> Option<Response> {
    let init = RequestInit::new();
    init.set_method("POST");
    init.set_body(&body.into());
    if body.len() < OUTLIVES {
        // Sent to its end, even if the visitor leaves the page; a browser that does not know it goes on.
        js_sys::Reflect::set(&init, &"keepalive".into(), &true.into()).ok();
    }
    init.set_signal(Some(&AbortSignal::timeout_with_u32(PATIENCE)));
    let response = JsFuture::from(web_sys::window()?.fetch_with_str_and_init(url, &init)).await.ok()?;
    Some(response.unchecked_into())
}

/// Looks into an `application/problem+json`. The page's author hears what is wrong, since the visitor
/// can do nothing about metadata; places and codes only, nothing that was answered.
async fn wrong_question(response: &Response) -> Option<String> {
    let problem = Json::read(&JsFuture::from(response.text().ok()?).await.ok()?.as_string()?)?;
    let mut complaint = String::from("afterword: refused: ");
    complaint.push_str(problem.get("code").text().unwrap_or_default());
    for wrong in problem.get("errors").list() {
        for key in ["pointer", "code"] {
            complaint.push(' ');
            complaint.push_str(wrong.get(key).text().unwrap_or_default());
        }
    }
    web_sys::console::error_1(&complaint.into());
    let wrong = problem.get("errors").list().iter().find_map(|wrong| wrong.get("question").text())?;
    Some(wrong.to_owned())
}
