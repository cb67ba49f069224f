//! The content of rendered outputs: a template with its context, or JSON.

use std::sync::Arc;

use minijinja::value::{Serde, Value, merge_maps};
use serde::Serialize;

use super::kinds::Kind;
use super::own_pages;
use super::plan::{Output, plan};
use super::recorder::Reader;
use super::table::Content;
use super::views;
use crate::digest::Digest;
use crate::markdown;
use crate::problem::Problem;
use crate::render::context::Full;
use crate::render::environment::Page;
use crate::render::{address, object, pictures};

/// Renders an output and stores its bytes as a blob. Returns the digest.
pub(super) fn render(db: Reader<'_>, kind: &Kind) -> Result<Digest, Problem> {
    if let Kind::Page(file) = kind {
        return own_pages::render(db, *file);
    }
    let Some(row) = kind.row() else { return Ok(Digest::of(b"")) };
    let template = match &row.content {
        Content::Template(template, _) | Content::Plugin(template) => template,
        Content::Json(json) => return put_json(db, kind, &json(db, &kind.address(db))),
        // These outputs are not stored as blobs; they are assembled when they are published.
        Content::Lines(_) => return Ok(Digest::of(b"")),
    };
    let path = kind.address(db);
    let mut page = Page {
        title: row.about.0.to_owned(),
        url: address::absolute(db.settings(), &address::written(&kind.canonical(db))),
        path,
        description: row.about.1.to_owned(),
        pictures_from: pictures::sources(db.settings(), &[]),
    };
    if let Content::Template(_, context) = &row.content {
        let context = context(db, kind, &mut page);
        let context = merge_maps([object::variables([("page", value(&page))]), context]);
        let text = fill(db, template, context)?;
        return Ok(db.memory().put_blob(text.as_bytes()));
    }
    let Kind::Plugin(file) = kind else { return Ok(Digest::of(b"")) };
    let mut plugin = views::full(db, *file).map(Arc::new);
    if let Some(plugin) = &plugin {
        page.title.clone_from(&plugin.summary.title);
        page.description.clone_from(&plugin.summary.description);
        page.pictures_from = pictures::sources(db.settings(), &plugin.screenshots);
    }
    let render = |plugin: &Option<Arc<Full>>| {
        let plugin = plugin.as_ref().map_or(Value::from(()), object::on_own_page);
        fill(db, template, object::variables([("page", value(&page)), ("plugin", plugin)]))
    };
    let mut text = render(&plugin)?;
    // If the template has an id that the description also has, rename the one in the description and render again.
    let apart = plugin.as_ref().and_then(|plugin| markdown::apart(&text, &plugin.body));
    if let (Some(body), Some(full)) = (apart, &mut plugin) {
        Arc::make_mut(full).body = body;
        text = render(&plugin)?;
    }
    Ok(db.memory().put_blob(text.as_bytes()))
}

/// Stores JSON as a blob. Every installed OctoPrint reads these files, so make sure that they are valid.
fn put_json(db: Reader<'_>, kind: &Kind, text: &str) -> Result<Digest, Problem> {
    serde_json::from_str::<serde::de::IgnoredAny>(text).map_err(|error| {
        let message = format!("invalid JSON: {error}");
        Problem::new(&kind.file(db), &text.into(), 0..0, message)
            .help("this is a bug in shelflife, please report it")
    })?;
    Ok(db.memory().put_blob(text.as_bytes()))
}

/// Renders a template.
fn fill(db: Reader<'_>, template: &str, context: Value) -> Result<String, Problem> {
    db.unnoted(|unnoted| db.render(template, context, own_pages::navigation(unnoted)))
}

/// Renders a page around `body`. If the template has an id that the body also has, the one in the body is renamed and
/// the page is rendered again.
fn around(body: &str, render: impl Fn(Option<String>) -> Result<String, Problem>) -> Result<String, Problem> {
    let text = render(None)?;
    match markdown::apart(&text, body) {
        Some(body) => render(Some(body)),
        None => Ok(text),
    }
}

/// Renders one of the site's own pages from its template and its body; `context` returns the template's context for a
/// body.
pub(super) fn put(
    db: Reader<'_>,
    template: &str,
    body: &str,
    context: impl Fn(&str) -> Value,
) -> Result<Digest, Problem> {
    let text = around(body, |other| fill(db, template, context(other.as_deref().unwrap_or(body))))?;
    Ok(db.memory().put_blob(text.as_bytes()))
}

pub(super) fn value(serialize: impl Serialize) -> Value {
    Value::from(Serde(serialize))
}

/// Returns the pages that search engines should list.
pub(super) fn listed(db: Reader<'_>) -> impl Iterator<Item = &Kind> {
    plan(db).outputs.items().iter().filter_map(|(_, output)| match output {
        Output::Rendered(kind) if kind.is_listed() => Some(kind),
        _ => None,
    })
}
