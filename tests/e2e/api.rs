//! The API's description against the server: a property-based client makes requests up from it, right ones
//! and wrong ones, and holds every response to it.

use std::path::{Path, PathBuf};
use std::process::{Output, Stdio};
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};
use tests::{Edit as _, Stage};

/// The longest that a run may take, on a busy machine.
const PATIENCE: Duration = Duration::from_mins(5);
const ANSWERS: &str = "/paths/~1v1~1surveys~1{survey}~1answers/post";
const STEPS: &str = "/paths/~1v1~1surveys~1{survey}~1steps/post";

/// What both runs share: the same requests each time, nothing kept, and every check there is.
const SETTINGS: &str = r#"
seed = 20261123
suppress-health-check = ["all"]
continue-on-failure = true
warnings = false
color = false
request-timeout = 30
headers = { Origin = "@ORIGIN@" }
cache = { enabled = false }
generation = { max-examples = 60, database = "none" }
parameters = { "path.survey" = "checkout" }

[checks.positive_data_acceptance]
expected-statuses = ["2xx", "304", "404"]

[[operations]]
include-operation-id = "submit"
checks.positive_data_acceptance.expected-statuses = [@STATUSES@]

[[operations]]
include-operation-id = "step"
checks.positive_data_acceptance.expected-statuses = [@STEPS@]
"#;

/// The client's program. Its folder was moved after it was installed, so its interpreter is named.
fn client() -> Result<(PathBuf, PathBuf)> {
    tests::prepared()?;
    let client = std::env::var_os("SCHEMATHESIS").context("no SCHEMATHESIS: run `cargo xtask test`")?;
    let client = PathBuf::from(client);
    Ok((client.with_file_name("python"), client))
}

/// The statuses that answers and steps may have which fit the description.
struct Statuses {
    answers: &'static str,
    steps: &'static str,
}

async fn run(stage: &Stage, folder: &Path, statuses: &Statuses, document: &Value) -> Result<Output> {
    let (python, client) = client()?;
    let settings = SETTINGS.edit("@ORIGIN@", &stage.pages.origin).edit("@STATUSES@", statuses.answers);
    let settings = settings.edit("@STEPS@", statuses.steps);
    std::fs::write(folder.join("schemathesis.toml"), settings)?;
    std::fs::write(folder.join("openapi.json"), document.to_string())?;
    let mut command = tokio::process::Command::new(python);
    command.arg(client).args([
        "--config-file",
        "schemathesis.toml",
        "run",
        "openapi.json",
        "--url",
        &stage.server,
    ]);
    command.current_dir(folder).stdin(Stdio::null()).kill_on_drop(true);
    Ok(tokio::time::timeout(PATIENCE, command.output()).await.context("the client does not end")??)
}

/// Runs the client; what fits the description may have these statuses. Then sees that all which was taken
/// arrives at the platform, and gives their number.
async fn conforms(statuses: Statuses, narrow: impl FnOnce(&mut Value)) -> Result<u64> {
    client()?;
    let stage = Stage::with(Duration::from_millis(1), |config| config).await?;
    let mut document = stage.get(&format!("{}/v1/openapi.json", stage.server)).await?.parse()?;
    narrow(&mut document);
    let folder = tempfile::tempdir()?;
    let output = run(&stage, folder.path(), &statuses, &document).await?;
    let said = String::from_utf8_lossy(&output.stdout);
    ensure!(output.status.success(), "{said}\n{}", String::from_utf8_lossy(&output.stderr));
    ensure!(said.contains("6 selected / 6 total") && said.contains("Seed: 20261123"), "{said}");
    let page = stage.until_admin("/", |page| !page.contains("sending")).await?;
    ensure!(page.contains("all sent") && page.contains("Nothing that is still open"), "{page}");
    let log = stage.log();
    let error = log.lines().find(|line| line.contains("\"ERROR\"") || line.contains("panicked"));
    ensure!(error.is_none(), "{error:?}");
    Ok(stage.sandbox.counts().stored)
}

#[tokio::test(flavor = "multi_thread")]
async fn every_response_to_a_made_up_request_is_as_described() -> Result<()> {
    // It fits no survey in particular: the ids of questions and the keys of metadata are each survey's own.
    let statuses = Statuses { answers: r#""202", "400", "409", "422""#, steps: r#""204", "400", "422""# };
    conforms(statuses, |_| {}).await.map(drop)
}

#[tokio::test(flavor = "multi_thread")]
async fn what_fits_the_description_and_the_survey_is_taken_and_nothing_else() -> Result<()> {
    // The client tries some UUIDs again, with other answers.
    let taken = conforms(Statuses { answers: r#""202", "409""#, steps: r#""204""# }, narrow).await?;
    ensure!(taken > 20, "only {taken} were taken");
    Ok(())
}

/// Describes submissions to the demo's survey, so closely that each of them has to be taken.
fn narrow(document: &mut Value) {
    let answer = |question: &str, value: &str, schema: Value| {
        json!({
            "type": "object",
            "required": ["question", value],
            "properties": { "question": { "enum": [question] }, value: schema },
            "additionalProperties": false,
        })
    };
    let options = json!({ "enum": ["search", "social", "friend"] });
    // In the order in which they are asked: `why` is there, since the score is low.
    let answers = [
        answer("recommend", "score", json!({ "type": "integer", "minimum": 0, "maximum": 6 })),
        answer(
            "why",
            "text",
            json!({ "type": "string", "maxLength": 500, "pattern": r"^[^\x00-\x1f\x7f-\x9f\s]+$" }),
        ),
        answer(
            "found",
            "options",
            json!({ "type": "array", "minItems": 1, "uniqueItems": true, "items": options }),
        ),
        answer("again", "boolean", json!({ "type": "boolean" })),
    ];
    let schemas = &mut document["components"]["schemas"];
    let step = |properties: Value, required: &[&str]| json!({ "type": "object", "properties": properties, "required": required, "additionalProperties": false });
    let language = json!({ "enum": ["nl", "fr", "en", "ar"] });
    let question = json!({ "enum": ["recommend", "why", "found", "again"] });
    schemas["Step"] = json!({ "oneOf": [
        step(json!({ "language": language, "step": { "enum": ["shown", "submitted"] } }), &["language", "step"]),
        step(
            json!({ "language": language, "step": { "enum": ["answered"] }, "question": question }),
            &["language", "step", "question"],
        ),
    ] });
    let properties = &mut schemas["Submission"]["properties"];
    properties["language"] = json!({ "enum": ["nl", "fr", "en", "ar"] });
    properties["answers"] =
        json!({ "type": "array", "minItems": 1, "maxItems": 4, "prefixItems": answers, "items": false });
    let value = properties["metadata"]["additionalProperties"].take();
    properties["metadata"] =
        json!({ "type": "object", "properties": { "pieces": value }, "additionalProperties": false });
    // With the version of an older definition, wrong answers would be dropped instead of refused.
    properties.as_object_mut().map(|properties| properties.remove("definition"));
    schemas["Respondent"]["properties"]["email"] =
        json!({ "type": ["string", "null"], "maxLength": 320, "pattern": r"^[a-z]+@[a-z]+\.[a-z]+$" });
    for route in [ANSWERS, STEPS] {
        let content = document.pointer_mut(&format!("{route}/requestBody/content"));
        content.and_then(Value::as_object_mut).map(|content| content.remove("text/plain"));
    }
}
