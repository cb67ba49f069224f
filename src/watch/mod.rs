//! Watch mode: file events trigger builds, and a server shows the results.
//!
//! The loop and its builds run on their own thread, so that the server never waits for them. The loop sees builds only
//! through the trait [`Build`].

mod address;
mod builder;
mod events;
mod files;
mod host;
mod live;
mod page;
mod places;
mod server;
mod survey;
mod turns;

use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::sync::{Arc, mpsc};
use std::time::Duration;

use miette::{IntoDiagnostic as _, WrapErr as _, miette};
use tokio::sync::oneshot;

use crate::build::Built;
use crate::config::{FILE_NAME, Paths};

pub use builder::{Asking, Build, Changes, InProcess};

use events::{Events, Message};
use host::Hosts;
use live::{Live, Site};
use turns::Turns;

/// How long a running build may take to finish when the program ends. A build that is cut off leaves every output and
/// the cache intact.
const PATIENCE: Duration = Duration::from_secs(1);
/// The stack size of the loop's thread, in bytes: that of the main thread, on which other builds run.
const STACK: usize = 8 << 20;
/// The default address of the server, which other machines can't reach.
const HOST: &str = "127.0.0.1";

/// The options of watch mode.
#[derive(Debug, Clone)]
pub struct Options {
    /// The address to listen on; the loopback address if `None`.
    pub host: Option<String>,
    /// The port, or 0 for any free port. If `None`, the first free port from 4000.
    pub port: Option<u16>,
    /// The configuration file, if it is not shelflife.toml in the site's folder.
    pub settings: Option<PathBuf>,
    /// The shortest time between two refreshes of facts.
    pub rest: Duration,
}

/// The reason for a build.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Cause {
    /// The first build.
    Start,
    /// Files have changed.
    Files {
        /// One of them, relative to the site if it is inside.
        first: String,
        /// Whether it was removed.
        is_gone: bool,
        /// The number of files.
        count: usize,
    },
    /// To find changes that no event reported.
    Look,
    /// To refresh facts.
    Facts,
}

impl Cause {
    fn of(changes: &Changes, paths: &Paths) -> Self {
        let Some(first) = changes.files.first() else { return Self::Look };
        let name = first.strip_prefix(&paths.site).unwrap_or(first).to_string_lossy();
        let first_name = name.replace(std::path::MAIN_SEPARATOR, "/");
        Self::Files { first: first_name, is_gone: !first.exists(), count: changes.files.len() }
    }
}

/// An event to report to the user.
#[derive(Debug)]
pub enum News<'a> {
    /// The server listens.
    Serving {
        /// The URL of the site.
        url: &'a str,
        /// The default port, if it is taken.
        taken: Option<u16>,
    },
    /// The site was built.
    Built {
        /// The reason for the build.
        cause: &'a Cause,
        /// The result.
        built: &'a Built,
        /// The time since the change.
        took: Duration,
        /// Whether the previous build failed.
        recovered: bool,
    },
    /// The build failed; the published site is unchanged.
    Failed {
        /// The reason for the build.
        cause: &'a Cause,
        /// The error.
        error: &'a miette::Report,
        /// The time since the change.
        took: Duration,
    },
    /// A warning for the maintainer.
    Warning(&'a str),
}

/// Receives the events of watch mode.
pub trait Tell: Send + Sync {
    /// Reports an event.
    fn tell(&self, news: &News<'_>);
}

/// Builds and serves the site, and rebuilds it on every change, until the process is interrupted (Ctrl-C, `SIGTERM`).
///
/// # Errors
///
/// If the server can't listen. Errors of the site are reported and shown in the browser instead.
pub fn watch<B: Build + 'static>(builder: B, options: &Options, tell: &Arc<dyn Tell>) -> miette::Result<()> {
    let host = options.host.as_deref().unwrap_or(HOST);
    let bound = server::bind(host, options.port)?;
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .into_diagnostic()
        .wrap_err("can't start the server")?;
    // From here on, signals are handled by the loop below.
    let interrupted = runtime.block_on(async { interruption() })?;

    let site = Site::of(builder.config());
    let url =
        format!("http://{}:{}{}/", name_of(host, bound.address.ip()), bound.address.port(), site.base_path);
    let live = Arc::new(Live::new(site));
    let (outbox, inbox) = mpsc::channel();
    let events = Events::new(inbox, outbox.clone(), events::system);
    let settings = settings_file(&builder.config().paths.site, options.settings.as_deref());
    let turns = Turns::new(builder, events, Arc::clone(&live), Arc::clone(tell), settings, options.rest);
    let taken = if options.port.is_none() { server::taken_instead(bound.address.port()) } else { None };
    tell.tell(&News::Serving { url: &url, taken });

    let (ending, mut ended) = oneshot::channel::<()>();
    let run = move || {
        turns.run();
        drop(ending);
    };
    std::thread::Builder::new()
        .name("watch".to_owned())
        .stack_size(STACK)
        .spawn(run)
        .into_diagnostic()
        .wrap_err("can't start the build thread")?;
    let hosts = Hosts { bound: bound.address.ip(), given: options.host.clone() };
    let result = runtime.block_on(async {
        tokio::select! {
            result = server::serve(bound.listener, live, hosts) => return result,
            _ = &mut ended => {
                return Err(miette!(
                    help = "restart `shelflife watch`",
                    "the build thread stopped unexpectedly"
                ));
            }
            () = interrupted => {}
        }
        let _ = outbox.send(Message::Stop);
        let _ = tokio::time::timeout(PATIENCE, ended).await;
        Ok(())
    });
    // Open pages keep their event streams open, so don't wait for them.
    runtime.shutdown_background();
    result
}

/// The host to use in the URL.
fn name_of(host: &str, address: IpAddr) -> String {
    match (address, host.parse::<IpAddr>()) {
        (address, _) if address.is_unspecified() => HOST.to_owned(),
        (IpAddr::V6(address), Ok(_)) => format!("[{address}]"),
        _ => host.to_owned(),
    }
}

/// Returns a future that ends when the process is interrupted. Must be called in a runtime.
fn interruption() -> miette::Result<impl Future<Output = ()>> {
    let failed = "can't install signal handlers";
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        let mut interrupt = signal(SignalKind::interrupt()).into_diagnostic().wrap_err(failed)?;
        let mut terminate = signal(SignalKind::terminate()).into_diagnostic().wrap_err(failed)?;
        Ok(async move {
            tokio::select! {
                _ = interrupt.recv() => {}
                _ = terminate.recv() => {}
            }
        })
    }
    #[cfg(not(unix))]
    {
        let _ = failed;
        Ok(async {
            let _ = tokio::signal::ctrl_c().await;
        })
    }
}

/// The configuration file of the site in `site`: `named`, or else its shelflife.toml.
fn settings_file(site: &Path, named: Option<&Path>) -> PathBuf {
    let path = named.map_or_else(|| site.join(FILE_NAME), Path::to_path_buf);
    std::path::absolute(&path).unwrap_or(path)
}
