//! `shelflife check` and where files are: how paths are given, how they are named, and what is remembered of them.

use std::path::Path;

use crate::common::{Site, entry};
use serde_json::Value;

const CONFIG: &str = "url = \"https://plugins.example.org\"\n";

/// What a check in a folder says on standard output and standard error, and its exit code.
fn check_in(site: &Site, folder: &Path, arguments: &[&str]) -> (i32, String, String) {
    let output = site.program(&["check"]).args(arguments).current_dir(folder).output().unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    (output.status.code().unwrap_or(-1), text(output.stdout), text(output.stderr))
}

#[test]
fn a_path_may_lead_through_other_folders() {
    let site = Site::new(CONFIG);
    site.entry("one", "");
    site.write("pages/x.md", "---\ntitle: X\n---\n");
    let folder = site.path().file_name().unwrap().to_str().unwrap();
    for path in
        ["../entries/one.md", "./../pages/../entries/one.md", &format!("../../{folder}/entries/one.md")]
    {
        let (_, _, said) = check_in(&site, &site.at("pages"), &[path]);
        assert!(said.starts_with("Checked 1 entry:"), "{path}: {said}");
    }
    let (code, _, said) = check_in(&site, &site.at("pages"), &["../.."]);
    assert!(code == 2 && said.contains("is not in the site folder"), "{said}");
}

#[test]
fn a_site_is_the_whole_site_however_it_is_named() {
    let site = Site::new(CONFIG);
    // Less is asked of what was there than of what changes.
    site.entry("one", "");
    for path in [site.path().to_str().unwrap(), "./", "entries/.."] {
        let (code, found, said) = check_in(&site, site.path(), &["--format", "short", path]);
        assert!(code == 0 && found.contains("warning[missing-python]"), "{path}: {found}{said}");
    }
    let (code, found, _) = check_in(&site, site.path(), &["--format", "short", "entries"]);
    assert!(code == 1 && found.contains("error[missing-python]"), "{found}");
}

#[test]
fn code_scanning_finds_files_from_the_repositorys_root() {
    let repository = tempfile::tempdir().unwrap();
    let mut site = Site::below(repository.path(), CONFIG);
    site.write("entries/one two.md", "---\nid: [\n---\n");
    site.set("GITHUB_ACTIONS", "true");
    site.set("GITHUB_WORKSPACE", repository.path().to_str().unwrap());
    let (_, log, _) = check_in(&site, site.path(), &["--format", "sarif"]);
    let log: Value = serde_json::from_str(&log).unwrap();
    let uri = &log["runs"][0]["results"][0]["locations"][0]["physicalLocation"]["artifactLocation"]["uri"];
    let folder = site.path().file_name().unwrap().to_str().unwrap();
    assert_eq!(*uri, format!("{folder}/entries/one%20two.md"));
}

#[test]
fn nothing_is_mended_of_which_nothing_is_said() {
    let site = Site::new(CONFIG);
    let draft = entry("one", "published: false\n").replace('\n', "\r\n");
    site.write("entries/one.md", &draft);
    let (code, _, said) = check_in(&site, site.path(), &["--fix"]);
    assert_eq!((code, site.read("entries/one.md")), (0, draft), "{said}");
}

#[test]
fn nothing_is_remembered_where_nobody_has_built() {
    let site = Site::new(&format!("{CONFIG}[paths]\ncache = \"cache.sqlite\"\n"));
    site.entry("one", "");
    check_in(&site, site.path(), &[]);
    assert!(!site.at("check.bin").exists() && !site.at("check-entries.bin").exists());
}

#[test]
fn what_is_remembered_has_the_names_that_folders_have_now() {
    let site = Site::new(CONFIG);
    site.entry("one", "");
    site.write("pages/x.md", "---\npermalink: x.json\n---\n");
    site.build(&[]).succeeded();
    let (_, first, _) = check_in(&site, site.path(), &["--format", "short"]);
    assert!(first.contains("pages/x.md:2"), "{first}");
    std::fs::rename(site.at("pages"), site.at("own")).unwrap();
    site.write("shelflife.toml", format!("{CONFIG}[paths]\npages = \"own\"\n"));
    let (_, renamed, _) = check_in(&site, site.path(), &["--format", "short"]);
    assert_eq!(renamed, first.replace("pages/x.md", "own/x.md"));
}
