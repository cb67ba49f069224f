//! A site on a stage: a generated registry in a folder, built by the binary as a user would.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use serde_json::Value;
use shelflife_testkit::replay::{Server, Window};

use super::Job;
use super::lab::Tools;
use super::report::Report;
use super::{Failure, at};

/// Where folders go that a run has to do without. Nothing is deleted before the whole bench is done: ext4 is slow to
/// make files for minutes after many were deleted, since it looks for an inode that was not freed lately, and that
/// would be measured as if it were the work of who makes the files.
#[derive(Debug, Clone)]
pub(crate) struct Trash {
    folder: PathBuf,
    number: Arc<AtomicU64>,
}

impl Trash {
    /// Folders are moved into this one, which is on their file system.
    pub(crate) fn new(folder: PathBuf) -> Result<Self, Failure> {
        fs::create_dir_all(&folder).map_err(at(&folder))?;
        Ok(Self { folder, number: Arc::default() })
    }

    /// Moves a folder out of the way, if it exists.
    pub(crate) fn take(&self, folder: &Path) -> Result<(), Failure> {
        let number = self.number.fetch_add(1, Ordering::Relaxed);
        match fs::rename(folder, self.folder.join(number.to_string())) {
            Err(why) if why.kind() != io::ErrorKind::NotFound => Err(at(folder)(why)),
            _ => Ok(()),
        }
    }
}

/// A site in a folder, with its outputs and its cache where they are by default.
#[derive(Debug, Clone)]
pub(crate) struct Stage {
    pub(crate) site: PathBuf,
    trash: Trash,
    binary: PathBuf,
    graphql: String,
}

/// What is new at a copy of a stage.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Outputs {
    Kept,
    Left,
}

impl Stage {
    /// An empty site at `site`, which asks `server` for facts. They stay fresh for 30 days, so that a long bench
    /// isn't asked for them in the middle. There are no files for other programs beside each page, since the peers
    /// make none either, and no pictures are fetched.
    pub(crate) fn new(site: PathBuf, tools: &Tools, server: &Server, config: &str) -> Result<Self, Failure> {
        fs::create_dir_all(&site).map_err(at(&site))?;
        let (week, month) = (server.export_url(Window::Week), server.export_url(Window::Month));
        let toml = format!(
            "title = \"Plugin Shelf\"\nurl = \"https://plugins.example.org\"\n{config}\n[outputs]\napi = false\nbadges = false\n\n\
             [thumbnails]\nyoutube = \"\"\n\n[github]\nttl = \"720h\"\n\n\
             [usage]\nttl = \"720h\"\nweek = \"{week}\"\nmonth = \"{month}\"\n"
        );
        let path = site.join("shelflife.toml");
        fs::write(&path, toml).map_err(at(&path))?;
        let (trash, binary) = (tools.trash.clone(), tools.binary.clone());
        Ok(Self { site, trash, binary, graphql: server.graphql_url() })
    }

    pub(crate) fn output(&self) -> PathBuf {
        self.site.join("public")
    }

    pub(crate) fn cache(&self) -> PathBuf {
        self.site.join(".shelflife/cache.sqlite")
    }

    /// Writes a file of the site.
    pub(crate) fn write(&self, path: &str, text: &str) -> Result<(), Failure> {
        let place = self.site.join(path);
        if let Some(folder) = place.parent() {
            fs::create_dir_all(folder).map_err(at(folder))?;
        }
        fs::write(&place, text).map_err(at(&place))
    }

    pub(crate) fn state(&self) -> PathBuf {
        self.site.join(".shelflife/state.sqlite")
    }

    /// `shelflife <subcommand>` in the site's folder.
    pub(crate) fn shelflife(&self, subcommand: &str) -> Job {
        Job::new(&self.binary, &self.site)
            .with([subcommand])
            .variable("CI", "true")
            .variable("NO_COLOR", "1")
            .variable("GITHUB_TOKEN", "replay")
            .variable("GITHUB_GRAPHQL_URL", &self.graphql)
    }

    /// `shelflife build`.
    pub(crate) fn build(&self) -> Job {
        self.shelflife("build")
    }

    /// `shelflife check` of these files, or of all. Generated entries break rules, which is no failure here.
    pub(crate) fn check(&self, paths: impl IntoIterator<Item = PathBuf>) -> Job {
        self.shelflife("check").with(["--exit-zero", "--quiet"]).with(paths)
    }

    /// Runs a job unmeasured, and returns the report if it is a build.
    pub(crate) fn look(&self, job: Job) -> Result<Option<Report>, Failure> {
        if job.arguments.first().is_none_or(|subcommand| subcommand != "build") {
            return job.run().map(|()| None);
        }
        let path = self.site.with_extension("report.json");
        job.with(["--report".as_ref(), path.as_os_str()]).run()?;
        let text = fs::read(&path).map_err(at(&path))?;
        let value: Value = serde_json::from_slice(&text)
            .map_err(|why| Failure::new(format!("{}: {why}", path.display())))?;
        Ok(Some(Report::new(value)))
    }

    /// Copies the site's own files, and the outputs if they are kept, to another folder, in place of what is there.
    /// Every time stamp is new, as in a fresh checkout. The cache isn't copied.
    pub(crate) fn copy_to(&self, site: PathBuf, outputs: Outputs) -> Result<Self, Failure> {
        self.trash.take(&site)?;
        let output = self.output();
        let left = |path: &Path| {
            let hidden = path.file_name().is_some_and(|name| name.as_encoded_bytes().starts_with(b"."));
            hidden || (outputs == Outputs::Left && path == output)
        };
        copy(&self.site, &site, &left)?;
        Ok(Self { site, ..self.clone() })
    }

    /// Gives the stage a copy of this state, and no cache.
    pub(crate) fn put_state(&self, from: &Path) -> Result<(), Failure> {
        self.drop_cache()?;
        put(from, &self.state())
    }

    /// Gives the stage copies of the state and the cache of another.
    pub(crate) fn put_cache(&self, of: &Self) -> Result<(), Failure> {
        self.put_state(&of.state())?;
        put(&of.cache(), &self.cache())
    }

    /// Takes the cache and the state away.
    pub(crate) fn drop_cache(&self) -> Result<(), Failure> {
        self.trash.take(&self.site.join(".shelflife"))
    }

    /// Takes the outputs away.
    pub(crate) fn drop_outputs(&self) -> Result<(), Failure> {
        self.trash.take(&self.output())
    }
}

/// Waits until what set-up wrote is on the disk, so that no measured run pays for it.
pub(crate) fn settle(folder: &Path) -> Result<(), Failure> {
    Job::new("sync", folder).with(["-f".as_ref(), folder.as_os_str()]).run()
}

fn copy(from: &Path, to: &Path, left: &dyn Fn(&Path) -> bool) -> Result<(), Failure> {
    fs::create_dir_all(to).map_err(at(to))?;
    for file in fs::read_dir(from).map_err(at(from))? {
        let file = file.map_err(at(from))?;
        let path = file.path();
        if left(&path) {
            continue;
        }
        let target = to.join(file.file_name());
        if file.file_type().map_err(at(&path))?.is_dir() {
            copy(&path, &target, left)?;
        } else {
            // Read and written, since a copy by the file system's means may share blocks or keep time stamps.
            let bytes = fs::read(&path).map_err(at(&path))?;
            fs::write(&target, bytes).map_err(at(&target))?;
        }
    }
    Ok(())
}

fn put(from: &Path, to: &Path) -> Result<(), Failure> {
    if let Some(folder) = to.parent() {
        fs::create_dir_all(folder).map_err(at(folder))?;
    }
    fs::copy(from, to).map_err(at(from)).map(|_| ())
}

/// How many bytes the files below a folder have whose names have one of these extensions; all files for none.
pub(crate) fn bytes(folder: &Path, extensions: &[&str]) -> Result<u64, Failure> {
    let mut sum = 0;
    for file in fs::read_dir(folder).map_err(at(folder))? {
        let path = file.map_err(at(folder))?.path();
        if path.is_dir() {
            sum += bytes(&path, extensions)?;
            continue;
        }
        let extension = path.extension().and_then(|it| it.to_str()).unwrap_or("");
        if extensions.is_empty() || extensions.contains(&extension) {
            sum += path.metadata().map_err(at(&path))?.len();
        }
    }
    Ok(sum)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_taken_away_is_not_deleted() -> Result<(), Box<dyn std::error::Error>> {
        let folder = tempfile::tempdir()?;
        let trash = Trash::new(folder.path().join("trash"))?;
        let place = folder.path().join("place");
        for content in ["one", "two"] {
            fs::create_dir(&place)?;
            fs::write(place.join("file"), content)?;
            trash.take(&place)?;
            assert!(!place.exists());
        }
        trash.take(&place)?;
        assert_eq!(bytes(&folder.path().join("trash"), &[])?, 6);
        Ok(())
    }

    #[test]
    fn bytes_are_counted_by_extension() -> Result<(), Box<dyn std::error::Error>> {
        let folder = tempfile::tempdir()?;
        fs::create_dir(folder.path().join("a"))?;
        fs::write(folder.path().join("a/x.html"), "12345")?;
        fs::write(folder.path().join("y.json"), "123")?;
        fs::write(folder.path().join("z.css"), "1")?;
        assert_eq!(bytes(folder.path(), &["html", "json"])?, 8);
        assert_eq!(bytes(folder.path(), &[])?, 9);
        Ok(())
    }
}
