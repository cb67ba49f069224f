//! Online checks of entries: whether repositories and archives exist, and what plugins' sources declare.
//!
//! GitHub is queried in batches, except for fresh facts in the cache. Answers are not stored, because a build records
//! histories along with them.

use std::collections::{BTreeMap, BTreeSet};
use std::future::pending;
use std::sync::Arc;

use miette::{IntoDiagnostic as _, WrapErr as _, miette};
use reqwest::StatusCode;
use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use url::Url;

use super::finding::{Found, Stretch};
use super::lint::Card;
use crate::cache::Cache;
use crate::config::Config;
use crate::fact::{Answer, ObjectId, RepositoryName, Subject};
use crate::plugin::DEFAULT_PYTHON;
use crate::python::{self, Role};
use crate::report::count;
use crate::rule::Rule;
use crate::source::http::Http;
use crate::source::{Demand, Metrics, Probe, Sources};
use crate::versions::Admitted;
use crate::yaml::quote;

/// The maximum number of URLs fetched at once.
const IN_FLIGHT: usize = 8;
/// The number of bytes that identify an archive.
const MAGIC: usize = 4;
/// The first bytes of zip files (<https://pkware.cachefly.net/webdocs/casestudies/APPNOTE.TXT>) and gzip files (RFC
/// 1952).
const ARCHIVES: [&[u8]; 2] = [b"PK\x03\x04", b"\x1f\x8b"];

/// The results of the online checks.
#[derive(Debug, Default)]
pub(super) struct Answers {
    pub(super) found: Vec<Found>,
    /// URLs that start with `http://` and also work with `https://`.
    pub(super) secure: BTreeSet<String>,
    /// Checks that could not be made.
    pub(super) notes: Vec<String>,
}

/// Checks entries, given by path.
///
/// # Errors
///
/// If no server can be reached.
pub(super) fn ask(
    config: &Config,
    cards: &BTreeMap<String, Card>,
    progress: &(dyn Fn(usize, usize) + Send + Sync),
) -> miette::Result<Answers> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.into_diagnostic().wrap_err("can't start the network runtime")?;
    runtime.block_on(async {
        let mut answers = Answers::default();
        look_at_addresses(config, cards, progress, &mut answers).await?;
        if config.github.token.is_some() {
            ask_github(config, cards, progress, &mut answers).await?;
        } else {
            let note = "set GITHUB_TOKEN to check what plugins' sources declare; the token must be able to read public \
                        repositories";
            answers.notes.push(note.to_owned());
        }
        Ok(answers)
    })
}

/// Why a URL is fetched.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Purpose {
    Archive,
    Source,
    /// To see if it works with https.
    Secure,
}

async fn look_at_addresses(
    config: &Config,
    cards: &BTreeMap<String, Card>,
    progress: &(dyn Fn(usize, usize) + Send + Sync),
    answers: &mut Answers,
) -> miette::Result<()> {
    let mut wanted: BTreeMap<(String, Purpose), Vec<Stretch>> = BTreeMap::new();
    for card in cards.values() {
        for (key, address, place) in &card.addresses {
            let mut want = |address: String, purpose| {
                wanted.entry((address, purpose)).or_default().push(place.clone());
            };
            match key.as_str() {
                "archive" => want(address.clone(), Purpose::Archive),
                "source" => want(address.clone(), Purpose::Source),
                _ => {}
            }
            if let Some(rest) = address.strip_prefix("http://") {
                want(format!("https://{rest}"), Purpose::Secure);
            }
        }
    }
    let github = [&config.github.graphql, &config.settings.github_server];
    let limit = config.settings.limits.answer_size;
    let http =
        Http::new(Arc::new(Metrics::default()), &github, config.fetch.max_wait, limit).into_diagnostic()?;
    let in_flight = Arc::new(Semaphore::new(IN_FLIGHT));
    let mut tasks = JoinSet::new();
    let total = wanted.len();
    for (address, purpose) in wanted.keys().cloned() {
        let (http, in_flight) = (http.clone(), Arc::clone(&in_flight));
        tasks.spawn(async move {
            let _permit = in_flight.acquire_owned().await;
            let probe = match Url::parse(&address) {
                Ok(url) => http.probe(&url, MAGIC).await,
                Err(error) => Probe::Refused(error.to_string()),
            };
            (address, purpose, probe)
        });
    }
    let mut probes = BTreeMap::new();
    while let Some(result) = tasks.join_next().await {
        if let Ok((address, purpose, probe)) = result {
            probes.insert((address, purpose), probe);
        }
        progress(probes.len(), total);
    }
    let reason = |probe: &Probe| match probe {
        Probe::Unreachable(reason) => Some(reason.clone()),
        _ => None,
    };
    let is_unreachable = |probe: &Probe| matches!(probe, Probe::Unreachable(_));
    // A single entry may name only hosts that don't exist, though the network works.
    if let Some(reason) = probes.values().next().and_then(reason)
        && probes.values().all(is_unreachable)
        && is_unreachable(&http.probe(&config.settings.github_server, 0).await)
    {
        return Err(miette!(
            help = "check without `--online`, or retry when the network is back",
            "can't reach any server: {reason}"
        ));
    }
    for ((address, purpose), probe) in probes {
        let places = wanted.remove(&(address.clone(), purpose)).unwrap_or_default();
        answers.judge(&address, purpose, &probe, places);
    }
    Ok(())
}

impl Answers {
    fn judge(&mut self, address: &str, purpose: Purpose, probe: &Probe, places: Vec<Stretch>) {
        let shown = quote(address);
        let (rule, message, help) = match (purpose, probe) {
            (Purpose::Secure, Probe::There(_)) => {
                let insecure = format!("http{}", address.trim_start_matches("https"));
                let message = format!("{} also works with https", quote(&insecure));
                self.secure.insert(insecure);
                (Rule::InsecureAddress, message, "write `https://`, or run `shelflife check --online --fix`")
            }
            (Purpose::Secure, _) => return,
            (Purpose::Archive, Probe::There(begin))
                if ARCHIVES.iter().any(|magic| begin.starts_with(magic)) =>
            {
                return;
            }
            (Purpose::Archive, Probe::There(_)) => {
                let help = "give the URL of a zip file, such as GitHub's archive of a branch or release";
                (Rule::ArchiveGone, format!("{shown} is not a zip file"), help)
            }
            (Purpose::Source, Probe::There(_)) => return,
            (_, Probe::Unreachable(reason)) => {
                self.notes.push(format!("can't reach {address}: {reason}"));
                return;
            }
            (_, Probe::Status(status)) if !is_gone(*status) => {
                self.notes.push(format!("{address} answered {status}"));
                return;
            }
            (Purpose::Archive, Probe::Status(status)) => {
                let help = "correct the URL: OctoPrint downloads the plugin from it";
                (Rule::ArchiveGone, format!("can't download {shown}: the server answered {status}"), help)
            }
            (Purpose::Source, Probe::Status(status)) => {
                let help = "correct the URL, or make the repository public";
                (
                    Rule::RepositoryGone,
                    format!("{shown} does not exist or is private: the server answered {status}"),
                    help,
                )
            }
            (Purpose::Archive, Probe::Refused(reason)) => {
                let help = "give a publicly reachable URL";
                (Rule::ArchiveGone, format!("can't download {shown}: {reason}"), help)
            }
            (Purpose::Source, Probe::Refused(reason)) => {
                let help = "give a publicly reachable URL";
                (Rule::RepositoryGone, format!("can't fetch {shown}: {reason}"), help)
            }
        };
        self.found.extend(places.into_iter().map(|place| Found {
            rule,
            place: Some(place),
            message: message.clone(),
            help: Some(help.to_owned()),
            fixable: rule == Rule::InsecureAddress,
        }));
    }
}

/// Whether a status means that the resource is missing or private, rather than that the server has problems.
fn is_gone(status: StatusCode) -> bool {
    matches!(
        status,
        StatusCode::NOT_FOUND | StatusCode::GONE | StatusCode::FORBIDDEN | StatusCode::UNAUTHORIZED
    )
}

/// Checks entries against the files in their repositories on GitHub.
async fn ask_github(
    config: &Config,
    cards: &BTreeMap<String, Card>,
    progress: &(dyn Fn(usize, usize) + Send + Sync),
    answers: &mut Answers,
) -> miette::Result<()> {
    let sources = Sources::new(config).into_diagnostic()?;
    let mut asked = Asked { config, sources, known: BTreeMap::new(), progress };
    let repository = |card: &Card| {
        let (_, source, _) = card.addresses.iter().find(|(key, ..)| key == "source")?;
        RepositoryName::from_url(source, &config.settings.github_server)
    };
    let of_entries: Vec<(&Card, RepositoryName)> =
        cards.values().filter_map(|card| Some((card, repository(card)?))).collect();
    let names: BTreeSet<&RepositoryName> = of_entries.iter().map(|(_, name)| name).collect();

    // Each round determines which files the next one reads.
    let setup =
        |name: &RepositoryName, path: &str| Subject::File { repository: name.clone(), path: path.to_owned() };
    let first = names.iter().flat_map(|name| {
        [Subject::Repository((*name).clone()), setup(name, "setup.py"), setup(name, "pyproject.toml")]
    });
    asked.fetch(first.collect(), answers).await;
    let contents = names.iter().flat_map(|name| {
        ["setup.py", "pyproject.toml"].map(|path| asked.content_of(name, path)).into_iter().flatten()
    });
    asked.fetch(contents.collect(), answers).await;
    let inits: BTreeMap<&RepositoryName, String> = names
        .iter()
        .filter_map(|name| {
            let setup = asked.text(name, "setup.py");
            let package = setup.as_deref().and_then(|text| python::Properties::of(Role::Setup, text).package);
            let pyproject = asked.text(name, "pyproject.toml");
            let package = package.or_else(|| python::Properties::of(Role::Pyproject, &pyproject?).package);
            Some((*name, python::init_path(&package?)?))
        })
        .collect();
    asked.fetch(inits.iter().map(|(name, path)| setup(name, path)).collect(), answers).await;
    let contents = inits.iter().filter_map(|(name, path)| asked.content_of(name, path));
    asked.fetch(contents.collect(), answers).await;

    for (card, name) in &of_entries {
        answers.found.extend(wrong_identifier(card, &asked, name));
        if let Some(path) = inits.get(name) {
            answers.found.extend(wrong_python(card, &asked, name, path));
        }
    }
    Ok(())
}

/// The answers of GitHub.
struct Asked<'a> {
    config: &'a Config,
    sources: Sources,
    /// The answer for each subject; `None` if it does not exist.
    known: BTreeMap<Subject, Option<Arc<[u8]>>>,
    progress: &'a (dyn Fn(usize, usize) + Send + Sync),
}

impl Asked<'_> {
    /// Fetches the subjects that are still unknown.
    async fn fetch(&mut self, subjects: BTreeSet<Subject>, answers: &mut Answers) {
        let unknown = subjects.into_iter().filter(|subject| !self.known.contains_key(subject));
        let mut unknown: Vec<Subject> = unknown.collect();
        let (now, config) = (self.config.now, self.config);
        let fresh = Cache::read(&config.paths.cache, |cache| {
            let known = unknown.iter().map(|subject| Ok((subject.clone(), cache.fact(subject)?)));
            known.collect::<Result<Vec<_>, _>>()
        });
        for (subject, fact) in fresh.unwrap_or_default() {
            let origin = crate::source::origin(config, &subject);
            let fact = fact.map(|fact| fact.as_of(&subject, origin));
            // A subject that does not exist may exist by now, so fetch it again.
            if let Some(fact) = fact.filter(|fact| !fact.is_stale(now) && fact.value.is_some()) {
                unknown.retain(|other| *other != subject);
                self.known.insert(subject, fact.value);
            }
        }
        if unknown.is_empty() {
            return;
        }
        let demands = unknown.into_iter().map(|subject| Demand { subject, known: None, urgency: 0 });
        let mut failures: BTreeMap<String, usize> = BTreeMap::new();
        for (subject, answer) in self.sources.fetch(demands.collect(), pending(), self.progress).await {
            match answer {
                Answer::Value(value, _) => drop(self.known.insert(subject, Some(value))),
                Answer::Gone => drop(self.known.insert(subject, None)),
                Answer::Failed(reason) => *failures.entry(reason).or_default() += 1,
                Answer::Unchanged => {}
            }
        }
        let notes = failures
            .into_iter()
            .map(|(reason, number)| format!("{} to GitHub failed: {reason}", count(number, "request")));
        answers.notes.extend(notes);
    }

    /// The content of the file at a path, as a subject to fetch.
    fn content_of(&self, name: &RepositoryName, path: &str) -> Option<Subject> {
        let file = Subject::File { repository: name.clone(), path: path.to_owned() };
        let object = self.known.get(&file)?.as_deref()?;
        let object = ObjectId::new(std::str::from_utf8(object).ok()?)?;
        Some(Subject::Content { repository: name.clone(), object })
    }

    /// The content of the file at a path; `None` if it does not exist.
    fn text(&self, name: &RepositoryName, path: &str) -> Option<Arc<[u8]>> {
        self.known.get(&self.content_of(name, path)?)?.clone()
    }
}

/// Reports an id that differs from the identifier in the plugin's source.
fn wrong_identifier(card: &Card, asked: &Asked<'_>, name: &RepositoryName) -> Option<Found> {
    let of = |path: &str, read: fn(&[u8]) -> Option<String>| {
        Some((path.to_owned(), read(&asked.text(name, path)?)?))
    };
    let (path, identifier) = of("setup.py", python::identifier_of_setup)
        .or_else(|| of("pyproject.toml", python::identifier_of_pyproject))?;
    let (id, place) = card.id.as_ref().filter(|(id, _)| *id != identifier)?;
    Some(Found {
        rule: Rule::IdMismatch,
        place: Some(place.clone()),
        message: format!(
            "the id is {}, but {path} of {name} has the identifier {}",
            quote(id),
            quote(&identifier)
        ),
        help: Some(format!("write `id: {identifier}`: OctoPrint identifies the plugin by it")),
        fixable: false,
    })
}

/// Reports an entry that allows other Python versions than the plugin's source.
fn wrong_python(card: &Card, asked: &Asked<'_>, name: &RepositoryName, path: &str) -> Option<Found> {
    let (declared, place) = card.python.as_ref()?;
    let source = asked.text(name, path)?;
    let said = python::pythoncompat(&source).filter(|it| python::valid_specifier(it));
    let in_source = said.as_deref().unwrap_or(DEFAULT_PYTHON);
    let [ours, theirs] = [declared.as_str(), in_source].map(|text| Admitted::of(&[text]));
    let (ours, theirs) = (ours?, theirs?);
    let versions =
        ["2.7.18"].into_iter().map(str::to_owned).chain((3..=15).map(|minor| format!("3.{minor}.0")));
    let differs = |version: String| {
        version.parse().is_ok_and(|version| ours.contains(&version) != theirs.contains(&version))
    };
    if !versions.into_iter().any(differs) {
        return None;
    }
    let so = match said {
        Some(_) => format!("declares {}", quote(in_source)),
        None => format!("declares none, which means {}", quote(in_source)),
    };
    Some(Found {
        rule: Rule::PythonMismatch,
        place: Some(place.clone()),
        message: format!("the entry has {}, but {path} of {name} {so}", quote(declared)),
        help: Some("correct the entry, or `__plugin_pythoncompat__`, which OctoPrint uses".to_owned()),
        fixable: false,
    })
}
