//! `notices.yaml` and `blacklist.yaml`: what to tell the users of a plugin, and which versions to refuse.

use serde_json::{Map, Value};
use url::Url;

use crate::config::Limits;
use crate::problem::Problem;
use crate::yaml::{Field, Meaning, Node, Reader, Timestamp, quote};

/// The keys whose items are versions: they stay text as written, so that `1.10` does not become `1.1`.
const VERSIONS: [&str; 3] = ["versions", "pluginversions", "octoversions"];

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

/// One item of `blacklist.yaml`.
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
/// Everything that is wrong with the file, in its order.
pub fn notices(path: &str, bytes: &[u8], limits: &Limits) -> Result<Vec<Notice>, Vec<Problem>> {
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

/// Reads `blacklist.yaml`; an empty file is an empty list.
///
/// # Errors
/// Everything that is wrong with the file, in its order.
pub fn blacklist(path: &str, bytes: &[u8], limits: &Limits) -> Result<Vec<Block>, Vec<Problem>> {
    items(path, bytes, limits, |reader, item| {
        let plugin = required(reader, item, "plugin");
        let reason = reader.optional(item.field("reason")).map(str::to_owned);
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
) -> Result<Vec<T>, Vec<Problem>> {
    let (text, tree) = super::read(path, bytes, limits)?;
    let mut reader = Reader::new(&text);
    let mut found = Vec::new();
    if let Some(root) = tree.root() {
        match root.items() {
            None => {
                let message = format!("the file must hold a list, found {}", root.describe());
                reader.wrong(root.span(), message, "begin each item with `- plugin: …`");
            }
            Some(nodes) => {
                for node in nodes {
                    if node.fields().is_some() {
                        found.extend(item(&mut reader, node));
                    } else {
                        let message = format!("each item must be a mapping, found {}", node.describe());
                        reader.wrong(node.span(), message, "begin each item with `- plugin: …`");
                    }
                }
            }
        }
    }
    reader.finish(Some(found))
}

fn required<'t>(reader: &mut Reader<'t>, item: Node<'t>, key: &str) -> Option<String> {
    match item.field(key) {
        Some(field) => reader.required(field).map(str::to_owned),
        None => {
            let message = format!("this item has no `{key}`");
            reader.wrong(item.span(), message, &format!("add a line `{key}: …`"));
            None
        }
    }
}

fn date<'t>(reader: &mut Reader<'t>, item: Node<'t>) -> Option<Timestamp> {
    let written = required(reader, item, "date")?;
    if let Meaning::Time(time) = Meaning::of(written.trim()) {
        return Some(time);
    }
    let message =
        format!("bad `date` {}: expected a time in UTC of the form YYYY-MM-DD hh:mm:ssZ", quote(&written));
    reader.wrong(item.field("date")?.value.span(), message, "such as `2020-08-03 10:30:00Z`");
    None
}

fn link<'t>(reader: &mut Reader<'t>, item: Node<'t>) -> Option<String> {
    let field = item.field("link")?;
    let link = reader.optional(Some(field))?;
    if !Url::parse(link).is_ok_and(|url| matches!(url.scheme(), "https" | "http")) {
        let message =
            format!("bad `link` {}: expected a URL that begins with `https://` or `http://`", quote(link));
        reader.wrong(field.value.span(), message, "");
    }
    Some(link.to_owned())
}

fn versions<'t>(reader: &mut Reader<'t>, field: Option<Field<'t>>) -> Vec<String> {
    reader.texts(field, false).into_iter().map(|(text, _)| text.to_owned()).collect()
}

fn published(item: Node<'_>) -> Map<String, Value> {
    let fields = item.fields().into_iter().flatten();
    fields.map(|field| (field.key.to_owned(), published_value(field))).collect()
}

fn published_value(field: Field<'_>) -> Value {
    match field.value.items() {
        Some(items) if VERSIONS.contains(&field.key) => items
            .filter(|item| !item.is_null())
            .filter_map(Node::scalar)
            .map(|item| Value::String(item.text.clone()))
            .collect(),
        _ => field.value.to_json(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn notices(path: &str, bytes: &[u8]) -> Result<Vec<Notice>, Vec<Problem>> {
        super::notices(path, bytes, &Limits::default())
    }

    fn blacklist(path: &str, bytes: &[u8]) -> Result<Vec<Block>, Vec<Problem>> {
        super::blacklist(path, bytes, &Limits::default())
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
        let [notice] = notices("n.yaml", NOTICES.as_bytes()).unwrap().try_into().unwrap();
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
        let [block] = blacklist("b.yaml", b"- plugin: p\n  reason: \"[x](y)\"\n  versions:\n  - 0.7.0")
            .unwrap()
            .try_into()
            .unwrap();
        assert_eq!(block.reason.as_deref(), Some("[x](y)"));
        assert_eq!(
            block.published,
            *json!({"plugin": "p", "reason": "[x](y)", "versions": ["0.7.0"]}).as_object().unwrap()
        );
    }

    #[test]
    fn comments_are_an_empty_list() {
        assert_eq!(notices("n.yaml", b"# nothing\n"), Ok(vec![]));
        assert_eq!(blacklist("b.yaml", b""), Ok(vec![]));
    }

    #[test]
    fn problems_point_at_the_item() {
        let shown = |result: Result<Vec<Notice>, Vec<Problem>>| -> Vec<String> {
            result.unwrap_err().iter().map(ToString::to_string).collect()
        };
        assert_eq!(
            shown(notices("n.yaml", b"a: b")),
            ["n.yaml:1:1: the file must hold a list, found a mapping"]
        );
        assert_eq!(
            shown(notices("n.yaml", b"- x\n- plugin: p\n  date: soon\n  link: javascript:x\n")),
            [
                "n.yaml:1:3: each item must be a mapping, found the text `x`",
                "n.yaml:2:3: this item has no `text`",
                "n.yaml:3:9: bad `date` `soon`: expected a time in UTC of the form YYYY-MM-DD hh:mm:ssZ",
                "n.yaml:4:9: bad `link` `javascript:x`: expected a URL that begins with `https://` or `http://`",
            ]
        );
    }
}
