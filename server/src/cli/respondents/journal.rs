//! What became of each row, durably, so that an interrupted run goes on and nothing is sent twice.
//!
//! A file beside the list, a JSON object a line. The first names the list by its digest; each one after it says how some
//! rows stand from then on. `sending` is durable before the call leaves: rows that are found so were in flight when the
//! process ended, and nobody knows whether they arrived. A last line that was cut off says nothing.

use std::fs::File;
use std::io::{self, Read as _, Seek as _, SeekFrom, Write as _};
use std::ops::Range;
use std::path::{Path, PathBuf};

use anyhow::{Context, anyhow, bail};
use serde::{Deserialize, Serialize};

use crate::cli::files;

/// How a row stands.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum State {
    /// It has not been sent, or surely did not arrive.
    #[default]
    Waiting,
    /// The platform has refused it together with others: it is sent with so many rows at most.
    Within(usize),
    /// A call with it has left.
    Sending,
    /// The platform has taken it.
    Added,
    /// The platform has refused it, in these words.
    Refused(String),
    /// It may have arrived.
    Unknown(String),
}

/// The list that a journal is of.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
pub(super) struct List {
    /// SHA-256 of the respondents as they are sent.
    pub(super) digest: String,
    pub(super) touchpoint: String,
    /// Rows that are sent.
    pub(super) rows: usize,
}

#[derive(Deserialize, Serialize)]
struct Line {
    /// The first row, from 0.
    from: usize,
    /// The row after the last.
    to: usize,
    state: State,
}

/// What became of each row.
#[derive(Debug)]
pub(super) struct Journal {
    file: File,
    path: PathBuf,
    states: Vec<State>,
}

/// How a journal is to be opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Way {
    /// It must not be there.
    New,
    /// It goes on.
    Resume,
    /// What it says is forgotten.
    Again,
}

impl Journal {
    /// Opens the journal of a list; nobody else does until it is dropped.
    pub(super) fn open(path: PathBuf, list: &List, way: Way) -> anyhow::Result<Self> {
        let cannot = || format!("cannot use {}", path.display());
        let there = path.try_exists().with_context(cannot)?;
        if way == Way::Resume && !there {
            bail!("there is nothing to go on with: no {}. Leave --resume out", path.display());
        }
        let mut file = files::kept(&path).with_context(cannot)?;
        files::alone(&file, &path, "the list is being sent")?;
        let mut text = Vec::new();
        file.read_to_end(&mut text).with_context(cannot)?;
        // What was cut off is no line; whoever was here before may have been killed before the first one was whole.
        text.truncate(text.iter().rposition(|byte| *byte == b'\n').map_or(0, |end| end + 1));
        let states = match way {
            Way::New if !text.is_empty() => bail!("{} is there{}", path.display(), found(&text, list)),
            Way::Resume => {
                read(&text, list).map_err(|unread| anyhow!("{} {}", path.display(), unread.to_go_on()))?
            }
            Way::New | Way::Again => vec![State::Waiting; list.rows],
        };
        let mut journal = Self { file, path, states };
        match way {
            Way::Resume => journal.go_on(text.len() as u64)?,
            Way::New | Way::Again => journal.begin(list)?,
        }
        Ok(journal)
    }

    fn begin(&mut self, list: &List) -> anyhow::Result<()> {
        let begun = |file: &mut File| {
            file.set_len(0)?;
            file.seek(SeekFrom::Start(0))?;
            file.write_all(&line(list)?)?;
            file.sync_all()
        };
        // The file's name has to be as durable as what is in it.
        let begun = |file: &mut File| begun(file).and_then(|()| sync_folder(&self.path));
        begun(&mut self.file).with_context(|| format!("cannot write {}", self.path.display()))
    }

    /// Goes on behind its whole lines.
    fn go_on(&mut self, whole: u64) -> anyhow::Result<()> {
        let behind = |file: &mut File| file.set_len(whole).and_then(|()| file.seek(SeekFrom::End(0)));
        behind(&mut self.file).with_context(|| format!("cannot write {}", self.path.display()))?;
        Ok(())
    }

    /// How each row stands.
    pub(super) fn states(&self) -> &[State] {
        &self.states
    }

    /// Notes how some rows stand from now on; durable when it returns.
    pub(super) fn note(&mut self, rows: Range<usize>, state: State) -> anyhow::Result<()> {
        let noted = |file: &mut File, state: &State| {
            file.write_all(&line(&Line { from: rows.start, to: rows.end, state: state.clone() })?)?;
            file.sync_data()
        };
        noted(&mut self.file, &state).with_context(|| format!("cannot write {}", self.path.display()))?;
        if let Some(rows) = self.states.get_mut(rows) {
            rows.fill(state);
        }
        Ok(())
    }
}

/// Why a journal does not say how the rows of a list stand.
enum Unread {
    AnotherList,
    /// From this line on, counted from 1.
    Unclear(usize),
}

impl Unread {
    /// What keeps a run from going on with it.
    fn to_go_on(&self) -> String {
        match self {
            Self::AnotherList => {
                "is of another list: go on with the file as it was, and the same survey. What was mended in it goes into \
                 a file of its own"
                    .into()
            }
            Self::Unclear(line) => format!(
                "cannot be understood from line {line} on; --again in the place of --resume begins anew"
            ),
        }
    }
}

/// How the rows of a list stand by the whole lines of a journal, after whoever wrote it has ended.
fn read(text: &[u8], list: &List) -> Result<Vec<State>, Unread> {
    let mut lines = (1..).zip(text.split(|byte| *byte == b'\n')).filter(|(_, line)| !line.is_empty());
    let (number, line) = lines.next().unwrap_or((1, b""));
    let of: List = serde_json::from_slice(line).map_err(|_| Unread::Unclear(number))?;
    if of != *list {
        return Err(Unread::AnotherList);
    }
    let mut states = vec![State::Waiting; list.rows];
    for (number, line) in lines {
        let Line { from, to, state } = serde_json::from_slice(line).map_err(|_| Unread::Unclear(number))?;
        states.get_mut(from..to).ok_or(Unread::Unclear(number))?.fill(state);
    }
    for state in states.iter_mut().filter(|state| **state == State::Sending) {
        *state = State::Unknown("the program ended while the call was in flight".into());
    }
    Ok(states)
}

/// What is to be said of a journal that nobody has asked to go on with.
fn found(text: &[u8], list: &List) -> String {
    let move_away = "Move it away if it is not needed any more, or name another file with --progress";
    let states = match read(text, list) {
        Ok(states) => states,
        Err(Unread::AnotherList) => {
            return format!(", and of another list: it says who of that one was added. {move_away}");
        }
        Err(Unread::Unclear(line)) => {
            return format!(
                ", and cannot be understood from line {line} on: it may say who was added. {move_away}"
            );
        }
    };
    let some = |is: fn(&State) -> bool| states.iter().any(is);
    let said = if some(|state| matches!(state, State::Waiting | State::Within(_))) {
        ": this list was begun and interrupted. --resume goes on with it; --again sends all of it, also to those who have it \
         already"
    } else if some(|state| matches!(state, State::Unknown(_))) {
        ": this list has been sent, but for rows that may have arrived or not. --resume names them, and with \
         --resend-unknown sends them again"
    } else {
        ": this list has been sent. --again sends it once more, to the same people; remove the file if it is of another \
         list"
    };
    said.to_owned()
}

/// Makes the name of a new file durable.
fn sync_folder(path: &Path) -> io::Result<()> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    File::open(folder)?.sync_all()
}

fn line(value: &impl Serialize) -> io::Result<Vec<u8>> {
    let mut line = serde_json::to_vec(value)?;
    line.push(b'\n');
    Ok(line)
}

#[cfg(test)]
mod tests {
    use std::fs::OpenOptions;

    use super::*;
    use crate::waiting::once_free;

    fn list() -> List {
        List { digest: "d".into(), touchpoint: "t".into(), rows: 4 }
    }

    struct Folder(tempfile::TempDir);

    impl Folder {
        fn new() -> Self {
            Self(tempfile::tempdir().unwrap())
        }

        fn path(&self) -> PathBuf {
            self.0.path().join("list.csv.progress")
        }

        fn open(&self, way: Way) -> anyhow::Result<Journal> {
            self.open_of(&list(), way)
        }

        /// Opens it where whoever had it before has ended.
        fn open_of(&self, list: &List, way: Way) -> anyhow::Result<Journal> {
            let is_held = |error: &anyhow::Error| error.to_string().contains("in use");
            once_free(|| Journal::open(self.path(), list, way), is_held)
        }

        fn refused(&self, way: Way) -> String {
            self.open(way).unwrap_err().to_string()
        }
    }

    #[test]
    fn rows_are_found_as_they_were_and_what_was_in_flight_is_unknown() {
        let folder = Folder::new();
        let mut journal = folder.open(Way::New).unwrap();
        journal.note(0..1, State::Added).unwrap();
        journal.note(1..2, State::Refused("no".into())).unwrap();
        journal.note(2..3, State::Sending).unwrap();
        drop(journal);
        // Killed in the middle of a line.
        let mut file = OpenOptions::new().append(true).open(folder.path()).unwrap();
        file.write_all(b"{\"from\":3,\"to\":4,\"sta").unwrap();

        let mut journal = folder.open(Way::Resume).unwrap();
        let [State::Added, State::Refused(_), State::Unknown(words), State::Waiting] = journal.states()
        else {
            panic!("{journal:?}")
        };
        assert!(words.contains("in flight"));
        journal.note(3..4, State::Added).unwrap();
        drop(journal);
        assert_eq!(folder.open(Way::Resume).unwrap().states()[3], State::Added);
    }

    #[test]
    fn a_list_is_not_sent_twice_by_mistake() {
        let folder = Folder::new();
        assert!(folder.refused(Way::Resume).contains("nothing to go on with"));
        let mut journal = folder.open(Way::New).unwrap();
        let held = Journal::open(folder.path(), &list(), Way::New).unwrap_err().to_string();
        assert!(held.contains("in use"), "{held}");
        journal.note(0..2, State::Added).unwrap();
        drop(journal);
        assert!(folder.refused(Way::New).contains("begun and interrupted"));
        folder.open(Way::Resume).unwrap().note(2..4, State::Sending).unwrap();
        // Nothing is left that surely did not arrive.
        assert!(folder.refused(Way::New).contains("may have arrived or not"));
        folder.open(Way::Resume).unwrap().note(2..4, State::Added).unwrap();
        assert!(folder.refused(Way::New).contains("has been sent"));
        let other = List { digest: "e".into(), ..list() };
        for way in [Way::New, Way::Resume] {
            let refused = folder.open_of(&other, way).unwrap_err().to_string();
            assert!(refused.contains("of another list"), "{refused}");
        }
        assert!(folder.open(Way::Again).unwrap().states().iter().all(|state| *state == State::Waiting));
    }

    #[test]
    fn a_journal_that_is_none_is_not_believed() {
        let folder = Folder::new();
        for (line, text) in [
            (1, "{}\n"),
            (
                2,
                "{\"digest\":\"d\",\"touchpoint\":\"t\",\"rows\":4}\n{\"from\":3,\"to\":9,\"state\":\"added\"}\n",
            ),
        ] {
            std::fs::write(folder.path(), text).unwrap();
            for way in [Way::New, Way::Resume] {
                let refused = folder.refused(way);
                assert!(refused.contains(&format!("cannot be understood from line {line} on")), "{refused}");
            }
        }
        // Killed before its first line was whole: nothing was sent.
        std::fs::write(folder.path(), "{\"dig").unwrap();
        folder.open(Way::New).unwrap();
    }
}
