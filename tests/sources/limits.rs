//! Limits of what strangers write: each is a setting, what goes beyond it is told with the setting's name, and another
//! limit is another input of the site.

use crate::common::Site;
use serde_json::json;
use shelflife_testkit::replay::{Repository, Server, World};

const CONFIG: &str = "title = \"Test\"\nurl = \"https://plugins.example\"\n";

/// Limits that the site's entry or data file goes beyond, and what is told then.
const BEYOND: [(&str, &str, &str); 7] = [
    (
        "entry_size = \"200B\"",
        "the file has 286 bytes, more than `limits.entry_size` allows: 200 bytes",
        "entries/one.md:1:1",
    ),
    (
        "data_size = \"0B\"",
        "the file has 3 bytes, more than `limits.data_size` allows: 0 bytes",
        "data/notices.yaml:1:1",
    ),
    ("list_items = 2", "`tags` has 3 items, more than `limits.list_items` allows: 2", "entries/one.md:14:14"),
    (
        "yaml_depth = 3",
        "lists and mappings are nested deeper than `limits.yaml_depth` allows: 3 levels",
        "entries/one.md:12:9",
    ),
    (
        "alias_values = 5",
        "expand to 6 values with 7 bytes of text, more than `limits.alias_values` allows: 5 values",
        "entries/one.md:13:4",
    ),
    (
        "alias_size = \"6B\"",
        "expand to 6 values with 7 bytes of text, more than `limits.alias_size` allows: 6 bytes of text",
        "entries/one.md:13:4",
    ),
    ("alias_values = 0", "`0` is not a number of values, expected 1 to 1000000", "shelflife.toml:4:16"),
];

#[test]
fn what_goes_beyond_a_limit_is_told_with_its_setting() {
    let site = Site::new(CONFIG);
    site.entry("one", "x: &x [[[one, two]], 3]\ny: *x\ntags: [a, b, c]\n");
    site.write("data/notices.yaml", "[]\n");
    site.build(&[]).succeeded();
    let published = site.tree("public");
    for (limit, message, place) in BEYOND {
        site.write("shelflife.toml", format!("{CONFIG}[limits]\n{limit}\n"));
        let run = site.build(&[]);
        let code = match place.split_once(':') {
            Some(("shelflife.toml", _)) => 2,
            Some(("data/notices.yaml", _)) => 1,
            _ if limit.starts_with("list_items") => 0,
            _ => 3,
        };
        assert_eq!(run.code, code, "{limit}: {}", run.stderr);
        assert!(run.stderr.contains(message) && run.stderr.contains(place), "{limit}: {}", run.stderr);
        // What was published when there was more room stays so, but for the end of a list.
        let is_same = site.tree("public") == published;
        assert_eq!(is_same, code != 0, "{limit}");
        if code == 0 {
            assert!(!site.at("public/by_tag/c").exists());
            site.write("shelflife.toml", CONFIG);
            site.build(&[]).succeeded();
        }
    }
    // What is just within them is fine.
    let limits = "entry_size = \"286B\"\nlist_items = 3\ndata_size = \"3B\"\nyaml_depth = 4\nalias_values = 6\nalias_size = \"7B\"";
    site.write("shelflife.toml", format!("{CONFIG}[limits]\n{limits}\n"));
    site.build(&[]).succeeded();
    assert!(site.tree("public") == published);
    assert!(site.cold() == published);
}

#[test]
fn an_answer_beyond_the_limit_is_a_failure_and_loses_nothing() {
    let mut world = World::new("2020-08-01T00:00:00Z".parse().unwrap());
    world.add(Repository::new("owner/one").with_stars(9));
    let server = Server::start(world).unwrap();
    let site = Site::asking(&server, CONFIG, "0s");
    site.entry("one", "compatibility: {python: '>=3'}\n");
    site.report(&["--now", "2020-08-01T00:00:00Z"]);
    let list = site.read("public/plugins.json");
    site.write("shelflife.toml", site.read("shelflife.toml") + "[limits]\nanswer_size = \"10B\"\n");
    let report = site.report(&["--now", "2020-08-02T00:00:00Z"]);
    let reasons = report["unrefreshed"].to_string();
    assert!(
        reasons.contains("the response is larger than `limits.answer_size` allows (10 bytes)"),
        "{reasons}"
    );
    // Without a body, that an export is what it was is small enough.
    assert_eq!(report["facts"], json!({"fresh": 0, "refreshed": 2, "stale": 1, "missing": 0}));
    assert_eq!(site.read("public/plugins.json"), list);
}
