//! Each value that a rule for showing a survey can have, from either side of its edge.
//!
//! Most are decided at once, so a page holds one element after another against them: a table in, and out comes
//! whether each asked for its survey.

use anyhow::{Context as _, Result, ensure};
use serde_json::json;
use tests::{Browser, Edit as _, Engine, QUICK, Stage, Visitor};

use crate::embed::{asks_for_a_survey, page, showing};
use crate::visitor::{answer_checkout, arrived};

tests::in_every_engine! {
    a_pause_ends_when_it_says_and_each_of_the_three_is_its_own
    a_sample_asks_those_below_its_share
    pages_are_exact_a_prefix_or_a_pattern
    a_device_is_told_by_touch_and_size
    a_time_can_be_said_in_every_unit
    a_part_of_the_page_is_due_when_it_has_been_seen
    an_exit_is_one_through_the_top_or_on_touch_a_way_back
    a_click_counts_within_what_is_named_and_an_event_by_its_name
    an_attribute_wins_over_the_configuration
    each_position_is_where_it_says_in_both_directions_and_a_phone_has_its_bottom
    in_tabs_of_a_page_without_tls_one_overlay_is_shown_at_a_time
    who_objects_to_being_followed_is_not_named
}

/// Puts an element on the page for each row of `[attributes, what to do before]`, and gives whether it asked for
/// its survey. `seen({...})` says what the browser knows of the survey, in days before now.
const DECIDE: &str = "const done = arguments[arguments.length - 1];
    const ago = days => Date.now() / 1000 - days * 86400;
    const seen = ({ die = 50, ...days }) => {
        const known = Object.entries(days).map(([what, past]) => [what, ago(past)]);
        localStorage['afterword:seen:checkout'] = JSON.stringify({ die, ...Object.fromEntries(known) });
    };
    // A timer that is set later fires later.
    const turn = () => new Promise(next => setTimeout(next));
    const decide = async ([attributes, prepare]) => {
        if (prepare) prepare();
        const element = make(attributes);
        await turn();
        await turn();
        element.remove();
        return asked();
    };
    (async () => {
        const answers = [];
        for (const row of ROWS) answers.push(await decide(row));
        return answers;
    })().then(done, error => done(String(error)))";

/// Puts a popover with more attributes on the page, and says whether a survey was asked for since.
const MAKE: &str = "window.make = attributes => {
        const element = document.createElement('afterword-survey');
        for (const [name, value] of Object.entries({ survey: 'checkout', mode: 'popover', ...attributes }))
            element.setAttribute(name, value);
        fetched.length = 0;
        document.body.append(element);
        return element;
    };
    window.asked = () => fetched.some(address => address.includes('?lang='));";

/// A page of which only the loader is there, and the elements that a test puts there.
async fn bare<'a>(browser: &'a Browser, stage: &Stage) -> Result<Visitor<'a>> {
    let visitor = browser.visit(&page(stage, &[("data-mode", "none")])?).await?;
    visitor.until("host && window.afterword && afterword.open && (host.remove(), true)").await?;
    browser.run(MAKE).await?;
    Ok(visitor)
}

/// Holds each row, JavaScript of `[attributes, what to do before]`, against whether it shall ask.
async fn decided(browser: &Browser, before: &str, rows: &[(&str, bool)]) -> Result<()> {
    let table: Vec<&str> = rows.iter().map(|(row, _)| *row).collect();
    let script = [before, &DECIDE.replace("ROWS", &format!("[{}]", table.join(", ")))].concat();
    let asked = browser.run_async(&script).await?;
    let asked = asked.as_array().with_context(|| asked.to_string())?;
    ensure!(asked.len() == rows.len(), "{asked:?}");
    for ((row, expected), asked) in rows.iter().zip(asked) {
        ensure!(asked == expected, "{row}: asked: {asked}");
    }
    Ok(())
}

async fn a_pause_ends_when_it_says_and_each_of_the_three_is_its_own(engine: Engine) -> Result<()> {
    let stage = Stage::new().await?;
    let browser = Browser::open(engine, 1280, 800).await?;
    bare(&browser, &stage).await?;
    let rows = [
        // First, while the page itself knows nothing yet: what is not to be remembered is not looked up.
        ("[{ remember: 'no', shown: '7d' }, () => seen({ shown: 0 })]", true),
        // What others have put there counts as nothing.
        ("[{ shown: '7d' }, () => localStorage['afterword:seen:checkout'] = '{']", true),
        // What is usual over the page.
        ("[{}, () => seen({})]", true),
        ("[{}, () => seen({ shown: 0 })]", true),
        ("[{}, () => seen({ dismissed: 29.9 })]", false),
        ("[{}, () => seen({ dismissed: 30.1 })]", true),
        ("[{}, () => seen({ answered: 3000 })]", false),
        ("[{ mode: 'modal' }, () => seen({ dismissed: 29.9 })]", false),
        ("[{ mode: 'modal' }, () => seen({ answered: 3000 })]", false),
        // In the page nothing is.
        ("[{ mode: 'inline', after: '0' }, () => seen({ shown: 0, dismissed: 0, answered: 0 })]", true),
        ("[{ mode: 'inline', after: '0', answered: 'never' }, () => seen({ answered: 3000 })]", false),
        // Once.
        ("[{ shown: 'never' }, () => seen({ shown: 3000 })]", false),
        // At any time.
        (
            "[{ shown: '0', dismissed: '0', answered: '0' }, () => seen({ shown: 0, dismissed: 0, answered: 0 })]",
            true,
        ),
        // Until answered.
        ("[{ dismissed: '0' }, () => seen({ shown: 0, dismissed: 0 })]", true),
        ("[{ dismissed: '0' }, () => seen({ shown: 0, answered: 0 })]", false),
        // Every N days, hours, minutes or seconds; each on its own.
        ("[{ shown: '7d' }, () => seen({ shown: 6.9 })]", false),
        ("[{ shown: '7d' }, () => seen({ shown: 7.1 })]", true),
        ("[{ dismissed: '2h' }, () => seen({ dismissed: 1.9 / 24 })]", false),
        ("[{ dismissed: '2h' }, () => seen({ dismissed: 2.1 / 24 })]", true),
        ("[{ answered: '90m' }, () => seen({ answered: 89 / 1440 })]", false),
        ("[{ answered: '90m' }, () => seen({ answered: 91 / 1440 })]", true),
        ("[{ answered: '300s' }, () => seen({ answered: 290 / 86400 })]", false),
        ("[{ answered: '300' }, () => seen({ answered: 310 / 86400 })]", true),
        ("[{ shown: '7d', dismissed: '0' }, () => seen({ shown: 8, dismissed: 1 })]", true),
        ("[{ shown: '7d', answered: '0' }, () => seen({ shown: 1, answered: 8 })]", false),
        // A clock that was set back by years silences nothing for years.
        ("[{ shown: '7d' }, () => seen({ shown: -3000 })]", true),
        ("[{ shown: '7d' }, () => seen({ shown: -1 })]", false),
    ];
    decided(&browser, "", &rows).await?;
    browser.close().await
}

async fn a_sample_asks_those_below_its_share(engine: Engine) -> Result<()> {
    let stage = Stage::new().await?;
    let browser = Browser::open(engine, 1280, 800).await?;
    let visitor = bare(&browser, &stage).await?;
    let rows = [
        ("[{ sample: '25' }, () => seen({ die: 24.9 })]", true),
        ("[{ sample: '25' }, () => seen({ die: 25 })]", false),
        ("[{ sample: '0' }, () => seen({ die: 0 })]", false),
        ("[{ sample: '100' }, () => seen({ die: 99.99 })]", true),
        ("[{ sample: '0.5' }, () => seen({ die: 0.4 })]", true),
    ];
    decided(&browser, "", &rows).await?;
    // Who has no number yet gets one, and keeps it; the element says last which survey it has.
    let roll = "(localStorage.clear(), document.body.append(Object.assign(document.createElement('afterword-survey'),
        { id: 'roll' })), roll.setAttribute('mode', 'popover'), roll.setAttribute('sample', '50'),
        roll.setAttribute('survey', 'delivery'), true)";
    visitor.until(roll).await?;
    let die = "JSON.parse(localStorage.getItem('afterword:seen:delivery') || '{}').die";
    let first = visitor.until(&format!("typeof ({die}) === 'number' && [{die}]")).await?;
    ensure!(first[0].as_f64().is_some_and(|die| (0.0..100.0).contains(&die)), "{first}");
    visitor.until("(roll.replaceWith(roll.cloneNode()), true)").await?;
    asks_for_a_survey(&browser).await?;
    ensure!(visitor.look(&format!("[{die}]")).await? == first);
    browser.close().await
}

async fn pages_are_exact_a_prefix_or_a_pattern(engine: Engine) -> Result<()> {
    let stage = Stage::new().await?;
    let browser = Browser::open(engine, 1280, 800).await?;
    bare(&browser, &stage).await?;
    let rows = [
        ("[{ pages: '/thanks' }, () => go('/thanks')]", true),
        ("[{ pages: '/thanks' }, () => go('/thanks/?order=7#top')]", true),
        ("[{ pages: '/thanks' }, () => go('/thanks/more')]", false),
        ("[{ pages: '/thanks' }, () => go('/nl/thanks')]", false),
        ("[{ pages: '/thanks' }, () => go('/basket?next=/thanks')]", false),
        ("[{ pages: '/orders/*' }, () => go('/orders/7/paid')]", true),
        ("[{ pages: '/orders/*' }, () => go('/orders')]", false),
        ("[{ pages: '/*/thanks' }, () => go('/nl/thanks')]", true),
        ("[{ pages: '/*/thanks' }, () => go('/nl/basket')]", false),
        ("[{ pages: '*' }, () => go('/')]", true),
        ("[{ pages: '/' }, () => go('/')]", true),
        ("[{ pages: '/' }, () => go('/thanks')]", false),
        ("[{ pages: '/a.b' }, () => go('/a.b')]", true),
        ("[{ pages: '/a.b' }, () => go('/axb')]", false),
        ("[{ pages: '/basket /thanks' }, () => go('/thanks')]", true),
        ("[{ pages: '/basket /thanks' }, () => go('/about')]", false),
    ];
    decided(&browser, "const go = path => history.replaceState({}, '', path);", &rows).await?;
    browser.close().await
}

/// A screen of a size, that is touched or not.
const DEVICE: &str = "const match = window.matchMedia.bind(window);
    const device = (touched, width, height) => {
        window.matchMedia = query => query === '(pointer:coarse)' ? { matches: touched } : match(query);
        for (const [side, value] of [['width', width], ['height', height]])
            Object.defineProperty(screen, side, { value, configurable: true });
    };";

async fn a_device_is_told_by_touch_and_size(engine: Engine) -> Result<()> {
    let stage = Stage::new().await?;
    let browser = Browser::open(engine, 1280, 800).await?;
    bare(&browser, &stage).await?;
    let rows = [
        ("[{ devices: 'phone' }, () => device(true, 390, 844)]", true),
        ("[{ devices: 'phone' }, () => device(true, 844, 390)]", true),
        ("[{ devices: 'phone' }, () => device(true, 820, 1180)]", false),
        ("[{ devices: 'phone' }, () => device(false, 390, 844)]", false),
        ("[{ devices: 'tablet' }, () => device(true, 820, 1180)]", true),
        ("[{ devices: 'tablet' }, () => device(true, 599, 1180)]", false),
        ("[{ devices: 'tablet' }, () => device(true, 600, 1180)]", true),
        ("[{ devices: 'desktop' }, () => device(false, 1280, 800)]", true),
        ("[{ devices: 'desktop' }, () => device(true, 1280, 800)]", false),
        ("[{ devices: 'phone tablet' }, () => device(true, 820, 1180)]", true),
        ("[{ devices: 'phone tablet' }, () => device(false, 1280, 800)]", false),
    ];
    decided(&browser, DEVICE, &rows).await?;
    browser.close().await
}

async fn a_time_can_be_said_in_every_unit(engine: Engine) -> Result<()> {
    let stage = Stage::new().await?;
    let browser = Browser::open(engine, 1280, 800).await?;
    bare(&browser, &stage).await?;
    // Nobody waits for two days here: what the loader asks for is enough.
    let script = "const waits = [], later = window.setTimeout;
        const element = document.createElement('afterword-survey');
        element.setAttribute('survey', 'checkout');
        element.setAttribute('mode', 'popover');
        window.setTimeout = (run, time) => (waits.push(time), 0);
        for (const time of ['0', '1.5', '20s', '2m', '1.5h', '2d']) {
            element.setAttribute('after', time);
            document.body.append(element);
            // Taken away, it looks once for what waits.
            element.remove();
        }
        window.setTimeout = later;
        return waits.filter((_, at) => at % 2 === 0)";
    let waits = browser.run(script).await?;
    ensure!(waits == json!([0, 1500, 20_000, 120_000, 5_400_000, 172_800_000]), "{waits}");
    browser.close().await
}

async fn a_part_of_the_page_is_due_when_it_has_been_seen(engine: Engine) -> Result<()> {
    let stage = Stage::new().await?;
    let browser = Browser::open(engine, 1280, 800).await?;
    let visitor = bare(&browser, &stage).await?;
    // What the page shows of itself before anybody scrolls counts too.
    decided(
        &browser,
        "const share = (scrollY + innerHeight) / document.documentElement.scrollHeight * 100;",
        &[
            ("[{ scroll: 0 }]", true),
            ("[{ scroll: Math.floor(share) }]", true),
            ("[{ scroll: Math.ceil(share + 1) }]", false),
        ],
    )
    .await?;
    let attributes = "make({ scroll: '75' });
        window.to = percent => scrollTo(0, document.documentElement.scrollHeight * percent / 100 - innerHeight);
        to(74);";
    browser.run(attributes).await?;
    let rests = "(share => share > 73 && share < 75)((scrollY + innerHeight) / document.documentElement.scrollHeight * 100)";
    visitor.until(rests).await?;
    // The page's own listener comes after the loader's.
    let scrolled = "const done = arguments[arguments.length - 1];
        addEventListener('scroll', () => done(fetched.length), { once: true });
        scrollBy(0, 1)";
    ensure!(browser.run_async(scrolled).await? == json!(0), "due before three quarters");
    browser.run("to(76)").await?;
    visitor.asked("recommend").await?;
    browser.close().await
}

async fn an_exit_is_one_through_the_top_or_on_touch_a_way_back(engine: Engine) -> Result<()> {
    let stage = Stage::new().await?;
    let browser = Browser::open(engine, 1280, 800).await?;
    let visitor = bare(&browser, &stage).await?;
    let exits = "window.leaves = y => document.documentElement.dispatchEvent(new MouseEvent('mouseleave', { clientY: y }));
        window.hides = hidden => {
            Object.defineProperty(document, 'hidden', { value: hidden, configurable: true });
            document.dispatchEvent(new Event('visibilitychange'));
        };
        window.waits = () => {
            for (const one of document.querySelectorAll('afterword-survey')) one.remove();
            make({ exit: '', dismissed: '0' });
        };
        window.device = device;";
    browser.run(&[DEVICE, exits].concat()).await?;
    for (touched, actions, expected) in [
        (false, "leaves(300)", false),
        (false, "leaves(0)", true),
        (false, "leaves(-5)", true),
        // A desktop's other window is no exit.
        (false, "(hides(true), hides(false))", false),
        (true, "hides(true)", false),
        (true, "(hides(true), hides(false))", true),
        // Nor is a page that was opened in the background.
        (true, "hides(false)", false),
    ] {
        let asked =
            browser.run(&format!("device({touched}, 390, 844); waits(); {actions}; return asked()")).await?;
        ensure!(asked == json!(expected), "touch: {touched}, {actions}: {asked}");
    }
    let history = visitor.look("history.length").await?;
    browser.run("device(false, 1280, 800); waits(); leaves(-1)").await?;
    visitor.asked("recommend").await?;
    ensure!(visitor.look("history.length").await? == history, "the browser's history was touched");
    browser.close().await
}

async fn a_click_counts_within_what_is_named_and_an_event_by_its_name(engine: Engine) -> Result<()> {
    let stage = Stage::new().await?;
    let browser = Browser::open(engine, 1280, 800).await?;
    bare(&browser, &stage).await?;
    let things = "document.body.insertAdjacentHTML('beforeend',
            '<p id=buy><b id=deep>Buy</b></p><p id=other>Other</p><div id=part></div>');
        part.attachShadow({ mode: 'open' }).innerHTML = '<button class=inner>Inner</button>';
        window.tries = (attributes, action) => {
            const element = make(attributes);
            action();
            element.remove();
            return asked();
        }";
    browser.run(things).await?;
    for (attributes, action, expected) in [
        (json!({ "click": "#buy" }), "buy.click()", true),
        (json!({ "click": "#buy" }), "deep.click()", true),
        (json!({ "click": "#buy" }), "other.click()", false),
        (json!({ "click": "#buy, #other" }), "other.click()", true),
        // A component of the page's own, too.
        (json!({ "click": ".inner" }), "part.shadowRoot.querySelector('button').click()", true),
        (json!({ "event": "order:placed" }), "document.dispatchEvent(new Event('order:placed'))", true),
        (
            json!({ "event": "order:placed" }),
            "buy.dispatchEvent(new CustomEvent('order:placed', { bubbles: true }))",
            true,
        ),
        (json!({ "event": "order:placed" }), "document.dispatchEvent(new Event('order:paid'))", false),
        // Whichever comes first.
        (json!({ "event": "order:placed", "click": "#buy", "after": "1h" }), "buy.click()", true),
    ] {
        let asked = browser.run(&format!("return tries({attributes}, () => {action})")).await?;
        ensure!(asked == json!(expected), "{attributes} {action}: {asked}");
    }
    browser.close().await
}

async fn an_attribute_wins_over_the_configuration(engine: Engine) -> Result<()> {
    let rules = "mode = \"modal\"\npages = [\"/nowhere\"]\ndevices = [\"phone\"]\nsample = 0\n\
                 again = { shown = \"never\" }\nevent = \"never\"";
    let stage = Stage::with(QUICK, showing(rules)).await?;
    let browser = Browser::open(engine, 1280, 800).await?;
    bare(&browser, &stage).await?;
    let all = "{ mode: 'popover', pages: '*', devices: 'desktop', sample: 100, shown: 0, after: 0 }";
    let but = |key: &str| format!("[(({{ {key}, ...rest }}) => rest)({all}), () => seen({{ shown: 1 }})]");
    let rows: Vec<(String, bool)> = [
        (format!("[{all}, () => seen({{ shown: 1 }})]"), true),
        (but("pages"), false),
        (but("devices"), false),
        (but("sample"), false),
        (but("shown"), false),
        (but("after"), false),
    ]
    .into();
    let rows: Vec<(&str, bool)> = rows.iter().map(|(row, expected)| (row.as_str(), *expected)).collect();
    decided(&browser, "", &rows).await?;
    browser.close().await
}

async fn each_position_is_where_it_says_in_both_directions_and_a_phone_has_its_bottom(
    engine: Engine,
) -> Result<()> {
    let stage = Stage::new().await?;
    let browser = Browser::open(engine, 1280, 800).await?;
    // The gaps to the left, the right, the top and the bottom.
    let gaps = "(box => [box.left, document.documentElement.clientWidth - box.right, box.top, innerHeight - box.bottom])\
                (part('frame').getBoundingClientRect())";
    for (language, position, ends) in [
        ("nl", "bottom-end", [1, 3]),
        ("nl", "bottom-start", [0, 3]),
        ("nl", "top-end", [1, 2]),
        ("nl", "top-start", [0, 2]),
        ("ar", "bottom-end", [0, 3]),
        ("ar", "top-start", [1, 2]),
    ] {
        let attributes = [("data-mode", "popover"), ("data-position", position)];
        let visitor =
            browser.visit(&page(&stage, &attributes)?.edit("/nl/", &format!("/{language}/"))).await?;
        visitor.asked("recommend").await?;
        if language == "ar" {
            browser.run("document.dir = 'rtl'").await?;
        }
        let there = format!("(gaps => {}.every(at => Math.abs(gaps[at] - 16) < 0.5))({gaps})", json!(ends));
        visitor.until(&there).await.with_context(|| format!("{language} {position}"))?;
        visitor.picture(&format!("position-{language}-{position}")).await?;
        browser.without_surveys().await?;
    }
    browser.close().await?;
    let browser = Browser::open(engine, 390, 844).await?;
    for (mode, position) in [("popover", "top-start"), ("modal", "bottom-end")] {
        let attributes = [("data-mode", mode), ("data-position", position)];
        let visitor = browser.visit(&page(&stage, &attributes)?).await?;
        visitor.asked("recommend").await?;
        let there = format!("(gaps => [0, 1, 3].every(at => Math.abs(gaps[at]) < 0.5))({gaps})");
        visitor.until(&there).await.with_context(|| mode.to_owned())?;
        visitor.picture(&format!("position-phone-{mode}")).await?;
        browser.without_surveys().await?;
    }
    browser.close().await
}

async fn in_tabs_of_a_page_without_tls_one_overlay_is_shown_at_a_time(engine: Engine) -> Result<()> {
    let stage = Stage::new().await?;
    let browser = Browser::open(engine, 1280, 800).await?;
    // There the browser has no locks. A channel between tabs that is closed again was told to wait.
    let tag = format!(
        "<script async src=\"{}/widget.js?survey=checkout\" data-mode=\"none\"></script>",
        stage.server
    );
    // Nor does a tab come to the front in WebKit's driver, and an overlay waits for one that is looked at.
    // The second tab hears of the first however slow that is, and the third time waits no longer than a page does.
    let without = "<script>const later = setTimeout; window.patience = 400;
        window.setTimeout = (run, time, ...given) => later(run, time === 400 ? patience : time, ...given);
        Object.defineProperty(Navigator.prototype, 'locks', { get() {} });
        Object.defineProperty(Document.prototype, 'hidden', { get: () => false });
        window.BroadcastChannel = class extends BroadcastChannel {
            close() { super.close(); window.waits = true; }
        };
        window.opens = () => {
            for (const one of document.querySelectorAll('afterword-survey')) one.remove();
            const element = document.createElement('afterword-survey');
            element.setAttribute('survey', 'delivery');
            element.setAttribute('mode', 'popover');
            element.setAttribute('dismissed', '0');
            document.body.append(element);
            return true;
        };</script>";
    stage.pages.put("plain", without, &tag);
    let address = stage.pages.at("own/plain");
    let visitor = browser.visit(&address).await?;
    visitor.until("host && opens()").await?;
    visitor.asked("satisfied").await?;

    let first = browser.another_tab().await?;
    let visitor = browser.visit(&address).await?;
    visitor.until("host && (window.patience = 50000, opens())").await?;
    visitor.until("window.waits").await?;
    ensure!(visitor.look("!part('frame')").await? == json!(true), "a second overlay");

    let second = browser.back_to(first).await?;
    visitor.until("(part('close').click(), true)").await?;
    visitor.until("!part('frame')").await?;
    browser.back_to(second).await?;
    visitor.until("(window.patience = 400, opens())").await?;
    visitor.asked("satisfied").await?;
    browser.close().await
}

async fn who_objects_to_being_followed_is_not_named(engine: Engine) -> Result<()> {
    let stage = Stage::new().await?;
    let browser = Browser::open(engine, 1280, 800).await?;
    let objects = "<script>Object.defineProperty(Navigator.prototype, 'globalPrivacyControl', { get: () => true });
        window.afterword = [['identify', { email: 'jef@example.com' }], ['setMetadata', { pieces: '4' }]];</script>";
    let tag = format!("<script async src=\"{}/widget.js?survey=checkout\"></script>", stage.server);
    stage.pages.put("objects", objects, &tag);
    let visitor = browser.visit(&stage.pages.at("own/objects")).await?;
    answer_checkout(&visitor).await?;
    visitor.state("thanked").await?;
    let body = arrived(&stage).await?;
    ensure!(!body.to_string().contains("jef@example.com"), "{body}");
    ensure!(body["metadata"]["number of pieces"] == "4", "{body}");
    browser.close().await
}
