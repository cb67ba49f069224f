//! `notices.yaml` and `blocklist.yaml`: what to tell the users of a plugin, and which versions to refuse.

use serde_json::{Map, Value};
use url::Url;

use super::Read;
use crate::config::Limits;
use crate::rule::Rule;
use crate::yaml::{Field, Meaning, Node, Reader, Timestamp, quote};

/// The keys whose items are versions: they stay text as written, so that `1.10` does not become `1.1`.
const VERSIONS: [&str; 3] = ["versions", "pluginversions", "octoversions"];

/// The keys whose items are read as text, so that they are published as text: those, and one that pages don't show.
const TEXTS: [&str; 4] = ["versions", "pluginversions", "octoversions", "pythonversions"];

/// One item of `notices.yaml`.
#[derive(Debug, Clone, PartialEq)]
pub struct Notice {
    /// The plugin's id, as the file has it.
    pub plugin: String,
    /// Versions of the plugin that it is about; none means all.
    pub versions: Vec<String>,
    /// Versions of the plugin that it is about, as specifiers.
    pub plugin_versions: Vec<String>,
    /// Versions of OctoPrint that it is about, as specifiers; none means all.
    pub octoprint_versions: Vec<String>,
    /// When it was written.
    pub date: Timestamp,
    /// Plain text.
    pub text: String,
    /// Where to read more.
    pub link: Option<String>,
    /// Whether it is more than a remark.
    pub important: bool,
    /// The item as it is published: all its keys in the order of the file, `date` in UTC.
    pub published: Map<String, Value>,
}

/// One item of `blocklist.yaml`.
#[derive(Debug, Clone, PartialEq)]
pub struct Block {
    /// The plugin's id, as the file has it.
    pub plugin: String,
    /// Versions of the plugin that are refused; none means all.
    pub versions: Vec<String>,
    /// Versions of the plugin that are refused, as specifiers.
    pub plugin_versions: Vec<String>,
    /// Versions of OctoPrint that refuse it, as specifiers; none means all.
    pub octoprint_versions: Vec<String>,
    /// Why, in Markdown.
    pub reason: Option<String>,
    /// The item as it is published: all its keys in the order of the file.
    pub published: Map<String, Value>,
}

/// Reads `notices.yaml`; an empty file is an empty list.
///
/// # Errors
/// As [`super::Read`].
pub fn notices(path: &str, bytes: &[u8], limits: &Limits) -> Read<Vec<Notice>> {
    items(path, bytes, limits, |reader, item| {
        let plugin = required(reader, item, "plugin");
        let text = required(reader, item, "text");
        let date = date(reader, item);
        let link = link(reader, item);
        let important = reader.boolean(item.field("important"));
        let [versions, plugin_versions, octoprint_versions] =
            VERSIONS.map(|key| versions(reader, item.field(key)));
        let mut published = published(item);
        if let (Some(date), Some(shown)) = (date, published.get_mut("date")) {
            *shown = Value::String(date.published());
        }
        if link.is_none() {
            // Every OctoPrint makes a link of it.
            published.shift_remove("link");
        }
        Some(Notice {
            plugin: plugin?,
            versions,
            plugin_versions,
            octoprint_versions,
            date: date?,
            text: text?,
            link,
            important,
            published,
        })
    })
}

/// Reads `blocklist.yaml`, or `blacklist.yaml` as it was called before; an empty file is an empty list.
///
/// # Errors
/// As [`super::Read`].
pub fn blocklist(path: &str, bytes: &[u8], limits: &Limits) -> Read<Vec<Block>> {
    items(path, bytes, limits, |reader, item| {
        let plugin = required(reader, item, "plugin");
        let reason = reader.text_in(item.field("reason"));
        let [versions, plugin_versions, octoprint_versions] =
            VERSIONS.map(|key| versions(reader, item.field(key)));
        let published = published(item);
        Some(Block { plugin: plugin?, versions, plugin_versions, octoprint_versions, reason, published })
    })
}

fn items<T>(
    path: &str,
    bytes: &[u8],
    limits: &Limits,
    mut item: impl for<'t> FnMut(&mut Reader<'t>, Node<'t>) -> Option<T>,
) -> Read<Vec<T>> {
    let (text, tree) = super::read(path, bytes, limits)?;
    let mut reader = Reader::new(&text, &tree);
    let mut found = Vec::new();
    if let Some(root) = tree.root() {
        match root.items() {
            None => {
                let message = format!("the file must hold a list, found {}", root.describe());
                reader.refuse(text.problem(root.span(), message).help("begin each item with `- plugin: …`"));
            }
            Some(nodes) => {
                for node in nodes {
                    if node.fields().is_some() {
                        found.extend(item(&mut reader, node));
                    } else {
                        let message =
                            format!("each item must be a mapping, found {}; it is left out", node.describe());
                        let help = "begin each item with `- plugin: …`";
                        reader.warn(Rule::DataItem, node.span(), message, help);
                    }
                }
            }
        }
    }
    reader.finish(Some(found))
}

fn required<'t>(reader: &mut Reader<'t>, item: Node<'t>, key: &str) -> Option<String> {
    let found = reader.text_in(item.field(key));
    if found.is_none() {
        let message = format!("this item has no `{key}`; it is left out");
        reader.warn(Rule::DataItem, item.span(), message, &format!("add a line `{key}: …`"));
    }
    found
}

fn date<'t>(reader: &mut Reader<'t>, item: Node<'t>) -> Option<Timestamp> {
    let written = required(reader, item, "date")?;
    if let Meaning::Time(time) = Meaning::of(written.trim()) {
        return Some(time);
    }
    let message = format!(
        "bad `date` {}: expected a time in UTC of the form YYYY-MM-DD hh:mm:ssZ; the item is left out",
        quote(&written)
    );
    let span = item.field("date")?.value.span();
    reader.warn(Rule::DataItem, span, message, "write it such as `2020-08-03 10:30:00Z`");
    None
}

fn link<'t>(reader: &mut Reader<'t>, item: Node<'t>) -> Option<String> {
    let field = item.field("link")?;
    let link = reader.text_in(Some(field))?;
    if Url::parse(&link).is_ok_and(|url| matches!(url.scheme(), "https" | "http")) {
        return Some(link);
    }
    let message = format!(
        "bad `link` {}: expected a URL that begins with `https://` or `http://`; it is left out",
        quote(&link)
    );
    reader.warn(Rule::BadAddress, field.value.span(), message, "");
    None
}

fn versions<'t>(reader: &mut Reader<'t>, field: Option<Field<'t>>) -> Vec<String> {
    reader.texts(field, false).into_iter().map(|(text, _)| text).collect()
}

fn published(item: Node<'_>) -> Map<String, Value> {
    // OctoPrint takes such a key for a list, and drops the whole file where it is none.
    let is_given = |field: &Field<'_>| !(TEXTS.contains(&field.key) && field.value.is_null());
    let fields = item.fields().into_iter().flatten().filter(is_given);
    fields.map(|field| (field.key.to_owned(), published_value(field))).collect()
}

fn published_value(field: Field<'_>) -> Value {
    if !TEXTS.contains(&field.key) {
        return field.value.to_json();
    }
    let items: Vec<Node<'_>> = field.value.items().map_or_else(|| vec![field.value], Iterator::collect);
    let texts = items.into_iter().filter(|item| !item.is_null()).filter_map(Node::scalar);
    texts.map(|item| Value::String(item.text.clone())).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn notices(path: &str, bytes: &[u8]) -> Read<Vec<Notice>> {
        super::notices(path, bytes, &Limits::default())
    }

    fn blocklist(path: &str, bytes: &[u8]) -> Read<Vec<Block>> {
        super::blocklist(path, bytes, &Limits::default())
    }
    use serde_json::json;

    const NOTICES: &str = "\
# a comment
- plugin: some_plugin
  versions: [0.1.0, 1.10]
  octoversions:
  - '>=1.2.9,<1.3.0'
  date: 2017-05-16 10:30:00Z
  text: Please
    update.
  link: https://a.example/
  important: yes
  level: 3
";

    #[test]
    fn a_notice_is_published_as_written() {
        let [notice] = notices("n.yaml", NOTICES.as_bytes()).unwrap().0.try_into().unwrap();
        assert_eq!(notice.versions, ["0.1.0", "1.10"]);
        assert!(notice.important);
        assert_eq!(notice.text, "Please update.");
        assert_eq!(
            serde_json::to_string(&notice.published).unwrap(),
            json!({
                "plugin": "some_plugin",
                "versions": ["0.1.0", "1.10"],
                "octoversions": [">=1.2.9,<1.3.0"],
                "date": "2017-05-16 10:30:00 +0000",
                "text": "Please update.",
                "link": "https://a.example/",
                "important": true,
                "level": 3,
            })
            .to_string()
        );
    }

    #[test]
    fn a_block_keeps_its_reason() {
        let [block] = blocklist("b.yaml", b"- plugin: p\n  reason: \"[x](y)\"\n  versions:\n  - 0.7.0")
            .unwrap()
            .0
            .try_into()
            .unwrap();
        assert_eq!(block.reason.as_deref(), Some("[x](y)"));
        assert_eq!(
            block.published,
            *json!({"plugin": "p", "reason": "[x](y)", "versions": ["0.7.0"]}).as_object().unwrap()
        );
    }

    #[test]
    fn octoprint_gets_lists_of_texts_or_nothing() {
        let written =
            b"- plugin: p\n  versions:\n  octoversions: 1.10\n  pythonversions: [3.10, ~]\n  reason:\n";
        let [block] = blocklist("b.yaml", written).unwrap().0.try_into().unwrap();
        let expected =
            json!({"plugin": "p", "octoversions": ["1.10"], "pythonversions": ["3.10"], "reason": null});
        assert_eq!(block.published, *expected.as_object().unwrap());
        assert_eq!(block.versions, Vec::<String>::new());
    }

    #[test]
    fn comments_are_an_empty_list() {
        assert_eq!(notices("n.yaml", b"# nothing\n"), Ok((vec![], vec![])));
        assert_eq!(blocklist("b.yaml", b""), Ok((vec![], vec![])));
    }

    #[test]
    fn items_that_cannot_be_read_are_left_out() {
        let problems = notices("n.yaml", b"a: b").unwrap_err();
        assert_eq!(problems[0].to_string(), "n.yaml:1:1: the file must hold a list, found a mapping");
        let file = b"- x\n- plugin: p\n  date: soon\n  text: t\n- plugin: p\n  date: 2020-02-03 10:30:00 +0200\n  text: t\n  link: javascript:x\n- date: 2020-02-03\n";
        let (found, warnings) = notices("n.yaml", file).unwrap();
        let [found] = found.try_into().unwrap();
        assert_eq!(found.published["date"], "2020-02-03 08:30:00 +0000");
        assert!(!found.published.contains_key("link"));
        let starts = [
            "n.yaml:1:3: each item must be a mapping, found the text `x`; it is left out",
            "n.yaml:3:9: bad `date` `soon`: expected a time in UTC of the form YYYY-MM-DD hh:mm:ssZ",
            "n.yaml:8:9: bad `link` `javascript:x`: expected a URL that begins with `https://` or `http://`",
            "n.yaml:9:3: this item has no `plugin`",
            "n.yaml:9:3: this item has no `text`",
        ];
        assert_eq!(warnings.len(), starts.len(), "{warnings:?}");
        for (warning, start) in warnings.iter().zip(starts) {
            assert!(warning.to_string().starts_with(start), "{warning}");
        }
    }
}
