//! The answer model that a visitor's browser and the server share.
//!
//! A survey's [`Definition`] goes to the browser, a [`Submission`] comes back, and
//! [`answer::check`] is the one rule book that both apply to it. Everything here is pure: no I/O,
//! no clock, no randomness, and nothing about the platform but the GUIDs of its languages.

pub mod answer;
pub mod condition;
pub mod id;
pub mod language;
pub mod limits;
pub mod pipe;
pub mod respondent;
pub mod submission;
pub mod survey;
#[cfg(any(test, feature = "testing"))]
pub mod testing;

pub use answer::{Answer, Chosen, Fault, Problem, Value};
pub use condition::{Condition, Literal, Mode, ShowIf, Test};
pub use id::{IdError, OptionId, QuestionId, SurveyId};
pub use language::{Direction, Language};
pub use respondent::Field;
pub use submission::{Context, Respondent, Submission, WireAnswer};
pub use survey::{
    Choice, Contact, Definition, Intro, Kind, Link, Look, Offered, Question, Score, Text, Thanks, Words,
};
