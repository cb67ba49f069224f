//! `shelflife check` against the check that the OctoPrint plugin repository has: the same verdict on each entry of a real
//! registry, over its history.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::process::Command;

use crate::common::{Site, picture, skip, trace};
use serde_json::Value;
use shelflife_testkit::replay::shared;

/// Verdicts on files: pairs of a rule of the original and a degree.
type Verdicts = BTreeMap<String, BTreeSet<(String, String)>>;

const CONFIG: &str = "url = \"https://plugins.example.org\"\ntimezone = \"America/Chicago\"\n[paths]\nentries = \"_plugins\"\ndata = \"_data\"\n";

/// The Python that has OctoPrint's packages; none where it is missing, after saying so.
fn python(test: &str) -> Option<std::ffi::OsString> {
    let python = std::env::var_os("SHELFLIFE_OCTOPRINT_PYTHON");
    if python.is_none() {
        skip(test, "no SHELFLIFE_OCTOPRINT_PYTHON, a Python with OctoPrint");
    }
    python
}

fn original(python: &std::ffi::OsStr, site: &Path, entries: &str) -> Verdicts {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/tools/check_oracle.py");
    let output = Command::new(python).arg(script).arg(site.join(entries)).arg(site).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}

/// What a rule of ours is to the original; `None` if it has no such rule.
fn name(rule: &str, finding: &Value) -> Option<&'static str> {
    Some(match rule {
        "missing-key" => "missing-key",
        "layout" => "layout",
        "author" => "author",
        "bad-address" => "address",
        "bad-version" | "version-form" => "version",
        "not-a-list" => "list",
        "missing-python" => "missing-python",
        "unsupported-python" => "unsupported-python",
        "unknown-system" => "unknown-system",
        "bad-picture" => "picture",
        // The original looks at front matter alone.
        "missing-picture" if is_in_front_matter(finding) => "picture",
        "picture-folder" => "picture-folder",
        "featured-only" => "featured-only",
        "file-name" => "file-name",
        "unknown-key" => "unknown-key",
        _ => return None,
    })
}

fn is_in_front_matter(finding: &Value) -> bool {
    finding["front_matter"].as_bool().unwrap_or_default()
}

fn ours(site: &Site, entries: &str) -> Verdicts {
    let mut command = site.program(&["check", "--format", "json", "--site"]);
    let output = command.arg(site.path()).arg(site.at(entries)).output().unwrap();
    let json: Value = serde_json::from_slice(&output.stdout)
        .unwrap_or_else(|_| panic!("{}", String::from_utf8_lossy(&output.stderr)));
    let files = std::fs::read_dir(site.at(entries)).unwrap();
    let names = files.map(|file| file.unwrap().file_name().into_string().unwrap());
    let mut verdicts: Verdicts =
        names.filter(|name| name.ends_with(".md")).map(|name| (name, BTreeSet::new())).collect();
    for finding in json["findings"].as_array().unwrap() {
        let path = finding["place"]["path"].as_str().unwrap();
        let file = path.rsplit('/').next().unwrap();
        let end = site.read(path).split("\n---").next().unwrap().lines().count();
        let mut finding = finding.clone();
        let line = finding["place"]["line"].as_u64().unwrap();
        finding["front_matter"] = Value::Bool(usize::try_from(line).unwrap() <= end);
        let (rule, degree) = (finding["rule"].as_str().unwrap(), finding["degree"].as_str().unwrap());
        if let Some(name) = name(rule, &finding) {
            verdicts.get_mut(file).unwrap().insert((name.to_owned(), degree.to_owned()));
        }
    }
    verdicts
}

/// Where verdicts differ: a line each.
fn differences(original: &Verdicts, ours: &Verdicts) -> BTreeSet<String> {
    let mut lines = BTreeSet::new();
    for (file, theirs) in original {
        let none = BTreeSet::new();
        let ours = ours.get(file).unwrap_or(&none);
        lines.extend(
            theirs
                .difference(ours)
                .map(|(rule, degree)| format!("{file}: only the original: {degree} {rule}")),
        );
        lines.extend(
            ours.difference(theirs).map(|(rule, degree)| format!("{file}: only ours: {degree} {rule}")),
        );
    }
    lines
}

/// Makes the picture of every other entry be there, by the names of the files.
fn add_pictures(site: &Site, entries: &str) {
    for (number, file) in std::fs::read_dir(site.at(entries)).unwrap().enumerate() {
        let text = std::fs::read_to_string(file.unwrap().path()).unwrap();
        for (at, _) in text.match_indices("/assets/img/plugins/").filter(|_| number % 2 == 0) {
            let path = text[at..].split(|c: char| c.is_whitespace() || ")\"'".contains(c)).next().unwrap();
            site.write(path.trim_start_matches('/'), picture(9));
        }
    }
}

#[test]
fn the_history_of_a_registry_gets_the_verdicts_of_the_original() {
    let test = "the_history_of_a_registry_gets_the_verdicts_of_the_original";
    let (Some(trace), Some(python)) = (trace(test), python(test)) else { return };
    let mut verdicts = 0;
    for tick in trace.ticks() {
        let site = Site::new(CONFIG);
        trace.checkout(tick, site.path()).unwrap();
        add_pictures(&site, "_plugins");
        let original = original(&python, site.path(), "_plugins");
        let ours = ours(&site, "_plugins");
        verdicts += original.values().map(BTreeSet::len).sum::<usize>();
        assert_eq!(differences(&original, &ours), BTreeSet::new(), "tick {tick}");
    }
    // A check that says nothing agrees with another one that does.
    assert!(verdicts > 1000, "{verdicts}");
}

/// Verdicts on the cases that differ, and why.
const DIFFERENCES: [(&str, &str); 3] = [
    // Jekyll doesn't publish files whose names begin with `_`, and neither does shelflife, so nothing is asked of them.
    ("hidden-file: _draft.md: only the original: error missing-python", "put aside"),
    ("hidden-file: _draft.md: only the original: warning file-name", "put aside"),
    // The path lacks its slash, which is told; the folder is the right one.
    ("screenshot-no-slash: one.md: only the original: warning picture-folder", "told once"),
];

#[test]
fn what_real_registries_taught_gets_the_verdicts_of_the_original() {
    let test = "what_real_registries_taught_gets_the_verdicts_of_the_original";
    let Some(python) = python(test) else { return };
    let Some(cases) = shared().map(|shared| shared.join("cases")) else { return skip(test, "no ../shared") };
    let mut found = BTreeSet::new();
    for case in std::fs::read_dir(cases).unwrap().map(Result::unwrap).filter(|case| case.path().is_dir()) {
        let site = Site::new("");
        for (path, content) in Site::files(&case.path()) {
            // Some ask a server that a test has to start.
            let content = String::from_utf8(content).unwrap().replace(":PORT/", ":9/");
            site.write(path.to_str().unwrap(), content);
        }
        let entries = ["_plugins", "entries"]
            .into_iter()
            .find(|folder| site.at(folder).read_dir().is_ok_and(|mut it| it.next().is_some()));
        let Some(entries) = entries else { continue };
        let name = case.file_name().into_string().unwrap();
        let lines = differences(&original(&python, site.path(), entries), &ours(&site, entries));
        found.extend(lines.into_iter().map(|line| format!("{name}: {line}")));
    }
    let expected: BTreeSet<String> = DIFFERENCES.iter().map(|(line, _)| (*line).to_owned()).collect();
    assert_eq!(found, expected);
}
