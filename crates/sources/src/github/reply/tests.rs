use shelflife_model::fact::{IssueName, Repository, RepositoryName};

use std::collections::HashMap;

use super::*;

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
        let errors = vec![r#"{"message": "m", "path": ["r0", "f0", 7, "text", "deeper"]}"#; count].join(",");
        let body = format!(r#"{{"data": {{"r0": {DETAILS}, "more": [[1]]}}, "errors": [{errors}]}}"#);
        read(&[ask("a", true, Vec::new())], body.as_bytes())
    };
    assert!(matches!(answer(1000).unwrap().as_slice(), [(_, Answer::Failed(reason))] if reason == "o/a: m"));
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
    let odd = DETAILS.replace("\"stargazerCount\": 3", "\"stargazerCount\": 123456789012345678901234567890");
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
        assert_eq!(read(&asks, partial(path).as_bytes()).unwrap_err(), "GitHub returned an error: timeout");
    }
}

#[test]
fn a_null_without_its_own_refusal_is_a_failure() {
    for errors in ["", r#"{"type": "NOT_FOUND", "path": ["r0", "stargazerCount"], "message": "timeout"}"#] {
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
    let object =
        |kind: &str, more: &str| answer(&format!(r#""f0": {{"__typename": "{kind}", "oid": "{id}"{more}}}"#));
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
    let body =
        r#"{"data": {"r0": null}, "errors": [{"type": "FORBIDDEN", "path": ["r0"], "message": "Use SAML"}]}"#;
    let answers = read(&[ask("a", true, Vec::new())], body.as_bytes()).unwrap();
    assert!(
        matches!(&answers[..], [(_, Answer::Failed(reason))] if reason == "o/a: Use SAML"),
        "{answers:?}"
    );
}

#[test]
fn an_issue_is_gone_only_where_github_says_so() {
    let repository = RepositoryName::new("o", "a").unwrap();
    let names: Vec<_> = (1..=2).map(|number| IssueName::new(repository.clone(), number).unwrap()).collect();
    let answers = |fields: &str, errors: &str| -> Vec<Answer> {
        let asks =
            [Ask { repository: repository.clone(), details: true, objects: vec![], issues: names.clone() }];
        let details = DETAILS.trim_start_matches('{');
        let body = format!(r#"{{"data": {{"r0": {{{fields}, {details}}}, "errors": [{errors}]}}"#);
        let answers = read(&asks, body.as_bytes()).unwrap();
        let subjects: Vec<_> = answers.iter().map(|(subject, _)| subject.to_string()).collect();
        assert_eq!(subjects, ["issue:o/a#1", "issue:o/a#2", "github:o/a"]);
        assert!(matches!(answers[2].1, Answer::Value(..)), "an issue takes nothing else away: {answers:?}");
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
    for date in
        ["1970-01-01T00:00:00Z", "2007-12-31T23:59:59Z", "2020-06-02T00:00:01Z", "2106-02-07T06:28:15Z", "no"]
    {
        assert_eq!(push(date), None, "{date}");
    }
}
