//! Alternates of plugins' pages: the digest of each.

use super::entries::known;
use super::kinds::stem;
use super::plugins::plugin;
use super::recorder::{Reader, query};
use super::{EntryFile, history, views};
use crate::alternate::{Alternate, Form};
use crate::digest::Digest;
use crate::render::{api, badge};

query! {
    /// The alternates of the page of an entry without a reused trace; `None` if the entry can't be read. This is a
    /// single query because computing an alternate is cheaper than validating a query for it.
    pub fn alternates(db: Reader<'_>, file: EntryFile) -> Option<Vec<(Alternate, Digest)>> {
        let settings = db.settings();
        let plugin = plugin(db, file).as_deref()?;
        let text = |alternate| {
            Some(match alternate {
                Alternate::Api => api::plugin(&views::full(db, file)?, settings),
                Alternate::History => history::published(db, file)?.to_json(),
                Alternate::Badge(badge, Form::Svg) => badge::of(plugin, badge).svg(),
                Alternate::Badge(badge, Form::Endpoint) => badge::of(plugin, badge).endpoint(),
            })
        };
        let digest = |alternate| {
            let text = text(alternate)?;
            let digest = match alternate {
                // The cache already has the history in a more compact form.
                Alternate::History => Digest::of(text.as_bytes()),
                _ => db.memory().put_blob(text.as_bytes()),
            };
            Some((alternate, digest))
        };
        Alternate::all(settings).map(digest).collect()
    }
}

/// Returns the digest of an alternate of an entry's page.
pub(super) fn digest(db: Reader<'_>, file: EntryFile, wanted: Alternate) -> Digest {
    let digest = match known(db, file) {
        Some(entry_trace) => entry_trace.alternate(wanted),
        None => {
            let all = alternates(db, file).as_deref().unwrap_or_default();
            all.iter().find(|(alternate, _)| *alternate == wanted).map(|(_, digest)| *digest)
        }
    };
    digest.unwrap_or_else(|| {
        // The plan has every alternate of every plugin.
        db.memory().lose(&wanted.address(stem(db, file)));
        Digest::of(b"")
    })
}
