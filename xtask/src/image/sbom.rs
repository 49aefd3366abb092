//! What the image is made of, as CycloneDX 1.5 lists it: every crate that is linked into the server or into the widget that
//! it carries, with version and licence.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Context, Result};
use serde_json::{Value, json};

use crate::workspace;

/// The list for a server's target, as JSON; the same for the same lock file.
pub(super) fn of_the_image(server: &str) -> Result<Vec<u8>> {
    let mut components = BTreeMap::new();
    for (package, target) in [("server", server), ("widget", "wasm32-unknown-unknown")] {
        let linked = linked(&metadata(target)?, package);
        components.extend(linked.with_context(|| format!("cargo's metadata has no {package}"))?);
    }
    serde_json::to_vec_pretty(&list(components)).context("no list")
}

fn metadata(target: &str) -> Result<Value> {
    let mut cargo = workspace::cargo(&["metadata", "--format-version", "1", "--locked"]);
    let printed = workspace::output(cargo.args(["--filter-platform", target]))?;
    serde_json::from_slice(&printed).context("cargo's metadata cannot be read")
}

fn list(components: BTreeMap<String, Value>) -> Value {
    json!({
        "bomFormat": "CycloneDX",
        "specVersion": "1.5",
        "version": 1,
        "metadata": { "component": {
            "type": "application",
            "name": "afterword",
            "version": env!("CARGO_PKG_VERSION"),
            "licenses": [{ "expression": "MIT OR Apache-2.0" }],
        }},
        "components": components.into_values().collect::<Vec<_>>(),
    })
}

/// The crates that are linked into a package, by the name under which every list knows them.
fn linked(metadata: &Value, package: &str) -> Option<BTreeMap<String, Value>> {
    let packages: BTreeMap<&str, &Value> = metadata["packages"]
        .as_array()?
        .iter()
        .filter_map(|package| Some((package["id"].as_str()?, package)))
        .collect();
    let root = *packages.iter().find(|(_, one)| one["name"] == package)?.0;
    let nodes: BTreeMap<&str, &Value> = metadata["resolve"]["nodes"]
        .as_array()?
        .iter()
        .filter_map(|node| Some((node["id"].as_str()?, node)))
        .collect();
    let mut linked = BTreeSet::new();
    let mut open = vec![root];
    while let Some(id) = open.pop() {
        if linked.insert(id) {
            open.extend(nodes.get(id).into_iter().flat_map(|node| normal(node)));
        }
    }
    linked.remove(root);
    let components = linked.iter().filter_map(|id| packages.get(id)).map(|package| component(package));
    Some(components.map(|component| (text(&component, "purl"), component)).collect())
}

/// What a crate links, neither for its build nor for its tests.
fn normal(node: &Value) -> Vec<&str> {
    let dependencies = node["deps"].as_array().into_iter().flatten();
    let linked = dependencies.filter(|dependency| {
        let kinds = dependency["dep_kinds"].as_array();
        kinds.is_some_and(|kinds| kinds.iter().any(|kind| kind["kind"].is_null()))
    });
    linked.filter_map(|dependency| dependency["pkg"].as_str()).collect()
}

fn component(package: &Value) -> Value {
    let (name, version) = (text(package, "name"), text(package, "version"));
    let mut component = json!({
        "type": "library",
        "name": name,
        "version": version,
        "purl": format!("pkg:cargo/{name}@{version}"),
    });
    // The slash is an old way to say "or".
    let licence = text(package, "license").replace('/', " OR ");
    if !licence.is_empty() {
        component["licenses"] = json!([{ "expression": licence }]);
    }
    component
}

fn text(package: &Value, key: &str) -> String {
    package[key].as_str().unwrap_or_default().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_list_has_what_is_linked_and_nothing_of_the_build() {
        let package =
            |id: &str| json!({ "id": id, "name": id, "version": "1.0.0", "license": "MIT/Apache-2.0" });
        let needs = |id: &str, kind: Value| json!({ "pkg": id, "dep_kinds": [{ "kind": kind }] });
        let metadata = json!({
            "packages": [package("server"), package("tokio"), package("bytes"), package("cc"), package("other")],
            "resolve": { "nodes": [
                { "id": "server", "deps": [needs("tokio", Value::Null), needs("cc", json!("build"))] },
                { "id": "tokio", "deps": [needs("bytes", Value::Null), needs("other", json!("dev"))] },
                { "id": "bytes", "deps": [] },
            ]},
        });
        let list = list(linked(&metadata, "server").unwrap());
        let names: Vec<_> =
            list["components"].as_array().unwrap().iter().map(|it| it["purl"].clone()).collect();
        assert_eq!(names, ["pkg:cargo/bytes@1.0.0", "pkg:cargo/tokio@1.0.0"]);
        assert_eq!(list["components"][0]["licenses"][0]["expression"], "MIT OR Apache-2.0");
    }
}
