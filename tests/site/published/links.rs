//! Every address that a published site gives: where it is given, and whether it leads anywhere.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;
use url::Url;

use super::tree::{Page, Tag, Target, Tree};

/// Attributes that hold one address (HTML Standard, index of attributes).
const ADDRESSES: [&str; 8] = ["href", "src", "action", "formaction", "cite", "data", "poster", "xlink:href"];

/// Every address that an element gives, with the attribute.
pub fn addresses(tag: &Tag) -> Vec<(String, String)> {
    let name = tag.name.as_str();
    let mut found = Vec::new();
    for attribute in ADDRESSES {
        if let Some(address) = tag.attribute(attribute) {
            found.push((format!("{name} {attribute}"), address.to_owned()));
        }
    }
    for candidate in tag.attribute("srcset").into_iter().flat_map(|srcset| srcset.split(", ")) {
        let address = candidate.split_whitespace().next().unwrap_or_default();
        found.push((format!("{name} srcset"), address.to_owned()));
    }
    if name == "meta" {
        let content = tag.attribute("content").unwrap_or_default();
        let refresh = tag.attribute("http-equiv").is_some_and(|it| it.eq_ignore_ascii_case("refresh"));
        if refresh {
            let address = content.split_once("url=").map_or("", |(_, address)| address);
            found.push(("meta refresh".into(), address.to_owned()));
        }
        if let Some(property @ ("og:url" | "og:image")) = tag.attribute("property") {
            // Whoever reads these has no page to resolve them against.
            let address =
                if Url::parse(content).is_ok() { content.to_owned() } else { format!("(relative){content}") };
            found.push((format!("meta {property}"), address));
        }
    }
    found
}

/// What is wrong with an address on the page at `base`, if anything.
fn fault(tree: &Tree, base: &Url, address: &str) -> Option<String> {
    if address.starts_with("(relative)") {
        return Some("must be absolute".into());
    }
    if let Ok(parsed) = base.join(address)
        && !matches!(parsed.scheme(), "http" | "https" | "mailto")
    {
        return Some(format!("has the scheme {}", parsed.scheme()));
    }
    match tree.follow(base, address) {
        Target::Nowhere(why) => Some(why),
        _ => None,
    }
}

/// The addresses on HTML pages that lead nowhere.
pub fn faults_in_pages(tree: &Tree) -> Vec<String> {
    let mut faults = Vec::new();
    for (path, page) in &tree.pages {
        let base = tree.address(path);
        for (place, address) in page.tags.iter().flat_map(addresses) {
            if let Some(why) = fault(tree, &base, &address) {
                faults.push(format!("{}: {path}: {place}={address:?}: {why}", tree.name));
            }
        }
    }
    faults
}

/// The addresses in style sheets that lead nowhere, or off the site.
pub fn faults_in_styles(tree: &Tree) -> Vec<String> {
    let mut faults = Vec::new();
    for path in tree.files.keys().filter(|path| path.ends_with(".css")) {
        let (style, base) = (tree.text(path), tree.address(path));
        if style.contains("@import") {
            faults.push(format!("{}: {path}: imports another style sheet", tree.name));
        }
        for rest in style.split("url(").skip(1) {
            let address = rest.split(')').next().unwrap_or_default().trim_matches(['"', '\'', ' ']);
            if !address.starts_with("data:") && !matches!(tree.follow(&base, address), Target::File(_)) {
                faults.push(format!("{}: {path}: url({address})", tree.name));
            }
        }
    }
    faults
}

/// The addresses in JSON files that lead nowhere: every text that begins with the site's own address, and the
/// members that hold a path.
pub fn faults_in_json(tree: &Tree) -> Vec<String> {
    let mut faults = Vec::new();
    let mut check = |file: &str, address: &str| {
        if let Some(why) = fault(tree, &tree.home, address) {
            faults.push(format!("{}: {file}: {address:?}: {why}", tree.name));
        }
    };
    let parsed = |file: &str| -> Value { serde_json::from_str(tree.text(file)).unwrap() };
    for file in tree.files.keys().filter(|file| file.ends_with(".json")) {
        each_text(&parsed(file), &mut |text| {
            if text.starts_with(tree.home.as_str()) {
                check(file, text);
            }
        });
    }
    for document in parsed("search.json")["docs"].as_array().unwrap() {
        check("search.json", document["url"].as_str().unwrap());
    }
    for (from, to) in parsed("redirects.json").as_object().unwrap() {
        check("redirects.json", from.trim_start_matches('/'));
        check("redirects.json", to.as_str().unwrap());
    }
    for plugin in parsed("plugins.json").as_array().unwrap() {
        let page = plugin["page"].as_str().unwrap();
        assert!(page.starts_with(tree.home.as_str()), "{}: plugins.json: page {page:?}", tree.name);
        for member in ["image", "privacypolicy"] {
            let address = plugin[member].as_str().unwrap_or("https://example.org");
            let absolute = address.starts_with("https://") || address.starts_with("http://");
            assert!(absolute, "{}: plugins.json: {member} of {} is {address:?}", tree.name, plugin["id"]);
        }
    }
    faults
}

fn each_text(value: &Value, with: &mut impl FnMut(&str)) {
    match value {
        Value::String(text) => with(text),
        Value::Array(items) => items.iter().for_each(|item| each_text(item, with)),
        Value::Object(members) => members.values().for_each(|member| each_text(member, with)),
        _ => {}
    }
}

/// The pages that nobody can reach from the home page by links, apart from redirects and the page for errors.
pub fn unreachable_pages(tree: &Tree) -> Vec<String> {
    let links: BTreeMap<&str, BTreeSet<&str>> =
        tree.pages.iter().map(|(path, page)| (path.as_str(), linked(tree, path, page))).collect();
    let (mut reached, mut next) = (BTreeSet::from(["index.html"]), vec!["index.html"]);
    while let Some(page) = next.pop() {
        for target in links.get(page).into_iter().flatten() {
            if reached.insert(target) {
                next.push(target);
            }
        }
    }
    content_pages(tree).into_iter().filter(|path| !reached.contains(path.as_str())).collect()
}

fn linked<'t>(tree: &'t Tree, path: &str, page: &Page) -> BTreeSet<&'t str> {
    let base = tree.address(path);
    let anchors = page.tags.iter().filter(|tag| tag.name == "a");
    anchors
        .filter_map(|anchor| match tree.follow(&base, anchor.attribute("href")?) {
            Target::File(file) => Some(file),
            _ => None,
        })
        .collect()
}

/// The pages that are there to be read: neither redirects, nor the page for errors, nor those that say that another
/// page shows the same.
pub fn content_pages(tree: &Tree) -> BTreeSet<String> {
    let is_redirect = |tag: &Tag| tag.attribute("http-equiv") == Some("refresh");
    let is_elsewhere = |path: &str, tag: &Tag| {
        tag.attribute("rel") == Some("canonical")
            && tag.attribute("href") != Some(tree.address(path).as_str())
    };
    let is_content = |(path, page): &(&String, &Page)| {
        *path != "404.html" && !page.tags.iter().any(|tag| is_redirect(tag) || is_elsewhere(path, tag))
    };
    tree.pages.iter().filter(is_content).map(|(path, _)| path.clone()).collect()
}

/// What a page has that the site's own pages must not: code or styles within it, and anything that a browser
/// would run or lay out on another site's behalf.
pub fn foreign_parts(tree: &Tree) -> Vec<String> {
    let mut faults = Vec::new();
    for (path, page) in &tree.pages {
        let base = tree.address(path);
        for tag in &page.tags {
            let mut fault = |what: String| faults.push(format!("{}: {path}: {what}", tree.name));
            let own = |attribute: &str| {
                tag.attribute(attribute).is_some_and(|it| matches!(tree.follow(&base, it), Target::File(_)))
            };
            match tag.name.as_str() {
                "iframe" | "frame" | "object" | "embed" | "applet" | "base" | "style" | "portal" => {
                    fault(format!("<{}>", tag.name));
                }
                // What is not a script to browsers does not run.
                "script" if tag.attribute("type") == Some("application/ld+json") => {}
                "script" if !own("src") => fault("a script that is not a file of the site".into()),
                "link" => {
                    let relations = tag.attribute("rel").unwrap_or_default();
                    let loads =
                        relations.split_ascii_whitespace().any(|it| !matches!(it, "canonical" | "alternate"));
                    if loads && !own("href") {
                        fault(format!("<link rel={relations:?}> to another site"));
                    }
                }
                "form" if !own("action") => fault("a form that is sent to another site".into()),
                _ => {}
            }
            for (attribute, content) in &tag.attributes {
                if attribute == "style" || attribute.starts_with("on") || attribute == "srcdoc" {
                    fault(format!("<{} {attribute}={content:?}>", tag.name));
                }
            }
        }
    }
    faults
}
