//! The command line of the chores: one subcommand each; the library does the work.

use std::ffi::OsString;
use std::fmt::Display;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};
use std::time::Duration;

use clap::{Parser, Subcommand};
use jiff::SignedDuration;
use shelflife_testkit::replay::{Counts, Options, Schema, Server, Trace, Window};
use xtask::bench::floor::Floor;
use xtask::bench::{self, Scenario};
use xtask::dist;
use xtask::fuzz;
use xtask::limits;
use xtask::screenshots;

/// Chores for developers of shelflife.
#[derive(Parser)]
#[command(name = "cargo xtask")]
struct Cli {
    #[command(subcommand)]
    chore: Chore,
}

#[derive(Subcommand)]
enum Chore {
    Replay(Replay),
    Bench(Bench),
    Dist(Dist),
    Fuzz(Fuzz),
    Keystrokes(Keystrokes),
    Limits(Limits),
    Screenshots(Screenshots),
    #[command(hide = true)]
    Floor(DoFloor),
    #[command(hide = true)]
    Measure(Measure),
}

/// Serve GitHub and the usage exports on loopback, as of one tick of a trace, until Ctrl-C.
#[derive(clap::Args)]
struct Replay {
    /// The trace's folder, which holds `ticks/` and `sources.bundle`.
    trace: PathBuf,
    /// The tick to start with (default: the first)
    #[arg(long)]
    tick: Option<u32>,
    /// The port on 127.0.0.1; 0 picks a free port.
    #[arg(long, default_value_t = 0)]
    port: u16,
    /// Latency of each request, such as `100ms`.
    #[arg(long, default_value = "0s", value_parser = duration)]
    latency: Duration,
    /// GitHub's GraphQL schema, against which documents are validated.
    #[arg(long, value_name = "FILE")]
    schema: Option<PathBuf>,
    /// Read `_plugins` and `_data` from this folder instead of the trace's `sources.bundle`.
    #[arg(long, value_name = "FOLDER")]
    sources: Option<PathBuf>,
    /// Move to the next tick at this interval, such as `10s`, until the last.
    #[arg(long, value_name = "DURATION", value_parser = duration)]
    advance_every: Option<Duration>,
}

/// Measure the release binary on generated registries, in turn with floors, and with hugo, jekyll and git if installed.
#[derive(clap::Args)]
struct Bench {
    /// Number of entries of each registry.
    #[arg(long, value_delimiter = ',', default_value = "250,10000,50000")]
    sizes: Vec<usize>,
    /// Counted runs of each scenario; one more run is not counted.
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u16).range(1..))]
    runs: u16,
    /// Measure only these scenarios (default: all)
    #[arg(long, value_name = "NAME", num_args = 1..)]
    scenario: Vec<Scenario>,
    /// Folder for benchmarks.md, benchmarks.json and benchmarks.svg.
    #[arg(long, value_name = "FOLDER", default_value = "target/bench")]
    output: PathBuf,
    /// Don't run hugo, jekyll and git.
    #[arg(long)]
    without_peers: bool,
    /// Measure this binary (default: build and use the release binary)
    #[arg(long, value_name = "PATH")]
    binary: Option<PathBuf>,
    /// Measure this older binary as well, for comparison.
    #[arg(long, value_name = "PATH")]
    before: Option<PathBuf>,
    /// Build the sites in this folder (default: on a memory disk if there is room, or else in the temporary folder)
    #[arg(long, value_name = "FOLDER")]
    scratch: Option<PathBuf>,
}

/// Fuzz every parser of untrusted input, one target per core at a time.
#[derive(clap::Args)]
struct Fuzz {
    /// Fuzz only these targets (default: all)
    #[arg(value_name = "TARGET", value_parser = clap::builder::PossibleValuesParser::new(fuzz::TARGETS))]
    targets: Vec<String>,
    /// Seconds for each target.
    #[arg(long, default_value_t = 60, value_parser = clap::value_parser!(u32).range(1..))]
    seconds: u32,
}

/// Build the release program for a target, check it, and pack it below target/dist.
#[derive(clap::Args)]
struct Dist {
    /// The target, such as x86_64-unknown-linux-musl; rustup must have installed its standard library.
    target: String,
    /// The release's tag, which must be `v` followed by the version in Cargo.toml.
    #[arg(long)]
    tag: Option<String>,
}

/// Measure the time from a keystroke to the filtered list in Chromium, and print it as JSON.
#[derive(clap::Args)]
struct Keystrokes {
    /// Number of plugins.
    #[arg(long, default_value_t = 10_000)]
    size: usize,
    /// How many times to type each word.
    #[arg(long, default_value_t = 5)]
    runs: usize,
    /// Build the site with this binary (default: build and use the release binary)
    #[arg(long, value_name = "PATH")]
    binary: Option<PathBuf>,
}

/// Measure the worst known input that each limit lets through, and write the table.
#[derive(clap::Args)]
struct Limits {
    /// File to write the table to.
    #[arg(long, value_name = "FILE", default_value = "docs/limits.md")]
    output: PathBuf,
    /// Measure this binary (default: build and use the release binary)
    #[arg(long, value_name = "PATH")]
    binary: Option<PathBuf>,
}

/// Take the README's screenshots of the sample site in Chromium.
#[derive(clap::Args)]
struct Screenshots {
    /// Folder to write the pictures to.
    #[arg(long, value_name = "FOLDER", default_value = "docs/screenshots")]
    output: PathBuf,
    /// Build the site with this binary (default: build and use the release binary)
    #[arg(long, value_name = "PATH")]
    binary: Option<PathBuf>,
}

/// Do the least that a build can't avoid with the listed files, and print how many there were.
#[derive(clap::Args)]
struct DoFloor {
    #[arg(value_enum)]
    floor: Floor,
    /// The folder of the files.
    folder: PathBuf,
    /// The file that lists them.
    list: PathBuf,
    /// The content to write.
    #[arg(long)]
    pack: Option<PathBuf>,
}

/// Run a program, and print its running time and peak memory as JSON.
#[derive(clap::Args)]
struct Measure {
    program: PathBuf,
    #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
    arguments: Vec<OsString>,
}

fn duration(text: &str) -> Result<Duration, String> {
    let span: SignedDuration = text.parse().map_err(|why: jiff::Error| why.to_string())?;
    Duration::try_from(span).map_err(|_| "a duration can't be negative".into())
}

fn main() -> ExitCode {
    let done = match Cli::parse().chore {
        Chore::Replay(replay) => replay.run().map(|()| true),
        Chore::Bench(bench) => bench.run().map(|()| true),
        Chore::Dist(dist) => dist.run().map(|()| true),
        Chore::Fuzz(fuzz) => fuzz.run().map(|()| true),
        Chore::Keystrokes(keystrokes) => keystrokes.run().map(|()| true),
        Chore::Limits(limits) => limits.run().map(|()| true),
        Chore::Screenshots(screenshots) => screenshots.run().map(|()| true),
        Chore::Floor(floor) => floor.run().map(|()| true),
        Chore::Measure(measure) => measure.run(),
    };
    match done {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(why) => {
            let _ = writeln!(io::stderr(), "error: {why}");
            ExitCode::FAILURE
        }
    }
}

fn say(line: impl Display) -> io::Result<()> {
    let mut out = io::stdout().lock();
    writeln!(out, "{line}")?;
    out.flush()
}

impl Fuzz {
    fn run(self) -> Result<(), Box<dyn std::error::Error>> {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..").canonicalize()?;
        let programs = fuzz::build(&root)?;
        let all = || fuzz::TARGETS.map(str::to_owned).to_vec();
        let targets = if self.targets.is_empty() { all() } else { self.targets };
        let failures = fuzz::run_all(&root, &programs, &targets, self.seconds);
        if failures.is_empty() { Ok(()) } else { Err(failures.join("\n\n").into()) }
    }
}

impl Replay {
    fn run(self) -> Result<(), Box<dyn std::error::Error>> {
        let trace = match &self.sources {
            Some(sources) => Trace::with_sources(&self.trace, sources)?,
            None => Trace::open(&self.trace)?,
        };
        let mut ticks = trace.ticks().into_iter();
        let first = match self.tick {
            Some(tick) => {
                ticks.find(|it| *it == tick).ok_or_else(|| format!("the trace has no tick {tick}"))?
            }
            None => ticks.next().ok_or("the trace has no ticks")?,
        };
        let world = trace.world(first)?;
        let schema = self.schema.as_deref().map(Schema::load).transpose()?;
        let options = Options { port: self.port, latency: self.latency, schema, token: None };
        let server = Server::start_with(world, options)?;
        let counts = || -> io::Result<()> { say(summary(&server.counts())) };
        say(format_args!(
            "export GITHUB_API_URL={}\nexport GITHUB_GRAPHQL_URL={}\nexport GITHUB_TOKEN=replay\n\
             # usage, 7 days:  {}\n# usage, 30 days: {}",
            server.url(),
            server.graphql_url(),
            server.export_url(Window::Week),
            server.export_url(Window::Month),
        ))?;
        say(moment(first, &trace)?)?;
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        runtime.block_on(async {
            let mut stop = std::pin::pin!(tokio::signal::ctrl_c());
            while let Some(pause) = self.advance_every {
                tokio::select! {
                    stopped = &mut stop => return stopped.map_err(Into::into),
                    () = tokio::time::sleep(pause) => {}
                }
                let Some(tick) = ticks.next() else { break };
                server.set_world(trace.world(tick)?);
                counts()?;
                say(moment(tick, &trace)?)?;
            }
            stop.await.map_err(Box::<dyn std::error::Error>::from)
        })?;
        Ok(counts()?)
    }
}

impl Bench {
    fn run(self) -> Result<(), Box<dyn std::error::Error>> {
        let binary = given_or_release(self.binary)?;
        let options = bench::Options {
            sizes: self.sizes,
            runs: self.runs.into(),
            scenarios: self.scenario,
            peers: !self.without_peers,
            binary,
            before: self.before.as_deref().map(absolute).transpose()?,
            scratch: self.scratch,
            helper: std::env::current_exe()?,
        };
        let tell = |line: &str| {
            let _ = writeln!(io::stderr(), "{line}");
        };
        let results = bench::run(&options, &tell)?;
        results.write(&self.output)?;
        let missed = match results.missed() {
            0 => "no goals missed".to_owned(),
            1 => "1 goal missed".to_owned(),
            several => format!("{several} goals missed"),
        };
        Ok(say(format_args!("{}\n{missed}; wrote {}", results.markdown(), self.output.display()))?)
    }
}

impl Dist {
    fn run(self) -> Result<(), Box<dyn std::error::Error>> {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..").canonicalize()?;
        Ok(dist::run(&root, &self.target, self.tag.as_deref())?)
    }
}

impl Keystrokes {
    fn run(self) -> Result<(), Box<dyn std::error::Error>> {
        let binary = self.binary.map_or_else(release, Ok)?;
        Ok(say(bench::keystrokes(&binary, self.size, self.runs)?)?)
    }
}

impl Limits {
    fn run(self) -> Result<(), Box<dyn std::error::Error>> {
        let tell = |line: &str| {
            let _ = writeln!(io::stderr(), "{line}");
        };
        let table = limits::measure(&given_or_release(self.binary)?, &std::env::current_exe()?, &tell)?;
        std::fs::write(&self.output, table)?;
        Ok(say(format_args!("wrote {}", self.output.display()))?)
    }
}

impl Screenshots {
    fn run(self) -> Result<(), Box<dyn std::error::Error>> {
        screenshots::take(&given_or_release(self.binary)?, &self.output)?;
        Ok(say(format_args!("wrote {}", self.output.display()))?)
    }
}

fn given_or_release(binary: Option<PathBuf>) -> Result<PathBuf, Box<dyn std::error::Error>> {
    let binary = match binary {
        Some(binary) => binary,
        None => release()?,
    };
    absolute(&binary)
}

fn absolute(path: &Path) -> Result<PathBuf, Box<dyn std::error::Error>> {
    Ok(path.canonicalize().map_err(|why| format!("{}: {why}", path.display()))?)
}

/// Builds the release binary as a user's cargo would, and returns its path.
fn release() -> Result<PathBuf, Box<dyn std::error::Error>> {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let built = Command::new(cargo)
        .current_dir(&root)
        .args(["build", "--release", "--package", "shelflife", "--bin", "shelflife"])
        .status()?;
    if !built.success() {
        return Err("can't build the release binary".into());
    }
    let target = std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root.join("target"), PathBuf::from);
    Ok(target.join("release/shelflife"))
}

impl DoFloor {
    fn run(self) -> Result<(), Box<dyn std::error::Error>> {
        let tally = bench::floor::run(self.floor, &self.folder, &self.list, self.pack.as_deref())?;
        Ok(say(tally)?)
    }
}

impl Measure {
    fn run(self) -> Result<bool, Box<dyn std::error::Error>> {
        let (numbers, success) = bench::measure(&self.program, &self.arguments)?;
        say(numbers)?;
        Ok(success)
    }
}

fn moment(tick: u32, trace: &Trace) -> Result<String, Box<dyn std::error::Error>> {
    Ok(format!("# tick {tick}, {}", trace.time(tick)?))
}

fn summary(counts: &Counts) -> String {
    format!(
        "# so far: {} GraphQL requests ({} for repositories, {} for files, {} invalid), {} for exports ({} not \
         modified), {} REST, {} bytes",
        counts.graphql,
        counts.repositories,
        counts.files,
        counts.invalid_documents,
        counts.exports,
        counts.exports_not_modified,
        counts.rest,
        counts.bytes,
    )
}
