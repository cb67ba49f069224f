//! What the server was asked: one record a request, and the counts that tests hold a client to.

use std::time::Duration;

use jiff::Timestamp;

use super::graphql::Ask;
use super::world::Window;

/// What sort of request it was.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Kind {
    /// GraphQL that asks for no file's text.
    Repositories,
    /// GraphQL that asks for the text of files.
    Files,
    /// A usage export.
    Export(Window),
    /// A picture of a video.
    Thumbnail,
    /// REST.
    Rest,
    /// An address that nothing is served at.
    Unknown,
}

/// A request as it came in, before anything was decided.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RequestInfo {
    /// 1 for the first request after the server's start.
    pub number: u64,
    /// When it was there, by the real clock.
    pub at: Timestamp,
    /// `GET`, `POST`, …
    pub method: String,
    /// Path and query, as sent.
    pub path: String,
    /// What sort of request it is.
    pub kind: Kind,
    /// What a GraphQL document asks for; all zero for other requests.
    pub ask: Ask,
    /// Whether it carried an `Authorization` header.
    pub authorised: bool,
    /// Bytes of its body.
    pub body_bytes: u64,
}

/// A request and what became of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request {
    /// The request.
    pub info: RequestInfo,
    /// The answer's status; `None` where the client was gone before, or the connection was cut.
    pub status: Option<u16>,
    /// Bytes of the answer's body.
    pub bytes: u64,
    /// How long the answer took, latency included.
    pub took: Duration,
    /// Texts of files in the answer.
    pub texts: u64,
    /// Whether it held a GraphQL document that GitHub would refuse to execute.
    pub invalid: bool,
    /// Whether something went wrong on purpose.
    pub faulty: bool,
}

impl Request {
    /// Whether the client had the answer already.
    pub fn not_modified(&self) -> bool {
        self.status == Some(304)
    }
}

/// Sums over the log.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counts {
    /// Requests of any kind.
    pub requests: u64,
    /// GraphQL requests: `repositories` and `files` together.
    pub graphql: u64,
    /// GraphQL requests that ask for no file's text.
    pub repositories: u64,
    /// GraphQL requests that ask for the text of files.
    pub files: u64,
    /// `repository` fields in all documents.
    pub repository_fields: u64,
    /// `issue` fields in all documents.
    pub issue_fields: u64,
    /// `object` fields by expression in all documents.
    pub objects_by_expression: u64,
    /// `object` fields by id in all documents.
    pub objects_by_oid: u64,
    /// Texts of files served.
    pub texts: u64,
    /// Requests for usage exports.
    pub exports: u64,
    /// Those of them that got the whole export.
    pub exports_sent: u64,
    /// Those of them that got a 304.
    pub exports_not_modified: u64,
    /// Those of them that carried a token, which is none of the exports' business.
    pub exports_with_token: u64,
    /// Requests for pictures of videos.
    pub thumbnails: u64,
    /// Those of them that got a 304.
    pub thumbnails_not_modified: u64,
    /// REST requests.
    pub rest: u64,
    /// Those of them that got a 304.
    pub rest_not_modified: u64,
    /// GraphQL requests with a document that GitHub would refuse to execute.
    pub invalid_documents: u64,
    /// Requests that got a 401.
    pub unauthorised: u64,
    /// Requests to which something was done on purpose.
    pub faulty: u64,
    /// Requests without an answer.
    pub unanswered: u64,
    /// Bytes of bodies, both ways.
    pub bytes: u64,
}

impl Counts {
    /// The sums over these requests.
    pub fn of(log: &[Request]) -> Self {
        let mut counts = Self::default();
        log.iter().for_each(|request| counts.add(request));
        counts
    }

    fn add(&mut self, request: &Request) {
        let RequestInfo { kind, ask, authorised, body_bytes, .. } = &request.info;
        let status = |code| u64::from(request.status == Some(code));
        self.requests += 1;
        match kind {
            Kind::Repositories => self.repositories += 1,
            Kind::Files => self.files += 1,
            Kind::Export(_) => {
                self.exports += 1;
                self.exports_sent += status(200);
                self.exports_not_modified += status(304);
                self.exports_with_token += u64::from(*authorised);
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
        self.unauthorised += status(401);
        self.faulty += u64::from(request.faulty);
        self.unanswered += u64::from(request.status.is_none());
        self.bytes += body_bytes + request.bytes;
    }
}
