//! Tells a lane's owner of what other servers have stored for it.
//!
//! A notice from the database (`LISTEN`) belongs to a session, and behind a transaction pooler there is none:
//! so the database is asked, four times a second, in one query for all lanes that are idle here.
//!
//! A lane is idle from the moment its owner looked and found nothing due until somebody tells it of
//! something. What counts is what is there when we ask, not what has changed since: so nothing is missed,
//! in whatever order others commit, and a lane at work, which looks by itself, is never asked for.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use deadpool_postgres::Pool;
use shared::SurveyId;
use tokio_postgres::types::Type;

use super::connection::{LIMIT, get, once};
use super::keeper::Keeper;
use super::statements::WAKEN;
use crate::config::PlatformName;
use crate::queue::QueueError;
use crate::queue::stir::Stir;

/// The time between two looks.
const PAUSE: Duration = Duration::from_millis(250);

/// The lanes whose owners found nothing to do, each with the surveys they skip.
#[derive(Default)]
pub(super) struct Idle(Mutex<HashMap<PlatformName, String>>);

impl Idle {
    fn lanes(&self) -> MutexGuard<'_, HashMap<PlatformName, String>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Notes what an owner found when it looked.
    pub(super) fn looked(&self, lane: &PlatformName, skip: &[SurveyId], found: bool) {
        if found {
            self.lanes().remove(lane);
        } else {
            let skip: Vec<&str> = skip.iter().map(SurveyId::as_str).collect();
            self.lanes().insert(lane.clone(), skip.join(","));
        }
    }
}

/// The task that looks.
pub(super) struct Watcher {
    pub(super) pool: Pool,
    pub(super) idle: Arc<Idle>,
    pub(super) keeper: Arc<Keeper>,
    pub(super) stir: Arc<Stir>,
}

impl Watcher {
    /// Looks for as long as the process lives.
    pub(super) async fn run(self) {
        loop {
            tokio::time::sleep(PAUSE).await;
            if let Err(error) = self.look().await {
                tracing::debug!(%error, "other servers' entries could not be looked for");
            }
        }
    }

    async fn look(&self) -> Result<(), QueueError> {
        let idle = self.idle.lanes().clone();
        let ours = idle.iter().filter(|(lane, _)| self.keeper.term(lane).is_some());
        let (lanes, skips): (Vec<&str>, Vec<&str>) =
            ours.map(|(lane, skip)| (lane.as_str(), skip.as_str())).unzip();
        if lanes.is_empty() {
            return Ok(());
        }
        let values: &[_] = &[(&lanes as _, Type::TEXT_ARRAY), (&skips as _, Type::TEXT_ARRAY)];
        for row in once(&self.pool, LIMIT, WAKEN, values).await? {
            let lane = PlatformName::new(get(&row, 0)?);
            // Its owner looks now, and notes anew what it finds.
            self.idle.lanes().remove(&lane);
            self.stir.stir(&lane);
        }
        Ok(())
    }
}
