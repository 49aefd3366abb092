//! The operators' pages, used as operators use them.

use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use jiff::ToSpan;
use serde_json::json;
use server::clock::Clock;
use server::queue::{History, Kind, Options, Series, SqliteQueue};
use server::sandbox::{Fault, Misbehaviour, Reports};
use tests::keys::{ENTER, TAB};
use tests::{Browser, Edit as _, Engine, QUICK, Stage, Visitor, http_client};
use uuid::Uuid;

use crate::submission;

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
    says(&page, REFUSAL).await?;

    // The platform's words, and what is known of one.
    click(&page, "td a", &ids[0].to_string()).await?;
    says(&page, "HTTP 400").await?;
    says(&page, "These pages do not show what visitors answered").await?;
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

/// Presses the tab key until what has the focus is as it should be, where it is seen, and then another key.
async fn press(page: &Visitor<'_>, focused: &str, key: &str) -> Result<()> {
    let there =
        format!("(focus => !!focus && focus !== document.body && !!({focused}))(document.activeElement)");
    for _ in 0..200 {
        if page.look(&there).await? == json!(true) {
            let seen = "(style => style.outlineStyle !== 'none' && parseFloat(style.outlineWidth) >= 2)\
                        (getComputedStyle(document.activeElement))";
            ensure!(page.look(seen).await? == json!(true), "the focus is not seen at {focused}");
            return page.keys(key).await;
        }
        page.keys(TAB).await?;
    }
    bail!("the tab key does not lead to {focused}")
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
    page.until("document.querySelector('.live button').textContent.includes('go on')").await?;
    enter(&page, "Look at dead letters").await?;
    says(&page, &parked.to_string()).await?;

    // The second page has the last four; one of them goes out again.
    let last = dead[52].to_string();
    ensure!(page.look("document.querySelectorAll('tbody tr').length").await? == json!(50));
    enter(&page, "Next 50").await?;
    says(&page, &last).await?;
    ensure!(page.look("document.querySelectorAll('tbody tr').length").await? == json!(4));
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
    page.until("document.querySelector('.live button').textContent.includes('go on')").await?;
    let page = browser.visit(&format!("{}/", stage.admin)).await?;
    page.until("document.querySelector('.live button').textContent.includes('go on')").await?;
    let asked = "performance.getEntriesByType('resource').filter(it => it.initiatorType === 'fetch').length";
    submit(&stage, 1).await?;
    until_dead(&stage, 1).await?;
    page.look("document.dispatchEvent(new Event('visibilitychange'))").await?;
    ensure!(page.look(asked).await? == json!(0), "it asks while it is paused");
    says(&page, "Nothing that is still open.").await?;
    click(&page, ".live button", "go on").await?;
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
    let page = stage.until_admin("/surveys/checkout", |page| step(page, "submitted") == Some(1)).await?;
    ensure!(
        [step(&page, "in sight"), step(&page, "recommend"), step(&page, "again")] == [Some(1); 3],
        "{page}"
    );
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

/// A store in which much has happened.
async fn with_a_past(stage: &Stage) -> Result<()> {
    let queue = SqliteQueue::open(&stage.process.folder().join("queue.db"), Options::default())?;
    let now = Clock::wall();
    let day = |ago: i64| server::history::day(now.checked_sub((ago * 24).hours()).unwrap_or(now));
    let kind = |series, subject: &str, at, language: &str, item: &str, value: &str| Kind {
        series,
        subject: subject.into(),
        at,
        language: language.into(),
        item: item.into(),
        value: value.into(),
    };
    let mut counts = Vec::new();
    for ago in 0..90_i64 {
        for (language, share) in [("nl", 9), ("fr", 5), ("en", 3), ("ar", 1)] {
            let of =
                |item: &str, value: &str| kind(Series::Answer, "checkout", day(ago), language, item, value);
            let many = u64::try_from((ago * 7 % 11 + 3) * share)?;
            counts.push((of("", ""), many));
            for score in 0..=10_u64 {
                counts.push((
                    of("recommend", &score.to_string()),
                    many * [1, 0, 1, 0, 1, 2, 2, 6, 9, 12, 8][usize::try_from(score)?] / 42,
                ));
            }
            counts.push((of("again", "true"), many * 2 / 3));
            counts.push((of("again", "false"), many / 3));
            counts.push((of("why", ""), many / 4));
            let step = |step: &str| kind(Series::Step, "checkout", day(ago), language, step, "");
            for (name, percent) in
                [("shown", 300), ("answered recommend", 160), ("answered again", 110), ("submitted", 100)]
            {
                counts.push((step(name), many * percent / 100));
            }
        }
    }
    for minute in 0..1_440_i64 {
        let at = server::history::minute(now.checked_sub(minute.minutes())?);
        let mut call = |verdict: &str, count: i64| {
            if count > 0 {
                counts.push((kind(Series::Call, "sandbox", at, "", "", verdict), count.unsigned_abs()));
            }
        };
        let outage = (20..31).contains(&minute);
        call("delivered", if outage { 0 } else { 20 + minute * 13 % 37 });
        call("later", if outage { 3 } else { 0 });
        call("look-up", i64::from(minute % 9 == 0));
        call("operator", i64::from(minute % 5 == 0) * 4);
        call("rejected", i64::from(minute % 17 == 0));
        let other = |purpose: &str, verdict: &str| {
            (kind(Series::Call, "sandbox", at, "", purpose, verdict), u64::from(minute % 11 == 0))
        };
        counts.push(other(server::history::LOOK_UP, "delivered"));
        counts.push(other(server::history::OPERATOR, "paused"));
    }
    queue.record(counts).await.context("the past cannot be stored")
}

#[tokio::test(flavor = "multi_thread")]
async fn every_page_can_be_read_by_everyone_in_every_state() -> Result<()> {
    tests::prepared()?;
    let looks =
        [("phone", 360, false), ("wide", 1_280, false), ("dark-phone", 360, true), ("dark", 1_280, true)];
    let counting = |config: String| {
        let config = config.edit_first("[survey.metadata]", "counts = true\n[survey.metadata]");
        format!("admin_answers = true\n{config}")
    };
    // Empty, busy, failing, locked.
    let empty = Stage::with(QUICK, |config| config).await?;
    let mut busy = Stage::prepared(Duration::from_secs(2), counting).await?;
    with_a_past(&busy).await?;
    busy.start().await?;
    busy.sandbox.misbehave(Misbehaviour::from(refusal(REFUSAL)).calls(1));
    let ids = submit(&busy, 5).await?;
    until_dead(&busy, 1).await?;
    let mut failing = Stage::prepared(QUICK, |config| config).await?;
    with_a_past(&failing).await?;
    failing.start().await?;
    failing.sandbox.misbehave(Fault::Status { status: 401, retry_after: None, body: None });
    submit(&failing, 3).await?;
    ask_for_the_score(&failing).await?;
    failing.until_admin("/", |page| page.contains("An operators' call failed")).await?;
    std::fs::write(
        failing.process.config_file(),
        failing.process.config.edit("kind = \"text\"", "kind = \"txt\""),
    )?;
    failing
        .until_admin("/", |page| {
            page.contains("refuses the token") && page.contains("The configuration is wrong")
        })
        .await?;
    let mut locked =
        Stage::prepared(QUICK, |config| format!("admin_token_env = \"ADMIN\"\n{config}")).await?;
    locked.process.environment.insert("ADMIN".into(), ADMIN_TOKEN.into());
    locked.start().await?;
    let letter = format!("/letters/{}", ids[0]);
    let pages: [(&Stage, &str, &[&str]); 4] = [
        (
            &empty,
            "empty",
            &[
                "/",
                "/letters",
                "/surveys",
                "/surveys/checkout",
                "/letters/none",
                "/preview",
                "/preview/checkout?lang=nl&mode=inline",
                "/preview/nothing",
            ],
        ),
        (
            &busy,
            "busy",
            &[
                "/",
                "/letters",
                &letter,
                "/surveys",
                "/surveys/checkout?days=90",
                "/surveys/checkout?days=7&lang=nl",
                "/letters?done=discarded-2-0",
                "/letters?done=retried-0-3",
            ],
        ),
        (
            &failing,
            "failing",
            &[
                "/",
                "/letters?state=unknown",
                "/surveys/nothing",
                "/letters?state=ded",
                "/letters?survey=nothing",
                "/?lane=nothing",
                "/surveys/checkout?days=8&lang=zz",
            ],
        ),
        (&locked, "locked", &["/login", "/letters?state=dead"]),
    ];
    for (look, width, dark) in looks {
        let browser = if dark {
            Browser::open_in_the_dark(Engine::Chromium, width, 900).await?
        } else {
            Browser::open(Engine::Chromium, width, 900).await?
        };
        for (stage, state, paths) in &pages {
            for (at, path) in paths.iter().enumerate() {
                let page = browser.visit(&format!("{}{path}", stage.admin)).await?;
                page.until("document.querySelector('main h1')").await?;
                readable(&browser, &page, &format!("{state} {look} {path}")).await?;
                whole(&browser, &page, &format!("operators-{state}-{look}-{at}")).await?;
            }
        }
        forms_lead_on(&browser, (&busy, &ids[0]), &locked, look).await?;
        browser.close().await?;
    }
    Ok(())
}

/// What a form leads to: nothing is given up, since nobody says that it is meant.
async fn forms_lead_on(
    browser: &Browser,
    (busy, dead): (&Stage, &Uuid),
    locked: &Stage,
    look: &str,
) -> Result<()> {
    let page = browser.visit(&format!("{}/letters", busy.admin)).await?;
    page.until(&tick(dead)).await?;
    click(&page, "button", "Discard selected").await?;
    says(&page, "Discard 1 entry?").await?;
    readable(browser, &page, &format!("confirmation {look}")).await?;
    whole(browser, &page, &format!("operators-confirmation-{look}")).await?;
    let page = browser.visit(&format!("{}/login", locked.admin)).await?;
    page.until("(field => field && (field.value = 'wrong', true))(document.querySelector('#token'))").await?;
    click(&page, "button", "Log in").await?;
    says(&page, "This is not the admin token.").await?;
    readable(browser, &page, &format!("wrong token {look}")).await?;
    whole(browser, &page, &format!("operators-wrong-token-{look}")).await?;
    Ok(())
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

/// axe-core finds nothing, and nothing is wider than the page.
async fn readable(browser: &Browser, page: &Visitor<'_>, what: &str) -> Result<()> {
    let found = browser.axe().await?;
    ensure!(found.is_empty(), "{what}: {found:#?}");
    let wide = page.look("document.documentElement.scrollWidth - innerWidth").await?;
    ensure!(wide.as_i64() <= Some(0), "{what}: {wide} pixels too wide");
    Ok(())
}

/// A picture of the whole page.
async fn whole(browser: &Browser, page: &Visitor<'_>, name: &str) -> Result<()> {
    let Some(folder) = std::env::var_os("AFTERWORD_SHOTS") else { return Ok(()) };
    let size = page.look("[innerWidth, document.documentElement.scrollHeight]").await?;
    let [width, height] = [0, 1].map(|at| size[at].as_f64().unwrap_or_default());
    let picture = browser.part([0.0, 0.0, width, height]).await?;
    std::fs::create_dir_all(&folder)?;
    Ok(std::fs::write(std::path::Path::new(&folder).join(format!("{name}.png")), picture)?)
}
