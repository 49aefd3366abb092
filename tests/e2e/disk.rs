//! A store whose disk fails: no thanks for what is not durable, a red light with the reason, and service
//! again by itself when the disk is back.

use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Result, ensure};
use tests::{Edit as _, Stage};
use uuid::Uuid;

use crate::submission;

const INTERVAL: Duration = Duration::from_millis(20);

/// A stage whose store lies in a folder of its own, and that folder.
async fn stage() -> Result<(Stage, PathBuf)> {
    let stage = Stage::prepared(INTERVAL, |config| config.edit("sqlite:queue.db", "sqlite:store/queue.db"));
    let stage = stage.await?;
    let folder = stage.process.folder().join("store");
    std::fs::create_dir(&folder)?;
    Ok((stage, folder))
}

/// Starts the server where the store's folder is a small disk.
fn on_small_disk(stage: &mut Stage, folder: &std::path::Path, options: &str) {
    let mount = "mount -t tmpfs -o \"$1\" tmpfs \"$2\" && shift 2 && exec \"$@\"";
    let folder = folder.display().to_string();
    let words =
        ["unshare", "--user", "--map-root-user", "--mount", "sh", "-c", mount, "sh", options, &folder];
    stage.process.wrapper = words.map(str::to_owned).to_vec();
}

/// Hands answers in until one is refused; those that were thanked for.
async fn until_refused(stage: &Stage) -> Result<Vec<Uuid>> {
    let mut thanked = Vec::new();
    loop {
        ensure!(thanked.len() < 100_000, "the disk does not fill up");
        let id = Uuid::new_v4();
        let mut body = submission(id, 3);
        body["answers"] = serde_json::json!([
            { "question": "recommend", "score": 3 }, { "question": "why", "text": "x".repeat(450) },
            { "question": "again", "boolean": true },
        ]);
        let reply = stage.submit("checkout", &body).await?;
        match reply.status().as_u16() {
            202 => thanked.push(id),
            503 => {
                ensure!(reply.headers().contains_key("retry-after"));
                return Ok(thanked);
            }
            other => anyhow::bail!("{other}: {}", reply.text().await?),
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_full_disk_gives_no_thanks_and_service_comes_back_with_room() -> Result<()> {
    tests::prepared()?;
    let (mut stage, folder) = stage().await?;
    on_small_disk(&mut stage, &folder, "size=3m");
    // Nothing leaves the queue meanwhile: what was thanked for has to be there afterwards.
    stage.sandbox.misbehave(server::sandbox::Fault::Status { status: 503, retry_after: Some(1), body: None });
    stage.process.log_level = "info";
    stage.start().await?;
    // The rest of the disk is somebody else's.
    let inside = PathBuf::from(format!("/proc/{}/root{}", stage.process.id()?, folder.display()));
    let filler = inside.join("somebody-elses");
    std::fs::write(&filler, vec![1; 2 << 20])?;
    let thanked = until_refused(&stage).await?;
    let red = stage.until_admin("/readyz", |text| text.starts_with("not ready")).await?;
    ensure!(red.contains("full"), "{red}");
    std::fs::remove_file(&filler)?;
    stage.until_admin("/readyz", |text| text == "ready\n").await?;
    ensure!(stage.submit("checkout", &submission(Uuid::new_v4(), 9)).await?.status() == 202);
    stage.sandbox.behave();
    let arrivals = stage.delivered(thanked.len() as u64 + 1).await?;
    let arrived = crate::delivery::submissions(&arrivals);
    ensure!(thanked.iter().all(|id| arrived.contains(&id.to_string())), "one that was thanked for is lost");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_read_only_disk_is_named_at_the_start() -> Result<()> {
    tests::prepared()?;
    let (mut stage, folder) = stage().await?;
    on_small_disk(&mut stage, &folder, "size=3m,ro");
    let words = stage.process.refuses_to_start().await?;
    ensure!(words.contains("queue.db") && words.contains("Read-only file system"), "{words}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_volume_that_goes_away_gives_no_thanks_and_service_comes_back_with_it() -> Result<()> {
    tests::prepared()?;
    let (mut stage, folder) = stage().await?;
    stage.start().await?;
    ensure!(stage.submit("checkout", &submission(Uuid::new_v4(), 9)).await?.status() == 202);
    stage.delivered(1).await?;
    let away = folder.with_extension("away");
    std::fs::rename(&folder, &away)?;
    ensure!(stage.submit("checkout", &submission(Uuid::new_v4(), 9)).await?.status() == 503);
    let red = stage.until_admin("/readyz", |text| text.starts_with("not ready")).await?;
    ensure!(red.contains("queue.db is gone"), "{red}");
    let page = stage.until_admin("/", |page| page.contains("The store cannot be read")).await?;
    ensure!(page.contains("is gone"));
    std::fs::rename(&away, &folder)?;
    stage.until_admin("/readyz", |text| text == "ready\n").await?;
    ensure!(stage.submit("checkout", &submission(Uuid::new_v4(), 9)).await?.status() == 202);
    stage.delivered(2).await?;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_volume_that_is_missing_at_the_start_is_named() -> Result<()> {
    tests::prepared()?;
    let (mut stage, folder) = stage().await?;
    std::fs::remove_dir(&folder)?;
    let words = stage.process.refuses_to_start().await?;
    ensure!(words.contains("is missing; make it, or mount the volume"), "{words}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_server_on_one_file_refuses_to_start() -> Result<()> {
    tests::prepared()?;
    let stage = Stage::new().await?;
    // On ports of its own, so that the store is what it fails at.
    let mut second = stage.process.beside()?;
    let store = format!("sqlite:{}", stage.process.folder().join("queue.db").display());
    second.config = second.config.edit("sqlite:queue.db", &store);
    let words = second.refuses_to_start().await?;
    ensure!(words.contains("another server uses it"), "{words}");
    Ok(())
}
