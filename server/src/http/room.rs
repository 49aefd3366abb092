//! How many connections the system has room for: each takes a file descriptor of the process.
//!
//! A process that runs out of them can open neither its store nor a call to a platform, and shuts out
//! its operators. So the public listener leaves some alone.

use std::num::NonZeroU32;

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// Descriptors for the store, the log, the operators and the calls to a few platforms.
const SET_ASIDE: u64 = 200;
/// Those for each platform's calls.
const FOR_A_PLATFORM: u64 = 2;

/// Raises the process's own bound as far as the system allows, and returns how many connections fit
/// into it beside everything else; `None` where there is no bound.
pub(crate) fn for_connections(platforms: usize) -> Option<NonZeroU32> {
    let bound = getrlimit(Resource::Nofile);
    let raised = Rlimit { current: bound.maximum, maximum: bound.maximum };
    let current = match setrlimit(Resource::Nofile, raised) {
        Ok(()) => bound.maximum,
        Err(_) => bound.current,
    };
    let taken = SET_ASIDE + FOR_A_PLATFORM * u64::try_from(platforms).unwrap_or(u64::MAX / 4);
    current.map(|current| left(current, taken))
}

/// What is left; where nothing is, a few, since a server that takes no connection is of no use.
fn left(current: u64, taken: u64) -> NonZeroU32 {
    let left = current.saturating_sub(taken).max(current / 4);
    NonZeroU32::new(u32::try_from(left).unwrap_or(u32::MAX)).unwrap_or(NonZeroU32::MIN)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn some_are_left_for_all_else() {
        assert_eq!(left(1_024, 202).get(), 822);
        assert_eq!(left(256, 202).get(), 64);
        assert_eq!(left(0, 202).get(), 1);
        assert_eq!(left(u64::MAX, 202).get(), u32::MAX);
    }

    #[test]
    fn the_system_has_room() {
        assert!(for_connections(1).is_none_or(|room| room.get() >= 1));
    }
}
