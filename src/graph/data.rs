//! Data files as queries see them: one that is absent is empty, one that is wrong is a problem.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::{DataFile, Db, Site};
use crate::config::Limits;
use crate::data::{self, Block, Compat, Notice, Overlays};
use crate::digest::Digest;
use crate::problem::Problem;

/// The data file called `name`, if the site has it.
fn find(db: &dyn Db, name: &str) -> Option<DataFile> {
    Site::get(db).data(db).iter().copied().find(|file| &**file.name(db) == name)
}

/// Reads a data file with `parse`; its default stands for an absent one.
fn read<T: Default>(
    db: &dyn Db,
    name: &str,
    parse: impl FnOnce(&str, &[u8], &Limits) -> Result<T, Vec<Problem>>,
) -> Result<T, Vec<Problem>> {
    let Some(file) = find(db, name) else { return Ok(T::default()) };
    parse(file.path(db), file.content(db), &Site::get(db).settings(db).limits)
}

#[salsa::tracked]
fn read_notices(db: &dyn Db) -> Result<Arc<Vec<Notice>>, Vec<Problem>> {
    read(db, "notices", data::notices).map(Arc::new)
}

#[salsa::tracked]
fn read_blacklist(db: &dyn Db) -> Result<Arc<Vec<Block>>, Vec<Problem>> {
    read(db, "blacklist", data::blacklist).map(Arc::new)
}

#[salsa::tracked]
fn read_overlays(db: &dyn Db) -> Result<Arc<Overlays>, Vec<Problem>> {
    read(db, "update_check_overlays", data::overlays).map(Arc::new)
}

#[salsa::tracked]
fn read_compat(db: &dyn Db) -> Result<Arc<Compat>, Vec<Problem>> {
    read(db, "compat", data::compat).map(Arc::new)
}

/// Notices that OctoPrint instances show to people who have the plugin.
pub fn notices(db: &dyn Db) -> Arc<Vec<Notice>> {
    read_notices(db).clone().unwrap_or_default()
}

/// Plugins that OctoPrint refuses to load.
pub fn blacklist(db: &dyn Db) -> Arc<Vec<Block>> {
    read_blacklist(db).clone().unwrap_or_default()
}

/// Corrections to the places where plugins look for updates.
pub fn overlays(db: &dyn Db) -> Arc<Overlays> {
    read_overlays(db).clone().unwrap_or_default()
}

/// Names and groups of operating systems.
pub fn compat(db: &dyn Db) -> Arc<Compat> {
    read_compat(db).clone().unwrap_or_default()
}

/// Everything that is wrong with data files.
#[salsa::tracked]
pub fn data_problems(db: &dyn Db) -> Vec<Problem> {
    let all = [
        read_notices(db).as_ref().err(),
        read_blacklist(db).as_ref().err(),
        read_overlays(db).as_ref().err(),
        read_compat(db).as_ref().err(),
    ];
    all.into_iter().flatten().flatten().cloned().collect()
}

/// Positions of notices and blacklist items by the plugin they concern, in lower case.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Concerning {
    /// Positions in [`notices`].
    pub notices: Vec<usize>,
    /// Positions in [`blacklist`].
    pub blacklist: Vec<usize>,
}

/// Which notices and blacklist items concern which plugin.
#[salsa::tracked]
pub fn concerning(db: &dyn Db) -> BTreeMap<String, Concerning> {
    let mut map: BTreeMap<String, Concerning> = BTreeMap::new();
    for (position, notice) in notices(db).iter().enumerate() {
        map.entry(notice.plugin.to_lowercase()).or_default().notices.push(position);
    }
    for (position, item) in blacklist(db).iter().enumerate() {
        map.entry(item.plugin.to_lowercase()).or_default().blacklist.push(position);
    }
    map
}

/// The digests of what notices and blacklist items say of each plugin that they concern.
#[salsa::tracked]
fn concerning_digests(db: &dyn Db) -> BTreeMap<String, Digest> {
    let (notices, blacklist) = (notices(db), blacklist(db));
    let json = |item| serde_json::to_string(item).unwrap_or_default();
    let of_one = |concerning: &Concerning| {
        let notices = concerning.notices.iter().filter_map(|at| notices.get(*at));
        let notices = notices.map(|notice| format!("{:?} {}", notice.date, json(&notice.published)));
        let blacklist = concerning.blacklist.iter().filter_map(|at| blacklist.get(*at));
        let texts: Vec<String> = notices.chain(blacklist.map(|block| json(&block.published))).collect();
        Digest::of_parts(texts.iter().map(String::as_bytes))
    };
    concerning(db).iter().map(|(id, concerning)| (id.clone(), of_one(concerning))).collect()
}

/// The digest of what notices and blacklist items say of the plugin that declares `id`.
pub fn concerning_digest(db: &dyn Db, id: &str) -> Digest {
    let digests = concerning_digests(db);
    digests.get(&id.to_lowercase()).copied().unwrap_or_else(|| Digest::of(b""))
}
