//! The initial `shelflife.toml` of a site: values found in its folder, and defaults for the rest.

use std::path::Path;

use jiff::tz::TimeZoneDatabase;

use super::jekyll::Jekyll;
use super::remote::Repository;
use crate::report::count;

/// The settings of a new site. `None` means the default.
#[derive(Debug, Default)]
pub(super) struct Settings {
    title: Option<String>,
    description: Option<String>,
    url: Option<String>,
    base_path: Option<String>,
    repository: Option<String>,
    timezone: Option<String>,
    entries: Option<String>,
    data: Option<String>,
    has_entries: bool,
}

impl Settings {
    /// Collects the settings found in a registry's folder. Adds a line to `notes` for each value found or ignored.
    pub(super) fn of(folder: &Path, repository: Option<&Repository>, notes: &mut Vec<String>) -> Self {
        let jekyll = Jekyll::in_folder(folder).unwrap_or_else(|error| {
            notes.push(format!("ignored Jekyll's configuration, which can't be read: {error:#}"));
            None
        });
        let jekyll = jekyll.unwrap_or_default();
        let mut settings = Self::default();
        settings.find_folders(folder, &jekyll, notes);
        let Jekyll { name, title, description, url, base_path, timezone, .. } = jekyll;
        let mut take = |key: &str, value: Option<String>, place: &str| {
            if let Some(value) = &value {
                notes.push(format!("found {key} \"{value}\" in {place}"));
            }
            value
        };
        settings.title = take("title", title, name);
        settings.description = take("description", description, name);
        let (known, unknown) = match timezone {
            Some(zone) if TimeZoneDatabase::bundled().get(&zone).is_err() => (None, Some(zone)),
            known => (known, None),
        };
        settings.timezone = take("timezone", known, name);
        settings.url = take("url", url, name);
        settings.base_path = take("base_path", base_path.filter(|_| settings.url.is_some()), name);
        if settings.url.is_none() {
            settings.url = take("url", domain(folder), "CNAME");
        }
        let origin = repository.and_then(|repository| repository.origin.as_ref());
        if settings.url.is_none()
            && let Some((url, base_path)) = origin.and_then(|origin| origin.pages())
        {
            let place = "git remote `origin` (GitHub Pages)";
            settings.url = take("url", Some(url), place);
            settings.base_path = take("base_path", Some(base_path).filter(|path| !path.is_empty()), place);
        }
        settings.repository =
            take("repository", origin.map(super::remote::Origin::page), "git remote `origin`");
        if let Some(zone) = unknown {
            notes.push(format!("ignored timezone \"{zone}\" in {name}: unknown time zone"));
        }
        settings
    }

    fn find_folders(&mut self, folder: &Path, jekyll: &Jekyll, notes: &mut Vec<String>) {
        let below = |name: &str| match jekyll.collections.as_str() {
            "" => name.to_owned(),
            collections => format!("{collections}/{name}"),
        };
        // Jekyll loads its own extensions from a folder of the same name.
        let candidates = ["entries".to_owned(), below("_plugins"), "_plugins".to_owned()];
        let entries = candidates.into_iter().map(|name| (markdown_files(&folder.join(&name)), name));
        if let Some((number, name)) = entries.into_iter().find(|(number, _)| *number > 0) {
            notes.push(format!("found {} in {name}", count(number, "Markdown file")));
            self.has_entries = true;
            self.entries = Some(name).filter(|name| name != "entries");
        }
        let data = [Some("data".to_owned()), jekyll.data.clone(), Some("_data".to_owned())];
        if let Some(name) = data.into_iter().flatten().find(|name| folder.join(name).is_dir()) {
            notes.push(format!("found data files in {name}"));
            self.data = Some(name).filter(|name| name != "data");
        }
        if folder.join("assets").is_dir() {
            notes.push("found assets in assets".to_owned());
        }
    }

    /// Whether the folder contains files that are likely to be entries.
    pub(super) fn has_entries(&self) -> bool {
        self.has_entries
    }

    /// Whether the URL of the site is still unknown.
    pub(super) fn lacks_url(&self) -> bool {
        self.url.is_none()
    }

    /// The content of `shelflife.toml`.
    pub(super) fn to_toml(&self) -> String {
        let mut text = String::from(
            "# A plugin registry built with shelflife. Keys that are commented out show their defaults;\n\
             # see shelflife's docs/configuration.md for all keys.\n",
        );
        let keys: [(&str, &str, &Option<String>, &str); 6] = [
            (
                "Name of the registry, shown on every page and in feeds.",
                "title",
                &self.title,
                "Plugin Registry",
            ),
            (
                "One sentence about the registry, shown on the home page and by search engines.",
                "description",
                &self.description,
                "A registry of plugins",
            ),
            ("URL of the published site, without a path.", "url", &self.url, "http://localhost"),
            (
                "Path below which the site is published, such as \"/plugins\".",
                "base_path",
                &self.base_path,
                "",
            ),
            (
                "Repository of the registry, linked from every page. By default there is no link.",
                "repository",
                &self.repository,
                "https://github.com/OWNER/NAME",
            ),
            ("Time zone in which the `date` of an entry starts.", "timezone", &self.timezone, "UTC"),
        ];
        for (comment, key, value, default) in keys {
            text.push_str(&format!("\n# {comment}\n{}", line(key, value.as_deref(), default)));
        }
        text.push_str("\n# Folders, relative to this file.\n[paths]\n");
        text.push_str(&line("entries", self.entries.as_deref(), "entries"));
        text.push_str(&line("data", self.data.as_deref(), "data"));
        text.push_str(
            "\n# Usage numbers of plugins, as published by OctoPrint. By default none are fetched.\n\
             # [usage]\n\
             # week = \"https://data.octoprint.org/export/plugin_stats_7d.json\"\n\
             # month = \"https://data.octoprint.org/export/plugin_stats_30d.json\"\n",
        );
        text
    }
}

/// A line that sets a key, or a comment that shows its default.
fn line(key: &str, value: Option<&str>, default: &str) -> String {
    let quoted = |value: &str| toml::Value::String(value.to_owned()).to_string();
    match value {
        Some(value) => format!("{key} = {}\n", quoted(value)),
        None => format!("# {key} = {}\n", quoted(default)),
    }
}

/// The number of Markdown files directly in a folder.
fn markdown_files(folder: &Path) -> usize {
    let Ok(entries) = std::fs::read_dir(folder) else { return 0 };
    let is_markdown =
        |entry: &std::fs::DirEntry| entry.path().extension().is_some_and(|extension| extension == "md");
    entries.flatten().filter(is_markdown).count()
}

/// The URL of a custom domain, which GitHub Pages reads from the file `CNAME`.
fn domain(folder: &Path) -> Option<String> {
    let text = std::fs::read_to_string(folder.join("CNAME")).ok()?;
    let domain = text.trim();
    let is_domain = domain.contains('.')
        && domain.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-.".contains(&byte));
    is_domain.then(|| format!("https://{}", domain.to_ascii_lowercase()))
}
