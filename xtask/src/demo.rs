//! `cargo xtask demo`: everything built, then `afterword demo` in the place of this program.

use std::os::unix::process::CommandExt;
use std::process::Stdio;

use anyhow::{Context, Result};

use crate::{build, setup, workspace};

#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// What `afterword demo` is given.
    #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
    arguments: Vec<String>,
}

pub(crate) fn run(arguments: &Arguments) -> Result<()> {
    let tools = setup::run()?;
    build::widget(&tools)?;
    build::server(build::Profile::Release)?;
    let afterword = workspace::target().join("release/afterword");
    // The demo takes this process's place, so that Ctrl-C reaches it and nobody in between.
    let mut demo = workspace::command(&afterword);
    demo.arg("demo").args(&arguments.arguments).stdin(Stdio::inherit());
    Err(demo.exec()).with_context(|| format!("cannot start {}", afterword.display()))
}
