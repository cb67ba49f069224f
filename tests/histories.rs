//! Warm equals cold: whatever happened to a site, its cache and the world, the next build gives what a first one
//! would give with the same facts, byte for byte, and the manifest names exactly what is published.
#![allow(missing_docs)]

mod common;

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::process::Stdio;
use std::sync::Arc;
use std::time::Duration;

use common::{Site, entry};
use proptest::prelude::*;
use proptest::test_runner::{Config as ProptestConfig, TestRunner};
use rusqlite::Connection;
use shelflife::build::{Observer, Phase, build};
use shelflife::cache::{Cache, Tree};
use shelflife::config::{Config, Environment, Overrides, Token};
use xtask::replay::{FaultAction, Repository, Server, Usage, Window, World};

/// Something that happens between two builds.
#[derive(Debug, Clone)]
enum Event {
    /// An entry is written, maybe for the first time.
    Write { entry: u8, tags: u8, text: u8 },
    /// An entry is removed.
    Remove { entry: u8 },
    /// An entry gets another file name, and with it another address.
    Rename { entry: u8, to: u8 },
    /// A template of the site's own appears, changes or goes.
    Template { which: u8, text: Option<u8> },
    /// A data file appears, changes or goes.
    Data { text: Option<u8> },
    /// An asset appears, changes or goes.
    Asset { which: u8, text: Option<u8> },
    /// The configuration changes.
    Configure { title: u8, base_path: bool },
    /// GitHub has another number of stars.
    Stars { entry: u8, count: u8 },
    /// The usage exports have another number.
    Used { entry: u8, count: u8 },
    /// A plugin's source says something else about Python.
    Source { entry: u8, minor: u8 },
    /// Some minutes pass.
    Wait { minutes: u16 },
    /// The sources fail, or work again.
    Fail { failing: bool },
    /// Memos, blobs, listings or all of it vanish from the cache, or the file itself does.
    Forget { what: u8 },
    /// Bytes in the middle of the cache change.
    Damage { at: u16 },
    /// The output folder vanishes, or a file in it is changed by hand.
    Spoil { all: bool },
    /// A build is killed after some milliseconds.
    Kill { after: u8 },
}

fn event() -> impl Strategy<Value = Event> {
    let one = 0..5u8;
    prop_oneof![
        4 => (one.clone(), 0..4u8, 0..4u8).prop_map(|(entry, tags, text)| Event::Write { entry, tags, text }),
        1 => one.clone().prop_map(|entry| Event::Remove { entry }),
        1 => (one.clone(), one.clone()).prop_map(|(entry, to)| Event::Rename { entry, to }),
        1 => (0..3u8, prop::option::of(0..3u8)).prop_map(|(which, text)| Event::Template { which, text }),
        1 => prop::option::of(0..3u8).prop_map(|text| Event::Data { text }),
        1 => (0..3u8, prop::option::of(0..3u8)).prop_map(|(which, text)| Event::Asset { which, text }),
        1 => (0..3u8, any::<bool>()).prop_map(|(title, base_path)| Event::Configure { title, base_path }),
        2 => (one.clone(), 0..3u8).prop_map(|(entry, count)| Event::Stars { entry, count }),
        2 => (one.clone(), 0..3u8).prop_map(|(entry, count)| Event::Used { entry, count }),
        1 => (one, 0..4u8).prop_map(|(entry, minor)| Event::Source { entry, minor }),
        3 => (0..100u16).prop_map(|minutes| Event::Wait { minutes }),
        1 => any::<bool>().prop_map(|failing| Event::Fail { failing }),
        1 => (0..6u8).prop_map(|what| Event::Forget { what }),
        1 => any::<u16>().prop_map(|at| Event::Damage { at }),
        1 => any::<bool>().prop_map(|all| Event::Spoil { all }),
        1 => (0..60u8).prop_map(|after| Event::Kill { after }),
    ]
}

struct Silent;

impl Observer for Silent {
    fn progress(&self, _: Phase, _: usize, _: usize) {}
    fn warn(&self, _: &str) {}
}

/// A site and its world, with a clock of their own.
struct History {
    site: Site,
    server: Server,
    minutes: i64,
    /// The manifest may have been lost. From then on nobody can tell which files of the output folder an earlier
    /// build wrote, so they stay.
    lost: bool,
}

const STEMS: [&str; 5] = ["alpha", "beta", "gamma", "delta", "epsilon"];

impl History {
    fn new() -> Self {
        let mut world = World::new("2020-08-01T00:00:00Z".parse().unwrap());
        for stem in STEMS {
            world.add(
                Repository::new(&format!("owner/{stem}"))
                    .with_stars(1)
                    .with_file("setup.py", format!("plugin_package = 'octoprint_{stem}'\n")),
            );
        }
        let server = Server::start(world).unwrap();
        let site = Site::asking(&server, "title = \"0\"", "30m");
        let history = Self { site, server, minutes: 0, lost: false };
        history.configure(0, false);
        history.write(0, 0, 0);
        history
    }

    fn configure(&self, title: u8, base_path: bool) {
        let base_path = if base_path { "/sub" } else { "" };
        let (week, month) = (self.server.export_url(Window::Week), self.server.export_url(Window::Month));
        self.site.write(
            "shelflife.toml",
            format!(
                "title = \"Title {title}\"\nurl = \"https://x.example\"\nbase_path = \"{base_path}\"\n\
                 [github]\nttl = \"30m\"\n[usage]\nttl = \"10m\"\nweek = \"{week}\"\nmonth = \"{month}\"\n"
            ),
        );
    }

    fn write(&self, which: u8, tags: u8, text: u8) {
        let stem = STEMS[usize::from(which)];
        let declared = if text == 3 { "compatibility: {python: '>=3.9'}\n" } else { "" };
        let more = format!("tags: [t{tags}, all]\nredirect_from: /old/{stem}{tags}/\n{declared}");
        let content =
            entry(stem, &more).replace("Text.", &format!("Text **{text}**, [x](/plugins/{stem}/)."));
        self.site.write(&format!("entries/{stem}.md"), content);
    }

    fn now(&self) -> jiff::Timestamp {
        "2020-08-01T00:00:00Z".parse::<jiff::Timestamp>().unwrap()
            + jiff::SignedDuration::from_mins(self.minutes)
    }

    fn happen(&mut self, event: &Event) {
        let site = &self.site;
        let put = |path: &str, text: Option<String>| match text {
            Some(text) => site.write(path, text),
            None => drop(std::fs::remove_file(site.at(path))),
        };
        let entry_at = |which: u8| format!("entries/{}.md", STEMS[usize::from(which)]);
        match event {
            Event::Write { entry, tags, text } => self.write(*entry, *tags, *text),
            Event::Remove { entry } => drop(std::fs::remove_file(site.at(&entry_at(*entry)))),
            Event::Rename { entry, to } => {
                if site.at(&entry_at(*entry)).exists() && !site.at(&entry_at(*to)).exists() {
                    std::fs::rename(site.at(&entry_at(*entry)), site.at(&entry_at(*to))).unwrap();
                    self.write(*to, 0, 0);
                }
            }
            Event::Template { which, text } => {
                let name = ["plugin.html", "macros.html", "mine.html"][usize::from(*which)];
                // Only the first may be any text: the theme's pages need the macros as they are.
                let theme = std::fs::read_to_string("site/templates/macros.html").unwrap();
                put(
                    &format!("templates/{name}"),
                    text.map(|text| match which {
                        0 => format!("{{{{ plugin.title }}}} {text} {{{{ plugin.stars }}}}"),
                        1 => format!("{theme}{{# {text} #}}"),
                        _ => format!("{text}"),
                    }),
                );
            }
            Event::Data { text } => put(
                "data/notices.yaml",
                text.map(|n| {
                    format!("- plugin: alpha\n  date: 2020-01-0{} 10:00:00Z\n  text: n{n}\n", n + 1)
                }),
            ),
            Event::Asset { which, text } => {
                let name = ["site.css", "img/x.png", "own.js"][usize::from(*which)];
                put(&format!("assets/{name}"), text.map(|text| format!("/* {text} */")));
            }
            Event::Configure { title, base_path } => self.configure(*title, *base_path),
            Event::Stars { entry, count } => self.server.change(|world| {
                let name = format!("owner/{}", STEMS[usize::from(*entry)]);
                world.repository_mut(&name).unwrap().stars = u64::from(*count);
            }),
            Event::Used { entry, count } => self.server.change(|world| {
                let usage = Usage { instances: u64::from(*count), ..Usage::default() };
                world.set_usage(Window::Month, STEMS[usize::from(*entry)], usage);
            }),
            Event::Source { entry, minor } => self.server.change(|world| {
                let stem = STEMS[usize::from(*entry)];
                let source = format!("__plugin_pythoncompat__ = '>=3.{minor}'\n");
                let repository = world.repository_mut(&format!("owner/{stem}")).unwrap();
                repository.set_file(format!("octoprint_{stem}/__init__.py"), source);
            }),
            Event::Wait { minutes } => self.minutes += i64::from(*minutes),
            Event::Fail { failing } => self.server.set_fault(
                failing
                    .then(|| Arc::new(|_: &_| Some(FaultAction::status(404, "no"))) as xtask::replay::Fault),
            ),
            Event::Forget { what } => {
                self.lost |= *what == 2 || *what == 5;
                self.forget(*what);
            }
            Event::Damage { at } => {
                self.lost = true;
                self.damage(*at);
            }
            Event::Spoil { all: true } => drop(std::fs::remove_dir_all(site.at("public"))),
            Event::Spoil { all: false } => {
                if site.at("public/index.html").exists() {
                    site.write("public/index.html", "by hand");
                }
            }
            Event::Kill { after } => self.kill(*after),
        }
    }

    fn forget(&self, what: u8) {
        let cache = self.site.at(".shelflife/cache.sqlite");
        if !cache.exists() {
            return;
        }
        if what == 5 {
            std::fs::remove_file(cache).unwrap();
            return;
        }
        let tables = [
            vec!["memo"],
            vec!["blob"],
            vec!["note", "shard"],
            vec!["memo", "blob"],
            vec!["note", "shown_document"],
        ];
        let cache = Connection::open(cache).unwrap();
        for table in &tables[usize::from(what)] {
            // A damaged cache may refuse; then it is damaged and not forgetful.
            let _ = cache.execute(&format!("DELETE FROM {table}"), []);
        }
    }

    fn damage(&self, at: u16) {
        let path = self.site.at(".shelflife/cache.sqlite");
        let Ok(mut bytes) = std::fs::read(&path) else { return };
        // The first page stays: a file that no longer looks like a cache is another story.
        if let Some(room) = bytes.len().checked_sub(4096 + 64).filter(|room| *room > 0) {
            let start = 4096 + usize::from(at) * 4099 % room;
            bytes[start..start + 64].fill(0xA5);
            std::fs::write(&path, bytes).unwrap();
        }
    }

    fn kill(&self, after: u8) {
        let mut child = self.site.command(&["--now", &self.now().to_string()]);
        let mut child = child.stderr(Stdio::null()).spawn().unwrap();
        std::thread::sleep(Duration::from_millis(u64::from(after)));
        let _ = child.kill();
        child.wait().unwrap();
    }

    fn build(&self, overrides: Overrides) -> Result<(), String> {
        let environment = Environment {
            github_token: Token::new("replay"),
            github_graphql: Some(self.server.graphql_url()),
            ..Environment::default()
        };
        let overrides = Overrides { now: Some(self.now()), ..overrides };
        let config = Config::load(self.site.path(), &environment, &overrides).map_err(|e| e.to_string())?;
        build(&config, &Silent).map(drop).map_err(|error| {
            let causes: Vec<String> = error.chain().map(ToString::to_string).collect();
            causes.join(": ")
        })
    }

    /// Builds, and compares with a first build that knows the same facts.
    fn check(&self) -> Result<(), TestCaseError> {
        let fail = |why: String| TestCaseError::fail(why);
        self.build(Overrides::default()).map_err(|why| fail(format!("the warm build failed: {why}")))?;
        let (cache, cold_cache) =
            (self.site.at(".shelflife/cache.sqlite"), self.site.at("cold/cache.sqlite"));
        let _ = std::fs::remove_dir_all(self.site.at("cold"));
        std::fs::create_dir_all(self.site.at("cold")).unwrap();
        // A cache that has nothing but the same facts.
        drop(Cache::open(&cold_cache, &|| {}).unwrap());
        let facts = Connection::open(&cold_cache).unwrap();
        facts.execute("ATTACH ?1 AS warm", [cache.to_str().unwrap()]).unwrap();
        let copied = facts.execute_batch("INSERT INTO fact SELECT * FROM warm.fact; DETACH warm;");
        drop(facts);
        // Damage may be where this build did not look. Then there is nothing to compare with: which facts there are
        // depends on who looks.
        let sound = copied.is_ok_and(|()| {
            let (cache, aside) = Cache::open(&cold_cache, &|| {}).unwrap();
            aside.is_none() && cache.verify().unwrap().is_empty()
        });
        if !sound {
            prop_assert!(self.lost, "facts are damaged though nobody damaged the cache");
            return Ok(());
        }
        let cold = Overrides {
            cache: Some(cold_cache),
            output: Some(self.site.at("cold/public")),
            offline: true,
            ..Overrides::default()
        };
        self.build(cold).map_err(|why| fail(format!("the cold build failed: {why}")))?;

        let (mut warm, cold) = (self.site.tree("public"), self.site.tree("cold/public"));
        let (cache, _) = Cache::open(&cache, &|| {}).unwrap();
        prop_assert_eq!(cache.listing(Tree::Coming("public")).unwrap(), None, "it has not come to its end");
        let listing = cache.listing(Tree::Output("public")).unwrap().unwrap_or_default();
        let named: BTreeSet<PathBuf> = listing.keys().map(PathBuf::from).collect();
        if self.lost {
            warm.retain(|path, _| named.contains(path));
        }
        prop_assert_eq!(&named, &warm.keys().cloned().collect(), "the manifest is not what is published");
        prop_assert_eq!(&named, &cold.keys().cloned().collect(), "warm and cold have other files");
        for (path, content) in &warm {
            let (warm, cold) = (String::from_utf8_lossy(content), String::from_utf8_lossy(&cold[path]));
            prop_assert_eq!(warm, cold, "{} differs", path.display());
        }
        Ok(())
    }
}

#[test]
fn warm_equals_cold_after_any_history() {
    let cases = std::env::var("SHELFLIFE_HISTORIES").ok().and_then(|text| text.parse().ok()).unwrap_or(40);
    let mut runner = TestRunner::new(ProptestConfig {
        cases,
        failure_persistence: None,
        max_shrink_iters: 200,
        ..ProptestConfig::default()
    });
    let histories = prop::collection::vec(prop::collection::vec(event(), 1..4), 1..18);
    runner
        .run(&histories, |steps| {
            let mut history = History::new();
            history.check()?;
            for (number, events) in steps.iter().enumerate() {
                for event in events {
                    history.happen(event);
                }
                history.check().map_err(|error| match error {
                    TestCaseError::Fail(why) => TestCaseError::fail(format!("after step {number}: {why}")),
                    reject => reject,
                })?;
            }
            Ok(())
        })
        .unwrap();
}
