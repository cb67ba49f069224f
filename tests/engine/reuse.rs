//! What an earlier build did is not done again, and never believed where it can't be trusted.

use crate::common::{Site, entry};
use serde_json::{Value, json};
use shelflife::cache::{Cache, Tree};
use shelflife::file_stat::FileStat;
use shelflife_testkit::replay::{Repository, Server, Usage, Window, World};

const CONFIG: &str = "title = \"Test\"\nurl = \"https://plugins.example\"";

fn site() -> Site {
    let site = Site::new(CONFIG);
    for stem in ["one", "two", "three"] {
        site.entry(stem, "tags: [common]\n");
    }
    site.write("assets/img/one.png", "not really a picture");
    site
}

fn written(report: &Value) -> Vec<&str> {
    report["outputs"]["written_paths"].as_array().unwrap().iter().map(|path| path.as_str().unwrap()).collect()
}

#[track_caller]
fn assert_did_nothing(report: &Value) {
    assert_eq!(report["queries"], json!({}));
    assert_eq!((written(report), &report["outputs"]["removed"]), (vec![], &json!(0)));
}

#[test]
fn when_nothing_has_changed_nothing_is_done() {
    let site = site();
    site.report(&[]);
    assert_did_nothing(&site.report(&[]));
    // Other files beside the site's, and new timestamps, are no change.
    site.write("notes.txt", "x");
    site.entry("one", "tags: [common]\n");
    assert_did_nothing(&site.report(&[]));
}

#[test]
fn a_lost_output_folder_is_restored_without_rendering() {
    let site = site();
    site.report(&[]);
    let before = site.tree("public");
    std::fs::remove_dir_all(site.at("public")).unwrap();
    let report = site.report(&[]);
    assert_eq!(report["queries"], json!({}));
    assert_eq!(site.tree("public"), before);
}

#[test]
fn a_changed_output_is_mended_without_rendering() {
    let site = site();
    site.report(&[]);
    let before = site.read("public/index.html");
    site.write("public/index.html", "changed by hand");
    let report = site.report(&[]);
    assert_eq!((written(&report), &report["queries"]), (vec!["index.html"], &json!({})));
    assert_eq!(site.read("public/index.html"), before);
}

#[test]
fn what_was_read_in_vain_is_not_read_again() {
    let site = site();
    let wait = || std::thread::sleep(std::time::Duration::from_millis(150));
    site.build(&["--offline"]).succeeded();
    wait();
    site.build(&["--offline"]).succeeded();
    site.write("entries/one.md", site.read("entries/one.md"));
    wait();
    assert_did_nothing(&site.report(&["--offline"]));
    let known = Cache::read(&site.at(".shelflife/cache.sqlite"), |cache| cache.manifest(Tree::Site)).unwrap();
    let stat = FileStat::of(&site.at("entries/one.md").symlink_metadata().unwrap());
    assert_eq!(known.unwrap().get("entries/one.md").unwrap().stat, stat);
}

#[cfg(unix)]
#[test]
fn a_folder_that_has_become_a_link_is_an_error_though_nothing_has_changed() {
    let site = site();
    site.build(&["--offline"]).succeeded();
    // What was left alone for a while is not read again.
    std::thread::sleep(std::time::Duration::from_millis(150));
    site.build(&["--offline"]).succeeded();
    std::fs::rename(site.at("public/plugins"), site.at("elsewhere")).unwrap();
    std::os::unix::fs::symlink(site.at("elsewhere"), site.at("public/plugins")).unwrap();
    let run = site.build(&["--offline"]);
    assert_eq!(run.code, 1, "{}", run.stderr);
    assert!(run.stderr.contains("plugins is a symbolic link"), "{}", run.stderr);
}

#[test]
fn a_damaged_blob_is_noticed_and_rendered_again() {
    let site = site();
    site.report(&[]);
    let before = site.tree("public");
    std::fs::remove_dir_all(site.at("public")).unwrap();
    let cache = rusqlite::Connection::open(site.at(".shelflife/cache.sqlite")).unwrap();
    cache.execute("UPDATE blob SET bytes = zeroblob(9)", []).unwrap();
    drop(cache);
    let run = site.build(&[]).succeeded();
    assert!(run.stderr.contains("is damaged"), "{}", run.stderr);
    assert_eq!(run.stderr.matches("is damaged").count(), 1, "{}", run.stderr);
    assert_eq!(site.tree("public"), before);
    assert_did_nothing(&site.report(&[]));
}

#[test]
fn an_edit_reaches_what_shows_it_and_nothing_else() {
    let site = site();
    site.report(&[]);
    site.write("entries/two.md", entry("two", "tags: [common]\n").replace("Text.", "Other text."));
    let report = site.report(&[]);
    assert_eq!(
        written(&report),
        ["api/v1/plugins/two.json", "feed.atom", "feed.json", "plugins/two/index.html", "search.json"]
    );
    assert_eq!(report["memos"]["markdown"], json!({"computed": 1, "reused": 0}));
    assert_eq!(site.tree("public"), site.cold());

    std::fs::rename(site.at("entries/three.md"), site.at("entries/four.md")).unwrap();
    site.write("entries/four.md", entry("four", ""));
    let report = site.report(&[]);
    let removed = report["outputs"]["removed_paths"].as_array().unwrap();
    assert!(removed.contains(&json!("plugins/three/index.html")), "{removed:?}");
    assert!(removed.iter().all(|path| path.as_str().unwrap().contains("three")), "{removed:?}");
    // Its page named the one that is gone.
    assert!(written(&report).contains(&"plugins/one/index.html"));
    assert!(!written(&report).contains(&"by_author/ada-of-one/index.html"));
    assert_eq!(site.tree("public"), site.cold());
}

#[test]
fn every_part_of_the_configuration_and_the_theme_counts() {
    let site = site();
    site.report(&[]);
    for (path, content) in [
        ("shelflife.toml", CONFIG.replace("Test", "Best")),
        ("shelflife.toml", format!("{CONFIG}\nbase_path = \"/sub\"")),
        ("shelflife.toml", format!("{CONFIG}\ntimezone = \"Asia/Tokyo\"")),
        ("templates/404.html", "gone".to_owned()),
        ("assets/site.css", "body { color: red }".to_owned()),
        ("assets/img/two.png", "another".to_owned()),
        ("data/notices.yaml", "- plugin: one\n  date: 2020-01-01 10:00:00Z\n  text: Beware\n".to_owned()),
    ] {
        site.write(path, content);
        let report = site.report(&[]);
        assert_ne!(written(&report), Vec::<&str>::new(), "{path}");
        assert_eq!(site.tree("public"), site.cold(), "{path}");
        assert_did_nothing(&site.report(&[]));
    }
}

#[test]
fn only_facts_that_say_something_new_change_anything() {
    let mut world = World::new("2020-08-01T00:00:00Z".parse().unwrap());
    for name in ["one", "two", "three"] {
        world.add(Repository::new(&format!("owner/{name}")).with_stars(1));
        world.set_usage(Window::Week, name, Usage { instances: 1, ..Usage::default() });
    }
    let server = Server::start(world).unwrap();
    let site = Site::asking(&server, CONFIG, "1h");
    for stem in ["one", "two", "three"] {
        site.entry(stem, "compatibility: {python: '>=3'}\n");
    }
    site.report(&["--now", "2020-08-01T00:00:00Z"]);
    assert_did_nothing(&site.report(&["--now", "2020-08-01T00:30:00Z"]));

    let report = site.report(&["--now", "2020-08-01T02:00:00Z"]);
    assert_eq!(written(&report), ["status.json", "status/index.html"], "where it says when sources answered");
    assert_eq!(report["facts"]["refreshed"], 5);

    server.change(|world| world.repository_mut("owner/two").unwrap().stars = 2);
    let report = site.report(&["--now", "2020-08-01T04:00:00Z"]);
    let pages: Vec<_> = written(&report).into_iter().filter(|path| path.starts_with("plugins/")).collect();
    assert_eq!(pages, ["plugins/two/index.html"]);
}

#[test]
fn a_cache_without_a_token_keeps_its_facts_and_does_nothing() {
    let mut world = World::new("2020-08-01T00:00:00Z".parse().unwrap());
    world.add(Repository::new("owner/one").with_stars(9));
    let server = Server::start(world).unwrap();
    let mut site = Site::asking(&server, CONFIG, "1h");
    site.entry("one", "compatibility: {python: '>=3'}\n");
    site.report(&["--now", "2020-08-01T00:00:00Z"]);
    site.set("GITHUB_TOKEN", "");
    assert_did_nothing(&site.report(&["--offline", "--now", "2020-08-01T00:59:59Z"]));
    // Once more there is something to do: numbers that have passed their life get a date.
    site.report(&["--offline", "--now", "2020-08-01T01:00:00Z"]);
    let report = site.report(&["--offline", "--now", "2020-10-29T23:59:59Z"]);
    assert_did_nothing(&report);
    assert_eq!(report["facts"], json!({"fresh": 0, "refreshed": 0, "stale": 3, "missing": 0}));
    assert_eq!(report["left_out"].as_array().unwrap().len(), 2, "{report}");
}

#[test]
fn neither_the_path_nor_the_number_of_threads_shows() {
    let trees = ["1", "4"].map(|threads| {
        let mut site = site();
        site.set("RAYON_NUM_THREADS", threads);
        site.build(&[]).succeeded();
        site.tree("public")
    });
    assert_eq!(trees[0], trees[1]);
}

#[test]
fn a_cache_holds_no_path_of_the_machine() {
    let site = site();
    site.build(&[]).succeeded();
    let folder = site.path().to_str().unwrap().as_bytes();
    for (file, bytes) in site.tree(".shelflife") {
        assert!(!bytes.windows(folder.len()).any(|window| window == folder), "{}", file.display());
    }
}

#[test]
fn a_second_build_waits_for_the_first() {
    let site = site();
    let first = site.command(&[]).stderr(std::process::Stdio::null()).spawn();
    let second = site.build(&[]).succeeded();
    assert!(first.unwrap().wait().unwrap().success(), "{}", second.stderr);
    assert_eq!(site.tree("public"), site.cold());
}
