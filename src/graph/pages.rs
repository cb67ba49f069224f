//! The content of rendered outputs: templates with their context, and JSON.

use std::collections::BTreeMap;
use std::sync::Arc;

use minijinja::value::{Serde, Value};
use minijinja::{context, value::merge_maps};
use serde::Serialize;

use super::entries::{feed_description, parsed};
use super::kinds::{Kind, stem};
use super::plan::{Output, plan};
use super::plugins::plugins;
use super::templates::templates;
use super::views;
use super::{Db, EntryFile, Site, data};
use crate::problem::Problem;
use crate::render::context::Summary;
use crate::render::environment::Page;
use crate::render::{address, plugins_json, search_json};

/// How many entries the feed has.
const FEED: usize = 20;
/// How many plugins the start page shows as new.
const NEWEST: usize = 10;
/// How many tags the start page shows.
const TAGS: usize = 30;

/// The content of a rendered output.
pub(super) fn render(db: &dyn Db, kind: &Kind) -> Result<String, Problem> {
    let Some((template, title, description)) = kind.template() else { return Ok(json(db, kind)) };
    let templates = match templates(db) {
        Ok(templates) => templates,
        Err(problems) => return problems.first().map_or_else(|| Ok(String::new()), |p| Err(p.clone())),
    };
    let settings = Site::get(db).settings(db);
    let path = kind.address(db);
    let mut page = Page {
        title: title.to_owned(),
        url: address::absolute(settings, &path),
        path,
        description: description.to_owned(),
    };
    let context = context(db, kind, &mut page);
    templates.render(template, merge_maps([context! { page => Value::from(Serde(&page)) }, context]))
}

fn value(serialize: impl Serialize) -> Value {
    Value::from(Serde(serialize))
}

/// What a template gets beside `page` and the globals.
fn context(db: &dyn Db, kind: &Kind, page: &mut Page) -> Value {
    let settings = Site::get(db).settings(db);
    match kind {
        Kind::Home => {
            page.title.clone_from(&settings.title);
            page.description.clone_from(&settings.description);
            home(db)
        }
        Kind::Plugin(file) => {
            let full = views::full(db, *file);
            if let Some(full) = &full {
                page.title.clone_from(&full.summary.title);
                page.description.clone_from(&full.summary.description);
            }
            context! { plugin => value(full) }
        }
        Kind::ByName => context! { groups => value(views::by_name(db)) },
        Kind::ByDate => context! { groups => value(views::by_date(db)) },
        Kind::ByTag => context! { groups => value(views::by_tag(db)) },
        Kind::ByAuthor => context! { groups => value(views::by_author(db)) },
        Kind::Search => context! { plugins => value(views::by_title(db)) },
        Kind::Abandoned => context! {
            abandoned => waiting(db, |entry| entry.abandoned.as_deref()),
            up_for_adoption => waiting(db, |entry| entry.up_for_adoption.as_deref()),
        },
        Kind::Notices => context! { notices => value(views::notices(db)) },
        Kind::Blacklist => context! { blacklist => value(views::blacklist(db)) },
        Kind::Overlays => context! { overlays => views::overlays(db) },
        Kind::Redirect { to, .. } => {
            let target = address::absolute(settings, &address::plugin_page(stem(db, *to)));
            context! { target => target }
        }
        Kind::Feed => {
            let newest: Vec<Value> = plugins(db)
                .iter()
                .rev()
                .take(FEED)
                .filter_map(|file| {
                    let body = feed_description(db, *file).to_string();
                    Some(merge_maps([context! { body }, value(&**views::summary(db, *file).as_ref()?)]))
                })
                .collect();
            context! { newest => newest }
        }
        Kind::Sitemap => {
            let pages: Vec<Value> = plan(db)
                .outputs
                .values()
                .filter_map(|output| match output {
                    Output::Rendered(kind) if kind.is_listed() => {
                        Some(context! { url => address::absolute(settings, &kind.address(db)) })
                    }
                    _ => None,
                })
                .collect();
            context! { pages => pages }
        }
        _ => Value::from(BTreeMap::<String, Value>::new()),
    }
}

fn home(db: &dyn Db) -> Value {
    let count = |condition: fn(&Summary) -> bool| views::select(db, condition).len();
    let mut tags: Vec<_> = views::by_tag(db);
    tags.sort_by(|a, b| b.plugins.len().cmp(&a.plugins.len()).then_with(|| a.slug.cmp(&b.slug)));
    let tags: Vec<Value> = tags
        .iter()
        .take(TAGS)
        .map(|tag| context! { name => tag.name.as_str(), slug => tag.slug.as_str(), count => tag.plugins.len() })
        .collect();
    context! {
        popular => value(views::popular(db)),
        trending => value(views::trending(db)),
        newest => value(views::newest(db, NEWEST)),
        released => value(views::released(db)),
        tags => tags,
        counts => context! {
            plugins => count(|_| true),
            python3 => count(|plugin| plugin.python3),
            abandoned => count(|plugin| plugin.abandoned),
            up_for_adoption => count(|plugin| plugin.up_for_adoption),
        },
    }
}

/// Plugins for which `reason` gives something, each with what it gives.
fn waiting(db: &dyn Db, reason: impl Fn(&crate::entry::Entry) -> Option<&str>) -> Value {
    let waiting: Vec<Value> = views::select(db, |_| true)
        .into_iter()
        .filter_map(|(file, summary)| {
            let at = reason(&parsed(db, file).as_ref().ok()?.entry)?;
            Some(context! { plugin => value(summary), at => at })
        })
        .collect();
    waiting.into()
}

/// The outputs that are JSON.
fn json(db: &dyn Db, kind: &Kind) -> String {
    let lines = |line: fn(&dyn Db, EntryFile) -> Option<Arc<str>>| -> Vec<Arc<str>> {
        plugins(db).iter().filter_map(|file| line(db, *file)).collect()
    };
    match kind {
        Kind::PluginsJson => {
            let records = lines(|db, file| views::record(db, file).clone());
            plugins_json::file(records.iter().map(|record| &**record))
        }
        Kind::SearchJson => {
            let documents = lines(|db, file| views::search_document(db, file).clone());
            search_json::file(documents.iter().map(|document| &**document))
        }
        Kind::NoticesJson => array(data::notices(db).iter().map(|notice| &notice.published)),
        Kind::BlacklistJson => array(data::blacklist(db).iter().map(|block| &block.published)),
        Kind::OverlayJson => line(&*data::overlays(db)),
        _ => {
            let settings = Site::get(db).settings(db);
            let redirects: BTreeMap<String, String> = plan(db)
                .outputs
                .values()
                .filter_map(|output| match output {
                    Output::Rendered(Kind::Redirect { from, to }) => {
                        let target = address::absolute(settings, &address::plugin_page(stem(db, *to)));
                        Some((from.clone(), target))
                    }
                    _ => None,
                })
                .collect();
            line(&redirects)
        }
    }
}

fn line(json: &impl Serialize) -> String {
    let mut text = serde_json::to_string(json).unwrap_or_default();
    text.push('\n');
    text
}

fn array<'a, T: Serialize + 'a>(items: impl Iterator<Item = &'a T>) -> String {
    let lines: Vec<String> = items.map(|item| serde_json::to_string(item).unwrap_or_default()).collect();
    plugins_json::file(lines.iter().map(String::as_str))
}
