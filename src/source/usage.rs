//! The usage exports: two files that someone else makes every hour.

use std::sync::Arc;

use reqwest::{Method, StatusCode};
use serde::de::IgnoredAny;
use url::Url;

use super::conditional;
use super::http::{Http, IfTooMuch, Request, Verdict};
use super::meter::Endpoint;
use crate::fact::{Answer, Export, Fact, Window};

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
        Ok(export) => Answer::Value(Arc::from(export.to_json()), conditional::validators(&reply)),
        Err(error) => Answer::Failed(format!("the usage export of the {window} can't be read: {error}")),
    }
}

/// What is no JSON at all is an error page, or half an export: nothing that whoever makes the export wrote.
fn judge(body: &[u8]) -> Verdict {
    match serde_json::from_slice::<IgnoredAny>(body) {
        Ok(_) => Verdict::Sound,
        Err(error) => Verdict::Broken(format!("the answer is no JSON: {error}")),
    }
}
