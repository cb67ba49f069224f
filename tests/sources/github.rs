//! What GitHub may do instead of answering: say half, refuse, ask for patience, or move.

use std::time::{Duration, Instant};

use crate::common::builder::Silent;
use crate::common::faults::{answer, is_graphql, set_fault};
use crate::common::{Site, entry};
use jiff::Timestamp;
use serde_json::{Value, json};
use shelflife::build::{Afterwards, Builder, fetch};
use shelflife::config::{Config, Overrides};
use shelflife::fact::Answer;
use shelflife_testkit::replay::{Budget, FaultAction, Kind, Repository, Resource, Server, World};

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

fn plugin(site: &Site) -> Value {
    site.json("public/plugins.json")[0].clone()
}

fn python(site: &Site) -> Value {
    plugin(site)["compatibility"]["python"].clone()
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
        is_graphql(request).then(|| answer(200, &[], &body))
    });
    let run = site.build(&[]).succeeded();
    run.says("owner/one: timed out");
    assert_eq!(site.read("public/plugins.json"), before);
}

/// A process that goes on may have to begin anew while it waits for answers, and then learns them first of all.
#[test]
fn a_failure_that_is_learnt_first_hides_nothing_that_was_known() {
    let (server, site) = asking("0s");
    site.build(&[]).succeeded();
    set_fault(&server, |request| is_graphql(request).then(|| answer(502, &[], &json!({}))));
    let config = site.config(&server, &Overrides::default()).unwrap();
    let offline = Config { offline: true, ..config.clone() };
    let mut builder = Builder::new(Afterwards::GoOn);
    builder.build(&offline, None, &[], &Silent).unwrap();
    let answers = fetch(&config, builder.due(&config, &Silent).unwrap()).unwrap();
    assert!(answers.iter().any(|(_, answer)| matches!(answer, Answer::Failed(_))), "{answers:?}");
    // Another text, so that what the earlier build made of the entry does not stand for it; other data, so that the
    // graph is made anew.
    site.write("entries/one.md", entry("one", "").replace("Text.", "Another text."));
    site.write("data/notices.yaml", "[]");
    builder.build(&offline, None, &answers, &Silent).unwrap();
    assert!(site.read("public/plugins/one/index.html").contains("Another text."));
    assert_eq!(plugin(&site)["github"]["stars"], 7);
}

/// Breaks the first build's requests for text, and expects the second to find what the first did not.
#[track_caller]
fn assert_content_heals(body: &Value) {
    let (server, site) = asking("1h");
    let broken = body.clone();
    set_fault(&server, move |request| (request.kind == Kind::Files).then(|| answer(200, &[], &broken)));
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

#[test]
fn an_exhausted_budget_is_told_with_its_end() {
    let (server, site) = asking("1h");
    // The reset is half a minute past a full minute, so that the time that is told must be rounded up.
    let reset = Timestamp::from_second(Timestamp::now().as_second() / 60 * 60 + 1830).unwrap();
    server.set_budget(Resource::Graphql, Budget { limit: 10, used: 10, resets_at: reset });
    let run = site.build(&[]).succeeded();
    let until = Timestamp::from_second(reset.as_second() + 30).unwrap().strftime("%H:%M");
    run.says(&format!("GitHub: rate limited until {until} UTC"));
    assert_eq!(server.counts().graphql, 1);
}

#[test]
fn the_last_point_of_the_budget_is_the_last_request() {
    let (server, site) = asking("1h");
    let reset = Timestamp::from_second(Timestamp::now().as_second() + 1800).unwrap();
    server.set_budget(Resource::Graphql, Budget { limit: 10, used: 9, resets_at: reset });
    let run = site.build(&[]).succeeded();
    run.says("GitHub: rate limited until ");
    assert_eq!(plugin(&site)["github"]["stars"], 7, "what was answered is known");
    assert_eq!(server.counts().graphql, 1);
}

#[test]
fn a_short_pause_is_waited_for() {
    let (server, site) = asking("1h");
    let first = std::sync::atomic::AtomicBool::new(true);
    set_fault(&server, move |request| {
        let limited = is_graphql(request) && first.swap(false, std::sync::atomic::Ordering::Relaxed);
        limited.then(|| answer(429, &[("retry-after", "1")], &json!({})))
    });
    let started = Instant::now();
    let report = site.report(&[]);
    assert!(started.elapsed() >= Duration::from_secs(1));
    assert_eq!((python(&site), &report["warnings"]), (">=3.7,<4".into(), &json!([])));
    assert_eq!(report["requests"]["github_repositories"]["retries"], 1);
}

/// Answers every GraphQL request with an error and expects the site to be built at once, after so many requests.
#[track_caller]
fn assert_gives_up(status: u16, headers: &[(&str, &str)], message: &str, requests: u64, says: &str) {
    let (server, site) = asking("1h");
    let headers: Vec<(String, String)> =
        headers.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    let body = json!({"message": message}).to_string().into_bytes();
    set_fault(&server, move |request| {
        let (headers, body) = (headers.clone(), body.clone());
        is_graphql(request).then_some(FaultAction::Answer { status, headers, body })
    });
    let started = Instant::now();
    let run = site.build(&["--max-wait", "10s"]).succeeded();
    assert!(started.elapsed() < Duration::from_secs(5), "{:?}", started.elapsed());
    run.says(says);
    assert_eq!(server.counts().graphql, requests, "{status} {message}");
}

#[test]
fn a_long_pause_is_not_waited_for() {
    let limit = "GitHub: rate limited until ";
    assert_gives_up(429, &[("retry-after", "30")], "", 1, limit);
    assert_gives_up(429, &[("retry-after", "99999999999999999999")], "", 1, limit);
    assert_gives_up(403, &[("retry-after", "Fri, 31 Dec 2100 23:59:59 GMT")], "", 1, limit);
    let reset = (Timestamp::now().as_second() + 1800).to_string();
    let headers = [("x-ratelimit-remaining", "0"), ("x-ratelimit-reset", reset.as_str())];
    assert_gives_up(403, &headers, "API rate limit exceeded", 1, limit);
}

#[test]
fn a_secondary_limit_is_left_alone_for_a_minute() {
    let message = "You have exceeded a secondary rate limit. Please wait a few minutes.";
    for status in [403, 200] {
        assert_gives_up(status, &[], message, 1, "GitHub: rate limited until ");
    }
    assert_gives_up(503, &[("retry-after", "120")], "", 1, "127.0.0.1: rate limited until ");
}

#[test]
fn a_refusal_that_is_no_limit_is_not_repeated() {
    assert_gives_up(403, &[("x-ratelimit-remaining", "4999")], "Forbidden", 1, "answered 403 Forbidden");
    assert_gives_up(401, &[], "Bad credentials", 1, "GitHub rejected GITHUB_TOKEN");
}

#[test]
fn once_told_to_stop_the_other_batches_stop_too() {
    let server = Server::start(World::default()).unwrap();
    let mut site = Site::new(&format!("{CONFIG}\n[github]\nbatch = 1\n"));
    site.set("GITHUB_TOKEN", "replay");
    site.set("GITHUB_GRAPHQL_URL", &server.graphql_url());
    for number in 0..20 {
        site.entry(&format!("plugin{number}"), "");
    }
    set_fault(&server, |_| Some(answer(429, &[("retry-after", "3600")], &json!({}))));
    let run = site.build(&[]).succeeded();
    run.says("GitHub: rate limited until ");
    let sent = server.counts().graphql;
    assert!((1..=4).contains(&sent), "{sent} requests");
}

#[test]
fn repositories_that_are_gone_are_named() {
    let (server, site) = asking("1h");
    let at = |hour| format!("2020-08-01T0{hour}:00:00Z");
    site.build(&["--now", &at(0)]).succeeded();
    server.change(|world| world.remove("owner/one"));

    let run = site.build(&["--now", &at(1)]).succeeded();
    run.says("owner/one: not found on GitHub (deleted or private)");
    assert_eq!(plugin(&site)["github"]["stars"], 7);

    let fresh = site.build(&["--now", &at(1)]).succeeded();
    assert!(!fresh.stderr.contains("owner/one"), "{}", fresh.stderr);

    let run = site.build(&["--now", &at(2)]).succeeded();
    run.says("owner/one: not found on GitHub twice in a row");
    assert_eq!(plugin(&site).get("github"), None);

    let run = site.build(&["--now", &at(3)]).succeeded();
    run.says("owner/one: not found on GitHub; check `source` in the entry");
}

#[test]
fn many_repositories_that_were_never_there_are_five_lines_and_a_number() {
    let (_server, site) = asking("1h");
    for number in 0..9 {
        site.entry(&format!("plugin{number}"), "");
    }
    let run = site.build(&[]).succeeded();
    assert_eq!(run.stderr.matches(": not found on GitHub; check").count(), 5, "{}", run.stderr);
    run.says("and 4 more repositories");
}

#[test]
fn another_usage_export_is_asked_at_once_and_without_the_validators_of_the_first() {
    let (server, site) = asking("1h");
    site.build(&[]).succeeded();
    let other = Server::start(world()).unwrap();
    let config = site.read("shelflife.toml");
    let moved = config.replace(&format!("week = \"{}", server.url()), &format!("week = \"{}", other.url()));
    assert_ne!(config, moved);
    site.write("shelflife.toml", &moved);
    server.reset_log();
    let report = site.report(&[]);
    let counts = other.counts();
    assert_eq!((counts.exports_sent, counts.exports_not_modified), (1, 0));
    assert_eq!(server.counts().requests, 0, "the month's address is the same");
    assert_eq!(report["facts"]["refreshed"], 1);
    assert_eq!(site.report(&[])["queries"], json!({}), "and then it is fresh");
}

#[test]
fn another_server_has_other_facts() {
    let (server, mut site) = asking("1h");
    let now = ["--now", "2020-08-01T00:00:00Z"];
    site.build(&now).succeeded();
    let nowhere = Server::start(World::default()).unwrap();
    set_fault(&nowhere, |_| Some(FaultAction::status(404, "Not Found")));
    site.set("GITHUB_GRAPHQL_URL", &nowhere.graphql_url());
    for builds in 1..=2 {
        // Nobody knows anything there, so the old facts stay, but as what they are.
        let report = site.report(&now);
        assert_eq!(report["facts"], json!({"fresh": 4, "refreshed": 0, "stale": 3, "missing": 0}));
        assert_eq!(plugin(&site)["github"]["stars"], 7);
        assert_eq!(nowhere.counts().graphql, builds, "and are asked for until somebody answers");
    }
    server.change(|world| {
        world.add(one(8));
    });
    let other = format!("{}/api/graphql", server.url());
    site.set("GITHUB_GRAPHQL_URL", &other);
    site.build(&now).succeeded();
    assert_eq!(plugin(&site)["github"]["stars"], 8);
    server.reset_log();
    site.build(&now).succeeded();
    assert_eq!(server.counts().requests, 0);
}

/// A runner of a GitHub Enterprise Server sets these variables, whatever the registry is about.
#[test]
fn the_configuration_goes_before_what_a_runner_sets() {
    let (server, enterprise) = (Server::start(world()).unwrap(), Server::start(world()).unwrap());
    let build = |keys: &str, stars: Option<u64>| {
        let mut site = Site::new(&format!("{CONFIG}\n[github]\n{keys}\n"));
        site.set("GITHUB_TOKEN", "replay");
        site.set("GITHUB_SERVER_URL", "https://ghe.example");
        site.set("GITHUB_GRAPHQL_URL", &enterprise.graphql_url());
        site.entry("one", "");
        site.build(&[]).succeeded();
        assert_eq!(plugin(&site)["github"]["stars"].as_u64(), stars, "{keys}");
        let asked = (server.counts().graphql > 0, enterprise.counts().graphql > 0);
        server.reset_log();
        enterprise.reset_log();
        asked
    };
    let graphql = format!("graphql = \"{}\"", server.graphql_url());
    assert_eq!(build("", None), (false, false), "the entry's source is not on the runner's server");
    assert_eq!(build(&format!("server = \"https://github.com\"\n{graphql}"), Some(7)), (true, false));
    assert_eq!(build(&graphql, None), (false, false), "the server is still the runner's");
}

#[test]
fn the_endpoint_of_the_runner_is_that_of_its_own_server() {
    let server = Server::start(world()).unwrap();
    let mut site = Site::new(&format!("{CONFIG}\n[github]\nserver = \"https://ghe.example\"\n"));
    site.set("GITHUB_TOKEN", "replay");
    site.set("GITHUB_SERVER_URL", "https://ghe.example");
    site.set("GITHUB_GRAPHQL_URL", &server.graphql_url());
    site.write("entries/one.md", entry("one", "").replace("https://github.com/", "https://ghe.example/"));
    site.build(&[]).succeeded();
    assert_eq!(plugin(&site)["github"]["stars"], 7);
}

#[test]
fn advice_fits_what_is_lacking() {
    let (server, mut site) = asking("1h");
    site.set("GITHUB_TOKEN", "");
    let run = site.build(&["--offline"]).succeeded();
    run.says("build without --offline and set GITHUB_TOKEN to a token");
    site.set("GITHUB_TOKEN", "none\u{7f}such");
    let run = site.build(&[]).succeeded();
    assert!(!run.stderr.contains("build again when GitHub can be reached"), "{}", run.stderr);
    run.says("set GITHUB_TOKEN to a token that may read public repositories (the current one");
    assert_eq!(server.counts().graphql, 0);
}
