//! What pages say, read without a browser: where links lead, in what order, and what settings change of it.

use std::collections::BTreeMap;

use crate::common::Site;
use scraper::{ElementRef, Html, Selector};

const CONFIG: &str = "title = \"Shelf\"\nurl = \"https://shelf.example\"\nbase_path = \"/base\"\n";

fn page(site: &Site, path: &str) -> Html {
    Html::parse_document(&site.read(&format!("public{path}index.html")))
}

fn all<'a>(page: &'a Html, selector: &str) -> Vec<ElementRef<'a>> {
    page.select(&Selector::parse(selector).unwrap()).collect()
}

fn text(element: ElementRef<'_>) -> String {
    element.text().collect::<String>().split_whitespace().collect::<Vec<_>>().join(" ")
}

#[test]
fn notices_begin_with_the_latest_and_their_links_have_names_of_their_own() {
    let site = Site::new(CONFIG);
    for stem in ["one", "two"] {
        site.entry(stem, &format!("abandoned: https://example.org/end/{stem}\n"));
    }
    let notice = |plugin: &str, date: &str| {
        format!(
            "- plugin: {plugin}\n  date: {date}\n  text: x\n  link: https://example.org/{plugin}/{date}\n"
        )
    };
    let notices = ["one 2019-05-16", "unlisted 2018-01-01", "one 2021-02-03", "two 2019-05-16"]
        .map(|it| it.split_once(' ').unwrap())
        .map(|(plugin, date)| notice(plugin, date));
    site.write("data/notices.yaml", notices.concat());
    site.build(&[]).succeeded();
    let notices = page(&site, "/notices/");
    let days: Vec<_> = all(&notices, ".banner time").iter().filter_map(|it| it.attr("datetime")).collect();
    assert_eq!(days, ["2021-02-03", "2019-05-16", "2019-05-16", "2018-01-01"]);
    assert!(text(all(&notices, ".banner h2")[1]).starts_with("Plugin two"), "of a day, the last of the file");
    for path in ["/notices/", "/abandoned/", "/plugins/one/"] {
        let page = page(&site, path);
        let mut named: BTreeMap<String, Vec<&str>> = BTreeMap::new();
        for link in all(&page, "main a").iter().filter(|it| text(**it).starts_with("Read more")) {
            named.entry(text(*link)).or_default().push(link.attr("href").unwrap());
        }
        let ambiguous: Vec<_> = named.iter().filter(|(_, leads_to)| leads_to.len() > 1).collect();
        assert!(named.len() > 1 && ambiguous.is_empty(), "{path}: {named:?}");
    }
}

#[test]
fn an_author_finds_the_data_of_a_plugin_and_its_badge() {
    let site = Site::new(CONFIG);
    site.entry("one", "");
    let with = |settings: &str| {
        site.write("shelflife.toml", format!("{CONFIG}[outputs]\n{settings}"));
        site.build(&[]).succeeded();
        let page = page(&site, "/plugins/one/");
        let links =
            all(&page, "main .data a").iter().filter_map(|it| it.attr("href")).collect::<Vec<_>>().join(" ");
        let badge = all(&page, "main .data code").into_iter().map(text).collect::<Vec<_>>().join(" ");
        let help = site.read("public/help/data/index.html");
        for (address, is_there) in [
            ("/api/v1/plugins/one.json", "api/v1/plugins/one.json"),
            ("/api/v1/plugins/one/history.json", "api/v1/plugins/one/history.json"),
        ] {
            assert_eq!(
                links.contains(address),
                site.at("public").join(is_there).exists(),
                "{settings}: {links}"
            );
        }
        [
            !links.is_empty(),
            links.contains("/api/"),
            badge.contains("/badges/"),
            help.contains("/api/"),
            help.contains("/badges/"),
        ]
        .map(u8::from)
    };
    assert_eq!(with(""), [1, 1, 1, 1, 1]);
    assert_eq!(with("badges = false\n"), [1, 1, 0, 1, 0]);
    assert_eq!(with("api = false\n"), [1, 0, 1, 0, 1]);
    assert_eq!(with("api = false\nbadges = false\n"), [0; 5]);
    with("");
    let page = page(&site, "/plugins/one/");
    let badge = "[![Active installs](https://shelf.example/base/badges/one/installs.svg)]\
                 (https://shelf.example/base/plugins/one/)";
    assert_eq!(text(all(&page, "main .data code")[0]), badge);
    assert!(site.at("public/badges/one/installs.svg").exists());
    assert_eq!(all(&page, "footer a[href='/base/help/data/']").len(), 1);
}

#[test]
fn a_maintainer_words_the_search() {
    let site = Site::new(CONFIG);
    for stem in ["a", "b", "c", "d", "e"] {
        site.entry(stem, "tags: [all]\n");
    }
    let texts =
        "[theme.texts]\nsearch = \"Ask <me>\"\nbrowse = \"Look & see\"\nplaceholder = \"a \\\"b\\\" c\"\n";
    site.write("shelflife.toml", format!("{CONFIG}{texts}"));
    site.build(&[]).succeeded();
    for (path, label) in [
        ("/", "Ask <me>"),
        ("/by_name/", "Look & see"),
        ("/search/", "Look & see"),
        ("/by_tag/all/", "Look & see"),
    ] {
        let page = page(&site, path);
        assert_eq!(text(all(&page, "label.field-label")[0]), label, "{path}");
        assert_eq!(all(&page, "input[name=q]")[0].attr("placeholder"), Some("a \"b\" c"), "{path}");
    }
}
