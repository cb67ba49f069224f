//! Data files as queries see them: one that is absent is empty, one that is wrong is a problem.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::{DataFile, Db, Site};
use crate::config::Limits;
use crate::data::{self, Block, Compat, Notice, Overlays, Read};
use crate::digest::Digest;
use crate::problem::Problem;
use crate::warning::Warning;

/// The data file called `name`, if the site has it.
fn find(db: &dyn Db, name: &str) -> Option<DataFile> {
    Site::get(db).data(db).iter().copied().find(|file| &**file.name(db) == name)
}

/// Reads a data file with `parse`; its default stands for an absent one.
fn read<T: Default>(
    db: &dyn Db,
    name: &str,
    parse: impl FnOnce(&str, &[u8], &Limits) -> Read<T>,
) -> Read<Arc<T>> {
    let Some(file) = find(db, name) else { return Ok((Arc::default(), Vec::new())) };
    let (value, warnings) = parse(file.path(db), file.content(db), &Site::get(db).settings(db).limits)?;
    Ok((Arc::new(value), warnings))
}

fn value<T: Default>(read: &Read<Arc<T>>) -> Arc<T> {
    read.as_ref().map(|(value, _)| Arc::clone(value)).unwrap_or_default()
}

#[salsa::tracked]
fn read_notices(db: &dyn Db) -> Read<Arc<Vec<Notice>>> {
    read(db, "notices", data::notices)
}

#[salsa::tracked]
fn read_blacklist(db: &dyn Db) -> Read<Arc<Vec<Block>>> {
    read(db, "blacklist", data::blacklist)
}

#[salsa::tracked]
fn read_overlays(db: &dyn Db) -> Read<Arc<Overlays>> {
    read(db, "update_check_overlays", data::overlays)
}

#[salsa::tracked]
fn read_compat(db: &dyn Db) -> Read<Arc<Compat>> {
    read(db, "compat", data::compat)
}

/// Notices that OctoPrint instances show to people who have the plugin.
pub fn notices(db: &dyn Db) -> Arc<Vec<Notice>> {
    value(read_notices(db))
}

/// Plugins that OctoPrint refuses to load.
pub fn blacklist(db: &dyn Db) -> Arc<Vec<Block>> {
    value(read_blacklist(db))
}

/// Corrections to the places where plugins look for updates.
pub fn overlays(db: &dyn Db) -> Arc<Overlays> {
    value(read_overlays(db))
}

/// Names and groups of operating systems.
pub fn compat(db: &dyn Db) -> Arc<Compat> {
    value(read_compat(db))
}

/// What makes data files unusable.
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

/// What is wrong with items of data files.
#[salsa::tracked]
pub fn data_warnings(db: &dyn Db) -> Vec<Warning> {
    fn of<T>(read: &Read<T>) -> &[Warning] {
        read.as_ref().map_or(&[], |(_, warnings)| warnings)
    }
    let all = [of(read_notices(db)), of(read_blacklist(db)), of(read_overlays(db)), of(read_compat(db))];
    all.concat()
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
