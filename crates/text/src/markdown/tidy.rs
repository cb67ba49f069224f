//! Turns an entry's HTML, however broken, into a tree of valid HTML.
//!
//! Mismatched tags, blocks within text, rows without a table and excessive nesting are each repaired by a fixed rule,
//! in one pass, so that the cost grows linearly with the text. HTML's own rules for broken markup can make a page a
//! thousand times larger (formatting is reopened in every paragraph); after this pass those rules never apply.

use std::borrow::Cow;

use super::elements::{self, Attribute, Element, Kind};
use super::kramdown::{self, Attributes, END, MARK, NUDGE, Note};
use super::plain::decode;
use super::tokens::{Token, Tokens};
use super::video;

/// The maximum nesting of elements; the tags of deeper ones are left out.
pub const MAX_NESTING: usize = 64;

/// The content of `html` as a tree of valid HTML, the root first. Marks in the text refer to `notes`.
pub(super) fn tree<'a>(html: &'a str, notes: &'a [Note]) -> Vec<Node<'a>> {
    let mut tree = Tree { nodes: vec![Node::root()], open: vec![0], notes, next: None };
    for token in Tokens::new(html) {
        match token {
            Token::Text(text) => tree.marked_text(text),
            Token::Start(name, attributes) => tree.start(&name, &attributes),
            Token::End(name) => tree.end(&name),
            Token::Comment => {}
        }
    }
    tree.nodes
}

/// A node of the tree. Children have higher indices than their parents.
pub(super) struct Node<'a> {
    pub(super) content: Content<'a>,
    pub(super) children: Vec<usize>,
    /// The last child that is not blank text.
    last_shown: Option<usize>,
    /// Whether its tags are left out because it has content that is not allowed in it.
    pub(super) dissolved: bool,
    /// Whether it is a heading written in Markdown.
    pub(super) is_markdown: bool,
}

pub(super) enum Content<'a> {
    Text(&'a str),
    Element {
        element: Element,
        attributes: Vec<Attribute<'a>>,
        address: Option<Cow<'a, str>>,
        id: Option<&'a str>,
    },
}

impl<'a> Node<'a> {
    fn new(content: Content<'a>) -> Self {
        Self { content, children: Vec::new(), last_shown: None, dissolved: false, is_markdown: false }
    }

    /// The root, which represents the `<div>` around the result.
    fn root() -> Self {
        let element = Element { written: "", name: "div", kind: Kind::Block };
        let content = Content::Element { element, attributes: Vec::new(), address: None, id: None };
        Self::new(content)
    }

    pub(super) fn element(&self) -> Option<Element> {
        match &self.content {
            Content::Element { element, .. } => Some(*element),
            Content::Text(_) => None,
        }
    }
}

struct Tree<'a> {
    /// The root first.
    nodes: Vec<Node<'a>>,
    /// The open elements, the root first; the root is never closed.
    open: Vec<usize>,
    notes: &'a [Note],
    /// Attributes for the next block in this element.
    next: Option<(usize, &'a Attributes)>,
}

impl<'a> Tree<'a> {
    /// Appends text that may contain marks.
    fn marked_text(&mut self, text: &'a str) {
        let mut rest = text;
        while let Some(at) = rest.find([MARK, END, NUDGE]) {
            let (before, from) = rest.split_at(at);
            if !before.is_empty() {
                self.text(before);
            }
            rest = match kramdown::mark(from) {
                Some((number, rest)) => {
                    if let Some(note) = self.notes.get(number) {
                        self.note(note);
                    }
                    rest
                }
                None => from.trim_start_matches([MARK, END, NUDGE]),
            };
        }
        if !rest.is_empty() {
            self.text(rest);
        }
    }

    /// Applies a note to the element before it or around it.
    fn note(&mut self, note: &'a Note) {
        let parent = self.open.last().and_then(|&parent| self.nodes.get(parent));
        match note {
            Note::Span(attributes, written) => {
                match parent.and_then(|parent| parent.children.last().copied()) {
                    Some(index) if self.nodes.get(index).is_some_and(|node| node.element().is_some()) => {
                        self.add(index, attributes);
                    }
                    _ => self.text(written),
                }
            }
            Note::Before(attributes) => {
                if let Some(index) = parent.and_then(|parent| parent.last_shown) {
                    self.add(index, attributes);
                }
            }
            Note::After(attributes) => self.next = self.open.last().map(|&parent| (parent, attributes)),
            Note::Heading(own) => {
                let heading = self.innermost(|open| matches!(open.kind, Kind::Heading(_)), |_| false);
                self.end_text();
                let node =
                    heading.and_then(|depth| self.open.get(depth)).and_then(|&at| self.nodes.get_mut(at));
                if let Some(node) = node {
                    node.is_markdown = true;
                    if let (Content::Element { id, .. }, Some(own)) = (&mut node.content, own) {
                        *id = Some(own);
                    }
                }
            }
            Note::Bare => {
                self.end_text();
                let paragraph = self.innermost(|open| open.kind == Kind::Paragraph, |_| false);
                let node =
                    paragraph.and_then(|depth| self.open.get(depth)).and_then(|&at| self.nodes.get_mut(at));
                if let Some(node) = node {
                    node.dissolved = true;
                }
            }
        }
    }

    /// Removes the whitespace before a mark at the end of a text.
    fn end_text(&mut self) {
        let last = self.open.last().and_then(|&parent| self.nodes.get(parent)?.children.last().copied());
        if let Some(Node { content: Content::Text(text), .. }) =
            last.and_then(|last| self.nodes.get_mut(last))
        {
            *text = text.trim_end();
        }
    }

    /// Adds attributes to an element.
    fn add(&mut self, index: usize, more: &'a Attributes) {
        let Some(node) = self.nodes.get_mut(index) else { return };
        let Content::Element { element, attributes, id, .. } = &mut node.content else { return };
        let written: Vec<_> = more.iter().map(|one| (Cow::Borrowed(&*one.0), &*one.1)).collect();
        for (key, value) in elements::attributes(*element, &written) {
            let is_written = |name: &str| written.iter().any(|(written, _)| written == name);
            let is_alignment = key == "class" && is_written("align");
            if !is_written(key) && !is_alignment {
                continue;
            }
            match attributes.iter_mut().find(|(known, _)| *known == key) {
                Some(known) => known.1 = value,
                None => attributes.push((key, value)),
            }
        }
        if let Some(&(_, own)) = written.iter().rev().find(|(key, _)| key == "id") {
            *id = Some(own);
        }
    }

    fn open_element(&self, depth: usize) -> Element {
        let node = self.open.get(depth).and_then(|&index| self.nodes.get(index));
        node.and_then(Node::element).unwrap_or(Element { written: "", name: "div", kind: Kind::Block })
    }

    fn top(&self) -> Kind {
        self.open_element(self.open.len() - 1).kind
    }

    /// The depth of the innermost open element that is `wanted`, unless an element above it is a `barrier`.
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

    /// Closes all elements above `depth`.
    fn close_above(&mut self, depth: usize) {
        self.open.truncate(depth + 1);
    }

    fn append(&mut self, content: Content<'a>) -> usize {
        let index = self.nodes.len();
        let node = Node::new(content);
        let is_shown = !is_blank(&node);
        self.nodes.push(node);
        if let Some(parent) = self.open.last().and_then(|&parent| self.nodes.get_mut(parent)) {
            parent.children.push(index);
            if is_shown {
                parent.last_shown = Some(index);
            }
        }
        index
    }

    fn push(
        &mut self,
        element: Element,
        attributes: Vec<Attribute<'a>>,
        address: Option<Cow<'a, str>>,
        id: Option<&'a str>,
    ) {
        let parent = self.open.last().copied();
        let index = self.append(Content::Element { element, attributes, address, id });
        if let Some((_, more)) = self.next.take_if(|(of, _)| element.kind.is_block() && Some(*of) == parent) {
            self.add(index, more);
        }
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

    /// Opens the elements that must surround content in a list or table.
    fn make_room(&mut self) {
        match self.top() {
            Kind::List => self.push_implied("li"),
            Kind::Terms => self.push_implied("dd"),
            Kind::Table => ["tbody", "tr", "td"].into_iter().for_each(|name| self.push_implied(name)),
            Kind::Section => ["tr", "td"].into_iter().for_each(|name| self.push_implied(name)),
            Kind::Row => self.push_implied("td"),
            _ => {}
        }
    }

    fn start(&mut self, name: &str, written: &[(Cow<'_, str>, &'a str)]) {
        if name == "iframe" {
            return self.player(written);
        }
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
            // Checkboxes of task lists are the only form controls that are kept.
            "input" => get("type") != Some("checkbox"),
            _ => false,
        };
        if !unusable {
            let attributes = elements::attributes(element, written);
            self.push(element, attributes, address.map(Cow::Borrowed), get("id").or_else(|| get("name")));
        }
    }

    /// Replaces a video player with a link to the video.
    fn player(&mut self, written: &[(Cow<'_, str>, &'a str)]) {
        let source = written.iter().find(|(key, _)| key == "src").map(|&(_, value)| value);
        let Some(video) = source.and_then(video::embedded) else { return };
        let Some(mut link) = elements::find("a") else { return };
        if self.open.len() <= MAX_NESTING && self.prepare(&mut link) {
            let depth = self.open.len() - 1;
            self.push(link, Vec::new(), Some(video::address(&video).into()), None);
            self.text(video::TEXT);
            self.close_above(depth);
        }
    }

    /// Closes the elements that `element` ends and opens those that it needs; false if it isn't allowed here at all.
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
            Kind::Item | Kind::Term | Kind::Meaning => {
                let list = if element.kind == Kind::Item { Kind::List } else { Kind::Terms };
                let barrier = |kind| match kind {
                    Kind::Cell | Kind::Caption | Kind::Block | Kind::Details => true,
                    Kind::Item => list != Kind::List,
                    Kind::Meaning => list != Kind::Terms,
                    _ => false,
                };
                match self.innermost(|open| open.kind == list, barrier) {
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
                || (is_heading(element.kind)
                    && (matches!(open.name, "th" | "dt") || open.kind == Kind::Caption))
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
            // A link may contain blocks where its parent may.
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

/// Whether the node is text that consists only of whitespace.
pub(super) fn is_blank(node: &Node<'_>) -> bool {
    matches!(node.content, Content::Text(text) if text.bytes().all(|byte| byte.is_ascii_whitespace()))
}
