//! A driver process, with all that it starts; nothing of it outlives this value, however a test ends.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::process::Stdio;

use anyhow::{Context, Result, ensure};
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::net::TcpStream;
use tokio::process::{Child, Command};

use super::engine::{Engine, Look, program};
use crate::DEADLINE;

/// A driver that listens.
pub(super) struct Driver {
    /// Where it listens.
    pub(super) url: String,
    process: Child,
    display: Option<Child>,
}

impl Driver {
    /// Starts an engine's driver, and waits until it listens.
    pub(super) async fn start(engine: Engine, look: &Look, folder: &Path) -> Result<Self> {
        let port = crate::port()?;
        let mut command = engine.driver(port, look, folder);
        let mut display = None;
        if engine.needs_display() {
            let (server, name) = open_display(look).await?;
            command.env("DISPLAY", name);
            display = Some(server);
        }
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        let process = command.kill_on_drop(true).spawn();
        let process = process.with_context(|| format!("{engine:?}'s driver cannot be started"))?;
        let mut driver = Self { url: format!("http://127.0.0.1:{port}"), process, display };
        let listening = async {
            while TcpStream::connect(("127.0.0.1", port)).await.is_err() {
                let ended = driver.process.try_wait()?;
                ensure!(ended.is_none(), "{engine:?}'s driver has ended: {ended:?}");
                crate::a_moment().await;
            }
            anyhow::Ok(())
        };
        let listens = tokio::time::timeout(DEADLINE, listening).await;
        listens.with_context(|| format!("{engine:?}'s driver does not listen"))??;
        Ok(driver)
    }

    /// Ends the driver and its browser, and then the display, and waits until they are gone.
    ///
    /// A session that is closed the polite way takes longer, and leaves processes that write into the profile
    /// for a while.
    pub(super) async fn end(&mut self) -> Result<()> {
        kill("KILL", &family(self.process.id()));
        self.process.wait().await?;
        if let Some(display) = &mut self.display {
            // It takes its socket and its lock along.
            kill("TERM", &family(display.id()));
            tokio::time::timeout(DEADLINE, display.wait()).await.context("the display does not end")??;
        }
        Ok(())
    }
}

impl Drop for Driver {
    /// A driver that is killed leaves its browser behind, so that is killed as well.
    fn drop(&mut self) {
        kill("KILL", &family(self.process.id()));
    }
}

/// Sends a signal to these processes, if there are any.
fn kill(signal: &str, ids: &BTreeSet<u32>) {
    if !ids.is_empty() {
        let ids = ids.iter().map(u32::to_string);
        let mut kill = std::process::Command::new("kill");
        kill.arg(format!("-{signal}")).args(ids).stderr(Stdio::null()).status().ok();
    }
}

/// A display without a screen, and its name. Each browser has its own: on a shared one without a window
/// manager they would take the keyboard's focus from each other.
async fn open_display(look: &Look) -> Result<(Child, String)> {
    let screen = format!("{}x{}x24", look.width, look.height);
    let mut server = Command::new(program("XVFB", "Xvfb"));
    // It takes a number that is free, and says which once it listens.
    server.args(["-displayfd", "1", "-nolisten", "tcp", "-screen", "0", &screen]);
    server.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null());
    let mut server = server.kill_on_drop(true).spawn().context("no display can be started")?;
    let mut lines = BufReader::new(server.stdout.take().context("no output")?).lines();
    let number =
        tokio::time::timeout(DEADLINE, lines.next_line()).await.context("the display is silent")??;
    let number = number.context("the display has ended")?;
    Ok((server, format!(":{number}")))
}

/// A process, if it runs, and all that descend from it.
fn family(id: Option<u32>) -> BTreeSet<u32> {
    let mut children: BTreeMap<u32, Vec<u32>> = BTreeMap::new();
    for process in std::fs::read_dir("/proc").into_iter().flatten().flatten() {
        let stat = std::fs::read_to_string(process.path().join("stat")).unwrap_or_default();
        // The name before the last bracket may hold blanks; the parent is the second field after it.
        let parent = stat.rsplit(')').next().and_then(|rest| rest.split_whitespace().nth(1)?.parse().ok());
        let id = process.file_name().to_str().and_then(|name| name.parse().ok());
        if let (Some(id), Some(parent)) = (id, parent) {
            children.entry(parent).or_default().push(id);
        }
    }
    let mut family = BTreeSet::new();
    let mut found = Vec::from_iter(id);
    while let Some(id) = found.pop() {
        if family.insert(id) {
            found.extend(children.get(&id).into_iter().flatten());
        }
    }
    family
}
