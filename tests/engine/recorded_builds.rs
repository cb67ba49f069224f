//! Real builds of a registry, replayed: what was published then must come out now.

use crate::common::{Site, published, trace};
use serde_json::Value;
use shelflife_testkit::host::gzip;
use shelflife_testkit::replay::{Counts, Options, Schema, Server, Trace, World, shared};

const CONFIG: &str = r#"
title = "OctoPrint Plugin Repository"
url = "https://plugins.octoprint.org"
timezone = "America/Chicago"
hide_disabled = false      # in 2020 a disabled plugin kept its operating systems
history.seed = "off"
[paths]
entries = "_plugins"
data = "_data"
"#;

fn serve(world: World) -> Server {
    let schema = shared().map(|shared| Schema::load(&shared.join("github/schema.graphql")).unwrap());
    Server::start_with(world, Options { schema, ..Options::default() }).unwrap()
}

/// Fails with every field that differs.
#[track_caller]
fn assert_published(site: &Site, trace: &Trace, tick: u32) {
    let (built, published) = (site.json("public/plugins.json"), published(trace, tick));
    let (built, published) = (built.as_array().unwrap(), published.as_array().unwrap());
    let ids = |plugins: &[Value]| plugins.iter().map(|plugin| plugin["id"].clone()).collect::<Vec<_>>();
    assert_eq!(ids(built), ids(published), "tick {tick}: which plugins, in which order");
    let mut differences = Vec::new();
    for (built, published) in built.iter().zip(published) {
        let keys = built.as_object().unwrap().keys().chain(published.as_object().unwrap().keys());
        let mut keys: Vec<_> = keys.collect();
        keys.sort();
        keys.dedup();
        for key in keys.into_iter().filter(|key| built.get(key) != published.get(key)) {
            let (id, is, was) = (&built["id"], &built[key], &published[key]);
            differences.push(format!("{id} {key}: built {is}, published {was}"));
        }
    }
    assert!(differences.is_empty(), "tick {tick}:\n{}", differences.join("\n"));
}

#[test]
fn every_tick_from_an_empty_cache() {
    let Some(trace) = trace("every_tick_from_an_empty_cache") else { return };
    assert_eq!(trace.ticks().len(), 24);
    for tick in trace.ticks() {
        let server = serve(trace.world(tick).unwrap());
        let site = Site::asking(&server, CONFIG, "6h");
        trace.checkout(tick, site.path()).unwrap();
        site.build(&[]).succeeded();
        assert_published(&site, &trace, tick);
        let counts = server.counts();
        assert!(counts.repositories <= 3 && counts.files <= 6, "tick {tick}: {counts:?}");
        assert_eq!((counts.invalid_documents, counts.unauthorized, counts.exports_with_token), (0, 0, 0));
    }
}

#[test]
fn all_ticks_as_one_series() {
    let Some(trace) = trace("all_ticks_as_one_series") else { return };
    let ticks = trace.ticks();
    let server = serve(trace.world(ticks[0]).unwrap());
    let site = Site::asking(&server, CONFIG, "0s");
    for tick in ticks {
        server.set_world(trace.world(tick).unwrap());
        trace.checkout(tick, site.path()).unwrap();
        site.build(&["--now", &trace.time(tick).unwrap().to_string()]).succeeded();
        assert_published(&site, &trace, tick);
    }
    assert_eq!(server.counts().invalid_documents, 0);
    // What a visitor's browser loads to search in all plugins.
    let index = gzip(site.read("public/browse.json").as_bytes());
    let plugins = site.json("public/browse.json")["plugins"]["stem"].as_array().unwrap().len();
    assert!(index.len() <= 120 * plugins, "{} bytes for {plugins} plugins", index.len());
}

#[test]
fn what_is_fresh_is_not_asked_for_and_what_is_known_is_not_fetched() {
    let Some(trace) = trace("what_is_fresh_is_not_asked_for_and_what_is_known_is_not_fetched") else {
        return;
    };
    let tick = trace.ticks()[0];
    let server = serve(trace.world(tick).unwrap());
    let site = Site::asking(&server, CONFIG, "1h");
    trace.checkout(tick, site.path()).unwrap();
    let build = |now: &str| -> Counts {
        server.reset_log();
        site.build(&["--now", now]).succeeded();
        assert_published(&site, &trace, tick);
        server.counts()
    };

    let cold = build("2020-07-26T12:00:00Z");
    assert!(cold.repositories <= 3 && cold.files <= 6 && cold.exports == 2, "{cold:?}");
    assert!(cold.texts > 0, "{cold:?}");

    let within = build("2020-07-26T12:59:59Z");
    assert_eq!(within.requests, 0, "{within:?}");

    let after = build("2020-07-26T13:00:00Z");
    assert!(after.repositories <= 3 && after.repositories > 0, "{after:?}");
    assert_eq!((after.files, after.texts), (0, 0), "{after:?}");
    assert_eq!((after.exports, after.exports_not_modified), (2, 2), "{after:?}");
}
