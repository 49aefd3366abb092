//! What the operators' guide guarantees is held by tests, and the tests it names exist.

use std::collections::BTreeSet;

use super::{File, Problem};

const GUIDE: &str = "docs/operating.md";
const SECTION: &str = "## What is guaranteed";

/// The functions that a Rust file declares.
pub(super) fn functions(file: &File) -> BTreeSet<String> {
    let name = |(_, line): (usize, &str)| {
        let rest = line.trim_start().split_once("fn ").filter(|(before, _)| !before.contains("//"))?.1;
        let name: String = rest.chars().take_while(|c| c.is_ascii_alphanumeric() || *c == '_').collect();
        (!name.is_empty()).then_some(name)
    };
    file.lines().filter_map(name).collect()
}

/// Rows without a test, and tests that no file declares.
pub(super) fn check(file: &File, functions: &BTreeSet<String>) -> Vec<Problem> {
    if file.path != GUIDE {
        return Vec::new();
    }
    let section = file.lines().skip_while(|(_, line)| *line != SECTION).skip(1);
    let rows: Vec<(usize, &str)> = section.take_while(|(_, line)| !line.starts_with("## ")).collect();
    let mut problems = Vec::new();
    let (mut promised, mut held) = (BTreeSet::new(), BTreeSet::new());
    for (number, line) in &rows {
        let mut cells = line.trim_matches('|').split('|').map(str::trim);
        let Some(row) = cells.next().and_then(|cell| cell.parse::<u32>().ok()) else { continue };
        let rest: Vec<&str> = cells.collect();
        if rest.len() > 1 {
            promised.insert((row, *number));
            continue;
        }
        held.insert(row);
        let named = rest.iter().flat_map(|cell| cell.split('`').skip(1).step_by(2));
        let missing = named.filter(|name| !functions.contains(*name));
        problems.extend(missing.map(|name| file.problem(*number, format!("there is no test `{name}`"))));
    }
    let unheld = promised.iter().filter(|(row, _)| !held.contains(row));
    problems.extend(
        unheld.map(|(row, line)| file.problem(*line, format!("no test is named for the guarantee {row}"))),
    );
    if promised.is_empty() {
        problems.push(file.problem(1, format!("the section `{SECTION}` has no table")));
    }
    problems
}

#[cfg(test)]
mod tests {
    use super::*;

    fn problems(text: &str) -> Vec<String> {
        let source = File {
            path: "tests/a.rs".to_owned(),
            text:
                "#[test]\nfn one_holds() {}\n    pub(super) async fn two_holds(x: u8) {\n// fn three_holds()"
                    .to_owned(),
        };
        let guide = File {
            path: GUIDE.to_owned(),
            text: format!("# Guide\n{SECTION}\n{text}\n## Next\n| 9 | a | b |"),
        };
        check(&guide, &functions(&source)).into_iter().map(|problem| problem.message).collect()
    }

    #[test]
    fn a_guarantee_needs_a_test_that_exists() {
        let table = "| 1 | killed | no |\n| 2 | busy | no |\n\n| 1 | `one_holds` |\n";
        assert!(problems(&format!("{table}| 2 | `two_holds`, `one_holds` |")).is_empty());
        assert_eq!(problems(&format!("{table}| 2 | `three_holds` |")), ["there is no test `three_holds`"]);
        assert_eq!(problems(table), ["no test is named for the guarantee 2"]);
        assert_eq!(problems("nothing").len(), 1);
    }
}
