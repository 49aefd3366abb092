//! Afterword from end to end: a page, a visitor, the server, the platform.
//!
//! `cargo xtask test` builds what these tests need and starts them.

mod accessibility;
mod api;
mod collected;
mod commands;
mod complaints;
mod dashboard;
mod delivery;
mod demo;
mod disk;
mod embed;
mod faults;
mod frameworks;
mod full;
mod getting_started;
mod hostile;
mod image;
mod import;
mod kept;
mod languages;
mod limits;
mod looks;
mod network;
mod operators;
mod outbox;
mod preview;
mod queue;
mod reload;
mod replicas;
mod reports;
mod respondents;
mod rules;
mod shapes;
mod soak;
mod tags;
mod token;
mod visitor;

use anyhow::Result;
use serde_json::{Value, json};
use tests::Visitor;
use uuid::Uuid;

/// A submission to the checkout survey that leaves nothing out.
fn submission(id: Uuid, score: i32) -> Value {
    json!({
        "submission": id,
        "language": "nl",
        "answers": [{"question": "recommend", "score": score}, {"question": "again", "boolean": true}],
        "metadata": {"pieces": "3"},
    })
}

/// Answers the checkout survey as shortly as it can be, from its first question to the thanks.
async fn answer_checkout(visitor: &Visitor<'_>) -> Result<()> {
    visitor.asked("recommend").await?;
    visitor.choose(&[9]).await?;
    visitor.forward().await?;
    visitor.asked("found").await?;
    visitor.forward().await?;
    visitor.asked("again").await?;
    visitor.forward().await?;
    visitor.state("thanked").await?;
    Ok(())
}
