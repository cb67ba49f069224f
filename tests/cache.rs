//! Whatever the cache holds, the same site comes out of it, and no file that is not ours is touched.
#![allow(missing_docs)]

mod common;

use common::Site;
use xtask::replay::{Repository, Server, World};

const CONFIG: &str = "title = \"Test\"\nurl = \"https://plugins.example\"";
const CACHE: &str = ".shelflife/cache.sqlite";

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
    assert!(cache.execute("UPDATE memo SET result = x'007B7D'", []).unwrap() > 3);
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
        "UPDATE file SET digest = zeroblob(32)",
        "UPDATE manifest SET path = path || 'x'",
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
