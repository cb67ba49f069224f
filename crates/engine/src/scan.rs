//! The scan of the site's folder: its files, their digests, and their content where it is needed.

mod files;
mod overlooked;
mod themed;

use std::collections::{BTreeMap, BTreeSet};
use std::path::{MAIN_SEPARATOR, Path, PathBuf};
use std::sync::Arc;
use std::time::SystemTime;

use miette::{Diagnostic, miette};
use rayon::prelude::*;
use thiserror::Error;

use crate::access::denied;
use crate::cache::{Cache, Listed, Manifest, Tree};
use crate::config::{self, Config, Paths};
use crate::digest::Digest;
use crate::entry;
use crate::file_stat::{FileStat, Within};
use crate::graph::inputs::AssetLocation;
use crate::graph::snapshot::{self, Snapshot};
use crate::graph::{Asset, Files};
use crate::page::Section;
use crate::render::{address, text};
use crate::rule::Rule;
use crate::warning::{Place, Warning};

use files::Folder;
pub use files::{WELL_KNOWN, belongs_at_root, is_never_copied};
use themed::{assets, templates};

/// The files of a site. A file whose file stat has not changed is read again only when its content is needed.
#[derive(Debug)]
pub struct Scan {
    entries: Vec<Scanned>,
    data: Vec<Scanned>,
    templates: Vec<Scanned>,
    assets: Vec<Scanned>,
    /// The site's own pages, by section.
    pages: Vec<(Section, Vec<Scanned>)>,
    /// Files copied to the root: from the folder for them, and from the site's own folder.
    root: [Vec<Scanned>; 2],
    /// The entries that were rescanned, if nothing else has changed since the previous scan.
    again: Option<Vec<usize>>,
    /// Files that look like entries but are not read.
    overlooked: Vec<PathBuf>,
    /// Files beside data files that are not read.
    unknown_data: Vec<PathBuf>,
}

/// A file has changed since it was scanned.
#[derive(Debug, Error, Diagnostic)]
#[error("{0} changed during the build")]
#[diagnostic(help("build again when no other program writes to it"))]
pub struct Changed(pub PathBuf);

/// A scanned file.
#[derive(Debug)]
pub struct Scanned {
    /// The path below the folder of its kind, with `/`.
    name: String,
    place: PathBuf,
    digest: Digest,
    /// The content, if it had to be read.
    content: Option<Arc<[u8]>>,
}

/// What a file is for. The name also stands for its folder, wherever that is, so that the cache contains no paths of
/// this machine.
#[derive(Debug, Clone, Copy)]
enum Kind {
    Entries,
    Data,
    Templates,
    Assets,
    /// The site's own pages, in the folder with this number.
    Pages(Section, usize),
    /// Files copied to the root.
    Root,
    /// Files copied to the root from the site's own folder.
    Own,
}

impl Kind {
    fn name(self) -> &'static str {
        match self {
            Self::Entries => "entries",
            Self::Data => "data",
            Self::Templates => "templates",
            Self::Assets => "assets",
            Self::Pages(Section::Pages, 0) => "pages",
            Self::Pages(Section::Pages, _) => "_pages",
            Self::Pages(Section::Topics, 0) => "topics",
            Self::Pages(Section::Topics, _) => "_topics",
            Self::Root => "root",
            Self::Own => "site",
        }
    }

    /// The folder; `None` if nothing is read from it.
    fn folder(self, paths: &Paths) -> Option<&Path> {
        Some(match self {
            Self::Entries => &paths.entries,
            Self::Data => &paths.data,
            Self::Templates => &paths.templates,
            Self::Assets => &paths.assets,
            Self::Pages(Section::Pages, number) => paths.pages.get(number)?,
            Self::Pages(Section::Topics, number) => paths.topics.get(number)?,
            Self::Root => &paths.root,
            Self::Own => paths.copies_own.then_some(&paths.site)?,
        })
    }

    /// The files of this kind in the folder, sorted by name.
    fn files(self, folder: &Folder<'_>, others: &mut Vec<PathBuf>) -> miette::Result<Vec<PathBuf>> {
        match self {
            Self::Entries => {
                let mut files = folder.files_in(&["md"], |other| others.push(other))?;
                let name = |path: &PathBuf| path.file_name().map(|name| name.to_string_lossy().into_owned());
                files.retain(|path| !name(path).is_some_and(|name| entry::is_put_aside(&name)));
                Ok(files)
            }
            Self::Data => folder.files_in(&["yaml", "yml"], |other| others.push(other)),
            Self::Templates | Self::Assets => folder.files_below(),
            Self::Pages(..) => folder.pages("md"),
            Self::Root => folder.all_below(),
            Self::Own => folder.for_root(),
        }
    }
}

/// The entry files, sorted by name.
///
/// # Errors
///
/// When the folder can't be read, or an entry is a symbolic link out of the site.
pub fn entry_files(paths: &Paths) -> miette::Result<Vec<PathBuf>> {
    let Some(folder) = Folder::of(&paths.entries, paths)? else { return Ok(Vec::new()) };
    Kind::Entries.files(&folder, &mut Vec::new())
}

/// The folder at the root of the site that `shelflife watch` serves itself.
const RESERVED: &str = ".shelflife";

fn is_reserved(path: &str) -> bool {
    path.split('/').next().is_some_and(|top| top.eq_ignore_ascii_case(RESERVED))
}

impl Scan {
    /// Scans the site's folder.
    ///
    /// # Errors
    ///
    /// When a file can't be read, or is a symbolic link out of the site.
    pub fn of(config: &Config, cache: &Cache) -> miette::Result<Self> {
        let known = cache.manifest(Tree::Site)?.unwrap_or_default();
        let (scan, manifest) = Self::with(config, &known)?;
        if let Some(manifest) = manifest {
            cache.set_manifest(Tree::Site, Some(manifest))?;
        }
        Ok(scan)
    }

    /// Scans the site's folder, given the manifest of the previous scan. Also returns the new manifest, if it is
    /// different.
    ///
    /// # Errors
    ///
    /// As [`Scan::of`].
    pub fn with(config: &Config, known: &Manifest) -> miette::Result<(Self, Option<Manifest>)> {
        themed::check_logo(config)?;
        let (mut others, mut unknown_data) = (Vec::new(), Vec::new());
        let mut all = Vec::new();
        let mut find = |kind, others: &mut Vec<PathBuf>| -> miette::Result<Vec<Scanned>> {
            let found = find(kind, config, known, others)?;
            let (files, listed) = found.into_iter().map(Found::divide).unzip();
            all.push(listed);
            Ok(files)
        };
        let entries = find(Kind::Entries, &mut others)?;
        let data = find(Kind::Data, &mut unknown_data)?;
        let mut find = |kind| find(kind, &mut Vec::new());
        let templates = find(Kind::Templates)?;
        let assets = find(Kind::Assets)?;
        let mut pages = Vec::new();
        let sections =
            [(Section::Pages, config.paths.pages.len()), (Section::Topics, config.paths.topics.len())];
        for (section, folders) in sections {
            for number in 0..folders {
                pages.push((section, find(Kind::Pages(section, number))?));
            }
        }
        let root = [find(Kind::Root)?, find(Kind::Own)?];
        let manifest = changed(known, all);
        let overlooked = overlooked::entries(others);
        unknown_data.extend(overlooked::unknown_data(&data));
        let scanned =
            Self { entries, data, templates, assets, pages, root, again: None, overlooked, unknown_data };
        let twice = scanned.data.iter().zip(scanned.data.iter().skip(1)).find(|(a, b)| a.stem() == b.stem());
        if let Some((one, other)) = twice {
            return Err(miette!(
                help = "remove one of them",
                "duplicate data file: {} and {}",
                one.name,
                other.name
            ));
        }
        Ok((scanned, manifest))
    }

    /// Rescans these files if all of them are existing entries, and returns whether they were; otherwise a whole scan
    /// is required.
    ///
    /// # Errors
    ///
    /// When a file can't be read.
    pub fn rescan(&mut self, changed: &BTreeSet<PathBuf>) -> miette::Result<bool> {
        let mut found = Vec::new();
        for place in changed {
            let known = self.entries.binary_search_by(|file| file.place.as_path().cmp(place));
            let is_file = std::fs::symlink_metadata(place).is_ok_and(|metadata| metadata.is_file());
            let (Ok(at), true) = (known, is_file) else { return Ok(false) };
            found.push(at);
        }
        for at in &found {
            let Some(file) = self.entries.get_mut(*at) else { continue };
            let stat = std::fs::symlink_metadata(&file.place).ok().as_ref().and_then(FileStat::of);
            *file = examine(
                std::mem::take(&mut file.name),
                std::mem::take(&mut file.place),
                stat,
                None,
                None,
                &mut Vec::new(),
            )?;
        }
        self.again = Some(found);
        Ok(true)
    }

    /// The stems of the entries that were rescanned; `None` if this is a whole scan.
    pub fn rescanned(&self) -> Option<Vec<&str>> {
        let again = self.again.as_ref()?;
        Some(again.iter().filter_map(|at| self.entries.get(*at)).map(Scanned::stem).collect())
    }

    /// Turns this into a whole scan, because more than entries has changed.
    pub fn count_as_whole(&mut self) {
        self.again = None;
    }

    /// The digest of everything but entries.
    pub fn digest_of_rest(&self) -> Digest {
        digest(&self.rest())
    }

    /// Everything but entries.
    fn rest(&self) -> Vec<&Vec<Scanned>> {
        let pages = self.pages.iter().map(|(_, pages)| pages);
        [&self.data, &self.templates, &self.assets].into_iter().chain(pages).chain(&self.root).collect()
    }

    /// The entry file with this stem.
    pub fn entry(&self, stem: &str) -> Option<&Scanned> {
        let name = format!("{stem}.md");
        // Files are sorted by name.
        let at = self.entries.binary_search_by(|file| file.name.as_str().cmp(&name)).ok()?;
        self.entries.get(at)
    }

    /// The entry files, sorted by name.
    pub fn entries(&self) -> &[Scanned] {
        &self.entries
    }

    /// The path of each file of the site as problems name it, including the configuration file.
    pub fn paths(&self, config: &Config) -> BTreeSet<String> {
        let files = self.rest().into_iter().chain([&self.entries]).flatten();
        let files = files.map(|file| file.path_in_site(config));
        files.chain(std::iter::once(config::FILE_NAME.to_owned())).collect()
    }

    /// Warnings about files that look like a part of the site but are not published.
    pub fn warnings(&self, config: &Config) -> Vec<Warning> {
        let reserved = self.root.iter().flatten().filter(|file| is_reserved(&file.name)).map(|file| {
            let message = "not published: `/.shelflife/` is reserved for `shelflife watch`";
            Warning::in_file(Rule::NotRead, Place::begin(file.path_in_site(config)), message)
        });
        let mut warnings = overlooked::warnings(&self.overlooked, &self.unknown_data, config);
        warnings.extend(reserved);
        warnings
    }

    /// The digest of all files, their names and contents.
    pub fn digest(&self) -> Digest {
        digest(&[vec![&self.entries], self.rest()].concat())
    }

    /// The place and digest of each copied file, by its path below the output folder. A file for the root may have the
    /// same path as another output.
    pub fn copied(&self, config: &Config) -> BTreeMap<String, (AssetLocation, Digest)> {
        let of_root = self.for_root().rev();
        let mut copied: BTreeMap<String, (AssetLocation, Digest)> = of_root
            .map(|file| (file.name.clone(), (AssetLocation::File(file.place.clone()), file.digest)))
            .collect();
        let of_site: Vec<(&str, Digest, &Path)> =
            self.assets.iter().map(|file| (file.name.as_str(), file.digest, file.place.as_path())).collect();
        copied.extend(assets(&of_site, config).into_iter().map(
            |(path, (location, digest, fingerprinted))| {
                let published = address::asset(&path, digest, fingerprinted);
                (published.trim_start_matches('/').to_owned(), (location, digest))
            },
        ));
        copied
    }

    /// The files copied to the root; of two files with the same path, the first one counts.
    fn for_root(&self) -> impl DoubleEndedIterator<Item = &Scanned> {
        self.root.iter().flatten().filter(|file| !is_reserved(&file.name))
    }

    /// The files, except entries, as inputs of the graph.
    ///
    /// # Errors
    ///
    /// When a file can't be read, or has changed since it was scanned.
    pub fn files(&self, config: &Config) -> miette::Result<Files> {
        let mut data = BTreeMap::new();
        for file in &self.data {
            let path = file.path_in_site(config).into();
            data.insert(file.stem().into(), snapshot::DataFile { path, content: file.content()? });
        }
        let of_site: Vec<(&str, Digest, &Path)> =
            self.assets.iter().map(|file| (file.name.as_str(), file.digest, file.place.as_path())).collect();
        let assets = assets(&of_site, config).into_iter().map(|(path, (location, digest, fingerprinted))| {
            let published = address::asset(&path, digest, fingerprinted).into();
            (path, Asset { digest, location, published })
        });
        let assets: BTreeMap<Arc<str>, Asset> = assets.collect();
        let mut pages = Vec::new();
        for (section, files) in &self.pages {
            for file in files {
                let (path, content) = (file.path_in_site(config), file.content()?);
                pages.push((path.into(), file.stem().into(), *section, content));
            }
        }
        let root = self.for_root().map(|file| {
            let path = file.path_in_site(config);
            (file.name.as_str().into(), path.into(), file.digest, file.place.clone())
        });
        let published = assets.iter().map(|(path, asset)| (Arc::clone(path), Arc::clone(&asset.published)));
        let templates = templates(&self.templates)?;
        let snapshot = Snapshot::new(config.settings.clone(), templates, published.collect(), data);
        Ok(Files { snapshot, root: root.collect(), assets, pages })
    }

    /// The date of the build in the site's time zone.
    pub fn today(config: &Config) -> jiff::civil::Date {
        text::day_of(config.now, &config.settings.timezone)
    }
}

/// The digest of several kinds of files.
fn digest(kinds: &[&Vec<Scanned>]) -> Digest {
    let files = kinds.iter().flat_map(|files| {
        let boundary: [&[u8]; 2] = [b"", b""];
        let files = files.iter().flat_map(|file| [file.name.as_bytes(), file.digest.as_bytes().as_slice()]);
        boundary.into_iter().chain(files)
    });
    Digest::of_parts(files)
}

impl Scanned {
    /// Where the file is.
    pub fn place(&self) -> &Path {
        &self.place
    }

    /// The digest of the content.
    pub fn digest(&self) -> Digest {
        self.digest
    }

    /// The file's name without its extension.
    pub fn stem(&self) -> &str {
        self.name.rsplit_once('.').map_or(&*self.name, |(stem, _)| stem)
    }

    /// The path for messages: relative to the site, if the file is inside it.
    pub fn path_in_site(&self, config: &Config) -> String {
        let path = self.place.strip_prefix(&config.paths.site).unwrap_or(&self.place);
        let path = path.to_string_lossy();
        if std::path::MAIN_SEPARATOR == '/' { path.into_owned() } else { path.replace('\\', "/") }
    }

    /// The content, which is read now unless it was read before.
    ///
    /// # Errors
    ///
    /// When the file can't be read; [`Changed`] if it has changed since it was scanned.
    pub fn content(&self) -> miette::Result<Arc<[u8]>> {
        if let Some(content) = &self.content {
            return Ok(Arc::clone(content));
        }
        let content = read(&self.place)?;
        // A short-lived state of the file must not reach the outputs: the manifest records what was scanned.
        if Digest::of(&content) != self.digest {
            return Err(Changed(self.place.clone()).into());
        }
        Ok(content.into())
    }
}

/// A scanned file and its manifest entry.
struct Found {
    file: Scanned,
    kind: Kind,
    /// The file stat, if it can be relied on later.
    stat: Option<FileStat>,
    /// Whether the manifest already says the same.
    is_known: bool,
}

/// A file's entry for the new manifest.
struct Noted {
    key: String,
    listed: Listed,
    is_known: bool,
}

impl Found {
    /// Splits it into the file and its manifest entry, if its file stat can be relied on later.
    fn divide(self) -> (Scanned, Option<Noted>) {
        let Self { file, kind, stat, is_known } = self;
        let listed = stat.map(|stat| Listed { digest: file.digest, stat: Some(stat) });
        let noted = listed.map(|listed| Noted { key: key(kind, &file.name), listed, is_known });
        (file, noted)
    }
}

/// The files of one kind, sorted by name. `others` gets the remaining files, for kinds that don't take every file.
fn find(
    kind: Kind,
    config: &Config,
    known: &Manifest,
    others: &mut Vec<PathBuf>,
) -> miette::Result<Vec<Found>> {
    let Some(folder) = kind.folder(&config.paths) else { return Ok(Vec::new()) };
    let places = match Folder::of(folder, &config.paths)? {
        None => Vec::new(),
        Some(found) => kind.files(&found, others)?,
    };
    let within = Within::folder(folder).ok();
    let now = SystemTime::now();
    places
        .into_par_iter()
        .with_min_len(64)
        .map_init(Vec::new, |room, place| {
            let name = relative(folder, &place)?;
            let known = known.get(&key(kind, &name));
            // The file stat is taken before the content, so that a change in between is noticed the next time.
            let stat = within.as_ref().and_then(|within| within.stat(&name));
            let file = examine(name, place, stat, known, within.as_ref(), room)?;
            let stat = stat.filter(|stat| stat.is_settled(now));
            let is_known = stat.is_some() && known == Some(&Listed { digest: file.digest, stat });
            Ok(Found { file, kind, stat, is_known })
        })
        .collect()
}

/// The new manifest, if it is different from the known one.
fn changed(known: &Manifest, found: Vec<Vec<Option<Noted>>>) -> Option<Manifest> {
    let noted = || found.iter().flatten().flatten();
    if noted().all(|it| it.is_known) && noted().count() == known.len() {
        return None;
    }
    Some(found.into_iter().flatten().flatten().map(|it| (it.key, it.listed)).collect())
}

fn key(kind: Kind, name: &str) -> String {
    format!("{}/{name}", kind.name())
}

/// Reads a file if its file stat has changed since it was last read: into `room`, and through `within`, its folder, if
/// that is known. The content is kept only if it has changed.
fn examine(
    name: String,
    place: PathBuf,
    stat: Option<FileStat>,
    known: Option<&Listed>,
    within: Option<&Within>,
    room: &mut Vec<u8>,
) -> miette::Result<Scanned> {
    if let Some(known) = known
        && stat.is_some()
        && known.stat == stat
    {
        return Ok(Scanned { name, place, digest: known.digest, content: None });
    }
    let content: &[u8] = match within.zip(stat) {
        Some((within, stat)) => within.read(&name, stat.size, room).map_err(denied("read", &place))?,
        None => {
            *room = read(&place)?;
            room
        }
    };
    let digest = Digest::of(content);
    let is_news = known.is_none_or(|known| known.digest != digest);
    Ok(Scanned { name, place, digest, content: is_news.then(|| content.into()) })
}

fn read(path: &Path) -> miette::Result<Vec<u8>> {
    Ok(std::fs::read(path).map_err(denied("read", path))?)
}

/// The path of `path` relative to `folder`, with `/`.
fn relative(folder: &Path, path: &Path) -> miette::Result<String> {
    let [folder, whole] = [folder, path].map(|path| path.as_os_str().as_encoded_bytes());
    let below = std::str::from_utf8(whole.strip_prefix(folder).unwrap_or(whole));
    let below = below.map_err(|_| {
        miette!(help = "rename the file", "the file name {} is not valid UTF-8", path.display())
    })?;
    let below = below.trim_start_matches(MAIN_SEPARATOR);
    Ok(if MAIN_SEPARATOR == '/' { below.to_owned() } else { below.replace(MAIN_SEPARATOR, "/") })
}
