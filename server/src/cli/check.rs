//! `afterword check`: every problem of a configuration at once.

use std::path::Path;

pub(super) fn check(path: &Path) -> anyhow::Result<()> {
    let config = super::load(path)?;
    println!(
        "{}: fine. {} on {}.",
        path.display(),
        counted(config.surveys.len(), "survey"),
        counted(config.platforms.len(), "platform"),
    );
    for survey in &config.surveys {
        println!("  {}: {}", survey.id, survey.summary());
    }
    for advice in config.advice() {
        println!("advice: {advice}");
    }
    Ok(())
}

fn counted(count: usize, noun: &str) -> String {
    if count == 1 { format!("{count} {noun}") } else { format!("{count} {noun}s") }
}
