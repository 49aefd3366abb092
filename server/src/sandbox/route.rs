//! Which of the platform's calls a path is ("Hello Customer API overview", sections 7 to 11).

use std::fmt;

use http::Method;
use serde::{Deserialize, Serialize};

/// The platform's kinds of call.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Call {
    /// Adds an answer (section 11).
    AddAnswer,
    /// Reads answers back (section 9).
    GetAnswers,
    /// Adds one respondent (section 7).
    AddRespondent,
    /// Adds several respondents (section 8).
    AddRespondents,
    /// Computes a Net Promoter Score (section 10).
    GetNps,
    /// Lists a touchpoint's questions; not on the API page.
    GetQuestions,
    /// No call of the platform: 404.
    Unknown,
}

impl fmt::Display for Call {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(match self {
            Self::AddAnswer => "add answer",
            Self::GetAnswers => "get answers",
            Self::AddRespondent => "add respondent",
            Self::AddRespondents => "add respondents",
            Self::GetNps => "get NPS",
            Self::GetQuestions => "get questions",
            Self::Unknown => "unknown call",
        })
    }
}

/// A path that was understood.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Route {
    pub(super) call: Call,
    /// The touchpoint's GUID as the path has it.
    pub(super) touchpoint: Option<String>,
    /// The company's GUID as the path has it, where it has one.
    pub(super) company: Option<String>,
    /// The two dates as the path has them.
    pub(super) range: Option<(String, String)>,
    /// What the call is made with.
    pub(super) method: Method,
}

impl Route {
    /// Reads a path; letters' case does not matter, in no segment.
    pub(super) fn of(path: &str) -> Self {
        let lower = path.to_ascii_lowercase();
        let segments: Vec<&str> = lower.trim_start_matches('/').split('/').collect();
        let route = |call, touchpoint: &str, range: Option<(&str, &str)>, method| Self {
            call,
            touchpoint: Some(touchpoint.to_owned()),
            company: None,
            range: range.map(|(start, end)| (start.to_owned(), end.to_owned())),
            method,
        };
        let unknown =
            Self { call: Call::Unknown, touchpoint: None, company: None, range: None, method: Method::GET };
        if let [
            "v2.0",
            _,
            "company",
            company,
            "touchpoint",
            touchpoint,
            "question",
            "gettouchpointsurveyquestions",
        ] = segments.as_slice()
        {
            let route = route(Call::GetQuestions, touchpoint, None, Method::GET);
            return Self { company: Some((*company).to_owned()), ..route };
        }
        let ["v1.0", language, "campaign", touchpoint, rest @ ..] = segments.as_slice() else {
            return unknown;
        };
        if language.len() != 2 {
            return unknown;
        }
        match rest {
            ["answers", "add"] => route(Call::AddAnswer, touchpoint, None, Method::POST),
            ["answers", "getall", start, end] => {
                route(Call::GetAnswers, touchpoint, Some((start, end)), Method::GET)
            }
            ["respondent", "add"] => route(Call::AddRespondent, touchpoint, None, Method::POST),
            ["respondent", "addmultipletocache"] => {
                route(Call::AddRespondents, touchpoint, None, Method::POST)
            }
            ["analysis", "nps", "getnpsscore", start, end] => {
                route(Call::GetNps, touchpoint, Some((start, end)), Method::POST)
            }
            _ => unknown,
        }
    }
}
