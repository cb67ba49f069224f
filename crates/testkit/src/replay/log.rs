//! The request log: a record of each request, and the counts by which tests judge a client.

use std::time::Duration;

use jiff::Timestamp;

use super::graphql::Ask;
use super::world::Window;

/// The kind of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Kind {
    /// GraphQL that asks for no file texts.
    Repositories,
    /// GraphQL that asks for file texts.
    Files,
    /// A usage export.
    Export(Window),
    /// A video's thumbnail.
    Thumbnail,
    /// REST.
    Rest,
    /// An address at which nothing is served.
    Unknown,
}

/// A request as received, before it is answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RequestInfo {
    /// 1 for the first request after the server's start.
    pub number: u64,
    /// When the request arrived, by the real clock.
    pub at: Timestamp,
    /// `GET`, `POST`, …
    pub method: String,
    /// The path and the query, as sent.
    pub path: String,
    /// The kind of the request.
    pub kind: Kind,
    /// The fields that a GraphQL document asks for; all zero for other requests.
    pub ask: Ask,
    /// Whether the request had an `Authorization` header.
    pub authorized: bool,
    /// The size of the body, in bytes.
    pub body_bytes: u64,
}

/// A request and its outcome.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request {
    /// The request.
    pub info: RequestInfo,
    /// The answer's status; `None` if the client hung up before, or the connection was cut.
    pub status: Option<u16>,
    /// The size of the answer's body, in bytes.
    pub bytes: u64,
    /// The duration of the answer, latency included.
    pub took: Duration,
    /// The number of file texts in the answer.
    pub texts: u64,
    /// Whether the request held a GraphQL document that GitHub would refuse to execute.
    pub invalid: bool,
    /// Whether the request met a deliberate fault.
    pub faulty: bool,
}

impl Request {
    /// Returns whether the client's copy was current.
    pub fn not_modified(&self) -> bool {
        self.status == Some(304)
    }
}

/// Totals of the log.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counts {
    /// Requests of any kind.
    pub requests: u64,
    /// GraphQL requests: `repositories` and `files` together.
    pub graphql: u64,
    /// GraphQL requests that ask for no file texts.
    pub repositories: u64,
    /// GraphQL requests that ask for file texts.
    pub files: u64,
    /// `repository` fields in all documents.
    pub repository_fields: u64,
    /// `issue` fields in all documents.
    pub issue_fields: u64,
    /// `object` fields by expression in all documents.
    pub objects_by_expression: u64,
    /// `object` fields by id in all documents.
    pub objects_by_oid: u64,
    /// File texts served.
    pub texts: u64,
    /// Requests for usage exports.
    pub exports: u64,
    /// Requests for exports that got the whole export.
    pub exports_sent: u64,
    /// Requests for exports that got a 304.
    pub exports_not_modified: u64,
    /// Requests for exports that carried a token, which exports should never see.
    pub exports_with_token: u64,
    /// Requests for thumbnails.
    pub thumbnails: u64,
    /// Requests for thumbnails that got a 304.
    pub thumbnails_not_modified: u64,
    /// REST requests.
    pub rest: u64,
    /// REST requests that got a 304.
    pub rest_not_modified: u64,
    /// GraphQL requests with a document that GitHub would refuse to execute.
    pub invalid_documents: u64,
    /// Requests that got a 401.
    pub unauthorized: u64,
    /// Requests that met a deliberate fault.
    pub faulty: u64,
    /// Requests without an answer.
    pub unanswered: u64,
    /// Bytes of bodies, in both directions.
    pub bytes: u64,
}

impl Counts {
    /// Returns the totals of these requests.
    pub fn of(log: &[Request]) -> Self {
        let mut counts = Self::default();
        log.iter().for_each(|request| counts.add(request));
        counts
    }

    fn add(&mut self, request: &Request) {
        let RequestInfo { kind, ask, authorized, body_bytes, .. } = &request.info;
        let status = |code| u64::from(request.status == Some(code));
        self.requests += 1;
        match kind {
            Kind::Repositories => self.repositories += 1,
            Kind::Files => self.files += 1,
            Kind::Export(_) => {
                self.exports += 1;
                self.exports_sent += status(200);
                self.exports_not_modified += status(304);
                self.exports_with_token += u64::from(*authorized);
            }
            Kind::Thumbnail => {
                self.thumbnails += 1;
                self.thumbnails_not_modified += status(304);
            }
            Kind::Rest => {
                self.rest += 1;
                self.rest_not_modified += status(304);
            }
            Kind::Unknown => {}
        }
        self.graphql = self.repositories + self.files;
        self.repository_fields += ask.repositories;
        self.issue_fields += ask.issues;
        self.objects_by_expression += ask.by_expression;
        self.objects_by_oid += ask.by_oid;
        self.texts += request.texts;
        self.invalid_documents += u64::from(request.invalid);
        self.unauthorized += status(401);
        self.faulty += u64::from(request.faulty);
        self.unanswered += u64::from(request.status.is_none());
        self.bytes += body_bytes + request.bytes;
    }
}
