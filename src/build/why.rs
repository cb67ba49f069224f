//! Why outputs changed: which of the things that they are made from did.

use std::cell::LazyCell;
use std::collections::{BTreeMap, HashMap};

use serde::{Deserialize, Serialize};

use super::ledger::Ledger;
use super::shelf::{Fresh, Shelf};
use crate::cache::{Cache, CacheError, Change, Listing, Made, Tree};
use crate::config::Config;
use crate::digest::Digest;
use crate::fact::{CanonicalExport, Subject, Window, describe};
use crate::graph::context::{self, Part};
use crate::graph::kinds::Kind;
use crate::graph::outputs::{self, PLUGINS};
use crate::graph::plan::{Output, Plan};
use crate::graph::{Database, EntryFile, FactState};
use crate::imprint::{Imprint, Input, ShownKind};
use crate::publish::Outputs;

/// How many plugins are named that changed what a list shows.
const NAMED: usize = 10;

/// Of which parts each output was made, by its path; all pages of plugins and all redirects are made of the same.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Parts(BTreeMap<String, Vec<Part>>);

/// The note in the cache that holds them.
const NOTE: &str = "parts";

impl Parts {
    /// The key of the pages of plugins.
    pub const PLUGINS: &'static str = "plugin.html";
    /// The key of redirects.
    pub const REDIRECTS: &'static str = "redirect.html";

    /// The parts that the outputs of a site are made of.
    fn of(db: &Database, plan: &Plan) -> Self {
        let mut parts = BTreeMap::from([(Self::PLUGINS.to_owned(), context::of_entries(db).clone())]);
        for (path, output) in &plan.outputs {
            match output {
                Output::Asset(_) | Output::Rendered(Kind::Plugin(_)) => {}
                Output::Rendered(Kind::Redirect { .. }) => {
                    let common =
                        || context::of_templates(db).get(Self::REDIRECTS).cloned().unwrap_or_default();
                    parts.entry(Self::REDIRECTS.to_owned()).or_insert_with(common);
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

    /// The parts of which the output at `path` is made, or those with this key are.
    pub fn get(&self, path: &str) -> &[Part] {
        self.0.get(path).map_or(&[], Vec::as_slice)
    }

    /// The parts with this key that are not what they were.
    fn changes_since(&self, before: &Self, key: &str) -> Vec<Change> {
        let (before, after) = (before.get(key), self.get(key));
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
        let exports = LazyCell::new(|| self.exports());
        let fresh: HashMap<EntryFile, &Fresh> = self.fresh.iter().map(|one| (one.file, one)).collect();
        let own = |kind: &Kind| match kind {
            Kind::Plugin(file) => fresh.get(file).map(|one| self.of_entry(one, &exports)).unwrap_or_default(),
            _ => Vec::new(),
        };
        let mut all = BTreeMap::new();
        for (path, (digest, _)) in outputs {
            let old = published.get(path).map(|file| file.digest);
            if old == Some(*digest) {
                continue;
            }
            let why = match (old, self.plan.outputs.get(path)) {
                (None, _) | (_, None) => Vec::new(),
                (Some(old), Some(Output::Asset(_))) => {
                    let (old, new) = (Some(short(old)), Some(short(*digest)));
                    vec![Change { input: path.clone(), old, new }]
                }
                (_, Some(Output::Rendered(kind))) => self.of_rendered(path, kind, own(kind), &before, &parts),
            };
            cache.set_made(path, &Made { build, at: self.config.now, why: why.clone() })?;
            all.insert(path.clone(), why);
        }
        self.forget(cache, &published, outputs)?;
        if parts != before {
            parts.save(cache)?;
        }
        Ok(all)
    }

    fn forget(&self, cache: &Cache, published: &Listing, outputs: &Outputs) -> Result<(), CacheError> {
        let gone = published.keys().filter(|path| !outputs.contains_key(*path));
        gone.into_iter().try_for_each(|path| cache.forget_made(path))
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
            Kind::Redirect { .. } => after.changes_since(before, Parts::REDIRECTS),
            _ => {
                let mut changes = after.changes_since(before, path);
                if let Some(place) = changes.iter().position(|change| change.input == PLUGINS) {
                    changes.remove(place);
                    changes.extend(self.of_plugins(kind.lines().unwrap_or(ShownKind::Summary)));
                }
                changes
            }
        }
    }

    /// The plugins whose texts of one kind are not what they were.
    fn of_plugins(&self, kind: ShownKind) -> Vec<Change> {
        let digest = |imprint: Option<&Imprint>| imprint.map(|imprint| short(imprint.shown.of(kind)));
        let change = |stem: &str, old: Option<&Imprint>, new: Option<&Imprint>| Change {
            input: format!("plugin {stem}"),
            old: digest(old),
            new: digest(new),
        };
        let fresh = self.fresh.iter();
        let fresh = fresh.map(|one| change(&one.stem, one.earlier.as_deref(), one.imprint.as_deref()));
        let gone =
            self.shelf.gone(self.db).into_iter().map(|(stem, earlier)| change(&stem, Some(&earlier), None));
        let mut changes: Vec<Change> = fresh.chain(gone).filter(|change| change.old != change.new).collect();
        if changes.len() > NAMED {
            let more = changes.len() - NAMED;
            changes.truncate(NAMED);
            changes.push(Change { input: format!("and {more} more plugins"), old: None, new: None });
        }
        changes
    }

    /// What went into an entry's page as something else.
    fn of_entry(&self, fresh: &Fresh, exports: &LazyCell<Exports, impl FnOnce() -> Exports>) -> Vec<Change> {
        let (Some(earlier), Some(imprint)) = (&fresh.earlier, &fresh.imprint) else { return Vec::new() };
        let changes = imprint.inputs.changes_since(&earlier.inputs);
        let told = |(input, old, new): (Input, Option<Digest>, Option<Digest>)| {
            let plain = |input: String| Change { input, old: old.map(short), new: new.map(short) };
            match input {
                Input::Entry => plain(fresh.path.clone()),
                Input::Concerning => plain(format!("notices and blacklist items about {}", imprint.front.id)),
                Input::Usage => {
                    let (old, new) = exports.usage(&imprint.front.id.to_lowercase());
                    Change { input: format!("usage of {}", imprint.front.id), old, new }
                }
                Input::Fact(subject) => self.of_fact(&subject).unwrap_or_else(|| plain(subject.to_string())),
            }
        };
        changes.into_iter().map(told).collect()
    }

    fn of_fact(&self, subject: &Subject) -> Option<Change> {
        let (old, new) = describe::change(
            subject,
            value(self.ledger.before(subject)?),
            value(&self.ledger.state(subject)),
        );
        Some(Change { input: subject.to_string(), old: Some(old), new: Some(new) })
    }

    /// What exports said before this build asked, and what they say now.
    fn exports(&self) -> Exports {
        let read = |state: &FactState| CanonicalExport::from_json(value(state)??).ok();
        Exports(Window::ALL.map(|window| {
            let subject = Subject::Usage(window);
            let new = self.ledger.state(&subject);
            let old = self.ledger.before(&subject).unwrap_or(&new);
            Exported { window, old: read(old), new: read(&new) }
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
    /// How much a plugin was used, and is.
    fn usage(&self, id: &str) -> (Option<String>, Option<String>) {
        let told = |pick: fn(&Exported) -> &Option<CanonicalExport>| {
            let of_one = |one: &Exported| Some(describe::usage(one.window, &pick(one).as_ref()?.usage(id)));
            let windows: Vec<String> = self.0.iter().filter_map(of_one).collect();
            (!windows.is_empty()).then(|| windows.join("; "))
        };
        (told(|one| &one.old), told(|one| &one.new))
    }
}
