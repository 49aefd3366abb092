//! How a survey appears on a page, when, to whom, and how often; and what the page can tell it.

use anyhow::{Context as _, Result, ensure};
use serde_json::{Value, json};
use tests::keys::ESCAPE;
use tests::{Browser, Edit as _, Engine, QUICK, Stage};

use crate::visitor::finish_checkout;

tests::in_every_engine! {
    a_popover_takes_no_focus_and_is_not_shown_again_once_dismissed
    a_tab_is_a_button_in_the_visitors_language_that_opens_a_card
    each_trigger_makes_a_survey_due_and_nothing_before_it
    who_is_not_in_the_sample_or_on_another_device_is_not_asked
    before_consent_nothing_is_stored_loaded_or_shown
    only_one_overlay_is_shown_at_a_time
    the_page_tells_who_answers_and_hears_what_happens
    a_loader_without_rules_gets_them_with_the_definition
}

/// What `[survey.show]` has in these tests goes before the survey's metadata.
pub(crate) fn showing(rules: &str) -> impl FnOnce(String) -> String {
    move |config| {
        config.edit_first("[survey.metadata]", &format!("[survey.show]\n{rules}\n[survey.metadata]"))
    }
}

/// The address of the long page whose tag has these attributes.
pub(crate) fn page(stage: &Stage, attributes: &[(&str, &str)]) -> Result<String> {
    let url = url::Url::parse_with_params(&stage.pages.at("long/nl/checkout"), attributes)?;
    Ok(url.to_string())
}

/// Whether a survey was asked for by now; to be called where that is decided without a wait.
///
/// The pages write down what is fetched. What the loader does "at once" comes before a timer that is set
/// after it, and the lock that an overlay takes before one that is asked for after it.
pub(crate) async fn asks_for_a_survey(browser: &Browser) -> Result<bool> {
    let script = "const done = arguments[arguments.length - 1];
        const locked = () => navigator.locks ? navigator.locks.query() : null;
        const turn = () => new Promise(next => setTimeout(next));
        afterword.ready.then(turn).then(locked).then(turn)
            .then(() => done(fetched.some(address => address.includes('?lang='))));";
    browser.run_async(script).await?.as_bool().context("no yes or no")
}

async fn a_popover_takes_no_focus_and_is_not_shown_again_once_dismissed(engine: Engine) -> Result<()> {
    let stage = Stage::with(QUICK, showing("mode = \"popover\"")).await?;
    let browser = Browser::open(engine, 1280, 800).await?;
    let address = page(&stage, &[])?;
    let visitor = browser.visit(&address).await?;
    visitor.until("document.querySelector('#own').focus() || true").await?;
    visitor.asked("recommend").await?;
    ensure!(visitor.look("document.activeElement.id").await? == "own");
    visitor.picture("popover").await?;
    // Once it has slid in.
    let corner = "(box => [document.documentElement.clientWidth - box.right, innerHeight - box.bottom])\
                  (part('frame').getBoundingClientRect())";
    visitor.until(&format!("({corner}).every(gap => Math.abs(gap - 16) < 0.5)")).await?;
    ensure!(visitor.look("part('frame').matches(':popover-open')").await? == json!(true), "in the top layer");
    let found = browser.axe().await?;
    ensure!(found.is_empty(), "{found:#?}");
    visitor.until("part('close').click() || true").await?;
    visitor.until("!part('frame')").await?;
    let closed = visitor.look("heard.find(([name]) => name == 'closed')").await?;
    ensure!(closed == json!(["closed", { "survey": "checkout", "answered": false }]), "{closed}");
    browser.visit(&address).await?;
    ensure!(!asks_for_a_survey(&browser).await?, "it was dismissed");
    // The page may still open it.
    let visitor = browser.visit(&address).await?;
    visitor.until("window.afterword && afterword.open && (afterword.open('checkout'), true)").await?;
    visitor.asked("recommend").await?;
    browser.close().await
}

async fn a_tab_is_a_button_in_the_visitors_language_that_opens_a_card(engine: Engine) -> Result<()> {
    let labels = "mode = \"tab\"\nlabel = { nl = \"Uw mening\", fr = \"Votre avis\", en = \"Feedback\", ar = \"رأيك\" }";
    let stage = Stage::with(QUICK, showing(labels)).await?;
    let browser = Browser::open(engine, 1280, 800).await?;
    let visitor = browser.visit(&page(&stage, &[])?).await?;
    visitor.until("seen(part('tab')) && part('tab').textContent === 'Uw mening'").await?;
    let requests = visitor
        .look("performance.getEntriesByType('resource').filter(entry => entry.name.endsWith('.wasm')).length")
        .await?;
    ensure!(requests == 0, "the button needs no WebAssembly");
    browser.picture("tab").await?;
    let inside = "((words, tab) => words.left >= tab.left && words.right <= tab.right && words.height > words.width)\
                  (part('tab').firstElementChild.getBoundingClientRect(), part('tab').getBoundingClientRect())";
    ensure!(visitor.look(inside).await? == json!(true), "its words run downwards, within it");
    let found = browser.axe().await?;
    ensure!(found.is_empty(), "{found:#?}");
    visitor.until("part('tab').focus() || part('tab').click() || true").await?;
    visitor.asked("recommend").await?;
    ensure!(visitor.look("root.activeElement === part('frame') && !part('tab')").await? == json!(true));
    visitor.keys(ESCAPE).await?;
    visitor.until("!part('frame') && seen(part('tab'))").await?;
    browser.close().await
}

async fn each_trigger_makes_a_survey_due_and_nothing_before_it(engine: Engine) -> Result<()> {
    let stage = Stage::new().await?;
    let browser = Browser::open(engine, 1280, 800).await?;
    let leave =
        "document.documentElement.dispatchEvent(new MouseEvent('mouseleave', { clientY: -1 })) || true";
    for (attribute, value, action) in [
        ("data-scroll", "50", "scrollTo(0, 2500) || true"),
        ("data-exit", "", leave),
        ("data-click", "#own", "document.querySelector('#own').click() || true"),
        ("data-event", "order:placed", "document.dispatchEvent(new Event('order:placed'))"),
        ("data-after", "0.1", "true"),
    ] {
        let attributes = [("data-mode", "popover"), (attribute, value), ("data-dismissed", "0")];
        let visitor = browser.visit(&page(&stage, &attributes)?).await?;
        visitor.until("host && host.shown").await?;
        if attribute != "data-after" {
            ensure!(!asks_for_a_survey(&browser).await?, "{attribute}");
        }
        visitor.until(action).await?;
        visitor.asked("recommend").await.with_context(|| attribute.to_owned())?;
    }
    browser.close().await
}

async fn who_is_not_in_the_sample_or_on_another_device_is_not_asked(engine: Engine) -> Result<()> {
    let stage = Stage::new().await?;
    let browser = Browser::open(engine, 1280, 800).await?;
    for (attribute, not, yes) in
        [("data-sample", "0", "100"), ("data-devices", "phone tablet", "phone desktop")]
    {
        browser.visit(&page(&stage, &[("data-mode", "popover"), (attribute, not)])?).await?;
        ensure!(!asks_for_a_survey(&browser).await?, "{attribute}={not}");
        let visitor = browser.visit(&page(&stage, &[("data-mode", "popover"), (attribute, yes)])?).await?;
        visitor.asked("recommend").await.with_context(|| format!("{attribute}={yes}"))?;
    }
    // Where only a share is asked, one browser is asked on each visit or on none.
    let url = page(&stage, &[("data-mode", "popover"), ("data-sample", "50")])?;
    let die = "JSON.parse(localStorage.getItem('afterword:seen:checkout')).die";
    let first = browser.visit(&url).await?.until(die).await?;
    for _ in 0..3 {
        let visitor = browser.visit(&url).await?;
        if first.as_f64().context("no number")? < 50.0 {
            visitor.asked("recommend").await?;
        } else {
            ensure!(!asks_for_a_survey(&browser).await?);
        }
        ensure!(visitor.look(die).await? == first);
    }
    browser.close().await
}

async fn before_consent_nothing_is_stored_loaded_or_shown(engine: Engine) -> Result<()> {
    let stage = Stage::new().await?;
    let browser = Browser::open(engine, 1280, 800).await?;
    let attributes = [("data-mode", "popover"), ("data-consent", "wait"), ("data-sample", "100")];
    let visitor = browser.visit(&page(&stage, &attributes)?).await?;
    visitor.until("host && afterword.consent").await?;
    ensure!(!asks_for_a_survey(&browser).await?);
    ensure!(visitor.look("localStorage.length").await? == 0);
    visitor.until("afterword.consent() || true").await?;
    visitor.asked("recommend").await?;
    browser.close().await
}

async fn only_one_overlay_is_shown_at_a_time(engine: Engine) -> Result<()> {
    let stage = Stage::new().await?;
    let browser = Browser::open(engine, 1280, 800).await?;
    let visitor = browser.visit(&page(&stage, &[("data-mode", "popover")])?).await?;
    visitor.asked("recommend").await?;
    let second = "document.body.insertAdjacentHTML('beforeend',
        '<afterword-survey survey=delivery mode=popover></afterword-survey>') || true";
    visitor.until(second).await?;
    let frames = "[...document.querySelectorAll('afterword-survey')].map(one => !!one.shadowRoot.querySelector('.frame'))";
    visitor.until("document.querySelectorAll('afterword-survey')[1].shown && true").await?;
    ensure!(asks_for_a_survey(&browser).await?);
    ensure!(visitor.look(frames).await? == json!([true, false]));
    // The page's own wish goes first.
    visitor.until("afterword.open('delivery') && true").await?;
    visitor.until(&format!("JSON.stringify({frames}) === '[false,true]'")).await?;
    // Then it keeps others out as any does; this one takes the place of the tag's own.
    let third = "fetched.length = 0, document.body.insertAdjacentHTML('beforeend',
        '<afterword-survey survey=checkout lang=fr mode=popover dismissed=0></afterword-survey>') || true";
    visitor.until(third).await?;
    let loaded = "performance.getEntriesByType('resource').some(entry => entry.name.endsWith('?lang=fr'))";
    visitor.until(loaded).await?;
    ensure!(asks_for_a_survey(&browser).await?);
    let seen = visitor.look(frames).await?;
    ensure!(seen == json!([true, false]), "{seen}");
    browser.close().await
}

async fn the_page_tells_who_answers_and_hears_what_happens(engine: Engine) -> Result<()> {
    let stage = Stage::new().await?;
    let browser = Browser::open(engine, 1280, 800).await?;
    let visitor = browser.visit(&page(&stage, &[("data-mode", "none")])?).await?;
    visitor.until("window.early && early.includes('open')").await?;
    ensure!(!asks_for_a_survey(&browser).await?);
    let told = "afterword.identify({ first_name: 'Jef', email: 'jef@example.com' }),
        afterword.setMetadata({ pieces: '8' }), afterword.setLanguage('fr'),
        afterword.on('submitted', window.listener = e => window.told = e.detail.survey),
        afterword.open('checkout').then(() => window.open = true), true";
    visitor.until(told).await?;
    visitor.asked("recommend").await?;
    ensure!(visitor.look("card.lang").await? == "fr");
    visitor.choose(&[10]).await?;
    visitor.forward().await?;
    finish_checkout(&visitor).await?;
    visitor.until("window.told === 'checkout'").await?;
    let arrivals = stage.delivered(1).await?;
    let body: Value = arrivals[0].json.as_deref().context("no JSON")?.clone();
    ensure!(body["metadata"]["number of pieces"] == "8", "{}", body["metadata"]);
    ensure!(body["respondent"]["FirstName"] == "Jef" && body["respondent"]["Email"] == "jef@example.com");
    visitor.until("afterword.destroy('checkout') || !document.querySelector('afterword-survey')").await?;
    browser.close().await
}

async fn a_loader_without_rules_gets_them_with_the_definition(engine: Engine) -> Result<()> {
    let rules = showing("mode = \"popover\"\nevent = \"later\"\nremember = false");
    let stage = Stage::with(QUICK, rules).await?;
    let browser = Browser::open(engine, 1280, 800).await?;
    // The pinned form as it is handed out, but for the server's address.
    let snippets = stage.process.command(&["embed", "--survey", "checkout"]).await?.stdout;
    let snippets = String::from_utf8(snippets)?;
    let between = |start: &str, end: &str| {
        let (_, rest) = snippets.split_once(start)?;
        rest.split_once(end).map(|(found, _)| found.to_owned())
    };
    let build = between("/a/", "/").context("no pinned loader")?;
    let integrity = between("integrity=\"", "\"").context("no digest")?;
    let pinned = format!("{}/a/{build}/widget.js", stage.server);
    // An upgraded server gives its own loader at an address that is long gone.
    let old = format!("{}/a/0123456789ab/widget.js", stage.server);
    let plain = format!("{}/widget.js", stage.server);
    for (address, integrity) in [(&plain, ""), (&pinned, integrity.as_str()), (&old, "")] {
        let url = stage.pages.at("loader/nl/checkout");
        let url = url::Url::parse_with_params(&url, [("src", address.as_str()), ("integrity", integrity)])?;
        let visitor = browser.visit(url.as_str()).await?;
        visitor.until("host && host.shown").await?;
        ensure!(visitor.look("!card && host.shown.open === undefined").await? == json!(true), "{address}");
        browser.run("document.dispatchEvent(new Event('later'))").await?;
        visitor.asked("recommend").await.with_context(|| address.clone())?;
        ensure!(visitor.look("part('frame').matches(':popover-open')").await? == json!(true), "{address}");
        ensure!(visitor.look("localStorage.length").await? == json!(0), "{address}");
    }
    // What is no longer the same is not run.
    let url = stage.pages.at("loader/nl/checkout");
    let wrong = "sha384-AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";
    let url = url::Url::parse_with_params(&url, [("src", pinned.as_str()), ("integrity", wrong)])?;
    let visitor = browser.visit(url.as_str()).await?;
    visitor.until("said.some(([, text]) => text.endsWith('does not load'))").await?;
    ensure!(visitor.look("!window.afterword && !root").await? == json!(true));
    browser.close().await
}
