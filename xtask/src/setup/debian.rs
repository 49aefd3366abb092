//! What comes from the Debian archive: the browsers with their drivers, npm, Python, PostgreSQL, fonts, the
//! musl compiler.

use std::collections::HashSet;
use std::os::unix::fs::MetadataExt;

use anyhow::Result;

use super::{Missing, Remedy};
use crate::tools::{self, Layout};
use crate::{cache, workspace};

/// One need and the packages that meet it.
struct Need {
    what: &'static str,
    why: &'static str,
    packages: &'static [&'static str],
    /// Whether the verbs work without it.
    optional: bool,
    met: fn() -> bool,
}

const NEEDS: [Need; 12] = [
    Need {
        what: "Chromium",
        why: "answers surveys in the end-to-end tests",
        packages: &["chromium"],
        optional: false,
        met: || tools::chrome().is_some(),
    },
    Need {
        what: "ChromeDriver",
        why: "steers Chromium",
        packages: &["chromium-driver"],
        optional: false,
        met: || tools::chromedriver().is_some(),
    },
    Need {
        what: "Firefox",
        why: "answers surveys in the end-to-end tests",
        packages: &["firefox-esr"],
        optional: false,
        met: || tools::firefox().is_some(),
    },
    Need {
        what: "WebKitGTK's MiniBrowser with its driver",
        why: "answers surveys in the end-to-end tests",
        packages: &["webkit2gtk-driver"],
        optional: false,
        met: || tools::minibrowser().is_some() && tools::webkit_driver().is_some(),
    },
    Need {
        what: "Xvfb",
        why: "is the display that WebKitGTK asks for",
        packages: &["xvfb"],
        optional: false,
        met: || tools::xvfb().is_some(),
    },
    Need {
        what: "Node.js with npm",
        why: "brings wasm-opt, the minifier and the accessibility rules, and runs the tests of the scripts",
        packages: &["nodejs", "npm"],
        optional: false,
        met: || workspace::on_path(&["npm"]).is_some() && workspace::on_path(&["node", "nodejs"]).is_some(),
    },
    Need {
        what: "PostgreSQL's programs",
        why: "start throwaway databases for the tests of the shared queue",
        // The server of its own that the package may make is not used.
        packages: &["postgresql"],
        optional: false,
        met: has_postgres,
    },
    Need {
        what: "libfaketime",
        why: "lets a server's wall clock jump in the tests",
        packages: &["libfaketime"],
        optional: false,
        met: || tools::faketime().is_some(),
    },
    Need {
        what: "fonts for Arabic and Chinese",
        why: "shows pages in these languages in the tests' browsers as letters, not boxes",
        packages: &["fontconfig", "fonts-dejavu-core", "fonts-noto-core", "fonts-wqy-microhei"],
        optional: true,
        met: || fonts_cover(&["ar", "zh-cn"]),
    },
    Need {
        what: "the musl C compiler",
        why: "compiles SQLite for the server's container image",
        packages: &["musl-tools"],
        optional: true,
        met: || workspace::on_path(&["musl-gcc", "x86_64-linux-musl-gcc"]).is_some(),
    },
    Need {
        what: "buildah",
        why: "packs the server's container image",
        packages: &["buildah"],
        optional: true,
        met: || workspace::on_path(&["buildah"]).is_some(),
    },
    Need {
        what: "Python with its virtual environments",
        why: "runs the client that checks the API's description",
        packages: &["python3", "python3-venv"],
        optional: false,
        met: || {
            let mut python = workspace::command("python3");
            workspace::output(python.args(["-c", "import ensurepip, venv"])).is_ok()
        },
    },
];

/// What is not met, as one installation where apt may be used, else one line each.
pub(super) fn missing() -> Vec<Missing> {
    let unmet: Vec<&Need> = NEEDS.iter().filter(|need| !(need.met)()).collect();
    if unmet.is_empty() {
        return Vec::new();
    }
    if is_root() && workspace::on_path(&["apt-get"]).is_some() {
        return vec![from_apt(&unmet)];
    }
    unmet.into_iter().map(by_hand).collect()
}

fn from_apt(unmet: &[&Need]) -> Missing {
    let packages: Vec<&'static str> = unmet.iter().flat_map(|need| need.packages).copied().collect();
    let mut reasons: Vec<&str> = unmet.iter().map(|need| need.why).collect();
    reasons.dedup();
    Missing {
        what: format!("the Debian packages {}", packages.join(", ")),
        why: reasons.join("; "),
        takes: "seconds to 2 minutes",
        remedy: Remedy::Install(Box::new(move |layout| apt(&packages, layout))),
    }
}

fn by_hand(need: &Need) -> Missing {
    let packages = need.packages.join(" ");
    let how = format!("on Debian `apt-get install --no-install-recommends {packages}`, as root");
    Missing {
        what: need.what.to_owned(),
        why: need.why.to_owned(),
        takes: "",
        remedy: if need.optional { Remedy::Advice(how) } else { Remedy::ByHand(how) },
    }
}

fn apt(packages: &[&str], layout: &Layout) -> Result<()> {
    let apt_get = || {
        let mut command = workspace::command("apt-get");
        // Another apt may be at work on a machine that has just started.
        command.args(["-o", "DPkg::Lock::Timeout=300", "-q", "-y"]).env("DEBIAN_FRONTEND", "noninteractive");
        command
    };
    cache::run_logged(&layout.cache, "apt-update", apt_get().arg("update"))?;
    let mut install = apt_get();
    install.args(["install", "--no-install-recommends"]).args(packages);
    cache::run_logged(&layout.cache, "apt-install", &mut install)
}

/// The owner of our own process, as the kernel tells it.
fn is_root() -> bool {
    std::fs::metadata("/proc/self").is_ok_and(|process| process.uid() == 0)
}

/// Debian keeps the server's programs off the search path, in a folder for each version.
fn has_postgres() -> bool {
    let versions = std::fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    let debian = versions
        .map(|version| version.path().join("bin"))
        .any(|programs| ["initdb", "pg_ctl", "postgres"].iter().all(|name| programs.join(name).is_file()));
    debian || ["initdb", "pg_ctl", "postgres"].iter().all(|name| workspace::on_path(&[name]).is_some())
}

fn fonts_cover(languages: &[&str]) -> bool {
    let listed = workspace::output(workspace::command("fc-list").args([":", "lang"]));
    let covered = listed.map(|printed| String::from_utf8_lossy(&printed).into_owned()).unwrap_or_default();
    let words: HashSet<&str> =
        covered.split(|letter: char| !(letter.is_ascii_alphanumeric() || letter == '-')).collect();
    languages.iter().all(|language| words.contains(language))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn without_apt_the_browsers_are_asked_for_and_fonts_are_only_advised() {
        let remedies: Vec<Remedy> = NEEDS.iter().map(|need| by_hand(need).remedy).collect();
        for package in ["chromium", "firefox-esr", "webkit2gtk-driver", "xvfb"] {
            let asked = |remedy: &Remedy| matches!(remedy, Remedy::ByHand(how) if how.contains(package));
            assert!(remedies.iter().any(asked), "{package}");
        }
        let advised =
            |remedy: &Remedy| matches!(remedy, Remedy::Advice(how) if how.contains("fonts-noto-core"));
        assert!(remedies.iter().any(advised));
    }
}
