//! The publisher: makes the output folder hold exactly the outputs, touching only what is different.

mod tree;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::SystemTime;

use miette::Diagnostic;
use rayon::prelude::*;
use thiserror::Error;

use crate::cache::{Cache, CacheError, Looks, Manifest, Tree};
use crate::digest::Digest;
use crate::report;

use tree::{Found, OutputTree};

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
    /// Paths that were written over a file that no earlier build is known to have written.
    pub taken_over: Vec<String>,
    /// Whether an earlier build is known to have published into the folder.
    pub is_known: bool,
}

/// How many files a message names.
const NAMED: usize = 5;

impl Published {
    /// What the maintainer should know about the output folder.
    pub fn warnings(&self) -> Vec<String> {
        let by_hand =
            |path: &String| format!("{path} was changed by hand, so it stays though the site has it no more");
        let mut warnings: Vec<String> = self.kept.iter().map(by_hand).collect();
        match (self.taken_over.len(), self.is_known) {
            (0, _) => {}
            (count, false) => warnings.push(format!(
                "the cache knew nothing of the output folder, in which {} got the content of this site's outputs",
                report::count(count, "file"),
            )),
            (count, true) => {
                let mut names = self.taken_over[..count.min(NAMED)].join(", ");
                if count > NAMED {
                    names.push_str(&format!(" and {} more", count - NAMED));
                }
                warnings.push(format!(
                    "no earlier build wrote these files, which outputs have replaced: {names}"
                ));
            }
        }
        warnings
    }
}

/// Why the site could not be published. What was written before is whole.
#[derive(Debug, Error, Diagnostic)]
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
    /// The output folder has a link where a file or a folder belongs; what is written there would land elsewhere.
    #[error("{0} is a symbolic link, and nothing is written through links")]
    #[diagnostic(help("remove it; only the output folder itself may be a link"))]
    Link(PathBuf),
    /// Something in the output folder keeps an output from its place.
    #[error("{place} is {is}, and in the way of the output {output}")]
    #[diagnostic(help("move it out of the output folder, or give that output another address"))]
    Obstacle {
        /// What is in the way.
        place: PathBuf,
        /// What is wrong with it.
        is: &'static str,
        /// The output's path.
        output: String,
    },
    /// One output is a file where another one needs a folder.
    #[error("the outputs {file} and {below} can't both be published: {file} would be a file and a folder")]
    #[diagnostic(help("give one of them another address"))]
    Both {
        /// The output that is a file.
        file: String,
        /// The output below it.
        below: String,
    },
    /// An output in a folder whose name begins with a dot: such folders belong to other programs.
    #[error("the output {0} lies in a hidden folder, where nothing is published")]
    #[diagnostic(help("give it an address in which no name begins with a dot"))]
    Hidden(String),
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
        miette::Report::new(self).wrap_err("the site could not be published")
    }
}

/// Makes `folder` hold `outputs`, by path with `/`, each with its digest and the place of its bytes. `name` is
/// what the cache calls the folder, see [`crate::config::Paths::output_name`].
///
/// Each file is written beside its place and renamed into it. A file is removed only if it still has the
/// bytes that an earlier build wrote, so whatever else is in the folder stays, unless it is a file at an output's
/// place.
///
/// # Errors
///
/// When something keeps an output from its place: then nothing was touched. When the folder can't be written:
/// then every file in it is whole, old or new.
pub fn publish(
    folder: &Path,
    name: &str,
    outputs: &Outputs,
    cache: &Cache,
    progress: &(dyn Fn(usize, usize) + Sync),
) -> Result<Published, PublishError> {
    let before = cache.manifest(name)?;
    let after: Manifest = outputs.iter().map(|(path, (digest, _))| (path.clone(), vec![*digest])).collect();
    let known = cache.looks(Tree::Output(name))?;
    let tree = OutputTree::new(folder);

    // Looking at a file costs little and waits for the disk; most files are as they were left.
    let found: BTreeMap<&str, Found> = outputs
        .par_iter()
        .map(|(path, (digest, _))| (path.as_str(), tree.look(path, *digest, known.get(path))))
        .collect();
    let gone: Manifest = before
        .iter()
        .filter(|(path, _)| !outputs.contains_key(*path))
        .map(|(path, digests)| (path.clone(), digests.clone()))
        .collect();
    let first = tree.check(&found, &gone)?;

    let mut published = Published { is_known: !before.is_empty(), ..Published::default() };
    let mut looks = Looks::new();
    let mut wrong = Vec::new();
    for (path, found) in &found {
        if let Found::Right(look) = found {
            published.unchanged += 1;
            looks.insert((*path).to_owned(), (*look, outputs[*path].0));
        } else {
            wrong.push(*path);
            if *found == Found::File && !before.contains_key(*path) {
                published.taken_over.push((*path).to_owned());
            }
        }
    }

    if !published.is_known || cache.is_half_published(name)? {
        for path in before.keys().chain(outputs.keys()) {
            tree.sweep(path);
        }
    }
    // The manifest comes first, so that a build that is killed leaves no file of which the next one knows
    // nothing.
    let anything_to_do = before != after || !wrong.is_empty();
    if anything_to_do {
        cache.set_manifest(name, &either(&before, &after), true)?;
        cache.checkpoint()?;
    }
    let mut remove = |path: &String| -> Result<(), PublishError> {
        if tree.is_ours(path, &gone) {
            tree.remove(path)?;
            published.removed.push(path.clone());
        } else if tree.place(path).is_file() {
            published.kept.push(path.clone());
        }
        Ok(())
    };
    first.iter().try_for_each(&mut remove)?;

    let done = AtomicUsize::new(0);
    let written: Result<Vec<_>, PublishError> = wrong
        .par_iter()
        .map(|path| {
            let (digest, content) = &outputs[*path];
            let bytes = match content {
                Content::Blob => {
                    cache.blob(*digest)?.ok_or_else(|| PublishError::Lost((*path).to_owned()))?
                }
                Content::Program(bytes) => bytes.to_vec(),
                Content::File(source) => std::fs::read(source).map_err(io("read", source))?,
            };
            let look = tree.write(path, &bytes)?;
            progress(done.fetch_add(1, Ordering::Relaxed) + 1, wrong.len());
            Ok(look.map(|look| ((*path).to_owned(), (look, *digest))))
        })
        .collect();
    looks.extend(written?.into_iter().flatten());
    gone.keys().filter(|path| !first.contains(*path)).try_for_each(&mut remove)?;
    published.written = wrong.into_iter().map(str::to_owned).collect();
    published.removed.sort_unstable();

    if anything_to_do {
        cache.set_manifest(name, &after, false)?;
    } else {
        cache.touch_manifest(name)?;
    }
    // A look is kept only of files that were left alone for a while; the others are read once more.
    let now = SystemTime::now();
    looks.retain(|_, (look, _)| look.is_settled(now));
    cache.set_looks(Tree::Output(name), &known, &looks)?;
    cache.checkpoint()?;
    Ok(published)
}

/// What was there and what comes.
fn either(before: &Manifest, after: &Manifest) -> Manifest {
    let mut either = before.clone();
    for (path, digests) in after {
        let known = either.entry(path.clone()).or_default();
        known.extend(digests.iter().filter(|new| !before.get(path).is_some_and(|old| old.contains(new))));
    }
    either
}

fn io<'a>(action: &'static str, path: &'a Path) -> impl FnOnce(std::io::Error) -> PublishError + 'a {
    move |source| PublishError::Io { action, path: path.to_path_buf(), source }
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
        publish(folder, "public", &outputs(cache, files), cache, &|_, _| {}).unwrap()
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
        let looks = cache.looks(Tree::Output("public")).unwrap();
        assert_eq!(looks["a.html"].1, Digest::of(b"1"));
        // A lie about its digest is believed, which shows that the file is not read.
        let lie = Looks::from([("a.html".to_owned(), (looks["a.html"].0, Digest::of(b"2")))]);
        cache.set_looks(Tree::Output("public"), &looks, &lie).unwrap();
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
        let error = publish(folder.path(), "public", &outputs, &cache, &|_, _| {}).unwrap_err();
        assert!(matches!(error, PublishError::Link(_)), "{error}");
        assert_eq!(std::fs::read_dir(elsewhere.path()).unwrap().count(), 0);
    }
}
