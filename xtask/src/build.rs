//! `cargo xtask build`: the widget first, then the server, which carries the widget inside.

mod bytes;
mod embed;
mod inputs;
pub(crate) mod link;
mod panics;
mod shrink;
mod widget;

use anyhow::Result;

use crate::tools::Tools;
use crate::{setup, workspace};

#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// The server without optimisation, quicker to compile; the widget is the same in both.
    #[arg(long, visible_alias = "debug")]
    dev: bool,
}

/// How the server is compiled.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Profile {
    Release,
    Dev,
}

pub(crate) fn run(arguments: &Arguments) -> Result<()> {
    let tools = setup::run()?;
    widget(&tools)?;
    server(if arguments.dev { Profile::Dev } else { Profile::Release })
}

/// Builds what browsers load into `dist/embed`, unless nothing changed, and prints and checks its bytes.
pub(crate) fn widget(tools: &Tools) -> Result<()> {
    let embed = widget::build(tools)?;
    let bytes = bytes::measure(&embed)?;
    print!("{bytes}");
    bytes.check()
}

pub(crate) fn server(profile: Profile) -> Result<()> {
    let mut command = workspace::cargo(&["build", "-p", "server"]);
    if profile == Profile::Release {
        command.arg("--release");
    }
    workspace::run(&mut command)?;
    let folder = if profile == Profile::Release { "release" } else { "debug" };
    println!("Server: {}", workspace::target().join(folder).join("afterword").display());
    Ok(())
}
