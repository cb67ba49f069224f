//! Addresses: below whatever base path, of files with whatever names, from wherever pages once were, and those that lead
//! nowhere.

use std::collections::BTreeMap;
use std::path::PathBuf;

use super::published::links;
use super::published::tree::Tree;
use crate::common::{Site, entry, picture};
use proptest::prelude::*;
use serde_json::Value;

const HOME: &str = "https://plugins.example";

fn config(base_path: &str) -> String {
    format!("title = \"Test\"\nurl = \"{HOME}\"\nbase_path = \"{base_path}\"\n")
}

/// An entry with a link of each kind.
const EVERY_LINK: &str = r#"screenshots:
- url: /assets/img/a.png
featuredimage: /assets/img/a.png
privacypolicy: /plugins/other/
disabled: Use [other](/plugins/other/) or <a href="/plugins/growl/">this</a>.
abandoned: See [other](/plugins/other/).
note: A note
tags: [growl]
redirect_from:
- /plugins/growl-old/
- /plugins/Growl
- /old.md
---

[written](/plugins/other/) [relative](../other/) [reference] [part](#a-part) [page]({{ page.url }})
![picture](/assets/img/a.png) <img src="/assets/img/a.png"> <a href='/plugins/growl/'>HTML</a>

[reference]: /plugins/growl/?a=1

# A part

[one]({{ site.baseurl }}/plugins/other/) [two]({{ page.url | relative_url }}) [three]({{ page.url | absolute_url }})
[four]({{ site.url }}{{ site.baseurl }}/plugins/other/) ![five]({% include canonic_url url="/assets/img/a.png" %})
<a href="{{ site.baseurl }}/plugins/growl/">six</a> {% include canonic_url url="/plugins/other/" %}
{% include youtube.html vid="dQw4w9WgXcQ" preview="/assets/img/a.png" %}

"#;

/// A page of the site's own that gives addresses in each way in which a template may.
const HOME_PAGE: &str = r#"<!doctype html><title>x</title><main>
<a href="{{ url("/plugins/growl/") }}">1</a> <a href="{{ absolute_url("/plugins/growl/") }}">2</a>
<a href="{{ absolute_url(url("/plugins/growl/")) }}">3</a> <a href="{{ url(url("/plugins/growl/")) }}">4</a>
<img src="{{ absolute_url(asset("favicon.svg")) }}"> <a href="{{ url("/plugins/") ~ "growl/" }}">5</a>
{{ "[6](/plugins/growl/)" | inline }}
{% for plugin in newest %}
{% if plugin.url == url("/plugins/" ~ plugin.stem ~ "/") %}<a href="{{ plugin.url }}">7</a>{% endif %} <a href="{{ absolute_url(plugin.url) }}">8</a> <a href="{{ plugin.url | trim }}">9</a>
{% if plugin.image %}<img src="{{ plugin.image }}"> <img src="{{ absolute_url(plugin.image) }}"> {{ plugin.image | tojson }}{% endif %}
{% endfor %}
{% for tag in tags %}<a href="{{ tag.url }}">10</a> <a href="{{ absolute_url(tag.url) }}">11</a>{% endfor %}
<a href="{{ url("/by_name/") }}">12</a> <a href="{{ url("/search/") }}">13</a> <a href="{{ url("/abandoned/") }}">14</a>
<a href="{{ url("/help/installation/") }}">15</a></main>
"#;

fn every_link(base_path: &str) -> Site {
    let site = Site::new(&config(base_path));
    let head = entry("growl", EVERY_LINK);
    site.write("entries/growl.md", head.strip_suffix("---\n\nText.\n").unwrap());
    site.write("entries/other.md", entry("other", "tags: [growl]\nfeaturedimage: https://a.example/x.png\n"));
    site.entry("third", "featuredimage: /assets/img/a.png\n");
    site.write("assets/img/a.png", picture(9));
    site.write("templates/home.html", HOME_PAGE);
    site.write("data/blacklist.yaml", "- plugin: growl\n  reason: '[why](/plugins/growl/)'\n");
    site.write("data/notices.yaml", "- plugin: other\n  date: 2020-03-04 05:06:07Z\n  text: Text\n");
    site
}

fn published(base_path: &str) -> BTreeMap<PathBuf, String> {
    let site = every_link(base_path);
    site.build(&["--offline"]).succeeded();
    let home = format!("{HOME}{base_path}/");
    let tree = Tree::read("every link", &home, &site.at("public"));
    let faults =
        [links::faults_in_pages(&tree), links::faults_in_json(&tree), links::faults_in_styles(&tree)];
    assert_eq!(faults.concat(), Vec::<String>::new(), "below {base_path:?}");
    let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned();
    let files = site.tree("public").into_iter();
    // It has the digests of all others.
    let files = files.filter(|(path, _)| !path.ends_with(".shelflife-manifest"));
    files.map(|(path, bytes)| (path, text(bytes))).collect()
}

/// A base path that nothing else in the output is.
const UNIQUE: &str = "/unique-base-path";

/// What is published below a base path, if it is what is published below another one with that put in.
#[track_caller]
fn assert_based(unique: &BTreeMap<PathBuf, String>, base_path: &str) {
    let based = published(base_path);
    assert_eq!(unique.keys().collect::<Vec<_>>(), based.keys().collect::<Vec<_>>());
    for (path, text) in unique {
        let expected = text.replace(UNIQUE, base_path);
        let differing = expected.lines().zip(based[path].lines()).find(|(expected, found)| expected != found);
        assert_eq!(differing, None, "{} below {base_path:?}", path.display());
        assert_eq!(expected, based[path], "{} below {base_path:?}", path.display());
    }
}

#[test]
fn every_base_path_is_put_before_every_address_once() {
    let unique = published(UNIQUE);
    let page = &unique[&PathBuf::from("plugins/growl/index.html")];
    let home = &unique[&PathBuf::from("index.html")];
    assert_eq!(home.matches(">7</a>").count(), 2, "{home}");
    assert!(page.matches(&format!("=\"{UNIQUE}/plugins/other/\"")).count() >= 3, "{page}");
    for base_path in ["", "/plugins", "/plugins/growl", "/assets/img"] {
        assert_based(&unique, base_path);
    }
    let name =
        prop::sample::select(vec!["plugins", "growl", "assets", "by_tag", "api", "index.html", "x~-y", "p"]);
    let base_paths = prop::collection::vec(name, 1..4).prop_map(|names| format!("/{}", names.join("/")));
    proptest!(ProptestConfig { cases: 6, failure_persistence: None, ..ProptestConfig::default() }, |(base_path in base_paths)| {
        assert_based(&unique, &base_path);
    });
}

#[test]
fn the_api_has_absolute_addresses() {
    let site = every_link("/plugins");
    site.build(&["--offline"]).succeeded();
    let api = site.json("public/api/v1/plugins/growl.json");
    let content = api["content_html"].as_str().unwrap();
    for address in [
        "href=\"https://plugins.example/plugins/plugins/other/\"",
        "href=\"https://plugins.example/plugins/plugins/growl/#a-part\"",
        "src=\"https://plugins.example/plugins/assets/img/a.png\"",
    ] {
        assert!(content.contains(address), "{address} in {content}");
    }
    let others = [&api["state"]["disabled_html"], &api["blacklist"][0]["reason_html"]]
        .map(|html| html.as_str().unwrap());
    for html in [content].into_iter().chain(others) {
        let addresses = html.split("href=\"").skip(1).chain(html.split("src=\"").skip(1));
        let relative: Vec<&str> = addresses.filter(|address| !address.starts_with("https://")).collect();
        assert!(relative.is_empty() && html.contains("href=\""), "{relative:?} in {html}");
    }
}

#[test]
fn files_may_have_any_name_that_stays_in_its_folder() {
    let site = Site::new(&config("/reg"));
    let names = ["My Plugin", "plügin", "50% (a?b#c)", "C++", "'&<x>\"", "x%20y"];
    for (number, name) in names.into_iter().enumerate() {
        let text = entry(&format!("plugin{number}"), "tags: [x]\n");
        site.write(
            &format!("entries/{name}.md"),
            text + "\n[this]({{ page.url }}) [other](/plugins/My%20Plugin/) [or](<../plügin/>)\n",
        );
    }
    let run = site.build(&["--offline"]).succeeded();
    assert!(!run.stderr.contains("broken"), "{}", run.stderr);
    let tree = Tree::read("odd names", &format!("{HOME}/reg/"), &site.at("public"));
    let faults =
        [links::faults_in_pages(&tree), links::faults_in_json(&tree), links::unreachable_pages(&tree)];
    assert_eq!(faults.concat(), Vec::<String>::new());
    for name in names {
        for path in ["plugins/NAME/index.html", "api/v1/plugins/NAME.json", "badges/NAME/stars.svg"] {
            assert!(tree.files.contains_key(&path.replace("NAME", name)), "{path} of {name}");
        }
    }
    let plugins = site.json("public/plugins.json");
    assert_eq!(plugins[2]["page"], "https://plugins.example/reg/plugins/C++/");
    assert!(
        plugins.to_string().contains("https://plugins.example/reg/plugins/50%25%20(a%3Fb%23c)/"),
        "{plugins}"
    );
    assert!(site.read("public/sitemap.xml").contains("/plugins/pl%C3%BCgin/</loc>"));
    site.entry("more", "tags: [x]\n");
    site.build(&["--offline"]).succeeded();
    assert_eq!(site.tree("public"), site.cold(), "what is known of such entries");
    for name in ["a.json", ".hidden.json"] {
        site.write(&format!("entries/{name}.md"), entry("refused", ""));
    }
    let run = site.build(&["--offline"]);
    assert_eq!(run.code, 3, "{}", run.stderr);
    run.says("the file name `a.json` can't be part of a URL");
}

#[test]
fn earlier_addresses_work_in_another_letter_case_with_and_without_ending() {
    let site = Site::new(&config(""));
    site.entry("GPX", "redirect_from: [/plugins/gpx, plugins/Gpx/, /plugins/old.md, /plugins/GPX/]\n");
    site.entry("one", "redirect_from: [/plugins/two/, /plugins/older, /plugins/gpX]\n");
    site.entry("two", "redirect_from: /plugins/OLD\n");
    site.build(&["--offline"]).succeeded();
    let leads = |path: &str, to: &str| {
        let page = site.read(&format!("public/{path}"));
        assert!(page.contains(&format!("url=https://plugins.example/plugins/{to}/")), "{path}: {page}");
    };
    leads("plugins/gpx.html", "GPX");
    leads("plugins/old/index.html", "GPX");
    leads("plugins/old.md/index.html", "GPX");
    leads("plugins/OLD.html", "two");
    leads("plugins/older/index.html", "one");
    // No two of them are the same on a disk that ignores letter case.
    let mut paths: Vec<String> =
        site.tree("public").keys().map(|path| path.to_str().unwrap().to_lowercase()).collect();
    let all = paths.len();
    paths.dedup();
    assert_eq!(paths.len(), all);
    let conflict = |place: &str, from: &str, taken: &str| {
        format!(
            "entries/{place}: conflict: ignoring `redirect_from: {from}`: the site already has {taken} there"
        )
    };
    let expected = [
        conflict("GPX.md:12:31", "/plugins/Gpx/", "plugins/GPX/index.html"),
        conflict("one.md:12:17", "/plugins/two/", "plugins/two/index.html"),
        conflict("one.md:12:48", "/plugins/gpX", "plugins/GPX/index.html"),
    ];
    assert_eq!(warnings(&site), expected);
    let redirects = site.json("public/redirects.json");
    assert_eq!(redirects["/plugins/gpx"], "https://plugins.example/plugins/GPX/");
    assert_eq!(redirects["/plugins/old/"], "https://plugins.example/plugins/GPX/");
    site.entry("three", "");
    site.build(&["--offline"]).succeeded();
    assert_eq!(site.tree("public"), site.cold());
}

fn warnings(site: &Site) -> Vec<String> {
    let report = site.report(&["--offline"]);
    let text = |warning: &Value| {
        let text = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        let place = ["path", "line", "column"].map(|key| text(&warning["place"][key])).join(":");
        format!("{place}: {}: {}", text(&warning["rule"]), text(&warning["message"]))
    };
    report["warnings"].as_array().unwrap().iter().map(text).collect()
}

#[test]
fn links_that_lead_nowhere_are_told_with_their_place() {
    let site = Site::new(&config("/reg"));
    site.write(
        "entries/one.md",
        entry(
            "one",
            "screenshots:\n- url: /assets/img/shot.png\n- url: https://a.example/x.png\nfeaturedimage: /assets/img/featured.png\n",
        )
        .replace(
            "Text.\n",
            "[a](/plugins/two/) and [b](/plugins/three/#x), [c](https://plugins.example/reg/gone)\n\
             [d](https://plugins.example/elsewhere/) [e](/assets/own.txt) [f](/plugins.json) [g](/plugins/former)\n\
             <img src=\"/assets/img/a b.png\"> ![h]({% include canonic_url url=\"/assets/img/i.png\" %}) [j](#k) [l](../m/)\n\
             [n](/reg/plugins/two/) [o](/plugins/three/) [p](mailto:a@b.example) [q](/plugins/former/?r#s) `[t](/u/)`\n",
        ),
    );
    site.entry("two", "redirect_from: /plugins/former\n");
    site.write("assets/own.txt", "own");
    let missing = |address: &str| format!("missing-picture: the picture `{address}` does not exist");
    let broken = |address: &str| {
        format!("broken-link: the link to `{address}` is broken: the site has no such page or file")
    };
    let expected = [
        format!("entries/one.md:13:8: {}", missing("/assets/img/shot.png")),
        format!("entries/one.md:15:16: {}", missing("/assets/img/featured.png")),
        format!("entries/one.md:18:28: {}", broken("/plugins/three/")),
        format!("entries/one.md:18:52: {}", broken("/gone")),
        format!("entries/one.md:20:11: {}", missing("/assets/img/a%20b.png")),
        format!("entries/one.md:20:66: {}", missing("/assets/img/i.png")),
        format!("entries/one.md:20:101: {}", broken("/plugins/m/")),
        "entries/one.md:21:5: broken-link: the link to `/reg/plugins/two/` is broken".to_owned(),
    ];
    let help = site.report(&["--offline"])["warnings"][7]["help"].clone();
    assert_eq!(help, "write `/plugins/two/`: `base_path` is added automatically");
    assert_eq!(warnings(&site), expected);
    assert_eq!(warnings(&site), expected, "of a build without changes");

    // The entry is known now, and all that changes is around it.
    for name in ["shot", "featured", "a b", "i"] {
        site.write(&format!("assets/img/{name}.png"), picture(7));
    }
    site.entry("three", "");
    let left = [&expected[3], &expected[6], &expected[7]].map(String::clone);
    assert_eq!(warnings(&site), left);
    std::fs::remove_file(site.at("entries/two.md")).unwrap();
    let two = format!("entries/one.md:18:5: {}", broken("/plugins/two/"));
    let former = format!("entries/one.md:19:85: {}", broken("/plugins/former"));
    let found = warnings(&site);
    assert!(found.contains(&two) && found.contains(&former), "{found:#?}");
    site.cold();
    std::fs::remove_dir_all(site.at(".shelflife")).unwrap();
    assert_eq!(warnings(&site), found, "of a first build");
}

#[test]
fn links_in_all_texts_of_an_entry_are_looked_at() {
    let site = Site::new(&config("/reg"));
    let more = "note: \"[a](/plugins/a/) ![b](/assets/b.png)\"\nreplaced: By [c](/plugins/c/)\n\
                abandoned: See [d](/plugins/d/)\nup_for_adoption: https://plugins.example/reg/plugins/e/\n\
                disabled: \"[f](/plugins/f/) [one](/plugins/one/)\"\nprivacypolicy: /privacy/\n";
    let text = entry("one", more).replace("https://example.org/one\n", "/home\n");
    site.write("entries/one.md", text.replace("https://example.org/one.zip", "assets/one.zip"));
    let broken = |line: usize, column: usize, address: &str| {
        format!(
            "entries/one.md:{line}:{column}: broken-link: the link to `{address}` is broken: the site has no such page or file"
        )
    };
    let expected = [
        broken(12, 12, "/plugins/a/"),
        "entries/one.md:12:30: missing-picture: the picture `/assets/b.png` does not exist".to_owned(),
        broken(13, 18, "/plugins/c/"),
        broken(14, 20, "/plugins/d/"),
        broken(15, 18, "https://plugins.example/reg/plugins/e/").replace("https://plugins.example/reg", ""),
        broken(16, 16, "/plugins/f/"),
        broken(17, 16, "/privacy/"),
    ];
    let told = || {
        let of_links = |text: &String| text.contains("broken-link") || text.contains("missing-picture");
        warnings(&site).into_iter().filter(of_links).collect::<Vec<String>>()
    };
    assert_eq!(told(), expected);
    assert_eq!(told(), expected, "of a build without changes");
    site.entry("a", "");
    site.write("assets/b.png", picture(7));
    assert_eq!(told(), expected[2..], "the entry is known");
}

#[test]
fn a_site_without_an_address_is_told_once_and_refused_on_a_runner() {
    const MESSAGE: &str = "shelflife.toml has no `url`";
    const REMEDY: &str = "`url = \"https://plugins.example.org\"`";
    let site = Site::new("title = \"Test\"\n");
    site.entry("one", "");
    for (name, value) in [("CI", "true"), ("CI", "1"), ("GITHUB_ACTIONS", "true")] {
        let output = site.command(&["--offline"]).env(name, value).output().unwrap();
        let stderr = String::from_utf8_lossy(&output.stderr).replace("\n  │ ", " ");
        assert_eq!(output.status.code(), Some(2), "{stderr}");
        assert!(stderr.contains(MESSAGE) && stderr.contains("https://plugins.example.org"), "{stderr}");
        assert!(!site.at("public").exists() && !site.at(".shelflife").exists(), "nothing is written");
    }
    for (name, value) in [("CI", "false"), ("CI", ""), ("OTHER", "true")] {
        let output = site.command(&["--offline"]).env(name, value).output().unwrap();
        let stderr = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(0), "{stderr}");
        assert_eq!((stderr.matches(MESSAGE).count(), stderr.matches(REMEDY).count()), (1, 1), "{stderr}");
    }
    site.write("shelflife.toml", config(""));
    let output = site.command(&["--offline"]).env("CI", "true").output().unwrap();
    let stderr = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success() && !stderr.contains("no `url`"), "{stderr}");
}
