//! The stage for end-to-end tests: a real server process, a sandbox, pages on another origin, a browser.

mod browser;
mod pages;
mod stage;

pub use browser::{Browser, Visitor};
pub use pages::Pages;
pub use stage::{Stage, TOKEN};

/// The longest time to wait for anything; a test that waits longer has failed.
pub const DEADLINE: std::time::Duration = std::time::Duration::from_secs(30);

/// What `cargo xtask test` sets up, or `None` where the tests were started by themselves.
pub fn prepared() -> Option<()> {
    if std::env::var_os("AFTERWORD_E2E").is_some() {
        return Some(());
    }
    eprintln!("skipped: end-to-end tests need a built widget and a browser; start them with `cargo xtask test`");
    None
}
