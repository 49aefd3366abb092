//! The command line, as an operator meets it.

use std::process::{Command, Output};

use anyhow::{Result, ensure};
use tests::{Edit as _, binary};

/// A configuration that is fine, but for its origin and its platform's address.
const GOOD: [(&str, &str); 3] =
    [("@STORE@", "queue.db"), ("@PLATFORM@", "http://127.0.0.1:1"), ("@SHOP@", "https://shop.example")];

fn config() -> String {
    GOOD.iter().fold(server::demo::CONFIG.to_owned(), |text, (word, value)| text.edit(word, value))
}

fn run(command: &str, config: &str, token: Option<&str>) -> Result<(Output, String)> {
    tests::prepared()?;
    let folder = tempfile::tempdir()?;
    let path = folder.path().join("afterword.toml");
    std::fs::write(&path, config)?;
    let mut run = Command::new(binary());
    run.args([command, "--config"]).arg(&path).env_remove("AFTERWORD_DEMO_TOKEN");
    if let Some(token) = token {
        run.env("AFTERWORD_DEMO_TOKEN", token);
    }
    let output = run.output()?;
    let said = [output.stdout.as_slice(), output.stderr.as_slice()].concat();
    Ok((output, String::from_utf8_lossy(&said).into_owned()))
}

#[test]
fn check_praises_a_good_configuration() -> Result<()> {
    let (output, said) = run("check", &config(), Some("token"))?;
    ensure!(output.status.success() && said.contains("fine. 2 surveys on 1 platform."), "{said}");
    Ok(())
}

#[test]
fn ten_mistakes_show_ten_messages_and_start_nothing() -> Result<()> {
    let wrong = config()
        .edit("interval = \"1s\"", "intervall = \"1s\"")
        .edit("https://shop.example", "https://shop.example/path")
        .edit_first("scale = \"nps\"", "scale = \"nsp\"")
        .edit_first("kind = \"yes_no\"", "kind = \"yes-no\"")
        .edit_first("company = \"", "company = \"x")
        .edit_first("text.ar = ", "text.xx = ")
        .edit_first("context = \"device\"", "context = \"divice\"")
        .edit("listen = \"127.0.0.1:8081\"", "listen = \"8081\"");
    for command in ["check", "serve"] {
        let (output, said) = run(command, &wrong, None)?;
        ensure!(output.status.code() == Some(1), "{said}");
        let messages = said.lines().filter(|line| line.starts_with("line ")).count();
        ensure!(messages >= 10, "{messages} messages: {said}");
        ensure!(
            said.contains("did you mean `interval`?") && said.contains("the environment has no"),
            "{said}"
        );
    }
    Ok(())
}

#[test]
fn a_store_that_cannot_be_opened_stops_the_start_with_the_reason() -> Result<()> {
    let free = |config: String| {
        config
            .edit(":8081\"\n", ":0\"\n")
            .edit("127.0.0.1:8081\"  ", "127.0.0.1:0\"  ")
            .edit("127.0.0.1:9090", "127.0.0.1:0")
    };
    let missing = free(config()).edit("sqlite:queue.db", "sqlite:no/such/folder/queue.db");
    let (output, said) = run("serve", &missing, Some("token"))?;
    ensure!(
        output.status.code() == Some(1) && said.contains("is missing; make it, or mount the volume"),
        "{said}"
    );
    Ok(())
}

#[test]
fn wrong_usage_exits_with_2() -> Result<()> {
    tests::prepared()?;
    let output = Command::new(binary()).arg("serv").output()?;
    ensure!(output.status.code() == Some(2));
    let help = Command::new(binary()).arg("--help").output()?;
    ensure!(help.status.success() && String::from_utf8_lossy(&help.stdout).contains("sandbox"));
    Ok(())
}

#[test]
fn shells_and_manuals_know_every_command() -> Result<()> {
    tests::prepared()?;
    for shell in ["bash", "zsh", "fish"] {
        let script = Command::new(binary()).args(["completions", shell]).output()?;
        let script = String::from_utf8(script.stdout)?;
        ensure!(script.contains("healthcheck") && script.contains("resend-unknown"), "{shell}: {script}");
    }
    let folder = tempfile::tempdir()?;
    ensure!(Command::new(binary()).args(["man", "--output"]).arg(folder.path()).status()?.success());
    let page = std::fs::read_to_string(folder.path().join("afterword-respondents-add.1"))?;
    ensure!(page.contains("skip\\-faulty"), "{page}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_says_whether_it_is_well() -> Result<()> {
    tests::prepared()?;
    let mut stage = tests::Stage::new().await?;
    stage.until_admin("/readyz", |text| text.starts_with("ready")).await?;
    for arguments in [&["healthcheck"][..], &["healthcheck", "--ready"]] {
        let output = stage.process.command(arguments).await?;
        ensure!(
            output.status.success() && output.stdout.is_empty() && output.stderr.is_empty(),
            "{output:?}"
        );
    }
    stage.stop().await?;
    let output = stage.process.command(&["healthcheck"]).await?;
    ensure!(output.status.code() == Some(1), "{output:?}");
    ensure!(String::from_utf8_lossy(&output.stderr).contains("no server answers at"), "{output:?}");
    Ok(())
}

#[test]
fn embed_prints_a_snippet_for_every_kind_of_page() -> Result<()> {
    let own = "public_url = \"http://127.0.0.1:8081\"";
    let (output, said) = run("embed", &config().edit(own, ""), None)?;
    ensure!(output.status.code() == Some(1) && said.contains("add public_url ="), "{said}");
    let public = config().edit(own, "public_url = \"https://feedback.example.com\"");
    let (output, said) = run("embed", &public, None)?;
    ensure!(output.status.success(), "{said}");
    let tag = "<script async src=\"https://feedback.example.com/widget.js?survey=checkout\" data-meta-pieces=\"VALUE\"></script>";
    ensure!(said.contains(tag), "{said}");
    for part in [
        "integrity=\"sha384-",
        "<script>\n  (window.afterword = window.afterword || []).push([\"setMetadata\", { \"pieces\": \"VALUE\" }]);",
        "wp_add_inline_script(\"afterword\", '(window.afterword",
        "useEffect(() =>",
        "onMounted(() =>",
        "wp_enqueue_script(\"afterword\"",
    ] {
        ensure!(said.matches(part).count() == 2, "one for each survey: {part}\n{said}");
    }
    Ok(())
}
