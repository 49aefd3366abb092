//! Everyone: what machines can tell of it, in every state of every kind of question.

mod keyboard;
mod reading;
mod tree;

use anyhow::{Result, ensure};
use serde_json::json;
use tests::walk::{SURVEYS, Walk};
use tests::{Browser, Engine, QUICK, Stage, Visitor, with_full, with_looks};

tests::in_every_engine! {
    nothing_is_found_light_from_left_to_right_on_a_narrow_phone
    nothing_is_found_dark_from_right_to_left_on_a_narrow_phone
    nothing_is_found_light_from_right_to_left_at_twice_the_size
    nothing_is_found_dark_from_left_to_right_on_a_desk
    nothing_is_found_in_any_mode
    wider_letters_and_lines_cut_nothing_off
}

/// A server with every kind and look of a question.
async fn everything() -> Result<Stage> {
    Stage::with(QUICK, |config| with_looks(with_full(config))).await
}

/// What is not to be found: whatever axe-core knows, and what it does not look at.
async fn is_fine(browser: &Browser, visitor: &Visitor<'_>, state: &str) -> Result<()> {
    let found = browser.axe().await?;
    ensure!(found.is_empty(), "{state}: {found:#?}");
    let found = visitor.look(MISFITS).await?;
    ensure!(found == json!([]), "{state}: {found:#}");
    Ok(())
}

/// What does not fit: a page that is wider than its window, words that are cut off, targets that are too small to hit
/// (WCAG 2.2, 2.5.8 wants 24 pixels; those that a finger presses one by one have 44), and letters of which a phone
/// zooms in when a field is touched.
const MISFITS: &str = "(() => {
    const found = [];
    if (!card) return found;
    const page = document.scrollingElement;
    if (page.scrollWidth > innerWidth) found.push(`the page is ${page.scrollWidth} wide`);
    const name = element => `${element.tagName} ${element.className || element.part} ${element.textContent.slice(0, 40)}`;
    const inside = card.getBoundingClientRect();
    for (const element of root.querySelectorAll('[part=card] *')) {
        if (!seen(element) || element.closest('.said, [data-state=sending] .note, option')) continue;
        const style = getComputedStyle(element);
        const box = element.getBoundingClientRect();
        if (element.scrollWidth > element.clientWidth + 1 && element.clientWidth && !/INPUT|TEXTAREA|SELECT/.test(element.tagName)
            && style.overflowX !== 'visible') found.push(`cut off: ${name(element)}`);
        if (box.width && (box.left < inside.left - 1 || box.right > inside.right + 1)) found.push(`beside the card: ${name(element)}`);
        if (element.matches('button, a, label.option, select, textarea, input:not([type=radio], [type=checkbox])')) {
            if (box.height < 43.5 || box.width < 24) found.push(`small: ${box.width} x ${box.height} ${name(element)}`);
        }
        if (element.matches('textarea, input:not([type=radio], [type=checkbox])') && parseFloat(style.fontSize) < 16)
            found.push(`letters of ${style.fontSize}: ${name(element)}`);
    }
    return found;
})()";

/// The width of a window for pages so wide: WebKit has none as narrow as a phone.
fn window(engine: Engine, width: u32) -> u32 {
    if engine == Engine::WebKit { width.max(400) } else { width }
}

/// Walks through every survey, and looks at every state.
async fn look_around(engine: Engine, language: &str, theme: &str, width: u32) -> Result<()> {
    let stage = everything().await?;
    let browser = Browser::open(engine, window(engine, width), 900).await?;
    for survey in SURVEYS {
        let walk = Walk { stage: &stage, browser: &browser, survey, language, theme, mode: "inline", width };
        walk.on(async |visitor, state| {
            visitor.picture(&format!("{survey}-{language}-{theme}-{width}-{state}")).await?;
            is_fine(&browser, visitor, &format!("{survey}, {state}")).await
        })
        .await?;
    }
    browser.close().await
}

async fn nothing_is_found_light_from_left_to_right_on_a_narrow_phone(engine: Engine) -> Result<()> {
    look_around(engine, "de", "light", 320).await
}

async fn nothing_is_found_dark_from_right_to_left_on_a_narrow_phone(engine: Engine) -> Result<()> {
    look_around(engine, "ar", "dark", 320).await
}

/// A window of 1,280 pixels that is zoomed to 200 % has 640 of CSS.
async fn nothing_is_found_light_from_right_to_left_at_twice_the_size(engine: Engine) -> Result<()> {
    look_around(engine, "ar", "light", 640).await
}

async fn nothing_is_found_dark_from_left_to_right_on_a_desk(engine: Engine) -> Result<()> {
    look_around(engine, "nl", "dark", 1280).await
}

async fn nothing_is_found_in_any_mode(engine: Engine) -> Result<()> {
    let stage = everything().await?;
    let browser = Browser::open(engine, 390, 844).await?;
    for (mode, survey, language, theme) in [
        ("popover", "checkout", "nl", "dark"),
        ("modal", "checkout", "ar", "light"),
        ("tab", "checkout", "ar", "dark"),
        ("modal", "page", "de", "dark"),
        ("popover", "steps", "ar", "light"),
    ] {
        let walk = Walk { stage: &stage, browser: &browser, survey, language, theme, mode, width: 390 };
        walk.on(async |visitor, state| {
            visitor.picture(&format!("{mode}-{survey}-{state}")).await?;
            is_fine(&browser, visitor, &format!("{mode}, {survey}, {state}")).await
        })
        .await?;
    }
    browser.close().await
}

/// WCAG 2.2, 1.4.12: lines of 1.5, paragraphs of 2, letters of 0.12 and words of 0.16 times the letters' height.
async fn wider_letters_and_lines_cut_nothing_off(engine: Engine) -> Result<()> {
    const WIDER: &str = "const sheet = new CSSStyleSheet();
        sheet.replaceSync('* { line-height: 1.5 !important; letter-spacing: .12em !important; word-spacing: .16em !important }'
            + ' p { margin-bottom: 2em !important }');
        const root = document.querySelector('afterword-survey').shadowRoot;
        if (!root.spaced) root.adoptedStyleSheets = [...root.adoptedStyleSheets, sheet];
        root.spaced = true;";
    let stage = everything().await?;
    let browser = Browser::open(engine, window(engine, 320), 900).await?;
    for survey in SURVEYS {
        let walk = Walk {
            stage: &stage,
            browser: &browser,
            survey,
            language: "de",
            theme: "light",
            mode: "inline",
            width: 320,
        };
        walk.on(async |visitor, state| {
            browser.run(WIDER).await?;
            visitor.picture(&format!("wider-{survey}-{state}")).await?;
            let found = visitor.look(MISFITS).await?;
            ensure!(found == json!([]), "{survey}, {state}: {found:#}");
            Ok(())
        })
        .await?;
    }
    browser.close().await
}
