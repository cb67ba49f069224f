//! [`Config`]: the merged configuration of `shelflife.toml`, the environment and the command line.

mod check;
mod environment;
mod fetch;
mod file;
mod limits;
mod markdown;
mod paths;
mod place;
mod renamed;
mod search;
mod seed;
mod servers;
mod theme;
mod thumbnails;
mod values;
mod view;
mod wording;

use std::path::{Path, PathBuf};
use std::time::Duration;

use jiff::Timestamp;
use jiff::tz::TimeZone;
use url::Url;

use crate::digest::Digest;
use crate::rule::Rule;
use crate::warning::Warning;

pub use check::Check;
pub use environment::Environment;
pub use fetch::Fetch;
pub use file::{DEFAULT_URL, FILE_NAME};
pub use limits::{Bytes, Limits, YamlLimits};
pub use markdown::RemotePictures;
pub use paths::{Paths, real, state_beside};
pub use search::Synonyms;
pub use seed::Seed;
pub use theme::{Colors, Link, Texts, Theme};
pub use thumbnails::Thumbnails;
pub use view::{Listener, View};

use paths::normalize;
use place::Place;
use servers::Servers;

/// Everything that decides how a site is built.
#[derive(Debug, Clone)]
pub struct Config {
    /// The settings that outputs depend on.
    pub settings: Settings,
    /// Whether the site's address is configured anywhere.
    pub has_url: bool,
    /// The paths of the site's folders and files.
    pub paths: Paths,
    /// How GitHub is queried.
    pub github: Github,
    /// How the usage exports are fetched.
    pub usage: UsageExports,
    /// Where video thumbnails are fetched from.
    pub thumbnails: Thumbnails,
    /// Time limits of fetching.
    pub fetch: Fetch,
    /// How long the cache keeps what is no longer needed.
    pub keep: Keep,
    /// The settings of `shelflife check`.
    pub check: Check,
    /// Where a build restores a missing history from.
    pub seed: Seed,
    /// The URL to restore it from, with a slash at the end; `None` if it is not to be restored. It depends on the file
    /// alone, because a preview's address differs from the address at which the site was published before.
    pub seed_address: Option<Url>,
    /// Whether `seed_address` is missing because the host in `url` is reserved for examples.
    pub is_for_examples: bool,
    /// Whether this is a CI runner, whose builds are published.
    pub is_runner: bool,
    /// The time at which freshness is judged: the current time, unless one was given.
    pub now: Timestamp,
    /// Make no network requests.
    pub offline: bool,
    /// Fetch every fact again, fresh or not.
    pub refresh: bool,
    /// Warnings about the configuration.
    pub warnings: Vec<Warning>,
    /// Fail before anything is written if there is any problem in the site's files.
    pub strict: bool,
}

/// The part of the configuration that outputs depend on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    /// The site's name.
    pub title: String,
    /// The site's address without a path and without a slash at the end.
    pub url: String,
    /// The path below which the site is served: empty, or `/` and a path without a slash at the end.
    pub base_path: String,
    /// One sentence about the site.
    pub description: String,
    /// The address of the site's own source, if pages should link to it.
    pub repository: Option<String>,
    /// The time zone of entries' dates, each of which is midnight there.
    pub timezone: TimeZone,
    /// The path of the folder of entries relative to the site, for the help pages.
    pub entries_path: String,
    /// The server on which a `source` counts as a GitHub repository.
    pub github_server: Url,
    /// Whether `plugins.json` gives a disabled plugin the operating system `disabled`, which hides it from plugin
    /// managers that do not know the key `disabled`.
    pub hide_disabled: bool,
    /// Whether the API is published: the data of each plugin's page as JSON.
    pub api: bool,
    /// Whether each plugin has badges.
    pub badges: bool,
    /// Whether videos are shown with thumbnails that the build fetches.
    pub thumbnails: bool,
    /// How remote pictures in descriptions are rendered.
    pub remote_pictures: RemotePictures,
    /// The windows for which a usage export is configured.
    pub usage_windows: Vec<crate::fact::Window>,
    /// Limits on untrusted input.
    pub limits: Limits,
    /// Words that count as equal in searches.
    pub synonyms: Vec<Synonyms>,
    /// The theme's looks and texts.
    pub theme: Theme,
}

/// The settings of an empty `shelflife.toml`.
impl Default for Settings {
    fn default() -> Self {
        file::Settled::default().settings(servers::github())
    }
}

impl Settings {
    /// Every setting as text, with its key in `shelflife.toml`.
    pub fn parts(&self) -> Vec<(&'static str, String)> {
        let Self {
            title,
            url,
            base_path,
            description,
            repository,
            timezone,
            entries_path,
            github_server,
            hide_disabled,
            api,
            badges,
            thumbnails,
            remote_pictures,
            usage_windows,
            limits,
            synonyms,
            theme,
        } = self;
        // The rules of the time zone are part of the program, so its name stands for them.
        let zone = timezone.iana_name().unwrap_or("UTC");
        let windows: Vec<String> = usage_windows.iter().map(ToString::to_string).collect();
        let own = [
            ("title", title.clone()),
            ("url", url.clone()),
            ("base_path", base_path.clone()),
            ("description", description.clone()),
            ("repository", repository.as_ref().map_or_else(String::new, |address| format!("at {address}"))),
            ("timezone", zone.to_owned()),
            ("paths.entries", entries_path.clone()),
            ("github.server", github_server.to_string()),
            ("hide_disabled", hide_disabled.to_string()),
            ("outputs.api", api.to_string()),
            ("outputs.badges", badges.to_string()),
            ("thumbnails", thumbnails.to_string()),
            ("markdown.remote_pictures", remote_pictures.to_string()),
            ("usage", windows.join(" ")),
            ("search.synonyms", serde_json::to_string(synonyms).unwrap_or_default()),
        ];
        own.into_iter().chain(limits.parts()).chain(theme.parts()).collect()
    }

    /// The digest of all settings.
    pub fn digest(&self) -> Digest {
        let parts = self.parts();
        Digest::of_parts(parts.iter().map(|(_, value)| value.as_bytes()))
    }
}

/// How long the cache keeps what is no longer needed by an output, an entry trace or an entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Keep {
    /// How many builds an unused item is kept for. Builds that found nothing changed don't count, because they use
    /// nothing.
    pub builds: i64,
    /// The total size of cache and state in bytes from which all unused items are removed.
    pub bytes: u64,
}

impl Default for Keep {
    fn default() -> Self {
        Self { builds: 4, bytes: 1 << 30 }
    }
}

/// How GitHub is queried.
#[derive(Clone)]
pub struct Github {
    /// The GraphQL endpoint.
    pub graphql: Url,
    /// The token sent with each request; GitHub is not queried without one.
    pub token: Option<Token>,
    /// How long an answer stays fresh.
    pub ttl: Duration,
    /// How many repositories one request asks about.
    pub batch: usize,
}

impl std::fmt::Debug for Github {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Github").field("graphql", &self.graphql.as_str()).finish_non_exhaustive()
    }
}

/// A secret that neither [`std::fmt::Debug`] nor [`std::fmt::Display`] reveals.
#[derive(Clone, PartialEq, Eq)]
pub struct Token(String);

impl Token {
    /// Wraps a secret; `None` if it is blank.
    pub fn new(secret: &str) -> Option<Self> {
        let secret = secret.trim();
        (!secret.is_empty()).then(|| Self(secret.to_owned()))
    }

    /// The secret itself, for the header that carries it.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl std::fmt::Debug for Token {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Token(…)")
    }
}

/// How the usage exports are fetched.
#[derive(Debug, Clone)]
pub struct UsageExports {
    /// The URL of the export of the last 7 days.
    pub week: Option<Url>,
    /// The URL of the export of the last 30 days.
    pub month: Option<Url>,
    /// How long an export stays fresh.
    pub ttl: Duration,
}

/// Values from the command line, which override the file and the environment.
#[derive(Debug, Clone, Default)]
pub struct Overrides {
    /// The configuration file, if it is not `shelflife.toml` in the site's folder.
    pub config: Option<PathBuf>,
    /// The output folder, relative to the current folder.
    pub output: Option<PathBuf>,
    /// The cache file, relative to the current folder.
    pub cache: Option<PathBuf>,
    /// The site's address, see [`Settings::url`].
    pub url: Option<String>,
    /// See [`Settings::base_path`].
    pub base_path: Option<String>,
    /// The time at which freshness is judged.
    pub now: Option<Timestamp>,
    /// See [`Fetch::max_wait`].
    pub max_wait: Option<Duration>,
    /// See [`Config::offline`].
    pub offline: bool,
    /// See [`Config::refresh`].
    pub refresh: bool,
    /// See [`Config::strict`].
    pub strict: bool,
}

/// The help for a missing `url`.
const URL_HELP: &str = "add a line such as `url = \"https://plugins.example.org\"` at the top of the file";

/// Parses a duration such as `90s` or `1 day 12 hours`.
///
/// # Errors
///
/// A message that says what was expected.
pub fn span(text: &str) -> Result<Duration, String> {
    let span = text.parse::<jiff::Span>().ok();
    let duration = span.and_then(|span| span.to_duration(jiff::SpanRelativeTo::days_are_24_hours()).ok());
    duration.and_then(|duration| duration.try_into().ok()).ok_or_else(|| {
        format!("`{text}` is not a duration, expected one such as \"90s\", \"6h\" or \"1d 12h\"")
    })
}

/// Parses a number of bytes such as `500 MB` or `1 GiB`.
///
/// # Errors
///
/// A message that says what was expected.
pub fn size(text: &str) -> Result<u64, String> {
    let size: Result<bytesize::ByteSize, _> = text.trim().parse();
    size.map(|size| size.as_u64())
        .map_err(|_| format!("`{text}` is not a size, expected one such as \"500 MB\" or \"1 GiB\""))
}

impl Config {
    /// Reads the configuration of the site in the folder `site`.
    ///
    /// # Errors
    ///
    /// When the file, the environment or their combination is invalid.
    pub fn load(site: &Path, environment: &Environment, overrides: &Overrides) -> miette::Result<Self> {
        let file = file::load(site, overrides.config.as_deref())?;
        let cwd = std::env::current_dir().unwrap_or_default();
        let base = normalize(&cwd.join(&file.folder));
        let from_cwd = |path: &PathBuf| cwd.join(path);
        let given = file.given;
        let now = match (overrides.now, environment.source_date_epoch()?) {
            (Some(now), _) | (None, Some(now)) => now,
            (None, None) => Timestamp::now(),
        };
        // The cache stores whole seconds, so everything compared with it must be whole seconds as well.
        let now = Timestamp::from_second(now.as_second()).unwrap_or(now);
        let Servers { server, graphql } = Servers::of(&file.github, environment)?;
        let Place { url, base_path } = Place::of(environment, overrides)?;
        let of_file = file.settings(server);
        let mut config = Self {
            warnings: file.warnings,
            has_url: file.has_url || url.is_some(),
            settings: Settings {
                url: url.unwrap_or_else(|| of_file.url.clone()),
                base_path: base_path.unwrap_or_else(|| of_file.base_path.clone()),
                ..of_file
            },
            paths: Paths {
                entries: base.join(&file.entries),
                data: base.join(file.data),
                assets: base.join(file.assets),
                templates: base.join(file.templates),
                pages: file.pages.iter().map(|folder| base.join(folder)).collect(),
                topics: file.topics.iter().map(|folder| base.join(folder)).collect(),
                root: base.join(file.root),
                copies_own: !given.root,
                output: overrides.output.as_ref().map_or_else(|| base.join(file.output), from_cwd),
                cache: overrides.cache.as_ref().map_or_else(|| base.join(file.cache), from_cwd),
                site: base,
            },
            github: Github {
                graphql,
                token: environment.github_token.clone(),
                ttl: file.github_ttl,
                batch: file.github_batch,
            },
            usage: UsageExports { week: file.usage_week, month: file.usage_month, ttl: file.usage_ttl },
            thumbnails: file.thumbnails,
            fetch: Fetch { max_wait: overrides.max_wait.unwrap_or(file.fetch.max_wait), ..file.fetch },
            keep: file.keep,
            check: file.check,
            seed_address: file.seed.address(file.has_url.then_some(file.url.as_str()), &file.base_path),
            is_for_examples: file.seed.is_for_examples(file.has_url.then_some(file.url.as_str())),
            seed: file.seed,
            is_runner: environment.is_runner,
            now,
            offline: overrides.offline,
            refresh: overrides.refresh,
            strict: overrides.strict,
        };
        config.warnings.extend(config.paths.check(given)?);
        if !config.has_url {
            let message = format!(
                "{FILE_NAME} has no `url`, so feeds, `plugins.json` and the sitemap link to {DEFAULT_URL}"
            );
            config.warnings.push(Warning::general(Rule::MissingUrl, message).help(URL_HELP));
        }
        Ok(config)
    }

    /// Checks that a site built in CI, which is published, has a `url`.
    ///
    /// # Errors
    ///
    /// When this is a CI runner and `url` is not configured.
    pub fn check_url(&self, environment: &Environment) -> miette::Result<()> {
        if self.has_url || !environment.is_runner {
            return Ok(());
        }
        Err(miette::miette!(
            help = URL_HELP,
            "{FILE_NAME} has no `url`, which is required in CI: feeds and `plugins.json` would link to \
             {DEFAULT_URL}"
        ))
    }
}
