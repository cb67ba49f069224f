//! The contexts of templates and the content of JSON files, for the rows of the table of outputs.

use std::collections::BTreeMap;
use std::sync::Arc;

use minijinja::context;
use minijinja::value::{Value, merge_maps};
use serde::Serialize;

use super::due::dated;
use super::entries::feed_description;
use super::kinds::{Kind, stem};
use super::pages::value;
use super::plan::{Output, plan};
use super::recorder::Reader;
use super::taxonomies::{self, Taxonomy};
use super::{EntryFile, data, notices as told, plugins, views};
use crate::data::Overlays;
use crate::render::context::Summary;
use crate::render::environment::Page;
use crate::render::{address, api, browse_json as browse, feed as feeds, object, plugins_json};
use crate::trace::{Aspect, Input};
use crate::wording::count;

/// The number of plugins or releases in a feed.
const FEED: usize = 20;
/// The number of plugins in the feed for OctoPrint's announcements.
const ANNOUNCEMENTS: usize = 10;
/// The number of new plugins on the home page.
const NEWEST: usize = 10;
/// The number of tags on the home page.
const TAGS: usize = 30;

/// The data about all plugins in outputs that show numbers.
const SUMMARIES: Input = Input::All(Aspect::Summary);

/// The data about all plugins in long lists.
const LISTED: Input = Input::All(Aspect::Listed);

/// The context of templates that need no data.
pub(super) fn nothing(_: Reader<'_>, _: &Kind, _: &mut Page) -> Value {
    Value::from(BTreeMap::<String, Value>::new())
}

pub(super) fn home(db: Reader<'_>, _: &Kind, page: &mut Page) -> Value {
    page.title = db.settings().title().to_owned();
    page.description = db.settings().description().to_owned();
    db.note(Input::ToCome, None);
    db.summed_up(SUMMARIES, None, of_home)
}

pub(super) fn by_name(db: Reader<'_>, _: &Kind, _: &mut Page) -> Value {
    db.summed_up(LISTED, None, |db| context! { groups => object::groups(views::by_name(db)) })
}

pub(super) fn by_date(db: Reader<'_>, _: &Kind, _: &mut Page) -> Value {
    db.note(Input::ToCome, None);
    db.summed_up(LISTED, None, |db| context! { groups => object::groups(views::by_date(db)) })
}

pub(super) fn by_tag(db: Reader<'_>, _: &Kind, _: &mut Page) -> Value {
    terms(db, Taxonomy::Tag)
}

pub(super) fn by_author(db: Reader<'_>, _: &Kind, _: &mut Page) -> Value {
    terms(db, Taxonomy::Author)
}

fn terms(db: Reader<'_>, taxonomy: Taxonomy) -> Value {
    db.summed_up(LISTED, None, |db| context! { groups => object::groups(taxonomies::groups(db, taxonomy)) })
}

/// The context of a tag's or author's page.
pub(super) fn term(db: Reader<'_>, kind: &Kind, page: &mut Page) -> Value {
    let Kind::Taxonomy(key) = kind else { return Value::from(()) };
    db.summed_up(Input::Term(kind.file(db).into()), None, |db| {
        let Some(group) = taxonomies::group(db, key) else { return Value::from(()) };
        let plugins = count(group.plugins.len(), "plugin");
        page.title.clone_from(&group.name);
        page.description = match key.0 {
            Taxonomy::Tag => format!("{plugins} with the tag {}.", group.name),
            Taxonomy::Author => format!("{plugins} by {}.", group.name),
        };
        context! { group => object::group(group) }
    })
}

pub(super) fn search(db: Reader<'_>, _: &Kind, _: &mut Page) -> Value {
    db.summed_up(LISTED, None, |db| context! { plugins => object::listed(views::by_title(db)) })
}

pub(super) fn abandoned(db: Reader<'_>, _: &Kind, _: &mut Page) -> Value {
    db.summed_up(LISTED, None, |db| {
        let abandoned = waiting(db, |plugin| plugin.abandoned, |plugin| plugin.abandoned_at.as_deref());
        let up_for_adoption =
            waiting(db, |plugin| plugin.up_for_adoption, |plugin| plugin.up_for_adoption_at.as_deref());
        context! { abandoned, up_for_adoption }
    })
}

pub(super) fn notices(db: Reader<'_>, _: &Kind, _: &mut Page) -> Value {
    context! { notices => value(views::notices(db)) }
}

pub(super) fn blocklist(db: Reader<'_>, _: &Kind, _: &mut Page) -> Value {
    context! { blocklist => value(views::blocklist(db)) }
}

pub(super) fn overlays(db: Reader<'_>, _: &Kind, _: &mut Page) -> Value {
    context! {
        overlays => views::overlays(db, &data::overlays(db)),
        python2 => views::overlays(db, &data::python2_overlays(db)),
        left_python2 => python2_overlays(db).len() - data::python2_overlays(db).len(),
    }
}

pub(super) fn status(db: Reader<'_>, _: &Kind, _: &mut Page) -> Value {
    context! { sources => value(db.source_statuses()) }
}

pub(super) fn redirect(db: Reader<'_>, kind: &Kind, _: &mut Page) -> Value {
    let Kind::Redirect { to, .. } = kind else { return Value::from(()) };
    context! { target => address::absolute(db.settings(), &address::plugin_page(stem(db, *to))) }
}

pub(super) fn announcements(db: Reader<'_>, _: &Kind, _: &mut Page) -> Value {
    db.summed_up(Input::Announced, None, |db| {
        let newest = in_announcements(db).filter_map(|file| views::summary(db, file).as_ref());
        context! { newest => object::plugins(newest) }
    })
}

pub(super) fn feed(db: Reader<'_>, _: &Kind, _: &mut Page) -> Value {
    let newest: Vec<Value> = newest_with_bodies(db)
        .into_iter()
        .map(|(plugin, body)| merge_maps([context! { body }, object::plugin(&plugin)]))
        .collect();
    context! { newest }
}

pub(super) fn feed_json(db: Reader<'_>, address: &str) -> String {
    feeds::plugins(address, &newest_with_bodies(db), db.settings())
}

pub(super) fn releases(db: Reader<'_>, _: &Kind, _: &mut Page) -> Value {
    context! { releases => object::plugins(views::latest_releases(db, FEED)) }
}

pub(super) fn releases_json(db: Reader<'_>, address: &str) -> String {
    feeds::releases(address, &views::latest_releases(db, FEED), db.settings())
}

pub(super) fn notices_json(db: Reader<'_>, _: &str) -> String {
    array(told::all(db).iter().map(|notice| &notice.published))
}

pub(super) fn blocklist_json(db: Reader<'_>, _: &str) -> String {
    array(data::blocklist(db).iter().map(|block| &block.published))
}

pub(super) fn overlays_json(db: Reader<'_>, _: &str) -> String {
    line(&*data::overlays(db))
}

pub(super) fn python2_overlays_json(db: Reader<'_>, _: &str) -> String {
    line(&python2_overlays(db))
}

pub(super) fn status_json(db: Reader<'_>, _: &str) -> String {
    line(&serde_json::json!({ "sources": db.source_statuses() }))
}

pub(super) fn browse_json(db: Reader<'_>, _: &str) -> String {
    line(&browse::Index::of(views::by_title(db), db.settings()))
}

pub(super) fn redirects_json(db: Reader<'_>, _: &str) -> String {
    line(&redirects(db))
}

pub(super) fn api_index(db: Reader<'_>, _: &str) -> String {
    api::index(views::summaries(db), db.settings())
}

/// Returns the newest plugins, each with its description for feeds.
fn newest_with_bodies(db: Reader<'_>) -> Vec<(Arc<Summary>, String)> {
    let of_one = |db: Reader<'_>, file| {
        let body = feed_description(db, file).as_ref()?.text.to_string();
        Some((views::summary(db, file).clone()?, body))
    };
    db.summed_up(Input::Newest, None, |db| in_feed(db).filter_map(|file| of_one(db, file)).collect())
}

fn of_home(db: Reader<'_>) -> Value {
    let number = |condition: fn(&Summary) -> bool| views::select(db, condition).len();
    let mut tags: Vec<_> = taxonomies::groups(db, Taxonomy::Tag);
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

/// Returns the plugins in a state, each with the reason that its entry gives.
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

/// Returns the entries in the feed of new plugins, newest first.
pub(super) fn in_feed(db: Reader<'_>) -> impl Iterator<Item = EntryFile> {
    dated(db).iter().rev().take(FEED).copied()
}

/// Returns the entries in the feed for OctoPrint's announcements, newest first.
pub(super) fn in_announcements(db: Reader<'_>) -> impl Iterator<Item = EntryFile> {
    dated(db).iter().rev().take(ANNOUNCEMENTS).copied()
}

/// Returns the overlays for OctoPrint on Python 2: those in the data file, and for each other plugin that no longer
/// supports Python 2 one that disables its update check, so that OctoPrint doesn't offer an update that can't run.
fn python2_overlays(db: Reader<'_>) -> Overlays {
    let mut overlays = (*data::python2_overlays(db)).clone();
    for id in plugins::without_python2(db) {
        let off = || serde_json::json!({ "disabled": true, "compatible": false });
        overlays.entry(id.as_str()).or_insert_with(off);
    }
    overlays
}

/// Returns the absolute target of each redirect.
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
    db.unnoted(|db| plan(db).outputs.items().iter().map(|(_, output)| output).filter_map(redirect).collect())
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
