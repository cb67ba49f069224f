//! Builds that are killed at any moment: each published file is the old or the new one, the cache can be read, and the
//! next build gives what a cold one gives.
#![allow(missing_docs)]

mod common;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::process::Stdio;
use std::thread;
use std::time::{Duration, Instant};

use common::{Site, entry};
use xtask::replay::{Repository, Server, Usage, Window, World};

const CONFIG: &str = "title = \"Test\"\nurl = \"https://plugins.example\"";
const ENTRIES: u64 = 24;
/// Pages say when sources were last heard, so all builds are of one moment.
const NOW: &str = "1596270000";

/// How many builds are killed: as many as `SHELFLIFE_KILLS` says, or as few as a test has time for.
fn kills() -> u64 {
    std::env::var("SHELFLIFE_KILLS").ok().and_then(|text| text.parse().ok()).unwrap_or(25)
}

/// A number that is another one each time, and the same in each run.
fn dice(number: u64, below: u64) -> u64 {
    let hash = blake3::hash(&number.to_le_bytes());
    u64::from_le_bytes(hash.as_bytes()[..8].try_into().unwrap()) % below
}

fn world() -> World {
    let mut world = World::new("2020-08-01T00:00:00Z".parse().unwrap());
    for number in 0..ENTRIES {
        world.add(
            Repository::new(&format!("owner/plugin{number}"))
                .with_stars(number)
                .with_push("2020-07-01T01:02:03Z".parse().unwrap())
                .with_file("setup.py", format!("plugin_identifier = 'plugin{number}'\n"))
                .with_file(
                    format!("octoprint_plugin{number}/__init__.py"),
                    "__plugin_pythoncompat__ = '>=3,<4'\n",
                ),
        );
    }
    world
}

/// Changes what a build depends on: an entry, a template, data, the configuration, or the world.
fn change(site: &Site, server: &Server, number: u64) {
    let stem = format!("plugin{}", dice(number, ENTRIES));
    let place = format!("entries/{stem}.md");
    match number % 6 {
        0 | 1 => site.write(&place, entry(&stem, &format!("tags:\n- tag{number}\n"))),
        2 => {
            let _ = std::fs::remove_file(site.at(&place));
        }
        3 => site.write("templates/macros.html", macros(number)),
        4 => site.write("data/notices.yaml", notice(&stem, number)),
        _ => server.change(|world| {
            for number in 0..ENTRIES {
                let usage = Usage { instances: dice(number, 5000), ..Usage::default() };
                world.set_usage(Window::Month, format!("plugin{number}"), usage);
            }
        }),
    }
}

/// The theme's macros, which every page uses, with another comment.
fn macros(number: u64) -> String {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("site/templates/macros.html");
    format!("{{# {number} #}}{}<!-- {number} -->", std::fs::read_to_string(folder).unwrap())
}

fn notice(stem: &str, number: u64) -> String {
    format!("- plugin: {stem}\n  date: 2020-01-01 10:00:00Z\n  text: Notice {number}\n")
}

#[test]
fn a_killed_build_leaves_everything_whole() {
    let server = Server::start(world()).unwrap();
    let mut site = Site::asking(&server, CONFIG, "0s");
    site.set("SOURCE_DATE_EPOCH", NOW);
    for number in 0..ENTRIES {
        site.entry(&format!("plugin{number}"), "");
    }
    site.build(&[]).succeeded();
    let (mut took, mut struck) = (Duration::from_millis(100), 0);
    for number in 0..kills() {
        change(&site, &server, number);
        let old = site.tree("public");
        let new = site.cold();
        let mut build = site.command(&[]).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        let micros = u64::try_from(took.as_micros()).unwrap();
        thread::sleep(Duration::from_micros(dice(number + 1_000_000, micros)));
        struck += u64::from(build.try_wait().unwrap().is_none());
        let _ = build.kill();
        build.wait().unwrap();
        assert_old_or_new(&site.tree("public"), &old, &new, number);
        let verified = site.program(&["cache", "verify", "--site"]).arg(site.path()).output().unwrap();
        assert!(verified.status.success(), "kill {number}: {}", String::from_utf8_lossy(&verified.stderr));
        let started = Instant::now();
        let run = site.build(&[]).succeeded();
        // What a build takes on this machine at the moment is what the next blow has to fall into.
        took = started.elapsed();
        assert!(!run.stderr.contains("set-aside"), "kill {number}: {}", run.stderr);
        assert_eq!(
            site.tree("public").keys().collect::<Vec<_>>(),
            new.keys().collect::<Vec<_>>(),
            "kill {number}"
        );
        assert!(site.tree("public") == new, "kill {number}: not what a cold build gives");
    }
    assert!(struck * 4 > kills(), "only {struck} builds were still running");
}

fn assert_old_or_new(
    found: &BTreeMap<PathBuf, Vec<u8>>,
    old: &BTreeMap<PathBuf, Vec<u8>>,
    new: &BTreeMap<PathBuf, Vec<u8>>,
    number: u64,
) {
    for (path, content) in found {
        // What was being written is not at its place yet, and hidden.
        let is_hidden = path.file_name().is_some_and(|name| name.to_string_lossy().starts_with('.'));
        let is_whole = old.get(path) == Some(content) || new.get(path) == Some(content);
        assert!(is_hidden || is_whole, "kill {number}: {} is torn", path.display());
    }
    for path in old.keys().filter(|path| new.contains_key(*path)) {
        assert!(found.contains_key(path), "kill {number}: {} is gone", path.display());
    }
}
