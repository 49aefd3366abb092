//! `cargo xtask pictures`: a contact sheet of every state that a visitor may see.

use anyhow::Result;

use crate::{build, setup, workspace};

pub(crate) fn run() -> Result<()> {
    let tools = setup::run()?;
    build::widget(&tools)?;
    build::server(build::Profile::Dev)?;
    let folder = workspace::target().join("pictures");
    let mut program = workspace::cargo(&["run", "--quiet", "-p", "tests", "--bin", "pictures", "--"]);
    program.arg(&folder).envs(tools.browsers.variables());
    program.env("AFTERWORD_E2E", "1").env("AFTERWORD_BIN", workspace::target().join("debug/afterword"));
    workspace::run(&mut program)
}
