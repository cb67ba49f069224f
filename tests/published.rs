//! What is published holds together: every link leads somewhere, and independent checkers find every page, feed
//! and file valid.
//!
//! The checkers are named by the environment, and what is missing is skipped by name (`.ci/run` gets all of it):
//!
//! - `SHELFLIFE_VNU_JAR`: `vnu.jar` of the Nu Html Checker, as in the npm package `vnu-jar`; needs `java`
//! - `SHELFLIFE_PYTHON`: a Python that has the package `feedparser`; `python3` if it isn't set
//! - `SHELFLIFE_SHARED`: the test data of a real registry; `../shared` if it isn't set
#![allow(missing_docs, unreachable_pub)]

mod common;
mod published {
    pub mod feed;
    pub mod links;
    pub mod sites;
    pub mod tools;
    pub mod tree;
}

use std::collections::BTreeSet;

use common::skip;
use jiff::Timestamp;
use jiff::fmt::strtime;
use published::feed::Element;
use published::sites::sites;
use published::tree::{Target, Tree};
use published::{feed, links, tools};
use serde_json::Value;

#[track_caller]
fn assert_none(faults: impl IntoIterator<Item = String>) {
    let faults: Vec<_> = faults.into_iter().collect();
    let shown = &faults[..faults.len().min(100)];
    assert!(faults.is_empty(), "{} faults:\n{}", faults.len(), shown.join("\n"));
}

#[test]
fn every_link_leads_somewhere() {
    let sites = sites("every_link_leads_somewhere");
    assert_none(sites.iter().flat_map(|site| links::faults_in_pages(site)));
}

#[test]
fn every_address_in_json_and_style_sheets_leads_somewhere() {
    let sites = sites("every_address_in_json_and_style_sheets_leads_somewhere");
    let of = |site| [links::faults_in_json(site), links::faults_in_styles(site)].concat();
    assert_none(sites.into_iter().flat_map(of));
}

#[test]
fn every_page_can_be_reached_from_the_start_page() {
    for site in sites("every_page_can_be_reached_from_the_start_page") {
        assert_eq!(links::unreachable_pages(site), Vec::<String>::new(), "{}", site.name);
    }
}

#[test]
fn no_page_runs_or_shows_anything_of_others() {
    let sites = sites("no_page_runs_or_shows_anything_of_others");
    assert_none(sites.iter().flat_map(|site| links::foreign_parts(site)));
}

#[test]
fn every_page_is_valid_html() {
    const TEST: &str = "every_page_is_valid_html";
    let jar = match tools::nu() {
        Ok(jar) => jar,
        Err(lacking) => return skip(TEST, &lacking),
    };
    let sites = sites(TEST);
    let pages = |site: &'static Tree| {
        let of = |path: &String| {
            (format!("{}/{path}", site.name.replace([' ', '/'], "-")), site.files[path].as_slice())
        };
        site.pages.keys().map(of).collect::<Vec<_>>()
    };
    // That the checker looks at pages at all is seen by what it says of a wrong one.
    let wrong = ("wrong/index.html".to_owned(), &b"<!doctype html><title>x</title><p id=a><b id=a>"[..]);
    let all = sites.into_iter().flat_map(pages).chain([wrong]);
    let (of_wrong, others): (Vec<_>, Vec<_>) =
        tools::messages(&jar, all).into_iter().partition(|line| line.starts_with("wrong/"));
    assert!(of_wrong.iter().any(|line| line.contains("Duplicate ID")), "{of_wrong:?}");
    assert_none(others);
}

#[test]
fn the_feed_is_valid_rss() {
    let sites = sites("the_feed_is_valid_rss");
    assert_none(sites.into_iter().flat_map(feed::faults));
}

#[test]
fn a_feed_reader_finds_the_newest_plugins_in_the_feed() {
    const TEST: &str = "a_feed_reader_finds_the_newest_plugins_in_the_feed";
    let python = match tools::python() {
        Ok(python) => python,
        Err(lacking) => return skip(TEST, &lacking),
    };
    for site in sites(TEST) {
        let report = tools::read_xml(&python, site);
        for (file, fault) in report["files"].as_object().unwrap() {
            assert_eq!(fault, &Value::Null, "{}: {file}", site.name);
        }
        assert!(report["files"].as_object().unwrap().contains_key("sitemap.xml"));
        let feed = &report["feed"];
        assert_eq!(feed["bozo"], Value::Null, "{}: {feed}", site.name);
        assert_eq!(feed["version"], "rss20", "{}", site.name);
        assert_eq!(feed["link"], site.home.as_str(), "{}", site.name);
        assert_eq!(feed["self"], serde_json::json!([site.address("feed.xml").as_str()]), "{}", site.name);
        let plugins: Value = serde_json::from_str(site.text("plugins.json")).unwrap();
        let newest: Vec<_> = plugins.as_array().unwrap().iter().rev().take(20).collect();
        let items = feed["items"].as_array().unwrap();
        assert_eq!(items.len(), newest.len(), "{}", site.name);
        for (item, plugin) in items.iter().zip(newest) {
            let at = format!("{}: {}", site.name, plugin["id"]);
            assert_eq!(item["link"], plugin["page"], "{at}");
            assert_eq!(item["id"], plugin["page"], "{at}");
            let published =
                strtime::parse("%Y-%m-%d %H:%M:%S %z", plugin["published"].as_str().unwrap()).unwrap();
            let published: Timestamp = published.to_timestamp().unwrap();
            assert_eq!(item["published"], published.as_second(), "{at}");
            assert_ne!(item["summary"].as_str().unwrap_or_default(), "", "{at}");
        }
        assert_eq!(feed["updated"], items[0]["published"], "{}", site.name);
    }
}

#[test]
fn the_sitemap_has_every_page_and_robots_know_it() {
    for site in sites("the_sitemap_has_every_page_and_robots_know_it") {
        let root = Element::parse(site.text("sitemap.xml")).unwrap();
        assert_eq!(root.name, "urlset");
        assert_eq!(root.attribute("xmlns"), Some("http://www.sitemaps.org/schemas/sitemap/0.9"));
        let mut listed = BTreeSet::new();
        for url in &root.children {
            let location = url.only("loc").unwrap_or_default();
            match site.follow(&site.home, location) {
                Target::File(file) => {
                    assert_eq!(location, site.address(file).as_str(), "{}: not as it is served", site.name);
                    assert!(listed.insert(file.to_owned()), "{}: {file} twice", site.name);
                }
                other => panic!("{}: {location}: {other:?}", site.name),
            }
        }
        assert_eq!(listed, links::content_pages(site), "{}", site.name);
        let sitemap = format!("Sitemap: {}", site.address("sitemap.xml"));
        assert!(site.text("robots.txt").lines().any(|line| line == sitemap), "{}", site.name);
    }
}

#[test]
fn every_json_parses_and_every_xml_is_well_formed() {
    for site in sites("every_json_parses_and_every_xml_is_well_formed") {
        let mut seen = BTreeSet::new();
        for (path, bytes) in &site.files {
            let extension = path.rsplit('.').next().unwrap_or_default();
            let fault = match extension {
                "json" => serde_json::from_slice::<Value>(bytes).err().map(|why| why.to_string()),
                "xml" | "svg" => Element::parse(site.text(path)).err(),
                _ => None,
            };
            assert_eq!(fault, None, "{}: {path}", site.name);
            seen.insert(extension);
        }
        assert!(
            ["json", "xml", "svg", "html", "css"].iter().all(|it| seen.contains(it)),
            "{}: {seen:?}",
            site.name
        );
    }
}

/// The other tests say little about blocks that are on no page.
#[test]
fn the_samples_show_every_kind_of_fact() {
    let all = sites("the_samples_show_every_kind_of_fact");
    let samples: Vec<_> = all.into_iter().filter(|site| site.name.starts_with("the sample")).collect();
    let of = |folder: &str| -> String {
        let pages = samples.iter().flat_map(|site| site.pages.keys().map(move |path| (site, path)));
        pages.filter(|(_, path)| path.starts_with(folder)).map(|(site, path)| site.text(path)).collect()
    };
    let plugins = of("plugins/");
    for block in [
        "This plugin is disabled",
        "This plugin is abandoned",
        "This plugin looks for a new maintainer",
        "Its repository is archived",
        "OctoPrint refuses to load",
        "Important notice",
        "Please note",
        "instances this month</small>",
        "none yet</small>",
        "no numbers yet</small>",
        "not shown</small>",
        "--no-build-isolation",
        "<figcaption>",
        "as far as its source tells",
        "<dt>Last release</dt>",
        "<dt>Releases</dt>",
        "<dt>Last push</dt>",
        "<dt>Stars</dt>",
        "<dt>Watchers</dt>",
        "Nothing is known about its repository",
        "Versions in use",
        "more</p>",
        "Usage of commercial plugins",
        "Report a problem",
        "Privacy policy",
        "og:image",
        "class=\"numbers\"",
    ] {
        assert!(plugins.contains(block), "no plugin's page has {block:?}");
    }
    let home = of("index.html");
    for block in ["Popular this month", "Trending this week", "Newly added", "Recently released"] {
        assert!(home.contains(block), "the start page doesn't have {block:?}");
    }
}
