//! `docs/getting-started.md`, run as it stands, from top to bottom, in an empty folder; then a visitor comes to its page.

use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use tests::{Browser, Engine};
use tokio::process::{Child, Command};

/// The longest that a block may take.
const PATIENCE: Duration = Duration::from_mins(1);

/// A fenced block of the page: what it is, and its lines.
struct Block {
    kind: String,
    text: String,
}

impl Block {
    /// What the fence says under a name: `file=page.html`, `expect="ready"`.
    fn told(&self, name: &str) -> Option<&str> {
        let rest = self.kind.split_once(&format!("{name}="))?.1;
        match rest.strip_prefix('"') {
            Some(quoted) => quoted.split('"').next(),
            None => rest.split_whitespace().next(),
        }
    }

    fn is(&self, word: &str) -> bool {
        self.kind.split_whitespace().any(|own| own == word)
    }
}

fn blocks(page: &str) -> Vec<Block> {
    let mut blocks = Vec::new();
    let mut open: Option<Block> = None;
    for line in page.lines() {
        // What is indented belongs to a list, and is not to be run.
        match (line.strip_prefix("```"), open.as_mut()) {
            (Some(_), Some(_)) => blocks.extend(open.take()),
            (Some(kind), None) => open = Some(Block { kind: kind.to_owned(), text: String::new() }),
            (None, Some(block)) => {
                block.text.push_str(line);
                block.text.push('\n');
            }
            (None, None) => {}
        }
    }
    blocks
}

/// A shell in the folder that finds the program of these tests.
fn shell(script: &str, folder: &Path) -> Result<Command> {
    let programs = tests::binary().canonicalize()?.parent().context("no folder")?.to_owned();
    let path = std::env::var("PATH").unwrap_or_default();
    let mut command = Command::new("sh");
    command
        .args(["-e", "-c", script])
        .current_dir(folder)
        .env("PATH", format!("{}:{path}", programs.display()));
    command.stdin(Stdio::null()).kill_on_drop(true);
    Ok(command)
}

async fn run(block: &Block, folder: &Path) -> Result<()> {
    let output = tokio::time::timeout(PATIENCE, shell(&block.text, folder)?.output()).await;
    let output = output.with_context(|| format!("it does not end:\n{}", block.text))??;
    let said = [output.stdout, output.stderr].concat();
    let said = String::from_utf8_lossy(&said);
    ensure!(output.status.success(), "{}\n{}\n{said}", output.status, block.text);
    let expected = block.told("expect").unwrap_or_default();
    ensure!(said.contains(expected), "{expected:?} is not what it says:\n{}\n{said}", block.text);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn the_first_page_of_the_documentation_leads_to_an_answer() -> Result<()> {
    tests::prepared()?;
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/getting-started.md");
    let blocks = blocks(&std::fs::read_to_string(page)?);
    let scratch = tempfile::tempdir()?;
    let mut background: Vec<Child> = Vec::new();
    let mut ran = 0;
    for block in &blocks {
        if block.is("skip") {
            continue;
        }
        if let Some(file) = block.told("file") {
            std::fs::write(scratch.path().join(file), &block.text)?;
        } else if block.is("background") {
            // In the place of the shell, so that it ends with it.
            let script = format!("exec {}", block.text.trim());
            let mut command = shell(&script, scratch.path())?;
            background.push(command.stdout(Stdio::null()).stderr(Stdio::null()).spawn()?);
        } else if block.is("sh") {
            run(block, scratch.path()).await?;
            ran += 1;
        }
    }
    ensure!(ran > 10 && background.len() == 3, "{ran} commands, {} in the background", background.len());

    // What the page tells people to do by hand.
    let address =
        blocks.iter().find_map(|block| block.text.split_once("page.html").map(|(before, _)| before));
    let origin =
        address.and_then(|before| before.split_whitespace().last()).context("no address of the page")?;
    let browser = Browser::open(Engine::Chromium, 800, 900).await?;
    let visitor = browser.visit(&format!("{}page.html", origin.trim_matches(['"', '\'']))).await?;
    visitor.until("question && seen(question)").await?;
    visitor.choose(&[9]).await?;
    visitor.forward().await?;
    visitor.until("root.querySelector('textarea') && seen(root.querySelector('textarea'))").await?;
    visitor.forward().await?;
    visitor.state("thanked").await?;
    browser.close().await
}
