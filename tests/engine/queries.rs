//! For each kind of change, exactly which queries are computed again, and how often.
//!
//! The table is a snapshot. Whoever changes which queries there are renews it with
//! `INSTA_UPDATE=always cargo test --test engine queries`, and looks at what has become different; what matters most is also
//! said in words.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::sync::OnceLock;

use crate::common::builder::{Silent, learn};
use crate::common::{Site, entry};
use jiff::{SignedDuration, Timestamp};
use serde_json::Value;
use shelflife::build::{Afterwards, Builder};
use shelflife::config::{Config, Overrides};
use shelflife_testkit::replay::{Repository, Server, Usage, Window, World};

/// More than the feed has, so that an entry can be in it or not. All are of the same day, so the last ones are.
const ENTRIES: usize = 30;
/// An entry that the feed does not have, and one that it has.
const ONE: &str = "plugin03";
const OF_FEED: &str = "plugin25";

const CONFIG: &str = "title = \"Test\"\nurl = \"https://plugins.example\"";

/// A site and its world.
struct Lab {
    site: Site,
    server: Server,
}

/// Something that happens to them.
struct Change {
    what: &'static str,
    /// The file that is different then; none where the world has changed, and facts have gone stale.
    file: Option<&'static str>,
    happen: fn(&Lab),
}

/// What a build did.
#[derive(Debug, Default)]
struct Work {
    /// How often each query was computed.
    queries: BTreeMap<String, u64>,
    /// How many memos of each function were made.
    memos: BTreeMap<String, u64>,
    written: BTreeSet<String>,
    removed: BTreeSet<String>,
}

const CHANGES: [Change; 19] = [
    Change { what: "nothing", file: Some("shelflife.toml"), happen: |_| {} },
    Change {
        what: "the text of one entry",
        file: Some("entries/plugin03.md"),
        happen: |lab| lab.edit(ONE, "Text.", "Another text."),
    },
    Change {
        what: "the text of one entry in the feed",
        file: Some("entries/plugin25.md"),
        happen: |lab| lab.edit(OF_FEED, "Text.", "Another text."),
    },
    Change {
        what: "the title of one entry",
        file: Some("entries/plugin03.md"),
        happen: |lab| lab.edit(ONE, "title: Plugin", "title: Another"),
    },
    Change {
        what: "a new entry",
        file: Some("entries/plugin99.md"),
        happen: |lab| lab.site.entry("plugin99", DECLARED),
    },
    Change {
        what: "a removed entry",
        file: Some("entries/plugin25.md"),
        happen: |lab| std::fs::remove_file(lab.site.at("entries/plugin25.md")).unwrap(),
    },
    Change {
        what: "a template that only lists use",
        file: Some("templates/by_date.html"),
        happen: |lab| lab.adapt("by_date.html"),
    },
    Change {
        what: "plugin.html",
        file: Some("templates/plugin.html"),
        happen: |lab| lab.adapt("plugin.html"),
    },
    Change {
        what: "a setting",
        file: Some("shelflife.toml"),
        happen: |lab| {
            lab.site.write("shelflife.toml", lab.site.read("shelflife.toml").replace("Test", "Best"));
        },
    },
    Change {
        what: "a text of the home page",
        file: Some("shelflife.toml"),
        happen: |lab| lab.append("shelflife.toml", "[theme.texts]\nheading = \"Welcome\"\n"),
    },
    Change {
        what: "a search synonym",
        file: Some("shelflife.toml"),
        happen: |lab| lab.append("shelflife.toml", "[search]\nsynonyms = [\"webcam, camera\"]\n"),
    },
    Change {
        what: "notices about one plugin",
        file: Some("data/notices.yaml"),
        happen: |lab| {
            let notice = format!("- plugin: {ONE}\n  date: 2020-01-01 10:00:00Z\n  text: Beware\n");
            lab.site.write("data/notices.yaml", notice);
        },
    },
    Change {
        what: "another picture",
        file: Some("assets/img/one.png"),
        happen: |lab| lab.site.write("assets/img/one.png", "another picture"),
    },
    Change {
        what: "one picture more",
        file: Some("assets/img/new.png"),
        happen: |lab| lab.site.write("assets/img/new.png", "a picture"),
    },
    Change {
        what: "a style sheet",
        file: Some("assets/site.css"),
        happen: |lab| lab.site.write("assets/site.css", "body { color: red }"),
    },
    Change {
        what: "new usage of one plugin",
        file: None,
        happen: |lab| {
            lab.server.change(|world| {
                let usage = Usage { instances: 7, ..Usage::default() };
                world.set_time(later()).set_usage(Window::Week, ONE, usage);
            });
        },
    },
    Change {
        what: "new stars of one plugin",
        file: None,
        happen: |lab| {
            lab.server.change(|world| {
                world.repository_mut(&format!("owner/{ONE}")).unwrap().stars = 7;
            });
        },
    },
    Change {
        what: PYTHON,
        file: None,
        happen: |lab| {
            lab.server.change(|world| {
                let repository = world.repository_mut("owner/plugin04").unwrap();
                repository.set_file("octoprint_plugin04/__init__.py", python(8));
            });
        },
    },
    Change { what: "facts that are the same when asked again", file: None, happen: |_| {} },
];

/// One fact leads to the next here: which file it is, then what it says.
const PYTHON: &str = "a plugin's source that runs on another Python";

/// Entries with odd numbers say what Python they run on; of the others, their source is asked.
const DECLARED: &str = "tags: [common]\ncompatibility: {python: '>=3'}\n";
const UNDECLARED: &str = "tags: [common]\n";

fn python(minor: usize) -> String {
    format!("__plugin_pythoncompat__ = '>=3.{minor},<4'\n")
}

fn start() -> Timestamp {
    "2020-08-01T00:00:00Z".parse().unwrap()
}

/// When all facts are stale.
fn later() -> Timestamp {
    start() + SignedDuration::from_hours(2)
}

impl Lab {
    fn new() -> Self {
        let mut world = World::new(start());
        let stems: Vec<String> = (0..ENTRIES).map(|number| format!("plugin{number:02}")).collect();
        for (number, stem) in stems.iter().enumerate() {
            world.add(
                Repository::new(&format!("owner/{stem}"))
                    .with_stars(1)
                    .with_file("setup.py", format!("plugin_package = 'octoprint_{stem}'\n"))
                    .with_file(format!("octoprint_{stem}/__init__.py"), python(number % 3)),
            );
            world.set_usage(Window::Week, stem.as_str(), Usage { instances: 1, ..Usage::default() });
        }
        let server = Server::start(world).unwrap();
        let site = Site::asking(&server, CONFIG, "1h");
        for (number, stem) in stems.iter().enumerate() {
            let more = if number % 2 == 1 { DECLARED } else { UNDECLARED };
            site.write(
                &format!("entries/{stem}.md"),
                entry(stem, more).replace("Text.", &format!("Text. It is {stem}.")),
            );
        }
        site.write("assets/img/one.png", "not really a picture");
        Self { site, server }
    }

    fn edit(&self, stem: &str, from: &str, to: &str) {
        let path = format!("entries/{stem}.md");
        self.site.write(&path, self.site.read(&path).replace(from, to));
    }

    fn append(&self, path: &str, text: &str) {
        self.site.write(path, format!("{}{text}", self.site.read(path)));
    }

    /// Makes a template the site's own, with a comment in it.
    fn adapt(&self, name: &str) {
        let theme = std::fs::read_to_string(format!("site/templates/{name}")).unwrap();
        let ours = theme.replace("{% endblock %}", "<!-- ours -->{% endblock %}");
        self.site.write(&format!("templates/{name}"), ours);
    }

    fn config(&self, now: Timestamp) -> Config {
        self.site.config(&self.server, &Overrides { now: Some(now), ..Overrides::default() }).unwrap()
    }
}

impl Change {
    fn now(&self) -> Timestamp {
        if self.file.is_some() { start() } else { later() }
    }

    /// What a new process does.
    fn in_a_new_process(&self) -> Work {
        let lab = Lab::new();
        lab.site.report(&["--now", &start().to_string()]);
        (self.happen)(&lab);
        let mut work = Work::default();
        work.add(&lab.site.report(&["--now", &self.now().to_string()]));
        work
    }

    /// What a builder does that goes on.
    fn while_watching(&self) -> Work {
        let lab = Lab::new();
        let mut builder = Builder::new(Afterwards::GoOn);
        let (before, config) = (lab.config(start()), lab.config(self.now()));
        builder.build(&Config { offline: true, ..before.clone() }, None, &[], &Silent).unwrap();
        learn(&mut builder, &before).unwrap();
        // What a build has read is known to the next one, which has to look at that once: here at one entry.
        lab.edit("plugin01", "Text.", "New text.");
        let changed = BTreeSet::from([lab.site.at("entries/plugin01.md")]);
        let offline = Config { offline: true, ..before };
        builder.build(&offline, Some(&changed), &[], &Silent).unwrap();
        (self.happen)(&lab);
        let mut work = Work::default();
        let mut add = |built: shelflife::build::Built| work.add(&serde_json::to_value(built.report).unwrap());
        if let Some(file) = self.file {
            let (changed, config) = (BTreeSet::from([lab.site.at(file)]), lab.config(self.now()));
            let config = Config { offline: true, ..config };
            add(builder.build(&config, Some(&changed), &[], &Silent).unwrap());
        }
        learn(&mut builder, &config).unwrap().into_iter().for_each(add);
        work
    }
}

impl Work {
    fn add(&mut self, report: &Value) {
        for (counts, of_report) in [(&mut self.queries, "queries"), (&mut self.memos, "memos")] {
            for (name, count) in report[of_report].as_object().unwrap() {
                let computed = count["computed"].as_u64().unwrap();
                if computed > 0 {
                    *counts.entry(name.clone()).or_default() += computed;
                }
            }
        }
        for (paths, key) in [(&mut self.written, "written_paths"), (&mut self.removed, "removed_paths")] {
            paths.extend(
                report["outputs"][key].as_array().unwrap().iter().map(|it| it.as_str().unwrap().to_owned()),
            );
        }
    }

    /// How often a query was computed.
    fn computed(&self, query: &str) -> u64 {
        self.queries.get(query).copied().unwrap_or_default()
    }

    /// The pages of plugins that were written.
    fn pages(&self) -> Vec<&str> {
        self.written.iter().map(String::as_str).filter(|path| path.starts_with("plugins/")).collect()
    }
}

/// What each change leads to: in a new process, and while watching.
fn works() -> &'static BTreeMap<&'static str, [Work; 2]> {
    static WORKS: OnceLock<BTreeMap<&'static str, [Work; 2]>> = OnceLock::new();
    WORKS.get_or_init(|| {
        let both = |change: &Change| (change.what, [change.in_a_new_process(), change.while_watching()]);
        CHANGES.iter().map(both).collect()
    })
}

/// A table with a row for each thing that was done in one of two ways.
fn table(works: &[Work; 2]) -> String {
    let mut table = format!("{:<40} {:>11} {:>8}\n", "", "new process", "watching");
    let counts = |pick: fn(&Work) -> &BTreeMap<String, u64>, before: &str| {
        let names: BTreeSet<&String> = works.iter().flat_map(|work| pick(work).keys()).collect();
        let count =
            |work: &Work, name: &str| pick(work).get(name).map_or_else(|| "·".to_owned(), u64::to_string);
        let row = |name: &String| {
            let [process, watching] = works.each_ref().map(|work| count(work, name));
            format!("{:<40} {process:>11} {watching:>8}\n", format!("{before}{name}"))
        };
        names.into_iter().map(row).collect::<String>()
    };
    table += &counts(|work| &work.queries, "");
    table += &counts(|work| &work.memos, "memo ");
    for (paths, done) in [(&works[0].written, "written"), (&works[0].removed, "removed")] {
        let mut others: Vec<&str> = paths.iter().map(String::as_str).collect();
        for (folder, files) in [
            ("plugins/", "pages of plugins"),
            ("api/v1/plugins/", "plugins in the API"),
            ("badges/", "badges"),
        ] {
            let count = others.iter().filter(|path| path.starts_with(folder)).count();
            if count > 10 {
                let _ = writeln!(table, "{done}: {count} {files}");
                others.retain(|path| !path.starts_with(folder));
            }
        }
        for path in others {
            let _ = writeln!(table, "{done}: {}", without_digest(path));
        }
    }
    table
}

/// An asset's path without the digest in its name, which is another one with each change of the theme.
fn without_digest(path: &str) -> String {
    match *path.split('.').collect::<Vec<_>>() {
        [name, _, extension] if name.starts_with("assets/") => format!("{name}.….{extension}"),
        _ => path.to_owned(),
    }
}

#[test]
fn each_change_computes_what_it_always_did() {
    let tables = CHANGES.iter().map(|change| format!("== {}\n{}", change.what, table(&works()[change.what])));
    let tables = tables.collect::<Vec<_>>().join("\n");
    insta::assert_snapshot!(tables);
}

#[test]
fn both_ways_of_building_write_the_same() {
    // While the next fact is asked for, a watcher shows what follows from the one before.
    for (what, [process, watching]) in works().iter().filter(|(what, _)| **what != PYTHON) {
        assert_eq!((&process.written, &process.removed), (&watching.written, &watching.removed), "{what}");
    }
}

#[test]
fn nothing_computes_nothing() {
    for work in &works()["nothing"] {
        assert_eq!((work.queries.len(), work.memos.len(), work.written.len()), (0, 0, 0), "{work:?}");
    }
}

#[test]
fn facts_that_say_the_same_compute_nothing_about_any_plugin() {
    for work in &works()["facts that are the same when asked again"] {
        for query in ["parsed", "description", "plugin", "show", "page", "alternates"] {
            assert_eq!(work.computed(query), 0, "{query}: {work:?}");
        }
        let written: Vec<&str> = work.written.iter().map(String::as_str).collect();
        assert_eq!(written, ["status.json", "status/index.html"], "where it says when they answered");
    }
}

#[test]
fn an_edit_renders_one_text_and_one_page() {
    for what in ["the text of one entry", "the title of one entry"] {
        for work in &works()[what] {
            for query in ["parsed", "description", "plugin", "show", "page", "alternates"] {
                assert_eq!(work.computed(query), 1, "{query} after {what}: {work:?}");
            }
            assert_eq!(work.pages(), ["plugins/plugin03/index.html"], "{what}");
        }
    }
    for work in &works()["the text of one entry"] {
        assert_eq!(work.memos.get("markdown"), Some(&1), "{work:?}");
        assert_eq!(work.memos.get("markdown-feed"), None, "{work:?}");
        let written: Vec<&str> = work.written.iter().map(String::as_str).collect();
        assert_eq!(
            written,
            ["api/v1/plugins/plugin03.json", "plugins/plugin03/index.html", "search.json"],
            "the badges say the same"
        );
    }
    for work in &works()["the title of one entry"] {
        assert_eq!(work.memos.get("markdown"), None, "{work:?}");
    }
}

#[test]
fn what_is_new_of_one_plugin_touches_no_other_page() {
    for what in ["new usage of one plugin", "new stars of one plugin", "notices about one plugin"] {
        for work in &works()[what] {
            for query in ["parsed", "plugin", "show", "page", "alternates"] {
                assert_eq!(work.computed(query), 1, "{query} after {what}: {work:?}");
            }
            assert_eq!(work.pages(), ["plugins/plugin03/index.html"], "{what}");
            assert_eq!(work.memos.get("markdown"), None, "{what}: {work:?}");
        }
    }
    for work in &works()[PYTHON] {
        assert_eq!(work.pages(), ["plugins/plugin04/index.html"], "{work:?}");
    }
}

#[test]
fn what_only_lists_use_renders_no_page_of_a_plugin() {
    for what in ["a template that only lists use", "another picture"] {
        for work in &works()[what] {
            assert_eq!((work.computed("page"), work.computed("description")), (0, 0), "{what}: {work:?}");
            assert_eq!(work.pages(), Vec::<&str>::new(), "{what}");
        }
    }
}

#[test]
fn what_no_entry_reads_parses_none_of_them() {
    for (what, written) in [
        ("one picture more", "assets/img/new.png"),
        ("another picture", "assets/img/one.png"),
        ("a search synonym", "browse.json"),
        ("a text of the home page", "index.html"),
        ("a template that only lists use", "by_date/index.html"),
    ] {
        for work in &works()[what] {
            for query in ["parsed", "description", "plugin", "show", "page", "alternates"] {
                assert_eq!(work.computed(query), 0, "{query} after {what}: {work:?}");
            }
            assert_eq!(work.written, BTreeSet::from([written.to_owned()]), "{what}");
        }
    }
}

#[test]
fn what_all_pages_share_renders_all_of_them_and_no_text() {
    for what in ["plugin.html", "a style sheet"] {
        for work in &works()[what] {
            assert_eq!(work.computed("page"), ENTRIES as u64, "{what}: {work:?}");
            assert_eq!(work.memos.get("markdown"), None, "{what}: {work:?}");
            assert_eq!(work.pages().len(), ENTRIES, "{what}");
        }
    }
}
