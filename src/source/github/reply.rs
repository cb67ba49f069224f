//! What GitHub's answers mean, alias by alias: one that is wrong concerns its own repository alone.

use std::collections::HashMap;
use std::sync::Arc;

use jiff::Timestamp;
use reqwest::header::HeaderMap;
use serde::Deserialize;
use serde_json::{Map, Value};

use super::document::{Ask, Object};
use crate::fact::{Answer, ObjectId, Release, Repository, Subject, Validators};
use crate::source::Budget;

#[derive(Deserialize)]
struct Envelope {
    data: Option<Map<String, Value>>,
    #[serde(default)]
    errors: Vec<GraphqlError>,
    message: Option<String>,
}

/// An error of the whole request or, through `path`, of one alias (GraphQL, section 7.1.2). `type` is
/// GitHub's own.
#[derive(Deserialize)]
struct GraphqlError {
    #[serde(default)]
    message: String,
    #[serde(rename = "type")]
    kind: Option<String>,
    #[serde(default)]
    path: Vec<Value>,
}

impl GraphqlError {
    fn alias(&self) -> Option<&str> {
        self.path.first()?.as_str()
    }

    /// Whether GitHub says that there is no such repository, or none that may be seen.
    fn refuses(&self) -> bool {
        matches!(self.kind.as_deref(), Some("NOT_FOUND" | "FORBIDDEN"))
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Details {
    name_with_owner: String,
    url: String,
    is_archived: bool,
    stargazer_count: u64,
    watchers: Total,
    open_issues: Total,
    closed_issues: Total,
    releases: Total,
    latest_release: Option<LatestRelease>,
    default_branch_ref: Option<Branch>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Total {
    total_count: u64,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct LatestRelease {
    name: Option<String>,
    tag_name: String,
    published_at: Option<Timestamp>,
    url: String,
}

#[derive(Deserialize)]
struct Branch {
    target: Option<Commit>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Commit {
    committed_date: Option<Timestamp>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct GitObject {
    #[serde(rename = "__typename")]
    kind: String,
    oid: String,
    #[serde(default)]
    is_binary: Option<bool>,
    #[serde(default)]
    is_truncated: bool,
    text: Option<String>,
}

impl From<Details> for Repository {
    fn from(details: Details) -> Self {
        Self {
            name: details.name_with_owner,
            url: details.url,
            stars: details.stargazer_count,
            watchers: details.watchers.total_count,
            open_issues: details.open_issues.total_count,
            closed_issues: details.closed_issues.total_count,
            releases: details.releases.total_count,
            latest_release: details.latest_release.and_then(|release| {
                Some(Release {
                    name: release.name.unwrap_or_default(),
                    tag: release.tag_name,
                    date: release.published_at?,
                    url: release.url,
                })
            }),
            last_push: details.default_branch_ref.and_then(|branch| branch.target?.committed_date),
            archived: details.is_archived,
        }
    }
}

/// Reads the answer to a batch. Each subject of `asks` gets an answer; the content of a file that was
/// asked for by its path comes as one more.
///
/// # Errors
///
/// Why the answer as a whole can't be used, in words for a report.
pub(super) fn read(asks: &[Ask], body: &[u8]) -> Result<Vec<(Subject, Answer)>, String> {
    let envelope: Envelope =
        serde_json::from_slice(body).map_err(|error| format!("GitHub's answer can't be read: {error}"))?;
    let Some(mut data) = envelope.data else {
        let said = envelope.errors.into_iter().map(|error| error.message).chain(envelope.message).next();
        return Err(format!("GitHub refused: {}", said.unwrap_or_else(|| "it did not say why".to_owned())));
    };
    let errors: HashMap<&str, &GraphqlError> =
        envelope.errors.iter().rev().filter_map(|error| Some((error.alias()?, error))).collect();
    let mut answers = Vec::new();
    for (i, ask) in asks.iter().enumerate() {
        let alias = format!("r{i}");
        match data.remove(&alias) {
            Some(Value::Object(fields)) => read_ask(ask, fields, &mut answers),
            _ => {
                let answer = match errors.get(alias.as_str()) {
                    Some(error) if error.refuses() => Answer::Gone,
                    Some(error) => Answer::Failed(format!("{}: {}", ask.repository, error.message)),
                    None => Answer::Failed(format!("{}: GitHub gave no answer", ask.repository)),
                };
                answers.extend(ask.subjects().map(|subject| (subject, answer.clone())));
            }
        }
    }
    Ok(answers)
}

fn read_ask(ask: &Ask, mut fields: Map<String, Value>, answers: &mut Vec<(Subject, Answer)>) {
    for (j, object) in ask.objects.iter().enumerate() {
        let found = fields.remove(&format!("f{j}")).unwrap_or_default();
        match serde_json::from_value::<Option<GitObject>>(found) {
            Ok(found) => read_object(ask, object, found, answers),
            Err(error) => {
                let reason =
                    format!("{}: GitHub's answer about a file can't be read: {error}", ask.repository);
                answers.push((ask.subject_of(object), Answer::Failed(reason)));
            }
        }
    }
    if ask.details {
        let answer = match serde_json::from_value::<Details>(Value::Object(fields)) {
            Ok(details) => value(&serde_json::to_vec(&Repository::from(details)).unwrap_or_default()),
            Err(error) => {
                Answer::Failed(format!("{}: GitHub's answer can't be read: {error}", ask.repository))
            }
        };
        answers.push((Subject::Repository(ask.repository.clone()), answer));
    }
}

fn read_object(ask: &Ask, object: &Object, found: Option<GitObject>, answers: &mut Vec<(Subject, Answer)>) {
    let blob = found.filter(|found| found.kind == "Blob");
    let id = blob.as_ref().and_then(|blob| ObjectId::new(&blob.oid));
    // A blob that is binary, or too large for GitHub to show, is no Python source.
    let text =
        blob.filter(|blob| !blob.is_truncated && blob.is_binary != Some(true)).and_then(|blob| blob.text);
    let content = || text.as_ref().map_or(Answer::Gone, |text| value(text.as_bytes()));
    match object {
        Object::Path { text: with_text, .. } => {
            let file = id.as_ref().map_or(value(b""), |id| value(id.as_str().as_bytes()));
            answers.push((ask.subject_of(object), file));
            if *with_text && let Some(id) = &id {
                answers.push((ask.content(id), content()));
            }
        }
        Object::Id(_) => answers.push((ask.subject_of(object), content())),
    }
}

fn value(bytes: &[u8]) -> Answer {
    Answer::Value(Arc::from(bytes), Validators::default())
}

/// GitHub's budget out of an answer's headers
/// (<https://docs.github.com/en/rest/using-the-rest-api/rate-limits-for-the-rest-api>).
pub(super) fn budget(headers: &HeaderMap) -> Option<Budget> {
    let number = |name: &str| headers.get(name)?.to_str().ok()?.parse::<u64>().ok();
    let resets = number("x-ratelimit-reset").and_then(|second| i64::try_from(second).ok());
    Some(Budget {
        limit: number("x-ratelimit-limit")?,
        remaining: number("x-ratelimit-remaining")?,
        resets: resets.and_then(|second| Timestamp::from_second(second).ok()),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fact::RepositoryName;

    fn ask(name: &str, details: bool, objects: Vec<Object>) -> Ask {
        Ask { repository: RepositoryName::new("o", name).unwrap(), details, objects }
    }

    const DETAILS: &str = r#"{"nameWithOwner": "O/A", "url": "https://github.com/O/A", "isArchived": false,
        "stargazerCount": 3, "watchers": {"totalCount": 2}, "openIssues": {"totalCount": 1},
        "closedIssues": {"totalCount": 0}, "releases": {"totalCount": 1},
        "latestRelease": {"name": null, "tagName": "1.0", "publishedAt": "2020-05-23T05:38:17Z", "url": "u"},
        "defaultBranchRef": {"target": {"committedDate": "2020-05-23T05:37:32Z"}}}"#;

    #[test]
    fn one_alias_that_is_wrong_concerns_its_repository_alone() {
        let asks = [
            ask("a", true, vec![]),
            ask("gone", true, vec![Object::Path { path: "p".into(), text: false }]),
            ask("slow", true, vec![]),
            ask("odd", true, vec![]),
        ];
        let odd =
            DETAILS.replace("\"stargazerCount\": 3", "\"stargazerCount\": 123456789012345678901234567890");
        let body = format!(
            r#"{{"data": {{"r0": {DETAILS}, "r1": null, "r2": null, "r3": {odd}}}, "errors": [
                {{"type": "NOT_FOUND", "path": ["r1"], "message": "no such repository"}},
                {{"path": ["r2"], "message": "timeout"}}]}}"#
        );
        let answers: HashMap<String, Answer> =
            read(&asks, body.as_bytes()).unwrap().into_iter().map(|(s, a)| (s.to_string(), a)).collect();
        let Answer::Value(known, _) = &answers["github:o/a"] else { panic!("{answers:?}") };
        let known: Repository = serde_json::from_slice(known).unwrap();
        assert_eq!((known.name.as_str(), known.latest_release.unwrap().name.as_str()), ("O/A", ""));
        assert_eq!(answers["github:o/gone"], Answer::Gone);
        assert_eq!(answers["file:o/gone:p"], Answer::Gone);
        assert_eq!(answers["github:o/slow"], Answer::Failed("o/slow: timeout".into()));
        assert!(matches!(&answers["github:o/odd"], Answer::Failed(_)));
    }

    #[test]
    fn a_file_without_text_is_known_to_have_none() {
        let id = "0a".repeat(20);
        let asks = [ask(
            "a",
            false,
            vec![
                Object::Path { path: "missing".into(), text: true },
                Object::Path { path: "binary".into(), text: true },
                Object::Path { path: "folder".into(), text: true },
            ],
        )];
        let body = format!(
            r#"{{"data": {{"r0": {{"f0": null,
                "f1": {{"__typename": "Blob", "oid": "{id}", "isBinary": true, "isTruncated": false, "text": null}},
                "f2": {{"__typename": "Tree", "oid": "{id}"}}}}}}}}"#
        );
        let answers = read(&asks, body.as_bytes()).unwrap();
        let texts: Vec<_> =
            answers.iter().map(|(subject, answer)| (subject.to_string(), answer.clone())).collect();
        assert_eq!(
            texts,
            [
                ("file:o/a:missing".to_owned(), value(b"")),
                ("file:o/a:binary".to_owned(), value(id.as_bytes())),
                (format!("content:{id}"), Answer::Gone),
                ("file:o/a:folder".to_owned(), value(b"")),
            ]
        );
    }

    #[test]
    fn a_refusal_of_the_whole_request_is_told() {
        for body in [
            r#"{"message": "Something went wrong while executing your query."}"#,
            r#"{"data": null, "errors": [{"message": "Something went wrong while executing your query."}]}"#,
        ] {
            assert!(read(&[], body.as_bytes()).unwrap_err().contains("Something went wrong"));
        }
        assert!(read(&[], b"<html>").is_err());
    }
}
