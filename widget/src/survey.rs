//! A survey on the page: what is on screen, and what happens when the visitor does something.
//!
//! Joins the pure [`Flow`] to the sender and the screen. The components only read
//! [`Survey::screen`] and [`Survey::face`], and call its methods.
//!
//! Hooks that stay as they are, for pages (`::part()`) and tests: `part="card progress language intro question
//! options option text error summary contact status step back next|send|again thanks link close"`, `data-question=ID`
//! on the question, `data-state="asking|sending|kept|refused|thanked"` on the card.

mod contact;
mod deliver;
mod page;

use std::cell::{Ref, RefCell, RefMut};
use std::rc::Rc;

use leptos::prelude::*;
use leptos::reactive::signal::ArcTrigger;
use send_wrapper::SendWrapper;
use shared::{Answer, Fault, Value};
use web_sys::ShadowRoot;

use crate::contact::Said;
use crate::flow::{Advance, Flow, Place, message};
use crate::json::{Json, Object};
use crate::mount::Stage;
use crate::repeat::repeated;
use crate::sender::{Sender, sender};
use crate::wire::Definition;
use crate::{FULL, browser, draft};

/// What the card is filled with. Setting it, even to the same, draws it anew.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Screen {
    /// What stands before the first question.
    Intro,
    /// The flow's question, or all of them.
    Question,
    /// How the visitor may be reached.
    Contact,
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
    /// What is wrong with answers, by the positions of their questions.
    pub(crate) errors: Vec<(usize, String)>,
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
pub(crate) struct Survey {
    shared: SendWrapper<Rc<Shared>>,
    /// The question that it is about, where it is about one: what draws a question gets a handle of its own.
    position: usize,
}

struct Shared {
    inner: RefCell<Inner>,
    screen: ArcTrigger,
    face: ArcTrigger,
}

/// What lies behind a handle.
pub(crate) struct Inner {
    screen: Screen,
    face: Face,
    /// Where the survey is shown.
    pub(crate) stage: Rc<Stage>,
    /// What is asked, its questions having gone into the flow.
    pub(crate) definition: Definition,
    /// Where the visitor is.
    pub(crate) flow: Flow,
    /// The UUID under which the answers are handed in.
    submission: String,
    /// The visitor's own number, for what is shuffled: the same as long as a draft of the answers is.
    pub(crate) seed: u32,
    /// What hands them in; `None` once the survey has left the page, since it holds what it calls, and so
    /// this.
    sender: Option<Sender>,
    /// How the visitor may be reached.
    pub(crate) contact: Said,
    /// True if the focus was within the survey when it was sent.
    was_inside: bool,
}

/// What a visitor takes along into another language.
pub(crate) struct Carried {
    submission: String,
    answers: Vec<Answer>,
    /// The id of the question on screen.
    question: String,
    screen: Screen,
    contact: Said,
}

impl Survey {
    /// Prepares a survey.
    pub(crate) fn new(stage: Rc<Stage>, mut definition: Definition, carried: Option<Carried>) -> Self {
        let mut flow = Flow::new(std::mem::take(&mut definition.questions));
        let name = definition.text("survey");
        let sender = sender(name, &stage.origin);
        let asking = !sender.waits();
        let now = browser::now();
        let (mut contact, mut screen) = (Said::default(), None);
        let draft = if let Some(carried) = carried
            && FULL
        {
            flow.resume(carried.answers, Some(&carried.question));
            (contact, screen) = (carried.contact, Some(carried.screen));
            Some(carried.submission)
        } else {
            if !stage.keeps {
                draft::forget_tabs(&stage, name);
            }
            // What waits was answered by the visitor, and what the page says does not count.
            draft::resume(&stage, name, &mut flow, now).or_else(|| {
                let prefilled = asking.then(|| browser::prefilled(&stage.host));
                draft::take(&prefilled.unwrap_or_default(), &mut flow, now)
            })
        };
        let first = if draft.is_none() && *definition.get("intro") != Json::Null {
            Screen::Intro
        } else {
            screen.unwrap_or(Screen::Question)
        };
        let face = Face {
            state: if asking { State::Asking } else { State::Kept },
            place: Place::default(),
            errors: Vec::new(),
            note: if asking { String::new() } else { definition.word("kept").to_owned() },
            said: String::new(),
            way: None,
        };
        let submission = draft.unwrap_or_else(browser::uuid);
        let mut inner = Inner {
            seed: submission.get(..8).and_then(|hex| u32::from_str_radix(hex, 16).ok()).unwrap_or_default(),
            screen: if asking { first } else { Screen::Outbox },
            face,
            stage,
            definition,
            flow,
            submission,
            sender: Some(sender),
            contact,
            was_inside: false,
        };
        inner.face.place = inner.place();
        let shared =
            Shared { inner: RefCell::new(inner), screen: ArcTrigger::new(), face: ArcTrigger::new() };
        Self { shared: SendWrapper::new(Rc::new(shared)), position: 0 }
    }

    /// The same survey, about the question at a position.
    pub(crate) fn at(&self, position: usize) -> Self {
        Self { position, ..self.clone() }
    }

    /// The position of the question that this handle is about.
    pub(crate) fn position(&self) -> usize {
        self.position
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
        let host = self.inner().stage.host.clone();
        for name in ["ready", "shown"] {
            browser::emit_soon(&host, name, &self.detail());
        }
        if let Some(sender) = self.sender() {
            sender.begin(&self.listener());
        }
    }

    /// What the card is filled with. A view that reads it is drawn anew when it is set.
    pub(crate) fn screen(&self) -> Screen {
        self.shared.screen.track();
        self.inner().screen
    }

    /// Everything around it. A view that reads it follows it.
    pub(crate) fn face(&self) -> Ref<'_, Face> {
        self.watch();
        Ref::map(self.inner(), |inner| &inner.face)
    }

    /// Has a view follow what is around the question, where it reads the inside only.
    pub(crate) fn watch(&self) {
        self.shared.face.track();
    }

    /// The inside. Not to be held across a change.
    pub(crate) fn inner(&self) -> Ref<'_, Inner> {
        self.shared.inner.borrow()
    }

    fn sender(&self) -> Option<Sender> {
        self.inner().sender.clone()
    }

    fn change(&self) -> RefMut<'_, Inner> {
        self.shared.inner.borrow_mut()
    }

    /// One of the widget's own words.
    pub(crate) fn word(&self, key: &str) -> String {
        self.inner().definition.word(key).to_owned()
    }

    /// Answers the question, or takes its answer back.
    pub(crate) fn answer(&self, value: Option<Value>) {
        let mut inner = self.change();
        inner.flow.answer(self.position, value);
        inner.face.place = inner.place();
        if FULL && inner.is_one_page() {
            inner.forget_mended();
        }
        inner.face.errors.retain(|(position, _)| *position != self.position);
        drop(inner);
        self.keep_draft();
        self.shared.face.notify();
    }

    /// Keeps what was answered and where the visitor is, for a reload.
    fn keep_draft(&self) {
        let inner = self.inner();
        let survey = inner.definition.text("survey");
        draft::keep(&inner.stage, survey, &inner.submission, &inner.flow, browser::now());
    }

    /// What the filled button does: goes on, sends, or tries again.
    pub(crate) fn forward(&self) {
        let (state, screen) = (self.inner().face.state, self.inner().screen);
        match state {
            State::Asking if screen == Screen::Intro => self.turn(Screen::Question, "on", String::new()),
            State::Asking | State::Refused => self.advance(),
            State::Kept => self.retry(),
            State::Sending | State::Thanked => {}
        }
    }

    /// Goes back to the question before.
    pub(crate) fn back(&self) {
        let mut inner = self.change();
        if !FULL || inner.screen == Screen::Question {
            inner.flow.back();
        }
        drop(inner);
        self.turn(Screen::Question, "back", String::new());
    }

    fn advance(&self) {
        // A page that hears of the last answer may take the survey away: what was answered is sent all the same.
        let sender = self.sender();
        if FULL && self.inner().is_last_by_itself() {
            return self.hand_in(sender.as_ref());
        }
        let detail = self.detail();
        let at = self.inner().flow.at();
        let answered = self.inner().flow.value(at).is_some();
        let advance = self.change().flow.advance();
        if answered && advance.is_ok() {
            self.emit("answered", &detail);
        }
        match advance {
            Ok(Advance::Question) => self.turn(Screen::Question, "on", String::new()),
            Ok(Advance::Send) if self.inner().asks_contact() => {
                self.turn(Screen::Contact, "on", String::new());
            }
            Ok(Advance::Send) => self.send(sender.as_ref()),
            Err(fault) => {
                let errors = self.inner().messages(vec![(at, fault)]);
                self.wrong(errors);
            }
        }
    }

    /// Says what is wrong with answers.
    fn wrong(&self, errors: Vec<(usize, String)>) {
        self.change().face.errors = errors;
        self.shared.face.notify();
    }

    /// Shows the flow's question, or what comes behind the questions, and moves the focus there.
    fn turn(&self, screen: Screen, way: &'static str, note: String) {
        self.turn_to(screen, way, note);
        if FULL && self.inner().is_one_page() {
            let at = self.inner().flow.at();
            return self.focus_on(at);
        }
        self.focus("input[type=radio]:checked", "input,textarea");
    }

    /// The same, and the focus stays where it is.
    fn turn_to(&self, screen: Screen, way: &'static str, note: String) {
        let mut inner = self.change();
        inner.screen = screen;
        let state = if note.is_empty() { State::Asking } else { State::Refused };
        let place = inner.place();
        inner.face = Face { state, place, errors: Vec::new(), note, said: String::new(), way: Some(way) };
        drop(inner);
        self.keep_draft();
        self.shared.face.notify();
        self.shared.screen.notify();
    }

    fn show(&self, state: State, note: String) {
        let mut inner = self.change();
        inner.face.state = state;
        inner.face.note = note;
        drop(inner);
        self.shared.face.notify();
    }

    fn fill(&self, screen: Screen) {
        self.change().screen = screen;
        self.shared.screen.notify();
    }

    /// Focuses what a selector finds, else what the other does, once it is drawn. Never called for the first showing: a
    /// survey within a page does not steal the focus.
    fn focus(&self, wanted: &str, other: &str) {
        browser::focus(&self.shadow(), wanted, other);
    }

    /// Where the survey is drawn.
    pub(crate) fn shadow(&self) -> ShadowRoot {
        self.inner().stage.shadow.clone()
    }

    /// Tells the page. What it does in return may reach back here, so nothing is borrowed.
    fn emit(&self, name: &str, detail: &str) {
        let host = self.inner().stage.host.clone();
        browser::emit(&host, name, detail);
    }

    /// Ids and steps as JSON.
    fn detail(&self) -> String {
        let inner = self.inner();
        inner.detail(inner.flow.at())
    }
}

impl Inner {
    /// Ids and steps of the question at a position, as JSON.
    fn detail(&self, position: usize) -> String {
        let Place { step, total } = self.flow.place(position);
        let question = self.flow.questions().get(position);
        Object::new()
            .text("survey", self.definition.text("survey"))
            .text("question", question.map_or("", |question| question.id.as_str()))
            .raw("step", &step.to_string())
            .raw("total", &total.to_string())
            .end()
    }

    /// What to tell the visitor about faults.
    fn messages(&self, faults: Vec<(usize, Fault)>) -> Vec<(usize, String)> {
        let say = |(position, fault): (usize, Fault)| {
            Some((position, message(&self.definition, self.flow.kind(position)?, fault)))
        };
        faults.into_iter().filter_map(say).collect()
    }

    /// Where the visitor is: by questions, and what comes behind them; on one page how many are answered.
    fn place(&self) -> Place {
        if FULL && self.is_one_page() {
            return self.flow.answered();
        }
        let mut place = self.flow.place(self.flow.at());
        if FULL && self.asks_contact() {
            place.total += 1;
            if self.screen == Screen::Contact {
                place.step = place.total;
            }
        }
        place
    }

    /// What the survey says at the end to this visitor, in the place of the widget's own thanks; `Null` if nothing.
    pub(crate) fn ending(&self) -> &Json {
        self.definition.ending(|show_if| self.flow.ends_with(show_if))
    }

    /// The line that thanks.
    pub(crate) fn thanks(&self) -> String {
        self.repeat(self.ending().get("title").text().unwrap_or(self.definition.word("thanks")))
    }

    /// A text with the answers that it repeats.
    pub(crate) fn repeat(&self, text: &str) -> String {
        if FULL { repeated(self, text) } else { text.to_owned() }
    }
}
