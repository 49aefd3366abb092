//! How the answers get to the server: kept first, then sent until it has them or refuses them.

use std::time::Duration;

use leptos::prelude::set_timeout_with_handle;
use wasm_bindgen_futures::spawn_local;

use super::{Inner, Screen, State, Survey};
use crate::json::Json;
use crate::outbox::Entry;
use crate::retry::{Verdict, delay};
use crate::wire::Outgoing;
use crate::{browser, draft, outbox, send, wire};

impl Survey {
    /// Keeps the answers on the device, then sends them.
    pub(super) fn send(&self) {
        let mut inner = self.change();
        let entry = inner.entry();
        inner.on_device = outbox::keep(&entry);
        inner.waiting.push(entry);
        inner.tries = 0;
        if inner.on_device {
            draft::forget(inner.definition.survey.as_str());
        }
        drop(inner);
        self.sending();
        self.retry();
    }

    pub(super) fn sending(&self) {
        self.show(State::Sending, self.word(|words| &words.sending));
    }

    /// Sends what waits, unless that is already going on; false if there was nothing to do.
    pub(super) fn retry(&self) -> bool {
        let mut inner = self.change();
        let starts = !inner.busy && !inner.waiting.is_empty();
        if starts {
            inner.busy = true;
            drop(inner);
            self.clear_timer();
            spawn_local(self.clone().deliver());
        }
        starts
    }

    /// Sends one after another until nothing waits or the server does not take it.
    ///
    /// The survey may leave the page at any `await`; what it sent is forgotten all the same. What only the
    /// page has is tried on; what lies on the device is then the loader's to send.
    async fn deliver(self) {
        while let Some(entry) = self.next() {
            let reply = send::post(&entry).await;
            if reply.verdict == Verdict::Later {
                return self.wait(reply.after);
            }
            outbox::forget(&entry);
            self.change().waiting.retain(|other| other.id != entry.id);
            if reply.verdict == Verdict::Refused {
                return self.refuse(&entry, reply.question.as_deref());
            }
            if entry.id == self.inner().submission {
                draft::forget(&entry.survey);
            }
            self.emit("submitted", &self.detail());
        }
        self.thank();
    }

    fn next(&self) -> Option<Entry> {
        self.inner().waiting.first().cloned()
    }

    /// Tells that the answers wait, and plans the next try.
    fn wait(&self, after: Option<u32>) {
        let mut inner = self.change();
        inner.busy = false;
        if self.0.gone.get() && inner.on_device {
            return;
        }
        let pause = Duration::from_millis(delay(inner.tries, browser::random(), after).into());
        inner.tries += 1;
        let survey = self.clone();
        let again = move || {
            survey.retry();
        };
        inner.timer = set_timeout_with_handle(again, pause).ok();
        let words = &inner.definition.words;
        let note = if inner.on_device { words.kept.clone() } else { words.kept_page.clone() };
        drop(inner);
        self.show(State::Kept, note);
    }

    /// Goes to the question that the server named; the answers stay, also those of an earlier page. Sent again,
    /// they are another submission.
    fn refuse(&self, entry: &Entry, question: Option<&str>) {
        let mut inner = self.change();
        inner.busy = false;
        if self.0.gone.get() {
            return;
        }
        if inner.flow.answers().is_empty()
            && let Some(submission) = Json::read(&entry.body)
        {
            inner.flow.resume(wire::answers(submission.get("answers")), "");
        }
        inner.submission = browser::uuid();
        if let Some(id) = question {
            inner.flow.go_to(id);
        }
        drop(inner);
        self.emit("error", &self.detail());
        self.turn("back", self.word(|words| &words.refused));
    }

    /// Thanks, once the server has everything.
    fn thank(&self) {
        let thanks = self.word(|words| &words.thanks);
        let mut inner = self.change();
        inner.busy = false;
        let inside = inner.shadow.active_element().is_some();
        if !inside {
            // Where the focus is moved to the thanks, they are read out without being said.
            inner.face.said = thanks;
        }
        drop(inner);
        self.show(State::Thanked, String::new());
        self.fill(Screen::Thanks);
        if inside {
            self.focus(&["[part=thanks]"]);
        }
    }
}

impl Inner {
    /// The answers as a submission.
    fn entry(&self) -> Entry {
        let id = self.submission.clone();
        let survey = self.definition.survey.as_str();
        let body = Outgoing {
            submission: &id,
            language: &self.definition.language,
            answers: self.flow.wire(),
            said: &self.options.said(),
            page_url: browser::page_url(),
            referrer: browser::referrer(),
            answered_at: browser::now_text(),
            definition: &self.definition.version,
        };
        Entry {
            survey: survey.to_owned(),
            origin: self.options.origin.clone(),
            at: browser::now(),
            body: body.written(),
            id,
        }
    }
}
