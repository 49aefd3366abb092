//! The browsers of the end-to-end tests, one for each engine, with the drivers that steer them.
//!
//! Each may be chosen by the environment variable by which the tests are told of it as well.

use std::path::PathBuf;

use super::{Layout, among_the_libraries, chosen};
use crate::workspace;

/// Where they are, each by the environment variable that tells the tests.
pub(crate) struct Browsers(Vec<(&'static str, PathBuf)>);

impl Browsers {
    /// All of them, if none is missing.
    pub(super) fn found(layout: &Layout) -> Option<Self> {
        Some(Self(vec![
            ("CHROME", chrome()?),
            ("CHROMEDRIVER", chromedriver()?),
            ("FIREFOX", firefox()?),
            ("GECKODRIVER", layout.geckodriver()?),
            ("MINIBROWSER", minibrowser()?),
            ("WEBKITWEBDRIVER", webkit_driver()?),
            ("XVFB", xvfb()?),
        ]))
    }

    /// What the tests find in their environment.
    pub(crate) fn variables(&self) -> impl Iterator<Item = (&'static str, &PathBuf)> {
        self.0.iter().map(|(name, path)| (*name, path))
    }
}

pub(crate) fn chrome() -> Option<PathBuf> {
    let names = ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable"];
    chosen("CHROME").or_else(|| workspace::on_path(&names))
}

pub(crate) fn chromedriver() -> Option<PathBuf> {
    chosen("CHROMEDRIVER").or_else(|| workspace::on_path(&["chromedriver"]))
}

pub(crate) fn firefox() -> Option<PathBuf> {
    chosen("FIREFOX").or_else(|| workspace::on_path(&["firefox-esr", "firefox"]))
}

/// The small browser that comes with the engine; off the search path, since people have no use for it.
pub(crate) fn minibrowser() -> Option<PathBuf> {
    let paths = ["webkitgtk-6.0/MiniBrowser", "webkit2gtk-4.1/MiniBrowser", "webkit2gtk-4.0/MiniBrowser"];
    chosen("MINIBROWSER").or_else(|| among_the_libraries(&paths))
}

pub(crate) fn webkit_driver() -> Option<PathBuf> {
    chosen("WEBKITWEBDRIVER").or_else(|| workspace::on_path(&["WebKitWebDriver"]))
}

/// A display without a screen: the engine has no mode without one.
pub(crate) fn xvfb() -> Option<PathBuf> {
    chosen("XVFB").or_else(|| workspace::on_path(&["Xvfb"]))
}
