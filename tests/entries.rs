//! What an entry's author writes: what becomes of it on a published site, and what the author is told.
#![allow(missing_docs)]

mod common;

use common::Site;
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
