//! The tools that build and test, with their exact versions and where each is looked for.
//!
//! Nothing is installed here, and nothing is taken on trust: a tool that is not where it belongs is `None`.

mod browsers;

use std::env;
use std::ffi::OsString;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use sha2::{Digest, Sha256};

pub(crate) use browsers::{Browsers, chrome, chromedriver, firefox, minibrowser, webkit_driver, xvfb};

use crate::{cache, workspace};

/// Trunk 0.22 wants a newer compiler than the pinned one.
pub(crate) const TRUNK: &str = "0.21.14";
pub(crate) const CARGO_DENY: &str = "0.20.2";
pub(crate) const CARGO_FUZZ: &str = "0.13.2";
pub(crate) const GECKODRIVER: &str = "0.37.1";
/// wasm-opt, the minifier for the loader and the glue, the accessibility rules of the browser tests, and the
/// compiler that checks the types for pages.
pub(crate) const NPM: [(&str, &str); 4] =
    [("binaryen", "132.0.0"), ("esbuild", "0.28.2"), ("axe-core", "4.14.1"), ("typescript", "7.0.2")];

/// The frameworks of the pages that embed surveys in the browser tests.
pub(crate) const FRAMEWORKS: [(&str, &str); 3] =
    [("react", "19.3.1"), ("react-dom", "19.3.1"), ("vue", "3.5.45")];
/// What surveys are measured beside; only `cargo xtask bench peers` installs it.
pub(crate) const PEERS: [(&str, &str); 3] =
    [("posthog-js", "1.449.2"), ("survey-core", "2.5.38"), ("survey-js-ui", "2.5.38")];

/// The client that checks the API's description, and all that it needs.
pub(crate) const SCHEMATHESIS: &str = include_str!("setup/schemathesis.txt");

/// Where every tool belongs, whether it is there or not.
pub(crate) struct Layout {
    pub(crate) cache: PathBuf,
    pub(crate) wasm_bindgen_version: String,
}

/// The tools, all of them present.
pub(crate) struct Tools {
    pub(crate) trunk: PathBuf,
    pub(crate) wasm_bindgen: PathBuf,
    pub(crate) cargo_deny: PathBuf,
    pub(crate) wasm_opt: PathBuf,
    pub(crate) esbuild: PathBuf,
    pub(crate) tsc: PathBuf,
    pub(crate) axe_core: PathBuf,
    /// The folder with the packages of the frameworks.
    pub(crate) frameworks: PathBuf,
    pub(crate) schemathesis: PathBuf,
    pub(crate) browsers: Browsers,
    pub(crate) faketime: PathBuf,
    /// The versions that shape what the build writes.
    pub(crate) versions: String,
}

impl Layout {
    pub(crate) fn of_this_checkout() -> Result<Self> {
        let lock = workspace::root().join("Cargo.lock");
        let text =
            std::fs::read_to_string(&lock).with_context(|| format!("cannot read {}", lock.display()))?;
        let version = locked_version(&text, "wasm-bindgen").context("Cargo.lock has no wasm-bindgen")?;
        Ok(Self { cache: cache::folder()?, wasm_bindgen_version: version.to_owned() })
    }

    /// The folders inside the cache, one per version, so that clones of different ages share it.
    pub(crate) fn trunk_folder() -> String {
        format!("trunk-{TRUNK}")
    }

    pub(crate) fn wasm_bindgen_folder(&self) -> String {
        format!("wasm-bindgen-{}", self.wasm_bindgen_version)
    }

    pub(crate) fn cargo_deny_folder() -> String {
        format!("cargo-deny-{CARGO_DENY}")
    }

    pub(crate) fn cargo_fuzz_folder() -> String {
        format!("cargo-fuzz-{CARGO_FUZZ}")
    }

    pub(crate) fn geckodriver_folder() -> String {
        format!("geckodriver-{GECKODRIVER}")
    }

    pub(crate) fn npm_folder(packages: &[(&str, &str)]) -> String {
        let packages: Vec<String> =
            packages.iter().map(|(name, version)| format!("{name}-{version}")).collect();
        format!("npm-{}", packages.join("-"))
    }

    pub(crate) fn trunk(&self) -> Option<PathBuf> {
        self.file(&Self::trunk_folder(), "bin/trunk")
    }

    pub(crate) fn wasm_bindgen(&self) -> Option<PathBuf> {
        self.file(&self.wasm_bindgen_folder(), "bin/wasm-bindgen")
    }

    pub(crate) fn cargo_deny(&self) -> Option<PathBuf> {
        self.file(&Self::cargo_deny_folder(), "bin/cargo-deny")
    }

    pub(crate) fn cargo_fuzz(&self) -> Option<PathBuf> {
        self.file(&Self::cargo_fuzz_folder(), "bin/cargo-fuzz")
    }

    pub(crate) fn geckodriver(&self) -> Option<PathBuf> {
        self.file(&Self::geckodriver_folder(), "bin/geckodriver")
    }

    pub(crate) fn wasm_opt(&self) -> Option<PathBuf> {
        self.file(&Self::npm_folder(&NPM), "node_modules/.bin/wasm-opt")
    }

    pub(crate) fn tsc(&self) -> Option<PathBuf> {
        self.file(&Self::npm_folder(&NPM), "node_modules/.bin/tsc")
    }

    pub(crate) fn esbuild(&self) -> Option<PathBuf> {
        self.file(&Self::npm_folder(&NPM), "node_modules/.bin/esbuild")
    }

    pub(crate) fn axe_core(&self) -> Option<PathBuf> {
        self.file(&Self::npm_folder(&NPM), "node_modules/axe-core/axe.min.js")
    }

    pub(crate) fn frameworks(&self) -> Option<PathBuf> {
        self.modules(&FRAMEWORKS)
    }

    pub(crate) fn peers(&self) -> Option<PathBuf> {
        self.modules(&PEERS)
    }

    /// The folder `node_modules` with these packages.
    fn modules(&self, packages: &[(&str, &str)]) -> Option<PathBuf> {
        let folder = self.cache.join(Self::npm_folder(packages)).join("node_modules");
        let is_there = |(name, _): &(&str, &str)| folder.join(name).join("package.json").is_file();
        packages.iter().all(is_there).then_some(folder)
    }

    pub(crate) fn schemathesis_folder() -> String {
        let hash = Sha256::digest(SCHEMATHESIS);
        format!("schemathesis-{:02x}{:02x}{:02x}{:02x}", hash[0], hash[1], hash[2], hash[3])
    }

    /// Started by the `python` beside it: the folder has been renamed since the script was written.
    pub(crate) fn schemathesis(&self) -> Option<PathBuf> {
        self.file(&Self::schemathesis_folder(), "bin/schemathesis")
    }

    fn file(&self, folder: &str, path: &str) -> Option<PathBuf> {
        Some(self.cache.join(folder).join(path)).filter(|file| file.is_file())
    }

    /// Every tool, if none is missing.
    pub(crate) fn tools(&self) -> Option<Tools> {
        Some(Tools {
            trunk: self.trunk()?,
            wasm_bindgen: self.wasm_bindgen()?,
            cargo_deny: self.cargo_deny()?,
            wasm_opt: self.wasm_opt()?,
            esbuild: self.esbuild()?,
            tsc: self.tsc()?,
            axe_core: self.axe_core()?,
            frameworks: self.frameworks()?,
            schemathesis: self.schemathesis()?,
            browsers: Browsers::found(self)?,
            faketime: faketime()?,
            versions: format!("trunk {TRUNK} wasm-bindgen {} {NPM:?}", self.wasm_bindgen_version),
        })
    }
}

impl Tools {
    /// `PATH` with the tools in front, for programs that look for them by name.
    pub(crate) fn path(&self) -> Result<OsString> {
        let ours = [&self.trunk, &self.wasm_bindgen, &self.cargo_deny];
        let ours = ours.into_iter().filter_map(|tool| tool.parent()).map(Path::to_path_buf);
        let inherited = env::var_os("PATH").unwrap_or_default();
        Ok(env::join_paths(ours.chain(env::split_paths(&inherited)))?)
    }
}

/// `$LIBFAKETIME`, else the library where Debian puts it.
pub(crate) fn faketime() -> Option<PathBuf> {
    chosen("LIBFAKETIME").or_else(|| among_the_libraries(&["faketime/libfaketime.so.1"]))
}

/// The first of these below Debian's folder of libraries, or below the one for this machine's processor.
fn among_the_libraries(paths: &[&str]) -> Option<PathBuf> {
    let folders = std::fs::read_dir("/usr/lib").ok().into_iter().flatten().flatten();
    let folders: Vec<PathBuf> =
        std::iter::once("/usr/lib".into()).chain(folders.map(|entry| entry.path())).collect();
    paths.iter().find_map(|path| folders.iter().map(|folder| folder.join(path)).find(|file| file.is_file()))
}

fn chosen(variable: &str) -> Option<PathBuf> {
    env::var_os(variable).map(PathBuf::from).filter(|file| file.is_file())
}

/// The version of a package in the text of a `Cargo.lock`.
fn locked_version<'a>(lock: &'a str, package: &str) -> Option<&'a str> {
    let name = format!("name = \"{package}\"");
    let version = lock.lines().skip_while(|line| *line != name).nth(1)?;
    version.strip_prefix("version = \"")?.strip_suffix('"')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_version_of_exactly_that_package_is_read_from_the_lock_file() {
        let lock = "[[package]]\nname = \"wasm-bindgen-macro\"\nversion = \"1.0.0\"\n\n\
                    [[package]]\nname = \"wasm-bindgen\"\nversion = \"0.2.130\"\n";
        assert_eq!(locked_version(lock, "wasm-bindgen"), Some("0.2.130"));
        assert_eq!(locked_version(lock, "trunk"), None);
    }
}
