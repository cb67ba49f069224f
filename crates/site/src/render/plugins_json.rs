//! `plugins.json`: the contract with every installed OctoPrint. Never change a member's name or form unless OctoPrint's
//! plugin manager does.

use std::borrow::Cow;

use serde::Serialize;

use super::{address, text};
use crate::config::View;
use crate::fact::Repository;
use crate::markdown;
use crate::plugin::Plugin;

#[derive(Serialize)]
struct Record<'a> {
    id: &'a str,
    published: String,
    title: &'a str,
    description: String,
    archive: &'a str,
    #[serde(skip_serializing_if = "is_false")]
    follow_dependency_links: bool,
    #[serde(skip_serializing_if = "is_false")]
    no_build_isolation: bool,
    author: String,
    homepage: &'a str,
    page: String,
    compatibility: Compatibility<'a>,
    license: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    image: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    disabled: Option<&'a str>,
    abandoned: bool,
    attributes: &'a [String],
    #[serde(skip_serializing_if = "Option::is_none")]
    privacypolicy: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    github: Option<Github<'a>>,
    stats: Stats,
}

#[derive(Serialize)]
struct Compatibility<'a> {
    octoprint: &'a [String],
    os: Vec<&'a str>,
    python: Cow<'a, str>,
}

#[derive(Serialize)]
struct Github<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    latest_release: Option<Release<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    releases: Option<u64>,
    last_push: String,
    stars: u64,
    issues: Issues,
}

#[derive(Serialize)]
struct Release<'a> {
    name: &'a str,
    date: String,
    tag: &'a str,
}

#[derive(Serialize)]
struct Issues {
    open: u64,
    closed: u64,
}

#[derive(Serialize, Default)]
struct Stats {
    instances_month: u64,
    install_events_month: u64,
    instances_week: u64,
    install_events_week: u64,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes a reference")]
fn is_false(flag: &bool) -> bool {
    !flag
}

impl<'a> Github<'a> {
    /// `None` if the last push is unknown: OctoPrint's plugin manager sorts all plugins with a `github` by that date,
    /// and fails altogether if one lacks it.
    fn of(repository: &'a Repository) -> Option<Self> {
        let latest = repository.latest_release.as_ref();
        Some(Self {
            latest_release: latest.map(|release| Release {
                name: &release.name,
                date: text::json_utc(release.date),
                tag: &release.tag,
            }),
            releases: latest.map(|_| repository.releases),
            last_push: text::json_utc(repository.last_push?),
            stars: repository.stars,
            issues: Issues { open: repository.open_issues, closed: repository.closed_issues },
        })
    }
}

/// Returns the line of a plugin.
///
/// # Errors
///
/// None for values from the graph.
pub fn record(
    plugin: &Plugin,
    disabled_html: Option<&str>,
    note_html: Option<&str>,
    settings: View<'_>,
) -> Result<String, serde_json::Error> {
    let entry = &plugin.entry;
    let mut description = markdown::strip_tags(&entry.description);
    if let Some(note) = note_html {
        description.push_str(" // Please note: ");
        description.push_str(&markdown::to_text(note));
    }
    let stats = plugin.usage.as_ref().map(|usage| Stats {
        instances_month: usage.month.instances,
        install_events_month: usage.month.install_events,
        instances_week: usage.week.instances,
        install_events_week: usage.week.install_events,
    });
    let os = if entry.disabled.is_some() && settings.hide_disabled() {
        vec!["disabled"]
    } else {
        plugin.os.iter().map(String::as_str).collect()
    };
    serde_json::to_string(&Record {
        id: &entry.stem,
        published: text::json_time(&text::midnight(entry.date, settings.timezone())),
        title: &entry.title,
        description,
        archive: &entry.archive,
        follow_dependency_links: entry.follow_dependency_links,
        no_build_isolation: entry.no_build_isolation,
        author: markdown::strip_tags(&entry.authors.join(", ")),
        homepage: &entry.homepage,
        page: address::absolute(settings, &address::plugin_page(&entry.stem)),
        compatibility: Compatibility {
            octoprint: &entry.compatibility.octoprint,
            os,
            python: plugin.octoprint_python(),
        },
        license: &entry.license,
        image: entry.featured_image.as_ref().map(|image| address::absolute(settings, image)),
        disabled: disabled_html,
        abandoned: entry.is_abandoned(),
        attributes: &entry.attributes,
        privacypolicy: entry.privacy_policy.as_ref().map(|policy| address::absolute(settings, policy)),
        github: plugin.repository.as_deref().and_then(Github::of),
        stats: stats.unwrap_or_default(),
    })
}

/// Returns the file, an array with one line for each record so that diffs are small. `bytes` is its approximate size.
pub fn file<'a>(records: impl IntoIterator<Item = &'a str>, bytes: usize) -> String {
    let mut json = String::with_capacity(bytes);
    json.push('[');
    for (position, record) in records.into_iter().enumerate() {
        json.push_str(if position == 0 { "\n" } else { ",\n" });
        json.push_str(record);
    }
    json.push_str("\n]\n");
    json
}
