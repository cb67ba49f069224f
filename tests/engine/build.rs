//! `shelflife build`, as its users run it: against a world on loopback, and without one.

use crate::common::{Site, entry};
use serde_json::{Value, json};
use shelflife_testkit::replay::{Access, Release, Repository, Server, Usage, Window, World};

const CONFIG: &str = "title = \"Test\"\nurl = \"https://plugins.example\"\ntimezone = \"America/Chicago\"";

fn world() -> World {
    let mut world = World::new("2020-08-01T00:00:00Z".parse().unwrap());
    world.add(
        Repository::new("Owner/One")
            .with_stars(7)
            .with_issues(2, 5)
            .with_push("2020-07-01T01:02:03Z".parse().unwrap())
            .with_release(Release::new("1.0", "First", "2020-06-01T00:00:00Z".parse().unwrap()))
            .with_file("setup.py", "plugin_identifier = 'one'\n")
            .with_file("octoprint_one/__init__.py", "__plugin_pythoncompat__ = '>=3.7,<4'\n"),
    );
    world.add(Repository::new("owner/two").with_stars(1));
    world.set_usage(Window::Month, "one", Usage { instances: 40, install_events: 4, ..Usage::default() });
    world.set_usage(Window::Week, "one", Usage { instances: 10, install_events: 1, ..Usage::default() });
    world
}

fn plugin(site: &Site, id: &str) -> Value {
    let plugins = site.json("public/plugins.json");
    plugins.as_array().unwrap().iter().find(|plugin| plugin["id"] == id).cloned().unwrap_or_default()
}

#[test]
fn an_entry_and_its_facts_become_a_plugin() {
    let server = Server::start(world()).unwrap();
    let site = Site::asking(&server, CONFIG, "1h");
    site.entry(
        "one",
        "note: mind the <b>gap</b>\nattributes:\n- cloud\nprivacypolicy: https://example.org/privacy\n\
         no_build_isolation: yes\nredirect_from: /plugins/old_one/\nfeaturedimage: /assets/img/one.png\n\
         compatibility:\n  octoprint:\n  - 1.4\n  os:\n  - nix\n",
    );
    site.build(&[]).succeeded();
    assert_eq!(
        plugin(&site, "one"),
        json!({
            "id": "one",
            "published": "2020-02-03 00:00:00 -0600",
            "title": "Plugin one",
            "description": "What one does // Please note: mind the gap",
            "archive": "https://example.org/one.zip",
            "no_build_isolation": true,
            "author": "Ada of one",
            "homepage": "https://example.org/one",
            "page": "https://plugins.example/plugins/one/",
            "compatibility": {"octoprint": ["1.4"], "os": ["linux", "freebsd"], "python": ">=3.7,<4"},
            "license": "MIT",
            "image": "https://plugins.example/assets/img/one.png",
            "abandoned": false,
            "attributes": ["cloud"],
            "privacypolicy": "https://example.org/privacy",
            "github": {
                "latest_release": {"name": "First", "date": "2020-06-01 00:00:00 +0000", "tag": "1.0"},
                "releases": 1,
                "last_push": "2020-07-01 01:02:03 +0000",
                "stars": 7,
                "issues": {"open": 2, "closed": 5},
            },
            "stats": {
                "instances_month": 40, "install_events_month": 4, "instances_week": 10, "install_events_week": 1,
            },
        })
    );
    assert_eq!(
        site.json("public/redirects.json"),
        json!({
            "/plugins/old_one/": "https://plugins.example/plugins/one/",
        })
    );
    assert!(site.read("public/plugins/old_one/index.html").contains("https://plugins.example/plugins/one/"));
    assert!(site.read("public/plugins/one/index.html").contains("Plugin one"));
}

/// A release is called by its tag, as OctoPrint calls it; feeds and programs get its name besides.
#[test]
fn a_release_is_called_the_same_everywhere() {
    let server = Server::start(world()).unwrap();
    let site = Site::asking(&server, CONFIG, "1h");
    site.entry("one", "");
    site.build(&[]).succeeded();
    let page = site.read("public/plugins/one/index.html");
    assert_eq!(page.matches(">1.0<").count() + page.matches(">1.0 <").count(), 2, "{page}");
    assert!(!page.contains("First"), "{page}");
    assert!(site.read("public/index.html").contains("<strong>1.0</strong> on"));
    assert!(site.read("public/badges/one/release.svg").contains("release: 1.0"));
    assert!(site.read("public/releases.atom").contains("<title>Plugin one 1.0</title>"));
    assert_eq!(site.json("public/releases.json")["items"][0]["title"], "Plugin one 1.0");
    for api in ["plugins/one.json", "plugins.json"] {
        let api = site.json(&format!("public/api/v1/{api}"));
        let of = api.get("github").unwrap_or(&api["plugins"][0]);
        assert_eq!(
            (&of["latest_release"]["tag"], &of["latest_release"]["name"]),
            (&json!("1.0"), &json!("First"))
        );
    }
}

#[test]
fn without_token_and_network_the_rest_is_built() {
    let site = Site::new(&format!("{CONFIG}\n[usage]\nweek = \"http://127.0.0.1:9/week.json\""));
    site.entry("one", "");
    let run = site.build(&[]).succeeded();
    assert!(run.stderr.contains("GITHUB_TOKEN"), "{}", run.stderr);
    assert!(run.stderr.contains("1 usage export is missing"), "{}", run.stderr);
    let plugin = plugin(&site, "one");
    assert_eq!(plugin["stats"]["instances_month"], 0);
    assert_eq!(plugin["compatibility"]["python"], ">=2.7,<3");
    assert!(plugin.get("github").is_none());
}

#[test]
fn offline_asks_nothing_and_keeps_what_is_known() {
    let server = Server::start(world()).unwrap();
    let site = Site::asking(&server, CONFIG, "1h");
    site.entry("one", "");
    site.build(&["--now", "2020-08-01T00:00:00Z"]).succeeded();
    let before = site.read("public/plugins.json");
    server.reset_log();
    let report = site.report(&["--offline", "--now", "2020-10-01T00:00:00Z"]);
    assert_eq!(server.counts().requests, 0);
    assert_eq!(site.read("public/plugins.json"), before);
    assert_eq!(report["facts"], json!({"fresh": 2, "refreshed": 0, "stale": 5, "missing": 0}));
}

#[test]
fn a_failing_source_loses_nothing() {
    let server = Server::start(world()).unwrap();
    let mut site = Site::asking(&server, CONFIG, "0s");
    site.entry("one", "");
    site.build(&[]).succeeded();
    let before = site.read("public/plugins.json");
    server.set_fault(Some(std::sync::Arc::new(|_| {
        Some(shelflife_testkit::replay::FaultAction::status(500, "no"))
    })));
    let run = site.build(&[]).succeeded();
    assert!(run.stderr.contains("500"), "{}", run.stderr);
    assert_eq!(site.read("public/plugins.json"), before);
    drop(server);
    site.set("GITHUB_TOKEN", "other");
    site.build(&[]).succeeded();
    assert_eq!(site.read("public/plugins.json"), before);
}

#[test]
fn a_repository_that_cannot_be_seen_concerns_its_plugin_alone() {
    let mut world = world();
    world.add(Repository::new("owner/hidden").with_access(Access::Private));
    world.rename("owner/two", "owner/second");
    let server = Server::start(world).unwrap();
    let site = Site::asking(&server, CONFIG, "0s");
    for stem in ["one", "two", "gone", "hidden"] {
        site.entry(stem, "");
    }
    let report = site.report(&[]);
    assert_eq!(report["requests"]["github_repositories"]["requests"], 1, "one batch for all");
    assert_eq!(plugin(&site, "one")["github"]["stars"], 7);
    assert_eq!(plugin(&site, "two")["github"]["stars"], 1, "asked under its old name");
    assert!(site.read("public/plugins/two/index.html").contains("owner/second"));
    for stem in ["gone", "hidden"] {
        assert!(plugin(&site, stem).get("github").is_none());
        assert_eq!(plugin(&site, stem)["compatibility"]["python"], ">=2.7,<3");
    }
    // One refusal of what was known may be a moment's trouble; a second one in a row is believed.
    server.change(|world| world.remove("owner/one"));
    site.build(&[]).succeeded();
    assert_eq!(plugin(&site, "one")["github"]["stars"], 7);
    site.build(&[]).succeeded();
    assert!(plugin(&site, "one").get("github").is_none());
}

#[test]
fn commercial_plugins_have_no_usage_and_old_exports_are_read() {
    let mut world = world();
    world.set_bare_exports(true);
    world.set_usage(Window::Month, "two", Usage { instances: 5, ..Usage::default() });
    let server = Server::start(world).unwrap();
    let site = Site::asking(&server, CONFIG, "1h");
    site.entry("one", "");
    site.entry("two", "attributes: [commercial]\n");
    site.build(&[]).succeeded();
    assert_eq!(plugin(&site, "one")["stats"]["instances_month"], 40);
    assert_eq!(plugin(&site, "two")["stats"]["instances_month"], 0);
}

#[test]
fn refresh_asks_for_what_is_fresh() {
    let server = Server::start(world()).unwrap();
    let site = Site::asking(&server, CONFIG, "1h");
    site.entry("one", "");
    site.build(&[]).succeeded();
    server.reset_log();
    let report = site.report(&["--refresh"]);
    let counts = server.counts();
    assert_eq!((counts.repositories, counts.files, counts.exports), (1, 0, 2));
    assert_eq!(report["facts"]["refreshed"], 5);
}

#[test]
fn a_bad_entry_stays_as_it_was_published_and_a_new_one_is_left_out() {
    let site = Site::new(CONFIG);
    site.entry("one", "");
    site.build(&[]).succeeded();
    let page = site.read("public/plugins/one/index.html");
    site.write("entries/one.md", entry("one", "").replace("title: ", "titel: "));
    site.write("entries/bad.md", entry("bad", "").replace("id: bad", "id:"));
    site.entry("two", "");
    let before = site.tree("public");
    let run = site.build(&["--strict"]);
    assert_eq!(run.code, 1, "{}", run.stderr);
    run.says("nothing was published: `--strict` was given, and there are 2 errors");
    assert!(site.tree("public") == before);

    // Neither the build that finds it nor one that finds nothing changed keeps quiet.
    for arguments in [&[][..], &[], &["--offline"]] {
        let run = site.build(arguments);
        assert_eq!(run.code, 3, "{}", run.stderr);
        run.says("entries/one.md:1:1: can't read this entry; keeping the version of ");
        run.says("entries/bad.md:3:1");
        run.says("Built 2 of 3 entries (1 as last published): ");
        assert!(site.at("public/plugins/two/index.html").exists());
        assert!(!site.at("public/plugins/bad").exists());
        assert_eq!(site.read("public/plugins/one/index.html"), page);
        assert_eq!(site.json("public/plugins.json").as_array().unwrap().len(), 2);
    }
    let report = site.at("report.json");
    assert_eq!(site.build(&["--report", report.to_str().unwrap()]).code, 3);
    let refused = &site.json("report.json")["problems"];
    assert_eq!(
        (&refused[0]["place"]["path"], &refused[1]["place"]["line"]),
        (&json!("entries/bad.md"), &json!(1))
    );
    let explained = site.program(&["explain", "one", "--site"]).arg(site.path()).output().unwrap();
    let explained = String::from_utf8_lossy(&explained.stdout).into_owned();
    assert!(explained.contains("(last good version; the file can't be read)"), "{explained}");
    // What stands for it is rendered as everything else is, and goes when the file does.
    site.write("templates/plugin.html", "<p>{{ plugin.title }} of {{ site.title }}</p>");
    assert_eq!(site.build(&[]).code, 3);
    assert_eq!(site.read("public/plugins/one/index.html"), "<p>Plugin one of Test</p>\n");
    site.entry("bad", "");
    std::fs::remove_file(site.at("entries/one.md")).unwrap();
    site.build(&[]).succeeded();
    assert!(site.at("public/plugins/bad/index.html").exists() && !site.at("public/plugins/one").exists());
    site.write("entries/one.md", "no front matter");
    assert_eq!(site.build(&[]).code, 3);
    assert!(!site.at("public/plugins/one").exists(), "it is a new one");
}

#[test]
fn the_command_line_and_the_configuration_are_checked_first() {
    let site = Site::new("titel = \"x\"");
    let run = site.build(&[]);
    assert_eq!(run.code, 2);
    assert!(run.stderr.contains("unknown key `titel`"), "{}", run.stderr);
    let site = Site::new(CONFIG);
    assert_eq!(site.build(&["--now", "yesterday"]).code, 2);
    assert_eq!(site.build(&["--output", site.path().to_str().unwrap()]).code, 2, "would mix with the site");
    let mut site = Site::new(CONFIG);
    site.set("SOURCE_DATE_EPOCH", "x");
    assert_eq!(site.build(&[]).code, 2);
    std::fs::remove_file(site.at("shelflife.toml")).unwrap();
    std::fs::remove_dir(site.at("entries")).unwrap();
    assert!(site.build(&[]).stderr.contains("is not a site"));
    std::fs::create_dir(site.at("_plugins")).unwrap();
    let told = site.build(&[]).stderr;
    assert!(told.contains("`entries = \"_plugins\"`"), "{told}");
}

#[test]
fn a_template_of_the_sites_own_replaces_the_themes() {
    let site = Site::new(CONFIG);
    site.entry("one", "mood: curious\n");
    site.write("templates/plugin.html", "{{ plugin.title }} is {{ plugin.extra.mood }}");
    site.build(&[]).succeeded();
    assert_eq!(site.read("public/plugins/one/index.html"), "Plugin one is curious\n");

    site.write("templates/plugin.html", "line one\n{{ plugin.title | nonsense }}\n");
    let run = site.build(&[]);
    assert_eq!(run.code, 1);
    assert!(run.stderr.contains("templates/plugin.html:2:"), "{}", run.stderr);
    assert_eq!(site.read("public/plugins/one/index.html"), "Plugin one is curious\n", "what was there stays");
}

#[test]
fn a_disabled_plugin_is_hidden_from_plugin_managers_that_do_not_know_the_key() {
    let site = Site::new(CONFIG);
    site.entry("one", "disabled: It isn't \"safe\".\nabandoned: https://example.org/ticket\n");
    site.build(&[]).succeeded();
    let plugin = plugin(&site, "one");
    assert_eq!(plugin["compatibility"]["os"], json!(["disabled"]));
    assert_eq!(plugin["disabled"], "<p>It isn’t “safe”.</p>\n");
    assert_eq!(plugin["abandoned"], true);
}

#[test]
fn settings_say_what_there_is_for_other_programs() {
    let site = Site::new(CONFIG);
    site.entry("one", "");
    site.build(&[]).succeeded();
    let api = ["api/v1/plugins.json", "api/v1/plugins/one.json"];
    let is_there = |path: &str| site.at("public").join(path).exists();
    assert!(api.into_iter().all(is_there) && is_there("badges/one/stars.svg"));
    assert!(site.read("public/plugins/one/index.html").contains("/api/v1/plugins/one.json"));
    let with = |settings: &str| {
        site.write("shelflife.toml", format!("{CONFIG}\n[outputs]\n{settings}\n"));
        site.build(&[]).succeeded();
    };
    with("badges = false");
    assert!(api.into_iter().all(is_there) && !is_there("badges"));
    assert_eq!(site.json("public/api/v1/plugins/one.json")["urls"]["badges"], Value::Null);
    with("api = false");
    assert!(!is_there("api") && is_there("badges/one/stars.json"));
    assert!(!site.read("public/plugins/one/index.html").contains("/api/"));
    let plugins = site.json("public/plugins.json");
    with("");
    assert_eq!(site.json("public/plugins.json"), plugins, "it is always the same");
    assert!(api.into_iter().all(is_there) && is_there("badges/one/python.svg"));
}

#[test]
fn foreign_files_stay_and_outputs_that_are_no_more_go() {
    let site = Site::new(CONFIG);
    site.entry("one", "");
    site.entry("two", "");
    site.write("public/CNAME", "plugins.example");
    site.build(&[]).succeeded();
    std::fs::remove_file(site.at("entries/two.md")).unwrap();
    let removed = site.report(&[])["outputs"]["removed_paths"].clone();
    let removed: Vec<&str> = removed.as_array().unwrap().iter().filter_map(Value::as_str).collect();
    let of_two = |path: &&str| path.contains("two");
    assert!(removed.contains(&"plugins/two/index.html") && removed.iter().all(of_two), "{removed:?}");
    assert!(
        !site.at("public/badges/two").exists()
            && !site.at("public/plugins/two").exists()
            && site.at("public/plugins/one/index.html").exists()
    );
    assert_eq!(site.read("public/CNAME"), "plugins.example");
}

#[test]
fn what_the_cache_holds_changes_no_output() {
    let server = Server::start(world()).unwrap();
    let site = Site::asking(&server, CONFIG, "1h");
    site.entry("one", "");
    site.entry("two", "");
    let build = |output: &str, cache: &str| {
        let (output, cache) = (site.at(output), site.at(cache));
        let (output, cache) = (output.to_str().unwrap(), cache.to_str().unwrap());
        site.report(&["--now", "2020-08-01T00:00:00Z", "--output", output, "--cache", cache])
    };
    build("cold", "a.sqlite");
    let warm = build("warm", "a.sqlite");
    assert_eq!(warm["queries"], json!({}), "nothing is evaluated when nothing has changed");
    site.write("d/.shelflife/cache.sqlite", "this is no database");
    build("damaged", "d/.shelflife/cache.sqlite");
    let cold = site.tree("cold");
    assert!(cold.len() > 20);
    assert!(cold == site.tree("warm") && cold == site.tree("damaged"));
}

#[test]
fn the_token_is_nowhere_but_in_its_header() {
    let server = Server::start(world()).unwrap();
    let mut site = Site::asking(&server, CONFIG, "1h");
    site.set("GITHUB_TOKEN", "ghs_verysecret");
    site.entry("one", "");
    let run = site.build(&["--report", site.at("report.json").to_str().unwrap()]).succeeded();
    assert!(!run.stderr.contains("verysecret"));
    assert_eq!(server.counts().exports_with_token, 0);
    for (path, bytes) in site.tree("") {
        assert!(!bytes.windows(10).any(|window| window == b"verysecret"), "{}", path.display());
    }
}

#[test]
fn a_report_takes_the_place_of_nothing() {
    let site = Site::new(CONFIG);
    site.entry("one", "");
    site.build(&[]).succeeded();
    let before = site.tree("");
    for path in [
        "entries/one.md",
        "shelflife.toml",
        "public/plugins.json",
        ".shelflife/cache.sqlite",
        ".shelflife/state.sqlite",
        "nowhere/report.json",
        "entries",
    ] {
        let run = site.build(&["--report", site.at(path).to_str().unwrap()]);
        assert_eq!(run.code, 2, "{path}: {}", run.stderr);
    }
    assert!(site.tree("") == before);
}

#[test]
fn an_export_with_wrong_numbers_changes_nothing() {
    let server = Server::start(world()).unwrap();
    let site = Site::asking(&server, CONFIG, "0s");
    site.entry("one", "");
    site.build(&[]).succeeded();
    server.set_fault(Some(std::sync::Arc::new(|_| {
        Some(shelflife_testkit::replay::FaultAction::Answer {
            status: 200,
            headers: Vec::new(),
            body: br#"{"plugins": {"one": {"instances": -5}, "two": {"instances": "x"}}}"#.to_vec(),
        })
    })));
    let run = site.build(&[]).succeeded();
    assert!(run.stderr.contains("can't parse the usage export of the month"), "{}", run.stderr);
    assert_eq!(plugin(&site, "one")["stats"]["instances_month"], 40);
}

#[test]
fn a_logo_that_is_not_there_is_an_error() {
    let site = Site::new("title = \"Test\"\nurl = \"https://plugins.example\"\ntheme.logo = \"mine.svg\"");
    let run = site.build(&["--offline"]);
    run.says("the logo mine.svg does not exist");
    assert!(run.code != 0 && !site.at("public").exists(), "{}", run.stderr);
    site.write("assets/mine.svg", "<svg xmlns=\"http://www.w3.org/2000/svg\"/>");
    site.build(&["--offline"]).succeeded();
}
