//! The visitor's side of Afterword: a survey in a shadow root.
//!
//! `loader.js` decides when a survey is due and calls [`mount()`]. Read on from there: `mount` ->
//! `survey` -> `card` -> `step` -> `question`, one component per file; then `draft` and `sender`.

mod browser;
mod card;
mod draft;
mod element;
mod flow;
mod intro;
mod json;
mod mount;
mod question;
mod sender;
mod step;
mod survey;
mod thanks;
mod wire;

pub use mount::mount;
