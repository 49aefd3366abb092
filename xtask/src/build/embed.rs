//! `dist/embed`: what the server carries and serves.
//!
//! ```text
//! build.txt                the build id
//! loader.js                minified, both placeholders still in: the server fills them in per survey
//! looks.css                minified, for the definitions of surveys that need it
//! BUILD/widget.js          the same with the build id and without rules, for pages that pin it
//! BUILD/glue.js            and each of these with `.br` and `.gz` beside it
//! BUILD/widget.wasm
//! BUILD/full-glue.js       these two in their place for surveys that use what few do
//! BUILD/full-widget.wasm
//! BUILD/frame.js           only for surveys that lie over the page
//! BUILD/tab.js             only for surveys that begin as a tab
//! BUILD/counts.js          only for surveys that count steps
//! BUILD/outbox.js          only where an earlier page left something unsent
//! BUILD/afterword.d.ts     types, for the authors of pages
//! ```
//! The folder is written beside its place and then renamed, so a reader finds all of one build.

use std::fs;
use std::io::Write;
use std::path::Path;

use anyhow::{Context, Result, bail};
use sha2::{Digest, Sha256};

/// Where the loader names the build it loads.
pub(super) const BUILD: &str = "\"__AFTERWORD_BUILD__\"";
/// Where the loader takes a survey's rules.
pub(super) const RULES: &str = "\"__AFTERWORD_RULES__\"";
/// The loader as a page pins it.
pub(super) const LOADER: &str = "widget.js";
pub(super) const GLUE: &str = "glue.js";
pub(super) const WASM: &str = "widget.wasm";
pub(super) const FULL_GLUE: &str = "full-glue.js";
pub(super) const FULL_WASM: &str = "full-widget.wasm";
/// What few pages need, and when they do.
pub(super) const MODULES: [(&str, &str); 4] = [
    ("frame.js", "for overlays only"),
    ("tab.js", "for tabs only"),
    ("outbox.js", "if something waits"),
    ("counts.js", "if steps are counted"),
];
const TYPES: &str = "afterword.d.ts";

/// Hex digits of the build id.
const BUILD_ID: usize = 12;
const BROTLI_QUALITY: i32 = 11;
/// 4 MiB: more than any file here, and the most that every browser takes.
const BROTLI_WINDOW: i32 = 22;

/// What browsers load, minified and optimised, not yet compressed.
pub(super) struct Parts {
    pub(super) usual: Module,
    /// With what few surveys use.
    pub(super) full: Module,
    pub(super) loader: String,
    pub(super) looks: String,
    /// Those of [`MODULES`], in their order.
    pub(super) modules: [String; MODULES.len()],
    pub(super) types: String,
}

/// A WebAssembly module and the glue that starts it.
pub(super) struct Module {
    pub(super) glue: String,
    pub(super) wasm: Vec<u8>,
}

impl Parts {
    /// The files of a build beside its loader, by name.
    fn others(&self) -> impl Iterator<Item = (&'static str, &[u8])> {
        let modules = MODULES.iter().zip(&self.modules).map(|((name, _), script)| (*name, script.as_bytes()));
        [
            (GLUE, self.usual.glue.as_bytes()),
            (WASM, &self.usual.wasm),
            (FULL_GLUE, self.full.glue.as_bytes()),
            (FULL_WASM, &self.full.wasm),
            (TYPES, self.types.as_bytes()),
        ]
        .into_iter()
        .chain(modules)
    }
}

/// Whether the folder holds everything that the build it names consists of.
pub(super) fn is_complete(embed: &Path) -> bool {
    let Ok(build) = fs::read_to_string(embed.join("build.txt")) else { return false };
    let folder = embed.join(build.trim());
    let whole =
        |file: &str| ["", ".br", ".gz"].iter().all(|end| folder.join(format!("{file}{end}")).is_file());
    let modules = MODULES.iter().map(|(name, _)| *name);
    embed.join("loader.js").is_file()
        && embed.join("looks.css").is_file()
        && [LOADER, GLUE, WASM, FULL_GLUE, FULL_WASM, TYPES].into_iter().chain(modules).all(whole)
}

/// Writes the folder anew. An equal build that is whole stays untouched, and nothing that watches it runs.
pub(super) fn write(parts: &Parts, embed: &Path) -> Result<()> {
    let build = build_id(parts);
    let present = fs::read_to_string(embed.join("build.txt")).is_ok_and(|present| present.trim() == build);
    if present && is_complete(embed) {
        return Ok(());
    }
    let loader = pinned_loader(&parts.loader, &build)?;
    let (fresh, old) = (embed.with_extension("tmp"), embed.with_extension("old"));
    clear(&fresh)?;
    clear(&old)?;
    let folder = fresh.join(&build);
    fs::create_dir_all(&folder).with_context(|| format!("cannot create {}", folder.display()))?;
    for (name, content) in [(LOADER, loader.as_bytes())].into_iter().chain(parts.others()) {
        put(&folder.join(name), content)?;
        put(&folder.join(format!("{name}.br")), &brotli(content)?)?;
        put(&folder.join(format!("{name}.gz")), &gzip(content)?)?;
    }
    put(&fresh.join("loader.js"), parts.loader.as_bytes())?;
    put(&fresh.join("looks.css"), parts.looks.as_bytes())?;
    put(&fresh.join("build.txt"), format!("{build}\n").as_bytes())?;

    if embed.exists() {
        fs::rename(embed, &old).with_context(|| format!("cannot move {} away", embed.display()))?;
    }
    fs::rename(&fresh, embed).with_context(|| format!("cannot create {}", embed.display()))?;
    clear(&old)
}

fn build_id(parts: &Parts) -> String {
    let mut digest = Sha256::new();
    digest.update(&parts.loader);
    digest.update(&parts.looks);
    for (_, content) in parts.others() {
        digest.update(content);
    }
    let mut id = hex(&digest.finalize());
    id.truncate(BUILD_ID);
    id
}

/// The loader as a page pins it: it knows its build and gets the rules with the definition.
fn pinned_loader(loader: &str, build: &str) -> Result<String> {
    served_loader(loader, build, "null")
}

/// The loader as the server sends it, both placeholders filled in.
pub(super) fn served_loader(loader: &str, build: &str, rules: &str) -> Result<String> {
    for placeholder in [BUILD, RULES] {
        if !loader.contains(placeholder) {
            bail!(
                "the minified loader has no {placeholder}. The minifier joins neighbouring strings: keep it \
                 a literal by itself in widget/loader.js, for example `const build = {placeholder}`"
            );
        }
    }
    Ok(loader.replace(BUILD, &format!("\"{build}\"")).replace(RULES, rules))
}

pub(super) fn brotli(content: &[u8]) -> Result<Vec<u8>> {
    let parameters = brotli::enc::BrotliEncoderParams {
        quality: BROTLI_QUALITY,
        lgwin: BROTLI_WINDOW,
        size_hint: content.len(),
        ..Default::default()
    };
    let mut compressed = Vec::new();
    brotli::BrotliCompress(&mut &content[..], &mut compressed, &parameters).context("cannot compress")?;
    Ok(compressed)
}

pub(super) fn gzip(content: &[u8]) -> Result<Vec<u8>> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    encoder.write_all(content).context("cannot compress")?;
    encoder.finish().context("cannot compress")
}

/// Lower-case hexadecimal digits.
pub(super) fn hex(bytes: &[u8]) -> String {
    let nibbles = bytes.iter().flat_map(|byte| [byte >> 4, byte & 15]);
    nibbles.filter_map(|nibble| char::from_digit(nibble.into(), 16)).collect()
}

fn put(path: &Path, content: &[u8]) -> Result<()> {
    fs::write(path, content).with_context(|| format!("cannot write {}", path.display()))
}

fn clear(folder: &Path) -> Result<()> {
    if folder.exists() {
        fs::remove_dir_all(folder).with_context(|| format!("cannot remove {}", folder.display()))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::workspace;

    fn parts(glue: &str) -> Parts {
        let loader = format!("(()=>{{let b={BUILD},r={RULES}}})();");
        let module = || Module { glue: glue.to_owned(), wasm: b"\0asm".to_vec() };
        Parts {
            usual: module(),
            full: module(),
            loader,
            looks: String::new(),
            modules: Default::default(),
            types: String::new(),
        }
    }

    #[test]
    fn the_pinned_loader_knows_its_build_and_has_no_rules() -> Result<()> {
        assert_eq!(
            pinned_loader(&parts("").loader, "0123456789ab")?,
            "(()=>{let b=\"0123456789ab\",r=null})();"
        );
        Ok(())
    }

    #[test]
    fn a_loader_whose_placeholder_was_minified_away_fails_the_build() {
        assert!(pinned_loader("let b=\"/a/__AFTERWORD_BUILD__/glue.js\"", "0123456789ab").is_err());
    }

    #[test]
    fn a_new_build_takes_the_whole_place_of_the_old_one() -> Result<()> {
        let embed = workspace::scratch()?.join("unit/embed");
        clear(&embed)?;
        write(&parts("one"), &embed)?;
        let first = fs::read_to_string(embed.join("build.txt"))?;
        assert!(is_complete(&embed));

        write(&parts("two"), &embed)?;
        let second = fs::read_to_string(embed.join("build.txt"))?;
        assert!(is_complete(&embed));
        assert_ne!(first, second);
        assert!(!embed.join(first.trim()).exists());
        assert_eq!(second.trim().len(), BUILD_ID);
        Ok(())
    }

    #[test]
    fn a_folder_without_one_compressed_file_is_not_complete() -> Result<()> {
        let embed = workspace::scratch()?.join("unit/embed-incomplete");
        clear(&embed)?;
        let parts = parts("one");
        write(&parts, &embed)?;
        let folder = embed.join(build_id(&parts));
        fs::remove_file(folder.join("glue.js.br"))?;
        assert!(!is_complete(&embed));
        write(&parts, &embed)?;
        assert!(is_complete(&embed));
        Ok(())
    }
}
