//! What can go wrong on purpose: a hook that sees each request first, and the things it can do to it.

use std::sync::Arc;
use std::time::Duration;

use super::log::RequestInfo;

/// Decides what becomes of a request before it is answered; `None` lets it pass.
///
/// It runs on the server's threads, several at once, and after a request's latency.
pub type Fault = Arc<dyn Fn(&RequestInfo) -> Option<FaultAction> + Send + Sync>;

/// One thing that can go wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FaultAction {
    /// Another answer than the world's.
    Answer {
        /// The status code.
        status: u16,
        /// Header fields.
        headers: Vec<(String, String)>,
        /// The body.
        body: Vec<u8>,
    },
    /// The connection is reset before a byte of the answer.
    Close,
    /// The right answer, later.
    Delay(Duration),
    /// The right answer with its right length announced, and the connection reset after so many bytes of it.
    Truncate(usize),
    /// The right answer with its right length announced, and silence after so many bytes of it.
    Stall(usize),
}

impl FaultAction {
    /// An answer with this status, a JSON body of GitHub's form with this message, and no more headers.
    pub fn status(status: u16, message: &str) -> Self {
        let body = serde_json::json!({"message": message}).to_string().into_bytes();
        let headers = vec![("content-type".into(), "application/json; charset=utf-8".into())];
        Self::Answer { status, headers, body }
    }
}
