//! Why outputs changed: which of the things that they are made from did.

use std::cell::LazyCell;
use std::collections::{BTreeMap, HashMap};

use serde::{Deserialize, Serialize};

use super::ledger::Ledger;
use super::redirects::Redirects;
use super::shelf::{Fresh, Shelf};
use crate::cache::{Cache, CacheError, Change, Listing, Made, Tree};
use crate::config::Config;
use crate::digest::Digest;
use crate::fact::{Ages, CanonicalExport, Subject, Usage, Window, describe};
use crate::graph::context::{self, Part};
use crate::graph::kinds::Kind;
use crate::graph::outputs::{self, LISTED, NEWEST, PLUGINS, TARGET};
use crate::graph::plan::{Output, Plan};
use crate::graph::{Database, Db as _, EntryFile, FactState, facets};
use crate::imprint::{Front, Imprint, Input, ShownKind};
use crate::publish::Outputs;
use crate::render::address;

/// How many plugins are named that changed what a list shows.
const NAMED: usize = 10;

/// Of which parts each output was made, by its path; all pages of plugins, all files beside them, all pages of tags, of
/// authors, and all redirects are
/// made of the same.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Parts(BTreeMap<String, Vec<Part>>);

/// The input that has changed where the cache had lost what it takes to tell which.
pub const UNKNOWN: &str = "something that the cache knew no longer";

/// The input that the ages of numbers are which are kept past their life.
pub const AGES: &str = "numbers past their life";

/// The input that a page's other plugins make up.
const RELATED: &str = "related plugins";

/// The note in the cache that holds them.
const NOTE: &str = "parts";

impl Parts {
    /// The key of the pages of plugins.
    pub const PLUGINS: &'static str = "plugin.html";
    /// The key of the files beside them.
    pub const COMPANIONS: &'static str = "companions";
    /// The key of redirects.
    pub const REDIRECTS: &'static str = "redirect.html";

    /// The parts that the outputs of a site are made of.
    fn of(db: &Database, plan: &Plan) -> Self {
        let mut parts = BTreeMap::from([
            (Self::PLUGINS.to_owned(), context::of_entries(db).clone()),
            (Self::COMPANIONS.to_owned(), context::of_companions(db)),
        ]);
        for (path, output) in &plan.outputs {
            match output {
                Output::Asset(_)
                | Output::Picture(_)
                | Output::Rendered(Kind::Plugin(_) | Kind::Companion(..)) => {}
                Output::Root(file) => drop(parts.insert(path.clone(), vec![outputs::copy(db, *file)])),
                Output::Rendered(Kind::Redirect { .. }) => {
                    let common =
                        || context::of_templates(db).get(Self::REDIRECTS).cloned().unwrap_or_default();
                    parts.entry(Self::REDIRECTS.to_owned()).or_insert_with(common);
                }
                Output::Rendered(Kind::Facet((facet, _))) => {
                    let common =
                        || context::of_templates(db).get(facet.template()).cloned().unwrap_or_default();
                    parts.entry(facet.template().to_owned()).or_insert_with(common);
                }
                Output::Rendered(kind) => drop(parts.insert(path.clone(), outputs::parts(db, kind))),
            }
        }
        Self(parts)
    }

    /// What the last build kept; what can't be read counts as nothing.
    ///
    /// # Errors
    ///
    /// When the cache can't be read.
    pub fn load(cache: &Cache) -> Result<Self, CacheError> {
        Ok(cache.note(NOTE)?.and_then(|json| serde_json::from_slice(&json).ok()).unwrap_or_default())
    }

    fn save(&self, cache: &Cache) -> Result<(), CacheError> {
        cache.set_note(NOTE, Some(&serde_json::to_vec(self).unwrap_or_default()))
    }

    /// Whether no build has kept any.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The path of the output that is made of a part with this name.
    pub fn made_of(&self, name: &str) -> Option<&str> {
        let is_made = |(_, parts): &(&String, &Vec<Part>)| parts.iter().any(|part| part.name == name);
        self.0.iter().find(is_made).map(|(path, _)| path.as_str())
    }

    /// The parts of which the output at `path` is made, or those with this key are.
    pub fn get(&self, path: &str) -> &[Part] {
        self.0.get(path).map_or(&[], Vec::as_slice)
    }

    /// The parts with this key that are not what they were; none if it is not known what they were.
    fn changes_since(&self, before: &Self, key: &str) -> Vec<Change> {
        let (before, after) = (before.get(key), self.get(key));
        if before.is_empty() {
            return Vec::new();
        }
        let find = |all: &[Part], name: &str| all.iter().find(|part| part.name == name).cloned();
        let gone = before.iter().filter(|part| find(after, &part.name).is_none());
        let gone = gone.map(|part| Change { input: part.name.clone(), old: Some(told(part)), new: None });
        let new = after.iter().filter_map(|part| {
            let old = find(before, &part.name);
            let is_same = old.as_ref().is_some_and(|old| old.digest == part.digest);
            let change =
                || Change { input: part.name.clone(), old: old.as_ref().map(told), new: Some(told(part)) };
            (!is_same).then(change)
        });
        new.chain(gone).collect()
    }
}

/// The first of many changes, and how many more there are.
fn first(mut changes: Vec<Change>) -> Vec<Change> {
    if changes.len() > NAMED {
        let more = changes.len() - NAMED;
        changes.truncate(NAMED);
        changes.push(Change { input: format!("and {more} more plugins"), old: None, new: None });
    }
    changes
}

/// A part's content, or what stands for it.
fn told(part: &Part) -> String {
    part.value.clone().unwrap_or_else(|| short(part.digest))
}

fn short(digest: Digest) -> String {
    digest.short(12)
}

/// Everything that tells why outputs of this build are different.
pub(super) struct Why<'a> {
    pub(super) config: &'a Config,
    pub(super) db: &'a Database,
    pub(super) plan: &'a Plan,
    pub(super) ledger: &'a Ledger,
    pub(super) shelf: &'a Shelf,
    pub(super) fresh: &'a [Fresh],
}

impl Why<'_> {
    /// Writes down why outputs are not what was published before; returns it, too.
    pub(super) fn record(
        &self,
        cache: &Cache,
        build: i64,
        outputs: &Outputs,
    ) -> Result<BTreeMap<String, Vec<Change>>, CacheError> {
        let published = cache.listing(Tree::Output(&self.config.paths.output_name()))?.unwrap_or_default();
        let (before, parts) = (Parts::load(cache)?, Parts::of(self.db, self.plan));
        let (led, redirects) = (Redirects::load(cache)?, Redirects::of(self.db, self.plan));
        let exports = LazyCell::new(|| self.exports());
        let listed = LazyCell::new(|| self.listed());
        let fresh: HashMap<EntryFile, &Fresh> = self.fresh.iter().map(|one| (one.file, one)).collect();
        let own = |kind: &Kind| match kind {
            Kind::Plugin(file) | Kind::Companion(file, _) => {
                let mut why = fresh.get(file).map(|one| self.of_entry(one, &exports)).unwrap_or_default();
                // Only the page names other plugins.
                why.retain(|change| matches!(kind, Kind::Plugin(_)) || change.input != RELATED);
                why
            }
            Kind::Facet(key) => self.of_group(key, &listed),
            _ => Vec::new(),
        };
        let mut all = BTreeMap::new();
        for (path, (digest, _)) in outputs {
            let old = published.get(path).map(|file| file.digest);
            if old == Some(*digest) {
                continue;
            }
            let mut why = match (old, self.plan.outputs.get(path)) {
                // A picture's path changes with its content.
                (None, _) | (_, None | Some(Output::Picture(_))) => Vec::new(),
                (Some(old), Some(Output::Asset(asset))) => {
                    let (old, new) = (Some(short(old)), Some(short(*digest)));
                    vec![Change { input: format!("asset {}", asset.path(self.db)), old, new }]
                }
                (Some(_), Some(Output::Root(_))) => parts.changes_since(&before, path),
                (_, Some(Output::Rendered(kind))) => self.of_rendered(path, kind, own(kind), &before, &parts),
            };
            if old.is_some() {
                if let Some(led) = &led {
                    why.extend(self.of_place(path, &fresh, led, &redirects));
                }
                if why.is_empty()
                    && !self.is_lost(path, &fresh)
                    && let Some(made) = cache.made(path)?
                {
                    // It was made by a build that could not publish it, and that build knew why.
                    all.insert(path.clone(), made.why);
                    continue;
                }
                if why.is_empty() {
                    why.push(Change { input: UNKNOWN.to_owned(), old: None, new: None });
                }
            }
            cache.set_made(path, &Made { build, at: self.config.now, why: why.clone() })?;
            all.insert(path.clone(), why);
        }
        self.forget(cache, &published, outputs)?;
        if parts != before {
            parts.save(cache)?;
        }
        if led.as_ref() != Some(&redirects) {
            redirects.save(cache)?;
        }
        Ok(all)
    }

    fn forget(&self, cache: &Cache, published: &Listing, outputs: &Outputs) -> Result<(), CacheError> {
        let gone = published.keys().filter(|path| !outputs.contains_key(*path));
        gone.into_iter().try_for_each(|path| cache.forget_made(path))
    }

    /// What has changed of what the output at `path` is for: where a redirect leads, or that there is one, or an
    /// entry's page in the place of one.
    fn of_place(
        &self,
        path: &str,
        fresh: &HashMap<EntryFile, &Fresh>,
        before: &Redirects,
        after: &Redirects,
    ) -> Option<Change> {
        let (old, new) = (before.target(path), after.target(path));
        if let Some(Output::Rendered(Kind::Plugin(file))) = self.plan.outputs.get(path)
            && old.is_some()
        {
            let one = fresh.get(file)?;
            let new = one.imprint.as_ref().map(|imprint| short(imprint.inputs.entry));
            return Some(Change { input: one.path.clone(), old: None, new });
        }
        let (old, new) = (old.map(address::plugin_page), new.map(address::plugin_page));
        (old != new).then(|| Change { input: TARGET.to_owned(), old, new })
    }

    /// Whether the cache did not know what an earlier build made the plugin's output at `path` from.
    fn is_lost(&self, path: &str, fresh: &HashMap<EntryFile, &Fresh>) -> bool {
        match self.plan.outputs.get(path) {
            Some(Output::Rendered(Kind::Plugin(file) | Kind::Companion(file, _))) => {
                fresh.get(file).is_some_and(|one| one.earlier.is_none())
            }
            _ => false,
        }
    }

    fn of_rendered(
        &self,
        path: &str,
        kind: &Kind,
        own: Vec<Change>,
        before: &Parts,
        after: &Parts,
    ) -> Vec<Change> {
        match kind {
            Kind::Plugin(_) => own.into_iter().chain(after.changes_since(before, Parts::PLUGINS)).collect(),
            Kind::Companion(..) => {
                own.into_iter().chain(after.changes_since(before, Parts::COMPANIONS)).collect()
            }
            Kind::Redirect { .. } => after.changes_since(before, Parts::REDIRECTS),
            Kind::Facet((facet, _)) => {
                own.into_iter().chain(after.changes_since(before, facet.template())).collect()
            }
            _ => {
                let mut changes = after.changes_since(before, path);
                let shown = kind.lines().unwrap_or(ShownKind::Summary);
                let in_feed = |imprint: &Imprint| {
                    let digests = [imprint.shown.summary, imprint.feed?];
                    Some(Digest::of_parts(digests.iter().map(|digest| digest.as_bytes().as_slice())))
                };
                let whole = changes
                    .iter()
                    .position(|change| [PLUGINS, LISTED, NEWEST].contains(&change.input.as_str()));
                let is_listed = whole.is_some_and(|place| changes[place].input == LISTED);
                if let Some(place) = whole {
                    let plugins = match kind {
                        Kind::Feed => self.of_announced(),
                        Kind::FeedAtom | Kind::FeedJson => self.of_plugins(in_feed),
                        _ if is_listed => self.of_plugins(|imprint| Some(imprint.shown.listed)),
                        _ => self.of_plugins(|imprint| Some(imprint.shown.of(shown))),
                    };
                    // Without a plugin of that kind it is which of them there are, or in which order.
                    if !plugins.is_empty() {
                        changes.splice(place..=place, plugins);
                    }
                }
                changes
            }
        }
    }

    /// The plugins that lists show otherwise than before, by the names of their files.
    fn listed(&self) -> HashMap<String, Change> {
        self.changed_plugins(|imprint| Some(imprint.shown.listed)).collect()
    }

    /// The plugins of a group that lists show otherwise than before. Of one that has left the group nothing tells that
    /// it was there.
    fn of_group(
        &self,
        key: &facets::Key,
        listed: &LazyCell<HashMap<String, Change>, impl FnOnce() -> HashMap<String, Change>>,
    ) -> Vec<Change> {
        let group = facets::group(self.db, key);
        let members = group.iter().flat_map(|group| &group.plugins);
        let changes = members.filter_map(|plugin| listed.get(&plugin.stem).cloned());
        let changes = first(changes.collect());
        if !changes.is_empty() || listed.is_empty() {
            return changes;
        }
        vec![Change { input: LISTED.to_owned(), old: None, new: None }]
    }

    /// The plugins that the feed for announcements shows otherwise than before.
    fn of_announced(&self) -> Vec<Change> {
        let newest = outputs::announced(self.db);
        let changes = self.changed_plugins(|imprint| Some(imprint.shown.summary));
        first(changes.filter(|(stem, _)| newest.contains(&stem.as_str())).map(|(_, change)| change).collect())
    }

    /// The plugins of which `digest`, that of what an output shows of them, is not what it was.
    fn of_plugins(&self, digest: impl Fn(&Imprint) -> Option<Digest>) -> Vec<Change> {
        first(self.changed_plugins(digest).map(|(_, change)| change).collect())
    }

    fn changed_plugins(
        &self,
        digest: impl Fn(&Imprint) -> Option<Digest>,
    ) -> impl Iterator<Item = (String, Change)> {
        let digest = |imprint: Option<&Imprint>| imprint.and_then(&digest).map(short);
        let change = |stem: &str, old: Option<&Imprint>, new: Option<&Imprint>| {
            let change = Change { input: format!("plugin {stem}"), old: digest(old), new: digest(new) };
            (stem.to_owned(), change)
        };
        let fresh = self.fresh.iter();
        let fresh = fresh.map(|one| change(&one.stem, one.earlier.as_deref(), one.imprint.as_deref()));
        let gone =
            self.shelf.gone(self.db).into_iter().map(|(stem, earlier)| change(&stem, Some(&earlier), None));
        let changes: Vec<_> = fresh.chain(gone).filter(|(_, change)| change.old != change.new).collect();
        changes.into_iter()
    }

    /// What went into an entry's page as something else.
    fn of_entry(&self, fresh: &Fresh, exports: &LazyCell<Exports, impl FnOnce() -> Exports>) -> Vec<Change> {
        let (Some(earlier), Some(imprint)) = (&fresh.earlier, &fresh.imprint) else { return Vec::new() };
        let changes = imprint.inputs.changes_since(&earlier.inputs);
        let told = |(input, old, new): (Input, Option<Digest>, Option<Digest>)| {
            let plain = |input: String| Change { input, old: old.map(short), new: new.map(short) };
            match input {
                Input::Entry => plain(fresh.path.clone()),
                Input::Concerning => {
                    let input = format!("notices and blocklist items about {}", imprint.front.id);
                    // There are none about most plugins.
                    let some = |digest: &Digest| *digest != Digest::of(b"");
                    Change { input, old: old.filter(some).map(short), new: new.filter(some).map(short) }
                }
                Input::Related => plain(RELATED.to_owned()),
                Input::Usage => {
                    let input = format!("usage of {}", imprint.front.id);
                    match exports.change(&earlier.front, &imprint.front) {
                        (old, new) if old != new => Change { input, old, new },
                        // An earlier build has learnt it that did not come to its end.
                        _ => plain(input),
                    }
                }
                Input::History => plain(format!("history of {}", imprint.front.id)),
                Input::Ages => {
                    let told = |ages: Ages| (ages != Ages::default()).then(|| ages.to_string());
                    let (old, new) = (told(earlier.inputs.ages), told(imprint.inputs.ages));
                    Change { input: AGES.to_owned(), old, new }
                }
                Input::Fact(subject) => match (old, new) {
                    (None, _) => Change { old: None, ..self.looked_at(&subject) },
                    (_, None) => Change { new: None, ..self.looked_at(&subject) },
                    _ => self.of_fact(&subject).unwrap_or_else(|| plain(subject.to_string())),
                },
            }
        };
        // What is heard is observed, too, and says more about the same.
        let is_heard = changes
            .iter()
            .any(|(input, ..)| matches!(input, Input::Usage | Input::Fact(Subject::Repository(_))));
        let changes = changes.into_iter().filter(|(input, ..)| !is_heard || *input != Input::History);
        changes.map(told).collect()
    }

    fn of_fact(&self, subject: &Subject) -> Option<Change> {
        let (old, new) = describe::change(
            subject,
            value(&self.ledger.before(subject)?),
            value(&self.ledger.state(subject)),
        );
        Some(Change { input: subject.to_string(), old: Some(old), new: Some(new) })
    }

    /// What is known of a subject that was not looked at before, or is not any more.
    fn looked_at(&self, subject: &Subject) -> Change {
        let fact = self.db.cache().fact(subject).ok().flatten();
        let told = describe::value(subject, fact.as_ref().map(|fact| fact.value.as_deref()));
        Change { input: subject.to_string(), old: Some(told.clone()), new: Some(told) }
    }

    /// What exports said before this build asked, and what they say now.
    fn exports(&self) -> Exports {
        let read = |state: &FactState| CanonicalExport::from_json(value(state)??).ok();
        Exports(Window::ALL.map(|window| {
            let subject = Subject::Usage(window);
            let new = self.ledger.state(&subject);
            let old = self.ledger.before(&subject);
            Exported { window, old: read(old.as_ref().unwrap_or(&new)), new: read(&new) }
        }))
    }
}

/// What is known; the inner `None` where that is that there is no such thing.
fn value(state: &FactState) -> Option<Option<&[u8]>> {
    match state {
        FactState::Unknown => None,
        FactState::Absent => Some(None),
        FactState::Value(value) => Some(Some(value)),
    }
}

/// What the export of a window said before, and says now.
struct Exported {
    window: Window,
    old: Option<CanonicalExport>,
    new: Option<CanonicalExport>,
}

struct Exports([Exported; 2]);

impl Exports {
    /// How much a plugin was used, and is; in more words if fewer are the same.
    fn change(&self, before: &Front, after: &Front) -> (Option<String>, Option<String>) {
        let told = |words: fn(Window, &Usage) -> String| {
            let usage = |front: &Front, pick: fn(&Exported) -> &Option<CanonicalExport>| {
                if !front.counted {
                    return Some("not counted".to_owned());
                }
                let id = front.id.to_lowercase();
                let of_one = |one: &Exported| Some(words(one.window, &pick(one).as_ref()?.usage(&id)));
                let windows: Vec<String> = self.0.iter().filter_map(of_one).collect();
                (!windows.is_empty()).then(|| windows.join("; "))
            };
            (usage(before, |one| &one.old), usage(after, |one| &one.new))
        };
        let (old, new) = told(describe::usage);
        if old == new { told(describe::usage_by_version) } else { (old, new) }
    }
}
