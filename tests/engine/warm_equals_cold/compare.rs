//! A build in a history, and how what it published is compared with what a first build would publish.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use rusqlite::Connection;
use shelflife::build::{Afterwards, Builder, Problems, build};
use shelflife::cache::{Cache, Mishaps, Tree, state_beside};
use shelflife::config::{Config, Overrides};

use super::event::{By, folder};
use super::history::{FOREIGN, History};
use crate::common::builder::{Silent, learn};

/// What is in a folder.
type Files = BTreeMap<PathBuf, Vec<u8>>;

impl History {
    /// Builds, and compares with a first build that knows the same facts.
    ///
    /// A build that fails must do so as the first one does, and leave what is published as it was.
    pub fn check(&mut self, by: By) -> Result<(), String> {
        let before = self.published();
        let warm = self.build(by);
        let first = self.first();
        // Damage may be where this build did not look. Then there is nothing to compare with: which facts there are
        // depends on who looks.
        if first.is_none() && !self.damaged {
            return Err("the cache is damaged though nobody damaged it".to_owned());
        }
        let Some((cold, cache)) = first else {
            self.was_tried();
            return Ok(());
        };
        match (warm, cold) {
            (Ok(()), Ok(())) => self.compare(&cache)?,
            (Err(warm), Err(cold)) => {
                if by != By::Program && warm != cold {
                    return Err(format!(
                        "the build fails with\n  {warm}\nwhere a first one fails with\n  {cold}"
                    ));
                }
                same_files(&before, &self.published(), "after a build that failed", "before it")?;
            }
            (Err(warm), Ok(())) if warm.contains(FOREIGN) => {
                same_files(&before, &self.published(), "after a build that failed", "before it")?;
                self.clear_the_way();
            }
            (Err(warm), Ok(())) => return Err(format!("the build fails: {warm}")),
            (Ok(()), Err(cold)) => return Err(format!("only a first build fails: {cold}")),
        }
        self.was_tried();
        Ok(())
    }

    /// What is in the output folder.
    fn published(&self) -> Files {
        if self.output().is_dir() { self.site.tree(folder(self.second)) } else { Files::new() }
    }

    fn compare(&mut self, cache: &Cache) -> Result<(), String> {
        let name = folder(self.second);
        if cache.manifest(Tree::Coming(name)).unwrap().is_some() {
            return Err("what was about to be published is still listed after the build".to_owned());
        }
        let manifest = cache.manifest(Tree::Output(name)).unwrap().unwrap_or_default();
        let named: BTreeSet<PathBuf> = manifest.paths().map(PathBuf::from).collect();
        let mut warm = self.published();
        let by_hand = std::mem::take(&mut self.by_hand);
        // What is an output again is the build's.
        self.by_hand = by_hand
            .into_iter()
            .filter(|path| path.strip_prefix(name).is_ok_and(|path| !named.contains(path)))
            .collect();
        // Whatever became of the cache, the folder's own manifest tells what builds wrote.
        let is_foreign = |path: &Path| self.by_hand.contains(&Path::new(name).join(path));
        warm.retain(|path, _| named.contains(path) || !is_foreign(path));
        let published: BTreeSet<PathBuf> = warm.keys().cloned().collect();
        same_paths(&named, &published, "in the manifest", "published")?;
        same_files(&self.site.tree("cold/public"), &warm, "in a first build", "here")
    }

    pub(super) fn config(&self, overrides: Overrides) -> Result<Config, String> {
        let overrides = Overrides { now: Some(self.now()), strict: self.strict, ..overrides };
        self.site.config(&self.server, &overrides).map_err(|error| told(&error))
    }

    fn build(&mut self, by: By) -> Result<(), String> {
        let warm = |offline| Overrides { output: Some(self.output()), offline, ..Overrides::default() };
        match by {
            By::Afresh => build(&self.config(warm(false))?, &Silent).map(drop).map_err(|error| told(&error)),
            By::Program => {
                let output = self.command().output().unwrap();
                // 3 is for entries that can't be read, 4 for facts that are missing where all have to be right.
                if matches!(output.status.code(), Some(0 | 3 | 4)) {
                    return Ok(());
                }
                Err(String::from_utf8_lossy(&output.stderr).into_owned())
            }
            By::Watcher { told, anew } => {
                let (offline, online) = (self.config(warm(true))?, self.config(warm(false))?);
                self.watch(&offline, &online, told, anew)
            }
        }
    }

    /// Builds as a watcher does: what has changed at once, then what sources answer.
    fn watch(&mut self, offline: &Config, online: &Config, is_told: bool, anew: bool) -> Result<(), String> {
        let watcher = &mut self.watcher;
        if anew || watcher.builder.is_none() {
            watcher.builder = None;
            watcher.unknown = true;
        }
        let builder = watcher.builder.get_or_insert_with(|| Builder::new(Afterwards::GoOn));
        watcher.unknown |= !is_told;
        let changed = (!watcher.unknown).then_some(&watcher.changed);
        builder.build(offline, changed, &[], &Silent).map_err(|error| told(&error))?;
        watcher.changed.clear();
        watcher.unknown = false;
        learn(builder, online).map(drop).map_err(|error| told(&error))
    }

    /// What comes of a first build into `cold/public` that knows the same facts, histories and last good versions, and the cache as it was
    /// before, of which those and manifests alone are there. `None` if one of them is damaged.
    fn first(&self) -> Option<(Result<(), String>, Cache)> {
        let _ = std::fs::remove_dir_all(self.site.at("cold"));
        let warm = self.site.at(".shelflife/cache.sqlite");
        let (seen, cold) = (self.site.at("cold/seen.sqlite"), self.site.at("cold/cache.sqlite"));
        for place in [&seen, &cold] {
            let (cache, state) = empty();
            for (place, bytes) in [(place.clone(), cache), (state_beside(place), state)] {
                self.site.write(&place.strip_prefix(self.site.path()).unwrap().to_string_lossy(), bytes);
            }
        }
        let state =
            |to: &Path| copy(&state_beside(&warm), &state_beside(to), &["fact", "history", "good"]).ok();
        copy(&warm, &seen, &["shard WHERE map <> 'entry_trace'"]).ok()?;
        state(&seen)?;
        let (seen, mishaps) = Cache::open(&seen, &|| {}).unwrap();
        let is_sound = mishaps == Mishaps::default() && seen.verify().is_ok_and(|wrong| wrong.is_empty());
        if !is_sound {
            return None;
        }
        state(&cold)?;
        let overrides = Overrides {
            cache: Some(cold),
            output: Some(self.site.at("cold/public")),
            offline: true,
            ..Overrides::default()
        };
        let result = self
            .config(overrides)
            .and_then(|config| build(&config, &Silent).map(drop).map_err(|error| told(&error)));
        Some((result, seen))
    }
}

/// A cache, and a state, in which nothing is.
fn empty() -> (&'static [u8], &'static [u8]) {
    static EMPTY: OnceLock<[Vec<u8>; 2]> = OnceLock::new();
    let [cache, state] = EMPTY.get_or_init(|| {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("cache.sqlite");
        drop(Cache::open(&path, &|| {}).unwrap());
        [path.clone(), state_beside(&path)].map(|file| std::fs::read(file).unwrap())
    });
    (cache, state)
}

/// Copies tables, or rows of them, from one file to another.
fn copy(from: &Path, to: &Path, all: &[&str]) -> rusqlite::Result<()> {
    if !from.exists() {
        // A build that failed early made none.
        return Ok(());
    }
    let to = Connection::open(to)?;
    to.execute("ATTACH ?1 AS warm", [from.to_str().unwrap()])?;
    for rows in all {
        let table = rows.split(' ').next().unwrap_or_default();
        to.execute_batch(&format!("INSERT INTO main.{table} SELECT * FROM warm.{rows}"))?;
    }
    to.execute_batch("DETACH warm")
}

/// Everything that an error says.
fn told(error: &miette::Report) -> String {
    let lines: Vec<String> = match error.downcast_ref::<Problems>() {
        Some(problems) => problems.problems.iter().map(ToString::to_string).collect(),
        None => error.chain().map(ToString::to_string).collect(),
    };
    lines.join("\n  ")
}

fn same_paths(
    one: &BTreeSet<PathBuf>,
    other: &BTreeSet<PathBuf>,
    of_one: &str,
    of_other: &str,
) -> Result<(), String> {
    let only = |these: &BTreeSet<PathBuf>, those: &BTreeSet<PathBuf>, place: &str| {
        let paths: Vec<String> = these.difference(those).map(|path| path.display().to_string()).collect();
        (!paths.is_empty()).then(|| format!("only {place}: {}", paths.join(", ")))
    };
    let differences: Vec<String> =
        only(one, other, of_one).into_iter().chain(only(other, one, of_other)).collect();
    if differences.is_empty() { Ok(()) } else { Err(differences.join("\n")) }
}

fn same_files(one: &Files, other: &Files, of_one: &str, of_other: &str) -> Result<(), String> {
    let paths = |files: &Files| files.keys().cloned().collect::<BTreeSet<PathBuf>>();
    same_paths(&paths(one), &paths(other), of_one, of_other)?;
    match one.iter().find(|(path, content)| other[*path] != **content) {
        None => Ok(()),
        Some((path, content)) => {
            let lines = difference(content, &other[path]);
            Err(format!("{} differs (- {of_one}, + {of_other}):\n{lines}", path.display()))
        }
    }
}

/// Some lines around the first that differs.
fn difference(one: &[u8], other: &[u8]) -> String {
    const AROUND: usize = 2;
    const AFTER: usize = 3;
    let (one, other) = (String::from_utf8_lossy(one), String::from_utf8_lossy(other));
    let (one, other): (Vec<&str>, Vec<&str>) = (one.split('\n').collect(), other.split('\n').collect());
    let same = one.iter().zip(&other).take_while(|(one, other)| one == other).count();
    let column = match (one.get(same), other.get(same)) {
        (Some(one), Some(other)) => one.chars().zip(other.chars()).take_while(|(a, b)| a == b).count(),
        _ => 0,
    };
    let cut = |line: &str| line.chars().skip(column.saturating_sub(60)).take(140).collect::<String>();
    let begin = same.saturating_sub(AROUND);
    let before = one[begin..same].iter().map(|line| format!("    {}", cut(line)));
    let marked = |lines: &[&str], mark: char| -> Vec<String> {
        lines.iter().skip(same).take(AFTER).map(|line| format!("  {mark} {}", cut(line))).collect()
    };
    let lines: Vec<String> = before.chain(marked(&one, '-')).chain(marked(&other, '+')).collect();
    format!("  line {}\n{}", same + 1, lines.join("\n"))
}
