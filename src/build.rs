//! The build: one loop that evaluates the graph, fetches what it found missing or stale, and evaluates again.

mod ledger;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Instant;

use miette::{Diagnostic, IntoDiagnostic as _, WrapErr as _};
use rayon::prelude::*;
use thiserror::Error;

use crate::cache::Cache;
use crate::config::Config;
use crate::digest::Digest;
use crate::fact::{Answer, Subject};
use crate::graph::inputs::AssetLocation;
use crate::graph::outputs::{self, OutputKey};
use crate::graph::plan::{self, Output, Plan};
use crate::graph::templates::templates;
use crate::graph::{self, Database, Db as _};
use crate::problem::Problem;
use crate::publish::{self, Content};
use crate::report::{self, Durations, Entries, Outputs, Report};
use crate::scan::Scan;
use crate::source::{Demand, Sources};

use ledger::Ledger;

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
    #[related]
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
    let mut durations = Durations::default();

    observer.progress(Phase::Scan, 0, 1);
    let scan = Scan::of(config)?;
    let total = scan.entries();
    let (cache, set_aside) = Cache::open(&config.paths.cache).into_diagnostic()?;
    if let Some(aside) = set_aside {
        let moved_to = aside.moved_to.display();
        observer.warn(&format!("the cache {}; it was set aside as {moved_to} and begins anew", aside.reason));
    }
    let cache = Arc::new(cache);
    let mut db = Database::new(Arc::clone(&cache));
    scan.set(&db, config);
    observer.progress(Phase::Scan, 1, 1);
    durations.scan_ms = report::milliseconds(started.elapsed());

    let checking = Instant::now();
    let unreadable = check(&db, config)?;
    durations.evaluate_ms = report::milliseconds(checking.elapsed());

    let mut facts = Facts { config, observer, ledger: Ledger::new(Arc::clone(&cache)), sources: None };
    let rounds = facts.settle(&mut db, &mut durations)?;

    let rendering = Instant::now();
    let plan = plan::plan(&db);
    let contents = render(&db, plan, observer)?;
    cache.checkpoint().into_diagnostic()?;
    durations.render_ms = report::milliseconds(rendering.elapsed());

    let publishing = Instant::now();
    let progress = |done, all| observer.progress(Phase::Publish, done, all);
    let published = publish::publish(&config.paths.output, &contents, &cache, &progress)
        .into_diagnostic()
        .wrap_err("the site could not be published")?;
    durations.publish_ms = report::milliseconds(publishing.elapsed());

    let mut warnings = plan.warnings.clone();
    let changed =
        |path: &String| format!("{path} was changed by hand, so it stays though the site has it no more");
    warnings.extend(published.kept.iter().map(changed));
    warnings.extend(facts.ledger.failures());
    durations.total_ms = report::milliseconds(started.elapsed());
    let report = Report {
        version: env!("CARGO_PKG_VERSION"),
        now: config.now,
        entries: Entries { total, unreadable: total - graph::entries::sound_entries(&db).len() },
        outputs: Outputs {
            written: published.written.len(),
            unchanged: published.unchanged,
            removed: published.removed.len(),
            written_paths: published.written,
            removed_paths: published.removed,
        },
        facts: facts.ledger.count(graph::facts::wanted(&db), config.now),
        requests: facts.sources.as_ref().map(|sources| sources.meter().tallies()).unwrap_or_default(),
        github_budget: facts.sources.as_ref().and_then(|sources| sources.meter().budget()),
        queries: db.query_counts(),
        rounds,
        durations,
        left_out: facts.left_out(&db),
        warnings,
    };
    Ok(Built { report, unreadable })
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

/// Renders every output that is not copied, on all cores; their bytes go to the cache's blobs.
fn render(
    db: &Database,
    plan: &Plan,
    observer: &dyn Observer,
) -> miette::Result<BTreeMap<String, (Digest, Content)>> {
    let total = plan.outputs.len();
    let done = std::sync::atomic::AtomicUsize::new(0);
    let outputs: Vec<_> = plan.outputs.iter().collect();
    // A database handle is `Send`, not `Sync`: each worker has its own.
    let handle = std::sync::Mutex::new(db.clone());
    let own_handle = || handle.lock().unwrap_or_else(std::sync::PoisonError::into_inner).clone();
    let rendered: Vec<Result<_, Problem>> = outputs
        .into_par_iter()
        .map_init(own_handle, |db, (path, output)| {
            let content = match output {
                Output::Rendered(kind) => {
                    let key = OutputKey::new(db, kind.clone());
                    (outputs::output(db, key).clone()?, Content::Blob)
                }
                Output::Asset(asset) => {
                    let (location, digest) = outputs::asset(db, *asset);
                    (
                        digest,
                        match location {
                            AssetLocation::Theme(bytes) => Content::Program(bytes),
                            AssetLocation::File(path) => Content::File(path),
                        },
                    )
                }
            };
            observer.progress(
                Phase::Render,
                done.fetch_add(1, std::sync::atomic::Ordering::Relaxed) + 1,
                total,
            );
            Ok((path.clone(), content))
        })
        .collect();
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
            let found = self.ledger.load(&wanted).into_diagnostic()?;
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
            let learned = self.ledger.learn(&answers, self.config).into_diagnostic()?;
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

    /// What the site lacks, and how to get it, a line each.
    fn left_out(&self, db: &Database) -> Vec<String> {
        let wanted = graph::facts::wanted(db);
        let lacking = |source: &str| {
            wanted.iter().filter(|s| s.source() == source && self.ledger.lacks(s, self.config.now)).count()
        };
        let mut lines = Vec::new();
        let is = |missing: usize| if missing == 1 { "is" } else { "are" };
        let github = lacking("github");
        if github > 0 {
            let remedy = if self.config.github.token.is_none() {
                "set GITHUB_TOKEN to a token that may read public repositories"
            } else if self.config.offline {
                "build without --offline"
            } else {
                "build again when GitHub answers"
            };
            let facts = report::count(github, "fact");
            lines.push(format!("{facts} from GitHub {} missing or stale: {remedy}", is(github)));
        }
        let usage = lacking("usage");
        if usage > 0 {
            let remedy = if self.config.offline {
                "build without --offline"
            } else {
                "build again when the usage exports can be reached"
            };
            let exports = report::count(usage, "usage export");
            lines.push(format!("{exports} {} missing or stale: {remedy}", is(usage)));
        }
        if self.config.settings.usage_windows.is_empty() {
            lines.push(
                "there are no usage numbers: set `usage.week` and `usage.month` in shelflife.toml".to_owned(),
            );
        }
        lines
    }
}
