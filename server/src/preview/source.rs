//! The configuration that is in force, and its public routes for those who try it out.

use std::sync::{Arc, Mutex, PoisonError};

use axum::Router;

use crate::clock::Clock;
use crate::config::Config;
use crate::intake::Intake;
use crate::live::{InForce, Live};

/// Where the configuration comes from; cheap to clone.
#[derive(Clone)]
pub struct Source {
    live: Live,
    clock: Clock,
    made: Arc<Mutex<Option<Made>>>,
}

/// What was made of the configuration that somebody tried out last.
struct Made {
    of: Arc<Config>,
    routes: Router,
}

impl Source {
    /// Follows what is in force.
    pub fn new(live: Live, clock: Clock) -> Self {
        Self { live, clock, made: Arc::default() }
    }

    /// What is in force now.
    pub(super) fn now(&self) -> Arc<InForce> {
        self.live.now()
    }

    /// Its public routes.
    pub(super) fn routes(&self) -> Router {
        let config = self.live.config();
        let mut made = self.made.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(made) = made.as_ref().filter(|made| Arc::ptr_eq(&made.of, &config)) {
            return made.routes.clone();
        }
        let routes = Intake::rehearsal(Arc::clone(&config), self.clock);
        *made = Some(Made { of: config, routes: routes.clone() });
        routes
    }
}
