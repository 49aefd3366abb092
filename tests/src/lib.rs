//! The stage for end-to-end tests: a real server process, a sandbox, pages on another origin, browsers.

mod browser;
pub mod container;
mod edit;
mod fill;
mod pages;
mod process;
mod relay;
pub mod soak;
mod stage;
mod store;
pub mod walk;

pub use browser::{Browser, Cost, Engine, Sought, Tab, Visitor, keys};
pub use edit::Edit;
pub use fill::fill;
pub use pages::Pages;
pub use process::{Process, binary};
pub use relay::Relay;
pub use scratch_postgres::port;
pub use stage::{Door, NO_LIMITS, Stage, TOKEN, http_client, settings, with_full, with_looks};
pub use store::Store;

/// The longest time to wait for anything; a test that waits longer has failed. The disk of a machine that has just built may
/// take no write for half of it.
pub const DEADLINE: std::time::Duration = std::time::Duration::from_mins(1);

/// An interval of the platform that no test waits for.
pub const QUICK: std::time::Duration = std::time::Duration::from_millis(20);

/// Lets others work before something is looked at again.
pub async fn a_moment() {
    tokio::time::sleep(std::time::Duration::from_millis(5)).await;
}

/// Fails where the tests were started by themselves: without what they need they would fail oddly.
pub fn prepared() -> anyhow::Result<()> {
    let prepared = std::env::var_os("AFTERWORD_E2E").is_some();
    anyhow::ensure!(prepared, "end-to-end tests need a built widget and browsers: run `cargo xtask test`");
    Ok(())
}
