//! `/surveys/{survey}`: what was answered, in numbers; how far visitors come; and what the platform makes of it.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use axum::body::Bytes;
use axum::extract::{Extension, Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use jiff::Timestamp;
use maud::{Markup, html};
use shared::SurveyId;

use super::chart::{self, Bin, Part};
use super::form::{self, Fields, Parameters};
use super::frame::{self, Place};
use super::session::Operator;
use super::{Dashboard, time};
use crate::config::{self, Question, Survey};
use crate::forwarder::{Call, Done, NotMade};
use crate::history;
use crate::intake::{SHOWN, SUBMITTED, answered};
use crate::page::{self, Tone};
use crate::platform::{Nps, ReportError, advice};
use crate::queue::{Kind, QueueError, Series, Wanted};
use crate::snippet;

/// The spans that can be chosen, in days.
const SPANS: [u16; 3] = [7, 30, 90];
const DAY: Duration = Duration::from_hours(24);

const PARTS: [Part; 3] = [
    Part { name: "promoters", class: "c-good" },
    Part { name: "passives", class: "c-plain" },
    Part { name: "detractors", class: "c-bad" },
];
const ACCEPTED: [Part; 1] = [Part { name: "accepted", class: "c-brand" }];

/// What the platform has said when it was asked for its own score, by survey and days.
#[derive(Clone, Default)]
pub(super) struct Asked(Arc<Mutex<HashMap<(SurveyId, u16), Said>>>);

/// What the platform said, and when.
#[derive(Clone)]
struct Said {
    at: Timestamp,
    nps: Result<Nps, String>,
}

/// What of a survey's numbers is wanted; what cannot be had is left out.
#[derive(Clone, Default)]
pub(super) struct Wish {
    days: Option<u16>,
    lang: Option<String>,
}

impl Wish {
    fn read(fields: &Fields) -> Self {
        let days = fields.get("days").and_then(|days| days.parse().ok()).filter(|days| SPANS.contains(days));
        let lang = fields.get("lang").filter(|lang| !lang.is_empty()).map(str::to_owned);
        Self { days, lang }
    }

    fn days(&self) -> u16 {
        self.days.unwrap_or(30)
    }

    /// Says what of an address it does without: other days, and a language that nobody can have answered in.
    fn check(&mut self, asked: &Fields, survey: &Survey, counts: &Counts) -> Vec<String> {
        let mut without = Vec::new();
        if let Some(days) = asked.get("days").filter(|_| self.days.is_none()) {
            let spans = SPANS.map(|span| span.to_string()).join(", ");
            without
                .push(format!("“{days}” is none of the spans of days ({spans}): {} are shown.", self.days()));
        }
        let offered = |lang: &str| survey.languages.iter().any(|language| language.tag() == lang);
        let answered = |lang: &str| counts.iter().any(|(kind, _)| kind.language == lang);
        if let Some(lang) = self.lang.take_if(|lang| !offered(lang) && !answered(lang)) {
            let tags = survey.languages.iter().map(|language| language.tag()).collect::<Vec<_>>().join(", ");
            without.push(format!("The survey has no language “{lang}” ({tags}): all of them are shown."));
        }
        without
    }

    fn address(survey: &Survey, days: u16, lang: Option<&str>) -> String {
        let lang = lang.map(|lang| ("lang", lang.to_owned()));
        form::address(
            &format!("/surveys/{}", survey.id),
            [("days", days.to_string())].into_iter().chain(lang),
        )
    }
}

pub(super) async fn page(
    State(dashboard): State<Dashboard>,
    Extension(operator): Extension<Operator>,
    Path(id): Path<String>,
    Parameters(asked): Parameters,
) -> Response {
    let mut wish = Wish::read(&asked);
    let config = dashboard.live.config();
    let Some(survey) = config.survey(&id) else { return unknown(&dashboard, &operator, &id) };
    let today = history::day(dashboard.clock.now());
    let first = today.checked_sub(DAY * u32::from(wish.days() - 1)).unwrap_or(today);
    let counts = match counts(&dashboard, survey, first).await {
        Ok(counts) => counts,
        Err(error) => {
            let body = frame::broken(survey.id.as_str(), &error);
            return frame::live(&dashboard, &operator, Place::Surveys, survey.id.as_str(), &body);
        }
    };
    let without = wish.check(&asked, survey, &counts.0);
    let days: Vec<Timestamp> =
        (0..wish.days()).filter_map(|day| first.checked_add(DAY * u32::from(day)).ok()).collect();
    let figures = Figures { wish: &wish, survey, days, answers: counts.0, steps: counts.1 };
    let body = html! {
        p.quiet { a href="/surveys" { "Surveys" } }
        @for words in without { (page::notice(Tone::Warn, words)) }
        (figures.head())
        (figures.accepted())
        @for question in figures.scored() { (figures.nps(question)) }
        (dashboard.asked.card(&operator, survey, &wish, dashboard.clock.now()))
        (figures.questions())
        (figures.funnel())
        (on_a_page(config.public_url.as_deref(), survey))
    };
    frame::live(&dashboard, &operator, Place::Surveys, survey.id.as_str(), &body)
}

fn unknown(dashboard: &Dashboard, operator: &Operator, id: &str) -> Response {
    let words = html! { "There is no survey “" (id) "”. " a href="/surveys" { "All surveys" } };
    frame::refusal(dashboard, operator, Place::Surveys, (StatusCode::NOT_FOUND, "Survey"), &words)
}

type Counts = Vec<(Kind, u64)>;

async fn counts(
    dashboard: &Dashboard,
    survey: &Survey,
    since: Timestamp,
) -> Result<(Counts, Counts), QueueError> {
    let of = |series| Wanted::of(series, since).about(survey.id.as_str());
    let answers = dashboard.queue.counted(&of(Series::Answer)).await?;
    let steps = if survey.counts { dashboard.queue.counted(&of(Series::Step)).await? } else { Vec::new() };
    Ok((answers, steps))
}

/// A survey's numbers over some days.
struct Figures<'a> {
    wish: &'a Wish,
    survey: &'a Survey,
    days: Vec<Timestamp>,
    answers: Counts,
    steps: Counts,
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
        self.nps().map_or("–".to_owned(), score)
    }
}

impl Figures<'_> {
    /// The counts that pass the filter by language.
    fn of<'a>(&self, counts: &'a Counts) -> impl Iterator<Item = &'a (Kind, u64)> {
        let lang = self.wish.lang.clone();
        counts.iter().filter(move |(kind, _)| lang.as_ref().is_none_or(|lang| kind.language == *lang))
    }

    fn head(&self) -> Markup {
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

    fn accepted(&self) -> Markup {
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
                        table.bars { caption.hidden { "By language" } tbody {
                            @for (language, count) in languages { (chart::share(language, count, total)) }
                        } }
                    }
                }
            }
        }
    }

    /// The questions whose answers make a Net Promoter Score.
    fn scored(&self) -> impl Iterator<Item = &Question> {
        let is = |question: &&Question| matches!(question.kind, config::Kind::Score { min: 0, max: 10, .. });
        self.survey.questions.iter().filter(is)
    }

    fn nps(&self, question: &Question) -> Markup {
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
    fn questions(&self) -> Markup {
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
                            table.bars { caption.hidden { "How often it was chosen" } tbody {
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
    fn funnel(&self) -> Markup {
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
                    table.bars { caption.hidden { "Steps" } tbody {
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

/// A score, with a minus of its own.
fn score(nps: f64) -> String {
    format!("{nps:.0}").replace('-', "−")
}

fn on_a_page(server: Option<&str>, survey: &Survey) -> Markup {
    html! {
        section.card {
            h2 { "On a page" }
            @match server {
                Some(server) => pre tabindex="0" aria-label="Snippet" { (snippet::tag(server, survey)) },
                None => p.quiet { "Say in the configuration where browsers reach the server (" code { "public_url" } "), and the snippet stands here." },
            }
            @if snippet::page_keys(survey).next().is_some() {
                p.quiet { "The page puts what it knows in the place of each " code { "VALUE" } "." }
            }
            p.quiet { code { "afterword embed" } " has it for tag managers, React, Vue and WordPress as well." }
        }
    }
}

impl Asked {
    /// The platform's own score, as it was asked for last.
    fn card(&self, operator: &Operator, survey: &Survey, wish: &Wish, now: Timestamp) -> Markup {
        let known = self
            .0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .get(&(survey.id.clone(), wish.days()))
            .cloned();
        html! {
            section.card {
                h2 { "The platform's own score" }
                @match known.as_ref().map(|said| (&said.nps, said.at)) {
                    Some((Ok(nps), at)) => {
                        @if nps.is_empty() {
                            p { "The platform has no score of these days." }
                        } @else {
                            dl.figures {
                                (page::figure("NPS", score(nps.nps)))
                                (page::figure("promoters", format!("{:.0} %", nps.promoters)))
                                (page::figure("passives", format!("{:.0} %", nps.passive)))
                                (page::figure("detractors", format!("{:.0} %", nps.detractors)))
                            }
                        }
                        p.quiet { "Asked " (time::span(now, at)) " ago, over " (wish.days()) " days and all languages. It may count an answer two hours later, and those that came by other ways too." }
                    }
                    Some((Err(words), at)) => (page::notice(Tone::Bad, html! { (words) span.quiet { " Asked " (time::span(now, at)) " ago." } })),
                    None => p.quiet { "It is one call of the lane's, after visitors' answers, so it is made only when you ask for it." },
                }
                form method="post" action={ "/surveys/" (survey.id) "/nps" } {
                    (form::key(operator))
                    input type="hidden" name="days" value=(wish.days());
                    input type="hidden" name="lang" value=(wish.lang.as_deref().unwrap_or_default());
                    button { "Ask the platform" }
                }
            }
        }
    }

    fn keep(&self, survey: &SurveyId, days: u16, said: Said) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).insert((survey.clone(), days), said);
    }
}

/// `POST /surveys/{survey}/nps`: asks the platform for its own score.
pub(super) async fn ask(
    State(dashboard): State<Dashboard>,
    Extension(operator): Extension<Operator>,
    Path(id): Path<String>,
    body: Bytes,
) -> Response {
    let config = dashboard.live.config();
    let Some(survey) = config.survey(&id) else { return unknown(&dashboard, &operator, &id) };
    let Ok(fields) = Fields::of(&operator, &body) else {
        let address = format!("/surveys/{}", survey.id);
        return frame::outlived(&dashboard, &operator, Place::Surveys, ("Survey", &address));
    };
    let wish = Wish::read(&fields);
    let days = wish.days();
    let now = dashboard.clock.now();
    let whole = |at: Timestamp| Timestamp::from_second(at.as_second()).unwrap_or(at);
    let (to, from) = (whole(now), whole(now.checked_sub(DAY * u32::from(days)).unwrap_or(now)));
    let call = Call::GetNps { touchpoint: survey.touchpoint.clone(), from, to, filters: Vec::new() };
    let own = dashboard.lanes().into_iter().find(|lane| lane.platform.name == survey.platform);
    let nps = match own {
        Some(own) => said(own.desk.ask(call).await),
        None => Err("the survey's lane is not there at the moment".to_owned()),
    };
    dashboard.asked.keep(&survey.id, days, Said { at: dashboard.clock.now(), nps });
    Redirect::to(&Wish::address(survey, days, wish.lang.as_deref())).into_response()
}

/// A score, or why there is none, in words that hold nothing of the platform's.
fn said(done: Result<Done, NotMade>) -> Result<Nps, String> {
    match done {
        Ok(Done::Nps(nps)) => Ok(nps),
        Ok(Done::Failed(ReportError::Call(outcome))) => {
            let advice = advice(&outcome).map(|advice| format!("; {advice}")).unwrap_or_default();
            Err(format!("The platform did not answer with a score: {outcome}{advice}."))
        }
        Ok(Done::Failed(error)) => Err(format!("The platform's answer cannot be used: {error}.")),
        Ok(_) => Err("The platform answered with something else.".to_owned()),
        Err(not_made) => Err(format!("It was not asked: {not_made}.")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_snippet_is_the_one_that_embed_prints() {
        let config = config::tests::good();
        let survey = config.survey("checkout").unwrap();
        let shown = on_a_page(Some("https://feedback.example.com"), survey).into_string();
        let tag = snippet::tag("https://feedback.example.com", survey);
        assert!(
            tag.contains("data-meta-pieces") && shown.contains(&html! { (tag) }.into_string()),
            "{shown}"
        );
    }
}
