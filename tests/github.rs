//! What GitHub may do instead of answering: say half, or refuse.
#![allow(missing_docs)]

mod common;

use std::sync::Arc;

use common::{Run, Site};
use serde_json::{Value, json};
use xtask::replay::{FaultAction, Kind, Repository, RequestInfo, Server, World};

const CONFIG: &str = "title = \"Test\"\nurl = \"https://plugins.example\"";

fn one(stars: u64) -> Repository {
    Repository::new("Owner/One")
        .with_stars(stars)
        .with_push("2020-07-01T01:02:03Z".parse().unwrap())
        .with_file("setup.py", "plugin_identifier = 'one'\n")
        .with_file("octoprint_one/__init__.py", "__plugin_pythoncompat__ = '>=3.7,<4'\n")
}

fn world() -> World {
    let mut world = World::new("2020-08-01T00:00:00Z".parse().unwrap());
    world.add(one(7));
    world
}

/// A server, and a site that asks it about the entry `one`.
fn asking(ttl: &str) -> (Server, Site) {
    let server = Server::start(world()).unwrap();
    let site = Site::asking(&server, CONFIG, ttl);
    site.entry("one", "");
    (server, site)
}

fn set_fault(server: &Server, fault: impl Fn(&RequestInfo) -> Option<FaultAction> + Send + Sync + 'static) {
    server.set_fault(Some(Arc::new(fault)));
}

fn is_graphql(request: &RequestInfo) -> bool {
    matches!(request.kind, Kind::Repositories | Kind::Files)
}

fn answer(status: u16, headers: &[(&str, &str)], body: &Value) -> Option<FaultAction> {
    let headers = headers.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    Some(FaultAction::Answer { status, headers, body: body.to_string().into_bytes() })
}

fn plugin(site: &Site) -> Value {
    site.json("public/plugins.json")[0].clone()
}

fn python(site: &Site) -> Value {
    plugin(site)["compatibility"]["python"].clone()
}

#[track_caller]
fn assert_says(run: &Run, text: &str) {
    assert_eq!(run.stderr.matches(text).count(), 1, "{text:?} once in:\n{}", run.stderr);
}

#[test]
fn half_an_answer_loses_nothing() {
    let (server, site) = asking("0s");
    site.build(&[]).succeeded();
    let before = site.read("public/plugins.json");
    set_fault(&server, |request| {
        let details = json!({
            "f0": null, "nameWithOwner": "Owner/One", "url": "https://github.com/Owner/One", "isArchived": false,
            "stargazerCount": 0, "watchers": {"totalCount": 0}, "openIssues": {"totalCount": 0},
            "closedIssues": {"totalCount": 0}, "releases": {"totalCount": 0}, "latestRelease": null,
            "defaultBranchRef": null,
        });
        let errors = json!([
            {"message": "timed out", "path": ["r0", "f0"]},
            {"message": "timed out", "path": ["r0", "defaultBranchRef", "target"]},
        ]);
        let body = json!({"data": {"r0": details}, "errors": errors});
        is_graphql(request).then(|| answer(200, &[], &body)).flatten()
    });
    let run = site.build(&[]).succeeded();
    assert_says(&run, "owner/one: timed out");
    assert_eq!(site.read("public/plugins.json"), before);
}

/// Breaks the first build's requests for text, and expects the second to find what the first did not.
#[track_caller]
fn assert_content_heals(body: &Value) {
    let (server, site) = asking("1h");
    let broken = body.clone();
    set_fault(&server, move |request| {
        (request.kind == Kind::Files).then(|| answer(200, &[], &broken)).flatten()
    });
    let run = site.build(&[]).succeeded();
    assert!(run.stderr.contains("owner/one: "), "{}", run.stderr);
    assert_eq!(python(&site), ">=2.7,<3");
    server.set_fault(None);
    site.build(&[]).succeeded();
    assert_eq!(python(&site), ">=3.7,<4", "after {body}");
}

#[test]
fn content_that_was_refused_is_asked_for_again() {
    assert_content_heals(&json!({
        "data": {"r0": null},
        "errors": [{"type": "NOT_FOUND", "path": ["r0"], "message": "Could not resolve to a Repository"}],
    }));
}

#[test]
fn content_that_was_left_out_is_asked_for_again() {
    assert_content_heals(&json!({"data": {"r0": {"f0": null}}}));
}
