//! What a browser hands in, and the thanks.

use shared::limits;
use utoipa::openapi::schema::{ObjectBuilder, OneOfBuilder};
use utoipa::openapi::{RefOr, Schema};

use super::{id, int32, list, nothing, perhaps, text, to, uuid, whole, with, yes_or_no};

/// What `limits::is_forbidden` leaves, as a regular expression.
const CLEAN: &str = r"^[^\x00-\x08\x0b-\x1f\x7f-\x9f\ufffe\uffff]*$";
/// The same where a line feed and a tab are too much.
const CLEAN_LINE: &str = r"^[^\x00-\x1f\x7f-\x9f\ufffe\uffff]*$";

pub(super) fn submission() -> Schema {
    let value = text("").max_length(Some(limits::METADATA_VALUE)).pattern(Some(CLEAN));
    let key = text("").max_length(Some(limits::METADATA_KEY)).build();
    with([
        (
            "submission",
            text("Made by the browser, at random; the same again is stored once. Not nil.")
                .format(Some(uuid()))
                .into(),
        ),
        ("language", text("What the visitor saw, as a BCP 47 tag; one of the survey's languages.").into()),
        (
            "answers",
            list(to("Answer"), 1, limits::QUESTIONS)
                .description(Some("At most one for a question, and only for questions that are shown."))
                .into(),
        ),
    ])
    .description(Some(format!(
        "One visitor's answers; at most {} bytes. Unknown keys are ignored.",
        limits::BODY_BYTES
    )))
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
    .property(
        "definition",
        perhaps(
            "The `version` of the definition that was answered. Answers to questions \
             that have gone since are dropped; without it, they are refused.",
        ),
    )
    .into()
}

/// One answer: the question, one value, and null or nothing in the place of the others.
pub(super) fn answer() -> Schema {
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
        let variant = match *name {
            "options" => variant.property("other", words_for_other()),
            _ => variant.property("other", nothing()),
        };
        others.fold(variant, |variant, other| variant.property(other, nothing()))
    });
    variants.fold(OneOfBuilder::new().description(Some(about)), OneOfBuilder::item).into()
}

fn words_for_other() -> ObjectBuilder {
    perhaps("What is meant by the chosen option that takes words; not blank.")
        .min_length(Some(1))
        .max_length(Some(limits::OTHER as usize))
        .pattern(Some(CLEAN))
}

pub(super) fn respondent() -> Schema {
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

pub(super) fn context() -> Schema {
    ObjectBuilder::new()
        .description(Some("Where and when; what cannot be read is ignored."))
        .property("page_url", perhaps("The page's address; loses its query and fragment."))
        .property("referrer", perhaps("The address of the page before; loses its query and fragment."))
        .property("answered_at", perhaps("The visitor's clock, RFC 3339."))
        .into()
}

pub(super) fn accepted() -> Schema {
    with([("submission", text("The submission's UUID.").format(Some(uuid())).into())])
        .description(Some("The submission is on disk."))
        .into()
}

pub(super) fn step() -> Schema {
    with([
        ("language", text("The language that the survey is shown in; one of the survey's.").into()),
        ("step", text("").enum_values(Some(["shown", "answered", "submitted"])).into()),
    ])
    .property("question", id("The question that was answered; with `answered` only."))
    .description(Some("How far a visitor has come."))
    .additional_properties(Some(utoipa::openapi::schema::AdditionalProperties::FreeForm(false)))
    .into()
}
