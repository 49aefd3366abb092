//! `afterword completions` and `afterword man`: what a shell and its manual know of the command line.

use std::path::{Path, PathBuf};

use anyhow::Context;
use clap::{Args, Command};
use clap_complete::Shell;

use super::words::say;

#[derive(Args)]
pub(super) struct Completions {
    /// The shell that they are for
    shell: Shell,
}

#[derive(Args)]
pub(super) struct Man {
    /// The folder for the pages, one for each command
    #[arg(long, short, value_name = "FOLDER")]
    output: PathBuf,
}

pub(super) fn completions(arguments: &Completions, mut command: Command) -> anyhow::Result<()> {
    let mut script = Vec::new();
    clap_complete::generate(arguments.shell, &mut command, "afterword", &mut script);
    Ok(say(&String::from_utf8(script)?)?)
}

pub(super) fn man(arguments: &Man, command: Command) -> anyhow::Result<()> {
    let folder = &arguments.output;
    let cannot = |path: &Path| format!("cannot write {}", path.display());
    std::fs::create_dir_all(folder).with_context(|| cannot(folder))?;
    clap_mangen::generate_to(command, folder).with_context(|| cannot(folder))
}
