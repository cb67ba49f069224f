//! GitHub: repositories and files, about fifty in one GraphQL request.

pub mod document;
mod reply;
mod shape;

use std::collections::BTreeMap;

use jiff::Timestamp;
use reqwest::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, HeaderMap, HeaderValue};
use reqwest::{Method, StatusCode};
use url::Url;

use super::http::{Http, HttpError, Request};
use super::limit;
use super::meter::{Endpoint, Meter};
use crate::config::Token;
use crate::fact::{Answer, ObjectId, RepositoryName, Subject};
use document::{Ask, Object};

/// How many batches are under way at once. GitHub asks for few concurrent requests
/// (<https://docs.github.com/en/rest/using-the-rest-api/best-practices-for-using-the-rest-api>).
pub(super) const IN_FLIGHT: usize = 4;

/// What one request asks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Batch {
    /// What is asked of each repository; the position is the number of its alias.
    pub asks: Vec<Ask>,
}

impl Batch {
    fn endpoint(&self) -> Endpoint {
        if self.asks.iter().any(|ask| ask.details) {
            Endpoint::GithubRepositories
        } else {
            Endpoint::GithubFiles
        }
    }

    fn subjects(&self) -> impl Iterator<Item = Subject> + '_ {
        self.asks.iter().flat_map(Ask::subjects)
    }
}

/// Divides subjects into batches of at most `size` repositories.
///
/// A file of a repository that is asked about anyway costs only its object id, which is all that is needed
/// to see whether it changed. A file alone is one whose content is wanted next, so its text comes along.
pub fn batches(subjects: Vec<Subject>, size: usize) -> Vec<Batch> {
    let mut repositories: BTreeMap<RepositoryName, Vec<Object>> = BTreeMap::new();
    let mut files: BTreeMap<RepositoryName, Vec<Object>> = BTreeMap::new();
    for subject in &subjects {
        if let Subject::Repository(name) = subject {
            repositories.entry(name.clone()).or_default();
        }
    }
    for subject in subjects {
        match subject {
            Subject::File { repository, path } => match repositories.get_mut(&repository) {
                Some(objects) => objects.push(Object::Path { path, text: false }),
                None => files.entry(repository).or_default().push(Object::Path { path, text: true }),
            },
            Subject::Content { repository, object } => {
                files.entry(repository).or_default().push(Object::Id(object));
            }
            Subject::Repository(_) | Subject::Usage(_) => {}
        }
    }
    let ask = |details| {
        move |(repository, mut objects): (RepositoryName, Vec<Object>)| {
            objects.sort();
            objects.dedup();
            Ask { repository, details, objects }
        }
    };
    let repositories: Vec<Ask> = repositories.into_iter().map(ask(true)).collect();
    let files: Vec<Ask> = files.into_iter().map(ask(false)).collect();
    [repositories, files]
        .iter()
        .flat_map(|asks| asks.chunks(size.max(1)))
        .map(|asks| Batch { asks: asks.to_vec() })
        .collect()
}

/// Whether a token can be one: whatever can't be sent in a header is none.
pub fn is_token(token: &Token) -> bool {
    authorization(token).is_some()
}

fn authorization(token: &Token) -> Option<HeaderValue> {
    let mut header = HeaderValue::from_str(&format!("bearer {}", token.expose())).ok()?;
    header.set_sensitive(true);
    Some(header)
}

/// Sends one batch. Each of its subjects gets exactly one answer.
pub(super) async fn fetch(
    http: &Http,
    meter: &Meter,
    endpoint: &Url,
    token: &Token,
    batch: &Batch,
) -> Vec<(Subject, Answer)> {
    let all_failed =
        |reason: String| batch.subjects().map(|subject| (subject, Answer::Failed(reason.clone()))).collect();
    let Some(authorization) = authorization(token) else {
        return all_failed("GITHUB_TOKEN has characters that no token has".to_owned());
    };
    let headers = HeaderMap::from_iter([
        (AUTHORIZATION, authorization),
        (ACCEPT, HeaderValue::from_static("application/json")),
        (CONTENT_TYPE, HeaderValue::from_static("application/json")),
    ]);
    let request = Request {
        endpoint: batch.endpoint(),
        method: Method::POST,
        url: endpoint.clone(),
        headers,
        body: Some(document::body(&batch.asks)),
        limited: reply::says_limited,
    };
    match http.send(&request).await {
        Ok(answer) => {
            if let Some(budget) = reply::budget(&answer.headers) {
                meter.note_budget(budget);
            }
            reply::read(&batch.asks, &answer.body).unwrap_or_else(all_failed)
        }
        Err(error) => all_failed(match &error {
            HttpError::Status { status, .. } if *status == StatusCode::UNAUTHORIZED => {
                format!("{error}: GITHUB_TOKEN is not accepted")
            }
            HttpError::Limited { status, until, .. } if !status.is_server_error() => {
                format!("GitHub's rate limit is reached until {}", limit::minute(*until, Timestamp::now()))
            }
            _ => error.to_string(),
        }),
    }
}

impl Ask {
    /// The subjects that this part of a batch answers.
    pub fn subjects(&self) -> impl Iterator<Item = Subject> + '_ {
        let repository = self.details.then(|| Subject::Repository(self.repository.clone()));
        repository.into_iter().chain(self.objects.iter().map(|object| self.subject_of(object)))
    }

    fn subject_of(&self, object: &Object) -> Subject {
        match object {
            Object::Path { path, .. } => {
                Subject::File { repository: self.repository.clone(), path: path.clone() }
            }
            Object::Id(object) => self.content(object),
        }
    }

    fn content(&self, object: &ObjectId) -> Subject {
        Subject::Content { repository: self.repository.clone(), object: object.clone() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(number: usize) -> RepositoryName {
        RepositoryName::new("owner", &format!("name{number:03}")).unwrap()
    }

    fn file(number: usize, path: &str) -> Subject {
        Subject::File { repository: name(number), path: path.to_owned() }
    }

    #[test]
    fn a_file_rides_along_with_its_repository() {
        let batches = batches(vec![file(1, "setup.py"), Subject::Repository(name(1)), file(2, "a.py")], 50);
        assert_eq!(batches.len(), 2);
        assert_eq!(batches[0].asks[0].objects, [Object::Path { path: "setup.py".into(), text: false }]);
        assert_eq!(batches[1].asks[0].objects, [Object::Path { path: "a.py".into(), text: true }]);
    }

    #[test]
    fn a_batch_has_at_most_its_size() {
        let subjects: Vec<_> = (0..120).map(|number| Subject::Repository(name(number))).collect();
        let sizes: Vec<_> = batches(subjects, 50).iter().map(|batch| batch.asks.len()).collect();
        assert_eq!(sizes, [50, 50, 20]);
    }

    #[test]
    fn every_subject_is_in_exactly_one_batch() {
        let object = ObjectId::new(&"0a".repeat(20)).unwrap();
        let mut subjects = vec![file(1, "a"), file(1, "b"), Subject::Repository(name(3)), file(3, "c")];
        subjects.push(Subject::Content { repository: name(1), object });
        subjects.sort();
        let mut asked: Vec<_> = batches(subjects.clone(), 1).iter().flat_map(Batch::subjects).collect();
        asked.sort();
        assert_eq!(asked, subjects);
    }
}
