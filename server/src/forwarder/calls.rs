//! Operators' calls: what a lane does beside handing in visitors' answers.
//!
//! A [`Call`] is asked for at a lane's [`Desk`], and its owner makes it: through the same pacer as every answer, after
//! the answers that wait, but for one call in [`SHARE`]. Whoever asked waits for what came of it ([`Done`]); if nobody
//! waits any more when its turn comes, it is not made. Nothing is made twice: a call whose outcome is lost is the
//! asker's to judge.

use std::time::Duration;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use tokio::sync::{mpsc, oneshot};

use super::report::trouble;
use super::verdict::{Verdict, verdict};
use crate::config::Guid;
use crate::platform::{
    AskedQuestion, Client, NewRespondent, NoLanguage, Nps, NpsFilter, Outcome, ReportError, Responses, advice,
};

/// Of so many calls in a row one is an operator's, while visitors' answers wait as well.
pub(super) const SHARE: u32 = 10;
/// For so long a call waits for a platform that wants to be left alone; longer is told at once.
pub(super) const PATIENCE: Duration = Duration::from_secs(30);
/// The verdict on a call that never left.
pub(super) const NOT_MADE: &str = "not made";
/// Calls that may wait at a desk; whoever comes then waits in front of it.
const WAITING: usize = 16;

/// A call that an operator wants made for a touchpoint.
#[derive(Clone, Deserialize, Serialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Call {
    /// API call 1.
    AddRespondent {
        /// The touchpoint.
        touchpoint: Guid,
        /// Whom.
        respondent: NewRespondent,
    },
    /// API call 2.
    AddRespondents {
        /// The touchpoint.
        touchpoint: Guid,
        /// Whom.
        respondents: Vec<NewRespondent>,
    },
    /// API call 3.
    GetAll {
        /// The touchpoint.
        touchpoint: Guid,
        /// The start, in whole seconds.
        from: Timestamp,
        /// The end, at most 31 days later.
        to: Timestamp,
    },
    /// API call 4.
    GetNps {
        /// The touchpoint.
        touchpoint: Guid,
        /// The start, in whole seconds.
        from: Timestamp,
        /// The end.
        to: Timestamp,
        /// What the answers have to have.
        filters: Vec<NpsFilter>,
    },
    /// What a touchpoint asks, for an import.
    GetQuestions {
        /// The company.
        company: Guid,
        /// The touchpoint.
        touchpoint: Guid,
    },
}

/// What came of a call that was made.
#[derive(Debug)]
pub enum Done {
    /// Of one that adds something.
    Added(Outcome),
    /// The platform has begun to answer with responses.
    Responses(Responses),
    /// A score.
    Nps(Nps),
    /// What a touchpoint asks.
    Questions(Vec<AskedQuestion>),
    /// It asked for something, and did not get it.
    Failed(ReportError),
}

impl Done {
    /// What came of a call that did not bring what it asked for, or that was to add something.
    pub fn of(adds: bool, outcome: Outcome) -> Self {
        if adds { Self::Added(outcome) } else { Self::Failed(ReportError::Call(outcome)) }
    }

    /// Why a call did not bring what it was made for, in words that hold nothing of the platform's.
    pub(super) fn failure(&self) -> Option<String> {
        match self {
            Self::Added(outcome) | Self::Failed(ReportError::Call(outcome)) => {
                let advice = advice(outcome).map(|advice| format!("; {advice}")).unwrap_or_default();
                (verdict(outcome) != Verdict::Delivered).then(|| format!("{}{advice}", trouble(outcome)))
            }
            Self::Failed(error) => Some(error.to_string()),
            Self::Responses(_) | Self::Nps(_) | Self::Questions(_) => None,
        }
    }
}

/// A call was not made.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotMade {
    /// Somebody else owns the lane.
    #[error(
        "another server forwards this lane at present, and only that one may call the platform: ask it instead"
    )]
    Standby,
    /// The lane is stopping.
    #[error("the server is stopping, or the lane begins anew with another configuration: ask again")]
    Stopped,
    /// The platform has asked to be left alone for longer than anybody wants to wait for.
    #[error("the platform wants to be left alone for another {} s", .0.as_secs())]
    Resting(Duration),
    /// A respondent's language.
    #[error(transparent)]
    Language(#[from] NoLanguage),
}

/// Where a lane's calls are asked for.
#[derive(Clone, Debug)]
pub struct Desk(mpsc::Sender<Asked>);

/// A call, and who waits for it.
#[derive(Debug)]
pub(super) struct Asked {
    pub(super) call: Call,
    pub(super) reply: oneshot::Sender<Result<Done, NotMade>>,
}

impl Desk {
    /// A desk, and where its owner finds what was asked.
    pub(super) fn new() -> (Self, mpsc::Receiver<Asked>) {
        let (asked, received) = mpsc::channel(WAITING);
        (Self(asked), received)
    }

    /// Has a call made; returns when it has been.
    pub async fn ask(&self, call: Call) -> Result<Done, NotMade> {
        let (reply, replied) = oneshot::channel();
        let adds = call.adds();
        self.0.send(Asked { call, reply }).await.map_err(|_| NotMade::Stopped)?;
        // Who is not served is told so. Without a word the call may have been made.
        let lost = |_| Ok(Done::of(adds, Outcome::Lost("the server failed during the call".into())));
        replied.await.unwrap_or_else(lost)
    }
}

/// Personal data stays out.
impl std::fmt::Debug for Call {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.debug_struct("Call")
            .field("kind", &self.name())
            .field("touchpoint", self.touchpoint())
            .finish_non_exhaustive()
    }
}

impl Call {
    /// Its kind's name in metrics, logs and reports.
    pub fn name(&self) -> &'static str {
        match self {
            Self::AddRespondent { .. } => "add respondent",
            Self::AddRespondents { .. } => "add respondents",
            Self::GetAll { .. } => "get responses",
            Self::GetNps { .. } => "get NPS",
            Self::GetQuestions { .. } => "get questions",
        }
    }

    /// The touchpoint that it is for.
    pub fn touchpoint(&self) -> &Guid {
        match self {
            Self::AddRespondent { touchpoint, .. }
            | Self::AddRespondents { touchpoint, .. }
            | Self::GetAll { touchpoint, .. }
            | Self::GetNps { touchpoint, .. }
            | Self::GetQuestions { touchpoint, .. } => touchpoint,
        }
    }

    /// True if it changes something at the platform. For anything else the platform may take its time once the call has
    /// arrived.
    pub fn adds(&self) -> bool {
        matches!(self, Self::AddRespondent { .. } | Self::AddRespondents { .. })
    }

    /// Makes it.
    pub(super) async fn make(self, client: &Client) -> Result<Done, NotMade> {
        let report = |failed| Ok(Done::Failed(failed));
        match self {
            Self::AddRespondent { touchpoint, respondent } => {
                Ok(Done::Added(client.add_respondent(&touchpoint, &respondent).await?))
            }
            Self::AddRespondents { touchpoint, respondents } => {
                Ok(Done::Added(client.add_respondents(&touchpoint, &respondents).await?))
            }
            Self::GetAll { touchpoint, from, to } => {
                client.get_all(&touchpoint, from, to).await.map_or_else(report, |it| Ok(Done::Responses(it)))
            }
            Self::GetNps { touchpoint, from, to, filters } => {
                let nps = client.get_nps(&touchpoint, from, to, &filters).await;
                nps.map_or_else(report, |it| Ok(Done::Nps(it)))
            }
            Self::GetQuestions { company, touchpoint } => {
                let questions = client.get_questions(&company, &touchpoint).await;
                questions.map_or_else(report, |it| Ok(Done::Questions(it)))
            }
        }
    }
}

/// What a call that was made means for those that follow.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Sign {
    /// Too soon after the one before.
    pub(super) throttled: bool,
    /// How long the platform asks to be left alone.
    pub(super) rest: Option<Duration>,
    /// A name for metrics.
    pub(super) verdict: &'static str,
}

impl Sign {
    pub(super) fn of(done: &Result<Done, NotMade>) -> Self {
        let calm = Self { throttled: false, rest: None, verdict: Verdict::Delivered.name() };
        let outcome = match done {
            Ok(Done::Added(outcome) | Done::Failed(ReportError::Call(outcome))) => outcome,
            Ok(Done::Failed(ReportError::Read(_))) => return Self { verdict: "unreadable", ..calm },
            Ok(Done::Failed(ReportError::Window)) | Err(_) => return Self { verdict: NOT_MADE, ..calm },
            Ok(Done::Responses(_) | Done::Nps(_) | Done::Questions(_)) => return calm,
        };
        let verdict = verdict(outcome);
        let rest = if let Verdict::Later(rest) = verdict { rest } else { None };
        let throttled = outcome.is_throttled();
        Self { throttled, rest, verdict: verdict.name() }
    }
}
