//! What OctoPrint reads, rule by rule: the smallest input, and what is published of it. That OctoPrint's own code reads
//! it is tested in `published.rs`.

use crate::common::{Site, entry};
use serde_json::{Value, json};
use shelflife_testkit::replay::{Repository, Server, World};

const CONFIG: &str = "title = \"Test\"\nurl = \"https://plugins.example\"\n";

fn plugin(site: &Site, id: &str) -> Value {
    let plugins = site.json("public/plugins.json");
    plugins.as_array().unwrap().iter().find(|plugin| plugin["id"] == id).cloned().unwrap_or_default()
}

/// A world in which each of these plugins says which Python it runs on, if it says so at all.
fn world(plugins: &[(&str, &str)]) -> World {
    let now = "2020-08-01T00:00:00Z".parse().unwrap();
    let mut world = World::new(now);
    for (stem, python) in plugins {
        let init = format!("__plugin_name__ = 'x'\n__plugin_pythoncompat__ = '{python}'\n");
        let repository = Repository::new(&format!("owner/{stem}"))
            .with_push(now)
            .with_file("setup.py", format!("plugin_package = 'octoprint_{stem}'\n"))
            .with_file(format!("octoprint_{stem}/__init__.py"), init);
        world.add(repository);
    }
    world
}

#[test]
fn the_blocklist_is_at_all_of_its_addresses_whatever_the_file_is_called() {
    let (one, two) = ("- plugin: one\n  reason: \"**One**\"\n", "- plugin: two\n  reason: Two\n");
    let one_again = "- reason: \"**One**\"\n  plugin: one\n";
    for (new, old, expected) in [
        (Some(one), None, json!([{"plugin": "one", "reason": "**One**"}])),
        (None, Some(one), json!([{"plugin": "one", "reason": "**One**"}])),
        (
            Some(one),
            Some(&*format!("{two}{one_again}")),
            json!([{"plugin": "one", "reason": "**One**"}, {"plugin": "two", "reason": "Two"}]),
        ),
        (None, None, json!([])),
    ] {
        let site = Site::new(CONFIG);
        site.entry("one", "");
        for (name, text) in [("blocklist", new), ("blacklist", old)] {
            if let Some(text) = text {
                site.write(&format!("data/{name}.yaml"), text);
            }
        }
        site.build(&[]).succeeded();
        assert_eq!(site.json("public/blocklist.json"), expected);
        assert_eq!(site.read("public/blacklist.json"), site.read("public/blocklist.json"));
        let count = expected.as_array().unwrap().len();
        for path in ["public/blocklist/index.html", "public/blacklist/index.html"] {
            let page = site.read(path);
            assert_eq!(page.matches("<section class=\"banner bad\">").count(), count, "{page}");
            assert_eq!(page.contains("<strong>One</strong>"), count > 0, "{page}");
            assert!(
                page.contains("<link rel=\"canonical\" href=\"https://plugins.example/blocklist/\">"),
                "{page}"
            );
            assert!(page.contains("<a href=\"/blocklist/\""), "{page}");
            assert!(!page.contains("href=\"/blacklist/\""), "{page}");
        }
        assert_eq!(
            site.read("public/plugins/one/index.html").contains("OctoPrint refuses to load"),
            count > 0
        );
        let sitemap = site.read("public/sitemap.xml");
        assert!(sitemap.contains("/blocklist/<") && !sitemap.contains("/blacklist/<"), "{sitemap}");
    }
}

#[test]
fn an_edit_of_either_file_reaches_all_addresses() {
    let site = Site::new(CONFIG);
    site.entry("one", "");
    for (name, text) in [
        ("blocklist", "- plugin: one\n"),
        ("blacklist", "- plugin: two\n"),
        ("blacklist", "- plugin: one\n"),
        ("blocklist", "[]\n"),
    ] {
        site.write(&format!("data/{name}.yaml"), text);
        site.build(&[]).succeeded();
        assert_eq!(site.tree("public"), site.cold(), "{name}: {text}");
    }
}

#[test]
fn what_was_replaced_is_abandoned() {
    let site = Site::new(&format!("{CONFIG}base_path = \"/reg\"\n"));
    for (stem, more) in [
        ("text", "replaced: By [Two](/plugins/two/) <script>alert(1)</script>\n"),
        ("both", "replaced: By **another**.\nabandoned: https://example.org/end\n"),
        ("bare", "replaced: true\n"),
        ("none", "replaced: false\n"),
        ("empty", "replaced:\n"),
    ] {
        site.entry(stem, &format!("tags: [common]\n{more}"));
    }
    site.build(&[]).succeeded();
    let banner = "This plugin has been abandoned and replaced";
    let list = site.read("public/abandoned/index.html");
    for (stem, is_replaced) in
        [("text", true), ("both", true), ("bare", true), ("none", false), ("empty", false)]
    {
        assert_eq!(plugin(&site, stem)["abandoned"], is_replaced, "{stem}");
        let page = site.read(&format!("public/plugins/{stem}/index.html"));
        assert_eq!(page.matches(banner).count(), usize::from(is_replaced), "{stem}: {page}");
        assert!(!page.contains("This plugin is abandoned"), "one banner says it all: {page}");
        assert!(!page.contains("<script>alert"), "{page}");
        let api = site.json(&format!("public/api/v1/plugins/{stem}.json"));
        assert_eq!(
            (&api["state"]["abandoned"], &api["state"]["replaced"]),
            (&json!(is_replaced), &json!(is_replaced))
        );
        assert_eq!(list.contains(&format!("\"/reg/plugins/{stem}/\"")), is_replaced, "{stem}: {list}");
        // Whoever shows it as a plugin that is like another one says so, too, or does not recommend it.
        assert!(!page.contains("href=\"/reg/plugins/bare/\""), "{page}");
    }
    let page = site.read("public/plugins/text/index.html");
    assert!(page.contains("By <a href=\"/reg/plugins/two/\">Two</a>"), "{page}");
    assert!(list.contains("By <a href=\"/reg/plugins/two/\">Two</a>"), "{list}");
    let page = site.read("public/plugins/both/index.html");
    assert!(
        page.contains("By <strong>another</strong>.") && page.contains("https://example.org/end"),
        "{page}"
    );
    assert!(site.read("public/index.html").contains("abandoned"));
    assert_eq!(site.json("public/api/v1/plugins/text.json")["state"]["abandoned_at"], Value::Null);
}

#[test]
fn a_note_is_markdown_on_pages_and_words_in_octoprint() {
    let site = Site::new(&format!("{CONFIG}base_path = \"/reg\"\n"));
    let note = "note: \"Needs **1.4** & `<b>`, see the [guide](/plugins/two/).\\n\\n- a\\n- b\\n\\n\
                <img src=x onerror=alert(1)>\"\n";
    site.entry("one", note);
    site.entry("two", "");
    site.build(&[]).succeeded();
    let words = "Needs 1.4 & <b>, see the guide. a b";
    assert_eq!(plugin(&site, "one")["description"], format!("What one does // Please note: {words}"));
    assert_eq!(plugin(&site, "two")["description"], "What two does");
    let page = site.read("public/plugins/one/index.html");
    let html = "<p>Needs <strong>1.4</strong> &amp; <code>&lt;b&gt;</code>, see the <a href=\"/reg/plugins/two/\">guide</a>.</p>";
    assert!(page.contains(html) && page.contains("<li>a</li>") && !page.contains("onerror"), "{page}");
    let api = site.json("public/api/v1/plugins/one.json");
    assert_eq!(api["note"], words);
    let guide = "<a href=\"https://plugins.example/reg/plugins/two/\">guide</a>";
    assert!(
        api["note_html"]
            .as_str()
            .unwrap()
            .contains(&format!("<strong>1.4</strong> &amp; <code>&lt;b&gt;</code>, see the {guide}")),
        "{api}"
    );
    let api = site.json("public/api/v1/plugins/two.json");
    assert_eq!((&api["note"], &api["note_html"]), (&Value::Null, &Value::Null));
}

#[test]
fn attributes_are_always_there() {
    let site = Site::new(CONFIG);
    site.entry("one", "");
    site.entry("two", "attributes: [cloud]\n");
    site.build(&[]).succeeded();
    assert_eq!(plugin(&site, "one")["attributes"], json!([]));
    assert_eq!(plugin(&site, "two")["attributes"], json!(["cloud"]));
}

#[test]
fn on_python_2_what_left_it_behind_is_not_updated() {
    let server = Server::start(world(&[("looked", ">=3.7"), ("older", ">=2.7,<4"), ("own", ">=3")])).unwrap();
    let site = Site::asking(&server, CONFIG, "0s");
    let off = json!({"disabled": true, "compatible": false});
    site.write(
        "data/update_check_overlays_py2.yaml",
        "octoprint:\n  user: OctoPrint\n  repo: Legacy\nown:\n  user: me\n",
    );
    for (stem, python) in
        [("looked", ""), ("older", ""), ("own", ""), ("said", ">=3,<4"), ("bare", "3"), ("patch", ">=2.7.9")]
    {
        let declared = if python.is_empty() {
            String::new()
        } else {
            format!("compatibility: {{python: '{python}'}}\n")
        };
        site.entry(stem, &declared);
    }
    // OctoPrint knows a plugin by the id that it declares.
    site.write(
        "entries/page.md",
        entry("page", "compatibility: {python: '>=3'}\n").replace("id: page", "id: Declared"),
    );
    let overlays = |site: &Site| site.json("public/update_check_overlay_py2.json");
    site.build(&["--now", "2020-08-01T00:00:00Z"]).succeeded();
    let expected = json!({
        "octoprint": {"user": "OctoPrint", "repo": "Legacy"}, "own": {"user": "me"},
        "bare": off, "looked": off, "Declared": off, "said": off,
    });
    assert_eq!(overlays(&site), expected);
    assert_eq!(
        site.json("public/update_check_overlay.json"),
        json!({}),
        "for newer ones there is nothing to say"
    );
    let page = site.read("public/overlays/index.html");
    assert!(
        page.contains("4 plugins that no longer run there") && page.contains("<code>Legacy</code>"),
        "{page}"
    );

    // Entries that are not read again are in it as before, and what a source says now is, too.
    site.entry("said", "compatibility: {python: '>=2.7,<4'}\n");
    server.change(|world| {
        let init = "__plugin_name__ = 'x'\n__plugin_pythoncompat__ = '>=3.9'\n";
        world.repository_mut("owner/older").unwrap().set_file("octoprint_older/__init__.py", init);
    });
    site.build(&["--now", "2020-08-02T00:00:00Z"]).succeeded();
    let mut changed = expected;
    changed.as_object_mut().unwrap().remove("said");
    changed["older"] = off.clone();
    assert_eq!(overlays(&site), changed);
    site.assert_like_a_first_build("2020-08-02T00:00:00Z");

    site.write("data/update_check_overlays_py2.yaml", "# none\n");
    site.build(&["--offline", "--now", "2020-08-02T00:00:00Z"]).succeeded();
    assert_eq!(overlays(&site)["own"], off);
    site.assert_like_a_first_build("2020-08-02T00:00:00Z");
}

#[test]
fn of_two_entries_with_one_id_the_owner_says_what_runs_on_python_2() {
    let python = |specifier: &str| format!("compatibility: {{python: '{specifier}'}}\n");
    for (of_owner, of_other, is_off) in [(">=2.7,<4", ">=3", false), (">=3", ">=2.7,<4", true)] {
        let site = Site::new(CONFIG);
        site.entry("same", &python(of_owner));
        site.write(
            "entries/another.md",
            entry("another", &python(of_other)).replace("id: another", "id: same"),
        );
        site.build(&[]).succeeded();
        let overlays = site.json("public/update_check_overlay_py2.json");
        assert_eq!(overlays.get("same").is_some(), is_off, "{overlays}");
        assert_eq!(site.tree("public"), site.cold());
    }
}

#[test]
fn the_feed_for_announcements_is_short() {
    let site = Site::new(&format!("{CONFIG}base_path = \"/reg\"\n"));
    for day in 10..32 {
        let text = entry(&format!("p{day}"), "featuredimage: /assets/a b.png\n");
        site.write(
            &format!("entries/p{day}.md"),
            text.replace("2020-02-03", &format!("2020-01-{day}")).replace("Text.", "## Long\n\nVery."),
        );
    }
    site.write("entries/newest.md", entry("newest", "").replace("What newest does", "'1 & ]]> \"x\"'"));
    site.build(&[]).succeeded();
    let (feed, atom) = (site.read("public/feed.xml"), site.read("public/feed.atom"));
    assert_eq!((feed.matches("<item>").count(), atom.matches("<entry>").count()), (10, 20));
    assert_eq!(site.json("public/feed.json")["items"].as_array().unwrap().len(), 20);
    assert!(!feed.contains("Long") && atom.contains("Long"));
    let picture = "<p><img src=\"https://plugins.example/reg/assets/a%20b.png\" alt=\"\"></p>";
    assert_eq!(feed.matches(picture).count(), 9, "{feed}");
    assert!(feed.contains("<description><![CDATA[<p>What p31 does</p><p><img "), "{feed}");
    assert!(feed.contains("<![CDATA[<p>1 &amp; ]]&gt; &quot;x&quot;</p>]]>"), "{feed}");

    // What it does not show does not change it.
    let text = entry("newest", "").replace("What newest does", "'1 & ]]> \"x\"'").replace("Text.", "Other.");
    site.write("entries/newest.md", text);
    site.build(&[]).succeeded();
    assert_eq!(site.read("public/feed.xml"), feed);
    assert_eq!(site.tree("public"), site.cold());
}

#[test]
fn what_octoprint_could_not_read_is_published_in_a_form_that_it_reads() {
    let mut world = world(&[("pushed", ">=3")]);
    let mut empty = Repository::new("owner/empty").with_stars(3);
    empty.default_branch = None;
    world.add(empty);
    let server = Server::start(world).unwrap();
    let site = Site::asking(&server, CONFIG, "1h");
    site.entry("pushed", "");
    site.entry("empty", "");
    site.entry("bare", "compatibility: {python: 3.7}\n");
    site.write("data/blocklist.yaml", "- plugin: a\n  versions:\n  octoversions: 1.10\n");
    site.build(&[]).succeeded();
    assert_eq!(plugin(&site, "bare")["compatibility"]["python"], ">=3.7");
    assert_eq!(site.json("public/blocklist.json"), json!([{"plugin": "a", "octoversions": ["1.10"]}]));
    assert!(plugin(&site, "pushed")["github"]["last_push"].is_string());
    // The page still says what is known of it.
    assert_eq!(plugin(&site, "empty").get("github"), None);
    assert_eq!(site.json("public/api/v1/plugins/empty.json")["github"]["stars"], 3);
}
