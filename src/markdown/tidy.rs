//! From whatever HTML an entry adds up to, to a tree in which everything stands where HTML lets it.
//!
//! Tags that don't match, blocks within text, rows without a table, nesting beyond reason: each is put right by a
//! fixed rule, in one pass, so that the cost does not grow faster than the text. HTML's own rules for broken
//! markup can blow a page up a thousandfold (formatting is opened anew in every paragraph); after this pass they
//! have nothing left to do.

use std::borrow::Cow;
use std::collections::HashMap;

use super::elements::{self, Attribute, Element, Kind};
use super::plain::{decode, escape};
use super::tokens::{Token, Tokens};

/// How deep elements may nest; the tags of deeper ones are left out.
pub const MAX_NESTING: usize = 64;
/// What the ids within an entry's body begin with, so that they can't be those of the page around it.
pub const ID_PREFIX: &str = "body-";
/// The longest id, in bytes, without the prefix.
const MAX_ID: usize = 100;

/// What the HTML is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
    /// A page that has its `<h1>` already.
    Page,
    /// A feed that others put into pages of their own.
    Feed,
}

/// Valid HTML with the content of `html`; `address` may name another address for each link and picture.
pub(super) fn tidy(html: &str, place: Place, address: &dyn Fn(&str) -> Option<String>) -> String {
    let mut tree = Tree { nodes: vec![Node::root()], open: vec![0] };
    for token in Tokens::new(html) {
        match token {
            Token::Text(text) => tree.text(text),
            Token::Start(name, attributes) => tree.start(&name, &attributes),
            Token::End(name) => tree.end(&name),
            Token::Comment => {}
        }
    }
    let filled = filled(&tree.nodes);
    let ids = if place == Place::Page { Ids::of(&tree.nodes, &filled) } else { Ids::default() };
    let mut writer =
        Writer { nodes: &tree.nodes, filled, ids, place, address, out: String::with_capacity(html.len()) };
    writer.children(0);
    writer.out
}

struct Node<'a> {
    content: Content<'a>,
    children: Vec<usize>,
    /// Whether its tags are left out, because it holds what it may not hold.
    dissolved: bool,
}

enum Content<'a> {
    Text(&'a str),
    Element {
        element: Element,
        attributes: Vec<Attribute<'a>>,
        address: Option<&'a str>,
        id: Option<&'a str>,
    },
}

impl Node<'_> {
    /// What stands for the `<div>` that the result will stand in.
    fn root() -> Self {
        let element = Element { written: "", name: "div", kind: Kind::Block };
        let content = Content::Element { element, attributes: Vec::new(), address: None, id: None };
        Self { content, children: Vec::new(), dissolved: false }
    }

    fn element(&self) -> Option<Element> {
        match &self.content {
            Content::Element { element, .. } => Some(*element),
            Content::Text(_) => None,
        }
    }
}

struct Tree<'a> {
    /// The root first.
    nodes: Vec<Node<'a>>,
    /// The elements that are open, the root first: it is never closed.
    open: Vec<usize>,
}

impl<'a> Tree<'a> {
    fn open_element(&self, depth: usize) -> Element {
        let node = self.open.get(depth).and_then(|&index| self.nodes.get(index));
        node.and_then(Node::element).unwrap_or(Element { written: "", name: "div", kind: Kind::Block })
    }

    fn top(&self) -> Kind {
        self.open_element(self.open.len() - 1).kind
    }

    /// The innermost open element for which `wanted` holds, with none above it for which `barrier` does.
    fn innermost(&self, wanted: impl Fn(Element) -> bool, barrier: impl Fn(Kind) -> bool) -> Option<usize> {
        for depth in (1..self.open.len()).rev() {
            let element = self.open_element(depth);
            if wanted(element) {
                return Some(depth);
            }
            if barrier(element.kind) {
                return None;
            }
        }
        None
    }

    fn is_open(&self, name: &str) -> bool {
        self.innermost(|element| element.name == name, |_| false).is_some()
    }

    /// Closes everything above `depth`.
    fn close_above(&mut self, depth: usize) {
        self.open.truncate(depth + 1);
    }

    fn append(&mut self, content: Content<'a>) -> usize {
        let index = self.nodes.len();
        self.nodes.push(Node { content, children: Vec::new(), dissolved: false });
        if let Some(parent) = self.open.last().and_then(|&parent| self.nodes.get_mut(parent)) {
            parent.children.push(index);
        }
        index
    }

    fn push(
        &mut self,
        element: Element,
        attributes: Vec<Attribute<'a>>,
        address: Option<&'a str>,
        id: Option<&'a str>,
    ) {
        let index = self.append(Content::Element { element, attributes, address, id });
        if !matches!(element.kind, Kind::Void | Kind::Rule) {
            self.open.push(index);
        }
    }

    fn push_implied(&mut self, name: &str) {
        if let Some(element) = elements::find(name) {
            self.push(element, Vec::new(), None, None);
        }
    }

    fn text(&mut self, text: &'a str) {
        if !text.bytes().all(|byte| byte.is_ascii_whitespace()) {
            self.make_room();
        }
        self.append(Content::Text(text));
    }

    /// Makes a place for content where only list items or parts of a table may stand.
    fn make_room(&mut self) {
        match self.top() {
            Kind::List => self.push_implied("li"),
            Kind::Table => ["tbody", "tr", "td"].into_iter().for_each(|name| self.push_implied(name)),
            Kind::Section => ["tr", "td"].into_iter().for_each(|name| self.push_implied(name)),
            Kind::Row => self.push_implied("td"),
            _ => {}
        }
    }

    fn start(&mut self, name: &str, written: &[(String, &'a str)]) {
        let Some(mut element) = elements::find(name) else { return };
        if self.open.len() > MAX_NESTING || !self.prepare(&mut element) {
            return;
        }
        let get = |key: &str| written.iter().find(|(name, _)| name == key).map(|&(_, value)| value);
        let address = match element.name {
            "a" => get("href"),
            "img" => get("src"),
            _ => None,
        };
        let unusable = match element.name {
            "img" => address.and_then(|address| elements::picture(&decode(address))).is_none(),
            // The checkboxes of task lists are all that is left of forms.
            "input" => get("type") != Some("checkbox"),
            _ => false,
        };
        if !unusable {
            let attributes = elements::attributes(element, written);
            self.push(element, attributes, address, get("id").or_else(|| get("name")));
        }
    }

    /// Closes what `element` closes and opens what it implies; false if it can't stand here at all.
    fn prepare(&mut self, element: &mut Element) -> bool {
        match element.kind {
            Kind::Phrasing | Kind::Void => {
                if element.name == "a" && self.is_open("a") {
                    match self.innermost(|open| open.name == "a", Kind::is_block) {
                        Some(depth) => self.close_above(depth - 1),
                        None => return false,
                    }
                }
                if element.name == "input" && self.is_open("a") {
                    return false;
                }
                self.make_room();
                true
            }
            Kind::Item => {
                let barrier = |kind| matches!(kind, Kind::Cell | Kind::Caption | Kind::Block | Kind::Details);
                match self.innermost(|open| open.kind == Kind::List, barrier) {
                    Some(list) => self.close_above(list),
                    None => {
                        let Some(block) = elements::find("div") else { return false };
                        *element = block;
                        return self.prepare_block(*element);
                    }
                }
                true
            }
            Kind::Caption | Kind::Section | Kind::Row | Kind::Cell => self.prepare_table_part(element),
            Kind::Summary => {
                let Some(details) =
                    self.innermost(|open| open.kind == Kind::Details, |kind| !kind.holds_phrasing())
                else {
                    return false;
                };
                let first =
                    self.open.get(details).and_then(|&index| self.nodes.get(index)).is_some_and(|node| {
                        node.children.iter().filter_map(|&child| self.nodes.get(child)).all(is_blank)
                    });
                if first {
                    self.close_above(details);
                }
                first
            }
            _ => self.prepare_block(*element),
        }
    }

    fn prepare_block(&mut self, element: Element) -> bool {
        let bounded = |kind| matches!(kind, Kind::Cell | Kind::Caption);
        if let Some(paragraph) = self.innermost(|open| open.kind == Kind::Paragraph, bounded) {
            self.close_above(paragraph - 1);
        }
        let is_heading = |kind| matches!(kind, Kind::Heading(_));
        if is_heading(element.kind)
            && let Some(heading) = self.innermost(|open| is_heading(open.kind), bounded)
        {
            self.close_above(heading - 1);
        }
        let narrow = |open: Element| {
            open.kind == Kind::Summary
                || (is_heading(element.kind) && (open.name == "th" || open.kind == Kind::Caption))
                || (open.kind == Kind::Caption && element.kind == Kind::Table)
                || (element.kind == Kind::Details && open.name == "a")
        };
        if self.innermost(narrow, |_| false).is_some() {
            return false;
        }
        self.make_room();
        for depth in (1..self.open.len()).rev() {
            let open = self.open_element(depth);
            if !open.kind.holds_phrasing() {
                break;
            }
            // A link may hold blocks where its parent may.
            if open.name != "a"
                && let Some(node) = self.open.get(depth).and_then(|&index| self.nodes.get_mut(index))
            {
                node.dissolved = true;
            }
        }
        true
    }

    fn prepare_table_part(&mut self, element: &mut Element) -> bool {
        let Some(table) = self.innermost(|open| open.kind == Kind::Table, |_| false) else { return false };
        let keep = |tree: &Self, kind: Kind| {
            (table + 1..tree.open.len()).find(|&depth| tree.open_element(depth).kind == kind)
        };
        let section = keep(self, Kind::Section);
        let row = keep(self, Kind::Row);
        match element.kind {
            Kind::Caption | Kind::Section => {
                self.close_above(table);
                let node = self.open.last().and_then(|&index| self.nodes.get(index));
                let first = node.is_some_and(|node| {
                    node.children.iter().filter_map(|&child| self.nodes.get(child)).all(|child| {
                        child
                            .element()
                            .is_none_or(|child| child.kind == Kind::Caption && element.kind == Kind::Section)
                    })
                });
                if element.kind == Kind::Caption {
                    return first;
                }
                if !first && let Some(body) = elements::find("tbody") {
                    *element = body;
                }
            }
            Kind::Row => {
                self.close_above(section.unwrap_or(table));
                if section.is_none() {
                    self.push_implied("tbody");
                }
            }
            _ => {
                self.close_above(row.or(section).unwrap_or(table));
                if section.is_none() {
                    self.push_implied("tbody");
                }
                if row.is_none() {
                    self.push_implied("tr");
                }
            }
        }
        true
    }

    fn end(&mut self, name: &str) {
        let Some(element) = elements::find(name) else { return };
        let same = |open: Element| match element.kind {
            Kind::Heading(_) => matches!(open.kind, Kind::Heading(_)),
            _ => open.written == element.written,
        };
        let barrier = |kind: Kind| match element.kind {
            Kind::Phrasing => kind.is_block(),
            Kind::Paragraph => !kind.holds_phrasing(),
            Kind::Table | Kind::Section | Kind::Row | Kind::Cell | Kind::Caption => kind == Kind::Table,
            _ => matches!(kind, Kind::Cell | Kind::Caption),
        };
        if let Some(depth) = self.innermost(same, barrier) {
            self.close_above(depth - 1);
        }
    }
}

fn is_blank(node: &Node<'_>) -> bool {
    matches!(node.content, Content::Text(text) if text.bytes().all(|byte| byte.is_ascii_whitespace()))
}

/// Of each node whether there is something in it: a row needs a cell, a group of rows a row, a table such a group;
/// a paragraph and text-level elements need any content. The tags of the others are left out.
fn filled(nodes: &[Node<'_>]) -> Vec<bool> {
    let mut filled = vec![true; nodes.len()];
    // Children come after their parents.
    for (index, node) in nodes.iter().enumerate().rev() {
        let Some(element) = node.element() else {
            filled[index] = !is_blank(node);
            continue;
        };
        let mut inside =
            node.children.iter().copied().filter(|&child| filled.get(child).is_some_and(|&filled| filled));
        let kind = |child: usize| nodes.get(child).and_then(Node::element).map(|element| element.kind);
        filled[index] = match element.kind {
            Kind::Table => inside.any(|child| kind(child) == Some(Kind::Section)),
            Kind::Section => inside.any(|child| kind(child) == Some(Kind::Row)),
            Kind::Row => inside.any(|child| kind(child) == Some(Kind::Cell)),
            Kind::Phrasing if element.name != "a" => inside.next().is_some(),
            Kind::Paragraph | Kind::Heading(_) => inside.next().is_some(),
            _ => true,
        };
    }
    filled
}

/// The ids of a body: what each is called within the entry, and on the page.
#[derive(Default)]
struct Ids {
    by_node: HashMap<usize, String>,
    by_name: HashMap<String, String>,
}

impl Ids {
    fn of(nodes: &[Node<'_>], filled: &[bool]) -> Self {
        let mut ids = Self::default();
        let mut repeated: HashMap<String, usize> = HashMap::new();
        let kept =
            nodes.iter().zip(filled).enumerate().filter(|(_, (node, filled))| **filled && !node.dissolved);
        for (index, (node, _)) in kept {
            let Content::Element { element, id, .. } = &node.content else { continue };
            let takes_id =
                elements::ATTRIBUTES.iter().any(|(name, keys)| *name == element.name && keys.contains(&"id"));
            let own = id.filter(|id| takes_id && is_id(id));
            let name = match (own, element.kind) {
                (Some(own), _) => own.to_owned(),
                (None, Kind::Heading(_)) => slug(nodes, index),
                _ => continue,
            };
            // The second of the same name is `name-1`, as GitHub has it.
            let mut unique = name.clone();
            let count = repeated.entry(name.clone()).or_default();
            while ids.by_name.contains_key(&unique) {
                *count += 1;
                unique = format!("{name}-{count}");
            }
            let on_page = format!("{ID_PREFIX}{unique}");
            ids.by_node.insert(index, on_page.clone());
            ids.by_name.insert(unique, on_page);
        }
        ids
    }
}

fn is_id(id: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.');
    !id.is_empty() && id.len() <= MAX_ID && id.bytes().all(plain)
}

/// What GitHub calls a heading in a link: its letters and digits in small letters, blanks as `-`.
fn slug(nodes: &[Node<'_>], heading: usize) -> String {
    let mut slug = String::new();
    let mut waiting = vec![heading];
    while let Some(node) = waiting.pop().and_then(|index| nodes.get(index)) {
        if slug.len() > MAX_ID {
            break;
        }
        waiting.extend(node.children.iter().rev());
        if let Content::Text(text) = node.content {
            for c in decode(text).chars() {
                match c {
                    ' ' => slug.push('-'),
                    c if c.is_alphanumeric() || matches!(c, '-' | '_') => slug.extend(c.to_lowercase()),
                    _ => {}
                }
            }
        }
    }
    let short: String = slug.chars().take(MAX_ID / 4).collect();
    if slug.len() > MAX_ID {
        short
    } else if slug.is_empty() {
        "part".to_owned()
    } else {
        slug
    }
}

struct Writer<'t, 'a> {
    nodes: &'t [Node<'a>],
    /// Of each node, whether there is something in it.
    filled: Vec<bool>,
    ids: Ids,
    place: Place,
    address: &'t dyn Fn(&str) -> Option<String>,
    out: String,
}

impl Writer<'_, '_> {
    fn children(&mut self, index: usize) {
        // As deep as MAX_NESTING at most.
        let nodes = self.nodes;
        for &child in nodes.get(index).map_or(&[][..], |node| &node.children) {
            self.node(child);
        }
    }

    fn node(&mut self, index: usize) {
        let nodes = self.nodes;
        let Some(node) = nodes.get(index) else { return };
        let Content::Element { element, attributes, address, .. } = &node.content else {
            if let Content::Text(text) = node.content {
                self.out.push_str(&text.replace('<', "&lt;"));
            }
            return;
        };
        if node.dissolved || !self.filled.get(index).copied().unwrap_or_default() {
            self.children(index);
            return;
        }
        let name = match (element.kind, self.place) {
            (Kind::Heading(level), Place::Page) => {
                ["h2", "h3", "h4", "h5", "h6", "h6"][usize::from(level - 1).min(5)]
            }
            _ => element.name,
        };
        self.out.push('<');
        self.out.push_str(name);
        let mut written: Vec<(&str, Cow<'_, str>)> =
            attributes.iter().map(|(key, value)| (*key, Cow::Borrowed(&**value))).collect();
        let address = address.and_then(|address| self.address(element.name, &decode(address)));
        written.extend(address.map(|(key, address)| (key, escape(&address).into())));
        written.extend(self.ids.by_node.get(&index).map(|id| ("id", escape(id).into())));
        written.sort_unstable_by_key(|&(key, _)| key);
        for (key, value) in written {
            self.out.extend([" ", key, "=\"", &value.replace('<', "&lt;"), "\""]);
        }
        self.out.push('>');
        if matches!(element.kind, Kind::Void | Kind::Rule) {
            return;
        }
        if element.kind == Kind::Details && !self.has_summary(node) {
            self.out.push_str("<summary>Details</summary>");
        }
        let inside = self.out.len();
        self.children(index);
        if element.kind == Kind::Preformatted {
            // Whoever reads this drops a line end that follows the tag.
            let blank = self.out[inside..].len() - self.out[inside..].trim_start_matches('\n').len();
            self.out.replace_range(inside..inside + blank, "");
        }
        self.out.push_str("</");
        self.out.push_str(name);
        self.out.push('>');
    }

    fn address(&self, element: &str, address: &str) -> Option<(&'static str, String)> {
        if let ("a", Some(name), Place::Page) = (element, address.trim().strip_prefix('#'), self.place) {
            return Some(("href", format!("#{}", self.ids.by_name.get(name)?)));
        }
        let other = (self.address)(address);
        let address = other.as_deref().unwrap_or(address);
        if element == "img" {
            Some(("src", elements::picture(address)?))
        } else {
            Some(("href", elements::link(address)?))
        }
    }

    fn has_summary(&self, details: &Node<'_>) -> bool {
        let mut children = details.children.iter().filter_map(|&child| self.nodes.get(child));
        children
            .find(|child| !is_blank(child))
            .and_then(Node::element)
            .is_some_and(|first| first.kind == Kind::Summary)
    }
}
