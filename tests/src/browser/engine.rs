//! The engines that answer surveys, and what each wants to hear at its start.

use std::ffi::OsString;
use std::path::Path;

use anyhow::Result;
use serde_json::{Map, Value, json};
use tokio::process::Command;

use crate::DEADLINE;

/// What draws pages and runs the widget: the three that are in every visitor's hands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Engine {
    /// In Chrome, Edge, Opera and Samsung's browser.
    Chromium,
    /// In Firefox.
    Firefox,
    /// In Safari, and in every browser on an iPhone; here as its port to GTK.
    WebKit,
}

/// How a page is looked at.
pub(super) struct Look {
    pub(super) width: u32,
    pub(super) height: u32,
    pub(super) dark: bool,
    /// Whether everything that it asks for is written down.
    pub(super) gauged: bool,
}

/// Firefox keeps its window wider than a phone.
const NARROW: &str = ":root { min-width: 0 !important; min-height: 0 !important; }";

impl Engine {
    /// Whether it draws on a display even where nobody looks.
    pub(super) fn needs_display(self) -> bool {
        self == Self::WebKit
    }

    /// The driver's command, for a port and a folder of its own.
    pub(super) fn driver(self, port: u16, look: &Look, folder: &Path) -> Command {
        let mut driver = match self {
            Self::Chromium => Command::new(program("CHROMEDRIVER", "chromedriver")),
            Self::Firefox => Command::new(program("GECKODRIVER", "geckodriver")),
            Self::WebKit => Command::new(program("WEBKITWEBDRIVER", "WebKitWebDriver")),
        };
        driver.arg(format!("--port={port}"));
        match self {
            Self::Chromium => {}
            Self::Firefox => {
                // Else all would want the same one, for a protocol that nobody here speaks.
                driver.arg("--websocket-port=0");
                driver.env("MOZ_HEADLESS_WIDTH", look.width.to_string());
                driver.env("MOZ_HEADLESS_HEIGHT", look.height.to_string());
            }
            Self::WebKit => {
                // As root its own walls do not stand; what it loads here is ours.
                driver.env("WEBKIT_DISABLE_SANDBOX_THIS_IS_DANGEROUS", "1");
                driver.env("GDK_BACKEND", "x11").env("NO_AT_BRIDGE", "1");
                // Its visitors speak the language of this locale, which is English in plain C alone.
                driver.env("LC_ALL", "C");
                // Its collector leaves what is old for later, the closures of surveys that are gone among it: here it
                // looks at everything, and each time that a script has taken a megabyte.
                driver.env("JSC_useGenerationalGC", "false").env("JSC_gcMaxHeapSize", "1000000");
                for own in ["XDG_CACHE_HOME", "XDG_CONFIG_HOME", "XDG_DATA_HOME"] {
                    driver.env(own, folder);
                }
            }
        }
        driver
    }

    /// What a session is asked for, with a profile in this folder.
    pub(super) fn capabilities(self, look: &Look, folder: &Path) -> Result<Map<String, Value>> {
        let mut wanted = Map::new();
        let script = u64::try_from(DEADLINE.as_millis())?;
        wanted.insert("timeouts".to_owned(), json!({ "script": script }));
        match self {
            Self::Chromium => {
                wanted.insert("goog:chromeOptions".to_owned(), chromium(look, folder));
                let performance = if look.gauged { "ALL" } else { "OFF" };
                let logs = json!({ "browser": "ALL", "performance": performance });
                wanted.insert("goog:loggingPrefs".to_owned(), logs);
            }
            Self::Firefox => {
                std::fs::create_dir(folder.join("chrome"))?;
                std::fs::write(folder.join("chrome/userChrome.css"), NARROW)?;
                wanted.insert("moz:firefoxOptions".to_owned(), firefox(look, folder));
            }
            Self::WebKit => {
                wanted.insert("webkitgtk:browserOptions".to_owned(), webkit(look));
            }
        }
        Ok(wanted)
    }
}

fn chromium(look: &Look, folder: &Path) -> Value {
    json!({
        "binary": program("CHROME", "chromium"),
        "args": [
            "--headless=new", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-dev-shm-usage",
            "--disable-background-networking", "--disable-component-update", "--disable-sync", "--lang=en",
            format!("--window-size={},{}", look.width, look.height),
            format!("--user-data-dir={}", folder.display()),
        ],
    })
}

fn firefox(look: &Look, folder: &Path) -> Value {
    json!({
        "binary": program("FIREFOX", "firefox-esr"),
        // A kiosk has nothing but the page, so the page has the size of the window.
        "args": ["-headless", "--kiosk", "-profile", folder],
        "prefs": {
            "toolkit.legacyUserProfileCustomizations.stylesheets": true,
            "layout.css.prefers-color-scheme.content-override": i32::from(!look.dark),
            "intl.accept_languages": "en",
        },
    })
}

fn webkit(look: &Look) -> Value {
    let mut arguments = vec!["--automation", "--full-screen"];
    if look.dark {
        arguments.push("--dark-mode");
    }
    json!({ "binary": program("MINIBROWSER", "MiniBrowser"), "args": arguments })
}

/// The program that an environment variable names, else the one on the search path.
pub(super) fn program(variable: &str, name: &str) -> String {
    let named = std::env::var_os(variable).unwrap_or_else(|| OsString::from(name));
    named.to_string_lossy().into_owned()
}

/// Makes a test of each function for each engine, in a module of the engine's name.
///
/// A function is given its engine; one that is not in the list is code that nobody uses, and a lint says so.
#[macro_export]
macro_rules! in_every_engine {
    ($($test:ident)*) => {
        $crate::in_every_engine! { chromium Chromium: $($test)* }
        $crate::in_every_engine! { firefox Firefox: $($test)* }
        $crate::in_every_engine! { webkit WebKit: $($test)* }
    };
    ($module:ident $engine:ident: $($test:ident)*) => {
        mod $module {
            $(
                #[tokio::test(flavor = "multi_thread")]
                async fn $test() -> anyhow::Result<()> {
                    $crate::prepared()?;
                    super::$test($crate::Engine::$engine).await
                }
            )*
        }
    };
}
