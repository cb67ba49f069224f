//! The usage exports: two files that another program updates every hour.

use std::sync::Arc;

use reqwest::{Method, StatusCode};
use serde::de::IgnoredAny;
use shelflife_model::fact::{Answer, CanonicalExport, Export, Fact, Window};
use url::Url;

use super::conditional;
use super::http::{Http, IfTooMuch, Request, Verdict};
use super::metrics::Endpoint;

/// Fetches an export unless it is unchanged.
pub(super) async fn fetch(http: &Http, address: &Url, window: Window, known: Option<&Fact>) -> Answer {
    let headers = conditional::headers(known);
    let is_conditional = !headers.is_empty();
    let request = Request {
        endpoint: Endpoint::UsageExport,
        method: Method::GET,
        url: address.clone(),
        headers,
        body: None,
        judge,
        if_too_much: IfTooMuch::Repeat,
    };
    let reply = match http.send(&request).await {
        Ok(reply) => reply,
        Err(error) => return Answer::Failed(format!("usage export of the {window}: {error}")),
    };
    if reply.status == StatusCode::NOT_MODIFIED {
        return if is_conditional {
            Answer::Unchanged
        } else {
            Answer::Failed(format!("usage export of the {window}: unexpected 304 Not Modified"))
        };
    }
    match Export::from_json(&reply.body) {
        // A plugin's usage does not drop to zero for all plugins in a day.
        Ok(export) if export.0.is_empty() && names_plugins(known) => Answer::Failed(format!(
            "the usage export of the {window} is suddenly empty; keeping the previous one"
        )),
        Ok(export) => Answer::Value(Arc::from(export.to_json()), conditional::validators(&reply)),
        Err(error) => Answer::Failed(format!("can't parse the usage export of the {window}: {error}")),
    }
}

/// Whether the last known export has any plugin.
fn names_plugins(known: Option<&Fact>) -> bool {
    let value = known.and_then(|fact| fact.value.as_deref());
    value.and_then(|json| CanonicalExport::from_json(json).ok()).is_some_and(|export| !export.is_empty())
}

/// Rejects what is not JSON, such as an error page or a truncated export: the server did not mean to send it.
fn judge(body: &[u8]) -> Verdict {
    match serde_json::from_slice::<IgnoredAny>(body) {
        Ok(_) => Verdict::Sound,
        Err(error) => Verdict::Broken(format!("the response is not valid JSON: {error}")),
    }
}
