//! One way to ask over HTTP: bounded in time and size, with retries, counted, and patient only so far.

use std::sync::Arc;
use std::time::Duration;

use backon::{BackoffBuilder as _, ExponentialBuilder};
use jiff::Timestamp;
use reqwest::header::{HeaderMap, HeaderName, HeaderValue};
use reqwest::{Client, Method, Response, StatusCode, redirect};
use thiserror::Error;
use url::Url;

use super::limit::{self, Closed, Gates};
use super::meter::{Endpoint, Meter};

/// The largest body that is read.
const MAX_BODY: usize = 64 * 1024 * 1024;
/// The largest part of an error's body that is read.
const MAX_ERROR: usize = 64 * 1024;
/// How long making a connection may take.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
/// How long a request may take from its start to the last byte of the answer.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(60);
/// How often a failed request is repeated.
const RETRIES: usize = 3;
/// How many redirects are followed.
const REDIRECTS: usize = 5;

/// An HTTP client that counts what it does.
#[derive(Debug, Clone)]
pub struct Http {
    client: Client,
    meter: Arc<Meter>,
    gates: Arc<Gates>,
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
    /// Whether the body of an answer with a good status says that a rate limit is reached.
    pub limited: fn(&[u8]) -> bool,
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
    },
    /// The answer is an error.
    #[error("{host} answered {status}")]
    Status {
        /// Whom the request went to.
        host: String,
        /// The status.
        status: StatusCode,
    },
    /// The server said when it wants to be asked again, and that is too late to be waited for, or was said too
    /// often.
    #[error("{host} wants no more requests until {}", limit::minute(*until, Timestamp::now()))]
    Limited {
        /// Whom the request went to.
        host: String,
        /// The status of the answer that said so.
        status: StatusCode,
        /// When it wants to be asked again.
        until: Timestamp,
    },
    /// The body does not end where it should.
    #[error("{host} sent more than {} MiB", MAX_BODY / 1024 / 1024)]
    TooLarge {
        /// Whom the request went to.
        host: String,
    },
}

impl HttpError {
    fn is_transient(&self) -> bool {
        match self {
            Self::Transport { transient, .. } => *transient,
            Self::Status { status, .. } => {
                status.is_server_error() || *status == StatusCode::TOO_MANY_REQUESTS
            }
            Self::Limited { .. } => true,
            Self::TooLarge { .. } => false,
        }
    }
}

impl Http {
    /// A client that counts in `meter`.
    ///
    /// # Errors
    ///
    /// When the machine's certificates can't be read.
    pub fn new(meter: Arc<Meter>) -> Result<Self, reqwest::Error> {
        // A second call finds the provider installed, which is all that is wanted.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let policy = redirect::Policy::custom(|attempt| {
            let downgrade = attempt.previous().last().is_some_and(|from| from.scheme() == "https")
                && attempt.url().scheme() != "https";
            if attempt.previous().len() > REDIRECTS || downgrade { attempt.stop() } else { attempt.follow() }
        });
        let client = Client::builder()
            .user_agent(concat!("shelflife/", env!("CARGO_PKG_VERSION")))
            .connect_timeout(CONNECT_TIMEOUT)
            .timeout(REQUEST_TIMEOUT)
            .redirect(policy)
            .build()?;
        Ok(Self { client, meter, gates: Arc::default() })
    }

    /// Sends a request, and again after a pause if it failed in a way that may pass.
    ///
    /// A server that says how long to wait is waited for, by all requests to the same address; but for no longer
    /// than [`limit::PATIENCE`] in all. After that, requests to it fail without being sent.
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
                self.gates.hold(&request.url, Closed { until, status });
                self.pass(request).await?;
            }
            let Some(pause) = pauses.next().filter(|_| error.is_transient()) else { return Err(error) };
            tokio::time::sleep(pause).await;
            self.pass(request).await?;
            self.meter.count(request.endpoint, |tally| tally.retries += 1);
        }
    }

    /// Waits until the address may be asked.
    async fn pass(&self, request: &Request) -> Result<(), HttpError> {
        self.gates.pass(&request.url).await.map_err(|Closed { until, status }| HttpError::Limited {
            host: host(request),
            status,
            until,
        })
    }

    async fn send_once(&self, request: &Request) -> Result<Reply, HttpError> {
        let result = self.exchange(request).await;
        self.meter.count(request.endpoint, |tally| {
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
            transient: !error.is_builder(),
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
            return Err(match limit::of_error(status, &headers, &body, Timestamp::now()) {
                Some(until) => HttpError::Limited { host, status, until },
                None => HttpError::Status { host, status },
            });
        }
        let Some(body) = read(&mut response, MAX_BODY).await.map_err(transport)? else {
            return Err(HttpError::TooLarge { host });
        };
        if (request.limited)(&body) {
            return Err(HttpError::Limited {
                host,
                status,
                until: limit::of_answer(&headers, Timestamp::now()),
            });
        }
        if let Some(until) = limit::of_budget(&headers, Timestamp::now()) {
            self.gates.hold(&request.url, Closed { until, status });
        }
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

/// What went wrong in a few words, without the address, which may be long.
fn reason(error: &reqwest::Error) -> String {
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
