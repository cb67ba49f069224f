//! Probing addresses that strangers wrote: whether something is there, and its first bytes.

use reqwest::StatusCode;
use url::Url;

use super::http::Http;
use super::metrics::Endpoint;
use super::ssrf;

/// How often a failed request is retried.
const RETRIES: usize = 1;

/// The result of probing an address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Probe {
    /// Something is there, and begins with these bytes.
    There(Vec<u8>),
    /// The server answered with this status, which is not a success.
    Status(StatusCode),
    /// The server could not be reached, for this reason.
    Unreachable(String),
    /// The address leads into a private network, which a check must not reach.
    Refused(String),
}

impl Http {
    /// Probes an address. Reads at most its first `most` bytes.
    pub async fn probe(&self, url: &Url, most: usize) -> Probe {
        if self.is_private(url) {
            let host = url.host_str().unwrap_or_default();
            return Probe::Refused(format!("{host} is a private address"));
        }
        let mut attempt = 0;
        loop {
            let probe = self.probe_once(url, most).await;
            let is_transient = match &probe {
                Probe::Unreachable(_) => true,
                Probe::Status(status) => status.is_server_error() || *status == StatusCode::TOO_MANY_REQUESTS,
                Probe::There(_) | Probe::Refused(_) => false,
            };
            self.metrics().count(Endpoint::Probe, |tally| {
                tally.requests += 1;
                tally.failures += u64::from(!matches!(probe, Probe::There(_)));
            });
            if !is_transient || attempt == RETRIES {
                return probe;
            }
            attempt += 1;
            self.metrics().count(Endpoint::Probe, |tally| tally.retries += 1);
            tokio::time::sleep(std::time::Duration::from_millis(500)).await;
        }
    }

    async fn probe_once(&self, url: &Url, most: usize) -> Probe {
        let mut response = match self.client().get(url.clone()).send().await {
            Ok(response) => response,
            Err(error) if ssrf::refuses(&error) => return Probe::Refused(super::http::reason(&error)),
            Err(error) => return Probe::Unreachable(super::http::reason(&error)),
        };
        if !response.status().is_success() {
            return Probe::Status(response.status());
        }
        let mut begin = Vec::new();
        while begin.len() < most {
            match response.chunk().await {
                Ok(Some(chunk)) => begin.extend_from_slice(&chunk),
                Ok(None) => break,
                Err(error) => return Probe::Unreachable(super::http::reason(&error)),
            }
        }
        begin.truncate(most);
        Probe::There(begin)
    }
}
