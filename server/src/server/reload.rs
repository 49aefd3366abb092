//! Follows the configuration's file: it is read again on SIGHUP, and when it has changed.
//!
//! A change counts once a second look finds it as the first did, so that nobody reads what an editor has written half.

use std::path::PathBuf;
use std::time::Duration;

use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::time::{MissedTickBehavior, interval};

use crate::config::{Config, ConfigError, Files};

/// How often the files are looked at.
const LOOK: Duration = Duration::from_secs(1);

/// Who follows a file.
pub struct Follower {
    path: PathBuf,
    /// What was read last, whatever came of it.
    read: Files,
    hangups: Option<Signal>,
}

/// Hears SIGHUP, which would end the process while nobody does.
#[derive(Debug)]
pub struct Hangups(Option<Signal>);

impl Hangups {
    /// Hears it from now on.
    pub fn hear() -> Self {
        let hangups = signal(SignalKind::hangup());
        Self(hangups.inspect_err(|error| tracing::error!(%error, "SIGHUP cannot be heard")).ok())
    }
}

/// A configuration that was read again, or what is wrong with it.
pub type Reading = (Result<Config, ConfigError>, Files);

impl Follower {
    /// Follows a file that was read already.
    pub fn new(path: PathBuf, read: Files, Hangups(hangups): Hangups) -> Self {
        Self { path, read, hangups }
    }

    /// Waits until there is a reason to read the file again, and reads it.
    pub async fn next(&mut self) -> Reading {
        let mut looks = interval(LOOK);
        looks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut before: Option<Files> = None;
        loop {
            tokio::select! {
                () = hangup(self.hangups.as_mut()) => {
                    tracing::info!("SIGHUP: reading the configuration again");
                    let reading = self.read_again().await;
                    self.read = reading.1.clone();
                    return reading;
                }
                _ = looks.tick() => {}
            }
            let known = self.read.clone();
            let Ok(now) = tokio::task::spawn_blocking(move || known.as_they_are()).await else { continue };
            if now != self.read && before.as_ref() == Some(&now) {
                let reading = self.read_again().await;
                // Files that were named anew were not looked at before; the others have to be as they were.
                if reading.1.agree_with(&now) {
                    tracing::info!("the configuration has changed");
                    self.read = reading.1.clone();
                    return reading;
                }
            }
            before = Some(now);
        }
    }

    async fn read_again(&self) -> Reading {
        let path = self.path.clone();
        let read = move || Config::load_and_follow(&path, &|name| std::env::var(name).ok());
        tokio::task::spawn_blocking(read).await.unwrap_or_else(|panicked| {
            let reason = format!("reading it failed: {panicked}");
            (Err(ConfigError::Read { path: self.path.display().to_string(), reason }), self.read.clone())
        })
    }
}

/// Waits for a SIGHUP; for ever, where none can be heard.
async fn hangup(hangups: Option<&mut Signal>) {
    let heard = match hangups {
        Some(hangups) => hangups.recv().await,
        None => None,
    };
    if heard.is_none() {
        std::future::pending::<()>().await;
    }
}
