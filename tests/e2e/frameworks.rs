//! Pages that React and Vue draw, with the snippets that `afterword embed` prints, put together as a web team
//! would: drawn anew, hidden and shown again, gone on from to another page.

use std::path::PathBuf;
use std::process::Stdio;

use anyhow::{Context as _, Result, ensure};
use serde_json::json;
use tests::{Browser, Edit as _, Engine, Stage};
use tokio::io::AsyncWriteExt as _;

use crate::visitor::{finish_checkout, start_checkout};

tests::in_every_engine! {
    a_survey_stays_as_it_is_when_react_draws_its_page_anew
    a_survey_stays_as_it_is_when_vue_draws_its_page_anew
}

/// A page with a counter, and the survey but for the count of 2; React makes everything twice here.
const REACT: &str = "
    import { StrictMode, useState } from 'react';
    import { createRoot } from 'react-dom/client';
    import { Feedback } from './feedback';
    function Shop() {
        const [count, setCount] = useState(0);
        window.count = setCount;
        return <main><p id='count'>{count}</p>{count !== 2 && <Feedback />}</main>;
    }
    createRoot(document.querySelector('#app')).render(<StrictMode><Shop /></StrictMode>);";

/// The same.
const VUE: &str = "
    import { createApp, h, ref } from 'vue';
    import Feedback from './feedback';
    const count = ref(0);
    window.count = value => count.value = value;
    createApp(() => h('main', [h('p', { id: 'count' }, count.value), count.value !== 2 && h(Feedback)]))
        .mount('#app');";

/// What a bundler's plugin does with a component's file; it is not told which elements are custom.
const COMPILE: &str = "
    const { parse, compileScript } = require('vue/compiler-sfc');
    const { descriptor, errors } = parse(require('fs').readFileSync(0, 'utf8'));
    if (errors.length) throw errors[0];
    process.stdout.write(compileScript(descriptor, { id: 'feedback', inlineTemplate: true }).content);";

async fn a_survey_stays_as_it_is_when_react_draws_its_page_anew(engine: Engine) -> Result<()> {
    let stage = Stage::new().await?;
    let snippet = snippet(&stage, "react").await?;
    let script = bundle(&[("page.jsx", REACT), ("feedback.jsx", &snippet)]).await?;
    drawn_anew(engine, &stage, script).await
}

async fn a_survey_stays_as_it_is_when_vue_draws_its_page_anew(engine: Engine) -> Result<()> {
    let stage = Stage::new().await?;
    let snippet = snippet(&stage, "vue").await?;
    let component = output("node", &["-e", COMPILE], &snippet).await?;
    let script = bundle(&[("page.js", VUE), ("feedback.js", &component)]).await?;
    drawn_anew(engine, &stage, script).await
}

async fn drawn_anew(engine: Engine, stage: &Stage, script: String) -> Result<()> {
    stage.pages.put_file("shop.js", script);
    stage.pages.put("shop", "", "<div id=\"app\"></div><script src=\"/own/shop.js\"></script>");
    let browser = Browser::open(engine, 1280, 800).await?;
    let visitor = browser.visit(&stage.pages.at("own/shop")).await?;
    start_checkout(&visitor).await?;
    visitor.write("De doos").await?;
    visitor
        .until("root.querySelector('textarea').value === 'De doos' && (window.first = host, true)")
        .await?;
    let count = async |value: u32| {
        let counted = format!("document.querySelector('#count').textContent === '{value}'");
        browser.run(&format!("count({value})")).await?;
        visitor.until(&counted).await
    };

    // Drawn anew: the same element, with the same card and the visitor's words.
    count(1).await?;
    let same = "host === first && root.querySelector('textarea').value === 'De doos'";
    ensure!(visitor.look(same).await? == json!(true), "it was made anew");
    ensure!(visitor.look("document.querySelectorAll('afterword-survey').length").await? == json!(1));

    // Gone and back: another element, where the visitor was.
    count(2).await?;
    ensure!(visitor.look("!host").await? == json!(true));
    count(3).await?;
    visitor.asked("why").await?;
    ensure!(visitor.look("host !== first && root.querySelector('textarea').value").await? == "De doos");
    visitor.forward().await?;
    finish_checkout(&visitor).await?;
    let tags = "document.querySelectorAll('script[src*=\"/widget.js\"]').length";
    ensure!(visitor.look(tags).await? == json!(1), "one loader, however often the survey comes");
    stage.delivered(1).await?;
    ensure!(stage.at_rest().await?.len() == 1);
    let wrong = visitor.look("said.filter(([level]) => level === 'error')").await?;
    ensure!(wrong == json!([]), "{wrong}");
    browser.close().await
}

/// What `afterword embed` prints, but for the server's address, which a test takes from the stage.
async fn snippet(stage: &Stage, kind: &str) -> Result<String> {
    let printed = stage.process.command(&["embed", "--survey", "checkout", "--for", kind]).await?;
    ensure!(printed.status.success(), "{}", String::from_utf8_lossy(&printed.stderr));
    let snippet = String::from_utf8(printed.stdout)?;
    ensure!(snippet.contains("http://127.0.0.1:8081/widget.js"), "{snippet}");
    // The page says how many pieces were bought, or the server would refuse the answers.
    Ok(snippet.edit("http://127.0.0.1:8081", &stage.server).edit("VALUE", "3"))
}

/// One script of these files, the first of which the page loads.
async fn bundle(files: &[(&str, &str)]) -> Result<String> {
    let folder = tempfile::tempdir()?;
    for (name, content) in files {
        std::fs::write(folder.path().join(name), content)?;
    }
    let esbuild = std::env::var("ESBUILD").context("ESBUILD does not say where esbuild is")?;
    let page = folder.path().join(files[0].0);
    let production = "--define:process.env.NODE_ENV=\"production\"";
    let page = page.to_string_lossy();
    output(&esbuild, &[&page, "--bundle", "--jsx=automatic", "--format=iife", production], "").await
}

/// What a program prints that can find the frameworks.
async fn output(program: &str, arguments: &[&str], input: &str) -> Result<String> {
    let frameworks = std::env::var_os("FRAMEWORKS").map(PathBuf::from);
    let mut command = tokio::process::Command::new(program);
    command.args(arguments).env("NODE_PATH", frameworks.context("FRAMEWORKS does not say where they are")?);
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().with_context(|| format!("{program} cannot be started"))?;
    let mut stdin = child.stdin.take().context("no input")?;
    stdin.write_all(input.as_bytes()).await?;
    drop(stdin);
    let printed = child.wait_with_output().await?;
    ensure!(printed.status.success(), "{}", String::from_utf8_lossy(&printed.stderr));
    Ok(String::from_utf8(printed.stdout)?)
}
