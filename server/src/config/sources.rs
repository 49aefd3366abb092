//! Where a configuration comes from: its file, a folder of surveys, the files that it names, the environment.
//!
//! What is read is remembered by its fingerprint, also where reading it led to a problem, so that somebody can tell
//! later whether it still says the same.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};

use super::problem::{Faulty, Problem};

/// The environment, as far as a configuration may look at it.
pub type Environment<'a> = &'a dyn Fn(&str) -> Option<String>;

/// The files and folders that were read, as they were.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Files(BTreeMap<PathBuf, Seen>);

/// What was found at a path.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Seen {
    /// A file; its SHA-256.
    File([u8; 32]),
    /// A folder; the files of surveys in it.
    Folder(Vec<PathBuf>),
    /// Nothing that could be read.
    Nothing,
}

impl Files {
    /// A short text that is another one whenever they are.
    pub fn version(&self) -> String {
        let mut digest = Sha256::new();
        for (path, seen) in &self.0 {
            digest.update(path.as_os_str().as_encoded_bytes());
            if let Seen::File(content) = seen {
                digest.update(content);
            }
        }
        let digest: [u8; 32] = digest.finalize().into();
        digest[..8].iter().fold(String::new(), |text, byte| text + &format!("{byte:02x}"))
    }

    /// The same files and folders as they are now.
    #[must_use]
    pub fn as_they_are(&self) -> Self {
        let look = |(path, seen): (&PathBuf, &Seen)| {
            let seen = match seen {
                // A path that led to nothing may lead to either.
                Seen::Folder(_) | Seen::Nothing if path.is_dir() => Seen::folder(&surveys_in(path)),
                _ => Seen::file(&std::fs::read(path)),
            };
            (path.clone(), seen)
        };
        Self(self.0.iter().map(look).collect())
    }
}

impl Seen {
    fn file(read: &io::Result<Vec<u8>>) -> Self {
        read.as_ref().map_or(Self::Nothing, |bytes| Self::File(Sha256::digest(bytes).into()))
    }

    fn folder(read: &io::Result<Vec<PathBuf>>) -> Self {
        read.as_ref().map_or(Self::Nothing, |files| Self::Folder(files.clone()))
    }
}

/// What a reader of a configuration looks at; relative paths start at its folder.
pub(super) struct Sources<'a> {
    folder: &'a Path,
    environment: Environment<'a>,
    files: RefCell<Files>,
    faulty: RefCell<Vec<Faulty>>,
}

impl<'a> Sources<'a> {
    pub(super) fn new(folder: &'a Path, environment: Environment<'a>) -> Self {
        Self { folder, environment, files: RefCell::default(), faulty: RefCell::default() }
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
        let read = std::fs::read(path);
        self.files.borrow_mut().0.insert(path.to_owned(), Seen::file(&read));
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
