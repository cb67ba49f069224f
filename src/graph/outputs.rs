//! Outputs: which files the site has, and what is in them.
#![allow(missing_docs, reason = "salsa's macros write functions without comments")]

use std::collections::BTreeMap;
use std::collections::btree_map::Entry as Slot;
use std::sync::Arc;

use super::inputs::AssetLocation;
use super::pages::{self, Kind};
use super::plugins::plugins;
use super::{AssetFile, Db, Site};
use crate::digest::Digest;
use crate::entry;
use crate::problem::Problem;
use crate::render::environment::{Source, Templates};

use super::entries::parsed;

/// One file of the published site.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Output {
    /// A file that is rendered.
    Rendered(Kind),
    /// A file that is copied.
    Asset(AssetFile),
}

/// What the site consists of.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Plan {
    /// Every output by its path below the output folder, with `/`.
    pub outputs: BTreeMap<String, Output>,
    /// Redirects that can't be, since their address is taken, in words.
    pub warnings: Vec<String>,
}

/// All outputs.
#[salsa::tracked]
pub fn plan(db: &dyn Db) -> Arc<Plan> {
    let mut plan = Plan::default();
    for kind in Kind::SINGLE {
        plan.outputs.insert(kind.file(db), Output::Rendered(kind));
    }
    for file in plugins(db) {
        let kind = Kind::Plugin(*file);
        plan.outputs.insert(kind.file(db), Output::Rendered(kind));
    }
    for asset in Site::get(db).assets(db) {
        plan.outputs
            .insert(published_asset(db, *asset).trim_start_matches('/').to_owned(), Output::Asset(*asset));
    }
    let mut taken: BTreeMap<String, String> =
        plan.outputs.keys().map(|path| (path.to_lowercase(), path.clone())).collect();
    for file in plugins(db) {
        let Ok(parsed) = parsed(db, *file) else { continue };
        for from in &parsed.entry.redirect_from {
            let kind = Kind::Redirect { from: from.clone(), to: *file };
            let path = kind.file(db);
            match taken.entry(path.to_lowercase()) {
                Slot::Vacant(slot) => {
                    slot.insert(path.clone());
                    plan.outputs.insert(path, Output::Rendered(kind));
                }
                Slot::Occupied(slot) => plan.warnings.push(format!(
                    "{}: `redirect_from: {from}` does nothing, the site has {} there already",
                    file.path(db),
                    slot.get()
                )),
            }
        }
    }
    Arc::new(plan)
}

/// An output's identity within the graph.
#[salsa::interned]
pub struct OutputKey<'db> {
    /// What the output is.
    #[returns(ref)]
    pub kind: Kind,
}

/// The digest of a rendered output, whose bytes are in the cache's blobs.
#[salsa::tracked]
pub fn output<'db>(db: &'db dyn Db, key: OutputKey<'db>) -> Result<Digest, Problem> {
    let kind = key.kind(db);
    let text = pages::render(db, kind)?;
    if kind.file(db).ends_with(".json") {
        // What every installed OctoPrint reads must parse, whatever went in.
        serde_json::from_str::<serde::de::IgnoredAny>(&text).map_err(|error| {
            let text: Arc<str> = text.as_str().into();
            Problem::new(&kind.file(db), &text, 0..0, format!("this is not valid JSON: {error}"))
                .help("this is a mistake in shelflife, please report it")
        })?;
    }
    Ok(db.cache().put_blob(text.as_bytes()))
}

/// A site's templates, compiled, or what is wrong with them.
#[salsa::tracked(no_eq)]
pub fn templates(db: &dyn Db) -> Result<Arc<Templates>, Vec<Problem>> {
    let site = Site::get(db);
    let sources = site.templates(db).iter().map(|file| Source {
        name: Arc::clone(file.name(db)),
        path: if *file.own(db) {
            format!("templates/{}", file.name(db))
        } else {
            format!("(theme)/{}", file.name(db))
        },
        text: Arc::clone(file.content(db)),
    });
    let assets = site
        .assets(db)
        .iter()
        .map(|asset| (asset.path(db).to_string(), published_asset(db, *asset)))
        .collect();
    Templates::compile(sources.collect(), site.settings(db), assets).map(Arc::new)
}

/// The path from the site's root under which an asset is published.
pub fn published_asset(db: &dyn Db, asset: AssetFile) -> String {
    let path = asset.path(db);
    if !*asset.fingerprinted(db) {
        return format!("/assets/{path}");
    }
    let fingerprint = asset.digest(db).short(8);
    let name_at = path.rfind('/').map_or(0, |slash| slash + 1);
    match path[name_at..].rfind('.') {
        Some(dot) if dot > 0 => {
            let (stem, extension) = path.split_at(name_at + dot);
            format!("/assets/{stem}.{fingerprint}{extension}")
        }
        _ => format!("/assets/{path}.{fingerprint}"),
    }
}

/// Where the bytes of an asset are, and their digest.
pub fn asset(db: &dyn Db, asset: AssetFile) -> (AssetLocation, Digest) {
    (asset.location(db).clone(), *asset.digest(db))
}

/// The name of an entry's file without `.md`.
pub(super) fn stem(db: &dyn Db, file: super::EntryFile) -> &str {
    entry::stem(file.path(db))
}
