//! What a submission has to keep to, whoever hands it in; and how one that does comes into the queue.
//!
//! Knows nothing of requests: origin, type and size are the handler's.

use std::sync::Arc;

use jiff::Timestamp;
use sha2::{Digest, Sha256};
use shared::answer::{self, Stale};
use shared::{Context, Definition, Field, Language, Respondent, Submission, SurveyId, limits, respondent};

use super::Intake;
use super::metadata::{self, Visit};
use super::problem::{Detail, Flaw, Kind, Problem};
use crate::accepted::{Accepted, StoredAnswer, StoredRespondent};
use crate::clock::Clock;
use crate::config::Survey;
use crate::history::Recorder;
use crate::queue::{Enqueued, Inbox, NewEntry, Priority, QueueError};

/// Who hands a submission in.
#[derive(Clone, Copy)]
pub(super) enum Hand<'a> {
    /// A visitor, with this browser: goes out first, and is believed about the time as far as that can be.
    Visitor(&'a str),
    /// An operator, for somebody who answered elsewhere, maybe long ago.
    Operator,
}

/// A submission that keeps every rule.
pub(super) struct Checked {
    /// What the queue keeps of it.
    pub(super) new: NewEntry,
    /// The same, before it became the entry's body.
    accepted: Accepted,
    /// Answers that were dropped.
    pub(super) dropped: usize,
}

impl<'a> Hand<'a> {
    fn user_agent(self) -> &'a str {
        match self {
            Self::Visitor(agent) => agent,
            Self::Operator => "",
        }
    }

    fn priority(self) -> Priority {
        match self {
            Self::Visitor(_) => Priority::Visitor,
            Self::Operator => Priority::Operator,
        }
    }

    fn answered_at(self, context: Option<&Context>) -> Timestamp {
        match self {
            Self::Visitor(_) => metadata::answered_at(context, Clock::wall()),
            Self::Operator => metadata::answered_before(context, Clock::wall()),
        }
    }
}

/// Applies every rule.
pub(super) fn accept(
    intake: &Intake,
    survey: &Survey,
    submission: &Submission,
    hand: Hand<'_>,
) -> Result<Checked, Problem> {
    if submission.submission.is_nil() {
        let words = "the UUID is nil; make a random one";
        return Err(Detail::new("/submission", Flaw::Submission, words).into());
    }
    if submission.answers.len() > limits::QUESTIONS {
        let words = format!("a survey has at most {} questions", limits::QUESTIONS);
        return Err(Detail::new("/answers", Flaw::TooMany, words).into());
    }
    let language = language(survey, submission)?;
    let served = intake.definitions.get(&survey.id, language);
    let served = served.ok_or_else(|| Problem::unknown_survey(survey.id.as_str()))?;
    let accepted_at = intake.clock.now();
    let answered_at = hand.answered_at(submission.context.as_ref());

    let mut problems = Vec::new();
    let stale = staleness(submission, &served.definition);
    let checked = answer::check(&served.definition.questions, &submission.answers, stale);
    let checked = checked.map_err(|found| problems.extend(found.into_iter().map(Detail::from))).ok();
    let visit = Visit { survey, submission, language, user_agent: hand.user_agent(), answered_at };
    let metadata = metadata::resolve(&visit).map_err(|found| problems.extend(found)).ok();
    let respondent = submission.respondent.as_ref().map(|given| respondent(given, &mut problems));
    let (Some(checked), Some(metadata), true) = (checked, metadata, problems.is_empty()) else {
        return Err(Problem::content(problems));
    };
    let accepted = Accepted {
        language: language.tag().to_owned(),
        answers: checked.answers.into_iter().map(StoredAnswer::from).collect(),
        metadata,
        respondent: respondent.filter(|respondent| *respondent != StoredRespondent::default()),
        answered_at,
    };
    let new = entry(&visit, hand.priority(), &accepted, accepted_at);
    let new = new.map_err(|_| Problem::new(Kind::Internal, "the submission could not be stored"))?;
    Ok(Checked { new, accepted, dropped: checked.dropped })
}

/// True if this very submission was stored before, whatever the rules say of it now. Few ask at once: anybody can send what
/// the rules refuse, and the lanes read the same store.
pub(super) async fn is_stored(
    intake: &Intake,
    survey: &Survey,
    submission: &Submission,
) -> Result<bool, QueueError> {
    let Ok(fingerprint) = fingerprint(submission) else { return Ok(false) };
    let _turn = intake.asking.acquire().await;
    intake.queue.has(&survey.id, submission.submission, fingerprint).await
}

/// Counts a submission that came again, and was thanked again.
pub(super) fn count_repeated(survey: &SurveyId) {
    metrics::counter!("afterword_submissions_repeated_total", "survey" => survey.to_string()).increment(1);
}

/// Stores what was accepted, and counts it.
pub(super) async fn store(
    queue: Arc<dyn Inbox>,
    recorder: Recorder,
    Checked { new, accepted, .. }: Checked,
) -> Result<Enqueued, QueueError> {
    let (survey, submission, accepted_at) = (new.survey.clone(), new.submission, new.accepted_at);
    let enqueued = queue.enqueue(new).await?;
    match enqueued {
        Enqueued::Stored => {
            recorder.answered(&survey, &accepted, accepted_at);
            tracing::info!(%survey, %submission, "accepted");
            let survey = survey.to_string();
            metrics::counter!("afterword_submissions_accepted_total", "survey" => survey).increment(1);
        }
        Enqueued::Repeated => count_repeated(&survey),
        Enqueued::Conflict => {}
    }
    Ok(enqueued)
}

/// The language of the definition that a submission is held against.
fn language(survey: &Survey, submission: &Submission) -> Result<Language, Problem> {
    match Language::matching(&submission.language) {
        Some(language) if survey.languages.contains(&language) => Ok(language),
        // The definition that was answered may be one of the days when it was offered.
        Some(_) if submission.definition.is_some() => Ok(survey.languages[0]),
        _ => {
            let offered = survey.languages.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
            let words = format!("the survey is offered in: {offered}");
            Err(Detail::new("/language", Flaw::Language, words).into())
        }
    }
}

/// Answers to another definition than the present one may not fit it any more.
fn staleness(submission: &Submission, served: &Definition) -> Stale {
    let current = submission.definition.as_ref().is_none_or(|version| {
        // Its ETag may name the share of visitors, too.
        let version = version.trim_start_matches("W/").trim_matches('"');
        version.split('-').next() == Some(&served.version)
    });
    if current { Stale::Refuse } else { Stale::Drop }
}

/// A respondent without empty fields; what is wrong is added to the problems.
fn respondent(given: &Respondent, problems: &mut Vec<Detail>) -> StoredRespondent {
    let mut field = |field: Option<Field>, value: &Option<String>| {
        let value = value.as_deref().map(str::trim).filter(|value| !value.is_empty())?;
        let words = respondent::fault(field, value).map(|fault| match fault {
            respondent::Fault::TooLong => {
                format!("a field has at most {} characters", limits::RESPONDENT_FIELD)
            }
            respondent::Fault::ControlCharacter => "the field holds a control character".into(),
            respondent::Fault::NoEmail => "this is no e-mail address".into(),
        });
        if let Some(words) = words {
            let name = field.map_or("id", Field::name);
            problems.push(Detail::new(format!("/respondent/{name}"), Flaw::Respondent, words));
            return None;
        }
        Some(value.to_owned())
    };
    StoredRespondent {
        id: field(None, &given.id),
        first_name: field(Some(Field::FirstName), &given.first_name),
        last_name: field(Some(Field::LastName), &given.last_name),
        email: field(Some(Field::Email), &given.email),
        phone: field(Some(Field::Phone), &given.phone),
    }
}

fn entry(
    Visit { survey, submission, .. }: &Visit<'_>,
    priority: Priority,
    accepted: &Accepted,
    accepted_at: Timestamp,
) -> serde_json::Result<NewEntry> {
    Ok(NewEntry {
        lane: survey.platform.clone(),
        priority,
        survey: survey.id.clone(),
        submission: submission.submission,
        fingerprint: fingerprint(submission)?,
        body: serde_json::to_vec(accepted)?,
        accepted_at,
    })
}

/// Covers what was answered, and not when or where: a retry differs in its context. Nor what the survey makes of it, which
/// may be something else by then.
fn fingerprint(submission: &Submission) -> serde_json::Result<[u8; 32]> {
    let language: &str = match Language::matching(&submission.language) {
        Some(language) => language.tag(),
        None => &submission.language,
    };
    let covered = (language, &submission.answers, &submission.metadata, &submission.respondent);
    Ok(Sha256::digest(serde_json::to_vec(&covered)?).into())
}
