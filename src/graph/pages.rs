//! The content of rendered outputs: templates with their context, and JSON.

use std::collections::BTreeMap;
use std::sync::Arc;

use minijinja::value::{Serde, Value};
use minijinja::{context, value::merge_maps};
use serde::Serialize;

use super::context::identity;
use super::due::dated;
use super::entries::feed_description;
use super::facets::{self, Facet};
use super::kinds::{Kind, stem};
use super::plan::{Output, plan};
use super::templates::templates;
use super::{Db, EntryFile, Site, data, own_pages, plugins};
use super::{notices, sitemap, views};
use crate::data::Overlays;
use crate::digest::Digest;
use crate::markdown;
use crate::problem::Problem;
use crate::render::context::{Full, Summary};
use crate::render::environment::Page;
use crate::render::{address, api, browse_json, feed, object, pictures, plugins_json};
use crate::report;

/// How many plugins or releases a feed has.
const FEED: usize = 20;
/// How many plugins the feed for OctoPrint's announcements has.
const ANNOUNCEMENTS: usize = 10;
/// How many plugins the start page shows as new.
const NEWEST: usize = 10;
/// How many tags the start page shows.
const TAGS: usize = 30;

/// A rendered output.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rendered {
    /// The digest of its bytes, under which the cache has them.
    pub digest: Digest,
    /// The inputs of the memo that has this digest; `None` if there is no such memo.
    pub memo: Option<Digest>,
}

/// The function whose results are the digests of pages, under all that they show.
pub(super) const PAGE: &str = "page";

/// Renders an output, unless a memo has it.
pub(super) fn render(db: &dyn Db, kind: &Kind) -> Result<Rendered, Problem> {
    if let Kind::Page(file) = kind {
        return own_pages::render(db, *file);
    }
    let Some((template, title, description)) = kind.template() else {
        let text = json(db, kind);
        // What every installed OctoPrint reads must parse, whatever went in.
        serde_json::from_str::<serde::de::IgnoredAny>(&text).map_err(|error| {
            Problem::new(
                &kind.file(db),
                &text.as_str().into(),
                0..0,
                format!("this is not valid JSON: {error}"),
            )
            .help("this is a mistake in shelflife, please report it")
        })?;
        return Ok(Rendered { digest: db.cache().put_blob(text.as_bytes()), memo: None });
    };
    let templates = match templates(db) {
        Ok(templates) => templates,
        Err(problems) => {
            let nothing = Rendered { digest: Digest::of(b""), memo: None };
            return problems.first().map_or(Ok(nothing), |problem| Err(problem.clone()));
        }
    };
    let path = kind.address(db);
    let mut page = Page {
        title: title.to_owned(),
        url: address::absolute(Site::get(db).settings(db), &address::written(&kind.canonical(db))),
        path,
        description: description.to_owned(),
        pictures_from: pictures::sources(Site::get(db).settings(db), &[]),
    };
    let Kind::Plugin(file) = kind else {
        let context = context(db, kind, &mut page);
        let context = merge_maps([context! { page => value(&page) }, context]);
        let digest = db.cache().put_blob(templates.render(template, context)?.as_bytes());
        return Ok(Rendered { digest, memo: None });
    };
    let mut plugin = views::full(db, *file);
    if let Some(plugin) = &plugin {
        page.title.clone_from(&plugin.summary.title);
        page.description.clone_from(&plugin.summary.description);
        page.pictures_from = pictures::sources(Site::get(db).settings(db), &plugin.screenshots);
    }
    let inputs = Digest::of_parts([
        identity(db, template).as_bytes().as_slice(),
        &serde_json::to_vec(&page).unwrap_or_default(),
        &serde_json::to_vec(&plugin).unwrap_or_default(),
    ]);
    // The memo is the page's digest; whether the cache still has the page is another matter.
    if let Some(digest) = db.cache().memo(PAGE, inputs).and_then(|digest| Digest::from_bytes(&digest))
        && db.cache().has_blob(digest)
    {
        return Ok(Rendered { digest, memo: Some(inputs) });
    }
    let render = |plugin: &Option<Full>| {
        templates.render(template, context! { page => value(&page), plugin => value(plugin) })
    };
    let mut text = render(&plugin)?;
    // An id of the description that the page has elsewhere, whatever template that is from, becomes another one.
    let apart = plugin.as_ref().and_then(|plugin| markdown::apart(&text, &plugin.body));
    if let (Some(body), Some(full)) = (apart, &mut plugin) {
        full.body = body;
        text = render(&plugin)?;
    }
    let digest = db.cache().put_blob(text.as_bytes());
    db.cache().keep_memo(PAGE, inputs, digest.as_bytes());
    Ok(Rendered { digest, memo: Some(inputs) })
}

/// Renders a page around `body`. Where an id in it is one of the page's own, whatever template that is from, the page is
/// rendered once more around a body with another one.
fn around(body: &str, render: impl Fn(Option<String>) -> Result<String, Problem>) -> Result<String, Problem> {
    let text = render(None)?;
    match markdown::apart(&text, body) {
        Some(body) => render(Some(body)),
        None => Ok(text),
    }
}

/// Renders a page of the site's own from its template, its body and what the template gets around a body.
pub(super) fn put(
    db: &dyn Db,
    template: &str,
    body: &str,
    context: impl Fn(&str) -> Value,
) -> Result<Rendered, Problem> {
    match templates(db) {
        Ok(templates) => {
            let render =
                |other: Option<String>| templates.render(template, context(other.as_deref().unwrap_or(body)));
            let text = around(body, render)?;
            Ok(Rendered { digest: db.cache().put_blob(text.as_bytes()), memo: None })
        }
        Err(problems) => {
            let nothing = Rendered { digest: Digest::of(b""), memo: None };
            problems.first().map_or(Ok(nothing), |problem| Err(problem.clone()))
        }
    }
}

fn value(serialize: impl Serialize) -> Value {
    Value::from(Serde(serialize))
}

/// What a template shows that is not about one plugin.
fn context(db: &dyn Db, kind: &Kind, page: &mut Page) -> Value {
    let settings = Site::get(db).settings(db);
    match kind {
        Kind::Home => {
            page.title.clone_from(&settings.title);
            page.description.clone_from(&settings.description);
            home(db)
        }
        Kind::ByName => context! { groups => object::groups(views::by_name(db)) },
        Kind::ByDate => context! { groups => object::groups(views::by_date(db)) },
        Kind::ByTag => context! { groups => object::groups(facets::groups(db, Facet::Tag)) },
        Kind::ByAuthor => context! { groups => object::groups(facets::groups(db, Facet::Author)) },
        Kind::Search => context! { plugins => object::listed(views::by_title(db)) },
        Kind::Facet(key) => {
            let Some(group) = facets::group(db, key) else { return Value::from(()) };
            let plugins = report::count(group.plugins.len(), "plugin");
            page.title.clone_from(&group.name);
            page.description = match key.0 {
                Facet::Tag => format!("{plugins} with the tag {}.", group.name),
                Facet::Author => format!("{plugins} by {}.", group.name),
            };
            context! { group => object::group(group) }
        }
        Kind::Abandoned => context! {
            abandoned => waiting(db, |plugin| plugin.abandoned, |plugin| plugin.abandoned_at.as_deref()),
            up_for_adoption => {
                waiting(db, |plugin| plugin.up_for_adoption, |plugin| plugin.up_for_adoption_at.as_deref())
            },
        },
        Kind::Notices => context! { notices => value(views::notices(db)) },
        Kind::Blocklist | Kind::Blacklist => context! { blocklist => value(views::blocklist(db)) },
        Kind::Overlays => context! {
            overlays => views::overlays(db, &data::overlays(db)),
            python2 => views::overlays(db, &data::python2_overlays(db)),
            left_python2 => python2_overlays(db).len() - data::python2_overlays(db).len(),
        },
        Kind::Status => context! { sources => value(Site::get(db).heard(db)) },
        Kind::Redirect { to, .. } => {
            let target = address::absolute(settings, &address::plugin_page(stem(db, *to)));
            context! { target => target }
        }
        Kind::Feed => {
            let newest = in_announcements(db).filter_map(|file| views::summary(db, file).as_ref());
            context! { newest => object::plugins(newest) }
        }
        Kind::FeedAtom => {
            let newest: Vec<Value> = newest_with_bodies(db)
                .into_iter()
                .map(|(plugin, body)| merge_maps([context! { body }, object::plugin(&plugin)]))
                .collect();
            context! { newest => newest }
        }
        Kind::Releases => context! { releases => object::plugins(views::latest_releases(db, FEED)) },
        Kind::Topics => own_pages::topics_context(db),
        Kind::Sitemap => sitemap::context(db, None),
        Kind::SitemapPart(part) => sitemap::context(db, Some(*part)),
        _ => Value::from(BTreeMap::<String, Value>::new()),
    }
}

/// What feeds have of new plugins: each with its description for feeds.
fn newest_with_bodies(db: &dyn Db) -> Vec<(Arc<Summary>, String)> {
    let of_one = |file| {
        let body = feed_description(db, file).as_ref()?.text.to_string();
        Some((views::summary(db, file).clone()?, body))
    };
    in_feed(db).filter_map(of_one).collect()
}

/// The pages that search engines should know.
pub(super) fn listed(db: &dyn Db) -> impl Iterator<Item = &Kind> {
    plan(db).outputs.values().filter_map(|output| match output {
        Output::Rendered(kind) if kind.is_listed() => Some(kind),
        _ => None,
    })
}

fn home(db: &dyn Db) -> Value {
    let count = |condition: fn(&Summary) -> bool| views::select(db, condition).len();
    let mut tags: Vec<_> = facets::groups(db, Facet::Tag);
    tags.sort_by(|a, b| b.plugins.len().cmp(&a.plugins.len()).then_with(|| a.slug.cmp(&b.slug)));
    let tags: Vec<Value> = tags
        .iter()
        .take(TAGS)
        .map(|tag| {
            let (name, slug) = (tag.name.as_str(), tag.slug.as_str());
            context! { name, slug, url => tag.url.as_ref().map(address::Local::value), count => tag.plugins.len() }
        })
        .collect();
    context! {
        popular => object::plugins(views::popular(db)),
        trending => object::plugins(views::trending(db)),
        newest => object::plugins(views::newest(db, NEWEST)),
        released => object::plugins(views::released(db)),
        tags => tags,
        counts => context! {
            plugins => count(|_| true),
            python3 => count(|plugin| plugin.python3 == Some(true)),
            python_known => count(|plugin| plugin.python3.is_some()),
            abandoned => count(|plugin| plugin.abandoned),
            up_for_adoption => count(|plugin| plugin.up_for_adoption),
        },
    }
}

/// Plugins in a state, each with what its entry says of that.
fn waiting(
    db: &dyn Db,
    state: impl Fn(&Summary) -> bool,
    reason: impl Fn(&Summary) -> Option<&str>,
) -> Value {
    let waiting: Vec<Value> = views::select(db, state)
        .into_iter()
        .map(|(_, plugin)| context! { plugin => object::in_list(plugin), at => reason(plugin) })
        .collect();
    waiting.into()
}

/// The entries whose descriptions the feed has, the newest first.
pub(super) fn in_feed(db: &dyn Db) -> impl Iterator<Item = EntryFile> {
    dated(db).iter().rev().take(FEED).copied()
}

/// The entries that OctoPrint's announcements tell of, the newest first.
pub(super) fn in_announcements(db: &dyn Db) -> impl Iterator<Item = EntryFile> {
    dated(db).iter().rev().take(ANNOUNCEMENTS).copied()
}

/// The outputs that are JSON.
fn json(db: &dyn Db, kind: &Kind) -> String {
    let settings = Site::get(db).settings(db);
    match kind {
        Kind::NoticesJson => array(notices::all(db).iter().map(|notice| &notice.published)),
        Kind::BlocklistJson | Kind::BlacklistJson => {
            array(data::blocklist(db).iter().map(|block| &block.published))
        }
        Kind::ApiIndex => api::index(views::summaries(db), settings),
        Kind::FeedJson => feed::plugins(&kind.address(db), &newest_with_bodies(db), settings),
        Kind::ReleasesJson => feed::releases(&kind.address(db), &views::latest_releases(db, FEED), settings),
        Kind::OverlayJson => line(&*data::overlays(db)),
        Kind::OverlayPython2Json => line(&python2_overlays(db)),
        Kind::StatusJson => line(&serde_json::json!({ "sources": Site::get(db).heard(db) })),
        Kind::BrowseJson => line(&browse_json::Index::of(views::by_title(db), settings)),
        _ => line(&redirects(db)),
    }
}

/// What OctoPrint on Python 2 merges into its update checks: the overlays that people wrote, and for each plugin that
/// left Python 2 behind one by which OctoPrint offers no update to a version that wouldn't run.
fn python2_overlays(db: &dyn Db) -> Overlays {
    let mut overlays = (*data::python2_overlays(db)).clone();
    for id in plugins::without_python2(db) {
        let off = || serde_json::json!({ "disabled": true, "compatible": false });
        overlays.entry(id.as_str()).or_insert_with(off);
    }
    overlays
}

/// The absolute address to which each earlier address leads.
pub(super) fn redirects(db: &dyn Db) -> BTreeMap<String, String> {
    let settings = Site::get(db).settings(db);
    let redirect = |output: &Output| match output {
        Output::Rendered(Kind::Redirect { from, to, .. }) => {
            let target = address::absolute(settings, &address::plugin_page(stem(db, *to)));
            Some((from.clone(), target))
        }
        _ => None,
    };
    plan(db).outputs.values().filter_map(redirect).collect()
}

fn line(json: &impl Serialize) -> String {
    let mut text = serde_json::to_string(json).unwrap_or_default();
    text.push('\n');
    text
}

fn array<'a, T: Serialize + 'a>(items: impl Iterator<Item = &'a T>) -> String {
    let lines: Vec<String> = items.map(|item| serde_json::to_string(item).unwrap_or_default()).collect();
    let bytes = lines.iter().map(|line| line.len() + 2).sum();
    plugins_json::file(lines.iter().map(String::as_str), bytes)
}
