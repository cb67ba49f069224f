//! One way to ask over HTTP: bounded in time and size, with retries, counted.

use std::sync::Arc;
use std::time::Duration;

use backon::{ExponentialBuilder, Retryable as _};
use reqwest::header::{HeaderMap, HeaderName, HeaderValue};
use reqwest::{Client, Method, StatusCode, redirect};
use thiserror::Error;
use url::Url;

use super::meter::{Endpoint, Meter};

/// The largest body that is read.
const MAX_BODY: usize = 64 * 1024 * 1024;
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
        Ok(Self { client, meter })
    }

    /// Sends a request, and again after a pause if it failed in a way that may pass.
    ///
    /// # Errors
    ///
    /// The last failure.
    pub async fn send(&self, request: &Request) -> Result<Reply, HttpError> {
        let pauses = ExponentialBuilder::default()
            .with_min_delay(Duration::from_millis(200))
            .with_max_delay(Duration::from_secs(5))
            .with_max_times(RETRIES)
            .with_jitter();
        (|| self.send_once(request))
            .retry(pauses)
            .when(HttpError::is_transient)
            .notify(|_, _| self.meter.count(request.endpoint, |tally| tally.retries += 1))
            .await
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
        let host = request.url.host_str().unwrap_or_default().to_owned();
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
        if !status.is_success() && status != StatusCode::NOT_MODIFIED {
            return Err(HttpError::Status { host, status });
        }
        let mut body = Vec::new();
        while let Some(chunk) = response.chunk().await.map_err(transport)? {
            if body.len() + chunk.len() > MAX_BODY {
                return Err(HttpError::TooLarge { host });
            }
            body.extend_from_slice(&chunk);
        }
        Ok(Reply { status, headers: response.headers().clone(), body })
    }
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
