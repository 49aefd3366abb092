//! Tells a lane's owner that there may be something new to do: one channel a lane.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use tokio::sync::watch;

use crate::config::PlatformName;

/// The channels of those lanes that somebody watches or has stirred.
#[derive(Default)]
pub(super) struct Stir(Mutex<HashMap<PlatformName, watch::Sender<u64>>>);

impl Stir {
    /// Changes with each [`Stir::stir`] of the lane.
    pub(super) fn watch(&self, lane: &PlatformName) -> watch::Receiver<u64> {
        let mut lanes = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        lanes.entry(lane.clone()).or_default().subscribe()
    }

    /// Wakes a lane's owner.
    pub(super) fn stir(&self, lane: &PlatformName) {
        let lanes = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(lane) = lanes.get(lane) {
            lane.send_modify(|stirred| *stirred += 1);
        }
    }

    /// Wakes every owner.
    pub(super) fn stir_all(&self) {
        let lanes = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        for lane in lanes.values() {
            lane.send_modify(|stirred| *stirred += 1);
        }
    }
}
