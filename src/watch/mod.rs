//! Watch mode: events in, builds, a server that shows what came of it.
//!
//! The loop and its builds have a thread of their own; the server goes on meanwhile. What the loop knows of building
//! is the trait [`Build`].

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

/// How long a build that is under way at the end may take to come to its own. One that is cut off leaves every
/// output and the cache whole, too.
const PATIENCE: Duration = Duration::from_secs(1);
/// The stack of the loop's thread: what the main thread has, in which other builds run.
const STACK: usize = 8 << 20;
/// Where the server listens, unless it is told otherwise: where nobody else can reach it.
const HOST: &str = "127.0.0.1";

/// How to watch.
#[derive(Debug, Clone)]
pub struct Options {
    /// The address to listen at; that of this machine for itself if there is none.
    pub host: Option<String>,
    /// The port; 0 for a free one. Without one, the first free one from 4000 on.
    pub port: Option<u16>,
    /// The configuration file, where it is not shelflife.toml in the site's folder.
    pub settings: Option<PathBuf>,
    /// The least time between two refreshes of facts.
    pub rest: Duration,
}

/// What a build was for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Cause {
    /// To begin with.
    Start,
    /// Files have changed.
    Files {
        /// One of them, relative to the site where it is in there.
        first: String,
        /// Whether it is gone.
        is_gone: bool,
        /// How many they are.
        count: usize,
    },
    /// To see whether something has changed of which nothing told.
    Look,
    /// To have newer facts.
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

/// What there is to say.
#[derive(Debug)]
pub enum News<'a> {
    /// The server listens.
    Serving {
        /// Where the site is.
        url: &'a str,
        /// The port that was tried first and is taken.
        taken: Option<u16>,
    },
    /// The site was built.
    Built {
        /// What for.
        cause: &'a Cause,
        /// What was done.
        built: &'a Built,
        /// The time since the change.
        took: Duration,
        /// Whether the build before had failed.
        mended: bool,
    },
    /// The site could not be built, and is as it was.
    Failed {
        /// What it would have been built for.
        cause: &'a Cause,
        /// Why.
        error: &'a miette::Report,
        /// The time since the change.
        took: Duration,
    },
    /// Something that the maintainer should know.
    Warning(&'a str),
}

/// Told what happens.
pub trait Tell: Send + Sync {
    /// Something has happened.
    fn tell(&self, news: &News<'_>);
}

/// Builds the site, serves it, and builds it again whenever it changes, until the process is asked to end
/// (Ctrl-C, `SIGTERM`).
///
/// # Errors
///
/// When the server can't listen. What is wrong with the site is told and shown, and
/// is no error.
pub fn watch<B: Build + 'static>(builder: B, options: &Options, tell: &Arc<dyn Tell>) -> miette::Result<()> {
    let host = options.host.as_deref().unwrap_or(HOST);
    let bound = server::bind(host, options.port)?;
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .into_diagnostic()
        .wrap_err("can't start the server")?;
    // From here on, a signal ends the loop below.
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
        .wrap_err("can't start the thread that builds")?;
    let hosts = Hosts { bound: bound.address.ip(), given: options.host.clone() };
    let result = runtime.block_on(async {
        tokio::select! {
            result = server::serve(bound.listener, live, hosts) => return result,
            _ = &mut ended => return Err(miette!(help = "start it again", "the builds have ended unexpectedly")),
            () = interrupted => {}
        }
        let _ = outbox.send(Message::Stop);
        let _ = tokio::time::timeout(PATIENCE, ended).await;
        Ok(())
    });
    // Pages hold their streams open for as long as they are.
    runtime.shutdown_background();
    result
}

/// How a browser calls the address.
fn name_of(host: &str, address: IpAddr) -> String {
    match (address, host.parse::<IpAddr>()) {
        (address, _) if address.is_unspecified() => HOST.to_owned(),
        (IpAddr::V6(address), Ok(_)) => format!("[{address}]"),
        _ => host.to_owned(),
    }
}

/// Ends when the process is asked to end. To be called in a runtime.
fn interruption() -> miette::Result<impl Future<Output = ()>> {
    let failed = "can't wait for signals";
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

/// shelflife.toml of the site in the folder `site`, unless another file is named.
fn settings_file(site: &Path, named: Option<&Path>) -> PathBuf {
    let path = named.map_or_else(|| site.join(FILE_NAME), Path::to_path_buf);
    std::path::absolute(&path).unwrap_or(path)
}
