//! The folder that keeps tools between clones, and the rules that keep it whole.
//!
//! A tool is installed into a temporary sibling that is then renamed, so a folder that has its final name
//! is complete. One lock file lets only one set-up install at a time, in all processes.

use std::env;
use std::fs::{self, File, TryLockError};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, anyhow, bail};

use crate::workspace;

/// How the temporary siblings begin.
const UNFINISHED: &str = ".installing-";
/// How much of a failed install's log is shown.
const LOG_TAIL: usize = 40;

/// `$AFTERWORD_TOOLS`, else `afterword` in the user's cache folder.
pub(crate) fn folder() -> Result<PathBuf> {
    let set = |name: &str| env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    let folder = set("AFTERWORD_TOOLS")
        .or_else(|| set("XDG_CACHE_HOME").map(|cache| cache.join("afterword")))
        .or_else(|| set("HOME").map(|home| home.join(".cache/afterword")))
        .context("no folder for the tools: set AFTERWORD_TOOLS to one that may be written to")?;
    Ok(workspace::root().join(folder))
}

/// The right to install, held until it is dropped.
pub(crate) struct Lock {
    _file: File,
}

/// Waits for the right to write what `file` guards, and says so when somebody else has it.
pub(crate) fn lock(file: &Path) -> Result<Lock> {
    if let Some(folder) = file.parent() {
        fs::create_dir_all(folder).with_context(|| format!("cannot create {}", folder.display()))?;
    }
    let handle = File::create(file).with_context(|| format!("cannot create {}", file.display()))?;
    match handle.try_lock() {
        Ok(()) => {}
        Err(TryLockError::WouldBlock) => {
            println!("Waiting for another `cargo xtask` that holds {} ...", file.display());
            handle.lock().with_context(|| format!("cannot lock {}", file.display()))?;
        }
        Err(TryLockError::Error(error)) => {
            return Err(error).with_context(|| format!("cannot lock {}", file.display()));
        }
    }
    Ok(Lock { _file: handle })
}

/// Removes what interrupted set-ups left. Only for the holder of the lock.
pub(crate) fn sweep(cache: &Path) -> Result<()> {
    for entry in fs::read_dir(cache).with_context(|| format!("cannot read {}", cache.display()))? {
        let entry = entry?;
        if entry.file_name().to_string_lossy().starts_with(UNFINISHED) {
            // A child of a killed set-up may still write into it. The next set-up finds it quiet.
            drop(fs::remove_dir_all(entry.path()));
        }
    }
    Ok(())
}

/// Lets `install` fill a temporary folder, which becomes `cache/name` only when it succeeded.
pub(crate) fn install_into(
    cache: &Path,
    name: &str,
    install: impl FnOnce(&Path) -> Result<()>,
) -> Result<()> {
    let unfinished = cache.join(format!("{UNFINISHED}{name}-{}", std::process::id()));
    fs::create_dir_all(&unfinished).with_context(|| format!("cannot create {}", unfinished.display()))?;
    install(&unfinished)?;
    let finished = cache.join(name);
    if finished.exists() {
        fs::remove_dir_all(&finished).with_context(|| format!("cannot replace {}", finished.display()))?;
    }
    fs::rename(&unfinished, &finished).with_context(|| format!("cannot create {}", finished.display()))
}

/// Runs a command with all its output in `cache/logs/NAME.log`; a failure shows the end of it.
pub(crate) fn run_logged(cache: &Path, name: &str, command: &mut Command) -> Result<()> {
    let logs = cache.join("logs");
    fs::create_dir_all(&logs).with_context(|| format!("cannot create {}", logs.display()))?;
    let path = logs.join(format!("{name}.log"));
    let log = File::create(&path).with_context(|| format!("cannot write {}", path.display()))?;
    command.stdin(Stdio::null()).stdout(log.try_clone()?).stderr(log);

    let told = workspace::told(command);
    let status = command.status().with_context(|| format!("cannot start `{told}`"))?;
    if status.success() {
        return Ok(());
    }
    let words = fs::read(&path).map_err(|error| anyhow!("cannot read {}: {error}", path.display()))?;
    bail!("`{told}` failed ({status}). Its log is {} and ends:\n{}", path.display(), tail(&words, LOG_TAIL));
}

/// The last `count` lines.
fn tail(log: &[u8], count: usize) -> String {
    let text = String::from_utf8_lossy(log);
    let lines: Vec<&str> = text.lines().collect();
    let first = lines.len().saturating_sub(count);
    lines[first..].iter().map(|line| format!("    {line}")).collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A folder of this test's own in the build folder, empty at the start.
    fn empty_folder(name: &str) -> Result<PathBuf> {
        let folder = workspace::scratch()?.join("unit").join(name);
        if folder.exists() {
            fs::remove_dir_all(&folder)?;
        }
        fs::create_dir_all(&folder)?;
        Ok(folder)
    }

    #[test]
    fn an_interrupted_install_is_never_taken_for_a_finished_one() -> Result<()> {
        let cache = empty_folder("interrupted")?;
        let interrupted = install_into(&cache, "tool-1", |folder| {
            fs::write(folder.join("half"), "")?;
            bail!("the power went")
        });
        assert!(interrupted.is_err());
        assert!(!cache.join("tool-1").exists());

        sweep(&cache)?;
        install_into(&cache, "tool-1", |folder| Ok(fs::write(folder.join("whole"), "")?))?;
        assert!(cache.join("tool-1/whole").exists());
        assert!(!cache.join("tool-1/half").exists());
        Ok(())
    }

    #[test]
    fn a_failed_command_shows_its_log_and_where_it_is() -> Result<()> {
        let cache = empty_folder("failed")?;
        let mut command = workspace::command("sh");
        command.args(["-c", "echo no such thing >&2; exit 3"]);
        let error = run_logged(&cache, "sh", &mut command).err().context("the command must fail")?;
        assert!(error.to_string().contains("no such thing"), "{error}");
        assert!(error.to_string().contains("sh.log"), "{error}");
        Ok(())
    }

    #[test]
    fn only_the_end_of_a_long_log_is_shown() {
        assert_eq!(tail(b"one\ntwo\nthree\n", 2), "    two\n    three");
    }
}
