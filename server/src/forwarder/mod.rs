//! The forwarder: one owner per lane, which takes what is due and hands it to the platform.
//!
//! A lane is one token's line of calls. Its owner works through the queue one entry at a time: wait
//! until the [`Pacer`] allows a call, mark the entry `sending`, call, read the [`Verdict`], settle.
//! Knows nothing of HTTP listeners or visitors; it meets intake in the queue only.

mod decision;
mod lane;
mod outage;
mod pacer;
mod pause;
mod verdict;

pub use lane::{Lane, LaneReport, LaneState};
pub use pacer::Pacer;
pub use verdict::{Verdict, verdict};
