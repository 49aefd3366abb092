//! The bodies, with the limits that are applied to them.
//!
//! Described beside the wire types rather than derived from them: those go into the widget, whose
//! bytes count. A test holds the two together.

pub(in crate::intake::openapi) mod definition;
mod submission;

use shared::id;
use utoipa::openapi::schema::{ArrayBuilder, KnownFormat, ObjectBuilder, OneOfBuilder, SchemaType, Type};
use utoipa::openapi::{Ref, RefOr, Schema, SchemaFormat};

use crate::intake::problem::Detail;

/// `shared::id`, as a regular expression.
const ID: &str = "^[a-z0-9][a-z0-9_-]*$";

/// Every schema with its name.
pub(super) fn all() -> Vec<(&'static str, Schema)> {
    vec![
        ("Submission", submission::submission()),
        ("Answer", submission::answer()),
        ("Respondent", submission::respondent()),
        ("Context", submission::context()),
        ("Accepted", submission::accepted()),
        ("Step", submission::step()),
        ("Definition", definition::definition()),
        ("Question", definition::question()),
        ("Kind", definition::kind()),
        ("ShowIf", definition::show_if()),
        ("Condition", definition::condition()),
        ("Words", definition::words()),
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

fn uuid() -> SchemaFormat {
    SchemaFormat::Custom("uuid".to_owned())
}

fn int32() -> SchemaFormat {
    SchemaFormat::KnownFormat(KnownFormat::Int32)
}

/// Exactly one of these, each with one property that names it.
fn one_of<const N: usize>(about: &str, variants: [(&str, RefOr<Schema>); N]) -> OneOfBuilder {
    let about = Some(about).filter(|about| !about.is_empty());
    variants
        .into_iter()
        .fold(OneOfBuilder::new().description(about), |all, (name, schema)| all.item(with([(name, schema)])))
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
        ("code", text("Stable name of the fault.").enum_values(Some(Detail::codes())).into()),
        ("detail", text("The fault, for people.").into()),
    ])
    .property("question", id("The question, where it is known."))
    .into()
}
