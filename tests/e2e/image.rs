//! The container image: what is in it, as whom it runs, what it writes, and that its widget works.

use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::PathBuf;

use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};
use tests::container::{Container, Running, USER};
use tests::{Browser, DEADLINE, Edit as _, Engine, QUICK, Stage, http_client};

/// The most bytes in the image, and resident in a server that has nothing to do.
const BUDGET: u64 = 15_000_000;

/// A stage whose server is to run in a container.
struct Harbour {
    stage: Stage,
    configuration: PathBuf,
    volume: PathBuf,
    server: String,
    admin: String,
}

impl Harbour {
    async fn new() -> Result<Self> {
        let mut stage = Stage::prepared(QUICK, |config| {
            config
                .edit("token_env = \"AFTERWORD_DEMO_TOKEN\"", "token_file = \"token\"")
                .edit("sqlite:queue.db", "sqlite:/var/lib/afterword/queue.db")
        })
        .await?;
        let folder = stage.process.folder();
        let (configuration, volume) = (folder.join("configuration"), folder.join("volume"));
        for folder in [&configuration, &volume] {
            std::fs::create_dir(folder)?;
        }
        // The folder around them is the tests' alone; the container's user has to pass it.
        std::fs::set_permissions(folder, PermissionsExt::from_mode(0o711))?;
        std::fs::set_permissions(&volume, PermissionsExt::from_mode(0o700))?;
        std::os::unix::fs::chown(&volume, Some(USER), Some(USER))?;
        std::fs::write(configuration.join("token"), tests::TOKEN)?;
        std::fs::write(configuration.join("afterword.toml"), &stage.process.config)?;
        let origin = |key| anyhow::Ok(format!("http://{}", stage.process.address(key)?));
        let (server, admin) = (origin("listen")?, origin("admin_listen")?);
        stage.pages.serve(&server);
        Ok(Self { stage, configuration, volume, server, admin })
    }

    /// Waits until the server can store.
    async fn ready(&self) -> Result<()> {
        let http = http_client()?;
        let asking = async {
            loop {
                let asked = http.get(format!("{}/readyz", self.admin)).send().await;
                if asked.is_ok_and(|reply| reply.status() == 200) {
                    return;
                }
                tests::a_moment().await;
            }
        };
        tokio::time::timeout(DEADLINE, asking).await.context("the container is not ready")
    }

    /// A visitor answers, and the platform has it.
    async fn answer(&self) -> Result<()> {
        let browser = Browser::open(Engine::Chromium, 600, 900).await?;
        let visitor = browser.visit(&self.stage.pages.at("nl/checkout")).await?;
        crate::answer_checkout(&visitor).await?;
        self.stage.delivered(1).await?;
        browser.close().await
    }
}

fn is_nobody(running: &Running) -> Result<()> {
    for key in ["Uid", "Gid"] {
        let ids = running.status(key)?;
        ensure!(ids.split_whitespace().all(|id| id == USER.to_string()), "{key}: {ids}");
    }
    for key in ["CapEff", "CapPrm"] {
        ensure!(running.status(key)?.bytes().all(|digit| digit == b'0'), "{key}");
    }
    Ok(())
}

#[test]
fn the_image_is_small_and_says_what_it_is_made_of() -> Result<()> {
    tests::prepared()?;
    let container = Container::new()?;
    let files = container.files()?;
    let names: Vec<String> = files.keys().map(|path| path.display().to_string()).collect();
    ensure!(names == ["afterword", "sbom.cdx.json"], "{names:?}");
    let size: u64 = files.values().sum();
    ensure!(size <= BUDGET, "{size} bytes");
    let about = std::fs::metadata(container.file("afterword"))?;
    ensure!((about.mode() & 0o7777, about.uid()) == (0o555, 0), "{:o}", about.mode());
    let volume = std::fs::metadata(container.file("var/lib/afterword"))?;
    ensure!((volume.mode() & 0o777, volume.uid()) == (0o700, USER), "{:o}", volume.mode());

    let sbom: Value = serde_json::from_slice(&std::fs::read(container.file("sbom.cdx.json"))?)?;
    ensure!(sbom["bomFormat"] == "CycloneDX", "{}", sbom["bomFormat"]);
    let components = sbom["components"].as_array().context("no components")?;
    for known in ["axum", "rusqlite", "rustls", "leptos"] {
        ensure!(
            components.iter().any(|one| one["name"] == known),
            "{known} is not among {}",
            components.len()
        );
    }
    let description = container.description()?;
    let config = &description["Docker"]["config"];
    ensure!(config["User"] == format!("{USER}:{USER}"), "{config}");
    ensure!(config["Entrypoint"] == json!(["/afterword"]) && config["Cmd"] == json!(["serve"]), "{config}");
    ensure!(config["Volumes"].as_object().is_some_and(|volumes| volumes.keys().eq(["/var/lib/afterword"])));
    ensure!(config["Healthcheck"]["Test"] == json!(["CMD", "/afterword", "healthcheck"]), "{config}");
    for label in ["title", "version", "revision", "licenses"] {
        let value = &config["Labels"][format!("org.opencontainers.image.{label}")];
        ensure!(value.as_str().is_some_and(|value| !value.is_empty()), "{label}: {value}");
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn the_image_serves_a_browser_as_nobody_and_needs_little() -> Result<()> {
    tests::prepared()?;
    let (harbour, container) = (Harbour::new().await?, Container::new()?);
    let before = container.files()?;
    let running = container.serve(&harbour.configuration)?;
    harbour.ready().await?;
    is_nobody(&running)?;
    let idle = running.status("VmRSS")?;
    let kilobytes: u64 = idle.trim_end_matches(" kB").trim().parse()?;
    println!("idle: {idle}");
    ensure!(kilobytes * 1_024 <= BUDGET, "idle, it holds {idle}");
    let healthy = container.run(&harbour.configuration, &["healthcheck"])?;
    ensure!(healthy.status.code() == Some(0), "{}", String::from_utf8_lossy(&healthy.stderr));
    harbour.answer().await?;
    let status = container.run(&harbour.configuration, &["queue", "status"])?;
    ensure!(status.status.success(), "{}", String::from_utf8_lossy(&status.stderr));
    running.stop().await?;
    let sick = container.run(&harbour.configuration, &["healthcheck"])?;
    ensure!(sick.status.code() == Some(1), "{}", sick.status);
    // All that it wrote is in its volume; the runtime itself leaves a few files for the name service.
    let after = container.files()?;
    let new: Vec<_> =
        after.keys().filter(|path| !before.contains_key(*path) && !path.starts_with("etc")).collect();
    ensure!(new.is_empty(), "{new:?}");
    ensure!(before.iter().all(|(path, size)| after.get(path) == Some(size)));
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn the_image_does_with_a_root_that_nobody_can_write_to() -> Result<()> {
    tests::prepared()?;
    let (harbour, container) = (Harbour::new().await?, Container::new()?);
    let running = container.serve_read_only(&harbour.configuration, &harbour.volume)?;
    harbour.ready().await?;
    is_nobody(&running)?;
    let http = http_client()?;
    let loader = http.get(format!("{}/widget.js?survey=checkout", harbour.server)).send().await?;
    ensure!(loader.status() == 200, "{}", loader.status());
    harbour.answer().await?;
    running.stop().await?;
    ensure!(harbour.volume.join("queue.db").is_file());
    Ok(())
}
