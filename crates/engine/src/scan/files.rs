//! Lists the files of the site's folders: regular files, and symbolic links that stay within the site.
//!
//! A pull request can add a symbolic link, and its target would be published. So links are followed only to files that
//! the site has anyway.

use std::ffi::OsStr;
use std::io::ErrorKind;
use std::path::{Component, Path, PathBuf};

use miette::miette;

use crate::access::denied;
use crate::config::Paths;
use crate::entry;
use crate::publish::MANIFEST;

/// A folder of the site, and the places that symbolic links in it may point to.
pub(super) struct Folder<'a> {
    place: &'a Path,
    site: &'a Path,
    /// Those places, with all symbolic links resolved.
    within: Vec<PathBuf>,
    /// The output folder: what earlier builds wrote is not a part of the site.
    output: Option<PathBuf>,
}

/// The type of a directory entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum FileKind {
    File,
    Folder,
    Link,
    Other,
}

impl<'a> Folder<'a> {
    /// The folder at `place`; `None` if it does not exist.
    ///
    /// # Errors
    ///
    /// When it is a symbolic link out of the site although its path is inside the site.
    pub(super) fn of(place: &'a Path, paths: &'a Paths) -> miette::Result<Option<Self>> {
        // An unreadable folder must not count as empty, or every output would be removed.
        let real = match place.canonicalize() {
            Err(error) if error.kind() == ErrorKind::NotFound && place.symlink_metadata().is_err() => {
                return Ok(None);
            }
            result => result.map_err(denied("list", place))?,
        };
        let site = paths.site.canonicalize().map_err(denied("list", &paths.site))?;
        let output = paths.output.canonicalize().ok();
        let mut folder = Self { place, site: &paths.site, within: vec![site.clone()], output };
        // A folder that is configured to be elsewhere is the maintainer's choice.
        let moved = place.strip_prefix(&paths.site).is_ok_and(|below| site.join(below) != real);
        if moved && !folder.is_within(&real) {
            return Err(folder.leads_out(place));
        }
        folder.within.push(real);
        Ok(Some(folder))
    }

    /// Files directly in the folder with one of the extensions, sorted by name. `others` gets the remaining files and
    /// folders.
    pub(super) fn files_in(
        &self,
        extensions: &[&str],
        mut others: impl FnMut(PathBuf),
    ) -> miette::Result<Vec<PathBuf>> {
        let wanted = |path: &Path| {
            path.extension().is_some_and(|extension| extensions.iter().any(|wanted| extension == *wanted))
        };
        let mut files = Vec::new();
        for (path, kind) in list(self.place, is_hidden)? {
            if kind != FileKind::Folder && wanted(&path) {
                self.check(&path, kind)?;
                files.push(path);
            } else {
                others(path);
            }
        }
        Ok(files)
    }

    /// Every file below the folder that is not hidden, sorted by path.
    pub(super) fn files_below(&self) -> miette::Result<Vec<PathBuf>> {
        self.walk(self.place, is_hidden, |_| true)
    }

    /// Files below the folder with this extension, sorted by path, except those that are put aside or in folders that
    /// are.
    pub(super) fn pages(&self, wanted: &str) -> miette::Result<Vec<PathBuf>> {
        let is_put_aside = |name: &OsStr| name.to_str().is_some_and(entry::is_put_aside);
        self.walk(self.place, is_put_aside, |path| path.extension().is_some_and(|it| it == wanted))
    }

    /// Every file below the folder, including hidden ones, sorted by path.
    pub(super) fn all_below(&self) -> miette::Result<Vec<PathBuf>> {
        self.walk(self.place, is_never_copied, |_| true)
    }

    /// Files directly in the folder that belong at the root of a site, and files below folders that do.
    pub(super) fn for_root(&self) -> miette::Result<Vec<PathBuf>> {
        let mut files = Vec::new();
        let is_other = |name: &OsStr| !name.to_str().is_some_and(belongs_at_root);
        for (path, kind) in list(self.place, is_other)? {
            if kind == FileKind::Folder {
                if path.ends_with(WELL_KNOWN) {
                    files.extend(self.walk(&path, is_never_copied, |_| true)?);
                }
            } else if !path.ends_with(WELL_KNOWN) {
                self.check(&path, kind)?;
                files.push(path);
            }
        }
        Ok(files)
    }

    /// The `wanted` files below `folder`, sorted by path. Names that are `left_out` are skipped without being checked.
    fn walk(
        &self,
        folder: &Path,
        left_out: impl Fn(&OsStr) -> bool + Copy,
        wanted: impl Fn(&Path) -> bool,
    ) -> miette::Result<Vec<PathBuf>> {
        let mut files = Vec::new();
        let mut folders = vec![folder.to_path_buf()];
        while let Some(folder) = folders.pop() {
            for (path, kind) in list(&folder, left_out)? {
                if kind == FileKind::Folder {
                    folders.push(path);
                } else if wanted(&path) {
                    self.check(&path, kind)?;
                    files.push(path);
                }
            }
        }
        files.sort();
        Ok(files)
    }

    /// Makes sure that a path other than a folder can be read as a file of the site.
    fn check(&self, path: &Path, kind: FileKind) -> miette::Result<()> {
        let other = || {
            miette!(
                help = "remove it, or give it a name that begins with a dot",
                "{} is not a regular file (a pipe or a device, for example)",
                self.name(path)
            )
        };
        match kind {
            FileKind::File => return Ok(()),
            FileKind::Link => {}
            FileKind::Folder | FileKind::Other => return Err(other()),
        }
        let Ok(target) = path.canonicalize() else {
            return Err(miette!(
                help = "replace it with the file itself",
                "{} is a broken symbolic link",
                self.name(path)
            ));
        };
        if !self.is_within(&target) {
            return Err(self.leads_out(path));
        }
        let metadata = std::fs::metadata(&target).map_err(denied("read", &target))?;
        if metadata.is_dir() {
            return Err(miette!(
                help = "replace it with a real folder, or link each file",
                "{} is a symbolic link to a folder; only links to files are followed",
                self.name(path)
            ));
        }
        if metadata.is_file() { Ok(()) } else { Err(other()) }
    }

    /// Whether a target belongs to the site. Hidden ones don't: `.git` contains secrets.
    fn is_within(&self, target: &Path) -> bool {
        let visible = |part: Component<'_>| !part.as_os_str().as_encoded_bytes().starts_with(b".");
        let is_output = self.output.as_ref().is_some_and(|output| target.starts_with(output));
        !is_output
            && self
                .within
                .iter()
                .any(|folder| target.strip_prefix(folder).is_ok_and(|below| below.components().all(visible)))
    }

    fn leads_out(&self, path: &Path) -> miette::Report {
        miette!(
            help = "replace it with the file itself; a link may point only to files in the site's folder, except \
                    hidden ones and outputs",
            "{} is a symbolic link that points outside the site",
            self.name(path)
        )
    }

    fn name<'p>(&self, path: &'p Path) -> std::path::Display<'p> {
        path.strip_prefix(self.site).unwrap_or(path).display()
    }
}

/// The folder for well-known files (RFC 8615).
pub const WELL_KNOWN: &str = ".well-known";

/// Whether a file or folder in the site's own folder belongs at the root of a site: hosts, browsers and search engines
/// look for it there, and registries built by Jekyll have it there.
pub fn belongs_at_root(name: &str) -> bool {
    const NAMES: [&str; 5] = ["CNAME", ".nojekyll", "favicon.ico", "BingSiteAuth.xml", WELL_KNOWN];
    // https://support.google.com/webmasters/answer/9008080: `google`, then hexadecimal digits.
    let is_google_verification = || {
        let digits = name.strip_prefix("google").and_then(|name| name.strip_suffix(".html"));
        digits.is_some_and(|it| !it.is_empty() && it.bytes().all(|byte| byte.is_ascii_hexdigit()))
    };
    NAMES.contains(&name) || is_google_verification()
}

/// Whether a file or folder with this name is never copied to the root, unlike other hidden ones: git, macOS and builds
/// create them.
pub fn is_never_copied(name: &OsStr) -> bool {
    name == ".git" || name == ".DS_Store" || name == MANIFEST
}

fn is_hidden(name: &OsStr) -> bool {
    name.as_encoded_bytes().starts_with(b".")
}

/// The contents of `folder` without names that are `left_out`, sorted by name.
fn list(folder: &Path, left_out: impl Fn(&OsStr) -> bool) -> miette::Result<Vec<(PathBuf, FileKind)>> {
    let failed = denied("list", folder);
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).map_err(&failed)? {
        let entry = entry.map_err(&failed)?;
        if left_out(&entry.file_name()) {
            continue;
        }
        let kind = match entry.file_type().map_err(&failed)? {
            kind if kind.is_dir() => FileKind::Folder,
            kind if kind.is_symlink() => FileKind::Link,
            kind if kind.is_file() => FileKind::File,
            _ => FileKind::Other,
        };
        found.push((entry.path(), kind));
    }
    // All are in one folder. Comparing paths would compare part by part, which is much slower.
    found.sort_by(|(a, _), (b, _)| a.as_os_str().as_encoded_bytes().cmp(b.as_os_str().as_encoded_bytes()));
    Ok(found)
}

#[cfg(all(test, unix))]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;

    fn paths(site: &Path) -> Paths {
        Paths {
            site: site.to_path_buf(),
            entries: site.join("entries"),
            data: site.join("data"),
            assets: site.join("assets"),
            templates: site.join("templates"),
            pages: vec![site.join("pages")],
            topics: vec![site.join("_topics")],
            root: site.join("root"),
            copies_own: true,
            output: site.join("public"),
            cache: site.join(".shelflife/cache.sqlite"),
        }
    }

    /// Scans `assets` with a symbolic link `x` to `target` in it.
    fn linked(target: &str) -> Result<usize, String> {
        let folder = tempfile::tempdir().unwrap();
        let site = folder.path().join("site");
        for below in ["assets/img", ".git", "public", "pictures"] {
            std::fs::create_dir_all(site.join(below)).unwrap();
        }
        for file in ["../secret", "assets/img/a.png", ".git/config", "public/b.png", "pictures/c.png"] {
            std::fs::write(site.join(file), "content").unwrap();
        }
        symlink(target, site.join("assets/x")).unwrap();
        let paths = paths(&site);
        let scanned = Folder::of(&paths.assets, &paths).map(Option::unwrap).and_then(|f| f.files_below());
        scanned.map(|files| files.len()).map_err(|error| error.to_string())
    }

    #[test]
    fn links_are_followed_within_the_site() {
        assert_eq!(linked("img/a.png"), Ok(2));
        assert_eq!(linked("../pictures/c.png"), Ok(2));
        for (target, expected) in [
            ("../../secret", "outside the site"),
            ("/etc/passwd", "outside the site"),
            ("../.git/config", "outside the site"),
            ("../public/b.png", "outside the site"),
            ("/", "outside the site"),
            ("img", "link to a folder"),
            ("x", "broken symbolic link"),
            ("missing", "broken symbolic link"),
            ("/dev/zero", "outside the site"),
        ] {
            let error = linked(target).unwrap_err();
            assert!(error.starts_with("assets/x is ") && error.contains(expected), "{target}: {error}");
        }
    }

    #[test]
    fn what_belongs_at_the_root_is_known_by_its_name() {
        for name in ["CNAME", ".nojekyll", ".well-known", "favicon.ico", "google0123456789abcdef.html"] {
            assert!(belongs_at_root(name), "{name}");
        }
        for name in ["README.md", "google.html", "googles.html", ".git", ".env", "index.html", "cname"] {
            assert!(!belongs_at_root(name), "{name}");
        }
    }

    #[test]
    fn a_folder_of_the_site_may_not_be_elsewhere_unless_it_is_configured_so() {
        let folder = tempfile::tempdir().unwrap();
        let (site, outside) = (folder.path().join("site"), folder.path().join("outside"));
        std::fs::create_dir_all(&site).unwrap();
        std::fs::create_dir_all(&outside).unwrap();
        std::fs::write(outside.join("a.md"), "").unwrap();
        symlink("a.md", outside.join("b.md")).unwrap();
        symlink(&outside, site.join("entries")).unwrap();
        let mut paths = paths(&site);
        let error = Folder::of(&paths.entries, &paths).err().unwrap();
        assert!(error.to_string().contains("entries is a symbolic link"), "{error}");
        paths.entries = outside;
        assert_eq!(
            Folder::of(&paths.entries, &paths).unwrap().unwrap().files_in(&["md"], drop).unwrap().len(),
            2
        );
        assert!(Folder::of(&paths.data, &paths).unwrap().is_none());
    }
}
