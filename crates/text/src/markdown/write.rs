//! Writes the tree as HTML.

use std::borrow::Cow;

use percent_encoding::percent_decode_str;

use super::elements::{self, Kind};
use super::ids::Ids;
use super::plain::{decode, escape};
use super::tidy::{Content, Node, is_blank};
use super::{Addresses, BASE, ENCODED_BASE, Picture, picture, wide};

/// The maximum size in bytes of a piece of text without tags.
const PIECE: usize = 4096;

/// Where the HTML is used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
    /// The body of a page that has its own `<h1>`.
    Page,
    /// Beside the body of such a page and other parts: without ids, because they could collide.
    Part,
    /// On other sites' pages.
    Elsewhere,
}

/// The HTML of `nodes`, the first of which is the root.
pub(super) fn html(nodes: &[Node<'_>], place: Place, addresses: Addresses<'_>) -> String {
    let filled = filled(nodes);
    let ids = if place == Place::Page { Ids::of(nodes, &filled) } else { Ids::default() };
    let plain = plain(nodes);
    let mut writer = Writer {
        nodes,
        filled,
        plain,
        ids,
        place,
        addresses,
        headings: Vec::new(),
        links: 0,
        out: String::new(),
    };
    writer.children(0);
    writer.out
}

/// Whether each node has the content that it needs. A row needs a cell, a group of rows a row, the head of a table a
/// cell with content, and a table such a group; a paragraph and text-level elements need any content. The tags of all
/// other nodes are left out.
fn filled(nodes: &[Node<'_>]) -> Vec<bool> {
    let mut filled = vec![true; nodes.len()];
    // Children have higher indices than their parents.
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
            Kind::Section if element.name == "thead" && !has_filled_cell(nodes, &filled, node) => {
                let rows = node.children.iter().filter_map(|&row| Some((row, nodes.get(row)?)));
                let unfilled: Vec<usize> = rows
                    .flat_map(|(row, node)| std::iter::once(row).chain(node.children.iter().copied()))
                    .collect();
                for part in unfilled {
                    filled[part] = false;
                }
                false
            }
            Kind::Section => inside.any(|child| kind(child) == Some(Kind::Row)),
            Kind::Row => inside.any(|child| kind(child) == Some(Kind::Cell)),
            Kind::Phrasing if element.name != "a" => inside.next().is_some(),
            Kind::Paragraph | Kind::Heading(_) => inside.next().is_some(),
            _ => true,
        };
    }
    filled
}

/// Whether a cell in this group of rows has content.
fn has_filled_cell(nodes: &[Node<'_>], filled: &[bool], rows: &Node<'_>) -> bool {
    let children = |node: &usize| nodes.get(*node).map_or(&[][..], |node| &node.children).iter();
    let mut contents = rows.children.iter().flat_map(children).flat_map(children);
    contents.any(|&content| filled.get(content) == Some(&true))
}

/// Whether each node is part of a definition list that has other content, or terms and meanings in an order that HTML
/// forbids (HTML Standard, section 4.4.9). Such a list is written as blocks.
fn plain(nodes: &[Node<'_>]) -> Vec<bool> {
    let mut plain = vec![false; nodes.len()];
    for (index, list) in nodes.iter().enumerate() {
        if list.element().is_none_or(|element| element.kind != Kind::Terms) {
            continue;
        }
        let children = list.children.iter().filter_map(|&child| nodes.get(child));
        let kinds: Vec<_> = children
            .filter(|child| !is_blank(child))
            .map(|child| child.element().filter(|_| !child.dissolved).map(|element| element.kind))
            .collect();
        let is_list = kinds.first() == Some(&Some(Kind::Term))
            && kinds.last() == Some(&Some(Kind::Meaning))
            && kinds.iter().all(|kind| matches!(kind, Some(Kind::Term | Kind::Meaning)));
        if !is_list {
            for &part in std::iter::once(&index).chain(&list.children) {
                if let Some(plain) = plain.get_mut(part) {
                    *plain = true;
                }
            }
        }
    }
    plain
}

struct Writer<'t, 'a> {
    nodes: &'t [Node<'a>],
    /// Whether each node has the content that it needs.
    filled: Vec<bool>,
    /// Whether each node is written as a plain block.
    plain: Vec<bool>,
    ids: Ids,
    place: Place,
    addresses: Addresses<'t>,
    /// The levels, as written, of the current heading and the headings above it.
    headings: Vec<u8>,
    /// The number of open links: 0 or 1.
    links: usize,
    out: String,
}

impl Writer<'_, '_> {
    fn children(&mut self, index: usize) {
        // The recursion is at most MAX_NESTING deep.
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
                self.text(&text.replace('<', "&lt;"));
            }
            return;
        };
        if node.dissolved || !self.filled.get(index).copied().unwrap_or_default() {
            self.children(index);
            return;
        }
        let name = match (element.kind, self.place) {
            (Kind::Heading(level), Place::Page | Place::Part) => {
                // The number of headings above a heading decides its level, so that the levels below the page's `<h1>`
                // have no gaps.
                while self.headings.last().is_some_and(|&above| above >= level) {
                    self.headings.pop();
                }
                self.headings.push(level);
                ["h2", "h3", "h4", "h5", "h6"][(self.headings.len() - 1).min(4)]
            }
            (Kind::Terms | Kind::Term | Kind::Meaning, _) if self.plain.get(index) == Some(&true) => "div",
            _ => element.name,
        };
        let mut address = address.as_ref().and_then(|address| self.address(element.name, &decode(address)));
        let picture = address.as_ref().filter(|(key, _)| *key == "src");
        let picture = picture.map_or(Picture::Shown, |(_, address)| (self.addresses.picture)(address));
        let mut written: Vec<(&str, Cow<'_, str>)> =
            attributes.iter().map(|(key, value)| (*key, Cow::Borrowed(&**value))).collect();
        match picture {
            Picture::Shown => {}
            Picture::Fetched => {
                if let Some((_, address)) = &mut address
                    && let Some(rest) = address.strip_prefix("http://")
                {
                    *address = format!("https://{rest}");
                }
                written.extend([("loading", "lazy".into()), ("referrerpolicy", "no-referrer".into())]);
            }
            Picture::Named => {
                let (_, address) = address.unwrap_or_default();
                return self.name(attributes, &address);
            }
        }
        let is_wrapped = element.kind == Kind::Table && self.place != Place::Elsewhere;
        if is_wrapped {
            self.out.push_str(if self.links == 0 { wide::TABLE } else { wide::LINKED_TABLE });
        }
        self.out.push('<');
        self.out.push_str(name);
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
        self.links += usize::from(element.name == "a");
        self.children(index);
        self.links -= usize::from(element.name == "a");
        if element.kind == Kind::Preformatted {
            // HTML parsers drop a line end right after the tag.
            let blank = self.out[inside..].len() - self.out[inside..].trim_start_matches('\n').len();
            self.out.replace_range(inside..inside + blank, "");
            if self.place != Place::Elsewhere && self.links == 0 && wide::has_long_line(&self.out[inside..]) {
                self.out.insert_str(inside - 1, wide::CODE);
            }
        }
        self.out.push_str("</");
        self.out.push_str(name);
        self.out.push('>');
        if is_wrapped {
            self.out.push_str("</div>");
        }
    }

    /// Writes text in pieces separated by comments, which ammonia removes. The serializer of ammonia's tree searches
    /// from each `&`, and from each first byte of a no-break space, to the end of the piece, which would take quadratic
    /// time on long ones.
    fn text(&mut self, text: &str) {
        let mut rest = text;
        while rest.len() > PIECE {
            let mut end = (0..=PIECE).rev().find(|&end| rest.is_char_boundary(end)).unwrap_or(PIECE);
            // Don't split a reference.
            if let Some(at) = rest[..end].rfind('&').filter(|&at| !rest[at..end].contains(';') && at > 0) {
                end = at;
            }
            let (piece, after) = rest.split_at(end);
            self.out.extend([piece, "<!---->"]);
            rest = after;
        }
        self.out.push_str(rest);
    }

    /// Writes the text that replaces a picture.
    fn name(&mut self, attributes: &[elements::Attribute<'_>], address: &str) {
        // Links can't be nested.
        let is_link = self.links == 0 && !picture::is_badge(address);
        if is_link {
            self.out.extend(["<a href=\"", &escape(address), "\">"]);
        }
        let name = picture::name(attributes, address);
        self.out.extend(["<span class=\"", picture::CLASS, "\">", &name, "</span>"]);
        if is_link {
            self.out.push_str("</a>");
        }
    }

    fn address(&self, element: &str, address: &str) -> Option<(&'static str, String)> {
        let mut address = elements::encode(address);
        if element == "a"
            && let Some(name) = address.strip_prefix('#')
        {
            let decoded = percent_decode_str(name).decode_utf8().ok();
            let known = |name: &str| self.ids.by_name.get(name);
            // A link to the top of a page needs no id (HTML Standard, section 7.4.6.4).
            let is_top = name.is_empty() || name.eq_ignore_ascii_case("top");
            match (known(name).or_else(|| known(&decoded?)), self.place) {
                (Some(id), _) => address = format!("#{id}"),
                (None, Place::Page | Place::Part) if !is_top => return None,
                (None, _) => {}
            }
        }
        let address = self.without_base(address);
        let address = (self.addresses.another)(&address).unwrap_or(address);
        if element == "img" {
            Some(("src", elements::picture(&address)?))
        } else {
            Some(("href", elements::link(&address)?))
        }
    }

    /// Removes the mark for the base path from the start of a path, which gives a path from the site's root as people
    /// write it. In any other address the mark becomes the base path.
    fn without_base(&self, address: String) -> String {
        if !address.contains(BASE) && !address.contains(ENCODED_BASE) {
            return address;
        }
        let rest = address.strip_prefix(BASE).or_else(|| address.strip_prefix(ENCODED_BASE));
        match rest {
            Some(rest) => format!("/{}", rest.trim_start_matches('/')),
            None => address
                .replace(BASE, self.addresses.base_path)
                .replace(ENCODED_BASE, self.addresses.base_path),
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
