//! Histories: every refresh that brings something new is observed, shown, and never forgotten.

use crate::common::Site;
use jiff::{SignedDuration, Timestamp};
use scraper::Html;
use shelflife::cache::Cache;
use shelflife::history::{History, Measure};
use shelflife_testkit::replay::{Fault, FaultAction, Repository, Server, Usage, Window, World};

const CONFIG: &str = "title = \"Test\"\nurl = \"https://plugins.example\"\nbase_path = \"/sub\"";
const CACHE: &str = ".shelflife/cache.sqlite";
const STATE: &str = ".shelflife/state.sqlite";

/// A moment so many hours after the first one.
fn at(hours: i64) -> String {
    let start: Timestamp = "2020-08-01T06:00:00Z".parse().unwrap();
    (start + SignedDuration::from_hours(hours)).to_string()
}

struct Lab {
    site: Site,
    server: Server,
}

impl Lab {
    fn new() -> Self {
        let mut world = World::new(at(0).parse().unwrap());
        world.add(Repository::new("owner/one").with_stars(5));
        let server = Server::start(world).unwrap();
        let site = Site::asking(&server, CONFIG, "1h");
        site.entry("one", "compatibility: {python: '>=3'}\n");
        let lab = Self { site, server };
        lab.used(10);
        lab
    }

    fn used(&self, instances: u64) {
        self.server.change(|world| {
            world.set_usage(Window::Month, "one", Usage { instances, ..Usage::default() });
        });
    }

    fn build(&self, hours: i64) -> String {
        self.site.build(&["--now", &at(hours)]).succeeded().stderr
    }

    /// Days of August and numbers.
    fn observed(&self, measure: Measure) -> Vec<(i8, u64)> {
        let history = Cache::read(&self.site.at(CACHE), |cache| cache.history("one")).unwrap();
        let history = history.map(|packed| History::unpack(&packed).unwrap()).unwrap_or_default();
        history.of(measure).iter().map(|one| (one.day.date().day(), one.value)).collect()
    }

    fn page(&self) -> String {
        self.site.read("public/plugins/one/index.html")
    }
}

#[test]
fn what_is_new_is_observed_once_a_day() {
    let lab = Lab::new();
    lab.build(0);
    assert_eq!(lab.observed(Measure::InstancesMonth), [(1, 10)]);
    assert_eq!(lab.observed(Measure::Stars), [(1, 5)]);
    assert_eq!(lab.observed(Measure::InstallsMonth), [], "it begins with the first install");
    lab.used(11);
    lab.build(2);
    lab.used(12);
    lab.build(4);
    assert_eq!(lab.observed(Measure::InstancesMonth), [(1, 12)], "a day has its last number");
    assert!(!lab.page().contains("<figure class=\"history\">"), "one number is no history");
    lab.build(24);
    assert_eq!(lab.observed(Measure::InstancesMonth), [(1, 12)], "nothing is new");
    lab.used(13);
    lab.build(50);
    assert_eq!(lab.observed(Measure::InstancesMonth), [(1, 12), (3, 13)]);
    assert_eq!(lab.observed(Measure::Stars), [(1, 5)]);
    let page = lab.page();
    let figure = page.split_once("<figure class=\"history\">").unwrap().1.split_once("<details>").unwrap().0;
    let scale = Html::parse_fragment(figure);
    let scale: Vec<&str> = scale.root_element().text().flat_map(str::split_whitespace).collect();
    assert_eq!(scale.join(" "), "Between 12 and 13 instances a month 1 Aug 2020 3 Aug 2020");
    assert!(page.contains("<time datetime=\"2020-08-03\">3 Aug 2020</time></th><td>13</td>"), "{page}");
    let history = || lab.site.read("public/api/v1/plugins/one/history.json");
    let before = (lab.page(), history());
    lab.build(52);
    assert!((lab.page(), history()) == before, "nothing is new");
}

#[test]
fn who_fails_is_not_observed() {
    let lab = Lab::new();
    lab.build(0);
    lab.used(20);
    let fault: Fault = std::sync::Arc::new(|_| Some(FaultAction::status(404, "no")));
    lab.server.set_fault(Some(fault));
    lab.build(24);
    assert_eq!(lab.observed(Measure::InstancesMonth), [(1, 10)]);
    lab.server.set_fault(None);
    lab.build(48);
    assert_eq!(lab.observed(Measure::InstancesMonth), [(1, 10), (3, 20)]);
}

#[test]
fn what_changed_while_an_entry_was_away_is_observed_when_it_comes_back() {
    let lab = Lab::new();
    lab.site.entry("two", "compatibility: {python: '>=3'}\n");
    lab.build(0);
    std::fs::rename(lab.site.at("entries/one.md"), lab.site.at("one.md")).unwrap();
    lab.used(20);
    lab.build(24);
    assert_eq!(lab.observed(Measure::InstancesMonth), [(1, 10)]);
    std::fs::rename(lab.site.at("one.md"), lab.site.at("entries/one.md")).unwrap();
    // The export is what it was the day before.
    lab.build(48);
    assert_eq!(lab.observed(Measure::InstancesMonth), [(1, 10), (3, 20)]);
}

#[test]
fn an_entry_that_comes_later_is_observed_when_sources_are_asked_next() {
    let lab = Lab::new();
    lab.site.entry("two", "compatibility: {python: '>=3'}\n");
    lab.build(0);
    lab.server.change(|world| {
        world.set_usage(Window::Week, "three", Usage { instances: 3, ..Usage::default() });
    });
    lab.site.entry("three", "compatibility: {python: '>=3'}\n");
    lab.build(2);
    let of = |id: &str| Cache::read(&lab.site.at(CACHE), |cache| cache.history(id)).unwrap();
    assert!(of("three").is_some());
    assert!(of("two").is_none(), "nobody uses it");
}

#[test]
fn the_build_that_begins_a_history_says_so_once() {
    let lab = Lab::new();
    const NOTE: &str = "`shelflife cache seed https://plugins.example/sub`";
    assert!(lab.build(0).contains(NOTE));
    lab.used(11);
    assert!(!lab.build(24).contains(NOTE));
    std::fs::remove_dir_all(lab.site.at(".shelflife")).unwrap();
    assert!(lab.build(48).contains(NOTE));
}

#[test]
fn many_histories_are_written_at_once() {
    let lab = Lab::new();
    for number in 0..150 {
        lab.site.entry(&format!("plugin{number}"), "compatibility: {python: '>=3'}\n");
    }
    for _ in 0..3 {
        let _ = std::fs::remove_dir_all(lab.site.at(".shelflife"));
        lab.build(0);
        let before = lab.site.tree("public/api");
        std::fs::remove_dir_all(lab.site.at("public/api")).unwrap();
        lab.build(0);
        assert!(lab.site.tree("public/api") == before);
    }
}

#[test]
fn nothing_forgets_a_history() {
    let lab = Lab::new();
    lab.build(0);
    lab.used(11);
    lab.build(24);
    let page = lab.page();
    let cache = |arguments: &[&str]| {
        let mut command = lab.site.program(&["cache"]);
        let output = command.args(arguments).arg("--site").arg(lab.site.path()).output().unwrap();
        assert!(output.status.success());
        String::from_utf8(output.stdout).unwrap()
    };
    cache(&["gc", "--keep", "1", "--max-size", "1B"]);
    cache(&["clear"]);
    assert!(cache(&["stats"]).lines().any(|line| line.starts_with("histories") && line.contains(" 1 ")));
    lab.build(24);
    assert!(lab.page() == page);
    std::fs::rename(lab.site.at("entries/one.md"), lab.site.at("one.md")).unwrap();
    (0..12).for_each(|hours| {
        lab.site.entry("other", &format!("tags: [t{hours}]\n"));
        lab.build(26 + hours * 2);
    });
    cache(&["gc", "--keep", "1", "--max-size", "1B"]);
    assert_eq!(lab.observed(Measure::InstancesMonth), [(1, 10), (2, 11)]);
    std::fs::remove_file(lab.site.at("entries/other.md")).unwrap();
    std::fs::rename(lab.site.at("one.md"), lab.site.at("entries/one.md")).unwrap();
    lab.build(50);
    assert!(lab.page() == page);
}

#[test]
fn a_damaged_state_gives_its_histories_to_the_next_and_a_damaged_cache_has_none_to_lose() {
    let lab = Lab::new();
    lab.build(0);
    lab.used(11);
    lab.build(24);
    let page = lab.page();
    for (file, damage, expected) in [
        (STATE, "DROP TABLE good", "and the history of 1 plugin"),
        (CACHE, "DROP TABLE memo", "; it was removed and will be rebuilt"),
    ] {
        rusqlite::Connection::open(lab.site.at(file)).unwrap().execute_batch(damage).unwrap();
        lab.site.entry("two", &format!("compatibility: {{python: '>=3'}}\ntags: [{}]\n", expected.len()));
        let told = lab.site.build(&["--now", &at(24), "--offline"]).succeeded().stderr;
        assert!(told.contains(expected), "{told}");
        assert!(lab.page() == page);
    }
}
