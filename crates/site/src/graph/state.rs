//! The current version of each input, and traces: the inputs that were read, with their versions.

use std::sync::{Mutex, PoisonError};

use foldhash::HashMap;

use super::entries::{feed_description, front};
use super::kinds::{Kind, stem};
use super::plan::{Output, plan};
use super::recorder::{Read, Reader};
use super::{
    Database, Db as _, EntryFile, contents, due, facts, history, notices, own_pages, plugins, related,
    sitemap, taxonomies, views,
};
use crate::digest::Digest;
use crate::entry_trace::{Packed, ShownKind};
use crate::fact::Ages;
use crate::graph::data;
use crate::render::address;
use crate::trace::{Aspect, Dependency, Input, Sets, Trace, Version};

/// The reads of a target.
#[derive(Debug, Clone, Default)]
pub struct Recorded(Vec<Read>);

impl Recorded {
    pub(super) fn new(reads: Vec<Read>) -> Self {
        Self(reads)
    }
}

/// The sets of dependencies that targets of a build share.
#[derive(Debug, Default)]
pub struct Shared(Mutex<Known>);

#[derive(Debug, Default)]
struct Known {
    /// The digest of each set, by its inputs.
    digests: HashMap<Vec<Input>, Digest>,
    sets: Sets,
}

impl Shared {
    /// Returns the digest of the set of these inputs with their current versions.
    fn digest(&self, db: &Database, mut inputs: Vec<Input>) -> Digest {
        inputs.push(Input::Program);
        inputs.sort_unstable();
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(digest) = known.digests.get(&inputs) {
            return *digest;
        }
        let is = |input: &Input| Dependency { was: version(db, input, None), input: input.clone() };
        let set: Vec<Dependency> = inputs.iter().map(is).collect();
        let digest = Digest::of(&postcard::to_stdvec(&set).unwrap_or_default());
        known.sets.insert(digest, set);
        known.digests.insert(inputs, digest);
        digest
    }

    /// Returns all sets.
    pub fn sets(&self) -> Sets {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).sets.clone()
    }
}

/// Returns the trace of a target: an entry, given with the digest of its file, or an output that is not about a single
/// entry.
pub fn trace(db: &Database, recorded: &Recorded, of: Option<(EntryFile, Digest)>, shared: &Shared) -> Trace {
    let (mut of_all, mut own, mut facts) = (Vec::new(), Vec::new(), Vec::new());
    for (input, whose) in &recorded.0 {
        if input.is_shared() {
            of_all.push(input.clone());
            continue;
        }
        let target = of.map(|(file, _)| file);
        let dependency = match input {
            // An input of another entry can't be named in this trace.
            _ if whose.is_some() && *whose != target => unnamed(),
            Input::Unnamed => unnamed(),
            Input::Entry => {
                Dependency { input: Input::Entry, was: of.map(|(_, digest)| Version::of(digest)) }
            }
            input => Dependency { was: version(db, input, target), input: input.clone() },
        };
        let list = if matches!(dependency.input, Input::Fact(_)) { &mut facts } else { &mut own };
        list.push(dependency);
    }
    own.sort_unstable();
    own.dedup();
    facts.sort_unstable();
    Trace { shared: shared.digest(db, of_all), own, facts: Packed::new(&facts) }
}

/// Returns a dependency that never holds.
fn unnamed() -> Dependency {
    Dependency { input: Input::Unnamed, was: Some(Version::of(Digest::of(b""))) }
}

/// Returns the current version of an input; `of` is the entry for inputs that belong to one. `None` if the input does
/// not exist.
pub fn version(db: &Database, input: &Input, of: Option<EntryFile>) -> Option<Version> {
    let reader = Reader::from(db);
    let digest = match input {
        Input::Program | Input::Setting(_) | Input::Template(_) | Input::Asset(_) | Input::Data(_) => {
            return db.snapshot().version(input);
        }
        Input::Navigation => return Some(own_pages::navigation_version(reader)),
        // Only the caller knows the entry's file.
        Input::Entry | Input::Unnamed => return None,
        Input::Files
        | Input::Settings
        | Input::Windows
        | Input::Origins
        | Input::Facts
        | Input::Answers
        | Input::Histories
        | Input::Good => return None,
        Input::Kin => *related::identity(reader),
        Input::Usage => *facts::usage_digest(reader, of?),
        Input::History => history::digest(reader, of?),
        Input::Ages => {
            let ages = facts::ages(reader, of?);
            return (ages != Ages::default()).then(|| Version::short(ages.to_string()));
        }
        Input::Concerning => return concerning(db, &front(reader, of?)?.id),
        Input::Related => *related::digest(reader, of?),
        Input::Fact(subject) => facts::digest_of(reader.fact(subject)),
        Input::Purpose(path) => return purpose(reader, path),
        Input::Page(path) => {
            let page = reader.pages().iter().find(|page| page.path(reader) == path)?;
            // The page also depends on its folder.
            let place = [page.section(reader).template(), &**page.name(reader)].map(str::as_bytes);
            Digest::of_parts(place.into_iter().chain([&**reader.page(*page)]))
        }
        Input::File(path) => {
            let file = reader.root().iter().find(|file| file.path(reader) == path)?;
            file.copy(db).0
        }
        Input::All(Aspect::Listed) => *views::listed_digest(reader),
        Input::All(Aspect::Summary) => views::lines_digest(reader, ShownKind::Summary),
        Input::All(Aspect::Record) => views::lines_digest(reader, ShownKind::Record),
        Input::All(Aspect::Document) => views::lines_digest(reader, ShownKind::Document),
        Input::Term(path) => taxonomies::digest(reader, &taxonomies::at(path)?),
        Input::Named(path) => {
            let page = reader.pages().iter().find(|page| page.path(reader) == path)?;
            own_pages::named_digest(reader, *page)
        }
        Input::Announced => {
            let shown = contents::in_announcements(reader).filter_map(|file| views::shown(reader, file));
            of_digests(shown.map(|shown| shown.summary))
        }
        Input::Newest => of_digests(contents::in_feed(reader).flat_map(|file| {
            let summary = views::shown(reader, file).map(|shown| shown.summary);
            let body = feed_description(reader, file).as_ref().map(|html| html.inputs);
            [summary, body].into_iter().flatten()
        })),
        Input::ToCome => return Some(Version::short(due::to_come(reader).len().to_string())),
        Input::Abandoned => notices::abandoned_digest(reader),
        Input::WithoutPython2 => {
            Digest::of_parts(plugins::without_python2(reader).iter().map(|id| id.as_bytes()))
        }
        Input::SourceStatus => Digest::of(&serde_json::to_vec(reader.source_statuses()).unwrap_or_default()),
        Input::Topics => own_pages::topics_digest(reader),
        Input::Sitemap(part) => sitemap::digest(reader, part.and_then(|part| usize::try_from(part).ok())),
        Input::Redirects => {
            let redirects = contents::redirects(reader);
            let texts = redirects.iter().flat_map(|(from, to)| [from.as_bytes(), to.as_bytes()]);
            Digest::of_parts(texts)
        }
    };
    Some(Version::of(digest))
}

/// Returns the version of the notices and blocklist items about the plugin with this id; `None` if there are none.
pub fn concerning(db: &Database, id: &str) -> Option<Version> {
    let digest = data::concerning_digest(db, id);
    (digest != Digest::of(b"")).then(|| Version::of(digest))
}

fn of_digests(digests: impl Iterator<Item = Digest>) -> Digest {
    let digests: Vec<Digest> = digests.collect();
    Digest::of_parts(digests.iter().map(|digest| digest.as_bytes().as_slice()))
}

/// Returns what kind of output is at a path, because it can be replaced by one of another kind.
fn purpose(db: Reader<'_>, path: &str) -> Option<Version> {
    purpose_of(db, plan(db).outputs.get(path)?)
}

/// Returns what kind of output this is, as the version of [`Input::Purpose`].
pub fn purpose_of<'a>(db: impl Into<Reader<'a>>, output: &Output) -> Option<Version> {
    let db = db.into();
    Some(match output {
        Output::Rendered(Kind::Redirect { from, to, .. }) => {
            let target = address::plugin_page(stem(db, *to));
            // `/old` and `/old/` are the same file, but templates can see which of them is used.
            let digest = Digest::of_parts([from, &target].map(|part| part.as_bytes()));
            Version { digest, value: Some(target.into()) }
        }
        Output::Rendered(Kind::Page(page)) => Version::short(format!("page {}", page.path(db))),
        Output::Rendered(kind) => Version::short(kind.address(db)),
        _ => return None,
    })
}
