//! The ids in a body: as the entry writes them, and as they are on the page.

use std::collections::{HashMap, HashSet};
use std::ops::Range;

use unicode_normalization::UnicodeNormalization as _;
use unicode_normalization::char::is_combining_mark;

use super::elements::{self, Kind};
use super::plain::decode;
use super::tidy::{Content, Node};
use super::tokens::{self, Attributes};

/// The prefix of ids that would otherwise collide with the page's.
const PREFIX: &str = "body-";
/// The prefix of ids that belong to the page; ids in a body never begin with it.
const OF_PAGES: char = '_';
/// The longest id, in bytes, without the prefix.
const MAX_ID: usize = 200;

/// Ids by node, and by the name that the entry's own links use.
#[derive(Default)]
pub(super) struct Ids {
    pub(super) by_node: HashMap<usize, String>,
    pub(super) by_name: HashMap<String, String>,
}

impl Ids {
    /// Assigns ids to the nodes whose tags are written: first to headings in Markdown, because links to them existed
    /// before other elements had ids, then explicit ids, then those of headings in HTML.
    pub(super) fn of(nodes: &[Node<'_>], filled: &[bool]) -> Self {
        let mut ids = Self::default();
        let mut used: HashSet<String> = HashSet::new();
        let mut repeated: HashMap<String, usize> = HashMap::new();
        for rank in 0..3 {
            for (index, (node, filled)) in nodes.iter().zip(filled).enumerate() {
                let Content::Element { element, id, .. } = &node.content else { continue };
                if !filled || node.dissolved {
                    continue;
                }
                let takes_id = elements::ATTRIBUTES
                    .iter()
                    .any(|(name, keys)| *name == element.name && keys.contains(&"id"));
                let own = id.filter(|id| takes_id && is_id(id));
                let of_node = if node.is_markdown { 0 } else { 1 + usize::from(own.is_none()) };
                if of_node != rank {
                    continue;
                }
                let name = match (own, element.kind) {
                    (Some(own), _) => own.to_owned(),
                    (None, Kind::Heading(_)) => slug(nodes, index),
                    _ => continue,
                };
                let unique =
                    unique(&name, &mut repeated, |id| used.contains(id) || ids.by_name.contains_key(id));
                let on_page =
                    if unique.starts_with(OF_PAGES) { format!("{PREFIX}{unique}") } else { unique.clone() };
                used.insert(on_page.clone());
                ids.by_node.insert(index, on_page.clone());
                ids.by_name.insert(unique, on_page);
            }
        }
        ids
    }
}

/// `name`, with a number appended if it is taken: the second of the same name is `name-1`, as in kramdown.
fn unique(name: &str, repeated: &mut HashMap<String, usize>, is_taken: impl Fn(&str) -> bool) -> String {
    let is_taken =
        |id: &str| is_taken(id) || (id.starts_with(OF_PAGES) && is_taken(&format!("{PREFIX}{id}")));
    let mut unique = name.to_owned();
    let count = repeated.entry(name.to_owned()).or_default();
    while is_taken(&unique) {
        *count += 1;
        unique = format!("{name}-{count}");
    }
    unique
}

/// `body`, which is HTML from [`to_html`](super::to_html), with new ids for the parts whose ids also occur elsewhere in
/// `page`, which contains `body`. `None` if there are no such parts.
pub fn apart(page: &str, body: &str) -> Option<String> {
    // In the order of the text, because earlier names decide which later ones are taken.
    let own: Vec<String> = ids_in(body).collect();
    if own.is_empty() {
        return None;
    }
    let mut on_page: HashMap<String, usize> = HashMap::new();
    for id in ids_in(page) {
        *on_page.entry(id).or_default() += 1;
    }
    let mut repeated = HashMap::new();
    let mut other: HashMap<&str, String> = HashMap::new();
    let mut taken: HashSet<String> = on_page.keys().cloned().collect();
    for id in own.iter().filter(|id| on_page.get(*id).is_some_and(|&count| count > 1)) {
        if other.contains_key(&**id) {
            continue;
        }
        let unique = unique(&format!("{PREFIX}{id}"), &mut repeated, |id| taken.contains(id));
        taken.insert(unique.clone());
        other.insert(id, unique);
    }
    (!other.is_empty()).then(|| renamed(body, &other))
}

/// The ids of all elements of `html`.
fn ids_in(html: &str) -> impl Iterator<Item = String> {
    let mut at = 0;
    std::iter::from_fn(move || {
        loop {
            at += html[at..].find('<')?;
            let mut id = None;
            let read = tokens::read_start_tag(&html[at..], |key, value| {
                if key.eq_ignore_ascii_case("id") {
                    id.get_or_insert(value);
                }
            });
            at = read.map_or(at + 1, |(_, after)| html.len() - after.len());
            if let Some(id) = id.filter(|_| read.is_some()) {
                return Some(decode(id).into_owned());
            }
        }
    })
}

/// The start tags of `html` with their positions. Comments and the like are not skipped: mistaking text for a tag only
/// renames an id without need.
fn tags(html: &str) -> impl Iterator<Item = (Range<usize>, Attributes<'_>)> {
    let mut at = 0;
    std::iter::from_fn(move || {
        loop {
            at += html[at..].find('<')?;
            if let Some((_, attributes, after)) = tokens::start_tag(&html[at..]) {
                let tag = at..html.len() - after.len();
                at = tag.end;
                return Some((tag, attributes));
            }
            at += 1;
        }
    })
}

/// `body` with new ids, and with links to them adjusted.
fn renamed(body: &str, other: &HashMap<&str, String>) -> String {
    let mut out = String::with_capacity(body.len());
    let mut done = 0;
    for (place, attributes) in tags(body) {
        let mut tag = body[place.clone()].to_owned();
        for (key, value) in attributes {
            let (begin, old) = match (&*key, value.strip_prefix('#')) {
                ("id", _) => ("id=\"", value),
                ("href", Some(part)) => ("href=\"#", part),
                _ => continue,
            };
            if let Some(new) = other.get(&*decode(old)) {
                tag = tag.replacen(&format!(" {begin}{old}\""), &format!(" {begin}{new}\""), 1);
            }
        }
        out.push_str(&body[done..place.start]);
        out.push_str(&tag);
        done = place.end;
    }
    out.push_str(&body[done..]);
    out
}

/// Whether an entry may use `id`.
pub(super) fn is_id(id: &str) -> bool {
    !id.is_empty() && id.len() <= MAX_ID && id.chars().all(|c| is_word(c) || matches!(c, '-' | '.' | ':'))
}

/// Whether `id` may occur in a body.
pub(super) fn is_of_body(id: &str) -> bool {
    // A prefix and a number may have been added.
    !id.starts_with(OF_PAGES)
        && id.len() <= 2 * MAX_ID
        && id.chars().all(|c| is_word(c) || matches!(c, '-' | '.' | ':'))
}

/// Whether kramdown keeps `c` in an id: letters, marks, decimal digits and `_`.
fn is_word(c: char) -> bool {
    let is_digit = || c.is_ascii_digit() || (c.is_numeric() && c.nfkc().eq([c]));
    c.is_alphabetic() || c == '_' || is_digit() || is_combining_mark(c)
}

/// The id that kramdown and GitHub give a heading: its letters and digits in lower case, with `-` for spaces.
fn slug(nodes: &[Node<'_>], heading: usize) -> String {
    let mut slug = String::new();
    let mut waiting = vec![heading];
    'text: while let Some(node) = waiting.pop().and_then(|index| nodes.get(index)) {
        waiting.extend(node.children.iter().rev());
        if let Content::Text(text) = node.content {
            for c in decode(text).chars().flat_map(char::to_lowercase) {
                match c {
                    ' ' | '\t' => slug.push('-'),
                    c if is_word(c) || c == '-' => slug.push(c),
                    _ => {}
                }
                if slug.len() > MAX_ID - 4 {
                    break 'text;
                }
            }
        }
    }
    if slug.is_empty() { "part".to_owned() } else { slug }
}
