//! Conditional requests (RFC 9110, section 13.1): a client that has a value asks only whether it has changed.

use reqwest::header::{ETAG, HeaderMap, IF_MODIFIED_SINCE, IF_NONE_MATCH, LAST_MODIFIED};
use shelflife_model::fact::{Fact, Validators};

use super::http::{Reply, header_value};

/// The conditional headers for a known fact; empty if nothing is known.
pub(super) fn headers(known: Option<&Fact>) -> HeaderMap {
    let mut headers = HeaderMap::new();
    if let Some(Fact { value: Some(_), validators, .. }) = known {
        if let Some(etag) = header_value(validators.etag.as_deref()) {
            headers.insert(IF_NONE_MATCH, etag);
        }
        if let Some(date) = header_value(validators.last_modified.as_deref()) {
            headers.insert(IF_MODIFIED_SINCE, date);
        }
    }
    headers
}

/// The validators of a response, for later conditional requests.
pub(super) fn validators(reply: &Reply) -> Validators {
    let text = |name| reply.header(name).map(str::to_owned);
    Validators { etag: text(ETAG), last_modified: text(LAST_MODIFIED), ..Validators::default() }
}
