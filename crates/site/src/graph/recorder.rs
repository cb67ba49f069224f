//! The recorder: the only access that queries have to inputs, so that every read is recorded.
//!
//! A query gets a [`Reader`] and has no other access to inputs. `query!` stores with each result which inputs were
//! read, including those read by the queries it called, whether those were computed or reused. It stores only the names
//! of the inputs, not their values, so that an equal result still compares equal.

use std::cell::RefCell;
use std::sync::{Arc, PoisonError, RwLock};

use foldhash::HashMap;
use jiff::civil::Date;

use super::inputs::{AssetFile, EntryFile, EntrySource, FactInput, FactState, PageFile, RootFile, Site};
use super::snapshot::Snapshot;
use super::{Database, Db, Memory};
use crate::config::{Listener, View};
use crate::fact::{SourceStatus, Subject};
use crate::trace::Input;

/// A recorded read: an input, and the entry if the input belongs to one.
pub(super) type Read = (Input, Option<EntryFile>);

/// All reads recorded in this process, each with a number.
#[derive(Debug, Default)]
pub struct Reads(RwLock<Numbered>);

#[derive(Debug, Default)]
struct Numbered {
    numbers: HashMap<Read, u32>,
    all: Vec<Read>,
}

impl Reads {
    fn number(&self, read: Read) -> u32 {
        let known = self.0.read().unwrap_or_else(PoisonError::into_inner).numbers.get(&read).copied();
        if let Some(known) = known {
            return known;
        }
        let mut numbered = self.0.write().unwrap_or_else(PoisonError::into_inner);
        let Numbered { numbers, all } = &mut *numbered;
        *numbers.entry(read).or_insert_with_key(|read| {
            all.push(read.clone());
            u32::try_from(all.len() - 1).unwrap_or(u32::MAX)
        })
    }

    fn all(&self, numbers: &[u32]) -> Vec<Read> {
        let numbered = self.0.read().unwrap_or_else(PoisonError::into_inner);
        numbers.iter().filter_map(|number| numbered.all.get(*number as usize)).cloned().collect()
    }
}

/// A result and the reads that led to it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Traced<T> {
    value: T,
    reads: Arc<[u32]>,
}

/// The reads of a running query.
struct Frame<'a> {
    db: &'a dyn Db,
    /// `None` if the reads are not recorded.
    notes: Option<RefCell<Notes>>,
}

#[derive(Default)]
struct Notes {
    reads: Vec<u32>,
    /// The settings that were already recorded: settings are read often, and this check is cheap.
    settings: Vec<&'static str>,
}

/// The access of queries to inputs.
#[derive(Clone, Copy)]
pub struct Reader<'a> {
    db: &'a dyn Db,
    /// `None` outside queries.
    frame: Option<&'a Frame<'a>>,
}

/// For code outside the graph that reads its results.
impl<'a> From<&'a Database> for Reader<'a> {
    fn from(db: &'a Database) -> Self {
        Self { db, frame: None }
    }
}

impl Listener for Frame<'_> {
    fn read(&self, key: &'static str) {
        if let Some(notes) = &self.notes {
            let mut notes = notes.borrow_mut();
            if notes.settings.iter().any(|known| std::ptr::eq(*known, key)) {
                return;
            }
            notes.settings.push(key);
        }
        Reader { db: self.db, frame: Some(self) }.depend(Input::Setting(key.into()));
    }
}

impl<T> Traced<T> {
    /// Evaluates the function of a query.
    pub(super) fn of(db: &dyn Db, function: impl FnOnce(Reader<'_>) -> T) -> Self {
        let frame = Frame { db, notes: Some(RefCell::default()) };
        let value = function(Reader { db, frame: Some(&frame) });
        let mut reads = frame.notes.map(RefCell::into_inner).unwrap_or_default().reads;
        reads.sort_unstable();
        reads.dedup();
        Self { value, reads: reads.into() }
    }
}

impl<'a> Reader<'a> {
    /// Returns the database for salsa. Only for `query!`.
    pub(super) fn salsa(self) -> &'a dyn Db {
        self.db
    }

    /// Returns the result of a query and adds its reads to those of the caller. Only for `query!`.
    pub(super) fn take<T>(self, traced: &'a Traced<T>) -> &'a T {
        if let Some(notes) = self.notes() {
            notes.borrow_mut().reads.extend_from_slice(&traced.reads);
        }
        &traced.value
    }

    fn notes(self) -> Option<&'a RefCell<Notes>> {
        self.frame?.notes.as_ref()
    }

    /// Evaluates a function and returns its result and its reads.
    pub(super) fn record<T>(self, function: impl FnOnce(Reader<'_>) -> T) -> (T, Vec<Read>) {
        let Traced { value, reads } = Traced::of(self.db, function);
        let reads = self.db.reads().all(&reads);
        (value, reads)
    }

    /// Evaluates a function and records a single read of `input` instead of the individual reads. The digest of `input`
    /// must cover everything that determines the result.
    pub(super) fn summed_up<T>(
        self,
        input: Input,
        of: Option<EntryFile>,
        function: impl FnOnce(Reader<'_>) -> T,
    ) -> T {
        self.note(input, of);
        self.unnoted(function)
    }

    /// Evaluates a function without recording its reads. Use it only for results that are never validated by their
    /// trace.
    pub(super) fn unnoted<T>(self, function: impl FnOnce(Reader<'_>) -> T) -> T {
        unnoted(self.db, function)
    }

    /// Records a read.
    pub(super) fn note(self, input: Input, of: Option<EntryFile>) {
        if let Some(notes) = self.notes() {
            let number = self.db.reads().number((input, of));
            notes.borrow_mut().reads.push(number);
        }
    }

    /// Records the read of a shared input, and reads its cell so that salsa also tracks it.
    fn depend(self, input: Input) {
        if self.frame.is_some() {
            self.db.cell(&input).digest(self.db);
        }
        self.note(input, None);
    }

    fn snapshot(self) -> &'a Snapshot {
        self.db.snapshot()
    }

    /// Returns the settings.
    pub fn settings(self) -> View<'a> {
        let settings = &self.snapshot().settings;
        self.frame.map_or_else(|| settings.view(), |frame| View::new(settings, frame))
    }

    /// Returns the path and content of the data file `name`.
    pub(super) fn data(self, name: &str) -> Option<(&'a str, &'a [u8])> {
        self.depend(Input::Data(name.into()));
        self.snapshot().data.get(name).map(|file| (&*file.path, &*file.content))
    }

    /// Returns whether the site has its own template `name`.
    pub(super) fn is_own_template(self, name: &str) -> bool {
        self.depend(Input::Template(name.into()));
        self.snapshot().templates.get(name).is_some_and(|template| template.is_own)
    }

    /// Renders the template `name` and records its reads.
    pub(super) fn render(
        self,
        name: &str,
        context: minijinja::Value,
        navigation: &[crate::render::environment::Destination],
    ) -> Result<String, crate::problem::Problem> {
        let templates = match self.snapshot().environment() {
            Ok(templates) => templates,
            // A site whose templates don't compile is not built.
            Err(problems) => return problems.first().map_or(Ok(String::new()), |first| Err(first.clone())),
        };
        let (rendered, reads) = templates.render(name, context, navigation);
        reads.iter().for_each(|input| match input {
            Input::Navigation => self.note(Input::Navigation, None),
            input => self.depend(input.clone()),
        });
        rendered
    }

    /// Returns the source of an entry: its content or its entry trace.
    pub(super) fn source(self, file: EntryFile) -> &'a EntrySource {
        self.note(Input::Entry, Some(file));
        file.source(self.db)
    }

    /// Returns the content of one of the site's own pages.
    pub(super) fn page(self, file: PageFile) -> &'a Arc<[u8]> {
        self.note(Input::Page(Arc::clone(file.path(self))), None);
        file.content(self.db)
    }

    /// Returns the fact about a subject.
    pub fn fact(self, subject: &Subject) -> &'a FactState {
        self.note(Input::Fact(subject.clone()), None);
        self.db.fact_input(subject).state(self.db)
    }

    /// Returns the date when the fact about a subject was last confirmed, if it is stale and pages show that.
    pub(super) fn as_of(self, subject: &Subject) -> Option<Date> {
        self.note(Input::Unnamed, None);
        *self.db.fact_input(subject).as_of(self.db)
    }

    /// Returns the history of the plugin with this lower-case id; empty if it has none.
    pub(super) fn history(self, id: &str) -> &'a Arc<[u8]> {
        self.note(Input::Unnamed, None);
        self.db.history_input(id).packed(self.db)
    }

    /// Returns the entry files in the order of their names.
    pub fn entries(self) -> &'a [EntryFile] {
        self.note(Input::Unnamed, None);
        Site::get(self.db).entries(self.db)
    }

    /// Returns the assets in the order of their paths.
    pub(super) fn assets(self) -> &'a [AssetFile] {
        self.note(Input::Unnamed, None);
        Site::get(self.db).assets(self.db)
    }

    /// Returns the site's own pages, in the order of their folders and then of their paths.
    pub(super) fn pages(self) -> &'a [PageFile] {
        self.note(Input::Unnamed, None);
        Site::get(self.db).pages(self.db)
    }

    /// Returns the files to copy to the root. If two have the same target, the first one wins.
    pub(super) fn root(self) -> &'a [RootFile] {
        self.note(Input::Unnamed, None);
        Site::get(self.db).root(self.db)
    }

    /// Returns the date of the build, in the site's time zone.
    pub(super) fn today(self) -> Date {
        self.note(Input::Unnamed, None);
        *Site::get(self.db).today(self.db)
    }

    /// Returns when each source last answered.
    pub(super) fn source_statuses(self) -> &'a [SourceStatus] {
        self.note(Input::SourceStatus, None);
        Site::get(self.db).source_statuses(self.db)
    }

    /// Returns the store of memos and blobs. A query must read its inputs before it looks for a memo here, because salsa
    /// dates a result by what was read for it.
    pub(super) fn memory(self) -> &'a dyn Memory {
        self.db.memory()
    }

    /// Returns the salsa input of the fact about a subject, for queries that take it as an argument.
    pub(super) fn fact_input(self, subject: &Subject) -> FactInput {
        self.db.fact_input(subject)
    }
}

/// Declares a query: a function of a [`Reader`] that salsa memoizes together with its reads.
///
/// With `as`, the query's reads are recorded as a single read of that input, see [`Reader::summed_up`]. With `unnoted`,
/// a trace that includes the query never holds.
macro_rules! query {
    ($(#[$attr:meta])* $vis:vis fn $name:ident($db:ident: Reader<'_> $(, $arg:ident: $kind:ty)* $(,)?) -> $out:ty $body:block) => {
        $(#[$attr])*
        $vis fn $name<'db>(db: impl Into<$crate::graph::recorder::Reader<'db>> $(, $arg: $kind)*) -> &'db $out {
            #[salsa::tracked]
            fn $name(db: &dyn $crate::graph::Db $(, $arg: $kind)*) -> $crate::graph::recorder::Traced<$out> {
                fn evaluate($db: $crate::graph::recorder::Reader<'_> $(, $arg: $kind)*) -> $out $body
                $crate::graph::recorder::Traced::of(db, |reader| evaluate(reader $(, $arg)*))
            }
            let db: $crate::graph::recorder::Reader<'db> = db.into();
            db.take($name(db.salsa() $(, $arg)*))
        }
    };
    (unnoted; $($query:tt)*) => {
        query! { as $crate::trace::Input::Unnamed, None; $($query)* }
    };
    (as $input:expr, $of:expr; $(#[$attr:meta])* $vis:vis fn $name:ident($db:ident: Reader<'_> $(, $arg:ident: $kind:ty)* $(,)?) -> $out:ty $body:block) => {
        $(#[$attr])*
        $vis fn $name<'db>(db: impl Into<$crate::graph::recorder::Reader<'db>> $(, $arg: $kind)*) -> &'db $out {
            #[salsa::tracked]
            fn $name(db: &dyn $crate::graph::Db $(, $arg: $kind)*) -> $out {
                fn evaluate($db: $crate::graph::recorder::Reader<'_> $(, $arg: $kind)*) -> $out $body
                $crate::graph::recorder::unnoted(db, |reader| evaluate(reader $(, $arg)*))
            }
            let db: $crate::graph::recorder::Reader<'db> = db.into();
            db.note($input, $of);
            $name(db.salsa() $(, $arg)*)
        }
    };
}
pub(super) use query;

/// Evaluates the function of a query without recording its reads. Only for `query!`.
pub(super) fn unnoted<T>(db: &dyn Db, function: impl FnOnce(Reader<'_>) -> T) -> T {
    let frame = Frame { db, notes: None };
    function(Reader { db, frame: Some(&frame) })
}
