//! A survey, as a browser gets it.

use shared::{Field, Language, limits};
use utoipa::openapi::Schema;
use utoipa::openapi::schema::ArrayBuilder;

use super::{id, int32, list, one_of, text, to, whole, with, yes_or_no};

pub(super) fn definition() -> Schema {
    let intro = with([("title", text("").into()), ("button", text("").into())])
        .property("text", text(""))
        .description(Some("What stands before the first question."));
    let link = || with([("url", text("The page's address.").into()), ("text", text("").into())]);
    let offered = with([
        ("tag", text("A BCP 47 tag.").into()),
        ("name", text("The language's own name for itself.").into()),
    ]);
    let field = with([("field", text("").enum_values(Some(Field::ALL.map(Field::name))).into())])
        .property("required", yes_or_no("Who agrees has to say it; `false` if absent."));
    let contact = with([
        ("title", text("").into()),
        ("consent", text("What the visitor agrees to.").into()),
        ("fields", list(field, 1, Field::ALL.len()).into()),
    ])
    .property("show_if", to("ShowIf"))
    .property("text", text(""))
    .property("link", link())
    .description(Some("How the visitor may be reached, asked after the last question of those who agree."));
    let ending = with([("title", text("").into())])
        .property("show_if", to("ShowIf"))
        .property("text", text(""))
        .property("link", link())
        .description(Some("What stands at the end; the first that fits."));
    with([
        ("survey", id("The survey's id.").into()),
        ("language", text("The language of all texts, as a BCP 47 tag.").into()),
        ("rtl", yes_or_no("Written from right to left.").into()),
        ("version", text("Names this very content; send it back with the answers.").into()),
        ("questions", list(to("Question"), 1, limits::QUESTIONS).into()),
        ("words", to("Words").into()),
    ])
    .property("one_page", yes_or_no("All questions stand on one page; `false` if absent."))
    .property(
        "languages",
        list(offered, 2, Language::all().count())
            .description(Some("What the visitor may change to, where that is offered.")),
    )
    .property("digits", text("The language's digits from 0 to 9, where they are not those of Latin scripts."))
    .property("contact", contact)
    .property("intro", intro)
    .property("thanks", list(ending, 1, 10))
    .property("theme", text("Whatever the visitor's system says.").enum_values(Some(["light", "dark"])))
    .property("style", text("A style sheet, for what few surveys show and for the brand's looks."))
    .property("autoprogress", yes_or_no("A tap on the one answer goes on to the next; `false` if absent."))
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
    .property("high", text("What the highest step means."))
    .property(
        "labels",
        list(text("What a step means."), 2, usize::try_from(limits::SCORE_STEPS).unwrap_or_default())
            .description(Some("One for each step, the lowest first.")),
    )
    .property(
        "look",
        text("What the steps look like; `numbers` if absent.")
            .enum_values(Some(["numbers", "stars", "smileys", "list"])),
    )
    .property("colors", yes_or_no("The steps go from red over yellow to green; `false` if absent."));
    let written = with([(
        "max_length",
        whole("In characters (Unicode scalar values).")
            .minimum(Some(1))
            .maximum(Some(limits::TEXT_MAX))
            .into(),
    )]);
    let option = with([("id", id("").into()), ("text", text("").into())])
        .property("fixed", yes_or_no("Stays in its place where the others are shuffled; `false` if absent."))
        .property("other", yes_or_no("The visitor may say in words what is meant; `false` if absent."));
    let bound = |meaning| whole(meaning).minimum(Some(1)).maximum(Some(limits::OPTIONS));
    let choice = with([("options", list(option, 1, limits::OPTIONS).into())])
        .property("several", yes_or_no("More than one may be chosen; `false` if absent."))
        .property("min", bound("The fewest that may be chosen, where any is."))
        .property("max", bound("The most that may be chosen."))
        .property(
            "shuffle",
            yes_or_no("Each visitor gets the options in an order of their own; `false` if absent."),
        )
        .property("search", yes_or_no("The visitor can search the list; `false` if absent."));
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

/// Those that a survey has only where it has use for them, and when that is.
pub(in crate::intake::openapi) const RARE_WORDS: [(&str, &str); 13] = [
    ("too_few", "Where a choice has a `min`."),
    ("too_many", "Where a choice has a `max`."),
    ("search", "Where a list can be searched."),
    ("nothing", "Where a list can be searched."),
    ("specify", "Where an option takes words."),
    ("check", "Where all questions stand on one page."),
    ("language", "Where the visitor may change it."),
    ("first_name", "Where it is asked."),
    ("last_name", "Where it is asked."),
    ("email", "Where it is asked."),
    ("phone", "Where it is asked."),
    ("missing", "Where it is asked how the visitor may be reached."),
    ("wrong_email", "Where an e-mail address is asked."),
];

pub(super) fn words() -> Schema {
    let words = "The widget's own words; `{n}`, `{total}`, `{min}` and `{max}` stand for numbers.";
    let always = with(WORDS.map(|name| (name, text("").into())));
    let all = RARE_WORDS.into_iter().fold(always, |words, (name, when)| words.property(name, text(when)));
    all.description(Some(words)).into()
}
