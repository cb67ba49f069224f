//! Descriptions say what Jekyll, with which registries were built for years, makes of them: the same words, headings
//! with the same ids, the same lists and tables.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::process::Command;

use crate::common::{Site, entry, skip};
use scraper::{ElementRef, Html, Selector};
use shelflife::config::Limits;
use shelflife::entry::parse;
use shelflife::entry::shortcode::{About, Shortcodes, expand};

/// Pictures are shown as Jekyll shows them.
const CONFIG: &str = "title = \"Plugins\"\nurl = \"https://plugins.example\"\n\
    [paths]\nentries = \"_plugins\"\n[markdown]\nremote_pictures = \"load\"\n";

/// Pages that differ, each with the words here and there, and why.
const EXCEPTIONS: [Exception; 3] = [
    Exception {
        stem: "own-addresses",
        here: "https://example.org/a--b",
        there: "https://example.org/a–b",
        why: "an address without a link is one here, and is shown as it is",
    },
    Exception {
        stem: "own-inline-blocks",
        here: "a block in text",
        there: "a <div>block</div> in text",
        why: "nobody means to show a tag",
    },
    Exception {
        stem: "own-unclosed",
        here: "after",
        there: "*after*",
        why: "an element without an end takes the rest of the text with kramdown, here its paragraph",
    },
];

struct Exception {
    stem: &'static str,
    here: &'static str,
    there: &'static str,
    why: &'static str,
}

/// Elements that are counted, beside headings.
const COUNTED: [&str; 14] =
    ["ol", "ul", "li", "dl", "dt", "dd", "table", "td", "pre", "blockquote", "img", "em", "strong", "hr"];
/// Elements within a line; all others stand apart.
const LINES: [&str; 22] = [
    "a", "abbr", "b", "cite", "code", "del", "em", "font", "i", "img", "ins", "kbd", "mark", "q", "s",
    "samp", "small", "span", "strong", "sub", "sup", "u",
];

/// What a description looks like to readers.
#[derive(Debug, Default, PartialEq, Eq)]
struct Seen {
    words: Vec<String>,
    /// The ids of its headings.
    headings: Vec<String>,
    /// How many there are of each kind of element.
    elements: BTreeMap<String, usize>,
}

impl Seen {
    fn of(body: ElementRef<'_>) -> Self {
        let (mut seen, mut text) = (Self::default(), String::new());
        seen.look(body, &mut text);
        seen.words = text.split_whitespace().map(str::to_owned).collect();
        seen
    }

    fn look(&mut self, element: ElementRef<'_>, text: &mut String) {
        let name = element.value().name();
        let apart = if LINES.contains(&name) { "" } else { " " };
        let is_heading = name.len() == 2 && name.starts_with('h') && name != "hr";
        if is_heading {
            self.headings.extend(element.attr("id").map(str::to_owned));
        }
        if is_heading || COUNTED.contains(&name) {
            *self.elements.entry(if is_heading { "heading" } else { name }.to_owned()).or_default() += 1;
        }
        text.push_str(apart);
        for child in element.children() {
            if let Some(part) = child.value().as_text() {
                text.push_str(part);
            } else if let Some(child) = ElementRef::wrap(child) {
                self.look(child, text);
            }
        }
        text.push_str(apart);
    }

    fn in_page(html: &str, selector: &str) -> Self {
        let page = Html::parse_document(html);
        let body = page.select(&Selector::parse(selector).unwrap()).next();
        body.map(Self::of).unwrap_or_default()
    }
}

/// What Jekyll makes of these Markdown texts, by name, in one run.
fn jekyll(bodies: &BTreeMap<String, String>) -> BTreeMap<String, Seen> {
    let folder = tempfile::tempdir().unwrap();
    let at = |path: &str| folder.path().join(path);
    std::fs::create_dir_all(at("_texts")).unwrap();
    std::fs::create_dir_all(at("_layouts")).unwrap();
    let config = "markdown: kramdown\ncollections:\n  texts:\n    output: true\n    permalink: /:path.html\n";
    std::fs::write(at("_config.yml"), config).unwrap();
    std::fs::write(at("_layouts/bare.html"), "{{ content }}").unwrap();
    for (name, body) in bodies {
        // Shortcodes are expanded already.
        let text = format!("---\nlayout: bare\nrender_with_liquid: false\n---\n{body}");
        std::fs::write(at(&format!("_texts/{name}.md")), text).unwrap();
    }
    let run = Command::new("jekyll")
        .args(["build", "--quiet", "--disable-disk-cache"])
        .current_dir(folder.path())
        .env("LANG", "C.UTF-8")
        .output()
        .unwrap();
    assert!(run.status.success(), "{}", String::from_utf8_lossy(&run.stderr));
    let read = |name: &String| std::fs::read_to_string(at(&format!("_site/{name}.html"))).unwrap();
    bodies.keys().map(|name| (name.clone(), Seen::in_page(&read(name), "body"))).collect()
}

fn has_jekyll(test: &str) -> bool {
    let found = Command::new("jekyll").arg("--version").output().is_ok_and(|output| output.status.success());
    if !found {
        skip(test, "no jekyll, which Debian has as a package");
    }
    found
}

/// The bodies of the site's entries, with shortcodes expanded, by stem.
fn bodies(site: &Site) -> BTreeMap<String, String> {
    let body = |path: &Path| {
        let name = format!("_plugins/{}", path.file_name().unwrap().to_string_lossy());
        let parsed = parse(&name, &std::fs::read(path).unwrap(), &Limits::default()).unwrap();
        let entry = &parsed.entry;
        let with = Shortcodes {
            site_url: "https://plugins.example",
            base_path: "",
            site_title: "Plugins",
            about: About::Plugin(entry),
            page_path: &format!("/plugins/{}/", entry.stem),
            picture: &|_| None,
        };
        (entry.stem.clone(), expand(&entry.body, &with))
    };
    std::fs::read_dir(site.at("_plugins")).unwrap().map(|file| body(&file.unwrap().path())).collect()
}

/// Fails with everything that pages of the site and Jekyll's show differently.
fn assert_alike(site: &Site) -> usize {
    site.build(&["--offline"]).succeeded();
    let bodies = bodies(site);
    let mut differences = Vec::new();
    let mut excepted = BTreeSet::new();
    for (stem, there) in jekyll(&bodies) {
        let mut here =
            Seen::in_page(&site.read(&format!("public/plugins/{stem}/index.html")), "section.prose");
        if let Some(exception) = EXCEPTIONS.iter().find(|exception| exception.stem == stem) {
            let (has, had) = (here.words.join(" "), there.words.join(" "));
            let holds = has.contains(exception.here) && had.contains(exception.there);
            let alike = has.replace(exception.here, "") == had.replace(exception.there, "");
            if !(holds && alike) {
                differences.push(format!("{stem}, where {}:\n  {has}\n  {had}", exception.why));
            }
            excepted.insert(exception.stem);
            continue;
        }
        // A heading in HTML had no id.
        here.headings.retain(|id| there.headings.contains(id));
        if here != there {
            let at = here.words.iter().zip(&there.words).take_while(|(a, b)| a == b).count();
            let around = |seen: &Seen| {
                seen.words[at.saturating_sub(3).min(seen.words.len())..]
                    .iter()
                    .take(12)
                    .cloned()
                    .collect::<Vec<_>>()
            };
            differences.push(format!(
                "{stem}:\n  {:?} {:?} {:?}\n  {:?} {:?} {:?}",
                around(&here).join(" "),
                here.headings,
                here.elements,
                around(&there).join(" "),
                there.headings,
                there.elements
            ));
        }
    }
    assert!(differences.is_empty(), "here, and with Jekyll:\n{}", differences.join("\n"));
    excepted.len()
}

#[test]
fn texts_of_every_kind_read_as_with_jekyll() {
    if !has_jekyll("texts_of_every_kind_read_as_with_jekyll") {
        return;
    }
    let site = Site::new(CONFIG);
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/site/jekyll");
    for (path, text) in Site::files(&folder) {
        let stem = format!("own-{}", path.file_stem().unwrap().to_string_lossy());
        let text = String::from_utf8(text).unwrap();
        site.write(&format!("_plugins/{stem}.md"), entry(&stem, "").replace("Text.\n", &text));
    }
    assert_eq!(assert_alike(&site), EXCEPTIONS.len());
}

#[test]
fn the_real_registry_reads_as_with_jekyll() {
    const NAME: &str = "the_real_registry_reads_as_with_jekyll";
    let Some(shared) = shelflife_testkit::replay::shared() else { return skip(NAME, "no ../shared") };
    if !has_jekyll(NAME) {
        return;
    }
    let site = Site::new(CONFIG);
    for folder in ["registry/_plugins", "cases/kramdown/_plugins"] {
        for (path, bytes) in Site::files(&shared.join(folder)) {
            site.write(&format!("_plugins/{}", path.display()), bytes);
        }
    }
    assert_eq!(assert_alike(&site), 0);
    assert!(bodies(&site).len() > 100);
}
