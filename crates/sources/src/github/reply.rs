//! Reads GitHub's responses alias by alias: an error in one affects only its own repository.
//!
//! An error names the field that it removed (GraphQL, section 7.1.2), and the response has `null` there, as if nothing
//! existed. So `null` counts as "absent" only if no error points at it or below it.

use std::sync::Arc;

use jiff::Timestamp;
use reqwest::header::HeaderMap;
use serde::de::IgnoredAny;
use serde_json::value::RawValue;
use shelflife_model::fact::{Answer, Issue, ObjectId, Subject, Validators};

use super::document::{Ask, Object};
use super::shape::{Aliases, Details, Envelope, GitObject, GraphqlError, OpenedIssue};
use crate::http::Verdict;
use crate::{Budget, rate_limit};

/// Reads the response to a batch, which arrived at the moment `answered`. Each subject of `asks` gets an answer, and
/// the content of a file that was asked for by its path is returned as one more.
///
/// # Errors
///
/// When the response as a whole is unusable; the reason is worded for a report.
pub fn read(asks: &[Ask], body: &[u8], answered: Timestamp) -> Result<Vec<(Subject, Answer)>, String> {
    let envelope: Envelope<Aliases<'_>> =
        serde_json::from_slice(body).map_err(|error| format!("can't parse GitHub's response: {error}"))?;
    let Envelope { data, errors, message } = envelope;
    // An error without a path may have removed anything.
    let of_all = errors.iter().find(|error| error.at(0).is_none());
    let (Some(mut data), None) = (data, of_all) else {
        let said = of_all.or(errors.first()).map(|error| error.message.clone()).or(message);
        return Err(format!(
            "GitHub returned an error: {}",
            said.unwrap_or_else(|| "no reason given".to_owned())
        ));
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

/// The longest response, in bytes, that can be a failure of the whole request; one with data is longer.
const MAX_FAILURE: usize = 16 * 1024;

/// GitHub's wording when it ran out of time for a document, or when a document asked for too much
/// (<https://docs.github.com/en/graphql/overview/rate-limits-and-query-limits-for-the-graphql-api>).
const TOO_MUCH: [&str; 3] = [
    "something went wrong while executing your query",
    "couldn't respond to your request in time",
    "timedout",
];

/// Judges the response to a batch. GitHub reports rate limits and its own failures in the body, with status 200.
pub(super) fn judge(body: &[u8]) -> Verdict {
    let envelope = match serde_json::from_slice::<Envelope<IgnoredAny>>(body) {
        Ok(envelope) => envelope,
        Err(error) => return Verdict::Broken(format!("can't parse GitHub's response: {error}")),
    };
    let is_nothing = envelope.data.is_none() && envelope.errors.is_empty() && envelope.message.is_none();
    if is_nothing {
        return Verdict::Broken("GitHub's response has neither data nor errors".to_owned());
    }
    if body.len() > MAX_FAILURE {
        return Verdict::Sound;
    }
    let said = || envelope.errors.iter().map(|error| &error.message).chain(&envelope.message);
    let is_limited = envelope.errors.iter().any(GraphqlError::limits)
        || envelope.data.is_none()
            && said().any(|message| rate_limit::mentions_secondary(message.as_bytes()));
    if is_limited {
        return Verdict::Limited;
    }
    // An error without a path may have removed anything.
    let is_whole = envelope.data.is_none() || envelope.errors.iter().any(|error| error.at(0).is_none());
    let overloads = |message: &&String| TOO_MUCH.iter().any(|text| message.to_lowercase().contains(text));
    if is_whole && let Some(message) = said().find(overloads) {
        return Verdict::TooMuch(format!("GitHub returned an error: {message}"));
    }
    if is_whole && envelope.errors.iter().any(GraphqlError::exceeds) {
        return Verdict::TooMuch("GitHub returned an error: the request is too large".to_owned());
    }
    Verdict::Sound
}

/// Reads the value of one alias.
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
                self.nothing(said.unwrap_or("missing from GitHub's response"));
            }
        }
    }

    /// Nothing about this alias can be trusted.
    fn nothing(self, reason: &str) {
        let answer = failed(self.ask, reason);
        self.answers.extend(self.ask.subjects().map(|subject| (subject, answer.clone())));
    }

    /// The repository does not exist or may not be seen. That says nothing about a blob's content, which is the same in
    /// every repository that has it.
    fn refused(self) {
        let content =
            failed(self.ask, "not found on GitHub (deleted or private), so its files can't be read");
        self.answers.extend(self.ask.subjects().map(|subject| match subject {
            Subject::Content { .. } => (subject, content.clone()),
            _ => (subject, Answer::Gone),
        }));
    }

    fn fields(mut self, fields: &RawValue) {
        let ask = self.ask;
        // It was parsed once before, so this does not fail.
        let mut objects: Aliases<'_> = serde_json::from_str(fields.get()).unwrap_or_default();
        let aliases: Vec<String> = (0..ask.objects.len()).map(|j| format!("f{j}")).collect();
        for (object, alias) in ask.objects.iter().zip(&aliases) {
            let error = self.errors.iter().copied().find(|error| error.at(1) == Some(alias));
            let found = match (objects.remove(alias), error) {
                (_, Some(error)) => Err(error.message.clone()),
                (None, None) => Err("a file is missing from GitHub's response".to_owned()),
                (Some(found), None) => serde_json::from_str(found.get())
                    .map_err(|error| format!("can't parse a file in GitHub's response: {error}")),
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
                None => self
                    .answers
                    .push((subject, failed(ask, "GitHub returned an invalid object id for a file"))),
            },
            // The path has no file: nothing at all, a folder, or a submodule.
            (Object::Path { .. }, _) => self.answers.push((subject, value(b""))),
            (Object::Id(id), Some(found)) if found.oid == id.as_str() => {
                self.answers.push((subject, content(ask, found)));
            }
            (Object::Id(_), _) => {
                let answer = failed(ask, "GitHub did not return the content of a file that it listed");
                self.answers.push((subject, answer));
            }
        }
    }
}

fn details(ask: &Ask, fields: &RawValue, answered: Timestamp) -> Answer {
    match serde_json::from_str::<Details>(fields.get()) {
        Ok(details) => value(&serde_json::to_vec(&details.repository(answered)).unwrap_or_default()),
        Err(error) => failed(ask, &format!("can't parse GitHub's response: {error}")),
    }
}

/// The answer about an issue. For a missing issue GitHub returns `null` and an error.
///
/// # Errors
///
/// When nothing is known about the issue; the reason is worded for a report.
fn issue<'e>(
    found: Option<&RawValue>,
    errors: impl Iterator<Item = &'e GraphqlError>,
) -> Result<Answer, String> {
    let found = found.ok_or("missing from GitHub's response")?;
    let found: Option<OpenedIssue> = serde_json::from_str(found.get())
        .map_err(|error| format!("can't parse GitHub's response: {error}"))?;
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

/// The content of a git object. It is never asked for again, so "absent" must be GitHub's own statement, not a guess
/// from a response without text.
fn content(ask: &Ask, found: GitObject) -> Answer {
    // A blob that is binary, or too large for GitHub to return, is not a source file that could be read.
    if !found.is_blob() || found.is_truncated || found.is_binary == Some(true) {
        return Answer::Gone;
    }
    match found.text {
        Some(text) => value(text.as_bytes()),
        None => failed(ask, "GitHub returned a file without its text"),
    }
}

fn failed(ask: &Ask, reason: &str) -> Answer {
    Answer::Failed(format!("{}: {reason}", ask.repository))
}

fn value(bytes: &[u8]) -> Answer {
    Answer::Value(Arc::from(bytes), Validators::default())
}

/// GitHub's budget, from a response's headers
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
mod tests;
