//! Every way to put the tag into a page, and what the page can tell surveys and hear of them.

use anyhow::{Context as _, Result, ensure};
use serde_json::{Value, json};
use tests::{Browser, Edit as _, Engine, QUICK, Stage, Visitor};

use crate::embed::{page, showing};
use crate::visitor::{answer_checkout, finish_checkout, start_checkout};

tests::in_every_engine! {
    every_kind_of_tag_shows_its_survey_once_wherever_it_stands
    surveys_of_one_page_share_one_webassembly_instance
    a_proxy_that_changes_the_type_of_the_webassembly_takes_no_survey_away
    every_call_does_what_it_says_also_before_the_loader_is_there
    calls_made_before_the_page_is_read_count_each_by_itself
    a_survey_that_only_a_call_shows_has_the_mode_of_its_configuration
    what_was_overtaken_while_it_was_loaded_takes_nothing_away
    what_could_not_be_fetched_is_asked_for_again
    what_came_by_itself_in_vain_waits_for_somebody_to_ask
    an_overlay_that_had_to_wait_is_shown_only_where_it_still_fits
    the_same_tag_once_more_leaves_an_open_survey_alone
    every_event_says_where_it_is_and_nothing_else
    what_may_outlive_its_page_is_sent_so_and_what_is_too_large_is_not
    a_popover_is_announced_once_and_politely
}

async fn every_kind_of_tag_shows_its_survey_once_wherever_it_stands(engine: Engine) -> Result<()> {
    let stage = Stage::new().await?;
    let browser = Browser::open(engine, 1280, 800).await?;
    let server = &stage.server;
    let tag = |how: &str, survey: &str| {
        format!("<script {how} src=\"{server}/widget.js?survey={survey}\"></script>")
    };
    // As a tag manager does, once everything is there: the first has the address, the second only the id.
    let late = "<script>addEventListener('load', () => setTimeout(() => {
        for (const tag of TAGS) {
            const script = document.createElement('script');
            script.src = tag[0];
            if (tag[1]) script.dataset.survey = tag[1];
            document.body.append(script);
        }
    }))</script>";
    let late = |tags: Value| late.replace("TAGS", &tags.to_string());
    let address = format!("{server}/widget.js?survey=checkout");
    let copied = format!(
        "<script>const copy = document.createElement('script');
        copy.innerHTML = '/* the tag is not its own */';
        document.head.append(copy);</script>{}",
        tag("async", "checkout")
    );
    let pages = [
        ("classic-head", tag("", "checkout"), String::new(), 1),
        ("classic", String::new(), tag("", "checkout"), 1),
        ("async-head", tag("async", "checkout"), String::new(), 1),
        ("defer-head", tag("defer", "checkout"), String::new(), 1),
        ("defer", String::new(), tag("defer", "checkout"), 1),
        ("module-head", tag("type=\"module\"", "checkout"), String::new(), 1),
        ("module", String::new(), tag("type=\"module\"", "checkout"), 1),
        ("two-modules", tag("type=\"module\"", "checkout"), tag("type=\"module\"", "delivery"), 2),
        ("two-tags", tag("async", "checkout"), tag("async", "delivery"), 2),
        ("same-twice", tag("async", "checkout"), tag("defer", "checkout"), 1),
        ("late", String::new(), late(json!([[address]])), 1),
        ("late-id", String::new(), late(json!([[format!("{server}/widget.js"), "checkout"]])), 1),
        ("late-twice", String::new(), late(json!([[address], [address]])), 1),
        ("copied", copied, String::new(), 1),
    ];
    for (name, head, body, surveys) in pages {
        stage.pages.put(name, &head, &format!("<p>Thanks for your order.</p>{body}"));
        let visitor = browser.visit(&stage.pages.at(&format!("own/{name}"))).await?;
        let shown = "[...document.querySelectorAll('afterword-survey')]
            .filter(one => one.shadowRoot && one.shadowRoot.querySelector('[data-question]')).length";
        visitor.until(&format!("{shown} === {surveys}")).await.with_context(|| name.to_owned())?;
        until_tags_are_read(&visitor, &browser).await?;
        let there = visitor.look("document.querySelectorAll('afterword-survey').length").await?;
        ensure!(there == surveys, "{name}: {there}");
        let wrong = visitor.look("said.filter(([level]) => level === 'error')").await?;
        ensure!(wrong == json!([]), "{name}: {wrong}");
    }
    // An element that comes later than its loader.
    let visitor = browser.visit(&page(&stage, &[("data-mode", "none")])?).await?;
    visitor.until("window.afterword && afterword.open && (host.remove(), true)").await?;
    browser.run("document.body.innerHTML = '<afterword-survey survey=delivery></afterword-survey>'").await?;
    visitor.asked("satisfied").await?;
    // Another survey in its place.
    browser.run("document.querySelector('afterword-survey').setAttribute('survey', 'checkout')").await?;
    visitor.asked("recommend").await?;
    browser.close().await
}

/// Waits for every loader to have run, and for what it has begun.
async fn until_tags_are_read(visitor: &Visitor<'_>, browser: &Browser) -> Result<()> {
    let read = "[...document.querySelectorAll('script[src*=\"/widget.js\"]')].every(tag => tag.afterword)";
    visitor.until(read).await?;
    let turn = "const done = arguments[arguments.length - 1]; afterword.ready.then(() => setTimeout(done))";
    browser.run_async(turn).await.map(drop)
}

async fn surveys_of_one_page_share_one_webassembly_instance(engine: Engine) -> Result<()> {
    let stage = Stage::new().await?;
    let browser = Browser::open(engine, 1280, 800).await?;
    let instances = "<script>window.instances = 0;
        for (const name of ['instantiate', 'instantiateStreaming']) {
            const own = WebAssembly[name];
            WebAssembly[name] = (...given) => (instances += 1, own.apply(WebAssembly, given));
        }</script>";
    let tag = format!("<script async src=\"{}/widget.js\"></script>", stage.server);
    let elements = "<afterword-survey survey=\"checkout\"></afterword-survey>
        <afterword-survey survey=\"delivery\"></afterword-survey>
        <afterword-survey survey=\"checkout\" lang=\"fr\"></afterword-survey>";
    stage.pages.put("several", &[instances, &tag].concat(), elements);
    let visitor = browser.visit(&stage.pages.at("own/several")).await?;
    let question =
        "one => (one.shadowRoot.querySelector('[data-question]') || { dataset: {} }).dataset.question";
    let asked = format!("[...document.querySelectorAll('afterword-survey')].map({question}).join()");
    visitor.until(&format!("({asked}) === 'recommend,satisfied,recommend'")).await?;
    ensure!(browser.run("return instances").await? == json!(1));
    let fetched =
        "performance.getEntriesByType('resource').filter(entry => entry.name.endsWith('.wasm')).length";
    visitor.until(&format!("({fetched}) === 1")).await?;
    browser.close().await
}

async fn a_proxy_that_changes_the_type_of_the_webassembly_takes_no_survey_away(engine: Engine) -> Result<()> {
    let stage = Stage::new().await?;
    let browser = Browser::open(engine, 390, 844).await?;
    // Nor does a browser that makes no large module an instance at once, as Chromium before its version 115.
    let proxy = "<script>const real = fetch;
        const headers = { 'content-type': 'application/octet-stream' };
        window.fetch = async (...asked) => {
            const response = await real(...asked);
            return asked[0].endsWith('.wasm') ? new Response(await response.blob(), { headers }) : response;
        };
        WebAssembly.Instance = function () { throw new RangeError('too large'); };</script>";
    let tag = format!("<script async src=\"{}/widget.js?survey=checkout\"></script>", stage.server);
    stage.pages.put("proxy", proxy, &tag);
    browser.visit(&stage.pages.at("own/proxy")).await?.asked("recommend").await?;
    browser.close().await
}

async fn every_call_does_what_it_says_also_before_the_loader_is_there(engine: Engine) -> Result<()> {
    let stage = Stage::new().await?;
    let browser = Browser::open(engine, 1280, 800).await?;
    // Both forms of a call that waits, in their order.
    let early = "<script>window.heard = [];
        window.afterword = [
            ['setMetadata', { pieces: '1' }],
            ['setMetadata', { pieces: '5' }],
            ['identify', { first_name: 'Ann', email: 'ann@example.com' }],
            ['on', 'answered', event => heard.push(event.detail.question)],
            afterword => window.same = afterword === window.afterword,
        ];</script>";
    let tag = format!(
        "<script async src=\"{}/widget.js?survey=checkout\" data-mode=\"none\"></script>",
        stage.server
    );
    stage.pages.put("calls", early, &tag);
    let visitor = browser.visit(&stage.pages.at("own/calls")).await?;
    visitor.until("window.same === true").await?;
    let script = |script: &str| {
        format!(
            "const done = arguments[arguments.length - 1]; (async () => {{ {script} }})().then(done, done)"
        )
    };
    let ready = "const api = await afterword.ready; return api === afterword && !!document.querySelector('afterword-survey')";
    ensure!(browser.run_async(&script(ready)).await? == json!(true), "ready");

    // open: kept once it is there; a second one closes the first.
    let open = "await afterword.open('checkout');
        return !!document.querySelector('afterword-survey').shadowRoot.querySelector('[data-question]')";
    ensure!(browser.run_async(&script(open)).await? == json!(true), "open");
    let other = "await afterword.open('delivery');
        return [...document.querySelectorAll('afterword-survey')].map(one => !!one.shadowRoot.querySelector('.frame'))";
    ensure!(browser.run_async(&script(other)).await? == json!([false, true]), "open another");
    // An unknown one says so, and is kept all the same.
    let unknown = "let told; const hear = event => told = event.detail;
        afterword.on('error', hear); await afterword.open('nope'); afterword.off('error', hear);
        afterword.destroy('nope'); return told.survey";
    ensure!(browser.run_async(&script(unknown)).await? == "nope", "open an unknown one");

    // close: of one, then of all.
    let close = "afterword.close('checkout');
        const open = () => document.querySelectorAll('afterword-survey')[1].shadowRoot.querySelector('.frame') !== null;
        const still = open(); afterword.close(); return [still, open()]";
    ensure!(browser.run_async(&script(close)).await? == json!([true, false]), "close");

    // setLanguage: with the answers that are there.
    browser.run("afterword.destroy('delivery'); afterword.open('checkout')").await?;
    visitor.asked("recommend").await?;
    visitor.choose(&[3]).await?;
    browser.run("afterword.setLanguage('ar')").await?;
    visitor.until("card && card.lang === 'ar' && root.querySelectorAll('input')[3].checked").await?;
    browser.run("afterword.setLanguage('nl')").await?;
    visitor.until("card && card.lang === 'nl'").await?;

    // off, and what was told before is sent along.
    start_checkout(&visitor).await?;
    visitor.until("heard.join() === 'recommend'").await?;
    let off = "window.more = []; const hear = event => more.push(event.detail.question);
        afterword.on('answered', hear); afterword.off('answered', hear)";
    browser.run(off).await?;
    visitor.forward().await?;
    finish_checkout(&visitor).await?;
    ensure!(browser.run("return [heard.join(), more.length]").await? == json!(["recommend,again", 0]), "off");
    let body = crate::visitor::arrived(&stage).await?;
    ensure!(body["metadata"]["number of pieces"] == "5", "{body}");
    ensure!(
        body["respondent"]["FirstName"] == "Ann" && body["respondent"]["Email"] == "ann@example.com",
        "{body}"
    );

    // push goes on working, and destroy takes all.
    browser.run("afterword.push(['close'], api => api.destroy())").await?;
    ensure!(visitor.look("!host").await? == json!(true), "destroy");
    browser.close().await
}

async fn calls_made_before_the_page_is_read_count_each_by_itself(engine: Engine) -> Result<()> {
    let stage = Stage::new().await?;
    let browser = Browser::open(engine, 1280, 800).await?;
    // Numbers where texts belong, an address that is none, and a call that there is not.
    let early = "<script>window.afterword = [
            ['setLanguage', 'fr'],
            ['open', 'checkout'],
            ['nonsense'],
            ['identify', { id: 42, email: 'n/a' }],
            ['setMetadata', { pieces: 5 }],
        ];</script>";
    let tag = format!("<script src=\"{}/widget.js?survey=checkout\"></script>", stage.server);
    stage.pages.put("early", &[early, &tag].concat(), "<p>Merci.</p>");
    let visitor = browser.visit(&stage.pages.at("own/early")).await?;
    visitor.asked("recommend").await?;
    ensure!(visitor.look("card.lang").await? == "fr");
    answer_checkout(&visitor).await?;
    visitor.state("thanked").await?;
    let body = crate::visitor::arrived(&stage).await?;
    ensure!(body["metadata"]["number of pieces"] == "5", "{body}");
    let respondent = &body["respondent"];
    ensure!(respondent["UniqueID"] == "42" && respondent["Email"] != "n/a", "{body}");
    browser.close().await
}

async fn a_survey_that_only_a_call_shows_has_the_mode_of_its_configuration(engine: Engine) -> Result<()> {
    let stage = Stage::with(QUICK, showing("mode = \"modal\"\nevent = \"never\"")).await?;
    let browser = Browser::open(engine, 1280, 800).await?;
    // A loader that has no rules of the survey yet.
    let tag = format!("<script src=\"{}/widget.js\"></script>", stage.server);
    stage.pages.put("plain", &tag, "<p>Thanks.</p>");
    let visitor = browser.visit(&stage.pages.at("own/plain")).await?;
    visitor.until("window.afterword && afterword.open && (afterword.open('checkout'), true)").await?;
    // The language may change while it is still loaded.
    browser.run("afterword.setLanguage('fr')").await?;
    visitor.asked("recommend").await?;
    visitor.until("part('frame').tagName === 'DIALOG' && card.lang === 'fr'").await?;
    browser.close().await
}

async fn what_was_overtaken_while_it_was_loaded_takes_nothing_away(engine: Engine) -> Result<()> {
    let stage = Stage::with(QUICK, showing("mode = \"modal\"\nevent = \"never\"")).await?;
    let browser = Browser::open(engine, 1280, 800).await?;
    // The definition that is asked for first comes last; it has been made use of some turns after it was read.
    let late = "<script>const real = fetch; window.asked = 0;
        const turn = () => new Promise(next => setTimeout(next));
        window.fetch = async (...call) => {
            if (!String(call[0]).includes('/v1/surveys/') || window.asked++) return real(...call);
            await new Promise(done => window.release = done);
            const reply = await real(...call);
            const words = await reply.text();
            reply.text = async () => {
                turn().then(turn).then(turn).then(() => window.late = true);
                return words;
            };
            return reply;
        };</script>";
    let tag = format!("{late}<script src=\"{}/widget.js?survey=checkout\"></script>", stage.server);
    stage.pages.put("overtaken", &tag, "<p>Thanks.</p>");
    let visitor = browser.visit(&stage.pages.at("own/overtaken")).await?;
    visitor.until("window.afterword && afterword.open && (afterword.open('checkout'), true)").await?;
    visitor.until("host && window.asked > 0").await?;
    browser.run("afterword.setLanguage('fr')").await?;
    visitor.until("card.lang === 'fr'").await?;
    visitor.until("(window.release(), true)").await?;
    visitor.until("window.late").await?;
    visitor.asked("recommend").await?;
    ensure!(visitor.look("card.lang").await? == "fr");
    browser.close().await
}

async fn what_could_not_be_fetched_is_asked_for_again(engine: Engine) -> Result<()> {
    let mut stage = Stage::new().await?;
    let browser = Browser::open(engine, 1280, 800).await?;
    for mode in ["modal", "popover", "tab"] {
        let address = page(&stage, &[("data-mode", mode), ("data-label", "Mening"), ("data-event", "now")])?;
        let visitor = browser.visit(&address).await?;
        let heard = "window.failed = 0;
            afterword.on('error', () => window.failed += 1);
            document.dispatchEvent(new Event('now'))";
        visitor.until("host && window.afterword && afterword.ready && true").await?;
        stage.stop().await?;
        browser.run(heard).await?;
        visitor.until("failed === 1").await?;
        stage.start().await?;
        // The page is the same: what a browser has of a file that it could not fetch is still there.
        if mode == "tab" {
            visitor.look("host.setAttribute('survey', 'checkout')").await?;
            browser.run("document.dispatchEvent(new Event('now'))").await?;
            visitor.until("seen(part('tab'))").await?;
            // A click that leads nowhere leaves the way in where it is.
            stage.stop().await?;
            visitor.look("(part('tab').click(), true)").await?;
            visitor.until("failed === 2").await?;
            stage.start().await?;
            browser.run("document.dispatchEvent(new Event('now'))").await?;
            visitor.until("seen(part('tab')) && (part('tab').click(), true)").await?;
        } else if mode == "modal" {
            browser.run("afterword.open('checkout')").await?;
        } else {
            browser.run("document.dispatchEvent(new Event('now'))").await?;
        }
        visitor.asked("recommend").await?;
    }
    browser.close().await
}

async fn what_came_by_itself_in_vain_waits_for_somebody_to_ask(engine: Engine) -> Result<()> {
    let mut stage = Stage::new().await?;
    let browser = Browser::open(engine, 1280, 800).await?;
    let rules =
        [("data-mode", "popover"), ("data-consent", "wait"), ("data-scroll", "0"), ("data-click", "html")];
    let visitor = browser.visit(&page(&stage, &rules)?).await?;
    visitor.until("host && window.afterword && afterword.ready && true").await?;
    stage.stop().await?;
    browser
        .run("window.failed = 0; afterword.on('error', () => window.failed += 1); afterword.consent()")
        .await?;
    visitor.until("failed === 1").await?;
    let scrolls_in_vain = async || {
        let script = "const before = fetched.length;
            dispatchEvent(new Event('scroll'));
            return fetched.length - before";
        let more = browser.run(script).await?;
        ensure!(more == 0, "{more}");
        Ok(())
    };
    scrolls_in_vain().await?;
    // Again with each click, never by itself.
    browser.run("document.documentElement.click()").await?;
    visitor.until("failed === 2").await?;
    stage.start().await?;
    scrolls_in_vain().await?;
    // What a service worker makes up while the net is away leaves nothing of its frame behind.
    let made_up = "const real = window.fetch;
        window.fetch = async (...wanted) =>
            String(wanted[0]).includes('?lang=') ? new Response('Offline') : real(...wanted);
        window.mend = () => window.fetch = real;
        document.documentElement.click()";
    browser.run(made_up).await?;
    visitor.until("failed === 3").await?;
    ensure!(visitor.look("[failed, !!part('frame')]").await? == json!([3, false]));
    visitor.until("(mend(), document.documentElement.click(), true)").await?;
    visitor.asked("recommend").await?;
    browser.close().await
}

async fn an_overlay_that_had_to_wait_is_shown_only_where_it_still_fits(engine: Engine) -> Result<()> {
    let stage = Stage::new().await?;
    let browser = Browser::open(engine, 1280, 800).await?;
    // Nobody looks at the tab; once somebody does, the lock of overlays is taken, and left.
    let head = "<script>window.away = true;
        Object.defineProperty(Document.prototype, 'hidden', { get: () => away });
        const { request } = LockManager.prototype;
        LockManager.prototype.request = function (...asked) {
            return request.apply(this, asked).finally(() => window.left = true);
        };</script>";
    let tag = format!(
        "<script src=\"{}/widget.js?survey=checkout\" data-mode=\"popover\" data-event=\"go\"></script>",
        stage.server
    );
    stage.pages.put("waiting", head, &tag);
    let visitor = browser.visit(&stage.pages.at("own/waiting")).await?;
    let go = "host && host.shown && document.dispatchEvent(new Event('go'))";
    visitor.until(go).await?;
    // In another tab it was shown, and dismissed.
    let knows =
        |what: &str| format!("localStorage.setItem('afterword:seen:checkout', JSON.stringify({what}))");
    browser.run(&knows("{ die: 1, dismissed: Date.now() / 1000 }")).await?;
    browser.run("window.away = false").await?;
    visitor.until("window.left").await?;
    ensure!(visitor.look("!part('frame')").await? == json!(true));
    // Where that is long ago, it is due again.
    browser.run(&knows("{ die: 1 }")).await?;
    visitor.until(go).await?;
    visitor.asked("recommend").await?;
    browser.close().await
}

async fn the_same_tag_once_more_leaves_an_open_survey_alone(engine: Engine) -> Result<()> {
    let stage = Stage::new().await?;
    let browser = Browser::open(engine, 1280, 800).await?;
    let again = format!(
        "document.body.append(Object.assign(document.createElement('script'), {{ src: '{}/widget.js?survey=checkout' }}))",
        stage.server
    );
    for mode in ["popover", "inline"] {
        // It would not be shown a second time.
        let visitor = browser.visit(&page(&stage, &[("data-mode", mode), ("data-shown", "7d")])?).await?;
        visitor.until("host && (host.scrollIntoView(), true)").await?;
        visitor.asked("recommend").await?;
        visitor.look("(card.dataset.first = 'yes')").await?;
        browser.run(&again).await?;
        until_tags_are_read(&visitor, &browser).await?;
        ensure!(visitor.look("card && card.dataset.first").await? == "yes", "{mode}");
        browser.run("localStorage.clear()").await?;
        browser.without_surveys().await?;
    }
    browser.close().await
}

async fn every_event_says_where_it_is_and_nothing_else(engine: Engine) -> Result<()> {
    let stage = Stage::new().await?;
    let browser = Browser::open(engine, 1280, 800).await?;
    let visitor = browser.visit(&page(&stage, &[("data-mode", "popover")])?).await?;
    answer_checkout(&visitor).await?;
    visitor.state("thanked").await?;
    visitor.until("part('close').click() || true").await?;
    visitor.until("!part('frame')").await?;
    let at = |question: &str, step: u32, total: u32| json!({ "survey": "checkout", "question": question, "step": step, "total": total });
    let expected = json!([
        ["ready", at("recommend", 1, 3)],
        ["shown", at("recommend", 1, 3)],
        ["answered", at("recommend", 1, 4)],
        ["answered", at("why", 2, 4)],
        ["answered", at("found", 3, 4)],
        ["answered", at("again", 4, 4)],
        ["submitted", at("again", 4, 4)],
        ["closed", { "survey": "checkout", "answered": true }],
    ]);
    let heard = visitor.look("heard").await?;
    ensure!(heard == expected, "{heard}");

    // A refusal is an error at a question; the page hears it on the element, too, and cannot cancel it.
    let attributes = [("data-mode", "popover"), ("data-answered", "0"), ("data-meta-color", "red")];
    let visitor = browser.visit(&page(&stage, &attributes)?).await?;
    visitor.until("host && (host.addEventListener('afterword:error', event => {
        event.preventDefault();
        window.told = [event.cancelable, event.defaultPrevented, event.bubbles, event.composed, event.target === host];
    }), true)").await?;
    answer_checkout(&visitor).await?;
    visitor.state("refused").await?;
    ensure!(browser.run("return told").await? == json!([false, false, true, true, true]));
    let heard = visitor.look("heard.at(-1)").await?;
    ensure!(heard[0] == "error" && heard[1]["survey"] == "checkout" && heard[1]["step"].is_u64(), "{heard}");
    ensure!(heard[1].as_object().is_some_and(|detail| detail.len() == 4), "{heard}");
    browser.close().await
}

async fn what_may_outlive_its_page_is_sent_so_and_what_is_too_large_is_not(engine: Engine) -> Result<()> {
    let long = |config: String| config.edit_first("max_length = 500", "max_length = 10000");
    let stage = Stage::with(tests::QUICK, long).await?;
    let browser = Browser::open(engine, 1280, 800).await?;
    for (length, keepalive) in [(100, true), (10_000, false)] {
        let attributes = [("data-after", "0"), ("data-answered", "0")];
        let visitor = browser.visit(&page(&stage, &attributes)?).await?;
        let note = "const send = fetch;
            window.fetch = (url, init) => {
                if (init && init.method === 'POST') window.posted = [init.keepalive === true, init.body.length];
                return send(url, init);
            }";
        browser.run(note).await?;
        start_checkout(&visitor).await?;
        // Three bytes each.
        let write = format!("(field => (field.value = '\u{20ac}'.repeat({length}),
            field.dispatchEvent(new Event('input', {{ bubbles: true }})), true))(root.querySelector('textarea'))");
        visitor.until(&write).await?;
        visitor.forward().await?;
        finish_checkout(&visitor).await?;
        let posted = browser.run("return posted").await?;
        ensure!(posted[0] == json!(keepalive), "{length}: {posted}");
    }
    stage.delivered(2).await?;
    browser.close().await
}

async fn a_popover_is_announced_once_and_politely(engine: Engine) -> Result<()> {
    let stage = Stage::new().await?;
    let browser = Browser::open(engine, 1280, 800).await?;
    let visitor = browser.visit(&page(&stage, &[("data-mode", "popover"), ("data-event", "go")])?).await?;
    // It is there for some seconds.
    let go = "host && host.shown && (window.texts = [], new MutationObserver(() => {
            const text = root.querySelector('.said[role=status]')?.textContent || '';
            if (text !== (texts.at(-1) || '')) texts.push(text);
        }).observe(root, { subtree: true, childList: true, characterData: true }),
        document.dispatchEvent(new Event('go')))";
    visitor.until(go).await?;
    visitor.asked("recommend").await?;
    let expected =
        visitor.look("[`${card.ariaLabel}: ${root.querySelector('.title').textContent}`, '']").await?;
    let texts = visitor.until("texts.length === 2 && texts").await?;
    ensure!(texts == expected, "{texts}");
    // Another language is no reason to take the focus.
    browser.run("document.querySelector('#own').focus(); afterword.setLanguage('fr')").await?;
    visitor.until("card && card.lang === 'fr'").await?;
    ensure!(visitor.look("document.activeElement.id").await? == "own");
    browser.without_surveys().await?;
    // A dialog is announced by its focus, and what the visitor has opened is no news: nobody waits to say so.
    let due = "(document.dispatchEvent(new Event('go')), new Promise(next => afterword.on('ready', () => later(next))))";
    for (mode, opened, announced) in
        [("popover", due, true), ("modal", due, false), ("popover", "afterword.open('checkout')", false)]
    {
        let attributes = [("data-mode", mode), ("data-event", "go")];
        let visitor = browser.visit(&page(&stage, &attributes)?).await?;
        visitor.until("host && host.shown && afterword.open && true").await?;
        let script = "const done = arguments[arguments.length - 1], later = setTimeout;
            window.waits = [];
            window.setTimeout = (run, time, ...given) => (waits.push(time), later(run, time, ...given));
            OPEN.then(() => done(waits.includes(500)))";
        let waits = browser.run_async(&script.replace("OPEN", opened)).await?;
        ensure!(waits == json!(announced), "{mode} {opened}: {waits}");
        browser.without_surveys().await?;
    }
    browser.close().await
}
