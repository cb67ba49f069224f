//! The site's templates, as a query.

use std::sync::Arc;

use super::plan::published_asset;
use super::{Db, Site};
use crate::problem::Problem;
use crate::render::environment::{Source, Templates};

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
