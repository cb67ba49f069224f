//! `shelflife explain` understands every name of an output, whatever else is going on, and changes nothing.

use crate::common::explaining::{CONFIG, NOW, build, explain, run, site};
use crate::common::{Site, entry};
use serde_json::Value;

#[test]
fn every_way_to_name_an_output_gives_the_same_answer() {
    let site = Site::new(&format!("{CONFIG}\nbase_path = \"/base\"\n"));
    site.write("entries/mqtt.md", entry("mqtt", "").replace("id: mqtt", "id: MyMQTT"));
    site.entry("by_name", "");
    build(&site);
    let expected = explain(&site, "plugins/mqtt/index.html", NOW);
    assert_eq!(expected["output"], "plugins/mqtt/index.html");
    assert_eq!(expected["address"], "https://plugins.example/base/plugins/mqtt/");
    let (file, source) = (site.at("public/plugins/mqtt/index.html"), site.at("entries/mqtt.md"));
    for given in [
        "plugins/mqtt/",
        "plugins/mqtt",
        "./plugins/mqtt/index.html",
        "public/plugins/mqtt/index.html",
        "public/plugins/mqtt/",
        "public/../public/plugins/mqtt",
        file.to_str().unwrap(),
        source.to_str().unwrap(),
        "entries/mqtt.md",
        "./entries/mqtt.md",
        "mqtt.md",
        "mqtt",
        "MQTT",
        "MyMQTT",
        "mymqtt",
        "/plugins/mqtt/",
        "/plugins/mqtt",
        "/plugins/mqtt/#x",
        "/base/plugins/mqtt/",
        "/base/plugins/mqtt/index.html?x=1",
        "https://plugins.example/base/plugins/mqtt/#x",
        "HTTPS://PLUGINS.EXAMPLE/base/plugins/mqtt/",
        "http://127.0.0.1:4000/base/plugins/mqtt/",
        "http://localhost:4000/base/plugins/mqtt/",
    ] {
        assert_eq!(explain(&site, given, NOW), expected, "{given}");
    }
    for (folder, given) in [
        ("public/plugins", "mqtt/index.html"),
        ("public/plugins/mqtt", "index.html"),
        ("entries", "mqtt.md"),
        ("entries", "../public/plugins/mqtt/"),
        ("entries", "entries/mqtt.md"),
    ] {
        let said = run(&site, &site.at(folder), &[given, "--now", NOW, "--json"]);
        let told: Value = serde_json::from_str(&said.stdout).unwrap();
        // A path below the output folder comes first, wherever one is.
        let output = if given == "index.html" { "index.html" } else { "plugins/mqtt/index.html" };
        assert_eq!(told["output"], output, "{given} in {folder}");
    }
    for given in ["/", "/base", "/base/", "https://plugins.example/base", "public"] {
        assert_eq!(explain(&site, given, NOW)["output"], "index.html", "{given}");
    }
    assert_eq!(explain(&site, "by_name", NOW)["output"], "plugins/by_name/index.html", "an entry first");
    assert_eq!(explain(&site, "by_date", NOW)["output"], "by_date/index.html");
    assert_eq!(explain(&site, "by_name/", NOW)["output"], "by_name/index.html");
}

#[test]
fn what_names_nothing_is_told_with_what_is_close() {
    let site = Site::new(&format!("{CONFIG}\nbase_path = \"/base\"\n"));
    site.entry("mqtt", "");
    build(&site);
    let refused = |given: &str| {
        let said = run(&site, site.path(), &[given]);
        assert_eq!((said.code, &*said.stdout), (1, ""), "{said:?}");
        said.stderr
    };
    for (given, close) in [
        ("mqqt", "`entries/mqtt.md`"),
        ("mtqt.md", "`entries/mqtt.md`"),
        ("entries/mqt.md", "`entries/mqtt.md`"),
        ("plugin.json", "`plugins.json`"),
        ("by_nmae/", "`by_name/index.html`"),
        ("/base/by_nam/", "`by_name/index.html`"),
        ("https://plugins.example/base/feed.xlm", "`feed.xml`"),
    ] {
        let told = refused(given);
        assert!(told.contains("did you mean") && told.contains(close), "{told}");
    }
    let told = refused("something-else-entirely");
    assert!(!told.contains("did you mean") && told.contains("give a path below"), "{told}");
    for elsewhere in ["https://else.example/base/plugins/mqtt/", "https://plugins.example/other/", "https://"]
    {
        let told = refused(elsewhere);
        assert!(told.contains("is not a URL of this site"), "{told}");
        assert!(told.contains("begins with https://plugins.example/base/"), "{told}");
    }
}

#[test]
fn an_entry_that_was_left_out_is_said_to_be_one() {
    let site = Site::new(CONFIG);
    site.entry("one", "");
    site.write("entries/bad.md", "no front matter");
    assert_eq!(site.build(&[]).code, 3);
    for given in ["bad", "bad.md", "entries/bad.md"] {
        let said = run(&site, site.path(), &[given]);
        assert_eq!(said.code, 1, "{said:?}");
        let words = said.stderr.split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(
            words.contains("has no page: it has a problem") && words.contains("entries/bad.md"),
            "{words}"
        );
    }
}

#[test]
fn without_a_build_there_is_nothing_to_tell() {
    let site = Site::new(CONFIG);
    site.entry("one", "");
    let said = run(&site, site.path(), &["one"]);
    assert_eq!(said.code, 1);
    assert!(
        said.stderr.contains("does not exist") && said.stderr.contains("build the site first"),
        "{said:?}"
    );
    assert!(!site.at(".shelflife").exists(), "it makes none");
    build(&site);
    let elsewhere = site.at("elsewhere");
    let said = run(&site, site.path(), &["one", "--output", elsewhere.to_str().unwrap()]);
    assert_eq!(said.code, 1);
    assert!(said.stderr.contains("nothing was published into"), "{said:?}");
    site.write(".shelflife/cache.sqlite", "something that is no cache, and long enough to be looked at");
    assert_eq!(run(&site, site.path(), &["one"]).code, 2);
    assert_eq!(run(&site, site.path(), &[""]).code, 2);
}

#[test]
fn it_waits_for_nobody() {
    let site = site();
    let expected = explain(&site, "one", NOW);
    // As a build has it: with the lock, and in the middle of writing.
    let (cache, _) = shelflife::cache::Cache::open(&site.at(".shelflife/cache.sqlite"), &|| {}).unwrap();
    cache.forget_made("plugins/one/index.html").unwrap();
    let said = run(&site, site.path(), &["one", "--now", NOW, "--json"]);
    assert_eq!(serde_json::from_str::<Value>(&said.stdout).unwrap(), expected, "{said:?}");
    drop(cache);
    let said = run(&site, site.path(), &["one", "--now", NOW, "--json"]);
    assert_eq!(serde_json::from_str::<Value>(&said.stdout).unwrap(), expected, "{said:?}");
}

#[test]
fn it_works_beside_watch() {
    let site = site();
    let expected = explain(&site, "one", NOW);
    let watching = site.watch(&["--offline"]);
    let said = run(&site, site.path(), &["one", "--now", NOW, "--json"]);
    assert_eq!(serde_json::from_str::<Value>(&said.stdout).unwrap(), expected, "{said:?}");
    site.write("entries/one.md", entry("one", "").replace("Plugin one", "The first"));
    watching.line("entries/one.md changed");
    let said = run(&site, site.path(), &["one", "--json"]);
    let told: Value = serde_json::from_str(&said.stdout).unwrap();
    assert_eq!(told["made"]["changes"][0]["input"], "entries/one.md", "{told}");
}

#[test]
fn names_can_neither_colour_nor_forge_lines() {
    let site = Site::new("title = \"a\\nb\\u001b[31m\"\n");
    site.entry("one", "");
    build(&site);
    site.write("shelflife.toml", "title = \"Test\"");
    build(&site);
    let text = run(&site, site.path(), &["one"]).stdout;
    assert!(!text.contains('\u{1b}') && text.contains("a\\nb\\u{1b}[31m → Test"), "{text}");
}

#[test]
fn after_the_cache_was_cleared_nothing_is_told_that_is_not_known() {
    let site = site();
    let expected = explain(&site, "one", NOW)["depends_on"].clone();
    assert!(site.program(&["cache", "clear", "--site"]).arg(site.path()).status().unwrap().success());
    for given in ["one", "plugins.json", "index.html"] {
        let said = run(&site, site.path(), &[given]);
        assert_eq!((said.code, &*said.stdout), (1, ""), "{said:?}");
        assert!(
            said.stderr.contains("was cleared") && said.stderr.contains("build the site first"),
            "{said:?}"
        );
    }
    build(&site);
    assert_eq!(explain(&site, "one", NOW)["depends_on"], expected);
}
