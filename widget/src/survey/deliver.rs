//! How the answers get to the server: the sender keeps and sends them, and tells what came of it.

use wasm_bindgen::JsValue;
use wasm_bindgen::closure::Closure;

use super::{Inner, Screen, State, Survey};
use crate::json::Json;
use crate::sender::Sender;
use crate::wire::Outgoing;
use crate::{browser, draft, wire};

impl Survey {
    /// Keeps the answers on the device, and sends them.
    pub(super) fn send(&self, sender: Option<&Sender>) {
        self.sending();
        let (id, body) = self.inner().submission();
        let on_device = sender.is_some_and(|sender| sender.send(&id, &body));
        if on_device {
            self.inner().forget_draft();
        }
    }

    fn sending(&self) {
        // What has the focus is closed while the answers are on their way, and loses it.
        let inside = self.is_inside();
        self.change().was_inside = inside;
        self.show(State::Sending, self.word("sending"));
    }

    fn is_inside(&self) -> bool {
        browser::inside(&self.shadow(), false)
    }

    /// Sends what waits at once, if it is not already on its way.
    pub(super) fn retry(&self) {
        if self.sender().is_some_and(|sender| sender.retry()) {
            self.sending();
        }
    }

    /// What the sender calls; see `sending.js` for what it says.
    pub(super) fn listener(&self) -> JsValue {
        let survey = self.clone();
        let hear = move |what: String, about: String, body: String| match what.as_str() {
            "submitted" => survey.submitted(&about),
            "refused" => survey.refused(&body, &about),
            "kept" => survey.kept(about == "device"),
            _ => survey.thank(),
        };
        Closure::<dyn Fn(String, String, String)>::new(hear).into_js_value()
    }

    fn submitted(&self, id: &str) {
        let inner = self.inner();
        if id == inner.submission {
            inner.forget_draft();
        }
        drop(inner);
        self.emit("submitted", &self.detail());
    }

    /// Tells that the answers wait.
    fn kept(&self, on_device: bool) {
        let note = self.word(if on_device { "kept" } else { "kept_page" });
        self.show(State::Kept, note);
    }

    /// Goes to the question that the server named; the answers stay, also those of an earlier page. Sent again,
    /// they are another submission.
    fn refused(&self, body: &str, question: &str) {
        let mut inner = self.change();
        // Of an earlier page's answers nobody may be thinking now, and the visitor may be writing elsewhere.
        let inside = browser::inside(&inner.stage.shadow, inner.was_inside);
        if inner.screen == Screen::Outbox
            && let Some(submission) = Json::read(body)
        {
            inner.flow.resume(wire::answers(submission.get("answers")), Some(""));
        }
        inner.submission = browser::uuid();
        inner.flow.go_to(question);
        drop(inner);
        self.emit("error", &self.detail());
        let note = self.word("refused");
        if inside {
            self.turn(Screen::Question, "back", note);
        } else {
            self.turn_to(Screen::Question, "back", note);
        }
    }

    /// Thanks, once the server has everything.
    fn thank(&self) {
        let mut inner = self.change();
        let inside = browser::inside(&inner.stage.shadow, inner.was_inside);
        if !inside {
            // Where the focus is moved to the thanks, they are read out without being said.
            let thanks = inner.thanks();
            inner.face.said = thanks;
        }
        drop(inner);
        self.show(State::Thanked, String::new());
        self.fill(Screen::Thanks);
        if inside {
            self.focus("[part=thanks]", "");
        }
    }
}

impl Inner {
    fn forget_draft(&self) {
        draft::forget(&self.stage, self.definition.text("survey"));
    }

    /// The answers as a submission: its UUID and its JSON.
    fn submission(&self) -> (String, String) {
        let id = self.submission.clone();
        let body = Outgoing {
            submission: &id,
            language: self.definition.text("language"),
            answers: self.flow.wire(),
            said: &self.said(),
            context: &browser::context(),
            definition: self.definition.text("version"),
        };
        let body = body.written();
        (id, body)
    }
}
