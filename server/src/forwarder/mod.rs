//! The forwarder: one owner per lane, which takes what is due and hands it to the platform.
//!
//! A lane is one token's line of calls. Its owner works through the queue one entry at a time: wait
//! until the [`Pacer`] allows a call, mark the entry `sending`, call, read the [`Verdict`], settle. What
//! may have arrived is looked up at the platform before it is sent again, and what operators ask for at the
//! lane's [`Desk`] is called in between. Of several servers on one
//! store, the one that holds the lane's lease works; the others stand by.
//! Knows nothing of HTTP listeners or visitors; it meets intake in the queue only.

mod calls;
mod counter;
mod decision;
mod lane;
mod look_up;
mod outage;
mod pacer;
mod pause;
mod report;
mod verdict;

pub use calls::{Call, Desk, Done, NotMade};
pub use counter::Counter;
pub use lane::{Lane, Unsettled};
pub use pacer::Pacer;
pub use report::{FailedCall, LaneReport, LaneState};
pub use verdict::{Verdict, verdict};
