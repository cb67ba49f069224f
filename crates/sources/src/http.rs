//! One way to ask over HTTP: bounded in time and size, with retries, counted, and patient only so far.

use std::borrow::Cow;
use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use backon::{BackoffBuilder as _, ExponentialBuilder};
use jiff::Timestamp;
#[cfg(target_os = "linux")]
use reqwest::Certificate;
use reqwest::header::{AUTHORIZATION, HeaderMap, HeaderName, HeaderValue};
use reqwest::{Client, ClientBuilder, Method, Response, StatusCode};
use shelflife_model::config::Bytes;
use thiserror::Error;
use url::Url;

use super::metrics::{Endpoint, Metrics};
use super::rate_limit;
use super::ssrf;
use super::throttle::{Closed, Shut, Throttles};

/// The largest part of an error's body that is read.
const MAX_ERROR: usize = 64 * 1024;
/// How long making a connection may take.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
/// How long a request may take from its start to the last byte of the answer.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(60);
/// How long an answer may pause between two of its parts.
const STALL_TIMEOUT: Duration = Duration::from_secs(20);
/// How often a failed request is repeated.
const RETRIES: usize = 3;

/// An HTTP client that counts what it does.
#[derive(Debug, Clone)]
pub struct Http {
    client: Client,
    metrics: Arc<Metrics>,
    trusted: Arc<HashSet<String>>,
    throttles: Arc<Throttles>,
    /// How many bytes of a body are read.
    answer_size: usize,
}

/// A request that may be repeated.
#[derive(Debug, Clone)]
pub struct Request {
    /// Which line of the report it counts for.
    pub endpoint: Endpoint,
    /// The method.
    pub method: Method,
    /// The address.
    pub url: Url,
    /// The headers beside those that every request has.
    pub headers: HeaderMap,
    /// The body.
    pub body: Option<Vec<u8>>,
    /// What the body of an answer with a good status is worth.
    pub judge: fn(&[u8]) -> Verdict,
    /// What becomes of it if it is too much for the server.
    pub if_too_much: IfTooMuch,
}

impl Request {
    /// The address whose pauses and failures concern the request: its own, or the server of files each of which has
    /// another one.
    fn throttle(&self) -> Cow<'_, Url> {
        match self.endpoint {
            Endpoint::Thumbnails => self.url.join("/").map_or(Cow::Borrowed(&self.url), Cow::Owned),
            _ => Cow::Borrowed(&self.url),
        }
    }
}

/// What becomes of a request that is too much for its server, see [`HttpError::is_too_much`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum IfTooMuch {
    /// It is repeated, as after any failure that may pass.
    Repeat,
    /// It is not repeated, and shows nothing about the server: smaller ones will.
    Divide,
    /// It is not repeated, since it is what became of one that was too much.
    GiveUp,
}

/// What the body of an answer with a good status is worth.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// It can be read.
    Sound,
    /// It says that a rate limit is reached.
    Limited,
    /// It says that the server had not the time for all that was asked.
    TooMuch(String),
    /// It is not what that server says, but what a failure on the way makes of it.
    Broken(String),
}

/// An answer whose status is 2xx or 304.
#[derive(Debug)]
pub struct Reply {
    /// The status.
    pub status: StatusCode,
    /// The headers.
    pub headers: HeaderMap,
    /// The whole body.
    pub body: Vec<u8>,
}

impl Reply {
    /// A header's value, if it is there and is text.
    pub fn header(&self, name: HeaderName) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }
}

/// Why there is no answer. The text never holds a header, so no secret.
#[derive(Debug, Error)]
pub enum HttpError {
    /// The connection or the transfer failed.
    #[error("{host}: {reason}")]
    Transport {
        /// Whom the request went to.
        host: String,
        /// What happened.
        reason: String,
        /// Whether trying again can help.
        transient: bool,
        /// Whether it was too slow.
        timed_out: bool,
    },
    /// The answer is an error.
    #[error("{host} answered {status}")]
    Status {
        /// Whom the request went to.
        host: String,
        /// The status.
        status: StatusCode,
    },
    /// The body can't be what the server meant to say, or says that the server could not answer.
    #[error("{host}: {reason}")]
    Unusable {
        /// Whom the request went to.
        host: String,
        /// What is wrong with it.
        reason: String,
        /// Whether a smaller request may be answered.
        is_too_much: bool,
    },
    /// The address was not asked, since it had failed too often.
    #[error("{host} keeps failing, so it is left alone for now; the last failure: {reason}")]
    GivenUp {
        /// Whom the request would have gone to.
        host: String,
        /// What happened the last time.
        reason: String,
    },
    /// The server said when it wants to be asked again, and that is too late to be waited for, or was said too
    /// often.
    #[error("{host} wants no more requests until {}", rate_limit::minute(*until, Timestamp::now()))]
    Limited {
        /// Whom the request went to.
        host: String,
        /// The status of the answer that said so.
        status: StatusCode,
        /// When it wants to be asked again.
        until: Timestamp,
    },
    /// The body does not end where it should.
    #[error("{host} sent more than `limits.answer_size` allows: {}", Bytes(*limit))]
    TooLarge {
        /// Whom the request went to.
        host: String,
        /// How many bytes it may send.
        limit: usize,
    },
}

impl HttpError {
    /// Whether it looks as if the server had not the time for all that was asked: GitHub gives up after ten seconds,
    /// which a proxy shows as 502 or 504
    /// (<https://docs.github.com/en/graphql/overview/rate-limits-and-query-limits-for-the-graphql-api>).
    pub fn is_too_much(&self) -> bool {
        match self {
            Self::Status { status, .. } => {
                matches!(*status, StatusCode::BAD_GATEWAY | StatusCode::GATEWAY_TIMEOUT)
            }
            Self::Transport { timed_out, .. } => *timed_out,
            Self::Unusable { is_too_much, .. } => *is_too_much,
            _ => false,
        }
    }

    fn is_transient(&self) -> bool {
        match self {
            Self::Transport { transient, .. } => *transient,
            Self::Unusable { .. } => true,
            Self::Status { status, .. } => {
                status.is_server_error() || *status == StatusCode::TOO_MANY_REQUESTS
            }
            Self::Limited { .. } => true,
            Self::TooLarge { .. } | Self::GivenUp { .. } => false,
        }
    }
}

impl HttpError {
    /// What happened, without whom it happened with.
    fn reason(&self) -> String {
        match self {
            Self::Transport { reason, .. } | Self::Unusable { reason, .. } => reason.clone(),
            Self::Status { status, .. } => format!("it answered {status}"),
            other => other.to_string(),
        }
    }
}

/// Builds a client for a machine that has no certificates, such as a container with nothing but this program in it. It
/// trusts those that Mozilla's programs trust.
#[cfg(target_os = "linux")]
fn with_bundled_roots(builder: ClientBuilder, _none: reqwest::Error) -> Result<Client, reqwest::Error> {
    let roots = webpki_root_certs::TLS_SERVER_ROOT_CERTS.iter();
    let roots = roots.map(|root| Certificate::from_der(root)).collect::<Result<Vec<_>, _>>()?;
    builder.tls_certs_merge(roots).build()
}

/// Other systems verify certificates themselves, so that none are read here.
#[cfg(not(target_os = "linux"))]
fn with_bundled_roots(_builder: ClientBuilder, error: reqwest::Error) -> Result<Client, reqwest::Error> {
    Err(error)
}

impl Http {
    /// A client that counts in `metrics`, is to ask `addresses`, and waits no longer than `patience` because one of them
    /// asks for it.
    ///
    /// # Errors
    ///
    /// When there are no certificates to trust.
    pub fn new(
        metrics: Arc<Metrics>,
        addresses: &[&Url],
        patience: Duration,
        answer_size: usize,
    ) -> Result<Self, reqwest::Error> {
        // A second call finds the provider installed, which is all that is wanted.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let trusted: Arc<HashSet<String>> = Arc::new(ssrf::trusted(addresses));
        let builder = || {
            Client::builder()
                .user_agent(concat!("shelflife/", env!("CARGO_PKG_VERSION")))
                .connect_timeout(CONNECT_TIMEOUT)
                .read_timeout(STALL_TIMEOUT)
                .timeout(REQUEST_TIMEOUT)
                .redirect(ssrf::policy(Arc::clone(&trusted)))
                .dns_resolver(Arc::new(ssrf::Resolver { trusted: Arc::clone(&trusted) }))
        };
        let client = builder().build().or_else(|error| with_bundled_roots(builder(), error))?;
        Ok(Self { client, metrics, trusted, throttles: Arc::new(Throttles::new(patience)), answer_size })
    }

    pub(super) fn client(&self) -> &Client {
        &self.client
    }

    pub(super) fn metrics(&self) -> &Metrics {
        &self.metrics
    }

    /// Whether an address is written as a private one, and is none of those that this client is to ask.
    pub(super) fn is_private(&self, url: &Url) -> bool {
        ssrf::is_refused(&self.trusted, url)
    }

    /// Sends a request, and again after a pause if it failed in a way that may pass.
    ///
    /// A server that says how long to wait is waited for, by all requests to the same address; but for no longer
    /// than this client's patience in all. After that, requests to it fail without being sent, as they do to an
    /// address that fails again and again.
    ///
    /// # Errors
    ///
    /// The last failure.
    pub async fn send(&self, request: &Request) -> Result<Reply, HttpError> {
        let mut pauses = ExponentialBuilder::default()
            .with_min_delay(Duration::from_millis(200))
            .with_max_delay(Duration::from_secs(5))
            .with_max_times(RETRIES)
            .with_jitter()
            .build();
        loop {
            self.pass(request).await?;
            let error = match self.send_once(request).await {
                Ok(reply) => return Ok(reply),
                Err(error) => error,
            };
            if let HttpError::Limited { status, until, .. } = error {
                self.throttles.hold(&request.throttle(), Closed { until, status });
                self.pass(request).await?;
            }
            let is_repeated =
                error.is_transient() && !(error.is_too_much() && request.if_too_much != IfTooMuch::Repeat);
            let Some(pause) = pauses.next().filter(|_| is_repeated) else { return Err(error) };
            tokio::time::sleep(pause).await;
            self.pass(request).await?;
            self.metrics.count(request.endpoint, |tally| tally.retries += 1);
        }
    }

    /// Waits until the address may be asked.
    async fn pass(&self, request: &Request) -> Result<(), HttpError> {
        self.throttles.pass(&request.throttle()).await.map_err(|shut| match shut {
            Shut::Closed(Closed { until, status }) => {
                HttpError::Limited { host: host(request), status, until }
            }
            Shut::GivenUp(reason) => HttpError::GivenUp { host: host(request), reason },
        })
    }

    async fn send_once(&self, request: &Request) -> Result<Reply, HttpError> {
        let result = self.exchange(request).await;
        match &result {
            Err(error) if error.is_too_much() && request.if_too_much == IfTooMuch::Divide => {}
            Err(error) if error.is_transient() && !matches!(error, HttpError::Limited { .. }) => {
                self.throttles.failed(&request.throttle(), error.reason());
            }
            _ => self.throttles.answered(&request.throttle()),
        }
        self.metrics.count(request.endpoint, |tally| {
            tally.requests += 1;
            match &result {
                Ok(reply) => {
                    tally.bytes += reply.body.len() as u64;
                    tally.not_modified += u64::from(reply.status == StatusCode::NOT_MODIFIED);
                }
                Err(_) => tally.failures += 1,
            }
        });
        result
    }

    async fn exchange(&self, request: &Request) -> Result<Reply, HttpError> {
        let host = host(request);
        let transport = |error: reqwest::Error| HttpError::Transport {
            host: host.clone(),
            reason: reason(&error),
            transient: !error.is_builder() && !ssrf::refuses(&error),
            timed_out: error.is_timeout() && !error.is_connect(),
        };
        let mut builder =
            self.client.request(request.method.clone(), request.url.clone()).headers(request.headers.clone());
        if let Some(body) = &request.body {
            builder = builder.body(body.clone());
        }
        let mut response = builder.send().await.map_err(transport)?;
        let status = response.status();
        let headers = response.headers().clone();
        if !status.is_success() && status != StatusCode::NOT_MODIFIED {
            // Only what the body says of a limit is of use, and without it there is still the status.
            let body = read(&mut response, MAX_ERROR).await.ok().flatten().unwrap_or_default();
            let now = Timestamp::now();
            let until = rate_limit::on_our_clock(&headers, now, |now| {
                rate_limit::of_error(status, &headers, &body, now)
            });
            return Err(match until {
                Some(until) => HttpError::Limited { host, status, until },
                None => HttpError::Status { host, status },
            });
        }
        let redirects = u64::from(*response.url() != request.url);
        let Some(mut body) = read(&mut response, self.answer_size).await.map_err(transport)? else {
            return Err(HttpError::TooLarge { host, limit: self.answer_size });
        };
        // Of what an answer says, some is shown to people and kept.
        hide(&mut body, request.headers.get(AUTHORIZATION));
        let now = Timestamp::now();
        if status != StatusCode::NOT_MODIFIED {
            let unusable =
                |reason, is_too_much| HttpError::Unusable { host: host.clone(), reason, is_too_much };
            match (request.judge)(&body) {
                Verdict::Sound => {}
                Verdict::TooMuch(reason) => return Err(unusable(reason, true)),
                Verdict::Broken(reason) => return Err(unusable(reason, false)),
                Verdict::Limited => {
                    let until =
                        rate_limit::on_our_clock(&headers, now, |now| rate_limit::of_answer(&headers, now));
                    return Err(HttpError::Limited { host, status, until: until.unwrap_or(now) });
                }
            }
        }
        if let Some(until) =
            rate_limit::on_our_clock(&headers, now, |now| rate_limit::of_budget(&headers, now))
        {
            self.throttles.hold(&request.throttle(), Closed { until, status });
        }
        self.metrics.count(request.endpoint, |tally| tally.redirected += redirects);
        Ok(Reply { status, headers, body })
    }
}

fn host(request: &Request) -> String {
    request.url.host_str().unwrap_or_default().to_owned()
}

/// The body; `None` if it is larger than `most`.
async fn read(response: &mut Response, most: usize) -> reqwest::Result<Option<Vec<u8>>> {
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await? {
        if body.len() + chunk.len() > most {
            return Ok(None);
        }
        body.extend_from_slice(&chunk);
    }
    Ok(Some(body))
}

/// Puts asterisks in the place of the secret of an `Authorization` header wherever a body repeats it.
fn hide(body: &mut [u8], authorization: Option<&HeaderValue>) {
    let secret = authorization.and_then(|value| value.as_bytes().rsplit(|byte| *byte == b' ').next());
    let Some(secret) = secret.filter(|secret| !secret.is_empty()) else { return };
    let mut from = 0;
    while let Some(at) = body[from..].windows(secret.len()).position(|part| part == secret) {
        body[from + at..from + at + secret.len()].fill(b'*');
        from += at + secret.len();
    }
}

/// What went wrong in a few words, without the address, which may be long.
pub(super) fn reason(error: &reqwest::Error) -> String {
    if error.is_timeout() {
        return "no answer in time".to_owned();
    }
    let mut cause: &dyn std::error::Error = error;
    while let Some(next) = cause.source() {
        cause = next;
    }
    cause.to_string()
}

/// A header value out of text from the cache; what can't be one is left out.
pub(super) fn header_value(text: Option<&str>) -> Option<HeaderValue> {
    HeaderValue::from_str(text?).ok()
}
