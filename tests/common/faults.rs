//! Sources that do something else than answer.

use std::sync::Arc;

use serde_json::Value;
use shelflife_testkit::replay::{FaultAction, Kind, RequestInfo, Server};

/// From now on, the server does with a request what this says.
pub fn set_fault(
    server: &Server,
    fault: impl Fn(&RequestInfo) -> Option<FaultAction> + Send + Sync + 'static,
) {
    server.set_fault(Some(Arc::new(fault)));
}

/// Whether a request asks GitHub.
pub fn is_graphql(request: &RequestInfo) -> bool {
    matches!(request.kind, Kind::Repositories | Kind::Files)
}

/// An answer of its own.
pub fn answer(status: u16, headers: &[(&str, &str)], body: &Value) -> FaultAction {
    let headers = headers.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    FaultAction::Answer { status, headers, body: body.to_string().into_bytes() }
}
