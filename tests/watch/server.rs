//! `shelflife watch`: a change reaches the page and whoever looks at it, and what is broken is shown and mended.

use std::net::TcpListener;
use std::path::Path;
use std::time::Duration;

use crate::common::watching::{Watching, eventually};
use crate::common::{Site, entry};
use shelflife_testkit::replay::{Repository, Server, World};

const CONFIG: &str = "title = \"Test\"\nurl = \"https://plugins.example\"";

fn site() -> Site {
    let site = Site::new(CONFIG);
    for stem in ["one", "two", "three"] {
        site.entry(stem, "");
    }
    site
}

fn with_text(stem: &str, text: &str) -> String {
    entry(stem, "").replace("Text.", text)
}

/// Saves as careful editors do: beside the place, then renamed into it.
fn save_by_rename(site: &Site, path: &str, content: &str) {
    let beside = format!("{path}.tmp");
    site.write(&beside, content);
    std::fs::rename(site.at(&beside), site.at(path)).unwrap();
}

/// Ends it, and makes sure that what it leaves is what a first build makes.
#[track_caller]
fn assert_leaves_all_whole(site: &Site, mut watching: Watching) {
    assert_eq!(watching.stop("-INT").0, Some(0), "{:#?}", watching.lines());
    assert_eq!(site.tree("public"), site.cold(), "{:#?}", watching.lines());
    let verify = ["cache", "verify", "--site", site.path().to_str().unwrap()];
    let verified = site.program(&verify).output().unwrap();
    assert!(verified.status.success(), "{verified:?}");
}

#[test]
fn an_edit_reaches_the_page_that_shows_it_and_no_other() {
    let site = site();
    let watching = site.watch(&[]);
    let page = watching.get("/plugins/one/");
    assert_eq!((page.status, page.header("content-type")), (200, Some("text/html; charset=utf-8")));
    assert!(page.text().contains("/.shelflife/live.js"), "{}", page.text());
    assert!(!site.read("public/plugins/one/index.html").contains("live.js"));
    let script = watching.get("/.shelflife/live.js");
    assert_eq!(script.header("content-type"), Some("text/javascript; charset=utf-8"));

    let (one, two) = (watching.open("/plugins/one/"), watching.open("/plugins/two/"));
    site.write("entries/one.md", with_text("one", "First edit."));
    let first = one.reloaded();
    assert!(watching.get("/plugins/one/").text().contains("First edit."));
    let line = watching.line("entries/one.md changed: ");
    assert!(line.contains(": 5 outputs written in "), "{line}");

    site.write("entries/two.md", with_text("two", "Second edit."));
    assert!(two.reloaded() > first, "the other page was reloaded by the first edit");
    assert_leaves_all_whole(&site, watching);
}

#[test]
fn files_come_and_go_however_they_are_saved() {
    let site = site();
    let watching = site.watch(&[]);
    save_by_rename(&site, "entries/one.md", &with_text("one", "Renamed into place."));
    watching.page_with("/plugins/one/", "Renamed into place.");

    site.entry("four", "");
    watching.page_with("/plugins/four/", "Plugin four");
    std::fs::remove_file(site.at("entries/two.md")).unwrap();
    let gone = watching.page_with("/plugins/two/", "!Plugin two");
    assert_eq!(gone.status, 404);
    watching.line("entries/two.md removed: ");

    // Folders that were not there when it started.
    site.write("templates/404.html", "nothing here");
    watching.page_with("/nowhere/", "nothing here");
    site.write("assets/img/deep/one.txt", "first");
    watching.page_with("/assets/img/deep/one.txt", "first");
    // A page may show any picture.
    site.write("assets/img/deep/one.png", "first");
    watching.page_with("/assets/img/deep/one.png", "first");
    let open = watching.open("/plugins/one/");
    site.write("assets/img/deep/one.png", "second");
    open.reloaded();
    watching.page_with("/assets/img/deep/one.png", "second");
    site.write("data/notices.yaml", "- plugin: one\n  date: 2020-01-01 10:00:00Z\n  text: Beware\n");
    watching.page_with("/plugins/one/", "Beware");

    // What editors leave behind for a moment is nothing.
    let lines = watching.lines().len();
    site.write("entries/.one.md.swp", "swap");
    site.write("entries/one.md~", "backup");
    site.write("entries/4913", "");
    site.write("entries/three.md", with_text("three", "After the swap files."));
    watching.page_with("/plugins/three/", "After the swap files.");
    let told = watching.lines().split_off(lines);
    assert!(
        !told.iter().any(|line| ["swp", "one.md~", "4913", "files"].iter().any(|it| line.contains(it))),
        "{told:?}"
    );
    assert_leaves_all_whole(&site, watching);
}

#[test]
fn many_changes_at_once_are_few_builds() {
    let site = site();
    let watching = site.watch(&[]);
    for number in 0..200 {
        site.entry(&format!("more{number}"), "");
    }
    watching.page_with("/plugins/more199/", "Plugin more199");
    eventually("all pages", || {
        (0..200)
            .all(|number| site.at(&format!("public/plugins/more{number}/index.html")).exists())
            .then_some(())
    });
    let builds = watching.lines().iter().filter(|line| line.contains("written in")).count();
    assert!(builds <= 6, "{:#?}", watching.lines());
    // As a checkout does: some files go, others change.
    for number in 0..200 {
        let path = format!("entries/more{number}.md");
        if number % 2 == 0 {
            std::fs::remove_file(site.at(&path)).unwrap();
        } else {
            save_by_rename(&site, &path, &with_text(&format!("more{number}"), "Checked out."));
        }
    }
    watching.page_with("/plugins/more199/", "Checked out.");
    eventually("no page of what is gone", || {
        (!site.at("public/plugins/more198/index.html").exists()).then_some(())
    });
    assert_leaves_all_whole(&site, watching);
}

#[test]
fn a_folder_that_is_replaced_is_watched_again() {
    let site = site();
    site.write("assets/img/a.txt", "first");
    let watching = site.watch(&[]);
    std::fs::rename(site.at("entries"), site.at("before")).unwrap();
    assert_eq!(watching.page_with("/", "paths.entries").status, 500);
    std::fs::rename(site.at("before"), site.at("entries")).unwrap();
    watching.page_with("/", "!paths.entries");
    site.write("entries/one.md", with_text("one", "After it came back."));
    watching.page_with("/plugins/one/", "After it came back.");

    std::fs::remove_dir_all(site.at("assets")).unwrap();
    eventually("no asset", || (watching.get("/assets/img/a.txt").status == 404).then_some(()));
    site.write("assets/img/a.txt", "second");
    watching.page_with("/assets/img/a.txt", "second");
    site.write("assets/img/a.txt", "third");
    watching.page_with("/assets/img/a.txt", "third");
    assert_leaves_all_whole(&site, watching);
}

#[cfg(unix)]
#[test]
fn what_a_link_leads_to_is_watched() {
    let site = site();
    site.write("shared/four.md", with_text("four", "First."));
    std::os::unix::fs::symlink("../shared/four.md", site.at("entries/four.md")).unwrap();
    let watching = site.watch(&[]);
    watching.page_with("/plugins/four/", "First.");
    save_by_rename(&site, "shared/four.md", &with_text("four", "Second."));
    watching.page_with("/plugins/four/", "Second.");
}

#[test]
fn a_broken_entry_is_shown_where_the_page_would_be() {
    let site = site();
    let watching = site.watch(&[]);
    let before = site.tree("public");
    let open = watching.open("/plugins/two/");
    site.write("entries/one.md", entry("one", "").replace("id: one", "id: <b>/never"));
    open.reloaded();
    let page = watching.get("/plugins/two/");
    assert_eq!(page.status, 500);
    let text = page.text();
    assert!(
        text.contains("entries/one.md:") && text.contains("id: &lt;b&gt;/never") && !text.contains("<b>"),
        "{text}"
    );
    assert_eq!(site.tree("public"), before);
    assert_eq!(watching.get("/plugins.json").status, 200);
    watching.line("entries/one.md changed: can't be read");
    watching.line("--> entries/one.md:");

    let open = watching.open("/plugins/two/");
    site.entry("one", "");
    open.reloaded();
    let page = watching.get("/plugins/two/");
    assert!(page.status == 200 && page.text().contains("Plugin two"), "{}", page.text());
    watching.line("fixed: entries/one.md changed, 0 outputs written in ");
    assert_leaves_all_whole(&site, watching);
}

#[test]
fn an_edit_of_the_configuration_counts_and_a_wrong_one_is_shown() {
    let site = site();
    let watching = site.watch(&[]);
    let open = watching.open("/");
    site.write("shelflife.toml", format!("{CONFIG}\ntitel = 1\n"));
    open.reloaded();
    let page = watching.get("/");
    assert!(page.status == 500 && page.text().contains("titel"), "{}", page.text());
    assert!(page.text().contains("shelflife.toml:3"), "{}", page.text());

    site.write("shelflife.toml", format!("{CONFIG}\nbase_path = \"/sub\"\n[paths]\nentries = \"other\"\n"));
    watching.page_with("/", "paths.entries");
    site.write("other/five.md", entry("five", ""));
    watching.page_with("/sub/plugins/five/", "Plugin five");
    let home = watching.get("/");
    assert_eq!((home.status, home.header("location")), (307, Some("/sub/")));
    assert_eq!(watching.get("/plugins/five/").status, 404);
    site.write("other/five.md", with_text("five", "In the other folder."));
    watching.page_with("/sub/plugins/five/", "In the other folder.");
    assert_leaves_all_whole(&site, watching);
}

#[test]
fn the_output_folder_is_served_and_nothing_else() {
    let site = site();
    let watching = site.watch(&[]);
    site.write("public/.git/config", "hidden");
    #[cfg(unix)]
    std::os::unix::fs::symlink(site.at("shelflife.toml"), site.at("public/out.toml")).unwrap();
    for path in [
        "/../shelflife.toml",
        "/plugins/../../shelflife.toml",
        "/%2e%2e/shelflife.toml",
        "/..%2fshelflife.toml",
        "/%2E%2E%2Fshelflife.toml",
        "/..%5cshelflife.toml",
        "/.git/config",
        "/%2egit/config",
        "/out.toml",
        "//etc/passwd",
        "/%00",
    ] {
        let reply = watching.get(path);
        assert!(matches!(reply.status, 400 | 404), "{path}: {}", reply.status);
        assert!(!reply.text().contains("plugins.example\"") && !reply.text().contains("hidden"), "{path}");
    }
    let missing = watching.get("/nowhere/");
    assert_eq!(missing.status, 404);
    assert!(missing.text().starts_with(site.read("public/404.html").split("</body>").next().unwrap()));
    let folder = watching.get("/plugins/one?x=1");
    assert_eq!((folder.status, folder.header("location")), (307, Some("/plugins/one/?x=1")));
    let json = watching.get("/plugins.json");
    assert_eq!(json.header("content-type"), Some("application/json"));
    assert_eq!(json.header("cache-control"), Some("no-store"));
    assert_eq!(json.text(), site.read("public/plugins.json"));

    let host = watching.address.to_string();
    let head = watching.request("HEAD", "/plugins.json", &[("Host", &host)]);
    let length = json.body.len().to_string();
    assert_eq!((head.status, head.header("content-length")), (200, Some(length.as_str())));
    for method in ["POST", "PUT", "DELETE", "OPTIONS"] {
        assert_eq!(watching.request(method, "/", &[("Host", &host)]).status, 405);
    }
}

#[test]
fn only_this_machine_may_be_asked_for() {
    let site = site();
    let watching = site.watch(&[]);
    let port = watching.address.port();
    for (host, status) in [
        (format!("localhost:{port}"), 200),
        (format!("127.0.0.1:{port}"), 200),
        (format!("evil.example:{port}"), 403),
        (format!("127.0.0.1.evil.example:{port}"), 403),
        ("192.0.2.1".to_owned(), 403),
    ] {
        for path in ["/plugins/one/", "/.shelflife/live.js"] {
            let reply = watching.request("GET", path, &[("Host", &host)]);
            assert_eq!(reply.status, status, "{host}");
            assert!(status == 200 || reply.text().contains("--host"), "{}", reply.text());
        }
    }
    assert_eq!(watching.request("GET", "/", &[("Host", "localhost"), ("Host", "evil.example")]).status, 403);
    let named = site.watch(&["--host", "localhost"]);
    let host = format!("LocalHost:{}", named.address.port());
    assert_eq!(named.request("GET", "/", &[("Host", &host)]).status, 200);
}

#[test]
fn a_stale_fact_is_refreshed_in_the_background() {
    let mut world = World::new("2020-08-01T00:00:00Z".parse().unwrap());
    world.add(Repository::new("owner/one").with_stars(4711));
    let server = Server::start(world).unwrap();
    let site = Site::asking(&server, CONFIG, "1h");
    site.entry("one", "compatibility: {python: '>=3'}\n");
    site.build(&["--now", "2020-08-01T00:00:00Z"]).succeeded();
    assert!(site.read("public/plugins/one/index.html").contains("4,711"));
    server.change(|world| world.repository_mut("owner/one").unwrap().stars = 4712);

    // With `--offline` nobody is asked.
    server.reset_log();
    let watching = site.watch(&["--offline"]);
    site.write("entries/one.md", with_text("one", "Edited offline."));
    watching.page_with("/plugins/one/", "Edited offline.");
    drop(watching);
    assert_eq!(server.log().len(), 0);

    let mut watching = site.watch(&[]);
    watching.page_with("/plugins/one/", "4,712");
    let line = watching.line("facts refreshed: ");
    assert!(line.contains("fetched") && line.contains("written in"), "{line}");
    assert_eq!(watching.stop("-INT").0, Some(0));
    // A first build that asked for itself would know nothing of the number before.
    site.assert_like_a_first_build(&jiff::Timestamp::now().to_string());
}

#[test]
fn a_port_that_is_taken_is_named_or_passed_over() {
    let site = site();
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port().to_string();
    let path = site.path().to_str().unwrap();
    let run = site.program(&["watch", "--port", &port, path]).output().unwrap();
    let stderr = String::from_utf8_lossy(&run.stderr);
    assert_eq!(run.status.code(), Some(1), "{stderr}");
    assert!(stderr.contains(&format!("port {port} of 127.0.0.1 is already in use")), "{stderr}");
    assert!(stderr.contains("--port 0"), "{stderr}");

    // If somebody else has the port, it is taken, too.
    let _first = TcpListener::bind("127.0.0.1:4000");
    let watching = Watching::start(&mut site.program(&["watch", path]));
    assert!(
        watching.line("Serving").ends_with(" (port 4000 is taken; press Ctrl-C to stop)"),
        "{:#?}",
        watching.lines()
    );
    assert_ne!(watching.address.port(), 4000);

    let run = site.program(&["watch", "--port", "0", "--host", "192.0.2.1", path]).output().unwrap();
    let stderr = String::from_utf8_lossy(&run.stderr);
    assert!(run.status.code() == Some(1) && stderr.contains("`--host 192.0.2.1`"), "{stderr}");
    let nowhere = site.program(&["watch", "nowhere"]).output().unwrap();
    assert_eq!(nowhere.status.code(), Some(2));
}

#[test]
fn it_ends_at_once_while_pages_are_open_and_leaves_all_whole() {
    for signal in ["-INT", "-TERM"] {
        let site = site();
        let mut watching = site.watch(&[]);
        let _pages = [watching.open("/"), watching.open("/plugins/one/")];
        site.write("entries/one.md", with_text("one", "The last words."));
        let (code, took) = watching.stop(signal);
        assert_eq!(code, Some(0), "{:#?}", watching.lines());
        assert!(took < Duration::from_secs(2), "it took {took:?}");
        drop(watching);
        // Whether or not the last edit was built, the next build goes on from there.
        site.build(&[]).succeeded();
        assert_leaves_all_whole(&site, site.watch(&[]));
    }
}

#[test]
fn a_page_of_an_earlier_run_is_reloaded() {
    let site = site();
    let watching = site.watch(&[]);
    let target = "/.shelflife/events?page=/&run=earlier&seen=99";
    let host = watching.address.to_string();
    let mut stream =
        shelflife_testkit::http::send(watching.address, "GET", target, &[("Host", &host)], b"").unwrap();
    shelflife_testkit::http::head(&mut stream).unwrap();
    let mut line = String::new();
    while line.trim() != "event: reload" {
        line.clear();
        assert_ne!(std::io::BufRead::read_line(&mut stream, &mut line).unwrap(), 0);
    }
}

#[test]
fn before_the_first_build_a_page_says_so() {
    let site = site();
    // Another build has the cache.
    let cache = site.at(".shelflife/cache.sqlite");
    let (held, _) = shelflife::cache::Cache::open(&cache, &|| {}).unwrap();
    let watching = site.start_watching(&[]);
    watching.line("waiting for another build");
    let page = watching.get("/plugins/one/");
    assert!(page.status == 503 && page.text().contains("Building the site"), "{}", page.text());
    assert_eq!(watching.get("/plugins.json").status, 404);
    let open = watching.open("/plugins/one/");
    assert!(!Path::new(&site.at("public")).exists());
    drop(held);
    open.reloaded();
    assert_eq!(watching.get("/plugins/one/").status, 200);
}

#[test]
fn answers_that_come_while_the_site_is_broken_are_learnt() {
    let mut world = World::new("2020-08-01T00:00:00Z".parse().unwrap());
    world.add(Repository::new("owner/one").with_stars(4711));
    let server = Server::start(world).unwrap();
    server.set_latency(Duration::from_millis(1500));
    let site = Site::asking(&server, CONFIG, "6h");
    site.entry("one", "compatibility: {python: '>=3'}\n");
    site.entry("two", "");
    let watching = site.start_watching(&[]);
    watching.line("Built 2 entries");
    // By now sources are being asked, which takes longer than to break something.
    std::thread::sleep(Duration::from_millis(300));
    site.write("entries/two.md", "no front matter");
    watching.line("entries/two.md");
    // The answers come now, and nobody can publish them.
    std::thread::sleep(Duration::from_millis(2000));
    site.entry("two", "");
    watching.page_with("/plugins/one/", "4,711");
    assert_leaves_facts_whole(&site, watching);
}

/// As [`assert_leaves_all_whole`], where a first build would have other facts.
#[track_caller]
fn assert_leaves_facts_whole(site: &Site, mut watching: Watching) {
    assert_eq!(watching.stop("-INT").0, Some(0), "{:#?}", watching.lines());
    let verify = ["cache", "verify", "--site", site.path().to_str().unwrap()];
    assert!(site.program(&verify).output().unwrap().status.success());
}

#[test]
fn an_output_folder_that_vanishes_comes_back_whole() {
    let site = site();
    let watching = site.watch(&[]);
    site.write("entries/one.md", with_text("one", "Before."));
    watching.page_with("/plugins/one/", "Before.");
    // A folder that is being written into can't be removed as a whole.
    watching.line("entries/one.md changed");
    std::fs::remove_dir_all(site.at("public")).unwrap();
    site.write("entries/one.md", with_text("one", "After."));
    watching.page_with("/plugins/one/", "After.");
    watching.page_with("/plugins/two/", "Plugin two");
    assert_leaves_all_whole(&site, watching);
}

#[test]
fn a_configuration_that_vanishes_is_no_wish_for_defaults() {
    let site = site();
    let watching = site.watch(&[]);
    let before = site.tree("public");
    std::fs::remove_file(site.at("shelflife.toml")).unwrap();
    let broken = watching.page_with("/", "shelflife.toml was removed");
    assert_eq!(broken.status, 500);
    assert!(site.tree("public") == before);
    site.write("shelflife.toml", CONFIG);
    watching.page_with("/plugins/one/", "Plugin one");
    assert_leaves_all_whole(&site, watching);
}

/// Copies a folder with everything in it.
fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for (path, content) in Site::files(from) {
        let place = to.join(path);
        std::fs::create_dir_all(place.parent().unwrap()).unwrap();
        std::fs::write(place, content).unwrap();
    }
}

#[test]
fn a_folder_that_another_one_replaces_is_followed() {
    let around = Site::new("");
    let site = Site::below(around.path(), CONFIG);
    site.entry("one", "");
    site.write("assets/img/a.txt", "first");
    site.write("pages/about.md", "---\ntitle: About\n---\nText.\n");
    let mut relative = site.program(&["watch", "--port", "0"]);
    relative.current_dir(site.path());
    let mut absolute = site.program(&["watch", "--port", "0"]);
    absolute.arg(site.path());
    for (round, mut command) in [relative, absolute].into_iter().enumerate() {
        let watching = Watching::start(&mut command);
        watching.line("Built ");
        for (number, folder) in ["entries", "assets/img", "assets", "pages", ""].into_iter().enumerate() {
            for is_slow in [false, true] {
                let (place, old) = (site.at(folder), around.at(&format!("old{round}{number}{is_slow}")));
                std::fs::rename(&place, &old).unwrap();
                if is_slow {
                    std::thread::sleep(Duration::from_millis(700));
                }
                copy(&old, &place);
                let text = format!("{folder} {round} {is_slow}");
                site.write("entries/one.md", with_text("one", &format!("Entry of {text}.")));
                watching.page_with("/plugins/one/", &format!("Entry of {text}."));
                site.write("assets/img/a.txt", format!("asset of {text}"));
                watching.page_with("/assets/img/a.txt", &format!("asset of {text}"));
                let page = format!("---\ntitle: About\n---\nPage of {text}.\n");
                site.write("pages/about.md", page);
                watching.page_with("/about/", &format!("Page of {text}."));
                // What was there before is none of the site's.
                if folder.is_empty() {
                    std::fs::write(old.join("entries/other.md"), entry("other", "")).unwrap();
                }
            }
        }
        assert_eq!(watching.get("/plugins/other/").status, 404);
        let told = watching.lines();
        assert!(!told.iter().any(|line| line.contains("checking for changes")), "{told:#?}");
    }
}
