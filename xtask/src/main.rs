//! The command line of the chores: one subcommand each, of which the library does the work.

use std::ffi::OsString;
use std::fmt::Display;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};
use std::time::Duration;

use clap::{Parser, Subcommand};
use jiff::SignedDuration;
use shelflife_testkit::replay::{Counts, Options, Schema, Server, Trace, Window};
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
    Measure(Measure),
}

/// Serve GitHub and the usage exports on loopback, as they stood at a tick of a trace, until Ctrl-C.
#[derive(clap::Args)]
struct Replay {
    /// The trace's folder, with `ticks/` and `sources.bundle` in it.
    trace: PathBuf,
    /// The tick to begin with. By default the first.
    #[arg(long)]
    tick: Option<u32>,
    /// The port on 127.0.0.1. 0 takes a free one.
    #[arg(long, default_value_t = 0)]
    port: u16,
    /// How long each request waits before it is answered, such as `100ms`.
    #[arg(long, default_value = "0s", value_parser = duration)]
    latency: Duration,
    /// GitHub's GraphQL schema, to refuse documents that aren't valid by it.
    #[arg(long, value_name = "FILE")]
    schema: Option<PathBuf>,
    /// A folder with `_plugins` and `_data`, in place of the trace's `sources.bundle`.
    #[arg(long, value_name = "FOLDER")]
    sources: Option<PathBuf>,
    /// Move on to the next tick after so long, such as `10s`, and stay at the last.
    #[arg(long, value_name = "DURATION", value_parser = duration)]
    advance_every: Option<Duration>,
}

/// Measure the release binary on generated registries, in turn with its peers: hugo, jekyll and git where installed.
#[derive(clap::Args)]
struct Bench {
    /// How many entries each registry has.
    #[arg(long, value_delimiter = ',', default_value = "250,10000,50000")]
    sizes: Vec<usize>,
    /// How often each scenario runs, after one run that isn't counted.
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u16).range(1..))]
    runs: u16,
    /// Only these. By default all.
    #[arg(long, value_name = "NAME", num_args = 1..)]
    scenario: Vec<Scenario>,
    /// Where benchmarks.md, benchmarks.json and benchmarks.svg are written.
    #[arg(long, value_name = "FOLDER", default_value = "target/bench")]
    output: PathBuf,
    /// Don't run other programs.
    #[arg(long)]
    without_peers: bool,
    /// Measure this binary. By default the release binary, which is built first.
    #[arg(long, value_name = "PATH")]
    binary: Option<PathBuf>,
}

/// Give everything that strangers write to a fuzzer, and stop at the first input that something fails on.
#[derive(clap::Args)]
struct Fuzz {
    /// Only these. By default all.
    #[arg(value_name = "TARGET", value_parser = clap::builder::PossibleValuesParser::new(fuzz::TARGETS))]
    targets: Vec<String>,
    /// How many seconds each runs.
    #[arg(long, default_value_t = 60, value_parser = clap::value_parser!(u32).range(1..))]
    seconds: u32,
}

/// Build the program for a target as releases have it, check what they promise of it, and pack it below target/dist.
#[derive(clap::Args)]
struct Dist {
    /// The target, such as x86_64-unknown-linux-musl, whose standard library rustup has installed.
    target: String,
    /// The release's tag, which must be `v` and the version in Cargo.toml.
    #[arg(long)]
    tag: Option<String>,
}

/// Measure in Chromium how long it takes from a keystroke to the list of plugins that fit, and write it as JSON.
#[derive(clap::Args)]
struct Keystrokes {
    /// How many plugins there are.
    #[arg(long, default_value_t = 10_000)]
    size: usize,
    /// How often each word is typed.
    #[arg(long, default_value_t = 5)]
    runs: usize,
    /// Build with this binary. By default the release binary, which is built first.
    #[arg(long, value_name = "PATH")]
    binary: Option<PathBuf>,
}

/// Measure what the worst input costs that each limit lets through, and write the table.
#[derive(clap::Args)]
struct Limits {
    /// Where it is written.
    #[arg(long, value_name = "FILE", default_value = "docs/limits.md")]
    output: PathBuf,
    /// Measure this binary. By default the release binary, which is built first.
    #[arg(long, value_name = "PATH")]
    binary: Option<PathBuf>,
}

/// Take the README's pictures of the sample in Chromium.
#[derive(clap::Args)]
struct Screenshots {
    /// Where they are written.
    #[arg(long, value_name = "FOLDER", default_value = "docs/screenshots")]
    output: PathBuf,
    /// Build with this binary. By default the release binary, which is built first.
    #[arg(long, value_name = "PATH")]
    binary: Option<PathBuf>,
}

/// Run a program, and write how long it ran and what memory it held to standard output, as JSON.
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
        for target in targets {
            say(fuzz::run(&root, &programs, &target, self.seconds)?)?;
        }
        Ok(())
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
            None => ticks.next().ok_or("the trace has no tick")?,
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
            helper: std::env::current_exe()?,
        };
        let tell = |line: &str| {
            let _ = writeln!(io::stderr(), "{line}");
        };
        let results = bench::run(&options, &tell)?;
        results.write(&self.output)?;
        let missed = match results.missed() {
            0 => "no goal was missed".to_owned(),
            1 => "1 goal was missed".to_owned(),
            several => format!("{several} goals were missed"),
        };
        Ok(say(format_args!("{}\n{missed}; written to {}", results.markdown(), self.output.display()))?)
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
        Ok(say(format_args!("written to {}", self.output.display()))?)
    }
}

impl Screenshots {
    fn run(self) -> Result<(), Box<dyn std::error::Error>> {
        screenshots::take(&given_or_release(self.binary)?, &self.output)?;
        Ok(say(format_args!("written to {}", self.output.display()))?)
    }
}

fn given_or_release(binary: Option<PathBuf>) -> Result<PathBuf, Box<dyn std::error::Error>> {
    let binary = match binary {
        Some(binary) => binary,
        None => release()?,
    };
    Ok(binary.canonicalize().map_err(|why| format!("{}: {why}", binary.display()))?)
}

/// Builds the release binary, as everyone's cargo would, and returns where it is.
fn release() -> Result<PathBuf, Box<dyn std::error::Error>> {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let built = Command::new(cargo)
        .current_dir(&root)
        .args(["build", "--release", "--package", "shelflife", "--bin", "shelflife"])
        .status()?;
    if !built.success() {
        return Err("the release binary can't be built".into());
    }
    let target = std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root.join("target"), PathBuf::from);
    Ok(target.join("release/shelflife"))
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
        "# so far: {} GraphQL requests ({} for repositories, {} for files, {} invalid), {} for exports ({} not modified), \
         {} REST, {} bytes",
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
