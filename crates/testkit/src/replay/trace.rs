//! A trace: a series of real builds of a registry. Each build, a tick, gives the world at its time.
//!
//! A trace's folder holds `ticks/NNN.json` (with `tick`, `time`, and the published `plugins`) and `sources.bundle`, a
//! git bundle in which the tag `tick-NNN` has the entries of each tick.

use std::collections::BTreeMap;
use std::fmt;
use std::io;
use std::path::{Path, PathBuf};
use std::process::Command;

use jiff::{SignedDuration, Timestamp};
use serde_json::Value;
use tempfile::TempDir;

use super::dice::Dice;
use super::front_matter::Head;
use super::repository::{Release, Repository};
use super::source::{self, Plugin};
use super::world::{Usage, Window, World};

/// Why a trace can't be replayed: what was tried, and why it failed.
#[derive(Debug)]
pub struct TraceError(String);

impl fmt::Display for TraceError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for TraceError {}

fn at(path: &Path) -> impl Fn(io::Error) -> TraceError {
    move |why| TraceError(format!("{}: {why}", path.display()))
}

/// Returns the folder of test data beside the repository, if it exists: `$SHELFLIFE_SHARED`, or `../shared`.
pub fn shared() -> Option<PathBuf> {
    let beside = || Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared");
    let path = std::env::var_os("SHELFLIFE_SHARED").map_or_else(beside, PathBuf::from);
    path.canonicalize().ok().filter(|path| path.is_dir())
}

/// An open trace.
#[derive(Debug)]
pub struct Trace {
    ticks: BTreeMap<u32, Tick>,
    sources: Sources,
}

#[derive(Debug)]
struct Tick {
    time: Timestamp,
    plugins: Vec<Value>,
}

/// The origin of a tick's entries.
#[derive(Debug)]
enum Sources {
    /// A bare clone of the bundle, with a tag for each tick.
    Clone(TempDir),
    /// A folder with `_plugins` and `_data`, for all ticks.
    Folder(PathBuf),
}

impl Trace {
    /// Opens the trace in a folder. The bundle is cloned into a temporary folder, which requires `git`.
    ///
    /// # Errors
    /// A file is missing or invalid, or git fails.
    pub fn open(folder: &Path) -> Result<Self, TraceError> {
        let ticks = read_ticks(folder)?;
        let clone =
            TempDir::new().map_err(|why| TraceError(format!("can't create a temporary folder: {why}")))?;
        let bundle = folder.join("sources.bundle");
        let mut git = git();
        git.args(["clone", "--quiet", "--bare"]).arg(&bundle).arg(clone.path());
        run(git)?;
        Ok(Self { ticks, sources: Sources::Clone(clone) })
    }

    /// Opens the trace in a folder, but takes the entries of every tick from another folder (`_plugins/*.md`).
    ///
    /// # Errors
    /// A file is missing or invalid.
    pub fn with_sources(folder: &Path, sources: &Path) -> Result<Self, TraceError> {
        Ok(Self { ticks: read_ticks(folder)?, sources: Sources::Folder(sources.to_owned()) })
    }

    /// Returns the numbers of the ticks, in order.
    pub fn ticks(&self) -> Vec<u32> {
        self.ticks.keys().copied().collect()
    }

    /// Returns the time of a tick's build.
    ///
    /// # Errors
    /// The trace has no such tick.
    pub fn time(&self, tick: u32) -> Result<Timestamp, TraceError> {
        Ok(self.tick(tick)?.time)
    }

    /// Returns the plugins that a tick's build published, as an array.
    ///
    /// # Errors
    /// The trace has no such tick.
    pub fn published(&self, tick: u32) -> Result<Value, TraceError> {
        Ok(Value::Array(self.tick(tick)?.plugins.clone()))
    }

    /// Writes the entries and data files of a tick into a folder, in place of its `_plugins` and `_data`.
    ///
    /// # Errors
    /// The trace has no such tick, the folder can't be written, or git fails.
    pub fn checkout(&self, tick: u32, folder: &Path) -> Result<(), TraceError> {
        self.tick(tick)?;
        for name in ["_plugins", "_data"] {
            let path = folder.join(name);
            match std::fs::remove_dir_all(&path) {
                Err(why) if why.kind() != io::ErrorKind::NotFound => return Err(at(&path)(why)),
                _ => {}
            }
            std::fs::create_dir_all(&path).map_err(at(&path))?;
        }
        match &self.sources {
            Sources::Folder(from) => {
                for name in ["_plugins", "_data"] {
                    copy(&from.join(name), &folder.join(name))?;
                }
                Ok(())
            }
            Sources::Clone(clone) => {
                // An index of its own, so that two checkouts at once don't wait for each other's lock.
                let scratch = TempDir::new()
                    .map_err(|why| TraceError(format!("can't create a temporary folder: {why}")))?;
                let index = scratch.path().join("index");
                let folder = folder.canonicalize().map_err(at(folder))?;
                for arguments in [["read-tree", &format!("tick-{tick}")], ["checkout-index", "--all"]] {
                    let mut git = git();
                    git.env("GIT_INDEX_FILE", &index).current_dir(&folder);
                    git.arg("--git-dir").arg(clone.path()).arg("--work-tree").arg(&folder).args(arguments);
                    run(git)?;
                }
                Ok(())
            }
        }
    }

    /// Returns the world at a tick, as far as it follows from what was published.
    ///
    /// Everything else is made up, and the same in every run: issues' dates, watchers, earlier releases, instances by
    /// version, sources (see `source.rs`), and plugins in the exports that have no entry.
    ///
    /// # Errors
    /// As for [`Trace::checkout`]; or an entry can't be read, or a published value is invalid.
    pub fn world(&self, tick: u32) -> Result<World, TraceError> {
        let Tick { time, plugins } = self.tick(tick)?;
        let heads = self.heads(tick)?;
        let mut world = World::new(*time);
        world.set_tick(tick);
        for plugin in plugins {
            let stem = plugin.get("id").and_then(Value::as_str).unwrap_or_default();
            let wrong = |what: &str| TraceError(format!("tick {tick}: {stem}: {what}"));
            let head = heads.get(stem).ok_or_else(|| wrong("no entry with this name has an id"))?;
            add_usage(&mut world, plugin, &head.id);
            if let (Some(name), Some(github)) = (head.repository(), plugin.get("github")) {
                let repository =
                    repository(&name, head, plugin, github, *time).map_err(|what| wrong(&what))?;
                world.add(repository);
            }
        }
        for (name, number) in heads.values().filter_map(Head::issue) {
            add_issue(&mut world, &name, number);
        }
        add_bundled(&mut world);
        Ok(world)
    }

    fn tick(&self, tick: u32) -> Result<&Tick, TraceError> {
        self.ticks.get(&tick).ok_or_else(|| TraceError(format!("the trace has no tick {tick}")))
    }

    fn heads(&self, tick: u32) -> Result<BTreeMap<String, Head>, TraceError> {
        let scratch =
            TempDir::new().map_err(|why| TraceError(format!("can't create a temporary folder: {why}")))?;
        let folder = match &self.sources {
            Sources::Folder(folder) => folder.join("_plugins"),
            Sources::Clone(_) => {
                self.checkout(tick, scratch.path())?;
                scratch.path().join("_plugins")
            }
        };
        let mut heads = BTreeMap::new();
        for file in std::fs::read_dir(&folder).map_err(at(&folder))? {
            let path = file.map_err(at(&folder))?.path();
            let (Some(stem), true) = (path.file_stem(), path.extension().is_some_and(|it| it == "md")) else {
                continue;
            };
            let bytes = std::fs::read(&path).map_err(at(&path))?;
            if let Some(head) = Head::read(&String::from_utf8_lossy(&bytes)) {
                heads.insert(stem.to_string_lossy().into_owned(), head);
            }
        }
        Ok(heads)
    }
}

fn read_ticks(folder: &Path) -> Result<BTreeMap<u32, Tick>, TraceError> {
    let folder = folder.join("ticks");
    let mut ticks = BTreeMap::new();
    for file in std::fs::read_dir(&folder).map_err(at(&folder))? {
        let path = file.map_err(at(&folder))?.path();
        if path.extension().is_none_or(|it| it != "json") {
            continue;
        }
        let wrong = |what: &str| TraceError(format!("{}: {what}", path.display()));
        let bytes = std::fs::read(&path).map_err(at(&path))?;
        let mut value: Value = serde_json::from_slice(&bytes).map_err(|why| wrong(&why.to_string()))?;
        let number = value.get("tick").and_then(Value::as_u64).and_then(|it| u32::try_from(it).ok());
        let time = value.get("time").and_then(Value::as_str).and_then(|it| it.parse().ok());
        let (Some(number), Some(time)) = (number, time) else {
            return Err(wrong("`tick` or `time` is missing"));
        };
        let Some(Value::Array(plugins)) = value.get_mut("plugins").map(Value::take) else {
            return Err(wrong("`plugins` is missing"));
        };
        ticks.insert(number, Tick { time, plugins });
    }
    if ticks.is_empty() { Err(TraceError(format!("{}: no ticks", folder.display()))) } else { Ok(ticks) }
}

/// Returns a git command that ignores the repository or hook from which this process may have been started, and the
/// user's settings for line endings.
fn git() -> Command {
    let mut git = Command::new("git");
    for name in ["GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_OBJECT_DIRECTORY", "GIT_PREFIX"] {
        git.env_remove(name);
    }
    git.args(["-c", "core.autocrlf=false", "-c", "core.eol=lf"]);
    git
}

fn run(mut git: Command) -> Result<(), TraceError> {
    let output = git.output().map_err(|why| TraceError(format!("can't run git: {why}")))?;
    if output.status.success() {
        return Ok(());
    }
    Err(TraceError(format!("git failed: {}", String::from_utf8_lossy(&output.stderr).trim())))
}

/// Copies the files of a folder, if it exists.
fn copy(from: &Path, to: &Path) -> Result<(), TraceError> {
    let files = match std::fs::read_dir(from) {
        Err(why) if why.kind() == io::ErrorKind::NotFound => return Ok(()),
        files => files.map_err(at(from))?,
    };
    for file in files {
        let path = file.map_err(at(from))?.path();
        if let Some(name) = path.file_name().filter(|_| path.is_file()) {
            std::fs::copy(&path, to.join(name)).map_err(at(&path))?;
        }
    }
    Ok(())
}

fn number(value: &Value, path: &str) -> Option<u64> {
    value.pointer(path)?.as_u64()
}

fn add_usage(world: &mut World, plugin: &Value, id: &str) {
    let id = id.to_lowercase();
    for (window, name) in [(Window::Week, "week"), (Window::Month, "month")] {
        let instances = number(plugin, &format!("/stats/instances_{name}")).unwrap_or(0);
        let install_events = number(plugin, &format!("/stats/install_events_{name}")).unwrap_or(0);
        // The exports list only plugins with usage.
        if instances > 0 || install_events > 0 {
            let versions = versions(&id, instances);
            world.set_usage(window, id.clone(), Usage { instances, install_events, versions });
        }
    }
}

/// Splits instances over two or three versions, the newest with the most.
fn versions(id: &str, instances: u64) -> BTreeMap<String, u64> {
    let mut dice = Dice::new(&["versions", id]);
    let (major, minor, patch) = (dice.below(3), dice.below(12), 1 + dice.below(9));
    let newest = instances - instances * (10 + dice.below(25)) / 100;
    let older = if dice.one_in(2) { (instances - newest) / 3 } else { 0 };
    let names = [
        (format!("{major}.{minor}.{patch}"), newest),
        (format!("{major}.{minor}.{}", patch - 1), instances - newest - older),
        (format!("{major}.{}.0rc1", minor + 1), older),
    ];
    names.into_iter().filter(|(_, n)| *n > 0).collect()
}

/// Adds an issue that an entry names, opened on a day in 2018 or 2019, before the first tick. A repository that the
/// world doesn't have yet, such as the registry's own, is added with it.
pub(crate) fn add_issue(world: &mut World, name: &str, number: u64) {
    let mut dice = Dice::new(&["issue", &name.to_ascii_lowercase(), &number.to_string()]);
    let seconds = ARCHIVED_BEFORE.saturating_add_unsigned(dice.below(2 * 365 * DAY));
    let opened = Timestamp::from_second(seconds).unwrap_or(Timestamp::UNIX_EPOCH);
    if world.exact(name).is_none() {
        world.add(Repository::new(name));
    }
    if let Some(repository) = world.repository_mut(name) {
        repository.issues.insert(number, opened);
    }
}

/// Adds plugins that come with OctoPrint: the exports list them, but no registry does.
fn add_bundled(world: &mut World) {
    for (id, instances) in [("announcements", 98_000), ("pluginmanager", 99_500), ("softwareupdate", 99_000)]
    {
        for (window, share) in [(Window::Week, 3), (Window::Month, 4)] {
            if !world.usage(window).contains_key(id) {
                let instances = instances * share / 4;
                let usage = Usage { instances, install_events: 0, versions: versions(id, instances) };
                world.set_usage(window, id, usage);
            }
        }
    }
}

/// Parses a published time, `2020-05-23 05:38:17 +0000`.
fn published_time(value: Option<&Value>) -> Result<Timestamp, String> {
    let text = value.and_then(Value::as_str).ok_or("a time is missing")?;
    Timestamp::strptime("%Y-%m-%d %H:%M:%S %z", text).map_err(|why| format!("{text:?} is not a time: {why}"))
}

fn later(time: Timestamp, seconds: u64) -> Timestamp {
    time.checked_add(span(seconds)).unwrap_or(Timestamp::MAX)
}

fn earlier(time: Timestamp, seconds: u64) -> Timestamp {
    time.checked_sub(span(seconds)).unwrap_or(Timestamp::MIN)
}

fn span(seconds: u64) -> SignedDuration {
    SignedDuration::from_secs(i64::try_from(seconds).unwrap_or(i64::MAX))
}

const HOUR: u64 = 3600;
const DAY: u64 = 24 * HOUR;

/// Some repositories without a push since 2018 are archived. The date is fixed, so that time alone archives none
/// between two ticks.
const ARCHIVED_BEFORE: i64 = 1_514_764_800;

fn repository(
    name: &str,
    head: &Head,
    plugin: &Value,
    github: &Value,
    now: Timestamp,
) -> Result<Repository, String> {
    let mut dice = Dice::new(&["repository", &name.to_ascii_lowercase()]);
    let stars = number(github, "/stars").ok_or("`stars` is missing")?;
    let (Some(open), Some(closed)) = (number(github, "/issues/open"), number(github, "/issues/closed"))
    else {
        return Err("`issues` is missing".into());
    };
    let pushed = published_time(github.get("last_push"))?;
    let mut it = Repository::new(name).with_stars(stars).with_issues(open, closed).with_push(pushed);
    it.watchers = stars / 5 + dice.below(6);
    // Pushes to other branches change `pushedAt` alone.
    if dice.one_in(6) {
        let later = later(pushed, HOUR + dice.below(30 * DAY));
        it.pushed_at = if later < now { later } else { pushed };
    }
    it.default_branch = Some(if dice.one_in(8) { "devel".into() } else { "master".into() });
    it.fork = dice.one_in(12);
    it.archived = dice.one_in(4) && pushed.as_second() < ARCHIVED_BEFORE;
    it.description = (!dice.one_in(10)).then(|| head.title.clone());
    it.license = head.license.as_deref().filter(|_| !dice.one_in(4)).and_then(spdx).map(str::to_owned);
    if let Some(latest) = github.get("latest_release") {
        it.releases = releases(latest, number(github, "/releases").unwrap_or(1), &mut dice)?;
    }
    let tag = it.latest_release().map(|release| release.tag.clone());
    let python =
        plugin.pointer("/compatibility/python").and_then(Value::as_str).unwrap_or(source::DEFAULT_PYTHON);
    // An entry's declaration wins over its sources, so the sources may differ.
    let python = if head.python.is_some() && dice.one_in(3) { source::DEFAULT_PYTHON } else { python };
    let about =
        Plugin { repository: name, identifier: &head.id, title: &head.title, tag: tag.as_deref(), python };
    for (path, blob) in source::files(&about) {
        it.set_file(path, blob.bytes());
    }
    Ok(it)
}

fn releases(latest: &Value, total: u64, dice: &mut Dice) -> Result<Vec<Release>, String> {
    let text = |key| latest.get(key).and_then(Value::as_str);
    let published_at = published_time(latest.get("date"))?;
    let tag = text("tag").ok_or("a release has no tag")?.to_owned();
    // A commit is tagged before its release is published, so it is older.
    let created_at = earlier(published_at, 60 + dice.below(HOUR));
    let name = text("name").map(str::to_owned);
    let mut releases = vec![Release { name, tag, published_at, created_at, prerelease: false, draft: false }];
    let mut time = created_at;
    for number in 1..total {
        time = earlier(time, DAY + dice.below(90 * DAY));
        let tag = format!("0.0.{}", total - number);
        releases.push(Release { prerelease: dice.one_in(6), ..Release::new(tag.clone(), tag, time) });
    }
    // Some repositories have a newer prerelease: the newest release isn't always the latest full one.
    if releases.len() > 2
        && dice.one_in(5)
        && let Some(oldest) = releases.pop()
    {
        let tag = format!("{}rc", oldest.tag);
        releases.insert(0, Release { prerelease: true, ..Release::new(tag, "", published_at) });
    }
    Ok(releases)
}

/// Returns the SPDX id of a license as entries write it.
fn spdx(license: &str) -> Option<&'static str> {
    let plain: String = license.to_ascii_lowercase().chars().filter(char::is_ascii_alphanumeric).collect();
    match plain.as_str() {
        "agplv3" | "agpl3" | "agpl30" => Some("AGPL-3.0"),
        "gplv3" | "gpl3" | "gpl30" => Some("GPL-3.0"),
        "mit" | "mitlicense" => Some("MIT"),
        "apache20" | "apachev2" | "apachelicense20" => Some("Apache-2.0"),
        _ => None,
    }
}
