//! The HTTP client: bounded in time and size, retries failed requests, counts them, and waits only so long for a
//! server.

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
use super::throttle::{Closed, FAILURES, Shut, Throttles};

/// The largest part of an error response's body that is read, in bytes.
const MAX_ERROR: usize = 64 * 1024;
/// How long establishing a connection may take.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
/// How long a request may take, from its start to the last byte of the response.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(60);
/// How long a response may pause between two chunks.
const STALL_TIMEOUT: Duration = Duration::from_secs(20);
/// How often a failed request is retried.
const RETRIES: usize = 3;

/// An HTTP client that counts its requests.
#[derive(Debug, Clone)]
pub struct Http {
    client: Client,
    metrics: Arc<Metrics>,
    trusted: Arc<HashSet<String>>,
    throttles: Arc<Throttles>,
    /// The largest response body that is read, in bytes.
    answer_size: usize,
}

/// A request that may be repeated.
#[derive(Debug, Clone)]
pub struct Request {
    /// The line of the report that the request counts towards.
    pub endpoint: Endpoint,
    /// The method.
    pub method: Method,
    /// The address.
    pub url: Url,
    /// The headers beyond those that every request has.
    pub headers: HeaderMap,
    /// The body.
    pub body: Option<Vec<u8>>,
    /// Judges the body of a response with a success status.
    pub judge: fn(&[u8]) -> Verdict,
    /// What to do if the request is too much for the server.
    pub if_too_much: IfTooMuch,
}

impl Request {
    /// The address whose pauses and failures apply to the request: its own, or the server's root for thumbnails, each
    /// of which has its own address.
    fn throttle(&self) -> Cow<'_, Url> {
        match self.endpoint {
            Endpoint::Thumbnails => self.url.join("/").map_or(Cow::Borrowed(&self.url), Cow::Owned),
            _ => Cow::Borrowed(&self.url),
        }
    }
}

/// What to do with a request that is too much for its server, see [`HttpError::is_too_much`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum IfTooMuch {
    /// Retry it, as after any transient failure.
    Repeat,
    /// Don't retry it, and don't count it as a failure of the server: the caller sends smaller requests, which will
    /// tell.
    Divide,
    /// Don't retry it: it is already a part of a request that was too much.
    GiveUp,
}

/// The verdict on the body of a response with a success status.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// The body is usable.
    Sound,
    /// The body says that a rate limit is reached.
    Limited,
    /// The body says that the server ran out of time for the whole request.
    TooMuch(String),
    /// The body does not come from that server, or was cut off on the way.
    Broken(String),
}

/// A response whose status is 2xx or 304.
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
    /// The value of a header, if it is present and is text.
    pub fn header(&self, name: HeaderName) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }
}

/// Why there is no usable response. The text never contains a header, so it contains no secret.
#[derive(Debug, Error)]
pub enum HttpError {
    /// The connection or the transfer failed.
    #[error("{host}: {reason}")]
    Transport {
        /// The host that the request was sent to.
        host: String,
        /// What happened.
        reason: String,
        /// Whether retrying can help.
        transient: bool,
        /// Whether the server was too slow.
        timed_out: bool,
    },
    /// The status of the response is an error.
    #[error("{host} answered {status}")]
    Status {
        /// The host that the request was sent to.
        host: String,
        /// The status.
        status: StatusCode,
    },
    /// The body is unusable, or says that the server could not answer.
    #[error("{host}: {reason}")]
    Unusable {
        /// The host that the request was sent to.
        host: String,
        /// What is wrong with the body.
        reason: String,
        /// Whether a smaller request may succeed.
        is_too_much: bool,
    },
    /// The request was not sent, because the address had failed too often.
    #[error("gave up on {host} after {FAILURES} failures in a row; the last: {reason}")]
    GivenUp {
        /// The host that the request would have been sent to.
        host: String,
        /// The last failure.
        reason: String,
    },
    /// The server said when to retry, and that is too late to wait for.
    #[error("{host}: rate limited until {}", rate_limit::minute(*until, Timestamp::now()))]
    Limited {
        /// The host that the request was sent to.
        host: String,
        /// The status of the answer that said so.
        status: StatusCode,
        /// When requests are allowed again.
        until: Timestamp,
    },
    /// The body is larger than allowed.
    #[error("{host}: the response is larger than `limits.answer_size` allows ({})", Bytes(*limit))]
    TooLarge {
        /// The host that the request was sent to.
        host: String,
        /// The largest allowed body, in bytes.
        limit: usize,
    },
}

impl HttpError {
    /// Whether the server seems to have run out of time for the whole request: GitHub gives up after ten seconds, which
    /// a proxy reports as 502 or 504
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
    /// The failure without the name of the host.
    fn reason(&self) -> String {
        match self {
            Self::Transport { reason, .. } | Self::Unusable { reason, .. } => reason.clone(),
            Self::Status { status, .. } => status.to_string(),
            other => other.to_string(),
        }
    }
}

/// Builds a client for a machine without certificates, such as a container that holds only this program. It trusts
/// Mozilla's root certificates.
#[cfg(target_os = "linux")]
fn with_bundled_roots(builder: ClientBuilder, _none: reqwest::Error) -> Result<Client, reqwest::Error> {
    let roots = webpki_root_certs::TLS_SERVER_ROOT_CERTS.iter();
    let roots = roots.map(|root| Certificate::from_der(root)).collect::<Result<Vec<_>, _>>()?;
    builder.tls_certs_merge(roots).build()
}

/// Other systems verify certificates themselves, so none are read here.
#[cfg(not(target_os = "linux"))]
fn with_bundled_roots(_builder: ClientBuilder, error: reqwest::Error) -> Result<Client, reqwest::Error> {
    Err(error)
}

impl Http {
    /// Creates a client for `addresses` that counts in `metrics` and waits for each of them for at most `patience` when
    /// it asks to retry later.
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
        // A second call fails because the provider is already installed, which is fine.
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

    /// Whether a URL's host is written as a private IP address and is not one of the configured hosts.
    pub(super) fn is_private(&self, url: &Url) -> bool {
        ssrf::is_refused(&self.trusted, url)
    }

    /// Sends a request, and retries it after a pause if the failure is transient.
    ///
    /// When a server says how long to wait, all requests to the same address wait, but for at most this client's
    /// patience in total. After that, requests to that address fail without being sent, as do requests to an address
    /// that keeps failing.
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

    /// Waits until a request may be sent to the address.
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
            // The body matters only if it mentions a rate limit; without it, the status still says enough.
            let body = read(&mut response, MAX_ERROR).await.ok().flatten().unwrap_or_default();
            let now = Timestamp::now();
            let until = rate_limit::to_local_clock(&headers, now, |now| {
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
        // Some of the response is shown to people and stored.
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
                        rate_limit::to_local_clock(&headers, now, |now| rate_limit::of_answer(&headers, now));
                    return Err(HttpError::Limited { host, status, until: until.unwrap_or(now) });
                }
            }
        }
        if let Some(until) =
            rate_limit::to_local_clock(&headers, now, |now| rate_limit::of_budget(&headers, now))
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

/// The body; `None` if it is larger than `most` bytes.
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

/// Replaces the secret of an `Authorization` header with asterisks wherever the body repeats it.
fn hide(body: &mut [u8], authorization: Option<&HeaderValue>) {
    let secret = authorization.and_then(|value| value.as_bytes().rsplit(|byte| *byte == b' ').next());
    let Some(secret) = secret.filter(|secret| !secret.is_empty()) else { return };
    let mut from = 0;
    while let Some(at) = body[from..].windows(secret.len()).position(|part| part == secret) {
        body[from + at..from + at + secret.len()].fill(b'*');
        from += at + secret.len();
    }
}

/// A short reason for an error, without the URL, which may be long.
pub(super) fn reason(error: &reqwest::Error) -> String {
    if error.is_timeout() {
        return "timed out".to_owned();
    }
    let mut cause: &dyn std::error::Error = error;
    while let Some(next) = cause.source() {
        cause = next;
    }
    cause.to_string()
}

/// A header value made from cached text; `None` if it is not valid in a header.
pub(super) fn header_value(text: Option<&str>) -> Option<HeaderValue> {
    HeaderValue::from_str(text?).ok()
}
