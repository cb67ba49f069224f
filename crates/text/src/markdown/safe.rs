//! Removes everything from an entry's HTML that is not on an allow-list.

use std::borrow::Cow;
use std::collections::{HashMap, HashSet};
use std::sync::LazyLock;

use ammonia::{Builder, UrlRelative};

use super::{elements, ids, wide};

static CLEANER: LazyLock<Builder<'static>> = LazyLock::new(|| {
    let mut builder = Builder::empty();
    let attributes = elements::ATTRIBUTES.iter().map(|(name, keys)| (*name, keys.iter().copied().collect()));
    builder
        .tags(elements::names().collect())
        .tag_attributes(attributes.collect::<HashMap<_, HashSet<_>>>())
        .url_schemes(HashSet::from(["https", "http", "mailto"]))
        .url_relative(UrlRelative::PassThrough)
        .link_rel(None)
        .attribute_filter(|element, attribute, value| {
            let keep = match attribute {
                "class" => elements::is_class(element, value),
                "type" if element == "input" => value == "checkbox",
                "id" => ids::is_of_body(value),
                "aria-label" | "role" | "tabindex" => wide::is_attribute(attribute, value),
                _ => true,
            };
            keep.then_some(Cow::Borrowed(value))
        });
    builder
});

/// `html` reduced to allowed elements and attributes.
pub(super) fn clean(html: &str) -> String {
    CLEANER.clean(html).to_string()
}
