//! What happens to files while a build is at work: nothing wrong is published, and nothing that is missing stays so.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use crate::common::Site;
use shelflife::build::{Builder, Built, Observer, Phase};
use shelflife::config::{Config, Environment, Overrides};

const CONFIG: &str = "title = \"Test\"\nurl = \"https://plugins.example\"";

/// Somebody who does something each time that a build has looked at the site and goes on.
struct Meddler<F> {
    does: F,
    times: AtomicUsize,
}

impl<F: Fn(usize) + Sync> Observer for Meddler<F> {
    fn progress(&self, phase: Phase, done: usize, _: usize) {
        if phase == Phase::Scan && done == 1 {
            (self.does)(self.times.fetch_add(1, Ordering::Relaxed));
        }
    }

    fn warn(&self, _: &str) {}
}

fn site() -> Site {
    let site = Site::new(CONFIG);
    for stem in ["one", "two"] {
        site.entry(stem, "");
    }
    site.write("assets/extra.css", "a { color: red }");
    site.write("assets/picture.png", "first");
    site.build(&[]).succeeded();
    site
}

/// Builds while somebody does this, and tells how often.
fn build(site: &Site, does: impl Fn(usize) + Sync) -> (miette::Result<Built>, usize) {
    let overrides = Overrides { offline: true, ..Overrides::default() };
    let config = Config::load(site.path(), &Environment::default(), &overrides).unwrap();
    let meddler = Meddler { does, times: AtomicUsize::new(0) };
    let built = Builder::default().build(&config, None, &[], &meddler);
    (built, meddler.times.into_inner())
}

fn styles(site: &Site) -> Vec<String> {
    let files = std::fs::read_dir(site.at("public/assets")).unwrap();
    let names = files.map(|file| file.unwrap().file_name().into_string().unwrap());
    names.filter(|name| name.starts_with("extra.")).collect()
}

#[test]
fn an_asset_that_changes_meanwhile_is_published_as_it_is_at_the_end() {
    let site = site();
    site.write("assets/extra.css", "a { color: green }");
    site.write("assets/picture.png", "second");
    let (built, times) = build(&site, |times| {
        if times == 0 {
            site.write("assets/extra.css", "a { color: blue }");
            site.write("assets/picture.png", "third");
        }
    });
    assert_eq!((built.unwrap().report.warnings, times), (Vec::new(), 2));
    let [style] = styles(&site).try_into().unwrap();
    assert_eq!(site.read(&format!("public/assets/{style}")), "a { color: blue }");
    assert_eq!(site.read("public/assets/picture.png"), "third");
    let run = site.build(&[]).succeeded();
    assert!(run.stderr.contains(" 0 outputs written") && !run.stderr.contains("warning"), "{}", run.stderr);
}

#[test]
fn an_asset_that_never_rests_is_named() {
    let site = site();
    site.write("assets/picture.png", "second");
    let (built, _) = build(&site, |times| site.write("assets/picture.png", format!("number {times}")));
    let error = built.err().unwrap().chain().map(ToString::to_string).collect::<Vec<_>>().join(": ");
    assert!(error.contains("assets/picture.png changed during the build"), "{error}");
    assert_eq!(site.read("public/assets/picture.png"), "first");
    site.build(&[]).succeeded();
    assert_eq!(site.read("public/assets/picture.png"), site.read("assets/picture.png"));
}

#[test]
fn outputs_that_go_or_change_during_a_long_build_come_back() {
    let site = site();
    let (index, robots) = (site.read("public/index.html"), site.read("public/robots.txt"));
    site.write("entries/two.md", format!("{}\nMore.\n", site.read("entries/two.md")));
    let (built, times) = build(&site, |_| {
        // Longer than what was seen before is relied on.
        std::thread::sleep(Duration::from_millis(1100));
        std::fs::remove_file(site.at("public/index.html")).unwrap();
        site.write("public/robots.txt", "changed by hand");
    });
    built.unwrap();
    assert_eq!(times, 1);
    assert!(site.read("public/index.html") == index && site.read("public/robots.txt") == robots);
}
