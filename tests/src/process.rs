//! A server process, with its configuration in a folder, and what it says.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus, Stdio};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use serde_json::Value;
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::Child;

use crate::{DEADLINE, Edit as _, port};

/// Clock ticks in a second, as `/proc` counts processor time on Linux.
const TICKS: u64 = 100;

/// A server process; it can be started, killed, and started again on the ports that it had.
pub struct Process {
    /// Origin of the public listener, once it has run.
    pub server: String,
    /// Origin of the operators' listener.
    pub admin: String,
    /// What it finds in its environment.
    pub environment: BTreeMap<String, String>,
    /// What `RUST_LOG` says.
    pub log_level: &'static str,
    /// What the binary is started by, if not by itself: a program and its arguments.
    pub wrapper: Vec<String>,
    /// Its configuration, written anew at each start.
    pub config: String,
    /// Everything it has said so far, in all its lives.
    log: Arc<Mutex<String>>,
    child: Option<Child>,
    folder: tempfile::TempDir,
}

impl Process {
    /// A process that does not run yet.
    pub fn new(folder: tempfile::TempDir, config: String) -> Self {
        Self {
            server: String::new(),
            admin: String::new(),
            environment: BTreeMap::new(),
            log_level: "trace",
            wrapper: Vec::new(),
            config,
            log: Arc::default(),
            child: None,
            folder,
        }
    }

    /// Another one with the same configuration and environment, on ports of its own.
    pub fn beside(&self) -> Result<Self> {
        let mut config = self.config.clone();
        for key in ["listen", "admin_listen"] {
            let line = |address: &str| format!("\n{key} = \"{address}\"");
            let own = line(self.address(key)?);
            config = config.edit(&own, &line(&format!("127.0.0.1:{}", port()?)));
        }
        let mut other = Self::new(tempfile::tempdir()?, config);
        other.environment.clone_from(&self.environment);
        other.log_level = self.log_level;
        Ok(other)
    }

    /// What its configuration says under `listen` or `admin_listen`.
    pub fn address(&self, key: &str) -> Result<&str> {
        let address = || self.config.split_once(&format!("\n{key} = \""))?.1.split('"').next();
        address().with_context(|| format!("the configuration has no {key}"))
    }

    /// Starts the server, and waits until it serves.
    pub async fn start(&mut self) -> Result<()> {
        let path = self.config_file();
        std::fs::write(&path, &self.config)?;
        let mut command = self.started();
        command.args(["--log-format", "json", "serve", "--config"]).arg(&path);
        command.envs(&self.environment).env("RUST_LOG", self.log_level);
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped());
        let mut command = tokio::process::Command::from(command);
        let mut child = command.kill_on_drop(true).spawn().context("the server cannot be started")?;
        let mut lines = BufReader::new(child.stderr.take().context("no log")?).lines();
        let log = Arc::clone(&self.log);
        let (serving, started) = tokio::sync::oneshot::channel::<Value>();
        tokio::spawn(async move {
            let mut serving = Some(serving);
            while let Ok(Some(line)) = lines.next_line().await {
                let mut log = log.lock().unwrap_or_else(PoisonError::into_inner);
                log.push_str(&line);
                log.push('\n');
                if line.contains("\"message\":\"serving\"")
                    && let Some(serving) = serving.take()
                {
                    serving.send(serde_json::from_str(&line).unwrap_or_default()).ok();
                }
            }
        });
        let Ok(Ok(line)) = tokio::time::timeout(DEADLINE, started).await else {
            bail!("the server did not start:\n{}", self.log());
        };
        let address = |key: &str| line["fields"][key].as_str().unwrap_or_default().to_owned();
        let (public, admin) = (address("listen"), address("admin"));
        // Only the first start finds them so, and not where a test has chosen its own.
        self.config = self
            .config
            .replace("\nlisten = \"127.0.0.1:0\"", &format!("\nlisten = \"{public}\""))
            .replace("admin_listen = \"127.0.0.1:0\"", &format!("admin_listen = \"{admin}\""));
        (self.server, self.admin) = (format!("http://{public}"), format!("http://{admin}"));
        self.child = Some(child);
        Ok(())
    }

    /// The binary, started by its wrapper if it has one.
    fn started(&self) -> Command {
        match self.wrapper.split_first() {
            Some((wrapper, arguments)) => {
                let mut command = Command::new(wrapper);
                command.args(arguments).arg(binary());
                command
            }
            None => Command::new(binary()),
        }
    }

    /// Runs the server where it is to end by itself; gives back whether it succeeded, and its words.
    pub async fn refuses_to_start(&mut self) -> Result<String> {
        std::fs::write(self.config_file(), &self.config)?;
        let mut command = self.started();
        command.args(["serve", "--config"]).arg(self.config_file());
        command.envs(&self.environment).env("RUST_LOG", "info").stdin(Stdio::null());
        let mut command = tokio::process::Command::from(command);
        let ending = command.kill_on_drop(true).output();
        let output = tokio::time::timeout(DEADLINE, ending).await.context("it does not end")??;
        ensure!(output.status.code() == Some(1), "{}", output.status);
        Ok(String::from_utf8_lossy(&output.stderr).into_owned())
    }

    /// Kills the server with SIGKILL.
    pub async fn kill(&mut self) -> Result<()> {
        self.child.take().context("no server runs")?.kill().await.context("the server cannot be killed")
    }

    /// Stops the server with SIGTERM, and waits for it to end by itself.
    pub async fn stop(&mut self) -> Result<ExitStatus> {
        self.signal("TERM")?;
        let mut child = self.child.take().context("no server runs")?;
        Ok(tokio::time::timeout(DEADLINE, child.wait()).await.context("the server does not stop")??)
    }

    /// Sends a signal to this process, and to no other.
    pub fn signal(&self, name: &str) -> Result<()> {
        let id = self.id()?.to_string();
        let sent = Command::new("kill").args([&format!("-{name}"), &id]).status()?;
        ensure!(sent.success(), "SIG{name} could not be sent");
        Ok(())
    }

    /// The process's number, while it runs.
    pub fn id(&self) -> Result<u32> {
        self.child.as_ref().and_then(Child::id).context("no server runs")
    }

    /// Runs a command of the same program with this configuration, where nobody can be asked, and without
    /// the server's environment.
    pub async fn command(&self, arguments: &[&str]) -> Result<std::process::Output> {
        let path = self.config_file();
        std::fs::write(&path, &self.config)?;
        let mut command = tokio::process::Command::new(binary());
        command.args(arguments).arg("--config").arg(&path).stdin(Stdio::null()).kill_on_drop(true);
        Ok(tokio::time::timeout(DEADLINE, command.output()).await.context("the command does not end")??)
    }

    /// Starts a command of the same program with this configuration and the server's environment, where nobody can
    /// be asked.
    pub fn spawn(&self, arguments: &[&str]) -> Result<Child> {
        let path = self.config_file();
        std::fs::write(&path, &self.config)?;
        let mut command = tokio::process::Command::new(binary());
        command.args(arguments).arg("--config").arg(&path).envs(&self.environment);
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        Ok(command.kill_on_drop(true).spawn()?)
    }

    /// What it has said.
    pub fn log(&self) -> String {
        self.log.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// The end of what it has said.
    pub fn last_words(&self) -> String {
        let log = self.log();
        let lines: Vec<&str> = log.lines().filter(|line| !line.contains("\"TRACE\"")).collect();
        lines[lines.len().saturating_sub(30)..].join("\n")
    }

    /// The folder with the configuration and, unless it is elsewhere, the store.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// The configuration's file.
    pub fn config_file(&self) -> PathBuf {
        self.folder.path().join("afterword.toml")
    }

    /// The processor time that it has used.
    pub fn processor_time(&self) -> Result<Duration> {
        let stat = std::fs::read_to_string(format!("/proc/{}/stat", self.id()?))?;
        // The name before the last bracket may hold blanks; user and system time are fields 14 and 15.
        let fields: Vec<&str> = stat.rsplit(')').next().unwrap_or_default().split_whitespace().collect();
        let ticks =
            |at: usize| fields.get(at).and_then(|ticks| ticks.parse::<u64>().ok()).unwrap_or_default();
        Ok(Duration::from_millis((ticks(11) + ticks(12)) * 1_000 / TICKS))
    }

    /// Its resident memory, as the system writes it.
    pub fn resident(&self) -> Result<String> {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.id()?))?;
        let resident = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).context("no VmRSS")?;
        Ok(resident.trim().to_owned())
    }
}

/// The server's binary: the one that `cargo xtask test` built.
pub fn binary() -> PathBuf {
    std::env::var_os("AFTERWORD_BIN").map_or_else(|| PathBuf::from("afterword"), PathBuf::from)
}
