//! The API: the content of pages, as JSON. `docs/api.md` documents it. Within `/api/v1/`, never remove a member or
//! change its meaning.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::Serialize;

use super::address;
use super::context::{self, Full, Summary};
use crate::alternate::{Alternate, Badge, Form};
use crate::config::View;
use crate::fact::Release;
use crate::markdown;

#[derive(Serialize)]
struct Plugin<'a> {
    id: &'a str,
    declared_id: &'a str,
    title: &'a str,
    description: &'a str,
    content_html: String,
    authors: Vec<&'a str>,
    tags: Vec<&'a str>,
    license: &'a str,
    published: &'a str,
    attributes: &'a [String],
    state: State,
    compatibility: Compatibility<'a>,
    install: Install<'a>,
    image: Option<String>,
    screenshots: Vec<Screenshot<'a>>,
    note: Option<&'a str>,
    note_html: Option<String>,
    usage: Option<Usage<'a>>,
    github: Option<&'a context::Github>,
    notices: Vec<Notice<'a>>,
    blocklist: &'a [BlocklistItem<'a>],
    /// The old name of `blocklist`.
    blacklist: &'a [BlocklistItem<'a>],
    urls: Urls<'a>,
}

#[derive(Serialize)]
struct State {
    abandoned: bool,
    abandoned_at: Option<String>,
    replaced: bool,
    replaced_html: Option<String>,
    up_for_adoption: bool,
    up_for_adoption_at: Option<String>,
    disabled: bool,
    disabled_html: Option<String>,
}

#[derive(Serialize)]
struct Compatibility<'a> {
    octoprint: &'a [String],
    os: Vec<&'a str>,
    python: Option<&'a str>,
    python_declared: bool,
    python3: Option<bool>,
}

#[derive(Serialize)]
struct Install<'a> {
    archive: &'a str,
    follow_dependency_links: bool,
    no_build_isolation: bool,
}

#[derive(Serialize)]
struct Screenshot<'a> {
    url: String,
    alt: Option<&'a str>,
    caption: Option<&'a str>,
}

#[derive(Serialize)]
struct Usage<'a> {
    week: &'a context::UsageNumbers,
    month: Month<'a>,
    as_of: Option<&'a str>,
}

#[derive(Serialize)]
struct Month<'a> {
    #[serde(flatten)]
    numbers: &'a context::UsageNumbers,
    versions: Vec<Version<'a>>,
}

#[derive(Serialize)]
struct Version<'a> {
    version: &'a str,
    instances: u64,
}

#[derive(Serialize)]
struct Notice<'a> {
    date: &'a str,
    text: &'a str,
    link: Option<&'a str>,
    important: bool,
    versions: &'a [String],
    octoprint_versions: &'a [String],
}

#[derive(Serialize)]
struct BlocklistItem<'a> {
    reason_html: String,
    versions: &'a [String],
    octoprint_versions: &'a [String],
}

#[derive(Serialize)]
struct Urls<'a> {
    page: &'a str,
    api: String,
    history: String,
    homepage: &'a str,
    source: &'a str,
    issues: Option<String>,
    privacy_policy: Option<&'a str>,
    badges: Option<BTreeMap<&'static str, String>>,
}

/// Returns a plugin, on one line.
pub fn plugin(full: &Full, settings: View<'_>) -> String {
    let summary = &full.summary;
    let at = |alternate: Alternate| address::absolute(settings, &alternate.address(&summary.stem));
    let picture = |badge| (badge, at(Alternate::Badge(badge, Form::Svg)));
    let badges = Badge::ALL.map(picture).into_iter().map(|(badge, address)| (badge.name(), address));
    let absolute = |html: &str| markdown::with_addresses(html, |to| address::joined(&summary.page, to));
    // It can also be a sentence.
    let said = |at: &str| address::absolute(settings, at);
    let blocklist: Vec<BlocklistItem<'_>> = full
        .blocklist
        .iter()
        .map(|item| BlocklistItem {
            reason_html: absolute(&item.reason_html),
            versions: &item.versions,
            octoprint_versions: &item.octoversions,
        })
        .collect();
    let issues = full.github.as_ref().filter(|github| !github.archived);
    line(&Plugin {
        id: &summary.stem,
        declared_id: &summary.id,
        title: &summary.title,
        description: &summary.description,
        content_html: absolute(&full.body),
        authors: summary.authors.iter().map(|author| author.name.as_str()).collect(),
        tags: summary.tags.iter().map(|tag| tag.name.as_str()).collect(),
        license: &full.license,
        published: &summary.published,
        attributes: &summary.attributes,
        state: State {
            abandoned: summary.abandoned,
            abandoned_at: summary.abandoned_at.as_deref().map(said),
            replaced: summary.replaced.is_some(),
            replaced_html: full.replaced_html.as_deref().map(absolute),
            up_for_adoption: summary.up_for_adoption,
            up_for_adoption_at: summary.up_for_adoption_at.as_deref().map(said),
            disabled: summary.disabled,
            disabled_html: full.disabled_html.as_deref().map(absolute),
        },
        compatibility: Compatibility {
            octoprint: &full.compatibility.octoprint,
            os: full.compatibility.os.iter().map(|os| os.id.as_str()).collect(),
            python: full.compatibility.python.as_deref(),
            python_declared: full.compatibility.python_declared,
            python3: summary.python3,
        },
        install: Install {
            archive: &full.archive,
            follow_dependency_links: full.follow_dependency_links,
            no_build_isolation: full.no_build_isolation,
        },
        image: summary.image.as_ref().map(|image| image.absolute(settings)),
        screenshots: full
            .screenshots
            .iter()
            .map(|shot| Screenshot {
                url: shot.url.absolute(settings),
                alt: shot.alt.as_deref(),
                caption: shot.caption.as_deref(),
            })
            .collect(),
        note: full.note.as_deref(),
        note_html: full.note_html.as_deref().map(absolute),
        usage: summary.usage.as_ref().map(|usage| Usage {
            week: &usage.week,
            month: Month {
                numbers: &usage.month,
                versions: full
                    .versions
                    .iter()
                    .map(|version| Version { version: &version.version, instances: version.instances })
                    .collect(),
            },
            as_of: usage.as_of.as_deref(),
        }),
        github: full.github.as_ref(),
        notices: full
            .notices
            .iter()
            .map(|notice| Notice {
                date: &notice.date,
                text: &notice.text,
                link: notice.link.as_deref(),
                important: notice.important,
                versions: &notice.versions,
                octoprint_versions: &notice.octoversions,
            })
            .collect(),
        blocklist: &blocklist,
        blacklist: &blocklist,
        urls: Urls {
            page: &summary.page,
            api: at(Alternate::Api),
            history: at(Alternate::History),
            homepage: &full.homepage,
            source: &full.source,
            issues: issues.map(|github| format!("{}/issues", github.url)),
            privacy_policy: full.privacy_policy.as_deref(),
            badges: settings.badges().then(|| badges.collect()),
        },
    })
}

#[derive(Serialize)]
struct Listed<'a> {
    id: &'a str,
    title: &'a str,
    description: &'a str,
    authors: Vec<&'a str>,
    tags: Vec<&'a str>,
    published: &'a str,
    attributes: &'a [String],
    abandoned: bool,
    up_for_adoption: bool,
    disabled: bool,
    python: Option<&'a str>,
    python3: Option<bool>,
    usage: Option<&'a context::UsageWindows>,
    stars: Option<u64>,
    latest_release: Option<&'a Release>,
    last_push: Option<&'a str>,
    github_as_of: Option<&'a str>,
    page: &'a str,
    api: String,
}

/// Returns the index: an object whose member `plugins` has one line for each plugin.
pub fn index(summaries: &[Arc<Summary>], settings: View<'_>) -> String {
    let listed = |summary: &Arc<Summary>| {
        let listed = Listed {
            id: &summary.stem,
            title: &summary.title,
            description: &summary.description,
            authors: summary.authors.iter().map(|author| author.name.as_str()).collect(),
            tags: summary.tags.iter().map(|tag| tag.name.as_str()).collect(),
            published: &summary.published,
            attributes: &summary.attributes,
            abandoned: summary.abandoned,
            up_for_adoption: summary.up_for_adoption,
            disabled: summary.disabled,
            python: summary.python.as_deref(),
            python3: summary.python3,
            usage: summary.usage.as_ref(),
            stars: summary.stars,
            latest_release: summary.latest_release.as_ref(),
            last_push: summary.last_push.as_deref(),
            github_as_of: summary.github_as_of.as_deref(),
            page: &summary.page,
            api: address::absolute(settings, &Alternate::Api.address(&summary.stem)),
        };
        serde_json::to_string(&listed).unwrap_or_default()
    };
    let lines: Vec<String> = summaries.iter().map(listed).collect();
    format!("{{\"plugins\":[\n{}\n]}}\n", lines.join(",\n"))
}

fn line(json: &impl Serialize) -> String {
    let mut text = serde_json::to_string(json).unwrap_or_default();
    text.push('\n');
    text
}
