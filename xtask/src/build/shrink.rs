//! Makes module and glue small together.
//!
//! wasm-bindgen keeps every export alive and names every import by its purpose and a hash. Both cost
//! bytes twice, in the module and in the glue. So: bundle the glue down to what the loader uses, drop
//! from the module what that does not reach (wasm-metadce), let wasm-opt give imports and exports names
//! of a letter or two, and use the same names in the glue.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};

use super::widget::JAVASCRIPT;
use crate::tools::Tools;
use crate::workspace;

/// What every browser of the last years has. `--all-features` would let wasm-opt write encodings that no
/// browser loads.
const FEATURES: [&str; 6] = [
    "--enable-bulk-memory",
    "--enable-nontrapping-float-to-int",
    "--enable-sign-ext",
    "--enable-mutable-globals",
    "--enable-reference-types",
    "--enable-multivalue",
];
/// The passes in their order.
const SMALLEST: [&str; 14] = [
    // Takes the control flow apart and puts it together anew, which finds more that is the same: 400 bytes of
    // brotli, and 80 more the second time.
    "--flatten",
    "--rereloop",
    "-Oz",
    "--converge",
    "--flatten",
    "--rereloop",
    "-Oz",
    "--converge",
    // Smaller functions than usual go into those that call them: 90 bytes, and fewer for a browser to compile.
    "--always-inline-max-function-size=4",
    // The first kilobyte holds the very end of the stack and no data, so an address behind it can be written as
    // pointer and offset: 306 bytes.
    "--low-memory-unused",
    "--strip-debug",
    "--strip-producers",
    "--strip-target-features",
    "--minify-imports-and-exports-and-modules",
];
/// The module that wasm-bindgen's imports come from, and its short name.
const IMPORTED_FROM: (&str, &str) = ("\"./widget_bg.js\"", "a");

/// What the loader uses of wasm-bindgen's glue, with a start of our own: that of wasm-bindgen takes whatever it may be
/// given. A proxy may have changed the file's type, which only the slower way does not mind; and before version 115
/// Chromium refuses to make a module of this size an instance at once.
const ENTRY: &str = "import { begin, imports, mount } from GLUE;
export { mount };
let begun;
const start = async (response) => {
  const streams = !response.ok || response.headers.get('content-type') == 'application/wasm';
  const { instance, module } = streams
    ? await WebAssembly.instantiateStreaming(response, imports())
    : await WebAssembly.instantiate(await response.arrayBuffer(), imports());
  begin(instance, module);
};
export default ({ module_or_path }) =>
  (begun ||= start(module_or_path).catch((error) => {
    begun = null;
    throw error;
  }));
";
/// What of the glue only the glue itself calls, else.
const INNER: &str = "\nexport { __wbg_get_imports as imports, __wbg_finalize_init as begin };\n";

/// The readable glue and the module of `compiled`, shrunk; `name` is that of the files left in `scratch`.
pub(super) fn shrink(
    tools: &Tools,
    compiled: &Path,
    scratch: &Path,
    name: &str,
) -> Result<(String, Vec<u8>)> {
    let glue = bundled(tools, compiled, scratch)?;
    let used = exports_used(&glue);
    ensure!(used.iter().any(|name| name == "mount"), "the glue does not call the module's `mount`");

    let graph = scratch.join(format!("{name}.graph.json"));
    fs::write(&graph, reachable(&used).to_string())?;
    let (reached, small) =
        (scratch.join(format!("{name}.reached.wasm")), scratch.join(format!("{name}.wasm")));
    let mut metadce = workspace::command(tools.wasm_opt.with_file_name("wasm-metadce"));
    metadce.args(FEATURES).arg(format!("--graph-file={}", graph.display()));
    workspace::output(metadce.arg(compiled.join("widget_bg.wasm")).arg("-o").arg(&reached))?;

    let mut wasm_opt = workspace::command(&tools.wasm_opt);
    wasm_opt.args(FEATURES).args(SMALLEST).arg(&reached).arg("-o").arg(&small);
    let names = workspace::output(&mut wasm_opt)?;
    // Passes that come after the naming print words of their own behind the list.
    let mut printed = serde_json::Deserializer::from_slice(&names).into_iter::<Value>();
    let names = printed.next().context("wasm-opt printed nothing")?;
    let names = names.context("wasm-opt printed no list of names")?;
    Ok((renamed(&glue, &names)?, fs::read(&small)?))
}

/// The glue without what the loader does not use, still readable.
fn bundled(tools: &Tools, compiled: &Path, scratch: &Path) -> Result<String> {
    let entry = scratch.join("widget.entry.js");
    let glue = compiled.join("widget.inner.js");
    let compiled = fs::read_to_string(compiled.join("widget.js")).context("the glue cannot be read")?;
    for function in ["function __wbg_get_imports(", "function __wbg_finalize_init("] {
        ensure!(compiled.contains(function), "wasm-bindgen's glue has no `{function}` any more");
    }
    fs::write(&glue, compiled + INNER)?;
    fs::write(&entry, ENTRY.replace("GLUE", &json!(glue).to_string()))?;
    let mut esbuild = workspace::command(&tools.esbuild);
    esbuild.args(["--bundle", "--format=esm", JAVASCRIPT, "--log-level=warning"]).arg(&entry);
    String::from_utf8(workspace::output(&mut esbuild)?).context("the glue is not UTF-8")
}

/// The exports that the glue uses: whatever follows `wasm.`.
fn exports_used(glue: &str) -> Vec<String> {
    let name = |rest: &str| rest.chars().take_while(|c| is_name(*c)).collect::<String>();
    let mut used: Vec<String> = glue
        .match_indices("wasm.")
        .filter(|(at, _)| !glue[..*at].ends_with(is_name))
        .map(|(at, found)| name(&glue[at + found.len()..]))
        .filter(|name| !name.is_empty())
        .collect();
    used.sort_unstable();
    used.dedup();
    used
}

fn is_name(c: char) -> bool {
    c.is_ascii_alphanumeric() || c == '_' || c == '$'
}

/// wasm-metadce's graph: the glue reaches these exports.
fn reachable(used: &[String]) -> Value {
    let exports = used.iter().map(|name| json!({ "name": format!("export {name}"), "export": name }));
    let reaches: Vec<String> = used.iter().map(|name| format!("export {name}")).collect();
    let root = json!({ "name": "glue", "root": true, "reaches": reaches });
    std::iter::once(root).chain(exports).collect()
}

/// The glue with the module's new names; `names` is what wasm-opt printed: lists of module, old and new
/// name for imports, of old and new name for exports.
fn renamed(glue: &str, names: &Value) -> Result<String> {
    let text = |value: Option<&Value>| value.and_then(Value::as_str).map(str::to_owned);
    let pairs = |kind: &str| -> Result<Vec<(String, String)>> {
        let list = names[kind].as_array().with_context(|| format!("wasm-opt lists no {kind}"))?;
        let pair = |entry: &Value| {
            let mut parts = entry.as_array()?.iter().rev();
            let (new, old) = (text(parts.next())?, text(parts.next())?);
            Some((old, new))
        };
        list.iter().map(|entry| pair(entry).context("wasm-opt's list of names has another shape")).collect()
    };
    // What needs no conversion is imported from a script of ours itself, under a name that stands all over the glue.
    for import in names["imports"].as_array().into_iter().flatten() {
        let ours = text(import.get(0)).is_some_and(|module| IMPORTED_FROM.0.contains(&module));
        ensure!(
            ours,
            "the module imports {import} past wasm-bindgen: declare it with `#[wasm_bindgen(catch)]`"
        );
    }
    let mut renamed = glue.to_owned();
    for (old, new) in pairs("imports")? {
        ensure!(renamed.contains(&old), "the module imports {old:?}, which the glue does not have");
        renamed = replace_name(&renamed, &old, &new);
    }
    for (old, new) in pairs("exports")? {
        renamed = replace_name(&renamed, &format!("wasm.{old}"), &format!("wasm.{new}"));
    }
    let (from, to) = IMPORTED_FROM;
    ensure!(renamed.contains(from), "the glue does not name {from}");
    Ok(renamed.replace(from, to))
}

/// Replaces a name, where it is not a part of a longer one.
fn replace_name(text: &str, old: &str, new: &str) -> String {
    let mut replaced = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find(old) {
        let end = at + old.len();
        let whole = !rest[..at].ends_with(is_name) && !rest[end..].starts_with(is_name);
        replaced.push_str(&rest[..at]);
        replaced.push_str(if whole { new } else { old });
        rest = &rest[end..];
    }
    replaced.push_str(rest);
    replaced
}

#[cfg(test)]
mod tests {
    use super::*;

    const GLUE: &str = r#"let wasm; const import0 = { __wbg_get_1: function() {}, __wbg_get_12() {} };
        const imports = { "./widget_bg.js": import0 }; wasm.mount(wasm.memory.buffer); notwasm.other;"#;

    #[test]
    fn the_exports_that_the_glue_uses_are_found() {
        assert_eq!(exports_used(GLUE), ["memory", "mount"]);
    }

    #[test]
    fn module_and_glue_get_the_same_names() -> Result<()> {
        let names = json!({
            "imports": [["./widget_bg.js", "__wbg_get_1", "b"], ["./widget_bg.js", "__wbg_get_12", "c"]],
            "exports": [["mount", "d"], ["memory", "e"]],
        });
        let renamed = renamed(GLUE, &names)?;
        assert!(renamed.contains("{ b: function() {}, c() {} }"), "{renamed}");
        assert!(
            renamed.contains("{ a: import0 }") && renamed.contains("wasm.d(wasm.e.buffer); notwasm.other")
        );
        Ok(())
    }

    #[test]
    fn an_import_that_the_glue_lacks_stops_the_build() {
        let names = json!({ "imports": [["./widget_bg.js", "__wbg_new_3", "b"]], "exports": [] });
        assert!(renamed(GLUE, &names).is_err());
    }
}
