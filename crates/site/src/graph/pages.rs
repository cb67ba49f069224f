//! The content of rendered outputs: templates with their context, and JSON.

use std::collections::BTreeMap;
use std::sync::Arc;

use minijinja::value::{Serde, Value};
use minijinja::{context, value::merge_maps};
use serde::Serialize;

use super::due::dated;
use super::entries::feed_description;
use super::facets::{self, Facet};
use super::kinds::{Kind, stem};
use super::plan::{Output, plan};
use super::recorder::Reader;
use super::{EntryFile, data, own_pages, plugins};
use super::{notices, sitemap, views};
use crate::data::Overlays;
use crate::digest::Digest;
use crate::markdown;
use crate::problem::Problem;
use crate::render::context::{Full, Summary};
use crate::render::environment::Page;
use crate::render::{address, api, browse_json, feed, object, pictures, plugins_json};
use crate::trace::{Aspect, Input};
use crate::wording::count;

/// How many plugins or releases a feed has.
const FEED: usize = 20;
/// How many plugins the feed for OctoPrint's announcements has.
const ANNOUNCEMENTS: usize = 10;
/// How many plugins the start page shows as new.
const NEWEST: usize = 10;
/// How many tags the start page shows.
const TAGS: usize = 30;

/// Renders an output, and keeps its bytes under the digest that it gives.
pub(super) fn render(db: Reader<'_>, kind: &Kind) -> Result<Digest, Problem> {
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
        return Ok(db.memory().put_blob(text.as_bytes()));
    };
    let path = kind.address(db);
    let mut page = Page {
        title: title.to_owned(),
        url: address::absolute(db.settings(), &address::written(&kind.canonical(db))),
        path,
        description: description.to_owned(),
        pictures_from: pictures::sources(db.settings(), &[]),
    };
    let Kind::Plugin(file) = kind else {
        let context = context(db, kind, &mut page);
        let context = merge_maps([context! { page => value(&page) }, context]);
        let text = fill(db, template, context)?;
        return Ok(db.memory().put_blob(text.as_bytes()));
    };
    let mut plugin = views::full(db, *file);
    if let Some(plugin) = &plugin {
        page.title.clone_from(&plugin.summary.title);
        page.description.clone_from(&plugin.summary.description);
        page.pictures_from = pictures::sources(db.settings(), &plugin.screenshots);
    }
    let render = |plugin: &Option<Full>| {
        fill(db, template, context! { page => value(&page), plugin => value(plugin) })
    };
    let mut text = render(&plugin)?;
    // An id of the description that the page has elsewhere, whatever template that is from, becomes another one.
    let apart = plugin.as_ref().and_then(|plugin| markdown::apart(&text, &plugin.body));
    if let (Some(body), Some(full)) = (apart, &mut plugin) {
        full.body = body;
        text = render(&plugin)?;
    }
    Ok(db.memory().put_blob(text.as_bytes()))
}

/// Renders a template.
fn fill(db: Reader<'_>, template: &str, context: Value) -> Result<String, Problem> {
    db.render(template, context, db.unnoted(|db| own_pages::navigation(db).clone()).as_slice())
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
    db: Reader<'_>,
    template: &str,
    body: &str,
    context: impl Fn(&str) -> Value,
) -> Result<Digest, Problem> {
    let text = around(body, |other| fill(db, template, context(other.as_deref().unwrap_or(body))))?;
    Ok(db.memory().put_blob(text.as_bytes()))
}

fn value(serialize: impl Serialize) -> Value {
    Value::from(Serde(serialize))
}

/// What a template shows that is not about one plugin.
fn context(db: Reader<'_>, kind: &Kind, page: &mut Page) -> Value {
    let settings = db.settings();
    match kind {
        Kind::Home => {
            page.title = settings.title().to_owned();
            page.description = settings.description().to_owned();
            db.note(Input::ToCome, None);
            db.summed_up(SUMMARIES, None, home)
        }
        Kind::ByName => db.summed_up(LISTED, None, |db| {
            context! { groups => object::groups(views::by_name(db)) }
        }),
        Kind::ByDate => {
            db.note(Input::ToCome, None);
            db.summed_up(LISTED, None, |db| context! { groups => object::groups(views::by_date(db)) })
        }
        Kind::ByTag | Kind::ByAuthor => {
            let facet = if *kind == Kind::ByTag { Facet::Tag } else { Facet::Author };
            db.summed_up(LISTED, None, |db| context! { groups => object::groups(facets::groups(db, facet)) })
        }
        Kind::Search => db.summed_up(LISTED, None, |db| {
            context! { plugins => object::listed(views::by_title(db)) }
        }),
        Kind::Facet(key) => db.summed_up(Input::Term(kind.file(db).into()), None, |db| {
            let Some(group) = facets::group(db, key) else { return Value::from(()) };
            let plugins = count(group.plugins.len(), "plugin");
            page.title.clone_from(&group.name);
            page.description = match key.0 {
                Facet::Tag => format!("{plugins} with the tag {}.", group.name),
                Facet::Author => format!("{plugins} by {}.", group.name),
            };
            context! { group => object::group(group) }
        }),
        Kind::Abandoned => db.summed_up(LISTED, None, |db| context! {
            abandoned => waiting(db, |plugin| plugin.abandoned, |plugin| plugin.abandoned_at.as_deref()),
            up_for_adoption => {
                waiting(db, |plugin| plugin.up_for_adoption, |plugin| plugin.up_for_adoption_at.as_deref())
            },
        }),
        Kind::Notices => context! { notices => value(views::notices(db)) },
        Kind::Blocklist | Kind::Blacklist => context! { blocklist => value(views::blocklist(db)) },
        Kind::Overlays => context! {
            overlays => views::overlays(db, &data::overlays(db)),
            python2 => views::overlays(db, &data::python2_overlays(db)),
            left_python2 => python2_overlays(db).len() - data::python2_overlays(db).len(),
        },
        Kind::Status => context! { sources => value(db.heard()) },
        Kind::Redirect { to, .. } => {
            let target = address::absolute(settings, &address::plugin_page(stem(db, *to)));
            context! { target => target }
        }
        Kind::Feed => db.summed_up(Input::Announced, None, |db| {
            let newest = in_announcements(db).filter_map(|file| views::summary(db, file).as_ref());
            context! { newest => object::plugins(newest) }
        }),
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

/// What outputs show of all plugins that show numbers.
const SUMMARIES: Input = Input::All(Aspect::Summary);

/// What long lists show of all plugins.
const LISTED: Input = Input::All(Aspect::Listed);

/// What feeds have of new plugins: each with its description for feeds.
fn newest_with_bodies(db: Reader<'_>) -> Vec<(Arc<Summary>, String)> {
    let of_one = |db: Reader<'_>, file| {
        let body = feed_description(db, file).as_ref()?.text.to_string();
        Some((views::summary(db, file).clone()?, body))
    };
    db.summed_up(Input::Newest, None, |db| in_feed(db).filter_map(|file| of_one(db, file)).collect())
}

/// The pages that search engines should know.
pub(super) fn listed(db: Reader<'_>) -> impl Iterator<Item = &Kind> {
    plan(db).outputs.values().filter_map(|output| match output {
        Output::Rendered(kind) if kind.is_listed() => Some(kind),
        _ => None,
    })
}

fn home(db: Reader<'_>) -> Value {
    let number = |condition: fn(&Summary) -> bool| views::select(db, condition).len();
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
            plugins => number(|_| true),
            python3 => number(|plugin| plugin.python3 == Some(true)),
            python_known => number(|plugin| plugin.python3.is_some()),
            abandoned => number(|plugin| plugin.abandoned),
            up_for_adoption => number(|plugin| plugin.up_for_adoption),
        },
    }
}

/// Plugins in a state, each with what its entry says of that.
fn waiting(
    db: Reader<'_>,
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
pub(super) fn in_feed(db: Reader<'_>) -> impl Iterator<Item = EntryFile> {
    dated(db).iter().rev().take(FEED).copied()
}

/// The entries that OctoPrint's announcements tell of, the newest first.
pub(super) fn in_announcements(db: Reader<'_>) -> impl Iterator<Item = EntryFile> {
    dated(db).iter().rev().take(ANNOUNCEMENTS).copied()
}

/// The outputs that are JSON.
fn json(db: Reader<'_>, kind: &Kind) -> String {
    let settings = db.settings();
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
        Kind::StatusJson => line(&serde_json::json!({ "sources": db.heard() })),
        Kind::BrowseJson => line(&browse_json::Index::of(views::by_title(db), settings)),
        _ => line(&redirects(db)),
    }
}

/// What OctoPrint on Python 2 merges into its update checks: the overlays that people wrote, and for each plugin that
/// left Python 2 behind one by which OctoPrint offers no update to a version that wouldn't run.
fn python2_overlays(db: Reader<'_>) -> Overlays {
    let mut overlays = (*data::python2_overlays(db)).clone();
    for id in plugins::without_python2(db) {
        let off = || serde_json::json!({ "disabled": true, "compatible": false });
        overlays.entry(id.as_str()).or_insert_with(off);
    }
    overlays
}

/// The absolute address to which each earlier address leads.
pub(super) fn redirects(db: Reader<'_>) -> BTreeMap<String, String> {
    db.note(Input::Redirects, None);
    let settings = db.settings();
    let redirect = |output: &Output| match output {
        Output::Rendered(Kind::Redirect { from, to, .. }) => {
            let target = address::absolute(settings, &address::plugin_page(stem(db, *to)));
            Some((from.clone(), target))
        }
        _ => None,
    };
    db.unnoted(|db| plan(db).outputs.values().filter_map(redirect).collect())
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
