//! What the output folder itself tells of the builds that wrote it, where the cache does not know it.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use crate::common::Site;
use serde_json::{Value, json};
use shelflife::digest::Digest;
use shelflife::publish::MANIFEST;

const CONFIG: &str = "title = \"Test\"\nurl = \"https://plugins.example\"";
const PAGE: &str = "public/plugins/two/index.html";

/// A site with two entries that is built, and a file of somebody else's in its output folder.
fn site() -> Site {
    let site = Site::new(CONFIG);
    site.entry("one", "");
    site.entry("two", "");
    site.build(&[]).succeeded();
    site.write("public/CNAME", "plugins.example");
    site
}

fn manifest() -> String {
    format!("public/{MANIFEST}")
}

fn lose_the_cache(site: &Site) {
    std::fs::remove_dir_all(site.at(".shelflife")).unwrap();
}

/// A copy of the cache, which is whole once the build has ended.
fn cache(site: &Site) -> BTreeMap<PathBuf, Vec<u8>> {
    site.tree(".shelflife")
}

fn put_back(site: &Site, cache: &BTreeMap<PathBuf, Vec<u8>>) {
    lose_the_cache(site);
    cache.iter().for_each(|(path, bytes)| site.write(&format!(".shelflife/{}", path.display()), bytes));
}

fn remove(site: &Site, entry: &str) {
    std::fs::remove_file(site.at(&format!("entries/{entry}.md"))).unwrap();
}

/// What is in the output folder must be what a first build publishes, and the foreign file.
#[track_caller]
fn assert_exact(site: &Site, foreign: &[&str]) {
    let mut tree = site.tree("public");
    for path in foreign {
        assert!(tree.remove(Path::new(path)).is_some(), "{path} is gone");
    }
    let cold = site.cold();
    assert_eq!(tree.keys().collect::<Vec<_>>(), cold.keys().collect::<Vec<_>>());
    assert!(tree == cold);
}

/// Replaces the manifest by one that tells of these files, whatever is in them.
fn tell(site: &Site, paths: &[(&str, &[u8])]) {
    let lines = paths.iter().map(|(path, content)| format!("{} {path}\n", Digest::of(content).short(16)));
    site.write(&manifest(), format!("shelflife-manifest 1\n{}", lines.collect::<String>()));
}

#[test]
fn a_lost_cache_removes_what_the_site_has_no_longer() {
    let site = site();
    lose_the_cache(&site);
    remove(&site, "two");
    let report = site.report(&[]);
    assert!(!site.at(PAGE).exists());
    assert_eq!(report["warnings"], json!([]), "whatever is there is either the site's or foreign");
    assert_exact(&site, &["CNAME"]);
}

#[test]
fn the_manifest_is_no_output() {
    let site = site();
    let explained = site.program(&["explain", MANIFEST, "--site"]).arg(site.path()).output().unwrap();
    let stderr = String::from_utf8_lossy(&explained.stderr);
    assert!(!explained.status.success() && stderr.contains("neither an output nor"), "{stderr}");
    let report = site.report(&["--now", "2026-11-25T00:00:00Z"]);
    let unchanged = usize::try_from(report["outputs"]["unchanged"].as_u64().unwrap()).unwrap();
    assert_eq!(unchanged, site.tree("public").len() - 2, "beside the manifest and the foreign file");
}

#[test]
fn a_cache_that_is_older_than_the_folder_removes_what_came_or_changed_since() {
    let site = site();
    let older = cache(&site);
    site.entry("two", "tags: [changed]\n");
    site.entry("three", "");
    site.build(&[]).succeeded();
    put_back(&site, &older);
    remove(&site, "two");
    remove(&site, "three");
    let removed = site.report(&[])["outputs"]["removed_paths"].clone();
    for page in ["plugins/two/index.html", "plugins/three/index.html"] {
        assert!(removed.as_array().unwrap().contains(&Value::from(page)), "{removed}");
    }
    assert_exact(&site, &["CNAME"]);
}

#[test]
fn what_was_changed_by_hand_stays_and_is_told() {
    let site = site();
    let older = cache(&site);
    for lose in [lose_the_cache as fn(&Site), |_| {}] {
        put_back(&site, &older);
        site.entry("two", "tags: [changed]\n");
        site.build(&[]).succeeded();
        put_back(&site, &older);
        lose(&site);
        site.write(PAGE, "by hand");
        remove(&site, "two");
        let run = site.build(&[]).succeeded();
        run.says("kept plugins/two/index.html: it is no longer part of the site");
        assert_eq!(site.read(PAGE), "by hand");
        assert!(!site.build(&[]).succeeded().stderr.contains("by hand"), "it is told once");
        assert_exact(&site, &["CNAME", "plugins/two/index.html"]);
    }
}

#[test]
fn a_manifest_that_is_damaged_or_gone_is_mended() {
    let site = site();
    let right = site.tree("public");
    let (path, whole) = (manifest(), site.read(&manifest()));
    assert!(whole.lines().count() > 20 && !whole.contains(MANIFEST), "{whole}");
    let cases = [None, Some(String::new()), Some("\u{0}".repeat(9000)), Some(whole.replace(" 1\n", " 2\n"))];
    for damage in cases {
        match &damage {
            Some(text) => site.write(&path, text),
            None => std::fs::remove_file(site.at(&path)).unwrap(),
        }
        let outputs = site.report(&[])["outputs"].clone();
        assert_eq!((&outputs["written"], &outputs["removed"]), (&json!(0), &json!(0)), "{damage:?}");
        assert!(site.tree("public") == right, "{damage:?}");
        assert_eq!(site.report(&[])["queries"], json!({}));
    }
    // Lines that say nothing do not keep the others from being understood.
    remove(&site, "two");
    lose_the_cache(&site);
    site.write(&path, whole.replacen('\n', "\nnonsense\n\n0 \n", 1));
    site.build(&[]).succeeded();
    assert_exact(&site, &["CNAME"]);
}

#[test]
fn an_older_folder_with_its_manifest_is_cleared_up_too() {
    let site = site();
    let older = site.tree("public");
    remove(&site, "two");
    site.build(&[]).succeeded();
    lose_the_cache(&site);
    site.build(&[]).succeeded();
    std::fs::remove_dir_all(site.at("public")).unwrap();
    older.iter().for_each(|(path, bytes)| site.write(&format!("public/{}", path.display()), bytes));
    site.build(&[]).succeeded();
    assert_exact(&site, &["CNAME"]);
}

#[test]
fn two_caches_may_take_turns() {
    let site = site();
    let other = site.at("other.sqlite");
    let other = ["--cache", other.to_str().unwrap()];
    for round in 0..3 {
        for arguments in [&other[..], &[]] {
            site.entry(&format!("new{round}{}", arguments.len()), "");
            if round > 0 {
                remove(&site, &format!("new{}{}", round - 1, arguments.len()));
            }
            site.build(arguments).succeeded();
            assert_exact(&site, &["CNAME"]);
        }
    }
}

#[cfg(unix)]
#[test]
fn a_manifest_leads_nowhere_else() {
    use std::os::unix::fs::symlink;
    let site = site();
    let outside = tempfile::tempdir().unwrap();
    std::fs::write(outside.path().join("precious"), "precious").unwrap();
    site.write("precious", "precious");
    site.write("public/.git/config", "precious");
    site.write("public/sub/.git", "precious");
    site.write("public/folder/below", "precious");
    symlink(outside.path(), site.at("public/link")).unwrap();
    symlink(outside.path().join("precious"), site.at("public/link.html")).unwrap();
    let absolute = outside.path().join("precious");
    let content = &b"precious"[..];
    let paths = [
        absolute.to_str().unwrap(),
        "../precious",
        "plugins/../../precious",
        "./../precious",
        "link/precious",
        "link.html",
        ".git/config",
        ".GIT/config",
        "sub/.git",
        "folder",
        "folder/",
        "",
        ".",
        "index.html",
    ];
    let before = (site.tree("public"), Site::files(outside.path()));
    for lose in [lose_the_cache as fn(&Site), |_| {}] {
        tell(&site, &paths.map(|path| (path, content)));
        lose(&site);
        let report = site.report(&[]);
        assert_eq!(report["outputs"]["removed_paths"], json!([]));
        assert!((site.tree("public"), Site::files(outside.path())) == before);
        assert_eq!(site.read("precious"), "precious");
    }
    // Nor is it read or written through a link.
    std::fs::rename(site.at(&manifest()), outside.path().join("manifest")).unwrap();
    symlink(outside.path().join("manifest"), site.at(&manifest())).unwrap();
    let run = site.build(&[]);
    assert!(run.code == 1 && run.stderr.contains("is a symbolic link"), "{}", run.stderr);
}

#[test]
fn a_site_that_copies_a_published_folder_to_its_root_has_its_own_manifest() {
    let site = site();
    let older = site.tree("public");
    site.write("shelflife.toml", format!("{CONFIG}\n[paths]\nroot = \"old\"\n"));
    let old = older.iter().filter(|(path, _)| path.starts_with("plugins/two") || path.starts_with(MANIFEST));
    old.for_each(|(path, bytes)| site.write(&format!("old/{}", path.display()), bytes));
    remove(&site, "two");
    site.build(&[]).succeeded();
    assert!(site.at(PAGE).exists());
    assert_exact(&site, &["CNAME"]);
}
