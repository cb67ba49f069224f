//! A site and its world in a history: what each event does to them.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::io::{Read as _, Seek as _, SeekFrom, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use rusqlite::Connection;
use shelflife::build::Builder;
use shelflife::cache::state_beside;
use shelflife_testkit::replay::{Access, Fault, FaultAction, Kind, Repository, Server, Usage, Window, World};

use super::entry::{Entry, page, path_of};
use super::event::{
    ASSETS, DATA, Event, Failing, OUTPUTS, PAGES, ROOT, Redirects, STEMS, Touch, UNDONE, VIDEOS, Words,
    Wrong, folder, forgotten,
};
use super::template::{EQUAL, TEMPLATES, template};
use crate::common::{Site, picture};

/// A file that somebody puts where an output belongs.
pub const FOREIGN: &str = "mine.txt";

/// A site and its world, with a clock of their own.
pub struct History {
    pub site: Site,
    pub server: Server,
    minutes: i64,
    entries: [Option<Entry>; 5],
    /// What files hold, or would hold if nothing were wrong with them.
    pub(super) right: BTreeMap<String, Option<String>>,
    /// The files with which something is wrong, and for how many builds that stays so.
    pub(super) wrong: BTreeMap<String, u8>,
    pub strict: bool,
    /// Whether the site is published into the second folder.
    pub second: bool,
    /// The cache may be damaged in places that nobody has looked at.
    pub damaged: bool,
    /// Files in output folders that somebody wrote.
    pub by_hand: BTreeSet<PathBuf>,
    pub watcher: Watcher,
    /// What the state and the cache were after the last builds, and whether they may have been damaged.
    kept: Vec<([Option<Vec<u8>>; 2], bool)>,
    /// Closing a file would give up the locks that SQLite has on it in this process.
    open: Vec<File>,
}

/// A builder that goes on, and what it has to be told.
#[derive(Default)]
pub struct Watcher {
    pub builder: Option<Builder>,
    /// The files that have changed since it last built.
    pub changed: BTreeSet<PathBuf>,
    /// Something has changed of which it is not told.
    pub unknown: bool,
}

impl History {
    pub fn new() -> Self {
        let mut world = World::new(start());
        for stem in STEMS {
            world.add(
                Repository::new(&format!("owner/{stem}"))
                    .with_stars(1)
                    .with_issue(1, opened(1))
                    .with_issue(2, opened(2))
                    .with_file("setup.py", format!("plugin_package = 'octoprint_{stem}'\n")),
            );
        }
        let server = Server::start(world).unwrap();
        // A disk would be waited for, a few times in each build.
        let memory = Path::new("/dev/shm");
        let scratch = if memory.is_dir() { memory.to_path_buf() } else { std::env::temp_dir() };
        let mut site = Site::below(&scratch, "");
        site.set("GITHUB_TOKEN", "replay");
        site.set("GITHUB_GRAPHQL_URL", &server.graphql_url());
        let mut history = Self {
            site,
            server,
            minutes: 0,
            entries: [const { None }; 5],
            right: BTreeMap::new(),
            wrong: BTreeMap::new(),
            strict: false,
            second: false,
            damaged: false,
            by_hand: BTreeSet::new(),
            watcher: Watcher::default(),
            kept: Vec::new(),
            open: Vec::new(),
        };
        history.happen(&Event::Configure { title: 0, base_path: false, words: Words::None });
        history.happen(&Event::Template { which: EQUAL, text: None });
        (0..3).for_each(|entry| history.happen(&Event::Write { entry, tags: 0, text: 0 }));
        history
    }

    pub fn now(&self) -> Timestamp {
        start() + SignedDuration::from_mins(self.minutes)
    }

    /// The output folder's path.
    pub fn output(&self) -> PathBuf {
        self.site.at(folder(self.second))
    }

    /// The command that builds as things are.
    pub fn command(&self) -> Command {
        let mut command = self.site.command(&["--now", &self.now().to_string(), "--output"]);
        command.arg(self.output());
        if self.strict {
            command.arg("--strict");
        }
        command
    }

    /// A build was tried.
    pub fn was_tried(&mut self) {
        self.remember();
        let mended: Vec<String> =
            self.wrong.iter().filter(|(_, builds)| **builds <= 1).map(|(path, _)| path.clone()).collect();
        self.wrong.values_mut().for_each(|builds| *builds -= 1);
        for path in mended {
            let right = self.right.get(&path).cloned().flatten();
            self.put(&path, right);
        }
    }

    pub fn happen(&mut self, event: &Event) {
        match *event {
            Event::Write { entry, tags, text } => {
                let (source, redirects, abandoned, date) = match &self.entries[usize::from(entry)] {
                    Some(entry) => (entry.source, entry.redirects, entry.abandoned, entry.date),
                    None => (STEMS[usize::from(entry)], Redirects::Own, None, Some(0)),
                };
                let id = self.free_id(entry);
                self.write(entry, Entry { id, source, tags, text, redirects, abandoned, date });
            }
            Event::Redirect { entry, which } => {
                self.change(entry, |entry| entry.redirects = which);
            }
            Event::Abandon { entry, issue } => self.change(entry, |entry| entry.abandoned = issue),
            Event::Publish { entry, date } => self.change(entry, |entry| entry.date = date),
            Event::Page { which, text } => self.put(PAGES[usize::from(which)], text.map(page)),
            Event::Root { which, text } => {
                self.put(ROOT[usize::from(which)], text.map(|text| format!("{text}\n")));
            }
            Event::Move { entry, to } => self.change(entry, |entry| entry.source = STEMS[usize::from(to)]),
            Event::Remove { entry } => {
                self.entries[usize::from(entry)] = None;
                self.put(&path_of(entry), None);
            }
            Event::Rename { entry, to, anew } => {
                if self.entries[usize::from(to)].is_none()
                    && let Some(mut moved) = self.entries[usize::from(entry)].take()
                {
                    self.put(&path_of(entry), None);
                    if anew {
                        moved.id = self.free_id(to);
                    }
                    self.write(to, moved);
                }
            }
            Event::Spoil { what, builds } => self.spoil(what, builds),
            Event::Strict { on } => self.strict = on,
            Event::Template { which, text } => {
                self.put(&format!("templates/{}", TEMPLATES[usize::from(which)]), template(which, text));
            }
            Event::Data { which, text } => {
                let text = text.map(|n| {
                    let plugin = STEMS[usize::from(n)];
                    match which {
                        0 => format!(
                            "- plugin: alpha\n  date: 2020-01-0{} 10:00:00Z\n  text: n{n}\n  \
                             link: https://github.com/owner/alpha/issues/{n}\n",
                            n + 1
                        ),
                        1 | 2 => format!("- plugin: {plugin}\n  reason: \"[r{n}](/x)\"\n- plugin: beta\n"),
                        _ => format!("{plugin}:\n  user: u{n}\n  repo: r\n"),
                    }
                });
                self.put(&format!("data/{}.yaml", DATA[usize::from(which)]), text);
            }
            Event::Asset { which, text } => {
                let text = text.map(|text| format!("/* {text} */"));
                self.put(&format!("assets/{}", ASSETS[usize::from(which)]), text);
            }
            Event::Configure { title, base_path, words } => self.configure(title, base_path, words),
            Event::Undo { which } => self.undo(UNDONE[usize::from(which)]),
            Event::Output { second } => {
                self.second = second;
            }
            Event::Stars { .. }
            | Event::Used { .. }
            | Event::Source { .. }
            | Event::Hide { .. }
            | Event::Issue { .. }
            | Event::Film { .. }
            | Event::Fail { .. } => self.say(event),
            Event::Wait { minutes } => self.minutes += i64::from(minutes),
            Event::Forget { what } => self.forget(what),
            Event::Damage { at } => self.damage(at),
            Event::Delete { folder } => self.delete(folder),
            Event::PutBack { state, builds } => self.put_back(state, builds),
            Event::Collect { all } => {
                let all: &[&str] = if all { &["--keep", "1", "--max-size", "1B"] } else { &[] };
                self.cache_command(&[&["gc"], all].concat());
            }
            Event::Seed { entry, count } => self.seed(entry, count),
            Event::Clear => self.cache_command(&["clear"]),
            Event::Touch { what } => self.touch(what),
            Event::Kill { after } => self.kill(after),
            Event::Build(_) => {}
        }
    }

    /// Makes a file what it should be; what was wrong with it is mended by that.
    fn put(&mut self, path: &str, text: Option<String>) {
        match &text {
            Some(text) => self.site.write(path, text),
            None => drop(std::fs::remove_file(self.site.at(path))),
        }
        self.watcher.changed.insert(self.site.at(path));
        self.wrong.remove(path);
        self.right.insert(path.to_owned(), text);
    }

    fn configure(&mut self, title: u8, base_path: bool, words: Words) {
        let base_path = if base_path { "/sub" } else { "" };
        let (week, month) = (self.server.export_url(Window::Week), self.server.export_url(Window::Month));
        let (api, badges) = (title != 1, title != 2);
        let config = format!(
            "title = \"Title {title}\"\nurl = \"https://x.example\"\nbase_path = \"{base_path}\"\n\
             [outputs]\napi = {api}\nbadges = {badges}\n\
             [github]\nttl = \"30m\"\n[usage]\nttl = \"10m\"\nweek = \"{week}\"\nmonth = \"{month}\"\n\
             [thumbnails]\nttl = \"20m\"\nyoutube = \"{}\"\n{}",
            self.server.thumbnails_url(),
            match words {
                Words::None => "",
                Words::Footer => "[theme.texts]\nfooter = \"The *end*\"\n",
                Words::Synonyms => "[search]\nsynonyms = [\"one, other\"]\n",
            }
        );
        self.put("shelflife.toml", Some(config));
    }

    /// The id that an entry has unless another one has it.
    fn free_id(&self, entry: u8) -> String {
        let stem = STEMS[usize::from(entry)];
        let others = self.entries.iter().enumerate().filter(|(at, _)| *at != usize::from(entry));
        let is_taken = others.filter_map(|(_, other)| other.as_ref()).any(|other| other.id == stem);
        if is_taken { format!("{stem}_again") } else { stem.to_owned() }
    }

    fn change(&mut self, entry: u8, change: impl FnOnce(&mut Entry)) {
        if let Some(mut changed) = self.entries[usize::from(entry)].clone() {
            change(&mut changed);
            self.write(entry, changed);
        }
    }

    fn write(&mut self, entry: u8, written: Entry) {
        self.put(&path_of(entry), Some(written.file(usize::from(entry))));
        self.entries[usize::from(entry)] = Some(written);
    }

    fn spoil(&mut self, what: Wrong, builds: u8) {
        let right = |entry: u8| self.right.get(&path_of(entry)).cloned().flatten();
        let (path, text) = match what {
            Wrong::NoTitle(entry) => {
                (path_of(entry), right(entry).map(|text| text.replace("\ntitle:", "\ntitel:")))
            }
            Wrong::NoEnd(entry) => (path_of(entry), right(entry).map(|text| text.replace("\n---\n", "\n"))),
            Wrong::Clash { entry, with, capitals } => {
                let id = STEMS[usize::from(with)];
                let id = if capitals { id.to_uppercase() } else { id.to_owned() };
                let own = self.entries[usize::from(entry)].as_ref().map(|entry| entry.id.as_str());
                let own = format!("\nid: {}\n", own.unwrap_or_default());
                (path_of(entry), right(entry).map(|text| text.replace(&own, &format!("\nid: {id}\n"))))
            }
            Wrong::Data(which) => {
                (format!("data/{}.yaml", DATA[usize::from(which)]), Some("a text\n".to_owned()))
            }
            Wrong::Template => ("templates/mine.html".to_owned(), Some("{{ wrong".to_owned())),
        };
        if let Some(text) = text {
            self.site.write(&path, text);
            self.watcher.changed.insert(self.site.at(&path));
            self.wrong.insert(path, builds);
        }
    }

    /// What the outside world has to say changes.
    fn say(&self, event: &Event) {
        let name = |repository: u8| format!("owner/{}", STEMS[usize::from(repository)]);
        if let Event::Fail { which } = *event {
            let fails = move |kind: Kind| match which {
                Failing::Nobody => false,
                Failing::Github => !matches!(kind, Kind::Export(_) | Kind::Thumbnail),
                Failing::Exports => matches!(kind, Kind::Export(_)),
                Failing::All => true,
            };
            let fault: Fault = Arc::new(move |it| fails(it.kind).then(|| FaultAction::status(404, "no")));
            self.server.set_fault(Some(fault));
            return;
        }
        self.server.change(|world| match *event {
            Event::Stars { repository, count } => {
                world.repository_mut(&name(repository)).unwrap().stars = u64::from(count);
            }
            Event::Used { entry, count } => {
                let usage = Usage { instances: u64::from(count), ..Usage::default() };
                world.set_usage(Window::Month, STEMS[usize::from(entry)], usage);
            }
            Event::Source { repository, minor } => {
                let source = format!("__plugin_pythoncompat__ = '>=3.{minor}'\n");
                let path = format!("octoprint_{}/__init__.py", STEMS[usize::from(repository)]);
                world.repository_mut(&name(repository)).unwrap().set_file(path, source);
            }
            Event::Hide { repository, hidden } => {
                let access = if hidden { Access::Private } else { Access::Public };
                world.repository_mut(&name(repository)).unwrap().access = access;
            }
            Event::Issue { repository, issue, day } => {
                let issues = &mut world.repository_mut(&name(repository)).unwrap().issues;
                match day {
                    Some(day) => drop(issues.insert(u64::from(issue), opened(day))),
                    None => drop(issues.remove(&u64::from(issue))),
                }
            }
            Event::Film { video, size } => {
                world.set_thumbnail(VIDEOS[usize::from(video)], size.map(picture));
            }
            _ => {}
        });
    }

    fn cache(&self) -> PathBuf {
        self.site.at(".shelflife/cache.sqlite")
    }

    fn forget(&mut self, what: u8) {
        if !self.cache().exists() {
            return;
        }
        let forgotten = forgotten(what);
        let cache = Connection::open(self.cache()).unwrap();
        for rows in forgotten {
            // A damaged cache may refuse; then it is damaged and not forgetful.
            let _ = cache.execute(&format!("DELETE FROM {rows}"), []);
        }
    }

    fn damage(&mut self, at: u16) {
        let Ok(mut file) = File::options().read(true).write(true).open(self.cache()) else { return };
        // The first page stays: a file that no longer looks like a cache is another story.
        let room = file.metadata().unwrap().len().checked_sub(4096 + 64).filter(|room| *room > 0);
        if let Some(room) = room {
            file.seek(SeekFrom::Start(4096 + u64::from(at) * 4099 % room)).unwrap();
            file.write_all(&[0xA5; 64]).unwrap();
            self.damaged = true;
        }
        self.open.push(file);
    }

    fn delete(&mut self, folder: bool) {
        if folder {
            let _ = std::fs::remove_dir_all(self.site.at(".shelflife"));
            self.damaged = false;
        } else {
            let _ = std::fs::remove_file(self.cache());
            // What SQLite keeps beside the file of a builder that goes on is taken for the next file's.
            self.damaged |= self.watcher.builder.is_some();
        }
    }

    /// Keeps copies of the two files, as they are without what is in their logs.
    fn remember(&mut self) {
        let files = [state_beside(&self.cache()), self.cache()].map(|path| {
            let mut file = File::open(path).ok()?;
            let mut bytes = Vec::new();
            file.read_to_end(&mut bytes).unwrap();
            self.open.push(file);
            Some(bytes)
        });
        self.kept.push((files, self.damaged));
    }

    fn put_back(&mut self, state: bool, builds: u8) {
        let Some(kept) = self.kept.len().checked_sub(1 + usize::from(builds)) else { return };
        let (files, damaged) = &self.kept[kept];
        let path = if state { state_beside(&self.cache()) } else { self.cache() };
        for suffix in ["", "-wal", "-shm"] {
            let mut name = path.clone().into_os_string();
            name.push(suffix);
            let _ = std::fs::remove_file(name);
        }
        if let Some(bytes) = &files[usize::from(!state)] {
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, bytes).unwrap();
        }
        self.damaged |= damaged;
    }

    fn cache_command(&self, arguments: &[&str]) {
        // Where there is no cache, or a damaged one, it says so.
        let mut command = self.site.program(&["cache"]);
        command.args(arguments).arg("--site").arg(self.site.path());
        command.stdout(Stdio::null()).stderr(Stdio::null()).status().unwrap();
    }

    fn seed(&mut self, entry: u8, count: u8) {
        let stem = STEMS[usize::from(entry)];
        let days: Vec<String> =
            (1..=count).map(|day| format!("[\"2020-07-0{day}\", {}]", u32::from(day) * 3 % 7)).collect();
        let days = days.join(", ");
        self.site.write("seed/api/v1/plugins.json", format!("{{\"plugins\": [{{\"id\": \"{stem}\"}}]}}"));
        let series = format!("{{\"instances_month\": [{days}], \"stars\": [{days}]}}");
        let history = format!("{{\"id\": \"{stem}\", \"declared_id\": \"{stem}\", \"series\": {series}}}");
        self.site.write(&format!("seed/api/v1/plugins/{stem}/history.json"), history);
        let folder = self.site.at("seed");
        self.cache_command(&["seed", folder.to_str().unwrap()]);
    }

    fn touch(&mut self, what: Touch) {
        self.watcher.unknown = true;
        let folder = folder(self.second);
        let place = |output: u8| format!("{folder}/{}", OUTPUTS[usize::from(output)]);
        let is_there = |output: u8| self.site.at(&place(output)).is_file();
        match what {
            Touch::RemoveAll => {
                let _ = std::fs::remove_dir_all(self.output());
                self.by_hand.retain(|path| !path.starts_with(folder));
            }
            Touch::Remove(output) if is_there(output) => {
                std::fs::remove_file(self.site.at(&place(output))).unwrap();
            }
            Touch::Write(output) if is_there(output) => {
                self.site.write(&place(output), "by hand");
                self.by_hand.insert(place(output).into());
            }
            Touch::Folder { output, full } if is_there(output) => {
                std::fs::remove_file(self.site.at(&place(output))).unwrap();
                std::fs::create_dir(self.site.at(&place(output))).unwrap();
                if full {
                    let foreign = format!("{}/{FOREIGN}", place(output));
                    self.site.write(&foreign, "");
                    self.by_hand.insert(foreign.into());
                }
            }
            _ => {}
        }
    }

    /// Removes the folders that keep outputs from their places.
    pub fn clear_the_way(&mut self) {
        for output in OUTPUTS {
            let place = format!("{}/{output}", folder(self.second));
            if self.site.at(&place).join(FOREIGN).exists() {
                std::fs::remove_dir_all(self.site.at(&place)).unwrap();
                self.by_hand.retain(|path| !path.starts_with(&place));
            }
        }
    }

    fn kill(&mut self, after: u8) {
        let mut child = self.command().stderr(Stdio::null()).spawn().unwrap();
        std::thread::sleep(Duration::from_millis(u64::from(after)));
        let _ = child.kill();
        child.wait().unwrap();
    }
}

/// When an issue was opened that is one of this day.
fn opened(day: u8) -> Timestamp {
    format!("2020-05-{day:02}T10:00:00Z").parse().unwrap()
}

fn start() -> Timestamp {
    "2020-08-01T00:00:00Z".parse().unwrap()
}
