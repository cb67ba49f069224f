//! Views: the summaries, groups and rankings that lists show.

use std::cmp::Reverse;
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use jiff::Timestamp;
use serde::de::IgnoredAny;

use super::entries::{description, disabled, known, sound_entries};
use super::plugins::{by_id, plugin, plugins};
use super::recorder::{Reader, query};
use super::{EntryFile, data, due, history, notices, related};
use crate::data::{Block, Notice, Overlays};
use crate::digest::Digest;
use crate::entry;
use crate::entry_trace::{Shown, ShownKind};
use crate::markdown::{self, Addresses};
use crate::render::context::{self, Card, Full, Group, Named, Summary, Surroundings};
use crate::render::history::Instances;
use crate::render::ranking::{is_ranked, trend};
use crate::render::{address, pictures};
use crate::render::{plugins_json, search_json};
use crate::trace::{Aspect, Input};

/// The number of plugins in a ranking.
const RANKING: usize = 10;

query! {
    /// A plugin's data for lists; `None` if its entry can't be read.
    pub fn summary(db: Reader<'_>, file: EntryFile) -> Option<Arc<Summary>> {
        if let Some(entry_trace) = known(db, file) {
            let stem = entry::stem(file.path(db));
            let text = db.memory().shown(ShownKind::Summary, stem, entry_trace.shown.summary)?;
            let summary = serde_json::from_str(&text).ok();
            if summary.is_none() {
                db.memory().lose(&format!("the summary of {stem}"));
            }
            return summary.map(Arc::new);
        }
        let plugin = plugin(db, file).as_deref()?;
        Some(Arc::new(Summary::of(plugin, db.settings())))
    }
}

query! {
    as Input::All(Aspect::Summary), None;
    /// All summaries, in the order of date and then file name.
    pub fn summaries(db: Reader<'_>) -> Vec<Arc<Summary>> {
        plugins(db).iter().filter_map(|file| summary(db, *file).clone()).collect()
    }
}

/// Returns the digests of the texts about a plugin that outputs other than its own page show. The texts are in the
/// cache.
pub fn shown<'a>(db: impl Into<Reader<'a>>, file: EntryFile) -> Option<Shown> {
    let db = db.into();
    known(db, file).map_or_else(|| *show(db, file), |entry_trace| Some(entry_trace.shown))
}

query! {
    /// Computes [`shown`] for an entry without a reused trace, and stores the texts in the cache.
    fn show(db: Reader<'_>, file: EntryFile) -> Option<Shown> {
        let settings = db.settings();
        let plugin = plugin(db, file).as_deref()?;
        let summary = summary(db, file).as_deref()?;
        let disabled = disabled(db, file).as_ref().map(|html| &*html.text);
        let body = description(db, file).as_ref().map_or("", |html| &*html.text);
        let show = |kind, text: Result<String, serde_json::Error>| {
            // Every installed OctoPrint reads these texts, so make sure that they are valid JSON.
            let text = text.ok().filter(|text| serde_json::from_str::<IgnoredAny>(text).is_ok())?;
            db.memory().show(kind, &plugin.entry.stem, &text);
            Some(Digest::of(text.as_bytes()))
        };
        Some(Shown {
            summary: show(ShownKind::Summary, serde_json::to_string(summary))?,
            record: show(
                ShownKind::Record,
                plugins_json::record(plugin, disabled, note(db, file).as_deref(), settings),
            )?,
            document: show(ShownKind::Document, search_json::document(&plugin.entry, body, settings))?,
            listed: summary.listed(),
        })
    }
}

/// Returns the parts of an output that consists of one text for each plugin: the name of each entry's file without
/// `.md` and the digest of its text, in the order of date and then name.
pub fn lines<'a>(db: impl Into<Reader<'a>>, kind: ShownKind) -> impl Iterator<Item = (&'a str, Digest)> {
    let db = db.into();
    plugins(db).iter().filter_map(move |file| Some((entry::stem(file.path(db)), shown(db, *file)?.of(kind))))
}

/// Returns the digest of all plugins' texts of one kind.
pub fn lines_digest(db: Reader<'_>, kind: ShownKind) -> Digest {
    match kind {
        ShownKind::Summary => *summaries_digest(db),
        ShownKind::Record => *records_digest(db),
        ShownKind::Document => *documents_digest(db),
    }
}

// One query for each kind, so that outputs are not invalidated by texts of other kinds.

query! {
    unnoted;
    fn summaries_digest(db: Reader<'_>) -> Digest {
        digests_of_lines(db).summary
    }
}

query! {
    unnoted;
    fn records_digest(db: Reader<'_>) -> Digest {
        digests_of_lines(db).record
    }
}

query! {
    unnoted;
    fn documents_digest(db: Reader<'_>) -> Digest {
        digests_of_lines(db).document
    }
}

query! {
    unnoted;
    /// The digests of all plugins' texts, by kind.
    fn digests_of_lines(db: Reader<'_>) -> Shown {
        let all: Vec<(&str, Shown)> =
            plugins(db).iter().filter_map(|file| Some((entry::stem(file.path(db)), shown(db, *file)?))).collect();
        let digest = |of: &dyn Fn(&Shown) -> Digest| {
            // Hashing one long text is much faster than hashing many short ones.
            let mut lines = Vec::with_capacity(all.len() * 64);
            for (stem, shown) in &all {
                lines.extend_from_slice(stem.as_bytes());
                lines.push(0);
                lines.extend_from_slice(of(shown).as_bytes());
            }
            Digest::of(&lines)
        };
        let [summary, record, document] = ShownKind::ALL.map(|kind| digest(&|shown| shown.of(kind)));
        Shown { summary, record, document, listed: digest(&|shown| shown.listed) }
    }
}

query! {
    unnoted;
    /// The digest of everything that long lists show.
    pub fn listed_digest(db: Reader<'_>) -> Digest {
        digests_of_lines(db).listed
    }
}

/// Returns the digest of what long lists show of each plugin.
pub(super) fn listed(db: Reader<'_>) -> HashMap<&str, Digest> {
    plugins(db)
        .iter()
        .filter_map(|file| Some((entry::stem(file.path(db)), shown(db, *file)?.listed)))
        .collect()
}

/// A plugin's data for its own page; `None` if its entry can't be read or has a reused trace.
pub fn full(db: Reader<'_>, file: EntryFile) -> Option<Full> {
    let plugin = plugin(db, file).as_deref()?;
    let (related, others) = db.summed_up(Input::Related, Some(file), |db| {
        let beside = related::beside(db, file);
        let cards = |files: &[EntryFile]| -> Vec<Card> {
            files.iter().filter_map(|file| summary(db, *file).as_deref().map(Card::from)).collect()
        };
        (cards(&beside.related), cards(&beside.others))
    });
    let summary = summary(db, file).clone()?;
    let abandonment = notices::read_abandonment(db, file).as_ref();
    let id = &plugin.entry.id;
    let (notices, blocklist) = db.summed_up(Input::Concerning, Some(file), |db| {
        let concerning = data::concerning(db).get(&id.to_lowercase()).cloned().unwrap_or_default();
        let (written, blocklist) = (data::notices(db), data::blocklist(db));
        let abandoned = abandonment.and_then(|told| notices::of_abandoned(db, id, told));
        let notices = concerning.notices.iter().filter_map(|at| written.get(*at)).chain(&abandoned);
        let items = concerning.blocklist.iter().filter_map(|at| blocklist.get(*at));
        let notices: Vec<_> = notices.map(|one| notice(one, None)).collect();
        (notices, items.cloned().collect::<Vec<Block>>())
    });
    let around = Surroundings {
        related,
        others,
        disabled_html: plugin.entry.disabled.as_deref().map(|reason| part(db, reason)),
        replaced_html: plugin.entry.replaced.as_deref().map(|text| part(db, text)),
        note_html: note(db, file).clone(),
        body: description(db, file).as_ref().map_or_else(String::new, |html| html.text.to_string()),
        notices,
        blocklist: blocklist.iter().map(|block| blocklist_item(db, block, None)).collect(),
        history: history::published(db, file).and_then(|of| Instances::of(&of.history)),
    };
    Some(Full::of(plugin, summary, db.settings(), &data::compat(db), around))
}

/// Returns the plugins with the highest `key`, highest first, without those whose key is `None`.
fn ranking<K: Ord>(db: Reader<'_>, count: usize, key: impl Fn(&Summary) -> Option<K>) -> Vec<&Arc<Summary>> {
    let mut ranked: Vec<_> =
        summaries(db).iter().filter_map(|summary| Some((key(summary)?, summary))).collect();
    ranked.sort_by(|(a, x), (b, y)| b.cmp(a).then_with(|| x.stem.cmp(&y.stem)));
    ranked.into_iter().take(count).map(|(_, summary)| summary).collect()
}

fn some_users(count: u64) -> Option<u64> {
    (count > 0).then_some(count)
}

/// Returns the plugins with the most instances in the last month.
pub fn popular(db: Reader<'_>) -> Vec<&Arc<Summary>> {
    ranking(db, RANKING, |summary| {
        some_users(summary.usage.as_ref()?.month.instances).filter(|_| is_ranked(summary))
    })
}

/// Returns the plugins with more installs in the last week than their monthly average suggests.
pub fn trending(db: Reader<'_>) -> Vec<&Arc<Summary>> {
    ranking(db, RANKING, trend)
}

/// Returns the ranked plugins with the latest releases.
pub fn released(db: Reader<'_>) -> Vec<&Arc<Summary>> {
    ranking(db, RANKING, |summary| last_release(summary).filter(|_| is_ranked(summary)))
}

/// Returns the plugins with the latest releases, latest first, at most `count`.
pub fn latest_releases(db: Reader<'_>, count: usize) -> Vec<&Arc<Summary>> {
    ranking(db, count, last_release)
}

fn last_release(summary: &Summary) -> Option<Timestamp> {
    Some(summary.latest_release.as_ref()?.date)
}

/// Returns the ranked plugins that were registered last, newest first.
pub fn newest(db: Reader<'_>, count: usize) -> Vec<&Arc<Summary>> {
    let summaries = due::dated(db).iter().rev().filter_map(|file| summary(db, *file).as_ref());
    summaries.filter(|summary| is_ranked(summary)).take(count).collect()
}

/// Groups plugins by a heading. Groups are in the order of their slugs, and plugins in the order of their titles.
fn groups<'db>(db: Reader<'db>, heading: impl Fn(&Summary) -> Named) -> Vec<Group<'db>> {
    let mut groups: BTreeMap<String, Group<'db>> = BTreeMap::new();
    for summary in by_title(db) {
        let Named { name, slug } = heading(summary);
        let group = groups.entry(slug.clone()).or_insert_with(|| Group::new(name, slug));
        group.plugins.push(summary);
    }
    groups.into_values().collect()
}

query! {
    as Input::All(Aspect::Summary), None;
    /// All plugins in the order of their titles, ignoring case.
    pub fn by_title(db: Reader<'_>) -> Vec<Arc<Summary>> {
        let mut sorted = summaries(db).clone();
        sorted.sort_by_cached_key(|summary| (summary.title.to_lowercase(), summary.stem.clone()));
        sorted
    }
}

/// Groups plugins by the first letter of their title. Other first characters are in the group `#`, which comes first.
pub fn by_name(db: Reader<'_>) -> Vec<Group<'_>> {
    groups(db, |summary| {
        let first = summary.title.chars().find(|c| !c.is_whitespace());
        let letter = first.filter(|c| c.is_alphabetic()).map(|c| c.to_uppercase().to_string());
        let slug = letter.as_ref().map_or_else(|| "0".to_owned(), |letter| letter.to_lowercase());
        Named { name: letter.unwrap_or_else(|| "#".to_owned()), slug }
    })
}

/// Groups plugins by the year of their registration, newest first. Plugins with a date in the future come last in their
/// year, or last of all if their whole year is in the future.
pub fn by_date(db: Reader<'_>) -> Vec<Group<'_>> {
    let mut years: Vec<Group<'_>> = Vec::new();
    let files = due::due(db).iter().rev().chain(due::to_come(db));
    for summary in files.filter_map(|file| summary(db, *file).as_ref()) {
        let is_dated = !summary.is_undated();
        let year = summary.date.split('-').next().filter(|_| is_dated).unwrap_or("No date");
        let slug = if is_dated { year } else { "no-date" };
        // The list is short.
        match years.iter_mut().find(|group| group.name == year) {
            Some(group) => group.plugins.push(summary),
            None => {
                let mut group = Group::new(year.to_owned(), slug.to_owned());
                group.plugins.push(summary);
                years.push(group);
            }
        }
    }
    years
}

/// Returns the summary of the plugin with this id, ignoring case.
fn target(db: Reader<'_>, id: &str) -> Option<Summary> {
    db.summed_up(Input::All(Aspect::Summary), None, |db| {
        let file = by_id(db).get(&id.to_lowercase())?;
        summary(db, *file).as_deref().cloned()
    })
}

fn notice(notice: &Notice, target: Option<Summary>) -> context::Notice {
    context::Notice {
        plugin: notice.plugin.clone(),
        target,
        date: notice.date.date().to_string(),
        text: notice.text.clone(),
        link: notice.link.as_deref().map(address::written),
        important: notice.important,
        versions: affected(&notice.versions, &notice.plugin_versions),
        octoversions: notice.octoprint_versions.clone(),
    }
}

/// Returns the affected versions: the specifiers if there are any, because the list of versions repeats them for
/// versions of OctoPrint that don't support specifiers.
fn affected(versions: &[String], specifiers: &[String]) -> Vec<String> {
    if specifiers.is_empty() { versions.to_vec() } else { specifiers.to_vec() }
}

query! {
    /// Returns the note of an entry as safe HTML.
    fn note(db: Reader<'_>, file: EntryFile) -> Option<String> {
        plugin(db, file).as_deref()?.entry.note.as_deref().map(|note| part(db, note))
    }
}

/// Returns the HTML of a text that is shown beside a description.
pub(super) fn part(db: Reader<'_>, text: &str) -> String {
    let settings = db.settings();
    let another = |link: &str| address::based(settings.base_path(), link);
    let picture = |address: &str| pictures::becomes(settings, &[], address);
    markdown::to_html_part(text, Addresses { picture: &picture, ..Addresses::new(&another) })
}

fn blocklist_item(db: Reader<'_>, block: &Block, target: Option<Summary>) -> context::BlocklistItem {
    let html = |reason: &str| part(db, reason);
    context::BlocklistItem {
        plugin: block.plugin.clone(),
        target,
        reason_html: block.reason.as_deref().map(html).unwrap_or_default(),
        versions: affected(&block.versions, &block.plugin_versions),
        octoversions: block.octoprint_versions.clone(),
    }
}

/// Returns all notices, latest first, each with the plugin it is about.
pub fn notices(db: Reader<'_>) -> Vec<context::Notice> {
    // On the same day, later items come first, because new ones are added at the end of the file.
    let all = notices::all(db);
    let mut notices: Vec<_> = all.iter().rev().collect();
    notices.sort_by_key(|notice| Reverse(notice.date.date()));
    notices.into_iter().map(|one| notice(one, target(db, &one.plugin))).collect()
}

/// Returns the blocklist, each item with the plugin it is about.
pub fn blocklist(db: Reader<'_>) -> Vec<context::BlocklistItem> {
    data::blocklist(db).iter().map(|one| blocklist_item(db, one, target(db, &one.plugin))).collect()
}

/// Returns the overlays for pages, each with the summary of the plugin it is about.
pub fn overlays(db: Reader<'_>, overlays: &Overlays) -> Vec<minijinja::Value> {
    overlays
        .iter()
        .map(|(id, settings)| {
            let settings: Vec<_> = settings
                .as_object()
                .into_iter()
                .flatten()
                .map(|(key, value)| {
                    let value = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
                    minijinja::context! { key, value }
                })
                .collect();
            let target = minijinja::Value::from(minijinja::value::Serde(target(db, id)));
            minijinja::context! { plugin => id, target, settings }
        })
        .collect()
}

/// Returns the plugins that satisfy `condition`, in the order of their titles.
pub fn select(db: Reader<'_>, condition: impl Fn(&Summary) -> bool) -> Vec<(EntryFile, &Arc<Summary>)> {
    let mut selected: Vec<_> = sound_entries(db)
        .iter()
        .filter_map(|file| Some((*file, summary(db, *file).as_ref()?)))
        .filter(|(_, summary)| condition(summary))
        .collect();
    selected.sort_by_cached_key(|(_, summary)| (summary.title.to_lowercase(), summary.stem.clone()));
    selected
}
