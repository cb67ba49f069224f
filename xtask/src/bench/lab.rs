//! The lab: a generated registry with everything needed to run scenarios on it, alternating with their peers.

use std::cell::Cell;
use std::path::PathBuf;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use shelflife_testkit::registry::{Entry, Registry, tick, world};
use shelflife_testkit::replay::{Options, Server};

use super::Job;
use super::edit::Edit;
use super::measure::Meter;
use super::peers::{self, Peer};
use super::scenario::{Measurement, Scenario};
use super::stage::{self, Outputs, Stage, Trash, settle};
use super::watch::Watch;
use super::{Failure, SEED, at};

/// The tools that all labs share.
#[derive(Debug, Clone)]
pub(crate) struct Tools {
    pub(crate) binary: PathBuf,
    pub(crate) meter: Meter,
    pub(crate) runs: usize,
    pub(crate) trash: Trash,
}

/// The largest registries that hugo and jekyll build, in entries.
const HUGO_UP_TO: usize = 20_000;
const JEKYLL_UP_TO: usize = 1000;
/// The most builds that a site gets to fetch all its facts.
const BUILDS: usize = 4;
/// The latency of a request in scenarios that include the network.
const LATENCY: Duration = Duration::from_millis(100);
/// The world's time in all labs, in Unix seconds, so that dates are the same in every bench.
const WORLD_TIME: i64 = 1_596_412_800;

/// A registry that was built once, so that its cache and outputs exist.
pub(crate) struct Lab<'a> {
    tools: &'a Tools,
    registry: Registry,
    folder: PathBuf,
    server: Server,
    /// The site that is edited.
    main: Stage,
    /// A copy of the site that is always built with facts alone.
    bare: Stage,
    /// A state that holds facts alone.
    facts: PathBuf,
    git: Option<Peer>,
    hugo: Option<Peer>,
    jekyll: Option<Peer>,
    peers: bool,
}

impl<'a> Lab<'a> {
    /// Writes the registry into `folder`, starts a server for its world, builds once, and prepares the peers.
    pub(crate) fn open(
        tools: &'a Tools,
        registry: Registry,
        folder: PathBuf,
        peers: bool,
    ) -> Result<Self, Failure> {
        let time = Timestamp::from_second(WORLD_TIME).unwrap_or_default();
        let world = world(&registry, time, SEED);
        let size = registry.entries.len();
        let (mut git, mut hugo, mut jekyll) = (None, None, None);
        if peers {
            let place = folder.join("git");
            registry.write(&place).map_err(at(&place))?;
            git = peers::git(&place)?;
            if size <= HUGO_UP_TO {
                hugo = peers::hugo(&registry, &world, &folder.join("hugo"), &tools.trash)?;
            }
            if size <= JEKYLL_UP_TO {
                jekyll = peers::jekyll(&registry, &world, &folder.join("jekyll"), &tools.trash)?;
            }
        }
        let server = Server::start_with(world, Options::default()).map_err(at(&folder))?;
        let main = Stage::new(folder.join("main"), tools, &server, "")?;
        registry.write(&main.site).map_err(at(&main.site))?;
        // Builds until nothing is left to fetch: a fact that arrives late would change outputs in a measured run.
        let mut builds = 1;
        while main.run_unmeasured(main.build())?.is_some_and(|report| report.requests() > 0)
            && builds < BUILDS
        {
            builds += 1;
        }
        let bare = main.copy_to(folder.join("bare"), Outputs::Omitted)?;
        let facts = folder.join("facts.sqlite");
        std::fs::copy(main.state(), &facts).map_err(at(&facts))?;
        Ok(Self { tools, registry, folder, server, main, bare, facts, git, hugo, jekyll, peers })
    }

    /// Returns the peers that should have run but aren't installed.
    pub(crate) fn skipped(&self) -> Vec<String> {
        let size = self.registry.entries.len();
        let lacking = [
            ("git", self.git.is_none()),
            ("hugo", self.hugo.is_none() && size <= HUGO_UP_TO),
            ("jekyll", self.jekyll.is_none() && size <= JEKYLL_UP_TO),
        ];
        let lacking = lacking.into_iter().filter(|(_, lacking)| *lacking && self.peers);
        lacking.map(|(name, _)| format!("{name}: not installed")).collect()
    }

    /// Measures a scenario; the inner error says why it can't be measured.
    pub(crate) fn run(&self, scenario: Scenario) -> Result<Result<Measurement, String>, Failure> {
        let git: Vec<&Peer> = self.git.iter().collect();
        let measured = match scenario {
            Scenario::Rendered => {
                let peers: Vec<&Peer> = self.hugo.iter().chain(&self.jekyll).collect();
                let mut measured = self.measure(scenario, &self.bare, &peers, |_| self.with_facts_alone())?;
                measured.more = self.sizes()?;
                measured
            }
            Scenario::Nothing => {
                self.server.set_latency(LATENCY);
                let stage = self.main.copy_to(self.folder.join("nothing"), Outputs::Omitted)?;
                let measured = self.measure(scenario, &stage, &[], |_| {
                    stage.drop_cache()?;
                    stage.drop_outputs()?;
                    Ok(stage.build())
                });
                self.server.set_latency(Duration::ZERO);
                measured?
            }
            Scenario::Unchanged => self.measure(scenario, &self.main, &git, |_| Ok(self.main.build()))?,
            Scenario::Checkout => self.elsewhere(scenario, Outputs::Copied, &git)?,
            Scenario::Restored => self.elsewhere(scenario, Outputs::Omitted, &[&self.rendering()])?,
            Scenario::Edited => {
                // Builds whatever earlier scenarios left undone.
                self.main.build().run()?;
                self.measure(scenario, &self.main, &git, |round| {
                    self.edit(round, |entry| entry.body += &format!("\n\nRevised for the {round}. time."))?;
                    Ok(self.main.build())
                })?
            }
            Scenario::Retitled => self.measure(scenario, &self.main, &git, |round| {
                self.edit(round + 500, |entry| entry.title += &format!(" {round}"))?;
                Ok(self.main.build())
            })?,
            Scenario::PictureUnused => self.measure(scenario, &self.main, &[], |round| {
                self.main.write(&format!("assets/img/unused/{round}.png"), "a picture")?;
                Ok(self.main.build())
            })?,
            Scenario::EntryWithPicture => {
                self.measure(scenario, &self.main, &[&self.editing()], |round| {
                    self.add(round)?;
                    Ok(self.main.build())
                })?
            }
            Scenario::Synonym => {
                let edit = Edit::synonym(&self.main)?;
                let measured = self.measure(scenario, &self.main, &[], |round| {
                    edit.make(&format!("round{round}"))?;
                    Ok(self.main.build())
                });
                edit.undo()?;
                self.main.build().run()?;
                measured?
            }
            Scenario::Watched => match Watch::start(&self.main, &self.registry)? {
                Some(watch) => watch.measure(self.tools.runs)?,
                None => return Ok(Err(format!("{scenario}: the binary has no `watch` subcommand"))),
            },
            Scenario::WatchListTemplate
            | Scenario::WatchPluginTemplate
            | Scenario::WatchNotice
            | Scenario::WatchSetting
            | Scenario::WatchStyleSheet => {
                let Some(watch) = Watch::start(&self.main, &self.registry)? else {
                    return Ok(Err(format!("{scenario}: the binary has no `watch` subcommand")));
                };
                let Some(edit) = Edit::under_watch(scenario, &self.main, &self.registry)? else {
                    return Ok(Err(format!("{scenario}: the registry has no entries")));
                };
                let measured = watch.measure_edit(scenario, &edit, self.tools.runs);
                edit.undo()?;
                self.main.build().run()?;
                measured?
            }
            Scenario::Tick => {
                let now = Timestamp::now();
                self.measure(scenario, &self.main, &[&self.rendering()], |round| {
                    let number = u32::try_from(round + 1).unwrap_or(u32::MAX);
                    self.server.change(|world| tick(world, number));
                    // Moves the clock past the time to live of all facts.
                    let hours = SignedDuration::from_hours(24 * 31 * i64::from(number));
                    let now = now.saturating_add(hours).unwrap_or(Timestamp::MAX);
                    Ok(self.main.build().with(["--now".to_owned(), now.to_string()]))
                })?
            }
            Scenario::Checked => {
                let build = Peer { name: "build", job: self.main.build(), set_up: Box::new(|| Ok(())) };
                self.measure(scenario, &self.main, &[&build], |_| Ok(self.main.check([])))?
            }
            Scenario::CheckedOne => self.measure(scenario, &self.main, &[], |round| {
                let path =
                    self.edit(round, |entry| entry.body += &format!("\n\nChecked for the {round}. time."))?;
                Ok(self.main.check(path))
            })?,
            Scenario::Cache => return Ok(Err(format!("{scenario}: not measured in a generated registry"))),
        };
        Ok(Ok(measured))
    }

    /// Alternates runs of a job and its peers, after one round that isn't counted. `set_up` isn't measured.
    fn measure(
        &self,
        scenario: Scenario,
        stage: &Stage,
        peers: &[&Peer],
        set_up: impl Fn(usize) -> Result<Job, Failure>,
    ) -> Result<Measurement, Failure> {
        let mut measurement = Measurement {
            scenario,
            entries: self.registry.entries.len(),
            ours: Vec::new(),
            peers: peers.iter().map(|peer| (peer.name, Vec::new())).collect(),
            report: None,
            more: Value::Null,
        };
        for round in 0..=self.tools.runs {
            let job = set_up(round)?;
            settle(&self.folder)?;
            if round == 0 {
                measurement.report = stage.run_unmeasured(job)?;
            } else {
                measurement.ours.push(self.tools.meter.run(&job)?);
            }
            for (peer, (_, samples)) in peers.iter().zip(&mut measurement.peers) {
                (peer.set_up)()?;
                settle(&self.folder)?;
                let sample = self.tools.meter.run(&peer.job)?;
                if round > 0 {
                    samples.push(sample);
                }
            }
        }
        Ok(measurement)
    }

    /// Resets the copy of the site to facts alone, and returns its build.
    fn with_facts_alone(&self) -> Result<Job, Failure> {
        self.bare.drop_outputs()?;
        self.bare.put_state(&self.facts)?;
        Ok(self.bare.build())
    }

    /// Returns "everything rendered" as a peer of other scenarios.
    fn rendering(&self) -> Peer {
        let (bare, facts) = (self.bare.clone(), self.facts.clone());
        let set_up = move || {
            bare.drop_outputs()?;
            bare.put_state(&facts)
        };
        Peer { name: "everything rendered", job: self.bare.build(), set_up: Box::new(set_up) }
    }

    /// Returns "one entry's text edited" as a peer of other scenarios.
    fn editing(&self) -> Peer {
        let name = Scenario::Edited.title();
        let entries = self.registry.entries.iter().skip(1).step_by(53).take(self.tools.runs + 1);
        let mut edited = Vec::new();
        for entry in entries {
            let mut entry = entry.clone();
            entry.body += "\n\nRevised beside others.";
            edited.push((format!("entries/{}", entry.file()), entry.markdown()));
        }
        let (main, next) = (self.main.clone(), Cell::new(0));
        let set_up = move || match edited.get(next.replace(next.get() + 1)) {
            Some((path, text)) => main.write(path, text),
            None => Err(Failure::new(format!("{name}: the registry has too few entries"))),
        };
        Peer { name, job: self.main.build(), set_up: Box::new(set_up) }
    }

    /// Adds an entry that shows a picture of its own. Its source isn't on GitHub, so nothing is fetched, as for an
    /// edit.
    fn add(&self, round: usize) -> Result<(), Failure> {
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
        self.main.write(picture.trim_start_matches('/'), "a picture")?;
        let text = entry.markdown().replace(&Entry::picture(0), &picture);
        self.main.write(&format!("entries/{}", entry.file()), &text)
    }

    /// Measures a build in a fresh copy of the main site each time, with the main site's cache.
    fn elsewhere(
        &self,
        scenario: Scenario,
        outputs: Outputs,
        peers: &[&Peer],
    ) -> Result<Measurement, Failure> {
        let place = |round: usize| self.folder.join(format!("checkout-{}", round % 2));
        let stage = self.main.copy_to(place(0), Outputs::Omitted)?;
        self.measure(scenario, &stage, peers, |round| {
            self.tools.trash.take(&place(round + 1))?;
            let stage = self.main.copy_to(place(round), outputs)?;
            stage.put_cache(&self.main)?;
            Ok(stage.build())
        })
    }

    /// Changes an entry's file, and returns its path; `None` if the registry has no entries.
    fn edit(&self, round: usize, change: impl FnOnce(&mut Entry)) -> Result<Option<PathBuf>, Failure> {
        let entries = &self.registry.entries;
        let Some(entry) = entries.get((round * 37 + 5) % entries.len().max(1)) else { return Ok(None) };
        let mut entry = entry.clone();
        change(&mut entry);
        let path = self.main.site.join("entries").join(entry.file());
        std::fs::write(&path, entry.markdown()).map_err(at(&path))?;
        Ok(Some(path))
    }

    /// Returns the size of the output of each program, so that a reader can tell whether they did the same work.
    fn sizes(&self) -> Result<Value, Failure> {
        let mut sizes = serde_json::Map::new();
        let made = [
            ("shelflife", self.bare.output(), true),
            ("hugo", self.folder.join("hugo/public"), self.hugo.is_some()),
            ("jekyll", self.folder.join("jekyll/_site"), self.jekyll.is_some()),
        ];
        for (name, folder, exists) in made {
            if exists {
                let bytes = json!({"html_bytes": stage::bytes(&folder, &["html"])?, "json_bytes": stage::bytes(&folder, &["json"])?});
                sizes.insert(name.to_owned(), bytes);
            }
        }
        Ok(Value::Object(sizes))
    }
}
