//! What a page pays, file by file, against the budgets of the design.

use std::fmt;
use std::fs;
use std::path::Path;

use anyhow::{Context, Result, bail};

use super::embed;
use crate::terminal::{table, thousands};

/// All a page pays before its survey is due: the loader with the survey's rules.
const LOADER_BUDGET: u64 = 3_072;
/// Everything until the first question shows.
const FIRST_QUESTION_BUDGET: u64 = 57_344;
/// What a definition of the demo may take: the server compresses it, and an end-to-end test holds the
/// largest one against this very figure.
const DEFINITION_ALLOWANCE: u64 = 1_000;
/// Rules of a small survey, as the server would put them into the loader.
const SAMPLE_RULES: &str = r#"{"survey":"checkout","mode":"popover","after":20,"position":"bottom-start","scroll":50,"exit":true,"devices":"phone desktop","pages":"/thanks /orders/*","sample":25,"dismissed":2592000,"answered":"never"}"#;

/// One file in its three forms.
#[derive(Clone, Copy)]
struct Size {
    raw: u64,
    gzip: u64,
    brotli: u64,
}

/// The files that a page loads until the first question shows.
pub(super) struct Bytes {
    loader: Size,
    /// The loader of pages that pin a build: it comes in the other one's place and is smaller.
    pinned: Size,
    glue: Size,
    wasm: Size,
    /// Glue and module of surveys that use what few do, in the others' place.
    full: [Size; 2],
    /// What few pages need.
    modules: Vec<Size>,
}

/// Measures the files of the build that `dist/embed` holds.
pub(super) fn measure(embed: &Path) -> Result<Bytes> {
    let build = read(&embed.join("build.txt"))?;
    let build = String::from_utf8_lossy(&build).trim().to_owned();
    let loader = String::from_utf8(read(&embed.join("loader.js"))?).context("the loader is not UTF-8")?;
    let loader = embed::served_loader(&loader, &build, SAMPLE_RULES)?;
    let folder = embed.join(&build);
    Ok(Bytes {
        loader: Size {
            raw: count(loader.as_bytes()),
            gzip: count(&embed::gzip(loader.as_bytes())?),
            brotli: count(&embed::brotli(loader.as_bytes())?),
        },
        pinned: of_files(&folder, embed::LOADER)?,
        glue: of_files(&folder, embed::GLUE)?,
        wasm: of_files(&folder, embed::WASM)?,
        full: [of_files(&folder, embed::FULL_GLUE)?, of_files(&folder, embed::FULL_WASM)?],
        modules: embed::MODULES.iter().map(|(name, _)| of_files(&folder, name)).collect::<Result<_>>()?,
    })
}

impl Bytes {
    /// All that is served for one survey, without its definition.
    fn files(&self) -> Size {
        let sum = |form: fn(&Size) -> u64| [self.loader, self.glue, self.wasm].iter().map(form).sum();
        Size { raw: sum(|size| size.raw), gzip: sum(|size| size.gzip), brotli: sum(|size| size.brotli) }
    }

    fn first_question(&self) -> u64 {
        self.files().brotli + DEFINITION_ALLOWANCE
    }

    /// The same for a survey that uses what few do.
    fn first_question_in_full(&self) -> u64 {
        let module: u64 = self.full.iter().map(|size| size.brotli).sum();
        self.loader.brotli + module + DEFINITION_ALLOWANCE
    }

    /// Fails when a budget is exceeded, and says by how much.
    pub(super) fn check(&self) -> Result<()> {
        let budgets = [
            ("the loader with a survey's rules", self.loader.brotli, LOADER_BUDGET),
            ("everything to the first question", self.first_question(), FIRST_QUESTION_BUDGET),
            ("the same with what few surveys use", self.first_question_in_full(), FIRST_QUESTION_BUDGET),
        ];
        let exceeded: Vec<String> = budgets
            .into_iter()
            .filter(|(_, bytes, budget)| bytes > budget)
            .map(|(what, bytes, budget)| {
                let (over, bytes, budget) = (thousands(bytes - budget), thousands(bytes), thousands(budget));
                format!("{what} takes {bytes} bytes of brotli, {over} more than its budget of {budget}")
            })
            .collect();
        if !exceeded.is_empty() {
            bail!("the widget is too heavy: {}", exceeded.join("; "));
        }
        Ok(())
    }
}

impl fmt::Display for Bytes {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let file = |name: &str, size: Size| row(name, &[size.raw, size.gzip, size.brotli].map(thousands));
        let only = |name: &str, bytes: u64| row(name, &[String::new(), String::new(), thousands(bytes)]);
        let mut rows = vec![
            row("bytes", &["raw", "gzip", "brotli"].map(str::to_owned)),
            file("widget.js with rules", self.loader),
            only("  budget", LOADER_BUDGET),
            file("widget.js, pinned", self.pinned),
            file("glue.js", self.glue),
            file("widget.wasm", self.wasm),
            file("files of one survey", self.files()),
            only("definition (allowance)", DEFINITION_ALLOWANCE),
            only("first question", self.first_question()),
            only("  budget", FIRST_QUESTION_BUDGET),
            file("full-glue.js, for what few surveys use", self.full[0]),
            file("full-widget.wasm, the same", self.full[1]),
            only("  first question with both", self.first_question_in_full()),
        ];
        let modules = embed::MODULES.iter().zip(&self.modules);
        rows.extend(modules.map(|((name, when), size)| file(&format!("{name}, {when}"), *size)));
        formatter.write_str(&table(&rows))
    }
}

fn row(name: &str, cells: &[String]) -> Vec<String> {
    std::iter::once(name.to_owned()).chain(cells.iter().cloned()).collect()
}

fn of_files(folder: &Path, name: &str) -> Result<Size> {
    let length = |end: &str| {
        let path = folder.join(format!("{name}{end}"));
        let file = fs::metadata(&path).with_context(|| format!("cannot read {}", path.display()))?;
        anyhow::Ok(file.len())
    };
    Ok(Size { raw: length("")?, gzip: length(".gz")?, brotli: length(".br")? })
}

fn read(path: &Path) -> Result<Vec<u8>> {
    fs::read(path).with_context(|| format!("cannot read {}", path.display()))
}

fn count(content: &[u8]) -> u64 {
    content.len() as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with_brotli(loader: u64, glue: u64, wasm: u64) -> Bytes {
        let [loader, glue, wasm, module] =
            [loader, glue, wasm, 9_999].map(|brotli| Size { raw: 3, gzip: 2, brotli });
        let full = [glue, wasm];
        Bytes { loader, pinned: loader, glue, wasm, full, modules: vec![module; embed::MODULES.len()] }
    }

    #[test]
    fn bytes_exactly_at_both_budgets_pass() {
        let rest = FIRST_QUESTION_BUDGET - LOADER_BUDGET - DEFINITION_ALLOWANCE - 5_000;
        assert!(with_brotli(LOADER_BUDGET, 5_000, rest).check().is_ok());
    }

    #[test]
    fn one_byte_more_than_a_budget_fails_and_says_by_how_much() -> Result<()> {
        let error = with_brotli(LOADER_BUDGET + 1, 0, 0).check().err().context("must fail")?;
        assert!(error.to_string().contains("takes 3,073 bytes of brotli, 1 more than"), "{error}");
        assert!(with_brotli(0, 5_000, FIRST_QUESTION_BUDGET).check().is_err());
        Ok(())
    }

    #[test]
    fn every_file_is_printed_in_its_three_forms_and_the_sum_counts_one_loader() {
        let printed = with_brotli(1_000, 2_000, 30_000).to_string();
        for line in ["widget.js with rules", "widget.js, pinned", "glue.js", "widget.wasm"] {
            assert!(printed.contains(line), "{printed}");
        }
        let sum = printed.lines().find(|line| line.contains("files of one survey"));
        let cells: Vec<&str> =
            sum.into_iter().flat_map(|line| line.split_whitespace().rev().take(3)).collect();
        assert_eq!(cells, ["33,000", "6", "9"], "{printed}");
    }

    #[test]
    fn the_sample_rules_are_as_large_as_those_of_a_small_survey() {
        assert!((180..260).contains(&SAMPLE_RULES.len()), "{}", SAMPLE_RULES.len());
    }
}
