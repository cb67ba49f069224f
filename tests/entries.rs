//! What an entry's author writes: what becomes of it on a published site, and what the author is told.
#![allow(missing_docs)]

mod common;

use common::{Site, entry};
use serde_json::Value;

const CONFIG: &str = "title = \"Test\"\nurl = \"https://plugins.example\"";

fn warnings(report: &Value) -> Vec<&str> {
    report["warnings"].as_array().unwrap().iter().map(|warning| warning.as_str().unwrap()).collect()
}

#[test]
fn no_redirect_keeps_the_rest_from_being_published() {
    for (from, obstacle) in [
        ("/plugins.json/x", "plugins.json"),
        ("/feed.xml/", "feed.xml"),
        ("/FEED.XML/a/b.html", "feed.xml"),
        ("/index.html/", "index.html"),
        ("/plugins/two/index.html/y", "plugins/two/index.html"),
        ("/by_name/", "by_name/index.html"),
        ("/Plugins/TWO/", "plugins/two/index.html"),
        ("/by%5Fname/", "by_name/index.html"),
        ("/by_name/index.html/", "by_name/index.html"),
        ("[/a.html, /a.html/b]", "a.html"),
        ("[/a.html/b, /A.html]", "a.html/b/index.html"),
        ("[/a/, /a.html, /a/index.html]", "a/index.html"),
    ] {
        let site = Site::new(CONFIG);
        site.entry("one", &format!("redirect_from: {from}\n"));
        site.entry("two", "");
        let report = site.report(&[]);
        let [warning] = warnings(&report)[..] else { panic!("{from}: {report}") };
        assert!(warning.starts_with("entries/one.md:12:"), "{from}: {warning}");
        assert!(warning.contains(&format!("has {obstacle} there already")), "{from}: {warning}");
        assert!(site.read("public/index.html").contains("Plugin two"), "{from}");
        assert_eq!(site.json("public/plugins.json").as_array().unwrap().len(), 2, "{from}");
    }
}

#[test]
fn what_no_redirect_can_be_stops_the_build_before_anything_is_published() {
    for from in
        ["/old.json", "/.git/config.html", "/.well-known/x/", "/a/%2egit/", "/a%2Fb/", "/a%5cb/", "/a%0a/"]
    {
        let site = Site::new(CONFIG);
        site.entry("one", &format!("redirect_from: {from}\n"));
        let run = site.build(&[]);
        assert_eq!(run.code, 1, "{from}: {}", run.stderr);
        assert!(run.stderr.contains("entries/one.md:12:"), "{from}: {}", run.stderr);
        assert!(!site.at("public").exists(), "{from}");
    }
}

#[test]
fn a_redirect_is_found_where_web_servers_look_for_it() {
    let site = Site::new(CONFIG);
    site.entry("one", "redirect_from: [/a%20b/, /c d, /%C3%BC.html, /e.htm, /100%/]\n");
    assert_eq!(warnings(&site.report(&[])), Vec::<&str>::new());
    for file in ["a b/index.html", "c d/index.html", "ü.html", "e.htm", "100%/index.html"] {
        assert!(
            site.read(&format!("public/{file}")).contains("https://plugins.example/plugins/one/"),
            "{file}"
        );
    }
    let redirects = site.json("public/redirects.json");
    assert_eq!(redirects["/a%20b/"], "https://plugins.example/plugins/one/");
}

#[test]
fn below_a_base_path_every_address_is_whole() {
    let site = Site::new(&format!("{CONFIG}\nbase_path = \"/reg\""));
    let body = "[two](/plugins/two/) [again](/reg/plugins/two/) [other](/register/) <a href=' /plugins/two/'>raw</a>\n\
                [shortcode]({{ page.url | relative_url }}) ![i](/assets/a.png) <img src=\"/assets/b.png\">\n\
                [away](//example.org/x) [part](#here) [near](near/)\n";
    let more =
        "disabled: See [two](/plugins/two/).\nfeaturedimage: /assets/a.png\nprivacypolicy: /privacy/\n";
    site.write("entries/one.md", entry("one", more).replace("Text.", body));
    site.entry("two", "");
    site.write("data/blacklist.yaml", "- plugin: one\n  reason: See [two](/plugins/two/).\n");
    site.build(&[]).succeeded();
    for path in ["public/robots.txt", "public/feed.xml", "public/plugins/one/index.html"] {
        assert!(!site.read(path).contains("None"), "{path}: {}", site.read(path));
        assert!(!site.read(path).contains("/reg/reg/"), "{path}: {}", site.read(path));
    }
    assert!(site.read("public/robots.txt").contains("Sitemap: https://plugins.example/reg/sitemap.xml"));
    let page = site.read("public/plugins/one/index.html");
    for part in [
        "<a href=\"/reg/plugins/two/\">two</a>",
        "<a href=\"/reg/plugins/two/\">again</a>",
        "<a href=\"/reg/register/\">other</a>",
        "<a href=\"/reg/plugins/two/\">raw</a>",
        "<a href=\"/reg/plugins/one/\">shortcode</a>",
        "src=\"/reg/assets/a.png\"",
        "src=\"/reg/assets/b.png\"",
        "<a href=\"//example.org/x\">away</a>",
        "<a href=\"near/\">near</a>",
        "<p>See <a href=\"/reg/plugins/two/\">two</a>.</p>",
        "property=\"og:image\" content=\"https://plugins.example/reg/assets/a.png\"",
        "href=\"https://plugins.example/reg/privacy/\"",
    ] {
        assert!(page.contains(part), "{part}: {page}");
    }
    assert_eq!(page.matches(">two</a>.").count(), 2, "why it is disabled, and why it is blacklisted");
    assert!(site.read("public/blacklist/index.html").contains("href=\"/reg/plugins/two/\">two</a>."));
    let plugins = site.json("public/plugins.json");
    assert_eq!(plugins[0]["image"], "https://plugins.example/reg/assets/a.png");
    assert_eq!(plugins[0]["privacypolicy"], "https://plugins.example/reg/privacy/");
}

#[test]
fn every_address_in_the_feed_is_absolute() {
    for base in ["", "/reg"] {
        let site = Site::new(&format!("{CONFIG}\nbase_path = \"{base}\""));
        let body = "# Here\n\n[part](#here) [none](#nowhere) [empty]() [near](near/?a#b) [rooted](/x/) [away](//a.example/x)\n\
                    [bad](//[x) [mail](mailto:a@example.org) <img src=\"p.png\"> <a href=\"\">raw</a>\n";
        site.write("entries/one.md", entry("one", "").replace("Text.", body));
        site.build(&[]).succeeded();
        let (home, feed) = (format!("https://plugins.example{base}"), site.read("public/feed.xml"));
        for part in [
            format!("<a href=\"{home}/plugins/one/#body-here\">part</a>"),
            "<a>none</a>".to_owned(),
            format!("<a href=\"{home}/plugins/one/\">empty</a>"),
            format!("<a href=\"{home}/plugins/one/near/?a#b\">near</a>"),
            format!("<a href=\"{home}/x/\">rooted</a>"),
            "<a href=\"https://a.example/x\">away</a>".to_owned(),
            "<a>bad</a>".to_owned(),
            "<a href=\"mailto:a@example.org\">mail</a>".to_owned(),
            format!("src=\"{home}/plugins/one/p.png\""),
            format!("<a href=\"{home}/plugins/one/\">raw</a>"),
        ] {
            assert!(feed.contains(&part), "{part}: {feed}");
        }
    }
}
