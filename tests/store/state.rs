//! The state and the cache are two files, of which each may be lost, older or newer than the other.

use std::collections::BTreeMap;
use std::path::PathBuf;

use crate::common::{Run, Site, entry};
use rusqlite::Connection;
use shelflife::cache::{Cache, Listed, Tree};
use shelflife::digest::Digest;
use shelflife_testkit::replay::{Repository, Server, Usage, Window, World};

const CONFIG: &str = "title = \"Test\"\nurl = \"https://plugins.example\"";
const CACHE: &str = ".shelflife/cache.sqlite";
const STATE: &str = ".shelflife/state.sqlite";
const NOW: &str = "2020-08-01T00:00:00Z";

type Files = BTreeMap<PathBuf, Vec<u8>>;

/// A server that knows three plugins, and a site that has them. Facts go stale at once.
fn asking() -> (Server, Site) {
    let mut world = World::new(NOW.parse().unwrap());
    for (number, name) in (1..).zip(["one", "two", "three"]) {
        world.add(
            Repository::new(&format!("owner/{name}"))
                .with_stars(number)
                .with_file("setup.py", format!("plugin_identifier = '{name}'\n")),
        );
        world.set_usage(Window::Month, name, Usage { instances: number, ..Usage::default() });
    }
    let server = Server::start(world).unwrap();
    let site = Site::asking(&server, CONFIG, "0s");
    for name in ["one", "two", "three"] {
        site.entry(name, "");
    }
    (server, site)
}

/// What there was at some moment: the site's entries, and the two files.
struct Moment {
    what: &'static str,
    entries: Files,
    cache: Vec<u8>,
    state: Vec<u8>,
}

impl Moment {
    fn of(site: &Site, what: &'static str) -> Self {
        let [cache, state] = [CACHE, STATE].map(|file| std::fs::read(site.at(file)).unwrap());
        Self { what, entries: site.tree("entries"), cache, state }
    }
}

/// Makes the entries those of a moment.
fn put_entries(site: &Site, entries: &Files) {
    std::fs::remove_dir_all(site.at("entries")).unwrap();
    for (path, text) in entries {
        site.write(&format!("entries/{}", path.display()), text);
    }
}

/// Builds without a network, whether or not an entry can't be read.
fn build(site: &Site, more: &[&str]) -> String {
    let run = site.build(&[&["--offline", "--now", NOW], more].concat());
    assert_is_published(&run);
    run.stderr
}

#[track_caller]
fn assert_is_published(run: &Run) {
    let is_published = run.code == 0 || run.stderr.contains("as last published)");
    assert!(is_published, "{}", run.stderr);
}

/// Of how many plugins the number of stars is published.
fn stars(site: &Site) -> usize {
    site.read("public/plugins.json").matches("\"stars\":").count()
}

#[test]
fn whatever_cache_is_put_beside_whatever_state_the_site_is_that_of_the_state() {
    let (server, site) = asking();
    let mut moments = Vec::new();
    let mut go_on = |what: &'static str| {
        assert_is_published(&site.build(&["--now", NOW]));
        moments.push(Moment::of(&site, what));
    };
    let spoil = || site.write("entries/two.md", "---\nlayout: plugin\n");
    go_on("at first");
    server.change(|world| {
        world.add(Repository::new("owner/one").with_stars(77));
    });
    go_on("a fact has changed");
    server.change(|world| {
        world.set_usage(Window::Month, "two", Usage { instances: 99, ..Usage::default() });
    });
    go_on("a history has changed");
    spoil();
    go_on("an entry is spoilt");
    site.write("entries/two.md", entry("two", "").replace("Text.", "Another text."));
    go_on("it is another");
    spoil();
    go_on("and spoilt again");
    std::fs::remove_file(site.at("entries/three.md")).unwrap();
    go_on("an entry is gone");
    let mut gc = site.program(&["cache", "gc", "--keep", "1", "--max-size", "1B", "--site"]);
    let gc = gc.arg(site.path()).output().unwrap();
    let said = String::from_utf8(gc.stdout).unwrap();
    assert!(gc.status.success() && !said.contains(" 0 facts"), "{said}");
    moments.push(Moment::of(&site, "its facts are forgotten"));

    for of_cache in &moments {
        put_entries(&site, &of_cache.entries);
        for of_state in &moments {
            std::fs::remove_dir_all(site.at(".shelflife")).unwrap();
            site.write(CACHE, &of_cache.cache);
            site.write(STATE, &of_state.state);
            let told = build(&site, &[]);
            let what = format!("the cache of when {}, the state of when {}", of_cache.what, of_state.what);
            assert!(!told.contains("was removed") && !told.contains("set aside"), "{what}: {told}");
            let _ = std::fs::remove_dir_all(site.at("cold"));
            site.write("cold/state.sqlite", &of_state.state);
            let (cache, output) = (site.at("cold/cache.sqlite"), site.at("cold/public"));
            build(&site, &["--cache", cache.to_str().unwrap(), "--output", output.to_str().unwrap()]);
            let (warm, cold) = (site.tree("public"), site.tree("cold/public"));
            let differing: Vec<&PathBuf> = warm
                .iter()
                .filter(|(path, text)| cold.get(*path) != Some(text))
                .map(|(path, _)| path)
                .collect();
            assert!(differing.is_empty() && warm.len() == cold.len(), "{what}: {differing:?}");
        }
    }
}

#[test]
fn a_lost_cache_costs_no_fact_and_a_lost_state_no_output() {
    let (server, site) = asking();
    site.write("public/CNAME", "plugins.example");
    site.build(&["--now", NOW]).succeeded();
    for file in [CACHE, STATE] {
        std::fs::remove_file(site.at(file)).unwrap();
        server.reset_log();
        site.entry("two", &format!("tags: [t{}]\n", file.len()));
        site.build(&["--offline", "--now", NOW]).succeeded();
        assert_eq!(server.counts().requests, 0);
        assert_eq!(std::fs::read(site.at("public/CNAME")).unwrap(), b"plugins.example");
        assert_eq!(stars(&site), if file == CACHE { 3 } else { 0 }, "{file}");
        std::fs::remove_file(site.at("public/CNAME")).unwrap();
        site.assert_like_a_first_build(NOW);
        site.write("public/CNAME", "plugins.example");
        site.build(&["--now", NOW]).succeeded();
    }
}

/// Makes one file of the two, as versions of shelflife had it that kept everything in one.
fn make_old(site: &Site) {
    let files = Cache::read(&site.at(CACHE), |cache| cache.manifest(Tree::Output("public")));
    let files = files.unwrap().unwrap();
    let cache = Connection::open(site.at(CACHE)).unwrap();
    cache.execute("ATTACH ?1 AS state", [site.at(STATE).to_str().unwrap()]).unwrap();
    for table in ["fact", "history", "good"] {
        let sql = "SELECT sql FROM state.sqlite_schema WHERE name = ?1";
        let create: String = cache.query_row(sql, [table], |row| row.get(0)).unwrap();
        cache.execute_batch(&create).unwrap();
        cache.execute_batch(&format!("INSERT INTO main.{table} SELECT * FROM state.{table}")).unwrap();
    }
    cache
        .execute_batch("INSERT OR REPLACE INTO note SELECT * FROM state.note WHERE name = 'seeding'")
        .unwrap();
    cache.execute_batch("DETACH state; PRAGMA user_version = 9").unwrap();
    let (map, number) = ("output:public", 0_i64);
    let files: Vec<(&str, &Listed)> = files.iter().collect();
    let items = postcard::to_stdvec(&files).unwrap();
    let checksum = Digest::of_parts([map.as_bytes(), &number.to_le_bytes(), &items]);
    let items = [&checksum.as_bytes()[..16], &items].concat();
    cache.execute("DELETE FROM shard WHERE map = ?1", [map]).unwrap();
    cache.execute("INSERT INTO shard VALUES (?1, ?2, ?3)", (map, number, items)).unwrap();
    drop(cache);
    std::fs::remove_file(site.at(STATE)).unwrap();
}

#[test]
fn an_older_cache_is_taken_over_once_and_leaves_no_file_of_which_nobody_knows() {
    for has_manifest in [true, false] {
        let (server, site) = asking();
        site.write("public/CNAME", "plugins.example");
        site.build(&["--now", NOW]).succeeded();
        make_old(&site);
        if !has_manifest {
            // As with versions that wrote none.
            std::fs::remove_file(site.at("public/.shelflife-manifest")).unwrap();
        }
        std::fs::remove_file(site.at("entries/two.md")).unwrap();
        server.reset_log();
        let run = site.build(&["--offline", "--now", NOW]).succeeded();
        run.says("the cache was written by an older version of shelflife");
        assert!(!run.stderr.contains("set aside"), "{}", run.stderr);
        assert_eq!(stars(&site), 2);
        assert_eq!(site.read("public/CNAME"), "plugins.example");
        std::fs::remove_file(site.at("public/CNAME")).unwrap();
        site.assert_like_a_first_build(NOW);
        let again = site.build(&["--offline", "--now", NOW]).succeeded();
        assert!(!again.stderr.contains("older version"), "{}", again.stderr);
        assert_eq!(server.counts().requests, 0);
        assert!(!site.at(".shelflife/cache.sqlite.set-aside").exists());
    }
}

#[test]
fn an_older_cache_that_is_damaged_gives_what_can_be_read_and_is_kept() {
    let (_server, site) = asking();
    site.build(&["--now", NOW]).succeeded();
    make_old(&site);
    let old = Connection::open(site.at(CACHE)).unwrap();
    old.execute_batch("UPDATE fact SET value = zeroblob(9) WHERE subject = 'github:owner/one'").unwrap();
    drop(old);
    let run = site.build(&["--offline", "--now", NOW]).succeeded();
    run.says("was written by an older version of shelflife and is damaged; it was set aside as");
    assert!(site.at(".shelflife/cache.sqlite.set-aside").exists());
    site.assert_like_a_first_build(NOW);
    assert_eq!(stars(&site), 2);
}
