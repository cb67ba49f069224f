//! Entries: checked front matter, and descriptions as HTML.

use std::ops::Range;
use std::sync::Arc;

use super::plugins::plugins;
use super::recorder::{Reader, query};
use super::thumbnails;
use super::{EntryFile, EntrySource, data, related};
use crate::digest::Digest;
use crate::entry::shortcode::{self, About, Shortcodes};
use crate::entry::{self, Named, Parsed};
use crate::entry_trace::{EntryTrace, Front, Redirect};
use crate::fact::{Picture, VideoId};
use crate::markdown::{self, Addresses};
use crate::problem::Problem;
use crate::render::{address, pictures};
use crate::rule::Rule;
use crate::warning::{Place, Warning};
use crate::yaml::{MAX_PROBLEMS, Text, quote};

/// The attribute of plugins whose users are not counted.
const COMMERCIAL: &str = "commercial";

/// The help for text that looks like a shortcode but isn't one.
pub(super) const UNKNOWN_SHORTCODE: &str =
    "to publish it as text, put it between `{% raw %}` and `{% endraw %}`";

/// Returns the entry trace that replaces an entry in this build, if there is one.
pub fn known<'a>(db: impl Into<Reader<'a>>, file: EntryFile) -> Option<&'a EntryTrace> {
    match db.into().source(file) {
        EntrySource::Known(entry_trace) => Some(entry_trace),
        EntrySource::Text(_) | EntrySource::Kept(_) => None,
    }
}

/// Returns the content of an entry's file; empty if the entry has a reused trace.
pub(super) fn text(db: Reader<'_>, file: EntryFile) -> &[u8] {
    match db.source(file) {
        EntrySource::Known(_) => &[],
        EntrySource::Text(text) | EntrySource::Kept(text) => text,
    }
}

query! {
    /// Returns whether an entry is a draft. Entries with a reused trace are not.
    pub fn is_draft(db: Reader<'_>, file: EntryFile) -> bool {
        match db.source(file) {
            EntrySource::Known(_) | EntrySource::Kept(_) => false,
            EntrySource::Text(text) => entry::is_draft(text, db.settings().limits().yaml),
        }
    }
}

/// Returns the number of drafts.
pub fn drafts<'a>(db: impl Into<Reader<'a>>) -> usize {
    let db = db.into();
    db.entries().iter().filter(|file| *is_draft(db, **file)).count()
}

query! {
    /// Reads and checks an entry's file. Drafts and entries with a reused trace are not read, and return no problems.
    pub fn parsed(db: Reader<'_>, file: EntryFile) -> Result<Arc<Parsed>, Vec<Problem>> {
        match db.source(file) {
            EntrySource::Known(_) => Err(Vec::new()),
            EntrySource::Text(_) if *is_draft(db, file) => Err(Vec::new()),
            EntrySource::Text(text) => {
                entry::parse(file.path(db), text, db.settings().limits()).map(Arc::new)
            }
            EntrySource::Kept(text) => {
                let limits = db.settings().limits().for_what_was_good();
                entry::parse(file.path(db), text, &limits).map(Arc::new)
            }
        }
    }
}

/// Returns what is known about an entry without any facts; `None` if it can't be read.
pub fn front(db: Reader<'_>, file: EntryFile) -> Option<&Front> {
    match known(db, file) {
        Some(entry_trace) => Some(&entry_trace.front),
        None => front_matter(db, file).as_ref(),
    }
}

query! {
    /// Computes [`front`] for an entry without a reused trace.
    fn front_matter(db: Reader<'_>, file: EntryFile) -> Option<Front> {
        let parsed = parsed(db, file).as_ref().ok()?;
        let (entry, path) = (&parsed.entry, file.path(db));
        let text = Text::read(path, text(db, file)).ok()?;
        let redirects = entry.redirect_from.iter().zip(&parsed.places.redirect_from);
        let place = |span: &Range<usize>| Place::of(&text.problem(span.clone(), String::new()));
        let date_at = place(&parsed.places.date);
        let number = |number: usize| u32::try_from(number).unwrap_or(u32::MAX);
        Some(Front {
            id: entry.id.clone(),
            id_place: place(&parsed.places.id),
            date: entry.date,
            date_at: (number(date_at.line), number(date_at.column)),
            counted: !entry.attributes.iter().any(|attribute| attribute == COMMERCIAL),
            redirects: redirects
                .map(|(from, span)| {
                    let from = format!("/{}", from.trim_start_matches('/'));
                    Redirect { from, place: place(span) }
                })
                .collect(),
            kin: related::kin_of(entry),
        })
    }
}

query! {
    unnoted;
    /// Old addresses of plugins' pages, in the order of plugins.
    pub fn redirects(db: Reader<'_>) -> Vec<(EntryFile, Redirect)> {
        let of_one = |file: &EntryFile| {
            let redirects = front(db, *file).map_or(&[][..], |front| &front.redirects);
            redirects.iter().map(|redirect| (*file, redirect.clone())).collect::<Vec<_>>()
        };
        plugins(db).iter().flat_map(of_one).collect()
    }
}

query! {
    unnoted;
    /// All entries that can be read, in the order of file names.
    pub fn sound_entries(db: Reader<'_>) -> Vec<EntryFile> {
        db.entries().iter().copied().filter(|file| front(db, *file).is_some()).collect()
    }
}

query! {
    unnoted;
    /// Warnings about entries that have the same name as another entry.
    fn duplicates(db: Reader<'_>) -> Vec<Warning> {
        entry::duplicates(sound_entries(db).iter().filter_map(|file| {
            let Front { id, id_place, .. } = front(db, *file)?;
            Some(Named { stem: entry::stem(file.path(db)), id, id_place })
        }))
    }
}

query! {
    unnoted;
    /// Warnings about published entries.
    pub fn warnings(db: Reader<'_>) -> Vec<Warning> {
        let of_one = |file: &EntryFile| match known(db, *file) {
            Some(entry_trace) => entry_trace.warnings.as_slice(),
            None => warnings_of(db, *file).as_slice(),
        };
        sound_entries(db).iter().flat_map(of_one).chain(duplicates(db)).cloned().collect()
    }
}

query! {
    /// Warnings about one entry, in the order of the file.
    pub fn warnings_of(db: Reader<'_>, file: EntryFile) -> Vec<Warning> {
        let Ok(parsed) = parsed(db, file) else { return Vec::new() };
        let (entry, places, compat) = (&parsed.entry, &parsed.places, data::compat(db));
        let warning = |rule: Rule, place: Range<usize>, message: String| {
            let text = Text::read(file.path(db), text(db, file)).ok()?;
            Some(Warning::at(rule, &text.problem(place, message)))
        };
        let mut warnings = parsed.warnings.clone();
        let systems = entry.compatibility.os.iter().zip(&places.os).filter(|(os, _)| !compat.knows(os));
        for (os, place) in systems.take(MAX_PROBLEMS) {
            let known: Vec<_> = compat.known().map(|known| format!("`{known}`")).collect();
            let message = format!(
                "unknown operating system or group {}: expected {}",
                quote(os),
                known.join(", ")
            );
            warnings.extend(warning(Rule::UnknownSystem, place.clone(), message));
        }
        let shortcodes = with_shortcodes(db, parsed, &|_| None, |with| shortcode::unknown(&entry.body, with));
        for place in shortcodes {
            let written = entry.body.get(place.clone()).unwrap_or_default();
            let message = format!("{} is not a valid shortcode and is published unchanged", quote(written));
            let place = places.body + place.start..places.body + place.end;
            let warning = warning(Rule::UnknownShortcode, place, message);
            warnings.extend(warning.map(|warning| warning.help(UNKNOWN_SHORTCODE)));
        }
        warnings
    }
}

/// Returns an entry's description in Markdown, with expanded shortcodes.
pub(super) fn body(db: Reader<'_>, parsed: &Parsed, picture: &dyn Fn(&VideoId) -> Option<Picture>) -> String {
    with_shortcodes(db, parsed, picture, |with| shortcode::expand(&parsed.entry.body, with))
}

fn with_shortcodes<T>(
    db: Reader<'_>,
    parsed: &Parsed,
    picture: &dyn Fn(&VideoId) -> Option<Picture>,
    call: impl FnOnce(&Shortcodes<'_>) -> T,
) -> T {
    let settings = db.settings();
    call(&Shortcodes {
        site_url: settings.url(),
        base_path: settings.base_path(),
        site_title: settings.title(),
        page_path: &address::plugin_page(&parsed.entry.stem),
        about: About::Plugin(&parsed.entry),
        picture,
    })
}

/// Safe HTML and the key of its memo.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Html {
    /// The HTML.
    pub text: Arc<str>,
    /// The function of the memo, with its version.
    pub function: String,
    /// The digest of the memo's inputs.
    pub inputs: Digest,
}

query! {
    /// Returns an entry's description as safe HTML.
    pub fn description(db: Reader<'_>, file: EntryFile) -> Option<Html> {
        let parsed = parsed(db, file).as_ref().ok()?;
        let settings = db.settings();
        let thumbs = thumbnails::pictures(db, file);
        let body = body(db, parsed, &|video| thumbs.get(video).copied());
        let (thumbnails, pictured) =
            (thumbnails::told(thumbs), pictures::told(settings, &parsed.entry.screenshots));
        let inputs = [&*body, settings.base_path(), &*thumbnails, &*pictured];
        Some(html(db, MARKDOWN, &inputs, |[body, base, ..]| {
            let another = |link: &str| {
                let picture = thumbnails::path(thumbs, link);
                address::based(base, picture.as_deref().unwrap_or(link)).or(picture)
            };
            let picture = |address: &str| pictures::becomes(settings, &parsed.entry.screenshots, address);
            markdown::to_html(body, Addresses { another: &another, picture: &picture, base_path: base })
        }))
    }
}

query! {
    /// Returns an entry's description as safe HTML with absolute links, for feeds. For an entry with a reused trace,
    /// returns `None` if it was not in the feed before.
    pub fn feed_description(db: Reader<'_>, file: EntryFile) -> Option<Html> {
        if let Some(entry_trace) = known(db, file) {
            let (function, inputs) = (function(FEED), entry_trace.feed?);
            let text = memo(db, &function, inputs);
            if text.is_none() {
                db.memory().lose(&format!("the feed description of {}", file.path(db)));
            }
            return Some(Html { text: text.unwrap_or_default(), function, inputs });
        }
        let parsed = parsed(db, file).as_ref().ok()?;
        let settings = db.settings();
        let page = address::absolute(settings, &address::plugin_page(&parsed.entry.stem));
        let thumbs = thumbnails::pictures(db, file);
        let body = body(db, parsed, &|video| thumbs.get(video).copied());
        let thumbnails = thumbnails::told(thumbs);
        let pictured = pictures::told(settings, &parsed.entry.screenshots);
        let inputs = [&*body, settings.base_path(), &*page, &*thumbnails, &*pictured];
        Some(html(db, FEED, &inputs, |[body, base, page, ..]| {
            let another = |link: &str| {
                let picture = thumbnails::path(thumbs, link);
                address::resolved(base, page, picture.as_deref().unwrap_or(link))
            };
            let picture = |address: &str| pictures::becomes(settings, &parsed.entry.screenshots, address);
            markdown::to_html(body, Addresses { another: &another, picture: &picture, base_path: base })
        }))
    }
}

query! {
    /// Returns why a plugin is disabled, as safe HTML; `None` if it is not disabled.
    pub fn disabled(db: Reader<'_>, file: EntryFile) -> Option<Html> {
        let reason = parsed(db, file).as_ref().ok()?.entry.disabled.as_deref()?;
        let base = db.settings().base_path();
        Some(html(db, SMART, &[reason, base], |[reason, base]| {
            markdown::to_html_smart(reason, &|link| address::based(base, link))
        }))
    }
}

/// The functions whose results are stored as memos.
const MARKDOWN: &str = "markdown";
const FEED: &str = "markdown-feed";
const SMART: &str = "markdown-smart";

fn function(name: &str) -> String {
    format!("{name}.{}", markdown::VERSION)
}

/// Returns the result of `convert` for `inputs`, from a memo if there is one.
pub(super) fn html<const N: usize>(
    db: Reader<'_>,
    name: &str,
    inputs: &[&str; N],
    convert: impl FnOnce([&str; N]) -> String,
) -> Html {
    let function = function(name);
    let digest = Digest::of_parts(inputs.iter().map(|input| input.as_bytes()));
    let text = memo(db, &function, digest).unwrap_or_else(|| {
        let html = convert(*inputs);
        db.memory().keep_memo(&function, digest, html.as_bytes());
        html.into()
    });
    Html { text, function, inputs: digest }
}

fn memo(db: Reader<'_>, function: &str, inputs: Digest) -> Option<Arc<str>> {
    db.memory().memo(function, inputs).and_then(|html| String::from_utf8(html).ok()).map(Arc::from)
}
