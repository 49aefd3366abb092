//! The configuration as its file says it now.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::Duration;

use axum::Router;
use tokio::time::Instant;

use crate::clock::Clock;
use crate::config::{Config, ConfigError};
use crate::intake::{self, Intake};

/// For so long a file is not looked at again: every frame asks for it several times.
const FRESH: Duration = Duration::from_millis(300);

/// Where the configuration comes from; cheap to clone.
#[derive(Clone)]
pub struct Source(Arc<Shared>);

struct Shared {
    path: Option<PathBuf>,
    clock: Clock,
    /// What the file said when the server started.
    first: Option<String>,
    seen: Mutex<Seen>,
}

struct Seen {
    at: Option<Instant>,
    /// The file's text, once it was read.
    text: Option<String>,
    now: Arc<Now>,
}

/// A configuration, and what became of the file since.
pub(super) struct Now {
    /// The last good one.
    pub(super) config: Arc<Config>,
    /// Its public routes, once somebody wants them.
    routes: OnceLock<Router>,
    clock: Clock,
    /// Changes whenever the configuration does.
    pub(super) version: String,
    /// True when it is another than the server runs with.
    pub(super) differs: bool,
    /// What is wrong with the file as it is now.
    pub(super) error: Option<ConfigError>,
}

impl Source {
    /// What the server runs with; `path` is its file, where it has one.
    pub fn new(config: Arc<Config>, path: Option<PathBuf>, clock: Clock) -> Self {
        let first = path.as_deref().and_then(|path| std::fs::read_to_string(path).ok());
        let now = Now::of(config, first.as_deref().unwrap_or_default(), clock, false);
        let seen = Mutex::new(Seen { at: None, text: first.clone(), now: Arc::new(now) });
        Self(Arc::new(Shared { path, clock, first, seen }))
    }

    /// The configuration as it is now.
    pub(super) fn now(&self) -> Arc<Now> {
        let Some(path) = &self.0.path else { return Arc::clone(&self.seen().now) };
        let mut seen = self.seen();
        if seen.at.is_none_or(|at| at.elapsed() >= FRESH) {
            seen.at = Some(Instant::now());
            seen.look(path, &self.0);
        }
        Arc::clone(&seen.now)
    }

    fn seen(&self) -> std::sync::MutexGuard<'_, Seen> {
        self.0.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Seen {
    fn look(&mut self, path: &Path, shared: &Shared) {
        let read = std::fs::read_to_string(path);
        if read.as_ref().ok() == self.text.as_ref() {
            return;
        }
        self.text = read.ok();
        let text = self.text.as_deref().unwrap_or_default();
        // A file that changes between the two readings is another one at the next look.
        self.now = Arc::new(match Config::load(path, &|name| std::env::var(name).ok()) {
            Ok(config) => Now::of(Arc::new(config), text, shared.clock, self.text != shared.first),
            Err(error) => Now {
                config: Arc::clone(&self.now.config),
                routes: self.now.routes.clone(),
                version: self.now.version.clone(),
                error: Some(error),
                ..*self.now
            },
        });
    }
}

impl Now {
    fn of(config: Arc<Config>, text: &str, clock: Clock, differs: bool) -> Self {
        let version = intake::version(text.as_bytes());
        Self { config, routes: OnceLock::new(), clock, version, differs, error: None }
    }

    /// Its public routes.
    pub(super) fn routes(&self) -> &Router {
        self.routes.get_or_init(|| Intake::rehearsal(Arc::clone(&self.config), self.clock))
    }
}
