//! The bodies, with the limits that are applied to them.
//!
//! Described beside the wire types rather than derived from them: those go into the widget, whose
//! bytes count. A test holds the two together.

use shared::{id, limits};
use utoipa::openapi::schema::{ArrayBuilder, KnownFormat, ObjectBuilder, OneOfBuilder, SchemaType, Type};
use utoipa::openapi::{Ref, RefOr, Schema, SchemaFormat};

use crate::intake::problem::DETAILS;

/// `shared::id`, as a regular expression.
const ID: &str = "^[a-z0-9][a-z0-9_-]*$";
/// What `limits::is_forbidden` leaves, as a regular expression.
const CLEAN: &str = r"^[^\x00-\x08\x0b-\x1f\x7f-\x9f\ufffe\uffff]*$";
/// The same where a line feed and a tab are too much.
const CLEAN_LINE: &str = r"^[^\x00-\x1f\x7f-\x9f\ufffe\uffff]*$";

/// Every schema with its name.
pub(super) fn all() -> Vec<(&'static str, Schema)> {
    vec![
        ("Submission", submission()),
        ("Answer", answer()),
        ("Respondent", respondent()),
        ("Context", context()),
        ("Accepted", accepted()),
        ("Definition", definition()),
        ("Question", question()),
        ("Kind", kind()),
        ("ShowIf", show_if()),
        ("Condition", condition()),
        ("Words", words()),
        ("Problem", problem()),
        ("Detail", detail()),
    ]
}

pub(super) fn to(name: &str) -> Ref {
    Ref::from_schema_name(name)
}

pub(super) fn text(about: &str) -> ObjectBuilder {
    ObjectBuilder::new().schema_type(Type::String).description(Some(about).filter(|about| !about.is_empty()))
}

pub(super) fn whole(about: &str) -> ObjectBuilder {
    text(about).schema_type(Type::Integer)
}

fn yes_or_no(about: &str) -> ObjectBuilder {
    text(about).schema_type(Type::Boolean)
}

/// An id that a survey's author gave.
pub(super) fn id(about: &str) -> ObjectBuilder {
    text(about).pattern(Some(ID)).min_length(Some(1)).max_length(Some(id::MAX_LENGTH))
}

/// A text that may also be null.
fn perhaps(about: &str) -> ObjectBuilder {
    text(about).schema_type(SchemaType::from_iter([Type::String, Type::Null]))
}

fn nothing() -> ObjectBuilder {
    ObjectBuilder::new().schema_type(Type::Null)
}

fn list(of: impl Into<RefOr<Schema>>, least: usize, most: usize) -> ArrayBuilder {
    ArrayBuilder::new().items(of.into()).min_items(Some(least)).max_items(Some(most))
}

/// Properties that are always there.
fn with<const N: usize>(properties: [(&str, RefOr<Schema>); N]) -> ObjectBuilder {
    properties
        .into_iter()
        .fold(ObjectBuilder::new(), |object, (name, schema)| object.property(name, schema).required(name))
}

/// Exactly one of these, each with one property that names it.
fn one_of<const N: usize>(about: &str, variants: [(&str, RefOr<Schema>); N]) -> OneOfBuilder {
    let about = Some(about).filter(|about| !about.is_empty());
    variants
        .into_iter()
        .fold(OneOfBuilder::new().description(about), |all, (name, schema)| all.item(with([(name, schema)])))
}

fn submission() -> Schema {
    let value = text("").max_length(Some(limits::METADATA_VALUE)).pattern(Some(CLEAN));
    let key = text("").max_length(Some(limits::METADATA_KEY)).build();
    with([
        ("submission", text("Made by the browser, at random; the same again is stored once. Not nil.")
            .format(Some(uuid()))
            .into()),
        ("language", text("What the visitor saw, as a BCP 47 tag; one of the survey's languages.").into()),
        ("answers", list(to("Answer"), 1, limits::QUESTIONS)
            .description(Some("At most one for a question, and only for questions that are shown."))
            .into()),
    ])
    .description(Some(format!("One visitor's answers; at most {} bytes. Unknown keys are ignored.", limits::BODY_BYTES)))
    .property(
        "metadata",
        ObjectBuilder::new()
            .description(Some("What the page says of the visit: keys that the survey lists for pages."))
            .max_properties(Some(limits::METADATA_KEYS))
            .property_names(Some(Schema::Object(key)))
            .additional_properties(Some(value)),
    )
    .property("respondent", OneOfBuilder::new().item(nothing()).item(to("Respondent")))
    .property("context", OneOfBuilder::new().item(nothing()).item(to("Context")))
    .property("definition", perhaps("The `version` of the definition that was answered. Answers to questions that have gone since are dropped; without it, they are refused."))
    .into()
}

/// One answer: the question, one value, and null or nothing in the place of the others.
fn answer() -> Schema {
    let option = id("An option's id.");
    let values: [(&str, RefOr<Schema>); 4] = [
        ("score", whole("A step of the question's scale.").format(Some(int32())).into()),
        (
            "text",
            text("The visitor's words; not blank, at most the question's `max_length` characters.")
                .min_length(Some(1))
                .max_length(Some(limits::TEXT_MAX as usize))
                .pattern(Some(CLEAN))
                .into(),
        ),
        ("boolean", yes_or_no("Yes (`true`) or no.").into()),
        ("options", list(option, 1, limits::OPTIONS).unique_items(true).into()),
    ];
    let about = "Exactly one of the four values, the one of the question's kind.";
    let variants = values.iter().map(|(name, schema)| {
        let others = values.iter().map(|(other, _)| *other).filter(|other| other != name);
        let variant = with([("question", id("The question's id.").into()), (*name, schema.clone())]);
        others.fold(variant, |variant, other| variant.property(other, nothing()))
    });
    variants.fold(OneOfBuilder::new().description(Some(about)), OneOfBuilder::item).into()
}

fn uuid() -> SchemaFormat {
    SchemaFormat::Custom("uuid".to_owned())
}

fn int32() -> SchemaFormat {
    SchemaFormat::KnownFormat(KnownFormat::Int32)
}

fn respondent() -> Schema {
    let field = |about| perhaps(about).max_length(Some(limits::RESPONDENT_FIELD)).pattern(Some(CLEAN_LINE));
    ObjectBuilder::new()
        .description(Some("Who answered, if the page knows. Blank is the same as null."))
        .property("id", field("The page's own id for the visitor."))
        .property("first_name", field("The first name."))
        .property("last_name", field("The last name."))
        .property("email", field("The e-mail address."))
        .property("phone", field("The phone number."))
        .into()
}

fn context() -> Schema {
    ObjectBuilder::new()
        .description(Some("Where and when; what cannot be read is ignored."))
        .property("page_url", perhaps("The page's address; loses its query and fragment."))
        .property("referrer", perhaps("The address of the page before; loses its query and fragment."))
        .property("answered_at", perhaps("The visitor's clock, RFC 3339."))
        .into()
}

fn accepted() -> Schema {
    with([("submission", text("The submission's UUID.").format(Some(uuid())).into())])
        .description(Some("The submission is on disk."))
        .into()
}

fn definition() -> Schema {
    with([
        ("survey", id("The survey's id.").into()),
        ("language", text("The language of all texts, as a BCP 47 tag.").into()),
        ("rtl", yes_or_no("Written from right to left.").into()),
        ("version", text("Names this very content; send it back with the answers.").into()),
        ("questions", list(to("Question"), 1, limits::QUESTIONS).into()),
        ("words", to("Words").into()),
    ])
    .description(Some("A survey in one language."))
    .into()
}

fn question() -> Schema {
    with([("id", id("").into()), ("text", text("What is asked.").into()), ("kind", to("Kind").into())])
        .property("hint", text("A second, quieter line."))
        .property("required", yes_or_no("Has to be answered where it is shown; `false` if absent."))
        .property("show_if", to("ShowIf"))
        .into()
}

fn kind() -> Schema {
    let score = with([
        ("min", whole("").format(Some(int32())).into()),
        ("max", whole("").format(Some(int32())).into()),
    ])
    .property("low", text("What the lowest step means."))
    .property("high", text("What the highest step means."));
    let written = with([(
        "max_length",
        whole("In characters (Unicode scalar values).")
            .minimum(Some(1))
            .maximum(Some(limits::TEXT_MAX))
            .into(),
    )]);
    let option = with([("id", id("").into()), ("text", text("").into())]);
    let choice = with([("options", list(option, 1, limits::OPTIONS).into())])
        .property("several", yes_or_no("More than one may be chosen; `false` if absent."));
    one_of(
        "How it is answered.",
        [("score", score.into()), ("text", written.into()), ("choice", choice.into())],
    )
    .item(text("Yes or no.").enum_values(Some(["yes_no"])))
    .into()
}

fn show_if() -> Schema {
    with([
        ("mode", text("How the conditions combine.").enum_values(Some(["all", "any"])).into()),
        ("of", ArrayBuilder::new().items(to("Condition")).min_items(Some(1)).into()),
    ])
    .description(Some("When it is asked; always, if absent."))
    .into()
}

fn condition() -> Schema {
    let literal = one_of(
        "",
        [("score", whole("").into()), ("boolean", yes_or_no("").into()), ("option", id("").into())],
    );
    let test = one_of(
        "What the answer has to be.",
        [
            ("at_least", whole("").into()),
            ("at_most", whole("").into()),
            ("is", literal.into()),
            ("includes", id("").into()),
            ("answered", yes_or_no("").into()),
        ],
    );
    with([("question", id("An earlier question.").into()), ("test", test.into())]).into()
}

/// Named as in `shared::Words`.
pub(super) const WORDS: [&str; 20] = [
    "survey",
    "next",
    "back",
    "send",
    "yes",
    "no",
    "progress",
    "optional",
    "several",
    "count",
    "choose",
    "write",
    "too_long",
    "sending",
    "kept",
    "kept_page",
    "again",
    "refused",
    "thanks",
    "thanks_more",
];

fn words() -> Schema {
    with(WORDS.map(|name| (name, text("").into())))
        .description(Some("The widget's own words; `{n}`, `{total}` and `{max}` stand for numbers."))
        .into()
}

fn problem() -> Schema {
    with([
        ("code", text("Stable name of the kind of problem.").into()),
        ("title", text("The status in words.").into()),
        ("status", whole("The HTTP status.").into()),
        ("detail", text("What is wrong, for people.").into()),
    ])
    .property(
        "errors",
        ArrayBuilder::new()
            .items(to("Detail"))
            .min_items(Some(1))
            .description(Some("Each place in the body that is wrong; with 422.")),
    )
    .into()
}

fn detail() -> Schema {
    with([
        ("pointer", text("JSON pointer (RFC 6901) into the body; empty for the whole.").into()),
        ("code", text("Stable name of the fault.").enum_values(Some(DETAILS)).into()),
        ("detail", text("The fault, for people.").into()),
    ])
    .property("question", id("The question, where it is known."))
    .into()
}
