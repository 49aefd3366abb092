//! How the visitor may be reached: what was said, and what is wrong with it.

use leptos::prelude::Notify;
use shared::{Field, limits, respondent};

use super::{Inner, Survey};
use crate::flow::fill;
use crate::json::{Json, Object};
use crate::wire::{is_for, text};
use crate::{FULL, full};

impl Survey {
    /// Takes whether the visitor agrees to be reached.
    pub(crate) fn agree(&self, agreed: bool) {
        let mut inner = self.change();
        inner.contact.agreed = agreed;
        let questions = inner.flow.questions().len();
        inner.face.errors.retain(|(position, _)| *position < questions);
        drop(inner);
        self.shared.face.notify();
    }

    /// Takes what is written in the field that this handle is about.
    pub(crate) fn say(&self, value: String) {
        let mut inner = self.change();
        let at = self.position - inner.flow.questions().len();
        let values = &mut inner.contact.values;
        values.resize(values.len().max(at + 1), String::new());
        if let Some(place) = values.get_mut(at) {
            *place = value;
        }
        inner.face.errors.retain(|(position, _)| *position != self.position);
        drop(inner);
        self.shared.face.notify();
    }
}

impl Inner {
    /// True for a survey that asks how its visitors may be reached, some of them at least.
    pub(crate) fn has_contact(&self) -> bool {
        FULL && *self.definition.get("contact") != Json::Null
    }

    /// True where this visitor is asked for it.
    pub(crate) fn asks_contact(&self) -> bool {
        let holds = |show_if: &_| self.flow.ends_with(show_if);
        self.has_contact() && is_for(self.definition.get("contact"), holds)
    }

    fn contact_fields(&self) -> &[Json] {
        self.definition.get("contact").get("fields").list()
    }

    /// What is written in the field at a position, which is counted from behind the questions.
    pub(crate) fn contact_value(&self, position: usize) -> &str {
        let at = position.checked_sub(self.flow.questions().len());
        at.and_then(|at| self.contact.values.get(at)).map_or("", String::as_str)
    }

    /// True where the visitor is asked, and has agreed.
    fn has_agreed(&self) -> bool {
        self.contact.agreed && self.asks_contact()
    }

    /// What is wrong with what the visitor has said, by the positions of the fields.
    pub(super) fn contact_errors(&self) -> Vec<(usize, String)> {
        if !self.has_agreed() {
            return Vec::new();
        }
        let definition = &self.definition;
        let first = self.flow.questions().len();
        let wrong = self.contact_fields().iter().enumerate().filter_map(|(at, field)| {
            let value = self.contact_value(first + at);
            if value.is_empty() {
                let missing = field.get("required").is_true();
                return missing.then(|| (first + at, definition.word("missing").to_owned()));
            }
            let name = text(field, "field");
            let field = Field::ALL.into_iter().find(|field| field.name() == name);
            let error = match respondent::fault(field, value)? {
                respondent::Fault::NoEmail => definition.word("wrong_email").to_owned(),
                _ => fill(definition, definition.word("too_long"), &[("max", limits::RESPONDENT_FIELD)]),
            };
            Some((first + at, error))
        });
        wrong.collect()
    }

    /// What the page says about the visitor, with what a visitor who has agreed says in its place.
    pub(super) fn said(&self) -> String {
        let said = self.stage.said();
        if !FULL || !self.has_agreed() {
            return said;
        }
        let first = self.flow.questions().len();
        let mut own = Object::new();
        for (at, field) in self.contact_fields().iter().enumerate() {
            let value = self.contact_value(first + at);
            own = own.optional(text(field, "field"), (!value.is_empty()).then_some(value));
        }
        full::with_contact(&said, &own.end())
    }

    /// What a position on the page is called: a question's text, or a field's name.
    pub(crate) fn name(&self, position: usize) -> &str {
        let questions = self.flow.questions();
        if let Some(question) = questions.get(position) {
            return &question.text;
        }
        let field = position.checked_sub(questions.len()).and_then(|at| self.contact_fields().get(at));
        field.map_or("", |field| self.definition.word(text(field, "field")))
    }
}
