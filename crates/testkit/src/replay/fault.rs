//! Deliberate faults: a hook that sees each request first, and the faults that it can choose.

use std::sync::Arc;
use std::time::Duration;

use super::log::RequestInfo;

/// Decides how a request fails; `None` answers it normally.
///
/// It runs on the server's threads, several at once, and after a request's latency.
pub type Fault = Arc<dyn Fn(&RequestInfo) -> Option<FaultAction> + Send + Sync>;

/// A deliberate fault.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FaultAction {
    /// Sends this answer instead of the world's.
    Answer {
        /// The status code.
        status: u16,
        /// Header fields.
        headers: Vec<(String, String)>,
        /// The body.
        body: Vec<u8>,
    },
    /// Resets the connection before the first byte of the answer.
    Close,
    /// Sends the right answer after a delay.
    Delay(Duration),
    /// Announces the right length, and resets the connection after this many bytes of the right body.
    Truncate(usize),
    /// Announces the right length, and falls silent after this many bytes of the right body.
    Stall(usize),
}

impl FaultAction {
    /// Returns an answer with this status and a JSON body in GitHub's form with this message.
    pub fn status(status: u16, message: &str) -> Self {
        let body = serde_json::json!({"message": message}).to_string().into_bytes();
        let headers = vec![("content-type".into(), "application/json; charset=utf-8".into())];
        Self::Answer { status, headers, body }
    }
}
