//! The visitor's side of Afterword: a survey in a shadow root.
//!
//! `loader.js` decides when a survey is due and calls [`mount()`]. Read on from there: `mount` ->
//! `survey` -> `card` -> `step` -> `question`, one component per file; then `draft` and `sender`.

mod browser;
mod card;
mod contact;
mod draft;
mod element;
mod flow;
mod full;
mod intro;
mod json;
mod languages;
mod mount;
mod page;
mod question;
mod repeat;
mod sender;
mod step;
mod survey;
mod thanks;
mod wire;

pub use mount::mount;

/// Smaller than the standard library's by 1.8 KB of brotli, and no slower. It is for one thread, as this module is.
#[cfg(all(target_family = "wasm", not(target_feature = "atomics")))]
#[global_allocator]
static HEAP: talc::wasm::WasmDynamicTalc = talc::wasm::new_wasm_dynamic_allocator();

/// True in the module for surveys that use what few do: all questions on one page, a search in a long list, words for
/// "other", how to reach the visitor, another language, earlier answers in texts. The server's rules name it
/// (`server/src/intake/rules.rs`), so that all other pages do not pay for it. Whatever is asked behind this constant
/// is left out by the compiler where it is false.
const FULL: bool = cfg!(any(feature = "full", test));
