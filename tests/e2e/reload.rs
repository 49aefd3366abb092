//! A configuration that changes while the server runs.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use anyhow::{Result, ensure};
use server::sandbox::{Fault, Misbehaviour};
use tests::{Edit as _, QUICK, Stage};
use uuid::Uuid;

use crate::submission;

/// The checkout survey's first question, in Dutch, as the platform knows it, and a slip of the pen.
const RIGHT: &str = "152845EB-1417-4AC5-94C0-39AF5FE46F62";
const WRONG: &str = "152845EB-1417-4AC5-94C0-39AF5FE46F63";
const TAKEN: &str = "the new configuration is in force";
const REFUSED: &str = "the configuration stays as it was";

/// Changes the configuration's file, as an editor does: in one step.
fn change(stage: &mut Stage, change: impl FnOnce(&str) -> String) -> Result<()> {
    stage.process.config = change(&stage.process.config);
    let (file, next) = (stage.process.config_file(), stage.process.folder().join("next"));
    std::fs::write(&next, &stage.process.config)?;
    Ok(std::fs::rename(next, file)?)
}

/// Waits until the server has said something so often.
async fn until_said(stage: &Stage, words: &str, times: usize) -> Result<()> {
    stage.until_log(|log| log.matches(words).count() >= times).await.map(|_| ())
}

async fn definition(stage: &Stage) -> Result<String> {
    stage.get(&format!("{}/v1/surveys/checkout?lang=nl", stage.server)).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_changed_file_comes_into_force_and_no_request_is_dropped() -> Result<()> {
    tests::prepared()?;
    let mut stage = Stage::new().await?;
    let (door, stop) = (stage.door(), Arc::new(AtomicBool::new(false)));
    let visitors: Vec<_> = (0..4)
        .map(|_| {
            let (door, stop) = (door.clone(), Arc::clone(&stop));
            tokio::spawn(async move {
                let mut taken = Vec::new();
                while !stop.load(Ordering::Relaxed) {
                    let id = Uuid::new_v4();
                    let status = door.submit("checkout", &submission(id, 9)).await?.status();
                    ensure!(status == 202, "{status}");
                    taken.push(id);
                    tokio::task::yield_now().await;
                }
                Ok(taken)
            })
        })
        .collect();
    let before = definition(&stage).await?;
    // Texts, then the pace: its lane is another one. Then a platform by another name, to which what waits goes over.
    change(&mut stage, |config| config.edit_first("Hoe waarschijnlijk", "Hoe aannemelijk"))?;
    until_said(&stage, TAKEN, 1).await?;
    let after = definition(&stage).await?;
    ensure!(before != after && after.contains("Hoe aannemelijk"), "{after}");
    change(&mut stage, |config| config.edit_first("interval = \"20ms\"", "interval = \"21ms\""))?;
    until_said(&stage, TAKEN, 2).await?;
    change(&mut stage, |config| {
        config
            .edit("[platform.sandbox]", "[platform.renamed]")
            .edit("platform = \"sandbox\"", "platform = \"renamed\"")
    })?;
    until_said(&stage, TAKEN, 3).await?;
    stop.store(true, Ordering::Relaxed);
    let mut taken = Vec::new();
    for visitor in visitors {
        taken.extend(visitor.await??);
    }
    // What waits is more than one wants to wait for: the last one tells that the lane is at work under its new name.
    stage
        .until_admin("/metrics", |metrics| metrics.contains("afterword_calls_total{lane=\"renamed\""))
        .await?;
    let arrived = stage.delivered(50).await?;
    ensure!(taken.len() > 50 && arrived.iter().all(|arrival| !arrival.early), "{}", taken.len());
    ensure!(!stage.log().contains("\"ERROR\""), "{}", stage.process.last_words());
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_file_is_told_and_changes_nothing_until_it_is_mended() -> Result<()> {
    tests::prepared()?;
    let mut stage = Stage::new().await?;
    let before = definition(&stage).await?;
    change(&mut stage, |config| config.edit_first("kind = \"score\"", "kind = \"scroe\""))?;
    until_said(&stage, REFUSED, 1).await?;
    ensure!(stage.log().contains("\\\"scroe\\\" is not known here"), "{}", stage.process.last_words());
    let tells =
        |page: &str| page.contains("The configuration is wrong.") && page.contains("question[0].kind");
    stage.until_admin("/", tells).await?;
    let metrics = stage.get(&format!("{}/metrics", stage.admin)).await?;
    ensure!(metrics.contains("afterword_config_refused 1"), "{metrics}");
    ensure!(definition(&stage).await? == before);
    ensure!(stage.submit("checkout", &submission(Uuid::new_v4(), 9)).await?.status() == 202);
    // A signal has it read again, though it has not changed.
    stage.process.signal("HUP")?;
    until_said(&stage, REFUSED, 2).await?;

    change(&mut stage, |config| config.edit_first("kind = \"scroe\"", "kind = \"score\""))?;
    until_said(&stage, TAKEN, 1).await?;
    let page = stage.get(&format!("{}/", stage.admin)).await?;
    ensure!(!page.contains("The configuration is wrong."), "{page}");
    stage.process.signal("HUP")?;
    until_said(&stage, TAKEN, 2).await?;
    change(&mut stage, |config| config.edit("sqlite:queue.db", "sqlite:other.db"))?;
    until_said(&stage, TAKEN, 3).await?;
    let page = stage.get(&format!("{}/", stage.admin)).await?;
    ensure!(
        page.contains("come into force at the next start only") && page.contains("<code>store</code>"),
        "{page}"
    );
    stage.delivered(1).await?;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_survey_is_added_to_the_folder_and_taken_away_again() -> Result<()> {
    tests::prepared()?;
    let stage = Stage::new().await?;
    let folder = stage.process.folder().join("surveys");
    let config = &stage.process.config;
    let (_, rest) = config.split_once("[[survey]]").unwrap_or_default();
    let survey = rest.split("[[survey]]").next().unwrap_or_default();
    let survey = survey.edit_first("id = \"checkout\"", "id = \"fair\"");
    // As a whole: an editor or a cluster does it like this.
    let next = folder.with_extension("next");
    std::fs::create_dir(&next)?;
    std::fs::write(next.join("fair.toml"), format!("[[survey]]{survey}"))?;
    std::fs::rename(&next, &folder)?;
    until_said(&stage, TAKEN, 1).await?;
    let id = Uuid::new_v4();
    ensure!(stage.submit("fair", &submission(id, 7)).await?.status() == 202);
    stage.delivered(1).await?;
    std::fs::remove_file(folder.join("fair.toml"))?;
    until_said(&stage, TAKEN, 2).await?;
    ensure!(stage.submit("fair", &submission(Uuid::new_v4(), 7)).await?.status() == 404);
    ensure!(stage.submit("checkout", &submission(Uuid::new_v4(), 7)).await?.status() == 202);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_and_a_guid_are_mended_while_the_server_runs() -> Result<()> {
    tests::prepared()?;
    let mut stage = Stage::prepared(QUICK, |config| {
        config.edit("token_env = \"AFTERWORD_DEMO_TOKEN\"", "token_file = \"token\"")
    })
    .await?;
    // The platform knows the right one.
    stage.process.config = stage.process.config.edit(RIGHT, WRONG);
    let token = stage.process.folder().join("token");
    std::fs::write(&token, "b3V0ZGF0ZWQ=")?;
    stage.start().await?;
    let id = Uuid::new_v4();
    ensure!(stage.submit("checkout", &submission(id, 9)).await?.status() == 202);
    stage.until_admin("/", |page| page.contains("refuses the token")).await?;
    std::fs::write(&token, tests::TOKEN)?;
    until_said(&stage, TAKEN, 1).await?;
    // The token is taken; the GUID is not.
    stage.until_admin("/metrics", |metrics| metrics.contains("lane=\"sandbox\",state=\"dead\"} 1\n")).await?;
    change(&mut stage, |config| config.edit(WRONG, RIGHT))?;
    until_said(&stage, TAKEN, 2).await?;
    let retried = stage.process.command(&["queue", "retry", "--yes", &id.to_string()]).await?;
    ensure!(retried.status.success(), "{}", String::from_utf8_lossy(&retried.stderr));
    stage.delivered(1).await?;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn what_waits_goes_with_its_survey_into_a_lane_that_is_at_work_already() -> Result<()> {
    tests::prepared()?;
    // Two platforms, of which the second has the survey `delivery`; both lead to the same sandbox.
    let mut stage = Stage::prepared(QUICK, |config| {
        let (head, rest) = config.split_once("# ----").unwrap_or((&config, ""));
        let (_, platform) = head.split_once("[platform.sandbox]").unwrap_or_default();
        let second = format!("[platform.second]{}", platform.edit("AFTERWORD_DEMO_TOKEN", "SECOND"));
        let (first, last) = rest.rsplit_once("platform = \"sandbox\"").unwrap_or_default();
        format!("{head}\n{second}\n# ----{first}platform = \"second\"{last}")
    })
    .await?;
    stage.process.environment.insert("SECOND".into(), "c2Vjb25k".into());
    stage.start().await?;
    // The first lane's platform is away, so that all of it waits; the second one's lane has nothing to do.
    stage.sandbox.misbehave(Fault::Status { status: 503, retry_after: Some(3_600), body: None });
    let ids: Vec<Uuid> = (0..40).map(|_| Uuid::new_v4()).collect();
    for id in &ids {
        ensure!(stage.submit("checkout", &submission(*id, 9)).await?.status() == 202);
    }
    stage
        .until_admin("/metrics", |metrics| metrics.contains("afterword_calls_total{lane=\"sandbox\""))
        .await?;
    change(&mut stage, |config| config.edit_first("platform = \"sandbox\"", "platform = \"second\""))?;
    until_said(&stage, TAKEN, 1).await?;
    let line = "afterword_queue_entries{lane=\"sandbox\",state=\"waiting\"} 0\n";
    let metrics = stage.until_admin("/metrics", |metrics| metrics.contains(line)).await?;
    ensure!(metrics.contains("lane=\"second\",state=\"dead\"} 0\n"), "{metrics}");
    ensure!(!stage.log().contains("dead letter"), "{}", stage.process.last_words());
    ensure!(!stage.log().contains("does not fit the configuration"), "{}", stage.process.last_words());
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_waits_for_a_survey_that_is_away_for_a_moment() -> Result<()> {
    tests::prepared()?;
    // It waits for a number of intervals.
    let mut stage = Stage::with(Duration::from_millis(100), |config| config).await?;
    stage.sandbox.misbehave(Misbehaviour::from(Fault::Late(Duration::from_millis(1))));
    stage.sandbox.misbehave(Fault::Status { status: 503, retry_after: Some(4), body: None });
    let id = Uuid::new_v4();
    ensure!(stage.submit("checkout", &submission(id, 9)).await?.status() == 202);
    stage.until_admin("/metrics", |metrics| metrics.contains("state=\"delayed\"} 1\n")).await?;
    let whole = stage.process.config.clone();
    change(&mut stage, |config| config.edit_first("id = \"checkout\"", "id = \"elsewhere\""))?;
    until_said(&stage, TAKEN, 1).await?;
    stage.sandbox.behave();
    until_said(&stage, "does not fit the configuration", 1).await?;
    change(&mut stage, |_| whole)?;
    until_said(&stage, TAKEN, 2).await?;
    stage.delivered(1).await?;
    ensure!(!stage.log().contains("dead letter"));
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_listener_that_others_reach_keeps_its_token_until_the_next_start() -> Result<()> {
    tests::prepared()?;
    let mut stage = Stage::prepared(QUICK, |config| {
        format!(
            "admin_token_env = \"ADMIN\"\n{}",
            config.edit("admin_listen = \"127.0.0.1:", "admin_listen = \"0.0.0.0:")
        )
    })
    .await?;
    stage.process.environment.insert("ADMIN".into(), "b3BlcmF0b3Jz".into());
    stage.start().await?;
    change(&mut stage, |config| {
        config
            .edit("admin_token_env = \"ADMIN\"\n", "")
            .edit("admin_listen = \"0.0.0.0", "admin_listen = \"127.0.0.1")
    })?;
    until_said(&stage, REFUSED, 1).await?;
    ensure!(stage.log().contains("keep their token until then"), "{}", stage.process.last_words());
    let port = stage.admin.rsplit(':').next().unwrap_or_default();
    let asked = tests::http_client()?.get(format!("http://127.0.0.1:{port}/queue/status")).send().await?;
    ensure!(asked.status() == 401, "{}", asked.status());
    Ok(())
}

#[test]
fn the_examples_for_deployment_are_valid() -> Result<()> {
    tests::prepared()?;
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../deploy");
    let mut checked = 0;
    for entry in std::fs::read_dir(folder)? {
        let path = entry?.path();
        if path.extension().is_none_or(|extension| extension != "toml") {
            continue;
        }
        // Secrets lie where a container or systemd puts them: here, in an empty folder.
        let scratch = tempfile::tempdir()?;
        std::fs::write(scratch.path().join("secret"), "c2VjcmV0")?;
        let text: String = std::fs::read_to_string(&path)?
            .lines()
            .map(|line| match line.split_once("_file = ") {
                Some((key, _)) => format!("{key}_file = \"secret\"\n"),
                None => format!("{line}\n"),
            })
            .collect();
        let config = scratch.path().join("afterword.toml");
        std::fs::write(&config, text)?;
        let output =
            std::process::Command::new(tests::binary()).args(["check", "--config"]).arg(&config).output()?;
        ensure!(output.status.success(), "{}: {}", path.display(), String::from_utf8_lossy(&output.stderr));
        checked += 1;
    }
    ensure!(checked == 3, "{checked} examples");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_in_flight_when_its_server_died_follows_its_survey_and_arrives_once() -> Result<()> {
    tests::prepared()?;
    let mut stage = Stage::new().await?;
    stage.sandbox.misbehave(Misbehaviour::from(Fault::LateReply(Duration::from_mins(1))).calls(1));
    let id = Uuid::new_v4();
    ensure!(stage.submit("checkout", &submission(id, 9)).await?.status() == 202);
    stage.delivered(1).await?;
    stage.kill().await?;
    let config = &stage.process.config;
    stage.process.config = config
        .edit("[platform.sandbox]", "[platform.renamed]")
        .edit("platform = \"sandbox\"", "platform = \"renamed\"");
    stage.start().await?;
    stage.until_log(|log| log.contains("found in flight in lanes that are configured no more")).await?;
    let found = |line: &str| line.contains("looked_up") && line.contains("renamed") && line.contains("found");
    stage.until_admin("/metrics", |metrics| metrics.lines().any(found)).await?;
    ensure!(stage.sandbox.counts().stored == 1, "it was not sent again");
    Ok(())
}
