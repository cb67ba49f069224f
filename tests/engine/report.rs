//! `--report`: JSON of one shape, whatever a build came to.

use std::collections::BTreeSet;

use crate::common::Site;
use serde_json::{Value, json};

const CONFIG: &str = "title = \"Test\"\nurl = \"https://plugins.example\"\nbase_path = \"/sub\"\n";

fn site() -> Site {
    let site = Site::new(CONFIG);
    site.entry("one", "");
    site.entry("two", "");
    site
}

/// The exit code, and the report.
fn report(site: &Site, arguments: &[&str]) -> (i32, Value) {
    let path = site.at("report.json");
    let _ = std::fs::remove_file(&path);
    let run = site.build(&[&["--report", path.to_str().unwrap()], arguments].concat());
    (run.code, site.json("report.json"))
}

fn members(report: &Value) -> BTreeSet<&String> {
    report.as_object().unwrap().keys().collect()
}

/// What has changed, but for the data: each as its address and what happened.
fn pages(report: &Value) -> Vec<(&str, &str)> {
    let changed = report["outputs"]["changed"].as_array().unwrap();
    let pages = changed.iter().filter(|one| one["is_page"] == true);
    pages.map(|one| (one["address"].as_str().unwrap(), one["what"].as_str().unwrap())).collect()
}

#[test]
fn a_build_that_failed_has_the_same_members_and_says_what_to_mend() {
    let site = site();
    let (code, good) = report(&site, &[]);
    assert_eq!((code, &good["outcome"], &good["exit_code"]), (0, &json!("published"), &json!(0)));
    assert_eq!((&good["error"], &good["problems"]), (&json!(null), &json!([])));
    assert!(["entries", "outputs", "facts"].iter().all(|counted| good[counted].is_object()), "{good:#}");
    let check = |arguments: &[&str], code: i32, outcome: &str, message: &str| {
        let (ended, report) = report(&site, arguments);
        assert_eq!(ended, code, "{report:#}");
        assert_eq!((&report["outcome"], &report["exit_code"]), (&json!(outcome), &json!(code)));
        assert_eq!(members(&report), members(&good));
        let told = report["error"]["message"].as_str().unwrap_or_default();
        assert!(told.contains(message), "{message} in {report:#}");
        // What was not counted is not said to be nothing.
        let is_published = matches!(outcome, "incomplete" | "stale");
        for counted in ["outputs", "facts"] {
            assert_eq!(report[counted].is_object(), is_published, "{counted} in {report:#}");
        }
        let is_strict = arguments.contains(&"--strict");
        assert_eq!(report["entries"].is_object(), is_published || is_strict, "{report:#}");
        assert!(is_published || is_strict || report["entries"].is_null(), "{report:#}");
        assert!(!told.contains("shelflife.toml:"), "the place is the problem's: {told}");
        report["problems"].clone()
    };

    site.write("data/notices.yaml", "{");
    let problems = check(&[], 1, "failed", "nothing was published");
    assert_eq!(problems[0]["place"]["path"], "data/notices.yaml", "{problems}");
    assert!(problems[0]["rule"].is_null() && problems[0]["message"].is_string(), "{problems}");
    std::fs::remove_file(site.at("data/notices.yaml")).unwrap();

    site.write("entries/two.md", crate::common::entry("two", "").replace("license: MIT", "license:"));
    site.write("entries/three.md", "---\nlayout: plugin\nid: three\n---\n");
    let problems = check(&["--strict"], 1, "failed", "`--strict` was given");
    let rules: Vec<&Value> = problems.as_array().unwrap().iter().map(|one| &one["rule"]).collect();
    assert_eq!(rules, [&json!(null), &json!("missing-key")], "{problems:#}");
    assert_eq!(problems[1]["place"]["path"], "entries/two.md");
    assert_eq!(site.json("report.json")["entries"], json!({"total": 3, "left_out": 1, "kept": 0}));
    let problems = check(&[], 3, "incomplete", "");
    // The last build's record knows them, too.
    check(&["--strict"], 1, "failed", "`--strict` was given");
    assert_eq!(site.json("report.json")["entries"], json!({"total": 3, "left_out": 1, "kept": 0}));
    assert_eq!(problems[0]["place"]["path"], "entries/three.md");
    std::fs::remove_file(site.at("entries/three.md")).unwrap();
    site.entry("two", "");
    check(&["--strict"], 4, "stale", "");

    site.write("shelflife.toml", format!("{CONFIG}titel = 1"));
    let problems = check(&[], 2, "wrong", "unknown key `titel`");
    assert!(problems[0]["place"]["line"] == 4, "{problems}");
    let message = site.json("report.json")["error"]["message"].clone();
    assert!(message.as_str().unwrap().starts_with("unknown key `titel`"), "{message}");
    site.write("shelflife.toml", CONFIG);
    std::fs::remove_dir_all(site.at(".shelflife")).unwrap();
    site.write("file", "a file");
    check(&["--cache", site.at("file").to_str().unwrap()], 2, "wrong", "file");
}

#[test]
fn a_report_replaces_nothing_else_where_nobody_knows_what_is_the_sites() {
    let site = site();
    site.write("shelflife.toml", "titel = 1");
    for precious in ["precious", "{\"version\": \"1\"}"] {
        site.write("precious.json", precious);
        assert_eq!(site.build(&["--report", site.at("precious.json").to_str().unwrap()]).code, 2);
        assert_eq!(site.read("precious.json"), precious);
    }
    // Where it is known, the report lies nowhere in the site.
    site.write("shelflife.toml", CONFIG);
    for place in ["entries/new.json", "public/new.json"] {
        let run = site.build(&["--report", site.at(place).to_str().unwrap()]);
        assert!(run.code == 2 && !site.at(place).exists(), "{}", run.stderr);
    }
    let mut on_runner = site.command(&["--report", site.at("report.json").to_str().unwrap()]);
    site.write("shelflife.toml", "title = 'Without an address'");
    assert_eq!(on_runner.env("CI", "true").output().unwrap().status.code(), Some(2));
    assert_eq!(site.json("report.json")["outcome"], "wrong");
    site.write("shelflife.toml", "titel = 1");
    let (code, _) = report(&site, &[]);
    site.write("shelflife.toml", "title = 2");
    let path = site.at("report.json");
    assert_eq!((code, site.build(&["--report", path.to_str().unwrap()]).code), (2, 2));
    assert!(site.read("report.json").contains("expected text"));
}

#[test]
fn a_runners_summary_of_a_build_that_failed_names_what_to_mend() {
    let mut site = site();
    site.set("GITHUB_ACTIONS", "true");
    site.set("GITHUB_STEP_SUMMARY", site.at("summary.md").to_str().unwrap());
    site.write("data/notices.yaml", "{");
    assert_eq!(site.build(&[]).code, 1);
    let summary = site.read("summary.md");
    assert!(summary.starts_with("### The site was not built\n\n"), "{summary}");
    assert!(summary.contains("\n- data/notices.yaml:1:"), "{summary}");
}

#[test]
fn the_report_names_the_pages_that_changed() {
    let site = site();
    let (_, first) = report(&site, &[]);
    assert!(pages(&first).contains(&("https://plugins.example/sub/plugins/one/", "added")), "{first:#}");
    assert!(pages(&first).contains(&("https://plugins.example/sub/", "added")));
    let all = first["outputs"]["changed"].as_array().unwrap();
    assert!(all.iter().all(|one| !one["path"].as_str().unwrap().starts_with("assets/")), "{first:#}");
    assert!(all.iter().any(|one| one["path"] == "plugins.json" && one["is_page"] == false));
    assert_eq!(pages(&report(&site, &[]).1), []);

    site.write("entries/one.md", crate::common::entry("one", "").replace("Text.", "Another text."));
    let (_, second) = report(&site, &[]);
    assert_eq!(pages(&second), [("https://plugins.example/sub/plugins/one/", "changed")]);

    // A runner has the cache, and another output folder each time.
    std::fs::remove_dir_all(site.at("public")).unwrap();
    std::fs::remove_file(site.at("entries/two.md")).unwrap();
    let (_, third) = report(&site, &[]);
    let told = pages(&third);
    assert!(told.contains(&("https://plugins.example/sub/plugins/two/", "removed")), "{told:?}");
    assert!(told.iter().all(|(address, _)| !address.ends_with("/one/")), "{told:?}");
    // Or the folder, and no cache.
    std::fs::remove_dir_all(site.at(".shelflife")).unwrap();
    site.entry("three", "");
    let (_, fourth) = report(&site, &[]);
    let told = pages(&fourth);
    assert!(told.contains(&("https://plugins.example/sub/plugins/three/", "added")), "{told:?}");
    assert!(told.iter().all(|(address, _)| !address.ends_with("/one/")), "{told:?}");
}
