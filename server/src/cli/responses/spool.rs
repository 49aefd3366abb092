//! What has come so far: the responses, one a line, and a note of how far that is.
//!
//! The note is written after the lines that it counts are durable, and by renaming, so that it is never half there. Lines
//! beyond the note belong to a part that was interrupted, and are dropped.

use std::fs::{File, OpenOptions};
use std::io::{self, BufRead as _, BufReader, Read, Seek as _, SeekFrom, Write as _};
use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::reader;
use crate::cli::files;

/// What is collected.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
pub(super) struct Task {
    pub(super) touchpoint: String,
    pub(super) from: Timestamp,
    /// As it was asked for: it may be in the future.
    pub(super) to: Timestamp,
}

/// How far it is.
#[derive(Clone, Debug, Deserialize, Serialize)]
struct Note {
    #[serde(flatten)]
    task: Task,
    /// Everything before this has come.
    until: Timestamp,
    /// In so many bytes of the part.
    bytes: u64,
    responses: u64,
}

/// The lines, and the note beside them, if they are kept.
pub(super) struct Spool {
    file: File,
    paths: Option<(PathBuf, PathBuf)>,
    note: Note,
}

impl Spool {
    /// A spool that is gone with this process.
    pub(super) fn unnamed(task: Task) -> anyhow::Result<Self> {
        let file = tempfile::tempfile().context("there is no place for a file for the time being")?;
        Ok(Self { file, paths: None, note: Note::first(task) })
    }

    /// A spool that stays until it is removed.
    pub(super) fn begin(part: PathBuf, progress: PathBuf, task: Task) -> anyhow::Result<Self> {
        let file = unshared(&part)?;
        let mut spool = Self { file, paths: Some((part, progress)), note: Note::first(task) };
        spool.keep(spool.note.until)?;
        Ok(spool)
    }

    /// A spool that was left; `whole` where the end was said, and is not just the moment.
    pub(super) fn resume(part: PathBuf, progress: PathBuf, task: &Task, whole: bool) -> anyhow::Result<Self> {
        let text = match std::fs::read(&progress) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                bail!("there is nothing to go on with: no {}. Leave --resume out", progress.display())
            }
            Err(error) => return Err(error).with_context(|| format!("cannot read {}", progress.display())),
        };
        let note: Note = serde_json::from_slice(&text).with_context(|| {
            format!(
                "{} cannot be understood; --force in the place of --resume begins anew",
                progress.display()
            )
        })?;
        let Task { touchpoint, from, to } = &note.task;
        // Without --to it goes on to where the first attempt wanted to come: what the platform shows late would else be
        // missed.
        if *touchpoint != task.touchpoint || *from != task.from || whole && *to != task.to {
            bail!(
                "{} is of touchpoint {touchpoint} from {from} to {to}: ask for the same, or begin anew with --force",
                progress.display()
            );
        }
        let mut file = OpenOptions::new()
            .read(true)
            .write(true)
            .open(&part)
            .with_context(|| format!("cannot go on with {}", part.display()))?;
        alone(&file, &part)?;
        if file.metadata()?.len() < note.bytes {
            bail!("{} is shorter than it was; --force in the place of --resume begins anew", part.display());
        }
        file.set_len(note.bytes)?;
        file.seek(SeekFrom::End(0))?;
        Ok(Self { file, paths: Some((part, progress)), note })
    }

    /// What is collected.
    pub(super) fn task(&self) -> &Task {
        &self.note.task
    }

    /// Everything before this has come.
    pub(super) fn until(&self) -> Timestamp {
        self.note.until
    }

    pub(super) fn responses(&self) -> u64 {
        self.note.responses
    }

    /// A file for lines that come after those that are noted. What an attempt before has left there is dropped.
    pub(super) fn lines_to_come(&mut self) -> io::Result<File> {
        self.file.set_len(self.note.bytes)?;
        self.file.seek(SeekFrom::End(0))?;
        self.file.try_clone()
    }

    /// Notes that everything before `until` has come, in so many responses more.
    pub(super) fn came(&mut self, until: Timestamp, responses: u64) -> anyhow::Result<()> {
        self.note.responses += responses;
        self.keep(until)
    }

    fn keep(&mut self, until: Timestamp) -> anyhow::Result<()> {
        self.note.until = until;
        self.note.bytes = self.file.metadata()?.len();
        let Some((_, progress)) = &self.paths else { return Ok(()) };
        let kept = || -> io::Result<()> {
            self.file.sync_all()?;
            let new = progress.with_extension("progress-new");
            let mut file = files::private(&new)?;
            file.write_all(&serde_json::to_vec(&self.note)?)?;
            file.sync_all()?;
            std::fs::rename(&new, progress)
        };
        kept().with_context(|| format!("cannot write {}", progress.display()))
    }

    /// Everything that has come.
    pub(super) fn lines(&self) -> io::Result<impl Read + use<>> {
        Ok(reader(&self.file)?.take(self.note.bytes))
    }

    /// Each response that has come.
    pub(super) fn each(&self) -> io::Result<impl Iterator<Item = io::Result<String>> + use<>> {
        Ok(BufReader::new(self.lines()?).lines())
    }

    /// Removes it.
    pub(super) fn remove(self) -> io::Result<()> {
        let Some((part, progress)) = self.paths else { return Ok(()) };
        std::fs::remove_file(progress)?;
        std::fs::remove_file(part)
    }
}

impl Note {
    fn first(task: Task) -> Self {
        Self { until: task.from, bytes: 0, responses: 0, task }
    }
}

/// An empty file that is ours alone.
fn unshared(path: &Path) -> anyhow::Result<File> {
    let file = files::kept(path).with_context(|| format!("cannot write {}", path.display()))?;
    alone(&file, path)?;
    file.set_len(0)?;
    Ok(file)
}

fn alone(file: &File, path: &Path) -> anyhow::Result<()> {
    files::alone(file, path, "the same is being fetched")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::target::Period;
    use crate::waiting::once_free;

    fn task() -> Task {
        let at = |text: &str| text.parse().unwrap();
        Task { touchpoint: "t".into(), from: at("2026-01-01T00:00:00Z"), to: at("2026-03-01T00:00:00Z") }
    }

    fn paths(folder: &tempfile::TempDir) -> (PathBuf, PathBuf) {
        (folder.path().join("r.csv.part"), folder.path().join("r.csv.progress"))
    }

    /// Resumes it where whoever had it before has ended.
    fn resume(folder: &tempfile::TempDir, task: &Task, exact: bool) -> anyhow::Result<Spool> {
        let resumed = || {
            let (part, progress) = paths(folder);
            Spool::resume(part, progress, task, exact)
        };
        once_free(resumed, |error| error.to_string().contains("in use"))
    }

    #[test]
    fn what_is_noted_is_there_again_and_what_is_not_is_dropped() {
        let folder = tempfile::tempdir().unwrap();
        let (part, progress) = paths(&folder);
        let mut spool = Spool::begin(part, progress, task()).unwrap();
        spool.lines_to_come().unwrap().write_all(b"{\"a\":1}\n{\"b\":2}\n").unwrap();
        let until = "2026-02-01T00:00:00Z".parse().unwrap();
        spool.came(until, 2).unwrap();
        spool.lines_to_come().unwrap().write_all(b"{\"half").unwrap();
        drop(spool);

        let spool = resume(&folder, &task(), true).unwrap();
        assert_eq!((spool.until(), spool.responses()), (until, 2));
        let lines: Vec<String> = spool.each().unwrap().map(Result::unwrap).collect();
        assert_eq!(lines, ["{\"a\":1}", "{\"b\":2}"]);
        let other = Task { touchpoint: "u".into(), ..task() };
        let (part, progress) = paths(&folder);
        let refused = Spool::resume(part, progress, &other, true).err().unwrap().to_string();
        assert!(refused.contains("touchpoint t from 2026-01-01"), "{refused}");
        drop(spool);
        let later = Task { to: "2026-04-01T00:00:00Z".parse().unwrap(), ..task() };
        assert!(resume(&folder, &later, true).is_err());
        let spool = resume(&folder, &later, false).unwrap();
        assert_eq!(spool.task().to, task().to, "it goes on to where it wanted to come");
        let (part, progress) = paths(&folder);
        assert!(Spool::resume(part, progress, &task(), true).err().unwrap().to_string().contains("in use"));
        spool.remove().unwrap();
        let (part, progress) = paths(&folder);
        assert!(!part.exists() && !progress.exists());
        assert!(
            Spool::resume(part, progress, &task(), true)
                .err()
                .unwrap()
                .to_string()
                .contains("nothing to go on with")
        );
    }

    #[test]
    fn an_end_in_the_future_is_kept_as_it_was_asked_for() {
        let folder = tempfile::tempdir().unwrap();
        let at = |text: &str| text.parse::<Timestamp>().unwrap();
        let period = Period { from: at("2026-01-01T00:00:00Z"), to: Some(at("2027-01-01T00:00:00Z")) };
        let task = |now: &str| {
            let ends = period.ends(at(now)).unwrap();
            Task { touchpoint: "t".into(), from: ends.from, to: ends.aim }
        };
        let (part, progress) = paths(&folder);
        drop(Spool::begin(part, progress, task("2026-03-01T00:00:00Z")).unwrap());
        for now in ["2026-03-01T00:01:00Z", "2027-03-01T00:00:00Z"] {
            assert!(resume(&folder, &task(now), true).is_ok(), "{now}");
        }
    }

    #[test]
    fn a_place_that_is_not_there_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let part = folder.path().join("nodir/r.csv.part");
        let error = Spool::begin(part, folder.path().join("r.csv.progress"), task()).err().unwrap();
        assert!(format!("{error:#}").contains("nodir/r.csv.part"), "{error:#}");
    }
}
