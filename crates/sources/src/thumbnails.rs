//! Thumbnails of videos: one small file each, few in number, that seldom change.

use std::sync::Arc;

use reqwest::{Method, StatusCode};
use shelflife_model::fact::{Answer, Fact, Picture};
use url::Url;

use super::conditional;
use super::http::{Http, HttpError, IfTooMuch, Request, Verdict};
use super::metrics::Endpoint;

/// How many thumbnails are fetched at a time.
pub(super) const IN_FLIGHT: usize = 8;

/// Fetches a thumbnail unless it is unchanged. A response that is not a picture, or is too large, counts as absent: a
/// deleted video may have an error page in place of its thumbnail.
pub(super) async fn fetch(http: &Http, address: Url, known: Option<&Fact>) -> Answer {
    let headers = conditional::headers(known);
    let is_conditional = !headers.is_empty();
    let request = Request {
        endpoint: Endpoint::Thumbnails,
        method: Method::GET,
        url: address,
        headers,
        body: None,
        judge: |_| Verdict::Sound,
        if_too_much: IfTooMuch::Repeat,
    };
    match http.send(&request).await {
        Ok(reply) if reply.status == StatusCode::NOT_MODIFIED => {
            if is_conditional {
                Answer::Unchanged
            } else {
                Answer::Failed("video thumbnails: unexpected 304 Not Modified".to_owned())
            }
        }
        Ok(reply) if Picture::of(&reply.body).is_some() => {
            let validators = conditional::validators(&reply);
            Answer::Value(Arc::from(reply.body), validators)
        }
        Ok(_) | Err(HttpError::TooLarge { .. }) => Answer::Gone,
        Err(HttpError::Status { status: StatusCode::NOT_FOUND | StatusCode::GONE, .. }) => Answer::Gone,
        Err(error) => Answer::Failed(format!("video thumbnails: {error}")),
    }
}
