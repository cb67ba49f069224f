//! `shelflife.toml`: its keys, their defaults, and what a wrong one is told.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use jiff::tz::TimeZone;
use miette::{Context as _, IntoDiagnostic as _};
use serde::de::Error as _;
use serde::{Deserialize, Deserializer};
use url::Url;

use super::Settings;
use crate::fact::Window;
use crate::problem::Problem;

/// The name of a site's configuration file.
pub const FILE_NAME: &str = "shelflife.toml";

/// The file's content, with defaults filled in.
pub(super) struct Settled {
    pub(super) folder: PathBuf,
    pub(super) title: String,
    pub(super) url: String,
    pub(super) base_path: String,
    pub(super) description: String,
    pub(super) repository: Option<String>,
    pub(super) timezone: TimeZone,
    pub(super) hide_disabled: bool,
    pub(super) entries: PathBuf,
    pub(super) data: PathBuf,
    pub(super) assets: PathBuf,
    pub(super) templates: PathBuf,
    pub(super) output: PathBuf,
    pub(super) cache: PathBuf,
    pub(super) github_server: Url,
    pub(super) github_graphql: Url,
    pub(super) github_ttl: Duration,
    pub(super) github_batch: usize,
    pub(super) usage_ttl: Duration,
    pub(super) usage_week: Option<Url>,
    pub(super) usage_month: Option<Url>,
}

#[derive(Deserialize)]
#[serde(default, deny_unknown_fields)]
struct File {
    title: String,
    #[serde(deserialize_with = "site_url")]
    url: String,
    #[serde(deserialize_with = "base_path")]
    base_path: String,
    description: String,
    repository: Option<Address>,
    #[serde(deserialize_with = "timezone")]
    timezone: TimeZone,
    hide_disabled: bool,
    paths: Paths,
    github: Github,
    usage: Usage,
}

impl Default for File {
    fn default() -> Self {
        Self {
            title: "Plugin Registry".to_owned(),
            url: "http://localhost".to_owned(),
            base_path: String::new(),
            description: "A registry of plugins".to_owned(),
            repository: None,
            timezone: TimeZone::UTC,
            hide_disabled: true,
            paths: Paths::default(),
            github: Github::default(),
            usage: Usage::default(),
        }
    }
}

#[derive(Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Paths {
    entries: PathBuf,
    data: PathBuf,
    assets: PathBuf,
    templates: PathBuf,
    output: PathBuf,
    cache: PathBuf,
}

impl Default for Paths {
    fn default() -> Self {
        Self {
            entries: "entries".into(),
            data: "data".into(),
            assets: "assets".into(),
            templates: "templates".into(),
            output: "public".into(),
            cache: ".shelflife/cache.sqlite".into(),
        }
    }
}

#[derive(Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Github {
    server: Address,
    graphql: Address,
    ttl: Span,
    #[serde(deserialize_with = "batch")]
    batch: usize,
}

impl Default for Github {
    fn default() -> Self {
        Self {
            server: Address::known("https://github.com"),
            graphql: Address::known("https://api.github.com/graphql"),
            ttl: Span(Duration::from_secs(6 * 3600)),
            batch: 50,
        }
    }
}

#[derive(Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Usage {
    ttl: Span,
    week: Option<Address>,
    month: Option<Address>,
}

impl Default for Usage {
    fn default() -> Self {
        Self { ttl: Span(Duration::from_secs(3600)), week: None, month: None }
    }
}

/// An absolute http or https address.
struct Address(Url);

impl Address {
    /// An address that is written in this program.
    #[expect(clippy::expect_used, reason = "the tests read every default")]
    fn known(text: &str) -> Self {
        Self(Url::parse(text).expect("an address"))
    }
}

impl<'de> Deserialize<'de> for Address {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        match Url::parse(&text) {
            Ok(url) if matches!(url.scheme(), "http" | "https") => Ok(Self(url)),
            _ => Err(D::Error::custom(format!(
                "`{text}` is not an address, expected one that begins with https:// or http://"
            ))),
        }
    }
}

/// A length of time such as `6h` or `1 day 12 hours`.
struct Span(Duration);

impl<'de> Deserialize<'de> for Span {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let parsed = text.parse::<jiff::Span>().ok().and_then(|span| {
            let days_are_24_hours = jiff::SpanRelativeTo::days_are_24_hours();
            span.to_duration(days_are_24_hours).ok().and_then(|duration| duration.try_into().ok())
        });
        parsed.map(Self).ok_or_else(|| {
            D::Error::custom(format!(
                "`{text}` is not a length of time, expected one such as \"90s\", \"6h\" or \"1d 12h\""
            ))
        })
    }
}

fn site_url<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    let Address(url) = Address::deserialize(deserializer)?;
    if url.path() != "/" || url.query().is_some() || url.fragment().is_some() {
        return Err(D::Error::custom(format!(
            "`{url}` has a path, expected an address such as \"https://example.org\"; the path belongs into `base_path`"
        )));
    }
    Ok(url.as_str().trim_end_matches('/').to_owned())
}

fn base_path<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    let text = String::deserialize(deserializer)?;
    let path = text.trim_end_matches('/');
    let fine = |c: char| c.is_ascii_alphanumeric() || matches!(c, '/' | '-' | '_' | '.' | '~');
    let climbs = path.split('/').any(|part| part == "..");
    if path.is_empty() || (path.starts_with('/') && !path.contains("//") && path.chars().all(fine) && !climbs)
    {
        return Ok(path.to_owned());
    }
    Err(D::Error::custom(format!("`{text}` is not a base path, expected \"\" or one such as \"/plugins\"")))
}

fn timezone<'de, D: Deserializer<'de>>(deserializer: D) -> Result<TimeZone, D::Error> {
    let name = String::deserialize(deserializer)?;
    // The zones built into the program, never the machine's: the same input must give the same bytes
    // wherever it is built.
    jiff::tz::TimeZoneDatabase::bundled().get(&name).map_err(|_| {
        D::Error::custom(format!(
            "`{name}` is not a time zone, expected a name from the IANA database such as \"America/Chicago\" or \"UTC\""
        ))
    })
}

fn batch<'de, D: Deserializer<'de>>(deserializer: D) -> Result<usize, D::Error> {
    let number = i64::deserialize(deserializer)?;
    match usize::try_from(number) {
        Ok(size @ 1..=100) => Ok(size),
        _ => Err(D::Error::custom(format!("`{number}` is not a batch size, expected 1 to 100"))),
    }
}

/// Reads `path`, or else the file in the folder `site`. A site without a file has the defaults, but then it
/// must have a folder of entries, since a wrong folder is the likelier story.
pub(super) fn load(site: &Path, path: Option<&Path>) -> miette::Result<Settled> {
    if !site.is_dir() {
        return Err(miette::miette!(
            help = "give the folder that holds shelflife.toml: `shelflife build FOLDER`",
            "there is no folder {}",
            site.display()
        ));
    }
    let given = path.map_or_else(|| site.join(FILE_NAME), Path::to_path_buf);
    let file = match std::fs::read_to_string(&given) {
        Ok(text) => parse(&given.to_string_lossy(), &text)?,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound && path.is_none() => {
            let defaults = File::default();
            if !site.join(&defaults.paths.entries).is_dir() {
                return Err(miette::miette!(
                    help = "run `shelflife build` in a site's folder or give it: `shelflife build FOLDER`; \
                            a site needs a shelflife.toml, or else a folder `entries`",
                    "{} is not a site: it has neither {FILE_NAME} nor a folder `entries`",
                    site.display()
                ));
            }
            defaults
        }
        Err(error) => {
            return Err(error).into_diagnostic().wrap_err_with(|| format!("can't read {}", given.display()));
        }
    };
    Ok(Settled { folder: site.to_path_buf(), ..file.into() })
}

impl From<File> for Settled {
    fn from(file: File) -> Self {
        Self {
            folder: PathBuf::new(),
            title: file.title,
            url: file.url,
            base_path: file.base_path,
            description: file.description,
            repository: file.repository.map(|Address(url)| url.as_str().trim_end_matches('/').to_owned()),
            timezone: file.timezone,
            hide_disabled: file.hide_disabled,
            entries: file.paths.entries,
            data: file.paths.data,
            assets: file.paths.assets,
            templates: file.paths.templates,
            output: file.paths.output,
            cache: file.paths.cache,
            github_server: file.github.server.0,
            github_graphql: file.github.graphql.0,
            github_ttl: file.github.ttl.0,
            github_batch: file.github.batch,
            usage_ttl: file.usage.ttl.0,
            usage_week: file.usage.week.map(|Address(url)| url),
            usage_month: file.usage.month.map(|Address(url)| url),
        }
    }
}

impl Default for Settled {
    fn default() -> Self {
        File::default().into()
    }
}

impl Settled {
    /// The part that outputs depend on.
    pub(super) fn settings(&self) -> Settings {
        let windows = [(Window::Week, &self.usage_week), (Window::Month, &self.usage_month)];
        Settings {
            title: self.title.clone(),
            url: self.url.clone(),
            base_path: self.base_path.clone(),
            description: self.description.clone(),
            repository: self.repository.clone(),
            timezone: self.timezone.clone(),
            entries_path: self.entries.to_string_lossy().into_owned(),
            github_server: self.github_server.clone(),
            hide_disabled: self.hide_disabled,
            usage_windows: windows.into_iter().filter(|(_, url)| url.is_some()).map(|(w, _)| w).collect(),
        }
    }
}

fn parse(path: &str, text: &str) -> Result<File, Problem> {
    toml::from_str(text).map_err(|error: toml::de::Error| {
        let shared: Arc<str> = text.into();
        // serde lists the known keys or the wanted type in the message; only its wording is tidied.
        let message = error.message().trim_end().replace("unknown field", "unknown key").replace('\n', ", ");
        let problem = Problem::new(path, &shared, error.span().unwrap_or(0..0), message);
        problem.help("docs/configuration.md lists every key with its meaning and its default")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn error(text: &str) -> String {
        parse(FILE_NAME, text).err().map(|problem| problem.to_string()).unwrap_or_default()
    }

    #[test]
    fn every_key_has_a_default() {
        let file = parse(FILE_NAME, "").unwrap();
        assert_eq!(file.github.ttl.0, Duration::from_secs(6 * 3600));
        assert_eq!(file.usage.ttl.0, Duration::from_secs(3600));
    }

    #[test]
    fn every_key_is_documented() {
        let docs = include_str!("../../docs/configuration.md");
        for table in ["", "paths", "github", "usage"] {
            let text = if table.is_empty() { "?? = 1".to_owned() } else { format!("[{table}]\n?? = 1") };
            let error = error(&text.replace("??", "unknown"));
            let known = error.split_once("expected one of").unwrap().1;
            let keys: Vec<_> = known.split('`').skip(1).step_by(2).collect();
            assert!(keys.len() >= 3, "{error}");
            for key in keys.into_iter().filter(|key| !["paths", "github", "usage"].contains(key)) {
                let name = if table.is_empty() { key.to_owned() } else { format!("{table}.{key}") };
                assert!(docs.contains(&format!("| `{name}` |")), "{name} is not in docs/configuration.md");
            }
        }
    }

    #[test]
    fn reads_what_the_original_registry_needs() {
        let file = parse(
            FILE_NAME,
            r#"
            title = "OctoPrint Plugin Repository"
            url = "https://plugins.octoprint.org/"
            timezone = "America/Chicago"
            [paths]
            entries = "_plugins"
            [github]
            ttl = "1 day 12 hours"
            [usage]
            ttl = "0s"
            week = "https://data.octoprint.org/export/plugin_stats_7d.json"
            "#,
        )
        .unwrap();
        assert_eq!(file.url, "https://plugins.octoprint.org");
        assert_eq!(file.github.ttl.0, Duration::from_secs(36 * 3600));
        assert_eq!(file.usage.ttl.0, Duration::ZERO);
    }

    #[test]
    fn wrong_keys_and_values_are_told_where_and_what() {
        for (text, expected) in [
            ("titel = 'x'", "shelflife.toml:1:1: unknown key `titel`, expected one of `title`"),
            ("\n[github]\nttl = 6", "shelflife.toml:3:7: invalid type: integer `6`, expected a string"),
            ("[github]\nttl = 'soon'", "shelflife.toml:2:7: `soon` is not a length of time, expected"),
            ("[github]\nbatch = 0", "shelflife.toml:2:9: `0` is not a batch size, expected 1 to 100"),
            ("timezone = 'Mars/Olympus'", "shelflife.toml:1:12: `Mars/Olympus` is not a time zone, expected"),
            ("url = 'example.org'", "shelflife.toml:1:7: `example.org` is not an address, expected"),
            ("url = 'https://a.b/c'", "shelflife.toml:1:7: `https://a.b/c` has a path, expected"),
            ("base_path = 'plugins'", "shelflife.toml:1:13: `plugins` is not a base path, expected"),
            ("[paths\n", "shelflife.toml:1:7: "),
            (
                "[paths]\nentrys = '_plugins'",
                "shelflife.toml:2:1: unknown key `entrys`, expected one of `entries`",
            ),
        ] {
            let error = error(text);
            assert!(error.starts_with(expected), "{text:?} gave {error:?}");
        }
    }
}
