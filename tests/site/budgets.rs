//! What a visitor has to load, in bytes: no page grows beyond what a slow link brings at once.

use std::collections::BTreeSet;

use crate::common::shelf::shelf;
use scraper::{Html, Selector};
use shelflife_testkit::host::gzip;

/// A plugin's page without its description, compressed.
const PAGE: usize = 12 << 10;
/// All scripts of a page, compressed.
const SCRIPTS: usize = 16 << 10;
/// All style sheets of a page, compressed.
const STYLES: usize = 12 << 10;

#[track_caller]
fn assert_none(faults: &[String]) {
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

/// The compressed size of all that a page loads by these elements.
fn loaded(html: &Html, selector: &str, attribute: &str) -> usize {
    let selector = Selector::parse(selector).unwrap();
    let addresses: BTreeSet<&str> = html.select(&selector).filter_map(|it| it.attr(attribute)).collect();
    addresses.into_iter().map(|address| gzip(&shelf().file(address)).len()).sum()
}

#[test]
fn a_plugins_page_is_small() {
    let body = Selector::parse(".prose").unwrap();
    let mut faults = Vec::new();
    for page in shelf().pages().into_iter().filter(|page| page.starts_with("/plugins/")) {
        let html = shelf().page(&page);
        let size = |html: &str| gzip(html.as_bytes()).len();
        let parsed = Html::parse_document(&html);
        let description: usize = parsed.select(&body).map(|it| size(&it.html())).sum();
        let rest = size(&html).saturating_sub(description);
        if rest > PAGE {
            faults.push(format!("{page}: {rest} bytes without its description, of at most {PAGE}"));
        }
    }
    assert_none(&faults);
}

#[test]
fn scripts_and_style_sheets_are_small() {
    let mut faults = Vec::new();
    for page in shelf().pages() {
        let html = Html::parse_document(&shelf().page(&page));
        for (what, size, most) in [
            ("scripts", loaded(&html, "script[src]", "src"), SCRIPTS),
            ("style sheets", loaded(&html, "link[rel~=stylesheet]", "href"), STYLES),
        ] {
            if size > most {
                faults.push(format!("{page}: {size} bytes of {what}, of at most {most}"));
            }
        }
    }
    assert_none(&faults);
}

#[test]
fn there_is_no_web_font() {
    let mut faults = Vec::new();
    let mut folders = vec![shelf().folder()];
    while let Some(folder) = folders.pop() {
        for file in std::fs::read_dir(folder).unwrap() {
            let path = file.unwrap().path();
            let name = path.to_string_lossy().into_owned();
            if path.is_dir() {
                folders.push(path);
            } else if [".woff", ".woff2", ".ttf", ".otf", ".eot"].iter().any(|end| name.ends_with(end)) {
                faults.push(name);
            } else if name.ends_with(".css") && std::fs::read_to_string(&path).unwrap().contains("@font-face")
            {
                faults.push(format!("{name}: @font-face"));
            }
        }
    }
    assert_none(&faults);
}
