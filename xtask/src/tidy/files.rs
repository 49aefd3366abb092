//! What every file has in common: its language, its first and last lines, and nothing of the machine it was
//! written on.

use super::{File, Problem};

/// What a page runs before WebAssembly is there and around it: when a survey is due, the frame of an
/// overlay and its tab, what is still to be sent, and what WebAssembly would have to ask of the browser step by step; their
/// tests, their types, and the typed page that they are held to.
const OURS: [&str; 12] = [
    "widget/loader.js",
    "widget/frame.js",
    "widget/tab.js",
    "widget/outbox.js",
    "widget/counts.js",
    "widget/sending.js",
    "widget/browser.js",
    "widget/full.js",
    "widget/scripts.test.js",
    "widget/afterword.d.ts",
    "server/src/page/live.js",
    "tests/types/page.ts",
];
const SCRIPTS: [&str; 7] = ["js", "mjs", "cjs", "jsx", "ts", "tsx", "mts"];
/// Pages that may hold a script: the widget developer's page and the pages that the server serves.
const PAGES: &[&str] = &["index.html", "server"];
/// The rules name what they forbid.
const RULES: &[&str] = &["xtask/src/tidy"];
const BINARY: [&str; 12] =
    ["png", "jpg", "jpeg", "gif", "webp", "ico", "pdf", "woff", "woff2", "wasm", "br", "gz"];

const MACHINE_PATHS: [&str; 5] = ["/work/", "/root/", "/home/", "/tmp/", "/Users/"];
const REGISTRIES: [&str; 8] = [
    "index.crates.io",
    "static.crates.io",
    "registry.npmjs.org",
    "registry.yarnpkg.com",
    "deb.debian.org",
    "security.debian.org",
    "files.pythonhosted.org",
    "proxy.golang.org",
];

/// Whether a file has no lines to speak of.
pub(super) fn is_binary(path: &str) -> bool {
    path.rsplit_once('.').is_some_and(|(_, extension)| BINARY.contains(&extension))
}

pub(super) fn check(file: &File) -> Vec<Problem> {
    let mut problems = Vec::new();
    problems.extend(few_scripts(file));
    problems.extend(rust_opens_with_its_purpose(file));
    problems.extend(clean_lines(file));
    problems.extend(no_machine(file));
    problems
}

/// We write no JavaScript but these files, apart from the pages for developers and the demo.
fn few_scripts(file: &File) -> Option<Problem> {
    if SCRIPTS.iter().any(|script| file.has_extension(script)) && !OURS.contains(&file.path.as_str()) {
        let ours = OURS.join(", ");
        return Some(file.problem(1, format!("the only scripts we write are {ours}: the rest is Rust")));
    }
    if !file.has_extension("html") || file.is_in(PAGES) {
        return None;
    }
    let (line, _) = file.lines().find(|(_, line)| holds_script(line))?;
    Some(file.problem(line, "a page with a script of its own: pages load the loader".to_owned()))
}

/// Whether a line opens a script that is not just loaded from elsewhere.
fn holds_script(line: &str) -> bool {
    let opening = line.split_once("<script").map(|(_, rest)| rest.split('>').next().unwrap_or(rest));
    opening.is_some_and(|attributes| !attributes.contains("src="))
}

fn rust_opens_with_its_purpose(file: &File) -> Option<Problem> {
    if !file.is_rust() || file.text.starts_with("//!") {
        return None;
    }
    Some(file.problem(1, "does not open with `//!`: say what the module is for and what it knows nothing of"))
}

fn clean_lines(file: &File) -> Vec<Problem> {
    let mut problems = Vec::new();
    for (number, line) in file.text.split('\n').enumerate() {
        if line.ends_with([' ', '\t', '\r']) {
            problems.push(
                file.problem(number + 1, "the line ends with white space, which diffs show as a change"),
            );
        }
    }
    let last = file.text.lines().count().max(1);
    if !file.text.is_empty() && !file.text.ends_with('\n') {
        problems.push(file.problem(last, "the last line does not end, so adding one would change two"));
    }
    if file.text.ends_with("\n\n") {
        problems.push(file.problem(last, "ends with an empty line"));
    }
    problems
}

/// Nothing tells on which machine, or from which mirror, this was made.
fn no_machine(file: &File) -> Vec<Problem> {
    if file.is_in(RULES) {
        return Vec::new();
    }
    let mut problems = Vec::new();
    for (number, line) in file.lines() {
        if let Some(path) = MACHINE_PATHS.into_iter().find(|path| holds_path(line, path)) {
            problems
                .push(file.problem(number, format!("`{path}` is a folder of one machine, not of every one")));
        }
        if let Some(host) = REGISTRIES.into_iter().find(|host| line.contains(host)) {
            let message = format!("`{host}`: which registry is used is configured on the machine, not here");
            problems.push(file.problem(number, message));
        }
    }
    problems
}

/// Whether the line has `path` where a path begins: `a/work/b` and `https://example.com/home/` do not.
fn holds_path(line: &str, path: &str) -> bool {
    line.match_indices(path).any(|(place, _)| {
        let before = line[..place].chars().next_back();
        !before.is_some_and(|letter| letter.is_alphanumeric() || "_-.~}/$*".contains(letter))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn problems(path: &str, text: &str) -> Vec<usize> {
        let file = File { path: path.to_owned(), text: text.to_owned() };
        check(&file).into_iter().map(|problem| problem.line).collect()
    }

    #[test]
    fn another_script_is_caught() {
        assert_eq!(problems("widget/helper.js", "let a;\n"), [1]);
        assert_eq!(problems("docs/example.html", "<p>\n<script>let a</script>\n"), [2]);
        assert!(problems("widget/loader.js", "let a;\n").is_empty());
        assert!(problems("docs/example.html", "<script async src=\"widget.js\"></script>\n").is_empty());
        assert!(problems("server/src/demo/shop.html", "<script>let a</script>\n").is_empty());
    }

    #[test]
    fn a_rust_file_without_its_purpose_is_caught() {
        assert_eq!(problems("server/src/queue.rs", "use std::fmt;\n"), [1]);
        assert!(problems("server/src/queue.rs", "//! The queue.\n").is_empty());
    }

    #[test]
    fn unclean_lines_are_caught() {
        assert_eq!(problems("a.md", "one \ntwo\n"), [1]);
        assert_eq!(problems("a.md", "one\r\ntwo\n"), [1]);
        assert_eq!(problems("a.md", "one\ntwo"), [2]);
        assert_eq!(problems("a.md", "one\n\n"), [2]);
        assert!(problems("empty", "").is_empty());
    }

    #[test]
    fn paths_of_one_machine_are_caught() {
        assert_eq!(problems("a.md", "see\n`/root/notes`\n"), [2]);
        assert_eq!(problems("a.toml", "store = \"sqlite:/tmp/queue.db\"\n"), [1]);
        assert!(problems("a.md", "https://example.com/home/ and $RUNNER/work/\n").is_empty());
        assert!(problems("a.toml", "store = \"sqlite:/var/lib/afterword/queue.db\"\n").is_empty());
    }

    #[test]
    fn hosts_of_registries_are_caught() {
        assert_eq!(problems(".npmrc", "registry=https://registry.npmjs.org/\n"), [1]);
    }
}
