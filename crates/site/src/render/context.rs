//! Data about plugins for templates. Addresses are percent-encoded where HTML needs it.

use std::sync::Arc;

use jiff::civil::Date;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::address::{self, Local};
use super::history::Instances;
use super::slug::slug;
use super::text;
use crate::config::View;
use crate::data::Compat;
use crate::digest::Digest;
use crate::entry::UNKNOWN_DATE;
use crate::fact::usage::Usage;
use crate::fact::{Release, Repository};
use crate::markdown;
use crate::plugin::Plugin;

/// A name and its slug.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[allow(missing_docs, reason = "docs/templates.md documents the members")]
pub struct Named {
    pub name: String,
    pub slug: String,
}

impl Named {
    /// Strips tags from the name: an author can be `Name <name@example.org>`.
    pub(crate) fn of(name: &str) -> Self {
        let name = markdown::strip_tags(name).trim().to_owned();
        Self { slug: slug(&name), name }
    }
}

/// A plugin's data for lists and other outputs about more than one plugin. The cache stores it: an entry whose trace
/// holds is not parsed, so what such an output shows of a plugin has to be a member.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[allow(missing_docs, reason = "docs/templates.md documents the members")]
pub struct Summary {
    pub stem: String,
    pub id: String,
    pub title: String,
    pub description: String,
    pub url: Local,
    pub page: String,
    pub authors: Vec<Named>,
    pub date: String,
    pub published: String,
    pub image: Option<Local>,
    pub tags: Vec<Named>,
    pub python: Option<String>,
    pub python3: Option<bool>,
    pub abandoned: bool,
    pub disabled: bool,
    pub up_for_adoption: bool,
    pub abandoned_at: Option<String>,
    pub replaced: Option<String>,
    pub up_for_adoption_at: Option<String>,
    pub attributes: Vec<String>,
    pub usage: Option<UsageWindows>,
    pub stars: Option<u64>,
    pub latest_release: Option<Release>,
    pub last_push: Option<String>,
    pub github_as_of: Option<String>,
    pub archived: bool,
    pub os: Vec<String>,
    pub octoprint: Vec<String>,
}

/// Usage by window.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[allow(missing_docs, reason = "docs/templates.md documents the members")]
pub struct UsageWindows {
    pub week: UsageNumbers,
    pub month: UsageNumbers,
    pub as_of: Option<String>,
}

/// Usage in one window.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[allow(missing_docs, reason = "docs/templates.md documents the members")]
pub struct UsageNumbers {
    pub instances: u64,
    pub install_events: u64,
}

impl From<&Usage> for UsageNumbers {
    fn from(usage: &Usage) -> Self {
        Self { instances: usage.instances, install_events: usage.install_events }
    }
}

impl Summary {
    /// Returns a plugin's summary.
    pub fn of(plugin: &Plugin, settings: View<'_>) -> Self {
        let entry = &plugin.entry;
        let path = address::plugin_page(&entry.stem);
        let repository = plugin.repository.as_deref();
        let published = text::midnight(entry.date, settings.timezone());
        Self {
            stem: entry.stem.clone(),
            id: entry.id.clone(),
            title: entry.title.clone(),
            description: markdown::strip_tags(&entry.description),
            url: Local::of(settings, &path),
            page: address::absolute(settings, &path),
            authors: entry.authors.iter().map(|author| Named::of(author)).collect(),
            date: entry.date.to_string(),
            published: published.strftime("%Y-%m-%dT%H:%M:%S%:z").to_string(),
            image: entry.featured_image.as_ref().map(|image| Local::of(settings, &address::written(image))),
            tags: entry.tags.iter().map(|tag| Named { name: tag.clone(), slug: slug(tag) }).collect(),
            python: plugin.python.clone(),
            python3: plugin.python3(),
            abandoned: entry.is_abandoned(),
            disabled: entry.disabled.is_some(),
            up_for_adoption: entry.up_for_adoption.is_some(),
            abandoned_at: entry.abandoned.as_deref().map(address::written),
            replaced: entry.replaced.clone(),
            up_for_adoption_at: entry.up_for_adoption.as_deref().map(address::written),
            attributes: entry.attributes.clone(),
            usage: plugin.usage.as_ref().map(|usage| UsageWindows {
                week: (&usage.week).into(),
                month: (&usage.month).into(),
                as_of: plugin.ages.usage.map(|day| day.to_string()),
            }),
            stars: repository.map(|repository| repository.stars),
            latest_release: repository.and_then(release),
            last_push: repository.and_then(|repository| repository.last_push).map(|push| push.to_string()),
            github_as_of: plugin.ages.github.filter(|_| repository.is_some()).map(|day| day.to_string()),
            archived: repository.is_some_and(|repository| repository.archived),
            os: plugin.os.clone(),
            octoprint: entry.compatibility.octoprint.clone(),
        }
    }

    /// Returns whether the entry has no date, so that it counts as the oldest.
    pub fn is_undated(&self) -> bool {
        self.date.parse::<Date>().is_ok_and(|date| date == UNKNOWN_DATE)
    }

    /// Returns the digest of what long lists show: everything except daily changing numbers and their dates.
    pub fn listed(&self) -> Digest {
        let listed = Self {
            usage: None,
            stars: None,
            latest_release: None,
            last_push: None,
            github_as_of: None,
            ..self.clone()
        };
        Digest::of(&serde_json::to_vec(&listed).unwrap_or_default())
    }
}

/// A plugin's data for its own page.
#[derive(Debug, Clone, Serialize)]
#[allow(missing_docs, reason = "docs/templates.md documents the members")]
pub struct Full {
    #[serde(flatten)]
    pub summary: Arc<Summary>,
    pub homepage: String,
    pub source: String,
    pub archive: String,
    pub follow_dependency_links: bool,
    pub no_build_isolation: bool,
    pub license: String,
    pub license_url: Option<String>,
    pub screenshots: Vec<Shot>,
    pub compatibility: Compatibility,
    pub disabled_html: Option<String>,
    pub replaced_html: Option<String>,
    pub note: Option<String>,
    pub note_html: Option<String>,
    pub privacy_policy: Option<String>,
    pub github: Option<Github>,
    pub versions: Vec<Version>,
    pub history: Option<Instances>,
    pub notices: Vec<Notice>,
    pub blocklist: Vec<BlocklistItem>,
    pub body: String,
    pub related: Vec<Card>,
    pub others: Vec<Card>,
    pub extra: Map<String, Value>,
}

/// A plugin as shown on another plugin's page.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[allow(missing_docs, reason = "docs/templates.md documents the members")]
pub struct Card {
    pub title: String,
    pub url: Local,
    pub description: String,
    pub abandoned: bool,
}

impl From<&Summary> for Card {
    fn from(summary: &Summary) -> Self {
        Self {
            title: summary.title.clone(),
            url: summary.url.clone(),
            description: summary.description.clone(),
            abandoned: summary.abandoned,
        }
    }
}

/// A screenshot.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[allow(missing_docs, reason = "docs/templates.md documents the members")]
pub struct Shot {
    pub url: Local,
    pub alt: Option<String>,
    pub caption: Option<String>,
}

/// A plugin's compatibility.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[allow(missing_docs, reason = "docs/templates.md documents the members")]
pub struct Compatibility {
    pub octoprint: Vec<String>,
    pub os: Vec<OperatingSystem>,
    pub python: Option<String>,
    pub python2: Option<bool>,
    pub python_declared: bool,
}

/// An operating system.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[allow(missing_docs, reason = "docs/templates.md documents the members")]
pub struct OperatingSystem {
    pub id: String,
    pub name: String,
}

/// Data from GitHub.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[allow(missing_docs, reason = "docs/templates.md documents the members")]
pub struct Github {
    pub repository: String,
    pub url: String,
    pub stars: u64,
    pub watchers: u64,
    pub issues: Issues,
    pub releases: u64,
    pub latest_release: Option<Release>,
    pub last_push: Option<String>,
    pub archived: bool,
    pub as_of: Option<String>,
}

/// Numbers of issues by state.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[allow(missing_docs, reason = "docs/templates.md documents the members")]
pub struct Issues {
    pub open: u64,
    pub closed: u64,
}

fn release(repository: &Repository) -> Option<Release> {
    let release = repository.latest_release.clone()?;
    Some(Release { url: address::written(&release.url), ..release })
}

impl Github {
    /// `as_of` is the date of the data if it is stale.
    fn of(repository: &Repository, as_of: Option<Date>) -> Self {
        Self {
            repository: repository.name.clone(),
            url: address::written(&repository.url),
            stars: repository.stars,
            watchers: repository.watchers,
            issues: Issues { open: repository.open_issues, closed: repository.closed_issues },
            releases: repository.releases,
            latest_release: release(repository),
            last_push: repository.last_push.map(|push| push.to_string()),
            archived: repository.archived,
            as_of: as_of.map(|day| day.to_string()),
        }
    }
}

/// A version's share of a plugin's users.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[allow(missing_docs, reason = "docs/templates.md documents the members")]
pub struct Version {
    pub version: String,
    pub instances: u64,
    pub share: f64,
}

impl Version {
    /// Returns the versions in use in the last month, most used first.
    pub fn of(month: &Usage) -> Vec<Self> {
        // An export may contain any numbers.
        let total =
            month.versions.values().fold(0, |total: u64, version| total.saturating_add(version.instances));
        #[expect(clippy::cast_precision_loss, reason = "a share is shown with one decimal")]
        let share = |instances: u64| instances as f64 / total as f64;
        let mut versions: Vec<_> = month
            .versions
            .iter()
            .filter(|(_, version)| version.instances > 0)
            .map(|(name, version)| Self {
                version: name.clone(),
                instances: version.instances,
                share: share(version.instances),
            })
            .collect();
        versions.sort_by(|a, b| (b.instances, &a.version).cmp(&(a.instances, &b.version)));
        versions
    }
}

/// A notice.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[allow(missing_docs, reason = "docs/templates.md documents the members")]
pub struct Notice {
    pub plugin: String,
    pub target: Option<Summary>,
    pub date: String,
    pub text: String,
    pub link: Option<String>,
    pub important: bool,
    pub versions: Vec<String>,
    pub octoversions: Vec<String>,
}

/// A blocklist item.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[allow(missing_docs, reason = "docs/templates.md documents the members")]
pub struct BlocklistItem {
    pub plugin: String,
    pub target: Option<Summary>,
    pub reason_html: String,
    pub versions: Vec<String>,
    pub octoversions: Vec<String>,
}

/// A group of plugins. `url` is the address of the group's page, if it has one.
#[derive(Debug, Clone, PartialEq, Eq)]
#[allow(missing_docs, reason = "docs/templates.md documents the members")]
pub struct Group<'a> {
    pub name: String,
    pub slug: String,
    pub url: Option<Local>,
    pub plugins: Vec<&'a Arc<Summary>>,
}

impl Group<'_> {
    /// Creates an empty group.
    pub fn new(name: String, slug: String) -> Self {
        Self { name, slug, url: None, plugins: Vec::new() }
    }
}

/// The parts of [`Full`] that don't come from the plugin itself.
#[derive(Debug, Clone, Default)]
pub struct Surroundings {
    /// Why the plugin is disabled, as safe HTML.
    pub disabled_html: Option<String>,
    /// What has replaced the plugin, as safe HTML.
    pub replaced_html: Option<String>,
    /// The note, as safe HTML.
    pub note_html: Option<String>,
    /// The description as safe HTML.
    pub body: String,
    /// Related plugins.
    pub related: Vec<Card>,
    /// Other plugins by the same authors.
    pub others: Vec<Card>,
    /// Notices about the plugin.
    pub notices: Vec<Notice>,
    /// Blocklist items about the plugin.
    pub blocklist: Vec<BlocklistItem>,
    /// The usage history.
    pub history: Option<Instances>,
}

impl Full {
    /// Returns the data for a plugin's page.
    pub fn of(
        plugin: &Plugin,
        summary: Arc<Summary>,
        settings: View<'_>,
        compat: &Compat,
        around: Surroundings,
    ) -> Self {
        let entry = &plugin.entry;
        Self {
            summary,
            homepage: address::written(&entry.homepage),
            source: address::written(&entry.source),
            archive: address::written(&entry.archive),
            follow_dependency_links: entry.follow_dependency_links,
            no_build_isolation: entry.no_build_isolation,
            license: entry.license.clone(),
            license_url: spdx::license_id(&entry.license)
                .map(|license| format!("https://spdx.org/licenses/{}.html", license.name)),
            screenshots: entry
                .screenshots
                .iter()
                .map(|shot| Shot {
                    url: Local::of(settings, &address::written(&shot.url)),
                    alt: shot.alt.clone(),
                    caption: shot.caption.clone(),
                })
                .collect(),
            compatibility: Compatibility {
                octoprint: entry.compatibility.octoprint.clone(),
                os: plugin
                    .os
                    .iter()
                    .map(|id| OperatingSystem { id: id.clone(), name: compat.name(id).to_owned() })
                    .collect(),
                python: plugin.python.clone(),
                python2: plugin.python2(),
                python_declared: plugin.python_declared,
            },
            disabled_html: around.disabled_html,
            replaced_html: around.replaced_html,
            note: around.note_html.as_deref().map(markdown::to_text),
            note_html: around.note_html,
            privacy_policy: entry
                .privacy_policy
                .as_deref()
                .map(|policy| address::absolute(settings, &address::written(policy))),
            github: plugin.repository.as_deref().map(|repository| Github::of(repository, plugin.ages.github)),
            versions: plugin.usage.as_ref().map(|usage| Version::of(&usage.month)).unwrap_or_default(),
            history: around.history,
            notices: around.notices,
            blocklist: around.blocklist,
            body: around.body,
            related: around.related,
            others: around.others,
            extra: entry.extra.clone(),
        }
    }
}
