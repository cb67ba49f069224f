//! The publisher: makes the output folder hold exactly the outputs, touching only what is different.

use std::collections::{BTreeMap, HashSet};
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::SystemTime;

use rayon::prelude::*;
use thiserror::Error;

use crate::cache::{Cache, CacheError, Looks, Manifest, Tree};
use crate::digest::Digest;
use crate::look::Look;

/// Every output by its path with `/`: its digest, and the place of its bytes.
pub type Outputs = BTreeMap<String, (Digest, Content)>;

/// Where an output's bytes are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Content {
    /// In the cache's blobs.
    Blob,
    /// In the program.
    Program(&'static [u8]),
    /// In a file of the site.
    File(PathBuf),
}

/// What publishing did.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Published {
    /// Paths that were written.
    pub written: Vec<String>,
    /// How many files were right already.
    pub unchanged: usize,
    /// Paths that were removed, since the site no longer has them.
    pub removed: Vec<String>,
    /// Paths that an earlier build wrote and the site no longer has, but that somebody changed since.
    pub kept: Vec<String>,
}

/// Why the site could not be published. What was written before is whole.
#[derive(Debug, Error)]
pub enum PublishError {
    /// A file can't be written, read or removed.
    #[error("can't {action} {path}")]
    Io {
        /// What was tried.
        action: &'static str,
        /// On which file.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: std::io::Error,
    },
    /// The output folder has a link where a folder belongs; what is written there would land elsewhere.
    #[error("{0} is a symbolic link, expected a folder")]
    Link(PathBuf),
    /// A blob that was stored is gone again.
    #[error("the cache lost the content of {0} while the build was running")]
    Lost(String),
    /// The cache failed.
    #[error(transparent)]
    Cache(#[from] CacheError),
}

impl PublishError {
    /// The error as people see it, below a line that says what it means.
    pub fn into_report(self) -> miette::Report {
        use miette::{IntoDiagnostic as _, WrapErr as _};
        let result: miette::Result<()> =
            Err(self).into_diagnostic().wrap_err("the site could not be published");
        result.unwrap_err()
    }
}

/// Makes `folder` hold `outputs`, by path with `/`, each with its digest and the place of its bytes.
///
/// Each file is written beside its place and renamed into it. A file is removed only if it still has the
/// bytes that an earlier build wrote, so whatever else is in the folder stays.
///
/// # Errors
///
/// When the folder can't be written; every file in it is then whole, old or new.
pub fn publish(
    folder: &Path,
    outputs: &Outputs,
    cache: &Cache,
    progress: &(dyn Fn(usize, usize) + Sync),
) -> Result<Published, PublishError> {
    let before = cache.manifest()?;
    let after: Manifest = outputs.iter().map(|(path, (digest, _))| (path.clone(), vec![*digest])).collect();
    let known = cache.looks(Tree::Output)?;
    let tree = OutputTree::new(folder);

    // Looking at a file costs little and waits for the disk; most files are as they were left.
    let looked: Vec<_> = outputs
        .par_iter()
        .map(|(path, (digest, _))| (path, *digest, tree.right_already(path, *digest, known.get(path))))
        .collect();
    let mut published = Published::default();
    let mut looks = Looks::new();
    let mut wrong = Vec::new();
    for (path, digest, right) in looked {
        match right {
            Some(look) => {
                published.unchanged += 1;
                looks.extend(look.map(|look| (path.clone(), (look, digest))));
            }
            None => wrong.push(path),
        }
    }
    let gone: Vec<_> = before.iter().filter(|(path, _)| !outputs.contains_key(*path)).collect();

    // The manifest comes first, so that a build that is killed leaves no file of which the next one knows
    // nothing.
    if before != after {
        let mut either = before.clone();
        for (path, digests) in &after {
            let known = either.entry(path.clone()).or_default();
            known.extend(digests.iter().filter(|new| !before.get(path).is_some_and(|old| old.contains(new))));
        }
        cache.set_manifest(&either)?;
        cache.checkpoint()?;
    }

    let done = AtomicUsize::new(0);
    let written: Result<Vec<_>, PublishError> = wrong
        .par_iter()
        .map(|path| {
            let (digest, content) = &outputs[*path];
            let bytes = match content {
                Content::Blob => cache.blob(*digest)?.ok_or_else(|| PublishError::Lost((*path).clone()))?,
                Content::Program(bytes) => bytes.to_vec(),
                Content::File(source) => std::fs::read(source).map_err(io("read", source))?,
            };
            let place = tree.place(path)?;
            let look = replace(&place, &bytes)?;
            progress(done.fetch_add(1, Ordering::Relaxed) + 1, wrong.len());
            Ok(look.map(|look| ((*path).clone(), (look, *digest))))
        })
        .collect();
    looks.extend(written?.into_iter().flatten());
    published.written = wrong.into_iter().cloned().collect();

    for (path, digests) in gone {
        let place = tree.place_of_old(path);
        match std::fs::read(&place) {
            Ok(bytes) if digests.contains(&Digest::of(&bytes)) => {
                std::fs::remove_file(&place).map_err(io("remove", &place))?;
                tree.remove_empty_folders(&place);
                published.removed.push(path.clone());
            }
            Ok(_) => published.kept.push(path.clone()),
            Err(_) => {}
        }
    }
    if before != after {
        cache.set_manifest(&after)?;
    }
    // A look is kept only of files that were left alone for a while; the others are read once more.
    let now = SystemTime::now();
    looks.retain(|_, (look, _)| look.is_settled(now));
    cache.set_looks(Tree::Output, &known, &looks)?;
    cache.checkpoint()?;
    Ok(published)
}

fn io<'a>(action: &'static str, path: &'a Path) -> impl FnOnce(std::io::Error) -> PublishError + 'a {
    move |source| PublishError::Io { action, path: path.to_path_buf(), source }
}

/// Writes a file beside its place and renames it into it, so that nobody ever sees half of it.
/// Returns what the file looks like then.
fn replace(place: &Path, bytes: &[u8]) -> Result<Option<Look>, PublishError> {
    let mut name = std::ffi::OsString::from(".");
    name.push(place.file_name().unwrap_or_default());
    name.push(".shelflife-new");
    let beside = place.with_file_name(name);
    let written = std::fs::File::create(&beside).and_then(|mut file| file.write_all(bytes));
    if let Err(source) = written {
        // What is left of a file that could not be written is of no use to anybody.
        let _ = std::fs::remove_file(&beside);
        return Err(PublishError::Io { action: "write", path: place.to_path_buf(), source });
    }
    std::fs::rename(&beside, place).map_err(io("replace", place))?;
    Ok(std::fs::symlink_metadata(place).ok().and_then(|metadata| Look::of(&metadata)))
}

/// The output folder.
struct OutputTree<'a> {
    root: &'a Path,
    /// Folders that are known to be real ones.
    checked: Mutex<HashSet<PathBuf>>,
}

impl<'a> OutputTree<'a> {
    fn new(root: &'a Path) -> Self {
        Self { root, checked: Mutex::default() }
    }

    fn place_of_old(&self, path: &str) -> PathBuf {
        let inside = |part: &&str| !part.is_empty() && *part != "." && *part != "..";
        path.split('/').filter(inside).fold(self.root.to_path_buf(), |place, part| place.join(part))
    }

    /// Whether the file has these bytes already, and what it looks like if that is worth keeping. It is read only
    /// if it looks different from when it was last read or written.
    fn right_already(
        &self,
        path: &str,
        digest: Digest,
        known: Option<&(Look, Digest)>,
    ) -> Option<Option<Look>> {
        let place = self.place_of_old(path);
        let look = Look::of(&std::fs::symlink_metadata(&place).ok()?)?;
        if let Some((known, of)) = known
            && *known == look
        {
            return (*of == digest).then_some(Some(look));
        }
        let bytes = std::fs::read(&place).ok()?;
        (Digest::of(&bytes) == digest).then_some(Some(look))
    }

    /// Where an output belongs; makes the folders on the way.
    fn place(&self, path: &str) -> Result<PathBuf, PublishError> {
        let place = self.place_of_old(path);
        if let Some(folder) = place.parent() {
            self.make(folder)?;
        }
        Ok(place)
    }

    fn make(&self, folder: &Path) -> Result<(), PublishError> {
        let is_checked =
            |folder| self.checked.lock().unwrap_or_else(PoisonError::into_inner).contains(folder);
        if is_checked(folder) {
            return Ok(());
        }
        // The output folder itself may be a link: a maintainer's choice. What is in it may come from
        // anywhere.
        if folder == self.root {
            std::fs::create_dir_all(folder).map_err(io("make the folder", folder))?;
        } else {
            if let Some(parent) = folder.parent() {
                self.make(parent)?;
            }
            match std::fs::symlink_metadata(folder) {
                Ok(metadata) if metadata.is_symlink() => {
                    return Err(PublishError::Link(folder.to_path_buf()));
                }
                Ok(_) => {}
                // Another thread may be making it for a neighbour.
                Err(_) => std::fs::create_dir_all(folder).map_err(io("make the folder", folder))?,
            }
        }
        self.checked.lock().unwrap_or_else(PoisonError::into_inner).insert(folder.to_path_buf());
        Ok(())
    }

    /// Removes the folders that removing a file has left empty, up to the output folder.
    fn remove_empty_folders(&self, place: &Path) {
        let mut folder = place.parent();
        while let Some(empty) = folder.filter(|folder| *folder != self.root && folder.starts_with(self.root))
        {
            if std::fs::remove_dir(empty).is_err() {
                break;
            }
            folder = empty.parent();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn outputs(cache: &Cache, files: &[(&str, &str)]) -> Outputs {
        files
            .iter()
            .map(|(path, text)| ((*path).to_owned(), (cache.put_blob(text.as_bytes()), Content::Blob)))
            .collect()
    }

    fn run(folder: &Path, cache: &Cache, files: &[(&str, &str)]) -> Published {
        publish(folder, &outputs(cache, files), cache, &|_, _| {}).unwrap()
    }

    #[test]
    fn writes_what_is_different_and_removes_what_it_wrote() {
        let folder = tempfile::tempdir().unwrap();
        let cache = Cache::in_memory().unwrap();
        let at = |path: &str| folder.path().join(path);
        let first =
            run(folder.path(), &cache, &[("index.html", "1"), ("a/b/index.html", "2"), ("c.json", "3")]);
        assert_eq!((first.written.len(), first.unchanged), (3, 0));
        std::fs::write(at("CNAME"), "foreign").unwrap();
        std::fs::write(at("c.json"), "changed by hand").unwrap();
        let second = run(folder.path(), &cache, &[("index.html", "1")]);
        assert_eq!((second.written, second.unchanged), (vec![], 1));
        assert_eq!(second.removed, ["a/b/index.html"]);
        assert_eq!(second.kept, ["c.json"]);
        assert!(!at("a").exists() && at("CNAME").exists() && at("c.json").exists());
    }

    #[test]
    fn mends_what_somebody_changed() {
        let folder = tempfile::tempdir().unwrap();
        let cache = Cache::in_memory().unwrap();
        run(folder.path(), &cache, &[("a.html", "right")]);
        std::fs::write(folder.path().join("a.html"), "wrong").unwrap();
        assert_eq!(run(folder.path(), &cache, &[("a.html", "right")]).written, ["a.html"]);
        assert_eq!(std::fs::read(folder.path().join("a.html")).unwrap(), b"right");
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1, "nothing lies beside it");
    }

    #[test]
    fn a_file_that_looks_as_it_was_left_is_not_read() {
        let folder = tempfile::tempdir().unwrap();
        let cache = Cache::in_memory().unwrap();
        run(folder.path(), &cache, &[("a.html", "1")]);
        std::thread::sleep(std::time::Duration::from_millis(150));
        run(folder.path(), &cache, &[("a.html", "1")]);
        let looks = cache.looks(Tree::Output).unwrap();
        assert_eq!(looks["a.html"].1, Digest::of(b"1"));
        // A lie about its digest is believed, which shows that the file is not read.
        let lie = Looks::from([("a.html".to_owned(), (looks["a.html"].0, Digest::of(b"2")))]);
        cache.set_looks(Tree::Output, &looks, &lie).unwrap();
        assert_eq!(run(folder.path(), &cache, &[("a.html", "2")]).unchanged, 1);
    }

    #[cfg(unix)]
    #[test]
    fn does_not_follow_a_link_out_of_the_folder() {
        let folder = tempfile::tempdir().unwrap();
        let elsewhere = tempfile::tempdir().unwrap();
        std::os::unix::fs::symlink(elsewhere.path(), folder.path().join("plugins")).unwrap();
        let cache = Cache::in_memory().unwrap();
        let outputs = outputs(&cache, &[("plugins/x.html", "1")]);
        let error = publish(folder.path(), &outputs, &cache, &|_, _| {}).unwrap_err();
        assert!(matches!(error, PublishError::Link(_)), "{error}");
        assert_eq!(std::fs::read_dir(elsewhere.path()).unwrap().count(), 0);
    }
}
