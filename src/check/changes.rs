//! Files that have changed since a commit, according to git.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use miette::miette;

use crate::config::{Check, Config, FILE_NAME};

/// Files of the site that differ from a commit. Paths are relative to the site, with `/`.
#[derive(Debug, Default)]
pub(super) struct Changes {
    /// The existing files, and how each has changed.
    pub(super) files: BTreeMap<String, Change>,
    /// Files that no longer exist, including renamed ones.
    pub(super) gone: Vec<String>,
    /// What the user should know about the comparison.
    pub(super) note: Option<String>,
    /// The commit of the comparison.
    base: String,
}

/// How a file has changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Change {
    /// It did not exist.
    New,
    /// It had different content.
    Changed,
    /// It had this path.
    Renamed(String),
}

/// Files below the folder `site` that may have changed since `rev`: from the merge base of `rev` and `HEAD` to the
/// files in the work tree, committed or not.
///
/// # Errors
///
/// If the folder is not in a git repository, or the repository lacks the commit.
pub(super) fn since(site: &Path, rev: &str) -> miette::Result<Changes> {
    if git(site, ["rev-parse", "--is-inside-work-tree"])?.is_none() {
        return Err(miette!(
            help = "`--since` needs git; without it, name the files to check: `shelflife check FILE…`",
            "{} is not in a git repository",
            site.display()
        ));
    }
    let commit = format!("{rev}^{{commit}}");
    let Some(commit) = git(site, ["rev-parse", "--verify", "--quiet", "--end-of-options", &commit])? else {
        let is_shallow = is_shallow(site)?;
        let help = match (how_to_fetch(rev), is_shallow) {
            (Some(fetch), true) => {
                format!("this clone is shallow: run `{fetch}`, or set `fetch-depth: 0` for actions/checkout")
            }
            (None, true) => {
                "this clone is shallow: run `git fetch --unshallow`, or set `fetch-depth: 0` for actions/checkout"
                    .to_owned()
            }
            (Some(fetch), false) => format!("run `{fetch}`, or name an existing commit, branch or tag"),
            (None, false) => "name an existing commit, branch or tag".to_owned(),
        };
        return Err(miette!(help = help, "unknown commit `{}`", rev.escape_debug()));
    };
    let commit = line(&commit);
    let (base, note) = match git(site, ["merge-base", &commit, "HEAD"])? {
        Some(base) => (line(&base), None),
        None => {
            let why = if is_shallow(site)? { "this shallow clone lacks" } else { "there is no" };
            (
                commit,
                Some(format!("{why} a common ancestor of HEAD and `{rev}`; comparing with `{rev}` itself")),
            )
        }
    };
    let mut changes = Changes { base: base.clone(), note, ..Changes::default() };
    let options =
        ["--name-status", "-z", "--find-renames", "--no-ext-diff", "--relative", "--end-of-options"];
    let all = [["diff"].as_slice(), &options, &[&base, "--", "."]].concat();
    let diff = git(site, all)?.ok_or_else(|| miette!("`git diff` failed"))?;
    changes.read(&diff);
    // Untracked files are new as well.
    let others = git(site, ["ls-files", "--others", "--exclude-standard", "-z"])?.unwrap_or_default();
    for path in others.split('\0').filter(|path| !path.is_empty()) {
        changes.files.insert(path.to_owned(), Change::New);
    }
    Ok(changes)
}

impl Changes {
    /// Reads the output of `git diff --name-status -z`.
    fn read(&mut self, diff: &str) {
        let mut fields = diff.split('\0');
        while let (Some(status), Some(path)) = (fields.next(), fields.next()) {
            match status.as_bytes().first() {
                Some(b'A') => drop(self.files.insert(path.to_owned(), Change::New)),
                Some(b'D') => self.gone.push(path.to_owned()),
                Some(b'R' | b'C') => {
                    let Some(now) = fields.next() else { return };
                    if status.starts_with('R') {
                        self.gone.push(path.to_owned());
                        self.files.insert(now.to_owned(), Change::Renamed(path.to_owned()));
                    } else {
                        self.files.insert(now.to_owned(), Change::New);
                    }
                }
                Some(_) => drop(self.files.insert(path.to_owned(), Change::Changed)),
                None => return,
            }
        }
    }

    /// The check settings at the commit, if the configuration has changed since.
    ///
    /// # Errors
    ///
    /// If git can't be run.
    pub(super) fn check(&self, config: &Config, notes: &mut Vec<String>) -> miette::Result<Check> {
        let is_changed = self.files.contains_key(FILE_NAME) || self.gone.iter().any(|path| path == FILE_NAME);
        if !is_changed {
            return Ok(config.check.clone());
        }
        let before = self.before(&config.paths.site, FILE_NAME)?;
        let before = before.and_then(|text| Check::of_file(&String::from_utf8(text).ok()?));
        let Some(before) = before.filter(|before| *before != config.check) else {
            return Ok(config.check.clone());
        };
        notes.push(format!("the table `check` of {FILE_NAME} has changed; using the previous one"));
        Ok(before)
    }

    /// The content of the file at `path`, relative to the site, at the commit; `None` if it did not exist.
    ///
    /// # Errors
    ///
    /// If git can't be run.
    pub(super) fn before(&self, site: &Path, path: &str) -> miette::Result<Option<Vec<u8>>> {
        let object = format!("{}:./{path}", self.base);
        run(site, ["cat-file", "blob", &object])
    }
}

/// The command that fetches a commit, or a branch of `origin`.
fn how_to_fetch(rev: &str) -> Option<String> {
    let is_hash = rev.len() == 40 && rev.bytes().all(|byte| byte.is_ascii_hexdigit());
    if is_hash {
        return Some(format!("git fetch --depth=1 origin {rev}"));
    }
    let branch = rev.strip_prefix("origin/")?;
    let is_name =
        !branch.is_empty() && branch.bytes().all(|it| it.is_ascii_alphanumeric() || b"-_./".contains(&it));
    is_name.then(|| format!("git fetch --depth=1 origin {branch}:refs/remotes/origin/{branch}"))
}

/// The path of a site's folder in its git repository; `None` outside a repository.
pub fn place_in_repository(site: &Path) -> Option<PathBuf> {
    let prefix = git(site, ["rev-parse", "--show-prefix"]).ok().flatten()?;
    Some(PathBuf::from(prefix.trim_end_matches('\n')))
}

fn is_shallow(site: &Path) -> miette::Result<bool> {
    Ok(git(site, ["rev-parse", "--is-shallow-repository"])?.is_some_and(|answer| line(&answer) == "true"))
}

fn line(answer: &str) -> String {
    answer.trim().to_owned()
}

/// The output of git as text; `None` if git fails.
fn git<T: AsRef<OsStr>>(
    site: &Path,
    arguments: impl IntoIterator<Item = T>,
) -> miette::Result<Option<String>> {
    Ok(run(site, arguments)?.map(|answer| String::from_utf8_lossy(&answer).into_owned()))
}

/// The output of git. Runs no program that the repository's files could name, and writes nothing.
fn run<T: AsRef<OsStr>>(
    site: &Path,
    arguments: impl IntoIterator<Item = T>,
) -> miette::Result<Option<Vec<u8>>> {
    let output = Command::new("git")
        .arg("-C")
        .arg(site)
        .args(["-c", "core.fsmonitor=false", "-c", "core.quotePath=false"])
        .args(arguments)
        .env("GIT_OPTIONAL_LOCKS", "0")
        .env("LC_ALL", "C")
        .stdin(Stdio::null())
        .output()
        .map_err(|error| {
            miette!(help = "install git, or name the files to check", "can't run git: {error}")
        })?;
    if output.status.success() {
        return Ok(Some(output.stdout));
    }
    let said = String::from_utf8_lossy(&output.stderr);
    if said.contains("dubious ownership") {
        return Err(miette!(
            help = "run `git config --global --add safe.directory FOLDER`, as git suggests",
            "git refuses to read this repository because it belongs to another user"
        ));
    }
    Ok(None)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_git_says_is_read() {
        let mut changes = Changes::default();
        changes.read(
            "A\0new.md\0M\0old.md\0D\0gone.md\0R093\0from.md\0to.md\0C100\0x.md\0copy.md\0T\0link.md\0",
        );
        let files: Vec<_> =
            changes.files.iter().map(|(path, change)| (path.as_str(), change.clone())).collect();
        assert_eq!(
            files,
            [
                ("copy.md", Change::New),
                ("link.md", Change::Changed),
                ("new.md", Change::New),
                ("old.md", Change::Changed),
                ("to.md", Change::Renamed("from.md".to_owned())),
            ]
        );
        assert_eq!(changes.gone, ["gone.md", "from.md"]);
    }
}
