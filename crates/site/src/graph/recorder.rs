//! The recorder: the only way in which queries come by what they are made of, so that every read is noted.
//!
//! A query gets a [`Reader`], and has no other way to an input; `query!` gives it one, and keeps with its result which
//! inputs were read, also by the queries that it called, whether those ran or were remembered. What is noted is which
//! inputs they are, not what they were: a result that is the same stays the same.

use std::cell::RefCell;
use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};

use jiff::civil::Date;

use super::inputs::{AssetFile, EntryFile, EntrySource, FactInput, FactState, PageFile, RootFile, Site};
use super::snapshot::Snapshot;
use super::{Database, Db, Memory};
use crate::config::{Listener, View};
use crate::fact::{SourceStatus, Subject};
use crate::trace::Input;

/// What was read: an input, and the entry whose it is if it is one of an entry.
pub(super) type Read = (Input, Option<EntryFile>);

/// All reads that were ever noted in this process, each under a number.
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

/// A result, and what was read for it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Traced<T> {
    value: T,
    reads: Arc<[u32]>,
}

/// What one query has read so far.
struct Frame<'a> {
    db: &'a dyn Db,
    /// `None` where nobody needs to know.
    notes: Option<RefCell<Notes>>,
}

#[derive(Default)]
struct Notes {
    reads: Vec<u32>,
    /// The settings among them, which are read again and again.
    settings: Vec<&'static str>,
}

/// What queries read from.
#[derive(Clone, Copy)]
pub struct Reader<'a> {
    db: &'a dyn Db,
    /// `None` outside of all queries.
    frame: Option<&'a Frame<'a>>,
}

/// For those that ask a graph for what it has found.
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
    /// Evaluates a query's function.
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
    /// For `query!` alone: what salsa knows queries by.
    pub(super) fn salsa(self) -> &'a dyn Db {
        self.db
    }

    /// For `query!` alone: the result of a query, whose reads are the caller's from now on.
    pub(super) fn take<T>(self, traced: &'a Traced<T>) -> &'a T {
        if let Some(notes) = self.notes() {
            notes.borrow_mut().reads.extend_from_slice(&traced.reads);
        }
        &traced.value
    }

    fn notes(self) -> Option<&'a RefCell<Notes>> {
        self.frame?.notes.as_ref()
    }

    /// Evaluates a function, and tells what was read for it.
    pub(super) fn record<T>(self, function: impl FnOnce(Reader<'_>) -> T) -> (T, Vec<Read>) {
        let Traced { value, reads } = Traced::of(self.db, function);
        let reads = self.db.reads().all(&reads);
        (value, reads)
    }

    /// Evaluates a function whose reads are noted as one: that of `input`, whose digest tells all of them apart that
    /// decide the result.
    pub(super) fn summed_up<T>(
        self,
        input: Input,
        of: Option<EntryFile>,
        function: impl FnOnce(Reader<'_>) -> T,
    ) -> T {
        self.note(input, of);
        self.unnoted(function)
    }

    /// Evaluates a function whose reads are not noted, since nobody will ask what came of it whether it still holds.
    pub(super) fn unnoted<T>(self, function: impl FnOnce(Reader<'_>) -> T) -> T {
        unnoted(self.db, function)
    }

    /// Notes a read.
    pub(super) fn note(self, input: Input, of: Option<EntryFile>) {
        if let Some(notes) = self.notes() {
            let number = self.db.reads().number((input, of));
            notes.borrow_mut().reads.push(number);
        }
    }

    /// Notes the read of an input that all targets share, and has salsa know of it.
    fn depend(self, input: Input) {
        if self.frame.is_some() {
            self.db.cell(&input).digest(self.db);
        }
        self.note(input, None);
    }

    fn snapshot(self) -> &'a Snapshot {
        self.db.snapshot()
    }

    /// The settings.
    pub fn settings(self) -> View<'a> {
        let settings = &self.snapshot().settings;
        self.frame.map_or_else(|| settings.view(), |frame| View::new(settings, frame))
    }

    /// The path and the content of the data file called `name`.
    pub(super) fn data(self, name: &str) -> Option<(&'a str, &'a [u8])> {
        self.depend(Input::Data(name.into()));
        self.snapshot().data.get(name).map(|file| (&*file.path, &*file.content))
    }

    /// Whether the site brings a template called `name`.
    pub(super) fn is_own_template(self, name: &str) -> bool {
        self.depend(Input::Template(name.into()));
        self.snapshot().templates.get(name).is_some_and(|template| template.is_own)
    }

    /// Renders the template called `name`; what it reads is noted.
    pub(super) fn render(
        self,
        name: &str,
        context: minijinja::Value,
        navigation: &[crate::render::environment::Destination],
    ) -> Result<String, crate::problem::Problem> {
        let templates = match self.snapshot().environment() {
            Ok(templates) => templates,
            // A site with such templates is not built.
            Err(problems) => return problems.first().map_or(Ok(String::new()), |first| Err(first.clone())),
        };
        let (rendered, reads) = templates.render(name, context, navigation);
        reads.into_iter().for_each(|input| match input {
            Input::Navigation => self.note(input, None),
            input => self.depend(input),
        });
        rendered
    }

    /// What stands for an entry: its text, or what was made of it.
    pub(super) fn source(self, file: EntryFile) -> &'a EntrySource {
        self.note(Input::Entry, Some(file));
        file.source(self.db)
    }

    /// The content of the file of a page of the site's own.
    pub(super) fn page(self, file: PageFile) -> &'a Arc<[u8]> {
        self.note(Input::Page(Arc::clone(file.path(self))), None);
        file.content(self.db)
    }

    /// What is known of a subject.
    pub fn fact(self, subject: &Subject) -> &'a FactState {
        self.note(Input::Fact(subject.clone()), None);
        self.db.fact_input(subject).state(self.db)
    }

    /// The day on which what is known of a subject was last confirmed, if it is past its time to live and pages tell
    /// that.
    pub(super) fn as_of(self, subject: &Subject) -> Option<Date> {
        self.note(Input::Unnamed, None);
        *self.db.fact_input(subject).as_of(self.db)
    }

    /// The history of the plugin with this id in lower case; empty if there is none.
    pub(super) fn history(self, id: &str) -> &'a Arc<[u8]> {
        self.note(Input::Unnamed, None);
        self.db.history_input(id).packed(self.db)
    }

    /// Entry files in the order of their names.
    pub fn entries(self) -> &'a [EntryFile] {
        self.note(Input::Unnamed, None);
        Site::get(self.db).entries(self.db)
    }

    /// Assets in the order of their paths.
    pub(super) fn assets(self) -> &'a [AssetFile] {
        self.note(Input::Unnamed, None);
        Site::get(self.db).assets(self.db)
    }

    /// Pages of the site's own, in the order of their folders and then of their paths.
    pub(super) fn pages(self) -> &'a [PageFile] {
        self.note(Input::Unnamed, None);
        Site::get(self.db).pages(self.db)
    }

    /// Files that are copied to the root; of two for one place, the first one counts.
    pub(super) fn root(self) -> &'a [RootFile] {
        self.note(Input::Unnamed, None);
        Site::get(self.db).root(self.db)
    }

    /// The day on which the site is built, in its time zone.
    pub(super) fn today(self) -> Date {
        self.note(Input::Unnamed, None);
        *Site::get(self.db).today(self.db)
    }

    /// When each source last answered.
    pub(super) fn source_statuses(self) -> &'a [SourceStatus] {
        self.note(Input::SourceStatus, None);
        Site::get(self.db).source_statuses(self.db)
    }

    /// The results of pure functions, and bytes by their digests.
    pub(super) fn memory(self) -> &'a dyn Memory {
        self.db.memory()
    }

    /// The input that holds the fact about a subject, which some queries are about.
    pub(super) fn fact_input(self, subject: &Subject) -> FactInput {
        self.db.fact_input(subject)
    }
}

/// A query: a function of a [`Reader`] that salsa remembers, with what it has read.
///
/// With `as`, its reads are noted as that of one input, see [`Reader::summed_up`]. With `unnoted`, whatever reads it in a
/// recording is never up to date.
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

/// For `query!` alone: evaluates a query's function without noting what it reads.
pub(super) fn unnoted<T>(db: &dyn Db, function: impl FnOnce(Reader<'_>) -> T) -> T {
    let frame = Frame { db, notes: None };
    function(Reader { db, frame: Some(&frame) })
}
