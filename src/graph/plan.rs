//! The plan: which files the site has.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry as Slot;
use std::sync::Arc;

use super::entries::parsed;
use super::kinds::Kind;
use super::plugins::plugins;
use super::{AssetFile, Db, Site};
use crate::render::address;

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

/// The path from the site's root under which an asset is published.
pub fn published_asset(db: &dyn Db, asset: AssetFile) -> String {
    address::asset(asset.path(db), *asset.digest(db), *asset.fingerprinted(db))
}
