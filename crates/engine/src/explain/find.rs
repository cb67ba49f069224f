//! Finds the published output that a path, an address or an entry names.

use std::path::Path;

use miette::miette;
use percent_encoding::percent_decode_str;
use url::{Host, Url};

use crate::cache::{Cache, CacheError, Manifest, Traces};
use crate::config::Config;
use crate::publish::MANIFEST;
use crate::render::address::{is_rooted, is_web};
use crate::report::did_you_mean;
use crate::trace::Input;
use crate::url_path::path_of;

/// The published outputs to search.
pub(super) struct Published<'a> {
    pub(super) config: &'a Config,
    pub(super) cache: &'a Cache,
    pub(super) files: &'a Manifest,
    pub(super) traces: &'a Traces,
}

/// The error when nothing was published.
pub(super) fn nothing_published(config: &Config) -> miette::Report {
    miette!(
        help = "build the site first, or name the folder that it was published into with `--output`",
        "nothing was published into {}",
        config.paths.output.display()
    )
}

/// The error when the cache knows the published files, but nothing about how they were made.
pub(super) fn nothing_known() -> miette::Report {
    miette!(
        help = "build the site first",
        "the cache has no record of the last build: it was cleared or replaced since then"
    )
}

/// The stem of the entry whose page would be at this path: its file's name without `.md`.
pub(super) fn stem_of_page(path: &str) -> Option<&str> {
    path.strip_prefix("plugins/")?.strip_suffix("/index.html").filter(|stem| !stem.contains('/'))
}

/// The path of an entry's page.
fn page_of(stem: &str) -> String {
    format!("plugins/{stem}/index.html")
}

/// The prefix of the paths of assets.
const ASSETS: &str = "assets/";

/// The path of the output that `given` names, or an error for the user.
pub(super) fn output(given: &str, published: &Published<'_>) -> Result<miette::Result<String>, CacheError> {
    if is_web(given) {
        return match published.path_of_url(given) {
            Ok(path) => published.found(given, &path, published.at_address(&path)),
            Err(error) => Ok(Err(error)),
        };
    }
    let found = match published.at_path(given) {
        Some(output) => Some(output),
        None if is_rooted(given) => published.at_address(given),
        None => match published.of_entry(given)? {
            Some(output) => Some(output),
            // A name without a slash may also be an address.
            None => published.at_address(&format!("/{given}")),
        },
    };
    published.found(given, given, found)
}

impl Published<'_> {
    fn has(&self, path: String) -> Option<String> {
        (path != MANIFEST && self.files.contains(&path)).then_some(path)
    }

    /// The output at a path below the output folder. The path may name the page's folder, or leave out its extension.
    fn below(&self, path: &str) -> Option<String> {
        let path = path.trim_end_matches('/');
        let folder = if path.is_empty() { "index.html".to_owned() } else { format!("{path}/index.html") };
        let beside = || self.has(format!("{path}.html"));
        self.has(path.to_owned()).or_else(|| self.has(folder)).or_else(beside)
    }

    /// The output at a path: below the output folder, or else in the file system, where it may also be the file of an
    /// entry or an asset.
    fn at_path(&self, given: &str) -> Option<String> {
        let plain = given.trim_start_matches("./");
        let of_folder = || plain.ends_with('/').then(|| self.below(plain)).flatten();
        if let Some(output) = self.has(plain.to_owned()).or_else(of_folder) {
            return Some(output);
        }
        let paths = &self.config.paths;
        let here = std::env::current_dir().unwrap_or_default();
        [here.as_path(), &paths.site].into_iter().map(|base| base.join(given)).find_map(|path| {
            let output = paths.below_output(&path).and_then(|path| self.below(&path));
            let page = || {
                let entry = paths.below_entries(&path)?;
                self.page(entry.strip_suffix(".md").filter(|stem| !stem.contains('/'))?)
            };
            let made_of = || {
                let file = paths.below_site(&path)?;
                let inputs = [Input::Page(file.as_str().into()), Input::File(file.as_str().into())];
                let mut made = self.traces.iter();
                let found = made.find(|(_, made)| inputs.iter().any(|input| made.trace.was(input).is_some()));
                found.map(|(path, _)| path.clone())
            };
            output.or_else(page).or_else(|| self.copy(&paths.below_assets(&path)?)).or_else(made_of)
        })
    }

    /// The copy of the asset at a path below the assets' folder.
    fn copy(&self, asset: &str) -> Option<String> {
        let of_assets = self.files.iter().filter(|(path, _)| path.starts_with(ASSETS));
        let mut copies = of_assets.filter(|(path, file)| super::asset(path, Some(file.digest)) == asset);
        copies.next().map(|(path, _)| path.to_owned())
    }

    /// The page of the entry with this stem.
    fn page(&self, stem: &str) -> Option<String> {
        self.has(page_of(stem))
    }

    /// The output at an address from the root of the host, with or without the base path.
    fn at_address(&self, address: &str) -> Option<String> {
        let address = address.split(['?', '#']).next().unwrap_or_default();
        let base = self.config.settings.base_path.as_str();
        let based = address.strip_prefix(base).filter(|rest| rest.is_empty() || rest.starts_with('/'));
        let find = |address: &str| {
            let decoded = percent_decode_str(address.trim_start_matches('/')).decode_utf8_lossy();
            let asset = || self.copy(decoded.strip_prefix(ASSETS)?);
            self.has(path_of(address)).or_else(|| self.below(&decoded)).or_else(asset)
        };
        based.and_then(find).or_else(|| find(address))
    }

    /// The path of a URL of the site, or of a local server that shows it.
    fn path_of_url(&self, given: &str) -> miette::Result<String> {
        let settings = &self.config.settings;
        let root = format!("{}{}/", settings.url, settings.base_path);
        let elsewhere = || {
            miette!(
                help = format!("give a URL that begins with {root}"),
                "`{given}` is not a URL of this site"
            )
        };
        let url = Url::parse(given).map_err(|_| elsewhere())?;
        let is_local = match url.host() {
            Some(Host::Domain(name)) => name == "localhost" || name.ends_with(".localhost"),
            Some(Host::Ipv4(address)) => address.is_loopback(),
            Some(Host::Ipv6(address)) => address.is_loopback(),
            None => false,
        };
        let site = Url::parse(&settings.url).ok();
        let host = |url: &Url| (url.host_str().map(str::to_owned), url.port());
        let is_below = || {
            let rest = url.path().strip_prefix(settings.base_path.as_str());
            rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
        };
        let is_of_site = site.is_some_and(|site| host(&site) == host(&url)) && is_below();
        if is_of_site || is_local { Ok(url.path().to_owned()) } else { Err(elsewhere()) }
    }

    /// The page of an entry, by its file's name or its id.
    fn of_entry(&self, given: &str) -> Result<Option<String>, CacheError> {
        let stem = given.strip_suffix(".md").unwrap_or(given);
        if let Some(page) = self.page(stem) {
            return Ok(Some(page));
        }
        let entry_traces = self.cache.entry_traces()?;
        let by_id = entry_traces
            .iter()
            .find(|(_, entry_trace)| entry_trace.front.id.to_lowercase() == given.to_lowercase());
        let by_name = || entry_traces.iter().find(|(name, _)| name.eq_ignore_ascii_case(stem));
        Ok(by_id.or_else(by_name).and_then(|(name, _)| self.page(name)))
    }

    /// The file of the entry that `given` names, even if it has no page.
    fn entry_file(&self, given: &str) -> Option<String> {
        let paths = &self.config.paths;
        let here = std::env::current_dir().unwrap_or_default();
        let below = |base: &Path| paths.below_entries(&base.join(given));
        let name =
            [&here, &paths.site].into_iter().find_map(|base| below(base)).unwrap_or_else(|| given.to_owned());
        let stem = name.strip_suffix(".md").unwrap_or(&name);
        let is_name = !stem.is_empty() && !stem.contains(['/', '\\']);
        (is_name && paths.entries.join(format!("{stem}.md")).is_file()).then(|| paths.entry(stem))
    }

    /// Returns what was found, or an error with suggestions for `path`, the part of `given` after the site's address.
    fn found(
        &self,
        given: &str,
        path: &str,
        found: Option<String>,
    ) -> Result<miette::Result<String>, CacheError> {
        if let Some(output) = found {
            return Ok(Ok(output));
        }
        if let Some(entry) = self.entry_file(given) {
            return Ok(Err(miette!(
                help = "build the site to see the problem",
                "{entry} has no page: it has a problem and was left out, it is a draft, or it was added after the last \
                 build"
            )));
        }
        let near = self.near(path)?;
        let meant = did_you_mean(&near);
        let meant = meant.map_or_else(|| "give".to_owned(), |meant| format!("{meant} Otherwise give"));
        Ok(Err(miette!(
            help = format!(
                "{meant} a path below the output folder such as `index.html`, an entry by its file, name or id, or a \
                 URL of the site; if it was added since the last build, build the site first"
            ),
            "`{given}` is neither an output nor an entry of the last build"
        )))
    }

    /// The outputs and entries with the most similar names, if any are similar.
    fn near(&self, given: &str) -> Result<Vec<String>, CacheError> {
        let base = &self.config.settings.base_path;
        let whole = given.strip_prefix(base.as_str()).unwrap_or(given);
        let whole = whole.split(['?', '#']).next().unwrap_or_default().trim_start_matches("./");
        let whole = shown_as(whole.trim_matches('/')).to_lowercase();
        let last = Path::new(&whole).file_name().and_then(|name| name.to_str()).unwrap_or_default();
        let last = last.strip_suffix(".md").unwrap_or(last);
        let mut near = Vec::new();
        let mut consider = |wanted: &str, name: &str, output: &str, shown: &str| {
            if let Some(distance) = distance(wanted, &name.to_lowercase())
                && self.files.contains(output)
            {
                near.push((distance, output.to_owned(), shown.to_owned()));
            }
        };
        for path in self.files.paths().filter(|path| *path != MANIFEST) {
            consider(&whole, shown_as(path), path, path);
        }
        for (stem, entry_trace) in self.cache.entry_traces()? {
            let (page, entry) = (page_of(&stem), self.config.paths.entry(&stem));
            consider(last, &stem, &page, &entry);
            consider(last, &entry_trace.front.id, &page, &entry);
        }
        near.sort();
        let mut told: Vec<(String, String)> = Vec::new();
        for (_, output, shown) in near {
            if told.len() < NAMED && !told.iter().any(|(known, _)| *known == output) {
                told.push((output, shown));
            }
        }
        Ok(told.into_iter().map(|(_, shown)| format!("`{shown}`")).collect())
    }
}

/// How many names an error suggests.
const NAMED: usize = 3;

/// An output's path as its address shows it.
fn shown_as(path: &str) -> &str {
    path.strip_suffix("/index.html").unwrap_or(path)
}

/// The edit distance of two names; `None` if they are not similar.
pub fn distance(wanted: &str, name: &str) -> Option<usize> {
    let most = (wanted.chars().count().min(name.chars().count()) / 3).clamp(1, 3);
    if wanted.len().abs_diff(name.len()) > most * 4 {
        return None;
    }
    Some(strsim::osa_distance(wanted, name)).filter(|distance| *distance <= most)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_close_is_suggested() {
        assert_eq!(distance("mqqt", "mqtt"), Some(1));
        assert_eq!(distance("plugins/mtqt", "plugins/mqtt"), Some(1));
        assert_eq!(distance("a", "b"), Some(1));
        assert_eq!(distance("mqtt", "growl"), None);
        assert_eq!(distance("", "feed.xml"), None);
    }

    #[test]
    fn pages_of_entries_lie_in_folders_of_their_names() {
        assert_eq!(stem_of_page("plugins/mqtt/index.html"), Some("mqtt"));
        for path in ["plugins/index.html", "plugins/a/b/index.html", "plugins/mqtt/x.html", "a/index.html"] {
            assert_eq!(stem_of_page(path), None, "{path}");
        }
    }
}
