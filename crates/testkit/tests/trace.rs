//! The world at real ticks, queried as a client would, compared with what was published.

mod common;

use std::collections::{BTreeMap, BTreeSet};
use std::io::Write as _;
use std::path::PathBuf;
use std::time::Instant;

use common::{get, graphql};
use serde_json::{Value, json};
use shelflife_testkit::replay::{Oid, Options, Schema, Server, Trace, Window, shared};

/// Returns the test data, or prints that the test is skipped and why.
fn data(test: &str) -> Option<PathBuf> {
    let found = shared();
    if found.is_none() {
        let _ = writeln!(std::io::stderr(), "skipped: {test}: no ../shared");
    }
    found
}

const FACTS: &str = "
    nameWithOwner stargazerCount isArchived isFork pushedAt
    stargazers { totalCount } watchers { totalCount }
    open: issues(states: OPEN) { totalCount }
    closed: issues(states: CLOSED) { totalCount }
    releases(first: 1) { totalCount nodes { tagName isPrerelease } }
    latestRelease { name tagName publishedAt createdAt url isPrerelease isDraft }
    defaultBranchRef { name target { oid ... on Commit { committedDate } } }
    setup: object(expression: \"HEAD:setup.py\") { oid }
    project: object(expression: \"HEAD:pyproject.toml\") { oid }
    description homepageUrl licenseInfo { spdxId }";

/// Returns `owner/name` of entries with a repository on GitHub, by file stem, read in the simplest way.
fn repositories(entries: &std::path::Path) -> BTreeMap<String, (String, String)> {
    let mut found = BTreeMap::new();
    for file in std::fs::read_dir(entries).unwrap() {
        let path = file.unwrap().path();
        let text = String::from_utf8(std::fs::read(&path).unwrap()).unwrap();
        let source = text.lines().find_map(|line| line.strip_prefix("source: https://github.com/"));
        if let Some((owner, name)) = source.and_then(|it| it.trim().trim_end_matches('/').split_once('/')) {
            let stem = path.file_stem().unwrap().to_str().unwrap().to_owned();
            found.insert(stem, (owner.to_owned(), name.to_owned()));
        }
    }
    found
}

/// Formats `2020-05-23T05:38:17Z` as it is published.
fn published(time: &Value) -> String {
    time.as_str().unwrap().replace('T', " ").replace('Z', " +0000")
}

#[test]
fn every_tick_says_what_was_published() {
    let Some(shared) = data("every_tick_says_what_was_published") else { return };
    let trace = Trace::open(&shared.join("trace")).unwrap();
    let schema = Schema::load(&shared.join("github/schema.graphql")).unwrap();
    assert_eq!(trace.ticks().len(), 24);
    let folder = tempfile::tempdir().unwrap();
    let first = trace.world(trace.ticks()[0]).unwrap();
    let server = Server::start_with(first, Options { schema: Some(schema), ..Options::default() }).unwrap();
    let mut checked = 0;
    for tick in trace.ticks() {
        let world = trace.world(tick).unwrap();
        assert_eq!((world.tick(), world.time()), (Some(tick), trace.time(tick).unwrap()));
        server.set_world(world);
        trace.checkout(tick, folder.path()).unwrap();
        let repositories = repositories(&folder.path().join("_plugins"));
        let mut query = format!("fragment facts on Repository {{ {FACTS} }} query {{ rateLimit {{ cost }} ");
        let aliases: Vec<_> = repositories.keys().collect();
        for (n, (owner, name)) in repositories.values().enumerate() {
            query +=
                &format!("r{n}: repository(owner: {}, name: {}) {{ ...facts }} ", json!(owner), json!(name));
        }
        let answer = graphql(server.address(), &(query + "}"), &Value::Null).json();
        let usage = [Window::Week, Window::Month]
            .map(|window| get(server.address(), &format!("/export/{}", window.file()), &[]).json());
        for plugin in trace.published(tick).unwrap().as_array().unwrap() {
            let stem = plugin["id"].as_str().unwrap();
            let said = aliases.iter().position(|it| *it == stem).map(|n| &answer["data"][format!("r{n}")]);
            match (plugin.get("github"), said) {
                (None, said) => assert!(said.is_none_or(Value::is_null), "{tick} {stem}"),
                (Some(github), Some(said)) => {
                    let mut expected = json!({
                        "last_push": published(&said["defaultBranchRef"]["target"]["committedDate"]),
                        "stars": said["stargazerCount"],
                        "issues": {"open": said["open"]["totalCount"], "closed": said["closed"]["totalCount"]},
                    });
                    if let Value::Object(release) = &said["latestRelease"] {
                        expected["latest_release"] = json!({
                            "name": release["name"], "date": published(&release["publishedAt"]),
                            "tag": release["tagName"],
                        });
                        expected["releases"] = said["releases"]["totalCount"].clone();
                    }
                    assert_eq!(github, &expected, "{tick} {stem}");
                    checked += 1;
                }
                (Some(_), None) => panic!("{tick} {stem}: no repository found in its entry"),
            }
            check_usage(plugin, &usage, folder.path(), stem);
        }
    }
    assert_eq!(checked, 24 * 120);
    let counts = server.counts();
    assert_eq!((counts.graphql, counts.invalid_documents, counts.exports), (24, 0, 48));
    assert_eq!((counts.repository_fields, counts.files), (24 * 120, 0));
}

/// Exports list usage by the declared id in lower case, which isn't always the file's name.
fn check_usage(plugin: &Value, usage: &[Value; 2], folder: &std::path::Path, stem: &str) {
    let text = String::from_utf8(std::fs::read(folder.join(format!("_plugins/{stem}.md"))).unwrap()).unwrap();
    let id = text.lines().find_map(|line| line.strip_prefix("id:")).unwrap().trim().to_lowercase();
    for (export, name) in usage.iter().zip(["week", "month"]) {
        let said = &export["plugins"][&id];
        for key in ["instances", "install_events"] {
            let expected = &plugin["stats"][format!("{key}_{name}")];
            assert_eq!(said[key].as_u64().unwrap_or(0), expected.as_u64().unwrap(), "{stem} {key} {name}");
        }
        let versions = said["versions"].as_object().into_iter().flat_map(|it| it.values());
        let sum: u64 = versions.map(|it| it["instances"].as_u64().unwrap()).sum();
        assert_eq!(sum, said["instances"].as_u64().unwrap_or(0), "{stem}");
    }
}

#[test]
fn sources_lead_to_the_published_versions_of_python() {
    let Some(shared) = data("sources_lead_to_the_published_versions_of_python") else { return };
    let trace = Trace::open(&shared.join("trace")).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let mut layouts = BTreeSet::new();
    let (mut spoken, mut silent) = (0, 0);
    for tick in trace.ticks() {
        let world = trace.world(tick).unwrap();
        trace.checkout(tick, folder.path()).unwrap();
        let repositories = repositories(&folder.path().join("_plugins"));
        for plugin in trace.published(tick).unwrap().as_array().unwrap() {
            let stem = plugin["id"].as_str().unwrap();
            let text = std::fs::read_to_string(folder.path().join(format!("_plugins/{stem}.md"))).unwrap();
            let Some((owner, name)) = repositories.get(stem) else { continue };
            if text.lines().any(|line| line.starts_with(' ') && line.trim_start().starts_with("python:")) {
                continue;
            }
            let repository = world.repository(&format!("{owner}/{name}")).expect("a repository");
            let files = repository.files();
            layouts.insert((files.contains_key("setup.py"), files.contains_key("pyproject.toml")));
            for blob in files.values() {
                assert_eq!(blob.oid(), Oid::of_blob(blob.bytes()));
            }
            let module = files.iter().find(|(path, _)| path.ends_with("/__init__.py")).map(|(_, blob)| blob);
            let module = module.map_or("", |blob| std::str::from_utf8(blob.bytes()).unwrap());
            let said = module.lines().rev().find(|line| line.starts_with("__plugin_pythoncompat__"));
            let expected = plugin["compatibility"]["python"].as_str().unwrap();
            match said {
                Some(line) => {
                    assert!(line.contains(expected), "{tick} {stem}: {line}");
                    spoken += 1;
                }
                None => {
                    assert_eq!(expected, ">=2.7,<3", "{tick} {stem}");
                    silent += 1;
                }
            }
        }
    }
    assert!(spoken > 24 * 5 && silent > 24 * 5, "{spoken} say it, {silent} don't");
    let all = [(true, false), (false, true), (false, false)];
    assert!(all.iter().all(|layout| layouts.contains(layout)), "{layouts:?}");
}

#[test]
fn what_nobody_touched_keeps_its_ids_from_tick_to_tick() {
    let Some(shared) = data("what_nobody_touched_keeps_its_ids_from_tick_to_tick") else { return };
    let trace = Trace::open(&shared.join("trace")).unwrap();
    let ids = |tick: u32| -> BTreeMap<String, Vec<(String, Oid)>> {
        let world = trace.world(tick).unwrap();
        let files = world.repositories().map(|it| {
            let files = it.files().iter().map(|(path, blob)| (path.clone(), blob.oid()));
            (it.name_with_owner(), files.collect())
        });
        files.collect()
    };
    let changed = |from: u32, to: u32| -> Vec<String> {
        let (from, to) = (ids(from), ids(to));
        from.into_iter().filter(|(name, files)| to.get(name) != Some(files)).map(|(name, _)| name).collect()
    };
    assert_eq!(ids(300), ids(300));
    // Three builds within half an hour, between which no source changed.
    assert_eq!(changed(304, 306), [""; 0]);
    // One plugin declared support for Python 3 at tick 316.
    let changed = changed(315, 316);
    assert!(changed.iter().any(|name| name.ends_with("PrinterAlerts")), "{changed:?}");
    assert!(changed.len() < 5, "{changed:?}");
}

#[test]
fn a_checkout_replaces_what_an_earlier_one_left() {
    let Some(shared) = data("a_checkout_replaces_what_an_earlier_one_left") else { return };
    let trace = Trace::open(&shared.join("trace")).unwrap();
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir_all(folder.path().join("_plugins")).unwrap();
    std::fs::write(folder.path().join("_plugins/old.md"), "old").unwrap();
    std::fs::write(folder.path().join("mine.toml"), "mine").unwrap();
    trace.checkout(323, folder.path()).unwrap();
    assert!(!folder.path().join("_plugins/old.md").exists());
    assert!(folder.path().join("mine.toml").exists());
    assert!(folder.path().join("_data/compat.yaml").exists());
    assert_eq!(std::fs::read_dir(folder.path().join("_plugins")).unwrap().count(), 122);
    // Line endings are the entry's own, whatever git's settings.
    let crlf = std::fs::read(folder.path().join("_plugins/customControl.md")).unwrap();
    assert!(crlf.starts_with(b"---\r\n"));
    assert!(trace.checkout(299, folder.path()).is_err());
    // The same checkout from a folder instead of the bundle.
    let other = tempfile::tempdir().unwrap();
    let from_folder = Trace::with_sources(&shared.join("trace"), folder.path()).unwrap();
    from_folder.checkout(323, other.path()).unwrap();
    assert_eq!(std::fs::read(other.path().join("_plugins/customControl.md")).unwrap(), crlf);
    let count = |trace: &Trace| trace.world(323).unwrap().repositories().count();
    assert_eq!(count(&from_folder), count(&trace));
}

#[test]
fn a_file_of_the_trace_comes_through_graphql() {
    let Some(shared) = data("a_file_of_the_trace_comes_through_graphql") else { return };
    let trace = Trace::open(&shared.join("trace")).unwrap();
    let began = Instant::now();
    let schema = Schema::load(&shared.join("github/schema.graphql")).unwrap();
    let first = began.elapsed();
    let began = Instant::now();
    Schema::load(&shared.join("github/schema.graphql")).unwrap();
    assert!(began.elapsed() <= first, "the second time there is nothing to parse");
    let world = trace.world(310).unwrap();
    let repository = world.repositories().find(|it| it.files().contains_key("setup.py")).unwrap().clone();
    let server = Server::start_with(world, Options { schema: Some(schema), ..Options::default() }).unwrap();
    let setup = &repository.files()["setup.py"];
    let query = "query($owner: String!, $name: String!, $oid: GitObjectID!) { repository(owner: $owner, name: $name) {
        path: object(expression: \"HEAD:setup.py\") { __typename ... on Blob { oid text isTruncated isBinary byteSize } }
        id: object(oid: $oid) { ... on Blob { text } } } }";
    let variables =
        json!({"owner": repository.owner, "name": repository.name, "oid": setup.oid().to_string()});
    let got = graphql(server.address(), query, &variables).json();
    let text = std::str::from_utf8(setup.bytes()).unwrap();
    let expected = json!({
        "path": {
            "__typename": "Blob", "oid": setup.oid().to_string(), "text": text, "isTruncated": false,
            "isBinary": false, "byteSize": text.len(),
        },
        "id": {"text": text},
    });
    assert_eq!(got["data"]["repository"], expected, "{got}");
    let counts = server.counts();
    assert_eq!((counts.files, counts.texts, counts.objects_by_oid, counts.invalid_documents), (1, 2, 1, 0));
    let bad = graphql(server.address(), "{ repository(owner: \"a\", name: \"b\") { stars } }", &Value::Null);
    let errors = bad.json()["errors"].to_string();
    assert!(errors.contains("type `Repository` does not have a field `stars`"), "{errors}");
    assert_eq!((bad.status, server.counts().invalid_documents), (200, 1));
}
