//! Bars over time, drawn as SVG that takes its colours from the style sheet: no script, no picture from elsewhere.
//!
//! What a chart shows is also said in words, with a mark for each colour.

use maud::{Markup, html};

use crate::page;

/// A kind of bar, from the bottom up.
#[derive(Clone, Copy, Debug)]
pub(super) struct Part {
    /// What it counts.
    pub(super) name: &'static str,
    /// The colour's class.
    pub(super) class: &'static str,
}

/// A span of time, with a number for each part.
#[derive(Clone, Debug)]
pub(super) struct Bin {
    /// When it was.
    pub(super) when: String,
    /// So many of each part.
    pub(super) counts: Vec<u64>,
}

const HEIGHT: f64 = 100.0;
/// Of a bar and the gap beside it.
const WIDTH: f64 = 10.0;
const GAP: f64 = 1.5;

/// Bars for each span of time, parts on top of each other, and a legend with totals.
pub(super) fn bars(title: &str, parts: &[Part], bins: &[Bin]) -> Markup {
    let most = bins.iter().map(|bin| bin.counts.iter().sum::<u64>()).max().unwrap_or_default();
    let totals: Vec<u64> =
        (0..parts.len()).map(|at| bins.iter().filter_map(|bin| bin.counts.get(at)).sum()).collect();
    let said = parts.iter().zip(&totals).map(|(part, total)| format!("{} {total}", part.name));
    let said = format!("{title}: {}", said.collect::<Vec<_>>().join(", "));
    #[expect(clippy::cast_precision_loss, reason = "a few hundred bars at most")]
    let width = bins.len() as f64 * WIDTH;
    html! {
        figure.chart {
            figcaption { (title) @if most > 0 { span.quiet { " most: " (page::grouped(most)) } } }
            svg viewBox={ "0 0 " (width) " " (HEIGHT) } preserveAspectRatio="none" role="img" aria-label=(said) {
                @for (at, bin) in bins.iter().enumerate() { (bar(at, bin, parts, most)) }
                path.base d={ "M0 " (HEIGHT) "H" (width) } {}
            }
            @if let (Some(first), Some(last)) = (bins.first(), bins.last()) {
                p.axis aria-hidden="true" { span { (first.when) } span { (last.when) } }
            }
            ul.legend { @for (part, total) in parts.iter().zip(&totals) {
                li { i class=(part.class) aria-hidden="true" {} (part.name) " " b { (page::grouped(*total)) } }
            } }
        }
    }
}

#[expect(clippy::cast_precision_loss, reason = "a picture")]
fn bar(at: usize, bin: &Bin, parts: &[Part], most: u64) -> Markup {
    let mut top = HEIGHT;
    let pieces = bin.counts.iter().zip(parts).filter(|(count, _)| **count > 0).map(|(count, part)| {
        // What is there can be seen.
        let height = (*count as f64 / most.max(1) as f64 * (HEIGHT - 4.0)).max(1.0);
        top -= height;
        (top, height, part.class)
    });
    let pieces: Vec<_> = pieces.collect();
    let said = bin.counts.iter().zip(parts).filter(|(count, _)| **count > 0);
    let said: Vec<String> = said.map(|(count, part)| format!("{} {count}", part.name)).collect();
    html! {
        @if !pieces.is_empty() {
            g {
                title { (bin.when) ": " (said.join(", ")) }
                @for (top, height, class) in pieces {
                    rect class=(class) x=(format!("{:.1}", at as f64 * WIDTH + GAP / 2.0)) y=(format!("{top:.1}"))
                        width=(WIDTH - GAP) height=(format!("{height:.1}")) {}
                }
            }
        }
    }
}

/// One line of a list of bars that lie.
pub(super) fn share(name: &str, count: u64, of: u64) -> Markup {
    #[expect(clippy::cast_precision_loss, reason = "a picture")]
    let part = if of == 0 { 0.0 } else { count as f64 / of as f64 * 100.0 };
    html! {
        tr {
            th scope="row" { (name) }
            td.bar-cell { svg viewBox="0 0 100 8" preserveAspectRatio="none" aria-hidden="true" {
                rect.track x="0" y="0" width="100" height="8" {}
                rect.brand x="0" y="0" width=(format!("{:.1}", part.min(100.0))) height="8" {}
            } }
            td.number { (page::grouped(count)) }
            td.number.quiet { (format!("{part:.0} %")) }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PARTS: [Part; 2] = [Part { name: "good", class: "c-good" }, Part { name: "bad", class: "c-bad" }];

    fn bin(when: &str, counts: [u64; 2]) -> Bin {
        Bin { when: when.into(), counts: counts.into() }
    }

    #[test]
    fn a_chart_says_in_words_what_it_shows() {
        let chart =
            bars("Calls", &PARTS, &[bin("10:00", [3, 1]), bin("10:01", [0, 0]), bin("10:02", [1, 0])]);
        let chart = chart.into_string();
        assert!(chart.contains("aria-label=\"Calls: good 4, bad 1\""), "{chart}");
        assert!(chart.contains("<title>10:00: good 3, bad 1</title>") && !chart.contains("10:01: "));
        assert_eq!(chart.matches("<rect").count(), 3);
        assert!(!chart.contains("style="));
    }

    #[test]
    fn nothing_is_drawn_of_nothing_and_nothing_is_too_small_to_be_seen() {
        assert!(!bars("Calls", &PARTS, &[]).into_string().contains("<rect"));
        let chart = bars("Calls", &PARTS, &[bin("a", [1, 0]), bin("b", [1_000_000, 0])]).into_string();
        assert!(chart.contains("height=\"1.0\""), "{chart}");
    }
}
