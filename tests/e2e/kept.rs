//! What the visitor's browser keeps: a draft until it is sent, and a submission until the server has it.

use anyhow::{Result, ensure};
use serde_json::json;
use tests::{Browser, Engine, Stage};

use crate::embed::{asks_for_a_survey, page, showing};
use crate::visitor::answer_checkout;

tests::in_every_engine! {
    what_was_answered_is_there_after_a_reload_and_is_handed_in_once
    a_page_that_may_remember_nothing_keeps_no_draft
    a_draft_of_yesterday_is_not_taken_up
    what_waits_goes_out_from_a_page_where_no_survey_is_due
    what_waited_for_seven_days_is_dropped_unsent
    who_answered_while_the_server_was_away_is_not_asked_again
}

/// An interval of the sandbox that no test waits for.
const QUICK: std::time::Duration = std::time::Duration::from_millis(20);

async fn what_was_answered_is_there_after_a_reload_and_is_handed_in_once(engine: Engine) -> Result<()> {
    let stage = Stage::new().await?;
    let browser = Browser::open(engine, 390, 844).await?;
    let visitor = browser.visit(&stage.pages.at("nl/checkout")).await?;
    visitor.asked("recommend").await?;
    visitor.choose(&[3]).await?;
    visitor.forward().await?;
    visitor.asked("why").await?;
    visitor.write("De \"doos\" was stuk").await?;
    visitor.until("root.querySelector('textarea').value.endsWith('stuk')").await?;
    visitor.reload().await?;
    visitor.asked("why").await?;
    let text = visitor.look("root.querySelector('textarea').value").await?;
    ensure!(text == "De \"doos\" was stuk", "{text}");
    visitor.until("part('back').click() || true").await?;
    visitor.asked("recommend").await?;
    ensure!(visitor.look("root.querySelectorAll('[data-question] input')[3].checked").await? == json!(true));
    visitor.reload().await?;
    // From where the visitor is now, with everything in its place.
    visitor.asked("recommend").await?;
    visitor.forward().await?;
    visitor.asked("why").await?;
    visitor.forward().await?;
    visitor.asked("found").await?;
    visitor.forward().await?;
    visitor.asked("again").await?;
    visitor.choose(&[1]).await?;
    visitor.forward().await?;
    visitor.state("thanked").await?;
    let arrivals = stage.delivered(1).await?;
    let body = arrivals.iter().find_map(|arrival| arrival.json.as_deref()).map(ToString::to_string);
    ensure!(body.as_ref().is_some_and(|body| body.contains(r#"De \"doos\" was stuk"#)), "{body:?}");
    visitor.reload().await?;
    visitor.asked("recommend").await?;
    let left = visitor.look("[sessionStorage.length, !!root.querySelector('input:checked')]").await?;
    ensure!(left == json!([0, false]), "{left}");
    ensure!(stage.sandbox.counts().stored == 1);
    browser.close().await
}

async fn a_page_that_may_remember_nothing_keeps_no_draft(engine: Engine) -> Result<()> {
    let stage = Stage::new().await?;
    let browser = Browser::open(engine, 390, 844).await?;
    let address = page(&stage, &[("data-remember", "no"), ("data-mode", "popover")])?;
    let visitor = browser.visit(&address).await?;
    visitor.asked("recommend").await?;
    visitor.choose(&[3]).await?;
    visitor.forward().await?;
    visitor.asked("why").await?;
    let kept = visitor.look("[sessionStorage.length, localStorage.length]").await?;
    ensure!(kept == json!([0, 0]), "{kept}");
    visitor.reload().await?;
    visitor.asked("recommend").await?;
    browser.close().await
}

async fn a_draft_of_yesterday_is_not_taken_up(engine: Engine) -> Result<()> {
    let stage = Stage::new().await?;
    let browser = Browser::open(engine, 390, 844).await?;
    let visitor = browser.visit(&stage.pages.at("nl/checkout")).await?;
    visitor.asked("recommend").await?;
    visitor.choose(&[3]).await?;
    visitor.forward().await?;
    visitor.asked("why").await?;
    let older = "const key = 'afterword:draft:checkout', draft = JSON.parse(sessionStorage[key]);
        sessionStorage[key] = JSON.stringify({ ...draft, at: draft.at - 25 * 3600 * 1000 });";
    browser.run(older).await?;
    visitor.reload().await?;
    visitor.asked("recommend").await?;
    ensure!(visitor.look("sessionStorage.length").await? == json!(0));
    browser.close().await
}

async fn what_waits_goes_out_from_a_page_where_no_survey_is_due(engine: Engine) -> Result<()> {
    let mut stage = Stage::new().await?;
    let browser = Browser::open(engine, 390, 844).await?;
    let visitor = browser.visit(&stage.pages.at("nl/checkout")).await?;
    visitor.asked("recommend").await?;
    stage.stop().await?;
    answer_checkout(&visitor).await?;
    visitor.state("kept").await?;
    stage.start().await?;
    let visitor = browser.visit(&page(&stage, &[("data-mode", "none")])?).await?;
    stage.delivered(1).await?;
    visitor.until("localStorage.length === 0").await?;
    ensure!(!asks_for_a_survey(&browser).await?);
    ensure!(stage.sandbox.counts().arrived == 1);
    browser.close().await
}

async fn what_waited_for_seven_days_is_dropped_unsent(engine: Engine) -> Result<()> {
    let stage = Stage::new().await?;
    let browser = Browser::open(engine, 390, 844).await?;
    let address = page(&stage, &[("data-mode", "none")])?;
    browser.visit(&address).await?;
    let server = &stage.server;
    let keep = format!(
        "const keep = (id, age, origin) => localStorage.setItem('afterword:outbox:' + id, JSON.stringify(
            {{ survey: 'checkout', origin, at: Date.now() - age * 24 * 3600 * 1000, body: '{{}}' }}));
        keep('old', 7.01, '{server}');
        keep('elsewhere', 1, 'https://other.example');
        localStorage.setItem('afterword:outbox:broken', '{{');
        localStorage.setItem('cart', '3');"
    );
    browser.run(&keep).await?;
    let visitor = browser.visit(&address).await?;
    visitor.until("localStorage.getItem('afterword:outbox:old') === null").await?;
    // What belongs to others stays as it is.
    let left = visitor.look("Object.keys(localStorage).sort()").await?;
    ensure!(left == json!(["afterword:outbox:broken", "afterword:outbox:elsewhere", "cart"]), "{left}");
    let sent = visitor.look("fetched.filter(address => address.includes('/answers'))").await?;
    ensure!(sent == json!([]), "{sent}");
    browser.close().await
}

async fn who_answered_while_the_server_was_away_is_not_asked_again(engine: Engine) -> Result<()> {
    let mut stage = Stage::with(QUICK, showing("mode = \"modal\"")).await?;
    let browser = Browser::open(engine, 390, 844).await?;
    let address = page(&stage, &[])?;
    let visitor = browser.visit(&address).await?;
    visitor.asked("recommend").await?;
    stage.stop().await?;
    answer_checkout(&visitor).await?;
    visitor.state("kept").await?;
    stage.start().await?;
    browser.visit(&address).await?;
    ensure!(!asks_for_a_survey(&browser).await?, "it was answered");
    stage.delivered(1).await?;
    browser.close().await
}
