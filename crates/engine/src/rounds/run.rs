//! One build: evaluate, fetch, evaluate again, render, publish, and store the results.
//!
//! Traces are committed in one transaction, with the memos and texts they refer to, before any output is written but the
//! page of an edited entry, see [`Ahead`]. If something that the cache should have is missing, the whole build is
//! repeated with a new cache.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::ControlFlow;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::advice::{left_out, of_beginning};
use super::build_trace::{self, BuildTrace, Whole};
use super::current::{OfOutputs, SharedNow};
use super::derived::Stored;
use super::facts::Facts;
use super::failure::{self, Failure};
use super::found::{self, Found};
use super::history::Histories;
use super::render::{self, content_of};
use super::seeding::seed;
use super::shelf::Shelf;
use super::traces::OutputTraces;
use super::why::Why;
use super::{Afterwards, Built, Observer, Phase, Problems, go_on, on_all_cores};
use crate::alternate::Alternate;
use crate::cache::{Cache, CacheError, Listed, Manifest};
use crate::config::Config;
use crate::digest::Digest;
use crate::fact::{Answer, Subject};
use crate::file_stat::Identity;
use crate::graph::kinds::Kind;
use crate::graph::state::Shared;
use crate::graph::{self, Database, Memory};
use crate::publish::{self, Ahead, Content, MANIFEST, OutputScan, PublishError, Published, Target};
use crate::render::address;
use crate::report::{self, Changed, Durations, Entries, Outputs, Report, What};
use crate::rule::Rule;
use crate::scan::Scan;
use crate::source;
use crate::trace::{Input, Sets, Version};
use crate::url_path;
use crate::warning::Warning;

/// The folder of assets among the outputs.
const ASSETS: &str = "assets/";

/// The parameters of a build.
#[derive(Debug, Clone, Copy)]
pub(super) struct Task<'a> {
    /// The files that may have changed since the last build, if that is known.
    pub(super) changed: Option<&'a BTreeSet<PathBuf>>,
    /// The answers of sources.
    pub(super) answers: &'a [(Subject, Answer)],
    /// Whether the published site was asked for its histories.
    pub(super) was_seeded: bool,
}

/// What a build keeps in memory for the next one.
pub(super) struct Held {
    graph: Graph,
    scan: Scan,
    /// The digest of the settings, and of all files but entries.
    rest: Digest,
    /// The digest of all paths and addresses.
    places: Digest,
}

/// The graph and its entries.
struct Graph {
    db: Database,
    shelf: Shelf,
    /// The sets of dependencies that traces share.
    sets: Sets,
    /// The cache's name for the output folder.
    folder: String,
    /// The identity of the output folder that was scanned.
    identity: Option<Identity>,
    /// When the last output scan began.
    seen: Instant,
}

/// How often a build restarts because files of the site change while it runs.
const MAX_RESTARTS: usize = 3;

/// What is known of the files in the output folder.
enum View {
    /// This process published them and was told of no change, so they are as they were at that moment.
    Trusted { seen: Instant, identity: Option<Identity> },
    /// They are being scanned.
    OutputScan(OutputScan),
}

/// How long published files are assumed to be unchanged without an output scan.
const RESCAN_AFTER: Duration = Duration::from_secs(60);

impl Held {
    /// The graph.
    pub(super) fn database(&self) -> &Database {
        &self.graph.db
    }
}

impl View {
    fn output_scan(&mut self) -> Option<&mut OutputScan> {
        match self {
            Self::Trusted { .. } => None,
            Self::OutputScan(output_scan) => Some(output_scan),
        }
    }

    /// When the files were last scanned, and the identity of their folder; `None` if a scan is running.
    fn seen(&self) -> Option<(Instant, Option<Identity>)> {
        match self {
            Self::Trusted { seen, identity } => Some((*seen, *identity)),
            Self::OutputScan(_) => None,
        }
    }
}

/// A build under way.
pub(super) struct Run<'a> {
    config: &'a Config,
    observer: &'a dyn Observer,
    cache: Arc<Cache>,
    started: Instant,
    afterwards: Afterwards,
}

impl<'a> Run<'a> {
    /// Begins a build.
    pub(super) fn new(
        config: &'a Config,
        observer: &'a dyn Observer,
        cache: Arc<Cache>,
        afterwards: Afterwards,
    ) -> Self {
        Self { config, observer, cache, started: Instant::now(), afterwards }
    }

    /// Builds the site, and again without the parts of the cache that turn out to be damaged.
    pub(super) fn with_repairs(&self, held: &mut Option<Held>, mut task: Task<'_>) -> miette::Result<Built> {
        let (mut renewed, mut restarts) = (Vec::new(), 0);
        loop {
            let failure = match self.run(held, &task) {
                Err(Failure::Lost(path)) => Failure::Damaged(failure::incomplete(&path)),
                Err(failure) => failure,
                Ok(built) => return Ok(built),
            };
            match failure {
                Failure::Damaged(damage) if damage.which().is_some_and(|which| !renewed.contains(&which)) => {
                    renewed.extend(damage.which());
                    self.observer.warn(&self.cache.begin_anew(damage)?);
                }
                Failure::Changed(_) if restarts < MAX_RESTARTS => {
                    restarts += 1;
                    // No event reported this change, and the answers have been stored.
                    (task.changed, task.answers) = (None, &[]);
                }
                failure => return Err(failure.into_report()),
            }
        }
    }

    /// Builds.
    fn run(&self, held: &mut Option<Held>, task: &Task<'_>) -> Result<Built, Failure> {
        let mut durations = Durations::default();
        let seeding = seed(self.config, &self.cache, self.asks(), self.observer)?;
        let task = &Task { was_seeded: seeding.was_tried, ..*task };
        self.observer.progress(Phase::Scan, 0, 1);
        let last = held.take();
        let mut view = self.view(last.as_ref(), task);
        let (scan, graph) = self.scan(last, task.changed)?;
        go_on(self.observer)?;
        let whole = Whole::now(&scan, self.config, &self.cache)?;
        self.observer.progress(Phase::Scan, 1, 1);
        durations.scan_ms = report::milliseconds(self.started.elapsed());
        // A long-running process needs the graph sooner or later: better now than while someone waits for an edit.
        let may_republish =
            task.answers.is_empty() && (graph.is_some() || self.afterwards != Afterwards::GoOn);
        let record = if may_republish { BuildTrace::load(&self.cache)? } else { None };
        let unchanged = match &record {
            Some(record) => {
                let (cache, config) = (&self.cache, self.config);
                let current =
                    record.current_outputs(&whole, cache, config, view.output_scan(), self.asks())?;
                current.map(|(published, outputs)| (record, published, outputs))
            }
            None => None,
        };
        let (mut built, graph) = match unchanged {
            Some((record, published, outputs)) => {
                (self.republish(&scan, record, published, &outputs, view, durations)?, graph)
            }
            None => self.evaluate(&scan, graph, whole, task, view, durations)?,
        };
        built.report.warnings.extend(found::beside_files(self.config, &scan));
        built.report.warnings.extend(seeding.warnings);
        built.report.left_out.extend(seeding.notes);
        built.report.problems = built.refused.iter().map(report::Found::from).collect();
        match graph {
            Some(graph) => {
                let (rest, places) = (self.rest(&scan), self.places());
                *held = Some(Held { graph, scan, rest, places });
            }
            None if self.afterwards == Afterwards::End => std::mem::forget(scan),
            None => {}
        }
        Ok(built)
    }

    /// Scans the site, and takes over the last build's graph if all paths are the same.
    fn scan(
        &self,
        held: Option<Held>,
        changed: Option<&BTreeSet<PathBuf>>,
    ) -> Result<(Scan, Option<Graph>), Failure> {
        let Some(Held { mut graph, mut scan, rest, places }) = held else {
            return Ok((Scan::of(self.config, &self.cache)?, None));
        };
        let is_up_to_date = match changed {
            Some(changed) => scan.rescan(changed)?,
            None => false,
        };
        if !is_up_to_date {
            scan = Scan::of(self.config, &self.cache)?;
        }
        if places != self.places() {
            return Ok((scan, None));
        }
        if rest != self.rest(&scan) {
            graph.db.set_files(scan.files(self.config)?, Scan::today(self.config));
            scan.count_as_whole();
        }
        Ok((scan, Some(graph)))
    }

    /// The digest of the settings, and of all files but entries.
    fn rest(&self, scan: &Scan) -> Digest {
        let digests = [self.config.settings.digest(), scan.digest_of_rest()];
        Digest::of_parts(digests.iter().map(|digest| digest.as_bytes().as_slice()))
    }

    /// The digest of all paths, and of the addresses that facts come from.
    fn places(&self) -> Digest {
        let paths = &self.config.paths;
        let folders = [&paths.site, &paths.entries, &paths.data, &paths.assets, &paths.root];
        let places = folders.into_iter().chain(&paths.pages).chain(&paths.topics);
        let places = places.map(|path| path.as_os_str().as_encoded_bytes());
        let origins = source::origins(self.config);
        Digest::of_parts(places.chain([origins.as_bytes().as_slice()]))
    }

    /// Publishes what the last build published, without evaluating anything.
    fn republish(
        &self,
        scan: &Scan,
        record: &BuildTrace,
        was: &build_trace::Published,
        outputs: &Manifest,
        mut view: View,
        durations: Durations,
    ) -> Result<Built, Failure> {
        if self.config.strict {
            let beside = found::beside_files(self.config, scan);
            let warnings = was.found.warnings.iter().chain(&beside);
            found::check_strictly(&was.found.refused, warnings, was.found.entries)?;
        }
        let published = if self.is_untouched(was, &mut view)? {
            Published { unchanged: of_site(outputs).count(), is_known: true, ..Published::default() }
        } else {
            self.publish(&self.contents(scan, outputs), view, None)?
        };
        let now = self.config.now;
        let (found, sources) = (was.found.clone(), &record.known.sources);
        let mut report = self.report(found.entries, published, durations);
        report.facts = Some(build_trace::count(sources, now));
        report.left_out = left_out(self.config, &|source| build_trace::lacking(sources, source, now));
        report.warnings.splice(0..0, found.warnings);
        Ok(Built { report, refused: found.refused })
    }

    /// Whether everything that the last build published is in the output folder, unmodified. The folder may be another
    /// one.
    fn is_untouched(&self, was: &build_trace::Published, view: &mut View) -> Result<bool, CacheError> {
        let Some(output_scan) = view.output_scan() else { return Ok(false) };
        let (seen, paths) = (output_scan.seen()?, &self.config.paths);
        Ok(seen.manifest().is_some_and(|(_, digest)| was.has(digest))
            && publish::is_untouched(&paths.output, &paths.output_name(), seen, &self.cache)?)
    }

    /// The outputs of a manifest, with the places of their bytes.
    fn contents(&self, scan: &Scan, outputs: &Manifest) -> publish::Outputs {
        let mut copied = scan.copied(self.config);
        let lines = Kind::singles().filter_map(|kind| Some((kind.path()?, kind.lines()?)));
        let lines: BTreeMap<String, _> = lines.collect();
        of_site(outputs)
            .map(|(path, file)| {
                let made = || match (lines.get(path), Alternate::at(path)) {
                    (Some(kind), _) => Content::Lines(*kind),
                    (_, Some((stem, Alternate::History))) => Content::History(stem.to_owned()),
                    _ => Content::Blob,
                };
                let copied = copied.remove(path).filter(|(_, digest)| *digest == file.digest);
                let content = copied.map_or_else(made, |(location, _)| content_of(location));
                (path, (file.digest, content))
            })
            .collect()
    }

    fn evaluate(
        &self,
        scan: &Scan,
        graph: Option<Graph>,
        mut whole: Whole,
        task: &Task<'_>,
        view: View,
        mut durations: Durations,
    ) -> Result<(Built, Option<Graph>), Failure> {
        let Self { config, observer, cache, .. } = self;
        let build = cache.begin_build()?;
        let checking = Instant::now();
        let last = BuildTrace::load(cache)?;
        let (mut db, mut shelf, sets) = self.fill(scan, graph)?;
        let changes = last.as_ref().map(|last| last.changes(&whole));
        let is_same = |input: &Input| {
            changes.as_ref().is_some_and(|changes| changes.iter().all(|change| change.input != *input))
        };
        let are_traced = is_same(&Input::Histories);
        let of_facts = [Input::Facts, Input::Answers, Input::Origins, Input::Windows, Input::Program];
        let is_settled = task.answers.is_empty() && are_traced && of_facts.iter().all(is_same);
        let known = last.as_ref().map(|last| last.known.clone());
        let histories = Histories::new(Arc::clone(cache), are_traced);
        let mut facts =
            Facts::new(config, *observer, cache, histories, known.as_ref(), is_settled, self.asks());
        // Answers that were waited for are stored, whatever happens to the build.
        facts.learn(&mut db, task.answers)?;

        on_all_cores(&db, &shelf.newly_read(&db), |db, file| {
            observer.is_stopped() || graph::entries::parsed(db, *file).is_ok()
        });
        go_on(*observer)?;
        shelf.fall_back(&mut db, cache)?;
        check(&db)?;
        let ahead = self.publish_ahead(&db, &shelf, task, &view)?;
        whole.kin = Some(Version::of(*graph::related::identity(&db)));
        let is_kin = last
            .as_ref()
            .is_some_and(|last| last.changes(&whole).iter().all(|change| change.input != Input::Kin));
        shelf.read_needed(&mut db, scan, is_kin)?;
        let refused = shelf.problems(&db);
        if config.strict {
            let mut warnings = found::in_files(config, &db, &shelf);
            warnings.extend(graph::plan::plan(&db).warnings.iter().cloned());
            warnings.extend(found::beside_files(config, scan));
            found::check_strictly(&refused, &warnings, entries_of(scan, &db, &warnings))?;
        }
        durations.evaluate_ms = report::milliseconds(checking.elapsed());
        facts.settle(&mut db, &mut shelf, scan, &mut durations)?;

        let rendering = Instant::now();
        let plan = render::planned(&db, &shelf.newly_read(&db), *observer)?;
        let mut traces = OutputTraces::load(cache)?;
        let shared = Shared::default();
        let rendered = render::render(&db, cache, &plan, (&mut traces, shelf.shared(), &shared), *observer);
        go_on(*observer)?;
        let fresh = shelf.fresh(&db, &shared);
        // If the cache lost something, an error in a template may only be a consequence.
        if let Some(what) = cache.lost() {
            return Err(Failure::Lost(what));
        }
        let contents = rendered?;
        durations.render_ms = report::milliseconds(rendering.elapsed());
        let mut all_sets = shared.sets();
        all_sets.extend(sets.iter().map(|(digest, set)| (*digest, set.clone())));
        let why = Why {
            config,
            db: &db,
            cache,
            plan: &plan,
            ledger: &facts.ledger,
            shelf: &shelf,
            fresh: &fresh,
            traces: &traces,
            state: OfOutputs::new(&db, shelf.shared()),
            sets: &all_sets,
        };
        let why = why.record(build, &contents)?;
        shelf.keep(&db, cache, &fresh, config.now)?;
        let sets = traces.keep(cache, shelf.entry_traces(), &sets, all_sets)?;
        let whole = whole.learned(cache)?;
        BuildTrace::new(&whole, facts.known().clone()).save(cache)?;
        cache.commit()?;

        let publishing = Instant::now();
        let trusted = view.seen();
        let published = self.publish(&contents, view, ahead)?;
        let (seen, identity) = trusted.unwrap_or((self.started, published.identity));
        let mut warnings = found::in_files(config, &db, &shelf);
        warnings.extend(plan.warnings.iter().cloned());
        let expired = facts.known().expired.warning(config.fetch.stale_if_error);
        warnings.extend(expired.map(|expired| Warning::general(Rule::Source, expired)));
        let entries = entries_of(scan, &db, &warnings);
        let found = Found { warnings: warnings.clone(), refused: refused.clone(), entries };
        // Before the trace is saved, because this may remove facts that are no longer needed.
        cache.end_build(config.keep)?;
        let record = BuildTrace::new(&whole.learned(cache)?, facts.known().clone());
        record.published(cache, config, found, &db)?.save(cache)?;
        cache.commit()?;
        durations.publish_ms = report::milliseconds(publishing.elapsed());

        let of_sources = facts.ledger.warnings().into_iter();
        warnings.extend(of_sources.map(|warning| Warning::general(Rule::Source, warning)));
        let mut report = self.report(entries, published, durations);
        report.warnings.splice(0..0, warnings);
        report.why = why;
        self.tell(&mut report, &db, &facts);
        let begins = facts.histories.has_begun && !task.was_seeded;
        report.left_out.extend(begins.then(|| of_beginning(config)));
        let graph = match self.afterwards {
            Afterwards::Tidy => None,
            Afterwards::GoOn => {
                shelf.go_on(&mut db, fresh, &sets);
                let folder = config.paths.output_name();
                Some(Graph { db, shelf, sets, folder, identity, seen })
            }
            Afterwards::End => {
                std::mem::forget((db, shelf, fresh, contents));
                None
            }
        };
        Ok((Built { report, refused }, graph))
    }

    /// Begins an output scan, unless this process published into the same folder, is told which files change, and has
    /// scanned it recently.
    fn view(&self, last: Option<&Held>, task: &Task<'_>) -> View {
        let paths = &self.config.paths;
        let name = paths.output_name();
        let is_trusted = |graph: &&Graph| {
            task.changed.is_some()
                && graph.folder == name
                && graph.seen.elapsed() < RESCAN_AFTER
                && graph.identity == Identity::of(&paths.output)
        };
        match last.map(|last| &last.graph).filter(is_trusted) {
            Some(Graph { seen, identity, .. }) => View::Trusted { seen: *seen, identity: *identity },
            None => View::OutputScan(OutputScan::begin(&paths.output, &name, &self.cache)),
        }
    }

    /// Whether this build asks sources. In a long-running process, another part does and passes the answers in.
    fn asks(&self) -> bool {
        self.afterwards != Afterwards::GoOn
    }

    /// The graph with the scanned entries, and the sets of dependencies that traces share.
    fn fill(&self, scan: &Scan, graph: Option<Graph>) -> Result<(Database, Shelf, Sets), Failure> {
        if let Some(Graph { mut db, mut shelf, sets, .. }) = graph {
            db.set_today(Scan::today(self.config));
            match scan.rescanned() {
                Some(stems) => shelf.update_some(&mut db, scan, &stems)?,
                None => {
                    let shared = SharedNow::new(&db, &sets);
                    shelf.update(&mut db, scan, self.config, shared)?;
                }
            }
            return Ok((db, shelf, sets));
        }
        let mut db = Database::new(Arc::clone(&self.cache) as Arc<dyn Memory>);
        db.set_files(scan.files(self.config)?, Scan::today(self.config));
        let sets = self.cache.sets()?;
        let shared = SharedNow::new(&db, &sets);
        let shelf = Shelf::fill(&mut db, scan, self.config, self.cache.entry_traces()?, shared)?;
        Ok((db, shelf, sets))
    }

    /// Adds the results of an evaluation to the report.
    fn tell(&self, report: &mut Report, db: &Database, facts: &Facts<'_>) {
        report.facts = Some(facts.count(db));
        report.unrefreshed = facts.ledger.unrefreshed();
        // Facts that are about to be fetched are not lacking.
        let will_ask = |source: &str| !self.asks() && build_trace::can_ask(source, self.config);
        let lacking = |source: &str| if will_ask(source) { 0 } else { facts.lacking(db, source) };
        report.left_out = left_out(self.config, &lacking);
        report.queries = db.take_query_counts();
        report.memos = self.cache.memo_counts();
        report.rounds = facts.rounds;
        if let Some(sources) = &facts.sources {
            report.requests = sources.metrics().tallies();
            report.github_budget = sources.metrics().budget();
        }
    }

    /// Publishes the page of the edited entry ahead of everything else, if this is the build of one edit.
    fn publish_ahead(
        &self,
        db: &Database,
        shelf: &Shelf,
        task: &Task<'_>,
        view: &View,
    ) -> Result<Option<Ahead>, Failure> {
        let is_edit = task.answers.is_empty() && task.changed.is_some_and(|files| files.len() == 1);
        if !is_edit || !matches!(view, View::Trusted { .. }) || self.config.strict || shelf.refuses_any() {
            return Ok(None);
        }
        let [file] = *shelf.newly_read(db) else { return Ok(None) };
        // A new entry changes others, and its own page with them.
        if *graph::entries::is_draft(db, file) || shelf.earlier(db, file).is_none() {
            return Ok(None);
        }
        let kind = Kind::Plugin(file);
        // An error in a template is reported later, with all others.
        let Some(Ok(digest)) = graph::outputs::of_plugin(db, &kind) else { return Ok(None) };
        if let Some(what) = self.cache.lost() {
            return Err(Failure::Lost(what));
        }
        let paths = &self.config.paths;
        Ok(Ahead::publish(&paths.output, &paths.output_name(), &kind.file(db), digest, &self.cache)?)
    }

    fn publish(
        &self,
        contents: &publish::Outputs,
        view: View,
        ahead: Option<Ahead>,
    ) -> Result<Published, PublishError> {
        let progress = |done, all| {
            self.observer.progress(Phase::Publish, done, all);
            if self.observer.is_stopped() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        };
        let paths = &self.config.paths;
        let output_scan = match view {
            View::Trusted { .. } => None,
            View::OutputScan(output_scan) if output_scan.is_recent() => Some(output_scan),
            View::OutputScan(_) => Some(OutputScan::begin(&paths.output, &paths.output_name(), &self.cache)),
        };
        let target = Target { folder: &paths.output, name: &paths.output_name(), output_scan, ahead };
        publish::publish(target, contents, &self.cache, &Stored::new(&self.cache), &progress)
    }

    /// A report of what was published; its other members are those of a build that did nothing.
    fn report(&self, entries: Entries, published: Published, mut durations: Durations) -> Report {
        durations.total_ms = report::milliseconds(self.started.elapsed());
        Report {
            version: env!("CARGO_PKG_VERSION"),
            now: self.config.now,
            entries: Some(entries),
            warnings: published
                .warnings()
                .into_iter()
                .map(|warning| Warning::general(Rule::Output, warning))
                .collect(),
            outputs: Some(Outputs {
                written: published.written.len(),
                unchanged: published.unchanged,
                removed: published.removed.len(),
                written_paths: published.written,
                removed_paths: published.removed,
                changed: published
                    .changed
                    .into_iter()
                    .filter_map(|(path, what)| self.changed(path, what))
                    .collect(),
            }),
            durations,
            ..Report::default()
        }
    }

    /// A change of an output for the report; `None` for an asset, whose address changes with its content, or which is
    /// of no interest without the page that shows it.
    fn changed(&self, path: String, what: What) -> Option<Changed> {
        if path.starts_with(ASSETS) {
            return None;
        }
        let address = address::absolute(self.config.settings.view(), &url_path::of_output(&path));
        let is_page = path.ends_with(".html");
        Some(Changed { address, path, what, is_page })
    }
}

/// The numbers of the site's entries, for a build with these warnings.
fn entries_of(scan: &Scan, db: &Database, warnings: &[Warning]) -> Entries {
    let total = scan.entries().len() - graph::entries::drafts(db);
    let left_out = total - graph::entries::sound_entries(db).len();
    let kept = warnings.iter().filter(|warning| warning.rule == Rule::KeptEntry).count();
    Entries { total, left_out, kept }
}

/// The files of a manifest except the manifest itself.
fn of_site(manifest: &Manifest) -> impl Iterator<Item = (&str, &Listed)> {
    manifest.iter().filter(|(path, _)| *path != MANIFEST)
}

/// Fails on problems that make a build impossible, before any source is asked.
fn check(db: &Database) -> miette::Result<()> {
    let mut problems = graph::data::data_problems(db).clone();
    problems.extend_from_slice(db.wrong_templates());
    if problems.is_empty() { Ok(()) } else { Err(Problems { problems, is_published: false }.into()) }
}
