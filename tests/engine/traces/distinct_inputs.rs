//! What reads alike, or lies in the same place, and is not the same: outputs of the one don't stay for the other.

use std::collections::BTreeSet;

use serde_json::Value;

use super::warm_site::{BUILDERS, By, CONFIG, Lab};

/// What a report says why an output was written.
fn inputs<'a>(report: &'a Value, path: &str) -> BTreeSet<&'a str> {
    report["why"][path].as_array().unwrap().iter().map(|change| change["input"].as_str().unwrap()).collect()
}

fn page(about: &str) -> String {
    format!("---\ntitle: Title\n{about}\n---\n\nText.\n")
}

#[test]
fn a_title_that_reads_like_two_links_is_one() {
    for by in BUILDERS {
        let mut lab = Lab::new(by);
        lab.put("pages/a.md", &page("nav: A\naddress: /a/"));
        lab.put("pages/b.md", &page("nav: B\naddress: /b/"));
        lab.build();
        lab.put("pages/a.md", &page("address: /a/"));
        lab.put("pages/b.md", &page("nav: 'A (/a/), B'\naddress: /b/"));
        lab.build();
        assert_eq!(lab.stale(), [""; 0], "{by:?}");
    }
}

#[test]
fn a_page_with_an_address_follows_its_folder_to_another_section() {
    for by in BUILDERS {
        let mut lab = Lab::new(by);
        let folders = |pages, topics| format!("{CONFIG}\n[paths]\npages = '{pages}'\ntopics = '{topics}'\n");
        lab.put("shelflife.toml", &folders("one", "two"));
        lab.put("one/a.md", &page(""));
        lab.put("two/b.md", &page("address: /b/"));
        lab.put("two/c.md", &page(""));
        lab.build();
        lab.put("shelflife.toml", &folders("two", "one"));
        lab.build();
        assert_eq!(lab.stale(), [""; 0], "{by:?}");
    }
}

#[test]
fn a_folder_of_pages_that_becomes_one_of_topics_is_one() {
    for by in BUILDERS {
        let mut lab = Lab::new(by);
        lab.site.entry("one", "");
        lab.put("shelflife.toml", &format!("{CONFIG}\n[paths]\ntopics = 'none'\n"));
        lab.put("_pages/x.md", &page(""));
        lab.build();
        // In the order of folders, there is the same in each.
        lab.put("shelflife.toml", &format!("{CONFIG}\n[paths]\npages = 'none'\n"));
        lab.remove("_pages/x.md");
        lab.put("topics/x.md", &page(""));
        lab.build();
        assert_eq!(lab.stale(), [""; 0], "{by:?}");
    }
}

#[test]
fn warnings_name_files_where_they_are() {
    for by in BUILDERS {
        for (key, from) in [("entries", "entries/one.md"), ("data", "data/notices.yaml")] {
            let mut lab = Lab::new(by);
            lab.site.entry("one", "compatibility: {os: [beos]}\n");
            lab.put("data/notices.yaml", "- plugin: one\n");
            lab.build();
            std::fs::rename(lab.site.at(key), lab.site.at("moved")).unwrap();
            lab.put("shelflife.toml", &format!("{CONFIG}\n[paths]\n{key} = 'moved'\n"));
            lab.tell(from);
            let (warm, cold) = (lab.build(), lab.try_cold().unwrap());
            assert_eq!(warm["warnings"], cold["warnings"], "{key} by {by:?}");
        }
    }
}

#[test]
fn a_redirect_shows_its_address_as_it_is_written() {
    for by in BUILDERS {
        let mut lab = Lab::new(by);
        lab.put("templates/redirect.html", "{{ page.path }}");
        lab.site.entry("one", "redirect_from: /old\n");
        lab.build();
        lab.site.entry("one", "redirect_from: /old/\n");
        lab.tell("entries/one.md");
        let report = lab.build();
        assert_eq!(lab.stale(), [""; 0], "{by:?}");
        assert_eq!(inputs(&report, "old/index.html"), BTreeSet::from(["entries/one.md"]), "{by:?}");
    }
}

#[test]
fn what_takes_the_place_of_an_output_is_named() {
    let mut lab = Lab::new(By::Processes);
    lab.site.entry("one", "redirect_from: /old/\n");
    lab.build();
    lab.put("pages/help/data.md", &page(""));
    lab.put("root/old/index.html", "Old.\n");
    let report = lab.build();
    assert!(inputs(&report, "help/data/index.html").contains("page pages/help/data.md"), "{report}");
    let old = BTreeSet::from(["file root/old/index.html", "the page that it redirects to"]);
    assert_eq!(inputs(&report, "old/index.html"), old);
    assert_eq!(report["why"]["old/index.html"].as_array().unwrap().len(), old.len());
}

/// A site with an entry that is larger than a limit, which was lowered.
fn too_large(by: By) -> Lab {
    let mut lab = Lab::new(by);
    lab.site.entry("one", &format!("extra: {}\n", "x".repeat(2000)));
    lab.site.entry("two", "");
    lab.build();
    lab.put("shelflife.toml", &format!("{CONFIG}\n[limits]\nentry_size = '1500 B'\n"));
    lab
}

fn refused(report: &Value) -> usize {
    report["problems"].as_array().map_or(0, Vec::len)
}

#[test]
fn what_is_published_of_an_entry_that_is_refused_does_not_make_it_good() {
    for by in BUILDERS {
        let mut lab = too_large(by);
        assert_eq!(refused(&lab.build()), 1, "{by:?}");
        lab.site.entry("two", "tags: [one]\n");
        lab.tell("entries/two.md");
        assert_eq!(refused(&lab.build()), 1, "{by:?}");
    }
}

#[test]
fn an_entry_is_read_again_once_it_is_within_the_limits() {
    for by in BUILDERS {
        let mut lab = too_large(by);
        lab.site.entry("one", &format!("extra: {}\ntags: [another]\n", "x".repeat(2000)));
        lab.tell("entries/one.md");
        assert_eq!(refused(&lab.build()), 1, "{by:?}");
        lab.put("shelflife.toml", CONFIG);
        assert_eq!(refused(&lab.build()), 0, "{by:?}");
        assert_eq!(lab.stale(), [""; 0], "{by:?}");
    }
}

#[test]
fn a_template_that_shares_itself_is_refused() {
    let mut lab = Lab::new(By::Processes);
    lab.put("templates/404.html", "{{ shared('a.html') }}");
    lab.put("templates/a.html", "{{ shared('a.html') }}");
    let error = lab.try_build().unwrap_err();
    assert!(error.contains("nested more than"), "{error}");
}
