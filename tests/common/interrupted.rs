//! Builds that are ended before their time: what changes between them, when the blow falls, and what must be whole then.

use std::collections::{BTreeMap, HashMap};
use std::io::{BufRead as _, BufReader};
use std::path::PathBuf;
use std::process::{Child, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use shelflife_testkit::replay::{Repository, Server, Usage, Window, World};

use super::{Site, entry};

/// Pages say when sources last answered, so all builds are of one moment.
const NOW: &str = "1596270000";

/// How many kinds of changes there are.
const KINDS: u64 = 6;

/// A site whose builds are ended, the world that it asks, and how long its builds take.
pub struct Target {
    pub site: Site,
    server: Server,
    entries: u64,
    /// How long a build takes after a change of each kind: all of it, and what comes once everything is rendered.
    took: HashMap<(u64, Since), Duration>,
}

/// From when on it is counted when a blow falls.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Since {
    Start,
    Rendered,
}

/// What a build says when it has rendered everything that it had to.
const RENDERED: &str = "Rendered ";

/// What a build that was ended has left.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Left {
    /// The old site.
    Old,
    /// Some old files, some new ones.
    Both,
    /// The new site.
    New,
}

impl Target {
    /// A site with so many entries, built, with all that it can change changed once.
    pub fn new(entries: u64) -> Self {
        let server = Server::start(world(entries)).unwrap();
        let mut site = Site::asking(&server, "title = \"Test\"\nurl = \"https://plugins.example\"", "0s");
        site.set("SOURCE_DATE_EPOCH", NOW);
        for number in 0..entries {
            site.entry(&format!("plugin{number}"), "");
        }
        site.build(&[]).succeeded();
        let mut target = Self { site, server, entries, took: HashMap::new() };
        for kind in 0..KINDS {
            target.change(2 * kind);
            target.build(kind);
        }
        target
    }

    /// Builds to the end, and remembers how long that takes after such a change.
    fn build(&mut self, number: u64) {
        let started = Instant::now();
        let mut build = self.start();
        let rendered = wait_for(&mut build, RENDERED).map(|_| Instant::now());
        assert!(build.wait().unwrap().success());
        self.took.insert((number % KINDS, Since::Start), started.elapsed());
        self.took.insert((number % KINDS, Since::Rendered), rendered.unwrap_or(started).elapsed());
    }

    fn start(&self) -> Child {
        self.site.command(&[]).stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap()
    }

    /// Begins a build after this change and calls `blow` at a moment in it, if it is still running: every other time at any at all, and else at
    /// one after everything was rendered, since little time passes while files are written. Returns what it said until
    /// then, and whether it was still running.
    pub fn strike(&mut self, number: u64, blow: impl Fn(&mut Child)) -> (Child, String, bool) {
        let from = if number.is_multiple_of(2) { Since::Start } else { Since::Rendered };
        let mut build = self.start();
        let said = if from == Since::Rendered { wait_for(&mut build, RENDERED) } else { None };
        let took = self.took.get_mut(&(number / 2 % KINDS, from)).unwrap();
        let moment = Duration::from_micros(dice(number + 1_000_000, took.as_micros() as u64 + 1));
        thread::sleep(moment);
        let is_running = build.try_wait().unwrap().is_none();
        if is_running {
            blow(&mut build);
        }
        // What else this machine has to do changes how long a build takes.
        *took = if is_running { *took + *took / 20 } else { moment };
        (build, said.unwrap_or_default(), is_running)
    }

    /// Changes what a build depends on: an entry, a template, data, or the world. No two changes are the same.
    pub fn change(&self, number: u64) {
        let stem = format!("plugin{}", dice(number, self.entries));
        let place = format!("entries/{stem}.md");
        match number / 2 % KINDS {
            0 | 1 => self.site.write(&place, entry(&stem, &format!("tags:\n- tag{number}\n"))),
            2 => {
                let _ = std::fs::remove_file(self.site.at(&place));
            }
            3 => self.site.write("templates/macros.html", macros(number)),
            4 => self.site.write("data/notices.yaml", notice(&stem, number)),
            // Not usage: what it was while there was no entry is in no history.
            _ => self.server.change(|world| {
                for plugin in 0..self.entries {
                    world.add(repository(plugin, dice(number * self.entries + plugin, 5000)));
                }
            }),
        }
    }

    /// Fails unless each file is the old or the new one, and the cache as it should be.
    #[track_caller]
    pub fn assert_whole(&self, old: &Tree, new: &Tree, number: u64) -> Left {
        let found = self.site.tree("public");
        for (path, content) in &found {
            // What was being written is not at its place yet, and hidden.
            let is_hidden = path.file_name().is_some_and(|name| name.to_string_lossy().starts_with('.'));
            let is_whole = old.get(path) == Some(content) || new.get(path) == Some(content);
            assert!(is_hidden || is_whole, "blow {number}: {} is torn", path.display());
        }
        for path in old.keys().filter(|path| new.contains_key(*path)) {
            assert!(found.contains_key(path), "blow {number}: {} is gone", path.display());
        }
        let verified =
            self.site.program(&["cache", "verify", "--site"]).arg(self.site.path()).output().unwrap();
        assert!(verified.status.success(), "blow {number}: {}", String::from_utf8_lossy(&verified.stderr));
        match (found == *old, found == *new) {
            (true, _) => Left::Old,
            (_, true) => Left::New,
            _ => Left::Both,
        }
    }

    /// Fails unless the next build gives what a cold one gives.
    #[track_caller]
    pub fn assert_goes_on(&mut self, new: &Tree, number: u64) {
        let run = self.site.build(&[]).succeeded();
        let is_sound = !run.stderr.contains("was set aside") && !run.stderr.contains("was removed");
        assert!(is_sound, "blow {number}: {}", run.stderr);
        let tree = self.site.tree("public");
        assert_eq!(tree.keys().collect::<Vec<_>>(), new.keys().collect::<Vec<_>>(), "blow {number}");
        assert!(tree == *new, "blow {number}: not what a cold build gives");
    }
}

/// Reads what a process says until a line begins so; `None` if none does. Nobody else can read what it has said by then.
pub fn wait_for(process: &mut Child, start: &str) -> Option<String> {
    let mut said = String::new();
    let mut stderr = BufReader::with_capacity(1, process.stderr.take().unwrap());
    loop {
        let begin = said.len();
        if stderr.read_line(&mut said).unwrap() == 0 {
            return None;
        }
        if said[begin..].starts_with(start) {
            process.stderr = Some(stderr.into_inner());
            return Some(said);
        }
    }
}

/// The files of a folder.
pub type Tree = BTreeMap<PathBuf, Vec<u8>>;

/// A number that is another one each time, and the same in each run.
pub fn dice(number: u64, below: u64) -> u64 {
    let hash = blake3::hash(&number.to_le_bytes());
    u64::from_le_bytes(hash.as_bytes()[..8].try_into().unwrap()) % below
}

fn world(entries: u64) -> World {
    let mut world = World::new("2020-08-01T00:00:00Z".parse().unwrap());
    for number in 0..entries {
        world.add(repository(number, number));
        let usage = Usage { instances: number, ..Usage::default() };
        world.set_usage(Window::Month, format!("plugin{number}"), usage);
    }
    world
}

fn repository(number: u64, stars: u64) -> Repository {
    Repository::new(&format!("owner/plugin{number}"))
        .with_stars(stars)
        .with_push("2020-07-01T01:02:03Z".parse().unwrap())
        .with_file("setup.py", format!("plugin_identifier = 'plugin{number}'\n"))
        .with_file(format!("octoprint_plugin{number}/__init__.py"), "__plugin_pythoncompat__ = '>=3,<4'\n")
}

/// The theme's macros, which every page uses, with another comment.
fn macros(number: u64) -> String {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("site/templates/macros.html");
    format!("{{# {number} #}}{}<!-- {number} -->", std::fs::read_to_string(folder).unwrap())
}

fn notice(stem: &str, number: u64) -> String {
    format!("- plugin: {stem}\n  date: 2020-01-01 10:00:00Z\n  text: Notice {number}\n")
}
