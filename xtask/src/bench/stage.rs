//! The stage: a generated registry in a folder, built by the binary as a user would.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use serde_json::Value;
use shelflife_testkit::replay::{Server, Window};

use super::Job;
use super::report::Report;
use super::{Failure, at};

/// The trash: folders out of the way. On a disk they are moved, and nothing is deleted until the whole bench is done,
/// because ext4 is slow to create files for minutes after many were deleted (it looks for an inode that wasn't freed
/// lately), and the measured program would be charged for it. On a memory disk they are deleted, for their memory.
#[derive(Debug, Clone)]
pub(crate) struct Trash {
    folder: PathBuf,
    number: Arc<AtomicU64>,
    deletes: bool,
}

impl Trash {
    /// Returns a trash in `folder`, which must be on the same file system as what is moved into it.
    pub(crate) fn new(folder: PathBuf, deletes: bool) -> Result<Self, Failure> {
        fs::create_dir_all(&folder).map_err(at(&folder))?;
        Ok(Self { folder, number: Arc::default(), deletes })
    }

    /// Moves a folder out of the way, or deletes it, if it exists.
    pub(crate) fn take(&self, folder: &Path) -> Result<(), Failure> {
        let taken = if self.deletes {
            fs::remove_dir_all(folder)
        } else {
            let number = self.number.fetch_add(1, Ordering::Relaxed);
            fs::rename(folder, self.folder.join(number.to_string()))
        };
        match taken {
            Err(why) if why.kind() != io::ErrorKind::NotFound => Err(at(folder)(why)),
            _ => Ok(()),
        }
    }
}

/// What a site publishes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Extent {
    /// Everything that is on by default, except thumbnails.
    Defaults,
    /// The API and badges are off as well.
    WithoutApi,
}

impl Extent {
    /// Returns the settings in `shelflife.toml`.
    pub(crate) fn settings(self) -> &'static str {
        match self {
            Self::Defaults => "",
            Self::WithoutApi => "[outputs]\napi = false\nbadges = false\n",
        }
    }

    /// Returns what follows the name of a scenario.
    pub(crate) fn suffix(self) -> &'static str {
        match self {
            Self::Defaults => "",
            Self::WithoutApi => ", API and badges off",
        }
    }
}

/// A site in a folder, with outputs and cache in their default places.
#[derive(Debug, Clone)]
pub(crate) struct Stage {
    pub(crate) site: PathBuf,
    trash: Trash,
    binary: PathBuf,
    graphql: String,
}

/// What happens to the outputs in a copy of a stage.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Outputs {
    Copied,
    Omitted,
}

impl Stage {
    /// Returns an empty site at `site`, built by `binary`, that fetches its facts from `server`. Facts stay fresh for
    /// 30 days, so that none are fetched in the middle of a long bench. Thumbnails are off, since they come from
    /// YouTube.
    pub(crate) fn new(
        site: PathBuf,
        binary: &Path,
        trash: &Trash,
        server: &Server,
        config: &str,
    ) -> Result<Self, Failure> {
        fs::create_dir_all(&site).map_err(at(&site))?;
        let (week, month) = (server.export_url(Window::Week), server.export_url(Window::Month));
        let toml = format!(
            "title = \"Plugin Shelf\"\nurl = \"https://plugins.example.org\"\n{config}\n\
             [thumbnails]\nyoutube = \"\"\n\n[github]\nttl = \"720h\"\n\n\
             [usage]\nttl = \"720h\"\nweek = \"{week}\"\nmonth = \"{month}\"\n"
        );
        let path = site.join("shelflife.toml");
        fs::write(&path, toml).map_err(at(&path))?;
        let (trash, binary) = (trash.clone(), binary.to_owned());
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

    /// Returns `shelflife <subcommand>` in the site's folder.
    pub(crate) fn shelflife(&self, subcommand: &str) -> Job {
        Job::new(&self.binary, &self.site)
            .with([subcommand])
            .variable("CI", "true")
            .variable("NO_COLOR", "1")
            .variable("GITHUB_TOKEN", "replay")
            .variable("GITHUB_GRAPHQL_URL", &self.graphql)
    }

    /// Returns `shelflife build`.
    pub(crate) fn build(&self) -> Job {
        self.shelflife("build")
    }

    /// Returns `shelflife check` of these files, or of all if empty. Generated entries break rules, which isn't a
    /// failure here.
    pub(crate) fn check(&self, paths: impl IntoIterator<Item = PathBuf>) -> Job {
        self.shelflife("check").with(["--exit-zero", "--quiet"]).with(paths)
    }

    /// Replaces `site` by a copy of the site's own files, and of the outputs if they are kept. Every timestamp is new,
    /// as in a fresh checkout. The cache isn't copied.
    pub(crate) fn copy_to(&self, site: PathBuf, outputs: Outputs) -> Result<Self, Failure> {
        self.trash.take(&site)?;
        let output = self.output();
        let left = |path: &Path| {
            let hidden = path.file_name().is_some_and(|name| name.as_encoded_bytes().starts_with(b"."));
            hidden || (outputs == Outputs::Omitted && path == output)
        };
        copy(&self.site, &site, &left)?;
        Ok(Self { site, ..self.clone() })
    }

    /// Removes the cache, and copies this state into the stage.
    pub(crate) fn put_state(&self, from: &Path) -> Result<(), Failure> {
        self.drop_cache()?;
        put(from, &self.state())
    }

    /// Copies the state and the cache of another stage.
    pub(crate) fn put_cache(&self, of: &Self) -> Result<(), Failure> {
        self.put_state(&of.state())?;
        put(&of.cache(), &self.cache())
    }

    /// Removes the cache and the state.
    pub(crate) fn drop_cache(&self) -> Result<(), Failure> {
        self.trash.take(&self.site.join(".shelflife"))
    }

    /// Removes the outputs.
    pub(crate) fn drop_outputs(&self) -> Result<(), Failure> {
        self.trash.take(&self.output())
    }
}

/// Runs a job unmeasured, and returns the report if it is a build.
pub(crate) fn run_unmeasured(job: Job) -> Result<Option<Report>, Failure> {
    if job.arguments.first().is_none_or(|subcommand| subcommand != "build") {
        return job.run().map(|()| None);
    }
    let path = job.folder.with_extension("report.json");
    job.with(["--report".as_ref(), path.as_os_str()]).run()?;
    let text = fs::read(&path).map_err(at(&path))?;
    let value: Value =
        serde_json::from_slice(&text).map_err(|why| Failure::new(format!("{}: {why}", path.display())))?;
    Ok(Some(Report::new(value)))
}

/// Waits until everything written during setup is on disk, so that no measured run pays for it.
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
            // A copy by the file system may share blocks or keep timestamps, so the bytes are read and written.
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

/// Returns the total size of the files below a folder with one of these extensions, or of all files if none is given.
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
        let trash = Trash::new(folder.path().join("trash"), false)?;
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
    fn what_is_taken_away_from_a_memory_disk_is_deleted() -> Result<(), Box<dyn std::error::Error>> {
        let folder = tempfile::tempdir()?;
        let trash = Trash::new(folder.path().join("trash"), true)?;
        let place = folder.path().join("place");
        fs::create_dir(&place)?;
        fs::write(place.join("file"), "content")?;
        trash.take(&place)?;
        trash.take(&place)?;
        assert!(!place.exists());
        assert_eq!(bytes(&folder.path().join("trash"), &[])?, 0);
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
