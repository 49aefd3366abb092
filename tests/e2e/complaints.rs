//! What web teams complain about in such widgets, a test each, named after the complaint: none of it may happen.

use anyhow::{Context as _, Result, ensure};
use serde_json::json;
use tests::keys::{ENTER, ESCAPE, TAB};
use tests::{Browser, Engine, QUICK, Stage};

use crate::embed::{asks_for_a_survey, page, showing};
use crate::hostile::inject;
use crate::visitor::{
    answer_checkout, answer_in_vain, arrived, end_checkout, finish_checkout, start_checkout,
};

tests::in_every_engine! {
    shown_again_after_answering_or_in_a_second_tab
    a_retry_after_a_time_out_makes_a_duplicate
    answers_lost_when_the_net_drops
    answers_lost_when_the_page_closes
    blocked_by_a_content_security_policy
    css_leaks_in_or_out_or_fights_for_the_top
    a_corner_survey_steals_focus_or_keystrokes
    a_dialog_leaves_the_focus_behind_or_loses_it_on_close
    what_closes_scrolls_the_page_away
    a_text_that_is_selected_or_a_key_closes_more_than_it_should
    who_sends_by_keyboard_stands_before_the_page
    too_heavy_before_a_survey_is_due
    a_phone_zooms_into_the_text_field
    no_dark_mode_and_no_right_to_left
    a_delayed_survey_pops_up_after_the_visitor_navigated
    ad_blockers_hide_it
    progress_lost_on_reload
    personal_data_in_addresses
    events_carry_the_words_of_an_answer
}

/// Every address that was asked for; Chromium lists what may outlive its page late.
const ASKED: &str =
    "[...new Set(performance.getEntriesByType('resource').map(entry => entry.name).concat(fetched))]";

/// Writes down every computed style of every element that is there, `before` a survey.
const BEFORE: &str = "const style = element => {
        const all = getComputedStyle(element);
        return [...all].map(name => [name, all.getPropertyValue(name)]);
    };
    window.before = [...document.querySelectorAll('*')].map(element => [element, style(element)]);
    window.changed = () => {
        const names = new Set();
        for (const [element, styles] of before) {
            const now = getComputedStyle(element);
            for (const [name, value] of styles)
                if (now.getPropertyValue(name) !== value) names.add(element.tagName + ' ' + name);
        }
        return [...names].sort().join();
    };
    return before.length";

async fn shown_again_after_answering_or_in_a_second_tab(engine: Engine) -> Result<()> {
    let stage = Stage::with(QUICK, showing("mode = \"modal\"")).await?;
    let browser = Browser::open(engine, 390, 844).await?;
    let address = page(&stage, &[])?;
    let visitor = browser.visit(&address).await?;
    visitor.asked("recommend").await?;
    visitor.picture("modal-phone").await?;
    visitor.choose(&[9]).await?;
    visitor.forward().await?;
    finish_checkout(&visitor).await?;
    visitor.picture("modal-thanks").await?;
    visitor.keys(ESCAPE).await?;
    visitor.until("!part('frame')").await?;
    let closed = visitor.look("heard.at(-1)").await?;
    ensure!(closed == json!(["closed", { "survey": "checkout", "answered": true }]), "{closed}");
    browser.another_tab().await?;
    browser.visit(&address).await?;
    ensure!(!asks_for_a_survey(&browser).await?, "it was answered");
    browser.close().await
}

async fn a_retry_after_a_time_out_makes_a_duplicate(engine: Engine) -> Result<()> {
    let stage = Stage::new().await?;
    let browser = Browser::open(engine, 390, 844).await?;
    let visitor = browser.visit(&page(&stage, &[("data-after", "0")])?).await?;
    visitor.asked("recommend").await?;
    // The server has it, and the page never hears so.
    let lose = "const send = fetch;
        window.replies = [];
        window.fetch = async (...wanted) => {
            const reply = await send(...wanted);
            replies.push(reply.status);
            if (replies.length === 1) throw new TypeError('cut');
            return reply;
        };";
    browser.run(lose).await?;
    answer_checkout(&visitor).await?;
    visitor.state("thanked").await?;
    ensure!(visitor.look("replies").await? == json!([202, 202]));
    stage.delivered(1).await?;
    ensure!(stage.at_rest().await?.len() == 1);
    browser.close().await
}

async fn answers_lost_when_the_net_drops(engine: Engine) -> Result<()> {
    let mut stage = Stage::new().await?;
    let browser = Browser::open(engine, 390, 844).await?;
    let visitor = browser.visit(&stage.pages.at("nl/checkout")).await?;
    // It is the next page that sends.
    visitor.sends_once().await?;
    answer_in_vain(&mut stage, &visitor).await?;
    ensure!(visitor.look("part('thanks') === null").await? == json!(true), "no thanks before it is durable");
    visitor.picture("kept").await?;
    ensure!(stage.sandbox.counts().arrived == 0);
    stage.start().await?;
    visitor.reload().await?;
    visitor.state("thanked").await?;
    arrived(&stage).await?;
    ensure!(stage.sandbox.counts().stored == 1);
    let left = "Object.keys(localStorage).filter(key => key.startsWith('afterword:outbox:')).length";
    ensure!(browser.run(&format!("return {left}")).await? == json!(0), "the outbox is empty");
    browser.close().await
}

async fn answers_lost_when_the_page_closes(engine: Engine) -> Result<()> {
    let stage = Stage::new().await?;
    let browser = Browser::open(engine, 390, 844).await?;
    let visitor = browser.visit(&stage.pages.at("nl/checkout")).await?;
    start_checkout(&visitor).await?;
    visitor.forward().await?;
    end_checkout(&visitor).await?;
    // Nothing there sends what waits.
    stage.pages.put("left", "", "");
    visitor.until("(part('send').click(), location.assign('/own/left'), true)").await.ok();
    stage.delivered(1).await?;
    ensure!(stage.at_rest().await?.len() == 1);
    browser.close().await
}

async fn blocked_by_a_content_security_policy(engine: Engine) -> Result<()> {
    let stage = Stage::new().await?;
    let browser = Browser::open(engine, 1280, 800).await?;
    for mode in ["inline", "popover", "modal", "tab"] {
        let address = format!("strict/nl/checkout?data-answered=0&data-mode={mode}&data-label=Mening");
        let visitor = browser.visit(&stage.pages.at(&address)).await?;
        // Something waits that no survey shown here sends: the module for it is loaded as well.
        browser.run("localStorage.setItem('afterword:outbox:other', 'none')").await?;
        browser.run("dispatchEvent(new Event('online'))").await?;
        let asked =
            "performance.getEntriesByType('resource').some(entry => entry.name.endsWith('/outbox.js'))";
        if mode == "tab" {
            visitor.until("seen(part('tab')) && (part('tab').click(), true)").await?;
        }
        answer_checkout(&visitor).await?;
        visitor.until(asked).await?;
        visitor.state("thanked").await?;
        ensure!(browser.run("return window.crossOriginIsolated").await? == json!(true), "it is isolated");
        let console = browser.console().await?;
        // The page's own icon is refused by its own policy; nothing of ours may be in there.
        let ours: Vec<_> = console.iter().filter(|(_, message)| !message.contains("favicon.ico")).collect();
        ensure!(ours.is_empty(), "{mode}: {ours:?}");
        browser.without_surveys().await?;
    }
    // The policy is really there, where the engine knows it.
    let markup = "try { document.createElement('p').innerHTML = '<b>'; } catch { return 'refused'; }
        return window.trustedTypes ? 'taken' : 'unknown';";
    ensure!(browser.run(markup).await? != "taken");
    browser.close().await
}

async fn css_leaks_in_or_out_or_fights_for_the_top(engine: Engine) -> Result<()> {
    let stage = Stage::new().await?;
    let browser = Browser::open(engine, 1280, 800).await?;
    for mode in ["popover", "modal", "inline"] {
        let visitor = browser.visit(&stage.pages.at("hostile/nl/checkout")).await?;
        let elements = browser.run(BEFORE).await?;
        ensure!(elements.as_u64() > Some(8), "{elements}");
        browser.run(&inject(&stage, "/widget.js?survey=checkout", &json!({ "data-mode": mode }))).await?;
        visitor.asked("recommend").await?;
        ensure!(
            visitor.look("getComputedStyle(question).textTransform").await? == "none",
            "{mode}: leaks in"
        );
        let top = "(box => document.elementFromPoint(box.x + box.width / 2, box.y + 40) === host)\
                   (part('card').getBoundingClientRect())";
        if mode != "inline" {
            visitor.until(top).await?;
        }
        let changed = browser.run("return changed()").await?;
        let changed = changed.as_str().context("no list")?;
        // A column that has grown: the page, its body, and the layer that fills the page.
        let grown = ["HTML", "BODY", "DIV"];
        let sizes = ["height", "block-size", "perspective-origin", "transform-origin"];
        let beyond = |change: &&str| {
            let (element, property) = change.split_once(' ').unwrap_or_default();
            mode != "inline" || !grown.contains(&element) || !sizes.contains(&property)
        };
        let beyond: Vec<&str> =
            changed.split(',').filter(|change| !change.is_empty()).filter(beyond).collect();
        ensure!(beyond.is_empty(), "{mode}: {beyond:?}");
        ensure!(mode != "inline" || !changed.is_empty(), "a survey in its place takes no room");
        browser.without_surveys().await?;
    }
    browser.close().await
}

async fn a_corner_survey_steals_focus_or_keystrokes(engine: Engine) -> Result<()> {
    let stage = Stage::new().await?;
    let browser = Browser::open(engine, 1280, 800).await?;
    let visitor = browser.visit(&stage.pages.at("hostile/nl/checkout")).await?;
    browser.run("document.querySelector('#own').focus()").await?;
    let popover = json!({ "data-mode": "popover" });
    browser.run(&inject(&stage, "/widget.js?survey=checkout", &popover)).await?;
    visitor.asked("recommend").await?;
    ensure!(visitor.look("document.activeElement.id").await? == "own");
    start_checkout(&visitor).await?;
    visitor.write("hotkeys: a b c 1 2 3 / ?").await?;
    visitor.until("root.querySelector('textarea').value === 'hotkeys: a b c 1 2 3 / ?'").await?;
    ensure!(browser.run("return pressed").await? == json!(0), "the page took keys meant for the survey");
    // The page's own keys are its own.
    browser.run("document.querySelector('#own').focus()").await?;
    visitor.keys("abc").await?;
    visitor.until("pressed === 3").await?;
    browser.close().await
}

async fn a_dialog_leaves_the_focus_behind_or_loses_it_on_close(engine: Engine) -> Result<()> {
    let stage = Stage::new().await?;
    let browser = Browser::open(engine, 1280, 800).await?;
    let visitor = browser.visit(&page(&stage, &[("data-mode", "modal"), ("data-event", "never")])?).await?;
    visitor
        .until("afterword.open && (document.querySelector('#own').onclick = () => window.opened = afterword.open('checkout'), true)")
        .await?;
    visitor.until("document.querySelector('#own').focus() || true").await?;
    visitor.keys(ENTER).await?;
    visitor.asked("recommend").await?;
    visitor.until("document.activeElement === host && root.activeElement").await?;
    visitor.picture("modal").await?;
    let found = browser.axe().await?;
    ensure!(found.is_empty(), "{found:#?}");
    for _ in 0..8 {
        visitor.keys(TAB).await?;
        let outside = visitor
            .look("document.activeElement !== host && document.activeElement !== document.body")
            .await?;
        ensure!(outside == json!(false), "the page behind has the focus");
    }
    visitor.keys(ESCAPE).await?;
    visitor.until("!part('frame') && document.activeElement.id === 'own'").await?;
    let heard = visitor.look("heard.map(([name]) => name)").await?;
    ensure!(heard == json!(["ready", "shown", "closed"]), "{heard}");
    // The backdrop closes it too.
    visitor.keys(ENTER).await?;
    visitor.asked("recommend").await?;
    visitor.until("part('frame').click() || true").await?;
    visitor.until("!part('frame') && document.activeElement.id === 'own'").await?;
    browser.close().await
}

async fn what_closes_scrolls_the_page_away(engine: Engine) -> Result<()> {
    let stage = Stage::new().await?;
    let browser = Browser::open(engine, 1280, 800).await?;
    for mode in ["popover", "modal"] {
        let attributes = [("data-mode", mode), ("data-event", "go"), ("data-dismissed", "0")];
        let visitor = browser.visit(&page(&stage, &attributes)?).await?;
        visitor.until("host && host.shown && (document.querySelector('#own').focus(), true)").await?;
        visitor.until("scrollTo(0, 2000) || scrollY === 2000").await?;
        browser.run("document.dispatchEvent(new Event('go'))").await?;
        visitor.asked("recommend").await?;
        let radio = "root.querySelector('[type=radio]')";
        visitor.until(&format!("{radio}.focus({{ preventScroll: true }}) || root.activeElement")).await?;
        visitor.until("part('close').click() || true").await?;
        visitor.until("!part('frame') && document.activeElement.id === 'own'").await?;
        browser.drawn().await?;
        let scrolled = visitor.look("scrollY").await?;
        ensure!(scrolled == json!(2000), "{mode}: {scrolled}");
        browser.without_surveys().await?;
    }
    browser.close().await
}

async fn a_text_that_is_selected_or_a_key_closes_more_than_it_should(engine: Engine) -> Result<()> {
    let stage = Stage::new().await?;
    let browser = Browser::open(engine, 1280, 800).await?;
    let visitor = browser.visit(&page(&stage, &[("data-mode", "modal"), ("data-event", "never")])?).await?;
    visitor.until("window.afterword && afterword.open && (afterword.open('checkout'), true)").await?;
    start_checkout(&visitor).await?;
    // Pressed within, let go of beside the card: the click is the frame's.
    let press = |on: &str| {
        let event = "new PointerEvent('pointerdown', { bubbles: true })";
        format!("({on}.dispatchEvent({event}), part('frame').click(), true)")
    };
    visitor.look(&press("root.querySelector('textarea')")).await?;
    ensure!(visitor.look("!!part('frame')").await? == json!(true), "a selection closed it");
    visitor.look(&press("part('frame')")).await?;
    visitor.until("!part('frame')").await?;

    // The page has its own use for the key that closes a popover.
    let again = [("data-mode", "popover"), ("data-dismissed", "0")];
    let visitor = browser.visit(&page(&stage, &again)?).await?;
    let hear = "window.escapes = 0;
        document.addEventListener('keydown', event => { if (event.key === 'Escape') escapes += 1; })";
    browser.run(hear).await?;
    visitor.asked("why").await?;
    visitor.until("root.querySelector('textarea').focus() || root.activeElement").await?;
    visitor.keys(ESCAPE).await?;
    visitor.until("!part('frame')").await?;
    ensure!(visitor.look("window.escapes").await? == json!(0), "the page heard of it");
    let wrong = visitor.look("said.filter(([level]) => level === 'error')").await?;
    ensure!(wrong == json!([]), "{wrong}");
    browser.close().await
}

async fn who_sends_by_keyboard_stands_before_the_page(engine: Engine) -> Result<()> {
    let stage = Stage::new().await?;
    let browser = Browser::open(engine, 1280, 800).await?;
    let visitor = browser.visit(&stage.pages.at("nl/checkout")).await?;
    start_checkout(&visitor).await?;
    visitor.forward().await?;
    end_checkout(&visitor).await?;
    visitor.until("root.querySelectorAll('input')[1].focus() || root.activeElement.type === 'radio'").await?;
    visitor.keys(ENTER).await?;
    visitor.state("thanked").await?;
    visitor.until("root.activeElement && root.activeElement.part.contains('thanks')").await?;
    browser.close().await
}

async fn too_heavy_before_a_survey_is_due(engine: Engine) -> Result<()> {
    let stage = Stage::new().await?;
    let browser = Browser::open(engine, 1280, 800).await?;
    let visitor = browser.visit(&page(&stage, &[("data-mode", "popover"), ("data-event", "later")])?).await?;
    visitor.until("host && host.shown").await?;
    let requests = visitor.look("performance.getEntriesByType('resource').map(entry => entry.name).filter(name => !name.endsWith('favicon.ico'))").await?;
    let loader = format!("{}/widget.js?survey=checkout", stage.server);
    ensure!(requests == json!([loader]), "{requests}");
    ensure!(!asks_for_a_survey(&browser).await?);
    browser.close().await
}

async fn a_phone_zooms_into_the_text_field(engine: Engine) -> Result<()> {
    let stage = Stage::new().await?;
    let browser = Browser::open(engine, 390, 844).await?;
    let visitor = browser.visit(&stage.pages.at("nl/checkout")).await?;
    let small = "[...root.querySelectorAll('textarea, select, input:not([type=radio], [type=checkbox])')]
        .map(field => parseFloat(getComputedStyle(field).fontSize)).filter(size => size < 16)";
    start_checkout(&visitor).await?;
    ensure!(visitor.look("root.querySelectorAll('textarea').length").await? == json!(1));
    ensure!(visitor.look(small).await? == json!([]));
    browser.close().await
}

async fn no_dark_mode_and_no_right_to_left(engine: Engine) -> Result<()> {
    let stage = Stage::new().await?;
    // A dark card has light words, and the other way round.
    let dark = "(words => words.reduce((sum, part) => sum + part) > 382)
        (getComputedStyle(question).color.match(/[\\d.]+/g).slice(0, 3).map(part => part * 1))";
    for (system, theme, expected) in
        [(true, None, true), (false, None, false), (false, Some("dark"), true), (true, Some("light"), false)]
    {
        let browser = if system {
            Browser::open_in_the_dark(engine, 1280, 800).await?
        } else {
            Browser::open(engine, 1280, 800).await?
        };
        let theme: Vec<_> = theme.map(|theme| ("data-theme", theme)).into_iter().collect();
        let attributes = [&[("data-after", "0"), ("data-lang", "ar")][..], &theme].concat();
        let visitor = browser.visit(&page(&stage, &attributes)?).await?;
        visitor.asked("recommend").await?;
        ensure!(visitor.look(dark).await? == json!(expected), "{system} {theme:?}");
        ensure!(visitor.look("getComputedStyle(question).direction").await? == "rtl");
        browser.close().await?;
    }
    Ok(())
}

async fn a_delayed_survey_pops_up_after_the_visitor_navigated(engine: Engine) -> Result<()> {
    let stage = Stage::new().await?;
    let browser = Browser::open(engine, 1280, 800).await?;
    let attributes = [("data-mode", "popover"), ("data-pages", "/thanks /long/*"), ("data-event", "go")];
    let visitor = browser.visit(&page(&stage, &attributes)?).await?;
    visitor.until("host && host.shown").await?;
    visitor.until("history.pushState({}, '', '/basket') || document.dispatchEvent(new Event('go'))").await?;
    ensure!(!asks_for_a_survey(&browser).await?, "/basket is not among the pages");
    visitor.until("history.pushState({}, '', '/thanks/') || document.dispatchEvent(new Event('go'))").await?;
    visitor.asked("recommend").await?;
    browser.close().await
}

async fn ad_blockers_hide_it(engine: Engine) -> Result<()> {
    let stage = Stage::new().await?;
    let browser = Browser::open(engine, 1280, 800).await?;
    let visitor = browser.visit(&page(&stage, &[("data-mode", "popover")])?).await?;
    answer_checkout(&visitor).await?;
    visitor.state("thanked").await?;
    let asked: Vec<String> = serde_json::from_value(visitor.look(ASKED).await?)?;
    let ours: Vec<&str> = asked.iter().filter_map(|url| url.strip_prefix(&stage.server)).collect();
    // The loader, its files, the definition and the answers; all from one host, which may be the site's own.
    ensure!(ours.len() >= 6, "{asked:?}");
    let foreign = |url: &&String| !url.starts_with(&stage.server) && !url.starts_with(&stage.pages.origin);
    ensure!(asked.iter().find(foreign).is_none(), "{asked:?}");
    for word in
        ["track", "analytic", "telemetry", "beacon", "pixel", "collect", "event", "stat", "/ad", "log"]
    {
        ensure!(!ours.iter().any(|path| path.contains(word)), "{word}: {ours:?}");
    }
    browser.close().await
}

async fn progress_lost_on_reload(engine: Engine) -> Result<()> {
    let stage = Stage::new().await?;
    let browser = Browser::open(engine, 390, 844).await?;
    let visitor = browser.visit(&stage.pages.at("nl/checkout")).await?;
    start_checkout(&visitor).await?;
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
    finish_checkout(&visitor).await?;
    let arrivals = stage.delivered(1).await?;
    let body = arrivals.iter().find_map(|arrival| arrival.json.as_deref()).map(ToString::to_string);
    ensure!(body.as_ref().is_some_and(|body| body.contains(r#"De \"doos\" was stuk"#)), "{body:?}");
    visitor.reload().await?;
    visitor.asked("recommend").await?;
    let left = visitor.look("[sessionStorage.length, !!root.querySelector('input:checked')]").await?;
    ensure!(left == json!([0, false]), "{left}");
    ensure!(stage.at_rest().await?.len() == 1);
    browser.close().await
}

async fn personal_data_in_addresses(engine: Engine) -> Result<()> {
    let stage = Stage::new().await?;
    let browser = Browser::open(engine, 1280, 800).await?;
    let address = page(&stage, &[("data-after", "0"), ("data-meta-pieces", "pieces8")])?;
    let visitor = browser.visit(&format!("{address}&mail=visitor@example.com#secret")).await?;
    visitor.asked("recommend").await?;
    visitor.until("afterword.identify({ first_name: 'Jefke', email: 'jef@example.com' }) || true").await?;
    answer_checkout(&visitor).await?;
    visitor.state("thanked").await?;
    let asked: Vec<String> = serde_json::from_value(visitor.look(ASKED).await?)?;
    let asked = asked.into_iter().filter(|url| url.starts_with(&stage.server)).collect::<String>();
    ensure!(asked.contains("/answers"), "{asked}");
    for word in ["Jefke", "jef", "doos", "pieces8", "visitor", "secret", "mail"] {
        ensure!(!asked.contains(word), "{word}: {asked}");
    }
    // Nor does the page's own address go along with what it holds.
    let arrivals = stage.delivered(1).await?;
    let body = arrivals[0].json.as_deref().context("no JSON")?.to_string();
    ensure!(
        body.contains("jef@example.com") && !body.contains("visitor@") && !body.contains("secret"),
        "{body}"
    );
    browser.close().await
}

async fn events_carry_the_words_of_an_answer(engine: Engine) -> Result<()> {
    let stage = Stage::new().await?;
    let browser = Browser::open(engine, 1280, 800).await?;
    let visitor = browser.visit(&page(&stage, &[("data-mode", "popover")])?).await?;
    visitor.asked("recommend").await?;
    visitor.until("afterword.identify({ email: 'jef@example.com' }) || true").await?;
    answer_checkout(&visitor).await?;
    visitor.state("thanked").await?;
    visitor.until("part('close').click() || true").await?;
    visitor.until("!part('frame')").await?;
    let heard = visitor.look("heard").await?;
    let names: Vec<_> = heard.as_array().into_iter().flatten().map(|event| &event[0]).collect();
    let expected = ["ready", "shown", "answered", "answered", "answered", "answered", "submitted", "closed"];
    ensure!(names == expected, "{heard}");
    let known = ["survey", "question", "step", "total", "answered"];
    for detail in heard.as_array().into_iter().flatten().filter_map(|event| event[1].as_object()) {
        ensure!(detail.keys().all(|key| known.contains(&key.as_str())), "{heard}");
    }
    let heard = heard.to_string();
    ensure!(!heard.contains("doos") && !heard.contains("jef"), "{heard}");
    browser.close().await
}
