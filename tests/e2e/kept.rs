//! What the visitor's browser keeps: a draft until it is sent, and a submission until the server has it.

use anyhow::{Result, ensure};
use serde_json::json;
use tests::{Browser, Engine, QUICK, Stage};
use uuid::Uuid;

use crate::embed::{asks_for_a_survey, page, showing};
use crate::outbox::kept_by_a_page;
use crate::submission;
use crate::visitor::{answer_checkout, answer_in_vain, finish_checkout, start_checkout};

tests::in_every_engine! {
    a_page_that_may_remember_nothing_keeps_no_draft
    a_draft_of_yesterday_is_not_taken_up
    of_two_elements_of_one_survey_the_first_has_the_draft
    what_waits_goes_out_from_a_page_where_no_survey_is_due
    what_waited_for_seven_days_is_dropped_with_the_servers_next_reply
    who_answered_while_the_server_was_away_is_not_asked_again
    who_was_refused_has_not_answered
    a_draft_that_is_taken_up_twice_is_handed_in_once
    what_an_earlier_page_sent_and_was_refused_is_there_to_be_mended
}

async fn a_page_that_may_remember_nothing_keeps_no_draft(engine: Engine) -> Result<()> {
    let stage = Stage::new().await?;
    let browser = Browser::open(engine, 390, 844).await?;
    let address = page(&stage, &[("data-remember", "no"), ("data-mode", "popover")])?;
    let visitor = browser.visit(&address).await?;
    start_checkout(&visitor).await?;
    let kept = visitor.look("[sessionStorage.length, localStorage.length]").await?;
    ensure!(kept == json!([0, 0]), "{kept}");
    // The page alone has it, for another language; who closes the survey is somebody else when it opens again.
    browser.run("afterword.setLanguage('fr')").await?;
    visitor.until("card && card.lang === 'fr'").await?;
    visitor.asked("why").await?;
    browser.run("afterword.close(); afterword.open('checkout')").await?;
    visitor.asked("recommend").await?;
    start_checkout(&visitor).await?;
    visitor.reload().await?;
    visitor.asked("recommend").await?;
    browser.close().await
}

async fn a_draft_of_yesterday_is_not_taken_up(engine: Engine) -> Result<()> {
    let stage = Stage::new().await?;
    let browser = Browser::open(engine, 390, 844).await?;
    let visitor = browser.visit(&stage.pages.at("nl/checkout")).await?;
    start_checkout(&visitor).await?;
    let older = "const key = 'afterword:draft:checkout', draft = JSON.parse(sessionStorage[key]);
        sessionStorage[key] = JSON.stringify({ ...draft, at: draft.at - 25 * 3600 * 1000 });";
    browser.run(older).await?;
    visitor.reload().await?;
    visitor.asked("recommend").await?;
    ensure!(visitor.look("sessionStorage.length").await? == json!(0));
    browser.close().await
}

async fn of_two_elements_of_one_survey_the_first_has_the_draft(engine: Engine) -> Result<()> {
    let stage = Stage::new().await?;
    let browser = Browser::open(engine, 800, 1600).await?;
    let tag = format!("<script async src=\"{}/widget.js?survey=checkout\"></script>", stage.server);
    let one = |pieces: u8| {
        format!(
            "<afterword-survey survey=\"checkout\" lang=\"nl\" meta-pieces=\"{pieces}\"></afterword-survey>"
        )
    };
    stage.pages.put("two", &tag, &[one(1), one(2)].concat());
    let visitor = browser.visit(&stage.pages.at("own/two")).await?;
    start_checkout(&visitor).await?;
    visitor.reload().await?;
    visitor.asked("why").await?;
    // Else both would hand in what they have under one UUID, and the second would be thanked for nothing.
    let second =
        "document.querySelectorAll('afterword-survey')[1].shadowRoot.querySelector('[data-question]')";
    visitor.until(&format!("({second} || {{ dataset: {{}} }}).dataset.question === 'recommend'")).await?;
    browser.close().await
}

async fn what_waits_goes_out_from_a_page_where_no_survey_is_due(engine: Engine) -> Result<()> {
    let mut stage = Stage::new().await?;
    let browser = Browser::open(engine, 390, 844).await?;
    let visitor = browser.visit(&stage.pages.at("nl/checkout")).await?;
    answer_in_vain(&mut stage, &visitor).await?;
    stage.start().await?;
    let visitor = browser.visit(&page(&stage, &[("data-mode", "none")])?).await?;
    stage.delivered(1).await?;
    visitor.until("localStorage.length === 0").await?;
    ensure!(!asks_for_a_survey(&browser).await?);
    ensure!(stage.at_rest().await?.len() == 1);
    browser.close().await
}

async fn what_waited_for_seven_days_is_dropped_with_the_servers_next_reply(engine: Engine) -> Result<()> {
    let mut stage = Stage::new().await?;
    let browser = Browser::open(engine, 390, 844).await?;
    // From here the loader sends nothing.
    browser.visit(&page(&stage, &[("data-mode", "none"), ("data-consent", "wait")])?).await?;
    let server = &stage.server;
    let keep =
        "const keep = (id, age, origin) => localStorage.setItem('afterword:outbox:' + id, JSON.stringify(
            { survey: 'checkout', origin, at: Date.now() - age * 24 * 3600 * 1000, body: '{}' }));";
    let many = format!(
        "for (const key of Object.keys(localStorage)) {{
            const entry = JSON.parse(localStorage.getItem(key));
            localStorage.setItem(key, JSON.stringify({{ ...entry, at: entry.at - 8 * 24 * 3600 * 1000 }}));
        }}
        {keep}
        keep('refused', 7.01, '{server}');
        // The server may have forgotten that it has them.
        keep('old', 30.01, '{server}');
        keep('gone', 30.01, 'https://gone.example');
        keep('elsewhere', 8, 'https://other.example');
        localStorage.setItem('afterword:outbox:broken', '{{');
        localStorage.setItem('cart', '3');"
    );
    // Answered just now, says a clock that has jumped ahead.
    browser.run(&kept_by_a_page(&stage, &submission(Uuid::new_v4(), 9))).await?;
    browser.run(&many).await?;
    let visitor = browser.visit(&page(&stage, &[("data-mode", "none")])?).await?;
    stage.delivered(1).await?;
    visitor.until("Object.keys(localStorage).length === 3").await?;
    // What belongs to others stays as it is.
    let left = visitor.look("Object.keys(localStorage).sort()").await?;
    ensure!(left == json!(["afterword:outbox:broken", "afterword:outbox:elsewhere", "cart"]), "{left}");
    let sent = "fetched.filter(address => address.endsWith('/answers')).length";
    ensure!(visitor.look(sent).await? == json!(2));
    stage.stop().await?;
    browser.run(&format!("{keep} keep('late', 8, '{}')", stage.server)).await?;
    browser.run("dispatchEvent(new Event('online'))").await?;
    visitor.until(&format!("{sent} > 3")).await?;
    let late = "localStorage.getItem('afterword:outbox:late')";
    ensure!(visitor.look(late).await? != json!(null), "it may be the net that is away");
    stage.start().await?;
    browser.run("dispatchEvent(new Event('online'))").await?;
    visitor.until(&format!("{late} === null")).await?;
    browser.close().await
}

async fn who_answered_while_the_server_was_away_is_not_asked_again(engine: Engine) -> Result<()> {
    let mut stage = Stage::with(QUICK, showing("mode = \"modal\"")).await?;
    let browser = Browser::open(engine, 390, 844).await?;
    let address = page(&stage, &[])?;
    let visitor = browser.visit(&address).await?;
    answer_in_vain(&mut stage, &visitor).await?;
    stage.start().await?;
    browser.visit(&address).await?;
    ensure!(!asks_for_a_survey(&browser).await?, "it was answered");
    stage.delivered(1).await?;
    browser.close().await
}

async fn who_was_refused_has_not_answered(engine: Engine) -> Result<()> {
    let stage = Stage::with(QUICK, showing("mode = \"modal\"")).await?;
    let browser = Browser::open(engine, 390, 844).await?;
    let visitor = browser.visit(&page(&stage, &[("data-meta-color", "red")])?).await?;
    answer_checkout(&visitor).await?;
    visitor.state("refused").await?;
    let seen = "JSON.parse(localStorage.getItem('afterword:seen:checkout'))";
    ensure!(visitor.look(&format!("[{seen}.answered, {seen}.dismissed]")).await? == json!([0, null]));
    visitor.until("part('close').click() || true").await?;
    visitor.until("!part('frame')").await?;
    let closed = visitor.look("heard.at(-1)").await?;
    ensure!(closed == json!(["closed", { "survey": "checkout", "answered": false }]), "{closed}");
    ensure!(visitor.look(&format!("{seen}.dismissed > 0")).await? == json!(true));
    browser.close().await
}

async fn a_draft_that_is_taken_up_twice_is_handed_in_once(engine: Engine) -> Result<()> {
    let stage = Stage::new().await?;
    let browser = Browser::open(engine, 390, 844).await?;
    let visitor = browser.visit(&stage.pages.at("nl/checkout")).await?;
    start_checkout(&visitor).await?;
    // What a duplicated tab has too.
    let draft = visitor.look("sessionStorage.getItem('afterword:draft:checkout')").await?;
    visitor.forward().await?;
    finish_checkout(&visitor).await?;
    browser.run(&format!("sessionStorage.setItem('afterword:draft:checkout', {draft})")).await?;
    visitor.reload().await?;
    visitor.asked("why").await?;
    visitor.write("Nog iets").await?;
    visitor.forward().await?;
    finish_checkout(&visitor).await?;
    let left = visitor.look("[sessionStorage.length, localStorage.length]").await?;
    ensure!(left == json!([0, 0]), "{left}");
    stage.delivered(1).await?;
    ensure!(stage.at_rest().await?.len() == 1);
    browser.close().await
}

async fn what_an_earlier_page_sent_and_was_refused_is_there_to_be_mended(engine: Engine) -> Result<()> {
    let stage = Stage::new().await?;
    let browser = Browser::open(engine, 390, 844).await?;
    let visitor = browser.visit(&page(&stage, &[("data-mode", "none")])?).await?;
    let mut refused = submission(Uuid::new_v4(), 9);
    refused["metadata"]["color"] = json!("red");
    browser.run(&kept_by_a_page(&stage, &refused)).await?;
    visitor.until("window.afterword && afterword.open && (afterword.open('checkout'), true)").await?;
    visitor.state("refused").await?;
    visitor.asked("recommend").await?;
    ensure!(visitor.look("root.querySelectorAll('[data-question] input')[9].checked").await? == json!(true));
    // Without what was wrong, under another UUID.
    visitor.forward().await?;
    finish_checkout(&visitor).await?;
    stage.delivered(1).await?;
    ensure!(stage.at_rest().await?.len() == 1);
    browser.close().await
}
