//! The ages of facts: a number that is stale shows its date, on whatever way a build comes to it, and
//! `/status/` says when sources last answered.

use std::collections::BTreeSet;
use std::sync::Arc;

use crate::common::Site;
use crate::common::builder::{Silent, learn};
use serde_json::{Value, json};
use shelflife::build::{Afterwards, Builder};
use shelflife::config::Overrides;
use shelflife_testkit::replay::{FaultAction, Kind, Repository, Server, Usage, Window, World};

const CONFIG: &str = "title = \"Test\"\nurl = \"https://plugins.example\"";

/// A site with two plugins, of which the second has no repository, and its world.
struct Lab {
    site: Site,
    server: Server,
}

/// Who fails.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Failing {
    Nobody,
    Github,
    Exports,
}

impl Lab {
    /// Answers of both sources are fresh for an hour, or for so long.
    fn new(ttl: &str) -> Self {
        let mut world = World::new("2020-08-01T00:00:00Z".parse().unwrap());
        world.add(Repository::new("owner/one").with_stars(9));
        for stem in ["one", "two"] {
            world.set_usage(Window::Month, stem, Usage { instances: 5, ..Usage::default() });
        }
        let server = Server::start(world).unwrap();
        let site = Site::asking(&server, CONFIG, ttl);
        site.entry("one", "compatibility: {python: '>=3'}\n");
        let two = crate::common::entry("two", "compatibility: {python: '>=3'}\n");
        site.write("entries/two.md", two.replace("github.com/owner", "git.example/owner"));
        Self { site, server }
    }

    fn fail(&self, who: Failing) {
        let fails = move |kind: Kind| match who {
            Failing::Nobody => false,
            Failing::Github => !matches!(kind, Kind::Export(_)),
            Failing::Exports => matches!(kind, Kind::Export(_)),
        };
        self.server
            .set_fault(Some(Arc::new(move |it| fails(it.kind).then(|| FaultAction::status(404, "no")))));
    }

    /// Builds on a day of August 2020 at a time, and returns the report.
    #[track_caller]
    fn build(&self, at: &str, arguments: &[&str]) -> Value {
        let now = now(at);
        self.site.report(&[&["--now", &now], arguments].concat())
    }

    /// The days that the page of a plugin tells as the ages of its usage and of what GitHub says.
    fn ages(&self, stem: &str) -> (Option<String>, Option<String>) {
        let page = self.site.read(&format!("public/plugins/{stem}/index.html"));
        let day = |end: &str| {
            let end = page.find(end)?;
            let begin = page[..end].rfind("datetime=\"")? + "datetime=\"".len();
            Some(page[begin..begin + "2020-08-01".len()].to_owned())
        };
        (day(". Newer numbers are not available"), day(". GitHub has not answered"))
    }

    #[track_caller]
    fn assert_like_a_first_build(&self, at: &str) {
        self.site.assert_like_a_first_build(&now(at));
    }
}

fn now(at: &str) -> String {
    format!("2020-08-{at}:00Z")
}

fn written(report: &Value) -> Vec<&str> {
    report["outputs"]["written_paths"].as_array().unwrap().iter().map(|path| path.as_str().unwrap()).collect()
}

fn day(day: &str) -> Option<String> {
    Some(day.to_owned())
}

const STATUS: [&str; 2] = ["status.json", "status/index.html"];

#[test]
fn a_number_shows_its_date_once_its_source_fails_past_its_life() {
    let lab = Lab::new("1h");
    lab.build("01T10:00", &[]);
    assert_eq!((lab.ages("one"), lab.ages("two")), ((None, None), (None, None)));
    let (page, list) = (lab.site.read("public/plugins/one/index.html"), lab.site.read("public/plugins.json"));

    lab.fail(Failing::Exports);
    lab.build("01T10:30", &[]);
    assert_eq!(lab.ages("one"), (None, None), "nobody was asked");
    let report = lab.build("02T00:00", &[]);
    assert_eq!((lab.ages("one"), lab.ages("two")), ((day("2020-08-01"), None), (day("2020-08-01"), None)));
    assert!(written(&report).contains(&"plugins/two/index.html"));
    assert_eq!(
        report["why"]["plugins/two/index.html"],
        json!([{"input": "dates of stale numbers", "old": null, "new": "usage as of 2020-08-01"}])
    );
    lab.assert_like_a_first_build("02T00:00");
    let report = lab.build("03T00:00", &[]);
    assert_eq!(written(&report), STATUS, "GitHub answered, and the numbers are as old as they were");

    lab.fail(Failing::Github);
    lab.build("04T00:00", &[]);
    assert_eq!((lab.ages("one"), lab.ages("two")), ((None, day("2020-08-03")), (None, None)));
    lab.assert_like_a_first_build("04T00:00");
    assert_eq!(lab.site.read("public/plugins.json"), list);

    lab.fail(Failing::Nobody);
    lab.build("05T00:00", &[]);
    assert_eq!(lab.site.read("public/plugins/one/index.html"), page, "as if nothing had been");
    lab.assert_like_a_first_build("05T00:00");
    assert_eq!(lab.site.read("public/plugins.json"), list);
}

#[test]
fn a_refresh_that_brings_nothing_new_changes_the_status_alone() {
    let lab = Lab::new("1h");
    lab.build("01T10:00", &[]);
    assert_eq!(written(&lab.build("01T12:00", &[])), STATUS);
    lab.assert_like_a_first_build("01T12:00");
    let report = lab.build("01T12:30", &[]);
    assert_eq!((&report["queries"], written(&report)), (&json!({}), vec![]), "nothing was due");
    // Within a minute, a source was last success as long ago as before.
    assert_eq!(written(&lab.build("01T12:30", &["--refresh"])), STATUS);
    assert_eq!(written(&lab.build("01T12:30", &["--refresh"])), Vec::<&str>::new());
}

#[test]
fn offline_time_passes_too() {
    let lab = Lab::new("1h");
    lab.build("01T10:00", &[]);
    let report = lab.build("01T10:59", &["--offline"]);
    assert_eq!(report["queries"], json!({}), "nothing has passed its life");
    lab.build("01T11:00", &["--offline"]);
    assert_eq!(lab.ages("one"), (day("2020-08-01"), day("2020-08-01")));
    lab.assert_like_a_first_build("01T11:00");
    let report = lab.build("09T11:00", &["--offline"]);
    assert_eq!(report["queries"], json!({}), "nothing more can pass its life");
    lab.assert_like_a_first_build("09T11:00");
    // A clock that went back.
    lab.build("01T10:30", &["--offline"]);
    assert_eq!(lab.ages("one"), (None, None));
    lab.assert_like_a_first_build("01T10:30");
    // An edit of one, and time for the other.
    let two = lab.site.read("entries/two.md").replace("Text.", "Other text.");
    lab.site.write("entries/two.md", two);
    lab.build("01T12:00", &["--offline"]);
    assert_eq!(lab.ages("one"), (day("2020-08-01"), day("2020-08-01")));
    lab.assert_like_a_first_build("01T12:00");
}

#[test]
fn without_a_token_only_what_github_says_gets_old() {
    let lab = Lab::new("1h");
    lab.build("01T10:00", &[]);
    let mut command = lab.site.command(&["--now", &now("01T12:00")]);
    assert!(command.env_remove("GITHUB_TOKEN").output().unwrap().status.success());
    assert_eq!((lab.ages("one"), lab.ages("two")), ((None, day("2020-08-01")), (None, None)));
    lab.assert_like_a_first_build("01T12:00");
}

#[test]
fn what_is_never_fresh_has_no_age_when_it_has_just_been_confirmed() {
    let lab = Lab::new("0s");
    lab.build("01T10:00", &[]);
    assert_eq!(lab.ages("one"), (None, None));
    lab.build("01T12:00", &[]);
    assert_eq!(lab.ages("one"), (None, None));
    lab.build("01T12:00", &["--offline"]);
    assert_eq!(lab.ages("one"), (None, None));
    lab.build("01T12:01", &["--offline"]);
    assert_eq!(lab.ages("one"), (day("2020-08-01"), day("2020-08-01")));
    lab.assert_like_a_first_build("01T12:01");
}

#[test]
fn the_day_is_the_sites_own() {
    let lab = Lab::new("1h");
    let config = lab.site.read("shelflife.toml");
    lab.site.write("shelflife.toml", format!("timezone = \"Asia/Tokyo\"\n{config}"));
    lab.build("01T20:00", &[]);
    lab.build("03T00:00", &["--offline"]);
    assert_eq!(lab.ages("two"), (day("2020-08-02"), None));
}

#[test]
fn the_status_says_when_each_source_last_answered() {
    let lab = Lab::new("1h");
    lab.build("01T10:00", &[]);
    lab.fail(Failing::Github);
    lab.build("01T12:34", &[]);
    let of = |name: &str, at: &str, fresh: u32, stale: u32, missing: u32| {
        let (at, expired) = (now(at), 0);
        json!({
            "name": name, "newest": at, "oldest": at, "fresh": fresh, "stale": stale, "expired": expired,
            "missing": missing
        })
    };
    let status = lab.site.json("public/status.json");
    let expected = [
        of("usage.week", "01T12:34", 1, 0, 0),
        of("usage.month", "01T12:34", 1, 0, 0),
        of("github", "01T10:00", 0, 1, 0),
    ];
    assert_eq!(status, json!({"sources": expected}));
    let page = lab.site.read("public/status/index.html");
    assert!(page.contains("1 Aug 2020, 12:34 UTC") && page.contains("1 Aug 2020, 10:00 UTC"), "{page}");
    assert!(lab.site.read("public/index.html").contains("href=\"/status/\""));

    let nothing = Site::new(CONFIG);
    nothing.build(&[]).succeeded();
    assert_eq!(nothing.json("public/status.json"), json!({"sources": []}));
}

/// A watcher builds before sources have answered: it does not tell ages that are about to be wrong, and tells them as
/// soon as nobody answers.
#[test]
fn who_waits_for_answers_tells_ages_when_there_are_none() {
    let lab = Lab::new("1h");
    lab.build("01T10:00", &[]);
    let config = |at: &str| {
        let overrides = Overrides { now: Some(now(at).parse().unwrap()), ..Overrides::default() };
        lab.site.config(&lab.server, &overrides).unwrap()
    };
    let later = config("02T10:00");
    let mut builder = Builder::new(Afterwards::GoOn);
    builder.build(&later, None, &[], &Silent).unwrap();
    assert_eq!(lab.ages("one"), (None, None), "answers are on their way");
    lab.fail(Failing::Exports);
    learn(&mut builder, &later).unwrap();
    assert_eq!(lab.ages("one"), (day("2020-08-01"), None));
    lab.site.entry("one", "compatibility: {python: '>=3.7'}\n");
    let edited = BTreeSet::from([lab.site.at("entries/one.md")]);
    builder.build(&config("02T12:00"), Some(&edited), &[], &Silent).unwrap();
    assert_eq!(lab.ages("one"), (day("2020-08-01"), None), "GitHub is about to be asked");
    lab.fail(Failing::Nobody);
    learn(&mut builder, &config("02T12:00")).unwrap();
    assert_eq!(lab.ages("one"), (None, None));
    drop(builder);
    lab.assert_like_a_first_build("02T12:00");
}

/// When nobody is shown any more what was confirmed on the first of August at ten, and a second before.
const EXPIRED: [&str; 2] = ["2020-10-30T09:59:59Z", "2020-10-30T10:00:00Z"];

impl Lab {
    /// The numbers of a plugin in `plugins.json`.
    fn numbers(&self, stem: &str) -> (Value, Value) {
        let plugins = self.site.json("public/plugins.json");
        let plugins = plugins.as_array().unwrap().iter();
        let plugin = plugins.into_iter().find(|plugin| plugin["id"] == stem).unwrap();
        (plugin["stats"].clone(), plugin["github"].clone())
    }
}

/// `fetch.keep` is the earlier name of `fetch.stale_if_error`.
#[test]
fn the_earlier_name_of_stale_if_error_still_works_with_one_warning() {
    let site = Site::new("url = \"https://plugins.example\"\n[fetch]\nkeep = \"10d\"\n");
    site.entry("one", "");
    let report = site.report(&["--offline"]);
    let [warning] = report["warnings"].as_array().unwrap().as_slice() else { panic!("{report}") };
    assert_eq!(warning["rule"], "deprecated");
    assert_eq!(warning["message"], "`fetch.keep` was renamed to `fetch.stale_if_error`");
    assert_eq!((&warning["place"]["path"], &warning["place"]["line"]), (&json!("shelflife.toml"), &json!(3)));
    site.write("shelflife.toml", "url = \"https://plugins.example\"\n[fetch]\nstale_if_error = \"10d\"\n");
    assert_eq!(site.report(&["--offline"])["warnings"], json!([]));
}

#[test]
fn what_nobody_confirms_for_ninety_days_expires_and_comes_back_with_an_answer() {
    let lab = Lab::new("1h");
    lab.build("01T10:00", &[]);
    let (pages, list) = (lab.site.tree("public/plugins"), lab.site.read("public/plugins.json"));
    let never = Lab::new("1h");
    never.site.build(&["--offline", "--now", EXPIRED[1]]).succeeded();

    lab.fail(Failing::Exports);
    let report = lab.site.report(&["--now", EXPIRED[0]]);
    assert_eq!(lab.ages("one"), (day("2020-08-01"), None), "GitHub answered");
    assert_eq!(report["warnings"], json!([]));
    lab.site.assert_like_a_first_build(EXPIRED[0]);
    let report = lab.site.report(&["--now", EXPIRED[1]]);
    assert_eq!(
        crate::common::warnings(&report),
        ["2 facts expired: not confirmed by any source for more than 90 days (`fetch.stale_if_error`): \
                usage:week (last success 2020-08-01), usage:month (last success 2020-08-01)"]
    );
    assert_eq!((&report["facts"]["missing"], &report["facts"]["stale"]), (&json!(2), &json!(0)));
    let of_each = report["unrefreshed"].as_array().unwrap().iter();
    let counts: Vec<_> = of_each.map(|one| (&one["stale"], &one["expired"], &one["missing"])).collect();
    assert_eq!(counts, [(&json!(0), &json!(1), &json!(0)); 2]);
    assert_eq!(lab.ages("one"), (None, None));
    assert_eq!(lab.numbers("one").0, never.numbers("one").0);
    let usage = json!([{
        "input": "usage of two",
        "old": "0 instances and 0 installs this week; 5 instances and 0 installs this month", "new": null
    }]);
    assert_eq!(report["why"]["plugins/two/index.html"][0], usage[0]);
    let page = "public/plugins/two/index.html";
    assert_eq!(lab.site.read(page), never.site.read(page), "it was never on GitHub");
    lab.site.assert_like_a_first_build(EXPIRED[1]);

    // Nobody forgets to say so where there is nothing else to do.
    let report = lab.site.report(&["--offline", "--now", EXPIRED[1]]);
    assert_eq!((&report["queries"], report["warnings"].as_array().unwrap().len()), (&json!({}), 1));
    // A little later, GitHub's facts expire too, and everything is as if no source had ever been asked.
    let report = lab.site.report(&["--offline", "--now", "2021-02-01T00:00:00Z"]);
    let warning = report["warnings"][0]["message"].as_str().unwrap();
    assert!(
        warning.starts_with("3 facts expired") && warning.contains("github:owner/one (last"),
        "{warning}"
    );
    let without_history = |site: &Site| {
        let mut files = site.tree("public");
        files.retain(|path, _| {
            !path.ends_with("history.json") && !path.starts_with("status") && !path.starts_with("plugins")
        });
        files.remove(std::path::Path::new("status.json"));
        // It has the digests of all of these.
        files.remove(std::path::Path::new(".shelflife-manifest"));
        files
    };
    assert!(without_history(&lab.site) == without_history(&never.site));
    lab.site.assert_like_a_first_build("2021-02-01T00:00:00Z");
    let of_github = &lab.site.json("public/status.json")["sources"][2];
    assert_eq!((&of_github["expired"], &of_github["missing"]), (&json!(1), &json!(0)), "{of_github}");

    lab.site.program(&["cache", "gc"]).arg(lab.site.path()).output().unwrap();
    lab.fail(Failing::Nobody);
    let report = lab.site.report(&["--now", "2021-02-01T01:00:00Z"]);
    assert_eq!(report["warnings"], json!([]));
    assert_eq!(lab.site.read("public/plugins.json"), list);
    assert!(lab.site.tree("public/plugins") == pages, "as if nothing had been");
    let why = report["why"]["plugins/one/index.html"].to_string();
    assert!(why.contains("unknown") && why.contains("stars 9"), "{why}");
    lab.site.assert_like_a_first_build("2021-02-01T01:00:00Z");
}

#[test]
fn for_how_long_facts_are_kept_is_a_setting() {
    let lab = Lab::new("1h");
    lab.build("01T10:00", &[]);
    let all = lab.numbers("one");
    let config = lab.site.read("shelflife.toml");
    lab.site.write("shelflife.toml", format!("{config}[fetch]\nkeep = \"2h\"\n"));
    lab.build("01T11:59", &["--offline"]);
    assert_eq!(lab.numbers("one"), all);
    lab.build("01T12:00", &["--offline"]);
    assert_ne!(lab.numbers("one"), all);
    lab.assert_like_a_first_build("01T12:00");
    lab.site.write("shelflife.toml", format!("{config}[fetch]\nkeep = \"3h\"\n"));
    lab.build("01T12:00", &["--offline"]);
    assert_eq!(lab.numbers("one"), all, "they are still in the cache");
    lab.assert_like_a_first_build("01T12:00");
    // What is fresh is shown, however short the other limit is.
    lab.site.write("shelflife.toml", format!("{config}[fetch]\nkeep = \"1m\"\n"));
    lab.build("01T10:59", &["--offline"]);
    assert_eq!(lab.numbers("one"), all);
}

/// A watcher builds before sources have answered, and shows what it has until it knows that nobody does.
#[test]
fn who_waits_for_answers_drops_nothing_before_there_are_none() {
    let lab = Lab::new("1h");
    lab.build("01T10:00", &[]);
    let all = lab.numbers("one");
    let overrides = Overrides { now: Some("2021-01-01T00:00:00Z".parse().unwrap()), ..Overrides::default() };
    let later = lab.site.config(&lab.server, &overrides).unwrap();
    let mut builder = Builder::new(Afterwards::GoOn);
    builder.build(&later, None, &[], &Silent).unwrap();
    assert_eq!(lab.numbers("one"), all, "answers are on their way");
    lab.fail(Failing::Exports);
    learn(&mut builder, &later).unwrap();
    assert_eq!(lab.numbers("one").1, all.1);
    assert_ne!(lab.numbers("one").0, all.0);
    lab.fail(Failing::Nobody);
    learn(&mut builder, &later).unwrap();
    assert_eq!(lab.numbers("one"), all);
    drop(builder);
    lab.site.assert_like_a_first_build("2021-01-01T00:00:00Z");
}

/// A clock was ahead by years when facts were fetched, and is right again.
#[test]
fn what_was_confirmed_in_the_future_is_asked_for_again() {
    let lab = Lab::new("1h");
    lab.site.build(&["--now", "2031-01-01T00:00:00Z"]).succeeded();
    lab.fail(Failing::Github);
    let report = lab.site.report(&["--now", &now("01T10:00")]);
    assert_eq!((&report["facts"]["refreshed"], &report["facts"]["stale"]), (&json!(2), &json!(1)));
    assert_eq!(lab.ages("one"), (None, None), "nobody knows how old it is");
    let of_github = &lab.site.json("public/status.json")["sources"][2];
    assert_eq!((&of_github["stale"], &of_github["newest"]), (&json!(1), &Value::Null), "{of_github}");
    lab.assert_like_a_first_build("01T10:00");
    assert_eq!(lab.build("01T10:30", &[])["facts"]["stale"], 1, "asked for again");
    lab.fail(Failing::Nobody);
    assert_eq!(lab.build("01T10:40", &[])["facts"]["refreshed"], 1);
    let report = lab.build("01T10:50", &[]);
    assert_eq!((&report["queries"], &report["facts"]["fresh"]), (&json!({}), &json!(3)));
    lab.assert_like_a_first_build("01T10:50");
}
