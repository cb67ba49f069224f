//! What is not published yet: drafts, which are left out, and entries dated in the future, which are not new yet.

use std::collections::BTreeSet;

use crate::common::{Site, entry};
use serde_json::Value;

const CONFIG: &str = "title = \"Test\"\nurl = \"https://plugins.example\"\ntimezone = \"America/Chicago\"";

fn ids(site: &Site) -> BTreeSet<String> {
    let plugins = site.json("public/plugins.json");
    plugins.as_array().unwrap().iter().map(|plugin| plugin["id"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn drafts_and_files_put_aside_are_as_if_they_were_not_there() {
    let site = Site::new(CONFIG);
    site.entry("one", "");
    site.entry("two", "published: true\ndraft: false\n");
    site.entry("three", "published: false\n");
    // A draft may lack anything.
    site.write("entries/four.md", "---\ndraft: true\nid: one\n---\n");
    for name in ["_five.md", "#six.md", "~seven.md", ".eight.md", "nine.md~"] {
        site.write(&format!("entries/{name}"), entry("five", ""));
    }
    for name in ["topics/_a.md", "pages/_drafts/b.md", "pages/#c.md"] {
        site.write(name, "---\n---\n");
    }
    site.write("topics/d.md", "---\npublished: false\n---\n");
    let report = site.report(&[]);
    assert_eq!(report["entries"]["total"], 2, "{report}");
    assert_eq!(report["warnings"], serde_json::json!([]), "{report}");
    assert_eq!(ids(&site), ["one", "two"].map(str::to_owned).into());
    for path in ["topics", "_a", "b", "_drafts", "plugins/three"] {
        assert!(!site.at(&format!("public/{path}")).exists(), "{path}");
    }
    // Whether or not anything is evaluated.
    let report = site.report(&[]);
    assert_eq!((&report["entries"]["total"], &report["rounds"]), (&2.into(), &0.into()), "{report}");

    // An entry becomes a draft and is published again.
    site.entry("two", "draft: yes\n");
    site.build(&[]).succeeded();
    assert_eq!(ids(&site), ["one"].map(str::to_owned).into());
    assert!(!site.at("public/plugins/two").exists());
    assert_eq!(site.tree("public"), site.cold());
    site.entry("two", "");
    site.entry("three", "");
    site.build(&[]).succeeded();
    assert_eq!(ids(&site), ["one", "two", "three"].map(str::to_owned).into());
    assert_eq!(site.tree("public"), site.cold());
}

#[test]
fn what_was_published_before_it_became_a_draft_does_not_come_back() {
    let site = Site::new(CONFIG);
    site.entry("one", "");
    site.entry("two", "");
    site.build(&[]).succeeded();
    site.entry("two", "draft: true\n");
    site.build(&[]).succeeded();
    assert_eq!(ids(&site), ["one"].map(str::to_owned).into());
    site.write("entries/two.md", "---\ndraft: true\ntitle: [\n---\n");
    let run = site.build(&[]);
    assert_eq!(run.code, 3, "{}", run.stderr);
    assert_eq!(ids(&site), ["one"].map(str::to_owned).into());
}

/// The stems that a feed has, the first first.
fn of_feed(site: &Site) -> Vec<String> {
    let feed = site.json("public/feed.json");
    let stem = |item: &Value| item["url"].as_str().unwrap().split('/').nth_back(1).unwrap().to_owned();
    feed["items"].as_array().unwrap().iter().map(stem).collect()
}

fn dated(site: &Site, stem: &str, date: &str) {
    site.write(&format!("entries/{stem}.md"), entry(stem, "").replace("2020-02-03", date));
}

#[test]
fn an_entry_dated_in_the_future_is_not_new_before_its_day() {
    let site = Site::new(CONFIG);
    site.entry("old", "");
    dated(&site, "soon", "2020-08-02");
    dated(&site, "later", "2021-01-01");
    let first = |path: &str| {
        let html = site.read(&format!("public/{path}"));
        html.split("Newly added")
            .last()
            .unwrap()
            .split("/plugins/")
            .nth(1)
            .unwrap()
            .split('/')
            .next()
            .unwrap()
            .to_owned()
    };
    let by_date = || {
        let html = site.read("public/by_date/index.html");
        let rows = html.split("row-title\"><a href=\"/plugins/").skip(1);
        rows.map(|rest| rest.split('/').next().unwrap().to_owned()).collect::<Vec<_>>()
    };
    let cold = |now: &str| {
        let place = site.at(&format!("cold-{}", now.replace(':', "")));
        let (output, cache) = (place.join("public"), place.join("cache.sqlite"));
        let places = ["--output", output.to_str().unwrap(), "--cache", cache.to_str().unwrap(), "--now", now];
        site.build(&places).succeeded();
        Site::files(&output)
    };

    // In Chicago it is the day before for five hours more.
    let before = "2020-08-02T04:59:59Z";
    let warnings = site.warnings(&["--now", before]);
    let expected = |stem: &str, date: &str| {
        let what = "the plugin is published, but not listed as new until then";
        format!("entries/{stem}.md:8:7: the date {date} is in the future: {what}")
    };
    assert_eq!(warnings, [expected("soon", "2020-08-02"), expected("later", "2021-01-01")]);
    assert_eq!(ids(&site).len(), 3, "published");
    assert!(site.at("public/plugins/soon/index.html").exists());
    assert_eq!((of_feed(&site), first("index.html")), (vec!["old".to_owned()], "old".to_owned()));
    assert_eq!(by_date(), ["old", "soon", "later"]);
    assert!(
        !site.read("public/feed.atom").contains("soon") && !site.read("public/feed.xml").contains("soon")
    );
    let sitemap = site.read("public/sitemap.xml");
    assert!(!sitemap.contains("2020-08-02") && !sitemap.contains("2021-01-01"), "{sitemap}");
    assert_eq!(site.tree("public"), cold(before));

    // As long as nobody is due, there is nothing to do.
    let idle = site.report(&["--now", "2020-08-01T12:00:00Z"]);
    assert_eq!((&idle["rounds"], &idle["outputs"]["written"]), (&0.into(), &0.into()), "{idle}");

    let after = "2020-08-02T05:00:00Z";
    assert_eq!(site.warnings(&["--now", after]), [expected("later", "2021-01-01")]);
    assert_eq!((of_feed(&site)[0].as_str(), first("index.html").as_str()), ("soon", "soon"));
    assert_eq!(by_date(), ["soon", "old", "later"]);
    assert_eq!(site.tree("public"), cold(after));
    let idle = site.report(&["--now", "2020-12-31T12:00:00Z"]);
    assert_eq!((&idle["rounds"], &idle["outputs"]["written"]), (&0.into(), &0.into()), "{idle}");

    // A clock that was ahead, and one that is far ahead.
    for now in [before, "2021-06-01T00:00:00Z", after] {
        site.build(&["--now", now]).succeeded();
        assert_eq!(site.tree("public"), cold(now), "{now}");
    }
    site.build(&["--now", "2021-06-01T00:00:00Z"]).succeeded();
    assert_eq!(of_feed(&site), ["later", "soon", "old"]);
}
