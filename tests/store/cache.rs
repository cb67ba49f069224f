//! Whatever the cache holds, the same site comes out of it, and no file that is not ours is touched.

use crate::common::{Site, entry};
use shelflife::cache::Cache;
use shelflife_testkit::replay::{Repository, Server, World};

const CONFIG: &str = "title = \"Test\"\nurl = \"https://plugins.example\"";
const CACHE: &str = ".shelflife/cache.sqlite";
const STATE: &str = ".shelflife/state.sqlite";

/// The size of the pages of a database in bytes, which its header tells.
fn page_size(database: &[u8]) -> usize {
    usize::from(u16::from_be_bytes([database[16], database[17]]))
}

/// Overwrites the root page of a table, or of an index, in one of the two files.
fn overwrite_root(site: &Site, file: &str, name: &str) {
    let page: i64 = {
        let database = rusqlite::Connection::open(site.at(file)).unwrap();
        let sql = "SELECT rootpage FROM sqlite_schema WHERE name = ?1";
        database.query_row(sql, [name], |row| row.get(0)).unwrap()
    };
    let mut bytes = std::fs::read(site.at(file)).unwrap();
    let size = page_size(&bytes);
    bytes[(usize::try_from(page).unwrap() - 1) * size..][..size].fill(0xff);
    std::fs::write(site.at(file), bytes).unwrap();
}

/// A server that knows so many repositories, and a site with an entry for each.
fn asking(number: usize) -> (Server, Site) {
    let mut world = World::new("2020-08-01T00:00:00Z".parse().unwrap());
    let names: Vec<String> = (0..number).map(|number| format!("plugin{number:03}")).collect();
    for name in &names {
        world.add(Repository::new(&format!("owner/{name}")).with_stars(1));
    }
    let server = Server::start(world).unwrap();
    let site = Site::asking(&server, CONFIG, "1h");
    for name in &names {
        site.entry(name, "");
    }
    (server, site)
}

#[test]
fn a_damaged_memo_changes_no_output() {
    let mut world = World::new("2020-08-01T00:00:00Z".parse().unwrap());
    world.add(Repository::new("owner/one").with_file("setup.py", "plugin_identifier = 'one'\n"));
    let server = Server::start(world).unwrap();
    let site = Site::asking(&server, CONFIG, "1h");
    site.entry("one", "");
    let now = ["--now", "2020-08-01T00:00:00Z"];
    site.build(&now).succeeded();
    let before = site.tree("public");
    let cache = rusqlite::Connection::open(site.at(CACHE)).unwrap();
    // Without the record of the last build everything is evaluated.
    assert!(cache.execute("UPDATE memo SET result = x'007B7D'", []).unwrap() >= 3);
    cache.execute("DELETE FROM note", []).unwrap();
    drop(cache);
    site.build(&now).succeeded();
    assert!(before == site.tree("public"));
}

#[test]
fn rows_that_were_damaged_are_not_published() {
    let site = Site::new(CONFIG);
    site.entry("one", "");
    site.write("assets/app.js", "let one = 1;");
    site.build(&[]).succeeded();
    let before = site.tree("public");
    for damage in [
        "UPDATE shard SET items = zeroblob(99) WHERE map = 'site'",
        "UPDATE shard SET items = zeroblob(99) WHERE map = 'output:public'",
        "UPDATE shard SET items = zeroblob(99) WHERE map = 'entry_trace'",
        "UPDATE shard SET items = zeroblob(99) WHERE map = 'trace'",
        "UPDATE shown_record SET text = 'x'",
        "UPDATE note SET value = zeroblob(9)",
    ] {
        std::thread::sleep(std::time::Duration::from_millis(120));
        site.build(&[]).succeeded();
        let cache = rusqlite::Connection::open(site.at(CACHE)).unwrap();
        assert!(cache.execute(damage, []).unwrap() > 0, "{damage}");
        drop(cache);
        site.build(&[]).succeeded();
        assert!(before == site.tree("public"), "{damage}");
    }
}

#[test]
fn what_is_damaged_anywhere_goes_and_the_site_is_built() {
    let site = Site::new(CONFIG);
    site.entry("one", "");
    site.build(&[]).succeeded();
    // A second evaluation, so that there is something old too.
    site.entry("two", "");
    site.build(&[]).succeeded();
    let before = site.tree("public");
    let all = [CACHE, STATE].map(|file| (file, std::fs::read(site.at(file)).unwrap()));
    let damages: [fn(&mut [u8]); 2] = [
        |page| page.iter_mut().enumerate().for_each(|(at, byte)| *byte = (at * 31 + 7) as u8),
        |page| page.fill(0),
    ];
    for (file, told) in [(CACHE, "it was removed"), (STATE, "was set aside")] {
        let good = &all.iter().find(|(path, _)| *path == file).unwrap().1;
        let size = page_size(good);
        assert_eq!(good.len() % size, 0);
        let mut noticed = 0;
        for (damage, page) in
            (0..damages.len()).flat_map(|d| (0..good.len() / size).map(move |page| (d, page)))
        {
            let _ = std::fs::remove_dir_all(site.at(".shelflife"));
            for (path, bytes) in &all {
                site.write(path, bytes);
            }
            let mut bad = good.clone();
            damages[damage](&mut bad[page * size..][..size]);
            site.write(file, bad);
            // Nothing has changed; then everything has to be evaluated; then it is as it was.
            site.build(&[]).succeeded();
            site.entry("three", "");
            let first = site.build(&[]).succeeded();
            std::fs::remove_file(site.at("entries/three.md")).unwrap();
            let second = site.build(&[]).succeeded();
            let warnings = first.stderr.matches(told).count() + second.stderr.matches(told).count();
            assert!(warnings <= 1, "{file}, page {page}, damage {damage}: {}{}", first.stderr, second.stderr);
            noticed += warnings;
            assert!(site.tree("public") == before, "{file}, page {page}, damage {damage}");
        }
        assert!(noticed > 3, "{file}: {noticed}");
    }
}

#[test]
fn a_lost_bit_or_end_does_no_harm_and_in_the_cache_costs_no_fact() {
    let (server, site) = asking(20);
    let now = ["--now", "2020-08-01T00:00:00Z"];
    site.build(&now).succeeded();
    let before = site.tree("public");
    let all = [CACHE, STATE].map(|file| (file, std::fs::read(site.at(file)).unwrap()));
    let dice = |number: usize, below: usize| {
        let hash = blake3::hash(&number.to_le_bytes());
        usize::try_from(u64::from_le_bytes(hash.as_bytes()[..8].try_into().unwrap()) % below as u64).unwrap()
    };
    for (file, good) in &all {
        let flipped = (0..24).map(|number| {
            let mut bad = good.clone();
            bad[dice(number, good.len())] ^= 1 << (number % 8);
            bad
        });
        // In the middle of a page, after one, within the header, and nothing at all.
        let size = page_size(good);
        let cut =
            [good.len() - 100, good.len() / 2 / size * size, size, 99, 50, 0].map(|end| good[..end].to_vec());
        for (number, bad) in flipped.chain(cut).enumerate() {
            std::fs::remove_dir_all(site.at(".shelflife")).unwrap();
            for (path, bytes) in &all {
                site.write(path, bytes);
            }
            site.write(file, &bad);
            server.reset_log();
            // As it is; with another tag, which needs most of the cache; and as it was, which needs the rest.
            let mut said = site.build(&now).succeeded().stderr;
            assert!(site.tree("public") == before, "{file}, damage {number}");
            site.entry("plugin000", "tags: [other]\n");
            said += &site.build(&now).succeeded().stderr;
            site.entry("plugin000", "");
            said += &site.build(&now).succeeded().stderr;
            assert!(site.tree("public") == before, "{file}, damage {number}: {said}");
            let told = said.matches("set aside").count() + said.matches("was removed").count();
            assert!(told <= 1, "{file}, damage {number}: it is found once: {said}");
            assert!(*file == STATE || server.counts().requests == 0, "damage {number}");
        }
    }
}

#[test]
fn the_last_two_states_that_were_set_aside_are_kept() {
    let site = Site::new(CONFIG);
    site.entry("one", "");
    let beside = || -> Vec<(String, String)> {
        let files = site.tree(".shelflife").into_iter();
        let text = |content: Vec<u8>| String::from_utf8_lossy(&content).trim_end().to_owned();
        let aside = files.filter(|(path, _)| path.to_string_lossy().contains("set-aside"));
        aside.map(|(path, content)| (path.display().to_string(), text(content))).collect()
    };
    let damage = |content: &str| {
        site.write(".shelflife/state.sqlite", content);
        site.build(&[]).succeeded().stderr
    };
    // Those of somebody else, or of an earlier version that kept all of them.
    for name in ["state.sqlite.set-aside-02", "state.sqlite.set-aside-x", "other.sqlite.set-aside-1"] {
        site.write(&format!(".shelflife/{name}"), "foreign");
    }
    for name in ["", "-2", "-3", "-3-wal", "-2-journal", "-10"] {
        site.write(&format!(".shelflife/state.sqlite.set-aside{name}"), format!("older{name}"));
    }
    let told = damage("first");
    assert!(
        told.contains("state.sqlite.set-aside-11")
            && told.contains("the 3 oldest set-aside files were removed"),
        "{told}"
    );
    let told = damage("second");
    assert!(told.contains("; the oldest set-aside file was removed"), "{told}");
    let kept = beside();
    let ours: Vec<_> = kept.iter().filter(|(_, content)| content != "foreign").collect();
    assert_eq!(ours.len(), 2, "{kept:?}");
    assert_eq!((&*ours[0].0, &*ours[0].1), ("state.sqlite.set-aside-11", "first"));
    assert_eq!((&*ours[1].0, &*ours[1].1), ("state.sqlite.set-aside-12", "second"));
    assert_eq!(kept.len(), 5, "{kept:?}");
}

#[test]
fn what_is_in_the_caches_place_is_set_aside_or_named() {
    let site = Site::new(CONFIG);
    site.entry("one", "");
    site.build(&[]).succeeded();
    let before = site.tree("public");
    let empty = || {
        std::fs::remove_dir_all(site.at(".shelflife")).unwrap();
        std::fs::create_dir(site.at(".shelflife")).unwrap();
    };
    empty();
    rusqlite::Connection::open(site.at(CACHE)).unwrap().execute_batch("CREATE TABLE bookmark (url)").unwrap();
    let foreign = std::fs::read(site.at(CACHE)).unwrap();
    let run = site.build(&[]).succeeded();
    assert!(run.stderr.contains("belongs to another program; it was set aside as"), "{}", run.stderr);
    assert_eq!(std::fs::read(site.at(".shelflife/cache.sqlite.set-aside")).unwrap(), foreign);
    assert!(site.tree("public") == before);

    empty();
    std::fs::create_dir(site.at(CACHE)).unwrap();
    let run = site.build(&[]);
    assert!(run.code == 2 && run.stderr.contains("it is not a regular file"), "{}", run.stderr);

    std::fs::remove_dir_all(site.at(".shelflife")).unwrap();
    site.write(".shelflife", "a file");
    let run = site.build(&[]);
    assert!(run.code == 1 && run.stderr.contains(CACHE), "{}", run.stderr);
    assert!(site.tree("public") == before && site.read(".shelflife") == "a file");
}

#[test]
fn a_damaged_state_gives_its_facts_to_the_next_and_a_damaged_cache_has_none_to_lose() {
    let (server, site) = asking(200);
    let now = "2020-08-01T00:00:00Z";
    site.report(&["--now", now]);
    let before = site.tree("public");
    let told = |text: &str| {
        server.reset_log();
        let run = site.build(&["--now", now]).succeeded();
        assert!(run.stderr.contains(text), "{}", run.stderr);
        assert_eq!(server.counts().requests, 0);
        assert!(site.tree("public") == before);
    };
    // The histories' index can't be read any more; the facts' tree can.
    overwrite_root(&site, STATE, "sqlite_autoindex_history_1");
    site.entry("plugin000", "# Looked at again.\n");
    told("with 602 facts and the history of 200 plugins from it");
    overwrite_root(&site, CACHE, "sqlite_autoindex_blob_1");
    site.entry("plugin000", "");
    told("it was removed and will be rebuilt");
}

#[test]
fn what_was_found_damaged_is_written_anew_though_its_checksum_is_the_same() {
    let site = Site::new(CONFIG);
    for name in ["one", "two", "three"] {
        site.entry(name, "");
    }
    site.build(&[]).succeeded();
    let damage = |piece: &str| {
        let cache = rusqlite::Connection::open(site.at(CACHE)).unwrap();
        let sql = format!(
            "UPDATE shard SET items = CAST(substr(items, 1, 16) || zeroblob(length(items) - 16) AS BLOB) WHERE {piece}"
        );
        assert!(cache.execute(&sql, []).unwrap() > 0, "{piece}");
    };
    let wrong = || Cache::read(&site.at(CACHE), Cache::verify).unwrap();
    for (round, piece) in ["map = 'entry_trace'", "map = 'output:public'", "map = 'site'"].iter().enumerate()
    {
        damage(piece);
        assert_ne!(wrong(), [""; 0], "{piece}");
        site.entry("four", &format!("tags: [tag{round}]\n"));
        site.build(&[]).succeeded();
        assert_eq!(wrong(), [""; 0], "{piece}");
    }
    // Even if the entries of a piece are gone when that is noticed.
    damage("map = 'entry_trace' AND number <> 0");
    for name in ["one", "two"] {
        std::fs::remove_file(site.at(&format!("entries/{name}.md"))).unwrap();
    }
    site.build(&[]).succeeded();
    assert_eq!(wrong(), [""; 0]);
}

#[test]
fn what_can_t_be_rendered_since_the_cache_has_lost_something_is_rendered_without_it() {
    let site = Site::new(CONFIG);
    site.entry("one", "tags: [alone]\n");
    site.entry("two", "");
    site.build(&[]).succeeded();
    let cache = rusqlite::Connection::open(site.at(CACHE)).unwrap();
    cache.execute("DELETE FROM shown_summary WHERE entry = 'one'", []).unwrap();
    // No page of a group stands for its group.
    cache.execute("DELETE FROM note WHERE name = 'groups'", []).unwrap();
    drop(cache);
    // An edit that no list shows, so that it is known which groups there are.
    site.write("entries/two.md", entry("two", "").replace("Text.", "Other text."));
    let run = site.build(&[]).succeeded();
    assert!(run.stderr.contains("summary of one"), "{}", run.stderr);
    assert!(site.tree("public") == site.cold());
}

#[test]
fn a_state_that_begins_anew_is_sound() {
    let (_server, site) = asking(60);
    let now = ["--now", "2020-08-01T00:00:00Z"];
    site.build(&now).succeeded();
    let before = site.tree("public");
    rusqlite::Connection::open(site.at(STATE))
        .unwrap()
        .execute_batch(
            "UPDATE fact SET fetched = fetched + 1 WHERE subject LIKE 'github:%' AND subject LIKE '%7';
             UPDATE fact SET value = NULL, seal = NULL WHERE subject LIKE 'github:%' AND subject LIKE '%8';
             INSERT INTO history VALUES ('another', zeroblob(40));
             UPDATE fact SET used = 99999;",
        )
        .unwrap();
    overwrite_root(&site, STATE, "sqlite_autoindex_good_1");
    site.entry("plugin000", "# Looked at again.\n");
    let run = site.build(&now).succeeded();
    assert!(run.stderr.contains("was set aside as"), "{}", run.stderr);
    assert!(site.tree("public") == before);
    let wrong = Cache::read(&site.at(CACHE), Cache::verify).unwrap();
    assert_eq!(wrong, [""; 0]);
    let connection = rusqlite::Connection::open(site.at(STATE)).unwrap();
    let rows = |sql: &str| connection.query_row(sql, [], |row| row.get::<_, i64>(0)).unwrap();
    assert_eq!(rows("SELECT count(*) FROM fact WHERE used > 1"), 0, "it counts builds from the beginning");
    drop(connection);
    let beside: Vec<String> = std::fs::read_dir(site.at(".shelflife"))
        .unwrap()
        .map(|file| file.unwrap().file_name().into_string().unwrap())
        .filter(|name| name.ends_with("-shm") || name.ends_with("-wal"))
        .collect();
    assert_eq!(beside, [""; 0]);
    // Without a server, too, what is damaged is no fact.
    site.build(&[&now[..], &["--offline"]].concat()).succeeded();
    assert!(site.tree("public") == before);
}

#[test]
fn a_file_that_is_no_cache_is_refused_and_stays() {
    let site = Site::new(CONFIG);
    site.entry("one", "");
    for path in ["shelflife.toml", "entries/one.md"] {
        let before = site.tree("");
        let run = site.build(&["--cache", site.at(path).to_str().unwrap()]);
        assert_eq!(run.code, 2, "{}", run.stderr);
        let words = run.stderr.split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(words.contains("is not a shelflife cache"), "{}", run.stderr);
        assert!(site.tree("") == before, "{path}");
    }
}

#[test]
fn a_file_that_was_emptied_is_told() {
    let site = Site::new("");
    site.entry("one", "");
    let first = site.build(&["--offline"]).succeeded();
    assert!(!first.stderr.contains("cache"), "{}", first.stderr);
    for (file, expected) in [
        (STATE, "the state is an empty file, so the facts and histories of earlier builds are lost"),
        (CACHE, "the cache is an empty file; it was removed and will be rebuilt"),
    ] {
        std::fs::write(site.at(file), "").unwrap();
        let told = site.build(&["--offline"]).succeeded().stderr;
        assert!(told.contains(expected), "{told}");
        assert!(!site.build(&["--offline"]).succeeded().stderr.contains("empty file"));
    }
}
