//! The sample registry with facts and with an entry in every state, published once for all tests of a binary, and a
//! browser that visits it.

use std::collections::BTreeMap;
use std::ops::Deref;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use serde_json::Value;
use shelflife_testkit::browser::{Browser, Look};
use shelflife_testkit::sample::Sample;

use super::skip;

/// How many days of history the sample has.
const DAYS: u32 = 10;

/// An entry in every state that a page has to show, apart from what only a source says.
const EVERY_STATE: &str = r##"---
layout: plugin
id: every_state
title: 'Every "state" & a title that is so long that no screen has room for it'
description: Is abandoned, disabled and up for adoption, and says everything else that an entry can say with 1 < 2.
authors: [Content, "Ünal Ö. <unal@example.org>", Averylongnamethatnobodyhasandwhichcannotbebroken]
license: AGPL-3.0-or-later
date: 2020-03-29
homepage: https://example.org/a?b=1&c="2"
source: https://github.com/somebody/every_state
archive: https://example.org/an/address/that/is/much/too/long/for/a/phone/every'state.zip?x=1&y=2
no_build_isolation: true
tags: [content, C++, 日本, a tag of many words, averylongtagthatnobodyusesandwhichcannotbebroken]
screenshots:
- url: /assets/img/shots/first.svg
  alt: A graph
  caption: <em>Caption</em> & more
- url: /assets/img/shots/second.svg
featuredimage: /assets/img/shots/first.svg
compatibility:
  octoprint: [1.3.9+, "==1.2.6", ">=1.3.5,<1.3.8", 1.4.0]
  os: [posix, windows]
  python: ">=3.7,<4"
disabled: "It is *off* -- see [the reason](https://example.org/why)"
abandoned: Nobody is there any more.
up_for_adoption: https://example.org/adopt?a=1&b=2
note: Mind the <gap> & the "quotes"
redirect_from: /plugins/formerly/
attributes: [free-tier, cloud]
privacypolicy: https://example.org/privacy
---

Text with `code` and [a link](https://example.org/).

![Tests](https://img.shields.io/x.svg) [![Donate](https://example.org/x.gif)](https://example.org/)
![A picture](https://example.org/x.png) ![](https://example.org/averylongnamethatnobodyhasandwhichcannotbebroken.png)

# A heading

    a line of code that goes on and on and on and on and on and on and on and on and on and on and on and on and on

| a | column | and | another | and | another | and | another |
|:--|--:|---|---|---|---|---|---|
| 1 | `2` | averylongwordthatcannotbebroken | 4 | 5 | 6 | 7 | averylongwordthatcannotbebroken |
"##;

/// An entry that costs money, and of whose source nobody knows anything.
const SOLD: &str = "---\nlayout: plugin\nid: sold\ntitle: Sold\ndescription: Costs money.\nauthor: A company\n\
                    license: Proprietary\ndate: 2026-10-01\nhomepage: https://example.org/sold\n\
                    source: https://example.org/sold\narchive: https://example.org/sold.zip\nattributes: [commercial]\n\
                    ---\n";

/// A picture of a known size.
const PICTURE: &str = "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"800\" height=\"400\">\
                       <rect width=\"800\" height=\"400\" fill=\"#7ac29a\"/></svg>";

/// The published sample.
pub struct Shelf {
    sample: Sample,
}

/// The sample, published when it is first asked for.
pub fn shelf() -> &'static Shelf {
    static SHELF: OnceLock<Shelf> = OnceLock::new();
    SHELF.get_or_init(|| {
        // Of a binary, since the system has no way to remove a folder at its end.
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(env!("CARGO_CRATE_NAME"));
        let _ = std::fs::remove_dir_all(&folder);
        Shelf::publish(&folder, "")
    })
}

impl Shelf {
    /// Publishes the sample below a base path.
    pub fn publish(folder: &Path, base_path: &str) -> Self {
        std::fs::create_dir_all(folder).unwrap();
        let sample = Sample::write(folder, base_path).unwrap();
        std::fs::write(folder.join("entries/every_state.md"), EVERY_STATE).unwrap();
        std::fs::write(folder.join("entries/sold.md"), SOLD).unwrap();
        for name in ["first", "second"] {
            std::fs::write(folder.join(format!("assets/img/shots/{name}.svg")), PICTURE).unwrap();
        }
        sample.server().change(|world| {
            world.repository_mut("OctoPrint/OctoPrint-Growl").unwrap().archived = true;
        });
        sample.build(Path::new(env!("CARGO_BIN_EXE_shelflife")), DAYS).unwrap();
        Self { sample }
    }

    /// The address of a path of the site.
    pub fn url(&self, path: &str) -> String {
        self.sample.host().url(path)
    }

    /// The address of the host, without a slash at the end.
    pub fn origin(&self) -> String {
        self.sample.host().origin()
    }

    /// The folder that is served.
    pub fn folder(&self) -> PathBuf {
        self.sample.folder().join("public")
    }

    /// A file of the site, by its path.
    #[track_caller]
    pub fn file(&self, path: &str) -> Vec<u8> {
        let place = self.folder().join(path.trim_start_matches('/'));
        std::fs::read(&place).unwrap_or_else(|why| panic!("{}: {why}", place.display()))
    }

    /// The HTML of the page at an address within the site.
    #[track_caller]
    pub fn page(&self, path: &str) -> String {
        let file = if path.ends_with('/') { format!("{path}index.html") } else { path.to_owned() };
        String::from_utf8(self.file(&file)).unwrap()
    }

    /// The address of every page that is there to be read, which leaves out redirects.
    pub fn pages(&self) -> Vec<String> {
        let mut pages = Vec::new();
        gather(&self.folder(), "/", &mut pages);
        pages.retain(|page| !self.page(page).contains("http-equiv=\"refresh\""));
        pages.sort();
        pages
    }

    /// A few pages of every kind. Of many that one template makes: the longest, which has most of what there can
    /// be, and the shortest, which lacks it; of plugins also the one in every state.
    pub fn kinds(&self) -> Vec<String> {
        let mut kinds: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for page in self.pages() {
            let parts: Vec<&str> = page.trim_matches('/').split('/').collect();
            let kind = match parts.as_slice() {
                [folder @ ("plugins" | "by_tag" | "by_author"), _] => format!("{folder}/*"),
                _ => page.clone(),
            };
            kinds.entry(kind).or_default().push(page);
        }
        let mut chosen = vec!["/plugins/every_state/".to_owned()];
        for mut pages in kinds.into_values() {
            pages.sort_by_key(|page| self.page(page).len());
            chosen.push(pages.remove(0));
            chosen.extend(pages.pop());
        }
        chosen.sort();
        chosen.dedup();
        chosen
    }
}

fn gather(folder: &Path, below: &str, pages: &mut Vec<String>) {
    for item in std::fs::read_dir(folder).unwrap() {
        let item = item.unwrap();
        let name = item.file_name().into_string().unwrap();
        if item.file_type().unwrap().is_dir() {
            gather(&item.path(), &format!("{below}{name}/"), pages);
        } else if name == "index.html" {
            pages.push(below.to_owned());
        } else if name.ends_with(".html") {
            pages.push(format!("{below}{name}"));
        }
    }
}

/// Somebody who looks at the sample in a browser.
pub struct Visitor {
    browser: Browser,
    shelf: &'static Shelf,
}

impl Visitor {
    /// Opens a browser; none where there is no browser, after saying so.
    pub fn come(test: &str, look: Look) -> Option<Self> {
        match Browser::open(look) {
            Ok(browser) => Some(Self { browser, shelf: shelf() }),
            Err(lacking) => {
                skip(test, &lacking);
                None
            }
        }
    }

    /// Goes to a page of the site.
    #[track_caller]
    pub fn visit(&self, path: &str) {
        self.browser.go(&self.shelf.url(path));
    }

    /// Where it is, from the site's root, with what it asks for.
    #[track_caller]
    pub fn place(&self) -> String {
        self.browser.url().trim_start_matches(&self.shelf.origin()).to_owned()
    }

    /// How much has moved without being asked to since the page was opened, as browsers count it (0 for nothing),
    /// and what.
    #[track_caller]
    pub fn layout_shift(&self) -> (f64, String) {
        let shifts = self.browser.run(
            "return new Promise(done => {
               let sum = 0, moved = [];
               const add = shifts => shifts.filter(it => !it.hadRecentInput).forEach(shift => {
                 sum += shift.value;
                 moved.push(...shift.sources.map(it => it.node?.outerHTML?.slice(0, 80) ?? it.node?.textContent));
               });
               const observer = new PerformanceObserver(list => add(list.getEntries()));
               observer.observe({type: 'layout-shift', buffered: true});
               requestAnimationFrame(() => requestAnimationFrame(() => {
                 add(observer.takeRecords());
                 done({sum, moved});
               }));
             })",
        );
        (shifts["sum"].as_f64().unwrap(), shifts["moved"].to_string())
    }

    /// Makes sure that nothing was wrong since the last call: no page had anything to say on the console, where a
    /// browser also tells of what the policy forbids and of requests that fail, and nothing was asked of others.
    #[track_caller]
    pub fn assert_well(&self) {
        let console = self.browser.console();
        assert!(console.is_empty(), "{console:#?}");
        // A browser's own first page asks for its parts, which come from within.
        let within = ["data:", "blob:", "about:", "chrome:", &self.shelf.origin()];
        let mut foreign = self.browser.requests();
        foreign.retain(|url| !within.iter().any(|scheme| url.starts_with(scheme)));
        assert!(foreign.is_empty(), "{foreign:#?}");
    }

    /// What a script in the page says, which must be true or false.
    #[track_caller]
    pub fn says(&self, script: &str) -> bool {
        match self.run(script) {
            Value::Bool(answer) => answer,
            other => panic!("{script}: {other}"),
        }
    }
}

impl Deref for Visitor {
    type Target = Browser;

    fn deref(&self) -> &Browser {
        &self.browser
    }
}
