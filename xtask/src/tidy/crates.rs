//! The direction of the arrows between our crates, as their `Cargo.toml` files draw them.

use super::{File, Problem};

/// Each crate with those it may depend on.
const ARROWS: [(&str, &[&str]); 6] = [
    ("shared", &[]),
    ("widget", &["shared"]),
    ("server", &["shared"]),
    ("tests", &["shared", "server"]),
    ("fuzz", &["shared", "server"]),
    ("xtask", &[]),
];

pub(super) fn check(file: &File) -> Vec<Problem> {
    let Some(of) = file.path.strip_suffix("/Cargo.toml") else { return Vec::new() };
    let Some((_, allowed)) = ARROWS.iter().find(|(name, _)| *name == of) else { return Vec::new() };
    let ours = |name: &str| ARROWS.iter().any(|(of, _)| *of == name);
    dependencies(file)
        .into_iter()
        .filter(|(_, name)| ours(name) && !allowed.contains(&name.as_str()))
        .map(|(line, name)| {
            let may =
                if allowed.is_empty() { "none of our crates".to_owned() } else { allowed.join(" and ") };
            file.problem(line, format!("{of} must not depend on {name}: it may depend on {may}"))
        })
        .collect()
}

/// The names under every `[dependencies]`, also those of a target and for tests, with their lines.
fn dependencies(file: &File) -> Vec<(usize, String)> {
    let mut found = Vec::new();
    let mut inside = false;
    for (number, line) in file.lines() {
        let line = line.trim();
        if let Some(header) = line.strip_prefix('[') {
            let header = header.trim_end_matches(']');
            let mut parts = header.rsplit('.');
            let (last, before) = (parts.next().unwrap_or_default(), parts.next().unwrap_or_default());
            inside = last.ends_with("dependencies");
            if before.ends_with("dependencies") {
                found.push((number, last.to_owned()));
            }
        } else if inside && let Some((key, _)) = line.split_once('=') {
            let name = key.trim().split('.').next().unwrap_or_default().trim_matches('"');
            found.push((number, name.to_owned()));
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn problems(path: &str, text: &str) -> Vec<usize> {
        let file = File { path: path.to_owned(), text: text.to_owned() };
        check(&file).into_iter().map(|problem| problem.line).collect()
    }

    #[test]
    fn an_arrow_in_the_wrong_direction_is_caught_in_every_spelling() {
        assert_eq!(problems("shared/Cargo.toml", "[dependencies]\nserver = { workspace = true }"), [2]);
        assert_eq!(problems("widget/Cargo.toml", "[dependencies.server]\npath = \"../server\""), [1]);
        assert_eq!(problems("xtask/Cargo.toml", "[dev-dependencies]\nshared.workspace = true"), [2]);
        let target = "[target.'cfg(unix)'.dependencies]\ntests = { path = \"../tests\" }";
        assert_eq!(problems("server/Cargo.toml", target), [2]);
    }

    #[test]
    fn the_arrows_of_the_house_pass() {
        let both =
            "[dependencies]\nserver = { workspace = true }\nshared = { workspace = true }\ntoml = \"1\"";
        assert!(problems("tests/Cargo.toml", both).is_empty());
        assert!(
            problems("Cargo.toml", "[workspace.dependencies]\nserver = { path = \"server\" }").is_empty()
        );
    }
}
