//! Sources: where facts come from. They take demands and return answers; what is stale is decided elsewhere.
//!
//! # Start here
//!
//! - [`Sources`] are the sources that a site's configuration names; [`Sources::fetch`] answers [`Demand`]s in as few
//!   requests as the sources allow.
//! - [`http::Http`] is the only way to the network: bounded in time and size, counted ([`Metrics`]), throttled, and
//!   guarded against redirects into private networks.
//! - [`github::batches`] divides questions to GitHub into requests.
//!
//! ```
//! use shelflife_model::fact::{RepositoryName, Subject};
//! use shelflife_sources::github::{batches, document};
//!
//! let name = RepositoryName::new("OctoPrint", "OctoPrint-MQTT").unwrap();
//! let file = Subject::File { repository: name.clone(), path: "setup.py".to_owned() };
//! let batches = batches(&[Subject::Repository(name), file], 50);
//! assert_eq!(batches.len(), 1, "the file is fetched with its repository");
//! assert!(document::document(&batches[0].asks).contains("stargazerCount"));
//! ```

mod conditional;
pub mod github;
pub mod http;
mod metrics;
mod probe;
mod rate_limit;
mod ssrf;
mod throttle;
mod thumbnails;
mod usage;

use std::collections::BTreeSet;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use shelflife_model::config::{Config, Thumbnails, Token, UsageExports};
use shelflife_model::fact::{Answer, Fact, Subject, Window};
use shelflife_text::digest::Digest;
use tokio::select;
use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use tokio::time::{Instant, timeout_at};
use url::Url;

pub use metrics::{Budget, Endpoint, Metrics, Tally};
pub use probe::Probe;

use http::Http;

/// A subject to ask about, with its last known fact.
#[derive(Debug, Clone)]
pub struct Demand {
    /// What to ask about.
    pub subject: Subject,
    /// The last known fact from the address that is asked now, for conditional requests.
    pub known: Option<Fact>,
    /// How urgent the demand is: the most urgent ones are sent first.
    pub urgency: u64,
}

/// The digest of the address that `subject` is fetched from; `None` if none is configured.
pub fn origin(config: &Config, subject: &Subject) -> Option<Digest> {
    let address = match subject {
        Subject::Usage(Window::Week) => config.usage.week.as_ref(),
        Subject::Usage(Window::Month) => config.usage.month.as_ref(),
        Subject::Repository(_) | Subject::File { .. } | Subject::Content { .. } | Subject::Issue(_) => {
            Some(&config.github.graphql)
        }
        Subject::Thumbnail(_) => {
            return config.thumbnails.youtube.as_ref().map(|pattern| Digest::of(pattern.as_bytes()));
        }
    };
    address.map(|address| Digest::of(address.as_str().as_bytes()))
}

/// The digest of all addresses that facts are fetched from. A build that finds it unchanged does not compare the
/// [`origin`] of each fact, so it has to cover every address that `origin` names.
pub fn origins(config: &Config) -> Digest {
    let addresses = [Some(&config.github.graphql), config.usage.week.as_ref(), config.usage.month.as_ref()];
    let addresses = addresses.map(|address| address.map(Url::as_str));
    let addresses = addresses.into_iter().chain([config.thumbnails.youtube.as_deref()]);
    Digest::of_parts(addresses.map(|address| address.unwrap_or_default().as_bytes()))
}

/// Reports the progress of a fetch: the number of finished requests and of all requests.
pub type Progress<'a> = dyn Fn(usize, usize) + Send + Sync + 'a;

/// All sources of a site.
#[derive(Debug, Clone)]
pub struct Sources {
    http: Http,
    metrics: Arc<Metrics>,
    config: Arc<SourceConfig>,
}

#[derive(Debug)]
struct SourceConfig {
    graphql: Url,
    token: Option<Token>,
    batch: usize,
    week: Option<Url>,
    month: Option<Url>,
    thumbnails: Thumbnails,
    timeout: Duration,
}

impl Sources {
    /// Prepares to ask the sources that `config` names.
    ///
    /// # Errors
    ///
    /// When the machine's certificates can't be read.
    pub fn new(config: &Config) -> Result<Self, reqwest::Error> {
        let metrics = Arc::new(Metrics::default());
        let UsageExports { week, month, .. } = &config.usage;
        let of_thumbnails = config.thumbnails.host();
        // Every source's address, because only these hosts may be in a private network.
        let addresses = week.iter().chain(month).chain(&of_thumbnails).chain([&config.github.graphql]);
        let addresses: Vec<&Url> = addresses.collect();
        Ok(Self {
            http: Http::new(
                Arc::clone(&metrics),
                &addresses,
                config.fetch.max_wait,
                config.settings.limits.answer_size,
            )?,
            metrics,
            config: Arc::new(SourceConfig {
                graphql: config.github.graphql.clone(),
                token: config.github.token.clone(),
                batch: config.github.batch,
                week: week.clone(),
                month: month.clone(),
                thumbnails: config.thumbnails.clone(),
                timeout: config.fetch.timeout,
            }),
        })
    }

    /// The requests sent so far.
    pub fn metrics(&self) -> &Metrics {
        &self.metrics
    }

    /// Whether `subject` can be asked about: its source has an address and, where one is required, a token.
    pub fn can_ask(&self, subject: &Subject) -> bool {
        match subject {
            Subject::Usage(window) => self.export(*window).is_some(),
            Subject::Thumbnail(_) => self.config.thumbnails.youtube.is_some(),
            Subject::Repository(_) | Subject::File { .. } | Subject::Content { .. } | Subject::Issue(_) => {
                self.config.token.is_some()
            }
        }
    }

    /// Asks about all `demands` at once, in as few requests as the sources allow, the most urgent first. Each demand
    /// gets an answer, and subjects that were fetched along with it get one as well. Once `enough` completes, only the
    /// answers that have arrived are returned.
    pub async fn fetch(
        &self,
        demands: Vec<Demand>,
        enough: impl Future<Output = ()>,
        progress: &Progress<'_>,
    ) -> Vec<(Subject, Answer)> {
        let deadline = Instant::now() + self.config.timeout;
        let mut unanswered: BTreeSet<Subject> = demands.iter().map(|demand| demand.subject.clone()).collect();
        let mut tasks = self.spawn(demands);
        let total = tasks.len();
        let mut answers = Vec::new();
        let mut done = 0;
        progress(done, total);
        let mut enough = pin!(enough);
        loop {
            let result = select! {
                result = timeout_at(deadline, tasks.join_next()) => result,
                () = &mut enough => {
                    unanswered.clear();
                    break;
                }
            };
            let Ok(Some(result)) = result else { break };
            done += 1;
            progress(done, total);
            answers.extend(result.unwrap_or_default());
        }
        for (subject, _) in &answers {
            unanswered.remove(subject);
        }
        let reason = format!("no answer within `fetch.timeout` ({} s)", self.config.timeout.as_secs());
        answers.extend(unanswered.into_iter().map(|subject| (subject, Answer::Failed(reason.clone()))));
        // Answers arrive in arbitrary order; the cache and the report must not depend on it.
        answers.sort_by(|a, b| a.0.cmp(&b.0));
        answers
    }

    /// Starts all requests.
    fn spawn(&self, mut demands: Vec<Demand>) -> JoinSet<Vec<(Subject, Answer)>> {
        let mut tasks = JoinSet::new();
        let mut github = Vec::new();
        let pictures = Arc::new(Semaphore::new(thumbnails::IN_FLIGHT));
        demands.sort_by(|a, b| b.urgency.cmp(&a.urgency).then_with(|| a.subject.cmp(&b.subject)));
        for demand in demands {
            match demand.subject {
                Subject::Usage(window) => {
                    if let Some(address) = self.export(window).cloned() {
                        let http = self.http.clone();
                        tasks.spawn(async move {
                            let answer = usage::fetch(&http, &address, window, demand.known.as_ref()).await;
                            vec![(Subject::Usage(window), answer)]
                        });
                    }
                }
                Subject::Thumbnail(id) => {
                    if let Some(address) = self.config.thumbnails.address(&id) {
                        let (http, in_flight) = (self.http.clone(), Arc::clone(&pictures));
                        tasks.spawn(async move {
                            let _permit = in_flight.acquire_owned().await;
                            let answer = thumbnails::fetch(&http, address, demand.known.as_ref()).await;
                            vec![(Subject::Thumbnail(id), answer)]
                        });
                    }
                }
                subject @ (Subject::Repository(_)
                | Subject::File { .. }
                | Subject::Content { .. }
                | Subject::Issue(_)) => github.push(subject),
            }
        }
        if let Some(token) = &self.config.token {
            let in_flight = Arc::new(Semaphore::new(github::IN_FLIGHT));
            for batch in github::batches(&github, self.config.batch) {
                let in_flight = Arc::clone(&in_flight);
                let api = github::Api {
                    http: self.http.clone(),
                    metrics: Arc::clone(&self.metrics),
                    endpoint: self.config.graphql.clone(),
                    token: token.clone(),
                };
                tasks.spawn(async move {
                    // Permits are granted in the order of asking, so the most urgent go first.
                    let _permit = in_flight.acquire_owned().await;
                    api.fetch(batch).await
                });
            }
        }
        tasks
    }

    fn export(&self, window: Window) -> Option<&Url> {
        match window {
            Window::Week => self.config.week.as_ref(),
            Window::Month => self.config.month.as_ref(),
        }
    }
}
