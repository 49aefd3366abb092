//! `[[survey]]`, in the file itself and in the files of a folder beside it.

use std::io;
use std::path::{Path, PathBuf};

use super::platform::Platform;
use super::reader::{Table, Value};
use super::sources::Sources;
use super::survey::{self, Survey};

/// Where surveys are looked for if no key says so; it need not be there.
const FOLDER: &str = "surveys";
const HINT: &str = "add a [[survey]], here or in a file in the folder `surveys` beside this one";

/// How many surveys there have to be, or secrets.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Needed {
    /// One at least; every one that is named.
    Some,
    /// None will do.
    Any,
}

/// The surveys of the file `name`, then those of the files in its folder.
pub(super) fn read(
    root: &Table<'_>,
    name: &str,
    platforms: Option<&[Platform]>,
    sources: &Sources<'_>,
    needed: Needed,
) -> Option<Vec<Survey>> {
    let mut found = Found { platforms, surveys: Vec::new(), complete: true };
    if let Some(value) = root.get("survey") {
        found.add(&value, name);
    }
    match folder(root, sources) {
        Some(files) => files.iter().for_each(|file| found.add_file(file, sources)),
        None => found.complete = false,
    }
    if found.complete && found.surveys.is_empty() && needed == Needed::Some {
        root.problem("there is no survey", HINT);
        return None;
    }
    found.complete.then(|| found.surveys.into_iter().map(|(survey, _)| survey).collect())
}

/// The files in the folder of surveys; none where there is no folder, and nobody has named one.
fn folder(root: &Table<'_>, sources: &Sources<'_>) -> Option<Vec<PathBuf>> {
    let named = root.get("surveys");
    let path = match &named {
        Some(value) => value.string()?,
        None => FOLDER,
    };
    let path = sources.path(path);
    match (sources.surveys_in(&path), named) {
        (Ok(files), _) => Some(files),
        (Err(error), None) if error.kind() == io::ErrorKind::NotFound => Some(Vec::new()),
        (Err(error), named) => {
            let words = format!("cannot read the folder {}: {error}", path.display());
            match named {
                Some(value) => value.problem(words, "name the folder with the files of surveys"),
                None => root.problem(&words, "name another with `surveys`, or let it be read"),
            }
            None
        }
    }
}

/// The surveys so far, each with the name of its file.
struct Found<'a> {
    platforms: Option<&'a [Platform]>,
    surveys: Vec<(Survey, String)>,
    /// False after a problem.
    complete: bool,
}

impl Found<'_> {
    fn add_file(&mut self, path: &Path, sources: &Sources<'_>) {
        let name = path.display().to_string();
        let text = match sources.read_text(path) {
            Ok(text) => text,
            Err(error) => {
                self.complete = false;
                return sources.tell_of(name, format!("it cannot be read: {error}"));
            }
        };
        let (_, problems) = super::parsed(&text, |table| {
            let surveys = table.required("survey", "a file in this folder holds a [[survey]] or more");
            table.finish();
            surveys.map(|value| self.add(&value, &name))
        });
        self.complete &= problems.is_empty();
        sources.tell(name, problems);
    }

    fn add(&mut self, value: &Value<'_>, file: &str) {
        let entries = value.array();
        if entries.as_ref().is_some_and(Vec::is_empty) {
            value.problem("there is no survey", HINT);
        }
        self.complete &= entries.as_ref().is_some_and(|entries| !entries.is_empty());
        for entry in entries.unwrap_or_default() {
            let Some(survey) = survey::read(&entry, self.platforms) else {
                self.complete = false;
                continue;
            };
            if let Some((_, other)) = self.surveys.iter().find(|(other, _)| other.id == survey.id) {
                let place = if other == file { String::new() } else { format!("; the other is in {other}") };
                let words = format!("there are two surveys {:?}{place}", survey.id.as_str());
                entry.problem(words, "give each its own id");
                self.complete = false;
            }
            self.surveys.push((survey, file.to_owned()));
        }
    }
}
