//! Relative links in the README and the docs lead somewhere.

use std::collections::BTreeSet;
use std::path::{Component, Path, PathBuf};

use super::{File, Problem};

pub(super) fn check(file: &File, names: &BTreeSet<String>) -> Vec<Problem> {
    if !file.has_extension("md") {
        return Vec::new();
    }
    let mut problems = Vec::new();
    let mut in_code = false;
    for (number, line) in file.lines() {
        if line.trim_start().starts_with("```") {
            in_code = !in_code;
        } else if !in_code {
            let broken =
                targets(line).into_iter().filter(|target| !leads_somewhere(&file.path, target, names));
            problems.extend(broken.map(|target| {
                file.problem(
                    number,
                    format!("the link to `{target}` leads nowhere: no such file is in the checkout"),
                )
            }));
        }
    }
    problems
}

/// The targets of `[text](target)`, `![image](target)` and `src="target"` in a line, without `code`.
fn targets(line: &str) -> Vec<String> {
    let prose: String = line.split('`').step_by(2).collect();
    let after = |opening: &str, closing: &[char]| {
        let parts = prose.split(opening).skip(1);
        parts.filter_map(|rest| rest.split(closing).next().map(str::to_owned)).collect::<Vec<_>>()
    };
    let mut found = after("](", &[')', ' ']);
    found.extend(after("src=\"", &['"']));
    found
}

fn leads_somewhere(from: &str, target: &str, names: &BTreeSet<String>) -> bool {
    let elsewhere = target.contains("://") || target.starts_with("mailto:") || target.starts_with('#');
    let target = target.split(['#', '?']).next().unwrap_or(target);
    if elsewhere || target.is_empty() {
        return true;
    }
    let Some(path) = resolved(from, target) else { return false };
    path.is_empty() || names.contains(&path) || names.iter().any(|name| name.starts_with(&format!("{path}/")))
}

/// The path from the root, or nothing where the link leaves the checkout.
fn resolved(from: &str, target: &str) -> Option<String> {
    let folder = Path::new(from).parent().unwrap_or(Path::new(""));
    let mut path = PathBuf::new();
    for part in folder.join(target.trim_start_matches('/')).components() {
        match part {
            Component::Normal(name) => path.push(name),
            Component::ParentDir if !path.pop() => return None,
            _ => {}
        }
    }
    Some(path.to_string_lossy().into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn problems(path: &str, text: &str) -> Vec<usize> {
        let names = ["README.md", "docs/embedding.md", "docs/images/shop.png", "server/src/main.rs"];
        let names = names.map(str::to_owned).into();
        let file = File { path: path.to_owned(), text: text.to_owned() };
        check(&file, &names).into_iter().map(|problem| problem.line).collect()
    }

    #[test]
    fn a_link_to_a_file_that_is_not_there_is_caught() {
        assert_eq!(problems("README.md", "one\nsee [this](docs/missing.md)"), [2]);
        assert_eq!(problems("docs/embedding.md", "![shop](image/shop.png)"), [1]);
        assert_eq!(problems("docs/embedding.md", "[out](../../elsewhere.md)"), [1]);
    }

    #[test]
    fn links_to_files_folders_headings_and_other_sites_pass() {
        let text = "[a](docs/embedding.md#modes) [b](server/src) [c](#top) [d](https://example.com/x)";
        assert!(problems("README.md", text).is_empty());
        assert!(problems("docs/embedding.md", "[up](../README.md) ![shop](images/shop.png)").is_empty());
    }

    #[test]
    fn what_is_code_is_no_link() {
        assert!(problems("README.md", "`[a](missing.md)`\n```\n[b](missing.md)\n```").is_empty());
    }
}
