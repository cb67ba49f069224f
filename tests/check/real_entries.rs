//! Every entry and data file of the real registry is read, where it lies beside the repository.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::common::skip;
use shelflife::config::Limits;
use shelflife::data;
use shelflife::entry::shortcode::{About, Shortcodes, expand};
use shelflife::entry::{Named, duplicates, parse};
use shelflife::markdown::{self, Addresses};
use shelflife::warning::Place;

/// The folder with real data; none, and a line that says so, where there is no such folder.
fn shared(test: &str) -> Option<PathBuf> {
    let shared = shelflife_testkit::replay::shared();
    if shared.is_none() {
        skip(test, "no ../shared");
    }
    shared
}

/// Path and content of every entry and data file, and of every version of them in the trace.
fn files(shared: &Path) -> Vec<(String, Vec<u8>)> {
    let mut files = Vec::new();
    let scratch = tempfile::tempdir().unwrap();
    let git = |arguments: &[&str]| {
        let output = Command::new("git").current_dir(scratch.path()).args(arguments).output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        output.stdout
    };
    let bundle = shared.join("trace/sources.bundle");
    git(&["clone", "--quiet", "--bare", &bundle.canonicalize().unwrap().to_string_lossy(), "."]);
    let tags = String::from_utf8(git(&["tag"])).unwrap();
    let mut seen = std::collections::HashSet::new();
    for tag in tags.lines() {
        for line in String::from_utf8(git(&["ls-tree", "-r", tag])).unwrap().lines() {
            let (object, path) = line.split_once('\t').unwrap();
            let object = object.rsplit(' ').next().unwrap().to_owned();
            if seen.insert((path.to_owned(), object.clone())) {
                files.push((path.to_owned(), git(&["cat-file", "blob", &object])));
            }
        }
    }
    for folder in ["_plugins", "_data"] {
        for file in std::fs::read_dir(shared.join("registry").join(folder)).unwrap() {
            let file = file.unwrap();
            let path = format!("{folder}/{}", file.file_name().to_string_lossy());
            files.push((path, std::fs::read(file.path()).unwrap()));
        }
    }
    files
}

#[test]
fn the_real_registry_is_read() {
    let Some(shared) = shared("the_real_registry_is_read") else { return };
    let mut entries = 0;
    for (path, bytes) in files(&shared) {
        let problems = match path.as_str() {
            "_data/notices.yaml" => data::notices(&path, &bytes, &Limits::default())
                .map(|(found, _)| assert!(!found.is_empty()))
                .err(),
            "_data/blacklist.yaml" => data::blocklist(&path, &bytes, &Limits::default())
                .map(|(found, _)| assert!(!found.is_empty()))
                .err(),
            "_data/update_check_overlays.yaml" => data::overlays(&path, &bytes, &Limits::default()).err(),
            "_data/compat.yaml" => {
                let (compat, _) = data::compat(&path, &bytes, &Limits::default()).unwrap();
                let default = data::Compat::default();
                assert_eq!(
                    compat.expand(&["posix".into(), "nix".into()]),
                    default.expand(&["posix".into(), "nix".into()])
                );
                assert_eq!(compat.default_systems(), default.default_systems());
                None
            }
            _ if path.ends_with(".md") => {
                entries += 1;
                parse(&path, &bytes, &Limits::default()).err()
            }
            _ => None,
        };
        assert_eq!(problems, None, "{path}");
    }
    assert!(entries >= 122, "{entries}");
}

#[test]
fn the_real_entries_are_valid_pages() {
    let Some(shared) = shared("the_real_entries_are_valid_pages") else { return };
    let mut read = Vec::new();
    for file in std::fs::read_dir(shared.join("registry/_plugins")).unwrap() {
        let path = file.unwrap().path();
        let name = format!("_plugins/{}", path.file_name().unwrap().to_string_lossy());
        let bytes = std::fs::read(path).unwrap();
        let parsed = parse(&name, &bytes, &Limits::default()).unwrap();
        let entry = &parsed.entry;
        let page_path = format!("/plugins/{}/", entry.stem);
        let with = Shortcodes {
            site_url: "https://site.example",
            base_path: "",
            site_title: "Site",
            about: About::Plugin(entry),
            page_path: &page_path,
            picture: &|_| None,
        };
        let body = expand(&entry.body, &with);
        assert!(!body.contains("{{") && !body.contains("{%"), "{name}: {body}");
        let html = markdown::to_html(&body, Addresses::new(&|_| None));
        let tree = scraper::Html::parse_fragment(&html);
        assert_eq!(
            tree.root_element().inner_html(),
            html,
            "{name}: HTML that is read otherwise than it is written"
        );
        for word in ["align=", "<font", "<center", "<h1", "javascript:", "style="] {
            assert!(!html.contains(word), "{name}: {word}");
        }
        read.push(parsed.entry);
    }
    let place = Place { path: String::new(), line: 1, column: 1 };
    let named = read.iter().map(|entry| Named { stem: &entry.stem, id: &entry.id, id_place: &place });
    assert_eq!(duplicates(named), []);
}

#[test]
fn short_texts_are_those_that_were_published() {
    let Some(shared) = shared("short_texts_are_those_that_were_published") else { return };
    let tick: serde_json::Value =
        serde_json::from_slice(&std::fs::read(shared.join("trace/ticks/300.json")).unwrap()).unwrap();
    let mut disabled = 0;
    for plugin in tick["plugins"].as_array().unwrap() {
        let stem = plugin["id"].as_str().unwrap();
        let path = format!("_plugins/{stem}.md");
        let entry =
            parse(&path, &std::fs::read(shared.join("registry").join(&path)).unwrap(), &Limits::default())
                .unwrap()
                .entry;
        if let Some(text) = plugin.get("disabled") {
            disabled += 1;
            assert_eq!(
                &markdown::to_html_smart(entry.disabled.as_deref().unwrap(), &|_| None),
                text.as_str().unwrap()
            );
        }
        let authors: Vec<_> = entry.authors.iter().map(|author| markdown::strip_tags(author)).collect();
        assert_eq!(authors.join(", "), plugin["author"].as_str().unwrap(), "{stem}");
        if entry.note.is_none() {
            let description = markdown::strip_tags(&entry.description);
            assert_eq!(description, plugin["description"].as_str().unwrap(), "{stem}");
        }
    }
    assert!(disabled > 0);
}
