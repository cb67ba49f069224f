//! What pages have in common: the program, the configuration, templates, data files, the navigation and the
//! addresses of assets.
//!
//! Each part has a name and a digest. The digests decide whether a page is what it was; the names tell a person why
//! it is not.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::templates::{assets, sources};
use super::{Db, Site, own_pages};
use crate::digest::Digest;
use crate::render::environment::dependencies;

/// One thing that an output is made from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Part {
    /// What a person calls it, such as `template base.html`.
    pub name: String,
    /// The digest of its content.
    pub digest: Digest,
    /// Its content, where that is short.
    pub value: Option<String>,
}

impl Part {
    /// A part whose content only its digest is shown of.
    pub(super) fn new(name: impl Into<String>, digest: Digest) -> Self {
        Self { name: name.into(), digest, value: None }
    }

    /// A part whose content is shown.
    pub(super) fn short(name: impl Into<String>, value: impl Into<String>) -> Self {
        let value = value.into();
        Self { name: name.into(), digest: Digest::of(value.as_bytes()), value: Some(value) }
    }
}

/// The digest of several parts.
pub fn digest<'a>(parts: impl IntoIterator<Item = &'a Part>) -> Digest {
    let texts = parts.into_iter().flat_map(|part| [part.name.as_bytes(), part.digest.as_bytes().as_slice()]);
    Digest::of_parts(texts)
}

/// The program and the configuration.
#[salsa::tracked]
pub fn base(db: &dyn Db) -> Vec<Part> {
    let program = Part::new("program", Digest::of(env!("SHELFLIFE_FINGERPRINT").as_bytes()));
    let settings = Site::get(db).settings(db).parts();
    let settings = settings.into_iter().map(|(key, value)| Part::short(format!("setting {key}"), value));
    std::iter::once(program).chain(settings).collect()
}

/// For each template everything beside what it shows that its pages depend on: [`base`], the addresses of assets, the
/// navigation, and itself with all that it can include.
#[salsa::tracked]
pub fn of_templates(db: &dyn Db) -> Arc<BTreeMap<String, Vec<Part>>> {
    let sources = sources(db);
    let assets = assets(db);
    let assets = assets.iter().map(|(name, path)| Part::short(format!("address of {name}"), path.as_str()));
    let around: Vec<Part> =
        base(db).iter().cloned().chain(assets).chain([own_pages::navigation_part(db)]).collect();
    let of_one = |texts: Vec<&crate::render::environment::Source>| -> Vec<Part> {
        let templates = texts
            .into_iter()
            .map(|source| Part::new(format!("template {}", source.name), Digest::of(source.text.as_bytes())));
        around.iter().cloned().chain(templates).collect()
    };
    let all = dependencies(&sources).into_iter().map(|(name, texts)| (name.to_string(), of_one(texts)));
    Arc::new(all.collect())
}

/// The digest of everything beside what it shows that the pages of each template depend on.
#[salsa::tracked]
fn identities(db: &dyn Db) -> Arc<BTreeMap<String, Digest>> {
    Arc::new(of_templates(db).iter().map(|(name, parts)| (name.clone(), digest(parts))).collect())
}

/// The digest of everything beside what it shows that the pages of template `name` depend on.
pub fn identity(db: &dyn Db, name: &str) -> Digest {
    identities(db).get(name).copied().unwrap_or_else(|| Digest::of(name.as_bytes()))
}

/// The data file called `name`; there is always a part, since that there is none is as much of a reason as what is in
/// it.
pub fn data(db: &dyn Db, name: &str) -> Part {
    let file = Site::get(db).data(db).iter().find(|file| &**file.name(db) == name);
    let content = file.map_or(&[][..], |file| &**file.content(db));
    Part::new(format!("data file {name}"), Digest::of(content))
}

/// Everything that all companions of pages are made from, beside what they show.
pub fn of_companions(db: &dyn Db) -> Vec<Part> {
    base(db).iter().cloned().chain([data(db, "compat")]).collect()
}

/// Everything that all imprints are made from.
#[salsa::tracked]
pub fn of_entries(db: &dyn Db) -> Vec<Part> {
    let page = of_templates(db).get("plugin.html").cloned().unwrap_or_default();
    page.into_iter().chain([data(db, "compat")]).collect()
}
