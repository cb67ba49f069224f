//! Requests and replies as plain values, and the parts of HTTP that several endpoints need.

use axum::body::Bytes;
use axum::http::HeaderMap;
use jiff::Timestamp;
use serde_json::Value;

/// A complete request.
#[derive(Debug)]
pub(crate) struct Incoming {
    /// `GET`, `POST`, …
    pub(crate) method: String,
    /// The path as sent, with its percent-encoding.
    pub(crate) path: String,
    /// The headers.
    pub(crate) headers: HeaderMap,
    /// The body.
    pub(crate) body: Bytes,
}

impl Incoming {
    /// Returns a header's value, if it is text.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    /// Returns the token of `Authorization: bearer X` or `Authorization: token X`; `Some("")` if the header has no
    /// usable token.
    pub(crate) fn token(&self) -> Option<&str> {
        let (scheme, token) = self.header("authorization")?.split_once(' ').unwrap_or(("", ""));
        let known = ["bearer", "token"].iter().any(|it| it.eq_ignore_ascii_case(scheme));
        Some(if known { token.trim() } else { "" })
    }

    /// Returns whether the client's copy, by its conditional headers, is current (RFC 9110, section 13.2.2:
    /// If-None-Match takes precedence, and ETags are compared weakly).
    pub(crate) fn has(&self, etag: &str, modified: Option<Timestamp>) -> bool {
        if let Some(tags) = self.header("if-none-match") {
            let weak = |tag: &str| tag.trim().trim_start_matches("W/").to_owned();
            return tags.split(',').any(|tag| tag.trim() == "*" || weak(tag) == weak(etag));
        }
        let (Some(since), Some(modified)) = (self.header("if-modified-since"), modified) else {
            return false;
        };
        jiff::fmt::rfc2822::parse(since)
            .is_ok_and(|since| modified.as_second() <= since.timestamp().as_second())
    }
}

/// A complete answer.
#[derive(Debug, Clone, Default)]
pub(crate) struct Reply {
    /// The status code.
    pub(crate) status: u16,
    /// The headers.
    pub(crate) headers: Vec<(String, String)>,
    /// The body.
    pub(crate) body: Vec<u8>,
}

impl Reply {
    /// Returns a JSON answer.
    pub(crate) fn json(status: u16, body: &Value) -> Self {
        Self { status, body: body.to_string().into(), ..Self::default() }
            .with("content-type", "application/json; charset=utf-8")
    }

    /// Returns an error in GitHub's form outside GraphQL.
    pub(crate) fn message(status: u16, message: &str) -> Self {
        let url = "https://docs.github.com/rest";
        let body =
            serde_json::json!({"message": message, "documentation_url": url, "status": status.to_string()});
        Self::json(status, &body)
    }

    /// Adds a header.
    #[must_use]
    pub(crate) fn with(mut self, name: &str, value: impl Into<String>) -> Self {
        self.headers.push((name.into(), value.into()));
        self
    }

    /// Adds validators; if the client's copy is current, the answer becomes a 304 without a body.
    #[must_use]
    pub(crate) fn validated(self, incoming: &Incoming, etag: &str, modified: Option<Timestamp>) -> Self {
        let fresh = incoming.has(etag, modified);
        let mut reply = self.with("etag", etag);
        if let Some(modified) = modified {
            reply = reply.with("last-modified", http_date(modified));
        }
        if fresh {
            reply.status = 304;
            reply.body = Vec::new();
            reply.headers.retain(|(name, _)| name != "content-type");
        }
        reply
    }
}

/// Formats a time for HTTP, to the second (RFC 9110, section 5.6.7).
pub(crate) fn http_date(time: Timestamp) -> String {
    time.strftime("%a, %d %b %Y %H:%M:%S GMT").to_string()
}

/// Decodes a path segment's percent-encoding; returns `None` if the result isn't UTF-8.
pub(crate) fn percent_decoded(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let [first, tail @ ..] = rest {
        let code = tail.get(..2).and_then(|hex| std::str::from_utf8(hex).ok());
        match code.and_then(|hex| u8::from_str_radix(hex, 16).ok()).filter(|_| *first == b'%') {
            Some(byte) => {
                bytes.push(byte);
                rest = &tail[2..];
            }
            None => {
                bytes.push(*first);
                rest = tail;
            }
        }
    }
    String::from_utf8(bytes).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn incoming(headers: &[(&'static str, &str)]) -> Incoming {
        let headers =
            headers.iter().map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap())).collect();
        let (method, path) = ("GET".into(), "/".into());
        Incoming { method, path, headers, body: Bytes::new() }
    }

    #[test]
    fn conditional_headers_decide_in_the_order_of_the_rfc() {
        let at: Timestamp = "2020-07-26T12:10:06Z".parse().unwrap();
        assert_eq!(http_date(at), "Sun, 26 Jul 2020 12:10:06 GMT");
        let same = http_date(at);
        let before = "Sun, 26 Jul 2020 12:10:05 GMT";
        for (headers, expected) in [
            (vec![], false),
            (vec![("if-none-match", "\"x\"")], true),
            (vec![("if-none-match", "\"y\", W/\"x\"")], true),
            (vec![("if-none-match", "*")], true),
            (vec![("if-none-match", "\"y\"")], false),
            (vec![("if-modified-since", same.as_str())], true),
            (vec![("if-modified-since", before)], false),
            (vec![("if-modified-since", "yesterday")], false),
            (vec![("if-none-match", "\"y\""), ("if-modified-since", same.as_str())], false),
        ] {
            assert_eq!(incoming(&headers).has("\"x\"", Some(at)), expected, "{headers:?}");
        }
    }

    #[test]
    fn tokens_come_in_two_schemes() {
        for (value, token) in [
            ("bearer abc", "abc"),
            ("Token abc", "abc"),
            ("BEARER  abc ", "abc"),
            ("Basic abc", ""),
            ("abc", ""),
        ] {
            assert_eq!(incoming(&[("authorization", value)]).token(), Some(token), "{value}");
        }
        assert_eq!(incoming(&[]).token(), None);
    }

    #[test]
    fn percent_signs_are_read_or_kept() {
        assert_eq!(percent_decoded("a%20b%2Fc").as_deref(), Some("a b/c"));
        assert_eq!(percent_decoded("100%").as_deref(), Some("100%"));
        assert_eq!(percent_decoded("%zz").as_deref(), Some("%zz"));
        assert_eq!(percent_decoded("%ff"), None);
    }
}
