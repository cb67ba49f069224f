//! Notices: those that `notices.yaml` has, and one for each plugin that a GitHub issue says is abandoned.
#![allow(missing_docs, reason = "salsa's macros write functions without comments")]

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

/// What a notice about an abandoned plugin says.
const ABANDONED: &str = "The maintainer of this plugin has given it up, and it needs a new one. Until somebody takes \
                         over, expect neither fixes nor updates; the link says more.";

/// Since when an entry's plugin is abandoned, if it names a GitHub issue that tells.
pub fn abandonment(db: Reader<'_>, file: EntryFile) -> Option<&Abandonment> {
    match known(db, file) {
        Some(entry_trace) => entry_trace.abandonment.as_ref(),
        None => read_abandonment(db, file).as_ref(),
    }
}

query! {
    /// The same for an entry that is not known.
    pub fn read_abandonment(db: Reader<'_>, file: EntryFile) -> Option<Abandonment> {
        let link = parsed(db, file).as_ref().ok()?.entry.abandoned.as_deref()?.trim().to_owned();
        Some(Abandonment { since: issue(db, file)?.created, link })
    }
}

query! {
    as Input::Abandoned, None;
    /// The id of every plugin that a GitHub issue says is abandoned, in the order of plugins.
    fn abandonments(db: Reader<'_>) -> Vec<(String, Abandonment)> {
        let of_one = |file: &EntryFile| Some((front(db, *file)?.id.clone(), abandonment(db, *file)?.clone()));
        plugins(db).iter().filter_map(of_one).collect()
    }
}

/// The digest of all that notices say beside what is in `notices.yaml`.
pub fn abandoned_digest(db: Reader<'_>) -> Digest {
    let texts = abandonments(db).iter();
    let texts = texts.map(|(id, Abandonment { since, link })| format!("{id}\0{since}\0{link}"));
    Digest::of_parts(texts.collect::<Vec<_>>().iter().map(String::as_bytes))
}

/// The notice that the plugin with this id gets for being abandoned, unless `notices.yaml` has one about the same issue.
pub fn of_abandoned(db: Reader<'_>, id: &str, abandonment: &Abandonment) -> Option<Notice> {
    let server = db.settings().github_server();
    let issue = |link: &str| IssueName::from_url(link, server);
    let notices = data::notices(db);
    // What concerns a plugin follows from those.
    let about = db.unnoted(|db| data::concerning(db).get(&id.to_lowercase()).cloned());
    let mut written = about.iter().flat_map(|about| &about.notices).filter_map(|at| notices.get(*at));
    let is_same = |notice: &Notice| notice.link.as_deref().and_then(issue) == issue(&abandonment.link);
    (!written.any(is_same)).then(|| notice(id, abandonment))
}

/// All notices: those of `notices.yaml` in its order, and then the others from the earliest on.
pub fn all(db: Reader<'_>) -> Vec<Notice> {
    let mut seen = HashSet::new();
    let mut others: Vec<Notice> = abandonments(db)
        .iter()
        // Two entries may be about one plugin.
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
