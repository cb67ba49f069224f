//! Seeding: restores histories that the cache has lost from the published site.

use std::collections::BTreeSet;
use std::ffi::OsStr;
use std::fs::File;
use std::io::{ErrorKind, Read as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use miette::{Diagnostic, IntoDiagnostic as _, WrapErr as _, miette};
use reqwest::header::HeaderMap;
use reqwest::{Method, StatusCode};
use serde::Deserialize;
use thiserror::Error;
use tokio::select;
use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use url::Url;

use crate::cache::{Cache, CacheError};
use crate::entry::is_stem;
use crate::history::{Day, History, Published};
use crate::report;
use crate::source::http::{Http, HttpError, IfTooMuch, Request, Verdict};
use crate::source::{Endpoint, Metrics};
use crate::url_path::segment;

/// A file of every published site, with or without histories.
const SIGN: &str = "plugins.json";
/// The index of a published site's plugins.
const INDEX: &str = "api/v1/plugins.json";
/// The largest index that is read, in bytes.
const MAX_INDEX: usize = 64 * 1024 * 1024;
/// The largest history that is read, in bytes: a hundred years of all measures take a fraction of it.
const MAX_HISTORY: usize = 1024 * 1024;
/// How many histories are fetched at once.
const IN_FLIGHT: usize = 8;
/// How many failures are listed.
const LISTED: usize = 5;

/// The path of a plugin's history, below a published site's root.
fn place_of(stem: &str) -> String {
    format!("api/v1/plugins/{stem}/history.json")
}

/// The location of a published site.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Place {
    /// A folder, such as the output folder.
    Folder(PathBuf),
    /// An address, which ends with a slash.
    Web(Url),
}

impl Place {
    /// Parses an argument: an address that begins with `https://` or `http://`, or else a folder.
    ///
    /// # Errors
    ///
    /// When it is neither; the error says what was expected.
    pub fn of(given: &OsStr) -> miette::Result<Self> {
        // A name that is not UTF-8 can't be an address.
        let text = given.to_str().unwrap_or_default();
        let is_web =
            |scheme: &str| text.get(..scheme.len()).is_some_and(|start| start.eq_ignore_ascii_case(scheme));
        if !is_web("https://") && !is_web("http://") {
            let folder = PathBuf::from(given);
            if folder.is_dir() {
                return Ok(Self::Folder(folder));
            }
            return Err(miette!(
                help = "give the URL of the published site, such as https://plugins.example.org, or a folder that \
                        it was published into",
                "{} is not a folder",
                folder.display()
            ));
        }
        let mut url = Url::parse(text).into_diagnostic().wrap_err("invalid URL")?;
        // The message doesn't repeat the URL, because it would show the password.
        if !url.username().is_empty() || url.password().is_some() {
            return Err(miette!(
                help = "give the URL without them",
                "the URL contains a user name or a password"
            ));
        }
        url.set_query(None);
        url.set_fragment(None);
        if !url.path().ends_with('/') {
            url.set_path(&format!("{}/", url.path()));
        }
        Ok(Self::Web(url))
    }

    /// The location as shown to people.
    pub fn told(&self) -> String {
        match self {
            Self::Folder(folder) => folder.display().to_string(),
            Self::Web(url) => url.to_string(),
        }
    }
}

/// What was read from a published site.
#[derive(Debug, Default)]
pub struct Found {
    /// Packed histories by the plugin's id in lower case.
    histories: Vec<(String, Vec<u8>)>,
    /// The number of plugins of the site.
    pub plugins: usize,
    /// How many of them have no history file.
    pub without: usize,
    /// The histories that could not be read though they may exist, each with the reason.
    pub unread: Vec<String>,
    /// The invalid histories, which are skipped, each with what is wrong with it.
    pub wrong: Vec<String>,
}

/// Why the published histories can't be read.
#[derive(Debug, Error, Diagnostic)]
pub enum SeedError {
    /// There is no index of plugins.
    #[error("{place} has no {INDEX}")]
    #[diagnostic(help("give the root of a site that was published with `outputs.api`"))]
    NoIndex {
        /// The location that was tried.
        place: String,
        /// Whether a site is published there nevertheless.
        is_published: bool,
    },
    /// The host does not exist, although names can be resolved.
    #[error("can't read the plugin index of {place}: unknown host {host}")]
    NoHost {
        /// The location that was tried.
        place: String,
        /// The host's name.
        host: String,
    },
    /// The index can't be read, or is invalid.
    #[error("can't read the plugin index of {place}: {reason}")]
    Unreadable {
        /// The location that was tried.
        place: String,
        /// What happened.
        reason: String,
    },
    /// The caller had `enough`.
    #[error("reading the published histories was interrupted")]
    Stopped,
}

/// How to read a published site.
#[derive(Debug, Clone, Copy)]
pub struct Manner<'a> {
    /// The day of the latest valid observations.
    pub today: Day,
    /// How long to wait for a server that asks to retry later.
    pub patience: Duration,
    /// An address whose host is known to exist: if it can't be resolved either, the network is down.
    pub witness: &'a Url,
}

/// The result of adding published histories to a cache.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Taken {
    /// How many plugins gained observations.
    pub plugins: usize,
    /// How many observations were new.
    pub observations: usize,
}

/// The members of the index that are used.
#[derive(Deserialize)]
struct Index {
    plugins: Vec<Listed>,
}

#[derive(Deserialize)]
struct Listed {
    id: String,
}

/// A file's content: `None` if there is none.
type Read = Result<Option<Vec<u8>>, String>;

/// Reads every history that is published at `place`, until `enough` completes.
///
/// # Errors
///
/// When the index of plugins is missing, unreadable or invalid, or `enough` completed first.
pub fn find(
    place: &Place,
    manner: Manner<'_>,
    enough: impl Future<Output = ()>,
    progress: &(dyn Fn(usize, usize) + Sync),
) -> Result<Found, SeedError> {
    match place {
        Place::Folder(folder) => in_folder(folder, manner.today, progress),
        Place::Web(url) => {
            let failed = |reason: String| SeedError::Unreadable { place: place.told(), reason };
            let http = Http::new(Arc::new(Metrics::default()), &[url], manner.patience, MAX_INDEX)
                .map_err(|error| failed(error.to_string()))?;
            let runtime = tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build()
                .map_err(|error| failed(error.to_string()))?;
            runtime.block_on(async {
                select! {
                    found = at_address(&http, url, manner, progress) => found,
                    () = enough => Err(SeedError::Stopped),
                }
            })
        }
    }
}

fn in_folder(
    folder: &Path,
    today: Day,
    progress: &(dyn Fn(usize, usize) + Sync),
) -> Result<Found, SeedError> {
    let place = Place::Folder(folder.to_path_buf());
    let index = read_file(&folder.join(INDEX), MAX_INDEX);
    let stems = stems(index, &place, folder.join(SIGN).exists())?;
    let mut found = Found { plugins: stems.len(), ..Found::default() };
    for (done, stem) in stems.iter().enumerate() {
        found.add(stem, read_file(&folder.join(place_of(stem)), MAX_HISTORY), today);
        progress(done + 1, stems.len());
    }
    Ok(found)
}

async fn at_address(
    http: &Http,
    site: &Url,
    manner: Manner<'_>,
    progress: &(dyn Fn(usize, usize) + Sync),
) -> Result<Found, SeedError> {
    let place = Place::Web(site.clone());
    let index = read_address(http, site, INDEX, MAX_INDEX).await;
    if index.is_err()
        && let Some(host) = unknown_host(site, manner.witness).await
    {
        return Err(SeedError::NoHost { place: place.told(), host });
    }
    let is_published = match &index {
        Ok(None) => read_address(http, site, SIGN, MAX_INDEX)
            .await
            .map_err(|reason| SeedError::Unreadable { place: place.told(), reason })?
            .is_some(),
        _ => true,
    };
    let stems = stems(index, &place, is_published)?;
    let mut found = Found { plugins: stems.len(), ..Found::default() };
    let total = stems.len();
    let in_flight = Arc::new(Semaphore::new(IN_FLIGHT));
    let mut tasks = JoinSet::new();
    for stem in stems {
        let (http, site, in_flight) = (http.clone(), site.clone(), Arc::clone(&in_flight));
        tasks.spawn(async move {
            let _permit = in_flight.acquire_owned().await;
            let read = read_address(&http, &site, &place_of(&segment(&stem)), MAX_HISTORY).await;
            (stem, read)
        });
    }
    let mut done = 0;
    while let Some(result) = tasks.join_next().await {
        done += 1;
        progress(done, total);
        if let Ok((stem, read)) = result {
            found.add(&stem, read, manner.today);
        }
    }
    found.unread.sort_unstable();
    found.wrong.sort_unstable();
    Ok(found)
}

/// How glibc, musl, macOS and Windows say that a host does not exist. Any other error, such as a name server that does
/// not answer, proves nothing.
const NO_HOST: [&str; 6] = [
    "Name or service not known",
    "No address associated with hostname",
    "Name does not resolve",
    "Name has no usable address",
    "nodename nor servname provided, or not known",
    "No such host is known",
];

/// The name of a site's host if it does not exist although the witness's host can be resolved.
async fn unknown_host(site: &Url, witness: &Url) -> Option<String> {
    let is_there = async |url: &Url| {
        let host = url.host_str().unwrap_or_default().trim_matches(['[', ']']);
        let address = (host, url.port_or_known_default().unwrap_or_default());
        tokio::net::lookup_host(address).await.map(|mut found| found.next().is_some())
    };
    let is_unknown = match is_there(site).await {
        Ok(is_there) => !is_there,
        Err(error) => says_no_host(&error),
    };
    let is_unknown = is_unknown && is_there(witness).await.unwrap_or_default();
    site.host_str().filter(|_| is_unknown).map(str::to_owned)
}

fn says_no_host(error: &std::io::Error) -> bool {
    let said = error.to_string();
    NO_HOST.iter().any(|words| said.contains(words))
}

/// The stems of the plugins that an index lists.
fn stems(index: Read, place: &Place, is_published: bool) -> Result<Vec<String>, SeedError> {
    let place = place.told();
    let wrong = |reason: String| SeedError::Unreadable { place: place.clone(), reason };
    let index =
        index.map_err(wrong)?.ok_or_else(|| SeedError::NoIndex { place: place.clone(), is_published })?;
    let Index { plugins } = serde_json::from_slice(&index).map_err(|error| wrong(error.to_string()))?;
    let mut stems: Vec<String> = plugins.into_iter().map(|plugin| plugin.id).collect();
    // They become parts of paths and addresses.
    if let Some(stem) = stems.iter().find(|stem| !is_stem(stem)) {
        return Err(wrong(format!("invalid plugin name `{}`", stem.escape_default())));
    }
    stems.sort_unstable();
    stems.dedup();
    Ok(stems)
}

impl Found {
    fn add(&mut self, stem: &str, read: Read, today: Day) {
        let published = match read {
            Ok(None) => {
                self.without += 1;
                return;
            }
            Ok(Some(json)) => Published::read(&json, stem, today),
            Err(reason) => {
                self.unread.push(format!("{stem}: {reason}"));
                return;
            }
        };
        match published {
            Ok(published) => self.histories.push((published.id.to_lowercase(), published.history.pack())),
            Err(unfit) => self.wrong.push(format!("{stem}: {unfit}")),
        }
    }

    /// Why a part of the published histories may be missing here; `None` if every valid one was read.
    pub fn shortfall(&self) -> Option<String> {
        let files = |count: usize| report::count(count, "history");
        if let Some(first) = self.unread.first() {
            return Some(format!("{} could not be read; the first: {first}", files(self.unread.len())));
        }
        // A few files may be invalid; if all are, something is wrong with the source.
        let first = self.wrong.first().filter(|_| self.histories.is_empty())?;
        let which = if self.wrong.len() == 1 { "it is invalid" } else { "all are invalid; the first" };
        Some(format!("found {}, but {which}: {first}", files(self.wrong.len())))
    }

    /// Adds the histories to those of a cache, which wins where both have an observation for a day. If the read was
    /// complete, no further seeding is due.
    ///
    /// # Errors
    ///
    /// When the cache can't be read or written.
    pub fn take_over(&self, cache: &Cache) -> Result<Taken, CacheError> {
        let mut taken = Taken::default();
        let mut known = cache.histories()?;
        let mut changed = BTreeSet::new();
        for (id, packed) in &self.histories {
            let of = |packed: &[u8]| History::unpack(packed).unwrap_or_default();
            let mut history = known.get(id).map(|packed| of(packed)).unwrap_or_default();
            let added = history.merge(&of(packed));
            if added > 0 {
                taken.observations += added;
                known.insert(id.clone(), history.pack().into());
                changed.insert(id.as_str());
            }
        }
        taken.plugins = changed.len();
        cache.set_histories(changed.into_iter().filter_map(|id| Some((id, &**known.get(id)?))))?;
        cache.set_seeding_due(self.shortfall().is_some())?;
        cache.commit()?;
        Ok(taken)
    }

    /// What is wrong with histories that were not taken over: a line for each of the first, and one for the rest.
    pub fn warnings(&self) -> Vec<String> {
        let all: Vec<&String> = self.unread.iter().chain(&self.wrong).collect();
        let mut lines: Vec<String> = all.iter().take(LISTED).map(|line| (*line).clone()).collect();
        if all.len() > LISTED {
            lines.push(format!("and {} more", all.len() - LISTED));
        }
        lines
    }
}

fn read_file(path: &Path, most: usize) -> Read {
    // Checked before it is opened, because opening a named pipe blocks until a writer opens it.
    match std::fs::metadata(path) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error.to_string()),
        Ok(metadata) if !metadata.is_file() => return Err("not a regular file".to_owned()),
        Ok(_) => {}
    }
    let mut content = Vec::new();
    let read = File::open(path).and_then(|file| file.take(most as u64 + 1).read_to_end(&mut content));
    read.map_err(|error| error.to_string())?;
    bounded(content, most).map(Some)
}

async fn read_address(http: &Http, site: &Url, path: &str, most: usize) -> Read {
    let request = Request {
        endpoint: Endpoint::PublishedHistory,
        method: Method::GET,
        url: site.join(path).map_err(|error| error.to_string())?,
        headers: HeaderMap::new(),
        body: None,
        judge: |_| Verdict::Sound,
        if_too_much: IfTooMuch::Repeat,
    };
    match http.send(&request).await {
        Ok(reply) => bounded(reply.body, most).map(Some),
        Err(HttpError::Status { status: StatusCode::NOT_FOUND | StatusCode::GONE, .. }) => Ok(None),
        Err(error) => Err(error.to_string()),
    }
}

fn bounded(content: Vec<u8>, most: usize) -> Result<Vec<u8>, String> {
    if content.len() > most {
        return Err(format!("larger than {} KiB", most / 1024));
    }
    Ok(content)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_of_the_web_or_a_folder() {
        let url = |given: &str| match Place::of(given.as_ref()) {
            Ok(Place::Web(url)) => url.to_string(),
            other => panic!("{other:?}"),
        };
        assert_eq!(url("https://plugins.example"), "https://plugins.example/");
        assert_eq!(url("HTTP://plugins.example:8000/sub?x#y"), "http://plugins.example:8000/sub/");
        assert_eq!(Place::of(".".as_ref()).unwrap(), Place::Folder(PathBuf::from(".")));
        for wrong in ["https://", "https://me:secret@plugins.example", "nowhere/at/all", "ftp://x.example"] {
            let error = Place::of(wrong.as_ref()).unwrap_err().to_string();
            assert!(!error.contains("secret"), "{error}");
        }
    }

    #[test]
    fn a_name_server_in_trouble_says_nothing_about_a_host() {
        for (said, is_none) in [
            ("failed to lookup address information: Name or service not known", true),
            ("failed to lookup address information: Name does not resolve", true),
            ("No such host is known. (os error 11001)", true),
            ("failed to lookup address information: Temporary failure in name resolution", false),
            ("failed to lookup address information: Try again", false),
            ("failed to lookup address information: Non-recoverable failure in name resolution", false),
        ] {
            assert_eq!(says_no_host(&std::io::Error::other(said)), is_none, "{said}");
        }
    }

    #[test]
    fn an_index_that_names_what_can_be_no_plugin_is_not_believed() {
        let place = Place::Folder(PathBuf::from("x"));
        let read = |json: &str| stems(Ok(Some(json.as_bytes().to_vec())), &place, true);
        assert_eq!(
            read("{\"plugins\": [{\"id\": \"b\", \"x\": 1}, {\"id\": \"a\"}, {\"id\": \"b\"}]}").unwrap(),
            ["a", "b"]
        );
        for json in ["", "[]", "{\"plugins\": [\"a\"]}", "{\"plugins\": [{\"id\": \"../../etc/x\"}]}"] {
            assert!(read(json).is_err(), "{json}");
        }
        assert!(
            stems(Ok(None), &place, false).unwrap_err().to_string().contains("has no api/v1/plugins.json")
        );
    }
}
