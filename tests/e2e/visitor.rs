//! A visitor in a real browser, of each engine.

use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};
use tests::keys::{ENTER, RIGHT, TAB};
use tests::{Browser, Edit as _, Engine, QUICK, Stage, Visitor};

tests::in_every_engine! {
    a_visitor_answers_and_the_platform_gets_it
    every_form_of_the_tag_shows_the_survey_in_its_language
    the_survey_is_completed_with_the_keyboard_alone
    a_key_that_is_held_down_answers_one_question
    a_double_click_goes_one_step
    in_arabic_the_survey_is_mirrored
    without_a_reload_it_goes_out_when_the_server_is_back
    a_wrong_survey_id_logs_one_clear_message_and_shows_nothing
    what_is_required_or_too_long_is_said_at_its_field
    axe_finds_nothing_in_any_state
    metadata_that_the_survey_does_not_list_is_told_to_the_pages_author
}

const SPACE: &str = " ";

/// The body of the one answer that arrived.
pub(crate) async fn arrived(stage: &Stage) -> Result<Value> {
    let arrivals = stage.delivered(1).await?;
    let arrival = arrivals.iter().find(|arrival| arrival.stored).context("nothing was stored")?;
    Ok(arrival.json.as_deref().context("no JSON")?.clone())
}

/// Answers the first question of the checkout survey with a low score, so that every question is asked.
pub(crate) async fn start_checkout(visitor: &Visitor<'_>) -> Result<()> {
    visitor.asked("recommend").await?;
    visitor.choose(&[3]).await?;
    visitor.forward().await?;
    visitor.asked("why").await
}

/// Goes on from the third question of the checkout survey to the last, and answers that one only.
pub(crate) async fn end_checkout(visitor: &Visitor<'_>) -> Result<()> {
    visitor.asked("found").await?;
    visitor.forward().await?;
    visitor.asked("again").await?;
    visitor.choose(&[1]).await
}

/// Sends the checkout survey from its third question on; only the last is answered.
pub(crate) async fn finish_checkout(visitor: &Visitor<'_>) -> Result<()> {
    end_checkout(visitor).await?;
    visitor.forward().await?;
    visitor.state("thanked").await
}

/// Answers the checkout survey while the server is away.
pub(crate) async fn answer_in_vain(stage: &mut Stage, visitor: &Visitor<'_>) -> Result<()> {
    visitor.asked("recommend").await?;
    stage.stop().await?;
    answer_checkout(visitor).await?;
    visitor.state("kept").await
}

/// Answers the checkout survey with a low score, so that every question is asked.
pub(crate) async fn answer_checkout(visitor: &Visitor<'_>) -> Result<()> {
    start_checkout(visitor).await?;
    visitor.write("De doos was stuk").await?;
    visitor.forward().await?;
    visitor.asked("found").await?;
    visitor.choose(&[0, 2]).await?;
    visitor.forward().await?;
    visitor.asked("again").await?;
    visitor.choose(&[1]).await?;
    visitor.forward().await
}

async fn a_visitor_answers_and_the_platform_gets_it(engine: Engine) -> Result<()> {
    let stage = Stage::new().await?;
    let browser = Browser::open(engine, 390, 844).await?;
    let visitor = browser.visit(&stage.pages.at("nl/checkout?order=7#top")).await?;
    answer_checkout(&visitor).await?;
    visitor.state("thanked").await?;
    let body = arrived(&stage).await?;
    let values: Vec<Value> = body["answers"]
        .as_array()
        .into_iter()
        .flatten()
        .map(|answer| {
            json!([
                answer["Score"],
                answer["Text"],
                answer["Boolean"],
                answer["Options"].as_array().map(Vec::len)
            ])
        })
        .collect();
    let expected = json!([
        [3, null, null, null],
        [null, "De doos was stuk", null, null],
        [null, null, null, 2],
        [null, null, false, null]
    ]);
    ensure!(json!(values) == expected, "{values:?}");
    ensure!(body["metadata"]["number of pieces"] == "3");
    ensure!(body["metadata"]["page"] == stage.pages.at("nl/checkout"), "{}", body["metadata"]);
    browser.close().await
}

async fn every_form_of_the_tag_shows_the_survey_in_its_language(engine: Engine) -> Result<()> {
    let stage = Stage::new().await?;
    let browser = Browser::open(engine, 1280, 800).await?;
    for (page, language) in [
        ("fr/checkout", "fr"),
        ("nl-BE/checkout", "nl"),
        ("element/fr/delivery", "fr"),
        ("head/en/delivery", "en"),
        ("sv/delivery", "en"),
    ] {
        let visitor = browser.visit(&stage.pages.at(page)).await?;
        visitor.until("seen(question)").await?;
        let shown = visitor.look("root.querySelector('[lang]').lang").await?;
        ensure!(shown == language, "{page}: {shown}");
    }
    browser.close().await
}

async fn the_survey_is_completed_with_the_keyboard_alone(engine: Engine) -> Result<()> {
    let stage = Stage::new().await?;
    let browser = Browser::open(engine, 1280, 800).await?;
    let visitor = browser.visit(&stage.pages.at("en/checkout")).await?;
    visitor.asked("recommend").await?;
    // An inline survey does not take the focus when it appears.
    ensure!(visitor.look("document.activeElement === document.body").await? == json!(true));
    visitor.keys(TAB).await?;
    visitor.keys(SPACE).await?;
    visitor.keys(&RIGHT.repeat(2)).await?;
    visitor.until("root.querySelectorAll('input')[2].checked").await?;
    visitor.keys(ENTER).await?;
    visitor.asked("why").await?;
    arrives(&visitor).await?;
    visitor.reach("focus.tagName === 'TEXTAREA'", 8).await?;
    visitor.keys("Late").await?;
    visitor.reach("focus === (part('next') || part('send'))", 8).await?;
    visitor.keys(ENTER).await?;
    visitor.asked("found").await?;
    arrives(&visitor).await?;
    visitor.reach("focus.type === 'checkbox'", 8).await?;
    // A driver may be back before the page has dealt with the key.
    visitor.keys(SPACE).await?;
    visitor.until("root.querySelectorAll('input:checked').length === 1").await?;
    visitor.keys(TAB).await?;
    visitor.until("root.activeElement.type === 'checkbox' && !root.activeElement.checked").await?;
    visitor.keys(SPACE).await?;
    visitor.until("root.querySelectorAll('input:checked').length === 2").await?;
    visitor.keys(ENTER).await?;
    visitor.asked("again").await?;
    arrives(&visitor).await?;
    visitor.reach("focus.type === 'radio'", 8).await?;
    visitor.keys(SPACE).await?;
    visitor.until("root.activeElement.checked").await?;
    visitor.keys(ENTER).await?;
    visitor.state("thanked").await?;
    let body = arrived(&stage).await?;
    ensure!(body["answers"][0]["Score"] == 2 && body["answers"][1]["Text"] == "Late", "{body}");
    ensure!(body["answers"][2]["Options"].as_array().map(Vec::len) == Some(2), "{body}");
    ensure!(body["answers"][3]["Boolean"] == true, "{body}");
    browser.close().await
}

async fn a_key_that_is_held_down_answers_one_question(engine: Engine) -> Result<()> {
    let stage = Stage::new().await?;
    let browser = Browser::open(engine, 1280, 800).await?;
    let visitor = browser.visit(&stage.pages.at("nl/checkout")).await?;
    start_checkout(&visitor).await?;
    // Gives whether the key keeps what it does by itself: a new line, or a press of the button.
    let press = "(keys => root.querySelector('textarea').dispatchEvent(new KeyboardEvent('keydown',
        { key: 'Enter', bubbles: true, composed: true, cancelable: true, ...keys })))";
    let held = ["{ ctrlKey: true, repeat: true }", "{ metaKey: true, repeat: true }", "{ repeat: true }"];
    for keys in held {
        ensure!(visitor.look(&format!("{press}({keys})")).await? == json!(false), "{keys}");
    }
    ensure!(visitor.look(&format!("{press}({{}})")).await? == json!(true), "a new line in a text");
    visitor.asked("why").await?;
    visitor.look(&format!("{press}({{ ctrlKey: true }})")).await?;
    visitor.asked("found").await?;
    browser.close().await
}

/// Waits for the focus to have come to the question: a key pressed before would lead on from there.
async fn arrives(visitor: &Visitor<'_>) -> Result<()> {
    visitor.until("question.contains(root.activeElement)").await?;
    Ok(())
}

async fn a_double_click_goes_one_step(engine: Engine) -> Result<()> {
    let stage = Stage::new().await?;
    let browser = Browser::open(engine, 390, 844).await?;
    let visitor = browser.visit(&stage.pages.at("nl/checkout")).await?;
    start_checkout(&visitor).await?;
    for (button, question) in [("next", "found"), ("back", "why")] {
        // How fast the clicks of a driver are is the machine's affair; that they are two is said here.
        let twice = "button => seen(button) && ([1, 2].forEach(detail => button.dispatchEvent(
            new MouseEvent('click', { detail, bubbles: true, cancelable: true, composed: true }))), true)";
        visitor.until(&format!("({twice})(part('{button}'))")).await?;
        visitor.asked(question).await?;
    }
    browser.close().await
}

async fn in_arabic_the_survey_is_mirrored(engine: Engine) -> Result<()> {
    let stage = Stage::new().await?;
    let browser = Browser::open(engine, 1280, 800).await?;
    let visitor = browser.visit(&stage.pages.at("ar/checkout")).await?;
    visitor.asked("recommend").await?;
    let left = "(n => root.querySelectorAll('[part~=option]')[n].getBoundingClientRect().left)";
    ensure!(visitor.look(&format!("{left}(0) > {left}(10)")).await? == json!(true), "0 is on the right");
    ensure!(visitor.look("getComputedStyle(question).direction").await? == "rtl");
    let ends = "part('next').getBoundingClientRect().left < card.getBoundingClientRect().left + card.clientWidth / 2";
    ensure!(visitor.look(ends).await? == json!(true), "the way forward is on the left");
    visitor.picture("arabic").await?;
    browser.close().await
}

async fn without_a_reload_it_goes_out_when_the_server_is_back(engine: Engine) -> Result<()> {
    let mut stage = Stage::new().await?;
    let browser = Browser::open(engine, 390, 844).await?;
    let visitor = browser.visit(&stage.pages.at("nl/checkout")).await?;
    answer_in_vain(&mut stage, &visitor).await?;
    stage.start().await?;
    visitor.again().await?;
    visitor.state("thanked").await?;
    arrived(&stage).await?;
    browser.close().await
}

async fn a_wrong_survey_id_logs_one_clear_message_and_shows_nothing(engine: Engine) -> Result<()> {
    let stage = Stage::new().await?;
    let browser = Browser::open(engine, 1280, 800).await?;
    let visitor = browser.visit(&stage.pages.at("nl/nope")).await?;
    let mut console = Vec::new();
    let told = tokio::time::timeout(tests::DEADLINE, async {
        loop {
            console.extend(browser.console().await?);
            if !console.is_empty() {
                return anyhow::Ok(());
            }
            tests::a_moment().await;
        }
    });
    told.await.context("the console stays silent")??;
    console.extend(browser.console().await?);
    ensure!(console.len() == 1 && console[0].1.contains("nope"), "{console:?}");
    ensure!(visitor.look("!card && document.body.innerText.trim() === 'Shop'").await? == json!(true));
    browser.close().await
}

async fn what_is_required_or_too_long_is_said_at_its_field(engine: Engine) -> Result<()> {
    let short = |config: String| config.edit("kind = \"text\"", "kind = \"text\"\nrequired = true");
    let stage = Stage::with(QUICK, short).await?;
    let browser = Browser::open(engine, 390, 844).await?;
    let visitor = browser.visit(&stage.pages.at("nl/checkout")).await?;
    visitor.asked("recommend").await?;
    visitor.forward().await?;
    let error = visitor.until("seen(part('error')) && (part('error').innerText.trim() || false)").await?;
    ensure!(error == "Kies eerst een antwoord.", "{error}");
    visitor.choose(&[0]).await?;
    visitor.forward().await?;
    visitor.asked("why").await?;
    visitor.forward().await?;
    let error = visitor.until("seen(part('error')) && (part('error').innerText.trim() || false)").await?;
    ensure!(error == "Vul eerst een antwoord in.", "{error}");
    let described = "(field => field.getAttribute('aria-invalid') === 'true' &&
        field.getAttribute('aria-describedby').split(' ').includes(part('error').id))(root.querySelector('textarea'))";
    ensure!(visitor.look(described).await? == json!(true));
    browser.close().await
}

async fn axe_finds_nothing_in_any_state(engine: Engine) -> Result<()> {
    let mut stage = Stage::new().await?;
    for (language, dark, width) in [("nl", false, 390), ("ar", true, 1280)] {
        let browser = if dark {
            Browser::open_in_the_dark(engine, width, 844).await?
        } else {
            Browser::open(engine, width, 844).await?
        };
        let visitor = browser.visit(&stage.pages.at(&format!("{language}/checkout"))).await?;
        let check = async |name: &str| {
            visitor.picture(&format!("{language}-{name}")).await?;
            let found = browser.axe().await?;
            ensure!(found.is_empty(), "{language} {name}: {found:#?}");
            Ok(())
        };
        visitor.asked("recommend").await?;
        check("score").await?;
        visitor.forward().await?;
        visitor.until("seen(part('error')) && part('error').textContent !== ''").await?;
        check("score-error").await?;
        visitor.choose(&[2]).await?;
        check("score-answered").await?;
        visitor.forward().await?;
        visitor.asked("why").await?;
        check("text").await?;
        visitor.write("x y z").await?;
        check("text-answered").await?;
        visitor.forward().await?;
        visitor.asked("found").await?;
        visitor.choose(&[1]).await?;
        check("choice").await?;
        visitor.forward().await?;
        visitor.asked("again").await?;
        visitor.choose(&[0]).await?;
        check("yes-no").await?;
        stage.stop().await?;
        visitor.forward().await?;
        visitor.state("kept").await?;
        check("kept").await?;
        stage.start().await?;
        visitor.again().await?;
        visitor.state("thanked").await?;
        check("thanked").await?;
        browser.close().await?;
    }
    Ok(())
}

async fn metadata_that_the_survey_does_not_list_is_told_to_the_pages_author(engine: Engine) -> Result<()> {
    let stage = Stage::new().await?;
    let browser = Browser::open(engine, 390, 844).await?;
    let visitor = browser.visit(&stage.pages.at("element/nl/checkout")).await?;
    visitor.asked("recommend").await?;
    let again = "const old = document.querySelector('afterword-survey');
        const element = document.createElement('afterword-survey');
        for (const [name, value] of [['survey', 'checkout'], ['lang', 'nl'], ['meta-color', 'private red']])
            element.setAttribute(name, value);
        old.replaceWith(element);";
    browser.run(again).await?;
    answer_checkout(&visitor).await?;
    visitor.state("refused").await?;
    let said: Vec<String> = browser.console().await?.into_iter().map(|(_, message)| message).collect();
    let ours =
        said.iter().find(|message| message.contains("afterword: refused")).context("nothing is said")?;
    ensure!(ours.contains("/metadata/color metadata_key") && !ours.contains("private red"), "{ours}");
    ensure!(stage.sandbox.counts().arrived == 0);
    browser.close().await
}
