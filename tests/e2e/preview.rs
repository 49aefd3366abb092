//! The preview of a survey: every way in which visitors see it, with answers that go nowhere.

use anyhow::{Result, ensure};
use serde_json::json;
use tests::{Browser, Edit as _, Engine, QUICK, Stage, with_full, with_looks};

tests::in_every_engine! {
    every_mode_shows_its_survey_beside_the_others
    what_is_answered_in_a_preview_goes_nowhere
}

async fn every_mode_shows_its_survey_beside_the_others(engine: Engine) -> Result<()> {
    let stage = Stage::with(QUICK, |config| with_looks(with_full(config))).await?;
    let browser = Browser::open(engine, 1400, 900).await?;
    // A survey that begins with words, and one with all questions on one page.
    for (survey, mode) in
        ["inline", "popover", "modal", "tab"].into_iter().flat_map(|mode| [("looks", mode), ("page", mode)])
    {
        let address = format!("{}/preview/{survey}?lang=ar&width=320&mode={mode}", stage.admin);
        let page = browser.visit(&address).await?;
        let shown = "[...document.querySelectorAll('iframe')].map(frame => {
            const root = frame.contentDocument?.querySelector('afterword-survey')?.shadowRoot;
            const card = root && root.querySelector('[part=card]');
            return root && (card ? [card.dir, getComputedStyle(card).colorScheme] : !!root.querySelector('[part=tab]'));
        })";
        let wanted =
            if mode == "tab" { json!([true, true]) } else { json!([["rtl", "light"], ["rtl", "dark"]]) };
        page.until(&format!("JSON.stringify({shown}) === {}", json!(wanted.to_string()))).await?;
        page.picture(&format!("preview-{survey}-{mode}")).await?;
        let all = "frames[0].document.querySelector('afterword-survey').shadowRoot.querySelectorAll('[data-question]').length";
        let many = page.look(all).await?;
        ensure!((many.as_u64() > Some(1)) == (survey == "page" && mode != "tab"), "{survey}, {mode}: {many}");
        crate::looks::at_ease(&browser).await?;
    }
    browser.close().await
}

async fn what_is_answered_in_a_preview_goes_nowhere(engine: Engine) -> Result<()> {
    let stage = Stage::with(QUICK, with_full).await?;
    let browser = Browser::open(engine, 600, 800).await?;
    let address = format!("{}/preview/checkout/frame?lang=nl&mode=popover&theme=light", stage.admin);
    let visitor = browser.visit(&address).await?;
    crate::answer_checkout(&visitor).await?;
    let kept = "Object.keys(localStorage).length + Object.keys(sessionStorage).length";
    ensure!(visitor.look(kept).await? == json!(0));
    // Asked anew, it begins anew.
    let visitor = browser.visit(&address).await?;
    visitor.asked("recommend").await?;
    let metrics = stage.get(&format!("{}/metrics", stage.admin)).await?;
    ensure!(!metrics.contains("afterword_submissions_accepted_total{"), "{metrics}");
    ensure!(stage.at_rest().await?.is_empty());
    browser.close().await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_preview_follows_what_is_in_force_and_tells_a_wrong_file() -> Result<()> {
    tests::prepared()?;
    let stage = Stage::new().await?;
    let browser = Browser::open(Engine::Chromium, 1400, 1000).await?;
    let address = format!("{}/preview/checkout?lang=en&mode=inline&theme=light&width=320", stage.admin);
    let page = browser.visit(&address).await?;
    let title =
        "document.querySelector('iframe').contentDocument?.querySelector('afterword-survey')?.shadowRoot
        ?.querySelector('.title')?.textContent";
    page.until(&format!("({title})?.startsWith('How likely are you')")).await?;
    let path = stage.process.config_file();
    let text = std::fs::read_to_string(&path)?;
    std::fs::write(&path, text.edit("How likely are you to recommend", "Would you recommend"))?;
    page.until(&format!("({title})?.startsWith('Would you recommend')")).await?;
    let served = stage.get(&format!("{}/v1/surveys/checkout?lang=en", stage.server)).await?;
    ensure!(served.contains("Would you recommend"), "{served}");
    std::fs::write(&path, text.edit("kind = \"yes_no\"", "kind = \"perhaps\""))?;
    page.until("document.querySelector('.notice.bad')?.textContent.includes('is wrong')").await?;
    page.until(&format!("({title})?.startsWith('Would you recommend')")).await?;
    page.picture("preview-wrong").await?;
    browser.close().await
}
