//! Data files as queries see them: one that is absent is empty, one that is wrong is a problem.

use std::collections::{BTreeMap, HashSet};
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

/// What the blocklist was called before, and still is where nobody has renamed it.
pub const OLD_BLOCKLIST: &str = "blacklist";

#[salsa::tracked]
fn read_blocklist(db: &dyn Db) -> Read<Arc<Vec<Block>>> {
    read(db, "blocklist", data::blocklist)
}

#[salsa::tracked]
fn read_old_blocklist(db: &dyn Db) -> Read<Arc<Vec<Block>>> {
    read(db, OLD_BLOCKLIST, data::blocklist)
}

#[salsa::tracked]
fn read_overlays(db: &dyn Db) -> Read<Arc<Overlays>> {
    read(db, "update_check_overlays", data::overlays)
}

#[salsa::tracked]
fn read_python2_overlays(db: &dyn Db) -> Read<Arc<Overlays>> {
    read(db, "update_check_overlays_py2", data::overlays)
}

#[salsa::tracked]
fn read_compat(db: &dyn Db) -> Read<Arc<Compat>> {
    read(db, "compat", data::compat)
}

/// Notices that OctoPrint instances show to people who have the plugin.
pub fn notices(db: &dyn Db) -> Arc<Vec<Notice>> {
    value(read_notices(db))
}

/// Plugins that OctoPrint refuses to load: the items of `blocklist.yaml`, then those that only `blacklist.yaml` has.
#[salsa::tracked]
pub fn blocklist(db: &dyn Db) -> Arc<Vec<Block>> {
    let items = value(read_blocklist(db));
    let old = value(read_old_blocklist(db));
    // Whatever the order of its keys.
    let said = |block: &Block| {
        let keys: BTreeMap<_, _> = block.published.iter().collect();
        serde_json::to_string(&keys).unwrap_or_default()
    };
    let known: HashSet<String> = items.iter().map(said).collect();
    let others = old.iter().filter(|block| !known.contains(&said(block)));
    Arc::new(items.iter().chain(others).cloned().collect())
}

/// Corrections to the places where plugins look for updates.
pub fn overlays(db: &dyn Db) -> Arc<Overlays> {
    value(read_overlays(db))
}

/// The same, for instances of OctoPrint that run on Python 2 alone.
pub fn python2_overlays(db: &dyn Db) -> Arc<Overlays> {
    value(read_python2_overlays(db))
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
        read_blocklist(db).as_ref().err(),
        read_old_blocklist(db).as_ref().err(),
        read_overlays(db).as_ref().err(),
        read_python2_overlays(db).as_ref().err(),
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
    let all = [
        of(read_notices(db)),
        of(read_blocklist(db)),
        of(read_old_blocklist(db)),
        of(read_overlays(db)),
        of(read_python2_overlays(db)),
        of(read_compat(db)),
    ];
    all.concat()
}

/// Positions of notices and blocklist items by the plugin they concern, in lower case.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Concerning {
    /// Positions in [`notices`].
    pub notices: Vec<usize>,
    /// Positions in [`blocklist`].
    pub blocklist: Vec<usize>,
}

/// Which notices and blocklist items concern which plugin.
#[salsa::tracked]
pub fn concerning(db: &dyn Db) -> BTreeMap<String, Concerning> {
    let mut map: BTreeMap<String, Concerning> = BTreeMap::new();
    for (position, notice) in notices(db).iter().enumerate() {
        map.entry(notice.plugin.to_lowercase()).or_default().notices.push(position);
    }
    for (position, item) in blocklist(db).iter().enumerate() {
        map.entry(item.plugin.to_lowercase()).or_default().blocklist.push(position);
    }
    map
}

/// The digests of what notices and blocklist items say of each plugin that they concern.
#[salsa::tracked]
fn concerning_digests(db: &dyn Db) -> BTreeMap<String, Digest> {
    let (notices, blocklist) = (notices(db), blocklist(db));
    let json = |item| serde_json::to_string(item).unwrap_or_default();
    let of_one = |concerning: &Concerning| {
        let notices = concerning.notices.iter().filter_map(|at| notices.get(*at));
        let notices = notices.map(|notice| format!("{:?} {}", notice.date, json(&notice.published)));
        let blocks = concerning.blocklist.iter().filter_map(|at| blocklist.get(*at));
        let texts: Vec<String> = notices.chain(blocks.map(|block| json(&block.published))).collect();
        Digest::of_parts(texts.iter().map(String::as_bytes))
    };
    concerning(db).iter().map(|(id, concerning)| (id.clone(), of_one(concerning))).collect()
}

/// The digest of what notices and blocklist items say of the plugin that declares `id`.
pub fn concerning_digest(db: &dyn Db, id: &str) -> Digest {
    let digests = concerning_digests(db);
    digests.get(&id.to_lowercase()).copied().unwrap_or_else(|| Digest::of(b""))
}
