//! The paths that a site is built from, and the meaning of changes to them.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsStr;
use std::fs::{DirEntry, Metadata};
use std::path::{Component, Path, PathBuf};

use crate::config::Paths;
use crate::entry::is_put_aside;
use crate::scan::{WELL_KNOWN, belongs_at_root, is_never_copied};

/// The meaning of an event at a path.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Meaning {
    /// The path is not part of the site.
    Nothing,
    /// Probably irrelevant: a temporary file of an editor, or a file of a kind that is not read. Check later.
    Later,
    /// This file of the site may have changed.
    File(PathBuf),
    /// A watched folder or one of its ancestors was created, moved or removed: set up watching again.
    Around,
}

/// The folders and files of a site.
#[derive(Debug, Default)]
pub(super) struct Places {
    roots: Vec<Root>,
    /// The site's folder as configured and without links, if files in it are copied.
    own: Option<(PathBuf, PathBuf)>,
    /// shelflife.toml, as configured and without links.
    settings: (PathBuf, PathBuf),
    /// Targets of symbolic links, and the links to each.
    links: BTreeMap<PathBuf, BTreeSet<PathBuf>>,
}

/// A folder that builds read.
#[derive(Debug)]
struct Root {
    /// The path in the configuration.
    path: PathBuf,
    /// The path without links, as in events.
    real: PathBuf,
    reads: Reads,
}

/// The files that builds read in a folder.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Reads {
    /// Files with these extensions, directly in the folder.
    In(&'static [&'static str]),
    /// Files with this extension, at any depth.
    Below(&'static str),
    /// All files except hidden ones, at any depth.
    Visible,
    /// All files, at any depth.
    All,
}

impl Places {
    /// Reads the current folders and links. `settings` is shelflife.toml.
    pub(super) fn of(paths: &Paths, settings: &Path) -> Self {
        let folders = [
            (paths.entries.clone(), Reads::In(&["md"])),
            (paths.data.clone(), Reads::In(&["yaml", "yml"])),
            (paths.templates.clone(), Reads::Visible),
            (paths.assets.clone(), Reads::Visible),
            (paths.root.clone(), Reads::All),
        ];
        let pages = paths.pages.iter().chain(&paths.topics).map(|path| (path.clone(), Reads::Below("md")));
        let own = paths.copies_own.then(|| (paths.site.clone(), real(&paths.site)));
        let well_known = own.iter().map(|(site, _)| (site.join(WELL_KNOWN), Reads::All));
        let roots: Vec<Root> = folders
            .into_iter()
            .chain(pages)
            .chain(well_known)
            .map(|(path, reads)| Root { real: real(&path), path, reads })
            .collect();
        let mut links: BTreeMap<PathBuf, BTreeSet<PathBuf>> = BTreeMap::new();
        for root in &roots {
            collect_links(root, &root.real, &mut links);
        }
        let place = real_place(settings);
        if let Some(target) = settings.canonicalize().ok().filter(|target| *target != place) {
            links.entry(target).or_default().insert(settings.to_path_buf());
        }
        Self { roots, own, settings: (settings.to_path_buf(), place), links }
    }

    /// The folders to watch, and whether to watch them recursively.
    pub(super) fn watched(&self) -> BTreeMap<PathBuf, bool> {
        let mut watched = BTreeMap::new();
        let own = self.own.as_ref().map(|(site, _)| site.join(WELL_KNOWN));
        let singles = self.links.keys().chain([&self.settings.1]).chain(&own);
        for path in singles.chain(self.roots.iter().map(|root| &root.path)) {
            if let Some(folder) = path.parent().and_then(nearest_folder) {
                watched.insert(folder, false);
            }
        }
        let whole: Vec<&PathBuf> =
            self.roots.iter().map(|root| &root.real).filter(|path| path.is_dir()).collect();
        // A folder below a recursively watched one must not be watched separately.
        watched.retain(|path, _| !whole.iter().any(|root| path.starts_with(root)));
        watched.extend(whole.iter().map(|root| ((*root).clone(), true)));
        let nested = |path: &PathBuf| whole.iter().any(|root| *root != path && path.starts_with(root));
        watched.retain(|path, _| !nested(path));
        watched
    }

    /// The meaning of an event at `path`. `moved` is whether something was created, moved or removed there.
    pub(super) fn meaning(&self, path: &Path, moved: bool) -> Meaning {
        let of_roots = self.roots.iter().map(|root| root.meaning(path, moved));
        let of_settings = if path == self.settings.1 {
            Meaning::File(self.settings.0.clone())
        } else if moved && self.settings.1.starts_with(path) {
            Meaning::Around
        } else {
            Meaning::Nothing
        };
        let others = [of_settings, self.meaning_for_own(path), self.meaning_for_links(path, moved)];
        of_roots.chain(others).max().unwrap_or(Meaning::Nothing)
    }

    /// Calls `each` with every file that builds read now, using the same paths as events.
    pub(super) fn visit(&self, each: &mut impl FnMut(PathBuf, Metadata)) {
        for root in &self.roots {
            root.visit(&root.path, each);
        }
        let own = self.own.iter().flat_map(|(site, _)| files_in(site)).map(|entry| entry.path());
        let own = own.filter(|path| self.meaning_for_own(path) != Meaning::Nothing);
        for path in own.chain([self.settings.0.clone()]) {
            if let Ok(metadata) = std::fs::metadata(&path) {
                each(path, metadata);
            }
        }
    }

    /// The meaning of a path in the site's folder, whose root files are copied.
    fn meaning_for_own(&self, path: &Path) -> Meaning {
        let of_own = self.own.as_ref().and_then(|(site, real)| {
            let name =
                path.file_name()?.to_str().filter(|name| belongs_at_root(name) && *name != WELL_KNOWN)?;
            let is_own = [site.as_path(), real].contains(&path.parent()?);
            is_own.then(|| Meaning::File(site.join(name)))
        });
        of_own.unwrap_or(Meaning::Nothing)
    }

    fn meaning_for_links(&self, path: &Path, moved: bool) -> Meaning {
        let leads_below = |target: &PathBuf| target != path && target.starts_with(path);
        if moved && self.links.keys().any(leads_below) { Meaning::Around } else { Meaning::Nothing }
    }

    /// The symbolic links of the site that lead to `path`; they change along with it.
    pub(super) fn links_to(&self, path: &Path) -> impl Iterator<Item = &PathBuf> {
        self.links.get(path).into_iter().flatten()
    }
}

impl Root {
    fn meaning(&self, path: &Path, moved: bool) -> Meaning {
        if self.real.starts_with(path) || self.path.starts_with(path) {
            let is_folder_itself = path == self.real || path == self.path;
            return match (moved, is_folder_itself) {
                (true, _) => Meaning::Around,
                (false, true) => Meaning::Later,
                (false, false) => Meaning::Nothing,
            };
        }
        let Ok(below) = path.strip_prefix(&self.real).or_else(|_| path.strip_prefix(&self.path)) else {
            return Meaning::Nothing;
        };
        if below.components().any(|part| self.leaves_out(part.as_os_str())) {
            return Meaning::Nothing;
        }
        let extension = below.extension().and_then(|extension| extension.to_str()).unwrap_or_default();
        let is_draft = |part: Component<'_>| part.as_os_str().to_str().is_some_and(is_put_aside);
        let is_read = match self.reads {
            Reads::Visible | Reads::All => !is_passing(below),
            Reads::Below(wanted) => extension == wanted && !below.components().any(is_draft),
            Reads::In(wanted) => {
                let is_wanted = wanted.contains(&extension) && below.components().count() == 1;
                is_wanted && (extension != "md" || !below.components().any(is_draft))
            }
        };
        if is_read { Meaning::File(self.path.join(below)) } else { Meaning::Later }
    }

    /// Whether the scan skips everything with this name, and everything below it.
    fn leaves_out(&self, name: &OsStr) -> bool {
        match self.reads {
            Reads::All => is_never_copied(name),
            _ => name.as_encoded_bytes().starts_with(b"."),
        }
    }

    /// Calls `each` with the files in a folder, recursively if they are read recursively.
    fn visit(&self, folder: &Path, each: &mut impl FnMut(PathBuf, Metadata)) {
        for entry in files_in(folder) {
            let (path, Ok(kind)) = (entry.path(), entry.file_type()) else { continue };
            if kind.is_dir() {
                if !matches!(self.reads, Reads::In(_)) && !self.leaves_out(&entry.file_name()) {
                    self.visit(&path, each);
                }
            } else if matches!(self.meaning(&path, false), Meaning::File(_))
                && let Ok(metadata) = std::fs::metadata(&path)
            {
                each(path, metadata);
            }
        }
    }
}

/// The files in a folder; empty if there is no such folder.
fn files_in(folder: &Path) -> impl Iterator<Item = DirEntry> {
    std::fs::read_dir(folder).into_iter().flatten().flatten()
}

/// Whether the name is that of an editor's temporary file: a backup, or the file with which Vim tests a folder. Swap
/// files and Emacs' locks are hidden files.
fn is_passing(path: &Path) -> bool {
    let name = path.file_name().map(|name| name.as_encoded_bytes()).unwrap_or_default();
    name.ends_with(b"~") || name == b"4913" || (name.starts_with(b"#") && name.ends_with(b"#"))
}

/// The path with links resolved as far as it exists.
fn real(path: &Path) -> PathBuf {
    path.canonicalize().unwrap_or_else(|_| real_place(path))
}

/// The path with links resolved, except in its last component.
fn real_place(path: &Path) -> PathBuf {
    let (Some(parent), Some(name)) = (path.parent(), path.file_name()) else { return path.to_path_buf() };
    real(parent).join(name)
}

/// The nearest existing folder at or above `path`, with links resolved.
fn nearest_folder(path: &Path) -> Option<PathBuf> {
    path.ancestors().find(|folder| folder.is_dir()).map(real)
}

/// Records the targets of symbolic links below `folder`.
fn collect_links(root: &Root, folder: &Path, links: &mut BTreeMap<PathBuf, BTreeSet<PathBuf>>) {
    for entry in files_in(folder) {
        let (path, Ok(kind)) = (entry.path(), entry.file_type()) else { continue };
        let name = entry.file_name();
        if is_never_copied(&name) || root.leaves_out(&name) {
            continue;
        }
        if kind.is_dir() && !matches!(root.reads, Reads::In(_)) {
            collect_links(root, &path, links);
        } else if kind.is_symlink()
            && let Ok(target) = path.canonicalize()
            && let Ok(below) = path.strip_prefix(&root.real)
        {
            links.entry(target).or_default().insert(root.path.join(below));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn paths(site: &Path) -> Paths {
        Paths {
            site: site.to_path_buf(),
            entries: site.join("entries"),
            data: site.join("data"),
            assets: site.join("assets"),
            templates: site.join("deep/templates"),
            pages: vec![site.join("pages")],
            topics: vec![site.join("_topics")],
            root: site.join("root"),
            copies_own: true,
            output: site.join("public"),
            cache: site.join(".shelflife/cache.sqlite"),
        }
    }

    #[test]
    fn only_what_a_build_reads_matters() {
        let folder = tempfile::tempdir().unwrap();
        let site = folder.path().canonicalize().unwrap();
        std::fs::create_dir_all(site.join("entries")).unwrap();
        let places = Places::of(&paths(&site), &site.join("shelflife.toml"));
        let meaning = |path: &str, moved| places.meaning(&site.join(path), moved);
        for path in ["entries/a.md", "data/b.yaml", "assets/img/c.png", "assets/4913.png", "shelflife.toml"] {
            assert_eq!(meaning(path, false), Meaning::File(site.join(path)), "{path}");
        }
        for path in
            ["pages/a.md", "_topics/deep/b.md", "root/.well-known/c", "root/CNAME", "CNAME", ".nojekyll"]
        {
            assert_eq!(meaning(path, false), Meaning::File(site.join(path)), "{path}");
        }
        assert_eq!(
            meaning(".well-known/security.txt", false),
            Meaning::File(site.join(".well-known/security.txt"))
        );
        for path in ["entries/_a.md", "pages/_a.md", "pages/_drafts/a.md", "pages/a.txt", "root/x~"] {
            assert_eq!(meaning(path, false), Meaning::Later, "{path}");
        }
        for path in ["root/.git/x", "pages/.a.md.swp", "README.md", "deep/CNAME", ".git/CNAME"] {
            assert_eq!(meaning(path, false), Meaning::Nothing, "{path}");
        }
        for path in
            ["assets/x.png~", "entries/a.md~", "entries/deep/a.md", "assets/4913", "assets/#x#", "assets"]
        {
            assert_eq!(meaning(path, false), Meaning::Later, "{path}");
        }
        for path in ["entries/.a.md.swp", "assets/.#x", "assets/.git/x", "public/x.html", "x.md", "deep", ""]
        {
            assert_eq!(meaning(path, false), Meaning::Nothing, "{path}");
        }
        for path in ["entries", "deep", "deep/templates", ""] {
            assert_eq!(meaning(path, true), Meaning::Around, "{path}");
        }
        assert_eq!(meaning("public", true), Meaning::Nothing);
    }

    #[test]
    fn folders_are_watched_whether_or_not_they_exist() {
        let folder = tempfile::tempdir().unwrap();
        let site = folder.path().canonicalize().unwrap();
        std::fs::create_dir_all(site.join("entries")).unwrap();
        let watched = || Places::of(&paths(&site), &site.join("shelflife.toml")).watched();
        assert_eq!(watched(), BTreeMap::from([(site.clone(), false), (site.join("entries"), true)]));
        std::fs::create_dir_all(site.join("deep")).unwrap();
        assert_eq!(watched().get(&site.join("deep")), Some(&false));
    }

    #[test]
    fn a_folder_within_another_is_watched_as_a_part_of_it() {
        let folder = tempfile::tempdir().unwrap();
        let site = folder.path().canonicalize().unwrap();
        std::fs::create_dir_all(site.join("assets/entries")).unwrap();
        let paths = Paths { entries: site.join("assets/entries"), ..paths(&site) };
        let watched = Places::of(&paths, &site.join("shelflife.toml")).watched();
        assert_eq!(watched, BTreeMap::from([(site.clone(), false), (site.join("assets"), true)]));
    }

    #[cfg(unix)]
    #[test]
    fn what_a_link_leads_to_counts_as_the_link() {
        let folder = tempfile::tempdir().unwrap();
        let site = folder.path().canonicalize().unwrap();
        for below in ["entries", "pictures"] {
            std::fs::create_dir_all(site.join(below)).unwrap();
        }
        std::fs::create_dir_all(site.join("assets/img")).unwrap();
        std::fs::write(site.join("pictures/a.png"), "").unwrap();
        std::os::unix::fs::symlink("../../pictures/a.png", site.join("assets/img/a.png")).unwrap();
        let places = Places::of(&paths(&site), &site.join("shelflife.toml"));
        let links: Vec<_> = places.links_to(&site.join("pictures/a.png")).collect();
        assert_eq!(links, [&site.join("assets/img/a.png")]);
        assert_eq!(places.watched().get(&site.join("pictures")), Some(&false));
        assert_eq!(places.meaning(&site.join("pictures"), true), Meaning::Around);
    }
}
