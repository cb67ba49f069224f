//! One build: evaluate, fetch, evaluate again, render, publish, and write down what came of it.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::ControlFlow;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use salsa::Setter as _;

use super::advice::{left_out, of_beginning};
use super::derived::Stored;
use super::facts::Facts;
use super::failure::{self, Failure, told};
use super::found::{self, Found};
use super::groups::Pages;
use super::history::Histories;
use super::record::{self, Common, Record};
use super::render::{self, content_of};
use super::seeding::seed;
use super::shelf::Shelf;
use super::why::Why;
use super::{Afterwards, Built, Observer, Phase, Problems, go_on, on_all_cores};
use crate::cache::{ANSWERS, Cache, CacheError, FACTS, HISTORY, Listed, Listing};
use crate::companion::Companion;
use crate::config::Config;
use crate::digest::Digest;
use crate::fact::{Answer, Subject};
use crate::graph::kinds::Kind;
use crate::graph::templates::templates;
use crate::graph::{self, Database, Site, context};
use crate::look::Identity;
use crate::publish::{self, Content, Glance, MANIFEST, PublishError, Published, Target};
use crate::render::address;
use crate::render::text::day_of;
use crate::report::{self, Changed, Durations, Entries, Outputs, Report, What};
use crate::rule::Rule;
use crate::scan::Scan;
use crate::source;
use crate::url_path;
use crate::warning::Warning;

/// The folder of assets among the outputs.
const ASSETS: &str = "assets/";

/// What a build is for.
#[derive(Debug, Clone, Copy)]
pub(super) struct Task<'a> {
    /// The files that may have changed since the last build, if that is known.
    pub(super) changed: Option<&'a BTreeSet<PathBuf>>,
    /// What sources have answered.
    pub(super) answers: &'a [(Subject, Answer)],
    /// Whether it takes over from earlier builds what is the same now.
    pub(super) reuse: bool,
    /// Whether the published site was asked for its histories.
    pub(super) was_seeded: bool,
}

/// What a build leaves in memory for the next one.
pub(super) struct Held {
    graph: Graph,
    scan: Scan,
    /// The digest of the configuration, and of all files but entries.
    around: Digest,
}

/// The graph and its entries.
struct Graph {
    db: Database,
    shelf: Shelf,
    /// The name of the folder that was published into.
    folder: String,
    /// Which folder that was.
    identity: Option<Identity>,
    /// When somebody last looked at everything in it.
    seen: Instant,
}

/// How often a build begins anew since somebody changes the site's files under its hands.
const AGAIN: usize = 3;

/// What is known of the files in the output folder.
enum View {
    /// This process has published them and nobody told of a change, so they are as they were at that moment.
    Trusted(Instant),
    /// They are looked at.
    Glance(Glance),
}

/// How long it is trusted that what was published is still there, since nobody tells if it is not.
const LOOK_AGAIN: Duration = Duration::from_secs(60);

impl Held {
    /// The graph.
    pub(super) fn database(&self) -> &Database {
        &self.graph.db
    }
}

impl View {
    fn glance(&mut self) -> Option<&mut Glance> {
        match self {
            Self::Trusted(_) => None,
            Self::Glance(glance) => Some(glance),
        }
    }

    /// When everything was last looked at; `None` if it is being looked at.
    fn seen(&self) -> Option<Instant> {
        match self {
            Self::Trusted(seen) => Some(*seen),
            Self::Glance(_) => None,
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

    /// Builds, and once more without what the cache turns out to have damaged.
    pub(super) fn until_sound(&self, held: &mut Option<Held>, mut task: Task<'_>) -> miette::Result<Built> {
        let (mut mended, mut again) = (false, 0);
        loop {
            match self.run(held, &task) {
                Err(Failure::Damaged(error)) if !mended => {
                    mended = true;
                    self.observer.warn(&told(&self.cache.begin_anew(error)?));
                }
                Err(Failure::Changed(_)) if again < AGAIN => {
                    again += 1;
                    // Nobody has told of that change, and what sources have answered is learnt.
                    (task.changed, task.answers) = (None, &[]);
                }
                Err(Failure::Lost(path)) if task.reuse => {
                    self.observer.warn(&format!(
                        "the cache's copy of {path} is damaged, so the site is rendered again"
                    ));
                    // What was made without it is wrong, and must not be found again.
                    self.cache.take_back()?;
                    self.cache.distrust_blobs();
                    task.reuse = false;
                }
                // What was stored a moment ago does not come back, so the file is damaged in a way that SQLite did
                // not notice.
                Err(Failure::Lost(path)) if !mended => {
                    mended = true;
                    self.observer.warn(&told(&self.cache.begin_anew(failure::unreliable(&path))?));
                }
                result => return result.map_err(Failure::into_report),
            }
        }
    }

    /// Builds.
    fn run(&self, held: &mut Option<Held>, task: &Task<'_>) -> Result<Built, Failure> {
        let mut durations = Durations::default();
        let seeding = seed(self.config, &self.cache, self.asks(), self.observer)?;
        let task = &Task { was_seeded: seeding.was_tried, ..*task };
        self.observer.progress(Phase::Scan, 0, 1);
        let last = held.take().filter(|_| task.reuse);
        let mut view = self.view(last.as_ref(), task);
        let (scan, graph) = self.scan(last, task.changed)?;
        go_on(self.observer)?;
        let inputs = record::inputs(&scan, self.config);
        self.observer.progress(Phase::Scan, 1, 1);
        durations.scan_ms = report::milliseconds(self.started.elapsed());
        // A process that goes on needs the graph sooner or later: better before somebody waits for it.
        let may_republish =
            task.reuse && task.answers.is_empty() && (graph.is_some() || self.afterwards != Afterwards::GoOn);
        let unchanged = if may_republish { self.unchanged(inputs, &mut view)? } else { None };
        let (mut built, graph) = match unchanged {
            Some((record, outputs)) => (self.republish(&scan, record, &outputs, view, durations)?, graph),
            None => self.evaluate(&scan, graph, inputs, task, view, durations)?,
        };
        built.report.warnings.extend(found::beside_files(self.config, &scan));
        built.report.warnings.extend(seeding.warnings);
        built.report.left_out.extend(seeding.notes);
        built.report.problems = built.refused.iter().map(report::Found::from).collect();
        match graph {
            Some(graph) => {
                let around = self.around(&scan);
                *held = Some(Held { graph, scan, around });
            }
            None if self.afterwards == Afterwards::End => std::mem::forget(scan),
            None => {}
        }
        Ok(built)
    }

    /// Scans the site, and takes over the last build's graph if only entries are different since then.
    fn scan(
        &self,
        held: Option<Held>,
        changed: Option<&BTreeSet<PathBuf>>,
    ) -> Result<(Scan, Option<Graph>), Failure> {
        let Some(Held { graph, mut scan, around }) = held else {
            return Ok((Scan::of(self.config, &self.cache)?, None));
        };
        let is_up_to_date = match changed {
            Some(changed) => scan.look_again(changed)?,
            None => false,
        };
        if !is_up_to_date {
            scan = Scan::of(self.config, &self.cache)?;
        }
        let fits = around == self.around(&scan);
        Ok((scan, fits.then_some(graph)))
    }

    /// The digest of the configuration, and of all files but entries.
    fn around(&self, scan: &Scan) -> Digest {
        let paths = &self.config.paths;
        let places =
            [&paths.site, &paths.entries, &paths.root].into_iter().chain(&paths.pages).chain(&paths.topics);
        let places = places.map(|path| path.as_os_str().as_encoded_bytes());
        let digests = [self.config.settings.digest(), source::origins(self.config), scan.digest_of_rest()];
        let digests = digests.iter().map(|digest| digest.as_bytes().as_slice());
        Digest::of_parts(digests.chain(places))
    }

    /// The record of the last build and its outputs, if a build of these inputs would ask nobody and give the same.
    fn unchanged(&self, inputs: Digest, view: &mut View) -> Result<Option<(Record, Arc<Listing>)>, Failure> {
        let Some(record) = Record::load(&self.cache)? else { return Ok(None) };
        let outputs = record.current_outputs(inputs, &self.cache, self.config, view.glance(), self.asks())?;
        Ok(outputs.map(|outputs| (record, outputs)))
    }

    /// Publishes what the last build published, without evaluating anything.
    fn republish(
        &self,
        scan: &Scan,
        record: Record,
        outputs: &Listing,
        mut view: View,
        durations: Durations,
    ) -> Result<Built, Failure> {
        if self.config.strict {
            let beside = found::beside_files(self.config, scan);
            let warnings = record.found.warnings.iter().chain(&beside);
            found::check_strictly(&record.found.refused, warnings, record.found.entries)?;
        }
        let published = if self.is_untouched(&record, &mut view)? {
            Published { unchanged: of_site(outputs).count(), is_known: true, ..Published::default() }
        } else {
            self.publish(&self.contents(scan, outputs), view)?
        };
        let now = self.config.now;
        let mut report = self.report(record.found.entries, published, durations);
        report.facts = Some(record::count(&record.sources, now));
        report.left_out = left_out(self.config, &|source| record::lacking(&record.sources, source, now));
        report.warnings.splice(0..0, record.found.warnings);
        Ok(Built { report, refused: record.found.refused })
    }

    /// Whether all that the last build published is in the output folder as it was left. The folder may be another one.
    fn is_untouched(&self, record: &Record, view: &mut View) -> Result<bool, CacheError> {
        let Some(glance) = view.glance() else { return Ok(false) };
        let (seen, paths) = (glance.seen()?, &self.config.paths);
        Ok(seen.listing().is_some_and(|(_, digest)| record.has_published(digest))
            && publish::is_untouched(&paths.output, &paths.output_name(), seen, &self.cache)?)
    }

    /// What was published, with the places of its bytes.
    fn contents(&self, scan: &Scan, outputs: &Listing) -> publish::Outputs {
        let mut copied = scan.copied(self.config);
        let lines = Kind::SINGLE.iter().filter_map(|kind| Some((kind.path()?, kind.lines()?)));
        let lines: BTreeMap<String, _> = lines.collect();
        of_site(outputs)
            .map(|(path, file)| {
                let made = || match (lines.get(path), Companion::at(path)) {
                    (Some(kind), _) => Content::Lines(*kind),
                    (_, Some((stem, Companion::History))) => Content::History(stem.to_owned()),
                    _ => Content::Blob,
                };
                let copied = copied.remove(path).filter(|(_, digest)| *digest == file.digest);
                let content = copied.map_or_else(made, |(location, _)| content_of(location));
                (path.clone(), (file.digest, content))
            })
            .collect()
    }

    fn evaluate(
        &self,
        scan: &Scan,
        graph: Option<Graph>,
        inputs: Digest,
        task: &Task<'_>,
        view: View,
        mut durations: Durations,
    ) -> Result<(Built, Option<Graph>), Failure> {
        let Self { config, observer, cache, .. } = self;
        let build = cache.begin_build()?;
        let checking = Instant::now();
        let common = Common::load(cache)?.filter(|_| task.reuse);
        let kin = common.as_ref().map(|common| common.kin.clone());
        let (mut db, mut shelf) = self.fill(scan, graph, common.as_ref())?;
        let context = context_of(&db);
        let origins = source::origins(config).to_string();
        let (number, answers) = (cache.number(FACTS)?, cache.number(ANSWERS)?);
        let histories = cache.number(HISTORY)?;
        let are_imprinted = common.as_ref().is_some_and(|common| common.history == histories);
        let is_settled = task.answers.is_empty()
            && are_imprinted
            && common.as_ref().is_some_and(|common| {
                let numbers = (common.facts, common.answers) == (number, answers);
                numbers && common.context == context && common.origins == origins
            });
        let last = common.map(|common| common.known);
        let histories = Histories::new(Arc::clone(cache), are_imprinted);
        let mut facts =
            Facts::new(config, *observer, cache, histories, last.as_ref(), is_settled, self.asks());
        // Answers were waited for: they are learnt, whatever else is wrong.
        facts.learn(&mut db, task.answers)?;

        on_all_cores(&db, &shelf.read_anew(&db), |db, file| {
            observer.is_stopped() || graph::entries::parsed(db, *file).is_ok()
        });
        go_on(*observer)?;
        shelf.fall_back(&mut db, cache)?;
        shelf.read_needed(&mut db, scan, kin.as_deref())?;
        check(&db)?;
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
        let plan = render::planned(&db, &shelf.read_anew(&db), *observer)?;
        let pages = if task.reuse { Pages::load(cache)? } else { Pages::default() };
        let rendered = render::render(&db, &plan, pages, *observer);
        go_on(*observer)?;
        let fresh = shelf.fresh(&db);
        // Where something is lost, no template can be blamed for what it did without.
        if let Some(what) = cache.lost() {
            return Err(Failure::Lost(what));
        }
        let (contents, pages) = rendered?;
        durations.render_ms = report::milliseconds(rendering.elapsed());
        Record::forget(cache)?;
        let known = facts.known().clone();
        let (number, answers) = (cache.number(FACTS)?, cache.number(ANSWERS)?);
        let history = cache.number(HISTORY)?;
        let sources = known.sources.clone();
        let kin = graph::related::identity(&db).to_string();
        Common { context, facts: number, history, answers, origins, kin, known }.save(cache)?;
        let why = Why { config, db: &db, plan: &plan, ledger: &facts.ledger, shelf: &shelf, fresh: &fresh };
        let why = why.record(cache, build, &contents)?;
        pages.save(&db)?;
        shelf.keep(&db, cache, &fresh, config.now)?;
        cache.checkpoint()?;

        let publishing = Instant::now();
        let seen = view.seen().unwrap_or(self.started);
        let published = self.publish(&contents, view)?;
        let mut warnings = found::in_files(config, &db, &shelf);
        warnings.extend(plan.warnings.iter().cloned());
        let dropped = facts.known().dropped.warning(config.fetch.keep);
        warnings.extend(dropped.map(|dropped| Warning::general(Rule::Source, dropped)));
        let entries = entries_of(scan, &db, &warnings);
        let found = Found { warnings: warnings.clone(), refused: refused.clone(), entries };
        Record::new(inputs, cache, config, found, sources, &db)?.save(cache)?;
        cache.end_build(config.keep)?;
        cache.checkpoint()?;
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
                shelf.go_on(&mut db, fresh);
                let (folder, identity) = (config.paths.output_name(), Identity::of(&config.paths.output));
                Some(Graph { db, shelf, folder, identity, seen })
            }
            Afterwards::End => {
                std::mem::forget((db, shelf, fresh, contents));
                None
            }
        };
        Ok((Built { report, refused }, graph))
    }

    /// Begins to look at the output folder, unless this process has published into it, nobody has put another one in
    /// its place, somebody tells which files change, and it is not time to look again.
    fn view(&self, last: Option<&Held>, task: &Task<'_>) -> View {
        let paths = &self.config.paths;
        let name = paths.output_name();
        let is_trusted = |graph: &&Graph| {
            task.changed.is_some()
                && graph.folder == name
                && graph.seen.elapsed() < LOOK_AGAIN
                && graph.identity == Identity::of(&paths.output)
        };
        match last.map(|last| &last.graph).filter(is_trusted) {
            Some(graph) => View::Trusted(graph.seen),
            None => View::Glance(Glance::begin(&paths.output, &name, &self.cache)),
        }
    }

    /// Whether this build asks sources. In a process that goes on, whoever waits for their answers brings them.
    fn asks(&self) -> bool {
        self.afterwards != Afterwards::GoOn
    }

    /// The graph with the entries that the scan has found.
    fn fill(
        &self,
        scan: &Scan,
        graph: Option<Graph>,
        common: Option<&Common>,
    ) -> Result<(Database, Shelf), Failure> {
        if let Some(Graph { mut db, mut shelf, .. }) = graph {
            match scan.looked_again_at() {
                Some(stems) => shelf.update_some(&mut db, scan, &stems)?,
                None => shelf.update(&mut db, scan, self.config)?,
            }
            let today = day_of(self.config.now, &self.config.settings.timezone);
            let site = Site::get(&db);
            if *site.today(&db) != today {
                site.set_today(&mut db).to(today);
            }
            return Ok((db, shelf));
        }
        let mut db = Database::new(Arc::clone(&self.cache));
        scan.set(&db, self.config)?;
        let trust = common.is_some_and(|common| common.context == context_of(&db));
        let shelf = Shelf::fill(&mut db, scan, self.config, self.cache.imprints()?, trust)?;
        Ok((db, shelf))
    }

    /// Puts into the report what an evaluation has found out.
    fn tell(&self, report: &mut Report, db: &Database, facts: &Facts<'_>) {
        report.facts = Some(facts.count(db));
        report.unrefreshed = facts.ledger.unrefreshed();
        // What is about to be asked for is not left out.
        let will_ask = |source: &str| !self.asks() && record::can_ask(source, self.config);
        let lacking = |source: &str| if will_ask(source) { 0 } else { facts.lacking(db, source) };
        report.left_out = left_out(self.config, &lacking);
        report.queries = db.take_query_counts();
        report.memos = self.cache.memo_counts();
        report.rounds = facts.rounds;
        if let Some(sources) = &facts.sources {
            report.requests = sources.meter().tallies();
            report.github_budget = sources.meter().budget();
        }
    }

    fn publish(&self, contents: &publish::Outputs, view: View) -> Result<Published, PublishError> {
        let progress = |done, all| {
            self.observer.progress(Phase::Publish, done, all);
            if self.observer.is_stopped() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        };
        let paths = &self.config.paths;
        let glance = match view {
            View::Trusted(_) => None,
            View::Glance(glance) if glance.is_recent() => Some(glance),
            View::Glance(_) => Some(Glance::begin(&paths.output, &paths.output_name(), &self.cache)),
        };
        let target = Target { folder: &paths.output, name: &paths.output_name(), glance };
        publish::publish(target, contents, &self.cache, &Stored::new(&self.cache), &progress)
    }

    /// A report of what was published; everything else is as in a build that did nothing.
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

    /// What became of an output; `None` for an asset, whose address changes with its content or is of no interest
    /// without the page that shows it.
    fn changed(&self, path: String, what: What) -> Option<Changed> {
        if path.starts_with(ASSETS) {
            return None;
        }
        let address = address::absolute(&self.config.settings, &url_path::of_output(&path));
        let is_page = path.ends_with(".html");
        Some(Changed { address, path, what, is_page })
    }
}

/// The site's entries, where a build has these warnings.
fn entries_of(scan: &Scan, db: &Database, warnings: &[Warning]) -> Entries {
    let total = scan.entries().len() - graph::entries::drafts(db);
    let left_out = total - graph::entries::sound_entries(db).len();
    let kept = warnings.iter().filter(|warning| warning.rule == Rule::KeptEntry).count();
    Entries { total, left_out, kept }
}

/// The files of a listing that are outputs: all but the manifest.
fn of_site(listing: &Listing) -> impl Iterator<Item = (&String, &Listed)> {
    listing.iter().filter(|(path, _)| *path != MANIFEST)
}

/// The digest of everything that all imprints are made from.
pub(super) fn context_of(db: &Database) -> String {
    context::digest(context::of_entries(db)).to_string()
}

/// Stops at what makes it impossible to build, before anyone is asked anything.
fn check(db: &Database) -> miette::Result<()> {
    let mut problems = graph::data::data_problems(db).clone();
    if let Err(wrong) = templates(db) {
        problems.extend_from_slice(wrong);
    }
    if problems.is_empty() { Ok(()) } else { Err(Problems { problems, is_published: false }.into()) }
}
