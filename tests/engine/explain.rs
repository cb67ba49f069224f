//! `shelflife explain` tells what builds wrote down: why an output was made again, and how old its facts are.

use std::collections::BTreeMap;

use crate::common::explaining::{CONFIG, NOW, assert_because_of, build, changes, explain, run, site};
use crate::common::{Site, entry};
use serde_json::{Value, json};
use shelflife_testkit::replay::{Repository, Server, Usage, Window, World};

#[test]
fn what_is_new_is_said_to_be_new() {
    let site = site();
    for given in ["one", "index.html", "plugins.json", "assets/img/one.png"] {
        let made = &explain(&site, given, "2020-08-01T03:00:00Z")["made"];
        assert_eq!((&made["reason"], &made["build"], &made["at"]), (&json!("new"), &json!(1), &json!(NOW)));
        assert_eq!(made["changes"], json!([]));
    }
    let said = run(&site, site.path(), &["one", "--now", "2020-08-01T03:00:00Z"]);
    let expected = "First written by build 1 on 2020-08-01 00:00:00 UTC (3 h ago).";
    assert!(said.stdout.contains(expected), "{}", said.stdout);
}

#[test]
fn an_edit_is_told_where_it_shows() {
    let site = site();
    site.write("entries/two.md", entry("two", "tags: [common]\n").replace("Text.", "Other text."));
    build(&site);
    assert_because_of(&site, "two", &["entries/two.md"]);
    let (old, new) = changes(&site, "two").remove("entries/two.md").unwrap();
    assert_ne!(old, new);
    let inputs = explain(&site, "two", NOW)["depends_on"]["inputs"].clone();
    assert_eq!(inputs[0], json!({"input": "entries/two.md", "value": new}), "as among the changes");
    assert_because_of(&site, "search.json", &["plugin two"]);
    assert_because_of(&site, "feed.atom", &["plugin two"]);
    for short in ["by_name/", "feed.xml"] {
        assert_eq!(explain(&site, short, NOW)["made"]["reason"], "new", "{short} does not show the text");
    }

    site.write("entries/one.md", entry("one", "tags: [common]\n").replace("Plugin one", "The first"));
    build(&site);
    for list in ["by_name/index.html", "index.html", "plugins.json", "feed.xml", "feed.json"] {
        assert_because_of(&site, list, &["plugin one"]);
        let plugins = &explain(&site, list, NOW)["depends_on"]["plugins"];
        assert_eq!((&plugins["count"], &plugins["newest"]), (&json!(2), &json!(list.starts_with("feed."))));
    }
    assert_because_of(&site, "two", &["related plugins"]);
}

#[test]
fn a_template_a_setting_and_a_data_file_are_told() {
    let site = site();
    site.write("templates/404.html", "gone");
    build(&site);
    let told = changes(&site, "404.html");
    let inputs = ["404", "base", "footer", "header", "links", "macros", "policy"]
        .map(|name| format!("template {name}.html"));
    assert!(told.keys().eq(&inputs), "{told:?}");
    assert!(told["template 404.html"].1.is_string() && told["template base.html"].1.is_null());

    site.write("shelflife.toml", CONFIG.replace("Test", "Best"));
    build(&site);
    for given in ["one", "by_date/index.html"] {
        let told = changes(&site, given);
        assert_eq!(told, BTreeMap::from([("setting title".to_owned(), (json!("Test"), json!("Best")))]));
    }

    site.write("data/notices.yaml", "- plugin: one\n  date: 2020-01-01 10:00:00Z\n  text: Beware\n");
    build(&site);
    assert_because_of(&site, "one", &["notices and blocklist items about one"]);
    assert_because_of(&site, "notices.json", &["data file notices"]);
    assert_because_of(&site, "notices/", &["data file notices"]);
    assert_because_of(&site, "two", &["setting title"]);
    let (old, new) = changes(&site, "one").remove("notices and blocklist items about one").unwrap();
    assert!(old.is_null() && new.is_string());
}

#[test]
fn assets_are_told_by_their_names() {
    let site = site();
    let told = explain(&site, "assets/img/one.png", NOW);
    assert_eq!((&told["kind"], &told["asset"]), (&json!("asset"), &json!("img/one.png")));
    site.write("assets/img/one.png", "another picture");
    site.write("assets/site.css", "body { color: red }");
    build(&site);
    assert_because_of(&site, "assets/img/one.png", &["asset img/one.png"]);
    // The address of a style sheet is another one with each content.
    let told = explain(&site, "assets/site.css", NOW);
    assert_eq!((&told["asset"], &told["made"]["reason"]), (&json!("site.css"), &json!("new")));
    let output = told["output"].as_str().unwrap();
    assert_ne!(output, "assets/site.css");
    assert_eq!(explain(&site, output, NOW), told);
    let (old, new) = changes(&site, "one").remove("address of site.css").unwrap();
    assert_ne!(old, new);
    assert_eq!(new, format!("/{output}"));
}

#[test]
fn a_file_beside_a_page_is_told_apart_from_the_page() {
    let site = site();
    let (api, badge) = ("api/v1/plugins/one.json", "badges/one/python.svg");
    let told = explain(&site, badge, NOW);
    assert_eq!((&told["kind"], &told["entry"]), (&json!("alternate"), &json!("entries/one.md")));
    assert_eq!(told["made"]["reason"], "new");
    let text = entry("one", "tags: [common]\n").replace("Text.", "Other text.");
    site.write("entries/one.md", &text);
    build(&site);
    assert_because_of(&site, api, &["entries/one.md"]);
    assert_eq!(explain(&site, badge, NOW)["made"]["reason"], "new", "it shows no text");
    site.write("entries/one.md", entry("one", "compatibility: {python: '>=3.9'}\n"));
    build(&site);
    // What the entry says itself is not looked up any more.
    let why = ["entries/one.md", "file:owner/one:setup.py"];
    assert_because_of(&site, badge, &why);
    site.write("templates/plugin.html", "<title>{{ plugin.title }}</title>");
    build(&site);
    assert_because_of(&site, badge, &why);
    let inputs = explain(&site, api, NOW)["depends_on"]["inputs"].to_string();
    assert!(!inputs.contains("template "), "{inputs}");
    site.write("shelflife.toml", CONFIG.replace("plugins.example", "other.example"));
    build(&site);
    assert_because_of(&site, api, &["setting url"]);
    assert_because_of(&site, "api/v1/plugins.json", &["plugin one", "plugin two", "setting url"]);
}

#[test]
fn entries_come_and_go() {
    let site = site();
    site.entry("three", "");
    build(&site);
    assert_eq!(explain(&site, "three", NOW)["made"]["reason"], "new");
    for list in ["by_name/index.html", "plugins.json", "feed.xml"] {
        let told = changes(&site, list);
        assert_eq!(told.keys().collect::<Vec<_>>(), ["plugin three"], "{list}");
        assert!(told["plugin three"].0.is_null() && told["plugin three"].1.is_string());
    }
    assert_because_of(&site, "sitemap.xml", &["addresses and dates of pages"]);

    std::fs::remove_file(site.at("entries/three.md")).unwrap();
    build(&site);
    for gone in ["three", "entries/three.md", "plugins/three/index.html", "/plugins/three/"] {
        let said = run(&site, site.path(), &[gone]);
        assert_eq!((said.code, &*said.stdout), (1, ""), "{gone}");
        assert!(said.stderr.contains("is neither an output nor an entry of the last build"), "{said:?}");
    }
    let told = changes(&site, "by_name/index.html");
    assert!(told["plugin three"].1.is_null());
}

#[test]
fn redirects_are_told_with_where_they_lead() {
    let site = site();
    site.entry("one", "redirect_from: /old/\n");
    build(&site);
    let told = explain(&site, "/old/", NOW);
    assert_eq!((&told["kind"], &told["entry"]), (&json!("redirect"), &json!("entries/one.md")));
    assert_eq!(told["made"]["reason"], "new");
    site.entry("one", "");
    site.entry("two", "redirect_from: /old/\n");
    build(&site);
    let told = changes(&site, "/old/");
    let leads =
        ("the page that it redirects to".to_owned(), (json!("/plugins/one/"), json!("/plugins/two/")));
    assert_eq!(told, BTreeMap::from([leads]));
    assert_eq!(explain(&site, "old/index.html", NOW)["entry"], "entries/two.md");
    // An entry's own page takes the place.
    site.entry("two", "redirect_from: /plugins/three/\n");
    build(&site);
    site.entry("two", "");
    site.entry("three", "");
    build(&site);
    let told = changes(&site, "plugins/three/index.html");
    assert!(told["entries/three.md"].0.is_null(), "{told:?}");
}

#[test]
fn facts_are_told_with_their_ages() {
    let mut world = World::new(NOW.parse().unwrap());
    world.add(Repository::new("owner/one").with_stars(12));
    world.add(Repository::new("owner/two").with_file("setup.py", "plugin_package = 'octoprint_two'\n"));
    let usage = |instances| Usage { instances, ..Usage::default() };
    world.set_usage(Window::Week, "one", usage(12));
    let server = Server::start(world).unwrap();
    let site = Site::asking(&server, CONFIG, "1h");
    site.entry("one", "compatibility: {python: '>=3'}\n");
    site.entry("two", "");
    site.entry("three", "compatibility: {python: '>=3'}\n");
    site.report(&["--now", "2020-08-01T00:00:00Z"]);
    server.change(|world| {
        world.repository_mut("owner/one").unwrap().stars = 13;
        world.set_usage(Window::Week, "one", usage(14));
        world.remove("owner/two");
    });
    site.report(&["--now", "2020-08-01T02:00:00Z"]);

    let told = changes(&site, "one");
    assert_eq!(told["github:owner/one"], (json!("stars 12"), json!("stars 13")));
    let words = |instances| {
        json!(format!(
            "{instances} instances and 0 installs this week; 0 instances and 0 installs this month"
        ))
    };
    assert_eq!(told["usage of one"], (words(12), words(14)));
    assert_because_of(&site, "plugins.json", &["plugin one"]);

    // Another repository, of which nothing is known, in the place of one that was known.
    site.write("entries/four.md", entry("three", "").replace("id: three", "id: four"));
    site.build(&["--now", "2020-08-01T02:00:00Z"]).succeeded();
    site.write("entries/four.md", entry("one", "").replace("id: one", "id: four"));
    site.build(&["--now", "2020-08-01T02:00:00Z"]).succeeded();
    let told = changes(&site, "four");
    assert_eq!(told["github:owner/three"], (json!("not found"), Value::Null));
    assert_eq!(told["github:owner/one"], (Value::Null, json!("stars 13")));
    std::fs::remove_file(site.at("entries/four.md")).unwrap();
    site.build(&["--now", "2020-08-01T02:00:00Z"]).succeeded();

    let now = "2020-08-01T02:20:00Z";
    let facts = |given: &str, now: &str| {
        let told = explain(&site, given, now);
        let facts = told["depends_on"]["facts"].as_array().unwrap().iter();
        facts
            .map(|fact| (fact["subject"].as_str().unwrap().to_owned(), fact.clone()))
            .collect::<BTreeMap<_, _>>()
    };
    let one = facts("one", now);
    assert_eq!(one.keys().collect::<Vec<_>>(), ["github:owner/one", "usage:month", "usage:week"]);
    assert_eq!(
        one["usage:week"],
        json!({
            "subject": "usage:week", "state": "fresh", "absent": false, "fetched": "2020-08-01T02:00:00Z",
            "fresh_until": "2020-08-01T03:00:00Z", "refusals": 0,
        })
    );
    let two = facts("two", now);
    assert_eq!(
        (&two["github:owner/two"]["state"], &two["github:owner/two"]["refusals"]),
        (&json!("fresh"), &json!(1))
    );
    assert!(two.contains_key("file:owner/two:setup.py"), "{two:?}");
    assert_eq!(facts("three", now)["github:owner/three"]["absent"], true);

    let text = |given: &str, now: &str| run(&site, site.path(), &[given, "--now", now]).stdout;
    assert!(text("one", now).contains("fetched 20 min ago, fresh for 40 min"), "{}", text("one", now));
    let later = "2020-08-04T03:00:00Z";
    let stale = "fetched 3 days ago, stale for 3 days, since 2020-08-01 03:00:00 UTC";
    assert!(text("one", later).contains(stale), "{}", text("one", later));
    assert!(
        text("two", now).contains("fresh for 10 min, reported missing once since then"),
        "{}",
        text("two", now)
    );

    let plugins = |now: &str| explain(&site, "by_name/", now)["depends_on"]["plugins"].clone();
    let told = plugins(now);
    assert_eq!(told["count"], 3);
    assert_eq!((&told["facts"]["stale"], &told["facts"]["missing"]), (&json!(0), &json!(0)));
    // A refusal stays fresh half as long as other answers.
    assert_eq!(told["facts"]["fresh_until"], "2020-08-01T02:30:00Z");
    assert!(plugins(later)["facts"]["stale"].as_u64().unwrap() > 3);
}

#[test]
fn a_fact_that_nobody_answered_is_missing() {
    let site = Site::new(&format!("{CONFIG}\n[usage]\nweek = \"http://127.0.0.1:9/week.json\"\n"));
    site.entry("one", "");
    site.entry("paid", "attributes: [commercial]\n");
    site.build(&["--offline"]).succeeded();
    let subjects = |given: &str| {
        let facts = explain(&site, given, NOW)["depends_on"]["facts"].clone();
        assert!(facts.as_array().unwrap().iter().all(|fact| fact["state"] == "missing"), "{facts}");
        facts.as_array().unwrap().len()
    };
    // The export, the repository, and its setup.py; usage is not counted for what is commercial.
    assert_eq!((subjects("one"), subjects("paid")), (3, 2));
}

#[test]
fn usage_is_told_by_version_where_that_is_what_changed() {
    let mut world = World::new(NOW.parse().unwrap());
    let usage = |version: &str| Usage {
        instances: 3,
        versions: BTreeMap::from([(version.to_owned(), 3)]),
        ..Usage::default()
    };
    world.set_usage(Window::Month, "one", usage("1.0"));
    let server = Server::start(world).unwrap();
    let site = Site::asking(&server, CONFIG, "1h");
    site.entry("one", "");
    build(&site);
    server.change(|world| {
        world.set_usage(Window::Month, "one", usage("1.1"));
    });
    site.build(&["--now", "2020-08-01T02:00:00Z"]).succeeded();
    let (old, new) = changes(&site, "one").remove("usage of one").unwrap();
    assert!(old.as_str().unwrap().contains("this month: 1.0 on 3"), "{old}");
    assert!(new.as_str().unwrap().contains("this month: 1.1 on 3"), "{new}");

    site.entry("one", "attributes: [commercial]\n");
    site.build(&["--now", "2020-08-01T02:00:00Z"]).succeeded();
    assert_eq!(changes(&site, "one")["usage of one"].1, "not counted");
}

#[test]
fn a_reason_outlives_a_build_that_could_not_publish() {
    let site = site();
    let page = site.at("public/plugins/two/index.html");
    std::fs::remove_file(&page).unwrap();
    std::fs::create_dir(&page).unwrap();
    std::fs::write(page.join("mine"), "").unwrap();
    site.write("entries/two.md", entry("two", "tags: [common]\n").replace("Plugin two", "The second"));
    assert_eq!(site.build(&["--now", NOW]).code, 1);
    std::fs::remove_dir_all(&page).unwrap();
    build(&site);
    assert_because_of(&site, "two", &["entries/two.md"]);
    assert_because_of(&site, "by_name/", &["plugin two"]);
}

#[test]
fn what_was_not_noted_is_not_guessed() {
    let site = site();
    let clear = site.program(&["cache", "clear", "--site"]).arg(site.path()).output().unwrap();
    assert!(clear.status.success());
    site.write("entries/one.md", entry("one", "").replace("Plugin one", "The first"));
    build(&site);
    for given in ["one", "feed.xml", "sitemap.xml", "by_name/"] {
        let made = explain(&site, given, NOW)["made"].clone();
        let expected = if given == "sitemap.xml" { Value::Null } else { json!("unknown") };
        assert_eq!(made["reason"], expected, "{given}");
    }
    let text = run(&site, site.path(), &["sitemap.xml"]).stdout;
    assert!(text.contains("No build has recorded when this was written"), "{text}");
}
