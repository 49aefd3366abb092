//! The walls between the modules, as the house style names them.

use super::rust::Source;
use super::{File, Problem};

const QUEUE: &[&str] = &["server/src/queue"];
/// Where the platform's own names are at home; end-to-end tests look at what arrived there.
const PLATFORM: &[&str] = &["server/src/platform", "server/src/sandbox", "server/tests", "tests"];
/// The rules name what they forbid.
const RULES: &[&str] = &["xtask/src/tidy"];

const SQL: [&str; 11] = [
    "SELECT ",
    "INSERT INTO ",
    "INSERT OR ",
    "UPDATE ",
    "DELETE FROM ",
    "CREATE TABLE ",
    "CREATE INDEX ",
    "CREATE UNIQUE ",
    "ALTER TABLE ",
    "DROP TABLE ",
    "PRAGMA ",
];
const PLATFORM_NAMES: [&str; 12] = [
    "UniqueID",
    "UniqueId",
    "cultureInfo",
    "answers/add",
    "answers/getall",
    "respondent/add",
    "Respondent/Add",
    "addmultipletocache",
    "getnpsscore",
    "GetTouchpointSurveyQuestions",
    "api.hellocustomer.com",
    "V1.0/EN",
];
/// Modules of `std` that `shared` does without: it must run in a browser and give the same answer twice.
const OUTSIDE_WORLD: [&str; 7] = ["fs", "net", "io", "time", "process", "env", "thread"];

/// Modules that are there only while a server runs, and those above.
const NOT_OPERATORS: [&str; 6] = ["cli", "dashboard", "forwarder", "http", "intake", "platform"];

pub(super) fn check(file: &File) -> Vec<Problem> {
    let source = Source::read(&file.text);
    let mut problems = Vec::new();
    problems.extend(meet_only_in_the_queue(file, &source));
    problems.extend(operators_meet_the_queue_only(file, &source));
    problems.extend(sql_stays_in_the_queue(file, &source));
    problems.extend(the_platform_keeps_its_names(file, &source));
    problems.extend(shared_is_pure(file, &source));
    problems
}

/// Intake and forwarder never import each other.
fn meet_only_in_the_queue(file: &File, source: &Source) -> Vec<Problem> {
    let other = if file.is_in(&["server/src/intake"]) {
        "forwarder"
    } else if file.is_in(&["server/src/forwarder"]) {
        "intake"
    } else {
        return Vec::new();
    };
    let reaches = source.paths.iter().filter(|(_, path)| is_module_of_the_server(path, other));
    let tell = |path: &[String]| {
        format!(
            "`{}` crosses a wall: intake and forwarder know only the queue, where they meet",
            path.join("::")
        )
    };
    reaches.map(|(line, path)| file.problem(*line, tell(path))).collect()
}

/// What operators do is the same in a server and without one: it knows neither HTTP nor what a server runs.
fn operators_meet_the_queue_only(file: &File, source: &Source) -> Vec<Problem> {
    if !file.is_in(&["server/src/operator"]) {
        return Vec::new();
    }
    let outside = source.paths.iter().filter(|(_, path)| {
        ["axum", "http", "hyper", "reqwest"].contains(&path[0].as_str())
            || NOT_OPERATORS.iter().any(|module| is_module_of_the_server(path, module))
    });
    let tell = |path: &[String]| {
        format!("`{}`: operations on the queue work with and without a server", path.join("::"))
    };
    outside.map(|(line, path)| file.problem(*line, tell(path))).collect()
}

/// Whether a path leads from the crate's root, or from a module above, into `module`.
fn is_module_of_the_server(path: &[String], module: &str) -> bool {
    let upwards = |name: &&String| ["crate", "self", "super", "server"].contains(&name.as_str());
    let steps = path.iter().take_while(upwards).count();
    steps > 0 && path.get(steps).is_some_and(|name| name == module)
}

fn sql_stays_in_the_queue(file: &File, source: &Source) -> Vec<Problem> {
    if file.is_in(QUEUE) || file.is_in(RULES) {
        return Vec::new();
    }
    let imports = source.paths.iter().filter(|(_, path)| path[0] == "rusqlite");
    let imports = imports.map(|(line, _)| file.problem(*line, "rusqlite is used only in server/src/queue"));
    let statements = source.strings.iter().filter(|(_, string)| is_sql(string)).map(|(line, _)| {
        file.problem(*line, "SQL lives only in server/src/queue: the rest must work with every store")
    });
    imports.chain(statements).collect()
}

/// SQL is written in capitals here, which sentences are not.
fn is_sql(string: &str) -> bool {
    string.lines().map(str::trim_start).any(|line| SQL.iter().any(|word| line.starts_with(word)))
}

fn the_platform_keeps_its_names(file: &File, source: &Source) -> Vec<Problem> {
    if file.is_in(PLATFORM) || file.is_in(RULES) {
        return Vec::new();
    }
    let names = source.paths.iter().flat_map(|(line, path)| path.iter().map(move |name| (line, name)));
    let words = source.strings.iter().map(|(line, string)| (line, string)).chain(names);
    let found = words.filter_map(|(line, word)| {
        PLATFORM_NAMES.iter().find(|name| word.contains(*name)).map(|name| (*line, *name))
    });
    let tell = |name: &str| {
        format!("`{name}` is the platform's own name: only server/src/platform and the sandbox know it")
    };
    found.map(|(line, name)| file.problem(line, tell(name))).collect()
}

fn shared_is_pure(file: &File, source: &Source) -> Vec<Problem> {
    if !file.is_in(&["shared/src"]) {
        return Vec::new();
    }
    let outside = source.paths.iter().filter(|(_, path)| is_outside_world(path));
    let tell = |path: &[String]| {
        format!("`{}`: shared has no I/O and no clock, as browser and server must agree", path.join("::"))
    };
    outside.map(|(line, path)| file.problem(*line, tell(path))).collect()
}

fn is_outside_world(path: &[String]) -> bool {
    let below_std =
        path[0] == "std" && path.get(1).is_some_and(|name| OUTSIDE_WORLD.contains(&name.as_str()));
    below_std || path[0] == "tokio" || path.iter().any(|name| name == "SystemTime" || name == "Instant")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn problems(path: &str, text: &str) -> Vec<usize> {
        let file = File { path: path.to_owned(), text: text.to_owned() };
        check(&file).into_iter().map(|problem| problem.line).collect()
    }

    #[test]
    fn intake_that_imports_the_forwarder_is_caught() {
        for text in [
            "use crate::forwarder::Lane;",
            "use crate::{\n queue,\n forwarder};",
            "fn a() { super::super::forwarder::wake(); }",
        ] {
            assert_eq!(problems("server/src/intake/http.rs", text).len(), 1, "{text}");
        }
        assert_eq!(problems("server/src/intake.rs", "use crate::{\n queue,\n forwarder};"), [3]);
    }

    #[test]
    fn the_forwarder_that_imports_the_intake_is_caught() {
        assert_eq!(problems("server/src/forwarder/lane.rs", "\nuse super::super::intake::Body;"), [2]);
    }

    #[test]
    fn both_may_import_the_queue_and_the_command_line_both() {
        assert!(problems("server/src/intake.rs", "use crate::queue::Queue; // not the forwarder").is_empty());
        assert!(problems("server/src/forwarder.rs", "let intake = 1; use crate::queue;").is_empty());
        assert!(problems("server/src/cli/serve.rs", "use crate::{forwarder, intake};").is_empty());
    }

    #[test]
    fn an_operation_that_knows_of_a_server_is_caught() {
        assert_eq!(problems("server/src/operator/list.rs", "use axum::Json;"), [1]);
        assert_eq!(problems("server/src/operator/list.rs", "\nuse crate::forwarder::Lane;"), [2]);
        assert!(problems("server/src/operator/list.rs", "use crate::queue::Records;").is_empty());
        assert!(problems("server/src/dashboard/queue.rs", "use axum::Json;").is_empty());
    }

    #[test]
    fn sql_outside_the_queue_is_caught() {
        let text = "let a = 1;\nlet q = \"SELECT id FROM submission\";";
        assert_eq!(problems("server/src/dashboard/status.rs", text), [2]);
        assert_eq!(problems("server/src/cli/serve.rs", "use rusqlite::Connection;"), [1]);
        assert!(problems("server/src/queue/sqlite.rs", text).is_empty());
        assert!(problems("server/src/cli.rs", "print(\"Select a survey, then UPDATE it\")").is_empty());
    }

    #[test]
    fn the_platforms_names_outside_the_platform_are_caught() {
        assert_eq!(problems("server/src/forwarder/verdict.rs", "let k = \"cultureInfo\";"), [1]);
        assert_eq!(problems("shared/src/survey.rs", "struct A {\n campaign_UniqueID: String }"), [2]);
        assert_eq!(problems("server/src/cli/check.rs", "url.push_str(\"/answers/add\")"), [1]);
        assert!(problems("server/src/platform/answer.rs", "let k = \"QuestionItemUniqueID\";").is_empty());
        assert!(problems("server/src/queue.rs", "/// Sent with `answers/add`.").is_empty());
    }

    #[test]
    fn a_clock_or_a_file_in_shared_is_caught() {
        assert_eq!(problems("shared/src/limits.rs", "use std::{fmt, time::Duration};"), [1]);
        assert_eq!(problems("shared/src/limits.rs", "\nfn now() { SystemTime::now(); }"), [2]);
        assert_eq!(problems("shared/src/survey.rs", "std::fs::read(path)"), [1]);
        assert!(problems("shared/src/survey.rs", "use std::collections::BTreeMap; use std::fmt;").is_empty());
        assert!(problems("server/src/clock.rs", "use std::time::SystemTime;").is_empty());
    }
}
