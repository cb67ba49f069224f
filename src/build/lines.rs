//! Outputs that are made up of all plugins' texts of one kind.

use crate::cache::{Cache, CacheError, Texts};
use crate::digest::Digest;
use crate::imprint::ShownKind;
use crate::publish;
use crate::render::{plugins_json, search_json};

/// The file that consists of these texts.
pub(super) fn file(kind: ShownKind, texts: &Texts) -> Vec<u8> {
    let bytes = texts.bytes() + texts.iter().count() * 2 + 64;
    let file = match kind {
        ShownKind::Document => search_json::file(texts.iter(), bytes),
        ShownKind::Summary | ShownKind::Record => plugins_json::file(texts.iter(), bytes),
    };
    file.into_bytes()
}

/// Makes such files of the imprints and texts in the cache.
pub(super) struct Stored<'a>(pub(super) &'a Cache);

impl publish::Lines for Stored<'_> {
    fn file(&self, kind: ShownKind) -> Result<Option<Vec<u8>>, CacheError> {
        let imprints = self.0.imprints()?;
        let mut order: Vec<_> = imprints.iter().map(|(entry, it)| (it.front.date, entry, it)).collect();
        order.sort_by(|a, b| (a.0, a.1).cmp(&(b.0, b.1)));
        let wanted: Vec<(&str, Digest)> =
            order.into_iter().map(|(_, entry, imprint)| (entry.as_str(), imprint.shown.of(kind))).collect();
        Ok(self.0.all_shown(kind, &wanted)?.map(|texts| file(kind, &texts)))
    }
}
