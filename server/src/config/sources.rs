//! Where a configuration comes from: its file, a folder of surveys, the files that it names, the environment.
//!
//! What is read is remembered by its fingerprint, also where reading it led to a problem, so that somebody can tell
//! later whether it still says the same.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::fs::Metadata;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use secrecy::{ExposeSecret, SecretString};
use sha2::{Digest, Sha256};

use super::problem::{Faulty, Problem, Problems};
use super::surveys::Needed;

/// Stands for a secret that could not be read, before its place.
pub const UNSET: &str = "unset:";

/// What is to be done about a secret that could not be read; nothing, if it was. `what` is its name in words.
pub fn missing(secret: &SecretString, what: &str) -> Option<String> {
    let place = secret.expose_secret().strip_prefix(UNSET)?;
    let is_file = place.contains('/');
    Some(if is_file {
        format!("let its {what} be read at {place}")
    } else {
        format!("set its {what} in {place}")
    })
}

/// The environment, as far as a configuration may look at it.
pub type Environment<'a> = &'a dyn Fn(&str) -> Option<String>;

/// The files and folders that were read, as they were.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Files(BTreeMap<PathBuf, Seen>);

/// What was found at a path.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Seen {
    /// A file.
    File(File),
    /// A folder; the files of surveys in it.
    Folder(Vec<PathBuf>),
    /// Nothing that could be read.
    Nothing,
    /// A pipe or the like: it can be read once, and is not looked at again.
    Pipe,
}

/// A file; two are alike if what they hold is.
#[derive(Clone, Debug)]
struct File {
    /// Changes with what the file holds, and may change without.
    stamp: [u64; 4],
    /// The SHA-256 of what it holds.
    content: [u8; 32],
}

impl PartialEq for File {
    fn eq(&self, other: &Self) -> bool {
        self.content == other.content
    }
}

impl Eq for File {}

impl Files {
    /// A short text that is another one whenever they are.
    pub fn version(&self) -> String {
        let mut digest = Sha256::new();
        for (path, seen) in &self.0 {
            digest.update(path.as_os_str().as_encoded_bytes());
            if let Seen::File(file) = seen {
                digest.update(file.content);
            }
        }
        let digest: [u8; 32] = digest.finalize().into();
        digest[..8].iter().fold(String::new(), |text, byte| text + &format!("{byte:02x}"))
    }

    /// The same files and folders as they are now.
    #[must_use]
    pub fn as_they_are(&self) -> Self {
        Self(self.0.iter().map(|(path, seen)| (path.clone(), seen.now(path))).collect())
    }

    /// True if what both have looked at was the same.
    pub fn agree_with(&self, other: &Self) -> bool {
        self.0.iter().all(|(path, seen)| other.0.get(path).is_none_or(|other| other == seen))
    }
}

impl Seen {
    /// What is there now.
    fn now(&self, path: &Path) -> Self {
        let about = std::fs::metadata(path);
        match (self, about) {
            (Self::Pipe, _) => Self::Pipe,
            (_, Err(_)) => Self::Nothing,
            (_, Ok(about)) if about.is_dir() => Self::folder(&surveys_in(path)),
            (Self::File(file), Ok(about)) if file.stamp == stamp(&about) => self.clone(),
            (_, Ok(about)) if about.is_file() => Self::file(&about, &std::fs::read(path)),
            (_, Ok(_)) => Self::Pipe,
        }
    }

    fn file(about: &Metadata, read: &io::Result<Vec<u8>>) -> Self {
        let file = |bytes| Self::File(File { stamp: stamp(about), content: Sha256::digest(bytes).into() });
        read.as_ref().map_or(Self::Nothing, file)
    }

    fn folder(read: &io::Result<Vec<PathBuf>>) -> Self {
        read.as_ref().map_or(Self::Nothing, |files| Self::Folder(files.clone()))
    }
}

/// Which file it is, how long, and when it was changed last.
fn stamp(about: &Metadata) -> [u64; 4] {
    let nanoseconds = about.ctime_nsec().cast_unsigned();
    [about.ino() ^ about.dev().rotate_left(32), about.len(), about.ctime().cast_unsigned(), nanoseconds]
}

/// What a reader of a configuration looks at; relative paths start at its folder.
pub(super) struct Sources<'a> {
    folder: &'a Path,
    environment: Environment<'a>,
    secrets: Needed,
    files: RefCell<Files>,
    faulty: RefCell<Vec<Faulty>>,
}

impl<'a> Sources<'a> {
    pub(super) fn new(folder: &'a Path, environment: Environment<'a>, secrets: Needed) -> Self {
        Self { folder, environment, secrets, files: RefCell::default(), faulty: RefCell::default() }
    }

    /// What stands for a secret that is not at its place, for somebody who may do without.
    pub(super) fn unset(&self, place: &str) -> Option<String> {
        (self.secrets == Needed::Any).then(|| format!("{UNSET}{place}"))
    }

    /// A variable of the environment.
    pub(super) fn variable(&self, name: &str) -> Option<String> {
        (self.environment)(name)
    }

    /// Where a path leads.
    pub(super) fn path(&self, path: impl AsRef<Path>) -> PathBuf {
        self.folder.join(path)
    }

    /// The bytes of a file.
    pub(super) fn read(&self, path: &Path) -> io::Result<Vec<u8>> {
        let about = std::fs::metadata(path);
        let read = std::fs::read(path);
        let seen = match &about {
            Ok(about) if !about.is_file() && !about.is_dir() => Seen::Pipe,
            Ok(about) => Seen::file(about, &read),
            Err(_) => Seen::Nothing,
        };
        self.files.borrow_mut().0.insert(path.to_owned(), seen);
        read
    }

    /// The text of a file.
    pub(super) fn read_text(&self, path: &Path) -> io::Result<String> {
        let text = String::from_utf8(self.read(path)?);
        text.map_err(|error| {
            let line =
                error.as_bytes()[..error.utf8_error().valid_up_to()].split(|byte| *byte == b'\n').count();
            io::Error::new(io::ErrorKind::InvalidData, format!("line {line} is not UTF-8"))
        })
    }

    /// The files of surveys in a folder, in the order of their names.
    pub(super) fn surveys_in(&self, folder: &Path) -> io::Result<Vec<PathBuf>> {
        let listed = surveys_in(folder);
        self.files.borrow_mut().0.insert(folder.to_owned(), Seen::folder(&listed));
        listed
    }

    /// Keeps what is wrong with a file.
    pub(super) fn tell(&self, path: String, problems: Vec<Problem>) {
        if !problems.is_empty() {
            self.faulty.borrow_mut().push(Faulty { path, problems });
        }
    }

    /// Keeps that a file cannot be read at all.
    pub(super) fn tell_of(&self, path: String, message: String) {
        let problems = Problems::new("");
        problems.add(0..0, "", message, "");
        self.tell(path, problems.into_problems());
    }

    /// What was read, and what was wrong with it.
    pub(super) fn into_parts(self) -> (Files, Vec<Faulty>) {
        (self.files.into_inner(), self.faulty.into_inner())
    }
}

/// Those that end in `.toml` and are not hidden: editors and clusters keep their own there.
fn surveys_in(folder: &Path) -> io::Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    for entry in std::fs::read_dir(folder)? {
        let entry = entry?;
        let name = entry.file_name();
        let hidden = name.as_encoded_bytes().starts_with(b".");
        let path = entry.path();
        if !hidden && path.extension().is_some_and(|extension| extension == "toml") && !path.is_dir() {
            files.push(path);
        }
    }
    files.sort();
    Ok(files)
}
