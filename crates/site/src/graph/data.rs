//! Data files: a missing file counts as empty, an invalid one is a problem.

use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;

use super::recorder::{Reader, query};
use crate::config::Limits;
use crate::data::{self, Block, Compat, Notice, Overlays, Read};
use crate::digest::Digest;
use crate::problem::Problem;
use crate::warning::Warning;

/// Reads a data file with `parse`; returns the default if the file does not exist.
fn read<T: Default>(
    db: Reader<'_>,
    name: &str,
    parse: impl FnOnce(&str, &[u8], &Limits) -> Read<T>,
) -> Read<Arc<T>> {
    let Some((path, content)) = db.data(name) else { return Ok((Arc::default(), Vec::new())) };
    let (value, warnings) = parse(path, content, db.settings().limits())?;
    Ok((Arc::new(value), warnings))
}

fn value<T: Default>(read: &Read<Arc<T>>) -> Arc<T> {
    read.as_ref().map(|(value, _)| Arc::clone(value)).unwrap_or_default()
}

query! {
    fn read_notices(db: Reader<'_>) -> Read<Arc<Vec<Notice>>> {
        read(db, "notices", data::notices)
    }
}

/// The old name of the blocklist, which is still accepted.
pub const OLD_BLOCKLIST: &str = "blacklist";

query! {
    fn read_blocklist(db: Reader<'_>) -> Read<Arc<Vec<Block>>> {
        read(db, "blocklist", data::blocklist)
    }
}

query! {
    fn read_old_blocklist(db: Reader<'_>) -> Read<Arc<Vec<Block>>> {
        read(db, OLD_BLOCKLIST, data::blocklist)
    }
}

query! {
    fn read_overlays(db: Reader<'_>) -> Read<Arc<Overlays>> {
        read(db, "update_check_overlays", data::overlays)
    }
}

query! {
    fn read_python2_overlays(db: Reader<'_>) -> Read<Arc<Overlays>> {
        read(db, "update_check_overlays_py2", data::overlays)
    }
}

query! {
    fn read_compat(db: Reader<'_>) -> Read<Arc<Compat>> {
        read(db, "compat", data::compat)
    }
}

/// Returns the notices that OctoPrint shows to people who have the plugin installed.
pub fn notices(db: Reader<'_>) -> Arc<Vec<Notice>> {
    value(read_notices(db))
}

query! {
    /// Plugins that OctoPrint refuses to load: the items of `blocklist.yaml`, then those that only `blacklist.yaml`
    /// has.
    pub fn blocklist(db: Reader<'_>) -> Arc<Vec<Block>> {
        let items = value(read_blocklist(db));
        let old = value(read_old_blocklist(db));
        // The order of keys doesn't matter.
        let said = |block: &Block| {
            let keys: BTreeMap<_, _> = block.published.iter().collect();
            serde_json::to_string(&keys).unwrap_or_default()
        };
        let known: HashSet<String> = items.iter().map(said).collect();
        let others = old.iter().filter(|block| !known.contains(&said(block)));
        Arc::new(items.iter().chain(others).cloned().collect())
    }
}

/// Returns the corrections to plugins' update configurations.
pub fn overlays(db: Reader<'_>) -> Arc<Overlays> {
    value(read_overlays(db))
}

/// Returns additional corrections for OctoPrint on Python 2.
pub fn python2_overlays(db: Reader<'_>) -> Arc<Overlays> {
    value(read_python2_overlays(db))
}

/// Returns the names and groups of operating systems.
pub fn compat(db: Reader<'_>) -> Arc<Compat> {
    value(read_compat(db))
}

query! {
    /// Errors in data files.
    pub fn data_problems(db: Reader<'_>) -> Vec<Problem> {
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
}

query! {
    /// Warnings about items of data files.
    pub fn data_warnings(db: Reader<'_>) -> Vec<Warning> {
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
}

/// Positions of notices and blocklist items about a plugin.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Concerning {
    /// Positions in [`notices`].
    pub notices: Vec<usize>,
    /// Positions in [`blocklist`].
    pub blocklist: Vec<usize>,
}

query! {
    /// The notices and blocklist items about each plugin, by its id in lower case.
    pub fn concerning(db: Reader<'_>) -> BTreeMap<String, Concerning> {
        let mut map: BTreeMap<String, Concerning> = BTreeMap::new();
        for (position, notice) in notices(db).iter().enumerate() {
            map.entry(notice.plugin.to_lowercase()).or_default().notices.push(position);
        }
        for (position, item) in blocklist(db).iter().enumerate() {
            map.entry(item.plugin.to_lowercase()).or_default().blocklist.push(position);
        }
        map
    }
}

query! {
    /// The digest of the notices and blocklist items about each plugin.
    fn concerning_digests(db: Reader<'_>) -> BTreeMap<String, Digest> {
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
}

/// Returns the digest of the notices and blocklist items about the plugin with this id.
pub fn concerning_digest<'a>(db: impl Into<Reader<'a>>, id: &str) -> Digest {
    let db = db.into();
    let digests = concerning_digests(db);
    digests.get(&id.to_lowercase()).copied().unwrap_or_else(|| Digest::of(b""))
}
