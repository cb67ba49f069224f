//! `shelflife explain` in a site, in words and as JSON.

use std::collections::BTreeMap;
use std::path::Path;

use serde_json::Value;

use super::Site;

pub const CONFIG: &str = "title = \"Test\"\nurl = \"https://plugins.example\"";
pub const NOW: &str = "2020-08-01T00:00:00Z";

/// What the program said.
#[derive(Debug)]
pub struct Said {
    pub code: i32,
    pub stdout: String,
    pub stderr: String,
}

pub fn run(site: &Site, folder: &Path, arguments: &[&str]) -> Said {
    let mut command = site.program(&["explain"]);
    let output = command.args(arguments).arg("--site").arg(site.path()).current_dir(folder).output().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    Said { code: output.status.code().unwrap(), stdout: text(output.stdout), stderr: text(output.stderr) }
}

/// The explanation as JSON, after making sure that the one in words says the same and that both wrote nothing.
#[track_caller]
pub fn explain(site: &Site, given: &str, now: &str) -> Value {
    let before = site.tree(".shelflife");
    let said = run(site, site.path(), &[given, "--now", now, "--json"]);
    assert_eq!((said.code, &*said.stderr), (0, ""), "{said:?}");
    let json: Value = serde_json::from_str(&said.stdout).unwrap();
    let text = run(site, site.path(), &[given, "--now", now]);
    assert_eq!((text.code, &*text.stderr), (0, ""), "{text:?}");
    assert_says_the_same(&text.stdout, &json);
    assert_eq!(site.tree(".shelflife"), before, "explaining writes nothing");
    json
}

#[track_caller]
fn assert_says_the_same(text: &str, json: &Value) {
    let has = |words: &str| assert!(text.contains(words), "{words:?} is missing in:\n{text}");
    let array = |value: &Value| value.as_array().cloned().unwrap_or_default();
    for key in ["output", "address", "entry", "asset"] {
        json[key].as_str().into_iter().for_each(has);
    }
    if let Some(build) = json["made"]["build"].as_i64() {
        has(&format!("by build {build} on "));
    }
    for change in array(&json["made"]["changes"]) {
        for key in ["input", "old", "new"] {
            change[key].as_str().into_iter().for_each(has);
        }
    }
    for input in array(&json["depends_on"]["inputs"]) {
        let name = input["input"].as_str().unwrap();
        // Those of which there are many are named without what they have in common.
        let starts = ["setting ", "template ", "data file ", "address of "];
        has(starts.iter().find_map(|start| name.strip_prefix(start)).unwrap_or(name));
    }
    let dependencies = text.split("Depends on:").nth(1).unwrap_or_default();
    for fact in array(&json["depends_on"]["facts"]) {
        let subject = fact["subject"].as_str().unwrap();
        let row = dependencies.lines().find(|line| line.trim_start().starts_with(subject)).unwrap();
        let word = match fact["state"].as_str().unwrap() {
            "fresh" if fact["fresh_until"].is_null() => "always fresh",
            "fresh" => "fresh for ",
            "stale" => "stale",
            "expired" => "expired",
            state => state,
        };
        assert!(row.contains(word), "{row}");
        assert_eq!(row.contains("does not exist"), fact["absent"].as_bool().unwrap(), "{row}");
        assert_eq!(row.contains("reported missing"), fact["refusals"].as_u64().unwrap() > 0, "{row}");
    }
}

/// The changes of the last time that an output was made, by input.
#[track_caller]
pub fn changes(site: &Site, given: &str) -> BTreeMap<String, (Value, Value)> {
    let made = &explain(site, given, NOW)["made"];
    assert_eq!(made["reason"], "changed", "{made}");
    let changes = made["changes"].as_array().unwrap().iter();
    let one = |change: &Value| {
        (change["input"].as_str().unwrap().to_owned(), (change["old"].clone(), change["new"].clone()))
    };
    changes.map(one).collect()
}

#[track_caller]
pub fn assert_because_of(site: &Site, given: &str, inputs: &[&str]) {
    assert_eq!(changes(site, given).into_keys().collect::<Vec<_>>(), inputs, "{given}");
}

pub fn build(site: &Site) {
    site.build(&["--now", NOW]).succeeded();
}

pub fn site() -> Site {
    let site = Site::new(CONFIG);
    for stem in ["one", "two"] {
        site.entry(stem, "tags: [common]\n");
    }
    site.write("assets/img/one.png", "not really a picture");
    build(&site);
    site
}
