//! `shelflife cache`: what people see of the cache.
#![allow(missing_docs)]

mod common;

use std::process::Command;

use common::Site;

fn cache(site: &Site, action: &str) -> (i32, String) {
    let output = Command::new(env!("CARGO_BIN_EXE_shelflife"))
        .args(["cache", action, "--site"])
        .arg(site.path())
        .env_clear()
        .output()
        .unwrap();
    let text =
        String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
    (output.status.code().unwrap(), text)
}

#[test]
fn counts_verifies_forgets() {
    let site = Site::new("title = \"Test\"");
    site.entry("one", "");
    let (code, text) = cache(&site, "stats");
    assert_eq!(code, 1);
    assert!(text.contains("there is no cache at"), "{text}");

    site.build(&[]).succeeded();
    let before = site.tree("public");
    let (code, text) = cache(&site, "stats");
    assert_eq!(code, 0);
    assert!(text.contains("memos: page"), "{text}");
    assert_eq!(cache(&site, "verify"), (0, "Everything is as it was stored\n".to_owned()));
    assert_eq!(cache(&site, "gc").0, 0);
    let size = || std::fs::metadata(site.at(".shelflife/cache.sqlite")).unwrap().len();
    let full = size();
    assert_eq!(cache(&site, "clear").0, 0);
    assert!(size() < full, "what is forgotten is given back to the disk");
    std::fs::remove_dir_all(site.at("public")).unwrap();
    site.build(&[]).succeeded();
    assert_eq!(site.tree("public"), before);
}

#[test]
fn says_what_is_damaged() {
    let site = Site::new("title = \"Test\"");
    site.entry("one", "");
    site.build(&[]).succeeded();
    let cache_file = rusqlite::Connection::open(site.at(".shelflife/cache.sqlite")).unwrap();
    cache_file
        .execute("UPDATE blob SET bytes = zeroblob(5) WHERE rowid = (SELECT min(rowid) FROM blob)", [])
        .unwrap();
    drop(cache_file);
    let (code, text) = cache(&site, "verify");
    assert_eq!(code, 1);
    assert!(text.starts_with("blob ") && text.lines().count() == 1, "{text}");
}

#[test]
fn whoever_only_looks_leaves_the_cache_of_a_newer_version_alone() {
    let site = Site::new("title = \"Test\"");
    site.entry("one", "");
    site.build(&[]).succeeded();
    let newer = rusqlite::Connection::open(site.at(".shelflife/cache.sqlite")).unwrap();
    newer.execute_batch("PRAGMA user_version = 99").unwrap();
    drop(newer);
    let before = site.tree(".shelflife");
    for action in ["stats", "verify"] {
        let (code, text) = cache(&site, action);
        assert_eq!(code, 1, "{text}");
        assert!(text.contains("newer version"), "{text}");
    }
    assert!(site.tree(".shelflife") == before);
}

#[test]
fn why_a_cache_is_damaged_is_told_in_one_line() {
    let site = Site::new("title = \"Test\"");
    site.entry("one", "");
    site.build(&[]).succeeded();
    let damaged = rusqlite::Connection::open(site.at(".shelflife/cache.sqlite")).unwrap();
    damaged.execute_batch("PRAGMA user_version = 1").unwrap();
    drop(damaged);
    let run = site.build(&[]).succeeded();
    let warning = run.stderr.lines().find(|line| line.contains("set aside")).unwrap();
    assert!(warning.contains("already exists") && warning.len() < 250, "{warning}");
}
