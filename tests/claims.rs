//! What pages, badges, lists and the API say of a plugin is no more than what is known of it.
#![allow(missing_docs)]

mod common;

use common::Site;
use serde_json::{Value, json};
use xtask::replay::{Repository, Server, World};

const CONFIG: &str = "title = \"Test\"\nurl = \"https://plugins.example\"";

/// When sources are asked.
const NOW: &str = "2020-08-01T10:00:00Z";

/// A site that knows everything that is in this world.
fn knowing(world: World) -> (Server, Site) {
    let server = Server::start(world).unwrap();
    let site = Site::asking(&server, CONFIG, "1h");
    (server, site)
}

fn world() -> World {
    World::new(NOW.parse().unwrap())
}

/// The text that follows `before` on a page, without tags, up to `end`.
#[track_caller]
fn text_after(page: &str, before: &str, end: &str) -> String {
    let (_, rest) = page.split_once(before).unwrap_or_else(|| panic!("no {before} in {page}"));
    let text = rest.split_once(end).map_or(rest, |(text, _)| text);
    let mut out = String::new();
    let mut is_tag = false;
    for c in text.chars() {
        match c {
            '<' => is_tag = true,
            '>' => {
                is_tag = false;
                out.push(' ');
            }
            _ if !is_tag => out.push(c),
            _ => {}
        }
    }
    out.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn page(site: &Site, stem: &str) -> String {
    site.read(&format!("public/plugins/{stem}/index.html"))
}

/// What the strip at the top of a plugin's page says of Python.
fn python_of(site: &Site, stem: &str) -> String {
    text_after(&page(site, stem), "<dt>Python</dt><dd>", "</dd>")
}

#[test]
fn nobody_is_told_about_python_where_nobody_could_look() {
    let mut world = world();
    let says = "__plugin_name__ = 'Silent'\n";
    world.add(
        Repository::new("owner/silent")
            .with_file("setup.py", "plugin_package = 'silent'\n")
            .with_file("silent/__init__.py", says),
    );
    world.add(Repository::new("owner/empty").with_file("setup.py", "plugin_package = 'empty'\n"));
    world.add(Repository::new("owner/other"));
    let (_server, site) = knowing(world);
    for stem in ["silent", "empty", "elsewhere"] {
        site.entry(stem, "");
    }
    site.entry("both", "compatibility: {python: '>=2.7,<4'}\n");
    site.entry("three", "compatibility: {python: '>=3.7'}\n");
    site.build(&["--now", NOW]).succeeded();
    assert_eq!(python_of(&site, "both"), "2 and 3 2.7 or newer, before 4");
    assert_eq!(python_of(&site, "three"), "3 3.7 or newer");
    assert_eq!(python_of(&site, "silent"), "2 only 2.7 or newer, before 3");
    let count = |site: &Site| text_after(&site.read("public/index.html"), "<dt>run on Python 3", "</dd>");
    assert_eq!(count(&site), ", of 3 known 67 %");
    let assert_not_known = |stem: &str| {
        assert_eq!(python_of(&site, stem), "not known");
        let page = page(&site, stem);
        assert!(!page.contains("2 only") && !page.contains("as far as its source"), "{page}");
        let api = site.json(&format!("public/api/v1/plugins/{stem}.json"));
        let compatibility = &api["compatibility"];
        assert_eq!((&compatibility["python"], &compatibility["python3"]), (&Value::Null, &Value::Null));
        let badge = site.json(&format!("public/badges/{stem}/python.json"));
        assert_eq!(badge["message"], "unknown");
        let index = site.json("public/browse.json");
        let at = index["plugins"]["stem"].as_array().unwrap().iter().position(|one| one == stem).unwrap();
        assert_eq!(index["plugins"]["flags"][at].as_u64().unwrap() & 257, 0, "neither 3 nor 2 only");
        // What OctoPrint reads says what it always said.
        let plugins = site.json("public/plugins.json");
        let plugin = plugins.as_array().unwrap().iter().find(|plugin| plugin["id"] == stem).unwrap();
        assert_eq!(plugin["compatibility"]["python"], ">=2.7,<3");
    };
    assert_not_known("empty");
    assert_not_known("elsewhere");

    // What was read is forgotten when nobody confirms it for ninety days.
    site.build(&["--offline", "--now", "2021-02-01T00:00:00Z"]).succeeded();
    assert_not_known("silent");
    assert_eq!(count(&site), ", of 2 known 100 %");
    site.assert_like_a_first_build("2021-02-01T00:00:00Z");
    assert_eq!(site.json("public/api/v1/plugins.json")["plugins"][0]["python3"], json!(true));
}
