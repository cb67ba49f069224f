//! The ids of a body: what each part is called within the entry, and on the page.

use std::collections::HashMap;

use super::elements::{self, Kind};
use super::plain::decode;
use super::tidy::{Content, Node};

/// What the ids within an entry's body begin with, so that they can't be those of the page around it.
pub const ID_PREFIX: &str = "body-";
/// The longest id, in bytes, without the prefix.
const MAX_ID: usize = 100;

/// Ids by node, and by the name that the entry's own links use.
#[derive(Default)]
pub(super) struct Ids {
    pub(super) by_node: HashMap<usize, String>,
    pub(super) by_name: HashMap<String, String>,
}

impl Ids {
    /// The ids of the nodes whose tags are put out.
    pub(super) fn of(nodes: &[Node<'_>], filled: &[bool]) -> Self {
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
