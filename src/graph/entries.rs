//! Entries: front matter read and checked, descriptions as HTML.

use std::ops::Range;
use std::sync::Arc;

use super::{Db, EntryFile, Site, data};
use crate::digest::Digest;
use crate::entry::shortcode::{self, Shortcodes};
use crate::entry::{self, Declared, Parsed};
use crate::markdown;
use crate::problem::Problem;
use crate::render::address;
use crate::yaml::{MAX_PROBLEMS, Text, quote};

/// An entry's file, read and checked by itself.
#[salsa::tracked]
pub fn parsed(db: &dyn Db, file: EntryFile) -> Result<Arc<Parsed>, Vec<Problem>> {
    entry::parse(file.path(db), file.content(db)).map(Arc::new)
}

/// Every entry that can be read and that no other one contradicts, by the file's name.
#[salsa::tracked]
pub fn sound_entries(db: &dyn Db) -> Vec<EntryFile> {
    let contradictions = contradictions(db);
    let wrong = |file: EntryFile| contradictions.iter().any(|problem| problem.path() == &**file.path(db));
    Site::get(db)
        .entries(db)
        .iter()
        .copied()
        .filter(|file| parsed(db, *file).is_ok() && !wrong(*file))
        .collect()
}

/// What entries say that can't be true together, such as an id that two of them declare.
#[salsa::tracked]
pub fn contradictions(db: &dyn Db) -> Vec<Problem> {
    entry::duplicates(Site::get(db).entries(db).iter().filter_map(|file| {
        let parsed = parsed(db, *file).as_deref().ok()?;
        Some(Declared { path: file.path(db), bytes: file.content(db), parsed })
    }))
}

/// Everything that is wrong with entries, in the order of files.
#[salsa::tracked]
pub fn problems(db: &dyn Db) -> Vec<Problem> {
    let unreadable = Site::get(db).entries(db).iter().filter_map(|file| parsed(db, *file).as_ref().err());
    let mut problems: Vec<Problem> = unreadable.flatten().chain(contradictions(db)).cloned().collect();
    problems.sort_by_cached_key(|problem| (problem.path().to_owned(), problem.line_column()));
    problems
}

/// A problem at `span` of the text of an entry that was read.
pub(super) fn problem(db: &dyn Db, file: EntryFile, span: Range<usize>, message: String) -> Option<Problem> {
    Some(Text::read(file.path(db), file.content(db)).ok()?.problem(span, message))
}

/// What entries say that has no effect, and that their authors would not hear of otherwise, in the order of files.
#[salsa::tracked]
pub fn warnings(db: &dyn Db) -> Vec<Problem> {
    sound_entries(db).iter().flat_map(|file| warnings_of(db, *file)).cloned().collect()
}

/// The warnings about one entry, in the order of the file.
#[salsa::tracked]
fn warnings_of(db: &dyn Db, file: EntryFile) -> Vec<Problem> {
    let Ok(parsed) = parsed(db, file) else { return Vec::new() };
    let (entry, places, compat) = (&parsed.entry, &parsed.places, data::compat(db));
    let mut warnings = parsed.warnings.clone();
    let systems = entry.compatibility.os.iter().zip(&places.os).filter(|(os, _)| !compat.knows(os));
    for (os, place) in systems.take(MAX_PROBLEMS) {
        let known: Vec<_> = compat.known().map(|known| format!("`{known}`")).collect();
        let message = format!(
            "the registry has no operating system or group {}: expected {}",
            quote(os),
            known.join(", ")
        );
        warnings.extend(problem(db, file, place.clone(), message));
    }
    let shortcodes = with_shortcodes(db, parsed, |with| shortcode::unknown(&entry.body, with));
    for place in shortcodes {
        let written = entry.body.get(place.clone()).unwrap_or_default();
        let message = format!(
            "{} is no shortcode, or lacks something, and is published as it is written: put it between \
             `{{% raw %}}` and `{{% endraw %}}` if it is meant so",
            quote(written)
        );
        warnings.extend(problem(db, file, places.body + place.start..places.body + place.end, message));
    }
    warnings
}

/// An entry's description in Markdown, with its shortcodes expanded.
fn body(db: &dyn Db, parsed: &Parsed) -> String {
    with_shortcodes(db, parsed, |with| shortcode::expand(&parsed.entry.body, with))
}

fn with_shortcodes<T>(db: &dyn Db, parsed: &Parsed, call: impl FnOnce(&Shortcodes<'_>) -> T) -> T {
    let settings = Site::get(db).settings(db);
    call(&Shortcodes {
        site_url: &settings.url,
        base_path: &settings.base_path,
        site_title: &settings.title,
        page_path: &address::plugin_page(&parsed.entry.stem),
        entry: &parsed.entry,
    })
}

/// An entry's description as safe HTML.
#[salsa::tracked]
pub fn description(db: &dyn Db, file: EntryFile) -> Arc<str> {
    let Ok(parsed) = parsed(db, file) else { return Arc::from("") };
    let base = &Site::get(db).settings(db).base_path;
    html(db, "markdown", &[&body(db, parsed), base], |[body, base]| {
        markdown::to_html(body, &|link| address::based(base, link))
    })
}

/// An entry's description as safe HTML whose links work outside of the site, as feeds need it.
#[salsa::tracked]
pub fn feed_description(db: &dyn Db, file: EntryFile) -> Arc<str> {
    let Ok(parsed) = parsed(db, file) else { return Arc::from("") };
    let settings = Site::get(db).settings(db);
    let page = address::absolute(settings, &address::plugin_page(&parsed.entry.stem));
    let body = body(db, parsed);
    let inputs = [&body, &settings.base_path, &page].map(String::as_str);
    html(db, "markdown-feed", &inputs, |[body, base, page]| {
        markdown::to_html(body, &|link| address::resolved(base, page, link))
    })
}

/// Why a plugin is disabled, as safe HTML. `None` if it is not.
#[salsa::tracked]
pub fn disabled(db: &dyn Db, file: EntryFile) -> Option<Arc<str>> {
    let reason = parsed(db, file).as_ref().ok()?.entry.disabled.as_deref()?;
    let base = &Site::get(db).settings(db).base_path;
    Some(html(db, "markdown-smart", &[reason, base], |[reason, base]| {
        markdown::to_html_smart(reason, &|link| address::based(base, link))
    }))
}

/// What `convert` makes of `inputs`, from a memo where there is one.
fn html<const N: usize>(
    db: &dyn Db,
    function: &str,
    inputs: &[&str; N],
    convert: impl FnOnce([&str; N]) -> String,
) -> Arc<str> {
    let function = format!("{function}.{}", markdown::VERSION);
    let digest = Digest::of_parts(inputs.iter().map(|input| input.as_bytes()));
    if let Some(html) = db.cache().memo(&function, digest).and_then(|html| String::from_utf8(html).ok()) {
        return html.into();
    }
    let html = convert(*inputs);
    db.cache().keep_memo(&function, digest, html.as_bytes());
    html.into()
}
