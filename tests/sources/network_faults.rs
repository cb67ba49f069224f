//! Real builds of a registry on a network that fails, in every way and at every rate: no fact is lost, what is published
//! is sound, and one healthy build later it is what was published then.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::common::{Site, published, trace};
use serde_json::{Value, json};
use shelflife_testkit::replay::{Fault, FaultAction, Options, RequestInfo, Server};

const CONFIG: &str = r#"
title = "OctoPrint Plugin Repository"
url = "https://plugins.octoprint.org"
timezone = "America/Chicago"
hide_disabled = false
history.seed = "off"
[paths]
entries = "_plugins"
data = "_data"
[fetch]
max_wait = "1s"
timeout = "20s"
"#;

/// The ways in which a request can fail.
const MODES: [&str; 14] = [
    "reset",
    "truncated",
    "nothing",
    "500",
    "502",
    "503 with retry-after",
    "429",
    "403 secondary",
    "200 rate limited",
    "200 something went wrong",
    "page of a proxy",
    "invalid JSON",
    "wrong shape",
    "nulls",
];

fn failure(mode: &str) -> FaultAction {
    let answer = |status, headers: &[(&str, &str)], body: &str| FaultAction::Answer {
        status,
        headers: headers.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect(),
        body: body.as_bytes().to_vec(),
    };
    let said = |message: &str| json!({"message": message}).to_string();
    let slow = "Something went wrong while executing your query. This may be the result of a timeout.";
    match mode {
        "reset" => FaultAction::Close,
        "truncated" => FaultAction::Truncate(300),
        "nothing" => FaultAction::Truncate(0),
        "500" => FaultAction::status(500, "Internal Server Error"),
        "502" => FaultAction::status(502, "Bad Gateway"),
        "503 with retry-after" => answer(503, &[("retry-after", "0")], ""),
        "429" => answer(429, &[], &said("Too many requests")),
        "403 secondary" => {
            answer(403, &[("retry-after", "0")], &said("You have exceeded a secondary rate limit."))
        }
        "200 rate limited" => answer(
            200,
            &[("retry-after", "0")],
            &json!({"data": null, "errors": [{"type": "RATE_LIMITED", "message": "exceeded"}]}).to_string(),
        ),
        "200 something went wrong" => {
            answer(200, &[], &json!({"data": null, "errors": [{"message": slow}]}).to_string())
        }
        "page of a proxy" => {
            answer(200, &[("content-type", "text/html")], "<!doctype html><h1>Please log in</h1>")
        }
        "invalid JSON" => answer(200, &[], "{\"data\": {\"r0\": {\"url\": "),
        "wrong shape" => answer(200, &[], "{\"data\": [], \"plugins\": 7, \"errors\": {\"a\": null}}"),
        "nulls" => {
            let nulls: BTreeMap<String, Value> = (0..100).map(|i| (format!("r{i}"), Value::Null)).collect();
            answer(200, &[], &json!({"data": nulls, "plugins": null}).to_string())
        }
        other => panic!("{other} is no way to fail"),
    }
}

/// Lets so many of a hundred requests fail, each in one of these ways.
fn failing(percent: u64, modes: &'static [&'static str], seed: u32) -> Fault {
    let number = AtomicU64::new(0);
    Arc::new(move |_: &RequestInfo| {
        let number = number.fetch_add(1, Ordering::Relaxed);
        let dice = blake3::hash(format!("{seed} {number}").as_bytes());
        let [fails, mode, ..] = dice.as_bytes();
        let fails = u64::from(*fails) * 100 < percent * 256;
        let mode = modes[usize::from(*mode) % modes.len()];
        fails.then(|| failure(mode))
    })
}

/// What GitHub and the exports said of each plugin.
fn known(site: &Site) -> BTreeMap<String, [bool; 2]> {
    let plugins = site.json("public/plugins.json");
    let of = |plugin: &Value| {
        let id = plugin["id"].as_str().unwrap().to_owned();
        (id, ["github", "stats"].map(|key| plugin.get(key).is_some_and(|value| !value.is_null())))
    };
    plugins.as_array().unwrap().iter().map(of).collect()
}

#[track_caller]
fn assert_keeps(site: &Site, before: &BTreeMap<String, [bool; 2]>, what: &str) {
    let after = known(site);
    for (id, had) in before {
        let Some(has) = after.get(id) else { continue };
        assert!(had.iter().zip(has).all(|(had, has)| has >= had), "{what}: {id} had {had:?} and has {has:?}");
    }
}

#[test]
fn a_series_with_three_failures_in_ten_loses_nothing() {
    let Some(trace) = trace("a_series_with_three_failures_in_ten_loses_nothing") else { return };
    let ticks = trace.ticks();
    let server = Server::start_with(trace.world(ticks[0]).unwrap(), Options::default()).unwrap();
    let site = Site::asking(&server, CONFIG, "0s");
    let mut before = BTreeMap::new();
    for tick in &ticks {
        server.set_world(trace.world(*tick).unwrap());
        trace.checkout(*tick, site.path()).unwrap();
        let now = trace.time(*tick).unwrap().to_string();
        if *tick != ticks[0] {
            server.set_fault(Some(failing(30, &MODES, *tick)));
        }
        site.build(&["--now", &now]).succeeded();
        assert_keeps(&site, &before, &format!("tick {tick}"));
        before = known(&site);
    }
    assert!(server.counts().faulty > 50, "{:?}", server.counts());
    server.set_fault(None);
    let last = *ticks.last().unwrap();
    site.build(&["--now", &trace.time(last).unwrap().to_string()]).succeeded();
    assert_eq!(site.json("public/plugins.json"), published(&trace, last));
}

/// Each way of failing, from now and then to always.
#[test]
fn every_failure_at_every_rate_loses_nothing() {
    let Some(trace) = trace("every_failure_at_every_rate_loses_nothing") else { return };
    let ticks = trace.ticks();
    let (first, next) = (ticks[0], ticks[1]);
    for (number, mode) in MODES.iter().enumerate() {
        let server = Server::start_with(trace.world(first).unwrap(), Options::default()).unwrap();
        let site = Site::asking(&server, CONFIG, "0s");
        trace.checkout(first, site.path()).unwrap();
        site.build(&["--now", &trace.time(first).unwrap().to_string()]).succeeded();
        let before = known(&site);
        assert!(before.values().filter(|had| had[0]).count() > 100);
        server.set_world(trace.world(next).unwrap());
        trace.checkout(next, site.path()).unwrap();
        let now = trace.time(next).unwrap().to_string();
        for percent in [1, 10, 50, 100] {
            let modes = std::slice::from_ref(&MODES[number]);
            server.set_fault(Some(failing(percent, modes, 7)));
            site.build(&["--now", &now]).succeeded();
            assert_keeps(&site, &before, &format!("{percent} % {mode}"));
        }
        server.set_fault(None);
        site.build(&["--now", &now]).succeeded();
        assert_eq!(site.json("public/plugins.json"), published(&trace, next), "after {mode}");
    }
}
