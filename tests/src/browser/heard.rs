//! What assistive technology is told of a page.

use std::fmt::Write as _;

use anyhow::{Context, Result};
use fantoccini::wd::WebDriverCompatibleCommand;
use serde_json::{Value, json};

use super::chromium::DevTools;
use super::{Browser, Engine};

/// What a browser computes of an element: `computedrole` or `computedlabel` (WebDriver, 12.4 "Element State").
#[derive(Debug)]
struct Computed {
    element: String,
    what: &'static str,
}

impl WebDriverCompatibleCommand for Computed {
    fn endpoint(&self, base: &url::Url, session: Option<&str>) -> Result<url::Url, url::ParseError> {
        base.join(&format!("session/{}/element/{}/{}", session.unwrap_or_default(), self.element, self.what))
    }

    fn method_and_body(&self, _: &url::Url) -> (http::Method, Option<String>) {
        (http::Method::GET, None)
    }
}

/// Properties of the tree that say how something stands.
const STATES: [&str; 8] =
    ["checked", "disabled", "invalid", "live", "modal", "multiselectable", "required", "selected"];

impl Browser {
    /// Role and name of an element that a script gives, as the browser computes them.
    pub async fn heard(&self, script: &str) -> Result<Option<(String, String)>> {
        let found = self.run(script).await?;
        // The key of an element in WebDriver's JSON.
        let Some(element) = found.as_object().and_then(|found| found.values().next()?.as_str()) else {
            return Ok(None);
        };
        let mut both = Vec::new();
        for what in ["computedrole", "computedlabel"] {
            let value = self.client.issue_cmd(Computed { element: element.to_owned(), what }).await?;
            both.push(value.as_str().unwrap_or_default().to_owned());
        }
        let [role, name] = <[String; 2]>::try_from(both).ok().context("role and name")?;
        Ok(Some((role, name)))
    }

    /// The accessibility tree below the first region or dialog, a line for each node: role, name, description, states. Only
    /// Chromium hands it out.
    pub async fn tree(&self) -> Result<Option<String>> {
        if self.engine != Engine::Chromium {
            return Ok(None);
        }
        let all = self.client.issue_cmd(DevTools("Accessibility.getFullAXTree", json!({}))).await?;
        let nodes = all["nodes"].as_array().context("no tree")?;
        let is_root = |node: &&Value| {
            ["region", "dialog"].contains(&node["role"]["value"].as_str().unwrap_or_default())
        };
        let root = nodes.iter().find(is_root).context("no region")?;
        let mut tree = String::new();
        draw(nodes, root, 0, &mut tree);
        Ok(Some(tree))
    }
}

fn draw(nodes: &[Value], node: &Value, depth: usize, tree: &mut String) {
    let text = |value: &Value| match &value["value"] {
        Value::String(text) => text.clone(),
        Value::Null => String::new(),
        other => other.to_string(),
    };
    let role = text(&node["role"]);
    if role == "InlineTextBox" {
        return;
    }
    let shown = node["ignored"] != true && !["none", "generic"].contains(&&*role);
    if shown {
        // Writing into a String cannot fail.
        write!(tree, "{:1$}{role}", "", depth * 2).ok();
        for (before, value, after) in [
            (" \"", text(&node["name"]), "\""),
            (" = \"", text(&node["value"]), "\""),
            (" (", text(&node["description"]), ")"),
        ] {
            if !value.is_empty() {
                tree.push_str(&[before, &value.replace('\n', " "), after].concat());
            }
        }
        for property in node["properties"].as_array().into_iter().flatten() {
            let (name, value) = (property["name"].as_str().unwrap_or_default(), text(&property["value"]));
            if STATES.contains(&name) && !["false", "off", ""].contains(&&*value) {
                tree.push_str(&[" ", name].concat());
                if value != "true" {
                    tree.push_str(&["=", &value].concat());
                }
            }
        }
        tree.push('\n');
    }
    for id in node["childIds"].as_array().into_iter().flatten() {
        if let Some(child) = nodes.iter().find(|node| node["nodeId"] == *id) {
            draw(nodes, child, depth + usize::from(shown), tree);
        }
    }
}
