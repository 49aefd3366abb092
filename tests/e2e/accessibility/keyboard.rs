//! Every kind of question, in every mode, by keyboard alone.

use anyhow::{Result, ensure};
use tests::keys::{ENTER, ESCAPE, RIGHT};
use tests::{Browser, Engine, Visitor};

use super::everything;
use crate::visitor::arrived;

tests::in_every_engine! {
    every_kind_is_answered_in_every_mode
    what_few_use_is_answered_step_by_step_and_on_one_page
}

const SPACE: &str = " ";
/// Of the tab key, from one thing to the next.
const PRESSES: u32 = 60;

/// Chooses the one after the first, in a group that has the focus or is reached.
async fn second(visitor: &Visitor<'_>, id: &str) -> Result<()> {
    visitor.until(&format!("seen(root.querySelector('[data-question={id}]'))")).await?;
    visitor
        .reach(&format!("focus.type === 'radio' && focus.closest('[data-question={id}]')"), PRESSES)
        .await?;
    visitor.keys(SPACE).await?;
    visitor.keys(RIGHT).await?;
    visitor.until(&format!("root.querySelectorAll('[data-question={id}] .option input')[1].checked")).await?;
    Ok(())
}

/// Waits for the focus to have come to a question: a key pressed before would lead on from there.
async fn arrives(visitor: &Visitor<'_>, id: &str) -> Result<()> {
    visitor.asked(id).await?;
    visitor.until("question.contains(root.activeElement)").await.map(drop)
}

/// Goes to the survey in a mode.
async fn enter<'a>(
    browser: &'a Browser,
    stage: &tests::Stage,
    survey: &str,
    mode: &str,
) -> Result<Visitor<'a>> {
    let when = if mode == "inline" { "" } else { "&data-after=0&data-label=Mening" };
    let address = format!("strict/nl/{survey}?data-mode={mode}{when}&data-remember=no");
    let visitor = browser.visit(&stage.pages.at(&address)).await?;
    match mode {
        "tab" => {
            visitor.until("seen(part('tab'))").await?;
            visitor.reach("focus === part('tab')", PRESSES).await?;
            visitor.keys(ENTER).await?;
        }
        // A dialog has the focus at once.
        "modal" => _ = visitor.until("root && root.activeElement").await?,
        _ => {}
    }
    visitor.until("seen(part('intro')) || seen(question)").await?;
    Ok(visitor)
}

async fn forward(visitor: &Visitor<'_>) -> Result<()> {
    visitor.reach("focus === (part('next') || part('send'))", PRESSES).await?;
    visitor.keys(ENTER).await
}

async fn every_kind_is_answered_in_every_mode(engine: Engine) -> Result<()> {
    let browser = Browser::open(engine, 1000, 800).await?;
    for mode in ["inline", "popover", "modal", "tab"] {
        let stage = everything().await?;
        let visitor = enter(&browser, &stage, "looks", mode).await?;
        forward(&visitor).await?;
        for id in ["stars", "smileys", "faces", "list", "colors", "effort", "ten"] {
            arrives(&visitor, id).await?;
            second(&visitor, id).await?;
            // From a choice, Enter goes on.
            visitor.keys(ENTER).await?;
        }
        arrives(&visitor, "why").await?;
        visitor.reach("focus.tagName === 'TEXTAREA'", PRESSES).await?;
        visitor.keys("Traag").await?;
        forward(&visitor).await?;
        arrives(&visitor, "found").await?;
        for count in 1..=2 {
            visitor.reach("focus.type === 'checkbox' && !focus.checked", PRESSES).await?;
            visitor.keys(SPACE).await?;
            visitor.until(&format!("root.querySelectorAll('input:checked').length === {count}")).await?;
        }
        forward(&visitor).await?;
        arrives(&visitor, "again").await?;
        second(&visitor, "again").await?;
        visitor.keys(ENTER).await?;
        visitor.state("thanked").await?;
        if mode != "inline" {
            visitor.reach("focus === part('close')", PRESSES).await?;
            visitor.keys(ESCAPE).await?;
            visitor.until("!card || !seen(card)").await?;
        }
        let body = arrived(&stage).await?;
        let answers = body["answers"].as_array().map(Vec::len);
        ensure!(answers == Some(10), "{mode}: {body}");
    }
    browser.close().await
}

async fn what_few_use_is_answered_step_by_step_and_on_one_page(engine: Engine) -> Result<()> {
    let browser = Browser::open(engine, 1000, 800).await?;
    for survey in ["steps", "page"] {
        let stage = everything().await?;
        let visitor = enter(&browser, &stage, survey, "inline").await?;
        let next = async |to: &str| {
            if survey == "steps" {
                forward(&visitor).await?;
                arrives(&visitor, to).await?;
            }
            anyhow::Ok(())
        };
        second(&visitor, "recommend").await?;
        next("why").await?;
        visitor.until("seen(root.querySelector('[data-question=why]'))").await?;
        visitor
            .reach("focus.closest('[data-question=why]') && focus.tagName === 'TEXTAREA'", PRESSES)
            .await?;
        visitor.keys("Traag").await?;
        next("found").await?;
        visitor.until("seen(root.querySelector('[data-question=found]'))").await?;
        visitor.reach("focus.matches('[data-other]')", PRESSES).await?;
        visitor.keys(SPACE).await?;
        visitor.until("seen(root.querySelector('.other input'))").await?;
        visitor.reach("focus.matches('.other input')", PRESSES).await?;
        visitor.keys("Tante").await?;
        next("country").await?;
        visitor.until("seen(root.querySelector('[data-question=country]'))").await?;
        visitor.reach("focus.type === 'search'", PRESSES).await?;
        let search = async || {
            visitor.keys("belg").await?;
            visitor.until("root.querySelector('.found').textContent === '1 van 20'").await
        };
        search().await?;
        visitor.keys(ESCAPE).await?;
        visitor.until("root.activeElement.value === ''").await?;
        search().await?;
        visitor.reach("focus.type === 'radio' && focus.closest('[data-question=country]')", PRESSES).await?;
        visitor.keys(SPACE).await?;
        visitor.until("root.querySelector('[data-question=country] [value=\"1\"]').checked").await?;
        next("again").await?;
        second(&visitor, "again").await?;
        if survey == "steps" {
            forward(&visitor).await?;
        }
        visitor.until("seen(part('contact'))").await?;
        visitor.reach("focus.closest('[part~=contact]') && focus.type === 'checkbox'", PRESSES).await?;
        visitor.keys(SPACE).await?;
        visitor.until("seen(root.querySelector('.fields'))").await?;
        visitor.reach("focus.type === 'email'", PRESSES).await?;
        visitor.keys("jef@example.com").await?;
        visitor.until("root.querySelector('[type=email]').value === 'jef@example.com'").await?;
        visitor.keys(ENTER).await?;
        visitor.state("thanked").await?;
        let body = arrived(&stage).await?.to_string();
        for part in ["Traag", "Tante", "België", "jef@example.com"] {
            ensure!(body.contains(part), "{survey}: {part} is not in {body}");
        }
    }
    browser.close().await
}
