//! Configurations, good and bad.

use secrecy::ExposeSecret;
use std::path::Path;

use super::*;

/// A small configuration that is fine.
pub(crate) const GOOD: &str = r#"
public_url = "https://feedback.example.com/"
listen = "127.0.0.1:0"
admin_listen = "127.0.0.1:0"
store = "sqlite:queue.db"
trusted_proxies = ["10.0.0.0/8", "::1"]

[platform.main]
base_url = "http://127.0.0.1:1/base"
token_env = "TOKEN"
interval = "20ms"

[[survey]]
id = "checkout"
platform = "main"
company = "ec28d381-4883-4731-9462-74c3dc82aff1"
touchpoint = "f30f55f0-a770-4096-aa9f-8bc2a2aff25f"
origins = ["https://shop.example"]
languages = ["nl", "fr"]

[survey.metadata]
shop = "1"
"number of pieces" = { page = "pieces", required = true }
page = { context = "page_url" }
submission = { context = "submission" }

[[survey.question]]
id = "recommend"
kind = "score"
scale = "nps"
required = true
low = { nl = "Nooit", fr = "Jamais" }
text = { nl = "Beveelt u ons aan?", fr = "Nous recommandez-vous ?" }
guid = { nl = "CFD52369-B323-4CF3-BA11-9ACD0983B01D", fr = "8DEA4E28-9E0C-4E4F-92B0-04F50FEB74CB" }

[[survey.question]]
id = "why"
kind = "text"
max_length = 100
show_if = { question = "recommend", at_most = 6 }
text = { nl = "Waarom?", fr = "Pourquoi ?" }
guid = { nl = "11111111-1111-4111-8111-111111111111", fr = "22222222-2222-4222-8222-222222222222" }

[[survey.question]]
id = "again"
kind = "yes_no"
text = { nl = "Opnieuw?", fr = "Encore ?" }
guid = { nl = "33333333-3333-4333-8333-333333333333", fr = "44444444-4444-4444-8444-444444444444" }

[[survey.question]]
id = "found"
kind = "choice"
several = true
options = [
    { id = "web", text = { nl = "Web", fr = "Toile" }, value = { nl = "W", fr = "T" } },
    { id = "shop", text = { nl = "Winkel", fr = "Magasin" } },
]
text = { nl = "Hoe?", fr = "Comment ?" }
guid = { nl = "55555555-5555-4555-8555-555555555555", fr = "66666666-6666-4666-8666-666666666666" }
show_if = { any = [{ question = "again", is = true }, { question = "why", answered = true }] }
"#;

pub(crate) fn parse(text: &str) -> Result<Config, ConfigError> {
    Config::parse(text, "test.toml", Path::new(""), &|name| (name == "TOKEN").then(|| "c2VjcmV0".to_owned()))
}

/// The good configuration, for other modules' tests.
pub(crate) fn good() -> Config {
    parse(GOOD).unwrap()
}

#[test]
fn a_queue_has_bounds_and_keeps_nothing_unless_told() {
    assert_eq!(good().queue, QueueBounds::default());
    let text = format!("{GOOD}\n[queue]\nmax_entries = 5\nmax_bytes = \"64MiB\"\nkeep_delivered = \"7d\"\n");
    let expected = QueueBounds {
        max_entries: 5,
        max_bytes: 64 << 20,
        keep_delivered: std::time::Duration::from_hours(7 * 24),
    };
    assert_eq!(parse(&text).unwrap().queue, expected);
}

#[test]
fn a_queue_without_room_or_for_too_long_is_refused() {
    for (from, to, expected) in [
        (
            "[platform.main]",
            "[queue]\nmax_bytes = \"4 GB\"\n[platform.main]",
            "queue.max_bytes: \"4 GB\" is no size",
        ),
        (
            "[platform.main]",
            "[queue]\nmax_entries = 0\n[platform.main]",
            "queue.max_entries: a queue without room for an entry takes nothing",
        ),
        (
            "[platform.main]",
            "[queue]\nkeep_delivered = \"31d\"\n[platform.main]",
            "queue.keep_delivered: \"31d\" is out of bounds",
        ),
    ] {
        assert_eq!(problems(from, to), [expected]);
    }
}

/// The problems of the good configuration after a change, as `key: message`.
fn problems(from: &str, to: &str) -> Vec<String> {
    assert!(GOOD.contains(from), "{from:?} is not in the good configuration");
    told(parse(&GOOD.replacen(from, to, 1)))
}

/// What is wrong, of all files.
fn faults(error: &ConfigError) -> Vec<Problem> {
    let ConfigError::Invalid(faulty) = error else { panic!("{error}") };
    faulty.iter().flat_map(|faulty| faulty.problems.clone()).collect()
}

/// The problems of a configuration, as `key: message`.
fn told(config: Result<Config, ConfigError>) -> Vec<String> {
    match config {
        Ok(_) => Vec::new(),
        Err(error) => {
            let told = |problem: &Problem| format!("{}: {}", problem.key, problem.message);
            faults(&error).iter().map(told).collect()
        }
    }
}

#[test]
fn a_good_configuration_is_read_whole() {
    let config = good();
    assert_eq!(config.public_url.as_deref(), Some("https://feedback.example.com"));
    let survey = &config.surveys[0];
    assert_eq!(survey.questions.len(), 4);
    let Kind::Choice { options, several: true, .. } = &survey.questions[3].kind else { panic!() };
    let fr = "fr".parse().unwrap();
    assert_eq!((options[0].value[&fr].as_str(), options[1].value[&fr].as_str()), ("T", "Magasin"));
    assert_eq!(survey.questions[3].show_if.as_ref().map(|show_if| show_if.mode), Some(shared::Mode::Any));
    assert_eq!(config.advice(), [] as [String; 0]);
    assert!(config.trusted_proxies[0].contains("10.9.8.7".parse().unwrap()));
    assert!(config.trusted_proxies[0].contains("::ffff:10.9.8.7".parse().unwrap()));
    assert!(!config.trusted_proxies[0].contains("11.0.0.1".parse().unwrap()));
    assert!(config.trusted_proxies[1].contains("::1".parse().unwrap()));
}

#[test]
fn a_network_of_mapped_addresses_is_one_of_ipv4() {
    let network: Network = "::ffff:10.0.0.0/104".parse().unwrap();
    assert!(network.contains("10.9.8.7".parse().unwrap()));
    assert!(!network.contains("11.0.0.1".parse().unwrap()));
    assert!("::/0".parse::<Network>().unwrap().contains("2001:db8::1".parse().unwrap()));
}

#[test]
fn debug_output_of_a_configuration_holds_no_token() {
    assert!(!format!("{:?}", good()).contains("c2VjcmV0"));
}

#[test]
fn a_message_about_a_secret_does_not_repeat_it() {
    for wrong in [
        "token = \"c2VjcmV0\"",
        "tokenn = \"c2VjcmV0\"",
        "token_env = \"TOKEN\"\ntoken = \"c2VjcmV0\"",
        "token_env = \"TOKEN\"\nbase_url = \"https://me:c2VjcmV0@platform.example\"",
    ] {
        let error = parse(&GOOD.replace("token_env = \"TOKEN\"", wrong)).unwrap_err();
        assert!(!format!("{error} {error:?}").contains("c2VjcmV0"), "{error}");
    }
}

#[test]
fn the_value_of_a_mistyped_key_is_not_shown_but_a_text_about_a_token_is() {
    let mistyped = GOOD.replace("token_env = \"TOKEN\"", "tokn = \"c2VjcmV0\"");
    assert!(!parse(&mistyped).unwrap_err().to_string().contains("c2VjcmV0"));
    let about = GOOD.replace("nl = \"Beveelt u ons aan?\"", "nl = \"Werkt uw token?\", de = \"Ja?\"");
    assert!(parse(&about).unwrap_err().to_string().contains("Werkt uw token?"));
}

#[test]
fn a_wrong_language_hides_no_other_mistake_and_brings_no_more_of_its_own() {
    let contact = "\n[survey.contact]\ntitle = { nl = \"Mag het?\" }\nconsent = { nl = \"Ja\" }\n";
    let text = GOOD.replace("kind = \"yes_no\"", "kind = \"yes\"") + contact;
    let fewer = |languages: &str| told(parse(&text.replace("[\"nl\", \"fr\"]", languages)));
    let kind = "survey[0].question[2].kind: \"yes\" is not known here";
    let asked = "survey[0].contact: nothing is asked";
    for (languages, wrong) in [
        ("[\"nl\", \"xx\"]", "survey[0].languages[1]: \"xx\" is none of the platform's 29 languages"),
        ("[]", "survey[0].languages: a survey needs a language"),
        ("\"nl\"", "survey[0].languages: this is a string, not a list"),
    ] {
        assert_eq!(fewer(languages), [wrong, kind, asked]);
    }
}

#[test]
fn visitors_and_operators_are_not_listened_to_at_one_place() {
    let one = GOOD.replace("listen = \"127.0.0.1:0\"", "listen = \"127.0.0.1:8080\"");
    assert_eq!(told(parse(&one)), ["admin_listen: visitors are listened to there"]);
}

#[test]
fn an_unknown_kind_is_one_mistake() {
    assert_eq!(
        problems("kind = \"score\"", "kind = \"rating\""),
        ["survey[0].question[0].kind: \"rating\" is not known here"]
    );
}

#[test]
fn what_is_missing_is_named_once_with_a_hint_in_the_surveys_language() {
    let text = GOOD.replace("languages = [\"nl\", \"fr\"]", "languages = [\"fr\", \"nl\"]");
    let guid = "guid = { nl = \"33333333-3333-4333-8333-333333333333\", fr = \"44444444-4444-4444-8444-444444444444\" }";
    let error = parse(&text.replace(guid, "")).unwrap_err().to_string();
    assert!(error.contains(": survey[0].question[2]: guid is missing"), "{error}");
    assert!(error.contains("= add guid = { fr = \"…\" }: the platform has one for each language"), "{error}");
}

#[test]
fn a_scale_has_looks_and_words_for_its_steps() {
    let text = GOOD.replace(
        "low = { nl = \"Nooit\", fr = \"Jamais\" }",
        "look = \"list\"\ncolors = true\nlabels = [{ nl = \"Nee\", fr = \"Non\" }, { nl = \"Ja\", fr = \"Oui\" }]",
    );
    let text = text.replace("scale = \"nps\"", "min = 1\nmax = 2").replace("at_most = 6", "at_most = 1");
    let config = parse(&text).unwrap();
    let Kind::Score { labels, look, colors, .. } = &config.surveys[0].questions[0].kind else { panic!() };
    assert_eq!((*look, *colors, labels.len()), (shared::Look::List, true, 2));
    assert_eq!(labels[1][&"fr".parse().unwrap()], "Oui");
}

#[test]
fn a_scale_that_cannot_be_drawn_or_says_something_twice_is_refused() {
    let key = "survey[0].question[0]";
    for (to, expected) in [
        ("min = 1\nmax = 11\nlook = \"stars\"", format!("{key}.look: 11 stars are too many")),
        (
            "scale = \"nps\"\nhigh = { nl = \"Ja\", fr = \"Oui\" }\nlook = \"smileys\"",
            format!("{key}.look: 11 smileys are too many"),
        ),
        ("min = 5\nmax = 9\nlook = \"stars\"", format!("{key}.look: the first star would stand for 5")),
        ("min = 5\nmax = 9\nlook = \"smileys\"", format!("{key}.look: smileys without words")),
        (
            "min = 6\nmax = 7\nlabels = [{ nl = \"Nee\", fr = \"Non\" }, { nl = \"Ja\", fr = \"Oui\" }]",
            format!("{key}.low: `labels` is there too"),
        ),
    ] {
        assert_eq!(problems("scale = \"nps\"", to), [expected]);
    }
    let one = "min = 6\nmax = 7\nlabels = [{ nl = \"Nee\", fr = \"Non\" }]";
    let found = problems("scale = \"nps\"", one);
    assert!(found.contains(&format!("{key}.labels: 1 labels for the 2 steps from 6 to 7")), "{found:?}");
    let half = "min = 6\nmax = 7\nlabels = [{ nl = \"Nee\", fr = \"Non\" }, { nl = \"Ja\" }]";
    let found = problems("scale = \"nps\"", half);
    assert!(found.contains(&format!("{key}.labels[1]: no label in French (fr)")), "{found:?}");
}

#[test]
fn a_choice_has_bounds_that_somebody_can_keep() {
    let key = "survey[0].question[3]";
    assert_eq!(
        problems("several = true", "several = true\nmin = 1\nmax = 2\nshuffle = true"),
        [] as [String; 0]
    );
    for (to, expected) in [
        ("several = false\nmin = 2", format!("{key}.min: only one may be chosen anyway")),
        ("several = true\nmin = 3", format!("{key}.min: of 2 options, 1 to 2 may be chosen")),
        ("several = true\nmax = 0", format!("{key}.max: of 2 options, 1 to 2 may be chosen")),
        (
            "several = true\nmin = 2\nmax = 1",
            format!("{key}.min: nobody can choose at least 2 and at most 1"),
        ),
    ] {
        assert_eq!(problems("several = true", to), [expected]);
    }
}

#[test]
fn a_survey_has_the_looks_of_its_brand() {
    let style = "[survey.style]\ntheme = \"dark\"\nbrand = \"#074\"\nradius = 6\nfont = \"'My Font', serif\"\n\n[survey.metadata]";
    let config = parse(&GOOD.replace("[survey.metadata]", style)).unwrap();
    let style = &config.surveys[0].style;
    assert_eq!((style.theme, style.brand), (Some(Theme::Dark), Some(Color([0, 0x77, 0x44]))));
    assert_eq!((style.radius, style.font.as_deref()), (Some(6), Some("'My Font', serif")));
    let key = "survey[0].style";
    for (line, expected) in [
        ("brand = \"green\"", format!("{key}.brand: \"green\": not a colour")),
        ("radius = 33", format!("{key}.radius: a radius is 0 to 32 pixels")),
        ("font = \"x}*{display:none\"", format!("{key}.font: not a list of fonts")),
        ("font = \"'x\"", format!("{key}.font: not a list of fonts")),
        ("color = \"#074\"", format!("{key}.color: unknown key")),
    ] {
        let found = problems("[survey.metadata]", &format!("[survey.style]\n{line}\n\n[survey.metadata]"));
        assert_eq!(found, [expected]);
    }
}

#[test]
fn a_survey_begins_and_ends_with_words_of_its_own() {
    let screens = r#"
[survey.intro]
title = { nl = "Hoe was het?", fr = "Alors ?" }
button = { nl = "Beginnen", fr = "Commencer" }

[[survey.thanks]]
show_if = { question = "recommend", at_least = 9 }
title = { nl = "Fijn!", fr = "Super !" }
link = { url = { nl = "https://shop.example/nl", fr = "https://shop.example/fr" }, text = { nl = "Verder", fr = "Suite" } }

[[survey.thanks]]
title = { nl = "Dank u", fr = "Merci" }

[survey.metadata]"#;
    let config = parse(&GOOD.replace("[survey.metadata]", screens)).unwrap();
    let survey = &config.surveys[0];
    let fr = "fr".parse().unwrap();
    assert_eq!(survey.intro.as_ref().map(|intro| intro.button[&fr].as_str()), Some("Commencer"));
    assert_eq!(survey.thanks.len(), 2);
    assert_eq!(
        survey.thanks[0].link.as_ref().map(|link| link.url[&fr].as_str()),
        Some("https://shop.example/fr")
    );
    assert!(survey.thanks[1].show_if.is_none() && survey.thanks[1].text.is_none());
}

#[test]
fn an_ending_that_nobody_sees_or_that_leads_nowhere_is_refused() {
    let title = "title = { nl = \"Dank u\", fr = \"Merci\" }";
    let ending = |lines: &str| {
        let thanks = format!("[[survey.thanks]]\n{title}\n{lines}\n\n[survey.metadata]");
        problems("[survey.metadata]", &thanks)
    };
    assert_eq!(ending(""), [] as [String; 0]);
    let key = "survey[0].thanks";
    let twice = format!("\n[[survey.thanks]]\n{title}");
    assert_eq!(ending(&twice), [format!("{key}[1]: nobody ever sees this ending")]);
    let wrong = "show_if = { question = \"recommend\", at_least = 11 }";
    assert_eq!(ending(wrong), [format!("{key}[0].show_if.at_least: \"recommend\" is answered from 0 to 10")]);
    for url in ["javascript:alert(1)", "/thanks", "shop.example"] {
        let both = format!("{{ nl = \"{url}\", fr = \"https://shop.example\" }}");
        let found = ending(&format!("link = {{ url = {both}, text = {{ nl = \"V\", fr = \"S\" }} }}"));
        assert_eq!(found, [format!("{key}[0].link.url.nl: {url:?} is no address of a page")]);
    }
}

/// The good configuration with keys of its survey, and tables of it, more.
fn with(keys: &str, tables: &str) -> Result<Config, ConfigError> {
    let text = GOOD.replace("languages = [", &format!("{keys}\nlanguages = ["));
    parse(&text.replace("[survey.metadata]", &format!("{tables}\n\n[survey.metadata]")))
}

const CONTACT: &str = "[survey.contact]
    title = { nl = \"Mogen we u bellen?\", fr = \"Pouvons-nous vous appeler ?\" }
    consent = { nl = \"Ja\", fr = \"Oui\" }";

#[test]
fn a_visitor_may_be_asked_for_a_way_to_be_reached() {
    let fields = "email = \"required\"\nshow_if = { question = \"recommend\", at_most = 6 }";
    let config = with("", &format!("{CONTACT}\n{fields}")).unwrap();
    let contact = config.surveys[0].contact.as_ref().unwrap();
    assert!(contact.show_if.is_some() && contact.link.is_none());
    assert_eq!(
        contact.fields,
        [shared::survey::ContactField { field: shared::Field::Email, required: true }]
    );
    assert_eq!(told(with("", CONTACT)), ["survey[0].contact: nothing is asked"]);
    let wrong = format!("{CONTACT}\nphone = true");
    assert_eq!(told(with("", &wrong)), ["survey[0].contact.phone: this is a boolean, not a text in quotes"]);
}

#[test]
fn a_page_has_no_next_question_and_one_language_no_other() {
    let config = with("layout = \"page\"\nlanguage_switch = true", "").unwrap();
    assert!(config.surveys[0].layout == Layout::Page && config.surveys[0].language_switch);
    assert_eq!(
        told(with("layout = \"page\"\nautoprogress = true", "")),
        ["survey[0].layout: on one page there is no next question"]
    );
    let alone = GOOD.replace("[\"nl\", \"fr\"]", "[\"nl\"]\nlanguage_switch = true");
    let found = told(parse(&alone));
    assert_eq!(found[0], "survey[0].language_switch: there is no other language to change to");
}

#[test]
fn a_text_repeats_only_what_was_answered_for_sure() {
    let asking = |from: &str, to: &str| told(parse(&GOOD.replace(from, to)));
    let none: [&str; 0] = [];
    // `recommend` has to be answered, and is asked of everybody.
    assert_eq!(asking("nl = \"Waarom?\"", "nl = \"Waarom een {recommend}? { dus }\""), none);
    let why = "survey[0].question[1]";
    assert_eq!(
        asking("nl = \"Waarom?\"", "nl = \"Waarom een {recomend}?\""),
        [format!("{why}: {{recomend}} repeats no earlier answer")]
    );
    assert_eq!(
        asking("nl = \"Opnieuw?\"", "nl = \"Zei u {why}?\""),
        ["survey[0].question[2]: {why} repeats a text"]
    );
    let hole = "survey[0].question[3]: {again} may have no answer to repeat";
    assert_eq!(asking("nl = \"Hoe?\"", "nl = \"Hoe, na {again}?\""), [hole]);
    let shown = GOOD.replace("nl = \"Hoe?\"", "nl = \"Hoe, na {again}?\"");
    let all = "all = [{ question = \"again\", is = true }, { question = \"recommend\", at_least = 1 }]";
    assert_eq!(told(parse(&shown.replace("any = [{", &format!("{all} }}\n#")))), none);
    let absent = all.replace("is = true", "answered = false");
    assert_eq!(told(parse(&shown.replace("any = [{", &format!("{absent} }}\n#")))), [hole]);
    let title = "[[survey.thanks]]\ntitle = { nl = \"Dank voor {again}\", fr = \"Merci\" }";
    assert_eq!(told(with("", title)), ["survey[0].thanks[0]: {again} may have no answer to repeat"]);
}

#[test]
fn long_lists_can_be_searched_and_one_option_takes_words() {
    let options = |count: usize, more: &str| {
        let one = |at| format!("{{ id = \"o{at}\", text = {{ nl = \"{at}\", fr = \"{at}\" }} {more} }},");
        let options: String = (0..count).map(one).collect();
        let from = GOOD.find("options = [").unwrap();
        let to = from + GOOD[from..].find("\n]").unwrap();
        parse(&[&GOOD[..from], "options = [", &options, &GOOD[to..]].concat())
    };
    let search = |config: &Config| match &config.surveys[0].questions[3].kind {
        Kind::Choice { search, .. } => *search,
        _ => false,
    };
    assert!(!search(&options(15, "").unwrap()) && search(&options(16, "").unwrap()));
    let other = ", other = { guid = { nl = \"77777777-7777-4777-8777-777777777777\", \
                 fr = \"88888888-8888-4888-8888-888888888888\" } }";
    let found = told(options(2, other));
    assert_eq!(found, ["survey[0].question[3].options[1]: two options take words"]);
    let taken = other.replace("77777777-7777-4777-8777-777777777777", "33333333-3333-4333-8333-333333333333");
    let last = GOOD.replace("fr = \"Magasin\" } }", &format!("fr = \"Magasin\" }} {taken} }}"));
    assert!(told(parse(&last))[0].contains("is also that of"), "{:?}", told(parse(&last)));
    let last = GOOD.replace("fr = \"Magasin\" } }", &format!("fr = \"Magasin\" }} {other} }}"));
    let config = parse(&last).unwrap();
    let Kind::Choice { options, .. } = &config.surveys[0].questions[3].kind else { panic!("no choice") };
    assert!(options[1].fixed && options[1].other.is_some(), "it stays behind those it sums up");
}

#[test]
fn texts_that_no_body_could_carry_are_refused() {
    assert_eq!(problems("max_length = 100", "max_length = 10000"), [] as [String; 0]);
    let too_much = problems("kind = \"yes_no\"", "kind = \"text\"\nmax_length = 9000");
    assert!(too_much.iter().all(|problem| !problem.contains("too much to send")), "{too_much:?}");
    let text = GOOD
        .replace("max_length = 100", "max_length = 10000")
        .replace("kind = \"yes_no\"", "kind = \"text\"")
        .replace("{ question = \"again\", is = true }", "{ question = \"again\", answered = true }")
        .replace("kind = \"text\"\ntext", "kind = \"text\"\nmax_length = 2001\ntext");
    let error = parse(&text).unwrap_err().to_string();
    assert!(error.contains("may get 12001 characters long"), "{error}");
}

#[test]
fn each_mistake_has_its_message_and_key() {
    for (from, to, expected) in [
        ("required = true\nlow", "requird = true\nlow", "survey[0].question[0].requird: unknown key"),
        ("id = \"found\"", "id = \"again\"", "survey[0].question[3]: there are two questions \"again\""),
        (
            "{ id = \"shop\"",
            "{ id = \"web\"",
            "survey[0].question[3].options[1]: there are two options \"web\"",
        ),
        (
            "ec28d381-4883",
            "ec28d381_4883",
            "survey[0].company: \"ec28d381_4883-4731-9462-74c3dc82aff1\": not a GUID",
        ),
        (", fr = \"Pourquoi ?\"", "", "survey[0].question[1].text: no text in French (fr)"),
        (
            ", fr = \"22222222-2222-4222-8222-222222222222\"",
            "",
            "survey[0].question[1].guid: no GUID in French (fr)",
        ),
        (
            "fr = \"Pourquoi ?\"",
            "fr = \"Pourquoi ?\", de = \"Warum?\"",
            "survey[0].question[1].text.de: the survey is not in German",
        ),
        (
            "question = \"recommend\", at_most",
            "question = \"found\", at_most",
            "survey[0].question[1].show_if.question: \"found\" is not asked before this question",
        ),
        (
            "question = \"recommend\", at_most",
            "question = \"nope\", at_most",
            "survey[0].question[1].show_if.question: there is no question \"nope\"",
        ),
        (
            "at_most = 6",
            "at_most = 11",
            "survey[0].question[1].show_if.at_most: \"recommend\" is answered from 0 to 10",
        ),
        (
            "at_most = 6",
            "includes = \"web\"",
            "survey[0].question[1].show_if.includes: `includes` does not fit the kind of \"recommend\"",
        ),
        (
            "https://shop.example\"]",
            "https://shop.example/shop\"]",
            "survey[0].origins[0]: \"https://shop.example/shop\": an origin has no path, query or fragment",
        ),
        ("TOKEN", "MISSING", "platform.main.token_env: the environment has no MISSING"),
        (
            "token_env = \"TOKEN\"",
            "token = \"c2VjcmV0\"",
            "platform.main.token: a secret does not belong in this file",
        ),
        ("platform = \"main\"", "platform = \"other\"", "survey[0].platform: there is no [platform.other]"),
        ("\"20ms\"", "\"20\"", "platform.main.interval: \"20\" is no span of time"),
        (
            "http://127.0.0.1:1",
            "http://platform.example",
            "platform.main.base_url: without TLS the token would be readable on the way",
        ),
        ("\"sqlite:queue.db\"", "\"mysql:x\"", "store: \"mysql:x\" is no store"),
        (
            "languages = [\"nl\", \"fr\"]",
            "languages = [\"nl\", \"xx\"]",
            "survey[0].languages[1]: \"xx\" is none of the platform's 29 languages",
        ),
        ("scale = \"nps\"", "scale = \"nsp\"", "survey[0].question[0].scale: \"nsp\" is not known here"),
        (
            "kind = \"yes_no\"",
            "kind = 3",
            "survey[0].question[2].kind: this is an integer, not a text in quotes",
        ),
        (
            "{ page = \"pieces\", required = true }",
            "{ page = \"Pieces!\" }",
            "survey[0].metadata.\"number of pieces\".page: a page's key has 1 to 64 of a-z, 0-9, _ and -",
        ),
        (
            "context = \"page_url\"",
            "context = \"url\"",
            "survey[0].metadata.page.context: \"url\" is not known here",
        ),
        (
            "33333333-3333-4333-8333-333333333333",
            "CFD52369-B323-4CF3-BA11-9ACD0983B01D",
            "survey[0].question[2]: the GUID CFD52369-B323-4CF3-BA11-9ACD0983B01D (nl) is also that of recommend (nl)",
        ),
        (
            "127.0.0.1:0\"\nstore",
            "0.0.0.0:0\"\nstore",
            "admin_listen: the address is not loopback, and there is no token for it",
        ),
    ] {
        assert_eq!(problems(from, to), [expected], "after {from:?} -> {to:?}");
    }
}

#[test]
fn ten_mistakes_show_ten_messages_each_with_its_place() {
    let text = GOOD
        .replace("listen = \"127.0.0.1:0\"\nadmin", "listen = \"here\"\nadmin")
        .replace("interval", "intervall")
        .replace("TOKEN", "MISSING")
        .replace("ec28d381-4883", "ec28d381")
        .replace("https://shop.example", "shop.example")
        .replace(", fr = \"Nous recommandez-vous ?\" }", " }")
        .replace("max_length = 100", "max_length = 0")
        .replace("at_most = 6", "at_most = \"six\"")
        .replace("kind = \"yes_no\"", "kind = \"yesno\"")
        .replace("several = true", "several = 1");
    let error = parse(&text).unwrap_err();
    let problems = faults(&error);
    assert_eq!(problems.len(), 10);
    insta::assert_snapshot!(error.to_string());
}

#[test]
fn limits_are_read_and_false_is_none() {
    let limits = good().limits;
    let number = |number| std::num::NonZeroU32::new(number);
    assert_eq!(limits.visitor.map(|rate| Some(rate.per_minute)), Some(number(30)));
    assert_eq!((limits.connections, limits.connections_per_address), (number(8_192), number(256)));
    let own = "[limits]\nvisitor_per_minute = 5\nvisitor_burst = 2\nrequests_per_minute = false\n\
               connections_per_address = false\n\n[platform.main]";
    let own = parse(&GOOD.replace("[platform.main]", own)).unwrap().limits;
    assert_eq!(own.visitor.map(|rate| Some(rate.burst)), Some(number(2)));
    assert_eq!((own.requests, own.connections, own.connections_per_address), (None, number(8_192), None));
}

#[test]
fn each_wrong_limit_has_its_message() {
    let with = |limits: &str| problems("[platform.main]", &format!("[limits]\n{limits}\n\n[platform.main]"));
    let bounds = "a limit is 1 to 1000000";
    assert_eq!(with("visitor_per_minute = 0"), [format!("limits.visitor_per_minute: {bounds}")]);
    assert_eq!(with("connections = -1"), [format!("limits.connections: {bounds}")]);
    assert_eq!(
        with("requests_burst = false"),
        ["limits.requests_burst: this is a boolean, not a whole number"]
    );
    assert_eq!(with("connections = true"), ["limits.connections: true is no limit"]);
    assert_eq!(with("visitors = 5"), ["limits.visitors: unknown key"]);
    assert_eq!(
        with("visitor_per_minute = false\nvisitor_burst = 5"),
        ["limits.visitor_burst: `visitor_per_minute` is false, so there is nothing to burst"]
    );
    assert_eq!(
        problems("[platform.main]", "limits = 5\n[platform.main]"),
        ["limits: this is an integer, not a table"]
    );
    let survey = "platform = \"main\"\nper_minute = 0";
    assert_eq!(problems("platform = \"main\"", survey), [format!("survey[0].per_minute: {bounds}")]);
}

#[test]
fn a_survey_that_one_visitor_could_fill_is_advised_against() {
    let with = |per_minute: &str| parse(&GOOD.replace("platform = \"main\"", per_minute)).unwrap().advice();
    assert_eq!(with("platform = \"main\"\nper_minute = 600"), [] as [String; 0]);
    assert!(with("platform = \"main\"\nper_minute = 30")[0].contains("keep all others out"));
}

#[test]
fn what_is_no_toml_says_where() {
    let Err(error) = parse("listen = \n[platform.main") else { panic!() };
    let text = error.to_string();
    assert!(text.contains("line 1, column 10") && text.contains("line 2"), "{text}");
}

#[test]
fn two_platforms_cannot_share_a_token() {
    let twin = "[platform.twin]\ntoken_env = \"TOKEN\"\n\n[[survey]]";
    assert_eq!(problems("[[survey]]", twin), ["platform.twin: the same token as platform main"]);
}

#[test]
fn two_surveys_cannot_share_an_id() {
    let survey = &GOOD[GOOD.find("[[survey]]").unwrap()..];
    let twice = GOOD.replace("[[survey]]", &format!("{survey}\n[[survey]]"));
    let problems = faults(&parse(&twice).unwrap_err());
    assert_eq!(problems[0].message, "there are two surveys \"checkout\"");
}

#[test]
fn an_empty_file_says_what_is_needed() {
    let problems = faults(&parse("").unwrap_err());
    let messages: Vec<_> = problems.iter().map(|problem| problem.message.as_str()).collect();
    assert_eq!(messages, ["store is missing", "platform is missing", "there is no survey"]);
}

proptest::proptest! {
    #[test]
    fn no_text_panics(text in "(?s).{0,200}") {
        parse(&text).ok();
    }

    #[test]
    fn no_damaged_configuration_panics(at in 0..GOOD.len(), length in 0..40usize, junk in "[\\[\\]{}\"=a-z0-9. \n]{0,8}") {
        let end = (at + length).min(GOOD.len());
        let damaged = format!("{}{junk}{}", &GOOD[..at], &GOOD[end..]);
        if let Err(error) = parse(&damaged) {
            proptest::prop_assert!(!error.to_string().is_empty());
        }
    }
}

#[test]
fn a_survey_is_shown_within_the_page_unless_told_otherwise() {
    assert_eq!(good().surveys[0].show, Show::default());
    let show = "[survey.show]\nmode = \"tab\"\nposition = \"top-start\"\nafter = \"1m\"\nscroll = 50\nexit = true\n\
                click = \"#own\"\nevent = \"order:placed\"\npages = [\"/thanks\", \"/orders/*\", \"/café\"]\n\
                devices = [\"phone\", \"desktop\"]\nsample = 25\nremember = false\n\
                again = { shown = \"7d\", dismissed = \"30d\", answered = \"never\" }\n\
                label = { nl = \"Uw mening\", fr = \"Votre avis\" }\n\n[survey.metadata]";
    let config = parse(&GOOD.replacen("[survey.metadata]", show, 1)).unwrap();
    let days = |days: u64| Some(Pause::For(std::time::Duration::from_hours(days * 24)));
    let show = &config.surveys[0].show;
    let due = Due {
        after: Some(std::time::Duration::from_mins(1)),
        scroll: Some(50),
        exit: true,
        click: Some("#own".into()),
        event: Some("order:placed".into()),
    };
    assert_eq!((show.mode, show.position, &show.due), (Mode::Tab, Position::TopStart, &due));
    assert_eq!(show.pages, ["/thanks", "/orders/*", "/caf%C3%A9"]);
    assert_eq!(
        (show.devices.as_slice(), show.sample),
        ([Device::Phone, Device::Desktop].as_slice(), Some(25))
    );
    let again = Again { shown: days(7), dismissed: days(30), answered: Some(Pause::Never) };
    assert_eq!((show.again, show.remember, show.label.len()), (again, Some(false), 2));
}

#[test]
fn rules_that_make_no_sense_are_refused_with_their_place() {
    let show =
        |rules: &str| problems("[survey.metadata]", &format!("[survey.show]\n{rules}\n[survey.metadata]"));
    for (rules, expected) in [
        ("mode = \"popup\"", "survey[0].show.mode: \"popup\" is not known here"),
        ("mode = \"tab\"", "survey[0].show: a tab needs words on its button"),
        ("label = { nl = \"Ja\" }", "survey[0].show.label: no label in French (fr)"),
        ("scroll = 101", "survey[0].show.scroll: 101 is no share of a hundred"),
        ("sample = -1", "survey[0].show.sample: -1 is no share of a hundred"),
        ("pages = [\"thanks\"]", "survey[0].show.pages[0]: \"thanks\" is no path"),
        ("pages = [\"/a?b\"]", "survey[0].show.pages[0]: \"/a?b\" is no path"),
        ("again = { answered = \"always\" }", "survey[0].show.again.answered: \"always\" is no span of time"),
        (
            "mode = \"none\"\nexit = true",
            "survey[0].show: with mode \"none\" nothing makes it due but the page",
        ),
        ("delay = \"3s\"", "survey[0].show.delay: unknown key"),
    ] {
        assert_eq!(show(rules), [expected], "{rules}");
    }
}

/// A configuration's file, with surveys in a folder beside it.
struct Beside(tempfile::TempDir);

impl Beside {
    /// The good configuration; its survey lies in `surveys/checkout.toml`.
    fn good() -> Self {
        let beside = Self(tempfile::tempdir().unwrap());
        let (main, survey) = GOOD.split_once("[[survey]]").unwrap();
        beside.write("afterword.toml", main);
        beside.write("surveys/checkout.toml", &format!("[[survey]]{survey}"));
        beside
    }

    fn write(&self, name: &str, text: &str) {
        let path = self.0.path().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }

    fn load(&self) -> (Result<Config, ConfigError>, Files) {
        Config::load_and_follow(&self.0.path().join("afterword.toml"), &|_| Some("c2VjcmV0".into()))
    }

    fn ids(&self) -> Vec<String> {
        self.load().0.unwrap().surveys.iter().map(|survey| survey.id.to_string()).collect()
    }

    /// What is wrong, without the folder's name.
    fn wrong(&self) -> String {
        let report = self.load().0.unwrap_err().to_string();
        report.replace(&format!("{}/", self.0.path().display()), "")
    }
}

fn survey_called(id: &str) -> String {
    let (_, survey) = GOOD.split_once("[[survey]]").unwrap();
    format!("[[survey]]{}", survey.replacen("id = \"checkout\"", &format!("id = \"{id}\""), 1))
}

#[test]
fn surveys_lie_in_the_file_and_in_a_folder_beside_it() {
    let beside = Beside::good();
    assert_eq!(beside.ids(), ["checkout"]);
    beside.write("surveys/a.toml", &format!("{}\n{}", survey_called("b"), survey_called("a")));
    for ignored in ["surveys/.a.toml.swp", "surveys/.hidden.toml", "surveys/notes.txt", "surveys/more.toml/x"]
    {
        beside.write(ignored, "no TOML [");
    }
    assert_eq!(
        beside.ids(),
        ["b", "a", "checkout"],
        "files by their names, surveys in the order of the file"
    );
    let (main, _) = GOOD.split_once("[[survey]]").unwrap();
    beside.write("afterword.toml", &format!("{main}{}", survey_called("own")));
    assert_eq!(beside.ids(), ["own", "b", "a", "checkout"]);
    beside.write("afterword.toml", &format!("surveys = \"others\"\n{main}"));
    beside.write("others/x.toml", &survey_called("x"));
    assert_eq!(beside.ids(), ["x"]);
}

#[test]
fn what_is_wrong_in_a_folder_is_told_with_its_file_together_with_the_rest() {
    let beside = Beside::good();
    beside.write("surveys/broken.toml", "[[survey]\n");
    beside.write("surveys/empty.toml", "# nothing\n");
    beside.write("surveys/main.toml", "listen = \"127.0.0.1:1\"\n");
    beside.write("surveys/twin.toml", &survey_called("checkout"));
    beside.write("surveys/wrong.toml", &survey_called("y").replace("kind = \"yes_no\"", "kind = \"maybe\""));
    let wrong = beside.wrong();
    for told in [
        "surveys/broken.toml: 1 problem\n\nline 1",
        "surveys/empty.toml: 1 problem\n\nline 1, column 1: survey is missing",
        "line 1, column 1: listen: unknown key",
        "there are two surveys \"checkout\"; the other is in surveys/checkout.toml",
        "surveys/wrong.toml: 1 problem",
        "survey[0].question[2].kind: \"maybe\" is not known here",
    ] {
        assert!(wrong.contains(told), "{told:?} is not in:\n{wrong}");
    }
    let beside = Beside::good();
    std::fs::remove_dir_all(beside.0.path().join("surveys")).unwrap();
    assert!(beside.wrong().contains("there is no survey"));
    let (main, _) = GOOD.split_once("[[survey]]").unwrap();
    beside.write("afterword.toml", &format!("surveys = \"nowhere\"\n{main}"));
    assert!(beside.wrong().contains("line 1, column 11: surveys: cannot read the folder nowhere"));
    std::fs::write(beside.0.path().join("afterword.toml"), b"# caf\xe9\n").unwrap();
    assert!(beside.wrong().contains("line 1 is not UTF-8"), "{}", beside.wrong());
}

#[test]
fn what_a_configuration_was_read_from_is_known_also_when_it_is_wrong() {
    let beside = Beside::good();
    beside.write("token", "c2VjcmV0");
    let main = GOOD.split_once("[[survey]]").unwrap().0;
    let by_file = main.replace("token_env = \"TOKEN\"", "token_file = \"token\"");
    beside.write("afterword.toml", &by_file);
    let (config, files) = beside.load();
    config.unwrap();
    assert_eq!(files.as_they_are(), files);
    for (name, text) in [
        ("token", "YW5vdGhlcg"),
        ("surveys/checkout.toml", "[[survey"),
        ("surveys/checkout.toml", &survey_called("checkout")),
        ("surveys/new.toml", &survey_called("new")),
        ("afterword.toml", ""),
        ("afterword.toml", &by_file),
    ] {
        let (_, files) = beside.load();
        assert_eq!(files.as_they_are(), files);
        beside.write(name, text);
        let now = files.as_they_are();
        assert_ne!(now, files, "{name} has changed");
        assert_eq!(files.as_they_are(), now);
    }
    let (_, files) = beside.load();
    std::fs::remove_file(beside.0.path().join("surveys/new.toml")).unwrap();
    assert_ne!(files.as_they_are(), files);
}

#[test]
fn a_lane_goes_on_only_where_its_platform_is_called_in_the_same_way() {
    let config = good();
    let other = |from: &str, to: &str| parse(&GOOD.replacen(from, to, 1)).unwrap().platforms[0].clone();
    let own = &config.platforms[0];
    assert!(own.is_called_as(&other("checkout", "checkin")));
    for (from, to) in
        [("interval = \"20ms\"", "interval = \"21ms\""), ("token_env", "settle = \"3h\"\ntoken_env")]
    {
        assert!(!own.is_called_as(&other(from, to)), "{to}");
    }
    let another = Config::parse(GOOD, "test.toml", Path::new(""), &|_| Some("YW5vdGhlcg".into())).unwrap();
    assert!(!own.is_called_as(&another.platforms[0]), "a new token is a new lane");
}

#[test]
fn what_waits_for_the_next_start_is_named() {
    let config = good();
    let changed = |text: &str| config.fixed_at_start(&parse(text).unwrap());
    assert_eq!(changed(&GOOD.replace("Beveelt", "Raadt")), [] as [&str; 0]);
    let text = GOOD.replace("sqlite:queue.db", "sqlite:other.db");
    assert_eq!(
        changed(&text.replace("admin_listen = \"127.0.0.1:0\"", "admin_listen = \"127.0.0.1:9\"")),
        ["admin_listen", "store"]
    );
}

#[test]
fn who_may_do_without_secrets_reads_a_configuration_whose_secrets_are_out_of_reach() {
    use secrecy::ExposeSecret as _;
    let beside = Beside::good();
    let path = beside.0.path().join("afterword.toml");
    let main = GOOD.split_once("[[survey]]").unwrap().0;
    for (from, to, place) in [
        ("token_env = \"TOKEN\"", "token_env = \"TOKEN\"", "TOKEN".to_owned()),
        (
            "token_env = \"TOKEN\"",
            "token_file = \"not there\"",
            path.with_file_name("not there").display().to_string(),
        ),
    ] {
        beside.write("afterword.toml", &main.replace(from, to));
        assert!(Config::load(&path, &|_| None).is_err());
        let begins_like_one = Config::without_secrets(&path, &|_| Some("unset:TOKEN".into()));
        assert_eq!(
            begins_like_one.is_err(),
            place == "TOKEN",
            "nobody could tell it from one that is missing"
        );
        let config = Config::without_secrets(&path, &|_| None).unwrap();
        assert_eq!(config.platforms[0].token.expose_secret(), format!("{UNSET}{place}"));
    }
}

#[test]
fn a_file_with_mistakes_still_says_where_its_server_is_asked() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("afterword.toml");
    let admin = |text: &str| {
        std::fs::write(&path, text).unwrap();
        Admin::of(&path, &|name| (name == "ADMIN").then(|| "a-long-secret".into()))
    };
    let token = |admin: &Admin| admin.token.as_ref().map(|token| token.expose_secret().to_owned());
    let known = "admin_listen = \"127.0.0.1:7\"\nadmin_token_env = \"ADMIN\"\nsurvey = 3\n";
    let found = admin(known).unwrap();
    assert_eq!((found.listen.port(), found.certain), (7, true));
    assert_eq!(token(&found).as_deref(), Some("a-long-secret"));
    let found = admin(&known.replace("ADMIN", "ELSE")).unwrap();
    assert_eq!(token(&found).as_deref(), Some("unset:ELSE"));
    let found = admin("listen = 3").unwrap();
    assert_eq!((found.listen.port(), found.certain, token(&found)), (9090, false, None));
    let twice = admin(&format!("{known}admin_token_file = \"token\"")).unwrap();
    assert_eq!((twice.listen.port(), token(&twice)), (7, None));
    assert!(!admin(&format!("{known}[[survey")).unwrap().certain);
    assert!(admin("admin_listen = \"there\"").is_none());
    std::fs::remove_file(&path).unwrap();
    assert!(Admin::of(&path, &|_| None).is_none());
}
