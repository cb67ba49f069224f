//! The build: one loop that evaluates the graph, fetches what it found missing or stale, and evaluates again.

mod advice;
mod facts;
mod failure;
mod ledger;
mod lines;
mod record;
mod refusals;
mod render;
mod shelf;
mod why;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Instant;

use miette::Diagnostic;
use thiserror::Error;

use crate::cache::{Cache, Keep, Listing};
use crate::config::Config;
use crate::digest::Digest;
use crate::graph::templates::templates;
use crate::graph::{self, Database, context, plan};
use crate::problem::Problem;
use crate::publish::{self, Content, PublishError, Published};
use crate::report::{self, Durations, Entries, Outputs, Report};
use crate::scan::Scan;
use crate::source;

use advice::left_out;
use facts::Facts;
use failure::{Failure, told};
use record::{Common, Record};
use render::{content_of, on_all_cores};
use shelf::Shelf;
use why::Why;

pub use why::Parts;

/// What a build is doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Phase {
    /// Reading the site's folder.
    Scan,
    /// Asking sources.
    Fetch,
    /// Rendering outputs.
    Render,
    /// Writing outputs.
    Publish,
}

/// Told how a build goes on.
pub trait Observer: Sync {
    /// So much of a phase is done.
    fn progress(&self, phase: Phase, done: usize, total: usize);
    /// Something that the maintainer should know at once.
    fn warn(&self, message: &str);
}

/// Files that people have to mend.
#[derive(Debug, Error, Diagnostic)]
#[error("{}", headline(.problems))]
pub struct Problems {
    /// Each problem with its place.
    pub problems: Vec<Problem>,
}

fn headline(problems: &[Problem]) -> String {
    let files: BTreeSet<&str> = problems.iter().map(Problem::path).collect();
    match (problems.len(), files.len()) {
        (1, _) => "there is a problem, so nothing was published".to_owned(),
        (count, 1) => format!("there are {count} problems in one file, so nothing was published"),
        (count, files) => format!("there are {count} problems in {files} files, so nothing was published"),
    }
}

/// A finished build.
#[derive(Debug)]
pub struct Built {
    /// What it did.
    pub report: Report,
    /// What is wrong with the entries that it left out, with [`Config::keep_going`].
    pub unreadable: Vec<Problem>,
}

/// Builds the site.
///
/// # Errors
///
/// [`Problems`] when there is something to mend in the site's files; otherwise what is wrong with the machine.
/// In both cases the published site is as it was, or file by file newer.
pub fn build(config: &Config, observer: &dyn Observer) -> miette::Result<Built> {
    let started = Instant::now();
    let waiting = || observer.warn("waiting for another build that uses the same cache");
    let (cache, set_aside) = Cache::open(&config.paths.cache, &waiting)?;
    if let Some(aside) = set_aside {
        observer.warn(&told(&aside));
    }
    let build = Build { config, observer, cache: Arc::new(cache), started };
    let (mut mended, mut reuse) = (false, true);
    loop {
        match build.run(reuse) {
            Err(Failure::Damaged(error)) if !mended => {
                mended = true;
                observer.warn(&told(&build.cache.begin_anew(error)?));
            }
            Err(Failure::Lost(path)) if reuse => {
                observer
                    .warn(&format!("the cache's copy of {path} is damaged, so the site is rendered again"));
                // What was made without it is wrong, and must not be found again.
                build.cache.take_back()?;
                build.cache.distrust_blobs();
                reuse = false;
            }
            // What was stored a moment ago does not come back, so the file is damaged in a way that SQLite did not
            // notice.
            Err(Failure::Lost(path)) if !mended => {
                mended = true;
                observer.warn(&told(&build.cache.begin_anew(failure::unreliable(&path))?));
            }
            result => return result.map_err(Failure::into_report),
        }
    }
}

/// A build under way.
struct Build<'a> {
    config: &'a Config,
    observer: &'a dyn Observer,
    cache: Arc<Cache>,
    started: Instant,
}

impl Build<'_> {
    /// Builds; with `reuse`, takes over from earlier builds what is the same now.
    fn run(&self, reuse: bool) -> Result<Built, Failure> {
        let mut durations = Durations::default();
        self.observer.progress(Phase::Scan, 0, 1);
        let scan = Scan::of(self.config, &self.cache)?;
        let inputs = record::inputs(&scan, self.config);
        self.observer.progress(Phase::Scan, 1, 1);
        durations.scan_ms = report::milliseconds(self.started.elapsed());
        if reuse
            && let Some(record) = Record::load(&self.cache)?
            && let Some(outputs) = record.current_outputs(inputs, &self.cache, self.config)?
        {
            return self.republish(&scan, record, outputs, durations);
        }
        self.evaluate(&scan, inputs, reuse, durations)
    }

    /// Publishes what the last build published, without evaluating anything.
    fn republish(
        &self,
        scan: &Scan,
        record: Record,
        outputs: Listing,
        durations: Durations,
    ) -> Result<Built, Failure> {
        let mut assets = scan.published_assets();
        let lines = graph::kinds::Kind::SINGLE.iter().filter_map(|kind| Some((kind.path()?, kind.lines()?)));
        let lines: BTreeMap<String, _> = lines.collect();
        let contents: publish::Outputs = outputs
            .into_iter()
            .map(|(path, file)| {
                let of_lines = || lines.get(&path).map_or(Content::Blob, |kind| Content::Lines(*kind));
                let content = assets.remove(&path).map_or_else(of_lines, content_of);
                (path, (file.digest, content))
            })
            .collect();
        let published = self.publish(&contents)?;
        let entries = Entries { total: scan.entries().len(), unreadable: 0 };
        let now = self.config.now;
        let mut report = self.report(entries, published, durations);
        report.facts = record::count(&record.sources, now);
        report.left_out = left_out(self.config, &|source| record::lacking(&record.sources, source, now));
        report.warnings.splice(0..0, record.warnings);
        Ok(Built { report, unreadable: Vec::new() })
    }

    fn evaluate(
        &self,
        scan: &Scan,
        inputs: Digest,
        reuse: bool,
        mut durations: Durations,
    ) -> Result<Built, Failure> {
        let Self { config, observer, cache, .. } = self;
        let total = scan.entries().len();
        let build = cache.begin_build()?;
        let checking = Instant::now();
        let mut db = Database::new(Arc::clone(cache));
        scan.set(&db, config)?;
        let context = context::digest(context::of_entries(&db)).to_string();
        let common = Common::load(cache)?.filter(|common| reuse && common.context == context);
        let mut shelf = Shelf::fill(&mut db, scan, config, cache.imprints()?, common.is_some())?;
        on_all_cores(&db, &shelf.read_anew(&db), |db, file| graph::entries::parsed(db, *file).is_ok());
        shelf.read_needed(&mut db)?;
        let unreadable = check(&db, config)?;
        durations.evaluate_ms = report::milliseconds(checking.elapsed());

        let origins = source::origins(config).to_string();
        let number = cache.number(crate::cache::FACTS)?;
        let settled = common.filter(|common| common.facts == number && common.origins == origins);
        let mut facts = Facts::new(config, *observer, cache, settled.map(|common| common.sources));
        facts.settle(&mut db, &mut shelf, &mut durations)?;

        let rendering = Instant::now();
        let plan = plan::plan(&db);
        let contents = render::render(&db, plan, &shelf.read_anew(&db), *observer)?;
        let fresh = shelf.fresh(&db);
        if let Some(what) = cache.lost() {
            return Err(Failure::Lost(what));
        }
        durations.render_ms = report::milliseconds(rendering.elapsed());
        Record::forget(cache)?;
        shelf.keep(cache, &fresh)?;
        let sources = facts.freshness(&db);
        let number = cache.number(crate::cache::FACTS)?;
        Common { context, facts: number, origins, sources: sources.clone() }.save(cache)?;
        let why = Why { config, db: &db, plan, ledger: &facts.ledger, shelf: &shelf, fresh: &fresh };
        let why = why.record(cache, build, &contents)?;
        cache.checkpoint()?;

        let publishing = Instant::now();
        let published = self.publish(&contents)?;
        let of_entries = graph::entries::warnings(&db).iter().chain(&plan.warnings);
        let mut warnings: Vec<String> = of_entries.cloned().collect();
        if unreadable.is_empty() {
            Record::new(inputs, cache, config, warnings.clone(), sources)?.save(cache)?;
        }
        cache.end_build(Keep::default())?;
        cache.checkpoint()?;
        durations.publish_ms = report::milliseconds(publishing.elapsed());

        warnings.extend(facts.ledger.warnings());
        let entries = Entries { total, unreadable: total - graph::entries::sound_entries(&db).len() };
        let mut report = self.report(entries, published, durations);
        report.warnings.splice(0..0, warnings);
        report.facts = facts.count(&db);
        report.left_out = left_out(config, &|source| facts.lacking(&db, source));
        report.queries = db.query_counts();
        report.rounds = facts.rounds;
        report.why = why;
        if let Some(sources) = &facts.sources {
            report.requests = sources.meter().tallies();
            report.github_budget = sources.meter().budget();
        }
        Ok(Built { report, unreadable })
    }

    fn publish(&self, contents: &publish::Outputs) -> Result<Published, PublishError> {
        let progress = |done, all| self.observer.progress(Phase::Publish, done, all);
        let paths = &self.config.paths;
        let lines = lines::Stored(&self.cache);
        publish::publish(&paths.output, &paths.output_name(), contents, &self.cache, &lines, &progress)
    }

    /// A report of what was published; everything else is as in a build that did nothing.
    fn report(&self, entries: Entries, published: Published, mut durations: Durations) -> Report {
        durations.total_ms = report::milliseconds(self.started.elapsed());
        Report {
            version: env!("CARGO_PKG_VERSION"),
            now: self.config.now,
            entries,
            warnings: published.warnings(),
            outputs: Outputs {
                written: published.written.len(),
                unchanged: published.unchanged,
                removed: published.removed.len(),
                written_paths: published.written,
                removed_paths: published.removed,
            },
            facts: report::Facts::default(),
            requests: BTreeMap::new(),
            github_budget: None,
            why: BTreeMap::new(),
            queries: BTreeMap::new(),
            memos: self.cache.memo_counts(),
            rounds: 0,
            durations,
            left_out: Vec::new(),
        }
    }
}

/// Stops at what people have to mend, before anyone is asked anything.
fn check(db: &Database, config: &Config) -> miette::Result<Vec<Problem>> {
    let unreadable = graph::entries::problems(db).clone();
    let mut problems = graph::data::data_problems(db).clone();
    if let Err(wrong) = templates(db) {
        problems.extend_from_slice(wrong);
    }
    if !config.keep_going {
        problems.extend_from_slice(&unreadable);
    }
    if problems.is_empty() { Ok(unreadable) } else { Err(Problems { problems }.into()) }
}
