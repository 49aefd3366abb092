//! `cargo xtask setup`: brings what a fresh machine lacks, and is quick when nothing is missing.
//!
//! First everything is looked at; what cannot be installed from here is told at once, by name, before any
//! long build starts. Then each missing piece says what it is, why it is needed and how long it takes.

mod crates;
mod debian;
mod npm;
mod python;
mod rust;

use std::path::PathBuf;
use std::time::Instant;

use anyhow::{Context, Result, bail};

use crate::tools::{Layout, Tools};
use crate::{cache, terminal};

/// Something this machine lacks.
struct Missing {
    what: String,
    why: String,
    /// About how long it takes on two cores.
    takes: &'static str,
    remedy: Remedy,
}

type Install = Box<dyn FnOnce(&Layout) -> Result<()>>;

/// How it comes here.
enum Remedy {
    Install(Install),
    /// What a person has to install: this machine does not let us.
    ByHand(String),
    /// The same for what nothing fails without.
    Advice(String),
}

/// Brings every tool and gives where they are.
pub(crate) fn run() -> Result<Tools> {
    let start = Instant::now();
    let layout = Layout::of_this_checkout()?;
    if missing(&layout)?.iter().all(|piece| matches!(piece.remedy, Remedy::Advice(_))) {
        println!("Tools: nothing is missing ({}).", layout.cache.display());
        return found(&layout);
    }

    let _lock = cache::lock(&layout.cache.join("setup.lock"))?;
    cache::sweep(&layout.cache)?;
    // Looked at again: another set-up may have brought it while this one waited for the lock.
    install(missing(&layout)?, &layout)?;
    println!("Tools: ready after {} ({}).", terminal::duration(start.elapsed()), layout.cache.display());
    found(&layout)
}

/// The fuzzer, which only its own verb needs: built when it is first asked for.
pub(crate) fn cargo_fuzz(layout: &Layout) -> Result<PathBuf> {
    when_asked_for(layout, crates::missing_fuzzer)?;
    layout.cargo_fuzz().context("cargo-fuzz is still not where it belongs")
}

/// The folder with the packages of the peers, which only one benchmark needs.
pub(crate) fn peers(layout: &Layout) -> Result<PathBuf> {
    when_asked_for(layout, npm::missing_peers)?;
    layout.peers().context("the peers' packages are still not where they belong")
}

/// Installs what no set-up brings.
fn when_asked_for(layout: &Layout, missing: fn(&Layout) -> Option<Missing>) -> Result<()> {
    if missing(layout).is_none() {
        return Ok(());
    }
    let _lock = cache::lock(&layout.cache.join("setup.lock"))?;
    install(missing(layout).into_iter().collect(), layout)
}

/// All that is missing, in the order in which it is installed: what is quick or may fail comes first.
fn missing(layout: &Layout) -> Result<Vec<Missing>> {
    let mut pieces = rust::missing()?;
    pieces.extend(debian::missing());
    pieces.extend(npm::missing(layout));
    pieces.extend(python::missing(layout));
    pieces.extend(crates::missing(layout));
    Ok(pieces)
}

fn install(pieces: Vec<Missing>, layout: &Layout) -> Result<()> {
    refuse_what_cannot_be_installed(&pieces)?;
    for piece in pieces {
        match piece.remedy {
            Remedy::Install(install) => {
                println!("Installing {}: {}; takes {}.", piece.what, piece.why, piece.takes);
                let start = Instant::now();
                install(layout).with_context(|| format!("cannot install {}", piece.what))?;
                println!("    done in {}", terminal::duration(start.elapsed()));
            }
            Remedy::Advice(advice) => println!("Advised: {} ({}): {advice}.", piece.what, piece.why),
            Remedy::ByHand(_) => {}
        }
    }
    Ok(())
}

fn refuse_what_cannot_be_installed(pieces: &[Missing]) -> Result<()> {
    let by_hand: Vec<String> = pieces
        .iter()
        .filter_map(|piece| match &piece.remedy {
            Remedy::ByHand(how) => Some(format!("  - {} ({}): {how}", piece.what, piece.why)),
            Remedy::Install(_) | Remedy::Advice(_) => None,
        })
        .collect();
    if by_hand.is_empty() {
        return Ok(());
    }
    bail!(
        "this machine lacks what cannot be installed from here. Please install:\n{}\n\
         and run the command again",
        by_hand.join("\n")
    );
}

fn found(layout: &Layout) -> Result<Tools> {
    layout.tools().with_context(|| {
        format!(
            "a tool is still not where it belongs; remove {} and run `cargo xtask setup` again",
            layout.cache.display()
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn piece(what: &str, remedy: Remedy) -> Missing {
        Missing { what: what.to_owned(), why: "for the browser tests".to_owned(), takes: "a minute", remedy }
    }

    #[test]
    fn what_a_person_must_install_is_told_by_name_before_anything_is_installed() -> Result<()> {
        let pieces = vec![
            piece("trunk", Remedy::Install(Box::new(|_| panic!("must not be installed")))),
            piece("Chromium", Remedy::ByHand("the Debian package chromium".to_owned())),
        ];
        let layout = Layout { cache: "unused".into(), wasm_bindgen_version: "1".to_owned() };
        let error = install(pieces, &layout).err().context("must be refused")?.to_string();
        assert!(error.contains("Chromium (for the browser tests): the Debian package chromium"), "{error}");
        assert!(!error.contains("trunk"), "{error}");
        Ok(())
    }

    #[test]
    fn advice_stops_nothing() {
        assert!(refuse_what_cannot_be_installed(&[piece("fonts", Remedy::Advice(String::new()))]).is_ok());
    }
}
