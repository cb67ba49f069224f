//! The build: one loop that evaluates the graph, fetches what it found missing or stale, and evaluates again.

mod advice;
mod failure;
mod ledger;
mod record;
mod refusals;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use miette::{Diagnostic, IntoDiagnostic as _, WrapErr as _};
use rayon::prelude::*;
use thiserror::Error;

use crate::cache::{Cache, KEEP_BUILDS};
use crate::config::Config;
use crate::digest::Digest;
use crate::fact::{Answer, Subject};
use crate::graph::inputs::AssetLocation;
use crate::graph::outputs::{self, OutputKey};
use crate::graph::plan::{self, Output, Plan};
use crate::graph::templates::templates;
use crate::graph::{self, Database, Db as _};
use crate::problem::Problem;
use crate::publish::{self, Content, PublishError, Published};
use crate::report::{self, Durations, Entries, Outputs, Report};
use crate::scan::Scan;
use crate::source::{Demand, Sources};

use advice::left_out;
use failure::{Failure, told};
use ledger::Ledger;
use record::Record;

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
                build.cache.distrust_blobs();
                reuse = false;
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
    /// Builds; with `reuse`, takes over the last build's outputs as they are if nothing has changed since.
    fn run(&self, reuse: bool) -> Result<Built, Failure> {
        let mut durations = Durations::default();
        self.observer.progress(Phase::Scan, 0, 1);
        let scan = Scan::of(self.config, &self.cache)?;
        let inputs = record::inputs(&scan, self.config);
        self.observer.progress(Phase::Scan, 1, 1);
        durations.scan_ms = report::milliseconds(self.started.elapsed());
        if reuse
            && let Some(record) = Record::load(&self.cache)?
            && record.is_current(inputs, &self.cache, self.config)?
        {
            return self.republish(&scan, record, durations);
        }
        self.evaluate(scan, inputs, durations)
    }

    /// Publishes what the last build published, without evaluating anything.
    fn republish(&self, scan: &Scan, record: Record, durations: Durations) -> Result<Built, Failure> {
        let mut assets = scan.published_assets();
        let contents: publish::Outputs = record
            .outputs(&self.cache)?
            .into_iter()
            .filter_map(|(path, digests)| {
                let content = assets.remove(&path).map_or(Content::Blob, content_of);
                Some((path, (*digests.last()?, content)))
            })
            .collect();
        let published = self.publish(&contents)?;
        let entries = Entries { total: scan.entries(), unreadable: 0 };
        let now = self.config.now;
        let lacking = |source: &str| record.sources.get(source).map_or(0, |freshness| freshness.lacking(now));
        let mut report = self.report(entries, published, durations);
        report.facts = record.count(now);
        report.left_out = left_out(self.config, &lacking);
        report.warnings.splice(0..0, record.warnings);
        Ok(Built { report, unreadable: Vec::new() })
    }

    fn evaluate(&self, scan: Scan, inputs: Digest, mut durations: Durations) -> Result<Built, Failure> {
        let Self { config, observer, cache, .. } = self;
        let total = scan.entries();
        cache.begin_build()?;
        let checking = Instant::now();
        let mut db = Database::new(Arc::clone(cache));
        scan.set(&db, config)?;
        let unreadable = check(&db, config)?;
        durations.evaluate_ms = report::milliseconds(checking.elapsed());

        let ledger = Ledger::new(Arc::clone(cache));
        let mut facts = Facts { config, observer: *observer, ledger, sources: None };
        let rounds = facts.settle(&mut db, &mut durations)?;

        let rendering = Instant::now();
        let plan = plan::plan(&db);
        let contents = render(&db, plan, *observer)?;
        durations.render_ms = report::milliseconds(rendering.elapsed());
        Record::forget(cache)?;
        cache.checkpoint()?;

        let publishing = Instant::now();
        let published = self.publish(&contents)?;
        let of_entries = graph::entries::warnings(&db).iter().chain(&plan.warnings);
        let mut warnings: Vec<String> = of_entries.map(ToString::to_string).collect();
        let wanted = graph::facts::wanted(&db);
        let sources = record::freshness(&facts.ledger, wanted);
        if unreadable.is_empty() {
            Record::new(inputs, cache, config, warnings.clone(), sources)?.save(cache)?;
        }
        cache.collect_garbage(KEEP_BUILDS)?;
        cache.checkpoint()?;
        durations.publish_ms = report::milliseconds(publishing.elapsed());

        warnings.extend(facts.ledger.warnings());
        let lacking = |source: &str| facts.ledger.lacking(wanted, source, config.now);
        let entries = Entries { total, unreadable: total - graph::entries::sound_entries(&db).len() };
        let mut report = self.report(entries, published, durations);
        report.warnings.splice(0..0, warnings);
        report.facts = facts.ledger.count(wanted, config.now);
        report.left_out = left_out(config, &lacking);
        report.queries = db.query_counts();
        report.rounds = rounds;
        if let Some(sources) = &facts.sources {
            report.requests = sources.meter().tallies();
            report.github_budget = sources.meter().budget();
        }
        Ok(Built { report, unreadable })
    }

    fn publish(&self, contents: &publish::Outputs) -> Result<Published, PublishError> {
        let progress = |done, all| self.observer.progress(Phase::Publish, done, all);
        let paths = &self.config.paths;
        publish::publish(&paths.output, &paths.output_name(), contents, &self.cache, &progress)
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
            queries: BTreeMap::new(),
            memos: self.cache.memo_counts(),
            rounds: 0,
            durations,
            left_out: Vec::new(),
        }
    }
}

fn content_of(location: AssetLocation) -> Content {
    match location {
        AssetLocation::Theme(bytes) => Content::Program(bytes),
        AssetLocation::File(path) => Content::File(path),
    }
}

/// Stops at what people have to mend, before anyone is asked anything.
fn check(db: &Database, config: &Config) -> miette::Result<Vec<Problem>> {
    on_all_cores(db, graph::Site::get(db).entries(db), |db, file| graph::entries::parsed(db, *file).is_ok());
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

/// Calls `query` for every item, on all cores, in no particular order; the results are in the order of items.
fn on_all_cores<I: Sync, R: Send>(
    db: &Database,
    items: &[I],
    query: impl Fn(&Database, &I) -> R + Sync,
) -> Vec<R> {
    // A database handle is `Send`, not `Sync`: each worker has its own.
    let handle = Mutex::new(db.clone());
    let own_handle = || handle.lock().unwrap_or_else(PoisonError::into_inner).clone();
    items.par_iter().map_init(own_handle, |db, item| query(db, item)).collect()
}

/// Renders every output that is not copied, on all cores; their bytes go to the cache's blobs.
fn render(db: &Database, plan: &Plan, observer: &dyn Observer) -> miette::Result<publish::Outputs> {
    // Lists need what is known of every plugin; one worker would go through them all while the others wait.
    on_all_cores(db, graph::plugins::plugins(db), |db, file| graph::views::prepare(db, *file));
    let total = plan.outputs.len();
    let done = AtomicUsize::new(0);
    let outputs: Vec<_> = plan.outputs.iter().collect();
    let rendered: Vec<Result<_, Problem>> = on_all_cores(db, &outputs, |db, (path, output)| {
        let content = match output {
            Output::Rendered(kind) => {
                let key = OutputKey::new(db, kind.clone());
                (outputs::output(db, key).clone()?, Content::Blob)
            }
            Output::Asset(asset) => {
                let (location, digest) = outputs::asset(db, *asset);
                (digest, content_of(location))
            }
        };
        observer.progress(Phase::Render, done.fetch_add(1, Ordering::Relaxed) + 1, total);
        Ok(((*path).clone(), content))
    });
    let mut contents = BTreeMap::new();
    let mut problems: Vec<Problem> = Vec::new();
    for result in rendered {
        match result {
            Ok((path, content)) => {
                contents.insert(path, content);
            }
            Err(problem) if problems.contains(&problem) => {}
            Err(problem) => problems.push(problem),
        }
    }
    if problems.is_empty() { Ok(contents) } else { Err(Problems { problems }.into()) }
}

/// The facts of a build: what is known, and who can be asked.
struct Facts<'a> {
    config: &'a Config,
    observer: &'a dyn Observer,
    ledger: Ledger,
    sources: Option<Sources>,
}

impl Facts<'_> {
    /// Evaluates and fetches until nothing is wanted that could be had. Returns how many rounds it took.
    fn settle(&mut self, db: &mut Database, durations: &mut Durations) -> miette::Result<usize> {
        let mut rounds = 0;
        loop {
            rounds += 1;
            let evaluating = Instant::now();
            let wanted = graph::facts::wanted(db).clone();
            let found = self.ledger.load(&wanted, self.config)?;
            durations.evaluate_ms += report::milliseconds(evaluating.elapsed());
            if !found.is_empty() {
                self.show(db, &found);
                continue;
            }
            let due = self.due(&wanted)?;
            if due.is_empty() {
                return Ok(rounds);
            }
            let fetching = Instant::now();
            let answers = self.fetch(due)?;
            let learned = self.ledger.learn(&answers, self.config)?;
            self.show(db, &learned);
            durations.fetch_ms += report::milliseconds(fetching.elapsed());
        }
    }

    /// Sets the graph's inputs for `subjects` to what the ledger knows.
    fn show(&self, db: &mut Database, subjects: &[Subject]) {
        use salsa::Setter as _;
        for subject in subjects {
            let input = db.fact_input(subject);
            let state = self.ledger.state(subject);
            if *input.state(db) != state {
                input.set_state(db).to(state);
            }
        }
    }

    /// The demands for facts that are missing or stale, and that this build has not asked for yet.
    fn due(&mut self, wanted: &BTreeSet<Subject>) -> miette::Result<Vec<Demand>> {
        if self.config.offline {
            return Ok(Vec::new());
        }
        let due: Vec<Demand> = self.ledger.due(wanted, self.config);
        if due.is_empty() {
            return Ok(Vec::new());
        }
        let sources = match &self.sources {
            Some(sources) => sources,
            None => self.sources.insert(Sources::new(self.config).into_diagnostic()?),
        };
        Ok(due.into_iter().filter(|demand| sources.can_ask(&demand.subject)).collect())
    }

    fn fetch(&self, due: Vec<Demand>) -> miette::Result<Vec<(Subject, Answer)>> {
        let Some(sources) = &self.sources else { return Ok(Vec::new()) };
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .into_diagnostic()
            .wrap_err("can't use the network")?;
        let progress = |done, total| self.observer.progress(Phase::Fetch, done, total);
        Ok(runtime.block_on(sources.fetch(due, &progress)))
    }
}
