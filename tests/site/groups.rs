//! The pages of tags and authors: who has one, where, and who is on it.

use std::path::{Path, PathBuf};

use crate::common::Site;
use scraper::{Html, Selector};

const CONFIG: &str = "title = \"Shelf\"\nurl = \"https://shelf.example\"\n";

/// The texts of what a selector finds on a page.
fn texts(site: &Site, page: &str, selector: &str) -> Vec<String> {
    let page = Html::parse_document(&site.read(&format!("public{page}index.html")));
    page.select(&Selector::parse(selector).unwrap()).map(|found| found.text().collect()).collect()
}

/// The addresses to which what a selector finds on a page leads.
fn links(site: &Site, page: &str, selector: &str) -> Vec<String> {
    let page = Html::parse_document(&site.read(&format!("public{page}index.html")));
    let selector = Selector::parse(selector).unwrap();
    page.select(&selector).filter_map(|link| link.value().attr("href").map(str::to_owned)).collect()
}

const ROWS: &str = "#_static .row-title a";

#[test]
fn names_that_differ_in_signs_have_a_page_each() {
    let site = Site::new(CONFIG);
    let groups = [
        ("a", "C", "/by_tag/c/"),
        ("b", "C++", "/by_tag/c-plus-plus/"),
        ("d", "C#", "/by_tag/c-sharp/"),
        ("e", ".NET", "/by_tag/dot-net/"),
        ("f", "net", "/by_tag/net/"),
        ("g", "hot \u{1F525}", "/by_tag/hot-%F0%9F%94%A5/"),
        ("h", "hot", "/by_tag/hot/"),
    ];
    for (stem, tag, _) in groups {
        site.entry(stem, &format!("tags: [\"{tag}\"]\n"));
    }
    // What differs in case, blanks and punctuation alone is one tag in two spellings.
    site.entry("z", "tags: [\"c.\", \"Hot!\"]\n");
    site.build(&[]).succeeded();
    let sitemap = site.read("public/sitemap.xml");
    let index = site.json("public/browse.json");
    for (stem, tag, address) in groups {
        assert_eq!(links(&site, &format!("/plugins/{stem}/"), ".tags a"), [address], "{tag}");
        assert!(links(&site, "/by_tag/", "#_static h2 a").iter().any(|link| link == address), "{tag}");
        assert!(sitemap.contains(&format!("<loc>https://shelf.example{address}</loc>")), "{tag}");
        let place = address.replace("%F0%9F%94%A5", "\u{1F525}");
        let slug = place.trim_start_matches("/by_tag/").trim_end_matches('/');
        assert!(index["tag_slugs"].as_array().unwrap().iter().any(|known| known == slug), "{tag}");
        let mut expected = vec![format!("Plugin {stem}")];
        expected.extend(["C", "hot"].contains(&tag).then(|| "Plugin z".to_owned()));
        assert_eq!(texts(&site, &place, ROWS), expected, "{tag}");
    }

    // An address stays whatever comes and goes beside it.
    std::fs::remove_file(site.at("entries/a.md")).unwrap();
    std::fs::remove_file(site.at("entries/z.md")).unwrap();
    site.build(&[]).succeeded();
    assert!(!site.at("public/by_tag/c").exists());
    assert_eq!(texts(&site, "/by_tag/c-plus-plus/", ROWS), ["Plugin b"]);
}

/// Nobody can tell from `Doe, Jane` and `Foo, Inc.` how many they are, so who is several says so with a list; programs
/// that read `plugins.json` see no difference.
#[test]
fn several_authors_are_a_list() {
    let site = Site::new(CONFIG);
    let write = |stem: &str, authors: &str| {
        let entry = crate::common::entry(stem, "").replace(&format!("author: Ada of {stem}\n"), authors);
        site.write(&format!("entries/{stem}.md"), entry);
    };
    write("list", "authors: [Ada, Grace]\n");
    write("text", "author: Ada, Grace\n");
    write("one", "author: Ada\n");
    write("company", "author: Foo and Sons, Inc.\n");
    site.build(&[]).succeeded();
    assert_eq!(texts(&site, "/by_author/ada/", ROWS), ["Plugin list", "Plugin one"]);
    assert_eq!(texts(&site, "/by_author/grace/", ROWS), ["Plugin list"]);
    assert_eq!(texts(&site, "/by_author/ada-grace/", ROWS), ["Plugin text"]);
    assert_eq!(texts(&site, "/by_author/foo-and-sons-inc/", ROWS), ["Plugin company"]);
    let plugins = site.json("public/plugins.json");
    let author = |id: &str| {
        let of = plugins.as_array().unwrap().iter().find(|plugin| plugin["id"] == id).unwrap();
        of["author"].clone()
    };
    assert_eq!(author("list"), "Ada, Grace");
    assert_eq!(author("text"), author("list"));
}

/// The protocol allows 50 MiB (<https://www.sitemaps.org/protocol.html>), which few pages have whose addresses are long.
#[test]
fn a_site_map_that_would_be_too_long_is_an_index() {
    let base = format!("https://shelf.example/{}", "sub".repeat(3000));
    let path = base.trim_start_matches("https://shelf.example");
    let site = Site::new(&format!("{CONFIG}base_path = \"{path}\"\n[limits]\nlist_items = 1000\n"));
    // Nothing but the sitemap is looked at.
    for template in ["tag.html", "by_tag.html", "plugin.html", "home.html"] {
        site.write(&format!("templates/{template}"), "one\n");
    }
    let write = |stem: usize, tags: usize| {
        let tags: Vec<String> = (0..tags).map(|tag| format!("t{stem}-{tag}")).collect();
        site.entry(&format!("p{stem}"), &format!("tags: [{}]\n", tags.join(", ")));
    };
    (0..6).for_each(|stem| write(stem, 1000));
    site.build(&[]).succeeded();
    let index = site.read("public/sitemap.xml");
    assert!(
        index.contains("<sitemapindex xmlns=\"http://www.sitemaps.org/schemas/sitemap/0.9\">"),
        "{index}"
    );
    let addresses = |map: &str| -> Vec<String> {
        let after = map.split("<loc>").skip(1).filter_map(|rest| rest.split_once("</loc>"));
        after.map(|(address, _)| address.to_owned()).collect()
    };
    assert_eq!(addresses(&index), [format!("{base}/sitemap-1.xml"), format!("{base}/sitemap-2.xml")]);
    assert_eq!(index.matches("<lastmod>").count(), 2);
    let mut pages = Vec::new();
    for part in ["sitemap-1.xml", "sitemap-2.xml"] {
        let map = site.read(&format!("public/{part}"));
        assert!(map.contains("<urlset") && map.len() <= 50 << 20, "{part} has {} bytes", map.len());
        let of = addresses(&map);
        assert!(!of.is_empty(), "{part}");
        pages.extend(of);
    }
    // The blocklist is known by one of its addresses.
    let listed = |path: &PathBuf| path.ends_with("index.html") && *path != Path::new("blacklist/index.html");
    let all = site.tree("public").into_keys().filter(listed).count();
    assert_eq!(pages.len(), all);
    pages.sort();
    pages.dedup();
    assert_eq!(pages.len(), all, "none is there twice");
    assert!(site.read("public/robots.txt").contains(&format!("Sitemap: {base}/sitemap.xml\n")));

    (0..6).for_each(|stem| write(stem, 2));
    site.build(&[]).succeeded();
    assert!(!site.at("public/sitemap-1.xml").exists());
    assert!(site.read("public/sitemap.xml").contains("<urlset"));
}
