//! `cargo xtask pictures`: every kind and look of a question in every state, mode and theme, in Dutch, German, Arabic and
//! Chinese, on a phone and on a desk, on one contact sheet.
//!
//! Writes `FOLDER/index.html` with all pictures, and one picture of each combination's pictures, `sheet-….png`. Nothing is
//! compared: this is for people to look at.

#![expect(clippy::print_stdout, reason = "it tells a person where the sheet lies")]

use std::cell::RefCell;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};
use tests::walk::{SURVEYS, Walk};
use tests::{Browser, Engine, QUICK, Stage, Visitor, with_full, with_looks};

const LANGUAGES: [&str; 4] = ["nl", "de", "ar", "zh"];
const THEMES: [&str; 2] = ["light", "dark"];
const WIDTHS: [u32; 2] = [360, 1280];

#[tokio::main]
async fn main() -> Result<()> {
    let folder = PathBuf::from(std::env::args_os().nth(1).context("say where the pictures go")?);
    if folder.exists() {
        std::fs::remove_dir_all(&folder).with_context(|| format!("cannot empty {}", folder.display()))?;
    }
    std::fs::create_dir_all(&folder)?;
    let stage = Stage::with(QUICK, |config| with_looks(with_full(config))).await?;
    let mut sheets = String::new();
    let mut count = 0;
    for width in WIDTHS {
        let browser = Browser::open(Engine::Chromium, width, 900).await?;
        for (language, theme) in
            LANGUAGES.into_iter().flat_map(|language| THEMES.map(|theme| (language, theme)))
        {
            let name = format!("{language}-{theme}-{width}");
            let taken = combination(&stage, &browser, &folder, language, theme, width).await?;
            count += taken.len();
            let sheet = sheet(&name, &taken);
            std::fs::write(folder.join(format!("sheet-{name}.html")), document(&name, &sheet))?;
            sheets += &sheet;
            println!("{name}: {} pictures", taken.len());
        }
        browser.close().await?;
    }
    let index = folder.join("index.html");
    std::fs::write(&index, document("Afterword: contact sheet", &sheets))?;
    let browser = Browser::open(Engine::Chromium, 1600, 1000).await?;
    for (language, theme) in LANGUAGES.into_iter().flat_map(|language| THEMES.map(|theme| (language, theme)))
    {
        for width in WIDTHS {
            let name = format!("sheet-{language}-{theme}-{width}");
            let page = std::fs::canonicalize(folder.join(format!("{name}.html")))?;
            let visitor = browser.visit(&format!("file://{}", page.display())).await?;
            visitor.until("[...document.images].every(image => image.complete)").await?;
            let height = visitor.look("document.documentElement.scrollHeight").await?;
            let height = height.as_f64().context("no height")?;
            std::fs::write(
                folder.join(format!("{name}.png")),
                browser.part([0.0, 0.0, 1600.0, height]).await?,
            )?;
        }
    }
    browser.close().await?;
    println!("{count} pictures: {}", index.display());
    Ok(())
}

/// Every survey in one language, theme and width; gives caption and file of each picture.
async fn combination(
    stage: &Stage,
    browser: &Browser,
    folder: &Path,
    language: &str,
    theme: &str,
    width: u32,
) -> Result<Vec<(String, String)>> {
    let taken = RefCell::new(Vec::new());
    // Within the page all of them; over it, what differs.
    let over = ["popover", "modal", "tab"].map(|mode| (mode, "steps"));
    for (mode, survey) in SURVEYS.map(|survey| ("inline", survey)).into_iter().chain(over) {
        // The demo's surveys are in Dutch and Arabic only.
        if ["checkout", "delivery"].contains(&survey) && ["de", "zh"].contains(&language) && mode == "inline"
        {
            continue;
        }
        let walk = Walk { stage, browser, survey, language, theme, mode, width };
        walk.on(async |visitor, state| {
            let caption = format!("{survey}, {mode}: {state}");
            let file = format!("{language}-{theme}-{width}-{mode}-{survey}-{state}.png");
            std::fs::write(folder.join(&file), browser.part(place(visitor, mode).await?).await?)?;
            taken.borrow_mut().push((caption, file));
            Ok(())
        })
        .await?;
    }
    Ok(taken.into_inner())
}

/// The card with some of the page around it; for what lies over the page, the window.
async fn place(visitor: &Visitor<'_>, mode: &str) -> Result<[f64; 4]> {
    let place = if mode == "inline" {
        "(({ x, y, width, height }) => [x + scrollX - 12, y + scrollY - 12, width + 24, height + 24])(card.getBoundingClientRect())"
    } else {
        "[0, 0, innerWidth, innerHeight]"
    };
    let found = visitor.look(place).await?;
    let number = |at: usize| found[at].as_f64().context("no place");
    Ok([number(0)?.max(0.0), number(1)?.max(0.0), number(2)?, number(3)?])
}

fn sheet(name: &str, taken: &[(String, String)]) -> String {
    let mut sheet = format!("<h2>{name}</h2><div>");
    for (caption, file) in taken {
        // Writing into a String cannot fail.
        write!(sheet, "<figure><img src=\"{file}\" alt=\"\"><figcaption>{caption}</figcaption></figure>")
            .ok();
    }
    sheet + "</div>"
}

fn document(title: &str, body: &str) -> String {
    const STYLE: &str = "body { margin: 12px; background: #8a8f99; font: 13px system-ui }
        div { display: flex; flex-wrap: wrap; gap: 12px; align-items: start }
        figure { margin: 0 } img { display: block; max-width: 504px } figcaption { padding: 4px 0 }";
    format!("<!DOCTYPE html><meta charset=\"utf-8\"><title>{title}</title><style>{STYLE}</style>{body}")
}
