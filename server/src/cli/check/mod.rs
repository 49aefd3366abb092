//! `afterword check`: every problem of a configuration at once; with `--online`, beside the platform.

mod online;

use std::path::Path;

use anyhow::bail;
use clap::Args;

use super::desk::Desk;
use super::patience::{Patience, report};
use super::words::{counted, say};
use super::{ConfigFile, target};
use crate::config::{Config, Survey};
use crate::platform::MOST_LABELS;
use online::{Difference, compare};

fn help() -> String {
    format!(
        "\
With --online every survey is held against what its touchpoint asks: GUIDs, languages, kinds, scales, labels, options and \
what may be left out. Nothing is written, here or there. It asks the server that runs with this configuration, at \
admin_listen; if none runs, it calls the platform itself. What the platform would refuse is a failure; what reads \
otherwise, or is asked there only, is just said.

The platform's list does not name the company: a wrong one shows only where the platform refuses it or has no questions \
for it. Nor does it have room for more than {MOST_LABELS} options or labels."
    )
}

#[derive(Args)]
#[command(after_long_help = help())]
pub(super) struct Check {
    #[command(flatten)]
    file: ConfigFile,
    /// Compare the surveys with the platform
    #[arg(long)]
    online: bool,
}

pub(super) async fn check(arguments: Check) -> anyhow::Result<()> {
    let path = &arguments.file.config;
    // Whoever asks a server needs no secrets here.
    let config = if arguments.online { super::load_without_secrets(path)? } else { super::load(path)? };
    praise(path, &config)?;
    if arguments.online {
        return compare_all(&config).await;
    }
    Ok(())
}

fn praise(path: &Path, config: &Config) -> std::io::Result<()> {
    say(&format!(
        "{}: fine. {} on {}.",
        path.display(),
        counted(config.surveys.len(), "survey"),
        counted(config.platforms.len(), "platform"),
    ))?;
    for survey in &config.surveys {
        say(&format!("  {}: {}", survey.id, survey.summary()))?;
    }
    for advice in config.advice() {
        say(&format!("advice: {advice}"))?;
    }
    Ok(())
}

async fn compare_all(config: &Config) -> anyhow::Result<()> {
    let mut wrong = 0;
    for survey in &config.surveys {
        say("")?;
        let differences = match differences(config, survey).await {
            Ok(differences) => differences,
            Err(error) => {
                say(&format!("{}: it cannot be compared: {error:#}", survey.id))?;
                wrong += 1;
                continue;
            }
        };
        if differences.is_empty() {
            say(&format!("{}: as the platform has it.", survey.id))?;
        }
        for difference in &differences {
            match difference {
                Difference::Wrong(words) => say(&format!("{}: wrong: {words}", survey.id))?,
                Difference::Other(words) => say(&format!("{}: {words}", survey.id))?,
            }
        }
        wrong += differences.iter().filter(|it| matches!(it, Difference::Wrong(_))).count();
    }
    if wrong > 0 {
        bail!("{} with the platform", counted(wrong, "problem"));
    }
    Ok(())
}

async fn differences(config: &Config, survey: &Survey) -> anyhow::Result<Vec<Difference>> {
    let platform = target::platform(config, survey)?;
    let mut desk = Desk::open(config, platform).await?;
    let tell = |words: &str| eprintln!("{}, {}: {words}", survey.id, platform.base_url);
    let call = async || desk.questions(&survey.company, &survey.touchpoint).await;
    let asked = report(&mut Patience::short(platform), tell, call).await;
    desk.close().await;
    Ok(compare(survey, &asked?))
}
