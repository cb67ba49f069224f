//! `shelflife.toml`: its keys, their defaults, and the errors about them.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use jiff::tz::TimeZone;
use serde::Deserialize;
use toml::de::DeTable;
use url::Url;

use super::paths::Given;
use super::theme::{self, Theme};
use super::values::{Address, Size, Span, batch, given_base_path, given_url, keep_builds, timezone};
use super::wording::{self, Table};
use super::{
    Check, Fetch, Keep, Limits, RemotePictures, Seed, Settings, Synonyms, Thumbnails, check, fetch, limits,
    markdown, renamed, search, seed, servers, thumbnails,
};
use crate::access::denied;
use crate::fact::Window;
use crate::problem::Problem;
use crate::warning::Warning;

/// The name of a site's configuration file.
pub const FILE_NAME: &str = "shelflife.toml";

/// The address of a site whose configuration has no `url`.
pub const DEFAULT_URL: &str = "http://localhost";

/// The folder of entries in registries built by Jekyll.
const JEKYLL: &str = "_plugins";

/// The file's content, with defaults filled in.
pub(super) struct Settled {
    /// Warnings about a file that is usable.
    pub(super) warnings: Vec<Warning>,
    pub(super) folder: PathBuf,
    pub(super) title: String,
    pub(super) url: String,
    /// Whether the file has the key `url`.
    pub(super) has_url: bool,
    pub(super) base_path: String,
    pub(super) description: String,
    pub(super) repository: Option<String>,
    pub(super) timezone: TimeZone,
    pub(super) hide_disabled: bool,
    pub(super) api: bool,
    pub(super) badges: bool,
    pub(super) entries: PathBuf,
    pub(super) data: PathBuf,
    pub(super) assets: PathBuf,
    pub(super) templates: PathBuf,
    pub(super) pages: Vec<PathBuf>,
    pub(super) topics: Vec<PathBuf>,
    pub(super) root: PathBuf,
    /// Which of these folders the file names.
    pub(super) given: Given,
    pub(super) output: PathBuf,
    pub(super) cache: PathBuf,
    pub(super) github: servers::Given,
    pub(super) github_ttl: Duration,
    pub(super) github_batch: usize,
    pub(super) usage_ttl: Duration,
    pub(super) thumbnails: Thumbnails,
    pub(super) remote_pictures: RemotePictures,
    pub(super) fetch: Fetch,
    pub(super) keep: Keep,
    pub(super) check: Check,
    pub(super) seed: Seed,
    pub(super) limits: Limits,
    pub(super) usage_week: Option<Url>,
    pub(super) usage_month: Option<Url>,
    pub(super) synonyms: Vec<Synonyms>,
    pub(super) theme: Theme,
}

#[derive(Deserialize)]
#[serde(default, deny_unknown_fields)]
struct File {
    title: String,
    #[serde(deserialize_with = "given_url")]
    url: Option<String>,
    #[serde(deserialize_with = "given_base_path")]
    base_path: String,
    description: String,
    repository: Option<Address>,
    #[serde(deserialize_with = "timezone")]
    timezone: TimeZone,
    hide_disabled: bool,
    outputs: Table<Outputs>,
    paths: Table<Paths>,
    github: Table<Github>,
    usage: Table<Usage>,
    thumbnails: Table<thumbnails::Table>,
    markdown: Table<markdown::Table>,
    fetch: Table<fetch::Table>,
    history: Table<seed::Table>,
    cache: Table<Cache>,
    check: Table<check::Table>,
    limits: Table<limits::Table>,
    search: Table<search::Table>,
    theme: Table<theme::File>,
}

impl Default for File {
    fn default() -> Self {
        Self {
            title: "Plugin Registry".to_owned(),
            url: None,
            base_path: String::new(),
            description: "A registry of plugins".to_owned(),
            repository: None,
            timezone: TimeZone::UTC,
            hide_disabled: true,
            outputs: Table::default(),
            paths: Table::default(),
            github: Table::default(),
            usage: Table::default(),
            thumbnails: Table::default(),
            markdown: Table::default(),
            fetch: Table::default(),
            history: Table::default(),
            cache: Table::default(),
            check: Table::default(),
            limits: Table::default(),
            search: Table::default(),
            theme: Table::default(),
        }
    }
}

#[derive(Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Cache {
    #[serde(deserialize_with = "keep_builds")]
    keep_builds: i64,
    max_size: Size,
}

impl Default for Cache {
    fn default() -> Self {
        let Keep { builds, bytes } = Keep::default();
        Self { keep_builds: builds, max_size: Size(bytes) }
    }
}

#[derive(Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Outputs {
    api: bool,
    badges: bool,
}

impl Default for Outputs {
    fn default() -> Self {
        Self { api: true, badges: true }
    }
}

#[derive(Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Paths {
    entries: PathBuf,
    data: Option<PathBuf>,
    assets: Option<PathBuf>,
    templates: Option<PathBuf>,
    pages: Option<PathBuf>,
    topics: Option<PathBuf>,
    root: Option<PathBuf>,
    output: PathBuf,
    cache: PathBuf,
}

impl Default for Paths {
    fn default() -> Self {
        Self {
            entries: "entries".into(),
            data: None,
            assets: None,
            templates: None,
            pages: None,
            topics: None,
            root: None,
            output: "public".into(),
            cache: ".shelflife/cache.sqlite".into(),
        }
    }
}

#[derive(Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Github {
    server: Option<Address>,
    graphql: Option<Address>,
    ttl: Span,
    #[serde(deserialize_with = "batch")]
    batch: usize,
}

impl Default for Github {
    fn default() -> Self {
        Self { server: None, graphql: None, ttl: Span(Duration::from_secs(6 * 3600)), batch: 50 }
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

/// Reads the configuration at `path`, or else the file in the folder `site`. A site without the file has the defaults,
/// but must then have a folder of entries: otherwise the folder is most likely the wrong one.
pub(super) fn load(site: &Path, path: Option<&Path>) -> miette::Result<Settled> {
    if site.is_file() {
        let folder = site.parent().filter(|folder| *folder != Path::new("")).unwrap_or(Path::new("."));
        return Err(miette::miette!(
            help = format!(
                "pass its folder: {}; to use another configuration file, pass `--config`",
                folder.display()
            ),
            "{} is a file, expected the folder of a site",
            site.display()
        ));
    }
    if !site.is_dir() {
        return Err(miette::miette!(
            help = "pass the folder of the site, which contains shelflife.toml",
            "the folder {} does not exist",
            site.display()
        ));
    }
    let given = path.map_or_else(|| site.join(FILE_NAME), Path::to_path_buf);
    let (file, warnings) = match std::fs::read_to_string(&given) {
        // Problems name every file of the site by its path within the site.
        Ok(text) => parse(&path.map_or(FILE_NAME.into(), Path::to_string_lossy), &text)?,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound && path.is_none() => {
            let defaults = File::default();
            if !site.join(&defaults.paths.0.entries).is_dir() {
                let help = if site.join(JEKYLL).is_dir() {
                    "the entries seem to be in `_plugins`: create a shelflife.toml with the lines `[paths]`, \
                     `entries = \"_plugins\"` and `data = \"_data\"`"
                } else {
                    "run this in the folder of a site, or pass that folder as an argument; a site contains a \
                     shelflife.toml or a folder `entries`"
                };
                return Err(miette::miette!(
                    help = help,
                    "{} is not a site: it has neither {FILE_NAME} nor a folder `entries`",
                    site.display()
                ));
            }
            (defaults, Vec::new())
        }
        Err(error) => return Err(denied("read", &given)(error).into()),
    };
    Ok(Settled { warnings, folder: site.to_path_buf(), ..file.into() })
}

impl From<File> for Settled {
    fn from(file: File) -> Self {
        let (Table(paths), Table(github), Table(usage)) = (file.paths, file.github, file.usage);
        let (Table(cache), Table(outputs)) = (file.cache, file.outputs);
        let given = Given {
            data: paths.data.is_some(),
            assets: paths.assets.is_some(),
            templates: paths.templates.is_some(),
            pages: paths.pages.is_some(),
            topics: paths.topics.is_some(),
            root: paths.root.is_some(),
        };
        // Registries built by Jekyll have these folders with an underscore.
        let folders = |given: Option<PathBuf>, names: [&str; 2]| {
            given.map_or_else(|| names.map(PathBuf::from).to_vec(), |folder| vec![folder])
        };
        Self {
            warnings: Vec::new(),
            folder: PathBuf::new(),
            title: file.title,
            has_url: file.url.is_some(),
            url: file.url.unwrap_or_else(|| DEFAULT_URL.to_owned()),
            base_path: file.base_path,
            description: file.description,
            repository: file.repository.map(|Address(url)| url.as_str().trim_end_matches('/').to_owned()),
            timezone: file.timezone,
            hide_disabled: file.hide_disabled,
            api: outputs.api,
            badges: outputs.badges,
            entries: paths.entries,
            data: paths.data.unwrap_or_else(|| "data".into()),
            assets: paths.assets.unwrap_or_else(|| "assets".into()),
            templates: paths.templates.unwrap_or_else(|| "templates".into()),
            pages: folders(paths.pages, ["pages", "_pages"]),
            topics: folders(paths.topics, ["topics", "_topics"]),
            root: paths.root.unwrap_or_else(|| "root".into()),
            given,
            output: paths.output,
            cache: paths.cache,
            github: servers::Given {
                server: github.server.map(|Address(url)| url),
                graphql: github.graphql.map(|Address(url)| url),
            },
            github_ttl: github.ttl.0,
            github_batch: github.batch,
            usage_ttl: usage.ttl.0,
            thumbnails: file.thumbnails.0.into(),
            remote_pictures: file.markdown.0.remote_pictures,
            fetch: file.fetch.0.into(),
            seed: file.history.0.seed,
            keep: Keep { builds: cache.keep_builds, bytes: cache.max_size.0 },
            check: file.check.0.into(),
            limits: file.limits.0.into(),
            usage_week: usage.week.map(|Address(url)| url),
            usage_month: usage.month.map(|Address(url)| url),
            synonyms: file.search.0.synonyms,
            theme: file.theme.0.into(),
        }
    }
}

impl Default for Settled {
    fn default() -> Self {
        File::default().into()
    }
}

impl Settled {
    /// The settings that outputs depend on. `github_server` is the server that hosts the repositories.
    pub(super) fn settings(&self, github_server: Url) -> Settings {
        let windows = [(Window::Week, &self.usage_week), (Window::Month, &self.usage_month)];
        Settings {
            title: self.title.clone(),
            url: self.url.clone(),
            base_path: self.base_path.clone(),
            description: self.description.clone(),
            repository: self.repository.clone(),
            timezone: self.timezone.clone(),
            entries_path: self.entries.to_string_lossy().into_owned(),
            github_server,
            hide_disabled: self.hide_disabled,
            api: self.api,
            badges: self.badges,
            thumbnails: self.thumbnails.youtube.is_some(),
            remote_pictures: self.remote_pictures,
            usage_windows: windows.into_iter().filter(|(_, url)| url.is_some()).map(|(w, _)| w).collect(),
            limits: self.limits,
            synonyms: self.synonyms.clone(),
            theme: self.theme.clone(),
        }
    }
}

/// Parses the file. Returns it with the warnings about renamed keys.
fn parse(path: &str, text: &str) -> Result<(File, Vec<Warning>), Problem> {
    let shared: Arc<str> = text.into();
    let wrong = |error: toml::de::Error| {
        let message = wording::message(error.message());
        let problem = Problem::new(path, &shared, error.span().unwrap_or(0..0), message);
        problem.help("docs/configuration.md lists all keys with their defaults")
    };
    let mut table = DeTable::parse(text).map_err(wrong)?;
    let warnings = renamed::rename(path, &shared, table.get_mut())?;
    let file = File::deserialize(toml::Deserializer::from(table)).map_err(wrong)?;
    Ok((file, warnings))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn error(text: &str) -> String {
        parse(FILE_NAME, text).err().map(|problem| problem.to_string()).unwrap_or_default()
    }

    #[test]
    fn every_key_has_a_default() {
        let (file, _) = parse(FILE_NAME, "").unwrap();
        assert_eq!(file.github.0.ttl.0, Duration::from_secs(6 * 3600));
        assert_eq!(file.usage.0.ttl.0, Duration::from_secs(3600));
    }

    #[test]
    fn every_key_is_documented() {
        let docs = include_str!("../../../../docs/configuration.md");
        let tables = [
            "outputs",
            "paths",
            "github",
            "usage",
            "thumbnails",
            "markdown",
            "fetch",
            "history",
            "cache",
            "check",
            "limits",
            "search",
            "theme",
            "theme.light",
            "theme.dark",
            "theme.texts",
        ];
        for table in [""].into_iter().chain(tables) {
            let text = if table.is_empty() { "?? = 1".to_owned() } else { format!("[{table}]\n?? = 1") };
            let error = error(&text.replace("??", "unknown"));
            let known = error.split_once("expected ").unwrap().1;
            let keys: Vec<_> = known.split('`').skip(1).step_by(2).collect();
            assert!(!keys.is_empty(), "{error}");
            let is_table = |key: &str| tables.iter().any(|table| table.rsplit('.').next() == Some(key));
            for key in keys.into_iter().filter(|key| !is_table(key)) {
                let name = if table.is_empty() { key.to_owned() } else { format!("{table}.{key}") };
                assert!(docs.contains(&format!("| `{name}` |")), "{name} is not in docs/configuration.md");
            }
        }
    }

    #[test]
    fn reads_what_the_original_registry_needs() {
        let (file, _) = parse(
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
        assert_eq!(file.url.as_deref(), Some("https://plugins.octoprint.org"));
        assert_eq!(file.github.0.ttl.0, Duration::from_secs(36 * 3600));
        assert_eq!(file.usage.0.ttl.0, Duration::ZERO);
    }

    #[test]
    fn wrong_keys_and_values_are_told_where_and_what() {
        for (text, expected) in [
            ("titel = 'x'", "shelflife.toml:1:1: unknown key `titel`, expected one of `title`"),
            ("\n[github]\nttl = 6", "shelflife.toml:3:7: this is a whole number, expected text in quotes"),
            ("paths = ['entries']", "shelflife.toml:1:9: this is a list, expected a table"),
            ("usage = ['1h']", "shelflife.toml:1:9: this is a list, expected a table"),
            ("[[github]]\nttl = '1h'", "shelflife.toml:1:1: this is a list, expected a table"),
            ("usage = 1.5", "shelflife.toml:1:9: this is a number, expected a table"),
            ("[github]\nbatch = 'many'", "shelflife.toml:2:9: this is text, expected a whole number"),
            ("[paths]\noutput = {}", "shelflife.toml:2:10: this is a table, expected text in quotes"),
            ("[paths]\ndata = 1", "shelflife.toml:2:8: this is a whole number, expected text in quotes"),
            ("hide_disabled = 'no'", "shelflife.toml:1:17: this is text, expected true or false"),
            ("title = true", "shelflife.toml:1:9: this is true or false without quotes, expected text"),
            ("url = 'https://me:secret@a.b'", "shelflife.toml:1:7: this URL contains a user name"),
            ("[cache]\nkeep_builds = 0", "shelflife.toml:2:15: `0` is not a number of builds, expected 1"),
            ("[cache]\nmax_size = 'much'", "shelflife.toml:2:12: `much` is not a size, expected one such as"),
            (
                "[limits]\nentry_size = 1",
                "shelflife.toml:2:14: this is a whole number, expected text in quotes",
            ),
            ("[limits]\nyaml_depth = 0", "shelflife.toml:2:14: `0` is not a depth, expected 1 to 100"),
            (
                "[history]\nseed = 'no'",
                "shelflife.toml:2:8: `no` is not a place to restore the history from, expected",
            ),
            (
                "[history]\nseed = 'https://me:secret@a.b'",
                "shelflife.toml:2:8: this URL contains a user name",
            ),
            ("[github]\nttl = 'soon'", "shelflife.toml:2:7: `soon` is not a duration, expected"),
            ("[github]\nbatch = 0", "shelflife.toml:2:9: `0` is not a batch size, expected 1 to 100"),
            ("timezone = 'Mars/Olympus'", "shelflife.toml:1:12: `Mars/Olympus` is not a time zone, expected"),
            ("url = 'example.org'", "shelflife.toml:1:7: `example.org` is not a URL, expected"),
            ("url = 'https://a.b/c'", "shelflife.toml:1:7: `https://a.b/c` has a path, expected"),
            ("base_path = 'plugins'", "shelflife.toml:1:13: `plugins` is not a base path, expected"),
            ("[thumbnails]\nyoutube = 'https://a.b/x.jpg'", "shelflife.toml:2:11: this is not the URL of"),
            ("[thumbnails]\nyoutube = 'https://{id}.b/'", "shelflife.toml:2:11: this is not the URL of"),
            ("[thumbnails]\nyoutube = 'https://me:secret@a.b/{id}'", "shelflife.toml:2:11: this is not the"),
            (
                "[theme]\nlogo = '../x.svg'",
                "shelflife.toml:2:8: `../x.svg` is not the path of an asset, expected",
            ),
            (
                "[markdown]\nremote_pictures = 'hide'",
                "shelflife.toml:2:19: `hide` is not a way to show remote pictures, expected \"link\" or \"load\"",
            ),
            (
                "[search]\nsynonyms = ['camera']",
                "shelflife.toml:2:12: `camera` is not a list of synonyms, expected single words such as",
            ),
            ("[theme]\nlogo_width = 4", "shelflife.toml:2:14: `4` is not a width, expected 8 to 400"),
            ("[theme]\nlight = 'red'", "shelflife.toml:2:9: this is text, expected a table"),
            (
                "[theme.light]\naccent = 'red; }'",
                "shelflife.toml:2:10: `red; }` is not a color, expected one such as \"#0a664a\"",
            ),
            (
                "[theme.dark]\nacent = 'red'",
                "shelflife.toml:2:1: unknown key `acent`, expected one of `page`, `surface`",
            ),
            (
                "[theme.texts]\nfoot = 'x'",
                "shelflife.toml:2:1: unknown key `foot`, expected one of `heading`",
            ),
            (
                "[[theme.links]]\ntitle = 'x'\nurl = 'javascript:alert()'",
                "shelflife.toml:3:7: `javascript:alert()` is not a link target, expected a URL",
            ),
            ("[paths\n", "shelflife.toml:1:7: "),
            (
                "[paths]\nentrys = '_plugins'",
                "shelflife.toml:2:1: unknown key `entrys`, expected one of `entries`",
            ),
        ] {
            let error = error(text);
            assert!(error.starts_with(expected), "{text:?} gave {error:?}");
            assert!(!error.contains("secret"), "{error}");
        }
    }
}
