//! What no entry and no page names renders and parses none of them.

use serde_json::Value;

use super::warm_site::{BUILDERS, By, Lab, computed, written};

const ENTRIES: usize = 12;

fn lab(by: By) -> Lab {
    let mut lab = Lab::new(by);
    for number in 0..ENTRIES {
        lab.site
            .entry(&format!("plugin{number:02}"), "tags: [common]\nfeatured_image: /assets/img/one.png\n");
    }
    lab.site.write("assets/img/one.png", "not really a picture");
    lab.build();
    // A builder that goes on has looked once at what its first build has made.
    let text = lab.site.read("entries/plugin01.md").replace("Text.", "Another text.");
    lab.put("entries/plugin01.md", &text);
    lab.build();
    lab
}

/// Fails if a build has parsed an entry or rendered anything of one.
#[track_caller]
fn assert_reads_no_entry(report: &Value, what: &str) {
    for query in ["parsed", "description", "plugin", "show", "page", "alternates"] {
        assert_eq!(computed(report, query), 0, "{what}: {query}: {}", report["queries"]);
    }
}

#[test]
fn a_picture_that_nothing_names_renders_no_page() {
    for by in BUILDERS {
        let mut lab = lab(by);
        for (what, has) in [("appears", Some("a picture")), ("changes", Some("another one")), ("goes", None)]
        {
            match has {
                Some(has) => lab.put("assets/img/new.png", has),
                None => lab.remove("assets/img/new.png"),
            }
            let report = lab.build();
            assert_reads_no_entry(&report, &format!("{by:?}, it {what}"));
            let expected: &[&str] = if has.is_some() { &["assets/img/new.png"] } else { &[] };
            assert_eq!(written(&report), expected, "{by:?}, it {what}");
            assert_eq!(lab.stale(), [""; 0], "{by:?}, it {what}");
        }
    }
}

/// A picture that was missing is another matter for those who name it.
#[test]
fn a_picture_that_entries_name_is_published_when_it_comes_back() {
    for by in BUILDERS {
        let mut lab = lab(by);
        for has in [None, Some("a picture again")] {
            match has {
                Some(has) => lab.put("assets/img/one.png", has),
                None => lab.remove("assets/img/one.png"),
            }
            lab.build();
            assert_eq!(lab.stale(), [""; 0], "{by:?}, {has:?}");
        }
    }
}

#[test]
fn a_synonym_renders_no_page() {
    for by in BUILDERS {
        let mut lab = lab(by);
        let config = lab.site.read("shelflife.toml");
        lab.put("shelflife.toml", &format!("{config}\n[search]\nsynonyms = [\"webcam, camera\"]\n"));
        let report = lab.build();
        assert_reads_no_entry(&report, &format!("{by:?}"));
        assert_eq!(written(&report), ["browse.json"], "{by:?}");
        assert_eq!(lab.stale(), [""; 0], "{by:?}");
    }
}
