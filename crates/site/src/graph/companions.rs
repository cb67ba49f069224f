//! Companions of plugins' pages: the digest of each.

use super::entries::known;
use super::kinds::stem;
use super::plugins::plugin;
use super::recorder::{Reader, query};
use super::{EntryFile, history, views};
use crate::companion::{Companion, Form};
use crate::digest::Digest;
use crate::render::{api, badge};

query! {
    /// The companions of the page of an entry that is not known; `None` if it can't be read. One query for all of them:
    /// each costs less to make than it would to ask whether it is what it was.
    pub fn companions(db: Reader<'_>, file: EntryFile) -> Option<Vec<(Companion, Digest)>> {
        let settings = db.settings();
        let plugin = plugin(db, file).as_deref()?;
        let text = |companion| {
            Some(match companion {
                Companion::Api => api::plugin(&views::full(db, file)?, settings),
                Companion::History => history::published(db, file)?.to_json(),
                Companion::Badge(badge, Form::Svg) => badge::of(plugin, badge).svg(),
                Companion::Badge(badge, Form::Endpoint) => badge::of(plugin, badge).endpoint(),
            })
        };
        let digest = |companion| {
            let text = text(companion)?;
            let digest = match companion {
                // The cache has it already, in fewer bytes.
                Companion::History => Digest::of(text.as_bytes()),
                _ => db.memory().put_blob(text.as_bytes()),
            };
            Some((companion, digest))
        };
        Companion::all(settings).map(digest).collect()
    }
}

/// The digest of a companion of the page of an entry, known or not.
pub(super) fn digest(db: Reader<'_>, file: EntryFile, wanted: Companion) -> Digest {
    let digest = match known(db, file) {
        Some(imprint) => imprint.companion(wanted),
        None => {
            let all = companions(db, file).as_deref().unwrap_or_default();
            all.iter().find(|(companion, _)| *companion == wanted).map(|(_, digest)| *digest)
        }
    };
    digest.unwrap_or_else(|| {
        // There is one of each, of every plugin in the plan.
        db.memory().lose(&wanted.address(stem(db, file)));
        Digest::of(b"")
    })
}
