//! The configuration in force, and what became of its file since it was read.

use std::sync::Arc;

use jiff::Timestamp;
use tokio::sync::watch;

use crate::config::{Config, ConfigError, Files};

/// What is in force at the moment; cheap to clone.
#[derive(Clone, Debug)]
pub struct Live(watch::Receiver<Arc<InForce>>);

/// A configuration that is in force.
#[derive(Clone, Debug)]
pub struct InForce {
    /// The configuration.
    pub config: Arc<Config>,
    /// Since when.
    pub since: Timestamp,
    /// What it was read from.
    pub files: Files,
    /// The keys whose values in the file come into force at the next start only.
    pub at_next_start: Vec<&'static str>,
    /// Why what the file says now is not in force.
    pub trouble: Option<Arc<ReloadError>>,
}

/// Why a changed configuration is not in force.
#[derive(Debug, thiserror::Error)]
pub enum ReloadError {
    /// It is wrong.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// It cannot be used.
    #[error("the new configuration cannot be used: {0}")]
    Unusable(String),
}

impl InForce {
    /// A configuration as it was read.
    pub fn new(config: Arc<Config>, files: Files, since: Timestamp) -> Self {
        Self { config, since, files, at_next_start: Vec::new(), trouble: None }
    }
}

impl Live {
    /// What follows the other end of a channel.
    pub fn new(news: watch::Receiver<Arc<InForce>>) -> Self {
        Self(news)
    }

    /// A configuration that stays.
    pub fn fixed(config: Arc<Config>) -> Self {
        let now = InForce::new(config, Files::default(), Timestamp::UNIX_EPOCH);
        Self(watch::channel(Arc::new(now)).1)
    }

    /// What is in force now.
    pub fn now(&self) -> Arc<InForce> {
        Arc::clone(&self.0.borrow())
    }

    /// The configuration that is in force now.
    pub fn config(&self) -> Arc<Config> {
        Arc::clone(&self.0.borrow().config)
    }
}
