//! The lab: a generated registry with everything needed to run scenarios on it, alternating with their peers.

use std::cell::{Cell, OnceCell, RefCell};
use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::ValueEnum as _;
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use shelflife_testkit::registry::{Entry, Registry, tick, world};
use shelflife_testkit::replay::{Options, Server};

use super::Job;
use super::edit::Edit;
use super::floor::{Floor, List};
use super::measure::{Meter, Sample};
use super::peers::{self, Generator, Peer};
use super::rig::Rig;
use super::scenario::{Measurement, Scenario};
use super::stage::{self, Extent, Outputs, Trash, run_unmeasured, settle};
use super::watch::{self, Watch};
use super::{Failure, SEED, at};

/// The tools that all labs share.
#[derive(Debug, Clone)]
pub(crate) struct Tools {
    pub(crate) binary: PathBuf,
    /// An older binary that runs every scenario as well.
    pub(crate) before: Option<PathBuf>,
    /// An `xtask`, which has the floors.
    pub(crate) helper: PathBuf,
    pub(crate) meter: Meter,
    pub(crate) runs: usize,
    pub(crate) trash: Trash,
}

/// The name of the older binary in tables.
pub(crate) const BEFORE: &str = "before";

/// The largest registries that hugo and jekyll build, in entries.
const HUGO_UP_TO: usize = 20_000;
const JEKYLL_UP_TO: usize = 1000;
/// The latency of a request in scenarios that include the network.
const LATENCY: Duration = Duration::from_millis(100);
/// The world's time in all labs, in Unix seconds, so that dates are the same in every bench.
const WORLD_TIME: i64 = 1_596_412_800;

/// A registry with the rigs that build it, and with their peers.
pub(crate) struct Lab<'a> {
    tools: &'a Tools,
    extent: Extent,
    registry: Registry,
    folder: PathBuf,
    server: Server,
    /// The rig of the measured binary, and that of the one before.
    rigs: Vec<Rig>,
    hugo: Option<Generator>,
    jekyll: Option<Generator>,
    peers: bool,
    /// All outputs, for the floor that writes them.
    packed: OnceCell<Packed>,
    skipped: RefCell<Vec<String>>,
}

/// Files in one, and their list.
struct Packed {
    list: PathBuf,
    pack: PathBuf,
}

impl<'a> Lab<'a> {
    /// Writes the registry into `folder`, starts a server for its world, builds once, and prepares the peers. hugo and
    /// jekyll make no API, so they are peers only of registries without.
    pub(crate) fn open(
        tools: &'a Tools,
        registry: Registry,
        folder: PathBuf,
        extent: Extent,
        peers: bool,
    ) -> Result<Self, Failure> {
        let time = Timestamp::from_second(WORLD_TIME).unwrap_or_default();
        let world = world(&registry, time, SEED);
        let size = registry.entries.len();
        let mut skipped = Vec::new();
        let (mut hugo, mut jekyll) = (None, None);
        if peers && extent == Extent::WithoutApi {
            if size <= HUGO_UP_TO {
                hugo = peers::hugo(&registry, &world, &folder.join("hugo"))?;
                skipped.extend(hugo.is_none().then(|| "hugo: not installed".to_owned()));
            }
            if size <= JEKYLL_UP_TO {
                jekyll = peers::jekyll(&registry, &world, &folder.join("jekyll"))?;
                skipped.extend(jekyll.is_none().then(|| "jekyll: not installed".to_owned()));
            }
        }
        let server = Server::start_with(world, Options::default()).map_err(at(&folder))?;
        let binaries = [Some(&tools.binary), tools.before.as_ref()];
        let mut rigs = Vec::new();
        for (binary, name) in binaries.into_iter().flatten().zip(["ours", BEFORE]) {
            let number = (rigs.len(), binary.as_path());
            rigs.push(Rig::open(number, folder.join(name), &registry, &tools.trash, &server, extent)?);
        }
        let (packed, skipped) = (OnceCell::new(), RefCell::new(skipped));
        Ok(Self { tools, extent, registry, folder, server, rigs, hugo, jekyll, peers, packed, skipped })
    }

    /// Returns what wasn't measured, and why.
    pub(crate) fn skipped(&self) -> Vec<String> {
        self.skipped.borrow().clone()
    }

    fn skip(&self, why: String) {
        self.skipped.borrow_mut().push(why);
    }

    fn ours(&self) -> &Rig {
        &self.rigs[0]
    }

    /// Measures a scenario; there is more than one measurement if one kind of run has two times. The inner error says
    /// why it can't be measured.
    pub(crate) fn run(&self, scenario: Scenario) -> Result<Result<Vec<Measurement>, String>, Failure> {
        let measured = match scenario {
            Scenario::Rendered => self.rendered()?,
            Scenario::Nothing => {
                self.server.set_latency(LATENCY);
                let copy = |rig: &Rig| rig.main.copy_to(rig.folder.join("nothing"), Outputs::Omitted);
                let stages = self.rigs.iter().map(copy).collect::<Result<Vec<_>, _>>()?;
                let measured = self.measure(scenario, None, &[], |rig, _| {
                    let stage = &stages[rig.number];
                    stage.drop_cache()?;
                    stage.drop_outputs()?;
                    Ok(stage.build())
                });
                self.server.set_latency(Duration::ZERO);
                measured?
            }
            Scenario::Unchanged => self.unchanged()?,
            Scenario::Checkout => self.elsewhere(scenario, Outputs::Copied)?,
            Scenario::Restored => self.elsewhere(scenario, Outputs::Omitted)?,
            Scenario::Edited => {
                self.catch_up()?;
                self.measure(scenario, None, &[self.unchanging()], |rig, round| {
                    self.edit(rig, round, |entry| {
                        entry.body += &format!("\n\nRevised for the {round}. time.");
                    })?;
                    Ok(rig.main.build())
                })?
            }
            Scenario::Retitled => self.measure(scenario, None, &[self.unchanging()], |rig, round| {
                self.edit(rig, round + 500, |entry| entry.title += &format!(" {round}"))?;
                Ok(rig.main.build())
            })?,
            Scenario::PictureUnused => self.measure(scenario, None, &[], |rig, round| {
                rig.main.write(&format!("assets/img/unused/{round}.png"), "a picture")?;
                Ok(rig.main.build())
            })?,
            Scenario::EntryWithPicture => self.measure(scenario, None, &[self.editing()], |rig, round| {
                self.add(rig, round)?;
                Ok(rig.main.build())
            })?,
            Scenario::Synonym => {
                let edits = self.rigs.iter().map(|rig| Edit::synonym(&rig.main));
                let edits = edits.collect::<Result<Vec<_>, _>>()?;
                let measured = self.measure(scenario, None, &[], |rig, round| {
                    edits[rig.number].make(&format!("round{round}"))?;
                    Ok(rig.main.build())
                });
                edits.iter().try_for_each(Edit::undo)?;
                self.catch_up()?;
                measured?
            }
            Scenario::Watched | Scenario::WatchedToEnd => return self.watched(),
            Scenario::WatchListTemplate
            | Scenario::WatchPluginTemplate
            | Scenario::WatchNotice
            | Scenario::WatchSetting
            | Scenario::WatchStyleSheet => match self.edited_under_watch(scenario)? {
                Ok(measured) => measured,
                Err(why) => return Ok(Err(why)),
            },
            Scenario::Tick => {
                let (now, ticks) = (Timestamp::now(), Cell::new(0));
                let ours = self.ours();
                let rendering = Peer::new("everything rendered", |_| ours.with_facts_alone());
                self.measure(scenario, None, &[rendering], |rig, round| {
                    let number = u32::try_from(round + 1).unwrap_or(u32::MAX);
                    // Both binaries fetch the same facts.
                    if ticks.replace(number) < number {
                        self.server.change(|world| tick(world, number));
                    }
                    // Moves the clock past the time to live of all facts.
                    let hours = SignedDuration::from_hours(24 * 31 * i64::from(number));
                    let now = now.saturating_add(hours).unwrap_or(Timestamp::MAX);
                    Ok(rig.main.build().with(["--now".to_owned(), now.to_string()]))
                })?
            }
            Scenario::Checked => {
                let build = Peer::new("build", |_| Ok(self.ours().main.build()));
                self.measure(scenario, None, &[build], |rig, _| Ok(rig.main.check([])))?
            }
            Scenario::CheckedOne => self.measure(scenario, None, &[], |rig, round| {
                let change = |entry: &mut Entry| entry.body += &format!("\n\nChecked for the {round}. time.");
                let path = self.edit(rig, round, change)?;
                Ok(rig.main.check(path))
            })?,
            Scenario::Cache => return Ok(Err(format!("{scenario}: not measured in a generated registry"))),
        };
        Ok(Ok(vec![measured]))
    }

    /// Alternates runs of a job, its floor and its peers, after one round that isn't counted. What `prepare` does isn't
    /// measured; it returns the job for a rig and the number of a round.
    fn measure(
        &self,
        scenario: Scenario,
        floor: Option<&Peer<'_>>,
        peers: &[Peer<'_>],
        prepare: impl Fn(&Rig, usize) -> Result<Job, Failure>,
    ) -> Result<Measurement, Failure> {
        let mut measurement = self.blank(scenario);
        let mut before = self.rigs.get(1);
        let mut turns: Vec<(&Peer<'_>, Vec<Sample>)> =
            floor.into_iter().chain(peers).map(|peer| (peer, Vec::new())).collect();
        let mut older = Vec::new();
        for round in 0..=self.tools.runs {
            let job = prepare(self.ours(), round)?;
            settle(&self.folder)?;
            if round == 0 {
                measurement.report = run_unmeasured(job)?;
            } else {
                measurement.ours.push(self.tools.meter.run(&job)?);
            }
            if let Some(rig) = before {
                match self.turn(|| prepare(rig, round)) {
                    Ok(sample) => older.extend((round > 0).then_some(sample)),
                    Err(why) => {
                        before = None;
                        self.skip(format!("{scenario}, {BEFORE}: {why}"));
                    }
                }
            }
            for (peer, samples) in &mut turns {
                let sample = self.turn(|| (peer.prepare)(round))?;
                samples.extend((round > 0).then_some(sample));
            }
        }
        let mut turns = turns.into_iter().map(|(peer, samples)| (peer.name, samples));
        measurement.floor = floor.and_then(|_| turns.next());
        measurement.peers = before.map(|_| (BEFORE, older)).into_iter().chain(turns).collect();
        Ok(measurement)
    }

    /// Prepares and measures one run.
    fn turn(&self, prepare: impl FnOnce() -> Result<Job, Failure>) -> Result<Sample, Failure> {
        let job = prepare()?;
        settle(&self.folder)?;
        self.tools.meter.run(&job)
    }

    fn blank(&self, scenario: Scenario) -> Measurement {
        Measurement {
            scenario,
            extent: self.extent,
            entries: self.registry.entries.len(),
            ours: Vec::new(),
            floor: None,
            peers: Vec::new(),
            report: None,
            more: Value::Null,
        }
    }

    /// Builds whatever earlier scenarios left undone.
    fn catch_up(&self) -> Result<(), Failure> {
        self.rigs.iter().try_for_each(|rig| rig.main.build().run())
    }

    fn rendered(&self) -> Result<Measurement, Failure> {
        // One run's outputs make room for the next run's: on a memory disk they would be too many.
        let clear = || -> Result<(), Failure> {
            self.rigs.iter().try_for_each(Rig::drop_rendered)?;
            self.tools.trash.take(&self.floor_folder())
        };
        let write = self.writing()?;
        let floor = Peer::new(write.name, |round| {
            clear()?;
            (write.prepare)(round)
        });
        let peers: Vec<Peer<'_>> =
            self.hugo.iter().chain(&self.jekyll).map(|it| it.peer(&self.tools.trash)).collect();
        let mut measured = self.measure(Scenario::Rendered, Some(&floor), &peers, |rig, _| {
            clear()?;
            rig.with_facts_alone()
        })?;
        clear()?;
        measured.more = self.sizes()?;
        Ok(measured)
    }

    fn unchanged(&self) -> Result<Measurement, Failure> {
        self.catch_up()?;
        let main = &self.ours().main;
        let list =
            List::of(&main.site, &|path| path == main.site.join(".shelflife")).map_err(at(&main.site))?;
        let floor = self.looking(Floor::Stat, &list, |_| main.site.clone())?;
        let mut peers = Vec::new();
        if self.peers && self.extent == Extent::Defaults {
            match peers::git(&main.site, &list, &self.folder.join("git"))? {
                Some(job) => peers.push(Peer::new("git status", move |_| Ok(job.clone()))),
                None => self.skip("git: not installed".to_owned()),
            }
        }
        let measured = self.measure(Scenario::Unchanged, Some(&floor), &peers, |rig, _| Ok(rig.main.build()));
        self.tools.trash.take(&self.folder.join("git"))?;
        measured
    }

    /// Measures a build in a fresh copy of the main site each time, with the main site's cache.
    fn elsewhere(&self, scenario: Scenario, outputs: Outputs) -> Result<Measurement, Failure> {
        self.catch_up()?;
        let place = |rig: &Rig, round: usize| rig.folder.join(format!("checkout-{}", round % 2));
        let floor = match outputs {
            Outputs::Copied => {
                let stage = self.ours().main.copy_to(place(self.ours(), 0), outputs)?;
                let list = List::of(&stage.site, &|_| false).map_err(at(&stage.site))?;
                self.looking(Floor::Read, &list, move |round| place(self.ours(), round))?
            }
            Outputs::Omitted => self.writing()?,
        };
        let measured = self.measure(scenario, Some(&floor), &[], |rig, round| {
            self.tools.trash.take(&place(rig, round + 1))?;
            let stage = rig.main.copy_to(place(rig, round), outputs)?;
            stage.put_cache(&rig.main)?;
            Ok(stage.build())
        });
        for (rig, round) in self.rigs.iter().flat_map(|rig| [(rig, 0), (rig, 1)]) {
            self.tools.trash.take(&place(rig, round))?;
        }
        self.tools.trash.take(&self.floor_folder())?;
        measured
    }

    fn watched(&self) -> Result<Result<Vec<Measurement>, String>, Failure> {
        self.catch_up()?;
        let mut watches = Vec::new();
        for rig in &self.rigs {
            match Watch::start(&rig.main, &self.registry)? {
                Some(watch) => watches.push(watch),
                None if rig.number == 0 => return Ok(Err("the binary has no `watch` subcommand".to_owned())),
                None => self.skip(format!("{}, {BEFORE}: no `watch` subcommand", Scenario::Watched)),
            }
        }
        let [page, end] = watch::measure(&mut watches, self.tools.runs)?;
        let of = |scenario, times: Vec<Vec<Sample>>| {
            let mut times = times.into_iter();
            let ours = times.next().unwrap_or_default();
            Measurement { ours, peers: times.map(|it| (BEFORE, it)).collect(), ..self.blank(scenario) }
        };
        Ok(Ok(vec![of(Scenario::Watched, page), of(Scenario::WatchedToEnd, end)]))
    }

    /// Measures an edit of another file than an entry, by one binary after the other.
    fn edited_under_watch(&self, scenario: Scenario) -> Result<Result<Measurement, String>, Failure> {
        let mut measurement = self.blank(scenario);
        for rig in &self.rigs {
            let Some(watch) = Watch::start(&rig.main, &self.registry)? else {
                return Ok(Err(format!("{scenario}: the binary has no `watch` subcommand")));
            };
            let Some(edit) = Edit::under_watch(scenario, &rig.main, &self.registry)? else {
                return Ok(Err(format!("{scenario}: the registry has no entries")));
            };
            let measured = watch.measure_edit(&edit, self.tools.runs);
            edit.undo()?;
            rig.main.build().run()?;
            let (samples, report) = measured?;
            if rig.number == 0 {
                (measurement.ours, measurement.report) = (samples, report);
            } else {
                measurement.peers.push((BEFORE, samples));
            }
        }
        Ok(Ok(measurement))
    }

    /// Returns a build in which nothing changes as a peer of other scenarios.
    fn unchanging(&self) -> Peer<'_> {
        Peer::new(Scenario::Unchanged.title(), |_| Ok(self.ours().main.build()))
    }

    /// Returns "one entry's text edited" as a peer of other scenarios.
    fn editing(&self) -> Peer<'_> {
        let name = Scenario::Edited.title();
        Peer::new(name, move |round| {
            let Some(entry) = self.registry.entries.iter().skip(1).step_by(53).nth(round) else {
                return Err(Failure::new(format!("{name}: the registry has too few entries")));
            };
            let mut entry = entry.clone();
            entry.body += "\n\nRevised beside others.";
            let main = &self.ours().main;
            main.write(&format!("entries/{}", entry.file()), &entry.markdown())?;
            Ok(main.build())
        })
    }

    /// Returns a floor that looks at the listed files in a folder, which may be another one each round.
    fn looking<'p>(
        &'p self,
        floor: Floor,
        files: &List,
        folder: impl Fn(usize) -> PathBuf + 'p,
    ) -> Result<Peer<'p>, Failure> {
        let list = self.folder.join(format!("{floor:?}.list"));
        files.write(&list).map_err(at(&list))?;
        Ok(Peer::new(floor.name(), move |round| Ok(self.floor(floor, &folder(round), &list))))
    }

    /// Returns the floor that writes all outputs into an empty folder.
    fn writing(&self) -> Result<Peer<'_>, Failure> {
        let Packed { list, pack } = match self.packed.get() {
            Some(packed) => packed,
            None => {
                let packed = self.pack()?;
                self.packed.get_or_init(|| packed)
            }
        };
        let floor = Floor::Write;
        Ok(Peer::new(floor.name(), move |_| {
            let folder = self.floor_folder();
            self.tools.trash.take(&folder)?;
            std::fs::create_dir(&folder).map_err(at(&folder))?;
            Ok(self.floor(floor, &folder, list).with(["--pack".as_ref(), pack.as_os_str()]))
        }))
    }

    fn pack(&self) -> Result<Packed, Failure> {
        let output = self.ours().main.output();
        let [list, pack] = ["Write.list", "Write.pack"].map(|name| self.folder.join(name));
        // The manifest belongs to the program, not to the site.
        let is_ours =
            |path: &Path| path.file_name().is_some_and(|it| it.to_string_lossy().starts_with(".shelflife"));
        let files = List::of(&output, &is_ours).map_err(at(&output))?;
        files.write(&list).map_err(at(&list))?;
        files.pack(&output, &pack).map_err(at(&pack))?;
        Ok(Packed { list, pack })
    }

    /// Returns where the floor writes.
    fn floor_folder(&self) -> PathBuf {
        self.folder.join("floor")
    }

    fn floor(&self, floor: Floor, folder: &Path, list: &Path) -> Job {
        let value = floor.to_possible_value();
        Job::new(&self.tools.helper, &self.folder)
            .with(["floor"])
            .with(value.as_ref().map(clap::builder::PossibleValue::get_name))
            .with([folder, list])
    }

    /// Adds an entry that shows a picture of its own. Its source isn't on GitHub, so nothing is fetched, as for an
    /// edit.
    fn add(&self, rig: &Rig, round: usize) -> Result<(), Failure> {
        let entries = &self.registry.entries;
        let Some(like) = entries.get((round * 43 + 11) % entries.len().max(1)) else {
            return Err(Failure::new("the registry has no entry to copy"));
        };
        let (stem, picture) =
            (format!("added{round}"), format!("/assets/img/plugins/added{round}/picture.png"));
        let source = format!("https://gitlab.com/somebody/{stem}");
        let entry = Entry {
            title: format!("{} anew", like.title),
            id: stem.clone(),
            stem,
            source,
            repository: None,
            screenshots: vec!["What it looks like".to_owned()],
            featured: true,
            ..like.clone()
        };
        rig.main.write(picture.trim_start_matches('/'), "a picture")?;
        let text = entry.markdown().replace(&Entry::picture(0), &picture);
        rig.main.write(&format!("entries/{}", entry.file()), &text)
    }

    /// Changes an entry's file, and returns its path; `None` if the registry has no entries.
    fn edit(
        &self,
        rig: &Rig,
        round: usize,
        change: impl FnOnce(&mut Entry),
    ) -> Result<Option<PathBuf>, Failure> {
        let entries = &self.registry.entries;
        let Some(entry) = entries.get((round * 37 + 5) % entries.len().max(1)) else { return Ok(None) };
        let mut entry = entry.clone();
        change(&mut entry);
        let path = rig.main.site.join("entries").join(entry.file());
        std::fs::write(&path, entry.markdown()).map_err(at(&path))?;
        Ok(Some(path))
    }

    /// Returns the size of the output of each program, so that a reader can tell whether they did the same work.
    fn sizes(&self) -> Result<Value, Failure> {
        let mut sizes = serde_json::Map::new();
        let ours = ("shelflife", self.ours().main.output());
        let hugo = self.hugo.iter().map(|hugo| ("hugo", hugo.output.clone()));
        let jekyll = self.jekyll.iter().map(|jekyll| ("jekyll", jekyll.output.clone()));
        for (name, folder) in [ours].into_iter().chain(hugo).chain(jekyll) {
            let bytes = |extension| stage::bytes(&folder, &[extension]);
            let made = json!({"html_bytes": bytes("html")?, "json_bytes": bytes("json")?});
            sizes.insert(name.to_owned(), made);
        }
        Ok(Value::Object(sizes))
    }
}
