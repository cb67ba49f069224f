//! Edits of real entries change nothing but what they are about, and what is mended is published as before.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use crate::common::{Site, skip};
use shelflife::config::Limits;
use shelflife::edit::fix::{Kind, fixed, fixes};
use shelflife::edit::{EntryFile, Value, apply};
use shelflife_testkit::replay::shared;

// No test asks a site that nobody has published for its history.
const CONFIG: &str = "url = \"https://plugins.example.org\"\nhistory.seed = \"off\"\n";

/// Mends every entry below a folder of the site; how often there was something of each kind to mend.
fn mend(site: &Site, folder: &str, https: &BTreeSet<String>) -> BTreeMap<Kind, usize> {
    let mut found = BTreeMap::new();
    for (name, bytes) in site.tree(folder) {
        let path = format!("{folder}/{}", name.display());
        let fixes = fixes(&path, &bytes, &Limits::default(), https);
        let after = fixed(&bytes, &fixes);
        assert_eq!(shelflife::edit::fix::fixes(&path, &after, &Limits::default(), https), vec![], "{path}");
        for fix in fixes {
            *found.entry(fix.kind).or_default() += 1;
        }
        site.write(&path, after);
    }
    found
}

/// The published files that two builds have in common, without those that differ.
#[track_caller]
fn assert_same(before: &BTreeMap<PathBuf, Vec<u8>>, after: &BTreeMap<PathBuf, Vec<u8>>) {
    assert!(before.keys().eq(after.keys()));
    let differing: Vec<&PathBuf> =
        before.iter().filter(|(path, bytes)| after.get(*path) != Some(bytes)).map(|(path, _)| path).collect();
    assert!(differing.is_empty(), "{differing:?}");
}

#[test]
fn a_mended_entry_is_published_as_before() {
    let site = Site::new(CONFIG);
    let entry = |stem: &str| crate::common::entry(stem, "tags: [a, b] \nnote: |\n  kept  \n  here\n");
    let body = "One  \ntwo \nthree\t\n\n```text\ncode  \n```\n \n    indented \n\n| a | b | \n|---|---|  \n| 1 | 2 |  \n\n* x  \n* y  \n";
    site.write("entries/one.md", format!("\u{feff}{}{body}", entry("one")).replace('\n', "\r\n"));
    site.write(
        "entries/two.md",
        entry("two").replace("author: Ada of two", "author: # both \n- Ada\n- 'Grace' "),
    );
    site.write(
        "entries/three.md",
        entry("three").replace("date: 2020-02-03", "date:   3rd February 2020 # or so"),
    );
    site.write("entries/four.md", format!("{}{body}", entry("four")));
    let before = site.cold();
    let found = mend(&site, "entries", &BTreeSet::new());
    let all = [Kind::ByteOrderMark, Kind::LineEnds, Kind::TrailingBlanks, Kind::AuthorList, Kind::DateForm];
    assert_eq!(found.keys().copied().collect::<Vec<_>>(), all);
    assert_same(&before, &site.cold());
    assert!(site.read("entries/two.md").contains("\nauthors: # both\n- Ada\n- 'Grace'\n"));
    assert!(site.read("entries/three.md").contains("\ndate:   2020-02-03 # or so\n"));
    assert!(
        site.read("entries/four.md").contains("\n  kept  \n")
            && site.read("entries/four.md").contains("\nOne  \ntwo\n")
    );
    assert_eq!(site.warnings(&["--offline"]), Vec::<String>::new());
}

#[test]
fn only_addresses_that_were_seen_become_https() {
    let site = Site::new(CONFIG);
    let plain = "http://example.org/one";
    site.write(
        "entries/one.md",
        crate::common::entry("one", "note: http://example.org/one\n")
            .replace("https://example.org/one", plain),
    );
    let before = site.cold();
    let found = mend(&site, "entries", &BTreeSet::from([plain.to_owned()]));
    assert_eq!(found, BTreeMap::from([(Kind::Https, 2)]));
    let after = site.cold();
    assert!(site.read("entries/one.md").contains("archive: http://example.org/one.zip\n"));
    let secured = |bytes: &[u8]| {
        String::from_utf8_lossy(bytes).replace("http://example.org/one\"", "https://example.org/one\"")
    };
    let plugins = PathBuf::from("plugins.json");
    assert_eq!(secured(&before[&plugins]), secured(&after[&plugins]));
    assert_ne!(before[&plugins], after[&plugins]);
}

#[test]
fn a_real_registry_is_published_as_before() {
    let Some(shared) = shared() else {
        return skip("a_real_registry_is_published_as_before", "no ../shared");
    };
    let config = format!(
        "{CONFIG}[paths]
entries = \"_plugins\"
data = \"_data\"
"
    );
    let site = Site::new(&config);
    for (name, bytes) in Site::files(&shared.join("registry")) {
        site.write(name.to_str().unwrap(), bytes);
    }
    let before = site.cold();
    let found = mend(&site, "_plugins", &BTreeSet::new());
    assert!(found[&Kind::LineEnds] >= 5 && found[&Kind::TrailingBlanks] >= 20, "{found:?}");
    assert_same(&before, &site.cold());
}

#[test]
fn in_real_entries_a_mark_comes_and_goes_without_a_trace() {
    let Some(shared) = shared() else {
        return skip("in_real_entries_a_mark_comes_and_goes_without_a_trace", "no ../shared");
    };
    let (mut marked, limits) = (0, Limits::default());
    for folder in ["registry/_plugins", "cases"] {
        for (name, bytes) in Site::files(&shared.join(folder)) {
            let path = name.to_string_lossy().into_owned();
            let Ok(file) = EntryFile::read(&path, &bytes, &limits) else { continue };
            for key in ["abandoned", "disabled", "license"] {
                let edits =
                    file.set(key, Value::Text("see: #1")).unwrap_or_else(|problem| panic!("{problem}"));
                let after = apply(&bytes, &edits);
                let edited = EntryFile::read(&path, &after, &limits).unwrap();
                assert_eq!(edited.value(key), Some("see: #1"), "{path}");
                let removed = apply(&after, &edited.remove(key).unwrap());
                if !file.is_set(key) {
                    assert_eq!(removed, bytes, "{path}: {key}");
                    marked += 1;
                }
            }
        }
    }
    assert!(marked > 200, "{marked}");
}
