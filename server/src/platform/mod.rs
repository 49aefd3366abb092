//! The Hello Customer platform: its calls, its names, its casing. Nothing else knows them.
//!
//! A [`Client`] makes one call and says what it saw ([`Outcome`]); it never retries, follows no
//! redirect and keeps no time. What an outcome means is the forwarder's business.

mod add_answer;
mod add_respondents;
mod advice;
mod get_all;
mod get_nps;
mod get_questions;
mod reply;
mod response;
#[cfg(test)]
pub(crate) mod tests;

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use reqwest::header::{AUTHORIZATION, HeaderValue};
use secrecy::ExposeSecret;

use crate::config::{CaFile, Guid, Platform};
use add_respondents::AddRespondent;

pub use add_answer::{AddAnswer, MapError};
pub use add_respondents::{NewRespondent, NoLanguage, RESPONDENT_COLUMNS, RespondentField};
pub use advice::advice;
pub use get_all::{LONGEST_WINDOW, ReportError, Response, Responses, read_each};
pub use get_nps::{Nps, NpsFilter};
pub use get_questions::{AskedKind, AskedQuestion, InLanguage, MOST_LABELS, questions_of};
pub use reply::{Outcome, Private, Reply, words};
pub use response::{Answered, AnsweredQuestion, RESPONDENT};

/// Its host, for the constants below.
macro_rules! host {
    () => {
        "https://api.hellocustomer.com"
    };
}

/// Where the platform is.
pub const BASE_URL: &str = concat!(host!(), "/V1.0/EN");
/// The same as a configuration writes it.
pub const BASE_URL_IN_TOML: &str = concat!("\"", host!(), "/V1.0/EN\"");
/// Where surveys are imported from, likewise.
pub const IMPORT_URL_IN_TOML: &str = concat!("\"", host!(), "/V2.0/EN\"");
/// Where calls of the second version start that belong to a `base_url` of the first: on the same host. `None` where the
/// address has another form.
pub fn import_url(base_url: &str) -> Option<String> {
    let (rest, language) = base_url.rsplit_once('/')?;
    Some(format!("{}/V2.0/{language}", rest.strip_suffix("/V1.0")?))
}

/// The path at which its calls start on any host.
pub const BASE_PATH: &str = "/V1.0/EN";

/// Idle connections are closed before the platform may do so: a call on a connection that the other
/// side has just closed is lost, and nobody knows whether it arrived.
const IDLE: Duration = Duration::from_secs(20);

/// Intervals within which a call for a report has left, or has failed.
pub const REPORT_CONNECT: u32 = 4;

/// HTTP clients, shared by the platforms that may share: each has its own certificate roots and its own
/// connections, which a thousand tokens at one platform do not want a thousand times.
#[derive(Default)]
pub struct Connections(HashMap<Terms, reqwest::Client>);

/// What two calls have in common that may use one HTTP client.
#[derive(Clone, PartialEq, Eq, Hash)]
struct Terms {
    /// Certificate authorities besides the public ones.
    ca_file: Option<CaFile>,
    /// How long a connection may take.
    connect: Duration,
}

/// A platform's calls with one token.
#[derive(Clone)]
pub struct Client {
    http: reqwest::Client,
    /// For calls that the lane does not wait for to the end: it has to know soon that they have left.
    reports: reqwest::Client,
    base_url: Arc<str>,
    /// Where the calls start that the API page does not have.
    import_url: Arc<str>,
    timeout: Duration,
    token: secrecy::SecretString,
    authorization: HeaderValue,
}

/// A client cannot be made.
#[derive(Debug, thiserror::Error)]
pub enum ClientError {
    /// The token holds characters that a header cannot carry.
    #[error("the token holds characters that a header cannot carry")]
    Token,
    /// TLS cannot be set up.
    #[error("cannot set up TLS")]
    Tls(#[source] reqwest::Error),
}

impl Connections {
    /// The client for such calls; TLS 1.2 at least, certificates always verified.
    fn on(&mut self, terms: Terms) -> Result<reqwest::Client, ClientError> {
        if let Some(made) = self.0.get(&terms) {
            return Ok(made.clone());
        }
        // Only the first caller in a process installs it; the others find it there.
        rustls::crypto::ring::default_provider().install_default().ok();
        let public = webpki_root_certs::TLS_SERVER_ROOT_CERTS.iter();
        let mut roots: Vec<_> =
            public.filter_map(|der| reqwest::Certificate::from_der(der.as_ref()).ok()).collect();
        roots.extend(terms.ca_file.iter().flat_map(CaFile::certificates));
        let made = reqwest::Client::builder()
            .redirect(reqwest::redirect::Policy::none())
            .retry(reqwest::retry::never())
            .connect_timeout(terms.connect)
            .pool_idle_timeout(IDLE)
            .tls_certs_only(roots)
            .tls_version_min(reqwest::tls::Version::TLS_1_2)
            .no_proxy()
            .http1_only()
            .build()
            .map_err(ClientError::Tls)?;
        self.0.insert(terms, made.clone());
        Ok(made)
    }
}

impl Client {
    /// A client for a platform, on its own connections or on those that others use as well.
    pub fn new(platform: &Platform, connections: &mut Connections) -> Result<Self, ClientError> {
        let authorization = format!("basic {}", platform.token.expose_secret());
        let mut authorization = HeaderValue::try_from(authorization).map_err(|_| ClientError::Token)?;
        authorization.set_sensitive(true);
        let patient = platform.timeout.mul_f32(0.8);
        let hasty = patient.min(platform.interval * REPORT_CONNECT);
        Ok(Self {
            http: connections.on(Terms { ca_file: platform.ca_file.clone(), connect: patient })?,
            reports: connections.on(Terms { ca_file: platform.ca_file.clone(), connect: hasty })?,
            base_url: platform.base_url.as_str().into(),
            import_url: platform.import_url.as_str().into(),
            timeout: platform.timeout,
            token: platform.token.clone(),
            authorization,
        })
    }

    /// API call 5, add answer ("Hello Customer API overview", section 11).
    pub async fn add_answer(&self, touchpoint: &Guid, answer: &AddAnswer<'_>) -> Outcome {
        self.post(&format!("campaign/{touchpoint}/answers/add"), answer, answer.visitors_words()).await
    }

    /// API call 1, add one respondent ("Hello Customer API overview", section 7). The platform's words are kept as they
    /// are, but for the token: an operator has to see whom they are about.
    pub async fn add_respondent(
        &self,
        touchpoint: &Guid,
        respondent: &NewRespondent,
    ) -> Result<Outcome, NoLanguage> {
        let body = AddRespondent::new(touchpoint, respondent)?;
        Ok(self.post(&format!("Campaign/{touchpoint}/Respondent/Add"), &body, Vec::new()).await)
    }

    /// API call 2, add several respondents ("Hello Customer API overview", section 8); their words as above.
    pub async fn add_respondents(
        &self,
        touchpoint: &Guid,
        respondents: &[NewRespondent],
    ) -> Result<Outcome, NoLanguage> {
        let body = respondents.iter().map(|new| AddRespondent::new(touchpoint, new));
        let body: Vec<AddRespondent<'_>> = body.collect::<Result<_, _>>()?;
        let path = format!("campaign/{touchpoint}/respondent/addmultipletocache");
        Ok(self.post(&path, &body, Vec::new()).await)
    }

    /// Makes a call that adds something; `words` are not to be kept of a refusal.
    async fn post(&self, path: &str, body: &(impl serde::Serialize + ?Sized), words: Vec<&str>) -> Outcome {
        let call = self.http.post(format!("{}/{path}", self.base_url));
        let call = call.header(AUTHORIZATION, self.authorization.clone()).timeout(self.timeout).json(body);
        reply::outcome(call.send().await, &Private::new(&self.token, words)).await
    }
}

impl std::fmt::Debug for Client {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.debug_struct("Client").field("base_url", &self.base_url).finish_non_exhaustive()
    }
}
