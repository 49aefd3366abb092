//! The operators' pages, used as operators use them.

mod states;

use anyhow::{Context, Result, ensure};
use serde_json::json;
use server::sandbox::{Fault, Misbehaviour, Reports};
use tests::keys::ENTER;
use tests::{Browser, Edit as _, Engine, QUICK, Stage, Visitor, http_client};
use uuid::Uuid;

use crate::submission;
use states::{readable, whole};

tests::in_every_engine! {
    dead_letters_are_read_sent_again_and_given_up
    dead_letters_are_handled_by_keyboard_alone
    a_page_that_is_paused_stays_as_it_is
    an_operator_logs_in_and_out
    steps_are_counted_where_a_survey_says_so
}

/// The words of a refusal that an operator can mend.
const REFUSAL: &str = "The questionItemUniqueId of an answer is not correct";
const ADMIN_TOKEN: &str = "b3BlcmF0b3JzLW9ubHk";

fn refusal(words: &str) -> Fault {
    Fault::Status { status: 400, retry_after: None, body: Some(format!("[\"{words}\"]")) }
}

/// Hands in so many answers.
async fn submit(stage: &Stage, count: usize) -> Result<Vec<Uuid>> {
    let ids: Vec<Uuid> = (0..count).map(|_| Uuid::new_v4()).collect();
    for id in &ids {
        ensure!(stage.submit("checkout", &submission(*id, 9)).await?.status() == 202);
    }
    Ok(ids)
}

async fn until_dead(stage: &Stage, entries: usize) -> Result<()> {
    let line = format!("afterword_queue_entries{{lane=\"sandbox\",state=\"dead\"}} {entries}\n");
    stage.until_admin("/metrics", |metrics| metrics.contains(&line)).await.map(|_| ())
}

/// Waits until the page says something.
async fn says(page: &Visitor<'_>, words: &str) -> Result<()> {
    page.until(&format!("document.querySelector('main')?.textContent.includes({})", json!(words))).await?;
    Ok(())
}

/// Clicks on what a selector finds and what has some words, once it is there.
async fn click(page: &Visitor<'_>, selector: &str, words: &str) -> Result<()> {
    let found = format!(
        "[...document.querySelectorAll({})].find(found => found.textContent.includes({}))",
        json!(selector),
        json!(words)
    );
    page.until(&format!("(found => found && (found.click(), true))({found})")).await?;
    Ok(())
}

fn tick(id: &Uuid) -> String {
    format!(
        "(box => box && (box.click(), box.checked))(document.querySelector('input[value=\"{id}\"][type=checkbox]'))"
    )
}

async fn dead_letters_are_read_sent_again_and_given_up(engine: Engine) -> Result<()> {
    let stage = Stage::new().await?;
    stage.sandbox.misbehave(Misbehaviour::from(refusal(REFUSAL)).calls(4));
    let ids = submit(&stage, 4).await?;
    until_dead(&stage, 4).await?;
    let browser = Browser::open(engine, 1_100, 800).await?;
    let page = browser.visit(&format!("{}/", stage.admin)).await?;
    click(&page, "a", "Look at dead letters").await?;
    says(&page, "Send selected again").await?;
    says(&page, REFUSAL).await?;

    // The platform's words, and what is known of one.
    click(&page, "td a", &ids[0].to_string()).await?;
    says(&page, "These pages do not show what visitors answered").await?;
    says(&page, "HTTP 400").await?;
    click(&page, "button", "Send again").await?;
    says(&page, "Back in line: 1 entry").await?;
    stage.delivered(1).await?;

    // Two of three are ticked; the page stays as it is while they are.
    page.until(&tick(&ids[1])).await?;
    page.until(&tick(&ids[2])).await?;
    click(&page, "button", "Discard selected").await?;
    says(&page, "Discard 2 entries?").await?;
    click(&page, "button", "Discard 2 entries").await?;
    // It wants to hear that it is meant.
    let asks = "document.querySelector('[name=sure]').matches(':invalid')";
    ensure!(page.look(asks).await? == json!(true));
    says(&page, "Discard 2 entries?").await?;
    until_dead(&stage, 3).await?;
    page.look("document.querySelector('[name=sure]').click()").await?;
    click(&page, "button", "Discard 2 entries").await?;
    says(&page, "Discarded: 2 entries").await?;
    until_dead(&stage, 1).await?;

    // All that pass a filter, and none that do not.
    page.look("document.querySelector('#words').value = 'no such words'").await?;
    click(&page, "form.filter button", "Filter").await?;
    says(&page, "No entry is like this.").await?;
    page.look("document.querySelector('#words').value = 'questionItemUniqueId'").await?;
    click(&page, "form.filter button", "Filter").await?;
    says(&page, &ids[3].to_string()).await?;
    click(&page, "button", "Send all of these again").await?;
    says(&page, "Send 1 entry again?").await?;
    click(&page, "button", "Send 1 entry again").await?;
    says(&page, "Back in line: 1 entry").await?;
    says(&page, "No entry is like this.").await?;
    let arrived = stage.delivered(2).await?;
    ensure!(arrived.iter().filter(|arrival| arrival.stored).count() == 2, "{arrived:?}");
    browser.close().await
}

/// Goes with the tab key to what has the focus then as it should, and presses another key.
async fn press(page: &Visitor<'_>, focused: &str, key: &str) -> Result<()> {
    page.reach(focused, 200).await?;
    page.keys(key).await
}

/// Presses a button or follows a link with these words.
async fn enter(page: &Visitor<'_>, words: &str) -> Result<()> {
    let focused = format!("focus.matches('a, button') && focus.textContent.includes({})", json!(words));
    press(page, &focused, ENTER).await
}

/// Gives up what a button is for, which is asked for once more.
async fn discard(page: &Visitor<'_>, button: &str, entries: &str) -> Result<()> {
    enter(page, button).await?;
    says(page, &format!("Discard {entries}?")).await?;
    press(page, "focus.name === 'sure'", " ").await?;
    enter(page, &format!("Discard {entries}")).await?;
    says(page, &format!("Discarded: {entries}")).await
}

async fn dead_letters_are_handled_by_keyboard_alone(engine: Engine) -> Result<()> {
    let park = |config: String| config.edit("id = \"checkout\"", "id = \"checkout\"\non_unknown = \"park\"");
    let stage = Stage::with(QUICK, park).await?;
    // One is parked: its reply is lost, and the token may not look it up. More than a page of others is refused.
    stage.sandbox.set_reports(Reports { refused: true, ..Reports::default() });
    submit(&stage, 1).await?;
    stage.delivered(1).await?;
    stage.sandbox.misbehave(Misbehaviour::from(Fault::LostReply).calls(1));
    let parked = submit(&stage, 1).await?[0];
    let line = "afterword_queue_entries{lane=\"sandbox\",state=\"parked\"} 1\n";
    stage.until_admin("/metrics", |metrics| metrics.contains(line)).await?;
    stage.sandbox.misbehave(Misbehaviour::from(refusal(REFUSAL)).calls(53));
    let dead = submit(&stage, 53).await?;
    until_dead(&stage, 53).await?;

    let browser = Browser::open(engine, 1_100, 800).await?;
    let page = browser.visit(&format!("{}/", stage.admin)).await?;
    says(&page, REFUSAL).await?;
    // Nothing moves under somebody who goes from stop to stop.
    enter(&page, "Pause updates").await?;
    page.until("document.querySelector('.live button').textContent.includes('Resume')").await?;
    enter(&page, "Look at dead letters").await?;
    says(&page, &parked.to_string()).await?;

    // The second page has the last four; one of them goes out again.
    let last = dead[52].to_string();
    page.until("document.querySelectorAll('tbody tr').length === 50").await?;
    enter(&page, "Next 50").await?;
    says(&page, &last).await?;
    page.until("document.querySelectorAll('tbody tr').length === 4").await?;
    press(&page, &format!("focus.type === 'checkbox' && focus.value === '{last}'"), " ").await?;
    page.until("document.activeElement.checked").await?;
    enter(&page, "Send selected again").await?;
    says(&page, "Back in line: 1 entry").await?;
    stage.delivered(3).await?;
    until_dead(&stage, 52).await?;

    // The parked one is read and given up, which is asked twice.
    let parked = parked.to_string();
    says(&page, &parked).await?;
    enter(&page, &parked).await?;
    says(&page, "These pages do not show what visitors answered").await?;
    discard(&page, "Discard …", "1 entry").await?;
    says(&page, "No entry is like this.").await?;

    // And all the rest, of both pages.
    enter(&page, "All letters").await?;
    says(&page, REFUSAL).await?;
    discard(&page, "Discard all of these", "52 entries").await?;
    says(&page, "Nothing waits for you.").await?;
    stage.at_rest().await?;
    browser.close().await
}

async fn a_page_that_is_paused_stays_as_it_is(engine: Engine) -> Result<()> {
    let stage = Stage::new().await?;
    stage.sandbox.misbehave(refusal(REFUSAL));
    let browser = Browser::open(engine, 1_100, 800).await?;
    let page = browser.visit(&format!("{}/", stage.admin)).await?;
    says(&page, "Nothing that is still open.").await?;
    click(&page, ".live button", "Pause updates").await?;
    // Whatever page is opened in this tab.
    let page = browser.visit(&format!("{}/letters", stage.admin)).await?;
    page.until("document.querySelector('.live button').textContent.includes('Resume')").await?;
    let page = browser.visit(&format!("{}/", stage.admin)).await?;
    page.until("document.querySelector('.live button').textContent.includes('Resume')").await?;
    let asked = "performance.getEntriesByType('resource').filter(it => it.initiatorType === 'fetch').length";
    submit(&stage, 1).await?;
    until_dead(&stage, 1).await?;
    page.look("document.dispatchEvent(new Event('visibilitychange'))").await?;
    ensure!(page.look(asked).await? == json!(0), "it asks while it is paused");
    says(&page, "Nothing that is still open.").await?;
    click(&page, ".live button", "Resume updates").await?;
    says(&page, REFUSAL).await?;
    // What has not changed is not replaced, so that a place in it is kept.
    page.look("document.querySelector('header.bar').dataset.first = 'yes'").await?;
    submit(&stage, 1).await?;
    page.until("document.querySelectorAll('tbody tr').length === 2").await?;
    ensure!(page.look("document.querySelector('header.bar').dataset.first").await? == json!("yes"));
    browser.close().await
}

async fn an_operator_logs_in_and_out(engine: Engine) -> Result<()> {
    let mut stage = Stage::prepared(QUICK, |config| format!("admin_token_env = \"ADMIN\"\n{config}")).await?;
    stage.process.environment.insert("ADMIN".into(), ADMIN_TOKEN.into());
    stage.start().await?;
    let browser = Browser::open(engine, 800, 600).await?;
    let page = browser.visit(&format!("{}/letters?state=dead", stage.admin)).await?;
    let log_in = async |token: &str| {
        page.until(&format!(
            "(field => field && (field.value = {}, true))(document.querySelector('#token'))",
            json!(token)
        ))
        .await?;
        click(&page, "button", "Log in").await
    };
    log_in("wrong").await?;
    says(&page, "This is not the admin token.").await?;
    log_in(ADMIN_TOKEN).await?;
    says(&page, "No entry is like this.").await?;
    ensure!(page.look("location.pathname + location.search").await? == json!("/letters?state=dead"));
    ensure!(page.look("document.cookie").await? == json!(""), "scripts do not see it");
    // It outlives the server.
    stage.stop().await?;
    stage.start().await?;
    page.reload().await?;
    says(&page, "No entry is like this.").await?;
    click(&page, "button", "Log out").await?;
    page.until("document.querySelector('#token')").await?;
    let page = browser.visit(&format!("{}/", stage.admin)).await?;
    page.until("document.querySelector('#token')").await?;
    ensure!(!stage.log().contains(ADMIN_TOKEN));
    browser.close().await
}

async fn steps_are_counted_where_a_survey_says_so(engine: Engine) -> Result<()> {
    let stage = Stage::with(QUICK, |config| {
        config.edit_first("[survey.metadata]", "counts = true\n[survey.metadata]")
    })
    .await?;
    let browser = Browser::open(engine, 600, 900).await?;
    let visitor = browser.visit(&stage.pages.at("nl/checkout")).await?;
    visitor.asked("recommend").await?;
    visitor.choose(&[9]).await?;
    visitor.forward().await?;
    visitor.asked("found").await?;
    stage
        .until_admin("/surveys/checkout", |page| {
            step(page, "in sight") == Some(1) && step(page, "recommend") == Some(1)
        })
        .await?;
    // Going back and on is no new step.
    visitor.until("(button => button && (button.click(), true))(part('back'))").await?;
    visitor.asked("recommend").await?;
    visitor.forward().await?;
    visitor.asked("found").await?;
    visitor.forward().await?;
    visitor.asked("again").await?;
    visitor.choose(&[0]).await?;
    visitor.forward().await?;
    visitor.state("thanked").await?;
    let once = ["in sight", "recommend", "again", "submitted"];
    let counted = |page: &str| once.iter().all(|name| step(page, name) == Some(1));
    let page = stage.until_admin("/surveys/checkout", counted).await?;
    ensure!(step(&page, "found") == Some(0), "left out: {page}");
    let told = "performance.getEntriesByType('resource').some(entry => entry.name.endsWith('/counts.js'))";
    ensure!(visitor.look(told).await? == json!(true));
    browser.close().await
}

/// The number in the line of a step.
fn step(page: &str, name: &str) -> Option<u64> {
    let line = page.split("Completion").nth(1)?.split(&format!("<th scope=\"row\">{name}</th>")).nth(1)?;
    line.split("<td class=\"number\">").nth(1)?.split('<').next()?.parse().ok()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_platform_is_asked_for_its_score_when_an_operator_says_so() -> Result<()> {
    tests::prepared()?;
    let mut stage = Stage::prepared(QUICK, |config| format!("admin_token_env = \"ADMIN\"\n{config}")).await?;
    stage.process.environment.insert("ADMIN".into(), ADMIN_TOKEN.into());
    stage.start().await?;
    submit(&stage, 3).await?;
    stage.delivered(3).await?;
    let browser = Browser::open(Engine::Chromium, 390, 900).await?;
    let page = browser.visit(&format!("{}/surveys/checkout", stage.admin)).await?;
    page.until("document.querySelector('#token')").await?;
    readable(&browser, &page, "login").await?;
    whole(&browser, &page, "operators-login").await?;
    page.look(&format!("document.querySelector('#token').value = {}", json!(ADMIN_TOKEN))).await?;
    click(&page, "button", "Log in").await?;
    says(&page, "made only when you ask for it").await?;
    click(&page, "button", "Ask the platform").await?;
    page.until("[...document.querySelectorAll('section')].some(card => card.textContent.includes('own score') && card.textContent.includes('NPS100'))").await?;
    stage.sandbox.misbehave(Misbehaviour::from(refusal("no")).calls(1));
    click(&page, "button", "Ask the platform").await?;
    says(&page, "The platform did not answer with a score").await?;
    browser.close().await
}

/// Asks the platform for its own score, as the page's form does.
async fn ask_for_the_score(stage: &Stage) -> Result<()> {
    let address = format!("{}/surveys/checkout", stage.admin);
    let page = stage.get(&address).await?;
    let key = page.split("name=\"form_key\" value=\"").nth(1).and_then(|rest| rest.split('"').next());
    let form = format!("form_key={}&days=30", key.context("a form has no key")?);
    let kind = "application/x-www-form-urlencoded";
    let sent = http_client()?.post(format!("{address}/nps")).header("content-type", kind).body(form).send();
    let status = sent.await?.status();
    ensure!(!status.is_client_error() && !status.is_server_error(), "{status}");
    Ok(())
}
