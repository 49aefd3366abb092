//! `afterword queue export`.

use std::fs::File;
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use clap::Args;

use super::access::{Access, Found};
use super::filter::FilterArgs;
use crate::cli::words::entries;
use crate::cli::{ConfigFile, files};
use crate::clock::Clock;

const HELP: &str = "\
Each line is a JSON object: submission, survey, lane, state, accepted_at, attempts, last_error, history (the calls that \
failed) and stored (language, answers, metadata, respondent and answered_at, as they are stored; null once they are \
forgotten). That is personal data: a file is readable by you alone; delete it when it has served.

Without --state, what is open: waiting, delayed, sending, unknown, parked and dead. The queue may go on working \
meanwhile: what is there all the time is exported once, in the order in which it came in.";

#[derive(Args)]
#[command(after_long_help = HELP)]
pub(super) struct ExportArgs {
    #[command(flatten)]
    file: ConfigFile,
    #[command(flatten)]
    filter: FilterArgs,
    /// Write to this file instead of standard output
    #[arg(long, short, value_name = "FILE")]
    output: Option<PathBuf>,
    /// Overwrite the file
    #[arg(long, requires = "output")]
    force: bool,
}

pub(super) async fn export(arguments: &ExportArgs) -> anyhow::Result<()> {
    let selection = arguments.filter.selection(Clock::wall());
    let found = Found::to_look_at(&arguments.file).await?;
    found.know(&selection).await?;
    let access = found.access;
    let Some(path) = &arguments.output else {
        let mut out = io::stdout().lock();
        return write(&access, &selection, &mut out).await.map(|_| ());
    };
    let mut file = open(path, arguments.force)?;
    let written = match write(&access, &selection, &mut file).await {
        Ok(written) => file.sync_all().map(|()| written).map_err(anyhow::Error::from),
        Err(error) => Err(error),
    };
    match written {
        Ok(written) => eprintln!("{} written to {}", entries(written), path.display()),
        Err(error) if arguments.force => {
            return Err(error.context(format!("{} is not complete", path.display())));
        }
        Err(error) => {
            std::fs::remove_file(path).ok();
            return Err(error.context(format!("{} could not be completed, and was removed", path.display())));
        }
    }
    Ok(())
}

/// Writes the lines, and counts them.
async fn write(
    access: &Access,
    selection: &crate::operator::Selection,
    out: &mut impl Write,
) -> anyhow::Result<u64> {
    let mut lines = 0;
    let take = |page: &[u8]| {
        lines += ends(page);
        Ok(out.write_all(page)?)
    };
    access.export(selection, take).await?;
    out.flush()?;
    Ok(lines)
}

/// How many lines end in a part of the output.
fn ends(part: &[u8]) -> u64 {
    part.split(|byte| *byte == b'\n').skip(1).count() as u64
}

/// A file that its owner alone can read.
fn open(path: &Path, force: bool) -> anyhow::Result<File> {
    let opened = if force {
        files::private(path)
    } else {
        File::options().write(true).create_new(true).mode(0o600).open(path).and_then(files::owned)
    };
    match opened {
        Ok(file) => Ok(file),
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
            bail!("{} is there already; --force overwrites it", path.display())
        }
        Err(error) => Err(error).with_context(|| format!("cannot write {}", path.display())),
    }
}

#[cfg(test)]
mod tests {
    use std::fs::Permissions;
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    #[test]
    fn lines_are_counted_wherever_the_output_is_cut() {
        let parts: [&[u8]; 4] = [b"{}\n{", b"", b"}\n{}", b"\n"];
        assert_eq!(parts.into_iter().map(ends).sum::<u64>(), 3);
    }

    #[test]
    fn a_file_is_private_and_is_not_overwritten_unless_that_is_asked_for() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("export.ndjson");
        let mode = |path: &Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
        open(&path, false).unwrap().write_all(b"first").unwrap();
        assert_eq!(mode(&path), 0o600);
        std::fs::set_permissions(&path, Permissions::from_mode(0o644)).unwrap();
        assert!(open(&path, false).is_err_and(|error| error.to_string().contains("--force")));
        assert_eq!(std::fs::read(&path).unwrap(), b"first");
        open(&path, true).unwrap();
        assert_eq!((mode(&path), std::fs::read(&path).unwrap().len()), (0o600, 0));
    }
}
