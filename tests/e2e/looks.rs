//! What questions look like, and how one is answered with a tap.

use anyhow::{Result, ensure};
use serde_json::{Value, json};
use tests::keys::RIGHT;
use tests::{Browser, Engine, QUICK, Stage, Visitor, with_looks};

tests::in_every_engine! {
    every_look_is_answered_and_the_platform_gets_its_score
    a_tap_goes_on_and_a_key_does_not
    every_step_has_a_name_and_says_what_it_means
    a_survey_begins_and_ends_with_its_own_words
    a_choice_keeps_its_bounds_and_its_order
    axe_finds_nothing_in_any_look
}

async fn looks() -> Result<Stage> {
    Stage::with(QUICK, with_looks).await
}

/// Goes past what stands before the first question.
async fn begin<'a>(browser: &'a Browser, stage: &Stage, language: &str) -> Result<Visitor<'a>> {
    let visitor = browser.visit(&stage.pages.at(&format!("{language}/looks"))).await?;
    visitor.until("seen(part('intro'))").await?;
    visitor.forward().await?;
    visitor.asked("stars").await?;
    Ok(visitor)
}

/// Answers a question, and goes on.
async fn answer(visitor: &Visitor<'_>, question: &str, place: usize) -> Result<()> {
    visitor.asked(question).await?;
    visitor.choose(&[place]).await?;
    visitor.forward().await
}

/// Answers every scale, the stars with this place, and leaves the text out: up to the choice.
async fn to_the_choice(visitor: &Visitor<'_>, stars: usize) -> Result<()> {
    let scales = [
        ("stars", stars),
        ("smileys", 0),
        ("faces", 2),
        ("list", 4),
        ("colors", 10),
        ("effort", 1),
        ("ten", 6),
    ];
    for (question, place) in scales {
        answer(visitor, question, place).await?;
    }
    visitor.asked("why").await?;
    visitor.forward().await?;
    visitor.asked("found").await
}

/// Goes on from the choice, answers the last question, and sends.
async fn to_the_end(visitor: &Visitor<'_>) -> Result<()> {
    visitor.forward().await?;
    answer(visitor, "again", 0).await?;
    visitor.state("thanked").await
}

async fn every_look_is_answered_and_the_platform_gets_its_score(engine: Engine) -> Result<()> {
    let stage = looks().await?;
    let browser = Browser::open(engine, 390, 844).await?;
    let visitor = begin(&browser, &stage, "nl").await?;
    to_the_choice(&visitor, 3).await?;
    to_the_end(&visitor).await?;
    let body = crate::visitor::arrived(&stage).await?;
    let answers = body["answers"].as_array().cloned().unwrap_or_default();
    let scores: Vec<&Value> = answers.iter().map(|answer| &answer["Score"]).collect();
    ensure!(json!(scores) == json!([4, 1, 3, 5, 10, 2, 7, null]), "{scores:?}");
    browser.close().await
}

/// Keeps the timer of a tap, of so many milliseconds as in `widget/browser.js`, until `tick` is called.
pub(crate) const TIMERS: &str = "window.pending = null;
    const { setTimeout: later, clearTimeout: never } = window;
    window.setTimeout = (run, time, ...more) =>
        time === 350 ? (window.pending = run, -1) : later(run, time, ...more);
    window.clearTimeout = timer => { if (timer === -1) window.pending = null; else never(timer); };
    window.tick = () => { const run = window.pending; window.pending = null; run(); };";

/// Taps, and lets the time pass that it takes to go on.
pub(crate) async fn tap(visitor: &Visitor<'_>, selector: &str) -> Result<()> {
    visitor.tap(selector).await?;
    // `pending` may still be that of the tap before.
    visitor.until(&format!("!!pending && root.querySelector({}).checked", json!(selector))).await?;
    visitor.look("tick()").await.map(drop)
}

async fn a_tap_goes_on_and_a_key_does_not(engine: Engine) -> Result<()> {
    let stage = looks().await?;
    let browser = Browser::open(engine, 1280, 800).await?;
    let visitor = begin(&browser, &stage, "nl").await?;
    browser.run(TIMERS).await?;
    visitor.until("root.activeElement && root.activeElement.type === 'radio'").await?;
    visitor.keys(" ").await?;
    visitor.keys(RIGHT).await?;
    visitor.until("root.querySelectorAll('input')[1].checked").await?;
    ensure!(browser.run("return pending").await? == Value::Null, "a key is on its way");
    tap(&visitor, "input[value='3']").await?;
    visitor.asked("smileys").await?;
    // Who changes the mind at once goes on once, with the second thought.
    visitor.tap("input[value='1']").await?;
    visitor.until("!!pending").await?;
    tap(&visitor, "input[value='4']").await?;
    visitor.asked("faces").await?;
    visitor.look("part('back').click()").await?;
    visitor.asked("smileys").await?;
    ensure!(visitor.look("root.querySelectorAll('input')[4].checked").await? == json!(true));
    // A key after a tap takes it back; a tap on what is chosen already goes on as well.
    visitor.tap("input[value='3']").await?;
    visitor.until("!!pending").await?;
    visitor.keys(RIGHT).await?;
    visitor.until("root.querySelectorAll('input')[4].checked").await?;
    ensure!(browser.run("return pending").await? == Value::Null, "the visitor is still choosing");
    tap(&visitor, "input[value='4']").await?;
    for (question, next) in
        [("faces", "list"), ("list", "colors"), ("colors", "effort"), ("effort", "ten"), ("ten", "why")]
    {
        visitor.asked(question).await?;
        tap(&visitor, "input[value='1']").await?;
        visitor.asked(next).await?;
    }
    visitor.forward().await?;
    visitor.asked("found").await?;
    // There may be more of them.
    visitor.tap("input[value='1']").await?;
    visitor.tap("input[value='2']").await?;
    visitor.until("root.querySelectorAll('input:checked').length === 2").await?;
    ensure!(browser.run("return pending").await? == Value::Null, "others may follow");
    visitor.forward().await?;
    visitor.asked("again").await?;
    // Nothing is sent that the visitor did not send.
    tap(&visitor, "input[value='0']").await?;
    ensure!(visitor.look("card.dataset.state").await? == "asking");
    ensure!(stage.sandbox.arrivals().is_empty());
    browser.close().await
}

async fn every_step_has_a_name_and_says_what_it_means(engine: Engine) -> Result<()> {
    let stage = looks().await?;
    let browser = Browser::open(engine, 390, 844).await?;
    let visitor = begin(&browser, &stage, "de").await?;
    let names = "[...root.querySelectorAll('input')].map(input =>
        input.ariaLabel || input.nextElementSibling.textContent)";
    let ends = "[...root.querySelectorAll('.ends span')].filter(span => seen(span) && getComputedStyle(span).visibility === 'visible').map(span => span.textContent)";
    visitor.asked("stars").await?;
    let found = visitor.look(names).await?;
    ensure!(found == json!(["1, Mangelhaft", "2", "3", "4", "5, Ausgezeichnet"]), "{found}");
    ensure!(visitor.look(ends).await? == json!(["Mangelhaft", "Ausgezeichnet"]));
    visitor.choose(&[1]).await?;
    ensure!(visitor.look(ends).await? == json!(["Mangelhaft", "Ausgezeichnet"]));
    visitor.forward().await?;
    visitor.asked("smileys").await?;
    let found = visitor.look(names).await?;
    ensure!(found[2] == "3, Weder zufrieden noch unzufrieden", "{found}");
    ensure!(visitor.look(ends).await? == json!(["Sehr unzufrieden", "Sehr zufrieden"]));
    visitor.choose(&[2]).await?;
    visitor.until(&format!("({ends}).join() === 'Weder zufrieden noch unzufrieden'")).await?;
    let wide = "root.querySelector('.meaning').getBoundingClientRect().width
        === root.querySelector('.ends').getBoundingClientRect().width";
    ensure!(visitor.look(wide).await? == json!(true), "what is chosen has not the whole row");
    visitor.forward().await?;
    visitor.asked("faces").await?;
    visitor.forward().await?;
    visitor.asked("list").await?;
    let found = visitor.look(names).await?;
    ensure!(found[0] == "Sehr unzufrieden", "{found}");
    ensure!(visitor.look(ends).await? == json!([]));
    browser.close().await
}

async fn a_choice_keeps_its_bounds_and_its_order(engine: Engine) -> Result<()> {
    let stage = looks().await?;
    let browser = Browser::open(engine, 390, 844).await?;
    let visitor = begin(&browser, &stage, "nl").await?;
    to_the_choice(&visitor, 3).await?;
    let hint = visitor.look("root.querySelector('.hint').textContent").await?;
    ensure!(hint == "Kies er minstens 2. · Kies er hoogstens 3. · Optioneel", "{hint}");
    let order = "[...root.querySelectorAll('input')].map(input => input.value).join()";
    let before = visitor.look(order).await?;
    ensure!(before.as_str().is_some_and(|order| order.len() == 7 && order.ends_with(",3")), "{before}");
    visitor.choose(&[0]).await?;
    visitor.forward().await?;
    visitor.until("part('error').textContent === 'Kies er minstens 2.'").await?;
    visitor.choose(&[1, 2, 3]).await?;
    visitor.until("part('error').textContent === ''").await?;
    visitor.forward().await?;
    visitor.until("part('error').textContent === 'Kies er hoogstens 3.'").await?;
    visitor.reload().await?;
    visitor.asked("found").await?;
    ensure!(visitor.look(order).await? == before);
    ensure!(visitor.look("root.querySelectorAll('input:checked').length").await? == json!(4));
    visitor.choose(&[0]).await?;
    to_the_end(&visitor).await?;
    let body = crate::visitor::arrived(&stage).await?;
    let options =
        body["answers"].as_array().into_iter().flatten().find_map(|answer| answer["Options"].as_array());
    ensure!(options.map(Vec::len) == Some(3), "{body}");
    browser.close().await
}

async fn a_survey_begins_and_ends_with_its_own_words(engine: Engine) -> Result<()> {
    let stage = looks().await?;
    let browser = Browser::open(engine, 390, 844).await?;
    let link = "(link => link && [link.textContent, link.href, link.target, link.rel])(part('link'))";
    for (place, title, wanted) in [
        (
            0,
            "Dat spijt ons.",
            json!(["Naar de klantendienst", "https://shop.example/nl/help", "_blank", "noopener"]),
        ),
        (4, "Fijn, dank u wel!", Value::Null),
    ] {
        let visitor = browser.visit(&stage.pages.at("nl/looks")).await?;
        visitor.until("seen(part('intro'))").await?;
        let texts = "[part('intro').innerText, part('step').innerText, part('next').innerText]";
        let found = visitor.look(texts).await?;
        ensure!(found[1] == "" && found[2] == "Beginnen", "{found}");
        ensure!(visitor.look("part('progress').value").await? == json!(0));
        visitor.picture(&format!("intro-{place}")).await?;
        at_ease(&browser).await?;
        visitor.forward().await?;
        to_the_choice(&visitor, place).await?;
        to_the_end(&visitor).await?;
        visitor.until(&format!("part('thanks').querySelector('.title').textContent === '{title}'")).await?;
        ensure!(visitor.look(link).await? == wanted);
        visitor.picture(&format!("thanks-{place}")).await?;
        at_ease(&browser).await?;
    }
    browser.close().await
}

pub(crate) async fn at_ease(browser: &Browser) -> Result<()> {
    let found = browser.axe().await?;
    ensure!(found.is_empty(), "{}", found.join("\n"));
    Ok(())
}

async fn axe_finds_nothing_in_any_look(engine: Engine) -> Result<()> {
    let stage = looks().await?;
    let browser = Browser::open(engine, 360, 800).await?;
    let visitor = begin(&browser, &stage, "ar").await?;
    for question in ["stars", "smileys", "faces", "list", "colors", "effort", "ten"] {
        visitor.asked(question).await?;
        visitor.picture(&format!("{question}-empty")).await?;
        at_ease(&browser).await?;
        visitor.choose(&[1]).await?;
        visitor.picture(&format!("{question}-chosen")).await?;
        at_ease(&browser).await?;
        visitor.forward().await?;
    }
    browser.close().await
}
