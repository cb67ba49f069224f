//! The elements and attributes that an entry may use, and replacements for obsolete ones.

use std::borrow::Cow;

use url::Url;

use super::{picture, wide};

/// Where an element may occur and what it may contain, as far as it matters here (HTML Standard, section 3.2.5).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// Text-level: allowed anywhere, contains only text-level content.
    Phrasing,
    /// A picture, line break or checkbox.
    Void,
    /// A thematic break: a block without content.
    Rule,
    /// A block that contains blocks and text.
    Block,
    /// A paragraph, which any block ends.
    Paragraph,
    /// A heading of this level, 1 to 6.
    Heading(u8),
    /// Preformatted text.
    Preformatted,
    /// An ordered or unordered list.
    List,
    /// An item of a list.
    Item,
    /// A table and its parts: caption, groups of rows, rows and cells.
    Table,
    Caption,
    Section,
    Row,
    Cell,
    /// A definition list, a term, and its meaning.
    Terms,
    Term,
    Meaning,
    /// A disclosure widget, and its summary.
    Details,
    Summary,
}

impl Kind {
    /// Whether the element is allowed only where blocks are allowed.
    pub(super) fn is_block(self) -> bool {
        !matches!(self, Self::Phrasing | Self::Void)
    }

    /// Whether the element may contain only text-level content, and so is dissolved if it contains blocks.
    pub(super) fn holds_phrasing(self) -> bool {
        matches!(self, Self::Phrasing | Self::Paragraph | Self::Heading(_) | Self::Preformatted)
    }
}

/// An element that is kept.
#[derive(Debug, Clone, Copy)]
pub(super) struct Element {
    /// The name as entries write it.
    pub written: &'static str,
    /// The name in the output.
    pub name: &'static str,
    pub kind: Kind,
}

const ELEMENTS: [Element; 74] = {
    const fn same(name: &'static str, kind: Kind) -> Element {
        Element { written: name, name, kind }
    }
    const fn other(written: &'static str, name: &'static str, kind: Kind) -> Element {
        Element { written, name, kind }
    }
    use Kind::{
        Block, Caption, Cell, Details, Heading, Item, List, Meaning, Paragraph, Phrasing, Preformatted, Row,
        Rule, Section, Summary, Table, Term, Terms, Void,
    };
    [
        same("a", Phrasing),
        same("abbr", Phrasing),
        same("b", Phrasing),
        same("cite", Phrasing),
        same("code", Phrasing),
        same("del", Phrasing),
        same("dfn", Phrasing),
        same("em", Phrasing),
        same("i", Phrasing),
        same("ins", Phrasing),
        same("kbd", Phrasing),
        same("mark", Phrasing),
        same("q", Phrasing),
        same("s", Phrasing),
        same("samp", Phrasing),
        same("small", Phrasing),
        same("span", Phrasing),
        same("strong", Phrasing),
        same("sub", Phrasing),
        same("sup", Phrasing),
        same("u", Phrasing),
        same("var", Phrasing),
        other("acronym", "abbr", Phrasing),
        other("big", "strong", Phrasing),
        other("strike", "s", Phrasing),
        other("tt", "code", Phrasing),
        same("br", Void),
        same("img", Void),
        other("image", "img", Void),
        same("input", Void),
        same("wbr", Void),
        same("hr", Rule),
        same("blockquote", Block),
        same("div", Block),
        other("address", "div", Block),
        other("article", "div", Block),
        other("aside", "div", Block),
        other("center", "div", Block),
        other("fieldset", "div", Block),
        other("figcaption", "div", Block),
        other("figure", "div", Block),
        other("footer", "div", Block),
        other("form", "div", Block),
        other("header", "div", Block),
        other("main", "div", Block),
        other("nav", "div", Block),
        other("section", "div", Block),
        same("p", Paragraph),
        same("h1", Heading(1)),
        same("h2", Heading(2)),
        same("h3", Heading(3)),
        same("h4", Heading(4)),
        same("h5", Heading(5)),
        same("h6", Heading(6)),
        same("pre", Preformatted),
        other("listing", "pre", Preformatted),
        same("ol", List),
        same("ul", List),
        other("dir", "ul", List),
        other("menu", "ul", List),
        same("li", Item),
        same("dl", Terms),
        same("dt", Term),
        same("dd", Meaning),
        same("table", Table),
        same("caption", Caption),
        same("thead", Section),
        same("tbody", Section),
        // The parts of a table must come in a fixed order, so a footer becomes a body; its rows lose little.
        other("tfoot", "tbody", Section),
        same("tr", Row),
        same("td", Cell),
        same("th", Cell),
        same("details", Details),
        same("summary", Summary),
    ]
};

/// The element that entries write as `name`; `None` if only its content is kept.
pub(super) fn find(name: &str) -> Option<Element> {
    ELEMENTS.iter().find(|element| element.written == name).copied()
}

/// The names of all elements in the output.
pub(super) fn names() -> impl Iterator<Item = &'static str> {
    ELEMENTS.iter().map(|element| element.name)
}

/// The attributes in the output, by element.
pub(super) const ATTRIBUTES: [(&str, &[&str]); 23] = [
    ("a", &["href", "title", "id"]),
    ("abbr", &["title"]),
    ("code", &["class"]),
    ("details", &["open"]),
    ("div", &["class", "id", "aria-label", "role", "tabindex"]),
    ("h1", &["class", "id"]),
    ("h2", &["class", "id"]),
    ("h3", &["class", "id"]),
    ("h4", &["class", "id"]),
    ("h5", &["class", "id"]),
    ("h6", &["class", "id"]),
    ("img", &["src", "alt", "title", "width", "height", "class", "loading", "referrerpolicy"]),
    ("input", &["type", "disabled", "checked"]),
    ("dt", &["id"]),
    ("li", &["id", "value"]),
    ("ol", &["start", "type", "reversed"]),
    ("p", &["class", "id"]),
    ("pre", &["aria-label", "role", "tabindex"]),
    ("span", &["class", "id"]),
    ("table", &["class"]),
    ("caption", &["class"]),
    ("td", &["class", "colspan", "rowspan"]),
    ("th", &["class", "colspan", "rowspan", "scope"]),
];

/// An attribute of the output. Its value may contain character references, but no `"`.
pub(super) type Attribute<'a> = (&'static str, Cow<'a, str>);

/// The attributes of an element that are kept, without its address (`href`, `src`) and `id`.
pub(super) fn attributes<'a>(element: Element, written: &[(Cow<'_, str>, &'a str)]) -> Vec<Attribute<'a>> {
    let get = |name: &str| written.iter().find(|(written, _)| written == name).map(|&(_, value)| value);
    let has = |name: &str| get(name).is_some();
    let quoted = |value: &'a str| -> Cow<'a, str> {
        if value.contains('"') { Cow::Owned(value.replace('"', "&quot;")) } else { Cow::Borrowed(value) }
    };
    let allowed =
        ATTRIBUTES.iter().find(|(name, _)| *name == element.name).map_or(&[][..], |(_, allowed)| allowed);
    let mut kept = Vec::new();
    for &name in allowed {
        let value: Option<Cow<'a, str>> = match name {
            "title" => get(name).map(quoted),
            "alt" => Some(get(name).map(quoted).unwrap_or_default()),
            "width" | "height" => get(name).and_then(pixels).map(Cow::Owned),
            "class" if element.name == "code" => {
                get(name).filter(|value| is_language(value)).map(Cow::Borrowed)
            }
            "class" if element.name == "span" => None,
            "class" if element.written == "center" => Some("align-center".into()),
            "class" => get("align").and_then(alignment).map(Cow::Borrowed),
            "colspan" | "rowspan" => get(name).and_then(|value| integer(value, 2, 100)),
            "start" | "value" => get(name).and_then(|value| integer(value, -1_000_000, 1_000_000)),
            "scope" => {
                get(name).filter(|v| matches!(*v, "row" | "col" | "rowgroup" | "colgroup")).map(Cow::Borrowed)
            }
            "type" if element.name == "ol" => {
                get(name).filter(|value| matches!(*value, "1" | "a" | "A" | "i" | "I")).map(Cow::Borrowed)
            }
            "type" => Some("checkbox".into()),
            "disabled" => Some("".into()),
            "open" | "reversed" | "checked" => has(name).then(|| "".into()),
            _ => None,
        };
        kept.extend(value.map(|value| (name, value)));
    }
    kept
}

fn alignment(value: &str) -> Option<&'static str> {
    let value = value.trim();
    ["align-left", "align-center", "align-right"]
        .into_iter()
        .find(|class| class[6..].eq_ignore_ascii_case(value))
}

/// Whether `class` is allowed in the output.
pub(super) fn is_class(element: &str, class: &str) -> bool {
    match element {
        "code" => is_language(class),
        "span" => class == picture::CLASS,
        "div" if class == wide::CLASS => true,
        _ => alignment(class.strip_prefix("align-").unwrap_or("")).is_some(),
    }
}

fn is_language(class: &str) -> bool {
    let name = class.strip_prefix("language-").unwrap_or_default();
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'+' | b'#' | b'.' | b'-');
    !name.is_empty() && name.len() <= 50 && name.bytes().all(plain)
}

/// A whole number of pixels, written as `120` or `120px`. HTML no longer allows percentages and other units.
fn pixels(value: &str) -> Option<String> {
    let number: u16 = value.trim().trim_end_matches("px").parse().ok()?;
    (number > 0).then(|| number.to_string())
}

fn integer(value: &str, least: i32, most: i32) -> Option<Cow<'static, str>> {
    let number: i32 = value.trim().parse().ok()?;
    (least..=most).contains(&number).then(|| number.to_string().into())
}

/// `address`, encoded, if it is allowed in a link: `https`, `http`, `mailto`, or relative.
pub(super) fn link(address: &str) -> Option<String> {
    let address = encode(address);
    let allowed = match Url::parse(&address) {
        Ok(url) => matches!(url.scheme(), "https" | "http" | "mailto"),
        // A relative address may be invalid, such as `//[x`.
        Err(url::ParseError::RelativeUrlWithoutBase) => {
            Url::parse("https://site.invalid/").is_ok_and(|site| site.join(&address).is_ok())
        }
        Err(_) => false,
    };
    allowed.then_some(address)
}

/// `address`, encoded, if it is allowed in a picture: `https`, `http`, or relative.
pub(super) fn picture(address: &str) -> Option<String> {
    link(address)
        .filter(|address| !address.is_empty() && !address.starts_with('#') && !address.starts_with("mailto:"))
}

/// Percent-encodes characters that a URL can't contain (URL Standard, section 1.3). Existing encoding is kept.
pub fn encode(address: &str) -> String {
    const HEX: [char; 16] = ['0', '1', '2', '3', '4', '5', '6', '7', '8', '9', 'A', 'B', 'C', 'D', 'E', 'F'];
    let address = address.trim();
    // Most addresses need no encoding.
    let may_need_it = |byte: u8| {
        !byte.is_ascii_graphic()
            || matches!(
                byte,
                b'"' | b'#' | b'%' | b'<' | b'>' | b'[' | b'\\' | b']' | b'^' | b'`' | b'{'..=b'}'
            )
    };
    if !address.bytes().any(may_need_it) {
        return address.to_owned();
    }
    let bracketed_host = address.contains("://[");
    let mut encoded = String::with_capacity(address.len());
    let mut in_fragment = false;
    for (at, c) in address.char_indices() {
        let is_encoded = |at: usize| {
            let digits = address.as_bytes().get(at + 1..at + 3);
            digits.is_some_and(|digits| digits.iter().all(u8::is_ascii_hexdigit))
        };
        let wrong = match c {
            '"' | '<' | '>' | '\\' | '^' | '`' | '{' | '|' | '}' | ' ' => true,
            '[' | ']' => !bracketed_host,
            '%' => !is_encoded(at),
            '#' => std::mem::replace(&mut in_fragment, true),
            '\n' | '\t' | '\r' => continue,
            c => c.is_ascii_control(),
        };
        if wrong {
            let byte = u32::from(c) as usize;
            encoded.extend(['%', HEX[byte >> 4 & 15], HEX[byte & 15]]);
        } else {
            encoded.push(c);
        }
    }
    encoded
}
