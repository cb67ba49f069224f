//! Notices: those in `notices.yaml`, and one for each plugin that is abandoned according to a GitHub issue.
#![allow(missing_docs, reason = "salsa's macros generate undocumented functions")]

use std::collections::HashSet;

use jiff::tz::{Offset, TimeZone};
use serde_json::{Map, Value};

use super::entries::{front, known, parsed};
use super::facts::issue;
use super::plugins::plugins;
use super::recorder::{Reader, query};
use super::{EntryFile, data};
use crate::data::Notice;
use crate::digest::Digest;
use crate::entry_trace::Abandonment;
use crate::fact::IssueName;
use crate::trace::Input;
use crate::yaml::Timestamp;

/// The text of the notice about an abandoned plugin.
const ABANDONED: &str = "This plugin is no longer maintained and needs a new maintainer. Until someone takes over, \
                         do not expect fixes or updates. Follow the link to learn more.";

/// Returns since when an entry's plugin is abandoned, if the entry links to a GitHub issue about it.
pub fn abandonment(db: Reader<'_>, file: EntryFile) -> Option<&Abandonment> {
    match known(db, file) {
        Some(entry_trace) => entry_trace.abandonment.as_ref(),
        None => read_abandonment(db, file).as_ref(),
    }
}

query! {
    /// Computes [`abandonment`] for an entry without a reused trace.
    pub fn read_abandonment(db: Reader<'_>, file: EntryFile) -> Option<Abandonment> {
        let link = parsed(db, file).as_ref().ok()?.entry.abandoned.as_deref()?.trim().to_owned();
        Some(Abandonment { since: issue(db, file)?.created, link })
    }
}

query! {
    as Input::Abandoned, None;
    /// The ids of the plugins that are abandoned according to a GitHub issue, in the order of plugins.
    fn abandonments(db: Reader<'_>) -> Vec<(String, Abandonment)> {
        let of_one = |file: &EntryFile| Some((front(db, *file)?.id.clone(), abandonment(db, *file)?.clone()));
        plugins(db).iter().filter_map(of_one).collect()
    }
}

/// Returns the digest of everything that notices contain in addition to `notices.yaml`.
pub fn abandoned_digest(db: Reader<'_>) -> Digest {
    let texts = abandonments(db).iter();
    let texts = texts.map(|(id, Abandonment { since, link })| format!("{id}\0{since}\0{link}"));
    Digest::of_parts(texts.collect::<Vec<_>>().iter().map(String::as_bytes))
}

/// Returns the notice about an abandoned plugin, unless `notices.yaml` has one that links to the same issue.
pub fn of_abandoned(db: Reader<'_>, id: &str, abandonment: &Abandonment) -> Option<Notice> {
    let server = db.settings().github_server();
    let issue = |link: &str| IssueName::from_url(link, server);
    let notices = data::notices(db);
    // Derived from the notices that were read above.
    let about = db.unnoted(|db| data::concerning(db).get(&id.to_lowercase()).cloned());
    let mut written = about.iter().flat_map(|about| &about.notices).filter_map(|at| notices.get(*at));
    let is_same = |notice: &Notice| notice.link.as_deref().and_then(issue) == issue(&abandonment.link);
    (!written.any(is_same)).then(|| notice(id, abandonment))
}

/// Returns all notices: those in `notices.yaml` in their order, then the generated ones, oldest first.
pub fn all(db: Reader<'_>) -> Vec<Notice> {
    let mut seen = HashSet::new();
    let mut others: Vec<Notice> = abandonments(db)
        .iter()
        // Two entries can have the same id.
        .filter(|about| seen.insert(*about))
        .filter_map(|(id, abandonment)| of_abandoned(db, id, abandonment))
        .collect();
    others.sort_by_cached_key(|notice| notice.date.published());
    data::notices(db).iter().cloned().chain(others).collect()
}

fn notice(id: &str, Abandonment { since, link }: &Abandonment) -> Notice {
    let date = Timestamp::Moment(since.to_zoned(TimeZone::UTC).datetime(), Offset::UTC);
    let members = [("plugin", id), ("date", &date.published()), ("text", ABANDONED), ("link", link)];
    let published: Map<String, Value> =
        members.map(|(name, value)| (name.to_owned(), value.into())).into_iter().collect();
    Notice {
        plugin: id.to_owned(),
        versions: Vec::new(),
        plugin_versions: Vec::new(),
        octoprint_versions: Vec::new(),
        date,
        text: ABANDONED.to_owned(),
        link: Some(link.clone()),
        important: false,
        published,
    }
}
