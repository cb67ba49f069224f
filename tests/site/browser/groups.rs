//! The pages of a tag and of an author with more plugins than are seen at an output scan, in a real browser: what one types
//! and chooses stays within the tag or the author.

use crate::common::lists::Lists as _;
use crate::common::watching::eventually;
use crate::common::{Site, entry, skip};
use jiff::ToSpan as _;
use shelflife_testkit::browser::{Browser, Look};
use shelflife_testkit::host::Host;

#[test]
fn a_tag_with_signs_is_found_by_its_name() {
    const TEST: &str = "a_tag_with_signs_is_found_by_its_name";
    let browser = match Browser::open(Look::default()) {
        Ok(browser) => browser,
        Err(lacking) => return skip(TEST, &lacking),
    };
    let (_site, host) = site();
    for (asked, expected) in [("c%2B%2B", 6), ("C%2B%2B common", 6), ("common%2B", 9), ("c", 9)] {
        browser.go(&host.url(&format!("/search/?q={asked}")));
        assert_eq!(browser.found().len(), expected, "{asked}");
    }
    assert_eq!(browser.console(), Vec::<String>::new());
}

/// A site of nine plugins, six of which have the tag and the author that are looked at; and its host.
fn site() -> (Site, Host) {
    let site = Site::new("");
    let host = Host::start(site.at("public"), "").unwrap();
    site.write("shelflife.toml", format!("title = \"Shelf\"\nurl = \"{}\"\n", host.origin()));
    // What was added long ago, and nobody has touched since, is not maintained.
    let today = jiff::Zoned::now().date();
    for (number, stem) in
        ["ant", "bee", "cat", "dog", "elk", "fox", "gnu", "hen", "ibis"].into_iter().enumerate()
    {
        let (tag, author) = if number < 6 { ("C++", "Ada & Grace") } else { ("C", "Ada") };
        let state = if number % 3 == 1 { "abandoned: true\n" } else { "" };
        // The first comes last.
        let text = entry(stem, &format!("tags: [\"{tag}\", common]\n{state}"))
            .replace(&format!("Ada of {stem}"), author)
            .replace("2020-02-03", &(today - (1 + number as i64).days()).to_string());
        site.write(&format!("entries/{stem}.md"), text);
    }
    site.build(&[]).succeeded();
    (site, host)
}

#[test]
fn what_is_chosen_stays_within_a_tag_or_an_author() {
    const TEST: &str = "what_is_chosen_stays_within_a_tag_or_an_author";
    let browser = match Browser::open(Look::default()) {
        Ok(browser) => browser,
        Err(lacking) => return skip(TEST, &lacking),
    };
    let (_site, host) = site();
    let place = |browser: &Browser| browser.url().trim_start_matches(&host.origin()).to_owned();
    let arrives = |at: &str| eventually(at, || (place(&browser) == at).then_some(()));
    let titles = |stems: &[&str]| stems.iter().map(|stem| format!("Plugin {stem}")).collect::<Vec<_>>();
    let finds = |what: &str, stems: &[&str]| {
        let expected = titles(stems);
        browser.finds(what, |found| found == expected);
    };
    for page in ["/by_tag/c-plus-plus/", "/by_author/ada-and-grace/"] {
        browser.go(&host.url(page));
        assert_eq!(browser.find("#_static .row").len(), 6, "{page}");
        assert!(browser.find("#_list .row").is_empty(), "{page}");

        // A third one that is abandoned is another's.
        browser.choose("state", "abandoned");
        finds("the abandoned ones", &["bee", "elk"]);
        assert!(browser.text().contains("2 of 6 plugins"), "{page}");
        assert_eq!(place(&browser), format!("{page}?state=abandoned"));
        browser.choose("sort", "newest");
        finds("the newest first", &["bee", "elk"]);
        browser.choose("state", "maintained");
        finds("those that are not", &["ant", "cat", "dog", "fox"]);
        let shared = format!("{page}?state=maintained&sort=newest");
        assert_eq!(place(&browser), shared);

        // Somebody else opens the link.
        let other = Browser::open(Look::PHONE).unwrap();
        other.go(&host.url(&shared));
        assert_eq!(other.found(), titles(&["ant", "cat", "dog", "fox"]), "{page}");
        assert_eq!(other.console(), Vec::<String>::new());

        // What is typed is found within, though others have the words, too. What is abandoned comes last.
        browser.choose("state", "");
        browser.choose("sort", "");
        browser.type_into(&browser.field(), "common plugin");
        finds("all that have the tag", &["ant", "cat", "dog", "fox", "bee", "elk"]);
        browser.run("document.forms._browse.elements.q.value = ''");
        browser.type_into(&browser.field(), "ibis");
        finds("nothing of others", &[]);
        browser.run("document.forms._browse.elements.q.value = ''");
        browser.type_into(&browser.field(), "elk");
        finds("one", &["elk"]);
        arrives(&format!("{page}?q=elk"));
        browser.click(&browser.only("#_list a"));
        arrives("/plugins/elk/");
        browser.back();
        arrives(&format!("{page}?q=elk"));
        finds("the same again", &["elk"]);
        browser.back();
        arrives(&format!("{page}?sort=newest"));
        finds("the choice before", &["ant", "bee", "cat", "dog", "elk", "fox"]);
        browser.back();
        arrives(&shared);
        finds("the choice before that", &["ant", "cat", "dog", "fox"]);
    }
    assert_eq!(browser.console(), Vec::<String>::new());
}
