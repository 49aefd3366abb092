//! The image in a container: packed and run by buildah, without an engine and without a network of its own.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::sync::{Mutex, PoisonError};

use anyhow::{Context, Result, bail, ensure};
use serde_json::Value;
use tokio::process::Child;

use crate::DEADLINE;

/// The user that the image names.
pub const USER: u32 = 65_532;

/// A container of the image; removed when it is dropped.
pub struct Container {
    name: String,
    /// The container's root, as this machine sees it.
    root: PathBuf,
}

/// A server that runs in a container.
pub struct Running {
    child: Child,
}

fn buildah(arguments: &[&str]) -> Command {
    let mut command = Command::new("buildah");
    command.args(["--storage-driver", "vfs"]).args(arguments).stdin(Stdio::null());
    command
}

/// Containers are made in one store, and two at once get in each other's way.
static MAKING: Mutex<()> = Mutex::new(());

fn said(output: Output) -> Result<String> {
    ensure!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    Ok(String::from_utf8(output.stdout)?.trim().to_owned())
}

impl Container {
    /// A container of the image that `cargo xtask test` has built.
    pub fn new() -> Result<Self> {
        let image =
            std::env::var("AFTERWORD_IMAGE").context("AFTERWORD_IMAGE does not say where the image is")?;
        ensure!(Path::new(&image).is_file(), "there is no {image}; `cargo xtask image` builds it");
        let _alone = MAKING.lock().unwrap_or_else(PoisonError::into_inner);
        let name = said(buildah(&["from", "--quiet", &format!("docker-archive:{image}")]).output()?)?;
        let root = said(buildah(&["mount", &name]).output()?)?;
        Ok(Self { name, root: root.into() })
    }

    /// What the image says of itself.
    pub fn description(&self) -> Result<Value> {
        Ok(serde_json::from_str(&said(buildah(&["inspect", &self.name]).output()?)?)?)
    }

    /// A file of the image.
    pub fn file(&self, path: &str) -> PathBuf {
        self.root.join(path)
    }

    /// Every file and folder of the container with its size, but for what lies in its volume.
    pub fn files(&self) -> Result<BTreeMap<PathBuf, u64>> {
        let mut found = BTreeMap::new();
        let mut folders = vec![self.root.clone()];
        while let Some(folder) = folders.pop() {
            for entry in std::fs::read_dir(&folder)? {
                let (path, about) = {
                    let entry = entry?;
                    (entry.path(), entry.metadata()?)
                };
                let inside = path.strip_prefix(&self.root)?.to_owned();
                // What the runtime puts there for the name service and for volumes.
                if ["proc", "sys", "dev", "run", "tmp"].iter().any(|own| inside == Path::new(own)) {
                    continue;
                }
                if about.is_dir() {
                    if inside != Path::new("var/lib/afterword") {
                        folders.push(path);
                    }
                } else {
                    found.insert(inside, about.len());
                }
            }
        }
        Ok(found)
    }

    /// Starts the server as an engine does, with a folder as its configuration, and the volume that the image asks for.
    pub fn serve(&self, configuration: &Path) -> Result<Running> {
        let mut command = self.command(configuration, &["serve"]);
        command.stdout(Stdio::null()).stderr(Stdio::null());
        Ok(Running { child: tokio::process::Command::from(command).kill_on_drop(true).spawn()? })
    }

    /// Runs a command of the image beside its server.
    pub fn run(&self, configuration: &Path, arguments: &[&str]) -> Result<Output> {
        Ok(self.command(configuration, arguments).output()?)
    }

    fn command(&self, configuration: &Path, arguments: &[&str]) -> Command {
        let configuration = format!("{}:/etc/afterword:ro", configuration.display());
        let mut command = buildah(&["run", "--isolation", "chroot", "--volume", &configuration]);
        command.args([&self.name, "--", "/afterword"]).args(arguments);
        command
    }

    /// Starts the server with a root that nobody can write to, not even root: in a file system of its own, where
    /// only the volume takes writes.
    pub fn serve_read_only(&self, configuration: &Path, volume: &Path) -> Result<Running> {
        const SCRIPT: &str = r#"
            mount --bind "$ROOT" "$ROOT"
            mount --bind "$CONFIGURATION" "$ROOT/etc/afterword"
            mount --bind "$VOLUME" "$ROOT/var/lib/afterword"
            mount -o remount,bind,ro "$ROOT"
            if touch "$ROOT/probe" 2>/dev/null; then exit 9; fi
            exec chroot --userspec=65532:65532 "$ROOT" /afterword serve"#;
        std::fs::create_dir_all(self.root.join("etc/afterword"))?;
        let mut command = Command::new("unshare");
        command.args(["--mount", "--propagation", "private", "sh", "-e", "-c", SCRIPT]);
        command.env_clear().env("PATH", std::env::var("PATH").unwrap_or_default());
        command.env("ROOT", &self.root).env("CONFIGURATION", configuration).env("VOLUME", volume);
        command.env("AFTERWORD_CONFIG", "/etc/afterword/afterword.toml").env("MIMALLOC_ALLOW_THP", "0");
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        Ok(Running { child: tokio::process::Command::from(command).kill_on_drop(true).spawn()? })
    }
}

impl Drop for Container {
    fn drop(&mut self) {
        for last in [["umount", &self.name], ["rm", &self.name]] {
            buildah(&last).stdout(Stdio::null()).stderr(Stdio::null()).status().ok();
        }
    }
}

impl Running {
    /// The number of the server's own process, below those that keep the container.
    pub fn server(&self) -> Result<u32> {
        let mut left = vec![self.child.id().context("the container has ended")?];
        while let Some(id) = left.pop() {
            // Any of them may end at any moment.
            if std::fs::read_to_string(format!("/proc/{id}/comm"))
                .is_ok_and(|name| name.trim() == "afterword")
            {
                return Ok(id);
            }
            for task in std::fs::read_dir(format!("/proc/{id}/task")).into_iter().flatten().flatten() {
                let children = std::fs::read_to_string(task.path().join("children")).unwrap_or_default();
                left.extend(children.split_whitespace().filter_map(|child| child.parse::<u32>().ok()));
            }
        }
        bail!("no server runs in the container")
    }

    /// A line of `/proc/PID/status` of the server.
    pub fn status(&self, key: &str) -> Result<String> {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.server()?))?;
        let line = status.lines().find_map(|line| line.strip_prefix(key)?.strip_prefix(':'));
        Ok(line.with_context(|| format!("no {key}"))?.trim().to_owned())
    }

    /// Stops the server with SIGTERM, and waits for the container to end.
    pub async fn stop(mut self) -> Result<()> {
        let id = self.server()?.to_string();
        ensure!(Command::new("kill").args(["-TERM", &id]).status()?.success());
        tokio::time::timeout(DEADLINE, self.child.wait()).await.context("the container does not end")??;
        Ok(())
    }
}

impl Drop for Running {
    /// A test that failed leaves no server behind, which would outlive what keeps its container.
    fn drop(&mut self) {
        if let Ok(id) = self.server() {
            Command::new("kill").arg(id.to_string()).status().ok();
        }
    }
}
