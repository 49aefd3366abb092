//! A survey's numbers: what was accepted here, and how far visitors come.

use std::collections::{BTreeMap, HashMap};

use jiff::Timestamp;
use maud::{Markup, html};

use super::wish::{SPANS, Wish};
use super::{Counts, rounded};
use crate::config::{self, Question, Survey};
use crate::dashboard::chart::{self, Bin, Part};
use crate::dashboard::time;
use crate::intake::{SHOWN, SUBMITTED, answered};
use crate::page;
use crate::queue::Kind;

const PARTS: [Part; 3] = [
    Part { name: "promoters", class: "c-good" },
    Part { name: "passives", class: "c-plain" },
    Part { name: "detractors", class: "c-bad" },
];
const ACCEPTED: [Part; 1] = [Part { name: "accepted", class: "c-brand" }];

/// A survey's numbers over some days.
pub(super) struct Figures<'a> {
    pub(super) wish: &'a Wish,
    pub(super) survey: &'a Survey,
    pub(super) days: Vec<Timestamp>,
    pub(super) answers: Counts,
    pub(super) steps: Counts,
}

/// How those who gave a score divide.
#[derive(Clone, Copy, Default)]
struct Split {
    promoters: u64,
    passives: u64,
    detractors: u64,
}

impl Split {
    fn add(&mut self, score: i32, count: u64) {
        match score {
            9.. => self.promoters += count,
            7 | 8 => self.passives += count,
            _ => self.detractors += count,
        }
    }

    fn total(self) -> u64 {
        self.promoters + self.passives + self.detractors
    }

    /// From -100 to 100; `None` without any.
    #[expect(clippy::cast_precision_loss, reason = "a percentage")]
    fn nps(self) -> Option<f64> {
        let total = self.total();
        (total > 0).then(|| (self.promoters as f64 - self.detractors as f64) / total as f64 * 100.0)
    }

    fn said(self) -> String {
        self.nps().map_or("–".to_owned(), rounded)
    }
}

impl Figures<'_> {
    /// The counts that pass the filter by language.
    fn of<'a>(&self, counts: &'a Counts) -> impl Iterator<Item = &'a (Kind, u64)> {
        let lang = self.wish.lang.clone();
        counts.iter().filter(move |(kind, _)| lang.as_ref().is_none_or(|lang| kind.language == *lang))
    }

    pub(super) fn head(&self) -> Markup {
        let (survey, days, lang) = (self.survey, self.wish.days(), self.wish.lang.as_deref());
        html! {
            div.head {
                h1 { (survey.id) }
                p.quiet { (survey.summary()) " · lane " (survey.platform) " · touchpoint " code { (survey.touchpoint) } " · "
                    a href={ "/preview/" (survey.id) } { "preview" } }
            }
            nav.card.filters aria-label="What is shown" {
                div { span.quiet { "Days" }
                    @for span in SPANS {
                        a href=(Wish::address(survey, span, lang)) aria-current=[(span == days).then_some("true")] { (span) }
                    }
                }
                @if survey.languages.len() > 1 {
                    div { span.quiet { "Language" }
                        a href=(Wish::address(survey, days, None)) aria-current=[lang.is_none().then_some("true")] { "all" }
                        @for language in &survey.languages {
                            a href=(Wish::address(survey, days, Some(language.tag())))
                                aria-current=[(lang == Some(language.tag())).then_some("true")] { (language.tag()) }
                        }
                    }
                }
            }
        }
    }

    pub(super) fn accepted(&self) -> Markup {
        let all = || self.of(&self.answers).filter(|(kind, _)| kind.item.is_empty());
        let total: u64 = all().map(|(_, count)| count).sum();
        let bins: Vec<Bin> = self
            .days
            .iter()
            .map(|day| {
                let count = all().filter(|(kind, _)| kind.at == *day).map(|(_, count)| count).sum();
                Bin { when: time::day(*day), counts: vec![count] }
            })
            .collect();
        let mut languages: BTreeMap<&str, u64> = BTreeMap::new();
        for (kind, count) in all() {
            *languages.entry(&kind.language).or_default() += count;
        }
        html! {
            section.card {
                h2 { "Accepted" }
                @if total == 0 {
                    p.quiet { "Nothing was answered in these days. Each answer is counted when it is accepted." }
                } @else {
                    (chart::bars("Submissions by day", &ACCEPTED, &bins))
                    @if languages.len() > 1 {
                        table.bars aria-label="By language" { tbody {
                            @for (language, count) in languages { (chart::share(language, count, total)) }
                        } }
                    }
                }
            }
        }
    }

    /// The questions whose answers make a Net Promoter Score.
    pub(super) fn scored(&self) -> impl Iterator<Item = &Question> {
        let is = |question: &&Question| matches!(question.kind, config::Kind::Score { min: 0, max: 10, .. });
        self.survey.questions.iter().filter(is)
    }

    pub(super) fn nps(&self, question: &Question) -> Markup {
        let mut all = Split::default();
        let mut by_language: BTreeMap<&str, Split> = BTreeMap::new();
        let mut by_day: BTreeMap<Timestamp, Split> = BTreeMap::new();
        for (kind, count) in self.of(&self.answers).filter(|(kind, _)| kind.item == question.id.as_str()) {
            let Ok(score) = kind.value.parse() else { continue };
            all.add(score, *count);
            by_language.entry(&kind.language).or_default().add(score, *count);
            by_day.entry(kind.at).or_default().add(score, *count);
        }
        let bin = |day: &Timestamp| {
            let split = by_day.get(day).copied().unwrap_or_default();
            let counts = vec![split.promoters, split.passives, split.detractors];
            Bin { when: format!("{}, NPS {}", time::day(*day), split.said()), counts }
        };
        let bins: Vec<Bin> = self.days.iter().map(bin).collect();
        html! {
            section.card {
                h2 { "Net Promoter Score of “" (question.id) "”" }
                @if all.total() == 0 {
                    p.quiet { "Nobody has given a score in these days." }
                } @else {
                    dl.figures {
                        (page::figure("NPS, as accepted here", all.said()))
                        @for (part, count) in PARTS.iter().zip([all.promoters, all.passives, all.detractors]) {
                            (page::figure(part.name, page::grouped(count)))
                        }
                    }
                    (chart::bars("Scores by day", &PARTS, &bins))
                    @if by_language.len() > 1 {
                        div.scroll { table {
                            thead { tr { th { "Language" } th.number { "Answers" } th.number { "NPS" } } }
                            tbody { @for (language, split) in by_language { tr {
                                td { (language) } td.number { (page::grouped(split.total())) } td.number { (split.said()) }
                            } } }
                        } }
                    }
                }
            }
        }
    }

    /// How often each step of a scale, each option, yes and no were chosen.
    pub(super) fn questions(&self) -> Markup {
        let language = self.survey.languages[0];
        html! {
            @for question in &self.survey.questions {
                @let values = self.values(question);
                @let total: u64 = values.iter().map(|(_, count)| count).sum();
                @if total > 0 {
                    section.card {
                        h2 { (question.text.get(&language).map_or(question.id.as_str(), String::as_str))
                            " " span.quiet { (question.id) } }
                        @if matches!(question.kind, config::Kind::Text { .. }) {
                            p { (page::grouped(total)) " have answered in words of their own." }
                        } @else {
                            table.bars aria-label="How often it was chosen" { tbody {
                                @for (name, count) in &values { (chart::share(name, *count, total)) }
                            } }
                        }
                    }
                }
            }
        }
    }

    /// What can be chosen, in its order, and how often it was.
    fn values(&self, question: &Question) -> Vec<(String, u64)> {
        let mut chosen: HashMap<&str, u64> = HashMap::new();
        for (kind, count) in self.of(&self.answers).filter(|(kind, _)| kind.item == question.id.as_str()) {
            *chosen.entry(&kind.value).or_default() += count;
        }
        let mut take = |value: &str, name: String| (name, chosen.remove(value).unwrap_or_default());
        let language = self.survey.languages[0];
        let mut values: Vec<(String, u64)> = match &question.kind {
            config::Kind::Score { min, max, .. } => {
                (*min..=*max).map(|step| take(&step.to_string(), step.to_string())).collect()
            }
            config::Kind::YesNo => vec![take("true", "yes".into()), take("false", "no".into())],
            config::Kind::Choice { options, .. } => {
                let name = |option: &config::ChoiceOption| {
                    option.text.get(&language).cloned().unwrap_or_else(|| option.id.to_string())
                };
                options.iter().map(|option| take(option.id.as_str(), name(option))).collect()
            }
            config::Kind::Text { .. } => vec![take("", String::new())],
        };
        // What the survey had before it was changed.
        let mut gone: Vec<(String, u64)> =
            chosen.into_iter().map(|(value, count)| (format!("{value} (gone)"), count)).collect();
        gone.sort();
        values.extend(gone);
        values
    }

    /// How far visitors come, where that is counted.
    pub(super) fn funnel(&self) -> Markup {
        if !self.survey.counts {
            return html! {
                section.card {
                    h2 { "Completion" }
                    p.quiet { "How far visitors come is not counted; " code { "counts = true" } " in the survey counts it, without telling them apart." }
                }
            };
        }
        let count = |step: &str| -> u64 {
            self.of(&self.steps).filter(|(kind, _)| kind.item == step).map(|(_, count)| count).sum()
        };
        let shown = count(SHOWN);
        html! {
            section.card {
                h2 { "Completion" }
                @if shown == 0 {
                    p.quiet { "The survey was not in sight in these days, or the pages that show it were loaded before it was counted." }
                } @else {
                    p.quiet { "Of all times that the survey was in sight. Nobody is told apart: who sees it twice is counted twice. Answers that programs hand in come by none of these steps." }
                    table.bars aria-label="Steps" { tbody {
                        (chart::share("in sight", shown, shown))
                        @for question in &self.survey.questions {
                            (chart::share(question.id.as_str(), count(&answered(&question.id)), shown))
                        }
                        (chart::share("submitted", count(SUBMITTED), shown))
                    } }
                }
            }
        }
    }
}
