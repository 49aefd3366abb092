//! A survey, as a browser gets it.

use shared::limits;
use utoipa::openapi::Schema;
use utoipa::openapi::schema::ArrayBuilder;

use super::{id, int32, list, one_of, text, to, whole, with, yes_or_no};

pub(super) fn definition() -> Schema {
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

pub(super) fn question() -> Schema {
    with([("id", id("").into()), ("text", text("What is asked.").into()), ("kind", to("Kind").into())])
        .property("hint", text("A second, quieter line."))
        .property("required", yes_or_no("Has to be answered where it is shown; `false` if absent."))
        .property("show_if", to("ShowIf"))
        .into()
}

pub(super) fn kind() -> Schema {
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

pub(super) fn show_if() -> Schema {
    with([
        ("mode", text("How the conditions combine.").enum_values(Some(["all", "any"])).into()),
        ("of", ArrayBuilder::new().items(to("Condition")).min_items(Some(1)).into()),
    ])
    .description(Some("When it is asked; always, if absent."))
    .into()
}

pub(super) fn condition() -> Schema {
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
pub(in crate::intake::openapi) const WORDS: [&str; 21] = [
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
    "close",
];

pub(super) fn words() -> Schema {
    with(WORDS.map(|name| (name, text("").into())))
        .description(Some("The widget's own words; `{n}`, `{total}` and `{max}` stand for numbers."))
        .into()
}
