//! From the widget's sources to the files that browsers load.
//!
//! trunk compiles and binds; wasm-opt and the minifier follow here, because trunk would choose their flags itself.
//! Style sheets become part of the scripts that dress something with them.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Instant;

use anyhow::{Context, Result, bail, ensure};
use serde_json::json;

use super::shrink::shrink;
use super::{embed, inputs, link};
use crate::tools::Tools;
use crate::{cache, terminal, workspace};

/// Browsers that know less do not know what the module is made of either (`FEATURES` in shrink.rs).
pub(super) const JAVASCRIPT: &str = "--target=es2021";

/// Builds the widget unless nothing it is made from changed, and gives the folder `dist/embed`.
pub(super) fn build(tools: &Tools) -> Result<PathBuf> {
    let root = workspace::root();
    let embed = root.join("dist/embed");
    let scratch = workspace::scratch()?;
    let _lock = cache::lock(&scratch.join("widget.lock"))?;

    let built_from = scratch.join("widget.inputs");
    let fingerprint = inputs::fingerprint(&root, &tools.versions)?;
    let known = fs::read_to_string(&built_from).is_ok_and(|known| known == fingerprint);
    if known && embed::is_complete(&embed) {
        println!("Widget: unchanged.");
        return Ok(embed);
    }

    println!("Widget: building (about 3 minutes from nothing, half a minute after a change) ...");
    let start = Instant::now();
    let parts = embed::Parts {
        usual: runtime(tools, &root, &scratch, &USUAL)?,
        full: runtime(tools, &root, &scratch, &FULL)?,
        loader: minified_loader(tools, &root)?,
        looks: minify(tools, &root.join("widget/looks.css"), &[])?,
        modules: [
            styled(tools, &module(tools, &root, "frame.js")?, &[root.join("widget/frame.css")])?,
            styled(tools, &module(tools, &root, "tab.js")?, &[root.join("widget/tab.css")])?,
            module(tools, &root, "outbox.js")?,
            module(tools, &root, "counts.js")?,
        ],
        types: fs::read_to_string(root.join("widget/afterword.d.ts"))
            .context("widget/afterword.d.ts cannot be read")?,
    };
    embed::write(&parts, &embed)?;
    write(&built_from, fingerprint.as_bytes())?;
    println!("Widget: built in {}.", terminal::duration(start.elapsed()));
    Ok(embed)
}

/// A form of the widget.
struct Form {
    /// The name of the files that are left in the scratch folder.
    name: &'static str,
    features: &'static [&'static str],
    /// The style sheets, in their order.
    styles: &'static [&'static str],
}

const USUAL: Form = Form { name: "widget", features: &[], styles: &["widget/style.css"] };
const FULL: Form = Form {
    name: "full",
    features: &["--features", "full"],
    styles: &["widget/style.css", "widget/full.css"],
};

/// One form of the widget, as it is served.
fn runtime(tools: &Tools, root: &Path, scratch: &Path, form: &Form) -> Result<embed::Module> {
    let compiled = compile(tools, form)?;
    let (glue, wasm) = shrink(tools, &compiled, scratch, form.name)?;
    let styles: Vec<PathBuf> = form.styles.iter().map(|style| root.join(style)).collect();
    Ok(embed::Module { glue: minified_glue(tools, &styles, &glue, scratch)?, wasm })
}

/// Lets trunk compile and bind the widget, and gives the folder with `widget.js` and `widget_bg.wasm`.
fn compile(tools: &Tools, form: &Form) -> Result<PathBuf> {
    // trunk works offline below, so everything it may need is brought before.
    workspace::run(&mut workspace::cargo(&["fetch", "--quiet"]))?;
    let compiled = workspace::target().join("trunk").join(form.name);
    let mut trunk = workspace::command(&tools.trunk);
    trunk.args(["build", "--release", "--cargo-profile", "wasm", "--offline", "--filehash", "false"]);
    trunk
        .args(["--skip-version-check", "--log", "warn", "--dist"])
        .arg(&compiled)
        .args(form.features)
        .arg("index.html");
    trunk.env("PATH", tools.path()?);
    link::by_this_program(&mut trunk)?;
    // Others set it to `1`, which trunk takes for a mistake.
    trunk.env_remove("NO_COLOR");
    // The compiler's message says it all; where inside trunk it was met says nothing.
    trunk.env("RUST_BACKTRACE", "0");
    workspace::run(&mut trunk)?;
    Ok(compiled)
}

/// Chromium then compiles it beside the page while the WebAssembly is still on its way, since nearly all of it is
/// called at once; others do so anyway, or take it for a comment.
const COMPILE_AHEAD: &str = "//# allFunctionsCalledOnLoad\n";

fn minified_glue(tools: &Tools, styles: &[PathBuf], glue: &str, scratch: &Path) -> Result<String> {
    let readable = scratch.join("glue.js");
    write(&readable, glue.as_bytes())?;
    let glue = minify(tools, &readable, &["--format=esm", JAVASCRIPT])?;
    refuse_inner_html(&glue)?;
    Ok([COMPILE_AHEAD, &styled(tools, &glue, styles)?].concat())
}

/// Pages that demand Trusted Types refuse `innerHTML`, and the survey with it.
fn refuse_inner_html(glue: &str) -> Result<()> {
    if glue.contains("innerHTML") {
        bail!(
            "the widget's glue contains `innerHTML`, which pages with Trusted Types refuse. A `view!` with \
             static children brings it: build them with `view! {{ class=\"k\", ... }}` or the builder instead"
        );
    }
    Ok(())
}

fn minified_loader(tools: &Tools, root: &Path) -> Result<String> {
    minify(tools, &root.join("widget/loader.js"), &[JAVASCRIPT])
}

/// A module of its own, with what it imports inside.
fn module(tools: &Tools, root: &Path, name: &str) -> Result<String> {
    minify(tools, &root.join("widget").join(name), &["--bundle", "--format=esm", JAVASCRIPT])
}

/// A minified script with style sheets in the place of the literal.
fn styled(tools: &Tools, script: &str, styles: &[PathBuf]) -> Result<String> {
    const STYLE: &str = "\"__AFTERWORD_STYLE__\"";
    ensure!(script.matches(STYLE).count() == 1, "no script has one {STYLE} to put {styles:?} in");
    let sheets: Vec<String> = styles.iter().map(|style| minify(tools, style, &[])).collect::<Result<_>>()?;
    Ok(script.replace(STYLE, &json!(sheets.concat()).to_string()))
}

/// A script or a style sheet, minified.
fn minify(tools: &Tools, file: &Path, arguments: &[&str]) -> Result<String> {
    let mut command = workspace::command(&tools.esbuild);
    command.args(["--minify", "--log-level=warning"]).args(arguments).arg(file);
    let printed = workspace::output(&mut command)?;
    let text = String::from_utf8(printed).context("the minifier printed something other than UTF-8")?;
    Ok(text.trim_end().to_owned())
}

fn write(path: &Path, content: &[u8]) -> Result<()> {
    fs::write(path, content).with_context(|| format!("cannot write {}", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn glue_with_inner_html_fails_the_build() {
        assert!(refuse_inner_html("e.innerHTML=t").is_err());
        assert!(refuse_inner_html("e.textContent=t").is_ok());
    }
}
