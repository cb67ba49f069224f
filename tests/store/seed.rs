//! `shelflife cache seed`: what a site has published comes back into a cache that was lost.

use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader, Write as _};
use std::net::TcpListener;
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use crate::common::Site;
use jiff::{SignedDuration, Timestamp};
use shelflife::cache::Cache;
use shelflife::history::{Day, History, Measure};
use shelflife_testkit::replay::{Server, Usage, Window, World};

const CACHE: &str = ".shelflife/cache.sqlite";

/// A site with an entry, and a folder `old` that a site was published into.
fn site() -> Site {
    let site = Site::new("title = \"Test\"");
    site.entry("one", "");
    publish(&site, "old");
    site
}

/// Writes what matters of a published site: three plugins, one of which has no history.
fn publish(site: &Site, folder: &str) {
    let index = "{\"plugins\":[{\"id\":\"one\",\"title\":\"One\"},{\"id\":\"two\"},{\"id\":\"three\"}]}";
    site.write(&format!("{folder}/api/v1/plugins.json"), index);
    let history = |stem: &str, id: &str, series: &str| {
        let text = format!("{{\"id\":\"{stem}\",\"declared_id\":\"{id}\",\"series\":{{{series}}}}}\n");
        site.write(&format!("{folder}/api/v1/plugins/{stem}/history.json"), text);
    };
    history("one", "One", "\"stars\":[[\"2020-01-01\",1],[\"2020-01-03\",3]]");
    history("two", "two", "\"instances_month\":[[\"2020-01-02\",20]]");
}

/// `shelflife cache seed`: its exit code and all that it says.
fn seed(site: &Site, from: &str) -> (i32, String) {
    let mut command = site.program(&["cache", "seed", from, "--site"]);
    let output = command.arg(site.path()).output().unwrap();
    let text =
        String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
    (output.status.code().unwrap(), text.split_whitespace().collect::<Vec<_>>().join(" "))
}

fn stars(cache: &Path, id: &str) -> Vec<(String, u64)> {
    let history = Cache::read(cache, |cache| cache.history(id)).unwrap();
    let history = history.map(|packed| History::unpack(&packed).unwrap()).unwrap_or_default();
    history.of(Measure::Stars).iter().map(|one| (one.day.to_string(), one.value)).collect()
}

fn day(text: &str) -> Day {
    Day::from_date(text.parse().unwrap()).unwrap()
}

#[test]
fn a_folder_seeds_a_cache_that_is_not_there() {
    let site = site();
    let old = site.at("old");
    let (code, text) = seed(&site, old.to_str().unwrap());
    assert_eq!((code, &*text), (0, "Restored 3 observations of 2 plugins (1 plugin has no history)"));
    let first = [("2020-01-01".to_owned(), 1), ("2020-01-03".to_owned(), 3)];
    assert_eq!(stars(&site.at(CACHE), "one"), first);
    let (code, text) = seed(&site, old.to_str().unwrap());
    assert_eq!(
        (code, &*text),
        (0, "Nothing to restore: the cache already has every observation (1 plugin has no history)")
    );
    site.build(&[]).succeeded();
    assert_eq!(stars(&site.at(CACHE), "one"), first);
}

#[test]
fn what_the_cache_knows_wins() {
    let site = site();
    let (cache, _) = Cache::open(&site.at(CACHE), &|| {}).unwrap();
    let mut known = History::default();
    known.observe(Measure::Stars, day("2020-01-03"), 33);
    known.observe(Measure::Stars, day("2020-02-01"), 40);
    cache.set_histories([("one", &*known.pack())]).unwrap();
    cache.commit().unwrap();
    drop(cache);
    assert_eq!(seed(&site, site.at("old").to_str().unwrap()).0, 0);
    let expected = [("2020-01-01", 1), ("2020-01-03", 33), ("2020-02-01", 40)];
    assert_eq!(stars(&site.at(CACHE), "one"), expected.map(|(day, value)| (day.to_owned(), value)));
}

#[test]
fn a_build_after_it_shows_what_came() {
    let site = site();
    let config = "title = \"Test\"\n[usage]\nmonth = \"http://127.0.0.1:9/month.json\"\n";
    site.write("shelflife.toml", config);
    let page = || {
        site.build(&["--offline", "--now", "2026-11-25T00:00:00Z"]).succeeded();
        let pages = site.tree("public");
        (pages[Path::new("plugins/one/index.html")].clone(), pages)
    };
    page();
    assert_eq!(seed(&site, site.at("old").to_str().unwrap()).0, 0);
    let after = page();
    std::fs::remove_dir_all(site.at("public")).unwrap();
    let cache = rusqlite::Connection::open(site.at(CACHE)).unwrap();
    cache.execute_batch("DELETE FROM note; DELETE FROM shard; DELETE FROM memo").unwrap();
    drop(cache);
    assert!(page() == after);
}

#[test]
fn what_makes_no_sense_is_told_and_the_rest_is_taken_over() {
    let site = site();
    for (text, reason) in [
        ("<!doctype html>", "not a history"),
        (
            "{\"id\":\"two\",\"declared_id\":\"two\",\"series\":{\"stars\":[[\"9999-01-01\",1]]}}",
            "a date in the future",
        ),
        ("{\"id\":\"one\",\"declared_id\":\"two\",\"series\":{}}", "this is the history of `one`"),
        ("{\"id\":\"two\",\"declared_id\":\"\\u001b[31m\",\"series\":{}}", "is not a valid plugin id"),
        (&" ".repeat(1024 * 1024 + 1), "larger than 1024 KiB"),
    ] {
        let _ = std::fs::remove_dir_all(site.at(".shelflife"));
        site.write("old/api/v1/plugins/two/history.json", text);
        let (code, said) = seed(&site, site.at("old").to_str().unwrap());
        assert_eq!(code, 1, "{said}");
        assert!(said.contains(&format!("not restored: two: {reason}")) || said.contains(reason), "{said}");
        assert!(said.contains("Restored 2 observations of 1 plugin (") && !said.contains('\u{1b}'), "{said}");
        assert_eq!(stars(&site.at(CACHE), "one").len(), 2);
    }
}

#[test]
fn where_there_is_nothing_to_take_over_it_says_so() {
    let site = site();
    let at = |path: &str| site.at(path).to_str().unwrap().to_owned();
    std::fs::create_dir(site.at("empty")).unwrap();
    site.write("hostile/api/v1/plugins.json", "{\"plugins\":[{\"id\":\"../../../old/api/v1/plugins/one\"}]}");
    site.write("early/api/v1/plugins.json", "{\"plugins\":[{\"id\":\"one\"}]}");
    for (from, reason) in [
        (at("nowhere"), "nowhere is not a folder"),
        (at("empty"), "has no api/v1/plugins.json"),
        (at("hostile"), "invalid plugin name `../../../old/api/v1/plugins/one`"),
        (at("early"), "has no history for any of its 1 plugin"),
        ("http://me:secret@127.0.0.1:9".to_owned(), "contains a user name or a password"),
        ("http://127.0.0.1:9".to_owned(), "can't read the plugin index"),
    ] {
        let (code, said) = seed(&site, &from);
        assert_eq!(code, 1, "{said}");
        assert!(said.contains(reason) && !said.contains("secret"), "{said}");
        assert!(!site.at(CACHE).exists(), "{from}");
    }
}

#[test]
fn what_a_site_has_published_is_all_that_it_takes() {
    let start: Timestamp = "2020-08-01T06:00:00Z".parse().unwrap();
    let server = Server::start(World::new(start)).unwrap();
    let site = Site::asking(&server, "title = \"Test\"", "1h");
    site.entry("One.a-b", "compatibility: {python: '>=3'}\nid: One_ab\n");
    site.write("entries/One.a-b.md", site.read("entries/One.a-b.md").replacen("id: One.a-b\n", "", 1));
    for days in 0..120u32 {
        let now = start + SignedDuration::from_hours(24 * i64::from(days));
        server.change(|world| {
            world.set_time(now);
            let usage = Usage { instances: u64::from(days * 7 % 50), install_events: 3, ..Usage::default() };
            world.set_usage(Window::Month, "one_ab", usage);
        });
        site.build(&["--quiet", "--now", &now.to_string()]).succeeded();
    }
    let now = (start + SignedDuration::from_hours(24 * 119)).to_string();
    let before = site.tree("public");
    let history = site.json("public/api/v1/plugins/One.a-b/history.json");
    assert_eq!((&history["id"], &history["declared_id"]), (&"One.a-b".into(), &"One_ab".into()));
    let observed = history["series"]["instances_month"].as_array().unwrap().len();
    assert!((90..100).contains(&observed), "{observed}");
    assert!(site.read("public/plugins/One.a-b/index.html").contains("<figure class=\"history\">"));

    std::fs::remove_dir_all(site.at(".shelflife")).unwrap();
    let (code, text) = seed(&site, site.at("public").to_str().unwrap());
    assert_eq!(code, 0, "{text}");
    let told = site.build(&["--now", &now]).succeeded().stderr;
    assert!(!told.contains("cache seed"), "{told}");
    assert!(site.tree("public") == before);

    // What is missing comes back without anything being evaluated.
    std::fs::remove_dir_all(site.at("public/api")).unwrap();
    assert_eq!(site.report(&["--now", &now])["queries"], serde_json::json!({}));
    assert!(site.tree("public") == before);
}

/// Serves the files of a folder below `/sub/`, each of which answers so often with an error before.
fn serve(site: &Site, folder: &str, errors: usize) -> (String, Arc<AtomicUsize>) {
    serve_some(site, folder, move |_, so_far| so_far <= errors)
}

/// Serves the files of a folder below `/sub/`. `fails` says whether the answer is an error, of the path and of how
/// often it was asked for.
fn serve_some(
    site: &Site,
    folder: &str,
    fails: impl Fn(&str, usize) -> bool + Send + 'static,
) -> (String, Arc<AtomicUsize>) {
    let files: BTreeMap<String, Vec<u8>> = site
        .tree(folder)
        .into_iter()
        .map(|(path, content)| (format!("/sub/{}", path.display()), content))
        .collect();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("http://{}/sub", listener.local_addr().unwrap());
    let requests = Arc::new(AtomicUsize::new(0));
    let (counter, failed) = (Arc::clone(&requests), Mutex::new(BTreeMap::<String, usize>::new()));
    // It ends with the test's process.
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let mut line = String::new();
            let mut reader = BufReader::new(stream.try_clone().unwrap());
            reader.read_line(&mut line).unwrap();
            let mut header = line.clone();
            while header.trim() != "" {
                header.clear();
                reader.read_line(&mut header).unwrap();
            }
            counter.fetch_add(1, Ordering::Relaxed);
            let path = line.split(' ').nth(1).unwrap_or_default().to_owned();
            let so_far = {
                let mut failed = failed.lock().unwrap();
                let count = failed.entry(path.clone()).or_default();
                *count += 1;
                *count
            };
            let (status, body) = match files.get(&path) {
                Some(_) if fails(&path, so_far) => ("503 Service Unavailable", &b""[..]),
                Some(content) => ("200 OK", &**content),
                None => ("404 Not Found", &b"<h1>no</h1>"[..]),
            };
            let head =
                format!("HTTP/1.1 {status}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n", body.len());
            let _ = stream.write_all(&[head.as_bytes(), body].concat());
        }
    });
    (address, requests)
}

#[test]
fn a_published_site_seeds_a_cache_and_is_asked_again_when_it_fails() {
    let site = site();
    for (errors, expected) in [(0, 4), (1, 7)] {
        let _ = std::fs::remove_dir_all(site.at(".shelflife"));
        let (address, requests) = serve(&site, "old", errors);
        let (code, text) = seed(&site, &address);
        assert_eq!((code, &*text), (0, "Restored 3 observations of 2 plugins (1 plugin has no history)"));
        assert_eq!(requests.load(Ordering::Relaxed), expected);
        assert_eq!(stars(&site.at(CACHE), "one").len(), 2);
    }
}

/// A site that is published below `/sub` of this server, which has a plugin that is used by so many.
fn published_at(server: &Server, address: &str, more: &str) -> Site {
    let url = address.strip_suffix("/sub").unwrap();
    let config = format!("title = \"Test\"\nurl = \"{url}\"\nbase_path = \"/sub\"\n{more}");
    let mut site = Site::asking(server, &config, "1h");
    site.set("GITHUB_SERVER_URL", server.url());
    site.entry("one", "");
    site
}

/// A world in which the plugin `one` is used by so many.
fn world(instances: u64) -> Server {
    let mut world = World::new("2026-11-01T06:00:00Z".parse().unwrap());
    world.set_usage(Window::Month, "one", Usage { instances, ..Usage::default() });
    Server::start(world).unwrap()
}

const NOW: [&str; 2] = ["--now", "2026-11-25T00:00:00Z"];

fn months(site: &Site) -> Vec<(String, u64)> {
    let history = Cache::read(&site.at(CACHE), |cache| cache.history("one")).unwrap();
    let history = history.map(|packed| History::unpack(&packed).unwrap()).unwrap_or_default();
    history.of(Measure::InstancesMonth).iter().map(|one| (one.day.to_string(), one.value)).collect()
}

#[test]
fn an_evicted_cache_has_the_published_history_again() {
    let server = world(7);
    let old = site();
    let history =
        "{\"id\":\"one\",\"declared_id\":\"one\",\"series\":{\"instances_month\":[[\"2026-10-01\",5]]}}";
    old.write("old/api/v1/plugins/one/history.json", history);
    let (address, requests) = serve(&old, "old", 0);
    let site = published_at(&server, &address, "");
    let run = site.build(&NOW).succeeded();
    run.says(&format!("note: restored 2 observations of 2 plugins from {address}/"));
    run.says("Read the published history of 3 plugins");
    assert!(!run.stderr.contains("cache seed"), "{}", run.stderr);
    let whole = [("2026-10-01".to_owned(), 5), ("2026-11-25".to_owned(), 7)];
    assert_eq!(months(&site), whole);
    let (before, asked) = (site.tree("public"), requests.load(Ordering::Relaxed));

    // That is asked once, and the published site has all of it for the next eviction.
    site.build(&["--now", "2026-11-26T00:00:00Z"]).succeeded();
    assert_eq!(requests.load(Ordering::Relaxed), asked);
    let (address, _) = serve(&site, "public", 0);
    let again = published_at(&server, &address, "");
    again.write(
        "shelflife.toml",
        format!("{}\n[history]\nseed = \"{address}\"\n", site.read("shelflife.toml")),
    );
    again.build(&NOW).succeeded();
    assert_eq!(months(&again), whole);
    assert!(again.tree("public") == before);
}

#[test]
fn what_is_not_published_yet_is_no_error() {
    let server = world(7);
    let empty = site();
    empty.write("empty/index.html", "nothing of this site's");
    empty.write("older/plugins.json", "[]");
    empty.write("early/api/v1/plugins.json", "{\"plugins\":[{\"id\":\"one\"}]}");
    for (folder, note) in [
        ("empty", "nothing is published at"),
        ("older", "was published without `outputs.api`"),
        ("early", "has no history yet"),
    ] {
        let (address, requests) = serve(&empty, folder, 0);
        let mut site = published_at(&server, &address, "");
        site.set("CI", "true");
        site.build(&NOW).succeeded().says(note);
        assert_eq!(months(&site), [("2026-11-25".to_owned(), 7)], "{folder}");
        let asked = requests.load(Ordering::Relaxed);
        let run = site.build(&["--now", "2026-11-26T00:00:00Z"]).succeeded();
        assert!(requests.load(Ordering::Relaxed) == asked && !run.stderr.contains(note), "{folder}");
    }
    // No name has a part that is longer than 63 bytes, so nobody has to be asked to know that there is none.
    let mut site = published_at(&server, "http://127.0.0.1:9/sub", "");
    let host = format!("{}.octoprint.org", "a".repeat(64));
    site.write("shelflife.toml", site.read("shelflife.toml").replace("127.0.0.1:9", &host));
    site.set("CI", "true");
    site.build(&NOW).succeeded().says(&format!("unknown host {host}"));
}

#[test]
fn a_runner_does_not_publish_over_a_history_that_it_could_not_read() {
    let server = world(7);
    let old = site();
    old.write("hostile/api/v1/plugins.json", "{\"plugins\":[{\"id\":\"../../../old/api/v1/plugins/one\"}]}");
    old.write("page/api/v1/plugins.json", "<!doctype html>");
    old.write("torn/api/v1/plugins.json", "{\"plugins\":[{\"id\":\"one\"}]}");
    old.write("torn/api/v1/plugins/one/history.json", "<!doctype html>");
    type Fails = fn(&str, usize) -> bool;
    let cases: [(&str, Fails, &str); 5] = [
        ("old", |_, _| true, "503"),
        ("old", |path, _| path.ends_with("two/history.json"), "the first: two: 127.0.0.1"),
        ("hostile", |_, _| false, "invalid plugin name"),
        ("page", |_, _| false, "can't read the plugin index"),
        ("torn", |_, _| false, "found 1 history, but it is invalid"),
    ];
    for (folder, fails, reason) in cases {
        let (address, _) = serve_some(&old, folder, fails);
        let mut site = published_at(&server, &address, "");
        site.set("CI", "true");
        let run = site.build(&NOW);
        let said = run.stderr.replace('│', " ").split_whitespace().collect::<Vec<_>>().join(" ");
        assert_eq!(run.code, 1, "{said}");
        for text in ["nothing was built", reason, "`[history] seed = \"off\"`", "`shelflife cache seed`"] {
            assert!(said.contains(text), "{text} in {said}");
        }
        assert!(!site.at("public").exists());
        // Once it can be read, it is.
        site.write("shelflife.toml", format!("{}[history]\nseed = \"off\"\n", site.read("shelflife.toml")));
        site.build(&NOW).succeeded();
        assert_eq!(months(&site).len(), 1);
    }
}

#[test]
fn a_cache_that_could_not_be_seeded_is_before_anything_is_published() {
    let server = world(7);
    let old = site();
    // As many requests fail as `cache seed` and a build make.
    let (address, _) = serve_some(&old, "old", |path, so_far| path.ends_with("plugins.json") && so_far <= 8);
    let mut site = published_at(&server, &address, "");
    site.build(&[&NOW, &["--offline"][..]].concat()).succeeded();
    // It has a history of its own, so that no build would ask.
    let cache = Cache::open(&site.at(CACHE), &|| {}).unwrap().0;
    cache.set_histories([("one", &*History::default().pack())]).unwrap();
    cache.set_seeding_due(false).unwrap();
    cache.commit().unwrap();
    drop(cache);
    let output = site.program(&["cache", "seed", "--site"]).arg(site.path()).output().unwrap();
    assert_eq!(output.status.code(), Some(1), "{}", String::from_utf8_lossy(&output.stderr));
    site.set("CI", "true");
    let run = site.build(&NOW);
    assert!(run.code == 1 && run.stderr.contains("nothing was built"), "{}", run.stderr);
    site.build(&NOW).succeeded().says("restored 3 observations of 2 plugins");
    assert_eq!(stars(&site.at(CACHE), "one").len(), 2);
}

#[test]
fn elsewhere_a_seeding_that_failed_is_made_up_for() {
    let server = world(7);
    let old = site();
    let history =
        "{\"id\":\"one\",\"declared_id\":\"one\",\"series\":{\"instances_month\":[[\"2026-10-01\",5]]}}";
    old.write("old/api/v1/plugins/one/history.json", history);
    // Each build asks four times.
    let (address, _) = serve_some(&old, "old", |path, so_far| path.ends_with("plugins.json") && so_far <= 4);
    let site = published_at(&server, &address, "");
    site.build(&["--offline"]).succeeded();
    let run = site.build(&NOW).succeeded();
    run.says("warning: the published history could not be read");
    assert_eq!(months(&site), [("2026-11-25".to_owned(), 7)]);
    assert!(site.program(&["cache", "clear", "--site"]).arg(site.path()).output().unwrap().status.success());
    server.change(|world| {
        world.set_usage(Window::Month, "one", Usage { instances: 8, ..Usage::default() });
    });
    site.build(&["--now", "2026-11-26T00:00:00Z"]).succeeded().says("restored 2 observations of 2 plugins");
    let whole = [("2026-10-01", 5), ("2026-11-25", 7), ("2026-11-26", 8)];
    assert_eq!(months(&site), whole.map(|(day, value)| (day.to_owned(), value)));
    assert!(site.read("public/api/v1/plugins/one/history.json").contains("2026-10-01"));
}

#[test]
fn nobody_is_asked_who_can_not_have_a_history() {
    let server = world(7);
    let old = site();
    let (address, requests) = serve(&old, "old", 0);
    for (more, arguments) in [("history.seed = \"off\"\n", &[][..]), ("", &["--offline"])] {
        let site = published_at(&server, &address, more);
        site.build(&[&NOW, arguments].concat()).succeeded();
        assert_eq!(requests.load(Ordering::Relaxed), 0);
    }
    // Nor does a preview ask where it is shown.
    let site = published_at(&server, "http://plugins.example/sub", "");
    site.build(&[&NOW, &["--url", address.strip_suffix("/sub").unwrap()][..]].concat()).succeeded();
    assert_eq!(requests.load(Ordering::Relaxed), 0);
    let site = published_at(&server, "http://plugins.example/sub", "");
    let run = site.build(&NOW).succeeded();
    run.says("the history of usage and stars begins with this build");
}

#[test]
fn without_an_address_the_sites_own_is_asked() {
    let say = |config: &str| {
        let site = Site::new(config);
        let output = site.program(&["cache", "seed", "--site"]).arg(site.path()).output().unwrap();
        let text = String::from_utf8(output.stdout).unwrap() + &String::from_utf8_lossy(&output.stderr);
        (output.status.code().unwrap(), text)
    };
    let host = tempfile::tempdir().unwrap();
    let published = shelflife_testkit::host::Host::start(host.path().to_path_buf(), "/list").unwrap();
    let config = format!("url = \"{}\"\nbase_path = \"/list\"\n", published.origin());
    let (code, text) = say(&config);
    assert!(code == 0 && text.starts_with("Nothing to restore: http://127.0.0.1"), "{text}");
    let site = site();
    let index = host.path().join("api/v1/plugins.json");
    site.write(index.to_str().unwrap(), "{\"plugins\":[{\"id\":\"one\"}]}");
    let (code, text) = say(&config);
    assert!(code == 0 && text.ends_with("has no history yet\n"), "{text}");
    publish(&site, host.path().to_str().unwrap());
    // A file that makes no sense keeps nobody from what the others say.
    site.write(
        index.to_str().unwrap(),
        "{\"plugins\":[{\"id\":\"one\"},{\"id\":\"two\"},{\"id\":\"torn\"}]}",
    );
    site.write(host.path().join("api/v1/plugins/torn/history.json").to_str().unwrap(), "<!doctype html>");
    let (code, text) = say(&config);
    assert!(code == 0 && text.contains("not restored: torn: "), "{text}");
    publish(&site, host.path().to_str().unwrap());
    let (code, text) = say(&config);
    assert_eq!((code, &*text), (0, "Restored 3 observations of 2 plugins (1 plugin has no history)\n"));
    let (code, text) = say(&format!("{config}[history]\nseed = \"off\"\n"));
    assert_eq!((code, &*text), (0, "Nothing to restore: `history.seed` is \"off\"\n"));
    let (code, text) = say("title = \"Test\"\n");
    assert!(code == 1 && text.contains("the URL of the published site is unknown"), "{text}");
    let (code, text) = say("url = \"https://plugins.example\"\n");
    assert!(code == 1 && text.contains("its domain is reserved for examples"), "{text}");
    assert!(!text.contains("set `url`"), "{text}");
}
