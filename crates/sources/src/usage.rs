//! The usage exports: two files that someone else makes every hour.

use std::sync::Arc;

use reqwest::{Method, StatusCode};
use serde::de::IgnoredAny;
use shelflife_model::fact::{Answer, CanonicalExport, Export, Fact, Window};
use url::Url;

use super::conditional;
use super::http::{Http, IfTooMuch, Request, Verdict};
use super::metrics::Endpoint;

/// Asks for one export, or only whether it changed.
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
        Err(error) => return Answer::Failed(format!("the usage export of the {window}: {error}")),
    };
    if reply.status == StatusCode::NOT_MODIFIED {
        return if is_conditional {
            Answer::Unchanged
        } else {
            Answer::Failed(format!("the usage export of the {window}: \"not modified\" to a first request"))
        };
    }
    match Export::from_json(&reply.body) {
        // Nobody stops to be used by everybody within a day.
        Ok(export) if export.0.is_empty() && names_plugins(known) => Answer::Failed(format!(
            "the usage export of the {window} names no plugin at all any more, which is not believed"
        )),
        Ok(export) => Answer::Value(Arc::from(export.to_json()), conditional::validators(&reply)),
        Err(error) => Answer::Failed(format!("the usage export of the {window} can't be read: {error}")),
    }
}

/// Whether the last export told of any plugin.
fn names_plugins(known: Option<&Fact>) -> bool {
    let value = known.and_then(|fact| fact.value.as_deref());
    value.and_then(|json| CanonicalExport::from_json(json).ok()).is_some_and(|export| !export.is_empty())
}

/// What is no JSON at all is an error page, or half an export: nothing that whoever makes the export wrote.
fn judge(body: &[u8]) -> Verdict {
    match serde_json::from_slice::<IgnoredAny>(body) {
        Ok(_) => Verdict::Sound,
        Err(error) => Verdict::Broken(format!("the answer is no JSON: {error}")),
    }
}
