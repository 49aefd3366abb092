//! Handing in what does not stand on one step by itself: a whole page, and what comes behind the questions.

use std::rc::Rc;

use shared::Fault;

use super::{Carried, Inner, Screen, State, Survey};
use crate::sender::Sender;
use crate::wire::Definition;
use crate::{browser, full};

impl Survey {
    /// Sends everything, or says what is wrong with it.
    pub(super) fn hand_in(&self, sender: Option<&Sender>) {
        let inner = self.inner();
        let one_page = inner.is_one_page();
        let mut errors = inner.contact_errors();
        if one_page {
            let questions = inner.messages(inner.flow.faults());
            errors.splice(0..0, questions);
        }
        drop(inner);
        let Some((first, _)) = errors.first() else {
            if one_page {
                self.tell_what_was_answered();
            }
            return self.send(sender);
        };
        let first = *first;
        self.wrong(errors);
        if one_page {
            self.focus("[part=summary]", "");
        } else {
            self.focus_on(first);
        }
    }

    /// Tells the page of each answer, as step by step.
    fn tell_what_was_answered(&self) {
        let inner = self.inner();
        let count = inner.flow.questions().len();
        let answered = (0..count).filter(|at| inner.flow.asks(*at) && inner.flow.value(*at).is_some());
        let details: Vec<String> = answered.map(|at| inner.detail(at)).collect();
        drop(inner);
        for detail in details {
            self.emit("answered", &detail);
        }
    }

    /// Moves the focus to what is answered at a position: what is chosen there, else the first that can be; where there
    /// are too many words, to them.
    pub(crate) fn focus_on(&self, position: usize) {
        let too_long = matches!(self.inner().flow.fault(position), Some(Fault::TooLong { .. }));
        let inside = |what: &str| ["[data-at='", &position.to_string(), "'] ", what].concat();
        let wanted = if too_long { ".other input" } else { ":checked" };
        self.focus(&inside(wanted), &inside(":is(input:not([type=search],[hidden] *),textarea)"));
    }

    /// Shows the survey in another language, if it is still there and the visitor can still answer; the visitor goes on
    /// where they are.
    pub(crate) fn translate(&self, definition: Definition) {
        let inner = self.inner();
        if inner.sender.is_none() || !matches!(inner.face.state, State::Asking | State::Refused) {
            return;
        }
        let carried = Carried {
            submission: inner.submission.clone(),
            answers: inner.flow.answers().to_vec(),
            question: inner.flow.question().map(|question| question.id.to_string()).unwrap_or_default(),
            screen: inner.screen,
            contact: inner.contact.clone(),
        };
        let stage = Rc::clone(&inner.stage);
        let shadow = inner.stage.shadow.clone();
        drop(inner);
        let frame = full::frame_of(&shadow).unwrap_or_default();
        // Fails only without a shadow root, and this survey lies in one.
        stage.show(definition, Some(carried)).ok();
        full::frame_again(&shadow, &frame).ok();
        browser::focus(&shadow, "[part=language]", "");
    }
}

impl Inner {
    /// Forgets what was wrong on the page and is no more: a question that is not asked any longer, or the first one where
    /// nothing at all had been answered.
    pub(super) fn forget_mended(&mut self) {
        let questions = self.flow.questions().len();
        let wrong = self.flow.faults();
        let contact = self.asks_contact();
        self.face.errors.retain(|(position, _)| {
            if *position < questions { wrong.iter().any(|(at, _)| at == position) } else { contact }
        });
    }

    /// True where the next step hands everything in, whatever the flow says: on one page, and behind the questions.
    pub(super) fn is_last_by_itself(&self) -> bool {
        self.is_one_page() || self.screen == Screen::Contact
    }

    /// True where all questions stand on one page.
    pub(crate) fn is_one_page(&self) -> bool {
        self.definition.get("one_page").is_true()
    }
}
