//! The site's own pages: their addresses, contents and navigation.
//!
//! The placement of pages does not depend on entries, because every page shows the navigation and entry traces depend
//! on it.
#![allow(missing_docs, reason = "salsa's macros generate undocumented functions")]

use std::collections::{HashMap, HashSet};
use std::ops::Range;
use std::sync::Arc;

use minijinja::context;
use minijinja::value::{Serde, Value, merge_maps};

use super::entries::{Html, UNKNOWN_SHORTCODE, html};
use super::kinds::{Kind, stem};
use super::pages::put;
use super::plugins::by_name;
use super::recorder::{Reader, query};
use super::table::{OUTPUTS, TOPICS};
use super::taken::Taken;
use super::taxonomies::{self, Taxonomy};
use super::{EntryFile, PageFile, links, views};
use crate::digest::Digest;
use crate::entry::shortcode::{self, About, Shortcodes};
use crate::markdown::{self, Addresses};
use crate::page::{self, Mention, Page, Read, Section};
use crate::problem::Problem;
use crate::render::context::Summary;
use crate::render::environment::{self, Destination};
use crate::render::slug::slug;
use crate::render::{address, object, pictures};
use crate::rule::Rule;
use crate::trace::{Input, Version};
use crate::url_path::path_of;
use crate::warning::Warning;
use crate::yaml::{MAX_PROBLEMS, Text, quote};

query! {
    /// Reads a page's file.
    fn read_page(db: Reader<'_>, file: PageFile) -> Arc<Read> {
        let limits = db.settings().limits();
        Arc::new(page::read(file.path(db), file.name(db), file.section(db), db.page(file), limits))
    }
}

/// Returns the page in a file; `None` if it can't be published.
fn page(db: Reader<'_>, file: PageFile) -> Option<&Page> {
    read_page(db, file).page.as_ref()
}

/// Returns the path from the site's root that a page requests.
pub(super) fn address(db: Reader<'_>, file: PageFile) -> &str {
    page(db, file).map_or("", |page| &page.address)
}

/// Returns a problem at a place in a page's file.
fn problem(db: Reader<'_>, file: PageFile, place: Range<usize>, message: String) -> Option<Problem> {
    Some(Text::read(file.path(db), db.page(file)).ok()?.problem(place, message))
}

/// The site's own pages that conflict neither with each other nor with outputs that every site has.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Placed {
    /// The published pages in the order of files, each with its path below the output folder.
    pub pages: Vec<(String, PageFile)>,
    /// Warnings about the pages that are not published.
    warnings: Vec<Warning>,
}

query! {
    unnoted;
    pub fn placed(db: Reader<'_>) -> Arc<Placed> {
        let mut placed = Placed::default();
        let mut taken = Taken::default();
        let always = OUTPUTS.iter().filter(|row| row.is_single() && row.address != TOPICS);
        always.for_each(|row| taken.take(&path_of(row.address)));
        let mut own: HashMap<String, PageFile> = HashMap::new();
        let files: Vec<PageFile> =
            db.pages().iter().copied().filter(|file| page(db, *file).is_some()).collect();
        // A page that requests an address must not displace the page whose file naturally has it.
        let asks = |file: &PageFile| page(db, *file).is_some_and(|page| page.asks_for_address);
        let (asking, natural): (Vec<PageFile>, Vec<PageFile>) = files.iter().copied().partition(asks);
        let mut refused: HashMap<PageFile, Warning> = HashMap::new();
        for file in natural.into_iter().chain(asking) {
            let path = path_of(address(db, file));
            let reason = match taken.obstacle(&path) {
                Some(obstacle) => match own.get(obstacle) {
                    Some(other) => Some(Refusal::Used(other.path(db))),
                    None if obstacle == path && is_replaceable(&path) => None,
                    None => Some(Refusal::Taken(obstacle)),
                },
                None => reserved(&path).map(Refusal::Reserved),
            };
            if let Some(reason) = reason {
                refused.extend(refusal(db, file, &reason).map(|warning| (file, warning)));
            } else {
                taken.take(&path);
                own.insert(path, file);
            }
        }
        let mut paths: HashMap<PageFile, String> = own.into_iter().map(|(path, file)| (file, path)).collect();
        for file in files {
            placed.pages.extend(paths.remove(&file).map(|path| (path, file)));
            placed.warnings.extend(refused.remove(&file));
        }
        Arc::new(placed)
    }
}

/// Returns the kind of outputs that a path is reserved for. Whole paths are reserved, because the entries are not known
/// when pages are placed.
fn reserved(path: &str) -> Option<&'static str> {
    let path = path.to_lowercase();
    let parts: Vec<&str> = path.split('/').collect();
    match parts[..] {
        ["by_tag" | "by_author" | "api" | "badges" | "assets", "index.html"] | ["plugins", "index.html"] => {
            None
        }
        ["plugins", _] | ["plugins", _, "index.html", ..] => Some("plugin pages"),
        ["by_tag", ..] => Some("tag pages"),
        ["by_author", ..] => Some("author pages"),
        ["api" | "badges", ..] => Some("plugin data"),
        ["assets", ..] => Some("assets"),
        _ => None,
    }
}

/// Why a page can't be published at its address.
enum Refusal<'a> {
    /// The site has this output there.
    Taken(&'a str),
    /// The page in this file has the address.
    Used(&'a str),
    /// The address is reserved for these outputs.
    Reserved(&'static str),
}

/// Returns whether one of the site's own pages may replace the program's output at this path.
pub(super) fn is_replaceable(path: &str) -> bool {
    OUTPUTS.iter().any(|row| row.is_replaceable && path_of(row.address) == path)
}

/// Returns a warning that a page can't be published because of the output `obstacle`.
pub(super) fn no_room(db: Reader<'_>, file: PageFile, obstacle: &str) -> Option<Warning> {
    refusal(db, file, &Refusal::Taken(obstacle))
}

fn refusal(db: Reader<'_>, file: PageFile, refusal: &Refusal<'_>) -> Option<Warning> {
    let page = page(db, file)?;
    let address = &page.address;
    let reason = match refusal {
        Refusal::Taken(obstacle) => format!("the site already has {obstacle} at its address {address}"),
        Refusal::Used(other) => format!("its address {address} is already used by {other}"),
        Refusal::Reserved(what) => format!("its address {address} is reserved for {what}"),
    };
    let message = format!("the page is not published: {reason}");
    let problem = problem(db, file, page.places.address.clone(), message)?;
    Some(Warning::at(Rule::Conflict, &problem).help("set a different `address`"))
}

query! {
    unnoted;
    /// The topics, in the order of titles.
    pub fn topics(db: Reader<'_>) -> Vec<PageFile> {
        let index = path_of(TOPICS);
        let is_topic = |(path, file): &&(String, PageFile)| {
            file.section(db) == Section::Topics && *path != index
        };
        let mut topics: Vec<PageFile> = placed(db).pages.iter().filter(is_topic).map(|(_, file)| *file).collect();
        topics.sort_by_cached_key(|file| {
            page(db, *file).map(|page| (page.title.to_lowercase(), page.address.clone()))
        });
        topics
    }
}

query! {
    as Input::Navigation, None;
    /// The navigation entries in addition to those that every site has.
    pub fn navigation(db: Reader<'_>) -> Vec<Destination> {
        let destination =
            |path: &str, title: &str| Destination { path: path.to_owned(), title: title.to_owned() };
        let of_topics = (!topics(db).is_empty()).then(|| destination(TOPICS, "Topics"));
        let of_page = |(_, file): &(String, PageFile)| {
            let page = page(db, *file)?;
            Some(destination(&page.address, page.nav.as_deref()?))
        };
        of_topics.into_iter().chain(placed(db).pages.iter().filter_map(of_page)).collect()
    }
}

/// Returns the version of the navigation. The digest is separate from the text shown to users, in which different
/// entries can look the same.
pub(super) fn navigation_version(db: Reader<'_>) -> Version {
    let all = navigation(db);
    let told: Vec<String> = all.iter().map(|one| format!("{} ({})", one.title, one.path)).collect();
    let value = if told.is_empty() { "the theme's default".to_owned() } else { told.join(", ") };
    let parts = all.iter().flat_map(|one| [one.title.as_bytes(), one.path.as_bytes()]);
    Version { digest: Digest::of_parts(parts), value: Some(value.into()) }
}

/// Returns the name of a page's template: the one it requests, if pages can use it, or else that of its folder.
pub(super) fn template(db: Reader<'_>, file: PageFile) -> &str {
    let asked = page(db, file).and_then(|page| page.template.as_ref());
    match asked {
        Some(asked) if is_for_pages(db, &asked.name) => &asked.name,
        _ => file.section(db).template(),
    }
}

/// Returns whether pages can use a template. The theme's templates for other outputs need variables that pages don't
/// have.
fn is_for_pages(db: Reader<'_>, name: &str) -> bool {
    let of_theme = [Section::Pages, Section::Topics].map(Section::template);
    environment::has_markup(name) && (of_theme.contains(&name) || db.is_own_template(name))
}

/// Returns the ids that a page lists, each with its entry, or `None` if no plugin has the id.
fn named<'p>(db: Reader<'_>, page: &'p Page) -> Vec<(&'p Mention, Option<EntryFile>)> {
    let names = by_name(db);
    page.plugins.iter().map(|named| (named, names.get(&named.0))).collect()
}

/// Returns the plugins that a page lists: those listed by id in their order, then those with one of its tags.
fn listed<'db>(db: Reader<'db>, page: &Page) -> Vec<&'db Arc<Summary>> {
    let by_id = named(db, page).into_iter().filter_map(|(_, file)| views::summary(db, file?).as_ref());
    let groups = page.tags.iter().filter_map(|(tag, _)| taxonomies::group(db, &(Taxonomy::Tag, slug(tag))));
    let mut seen = HashSet::new();
    by_id.chain(groups.flat_map(|group| group.plugins)).filter(|one| seen.insert(one.stem.as_str())).collect()
}

/// Returns the digest of what lists show of a page's plugins.
pub(super) fn named_digest(db: Reader<'_>, file: PageFile) -> Digest {
    let mut shown = Vec::new();
    let Some(page) = page(db, file) else { return Digest::of(&shown) };
    for (_, file) in named(db, page) {
        let digest = file.and_then(|file| Some((stem(db, file), views::shown(db, file)?.listed)));
        if let Some((stem, digest)) = digest {
            shown.extend([stem.as_bytes(), digest.as_bytes()].concat());
        }
        shown.push(0);
    }
    for (tag, _) in &page.tags {
        shown.extend_from_slice(taxonomies::digest(db, &(Taxonomy::Tag, slug(tag))).as_bytes());
    }
    Digest::of(&shown)
}

/// Returns the digest of what the list of topics shows.
pub(super) fn topics_digest(db: Reader<'_>) -> Digest {
    let topics = topics(db).iter().filter_map(|file| page(db, *file));
    let texts = topics.flat_map(|page| [&page.title, &page.description, &page.address].map(String::as_bytes));
    Digest::of_parts(texts)
}

/// The context of the list of topics.
pub(super) fn topics_context(db: Reader<'_>, _: &Kind, _: &mut environment::Page) -> Value {
    let settings = db.settings();
    let topic = |page: &Page| {
        let (title, description) = (page.title.as_str(), page.description.as_str());
        context! { title, description, url => address::Local::of(settings, &page.address).value() }
    };
    let topics: Vec<Value> = db.summed_up(Input::Topics, None, |db| {
        topics(db).iter().filter_map(|file| page(db, *file)).map(topic).collect()
    });
    context! { topics }
}

/// Calls a function with the values of shortcodes in a page.
fn with_shortcodes<T>(db: Reader<'_>, page: &Page, call: impl FnOnce(&Shortcodes<'_>) -> T) -> T {
    let settings = db.settings();
    call(&Shortcodes {
        site_url: settings.url(),
        base_path: settings.base_path(),
        site_title: settings.title(),
        about: About::Page(&page.title),
        page_path: &page.address,
        picture: &|_| None,
    })
}

/// The function of the memos that hold the bodies of pages.
const MARKDOWN: &str = "markdown-page";

/// Returns the body of a page as safe HTML.
fn body(db: Reader<'_>, page: &Page) -> Html {
    let settings = db.settings();
    let body = with_shortcodes(db, page, |with| shortcode::expand(&page.body, with));
    let pictured = pictures::told(settings, &[]);
    let inputs = [&*body, settings.base_path(), &*pictured];
    html(db, MARKDOWN, &inputs, |[body, base, ..]| {
        let another = |link: &str| address::based(base, link);
        let picture = |address: &str| pictures::becomes(settings, &[], address);
        markdown::to_html(body, Addresses { another: &another, picture: &picture, base_path: base })
    })
}

/// Renders a page.
pub(super) fn render(db: Reader<'_>, file: PageFile) -> Result<Digest, Problem> {
    let settings = db.settings();
    let Some(page) = page(db, file) else { return Ok(Digest::of(b"")) };
    let own = environment::Page {
        title: page.title.clone(),
        path: page.address.clone(),
        url: address::absolute(settings, &page.address),
        description: page.description.clone(),
        pictures_from: pictures::sources(settings, &[]),
    };
    let (of_page, extra) = (Value::from(Serde(&own)), Value::from(Serde(&page.extra)));
    let names_plugins = !page.plugins.is_empty() || !page.tags.is_empty();
    let plugins = if names_plugins {
        let named = Input::Named(Arc::clone(file.path(db)));
        db.summed_up(named, None, |db| object::listed(listed(db, page)))
    } else {
        object::listed([])
    };
    put(db, template(db, file), &body(db, page).text, |body| {
        let page = merge_maps([context! { body, extra => extra.clone() }, of_page.clone()]);
        context! { page, plugins => plugins.clone() }
    })
}

/// Returns warnings about the site's own pages.
pub fn warnings<'a>(db: impl Into<Reader<'a>>) -> Vec<Warning> {
    let db = db.into();
    let mut warnings: Vec<Warning> = Vec::new();
    for file in db.pages() {
        warnings.extend(read_page(db, *file).warnings.iter().cloned());
        warnings.extend(page(db, *file).map(|page| of_page(db, *file, page)).unwrap_or_default());
    }
    for (_, file) in &placed(db).pages {
        warnings.extend(broken_links(db, *file));
    }
    warnings.extend(placed(db).warnings.iter().cloned());
    warnings
}

fn broken_links(db: Reader<'_>, file: PageFile) -> Vec<Warning> {
    let (Some(page), Ok(text)) = (page(db, file), Text::read(file.path(db), db.page(file))) else {
        return Vec::new();
    };
    let links = links::links_of_page(db, &text, &page.address, page.places.body, &body(db, page).text);
    links::broken(db, file.path(db), &links).collect()
}

fn of_page(db: Reader<'_>, file: PageFile, page: &Page) -> Vec<Warning> {
    let mut told: Vec<(Rule, Range<usize>, String, &str)> = Vec::new();
    if let Some((name, place)) = page.template.as_ref().and_then(|it| Some((&it.name, it.place.clone()?)))
        && !is_for_pages(db, name)
    {
        let instead = file.section(db).template();
        let message = format!("unknown page template {}: using {instead}", quote(name));
        told.push((Rule::UnknownTemplate, place, message, "add it to the templates folder"));
    }
    const HELP: &str = "correct or remove it";
    for ((id, place), _) in named(db, page).into_iter().filter(|(_, file)| file.is_none()) {
        told.push((Rule::UnknownPlugin, place.clone(), format!("no plugin has the id {}", quote(id)), HELP));
    }
    let digests = taxonomies::digests(db);
    for (tag, place) in page.tags.iter().filter(|(tag, _)| !digests.contains_key(&(Taxonomy::Tag, slug(tag))))
    {
        told.push((
            Rule::UnknownPlugin,
            place.clone(),
            format!("no plugin has the tag {}", quote(tag)),
            HELP,
        ));
    }
    for place in with_shortcodes(db, page, |with| shortcode::unknown(&page.body, with)) {
        let written = page.body.get(place.clone()).unwrap_or_default();
        let message = format!("{} is not a valid shortcode and is published unchanged", quote(written));
        let place = page.places.body + place.start..page.places.body + place.end;
        told.push((Rule::UnknownShortcode, place, message, UNKNOWN_SHORTCODE));
    }
    let warnings = told.into_iter().take(MAX_PROBLEMS).filter_map(|(rule, place, message, help)| {
        Some(Warning::at(rule, &problem(db, file, place, message)?).help(help))
    });
    warnings.collect()
}
