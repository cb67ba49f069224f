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
    entries: Vec<(Arc<str>, Arc<[u8]>)>,
    data: Vec<(Arc<str>, Arc<str>, Arc<[u8]>)>,
    templates: BTreeMap<Arc<str>, (Arc<str>, bool)>,
    assets: BTreeMap<Arc<str>, (AssetLocation, Digest, bool)>,
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
        let mut entries = Vec::new();
        for path in files_in(&paths.entries, &["md"])? {
            entries.push((relative(&paths.site, &path)?.into(), read(&path)?.into()));
        }
        let mut data: Vec<(Arc<str>, Arc<str>, Arc<[u8]>)> = Vec::new();
        for path in files_in(&paths.data, &["yaml", "yml"])? {
            let name = path.file_stem().and_then(|name| name.to_str()).unwrap_or_default();
            if let Some((_, other, _)) = data.iter().find(|(known, ..)| &**known == name) {
                return Err(miette!(
                    help = "keep one of them",
                    "{} and {other} are the same data file",
                    relative(&paths.site, &path)?
                ));
            }
            data.push((name.into(), relative(&paths.site, &path)?.into(), read(&path)?.into()));
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
            self.entries.into_iter().map(|(path, content)| EntryFile::new(db, path, content)).collect();
        let data = self
            .data
            .into_iter()
            .map(|(name, path, content)| DataFile::new(db, name, path, content))
            .collect();
        let templates = self
            .templates
            .into_iter()
            .map(|(name, (content, own))| TemplateFile::new(db, name, content, own))
            .collect();
        let assets = self
            .assets
            .into_iter()
            .map(|(path, (location, digest, fingerprinted))| {
                AssetFile::new(db, path, digest, location, fingerprinted)
            })
            .collect();
        Site::new(db, Arc::new(config.settings.clone()), entries, data, templates, assets);
    }
}

fn templates(folder: &Path) -> miette::Result<BTreeMap<Arc<str>, (Arc<str>, bool)>> {
    let mut templates: BTreeMap<Arc<str>, (Arc<str>, bool)> =
        theme::templates().map(|(name, text)| (name.into(), (text.into(), false))).collect();
    for path in files_below(folder)? {
        let name = relative(folder, &path)?;
        let text = String::from_utf8(read(&path)?).map_err(|_| {
            miette!(help = "save it as UTF-8", "the template {} is not UTF-8", path.display())
        })?;
        // A file that is the theme's own, as in the theme's home, is not an override.
        let own = templates.get(&*name).is_none_or(|(theme, _)| **theme != *text);
        templates.insert(name.into(), (text.into(), own));
    }
    Ok(templates)
}

fn assets(folder: &Path) -> miette::Result<BTreeMap<Arc<str>, (AssetLocation, Digest, bool)>> {
    let mut assets: BTreeMap<Arc<str>, (AssetLocation, Digest, bool)> = theme::assets()
        .map(|(path, content)| (path.into(), (AssetLocation::Theme(content), Digest::of(content), true)))
        .collect();
    for path in files_below(folder)? {
        let name = relative(folder, &path)?;
        let digest = Digest::of(&read(&path)?);
        let fingerprinted = assets.contains_key(&*name) || is_fingerprinted(&name);
        assets.insert(name.into(), (AssetLocation::File(path), digest, fingerprinted));
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
