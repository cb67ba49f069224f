//! What GitHub's answers mean, alias by alias: one that is wrong concerns its own repository alone.
//!
//! An error names the field that it took away (GraphQL, section 7.1.2), and where that field is, the answer holds
//! `null` as if there were nothing. So a `null` is believed only where no error points at it or below it.

use std::sync::Arc;

use jiff::Timestamp;
use reqwest::header::HeaderMap;
use serde::de::IgnoredAny;
use serde_json::value::RawValue;

use super::document::{Ask, Object};
use super::shape::{Aliases, Details, Envelope, GitObject, GraphqlError, OpenedIssue};
use crate::fact::{Answer, Issue, ObjectId, Subject, Validators};
use crate::source::http::Verdict;
use crate::source::{Budget, limit};

/// Reads the answer to a batch, which came at the moment `answered`. Each subject of `asks` gets an answer; the content
/// of a file that was asked for by its path comes as one more.
///
/// # Errors
///
/// Why the answer as a whole can't be used, in words for a report.
pub fn read(asks: &[Ask], body: &[u8], answered: Timestamp) -> Result<Vec<(Subject, Answer)>, String> {
    let envelope: Envelope<Aliases<'_>> =
        serde_json::from_slice(body).map_err(|error| format!("GitHub's answer can't be read: {error}"))?;
    let Envelope { data, errors, message } = envelope;
    // An error without a path may have taken away anything.
    let of_all = errors.iter().find(|error| error.at(0).is_none());
    let (Some(mut data), None) = (data, of_all) else {
        let said = of_all.or(errors.first()).map(|error| error.message.clone()).or(message);
        return Err(format!("GitHub refused: {}", said.unwrap_or_else(|| "it did not say why".to_owned())));
    };
    let mut answers = Vec::new();
    for (i, ask) in asks.iter().enumerate() {
        let alias = format!("r{i}");
        let reader = Reader {
            ask,
            errors: errors.iter().filter(|error| error.at(0) == Some(&alias)).collect(),
            answers: &mut answers,
            answered,
        };
        reader.read(data.remove(&alias));
    }
    Ok(answers)
}

/// The longest answer that may be about a failure of the whole; one that holds data is none, and longer.
const MAX_FAILURE: usize = 16 * 1024;

/// What GitHub says where it had not the time for the whole of a document, or was asked for too much at once
/// (<https://docs.github.com/en/graphql/overview/rate-limits-and-query-limits-for-the-graphql-api>).
const TOO_MUCH: [&str; 3] = [
    "something went wrong while executing your query",
    "couldn't respond to your request in time",
    "timedout",
];

/// What the answer to a whole batch is worth, for all its status 200: GitHub tells of limits and of its own failures
/// in the body.
pub(super) fn judge(body: &[u8]) -> Verdict {
    let envelope = match serde_json::from_slice::<Envelope<IgnoredAny>>(body) {
        Ok(envelope) => envelope,
        Err(error) => return Verdict::Broken(format!("GitHub's answer can't be read: {error}")),
    };
    let is_nothing = envelope.data.is_none() && envelope.errors.is_empty() && envelope.message.is_none();
    if is_nothing {
        return Verdict::Broken("GitHub's answer holds neither data nor errors".to_owned());
    }
    if body.len() > MAX_FAILURE {
        return Verdict::Sound;
    }
    let said = || envelope.errors.iter().map(|error| &error.message).chain(&envelope.message);
    let is_limited = envelope.errors.iter().any(GraphqlError::limits)
        || envelope.data.is_none() && said().any(|message| limit::speaks_of_secondary(message.as_bytes()));
    if is_limited {
        return Verdict::Limited;
    }
    // An error without a path may have taken away anything.
    let is_whole = envelope.data.is_none() || envelope.errors.iter().any(|error| error.at(0).is_none());
    let overloads = |message: &&String| TOO_MUCH.iter().any(|text| message.to_lowercase().contains(text));
    if is_whole && let Some(message) = said().find(overloads) {
        return Verdict::TooMuch(format!("GitHub refused: {message}"));
    }
    if is_whole && envelope.errors.iter().any(GraphqlError::exceeds) {
        return Verdict::TooMuch("GitHub refused: the request asks for too much at once".to_owned());
    }
    Verdict::Sound
}

/// Reads what one alias holds.
struct Reader<'a> {
    ask: &'a Ask,
    /// The errors at the alias and below it.
    errors: Vec<&'a GraphqlError>,
    answers: &'a mut Vec<(Subject, Answer)>,
    answered: Timestamp,
}

impl Reader<'_> {
    fn read(self, found: Option<&RawValue>) {
        let whole = self.errors.iter().copied().find(|error| error.at(1).is_none());
        let object = found.filter(|found| found.get().starts_with('{'));
        match (object, whole) {
            (Some(object), None) => self.fields(object),
            (Some(_), Some(error)) => self.nothing(&error.message),
            (_, Some(error)) if error.refuses() => self.refused(),
            (_, error) => {
                let said = error.or(self.errors.first().copied()).map(|error| error.message.as_str());
                self.nothing(said.unwrap_or("GitHub gave no answer"));
            }
        }
    }

    /// Nothing can be believed of this alias.
    fn nothing(self, reason: &str) {
        let answer = failed(self.ask, reason);
        self.answers.extend(self.ask.subjects().map(|subject| (subject, answer.clone())));
    }

    /// There is no such repository, or none that may be seen. That says nothing about a blob's content, which
    /// is the same in every repository that has it.
    fn refused(self) {
        let content = failed(self.ask, "GitHub shows it to nobody, so what its files say is not known");
        self.answers.extend(self.ask.subjects().map(|subject| match subject {
            Subject::Content { .. } => (subject, content.clone()),
            _ => (subject, Answer::Gone),
        }));
    }

    fn fields(mut self, fields: &RawValue) {
        let ask = self.ask;
        // It has been parsed once already.
        let mut objects: Aliases<'_> = serde_json::from_str(fields.get()).unwrap_or_default();
        let aliases: Vec<String> = (0..ask.objects.len()).map(|j| format!("f{j}")).collect();
        for (object, alias) in ask.objects.iter().zip(&aliases) {
            let error = self.errors.iter().copied().find(|error| error.at(1) == Some(alias));
            let found = match (objects.remove(alias), error) {
                (_, Some(error)) => Err(error.message.clone()),
                (None, None) => Err("GitHub gave no answer about a file".to_owned()),
                (Some(found), None) => serde_json::from_str(found.get())
                    .map_err(|error| format!("GitHub's answer about a file can't be read: {error}")),
            };
            match found {
                Ok(found) => self.object(object, found),
                Err(reason) => self.answers.push((ask.subject_of(object), failed(ask, &reason))),
            }
        }
        for (j, name) in ask.issues.iter().enumerate() {
            let alias = format!("i{j}");
            let errors = self.errors.iter().copied().filter(|error| error.at(1) == Some(&alias));
            let answer = match issue(objects.remove(&alias), errors) {
                Ok(answer) => answer,
                Err(reason) => failed(ask, &format!("#{}: {reason}", name.number())),
            };
            self.answers.push((Subject::Issue(name.clone()), answer));
        }
        if ask.details {
            let is_of_another = |error: &GraphqlError| {
                let is_one = |alias: &str| error.at(1) == Some(alias);
                aliases.iter().any(|alias| is_one(alias))
                    || (0..ask.issues.len()).any(|j| is_one(&format!("i{j}")))
            };
            let answer = match self.errors.iter().copied().find(|error| !is_of_another(error)) {
                Some(error) => failed(ask, &error.message),
                None => details(ask, fields, self.answered),
            };
            self.answers.push((Subject::Repository(ask.repository.clone()), answer));
        }
    }

    fn object(&mut self, object: &Object, found: Option<GitObject>) {
        let ask = self.ask;
        let subject = ask.subject_of(object);
        match (object, found) {
            (Object::Path { text, .. }, Some(found)) if found.is_blob() => match ObjectId::new(&found.oid) {
                Some(id) => {
                    self.answers.push((subject, value(id.as_str().as_bytes())));
                    if *text {
                        self.answers.push((ask.content(&id), content(ask, found)));
                    }
                }
                None => self.answers.push((subject, failed(ask, "GitHub gave a file an id that is none"))),
            },
            // There is no file at that path: nothing at all, a folder, or another repository.
            (Object::Path { .. }, _) => self.answers.push((subject, value(b""))),
            (Object::Id(id), Some(found)) if found.oid == id.as_str() => {
                self.answers.push((subject, content(ask, found)));
            }
            (Object::Id(_), _) => {
                let answer = failed(ask, "GitHub did not give the content of a file that it has named");
                self.answers.push((subject, answer));
            }
        }
    }
}

fn details(ask: &Ask, fields: &RawValue, answered: Timestamp) -> Answer {
    match serde_json::from_str::<Details>(fields.get()) {
        Ok(details) => value(&serde_json::to_vec(&details.repository(answered)).unwrap_or_default()),
        Err(error) => failed(ask, &format!("GitHub's answer can't be read: {error}")),
    }
}

/// What an alias says about an issue. GitHub gives `null` for one that is not there, and says so.
///
/// # Errors
///
/// Why nothing can be told.
fn issue<'e>(
    found: Option<&RawValue>,
    errors: impl Iterator<Item = &'e GraphqlError>,
) -> Result<Answer, String> {
    let found = found.ok_or("GitHub gave no answer about an issue")?;
    let found: Option<OpenedIssue> = serde_json::from_str(found.get())
        .map_err(|error| format!("GitHub's answer about an issue can't be read: {error}"))?;
    for error in errors {
        if found.is_some() || error.at(2).is_some() || !error.refuses() {
            return Err(error.message.clone());
        }
    }
    Ok(match found {
        Some(found) => value(&serde_json::to_vec(&Issue::from(found)).unwrap_or_default()),
        None => Answer::Gone,
    })
}

/// The content of a git object. It is never asked for again, so "there is none" must be what GitHub says,
/// and not only what an answer without a text looks like.
fn content(ask: &Ask, found: GitObject) -> Answer {
    // A blob that is binary, or too large for GitHub to show, is no source that could be read.
    if !found.is_blob() || found.is_truncated || found.is_binary == Some(true) {
        return Answer::Gone;
    }
    match found.text {
        Some(text) => value(text.as_bytes()),
        None => failed(ask, "GitHub gave a file without its text"),
    }
}

fn failed(ask: &Ask, reason: &str) -> Answer {
    Answer::Failed(format!("{}: {reason}", ask.repository))
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
    use std::collections::HashMap;

    use super::*;
    use crate::fact::{IssueName, Repository, RepositoryName};

    fn read(asks: &[Ask], body: &[u8]) -> Result<Vec<(Subject, Answer)>, String> {
        super::read(asks, body, "2020-06-01T00:00:00Z".parse().unwrap())
    }

    fn ask(name: &str, details: bool, objects: Vec<Object>) -> Ask {
        Ask { repository: RepositoryName::new("o", name).unwrap(), details, objects, issues: Vec::new() }
    }

    const DETAILS: &str = r#"{"nameWithOwner": "O/A", "url": "https://github.com/O/A", "isArchived": false,
        "stargazerCount": 3, "watchers": {"totalCount": 2}, "openIssues": {"totalCount": 1},
        "closedIssues": {"totalCount": 0}, "releases": {"totalCount": 1},
        "latestRelease": {"name": null, "tagName": "1.0", "publishedAt": "2020-05-23T05:38:17Z", "url": "https://u.example"},
        "defaultBranchRef": {"target": {"committedDate": "2020-05-23T05:37:32Z"}}}"#;

    #[test]
    fn more_errors_than_a_request_can_have_spoil_the_answer() {
        let answer = |count: usize| {
            let errors =
                vec![r#"{"message": "m", "path": ["r0", "f0", 7, "text", "deeper"]}"#; count].join(",");
            let body = format!(r#"{{"data": {{"r0": {DETAILS}, "more": [[1]]}}, "errors": [{errors}]}}"#);
            read(&[ask("a", true, Vec::new())], body.as_bytes())
        };
        assert!(
            matches!(answer(1000).unwrap().as_slice(), [(_, Answer::Failed(reason))] if reason == "o/a: m")
        );
        assert!(answer(1001).unwrap_err().contains("more than 1000 errors"));
    }

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

    #[test]
    fn a_failure_of_the_whole_is_told_from_one_of_a_part() {
        let slow = "Something went wrong while executing your query. This may be the result of a timeout.";
        let padding = "x".repeat(MAX_FAILURE);
        for (body, expected) in [
            (format!(r#"{{"data": null, "errors": [{{"message": "{slow}"}}]}}"#), "too much"),
            (format!(r#"{{"message": "{slow}"}}"#), "too much"),
            (
                r#"{"message": "We couldn't respond to your request in time. Sorry about that."}"#.to_owned(),
                "too much",
            ),
            (r#"{"errors": [{"type": "RESOURCE_LIMITS_EXCEEDED", "message": "no"}]}"#.to_owned(), "too much"),
            (format!(r#"{{"data": {{}}, "errors": [{{"message": "{slow}", "path": ["r0"]}}]}}"#), "sound"),
            (format!(r#"{{"data": null, "errors": [{{"message": "{slow} {padding}"}}]}}"#), "sound"),
            (r#"{"data": null, "errors": [{"message": "Field 'x' doesn't exist"}]}"#.to_owned(), "sound"),
            ("{}".to_owned(), "broken"),
            ("[1]".to_owned(), "broken"),
            (r#"{"data": {"r0""#.to_owned(), "broken"),
            ("<!doctype html><title>Unicorn!</title>".to_owned(), "broken"),
            (String::new(), "broken"),
        ] {
            let found = match judge(body.as_bytes()) {
                Verdict::Sound => "sound",
                Verdict::Limited => "limited",
                Verdict::TooMuch(_) => "too much",
                Verdict::Broken(_) => "broken",
            };
            assert_eq!(found, expected, "{body:.100}");
        }
    }

    #[test]
    fn a_limit_is_told_from_other_refusals() {
        for (body, limited) in [
            (r#"{"data": null, "errors": [{"type": "RATE_LIMITED", "message": "exceeded"}]}"#, true),
            (r#"{"errors": [{"type": "RATE_LIMIT", "path": [], "message": "exceeded"}]}"#, true),
            (r#"{"message": "You have exceeded a secondary rate limit."}"#, true),
            (r#"{"data": null, "errors": [{"message": "... a secondary rate limit"}]}"#, true),
            (r#"{"data": {"r0": null}, "errors": [{"type": "RATE_LIMITED", "path": ["r0"]}]}"#, false),
            (
                r#"{"data": {"r0": null}, "errors": [{"message": "a secondary rate limit", "path": ["r0"]}]}"#,
                false,
            ),
            (r#"{"data": null, "errors": [{"message": "Something went wrong"}]}"#, false),
            ("secondary rate limit", false),
        ] {
            assert_eq!(judge(body.as_bytes()) == Verdict::Limited, limited, "{body}");
        }
    }

    #[test]
    fn an_error_below_an_alias_loses_nothing() {
        let file = |text| Object::Path { path: "setup.py".into(), text };
        let id = "0a".repeat(20);
        let blob = format!(r#"{{"__typename": "Blob", "oid": "{id}", "isBinary": false, "text": null}}"#);
        let partial = |path: &str| {
            let fields = DETAILS.trim_start_matches('{');
            format!(
                r#"{{"data": {{"r0": {{"f0": null, "f1": {blob}, {fields}}},
                    "errors": [{{"type": "NOT_FOUND", "path": {path}, "message": "timeout"}}]}}"#
            )
        };
        let failing = |path: &str| {
            let asks = [ask("a", true, vec![file(false), Object::Id(ObjectId::new(&id).unwrap())])];
            let answers = read(&asks, partial(path).as_bytes()).unwrap();
            let failed = |answer: &Answer| *answer == Answer::Failed("o/a: timeout".into());
            answers.iter().map(|(_, answer)| failed(answer)).collect::<Vec<_>>()
        };
        for path in [r#"["r0", "f0"]"#, r#"["r0", "f0", "text"]"#] {
            assert_eq!(failing(path), [true, false, false], "{path}");
        }
        assert_eq!(failing(r#"["r0", "f1", "text"]"#), [false, true, false]);
        for path in [r#"["r0", "latestRelease"]"#, r#"["r0", "openIssues", "totalCount"]"#] {
            assert_eq!(failing(path), [false, false, true], "{path}");
        }
        assert_eq!(failing(r#"["r0"]"#), [true, true, true], "what GitHub refuses and gives is neither");
        assert_eq!(failing(r#"["r0", 1]"#), [true, true, true]);
        assert_eq!(failing(r#"["r1", "f0"]"#), [false, false, false]);
        for path in ["[]", "null"] {
            let asks = [ask("a", true, vec![file(false)])];
            assert_eq!(read(&asks, partial(path).as_bytes()).unwrap_err(), "GitHub refused: timeout");
        }
    }

    #[test]
    fn a_null_without_its_own_refusal_is_a_failure() {
        for errors in ["", r#"{"type": "NOT_FOUND", "path": ["r0", "stargazerCount"], "message": "timeout"}"#]
        {
            let body = format!(r#"{{"data": {{"r0": null}}, "errors": [{errors}]}}"#);
            let answers = read(&[ask("a", true, vec![])], body.as_bytes()).unwrap();
            assert!(matches!(&answers[..], [(_, Answer::Failed(_))]), "{answers:?}");
        }
        for lost in ["latestRelease", "defaultBranchRef", "stargazerCount"] {
            let body = format!(r#"{{"data": {{"r0": {}}}}}"#, DETAILS.replacen(lost, "other", 1));
            let answers = read(&[ask("a", true, vec![])], body.as_bytes()).unwrap();
            assert!(matches!(&answers[..], [(_, Answer::Failed(_))]), "{lost}: {answers:?}");
        }
    }

    #[test]
    fn content_is_absent_only_where_github_says_so() {
        let id = "0a".repeat(20);
        let answer = |found: &str| {
            let asks = [ask("a", false, vec![Object::Id(ObjectId::new(&id).unwrap())])];
            let body = format!(r#"{{"data": {{"r0": {{{found}}}}}}}"#);
            let answers = read(&asks, body.as_bytes()).unwrap();
            assert_eq!(answers.len(), 1);
            answers[0].1.clone()
        };
        let object = |kind: &str, more: &str| {
            answer(&format!(r#""f0": {{"__typename": "{kind}", "oid": "{id}"{more}}}"#))
        };
        assert_eq!(object("Blob", r#", "isBinary": true, "isTruncated": false, "text": null"#), Answer::Gone);
        assert_eq!(object("Blob", r#", "isBinary": false, "isTruncated": true, "text": "x""#), Answer::Gone);
        assert_eq!(object("Tree", ""), Answer::Gone);
        let other = answer(&format!(r#""f0": {{"__typename": "Tree", "oid": "{}"}}"#, "0b".repeat(20)));
        let failures = [
            object("Blob", r#", "isBinary": false, "isTruncated": false, "text": null"#),
            object("Blob", r#", "isBinary": null, "isTruncated": false, "text": null"#),
            object("Blob", ""),
            answer(r#""f0": null"#),
            answer(r#""f0": 7"#),
            answer(""),
            other,
        ];
        for failure in failures {
            assert!(matches!(failure, Answer::Failed(_)), "{failure:?}");
        }
    }

    #[test]
    fn a_refusal_says_nothing_about_content() {
        let id = ObjectId::new(&"0a".repeat(20)).unwrap();
        let file = Object::Path { path: "setup.py".into(), text: true };
        for (kind, message) in [("NOT_FOUND", "no"), ("FORBIDDEN", "Repository access blocked")] {
            let body = format!(
                r#"{{"data": {{"r0": null}}, "errors": [{{"type": "{kind}", "path": ["r0"], "message": "{message}"}}]}}"#
            );
            let asks = [ask("a", false, vec![file.clone(), Object::Id(id.clone())])];
            let answers = read(&asks, body.as_bytes()).unwrap();
            assert!(matches!(&answers[..], [(_, Answer::Gone), (_, Answer::Failed(_))]), "{answers:?}");
        }
    }

    #[test]
    fn what_the_token_may_not_see_is_not_gone() {
        let body = r#"{"data": {"r0": null}, "errors": [{"type": "FORBIDDEN", "path": ["r0"], "message": "Use SAML"}]}"#;
        let answers = read(&[ask("a", true, Vec::new())], body.as_bytes()).unwrap();
        assert!(
            matches!(&answers[..], [(_, Answer::Failed(reason))] if reason == "o/a: Use SAML"),
            "{answers:?}"
        );
    }

    #[test]
    fn an_issue_is_gone_only_where_github_says_so() {
        let repository = RepositoryName::new("o", "a").unwrap();
        let names: Vec<_> =
            (1..=2).map(|number| IssueName::new(repository.clone(), number).unwrap()).collect();
        let answers = |fields: &str, errors: &str| -> Vec<Answer> {
            let asks = [Ask {
                repository: repository.clone(),
                details: true,
                objects: vec![],
                issues: names.clone(),
            }];
            let details = DETAILS.trim_start_matches('{');
            let body = format!(r#"{{"data": {{"r0": {{{fields}, {details}}}, "errors": [{errors}]}}"#);
            let answers = read(&asks, body.as_bytes()).unwrap();
            let subjects: Vec<_> = answers.iter().map(|(subject, _)| subject.to_string()).collect();
            assert_eq!(subjects, ["issue:o/a#1", "issue:o/a#2", "github:o/a"]);
            assert!(
                matches!(answers[2].1, Answer::Value(..)),
                "an issue takes nothing else away: {answers:?}"
            );
            answers.into_iter().take(2).map(|(_, answer)| answer).collect()
        };
        let found = r#""i1": {"createdAt": "2020-01-02T03:04:05Z"}"#;
        let opened = value(br#"{"created":"2020-01-02T03:04:05Z"}"#);
        let not_found =
            r#"{"type": "NOT_FOUND", "path": ["r0", "i0"], "message": "Could not resolve to an Issue"}"#;
        for errors in ["", not_found] {
            let answers = answers(&format!(r#""i0": null, {found}"#), errors);
            assert_eq!(answers, [Answer::Gone, opened.clone()], "{errors}");
        }
        let slow = r#"{"path": ["r0", "i0"], "message": "timeout"}"#;
        let below = r#"{"type": "NOT_FOUND", "path": ["r0", "i0", "createdAt"], "message": "timeout"}"#;
        let both = format!("{not_found}, {slow}");
        let full = r#""i0": {"createdAt": "2020-01-02T03:04:05Z"}"#;
        for (field, errors) in [
            (r#""i0": null"#, slow),
            (r#""i0": null"#, below),
            (r#""i0": null"#, &both),
            (full, not_found),
            (full, slow),
            (r#""i0": {}"#, ""),
            (r#""i0": {"createdAt": "soon"}"#, ""),
            (r#""other": null"#, ""),
        ] {
            let answers = answers(&format!("{field}, {found}"), errors);
            assert!(
                matches!(&answers[0], Answer::Failed(reason) if reason.starts_with("o/a: #1: ")),
                "{answers:?}"
            );
            assert_eq!(answers[1], opened, "{field} {errors}");
        }
    }

    #[test]
    fn a_push_that_can_not_be_true_is_none() {
        let push = |date: &str| {
            let body = format!(r#"{{"data": {{"r0": {DETAILS}}}}}"#).replace("2020-05-23T05:37:32Z", date);
            let answers = read(&[ask("a", true, vec![])], body.as_bytes()).unwrap();
            let [(_, Answer::Value(json, _))] = &answers[..] else { panic!("{answers:?}") };
            let repository: Repository = serde_json::from_slice(json).unwrap();
            assert_eq!(repository.stars, 3, "and takes nothing else away");
            repository.last_push.map(|push| push.to_string())
        };
        for date in ["2008-01-01T00:00:00Z", "2020-05-31T23:59:59Z", "2020-06-01T23:59:59Z"] {
            assert_eq!(push(date).as_deref(), Some(date));
        }
        for date in [
            "1970-01-01T00:00:00Z",
            "2007-12-31T23:59:59Z",
            "2020-06-02T00:00:01Z",
            "2106-02-07T06:28:15Z",
            "no",
        ] {
            assert_eq!(push(date), None, "{date}");
        }
    }
}
