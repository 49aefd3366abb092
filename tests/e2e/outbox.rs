//! What waits in the visitor's browser goes out from any page, and stays until the server has it.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Context as _, Result, ensure};
use serde_json::{Value, json};
use tests::{Browser, Edit as _, Engine, QUICK, Stage};
use uuid::Uuid;

use crate::embed::page;
use crate::submission;
use crate::visitor::{answer_checkout, answer_in_vain};

tests::in_every_engine! {
    a_reply_ends_the_wait_only_if_the_server_has_the_answers_or_never_takes_them
    what_a_service_worker_makes_up_while_the_server_is_away_thanks_nobody
    a_busy_server_is_asked_again_when_it_wishes_and_not_before
    a_survey_that_leaves_the_page_is_sent_all_the_same
    what_the_device_does_not_keep_is_sent_even_when_its_survey_has_left_the_page
    what_was_answered_last_is_sent_even_if_the_page_takes_the_survey_away_at_once
    what_waits_in_an_overlay_goes_out_after_it_was_closed
    what_waits_goes_out_when_the_net_returns
    what_waits_for_one_of_two_servers_goes_to_that
    what_two_tabs_send_at_once_is_stored_once
    what_waits_stays_until_the_visitor_has_consented
}

/// Keeps a submission as the widget would.
pub(crate) fn kept_by_a_page(stage: &Stage, submission: &Value) -> String {
    let entry = json!({ "survey": "checkout", "origin": stage.server, "body": submission.to_string() });
    let id = &submission["submission"];
    format!(
        "localStorage.setItem('afterword:outbox:' + {id}, JSON.stringify({{ ...{entry}, at: Date.now() }}))"
    )
}

/// Sends what waits, with a server that replies as `script` says: `replies` holds what `fetch` gives, `taken` for what
/// the server says once it has a submission, `all` the elements of a survey, and `later` every wait in milliseconds.
async fn flushed(browser: &Browser, stage: &Stage, script: &str) -> Result<Value> {
    let script = format!(
        "const done = arguments[arguments.length - 1], server = '{}';
        const wait = setTimeout, later = [], asked = [];
        let replies = [], all = () => [];
        window.setTimeout = (run, time) => (later.push(time), 0);
        window.fetch = async url => {{
            asked.push(url);
            const reply = replies.shift();
            if (!reply) throw new TypeError('away');
            const {{ body = null, ...head }} = reply === 'taken'
                ? {{ status: 202, body: JSON.stringify({{ submission: url.split('/').at(-2) }}) }} : reply;
            return new Response(body, head);
        }};
        const put = (id, origin = server) => localStorage.setItem('afterword:outbox:' + id,
            JSON.stringify({{ survey: id, origin, at: Date.now(), body: '{{}}' }}));
        const left = () => Object.keys(localStorage).map(key => key.slice(17)).sort().join();
        import(server + '/a/latest/outbox.js').then(async outbox => {{
            const flush = () => outbox.flush(server, survey => all(survey));
            {script}
        }}).then(done, error => done(String(error)));",
        stage.server
    );
    browser.run_async(&script).await
}

async fn a_reply_ends_the_wait_only_if_the_server_has_the_answers_or_never_takes_them(
    engine: Engine,
) -> Result<()> {
    let stage = Stage::new().await?;
    let browser = Browser::open(engine, 390, 844).await?;
    browser.visit(&page(&stage, &[("data-mode", "none")])?).await?;
    let verdicts: Value = serde_json::from_str(include_str!("../../widget/verdicts.json"))?;
    let script = "const { submission, ...verdicts } = VERDICTS, wrong = [], stays = [];
        const told = [];
        let tried = 0;
        console.error = text => told.push(text);
        for (const [verdict, groups] of Object.entries(verdicts))
            for (const { statuses, body } of groups) for (const status of statuses) {
                put(submission);
                replies = [{ status, body }];
                await flush();
                const kept = localStorage.getItem('afterword:outbox:' + submission);
                const found = told.length ? 'refused' : kept ? 'later' : 'durable';
                if (found !== verdict) wrong.push([status, body, found]);
                if (kept && verdict !== 'later') stays.push(status);
                tried += 1;
                told.length = 0;
                localStorage.clear();
            }
        return [wrong, stays, tried];";
    let found = flushed(&browser, &stage, &script.replace("VERDICTS", &verdicts.to_string())).await?;
    // What is refused for what is in it stays as well: the survey may be mended.
    ensure!(found[0] == json!([]) && found[1] == json!([422]), "{found}");
    ensure!(found[2].as_u64().is_some_and(|tried| tried > 50), "{found}");
    said_by_the_server(&stage, &verdicts).await?;
    browser.close().await
}

/// Checks that what ends the wait as a problem is what the server's description has under the same status.
async fn said_by_the_server(stage: &Stage, verdicts: &Value) -> Result<()> {
    let description: Value =
        serde_json::from_str(&stage.get(&format!("{}/v1/openapi.json", stage.server)).await?)?;
    let mut ending = BTreeMap::<String, BTreeSet<String>>::new();
    let groups = ["durable", "refused"].iter().filter_map(|verdict| verdicts[verdict].as_array()).flatten();
    for group in groups {
        let said: Value = serde_json::from_str(group["body"].as_str().context("no body")?)?;
        let (Some(code), Some(statuses)) = (said["code"].as_str(), group["statuses"].as_array()) else {
            continue;
        };
        for status in statuses {
            ending.entry(status.to_string()).or_default().insert(code.to_owned());
        }
    }
    let replies = &description["paths"]["/v1/surveys/{survey}/answers"]["post"]["responses"];
    for (status, codes) in &ending {
        let parts = &replies[status]["content"]["application/problem+json"]["schema"]["allOf"];
        let told = parts[1]["properties"]["code"]["enum"].as_array().into_iter().flatten();
        let told: BTreeSet<_> = told.filter_map(Value::as_str).map(str::to_owned).collect();
        ensure!(*codes == told, "{status}: the server says {told:?}, what ends the wait is {codes:?}");
    }
    ensure!(ending.keys().eq(["400", "409", "413", "415", "422"]), "{ending:?}");
    Ok(())
}

async fn what_a_service_worker_makes_up_while_the_server_is_away_thanks_nobody(engine: Engine) -> Result<()> {
    let mut stage = Stage::new().await?;
    let browser = Browser::open(engine, 390, 844).await?;
    // What many a page has, so as to have something to show without a net.
    let worker = "addEventListener('install', () => skipWaiting());
        addEventListener('activate', event => event.waitUntil(clients.claim()));
        addEventListener('fetch', event =>
            event.respondWith(fetch(event.request).catch(() => new Response('Offline'))));";
    stage.pages.put_file("worker.js", worker.to_owned());
    let tag = format!(
        "<script async src=\"{}/widget.js?survey=checkout\" data-meta-pieces=\"3\"></script>",
        stage.server
    );
    stage.pages.put("offline", "", &tag);
    let address = stage.pages.at("own/offline");
    browser.visit(&address).await?;
    let register = "const done = arguments[arguments.length - 1];
        navigator.serviceWorker.register('worker.js').then(() => navigator.serviceWorker.ready)
            .then(() => done('ready'), error => done(String(error)));";
    let registered = browser.run_async(register).await?;
    ensure!(registered == "ready", "{registered}");
    let visitor = browser.visit(&address).await?;
    visitor.until("navigator.serviceWorker.controller && true").await?;
    answer_in_vain(&mut stage, &visitor).await?;
    let asks = "const done = arguments[arguments.length - 1];
        fetch('SERVER/v1/surveys/checkout').then(reply => reply.text()).then(done, error => done(String(error)));";
    let said = browser.run_async(&asks.replace("SERVER", &stage.server)).await?;
    ensure!(said == "Offline", "{said}");
    let left = "Object.keys(localStorage).filter(key => key.startsWith('afterword:outbox:')).length";
    ensure!(visitor.look(left).await? == json!(1));
    ensure!(stage.sandbox.counts().arrived == 0);
    stage.start().await?;
    stage.delivered(1).await?;
    visitor.state("thanked").await?;
    ensure!(visitor.look(left).await? == json!(0));
    ensure!(stage.at_rest().await?.len() == 1);
    browser.close().await
}

async fn a_busy_server_is_asked_again_when_it_wishes_and_not_before(engine: Engine) -> Result<()> {
    let stage = Stage::new().await?;
    let browser = Browser::open(engine, 390, 844).await?;
    browser.visit(&page(&stage, &[("data-mode", "none")])?).await?;
    let script = "const found = [];
        const note = () => found.push([asked.splice(0).length, left(), later.splice(0)]);
        put('a'); put('b');
        replies = [{ status: 503, headers: { 'retry-after': '40' } }];
        await flush(); note();
        // One survey's trouble is its own, also where no reply comes at all.
        await flush(); note();
        replies = [{ status: 404 }, { status: 404 }];
        await flush(); note();
        // What is shown sends its own.
        all = () => [{ shown: { open: true } }];
        await flush(); note();
        all = () => [{ shown: null }];
        replies = ['taken', 'taken'];
        // One at a time, however often it is asked.
        await Promise.all([flush(), flush(), flush()]); note();
        return found;";
    let found = flushed(&browser, &stage, script).await?;
    let found = found.as_array().with_context(|| found.to_string())?;
    for (at, asked, left, wait) in
        [(0, 1, "a,b", 40.25e3..=40.5e3), (1, 2, "a,b", 2e3..=4e3), (2, 2, "a,b", 4e3..=8e3)]
    {
        ensure!(found[at][0] == asked && found[at][1] == left, "{at}: {found:?}");
        let waits = found[at][2].as_array().context("no list")?;
        ensure!(waits.len() == 1 && wait.contains(&waits[0].as_f64().unwrap_or_default()), "{found:?}");
    }
    ensure!(found[3] == json!([0, "a,b", []]), "{found:?}");
    ensure!(found[4] == json!([2, "", []]), "{found:?}");
    browser.close().await
}

async fn a_survey_that_leaves_the_page_is_sent_all_the_same(engine: Engine) -> Result<()> {
    let mut stage = Stage::new().await?;
    let browser = Browser::open(engine, 390, 844).await?;
    let visitor = browser.visit(&stage.pages.at("nl/checkout")).await?;
    answer_in_vain(&mut stage, &visitor).await?;
    visitor.until("host.remove() || true").await?;
    stage.start().await?;
    stage.delivered(1).await?;
    visitor.until("localStorage.length === 0").await?;
    ensure!(stage.at_rest().await?.len() == 1);
    browser.close().await
}

async fn what_the_device_does_not_keep_is_sent_even_when_its_survey_has_left_the_page(
    engine: Engine,
) -> Result<()> {
    let mut stage = Stage::new().await?;
    let browser = Browser::open(engine, 390, 844).await?;
    let visitor = browser.visit(&stage.pages.at("nl/checkout")).await?;
    let full = "Storage.prototype.setItem = () => { throw new DOMException('full', 'QuotaExceededError'); }";
    browser.run(full).await?;
    answer_in_vain(&mut stage, &visitor).await?;
    let note = visitor.look("part('status').innerText").await?;
    ensure!(note.as_str().is_some_and(|note| note.contains("Laat deze pagina open")), "{note}");
    ensure!(visitor.look("localStorage.length").await? == json!(0));
    visitor.until("host.remove() || true").await?;
    stage.start().await?;
    stage.delivered(1).await?;
    ensure!(stage.at_rest().await?.len() == 1);
    browser.close().await
}

async fn what_was_answered_last_is_sent_even_if_the_page_takes_the_survey_away_at_once(
    engine: Engine,
) -> Result<()> {
    let stage = Stage::new().await?;
    let browser = Browser::open(engine, 1280, 800).await?;
    let popover = [("data-mode", "popover"), ("data-answered", "0"), ("data-dismissed", "0")];
    for (delivered, takes) in [(1, "close()"), (2, "destroy()"), (3, "setLanguage('fr')")] {
        let visitor = browser.visit(&page(&stage, &popover)?).await?;
        visitor.asked("recommend").await?;
        let listen =
            "afterword.on('answered', ({ detail }) => detail.question === 'again' && afterword.TAKES)";
        browser.run(&listen.replace("TAKES", takes)).await?;
        answer_checkout(&visitor).await?;
        stage.delivered(delivered).await?;
        visitor.until("!Object.keys(localStorage).some(key => key.startsWith('afterword:outbox'))").await?;
    }
    ensure!(stage.at_rest().await?.len() == 3);
    browser.close().await
}

async fn what_waits_in_an_overlay_goes_out_after_it_was_closed(engine: Engine) -> Result<()> {
    let mut stage = Stage::new().await?;
    let browser = Browser::open(engine, 1280, 800).await?;
    let visitor = browser.visit(&page(&stage, &[("data-mode", "popover")])?).await?;
    answer_in_vain(&mut stage, &visitor).await?;
    browser.run("afterword.close()").await?;
    visitor.until("!part('frame')").await?;
    stage.start().await?;
    stage.delivered(1).await?;
    ensure!(stage.at_rest().await?.len() == 1);
    browser.close().await
}

async fn what_waits_goes_out_when_the_net_returns(engine: Engine) -> Result<()> {
    let stage = Stage::new().await?;
    let browser = Browser::open(engine, 390, 844).await?;
    let visitor = browser.visit(&page(&stage, &[("data-mode", "none")])?).await?;
    visitor.until("window.afterword && afterword.open && true").await?;
    browser.run(&kept_by_a_page(&stage, &submission(Uuid::new_v4(), 9))).await?;
    browser.run("dispatchEvent(new Event('online'))").await?;
    stage.delivered(1).await?;
    visitor.until("localStorage.length === 0").await?;
    browser.close().await
}

async fn what_waits_for_one_of_two_servers_goes_to_that(engine: Engine) -> Result<()> {
    let one = Stage::new().await?;
    let shop = one.pages.origin.clone();
    let both = |config: String| config.edit("origins = [\"", &format!("origins = [\"{shop}\", \""));
    let other = Stage::with(QUICK, both).await?;
    let tag = |stage: &Stage, survey: &str| {
        format!(
            "<script async src=\"{}/widget.js?survey={survey}\" data-mode=\"none\"></script>",
            stage.server
        )
    };
    one.pages.put("two", "", &[tag(&one, "checkout"), tag(&other, "delivery")].concat());
    let browser = Browser::open(engine, 390, 844).await?;
    let visitor = browser.visit(&one.pages.at("own/two")).await?;
    visitor.until("document.querySelectorAll('afterword-survey').length === 2").await?;
    for stage in [&one, &other] {
        browser.run(&kept_by_a_page(stage, &submission(Uuid::new_v4(), 9))).await?;
    }
    browser.run("dispatchEvent(new Event('online'))").await?;
    for stage in [&one, &other] {
        stage.delivered(1).await?;
    }
    visitor.until("localStorage.length === 0").await?;
    browser.close().await
}

async fn what_two_tabs_send_at_once_is_stored_once(engine: Engine) -> Result<()> {
    let stage = Stage::new().await?;
    let browser = Browser::open(engine, 390, 844).await?;
    // The loader itself sends nothing.
    let attributes = [("data-mode", "none"), ("data-consent", "wait")];
    let visitor = browser.visit(&page(&stage, &attributes)?).await?;
    browser.run(&kept_by_a_page(&stage, &submission(Uuid::new_v4(), 9))).await?;
    // Two modules know as little of each other as two tabs do.
    let both = "const done = arguments[arguments.length - 1], server = 'SERVER', none = () => [];
        Promise.all(['one', 'two'].map(build => import(`${server}/a/${build}/outbox.js`)))
            .then(modules => Promise.all(modules.map(module => module.flush(server, none))))
            .then(() => done(fetched.filter(url => url.endsWith('/answers')).length), error => done(String(error)))";
    let posts = browser.run_async(&both.replace("SERVER", &stage.server)).await?;
    ensure!(posts == 2, "{posts}");
    stage.delivered(1).await?;
    ensure!(visitor.look("localStorage.length").await? == json!(0));
    ensure!(stage.at_rest().await?.len() == 1);
    browser.close().await
}

async fn what_waits_stays_until_the_visitor_has_consented(engine: Engine) -> Result<()> {
    let stage = Stage::new().await?;
    let browser = Browser::open(engine, 390, 844).await?;
    let visitor = browser.visit(&page(&stage, &[("data-mode", "none"), ("data-consent", "wait")])?).await?;
    visitor.until("host && afterword.consent && true").await?;
    browser.run(&kept_by_a_page(&stage, &submission(Uuid::new_v4(), 9))).await?;
    browser.run("dispatchEvent(new Event('online'))").await?;
    let asked = "performance.getEntriesByType('resource').some(entry => entry.name.endsWith('/outbox.js'))";
    ensure!(visitor.look(asked).await? == json!(false));
    ensure!(visitor.look("localStorage.length").await? == json!(1));
    visitor.until("afterword.consent() || true").await?;
    stage.delivered(1).await?;
    browser.close().await
}
