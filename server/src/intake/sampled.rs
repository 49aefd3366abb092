//! What follows the share of visitors who are asked.

use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;

use super::compress::Compressible;

/// Bytes for each share; those of the present one are kept.
#[derive(Debug)]
pub(super) struct Sampled(Mutex<(u8, Arc<Compressible>)>);

impl Sampled {
    /// The bytes where everybody is asked.
    pub(super) fn new(everybody: impl Into<Bytes>) -> Self {
        Self(Mutex::new((100, Arc::new(Compressible::new(everybody)))))
    }

    /// The bytes for a share, made anew where it is another one than before.
    pub(super) fn at(&self, share: u8, make: impl FnOnce() -> Vec<u8>) -> Arc<Compressible> {
        let mut present = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if present.0 != share {
            *present = (share, Arc::new(Compressible::new(make())));
        }
        Arc::clone(&present.1)
    }
}
