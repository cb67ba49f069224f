//! GitHub: repositories, issues and files, about fifty in one GraphQL request.

pub mod document;
mod reply;
mod shape;

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use jiff::Timestamp;
use reqwest::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, HeaderMap, HeaderValue};
use reqwest::{Method, StatusCode};
use shelflife_model::config::Token;
use shelflife_model::fact::{Answer, IssueName, ObjectId, RepositoryName, Subject};
use url::Url;

use super::http::{Http, HttpError, IfTooMuch, Request};
use super::metrics::{Endpoint, Metrics};
use super::rate_limit;
use document::{Ask, Object};

pub use reply::read as read_reply;

/// How many batches are in flight at once. GitHub recommends few concurrent requests
/// (<https://docs.github.com/en/rest/using-the-rest-api/best-practices-for-using-the-rest-api>).
pub(super) const IN_FLIGHT: usize = 4;

/// The questions of one request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Batch {
    /// The questions about each repository; their position is the number of the alias.
    pub asks: Vec<Ask>,
}

impl Batch {
    fn endpoint(&self) -> Endpoint {
        // Issues are asked for together with repositories, files in requests of their own.
        if self.asks.iter().any(|ask| ask.details || !ask.issues.is_empty()) {
            Endpoint::GithubRepositories
        } else {
            Endpoint::GithubFiles
        }
    }

    fn subjects(&self) -> impl Iterator<Item = Subject> + '_ {
        self.asks.iter().flat_map(Ask::subjects)
    }

    fn halves(mut self) -> [Self; 2] {
        let rest = self.asks.split_off(self.asks.len().div_ceil(2));
        [self, Self { asks: rest }]
    }
}

/// Divides subjects into batches of at most `size` repositories, in the order in which the repositories occur.
///
/// A file whose repository is asked about as well costs only its object id, which suffices to see whether it has
/// changed. A file on its own is one whose content is needed next, so its text is fetched with it. An issue costs
/// nothing extra where its repository is asked about. Most issues belong to the registry's own repository, so a few of
/// them together count as one repository.
pub fn batches(subjects: &[Subject], size: usize) -> Vec<Batch> {
    let detailed: HashSet<&RepositoryName> = subjects
        .iter()
        .filter_map(|subject| match subject {
            Subject::Repository(name) => Some(name),
            _ => None,
        })
        .collect();
    let (mut repositories, mut files) = (Asks::default(), Asks::default());
    for subject in subjects {
        match subject {
            Subject::Repository(name) => {
                repositories.of(name, true);
            }
            Subject::File { repository, path } => {
                let is_detailed = detailed.contains(repository);
                let asks = if is_detailed { &mut repositories } else { &mut files };
                let object = Object::Path { path: path.clone(), text: !is_detailed };
                asks.of(repository, is_detailed).push(object);
            }
            Subject::Content { repository, object } => {
                files.of(repository, false).push(Object::Id(object.clone()));
            }
            Subject::Issue(name) => repositories.issue(name, detailed.contains(name.repository())),
            Subject::Usage(_) | Subject::Thumbnail(_) => {}
        }
    }
    [repositories, files]
        .into_iter()
        .flat_map(|Asks { mut list, .. }| {
            for ask in &mut list {
                ask.objects.sort();
                ask.objects.dedup();
            }
            list.chunks(size.max(1)).map(|asks| Batch { asks: asks.to_vec() }).collect::<Vec<_>>()
        })
        .collect()
}

/// How many issues take the place of one repository. Each may come back as an error, and the largest batch must not
/// produce more errors than are read.
const ISSUES: usize = 10;

/// The questions by repository, in the order in which repositories occurred.
#[derive(Default)]
struct Asks {
    list: Vec<Ask>,
    places: HashMap<RepositoryName, usize>,
    /// The place of each repository's last question about issues.
    places_of_issues: HashMap<RepositoryName, usize>,
}

impl Asks {
    /// The objects of a repository to ask for.
    fn of(&mut self, repository: &RepositoryName, details: bool) -> &mut Vec<Object> {
        let place = self.place(repository, details);
        &mut self.list[place].objects
    }

    fn place(&mut self, repository: &RepositoryName, details: bool) -> usize {
        *self.places.entry(repository.clone()).or_insert_with(|| {
            self.list.push(Ask { details, ..Ask::nothing(repository) });
            self.list.len() - 1
        })
    }

    /// Asks for an issue, together with its repository's details if those are asked for.
    fn issue(&mut self, name: &IssueName, is_detailed: bool) {
        let repository = name.repository();
        let place = match self.places_of_issues.get(repository) {
            Some(place) if self.list[*place].issues.len() < ISSUES => *place,
            None if is_detailed => self.place(repository, true),
            _ => {
                self.list.push(Ask::nothing(repository));
                self.list.len() - 1
            }
        };
        self.places_of_issues.insert(repository.clone(), place);
        self.list[place].issues.push(name.clone());
    }
}

/// Whether a token is well-formed: one that can't be sent in a header isn't.
pub fn is_token(token: &Token) -> bool {
    authorization(token).is_some()
}

fn authorization(token: &Token) -> Option<HeaderValue> {
    let mut header = HeaderValue::from_str(&format!("bearer {}", token.expose())).ok()?;
    header.set_sensitive(true);
    Some(header)
}

/// The connection to GitHub's GraphQL API.
#[derive(Debug, Clone)]
pub(super) struct Api {
    /// The client.
    pub(super) http: Http,
    /// Where GitHub's budget is recorded.
    pub(super) metrics: Arc<Metrics>,
    /// The GraphQL endpoint.
    pub(super) endpoint: Url,
    /// The token to send.
    pub(super) token: Token,
}

impl Api {
    /// Asks a batch, or its halves if the batch is too much for GitHub. Each of its subjects gets exactly one answer.
    pub(super) async fn fetch(&self, batch: Batch) -> Vec<(Subject, Answer)> {
        let mut answers = Vec::new();
        let whole = batch.asks.len();
        // The last part first and down to a single repository, which shows soonest whether GitHub answers at all.
        let mut batches = vec![batch];
        while let Some(batch) = batches.pop() {
            let if_too_much = match batch.asks.len() {
                1 if whole == 1 => IfTooMuch::Repeat,
                1 => IfTooMuch::GiveUp,
                _ => IfTooMuch::Divide,
            };
            match self.ask(&batch, if_too_much).await {
                Ok(found) => answers.extend(found),
                Err(Failure { is_too_much: true, .. }) if if_too_much == IfTooMuch::Divide => {
                    batches.extend(batch.halves());
                }
                Err(Failure { reason, .. }) => {
                    answers.extend(batch.subjects().map(|subject| (subject, Answer::Failed(reason.clone()))));
                }
            }
        }
        answers
    }

    async fn ask(&self, batch: &Batch, if_too_much: IfTooMuch) -> Result<Vec<(Subject, Answer)>, Failure> {
        let Some(authorization) = authorization(&self.token) else {
            return Err(Failure::new(
                "GITHUB_TOKEN contains characters that are not allowed in a token".to_owned(),
            ));
        };
        let request = Request {
            endpoint: batch.endpoint(),
            method: Method::POST,
            url: self.endpoint.clone(),
            headers: HeaderMap::from_iter([
                (AUTHORIZATION, authorization),
                (ACCEPT, HeaderValue::from_static("application/json")),
                (CONTENT_TYPE, HeaderValue::from_static("application/json")),
            ]),
            body: Some(document::body(&batch.asks)),
            judge: reply::judge,
            if_too_much,
        };
        let answer = self.http.send(&request).await.map_err(Failure::from)?;
        if let Some(budget) = reply::budget(&answer.headers) {
            self.metrics.note_budget(budget);
        }
        let answered = rate_limit::date(&answer.headers).unwrap_or_else(Timestamp::now);
        reply::read(&batch.asks, &answer.body, answered).map_err(Failure::new)
    }
}

/// Why a batch has no answer.
struct Failure {
    reason: String,
    is_too_much: bool,
}

impl Failure {
    fn new(reason: String) -> Self {
        Self { reason, is_too_much: false }
    }
}

impl From<HttpError> for Failure {
    fn from(error: HttpError) -> Self {
        let reason = match &error {
            HttpError::Status { status, .. } if *status == StatusCode::UNAUTHORIZED => {
                format!("{error}: GitHub rejected GITHUB_TOKEN")
            }
            HttpError::Limited { status, until, .. } if !status.is_server_error() => {
                format!("GitHub: rate limited until {}", rate_limit::minute(*until, Timestamp::now()))
            }
            _ => error.to_string(),
        };
        Self { reason, is_too_much: error.is_too_much() }
    }
}

impl Ask {
    /// An empty question about a repository.
    fn nothing(repository: &RepositoryName) -> Self {
        Self { repository: repository.clone(), details: false, objects: Vec::new(), issues: Vec::new() }
    }

    /// The subjects that this part of a batch answers.
    pub fn subjects(&self) -> impl Iterator<Item = Subject> + '_ {
        let repository = self.details.then(|| Subject::Repository(self.repository.clone()));
        let objects = self.objects.iter().map(|object| self.subject_of(object));
        repository.into_iter().chain(objects).chain(self.issues.iter().cloned().map(Subject::Issue))
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

    fn issue(repository: usize, number: u32) -> Subject {
        Subject::Issue(IssueName::new(name(repository), number).unwrap())
    }

    #[test]
    fn a_few_issues_count_as_one_repository() {
        let mut subjects: Vec<_> = (0..40).map(|number| Subject::Repository(name(number))).collect();
        subjects.push(issue(7, 1));
        subjects.extend((1..=95).map(|number| issue(99, number)));
        let batches = batches(&subjects, 50);
        assert_eq!(batches.len(), 1);
        let issues: Vec<_> = batches[0].asks.iter().map(|ask| ask.issues.len()).collect();
        assert_eq!(issues[..40].iter().sum::<usize>(), issues[7]);
        assert_eq!(issues[7], 1);
        assert_eq!(issues[40..], [10, 10, 10, 10, 10, 10, 10, 10, 10, 5]);
        assert_eq!(batches[0].endpoint(), Endpoint::GithubRepositories);
    }

    #[test]
    fn a_file_rides_along_with_its_repository() {
        let batches = batches(&[file(1, "setup.py"), Subject::Repository(name(1)), file(2, "a.py")], 50);
        assert_eq!(batches.len(), 2);
        assert_eq!(batches[0].asks[0].objects, [Object::Path { path: "setup.py".into(), text: false }]);
        assert_eq!(batches[1].asks[0].objects, [Object::Path { path: "a.py".into(), text: true }]);
    }

    #[test]
    fn a_batch_has_at_most_its_size() {
        let subjects: Vec<_> = (0..120).map(|number| Subject::Repository(name(number))).collect();
        let sizes: Vec<_> = batches(&subjects, 50).iter().map(|batch| batch.asks.len()).collect();
        assert_eq!(sizes, [50, 50, 20]);
    }

    #[test]
    fn every_subject_is_in_exactly_one_batch() {
        let object = ObjectId::new(&"0a".repeat(20)).unwrap();
        let mut subjects = vec![file(1, "a"), file(1, "b"), Subject::Repository(name(3)), file(3, "c")];
        subjects.push(Subject::Content { repository: name(1), object });
        subjects.extend((1..=25).map(|number| issue(3, number)));
        subjects.sort();
        let mut asked: Vec<_> = batches(&subjects, 1).iter().flat_map(Batch::subjects).collect();
        asked.sort();
        assert_eq!(asked, subjects);
    }
}
