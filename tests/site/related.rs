//! Which other plugins a page names, and when that makes it anew.

use crate::common::Site;

/// The titles that a section of a plugin's page names.
fn named(site: &Site, stem: &str, section: &str) -> Vec<String> {
    let page = site.read(&format!("public/plugins/{stem}/index.html"));
    let Some((_, rest)) = page.split_once(&format!("<h2 id=\"_{section}\">")) else { return Vec::new() };
    let list = rest.split_once("</ul>").map_or(rest, |(list, _)| list);
    let titles = list.split("<li><a href=").skip(1).filter_map(|item| item.split('>').nth(1));
    titles.map(|title| title.trim_end_matches("</a").to_owned()).collect()
}

fn retag(site: &Site, stem: &str, before: &str, after: &str) {
    let path = format!("entries/{stem}.md");
    let text = site.read(&path);
    assert!(text.contains(before), "{text}");
    site.write(&path, text.replace(before, after));
}

fn site() -> Site {
    let site = Site::new("");
    site.entry("one", "tags: [rare, common]\n");
    site.entry("two", "tags: [common]\n");
    site.entry("three", "tags: [Rare]\n");
    site.entry("four", "tags: [common]\nabandoned: true\n");
    site.entry("five", "tags: [common]\ndisabled: broken\n");
    site.entry("six", "tags: [none]\n");
    retag(&site, "six", "Ada of six", "Ada of one");
    assert_eq!(site.build(&["--offline"]).code, 0);
    site
}

#[test]
fn the_rarest_tags_relate_most_and_authors_have_a_list_of_their_own() {
    let site = site();
    assert_eq!(named(&site, "one", "related"), ["Plugin three", "Plugin two"]);
    assert_eq!(named(&site, "one", "others"), ["Plugin six"]);
    assert_eq!(named(&site, "four", "related"), ["Plugin two", "Plugin one"]);
    assert_eq!(named(&site, "six", "related"), Vec::<String>::new());
}

#[test]
fn where_few_share_a_tag_the_words_of_titles_and_tags_relate() {
    let site = site();
    site.entry("seven", "tags: [rare]\n");
    site.entry("eight", "tags: [bed-level]\n");
    site.entry("nine", "tags: [mesh]\n");
    retag(&site, "seven", "Plugin seven", "LevelTheBed");
    retag(&site, "nine", "Plugin nine", "A level bed");
    assert_eq!(site.build(&["--offline"]).code, 0);
    assert_eq!(
        named(&site, "seven", "related"),
        ["Plugin three", "Plugin one", "A level bed", "Plugin eight"]
    );
    assert_eq!(named(&site, "eight", "related"), ["LevelTheBed", "A level bed"]);
}

#[test]
fn a_rare_word_relates_more_than_tags_that_many_have() {
    let site = Site::new("");
    for number in 0..30 {
        site.entry(&format!("plugin{number:02}"), "tags: [helper, tool]\n");
    }
    for (stem, title) in [("aaa", "MQTT"), ("bbb", "MQTT Chamber"), ("ccc", "Tasmota-MQTT")] {
        site.entry(stem, "tags: [helper, tool]\n");
        retag(&site, stem, &format!("Plugin {stem}"), title);
    }
    assert_eq!(site.build(&["--offline"]).code, 0);
    assert_eq!(named(&site, "aaa", "related")[..2], ["Tasmota-MQTT", "MQTT Chamber"]);
}

#[test]
fn an_edit_reaches_the_pages_that_name_it() {
    let site = site();
    retag(&site, "three", "Plugin three", "Another title");
    let untouched = site.read("public/plugins/two/index.html");
    assert_eq!(site.build(&["--offline"]).code, 0);
    assert_eq!(named(&site, "one", "related"), ["Another title", "Plugin two"]);
    retag(&site, "three", "tags: [Rare]", "tags: [other]");
    assert_eq!(site.build(&["--offline"]).code, 0);
    assert_eq!(named(&site, "one", "related"), ["Plugin two"]);
    std::fs::remove_file(site.at("entries/six.md")).unwrap();
    assert_eq!(site.build(&["--offline"]).code, 0);
    assert_eq!(named(&site, "one", "others"), Vec::<String>::new());
    assert_eq!(site.read("public/plugins/two/index.html"), untouched);
}
