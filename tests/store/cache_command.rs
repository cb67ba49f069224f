//! `shelflife cache`: what people see of the cache.

use std::process::Command;

use crate::common::Site;

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
    assert!(text.contains("no cache at"), "{text}");

    site.build(&[]).succeeded();
    let before = site.tree("public");
    let (code, text) = cache(&site, "stats");
    assert_eq!(code, 0);
    assert!(text.contains("memos: markdown"), "{text}");
    assert_eq!(cache(&site, "verify"), (0, "No damage found\n".to_owned()));
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
    let damaged = rusqlite::Connection::open(site.at(".shelflife/state.sqlite")).unwrap();
    damaged.execute_batch("PRAGMA user_version = 0").unwrap();
    drop(damaged);
    let run = site.build(&[]).succeeded();
    let warning = run.stderr.lines().find(|line| line.contains("set aside")).unwrap();
    assert!(warning.contains("already exists") && warning.len() < 250, "{warning}");
}

/// What a test does to a state that somebody else is to mend.
fn write_into(site: &Site, statements: &str) {
    let state = rusqlite::Connection::open(site.at(".shelflife/state.sqlite")).unwrap();
    state.execute_batch(statements).unwrap();
}

/// Overwrites the root page of a table, or of an index, in a file.
fn overwrite_root(site: &Site, file: &str, name: &str) {
    let place = site.at(&format!(".shelflife/{file}.sqlite"));
    let page: usize = {
        let cache = rusqlite::Connection::open(&place).unwrap();
        let sql = "SELECT rootpage FROM sqlite_schema WHERE name = ?1";
        cache.query_row(sql, [name], |row| row.get::<_, i64>(0)).unwrap().try_into().unwrap()
    };
    let mut bytes = std::fs::read(&place).unwrap();
    let size = usize::from(u16::from_be_bytes([bytes[16], bytes[17]]));
    bytes[(page - 1) * size..][..size].fill(0xff);
    std::fs::write(&place, bytes).unwrap();
}

#[test]
fn everything_that_is_damaged_is_told_though_some_of_it_can_t_be_read() {
    let site = Site::new("title = \"Test\"");
    site.entry("one", "");
    site.build(&[]).succeeded();
    write_into(
        &site,
        "INSERT INTO fact VALUES (CAST(x'66696c653aff' AS TEXT), x'00', 1, 2, NULL, NULL, 0, 0, NULL, NULL);
         INSERT INTO history VALUES ('two', x'00')",
    );
    overwrite_root(&site, "cache", "blob");
    let (code, text) = cache(&site, "verify");
    assert_eq!(code, 1, "{text}");
    for told in ["cache file: ", "table blob: ", "table fact: ", "history of two"] {
        assert!(text.lines().any(|line| line.starts_with(told)), "{told} in {text}");
    }
}

type Damage = fn(&Site);

#[test]
fn what_is_damaged_is_gone_once_the_cache_is_cleared() {
    let site = Site::new("title = \"Test\"");
    site.entry("one", "");
    site.build(&[]).succeeded();
    let before = site.tree("public");
    let damages: [(&str, Damage); 4] = [
        ("a table", |site| overwrite_root(site, "state", "good")),
        ("an index", |site| overwrite_root(site, "state", "sqlite_autoindex_history_1")),
        ("a fact", |site| {
            write_into(
                site,
                "INSERT INTO fact VALUES ('usage:week', x'00', 1, 2, NULL, NULL, 0, 0, NULL, x'00')",
            );
        }),
        ("a history", |site| write_into(site, "INSERT INTO history VALUES ('two', x'00')")),
    ];
    for (what, damage) in damages {
        damage(&site);
        assert_eq!(cache(&site, "verify").0, 1, "{what}");
        let (code, text) = cache(&site, "clear");
        assert_eq!(code, 0, "{what}: {text}");
        assert!(text.contains("set aside as"), "{what}: {text}");
        assert_eq!(cache(&site, "verify"), (0, "No damage found\n".to_owned()), "{what}");
        site.build(&[]).succeeded();
        assert!(site.tree("public") == before, "{what}");
    }
    // Nobody needs a damaged cache.
    overwrite_root(&site, "cache", "blob");
    assert_eq!(cache(&site, "verify").0, 1);
    assert_eq!(cache(&site, "clear"), (0, "Cleared the cache; facts and histories are kept\n".to_owned()));
    assert_eq!(cache(&site, "verify"), (0, "No damage found\n".to_owned()));
}

#[test]
fn who_collects_garbage_in_a_damaged_cache_is_told_what_to_do() {
    let site = Site::new("title = \"Test\"");
    site.entry("one", "");
    site.build(&[]).succeeded();
    overwrite_root(&site, "cache", "blob");
    let (code, text) = cache(&site, "gc");
    assert_eq!(code, 1, "{text}");
    assert!(text.contains("the cache is damaged") && text.contains("shelflife cache clear"), "{text}");
}

#[test]
fn an_empty_file_is_said_to_be_empty() {
    let site = Site::new("title = \"Test\"");
    site.write(".shelflife/cache.sqlite", "");
    for action in ["stats", "verify"] {
        let (code, text) = cache(&site, action);
        assert_eq!(code, 1, "{text}");
        assert!(text.contains("is empty") && text.contains("build the site first"), "{text}");
    }
}

/// Runs the program as somebody who is not root, and so is kept from what the modes of files forbid; `None` where that
/// can't be arranged.
#[cfg(unix)]
fn as_nobody(site: &Site, arguments: &[&str]) -> Option<(i32, String)> {
    use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
    use std::os::unix::process::CommandExt as _;
    const NOBODY: u32 = 65534;
    let is_root = std::fs::metadata(site.at("shelflife.toml")).unwrap().uid() == 0;
    let mut command = site.program(arguments);
    command.arg(site.path());
    if is_root {
        std::fs::set_permissions(site.path(), std::fs::Permissions::from_mode(0o755)).unwrap();
        for folder in [site.path().to_path_buf(), site.at("public"), site.at(".shelflife")] {
            std::fs::create_dir_all(&folder).unwrap();
            std::os::unix::fs::chown(&folder, Some(NOBODY), Some(NOBODY)).unwrap();
        }
        command.uid(NOBODY).gid(NOBODY);
    }
    // The program, or the site, may lie where nobody else may go.
    let output = match command.output() {
        Ok(output) => output,
        Err(error) => {
            crate::common::skip("modes of the cache's file", &format!("another user to run as: {error}"));
            return None;
        }
    };
    let text =
        String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
    Some((output.status.code().unwrap(), text.split_whitespace().collect::<Vec<_>>().join(" ")))
}

#[cfg(unix)]
#[test]
fn a_cache_that_may_not_be_written_is_named_and_is_of_use_again_later() {
    use std::os::unix::fs::PermissionsExt as _;
    let site = Site::new("title = \"Test\"");
    site.entry("one", "");
    let Some((code, text)) = as_nobody(&site, &["build"]) else { return };
    assert_eq!(code, 0, "{text}");
    let set_mode = |mode| {
        let mode = std::fs::Permissions::from_mode(mode);
        std::fs::set_permissions(site.at(".shelflife/cache.sqlite"), mode).unwrap();
    };
    for (mode, told) in [(0o444, "can't write to"), (0o000, "can't read")] {
        set_mode(mode);
        site.entry("two", "");
        let (code, text) = as_nobody(&site, &["build"]).unwrap();
        assert_eq!(code, 1, "{text}");
        assert!(text.contains(told) && text.contains("cache.sqlite") && text.contains("--cache"), "{text}");
        let (code, text) = as_nobody(&site, &["explain", "one", "--site"]).unwrap();
        assert_eq!(code, i32::from(mode == 0), "{text}");
        assert!(mode != 0 || text.contains(told) && !text.contains("can't write"), "{text}");
        set_mode(0o644);
        std::fs::remove_file(site.at("entries/two.md")).unwrap();
        let (code, text) = as_nobody(&site, &["build"]).unwrap();
        assert_eq!(code, 0, "{text}");
    }
}
