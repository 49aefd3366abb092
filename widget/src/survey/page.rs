//! Handing in what does not stand on one step by itself: a whole page, and what comes behind the questions.

use std::rc::Rc;

use super::{Carried, Inner, Screen, Survey};
use crate::browser;
use crate::draft;
use crate::sender::Sender;
use crate::wire::Definition;

impl Survey {
    pub(super) fn is_last_by_itself(&self) -> bool {
        self.inner().is_last_by_itself()
    }

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

    /// Moves the focus to what is answered at a position: what is chosen there, else the first that can be.
    pub(crate) fn focus_on(&self, position: usize) {
        let inside = |what: &str| ["[data-at='", &position.to_string(), "'] ", what].concat();
        self.focus(&inside(":checked"), &inside(":is(input:not([type=search]),textarea)"));
    }

    /// Shows the survey in another language; the visitor goes on where they are.
    pub(crate) fn translate(&self, definition: Definition) {
        let inner = self.inner();
        let carried = Carried {
            draft: draft::written(&inner.submission, &inner.flow, browser::now()).unwrap_or_default(),
            contact: inner.contact.clone(),
            screen: (inner.screen == Screen::Contact).then_some(Screen::Contact),
        };
        let stage = Rc::clone(&inner.stage);
        let shadow = inner.stage.shadow.clone();
        drop(inner);
        // Fails only without a shadow root, and this survey lies in one.
        stage.show(definition, carried).ok();
        browser::focus(&shadow, "[part=language]", "");
    }
}

impl Inner {
    /// True where all questions stand on one page.
    pub(crate) fn is_one_page(&self) -> bool {
        self.definition.get("one_page").is_true()
    }
}
