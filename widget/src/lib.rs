//! The visitor's side of Afterword: a survey in a shadow root.
//!
//! `loader.js` decides when a survey is due and calls [`mount`]. Read on from there: `mount` ->
//! `survey` -> `card` -> `step` -> `question`, one component per file; then `send` and `outbox`.

mod browser;
#[expect(unreachable_pub, reason = "the component macro writes public builders")]
mod card;
mod erase;
mod flow;
mod json;
mod mount;
mod outbox;
#[expect(unreachable_pub, reason = "the component macro writes public builders")]
mod question;
mod retry;
mod send;
#[expect(unreachable_pub, reason = "the component macro writes public builders")]
mod step;
mod survey;
#[expect(unreachable_pub, reason = "the component macro writes public builders")]
mod thanks;
mod wire;

pub use mount::mount;
