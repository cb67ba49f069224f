//! The command line of the chores: one subcommand each, of which the library does the work.

use std::fmt::Display;
use std::io::{self, Write as _};
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use clap::{Parser, Subcommand};
use jiff::SignedDuration;
use xtask::replay::{Counts, Options, Schema, Server, Trace, Window};

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

fn duration(text: &str) -> Result<Duration, String> {
    let span: SignedDuration = text.parse().map_err(|why: jiff::Error| why.to_string())?;
    Duration::try_from(span).map_err(|_| "a duration can't be negative".into())
}

fn main() -> ExitCode {
    let Cli { chore: Chore::Replay(replay) } = Cli::parse();
    match replay.run() {
        Ok(()) => ExitCode::SUCCESS,
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
