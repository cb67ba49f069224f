//! The feed against the RSS 2.0 specification (<https://www.rssboard.org/rss-specification>), rule by rule.

use jiff::fmt::rfc2822;
use quick_xml::Reader;
use quick_xml::escape::unescape;
use quick_xml::events::Event;
use rss::validation::Validate as _;
use scraper::Html;
use url::Url;

use super::links::addresses;
use super::tree::{Target, Tree, tags};

/// The elements that the specification knows within a channel. Others need a namespace.
const OF_CHANNEL: [&str; 20] = [
    "title",
    "link",
    "description",
    "language",
    "copyright",
    "managingEditor",
    "webMaster",
    "pubDate",
    "lastBuildDate",
    "category",
    "generator",
    "docs",
    "cloud",
    "ttl",
    "image",
    "rating",
    "textInput",
    "skipHours",
    "skipDays",
    "item",
];
/// The elements that the specification knows within an item.
const OF_ITEM: [&str; 10] = [
    "title",
    "link",
    "description",
    "author",
    "category",
    "comments",
    "enclosure",
    "guid",
    "pubDate",
    "source",
];

/// An XML element, with its prefix, its attributes, the text and CDATA directly in it, and its children.
#[derive(Debug, Default)]
pub struct Element {
    /// The name as written, prefix included.
    pub name: String,
    /// Attributes, unescaped.
    pub attributes: Vec<(String, String)>,
    /// The text directly in it.
    pub text: String,
    /// The elements directly in it.
    pub children: Vec<Element>,
}

impl Element {
    /// The document's root element.
    ///
    /// # Errors
    /// Where the text isn't well-formed.
    pub fn parse(xml: &str) -> Result<Self, String> {
        let mut reader = Reader::from_str(xml);
        reader.config_mut().check_comments = true;
        reader.config_mut().expand_empty_elements = true;
        let mut open = vec![Self::default()];
        loop {
            let at = reader.buffer_position();
            let wrong = |why: &dyn std::fmt::Display| format!("byte {at}: {why}");
            match reader.read_event().map_err(|why| wrong(&why))? {
                Event::Start(start) => {
                    let mut element = Self { name: start.name().as_ref().to_owned(), ..Self::default() };
                    for attribute in start.attributes() {
                        let attribute = attribute.map_err(|why| wrong(&why))?;
                        let value = unescape(&attribute.value).map_err(|why| wrong(&why))?.into_owned();
                        element.attributes.push((attribute.key.as_ref().to_owned(), value));
                    }
                    open.push(element);
                }
                Event::End(_) => {
                    let element = open.pop().unwrap_or_default();
                    open.last_mut().ok_or_else(|| wrong(&"an end too many"))?.children.push(element);
                }
                Event::Text(text) => add(&mut open, &text),
                Event::CData(text) => add(&mut open, &text),
                Event::GeneralRef(name) => {
                    let reference = format!("&{};", &*name);
                    add(&mut open, &unescape(&reference).map_err(|why| wrong(&why))?);
                }
                Event::Eof => break,
                _ => {}
            }
        }
        let forbidden = |c: char| (c < ' ' && !"\t\n\r".contains(c)) || matches!(c, '\u{FFFE}' | '\u{FFFF}');
        if let Some(at) = xml.find(forbidden) {
            return Err(format!("byte {at}: a character that XML 1.0 has no place for"));
        }
        let mut document = open.pop().filter(|_| open.is_empty()).ok_or("an element without end")?;
        let root = document.children.pop().ok_or("no element")?;
        if document.children.is_empty() { Ok(root) } else { Err("more than one root element".into()) }
    }

    /// The elements of this name directly in it.
    pub fn all(&self, name: &str) -> Vec<&Self> {
        self.children.iter().filter(|child| child.name == name).collect()
    }

    /// The text of the one element of this name directly in it; none where there are several or none.
    pub fn only(&self, name: &str) -> Option<&str> {
        match self.all(name).as_slice() {
            [only] => Some(only.text.trim()),
            _ => None,
        }
    }

    /// An attribute's value.
    pub fn attribute(&self, name: &str) -> Option<&str> {
        self.attributes.iter().find(|(it, _)| it == name).map(|(_, value)| value.as_str())
    }
}

fn add(open: &mut [Element], text: &str) {
    if let Some(element) = open.last_mut() {
        element.text.push_str(text);
    }
}

/// What is wrong with the feed.
pub fn faults(tree: &Tree) -> Vec<String> {
    let mut faults = Vec::new();
    let text = tree.text("feed.xml");
    match rss::Channel::read_from(text.as_bytes()) {
        Ok(channel) => faults.extend(channel.validate().err().map(|why| format!("the crate rss: {why}"))),
        Err(why) => faults.push(format!("the crate rss: {why}")),
    }
    match Element::parse(text) {
        Ok(root) => Check { tree, faults: &mut faults }.document(&root),
        Err(why) => faults.push(why),
    }
    faults.iter().map(|fault| format!("{}: feed.xml: {fault}", tree.name)).collect()
}

struct Check<'c> {
    tree: &'c Tree,
    faults: &'c mut Vec<String>,
}

impl Check<'_> {
    fn holds(&mut self, holds: bool, fault: impl FnOnce() -> String) {
        if !holds {
            self.faults.push(fault());
        }
    }

    fn document(&mut self, root: &Element) {
        self.holds(root.name == "rss" && root.attribute("version") == Some("2.0"), || {
            "is not RSS 2.0".into()
        });
        self.holds(root.attribute("xmlns:atom") == Some("http://www.w3.org/2005/Atom"), || {
            "xmlns:atom".into()
        });
        self.holds(root.attribute("xmlns:dc") == Some("http://purl.org/dc/elements/1.1/"), || {
            "xmlns:dc".into()
        });
        let [channel] = root.children.as_slice() else {
            return self.faults.push("needs exactly one channel".into());
        };
        self.holds(channel.name == "channel", || format!("{} in rss", channel.name));
        self.names(channel, &OF_CHANNEL, &["atom:link"]);
        for required in ["title", "link", "description"] {
            let present = channel.only(required).is_some_and(|text| !text.is_empty());
            self.holds(present, || format!("the channel needs exactly one {required}, and not empty"));
        }
        let home = channel.only("link");
        self.holds(home == Some(self.tree.home.as_str()), || format!("the channel's link is {home:?}"));
        self.dates(channel, "lastBuildDate");
        let own = self.tree.address("feed.xml");
        let selves: Vec<_> = channel
            .all("atom:link")
            .into_iter()
            .filter(|link| link.attribute("rel") == Some("self"))
            .collect();
        self.holds(selves.len() == 1, || "needs one atom:link of rel self".into());
        for link in selves {
            let (href, kind) = (link.attribute("href"), link.attribute("type"));
            self.holds(href == Some(own.as_str()), || format!("atom:link says that the feed is at {href:?}"));
            self.holds(kind == Some("application/rss+xml"), || format!("atom:link has the type {kind:?}"));
        }
        let items = channel.all("item");
        self.holds(!items.is_empty(), || "has no items".into());
        let mut guids = std::collections::BTreeSet::new();
        for item in items {
            self.item(item);
            let guid = item.only("guid").unwrap_or_default();
            self.holds(guids.insert(guid), || format!("two items have the guid {guid}"));
        }
    }

    fn item(&mut self, item: &Element) {
        self.names(item, &OF_ITEM, &["dc:creator"]);
        let title = item.only("title").unwrap_or_default().to_owned();
        self.holds(!title.is_empty(), || "an item without a title".into());
        for name in ["title", "link", "description", "guid", "pubDate"] {
            self.holds(item.only(name).is_some(), || format!("{title}: needs exactly one {name}"));
        }
        for link in ["link", "guid"] {
            let address = item.only(link).unwrap_or_default();
            let leads = Url::parse(address).is_ok()
                && matches!(self.tree.follow(&self.tree.home, address), Target::File(_));
            self.holds(leads, || format!("{title}: {link} {address:?} leads to no page"));
        }
        let permanent =
            item.all("guid").iter().all(|guid| guid.attribute("isPermaLink").is_none_or(|it| it == "true"));
        self.holds(permanent, || format!("{title}: the guid is an address, but not said to be"));
        self.dates(item, "pubDate");
        let description = Html::parse_fragment(item.only("description").unwrap_or_default());
        for (place, address) in tags(&description).iter().flat_map(addresses) {
            // A reader shows this on a page of its own, where a relative address leads to nothing.
            let fault = match Url::parse(&address) {
                Err(why) => Some(why.to_string()),
                Ok(_) => match self.tree.follow(&self.tree.home, &address) {
                    Target::Nowhere(why) => Some(why),
                    _ => None,
                },
            };
            self.holds(fault.is_none(), || {
                format!("{title}: description: {place}={address:?}: {}", fault.unwrap_or_default())
            });
        }
    }

    /// An element that the specification doesn't know must come from a namespace.
    fn names(&mut self, of: &Element, known: &[&str], spaced: &[&str]) {
        for child in &of.children {
            let name = child.name.as_str();
            self.holds(known.contains(&name) || spaced.contains(&name), || format!("{name} in {}", of.name));
        }
    }

    /// Dates are RFC 822's, with four digits for the year, and the day of the week is the right one.
    fn dates(&mut self, of: &Element, name: &str) {
        for date in of.all(name) {
            let text = date.text.trim();
            let parsed = rfc2822::parse(text);
            self.holds(parsed.is_ok(), || format!("{name} {text:?}: {}", parsed.unwrap_err()));
        }
    }
}
