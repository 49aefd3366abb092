//! A survey on the page: what is on screen, and what happens when the visitor does something.
//!
//! Joins the pure [`Flow`] to the outbox, the server and the screen. The components below only read
//! [`Survey::screen`] and [`Survey::face`], and call its methods.
//!
//! Hooks that stay as they are, for pages (`::part()`) and tests: `part="card progress question
//! options option text error status step back next|send|again thanks"`, `data-question=ID` on the
//! question, `data-state="asking|sending|kept|refused|thanked"` on the card.

use std::time::Duration;

use leptos::leptos_dom::helpers::{TimeoutHandle, WindowListenerHandle};
use leptos::prelude::*;
use shared::{Context, Definition, Question, Submission, Value, Words};
use wasm_bindgen::JsCast;
use wasm_bindgen_futures::spawn_local;
use web_sys::{HtmlElement, ShadowRoot};

use crate::flow::{Advance, Flow, Place, message};
use crate::json::Object;
use crate::mount::Options;
use crate::outbox::Entry;
use crate::retry::{Verdict, delay};
use crate::{browser, outbox, send, wire};

/// What the card is filled with. Setting it, even to the same, draws it anew.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Screen {
    /// The flow's question.
    Question,
    /// Only the state of what waits in the outbox, after a reload.
    Outbox,
    /// Thanks.
    Thanks,
}

/// How things stand.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum State {
    /// The visitor is being asked.
    Asking,
    /// The answers are on their way.
    Sending,
    /// The answers wait; they are sent again by themselves, or now.
    Kept,
    /// The server refused the answers; the visitor can change them.
    Refused,
    /// The server has the answers.
    Thanked,
}

impl State {
    /// The value of `data-state`.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Asking => "asking",
            Self::Sending => "sending",
            Self::Kept => "kept",
            Self::Refused => "refused",
            Self::Thanked => "thanked",
        }
    }

    /// True while the answers must not be changed.
    pub(crate) fn is_closed(self) -> bool {
        matches!(self, Self::Sending | Self::Kept)
    }
}

/// Everything around the question that changes.
pub(crate) struct Face {
    /// How things stand.
    pub(crate) state: State,
    /// Where the visitor is.
    pub(crate) place: Place,
    /// What is wrong with the answer; empty if nothing is.
    pub(crate) error: String,
    /// What to say about the answers as a whole; empty if nothing.
    pub(crate) note: String,
    /// What to say to those who hear the page only; empty if nothing.
    pub(crate) said: String,
    /// True when the visitor went back to this question.
    pub(crate) backwards: bool,
}

/// A handle on one survey on the page; ends with the component that made it.
#[derive(Clone, Copy)]
pub(crate) struct Survey {
    inner: StoredValue<Inner, LocalStorage>,
    /// What the card is filled with.
    pub(crate) screen: RwSignal<Screen>,
    /// Everything around it.
    pub(crate) face: RwSignal<Face>,
}

struct Inner {
    host: HtmlElement,
    shadow: ShadowRoot,
    definition: Definition,
    options: Options,
    flow: Flow,
    /// What the server does not have yet, oldest first; most of it also in the device's outbox.
    waiting: Vec<Entry>,
    /// False once the device refused to keep something.
    on_device: bool,
    /// True while a try is under way.
    busy: bool,
    tries: u32,
    timer: Option<TimeoutHandle>,
}

impl Survey {
    /// Prepares a survey; needs a reactive owner, and ends with it.
    pub(crate) fn new(
        host: HtmlElement,
        shadow: ShadowRoot,
        mut definition: Definition,
        options: Options,
    ) -> Self {
        let flow = Flow::new(std::mem::take(&mut definition.questions));
        let waiting = outbox::waiting(definition.survey.as_str(), &options.origin, browser::now());
        let (state, screen, note) = if waiting.is_empty() {
            (State::Asking, Screen::Question, String::new())
        } else {
            (State::Kept, Screen::Outbox, definition.words.kept.clone())
        };
        let face = Face {
            state,
            place: flow.place(),
            error: String::new(),
            note,
            said: String::new(),
            backwards: false,
        };
        Self {
            inner: StoredValue::new_local(Inner {
                host,
                shadow,
                definition,
                options,
                flow,
                waiting,
                on_device: true,
                busy: false,
                tries: 0,
                timer: None,
            }),
            screen: RwSignal::new(screen),
            face: RwSignal::new(face),
        }
    }

    /// Tells the page that the survey is there, and sends what was kept before a reload, now and
    /// whenever the net returns.
    pub(crate) fn start(self) {
        let online = window_event_listener(leptos::ev::online, move |_| {
            self.retry();
        });
        let online = StoredValue::new_local(Some(online));
        on_cleanup(move || {
            online.try_update_value(|online| online.take().map(WindowListenerHandle::remove));
            self.clear_timer();
        });
        queue_microtask(move || {
            self.emit("ready");
            self.emit("shown");
        });
        self.retry();
    }

    /// The widget's own words.
    pub(crate) fn words<T>(self, read: impl FnOnce(&Words) -> T) -> T {
        self.inner.with_value(|inner| read(&inner.definition.words))
    }

    /// The language's tag, and whether it is written from right to left.
    pub(crate) fn language(self) -> (String, bool) {
        self.inner.with_value(|inner| (inner.definition.language.clone(), inner.definition.rtl))
    }

    /// The question on screen with its answer.
    pub(crate) fn question<T>(self, read: impl FnOnce(&Question, Option<&Value>) -> T) -> Option<T> {
        self.inner.with_value(|inner| {
            inner.flow.question().map(|question| read(question, inner.flow.value()))
        })
    }

    /// Answers the question on screen, or takes its answer back.
    pub(crate) fn answer(self, value: Option<Value>) {
        let place = self.inner.try_update_value(|inner| {
            inner.flow.answer(value);
            inner.flow.place()
        });
        self.face.update(|face| {
            face.place = place.unwrap_or(face.place);
            face.error.clear();
        });
    }

    /// What the filled button does: goes on, sends, or tries again.
    pub(crate) fn forward(self) {
        match self.face.with_untracked(|face| face.state) {
            State::Asking | State::Refused => self.advance(),
            State::Kept => {
                let sending = self.words(|words| words.sending.clone());
                if self.retry() {
                    self.show(State::Sending, sending);
                }
            }
            State::Sending | State::Thanked => {}
        }
    }

    /// Goes back to the question before.
    pub(crate) fn back(self) {
        self.inner.update_value(|inner| inner.flow.back());
        self.turn(true, String::new());
    }

    fn advance(self) {
        let answered = self.question(|_, value| value.is_some()).unwrap_or(false);
        let detail = self.detail();
        let Some(advance) = self.inner.try_update_value(|inner| inner.flow.advance()) else { return };
        if answered && advance.is_ok() {
            self.emit_detail("answered", &detail);
        }
        match advance {
            Ok(Advance::Question) => self.turn(false, String::new()),
            Ok(Advance::Send) => self.send(),
            Err(fault) => {
                let error = self
                    .question(|question, _| self.words(|words| message(words, &question.kind, fault)))
                    .unwrap_or_default();
                self.face.update(|face| face.error = error);
            }
        }
    }

    /// Shows the flow's question and moves the focus there.
    fn turn(self, backwards: bool, note: String) {
        let place = self.inner.with_value(|inner| inner.flow.place());
        self.face.update(|face| {
            face.state = if note.is_empty() { State::Asking } else { State::Refused };
            face.note = note;
            face.error.clear();
            face.place = place;
            face.backwards = backwards;
        });
        self.screen.set(Screen::Question);
        self.focus(&["input[type=radio]:checked", "input,textarea"]);
    }

    /// Keeps the answers on the device, then sends them.
    fn send(self) {
        self.inner.update_value(|inner| {
            let submission = browser::uuid();
            let body = Submission {
                submission,
                language: inner.definition.language.clone(),
                answers: inner.flow.wire(),
                metadata: inner.options.metadata.clone(),
                respondent: None,
                context: Some(Context {
                    page_url: browser::page_url(),
                    referrer: browser::referrer(),
                    answered_at: Some(browser::now_text()),
                }),
                definition: Some(inner.definition.version.clone()),
            };
            let entry = Entry {
                id: submission.to_string(),
                survey: inner.definition.survey.as_str().to_owned(),
                origin: inner.options.origin.clone(),
                at: browser::now(),
                body: wire::submission(&body),
            };
            inner.on_device = outbox::keep(&entry);
            inner.waiting.push(entry);
            inner.tries = 0;
        });
        self.show(State::Sending, self.words(|words| words.sending.clone()));
        self.retry();
    }

    /// Sends what waits, unless that is already going on; false if there was nothing to do.
    fn retry(self) -> bool {
        let starts = self.inner.try_update_value(|inner| {
            let starts = !inner.busy && !inner.waiting.is_empty();
            inner.busy |= starts;
            starts
        });
        let starts = starts == Some(true);
        if starts {
            self.clear_timer();
            spawn_local(self.deliver());
        }
        starts
    }

    /// Sends one after another until nothing waits or the server does not take it.
    ///
    /// The survey may leave the page at any `await`; what it sent is forgotten all the same.
    async fn deliver(self) {
        let next = |inner: &Inner| inner.waiting.first().cloned();
        while let Some(entry) = self.inner.try_with_value(next).flatten() {
            let reply = send::post(&entry).await;
            if reply.verdict == Verdict::Later {
                return self.wait(reply.after);
            }
            outbox::forget(&entry);
            self.inner.try_update_value(|inner| inner.waiting.retain(|other| other.id != entry.id));
            if reply.verdict == Verdict::Refused {
                return self.refuse(reply.question.as_deref());
            }
            self.emit("submitted");
        }
        self.thank();
    }

    /// Tells that the answers wait, and plans the next try.
    fn wait(self, after: Option<u32>) {
        let planned = self.inner.try_update_value(|inner| {
            inner.busy = false;
            let pause = Duration::from_millis(delay(inner.tries, browser::random(), after).into());
            inner.tries += 1;
            inner.timer = set_timeout_with_handle(move || { self.retry(); }, pause).ok();
            let words = &inner.definition.words;
            if inner.on_device { words.kept.clone() } else { words.kept_page.clone() }
        });
        if let Some(note) = planned {
            self.show(State::Kept, note);
        }
    }

    /// Goes to the question that the server named; the answers stay.
    fn refuse(self, question: Option<&str>) {
        let refused = self.inner.try_update_value(|inner| {
            inner.busy = false;
            question.inspect(|id| inner.flow.go_to(id));
            inner.definition.words.refused.clone()
        });
        if let Some(note) = refused {
            self.emit("error");
            self.turn(true, note);
        }
    }

    /// Thanks, once the server has everything.
    fn thank(self) {
        let Some(inside) = self.inner.try_update_value(|inner| {
            inner.busy = false;
            inner.shadow.active_element().is_some()
        }) else {
            return;
        };
        self.show(State::Thanked, String::new());
        self.screen.set(Screen::Thanks);
        if inside {
            self.focus(&["[part=thanks]"]);
        } else {
            let said = self.words(|words| words.thanks.clone());
            self.face.update(|face| face.said = said);
        }
    }

    fn show(self, state: State, note: String) {
        self.face.update(|face| {
            face.state = state;
            face.note = note;
        });
    }

    /// Focuses the first thing found, once it is drawn. Never called for the first showing: a
    /// survey within a page does not steal the focus.
    fn focus(self, wanted: &'static [&'static str]) {
        request_animation_frame(move || {
            self.inner.try_with_value(|inner| {
                let find = |css: &&str| inner.shadow.query_selector(css).ok().flatten();
                if let Some(found) = wanted.iter().find_map(find) {
                    found.unchecked_into::<HtmlElement>().focus().ok();
                }
            });
        });
    }

    fn clear_timer(self) {
        self.inner.try_update_value(|inner| inner.timer.take().map(|timer| timer.clear()));
    }

    fn emit(self, name: &str) {
        self.emit_detail(name, &self.detail());
    }

    fn emit_detail(self, name: &str, detail: &str) {
        self.inner.try_with_value(|inner| inner.host.clone()).inspect(|host| browser::emit(host, name, detail));
    }

    /// Ids and steps as JSON.
    fn detail(self) -> String {
        let detail = |inner: &Inner| {
            let Place { step, total } = inner.flow.place();
            let question = inner.flow.question().map_or("", |question| question.id.as_str());
            Object::new()
                .text("survey", inner.definition.survey.as_str())
                .text("question", question)
                .raw("step", &step.to_string())
                .raw("total", &total.to_string())
                .end()
        };
        self.inner.try_with_value(detail).unwrap_or_default()
    }
}
