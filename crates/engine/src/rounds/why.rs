//! Why outputs changed: which of their inputs did.

use std::cell::LazyCell;
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use super::current::OfOutputs;
use super::ledger::Ledger;
use super::shelf::{Fresh, Shelf};
use super::traces::{OutputTraces, add_reads};
use crate::cache::{Cache, CacheError, Change, Made, Manifest, Tree};
use crate::config::Config;
use crate::digest::Digest;
use crate::entry_trace::{EntryTrace, Front, ShownKind};
use crate::fact::{CanonicalExport, Subject, Usage, Window, describe};
use crate::graph::kinds::Kind;
use crate::graph::outputs;
use crate::graph::plan::{Output, Plan};
use crate::graph::{Database, EntryFile, FactState, taxonomies};
use crate::publish::{ByFolder, Outputs, compare};
use crate::trace::{Aspect, Changed, Input, Sets, Version};

/// How many plugins are named whose changes affected a list.
const NAMED: usize = 10;

/// The input of a change whose inputs are unknown, because the cache lost them.
pub const UNKNOWN: &str = "unknown (the previous inputs are no longer in the cache)";

/// The first of many changes, and the number of the remaining ones.
fn first(mut changes: Vec<Change>) -> Vec<Change> {
    if changes.len() > NAMED {
        let more = changes.len() - NAMED;
        changes.truncate(NAMED);
        changes.push(Change { input: format!("and {more} more plugins"), old: None, new: None });
    }
    changes
}

/// A change as people read it.
fn told(change: &Changed) -> Change {
    let told = |version: &Option<Version>| version.as_ref().map(ToString::to_string);
    Change { input: change.input.to_string(), old: told(&change.was), new: told(&change.is) }
}

fn short(digest: Digest) -> String {
    digest.short(12)
}

/// What it takes to explain the outputs of this build.
pub(super) struct Why<'a> {
    pub(super) config: &'a Config,
    pub(super) db: &'a Database,
    pub(super) cache: &'a Cache,
    pub(super) plan: &'a Plan,
    pub(super) ledger: &'a Ledger,
    pub(super) shelf: &'a Shelf,
    pub(super) fresh: &'a [Fresh],
    pub(super) traces: &'a OutputTraces,
    pub(super) state: OfOutputs<'a>,
    pub(super) sets: &'a Sets,
}

impl Why<'_> {
    /// Records why outputs have changed, and returns it.
    pub(super) fn record(
        &self,
        build: i64,
        outputs: &Outputs,
    ) -> Result<BTreeMap<String, Vec<Change>>, CacheError> {
        let cache = self.cache;
        let manifest = cache.manifest(Tree::Output(&self.config.paths.output_name()))?;
        // If the cache was lost, the folder's manifest says what was there.
        let folder_manifest = match &manifest {
            Some(_) => ByFolder::default(),
            None => ByFolder::read(&self.config.paths.output),
        };
        let published = manifest.unwrap_or_default();
        let exports = LazyCell::new(|| self.exports());
        let listed = LazyCell::new(|| self.listed());
        let fresh: HashMap<EntryFile, &Fresh> = self.fresh.iter().map(|one| (one.file, one)).collect();
        let mut all = BTreeMap::new();
        for (path, (digest, _), known) in compare::beside(outputs.items(), published.iter()) {
            let old = known.map(|file| file.digest);
            if old == Some(*digest) || folder_manifest.is(path, *digest) {
                continue;
            }
            let was_there = old.is_some() || folder_manifest.has(path);
            let mut why = match (old, self.plan.outputs.get(path)) {
                // A picture's path changes with its content.
                (None, _) | (_, None | Some(Output::Picture(_))) => Vec::new(),
                (Some(old), Some(Output::Asset(asset))) => {
                    let (old, new) = (Some(short(old)), Some(short(*digest)));
                    vec![Change { input: format!("asset {}", asset.path(self.db)), old, new }]
                }
                (Some(_), Some(Output::Root(_))) => {
                    let mut changes = self.traces.changes(path, &self.state, self.sets);
                    // A redirect that was there before is handled below, and its templates don't matter for a copy.
                    changes.retain(|change| matches!(change.input, Input::File(_)));
                    changes.iter().map(told).collect()
                }
                (_, Some(Output::Rendered(kind))) => match kind {
                    Kind::Plugin(file) | Kind::Alternate(file, _) => {
                        fresh.get(file).map(|one| self.of_entry(kind, one, &exports)).unwrap_or_default()
                    }
                    kind => self.of_output(path, kind, &listed),
                },
            };
            if was_there {
                why.extend(self.of_place(path, &fresh));
                if why.is_empty()
                    && !self.is_lost(path, &fresh)
                    && let Some(made) = cache.made(path)?
                {
                    // A build that could not publish it made it, and recorded why.
                    all.insert(path.to_owned(), made.why);
                    continue;
                }
                if why.is_empty() {
                    why.push(Change { input: UNKNOWN.to_owned(), old: None, new: None });
                }
            }
            cache.set_made(path, &Made { build, at: self.config.now, why: why.clone() })?;
            all.insert(path.to_owned(), why);
        }
        self.forget(cache, &published, outputs)?;
        Ok(all)
    }

    fn forget(&self, cache: &Cache, published: &Manifest, outputs: &Outputs) -> Result<(), CacheError> {
        compare::others(outputs.items(), published).try_for_each(|(path, _)| cache.forget_made(path))
    }

    /// The change of what the output at `path` is for: another target of a redirect, a new redirect, or an entry's page
    /// in place of one.
    fn of_place(&self, path: &str, fresh: &HashMap<EntryFile, &Fresh>) -> Option<Change> {
        let (old, new) = self.traces.targets(path)?;
        if let Some(Output::Rendered(Kind::Plugin(file))) = self.plan.outputs.get(path)
            && old.is_some()
        {
            let one = fresh.get(file)?;
            let entry = one.entry_trace.as_ref().and_then(|entry_trace| entry_trace.reads.was(&Input::Entry));
            let new = entry.map(ToString::to_string);
            return Some(Change { input: one.path.clone(), old: None, new });
        }
        let (old, new) = (old.map(str::to_owned), new.map(str::to_owned));
        let input = Input::Purpose(path.into()).to_string();
        (old != new).then_some(Change { input, old, new })
    }

    /// Whether the cache lacks the earlier trace of the plugin's output at `path`.
    fn is_lost(&self, path: &str, fresh: &HashMap<EntryFile, &Fresh>) -> bool {
        match self.plan.outputs.get(path) {
            Some(Output::Rendered(Kind::Plugin(file) | Kind::Alternate(file, _))) => {
                fresh.get(file).is_some_and(|one| one.earlier.is_none())
            }
            _ => false,
        }
    }

    /// The changed inputs of an output that is not about one entry alone.
    fn of_output(
        &self,
        path: &str,
        kind: &Kind,
        listed: &LazyCell<HashMap<String, Change>, impl FnOnce() -> HashMap<String, Change>>,
    ) -> Vec<Change> {
        let mut told_of: Vec<Change> = Vec::new();
        for change in self.traces.changes(path, &self.state, self.sets) {
            let plugins = match &change.input {
                // Whether there is a redirect at a path is handled separately.
                Input::Purpose(_) => {
                    told_of.extend(self.of_spelling(&change, kind));
                    continue;
                }
                Input::Announced => self.of_announced(),
                Input::Newest => self.of_plugins(|entry_trace| {
                    let digests = [entry_trace.shown.summary, entry_trace.feed?];
                    Some(Digest::of_parts(digests.iter().map(|digest| digest.as_bytes().as_slice())))
                }),
                Input::All(Aspect::Listed) => self.of_plugins(|entry_trace| Some(entry_trace.shown.listed)),
                Input::All(_) => {
                    let shown = kind.lines().unwrap_or(ShownKind::Summary);
                    self.of_plugins(|entry_trace| Some(entry_trace.shown.of(shown)))
                }
                Input::Term(_) => {
                    taxonomies::at(path).map(|key| self.of_group(&key, listed)).unwrap_or_default()
                }
                _ => Vec::new(),
            };
            // Without such a plugin, the set of plugins or their order has changed.
            if plugins.is_empty() { told_of.push(told(&change)) } else { told_of.extend(plugins) }
        }
        told_of
    }

    /// The entry, if it only spells the address of a redirect differently that leads to the same page as before.
    fn of_spelling(&self, change: &Changed, kind: &Kind) -> Option<Change> {
        let target = |version: &Option<Version>| version.as_ref().and_then(|version| version.value.clone());
        let Kind::Redirect { to, .. } = kind else { return None };
        let one = self.fresh.iter().find(|one| one.file == *to)?;
        if target(&change.was) != target(&change.is) {
            return None;
        }
        let entry = |entry_trace: &Option<Arc<EntryTrace>>| {
            entry_trace
                .as_ref()
                .and_then(|entry_trace| entry_trace.reads.was(&Input::Entry))
                .map(ToString::to_string)
        };
        Some(Change { input: one.path.clone(), old: entry(&one.earlier), new: entry(&one.entry_trace) })
    }

    /// The plugins whose list items have changed, by stem.
    fn listed(&self) -> HashMap<String, Change> {
        self.changed_plugins(|entry_trace| Some(entry_trace.shown.listed)).collect()
    }

    /// The plugins of a term whose list items have changed. A plugin that has left the term is not recorded.
    fn of_group(
        &self,
        key: &taxonomies::Key,
        listed: &LazyCell<HashMap<String, Change>, impl FnOnce() -> HashMap<String, Change>>,
    ) -> Vec<Change> {
        let group = taxonomies::group(self.db.into(), key);
        let members = group.iter().flat_map(|group| &group.plugins);
        let changes = members.filter_map(|plugin| listed.get(&plugin.stem).cloned());
        first(changes.collect())
    }

    /// The plugins whose items in the announcements feed have changed.
    fn of_announced(&self) -> Vec<Change> {
        let newest = outputs::announced(self.db);
        let changes = self.changed_plugins(|entry_trace| Some(entry_trace.shown.summary));
        first(changes.filter(|(stem, _)| newest.contains(&stem.as_str())).map(|(_, change)| change).collect())
    }

    /// The plugins whose `digest`, of what an output shows of them, has changed.
    fn of_plugins(&self, digest: impl Fn(&EntryTrace) -> Option<Digest>) -> Vec<Change> {
        first(self.changed_plugins(digest).map(|(_, change)| change).collect())
    }

    fn changed_plugins(
        &self,
        digest: impl Fn(&EntryTrace) -> Option<Digest>,
    ) -> impl Iterator<Item = (String, Change)> {
        let digest = |entry_trace: Option<&EntryTrace>| entry_trace.and_then(&digest).map(short);
        let change = |stem: &str, old: Option<&EntryTrace>, new: Option<&EntryTrace>| {
            let change = Change { input: format!("plugin {stem}"), old: digest(old), new: digest(new) };
            (stem.to_owned(), change)
        };
        let fresh = self.fresh.iter();
        let fresh = fresh.map(|one| change(&one.stem, one.earlier.as_deref(), one.entry_trace.as_deref()));
        let gone =
            self.shelf.gone(self.db).into_iter().map(|(stem, earlier)| change(&stem, Some(&earlier), None));
        let changes: Vec<_> = fresh.chain(gone).filter(|(_, change)| change.old != change.new).collect();
        changes.into_iter()
    }

    /// The changed inputs of an entry that can be seen in an output.
    fn of_entry(
        &self,
        kind: &Kind,
        fresh: &Fresh,
        exports: &LazyCell<Exports, impl FnOnce() -> Exports>,
    ) -> Vec<Change> {
        let (Some(earlier), Some(entry_trace)) = (&fresh.earlier, &fresh.entry_trace) else {
            return Vec::new();
        };
        let mut changes = self.shelf.changes(self.db, fresh.file, earlier);
        // Facts that are no longer read are not loaded, so they can't be compared.
        let wanted = entry_trace.reads.subjects();
        changes.retain(|change| match &change.input {
            Input::Fact(subject) => wanted.contains(subject),
            _ => true,
        });
        add_reads(&mut changes, &earlier.reads, &entry_trace.reads, self.sets);
        // Only the page is rendered from templates and names other plugins.
        let is_of_page = |input: &Input| {
            matches!(input, Input::Template(_) | Input::Asset(_) | Input::Navigation | Input::Related)
        };
        changes.retain(|change| matches!(kind, Kind::Plugin(_)) || !is_of_page(&change.input));
        // An answer is also an observation in the history, but more specific.
        let is_answered = changes
            .iter()
            .any(|change| matches!(change.input, Input::Usage | Input::Fact(Subject::Repository(_))));
        changes.retain(|change| !is_answered || change.input != Input::History);
        changes.iter().map(|change| self.told(change, fresh, earlier, entry_trace, exports)).collect()
    }

    /// A change of an entry's input, as people read it.
    fn told(
        &self,
        change: &Changed,
        fresh: &Fresh,
        earlier: &EntryTrace,
        entry_trace: &EntryTrace,
        exports: &LazyCell<Exports, impl FnOnce() -> Exports>,
    ) -> Change {
        let input = of_entry(&change.input, &fresh.path, &entry_trace.front.id);
        let plain = Change { input, ..told(change) };
        match &change.input {
            Input::Usage => match exports.change(&earlier.front, &entry_trace.front) {
                (old, new) if old != new => Change { old, new, ..plain },
                // An earlier build that did not finish has learned it.
                _ => plain,
            },
            Input::Fact(subject) if change.was.is_none() => Change { old: None, ..self.looked_at(subject) },
            Input::Fact(subject) if change.is.is_none() => Change { new: None, ..self.looked_at(subject) },
            Input::Fact(subject) => self.of_fact(subject).unwrap_or(plain),
            _ => plain,
        }
    }

    fn of_fact(&self, subject: &Subject) -> Option<Change> {
        let (old, new) = describe::change(
            subject,
            value(&self.ledger.before(subject)?),
            value(&self.ledger.state(subject)),
        );
        Some(Change { input: subject.to_string(), old: Some(old), new: Some(new) })
    }

    /// The value of a subject that was not read before, or is no longer read.
    fn looked_at(&self, subject: &Subject) -> Change {
        let fact = self.cache.fact(subject).ok().flatten();
        let told = describe::value(subject, fact.as_ref().map(|fact| fact.value.as_deref()));
        Change { input: subject.to_string(), old: Some(told.clone()), new: Some(told) }
    }

    /// The usage exports before this build, and now.
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

/// The name of an input as people read it, for an entry with this path and plugin id.
pub fn of_entry(input: &Input, path: &str, id: &str) -> String {
    match input {
        Input::Entry => path.to_owned(),
        Input::Usage | Input::History | Input::Concerning => {
            let about = if *input == Input::Concerning { "about" } else { "of" };
            format!("{input} {about} {id}")
        }
        input => input.to_string(),
    }
}

/// The value of a fact, if known; the inner `None` means that the subject does not exist.
fn value(state: &FactState) -> Option<Option<&[u8]>> {
    match state {
        FactState::Unknown => None,
        FactState::Absent => Some(None),
        FactState::Value(value) => Some(Some(value)),
    }
}

/// A usage export before this build, and now.
struct Exported {
    window: Window,
    old: Option<CanonicalExport>,
    new: Option<CanonicalExport>,
}

struct Exports([Exported; 2]);

impl Exports {
    /// A plugin's usage before and now; with versions if the short texts are the same.
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
