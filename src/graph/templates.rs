//! The site's templates, as a query.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::plan::published_asset;
use super::{AssetFile, Db, Site, TemplateFile, own_pages};
use crate::problem::Problem;
use crate::render::compact::compact;
use crate::render::environment::{Source, Templates, has_markup};

/// A site's templates, compiled, or what is wrong with them.
#[salsa::tracked(no_eq)]
pub fn templates(db: &dyn Db) -> Result<Arc<Templates>, Vec<Problem>> {
    let settings = Site::get(db).settings(db);
    Templates::compile(sources(db), settings, assets(db), own_pages::navigation(db)).map(Arc::new)
}

/// The sources of all templates.
pub(super) fn sources(db: &dyn Db) -> Vec<Source> {
    let source = |file: &TemplateFile| {
        let (name, content) = (Arc::clone(file.name(db)), file.content(db));
        if *file.own(db) {
            return Source { path: format!("templates/{name}"), name, text: Arc::clone(content) };
        }
        let text = if has_markup(&name) { compact(content).into() } else { Arc::clone(content) };
        Source { path: format!("(theme)/{name}"), name, text }
    };
    Site::get(db).templates(db).iter().map(source).collect()
}

/// The published path of each asset, by its name.
pub(super) fn assets(db: &dyn Db) -> BTreeMap<String, String> {
    let published = |asset: &AssetFile| (asset.path(db).to_string(), published_asset(db, *asset));
    Site::get(db).assets(db).iter().map(published).collect()
}
