//! `cargo xtask test`: every check, in order, each with its time; the last line counts the tests.
//!
//! The first step that fails stops the run and is named. With a filter only the tests whose names contain
//! it are run, and none of the other checks.

use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

use crate::tools::Tools;
use crate::{build, image, setup, terminal, tidy, workspace};

#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// Run only the tests whose name contains one of these, and no other check.
    filters: Vec<String>,
}

pub(crate) fn run(arguments: &Arguments) -> Result<()> {
    let mut steps = Steps::default();
    let tools = steps.run("set-up", setup::run)?;
    steps.run("widget and its bytes", || build::widget(&tools))?;
    let mut outcome = Outcome { succeeded: true, ..Outcome::default() };
    if arguments.filters.is_empty() {
        check(&mut steps, &tools)?;
        outcome += steps.run("tests of the widget's scripts", || scripts(&tools))?;
    }
    // Everything the tests are made of in one go: the features of shared dependencies are then the same for
    // the server that the end-to-end tests start and for the tests, and nothing is compiled twice.
    steps.run("compile server and tests", || {
        workspace::run(&mut workspace::cargo(&["build", "--workspace", "--bins", "--tests"]))
    })?;
    if arguments.filters.is_empty() || arguments.filters.iter().any(|filter| filter.contains("image")) {
        steps.run("image and its bytes", || image::build(&tools))?;
    }
    outcome += steps.run("tests", || tests(&tools, &arguments.filters))?;
    // Far from where they failed, and so where a log that is cut off still shows them.
    for failure in &outcome.failures {
        println!("{failure}");
    }
    print!("\n{steps}");
    println!("{} passed, {} failed", outcome.passed, outcome.failed);
    if !outcome.succeeded {
        bail!("the step `tests` failed");
    }
    Ok(())
}

/// All that is not a test.
fn check(steps: &mut Steps, tools: &Tools) -> Result<()> {
    let cargo = |arguments: &[&str]| workspace::run(&mut workspace::cargo(arguments));
    steps.run("format", || cargo(&["fmt", "--all", "--check"]))?;
    steps.run("lints", || cargo(&["clippy", "--workspace", "--all-targets", "--", "-D", "warnings"]))?;
    steps.run("lints of the widget in the browser", || {
        cargo(&[
            "clippy",
            "-p",
            "widget",
            "--all-features",
            "--target",
            "wasm32-unknown-unknown",
            "--",
            "-D",
            "warnings",
        ])
    })?;
    steps.run("documentation", || {
        let mut doc = workspace::cargo(&["doc", "--workspace", "--no-deps"]);
        workspace::run(doc.env("RUSTDOCFLAGS", "-D warnings"))
    })?;
    steps.run("types for pages", || {
        let mut compile = workspace::command(&tools.tsc);
        compile.args(["--noEmit", "--strict", "--target", "es2020", "--lib", "es2020,dom"]);
        workspace::run(compile.arg(workspace::root().join("tests/types/page.ts")))
    })?;
    steps.run("licences, bans, sources", || {
        let mut deny = workspace::command(&tools.cargo_deny);
        workspace::run(deny.args(["--log-level", "error", "check", "licenses", "bans", "sources"]))
    })?;
    steps.run("walls and tidiness", tidy::check_checkout)
}

/// What of the widget's scripts needs no browser.
fn scripts(tools: &Tools) -> Result<Outcome> {
    let bundled = workspace::scratch()?.join("scripts.test.mjs");
    let mut esbuild = workspace::command(&tools.esbuild);
    esbuild.args(["--bundle", "--platform=node", "--format=esm", "--log-level=warning"]);
    esbuild
        .arg(workspace::root().join("widget/scripts.test.js"))
        .arg(format!("--outfile={}", bundled.display()));
    workspace::run(&mut esbuild)?;
    let node = workspace::on_path(&["node", "nodejs"]).context("no Node.js: run `cargo xtask setup`")?;
    counted(workspace::command(node).args(["--test", "--test-reporter=spec"]).arg(bundled))
}

/// Unit, property, documentation and end-to-end tests. A failing test is an outcome, not an error.
fn tests(tools: &Tools, filters: &[String]) -> Result<Outcome> {
    let mut tests = workspace::cargo(&["test", "--workspace", "--no-fail-fast"]);
    if !filters.is_empty() {
        tests.arg("--").args(filters);
    }
    tests
        .env("AFTERWORD_E2E", "1")
        .env("AFTERWORD_BIN", workspace::target().join("debug/afterword"))
        .env("AFTERWORD_IMAGE", image::archive())
        .envs(tools.browsers.variables())
        .env("LIBFAKETIME", &tools.faketime)
        .env("AXE_CORE", &tools.axe_core)
        .env("ESBUILD", &tools.esbuild)
        .env("FRAMEWORKS", &tools.frameworks)
        .env("SCHEMATHESIS", &tools.schemathesis);
    counted(&mut tests)
}

/// How much of what a failed test printed is shown again at the end.
const LINES_OF_A_FAILURE: usize = 6;
const COLUMNS_OF_A_FAILURE: usize = 400;

/// How the tests ended.
#[derive(Debug, Default, PartialEq, Eq)]
struct Outcome {
    passed: u64,
    failed: u64,
    succeeded: bool,
    /// What each failed test of Rust printed first.
    failures: Vec<String>,
}

impl std::ops::AddAssign for Outcome {
    fn add_assign(&mut self, other: Self) {
        self.passed += other.passed;
        self.failed += other.failed;
        self.succeeded &= other.succeeded;
        self.failures.extend(other.failures);
    }
}

/// Shows every line of the tests as it comes, and adds up what they report.
fn counted(tests: &mut Command) -> Result<Outcome> {
    let told = workspace::told(tests);
    let mut child = tests.stdout(Stdio::piped()).spawn().with_context(|| format!("cannot start `{told}`"))?;
    let printed = child.stdout.take().context("the tests have no output")?;
    let mut outcome = Outcome::default();
    let mut left = 0;
    for line in BufReader::new(printed).split(b'\n') {
        let line = line.context("cannot read the tests' output")?;
        let line = String::from_utf8_lossy(&line);
        println!("{line}");
        if let Some((passed, failed)) = result_of(&line) {
            outcome.passed += passed;
            outcome.failed += failed;
        }
        if line.starts_with("---- ") && line.ends_with(" stdout ----") {
            outcome.failures.push(String::new());
            left = LINES_OF_A_FAILURE;
        }
        if let (1.., Some(failure)) = (left, outcome.failures.last_mut()) {
            failure.push('\n');
            failure.extend(line.chars().take(COLUMNS_OF_A_FAILURE));
            left -= 1;
        }
    }
    outcome.succeeded = child.wait().with_context(|| format!("cannot wait for `{told}`"))?.success();
    Ok(outcome)
}

/// The counts in `test result: ok. 3 passed; 0 failed; ...`, or in Node.js' lines `ℹ pass 3` and `ℹ fail 0`.
fn result_of(line: &str) -> Option<(u64, u64)> {
    if let Some(passed) = line.strip_prefix("ℹ pass ") {
        return Some((passed.parse().ok()?, 0));
    }
    if let Some(failed) = line.strip_prefix("ℹ fail ") {
        return Some((0, failed.parse().ok()?));
    }
    let result = line.strip_prefix("test result: ")?;
    let count = |word: &str| {
        let before = result.split(word).next()?.trim_end();
        before.rsplit([' ', ';']).next()?.parse().ok()
    };
    Some((count(" passed;")?, count(" failed;")?))
}

/// The steps so far, each with its time.
#[derive(Default)]
struct Steps {
    done: Vec<(&'static str, Duration)>,
}

impl Steps {
    fn run<T>(&mut self, name: &'static str, step: impl FnOnce() -> Result<T>) -> Result<T> {
        println!("\n== {name}");
        let start = Instant::now();
        let result = step();
        self.done.push((name, start.elapsed()));
        result.inspect_err(|_| print!("\n{self}")).with_context(|| format!("the step `{name}` failed"))
    }
}

impl std::fmt::Display for Steps {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let total = ("all", self.done.iter().map(|(_, time)| *time).sum());
        let rows: Vec<Vec<String>> = self
            .done
            .iter()
            .chain([&total])
            .map(|(name, time)| vec![(*name).to_owned(), terminal::duration(*time)])
            .collect();
        formatter.write_str(&terminal::table(&rows))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_counts_of_a_test_binary_are_read() {
        let line = "test result: FAILED. 12 passed; 3 failed; 0 ignored; 0 measured; 1 filtered out";
        assert_eq!(result_of(line), Some((12, 3)));
        assert_eq!(result_of("test a_result: ok"), None);
        assert_eq!((result_of("ℹ pass 16"), result_of("ℹ fail 1")), (Some((16, 0)), Some((0, 1))));
    }

    #[test]
    fn the_counts_of_several_test_binaries_are_added_up() -> Result<()> {
        let mut command = workspace::command("printf");
        command
            .arg("test result: ok. 2 passed; 0 failed;\\nother\\ntest result: ok. 40 passed; 0 failed;\\n");
        assert_eq!(
            counted(&mut command)?,
            Outcome { passed: 42, failed: 0, succeeded: true, ..Outcome::default() }
        );
        Ok(())
    }

    #[test]
    fn what_a_failed_test_printed_is_kept_for_the_end() -> Result<()> {
        let mut command = workspace::command("printf");
        command.args(["%s\\n", "---- a::b stdout ----", "Error: never", "1", "2", "3", "4", "5"]);
        let outcome = counted(&mut command)?;
        assert_eq!(outcome.failures, ["\n---- a::b stdout ----\nError: never\n1\n2\n3\n4"]);
        Ok(())
    }

    #[test]
    fn tests_that_do_not_compile_are_a_failure_without_counts() -> Result<()> {
        assert_eq!(counted(&mut workspace::command("false"))?, Outcome::default());
        Ok(())
    }
}
