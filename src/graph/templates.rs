//! The site's templates, as a query.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::plan::published_asset;
use super::{AssetFile, Db, Site, TemplateFile};
use crate::problem::Problem;
use crate::render::environment::{Source, Templates};

/// A site's templates, compiled, or what is wrong with them.
#[salsa::tracked(no_eq)]
pub fn templates(db: &dyn Db) -> Result<Arc<Templates>, Vec<Problem>> {
    Templates::compile(sources(db), Site::get(db).settings(db), assets(db)).map(Arc::new)
}

/// The sources of all templates.
pub(super) fn sources(db: &dyn Db) -> Vec<Source> {
    let source = |file: &TemplateFile| Source {
        name: Arc::clone(file.name(db)),
        path: if *file.own(db) {
            format!("templates/{}", file.name(db))
        } else {
            format!("(theme)/{}", file.name(db))
        },
        text: Arc::clone(file.content(db)),
    };
    Site::get(db).templates(db).iter().map(source).collect()
}

/// The published path of each asset, by its name.
pub(super) fn assets(db: &dyn Db) -> BTreeMap<String, String> {
    let published = |asset: &AssetFile| (asset.path(db).to_string(), published_asset(db, *asset));
    Site::get(db).assets(db).iter().map(published).collect()
}
