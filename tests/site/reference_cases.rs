//! Small sites that real registries taught us: what the original publishes of them must come out.

use std::collections::BTreeSet;

use crate::common::{Site, skip, warnings};
use serde_json::Value;
use shelflife_testkit::replay::shared;

/// A case, and what must come out.
type Case = (&'static str, fn(&Built));

/// Every case but `empty-repository`, which `tests/sources/github.rs` has: GitHub has to answer there.
const CASES: [Case; 17] = [
    ("blocklist", blocklist),
    ("date-1", date),
    ("dots", dots),
    ("feed", feed),
    ("hidden-file", hidden_file),
    ("key-twice", key_twice),
    ("kramdown", kramdown),
    ("note", note),
    ("notice-typo", notice_typo),
    ("octoprint-1.5.x", octoprint),
    ("overlay-py2", overlay_py2),
    ("redirect-case", redirect_case),
    ("redirect-md", redirect_md),
    ("replaced", replaced),
    ("same-id", same_id),
    ("screenshot-no-slash", screenshot),
    ("topics", topics),
];

/// A case, built.
struct Built {
    site: Site,
    report: Value,
}

impl Built {
    fn plugins(&self) -> Vec<Value> {
        self.json("plugins.json").as_array().unwrap().clone()
    }

    fn json(&self, path: &str) -> Value {
        self.site.json(&format!("public/{path}"))
    }

    fn page(&self, path: &str) -> String {
        self.site.read(&format!("public/{path}"))
    }

    /// Makes sure that there is one warning about a rule, at this place.
    #[track_caller]
    fn warns(&self, rule: &str, place: &str) {
        let of_rule = self.report["warnings"].as_array().unwrap().iter().filter(|it| it["rule"] == rule);
        let places: Vec<String> = of_rule
            .map(|it| format!("{}:{}", it["place"]["path"].as_str().unwrap_or_default(), it["place"]["line"]))
            .collect();
        assert_eq!(places, [place], "{rule} in {:#?}", warnings(&self.report));
    }
}

#[test]
fn every_case_comes_out_as_its_note_says() {
    let Some(shared) = shared() else {
        return skip("every_case_comes_out_as_its_note_says", "no ../shared");
    };
    let folder = shared.join("cases");
    let there = std::fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().path());
    let there: BTreeSet<String> = there
        .filter(|path| path.is_dir())
        .map(|path| path.file_name().unwrap().to_string_lossy().into_owned())
        .collect();
    let tested = CASES.iter().map(|(name, _)| (*name).to_owned()).chain(["empty-repository".to_owned()]);
    assert_eq!(there, tested.collect(), "the cases that are there and those that are tested");
    for (name, check) in CASES {
        let site = Site::new("");
        std::fs::remove_dir(site.at("entries")).unwrap();
        for (path, content) in Site::files(&folder.join(name)) {
            site.write(path.to_str().unwrap(), content);
        }
        let report = site.report(&["--offline"]);
        check(&Built { site, report });
    }
}

fn blocklist(built: &Built) {
    for file in ["blacklist.json", "blocklist.json"] {
        let list = built.json(file);
        assert_eq!((list.as_array().unwrap().len(), &list[0]["plugin"]), (1, &"one".into()), "{file}");
    }
    for page in ["blacklist/index.html", "blocklist/index.html"] {
        assert!(built.page(page).contains("href=\"https://example.org/issues/1\""), "{page}");
    }
}

fn date(built: &Built) {
    assert_eq!(built.plugins()[0]["published"], "2020-05-07 00:00:00 -0500");
    built.warns("bad-date", "_plugins/one.md:8");
}

fn dots(built: &Built) {
    let shots = &built.json("api/v1/plugins/one.json")["screenshots"];
    assert_eq!(shots.as_array().unwrap().len(), 1);
    built.warns("bad-picture", "_plugins/one.md:14");
}

fn feed(built: &Built) {
    let feed = built.page("feed.xml");
    assert!(feed.contains("One sentence about it."), "{feed}");
    assert!(feed.contains("https://plugins.example.org/assets/img/plugins/one/a.png"), "{feed}");
    assert!(!feed.contains("A long text"), "{feed}");
    assert!(
        built.page("feed.atom").contains("A long text") && built.page("feed.json").contains("A long text")
    );
}

fn hidden_file(built: &Built) {
    let titles: Vec<Value> = built.plugins().iter().map(|plugin| plugin["title"].clone()).collect();
    assert_eq!(titles, ["Published"]);
    assert!(!built.page("index.html").contains("A draft"));
}

fn key_twice(built: &Built) {
    assert_eq!(built.plugins()[0]["license"], "BSD-3-Clause");
    built.warns("duplicate-key", "_plugins/one.md:12");
}

fn kramdown(built: &Built) {
    let page = built.page("plugins/one/index.html");
    let tree = scraper::Html::parse_document(&page);
    let texts = |selector: &str| -> Vec<String> {
        let selector = scraper::Selector::parse(selector).unwrap();
        let text = |element: scraper::ElementRef<'_>| element.text().collect::<String>().trim().to_owned();
        tree.select(&selector).map(text).collect()
    };
    assert!(texts("h2#how-to-use-it").contains(&"How to use it".to_owned()), "{page}");
    assert_eq!(texts("ol > li"), ["First", "Second"], "{page}");
    assert!(texts("dt").contains(&"command".to_owned()), "{page}");
    assert!(texts("dd").contains(&"required, the value".to_owned()), "{page}");
    assert!(texts("a[href='https://example.org/']").contains(&"A page".to_owned()), "{page}");
    assert!(!page.contains("{:"), "{page}");
}

fn note(built: &Built) {
    let page = built.page("plugins/one/index.html");
    assert!(page.contains("Needs <strong>OctoPrint 1.4</strong>"), "{page}");
    assert!(page.contains("href=\"https://example.org/guide\""), "{page}");
    let description = &built.plugins()[0]["description"];
    assert_eq!(description, "Does a thing // Please note: Needs OctoPrint 1.4, see the guide.");
}

fn notice_typo(built: &Built) {
    let notices = built.json("notices.json");
    let texts: Vec<&Value> = notices.as_array().unwrap().iter().map(|notice| &notice["text"]).collect();
    assert_eq!(texts, ["Another notice."]);
    built.warns("data-item", "_data/notices.yaml:2");
}

fn octoprint(built: &Built) {
    assert_eq!(built.plugins()[0]["compatibility"]["octoprint"][0], "1.5.x");
    built.warns("bad-version", "_plugins/one.md:14");
}

fn overlay_py2(built: &Built) {
    let overlays = built.json("update_check_overlay_py2.json");
    assert_eq!(overlays["octoprint"]["repo"], "OctoPrint-Legacy");
    assert_eq!(overlays["file_check"]["current_version"], "2021.2.23");
    assert_eq!(overlays["one"], serde_json::json!({"disabled": true, "compatible": false}), "{overlays}");
}

fn redirect_case(built: &Built) {
    assert!(built.page("plugins/GPX/index.html").contains("A plugin"));
    assert!(built.page("plugins/gpx.html").contains("https://plugins.example.org/plugins/GPX/"));
}

fn redirect_md(built: &Built) {
    let redirects = built.json("redirects.json");
    let to = redirects.as_object().unwrap().values().next().unwrap();
    assert_eq!(to, "https://plugins.example.org/plugins/One/", "{redirects}");
}

fn replaced(built: &Built) {
    assert_eq!(built.plugins()[0]["abandoned"], true);
    let page = built.page("plugins/one/index.html");
    assert!(page.contains("This plugin was replaced by <a href=\"/plugins/two/\">Two</a>"), "{page}");
}

fn same_id(built: &Built) {
    let ids: Vec<Value> = built.plugins().iter().map(|plugin| plugin["id"].clone()).collect();
    assert_eq!(ids, ["one", "one_old"]);
    assert!(built.page("plugins/one_old/index.html").contains("An older one"));
    built.warns("same-id", "_plugins/one_old.md:3");
}

fn screenshot(built: &Built) {
    assert!(built.page("plugins/one/index.html").contains("src=\"/assets/img/plugins/one/a.png\""));
    built.warns("bad-picture", "_plugins/one.md:13");
}

fn topics(built: &Built) {
    let page = built.page("topics/remote_access/index.html");
    assert!(page.contains("Plugins for remote access.") && page.contains("href=\"/plugins/one/\""), "{page}");
    assert!(built.page("index.html").contains("/topics/"), "it is linked from the navigation");
}
