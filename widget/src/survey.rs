//! A survey on the page: what is on screen, and what happens when the visitor does something.
//!
//! Joins the pure [`Flow`] to the outbox, the server and the screen. The components only read
//! [`Survey::screen`] and [`Survey::face`], and call its methods.
//!
//! Hooks that stay as they are, for pages (`::part()`) and tests: `part="card progress question
//! options option text error status step back next|send|again thanks"`, `data-question=ID` on the
//! question, `data-state="asking|sending|kept|refused|thanked"` on the card.

use std::cell::RefCell;
use std::rc::Rc;
use std::time::Duration;

use leptos::leptos_dom::helpers::TimeoutHandle;
use leptos::prelude::*;
use send_wrapper::SendWrapper;
use shared::{Definition, Value, Words};
use wasm_bindgen::JsCast;
use wasm_bindgen_futures::spawn_local;
use web_sys::{HtmlElement, ShadowRoot};

use crate::flow::{Advance, Flow, Place, message};
use crate::json::Object;
use crate::mount::Options;
use crate::outbox::Entry;
use crate::retry::{Verdict, delay};
use crate::wire::Outgoing;
use crate::{browser, outbox, send};

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
#[derive(Clone)]
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
///
/// All access to the inside and the face goes through one function each, since every closure that
/// Leptos is handed costs its own copy of the code around it.
#[derive(Clone, Copy)]
pub(crate) struct Survey {
    inner: StoredValue<Rc<RefCell<Inner>>, LocalStorage>,
    screen: RwSignal<Screen>,
    face: RwSignal<Face>,
}

pub(crate) struct Inner {
    host: HtmlElement,
    shadow: ShadowRoot,
    /// What is asked, its questions having gone into the flow.
    pub(crate) definition: Definition,
    options: Options,
    /// Where the visitor is.
    pub(crate) flow: Flow,
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
        let asking = waiting.is_empty();
        let face = Face {
            state: if asking { State::Asking } else { State::Kept },
            place: flow.place(),
            error: String::new(),
            note: if asking { String::new() } else { definition.words.kept.clone() },
            said: String::new(),
            backwards: false,
        };
        let inner = Inner {
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
        };
        Self {
            inner: StoredValue::new_local(Rc::new(RefCell::new(inner))),
            screen: RwSignal::new(if asking { Screen::Question } else { Screen::Outbox }),
            face: RwSignal::new(face),
        }
    }

    /// Tells the page that the survey is there, and sends what was kept before a reload, now and
    /// whenever the net returns.
    pub(crate) fn start(self) {
        let online = window_event_listener_untyped("online", move |_| {
            self.retry();
        });
        let online = SendWrapper::new(online);
        on_cleanup(move || {
            online.take().remove();
            self.clear_timer();
        });
        queue_microtask(move || {
            self.emit("ready", &self.detail());
            self.emit("shown", &self.detail());
        });
        self.retry();
    }

    /// What the card is filled with. A view that reads it is drawn anew when it is set.
    pub(crate) fn screen(self) -> Screen {
        self.screen.get()
    }

    /// Everything around it. A view that reads it follows it.
    pub(crate) fn face(self) -> Face {
        self.face.get()
    }

    /// The inside; `None` once the survey has left the page. Not to be held across a change of
    /// the face.
    pub(crate) fn inner(self) -> Option<Rc<RefCell<Inner>>> {
        self.inner.try_get_value()
    }

    /// One of the widget's own words.
    pub(crate) fn word(self, which: fn(&Words) -> &String) -> String {
        self.inner().map(|inner| which(&inner.borrow().definition.words).clone()).unwrap_or_default()
    }

    /// Answers the question on screen, or takes its answer back.
    pub(crate) fn answer(self, value: Option<Value>) {
        let Some(inner) = self.inner() else { return };
        inner.borrow_mut().flow.answer(value);
        let place = inner.borrow().flow.place();
        self.show(Face { place, error: String::new(), ..self.now() });
    }

    /// What the filled button does: goes on, sends, or tries again.
    pub(crate) fn forward(self) {
        match self.now().state {
            State::Asking | State::Refused => self.advance(),
            State::Kept => {
                if self.retry() {
                    self.sending();
                }
            }
            State::Sending | State::Thanked => {}
        }
    }

    /// Goes back to the question before.
    pub(crate) fn back(self) {
        if let Some(inner) = self.inner() {
            inner.borrow_mut().flow.back();
            self.turn(true, String::new());
        }
    }

    fn advance(self) {
        let Some(inner) = self.inner() else { return };
        let detail = self.detail();
        let answered = inner.borrow().flow.value().is_some();
        let advance = inner.borrow_mut().flow.advance();
        if answered && advance.is_ok() {
            self.emit("answered", &detail);
        }
        match advance {
            Ok(Advance::Question) => self.turn(false, String::new()),
            Ok(Advance::Send) => self.send(),
            Err(fault) => {
                let inner = inner.borrow();
                let words = &inner.definition.words;
                let error = inner.flow.question().map(|question| message(words, &question.kind, fault));
                self.show(Face { error: error.unwrap_or_default(), ..self.now() });
            }
        }
    }

    /// Shows the flow's question and moves the focus there.
    fn turn(self, backwards: bool, note: String) {
        let Some(inner) = self.inner() else { return };
        let state = if note.is_empty() { State::Asking } else { State::Refused };
        let place = inner.borrow().flow.place();
        self.show(Face { state, place, error: String::new(), note, said: String::new(), backwards });
        self.screen.set(Screen::Question);
        self.focus(&["input[type=radio]:checked", "input,textarea"]);
    }

    /// Keeps the answers on the device, then sends them.
    fn send(self) {
        let Some(inner) = self.inner() else { return };
        let mut inner = inner.borrow_mut();
        let entry = inner.entry();
        inner.on_device = outbox::keep(&entry);
        inner.waiting.push(entry);
        inner.tries = 0;
        drop(inner);
        self.sending();
        self.retry();
    }

    fn sending(self) {
        let note = self.word(|words| &words.sending);
        self.show(Face { state: State::Sending, note, ..self.now() });
    }

    /// Sends what waits, unless that is already going on; false if there was nothing to do.
    fn retry(self) -> bool {
        let Some(inner) = self.inner() else { return false };
        let mut inner = inner.borrow_mut();
        let starts = !inner.busy && !inner.waiting.is_empty();
        if starts {
            inner.busy = true;
            drop(inner);
            self.clear_timer();
            spawn_local(self.deliver());
        }
        starts
    }

    /// Sends one after another until nothing waits or the server does not take it.
    ///
    /// The survey may leave the page at any `await`; what it sent is forgotten all the same.
    async fn deliver(self) {
        while let Some(entry) = self.next() {
            let reply = send::post(&entry).await;
            if reply.verdict == Verdict::Later {
                return self.wait(reply.after);
            }
            outbox::forget(&entry);
            self.done(&entry);
            if reply.verdict == Verdict::Refused {
                return self.refuse(reply.question.as_deref());
            }
            self.emit("submitted", &self.detail());
        }
        self.thank();
    }

    fn next(self) -> Option<Entry> {
        self.inner()?.borrow().waiting.first().cloned()
    }

    fn done(self, entry: &Entry) {
        if let Some(inner) = self.inner() {
            inner.borrow_mut().waiting.retain(|other| other.id != entry.id);
        }
    }

    /// Tells that the answers wait, and plans the next try.
    fn wait(self, after: Option<u32>) {
        let Some(inner) = self.inner() else { return };
        let mut inner = inner.borrow_mut();
        inner.busy = false;
        let pause = Duration::from_millis(delay(inner.tries, browser::random(), after).into());
        inner.tries += 1;
        let again = move || {
            self.retry();
        };
        inner.timer = set_timeout_with_handle(again, pause).ok();
        let words = &inner.definition.words;
        let note = if inner.on_device { words.kept.clone() } else { words.kept_page.clone() };
        drop(inner);
        self.show(Face { state: State::Kept, note, ..self.now() });
    }

    /// Goes to the question that the server named; the answers stay.
    fn refuse(self, question: Option<&str>) {
        let Some(inner) = self.inner() else { return };
        let mut inner = inner.borrow_mut();
        inner.busy = false;
        if let Some(id) = question {
            inner.flow.go_to(id);
        }
        drop(inner);
        self.emit("error", &self.detail());
        self.turn(true, self.word(|words| &words.refused));
    }

    /// Thanks, once the server has everything.
    fn thank(self) {
        let Some(inner) = self.inner() else { return };
        inner.borrow_mut().busy = false;
        let inside = inner.borrow().shadow.active_element().is_some();
        // Where the focus is moved to the thanks, they are read out without being said.
        let said = if inside { String::new() } else { self.word(|words| &words.thanks) };
        self.show(Face { state: State::Thanked, note: String::new(), said, ..self.now() });
        self.screen.set(Screen::Thanks);
        if inside {
            self.focus(&["[part=thanks]"]);
        }
    }

    /// The face as it is, without following it.
    fn now(self) -> Face {
        self.face.get_untracked()
    }

    fn show(self, face: Face) {
        self.face.set(face);
    }

    /// Focuses the first thing found, once it is drawn. Never called for the first showing: a
    /// survey within a page does not steal the focus.
    fn focus(self, wanted: &'static [&'static str]) {
        request_animation_frame(move || {
            let Some(inner) = self.inner() else { return };
            let find = |css: &&str| inner.borrow().shadow.query_selector(css).ok().flatten();
            if let Some(found) = wanted.iter().find_map(find) {
                found.unchecked_into::<HtmlElement>().focus().ok();
            }
        });
    }

    fn clear_timer(self) {
        let timer = self.inner().and_then(|inner| inner.borrow_mut().timer.take());
        if let Some(timer) = timer {
            timer.clear();
        }
    }

    /// Tells the page. What it does in return may reach back here, so nothing is borrowed.
    fn emit(self, name: &str, detail: &str) {
        let host = self.inner().map(|inner| inner.borrow().host.clone());
        if let Some(host) = host {
            browser::emit(&host, name, detail);
        }
    }

    /// Ids and steps as JSON.
    fn detail(self) -> String {
        let Some(inner) = self.inner() else { return String::new() };
        let inner = inner.borrow();
        let Place { step, total } = inner.flow.place();
        Object::new()
            .text("survey", inner.definition.survey.as_str())
            .text("question", inner.flow.question().map_or("", |question| question.id.as_str()))
            .raw("step", &step.to_string())
            .raw("total", &total.to_string())
            .end()
    }
}

impl Inner {
    /// The answers as a submission of their own: another try after a refusal is another one.
    fn entry(&self) -> Entry {
        let id = browser::uuid();
        let survey = self.definition.survey.as_str();
        let body = Outgoing {
            submission: &id,
            language: &self.definition.language,
            answers: self.flow.wire(),
            metadata: &self.options.metadata,
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
