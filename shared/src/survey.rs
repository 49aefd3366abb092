//! A survey as a visitor's browser gets it: one language, no GUID.
//!
//! The JSON stays clear of flattened, untagged and internally tagged shapes: their deserializers
//! are large, and these types are parsed in WebAssembly.

use serde::{Deserialize, Serialize};

use crate::condition::ShowIf;
use crate::id::{OptionId, QuestionId, SurveyId};
use crate::respondent::Field;

/// A survey in one language.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Definition {
    /// The survey's id.
    pub survey: SurveyId,
    /// The language of all texts, as a BCP 47 tag (`nl`).
    pub language: String,
    /// True when the language is written from right to left.
    #[serde(default)]
    pub rtl: bool,
    /// Names this very content; sent back with the answers.
    pub version: String,
    /// True when a tap on the one answer of a question goes on to the next.
    #[serde(default, skip_serializing_if = "is_false")]
    pub autoprogress: bool,
    /// True when all questions stand on one page; else they come one by one.
    #[serde(default, skip_serializing_if = "is_false")]
    pub one_page: bool,
    /// The languages that the visitor may change to; empty where the page decides.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub languages: Vec<Offered>,
    /// The language's digits from 0 to 9, where they are not those of Latin scripts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub digits: Option<String>,
    /// What stands before the first question, if anything.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub intro: Option<Intro>,
    /// The questions in their order; never empty.
    pub questions: Vec<Question>,
    /// How the visitor may be reached, asked after the last question; never, if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub contact: Option<Contact>,
    /// What stands in the place of the widget's own thanks: the first that fits. Empty for the widget's own.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub thanks: Vec<Thanks>,
    /// The widget's own words.
    pub words: Words,
    /// `light` or `dark`, whatever the visitor's system says.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub theme: Option<String>,
    /// A style sheet, for what few surveys show and for the brand's looks; empty if the widget's own is enough.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub style: String,
}

/// A language to change to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Offered {
    /// Its BCP 47 tag.
    pub tag: String,
    /// Its own name for itself.
    pub name: String,
}

/// How the visitor may be reached: asked only of those who agree to it first.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Contact {
    /// Of whom; of everybody, if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub show_if: Option<ShowIf>,
    /// A line that asks for it.
    pub title: String,
    /// More about it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
    /// What the visitor agrees to.
    pub consent: String,
    /// Where to read what becomes of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub link: Option<Link>,
    /// What is asked of those who agree; never empty, none twice.
    pub fields: Vec<ContactField>,
}

/// One thing that is asked about the visitor.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ContactField {
    /// What it is.
    pub field: Field,
    /// True when who agrees has to say it.
    #[serde(default, skip_serializing_if = "is_false")]
    pub required: bool,
}

/// What stands before the first question.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Intro {
    /// A line that says what this is.
    pub title: String,
    /// More about it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
    /// What the button says that leads to the first question.
    pub button: String,
}

/// What stands at the end.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Thanks {
    /// For whom; for everybody, if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub show_if: Option<ShowIf>,
    /// A line that thanks.
    pub title: String,
    /// More about it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
    /// Where to go from here.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub link: Option<Link>,
}

/// A way to another page.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Link {
    /// The page's address.
    pub url: String,
    /// What is written on it.
    pub text: String,
}

/// One question.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Question {
    /// The question's id.
    pub id: QuestionId,
    /// What is asked.
    pub text: String,
    /// A second, quieter line.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hint: Option<String>,
    /// True when the visitor has to answer it, where it is shown.
    #[serde(default, skip_serializing_if = "is_false")]
    pub required: bool,
    /// When to ask it; always, if absent. Refers to earlier questions only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub show_if: Option<ShowIf>,
    /// How it is answered.
    pub kind: Kind,
}

/// How a question is answered.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// A step of a scale.
    Score(Score),
    /// The visitor's own words.
    Text(Text),
    /// Yes or no.
    YesNo,
    /// One or several of a list.
    Choice(Choice),
}

/// A scale of whole numbers.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Score {
    /// The lowest step.
    pub min: i32,
    /// The highest step; more than `min`.
    pub max: i32,
    /// What the lowest step means.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub low: Option<String>,
    /// What the highest step means.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub high: Option<String>,
    /// What every step means, from the lowest; empty if only the ends say so.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub labels: Vec<String>,
    /// What the steps look like.
    #[serde(default, skip_serializing_if = "Look::is_numbers")]
    pub look: Look,
    /// True when the steps go from red over yellow to green.
    #[serde(default, skip_serializing_if = "is_false")]
    pub colors: bool,
}

impl Score {
    /// A scale of numbers that mean nothing in particular.
    pub fn of(min: i32, max: i32) -> Self {
        let (low, high, labels) = (None, None, Vec::new());
        Self { min, max, low, high, labels, look: Look::Numbers, colors: false }
    }

    /// What a step means; `None` if nothing in particular.
    pub fn meaning(&self, step: i32) -> Option<&str> {
        let at = usize::try_from(step - self.min).ok()?;
        let end = if step == self.min {
            &self.low
        } else if step == self.max {
            &self.high
        } else {
            &None
        };
        self.labels.get(at).or(end.as_ref()).map(String::as_str)
    }
}

/// What the steps of a scale look like.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Look {
    /// Their numbers, side by side.
    #[default]
    Numbers,
    /// Stars, filled up to the chosen one.
    Stars,
    /// Faces, from sad to glad.
    Smileys,
    /// What they mean, one below the other.
    List,
}

impl Look {
    #[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes a reference")]
    fn is_numbers(&self) -> bool {
        *self == Self::Numbers
    }
}

/// A text to write.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Text {
    /// The longest answer, in Unicode scalar values.
    pub max_length: u32,
}

/// A list to choose from.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Choice {
    /// True when several options may be chosen.
    #[serde(default, skip_serializing_if = "is_false")]
    pub several: bool,
    /// The fewest that may be chosen, where any is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub min: Option<u32>,
    /// The most that may be chosen.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max: Option<u32>,
    /// True when each visitor gets the options in an order of their own.
    #[serde(default, skip_serializing_if = "is_false")]
    pub shuffle: bool,
    /// True when the visitor can search the list.
    #[serde(default, skip_serializing_if = "is_false")]
    pub search: bool,
    /// The options in their order; never empty, ids are unique.
    pub options: Vec<ChoiceOption>,
}

impl Choice {
    /// A list of which one may be chosen, or several.
    pub fn of(several: bool, options: Vec<ChoiceOption>) -> Self {
        Self { several, min: None, max: None, shuffle: false, search: false, options }
    }

    /// True where there is such an option.
    pub(crate) fn has(&self, id: &OptionId) -> bool {
        self.options.iter().any(|option| option.id == *id)
    }

    /// True where one of the chosen options takes the visitor's own words.
    pub fn takes_words(&self, chosen: &[OptionId]) -> bool {
        self.options.iter().any(|option| option.other && chosen.contains(&option.id))
    }
}

/// One option of a list.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ChoiceOption {
    /// The option's id.
    pub id: OptionId,
    /// What the visitor reads.
    pub text: String,
    /// True when it stays in its place where the others are shuffled.
    #[serde(default, skip_serializing_if = "is_false")]
    pub fixed: bool,
    /// True when the visitor may say in words what is meant by it.
    #[serde(default, skip_serializing_if = "is_false")]
    pub other: bool,
}

/// The widget's own words in the survey's language.
///
/// `{n}`, `{total}`, `{min}` and `{max}` stand for numbers. Words that the survey has no use for are empty.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Words {
    /// The survey's accessible name.
    pub survey: String,
    /// Goes to the next question.
    pub next: String,
    /// Goes to the question before.
    pub back: String,
    /// Hands the answers in.
    pub send: String,
    /// Yes.
    pub yes: String,
    /// No.
    pub no: String,
    /// `{n} of {total}`.
    pub progress: String,
    /// Marks a question that may be left out.
    pub optional: String,
    /// Tells that several options may be chosen.
    pub several: String,
    /// `{n} / {max}`: characters written of those allowed.
    pub count: String,
    /// A score, yes/no or choice is missing.
    pub choose: String,
    /// A text is missing.
    pub write: String,
    /// `{max}`: the text is too long.
    pub too_long: String,
    /// `{min}`: fewer options were chosen than have to be.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub too_few: String,
    /// `{max}`: more options were chosen than may be.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub too_many: String,
    /// Names the field that searches a list.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub search: String,
    /// Nothing in the list is like what is searched.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub nothing: String,
    /// Names the field for what an option called "other" means.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub specify: String,
    /// Stands above a list of what is wrong on a page.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub check: String,
    /// Names the list of languages to change to.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub language: String,
    /// The visitor's first name.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub first_name: String,
    /// The visitor's last name.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub last_name: String,
    /// The visitor's e-mail address.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub email: String,
    /// The visitor's phone number.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub phone: String,
    /// A field is empty that has to be filled in.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub missing: String,
    /// What was written is no e-mail address.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub wrong_email: String,
    /// The answers are on their way.
    pub sending: String,
    /// The answers wait on the device.
    pub kept: String,
    /// The answers wait in this page only.
    pub kept_page: String,
    /// Sends again now.
    pub again: String,
    /// The server refused the answers for good.
    pub refused: String,
    /// Thanks.
    pub thanks: String,
    /// What the answers are good for.
    pub thanks_more: String,
    /// Takes the survey away.
    pub close: String,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes a reference")]
fn is_false(value: &bool) -> bool {
    !*value
}
