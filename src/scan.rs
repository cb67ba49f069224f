//! The site's folder, read into the graph's inputs.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use miette::{Context as _, IntoDiagnostic as _, miette};

use crate::config::Config;
use crate::digest::Digest;
use crate::graph::inputs::AssetLocation;
use crate::graph::{AssetFile, DataFile, Database, EntryFile, Site, TemplateFile};
use crate::theme;

/// The content of a site's folder.
#[derive(Debug)]
pub struct Scan {
    entries: Vec<ReadFile>,
    data: Vec<ReadFile>,
    templates: BTreeMap<Arc<str>, Template>,
    assets: BTreeMap<Arc<str>, Asset>,
}

/// A file that was read.
#[derive(Debug)]
struct ReadFile {
    /// The file's name without its extension.
    name: Arc<str>,
    /// The path relative to the site.
    path: Arc<str>,
    content: Arc<[u8]>,
}

#[derive(Debug)]
struct Template {
    text: Arc<str>,
    own: bool,
}

#[derive(Debug)]
struct Asset {
    location: AssetLocation,
    digest: Digest,
    fingerprinted: bool,
}

/// Assets that templates ask for by name; everything else is asked for by its address, which must stay.
fn is_fingerprinted(path: &str) -> bool {
    Path::new(path).extension().is_some_and(|extension| extension == "css" || extension == "js")
}

impl Scan {
    /// Reads the site's folder.
    ///
    /// # Errors
    ///
    /// When the entries' folder is missing, or something can't be read.
    pub fn of(config: &Config) -> miette::Result<Self> {
        let paths = &config.paths;
        if !paths.entries.is_dir() {
            return Err(miette!(
                help = "set `paths.entries` in shelflife.toml to the folder of the entries' files",
                "there is no folder of entries at {}",
                paths.entries.display()
            ));
        }
        let entries = read_all(&paths.site, &paths.entries, &["md"])?;
        let data = read_all(&paths.site, &paths.data, &["yaml", "yml"])?;
        let twice = data.iter().zip(data.iter().skip(1)).find(|(one, other)| one.name == other.name);
        if let Some((one, other)) = twice {
            return Err(miette!(
                help = "keep one of them",
                "{} and {} are the same data file",
                one.path,
                other.path
            ));
        }
        Ok(Self { entries, data, templates: templates(&paths.templates)?, assets: assets(&paths.assets)? })
    }

    /// How many entry files there are.
    pub fn entries(&self) -> usize {
        self.entries.len()
    }

    /// Sets the inputs of an empty graph.
    pub fn set(self, db: &Database, config: &Config) {
        let entries =
            self.entries.into_iter().map(|file| EntryFile::new(db, file.path, file.content)).collect();
        let data =
            self.data.into_iter().map(|file| DataFile::new(db, file.name, file.path, file.content)).collect();
        let templates = self
            .templates
            .into_iter()
            .map(|(name, template)| TemplateFile::new(db, name, template.text, template.own))
            .collect();
        let assets = self
            .assets
            .into_iter()
            .map(|(path, asset)| AssetFile::new(db, path, asset.digest, asset.location, asset.fingerprinted))
            .collect();
        Site::new(db, Arc::new(config.settings.clone()), entries, data, templates, assets);
    }
}

fn read_all(site: &Path, folder: &Path, extensions: &[&str]) -> miette::Result<Vec<ReadFile>> {
    let mut files = Vec::new();
    for path in files_in(folder, extensions)? {
        let relative = relative(site, &path)?;
        let name = path.file_stem().and_then(|name| name.to_str()).unwrap_or_default().into();
        files.push(ReadFile { name, path: relative.into(), content: read(&path)?.into() });
    }
    Ok(files)
}

fn templates(folder: &Path) -> miette::Result<BTreeMap<Arc<str>, Template>> {
    let mut templates: BTreeMap<Arc<str>, Template> = theme::templates()
        .map(|(name, text)| (name.into(), Template { text: text.into(), own: false }))
        .collect();
    for path in files_below(folder)? {
        let name = relative(folder, &path)?;
        let text = String::from_utf8(read(&path)?).map_err(|_| {
            miette!(help = "save it as UTF-8", "the template {} is not UTF-8", path.display())
        })?;
        // A file that is the theme's own, as in the theme's home, is not an override.
        let own = templates.get(&*name).is_none_or(|theme| *theme.text != *text);
        templates.insert(name.into(), Template { text: text.into(), own });
    }
    Ok(templates)
}

fn assets(folder: &Path) -> miette::Result<BTreeMap<Arc<str>, Asset>> {
    let of_theme = |content| Asset {
        location: AssetLocation::Theme(content),
        digest: Digest::of(content),
        fingerprinted: true,
    };
    let mut assets: BTreeMap<Arc<str>, Asset> =
        theme::assets().map(|(path, content)| (path.into(), of_theme(content))).collect();
    for path in files_below(folder)? {
        let name = relative(folder, &path)?;
        let digest = Digest::of(&read(&path)?);
        let fingerprinted = assets.contains_key(&*name) || is_fingerprinted(&name);
        assets.insert(name.into(), Asset { location: AssetLocation::File(path), digest, fingerprinted });
    }
    Ok(assets)
}

fn read(path: &Path) -> miette::Result<Vec<u8>> {
    std::fs::read(path).into_diagnostic().wrap_err_with(|| format!("can't read {}", path.display()))
}

/// The path of `path` below `folder`, with `/`.
fn relative(folder: &Path, path: &Path) -> miette::Result<String> {
    let below = path.strip_prefix(folder).unwrap_or(path);
    let parts: Option<Vec<&str>> = below.components().map(|part| part.as_os_str().to_str()).collect();
    let parts = parts
        .ok_or_else(|| miette!(help = "rename it", "the name of the file {} is not UTF-8", path.display()))?;
    Ok(parts.join("/").replace("//", "/"))
}

/// Files directly in `folder` with one of the extensions, in the order of names. No folder, no files.
fn files_in(folder: &Path, extensions: &[&str]) -> miette::Result<Vec<PathBuf>> {
    let wanted = |path: &Path| {
        path.extension().is_some_and(|extension| extensions.iter().any(|wanted| extension == *wanted))
    };
    Ok(list(folder)?.into_iter().filter(|path| wanted(path) && path.is_file()).collect())
}

/// Every file below `folder`, in the order of paths. No folder, no files.
fn files_below(folder: &Path) -> miette::Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    let mut folders = vec![folder.to_path_buf()];
    while let Some(folder) = folders.pop() {
        for path in list(&folder)? {
            // A link to a folder may lead anywhere, also back: only real folders are entered.
            match path.symlink_metadata() {
                Ok(metadata) if metadata.is_dir() => folders.push(path),
                Ok(metadata) if metadata.is_symlink() && path.is_dir() => {}
                _ => files.push(path),
            }
        }
    }
    files.sort();
    Ok(files)
}

/// What is in `folder`, without hidden files, in the order of names.
fn list(folder: &Path) -> miette::Result<Vec<PathBuf>> {
    let entries = match std::fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => {
            return Err(error).into_diagnostic().wrap_err_with(|| format!("can't list {}", folder.display()));
        }
    };
    let mut paths = Vec::new();
    for entry in entries {
        let entry = entry.into_diagnostic().wrap_err_with(|| format!("can't list {}", folder.display()))?;
        if !entry.file_name().as_encoded_bytes().starts_with(b".") {
            paths.push(entry.path());
        }
    }
    paths.sort();
    Ok(paths)
}
