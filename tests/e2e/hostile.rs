//! Pages that break what they can, and surveys that must not: styles, keys, prototypes, what stays behind.

use anyhow::{Result, bail, ensure};
use serde_json::{Value, json};
use tests::keys::ENTER;
use tests::{Browser, Edit as _, Engine, Stage};

use crate::embed::{asks_for_a_survey, page};
use crate::visitor::{answer_checkout, answer_in_vain, finish_checkout, start_checkout};

tests::in_every_engine! {
    a_hostile_page_with_two_loaders_and_a_new_body_does_not_break_a_survey
    a_hundred_surveys_leave_nothing_behind
    surveys_that_leave_too_early_or_lie_over_the_page_leave_nothing_behind
    without_storage_a_survey_is_answered_all_the_same
    in_a_frame_of_another_site_a_survey_is_answered
    in_a_frame_that_forbids_forms_a_survey_is_answered
}

/// Puts the loader of a stage's server into the hostile page.
pub(crate) fn inject(stage: &Stage, path: &str, attributes: &Value) -> String {
    format!("inject('{}{path}', {attributes})", stage.server)
}

async fn a_hostile_page_with_two_loaders_and_a_new_body_does_not_break_a_survey(
    engine: Engine,
) -> Result<()> {
    let stage = Stage::new().await?;
    let browser = Browser::open(engine, 1280, 800).await?;
    let visitor = browser.visit(&stage.pages.at("hostile/nl/checkout")).await?;
    let popover = json!({ "data-mode": "popover", "data-survey": "checkout", "data-answer-again": "no" });
    browser.run(&inject(&stage, "/widget.js?survey=checkout", &popover)).await?;
    // Of a build that is long gone.
    browser.run(&inject(&stage, "/a/0123456789ab/widget.js", &popover)).await?;
    visitor.asked("recommend").await?;
    visitor.until("window.loaded === 2").await?;
    visitor.picture("hostile").await?;
    let top = "(box => document.elementFromPoint(box.x + box.width / 2, box.y + box.height / 2) === host)\
               (part('card').getBoundingClientRect())";
    visitor.until(top).await?;
    ensure!(visitor.look("getComputedStyle(part('question')).fontSize").await? == "16px");
    ensure!(visitor.look("getComputedStyle(part('question')).textTransform").await? == "none");
    start_checkout(&visitor).await?;
    let words = "the quick brown fox jumps over 1234567890 lazy dogs? yes.";
    visitor.write(words).await?;
    visitor.until(&format!("root.querySelector('textarea').value === '{words}'")).await?;
    ensure!(
        browser.run("return pressed").await? == json!(0),
        "the page took keys that were meant for the survey"
    );
    ensure!(visitor.look("document.querySelectorAll('afterword-survey').length").await? == json!(1));

    // The page draws itself anew, with the survey in its text.
    let fresh =
        "const body = document.createElement('body'), survey = document.createElement('afterword-survey');
        survey.setAttribute('survey', 'checkout');
        body.append(document.createElement('main'), survey);
        document.body.replaceWith(body);";
    browser.run(fresh).await?;
    visitor.asked("why").await?;
    ensure!(visitor.look("root.querySelector('textarea').value").await? == words);
    visitor.until("part('back').click() || true").await?;
    visitor.asked("recommend").await?;
    visitor.choose(&[9]).await?;
    visitor.forward().await?;
    visitor.asked("found").await?;
    visitor.forward().await?;
    visitor.asked("again").await?;
    ensure!(
        visitor.look("root.querySelectorAll('input')[1].checked").await? == json!(true),
        "answered ahead"
    );
    visitor.forward().await?;
    visitor.state("thanked").await?;
    stage.delivered(1).await?;
    ensure!(stage.at_rest().await?.len() == 1);
    browser.close().await
}

async fn a_hundred_surveys_leave_nothing_behind(engine: Engine) -> Result<()> {
    let stage = Stage::new().await?;
    let browser = Browser::open(engine, 1280, 800).await?;
    let visitor = browser.visit(&stage.pages.at("counting/nl/checkout")).await?;
    visitor.until("window.afterword && afterword.open").await?;
    let cycles = async |times: u32| {
        // Ten at a time; what the widget makes once is made in the first ones.
        let run = "const done = arguments[arguments.length - 1];
            cycle().then(() => done(''), error => done(String(error)))";
        for _ in 0..times {
            let failed = browser.run_async(run).await?;
            ensure!(failed == "", "{failed}");
        }
        // The loader looks once for what waits; that timer is not a survey's.
        visitor.until("counts().timers === 0").await?;
        Ok((browser.run("return counts()").await?, browser.held().await?))
    };
    let (mut before, mut held_before) = cycles(10).await?;
    // What is given back when garbage is collected takes its time, so memory may still grow for a while.
    let mut equal = 0;
    for _ in 0..15 {
        let (now, held) = cycles(10).await?;
        for what in ["elements", "listeners"] {
            ensure!(now[what] == before[what], "{before}\nafter a hundred more:\n{now}");
        }
        let settled = now == before && held_before.zip(held).is_none_or(|(before, now)| rests(before, now));
        equal = if settled { equal + 1 } else { 0 };
        (before, held_before) = (now, held);
        if equal == 3 {
            return browser.close().await;
        }
    }
    bail!("with every hundred surveys memory grows: {before}, {held_before:?}")
}

/// Whether a hundred surveys have left less than two nodes and listeners and a kilobyte each: what the test's own
/// counting and the driver keep is in there too.
fn rests(before: [u64; 3], now: [u64; 3]) -> bool {
    let [bytes, nodes, listeners] = [0, 1, 2].map(|at| now[at].saturating_sub(before[at]));
    nodes < 200 && listeners < 200 && bytes < 100 * 1024
}

async fn surveys_that_leave_too_early_or_lie_over_the_page_leave_nothing_behind(
    engine: Engine,
) -> Result<()> {
    let mut stage = Stage::new().await?;
    let browser = Browser::open(engine, 1280, 800).await?;
    let visitor = browser.visit(&stage.pages.at("counting/nl/checkout")).await?;
    visitor.until("window.afterword && afterword.open").await?;
    let settled = async || {
        visitor.until("counts().timers === 0").await?;
        browser
            .run("const { elements, listeners, timers } = counts(); return { elements, listeners, timers }")
            .await
    };
    // Once for what is made once, then again.
    let mut before = json!(null);
    for _ in 0..2 {
        for mode in ["popover", "modal", "tab", "none", "inline"] {
            let early = "const done = arguments[arguments.length - 1];
                const soon = [0, 1, 5, 20, 60, 150];
                Promise.all(soon.map(time => new Promise(next => {
                    const element = document.createElement('afterword-survey');
                    for (const [name, value] of [['survey', 'checkout'], ['mode', 'MODE'], ['scroll', '0'],
                        ['exit', ''], ['click', 'b'], ['event', 'e'], ['pages', '/*'], ['dismissed', '0']])
                        element.setAttribute(name, value);
                    document.body.append(element);
                    setTimeout(() => (element.remove(), next()), time);
                }))).then(() => done(''), error => done(String(error)))";
            let failed = browser.run_async(&early.replace("MODE", mode)).await?;
            ensure!(failed == "", "{failed}");
            browser.run("afterword.open('checkout')").await?;
            visitor.asked("recommend").await?;
            browser.run("afterword.close('checkout')").await?;
            visitor.until("!part('frame')").await?;
            browser.run("afterword.destroy('checkout')").await?;
        }
        let now = settled().await?;
        ensure!(before.is_null() || now == before, "{before}\n{now}");
        before = now;
    }
    // One that waits for the server, too, once that is back.
    browser.run("afterword.open('checkout')").await?;
    answer_in_vain(&mut stage, &visitor).await?;
    browser.run("afterword.destroy('checkout')").await?;
    stage.start().await?;
    stage.delivered(1).await?;
    visitor.until("!Object.keys(localStorage).some(key => key.startsWith('afterword:outbox'))").await?;
    let now = settled().await?;
    ensure!(now == before, "{before}\n{now}");
    browser.close().await
}

async fn without_storage_a_survey_is_answered_all_the_same(engine: Engine) -> Result<()> {
    let stage = Stage::new().await?;
    let browser = Browser::open(engine, 1280, 800).await?;
    let blocked = "for (const name of ['localStorage', 'sessionStorage'])
        Object.defineProperty(window, name, { get() { throw new DOMException('no', 'SecurityError'); } });";
    let full = "Storage.prototype.setItem = () => { throw new DOMException('full', 'QuotaExceededError'); }";
    for (answers, storage) in [(1, blocked), (2, full)] {
        let attributes =
            [("data-mode", "popover"), ("data-sample", "99.999"), ("data-shown", "1h"), ("data-event", "go")];
        let visitor = browser.visit(&page(&stage, &attributes)?).await?;
        visitor.until("host && host.shown").await?;
        browser.run(storage).await?;
        browser.run("document.dispatchEvent(new Event('go'))").await?;
        answer_checkout(&visitor).await?;
        visitor.state("thanked").await?;
        visitor.until("part('close').click() || true").await?;
        visitor.until("!part('frame')").await?;
        stage.delivered(answers).await?;
        // The page itself still knows that it was shown and answered.
        visitor.until("(host.replaceWith(host.cloneNode()), fetched.length = 0, true)").await?;
        visitor.until("host.shown && document.dispatchEvent(new Event('go'))").await?;
        ensure!(!asks_for_a_survey(&browser).await?, "it was answered on this page");
        let wrong = visitor.look("said.filter(([level]) => level === 'error')").await?;
        ensure!(wrong == json!([]), "{wrong}");
    }
    ensure!(stage.at_rest().await?.len() == 2);
    browser.close().await
}

async fn in_a_frame_of_another_site_a_survey_is_answered(engine: Engine) -> Result<()> {
    let stage = Stage::new().await?;
    let browser = Browser::open(engine, 1280, 800).await?;
    for mode in ["inline", "modal"] {
        let outer = stage.pages.at(&format!("framing/strict/nl/checkout?data-answered=0&data-mode={mode}"));
        browser.visit(&outer.edit("127.0.0.1", "localhost")).await?;
        let visitor = browser.enter_frame().await?;
        start_checkout(&visitor).await?;
        visitor.forward().await?;
        finish_checkout(&visitor).await?;
    }
    stage.delivered(2).await?;
    ensure!(stage.at_rest().await?.len() == 2);
    browser.close().await
}

async fn in_a_frame_that_forbids_forms_a_survey_is_answered(engine: Engine) -> Result<()> {
    let stage = Stage::new().await?;
    let browser = Browser::open(engine, 1280, 800).await?;
    browser.visit(&stage.pages.at("sandboxed/nl/checkout")).await?;
    let visitor = browser.enter_frame().await?;
    visitor.asked("recommend").await?;
    visitor.choose(&[3]).await?;
    // A key goes on as well as a tap.
    visitor.until("root.querySelector('input:checked').focus() || root.activeElement").await?;
    visitor.keys(ENTER).await?;
    visitor.asked("why").await?;
    visitor.forward().await?;
    finish_checkout(&visitor).await?;
    stage.delivered(1).await?;
    ensure!(stage.at_rest().await?.len() == 1);
    let wrong = visitor.look("said.filter(([level]) => level === 'error')").await?;
    ensure!(wrong == json!([]), "{wrong}");
    browser.close().await
}
