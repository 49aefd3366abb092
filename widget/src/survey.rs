//! A survey on the page: what is on screen, and what happens when the visitor does something.
//!
//! Joins the pure [`Flow`] to the sender and the screen. The components only read
//! [`Survey::screen`] and [`Survey::face`], and call its methods.
//!
//! Hooks that stay as they are, for pages (`::part()`) and tests: `part="card progress intro question
//! options option text error status step back next|send|again thanks link close"`, `data-question=ID` on the
//! question, `data-state="asking|sending|kept|refused|thanked"` on the card.

mod deliver;

use std::cell::{Ref, RefCell, RefMut};
use std::rc::Rc;

use leptos::prelude::*;
use leptos::reactive::signal::ArcTrigger;
use send_wrapper::SendWrapper;
use shared::answer::tidy_text;
use shared::{Definition, Thanks, Value, Words};
use web_sys::{HtmlElement, ShadowRoot};

use crate::flow::{Advance, Flow, Place, message};
use crate::json::Object;
use crate::mount::Options;
use crate::sender::{Sender, sender};
use crate::{browser, draft};

/// What the card is filled with. Setting it, even to the same, draws it anew.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Screen {
    /// What stands before the first question.
    Intro,
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
    /// How the visitor came to this question, `on` or `back`; `None` where the survey began with it.
    pub(crate) way: Option<&'static str>,
}

/// A handle on one survey on the page.
///
/// Its state lies in one cell with two triggers rather than in signals, since every type that a
/// signal holds, and every closure that one is handed, costs its own copy of the code around it.
#[derive(Clone)]
pub(crate) struct Survey(SendWrapper<Rc<Shared>>);

struct Shared {
    inner: RefCell<Inner>,
    screen: ArcTrigger,
    face: ArcTrigger,
}

/// What lies behind a handle.
pub(crate) struct Inner {
    screen: Screen,
    face: Face,
    host: HtmlElement,
    shadow: ShadowRoot,
    /// What is asked, its questions having gone into the flow.
    pub(crate) definition: Definition,
    /// What the page says about this showing.
    pub(crate) options: Options,
    /// Where the visitor is.
    pub(crate) flow: Flow,
    /// The text as it stands in the field, for a text question.
    pub(crate) text: String,
    /// The UUID under which the answers are handed in.
    submission: String,
    /// The visitor's own number, for what is shuffled: the same as long as a draft of the answers is.
    pub(crate) seed: u32,
    /// What hands them in; `None` once the survey has left the page, since it holds what it calls, and so
    /// this.
    sender: Option<Sender>,
}

impl Survey {
    /// Prepares a survey.
    pub(crate) fn new(
        host: HtmlElement,
        shadow: ShadowRoot,
        mut definition: Definition,
        options: Options,
    ) -> Self {
        let mut flow = Flow::new(std::mem::take(&mut definition.questions));
        let name = definition.survey.as_str();
        let draft = if options.keeps {
            draft::resume(name, &mut flow, browser::now())
        } else {
            draft::forget(name);
            None
        };
        let sender = sender(name, &options.origin);
        let asking = !sender.waits();
        let first =
            if draft.is_none() && definition.intro.is_some() { Screen::Intro } else { Screen::Question };
        let face = Face {
            state: if asking { State::Asking } else { State::Kept },
            place: flow.place(),
            error: String::new(),
            note: if asking { String::new() } else { definition.words.kept.clone() },
            said: String::new(),
            way: None,
        };
        let submission = draft.unwrap_or_else(browser::uuid);
        let inner = Inner {
            seed: submission.get(..8).and_then(|hex| u32::from_str_radix(hex, 16).ok()).unwrap_or_default(),
            screen: if asking { first } else { Screen::Outbox },
            face,
            host,
            shadow,
            definition,
            options,
            text: text(&flow),
            flow,
            submission,
            sender: Some(sender),
        };
        Self(SendWrapper::new(Rc::new(Shared {
            inner: RefCell::new(inner),
            screen: ArcTrigger::new(),
            face: ArcTrigger::new(),
        })))
    }

    /// Tells the page that the survey is there, and sends what was kept before a reload, now and
    /// whenever the net returns.
    ///
    /// Needs a reactive owner, and ends with it.
    pub(crate) fn start(&self) {
        let survey = self.clone();
        on_cleanup(move || {
            let sender = survey.change().sender.take();
            if let Some(sender) = sender {
                sender.leave();
            }
        });
        let host = self.inner().host.clone();
        for name in ["ready", "shown"] {
            browser::emit_soon(&host, name, &self.detail());
        }
        if let Some(sender) = self.sender() {
            sender.begin(&self.listener());
        }
    }

    /// What the card is filled with. A view that reads it is drawn anew when it is set.
    pub(crate) fn screen(&self) -> Screen {
        self.0.screen.track();
        self.inner().screen
    }

    /// Everything around it. A view that reads it follows it.
    pub(crate) fn face(&self) -> Ref<'_, Face> {
        self.0.face.track();
        Ref::map(self.inner(), |inner| &inner.face)
    }

    /// The inside. Not to be held across a change.
    pub(crate) fn inner(&self) -> Ref<'_, Inner> {
        self.0.inner.borrow()
    }

    fn sender(&self) -> Option<Sender> {
        self.inner().sender.clone()
    }

    fn change(&self) -> RefMut<'_, Inner> {
        self.0.inner.borrow_mut()
    }

    /// One of the widget's own words.
    pub(crate) fn word(&self, which: fn(&Words) -> &String) -> String {
        which(&self.inner().definition.words).clone()
    }

    /// Takes the text as it stands in the field.
    pub(crate) fn write(&self, text: String) {
        let tidy = tidy_text(&text);
        self.change().text = text;
        self.answer((!tidy.is_empty()).then_some(Value::Text(tidy)));
    }

    /// Answers the question on screen, or takes its answer back.
    pub(crate) fn answer(&self, value: Option<Value>) {
        let mut inner = self.change();
        inner.flow.answer(value);
        inner.face.place = inner.flow.place();
        inner.face.error.clear();
        drop(inner);
        self.keep_draft();
        self.0.face.notify();
    }

    /// Keeps what was answered and where the visitor is, for a reload.
    fn keep_draft(&self) {
        let inner = self.inner();
        if inner.options.keeps {
            let survey = inner.definition.survey.as_str();
            draft::keep(survey, &inner.submission, &inner.flow, browser::now());
        }
    }

    /// What the filled button does: goes on, sends, or tries again.
    pub(crate) fn forward(&self) {
        let (state, screen) = (self.inner().face.state, self.inner().screen);
        match state {
            State::Asking if screen == Screen::Intro => self.turn("on", String::new()),
            State::Asking | State::Refused => self.advance(),
            State::Kept => self.retry(),
            State::Sending | State::Thanked => {}
        }
    }

    /// Goes back to the question before.
    pub(crate) fn back(&self) {
        self.change().flow.back();
        self.turn("back", String::new());
    }

    fn advance(&self) {
        // A page that hears of the last answer may take the survey away: what was answered is sent all the same.
        let sender = self.sender();
        let detail = self.detail();
        let answered = self.inner().flow.value().is_some();
        let advance = self.change().flow.advance();
        if answered && advance.is_ok() {
            self.emit("answered", &detail);
        }
        match advance {
            Ok(Advance::Question) => self.turn("on", String::new()),
            Ok(Advance::Send) => self.send(sender.as_ref()),
            Err(fault) => {
                let mut inner = self.change();
                let words = &inner.definition.words;
                let error = inner.flow.question().map(|question| message(words, &question.kind, fault));
                inner.face.error = error.unwrap_or_default();
                drop(inner);
                self.0.face.notify();
            }
        }
    }

    /// Shows the flow's question and moves the focus there.
    fn turn(&self, way: &'static str, note: String) {
        let mut inner = self.change();
        let state = if note.is_empty() { State::Asking } else { State::Refused };
        let place = inner.flow.place();
        inner.text = text(&inner.flow);
        inner.face = Face { state, place, error: String::new(), note, said: String::new(), way: Some(way) };
        drop(inner);
        self.keep_draft();
        self.0.face.notify();
        self.fill(Screen::Question);
        self.focus("input[type=radio]:checked", "input,textarea");
    }

    fn show(&self, state: State, note: String) {
        let mut inner = self.change();
        inner.face.state = state;
        inner.face.note = note;
        drop(inner);
        self.0.face.notify();
    }

    fn fill(&self, screen: Screen) {
        self.change().screen = screen;
        self.0.screen.notify();
    }

    /// Focuses what a selector finds, else what the other does, once it is drawn. Never called for the first showing: a
    /// survey within a page does not steal the focus.
    fn focus(&self, wanted: &str, other: &str) {
        browser::focus(&self.shadow(), wanted, other);
    }

    /// Where the survey is drawn.
    pub(crate) fn shadow(&self) -> ShadowRoot {
        self.inner().shadow.clone()
    }

    /// Tells the page. What it does in return may reach back here, so nothing is borrowed.
    fn emit(&self, name: &str, detail: &str) {
        let host = self.inner().host.clone();
        browser::emit(&host, name, detail);
    }

    /// Ids and steps as JSON.
    fn detail(&self) -> String {
        let inner = self.inner();
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
    /// What the survey says at the end to this visitor, in the place of the widget's own thanks.
    pub(crate) fn ending(&self) -> Option<&Thanks> {
        let mut endings = self.definition.thanks.iter();
        endings.find(|ending| ending.show_if.as_ref().is_none_or(|show_if| self.flow.ends_with(show_if)))
    }

    /// The line that thanks.
    pub(crate) fn thanks(&self) -> &str {
        self.ending().map_or(&self.definition.words.thanks, |ending| &ending.title)
    }
}

/// The text that answers the flow's question; empty if none does.
fn text(flow: &Flow) -> String {
    match flow.value() {
        Some(Value::Text(text)) => text.clone(),
        _ => String::new(),
    }
}
