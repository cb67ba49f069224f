//! The usage exports: two files that someone else makes every hour.

use std::sync::Arc;

use reqwest::header::{ETAG, HeaderMap, IF_MODIFIED_SINCE, IF_NONE_MATCH, LAST_MODIFIED};
use reqwest::{Method, StatusCode};
use serde::de::IgnoredAny;
use url::Url;

use super::http::{Http, IfTooMuch, Request, Verdict, header_value};
use super::meter::Endpoint;
use crate::fact::{Answer, Export, Fact, Validators, Window};

/// Asks for one export, or only whether it changed (RFC 9110, section 13.1).
pub(super) async fn fetch(http: &Http, address: &Url, window: Window, known: Option<&Fact>) -> Answer {
    let mut headers = HeaderMap::new();
    if let Some(Fact { value: Some(_), validators, .. }) = known {
        if let Some(etag) = header_value(validators.etag.as_deref()) {
            headers.insert(IF_NONE_MATCH, etag);
        }
        if let Some(date) = header_value(validators.last_modified.as_deref()) {
            headers.insert(IF_MODIFIED_SINCE, date);
        }
    }
    let conditional = !headers.is_empty();
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
        return if conditional {
            Answer::Unchanged
        } else {
            Answer::Failed(format!("the usage export of the {window}: \"not modified\" to a first request"))
        };
    }
    match Export::from_json(&reply.body) {
        Ok(export) => {
            let text = |name| reply.header(name).map(str::to_owned);
            let validators =
                Validators { etag: text(ETAG), last_modified: text(LAST_MODIFIED), ..Validators::default() };
            Answer::Value(Arc::from(export.to_json()), validators)
        }
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
