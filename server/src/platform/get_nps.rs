//! API call 4, get NPS: Hello Customer API overview, section 10.

use jiff::Timestamp;
use reqwest::header::{AUTHORIZATION, CONTENT_LENGTH};
use serde::{Deserialize, Serialize};

use super::get_all::date;
use super::response::or_default;
use super::{Client, Private, ReportError, reply};
use crate::config::Guid;

/// Most bytes of the reply that are read.
const LARGEST: usize = 64 << 10;

/// What a score is narrowed to: answers whose metadata has one of these values under a key.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct NpsFilter {
    /// The metadata key.
    pub key: String,
    /// Its values, one of which has to be there.
    #[serde(rename = "filterValues")]
    pub values: Vec<String>,
}

/// A Net Promoter Score. Without any answer the platform says 0 everywhere.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
pub struct Nps {
    /// From -100 to 100.
    #[serde(default, deserialize_with = "or_default")]
    pub nps: f64,
    /// Percent of those who gave 0 to 6.
    #[serde(default, deserialize_with = "or_default")]
    pub detractors: f64,
    /// Percent of those who gave 7 or 8.
    #[serde(default, deserialize_with = "or_default")]
    pub passive: f64,
    /// Percent of those who gave 9 or 10.
    #[serde(default, deserialize_with = "or_default")]
    pub promoters: f64,
}

impl Client {
    /// Asks for the score of the answers from one moment up to another, in whole seconds, UTC, narrowed by every
    /// filter.
    pub async fn get_nps(
        &self,
        touchpoint: &Guid,
        from: Timestamp,
        to: Timestamp,
        filters: &[NpsFilter],
    ) -> Result<Nps, ReportError> {
        if to <= from {
            return Err(ReportError::Window);
        }
        let (from, to) = (date(from), date(to));
        let url = format!("{}/campaign/{touchpoint}/analysis/nps/getnpsscore/{from}/{to}", self.base_url);
        let call =
            self.http.post(url).header(AUTHORIZATION, self.authorization.clone()).timeout(self.timeout);
        // Without filters there is no body: the page says that it is optional.
        let call = if filters.is_empty() { call.header(CONTENT_LENGTH, 0) } else { call.json(filters) };
        match call.send().await {
            Ok(reply) if reply.status().is_success() => {
                let body = reply::body(reply, LARGEST).await?;
                serde_json::from_slice(&body).map_err(|error| ReportError::unreadable(&error))
            }
            other => {
                let private = Private::new(&self.token, Vec::new());
                Err(ReportError::Call(reply::outcome(other, &private).await))
            }
        }
    }
}

impl Nps {
    /// True if the platform has no answers to compute it from.
    pub fn is_empty(&self) -> bool {
        self.detractors + self.passive + self.promoters == 0.0
    }
}
