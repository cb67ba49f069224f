//! Files that are saved and undone while a build reads them: what the build has read in between stays in no output.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use shelflife::build::{Observer, Phase};

use super::warm_site::{BUILDERS, By, Lab, settle};
use crate::common::Site;

/// Somebody who saves a file once the build has looked at it, and undoes that once the build has read it.
struct Meddler<'a> {
    site: Arc<Site>,
    path: &'a str,
    between: &'a str,
    before: String,
    scans: AtomicUsize,
    is_undone: AtomicBool,
}

impl<'a> Meddler<'a> {
    fn new(site: &Arc<Site>, path: &'a str, between: &'a str) -> Self {
        let before = site.read(path);
        let (scans, is_undone) = Default::default();
        Self { site: Arc::clone(site), path, between, before, scans, is_undone }
    }
}

impl Observer for Meddler<'_> {
    fn progress(&self, phase: Phase, done: usize, _: usize) {
        let is_scanned = phase == Phase::Scan && done == 1;
        if is_scanned && self.scans.fetch_add(1, Ordering::SeqCst) == 0 {
            self.site.write(self.path, self.between);
        } else if phase != Phase::Scan && !self.is_undone.swap(true, Ordering::SeqCst) {
            self.site.write(self.path, &self.before);
        }
    }

    fn warn(&self, _: &str) {}
}

const ENTRY: &str = "---\nlayout: plugin\nid: one\ntitle: In between\ndescription: In between\nauthor: Ada of one\n\
    license: MIT\ndate: 2020-02-03\nhomepage: https://example.org/one\nsource: https://example.org/one\n\
    archive: https://example.org/one.zip\n---\n\nIn between.\n";

/// A file of each kind, what it holds, and what it holds in between.
const FILES: [(&str, &str, &str); 11] = [
    ("templates/plugin.html", "{{ plugin.title }}", "{{ plugin.title }} in between"),
    ("templates/home.html", "{% include 'part.html' %}", "in between"),
    ("templates/part.html", "a part", "in between"),
    (
        "data/notices.yaml",
        "- plugin: one\n  date: 2020-01-01 10:00:00Z\n  text: A notice\n",
        "- plugin: one\n  date: 2020-01-01 10:00:00Z\n  text: In between\n",
    ),
    ("data/blocklist.yaml", "- plugin: one\n  reason: A reason\n", "- plugin: one\n  reason: In between\n"),
    ("data/update_check_overlays.yaml", "one:\n  user: u\n  repo: r\n", "one:\n  user: between\n  repo: r\n"),
    (
        "pages/about.md",
        "---\ntitle: About\nnav: true\n---\n\nText.\n",
        "---\ntitle: In between\nnav: true\n---\n\nIn between.\n",
    ),
    (
        "topics/cameras.md",
        "---\ntitle: Cameras\ntags: [camera]\n---\n\nText.\n",
        "---\ntitle: In between\n---\n\nIn between.\n",
    ),
    ("assets/picture.png", "a picture", "in between"),
    ("assets/extra.css", "/* a style */", "/* in between */"),
    ("root/CNAME", "plugins.example\n", "between.example\n"),
];

fn lab(by: By) -> Lab {
    let lab = Lab::new(by);
    for stem in ["one", "two"] {
        lab.site.entry(stem, "tags: [camera]\n");
    }
    for (path, text, _) in FILES {
        lab.site.write(path, text);
    }
    lab
}

/// Lets a file be saved and undone during a build that reads all files anew, and tells which outputs are not those of
/// a first build after the next build, and after the one that follows.
fn stale(by: By, path: &str, between: &str) -> Vec<String> {
    let mut lab = lab(by);
    // Files that are known by their size and times are read only when somebody asks for their content.
    settle();
    lab.build();
    lab.put("shelflife.toml", "title = \"Another\"\nurl = \"https://plugins.example\"");
    let meddler = Meddler::new(&lab.site, path, between);
    lab.try_build_seen_by(&meddler).unwrap();
    assert!(meddler.is_undone.into_inner(), "{path}");
    lab.tell(path);
    let mut wrong = Vec::new();
    for when in ["next", "after that"] {
        lab.build();
        let stale = lab.stale();
        if !stale.is_empty() {
            wrong.push(format!("{by:?}, {path}, {when}: {}", stale.join(", ")));
        }
    }
    wrong
}

#[test]
fn what_a_file_held_in_between_stays_in_no_output() {
    let entry = ("entries/one.md", ENTRY);
    let all = FILES.map(|(path, _, between)| (path, between)).into_iter().chain([entry]);
    let wrong: Vec<String> =
        all.flat_map(|(path, between)| BUILDERS.map(|by| stale(by, path, between))).flatten().collect();
    assert!(wrong.is_empty(), "{} are wrong:\n{}", wrong.len(), wrong.join("\n"));
}

/// A file that comes and goes again while a build looks at the others leaves nothing.
#[test]
fn what_an_entry_held_in_between_stays_in_no_output_though_it_alone_is_read() {
    for by in BUILDERS {
        let mut lab = lab(by);
        settle();
        lab.build();
        // Its notices are others, so it is read again, though its file is the same.
        lab.put("data/notices.yaml", "- plugin: one\n  date: 2020-01-01 10:00:00Z\n  text: Another notice\n");
        let meddler = Meddler::new(&lab.site, "entries/one.md", ENTRY);
        lab.try_build_seen_by(&meddler).unwrap();
        lab.tell("entries/one.md");
        for when in ["next", "after that"] {
            lab.build();
            assert_eq!(lab.stale(), [""; 0], "{by:?}, {when}");
        }
    }
}
