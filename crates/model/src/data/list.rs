//! `notices.yaml` and `blocklist.yaml`: messages to the users of plugins, and versions to refuse.

use serde_json::{Map, Value};
use url::Url;

use super::Read;
use crate::config::Limits;
use crate::entry::is_near;
use crate::rule::Rule;
use crate::yaml::{Field, Meaning, Node, Reader, Timestamp, quote};

/// The keys of a notice.
const OF_NOTICES: [&str; 9] = [
    "plugin",
    "versions",
    "pluginversions",
    "octoversions",
    "pythonversions",
    "date",
    "text",
    "link",
    "important",
];

/// The keys of a blocklist item.
const OF_BLOCKS: [&str; 6] =
    ["plugin", "reason", "versions", "pluginversions", "octoversions", "pythonversions"];

/// One item of `notices.yaml`.
#[derive(Debug, Clone, PartialEq)]
pub struct Notice {
    /// The plugin's id, as written in the file.
    pub plugin: String,
    /// The affected versions of the plugin; empty means all.
    pub versions: Vec<String>,
    /// The affected versions of the plugin, as specifiers.
    pub plugin_versions: Vec<String>,
    /// The affected versions of OctoPrint, as specifiers; empty means all.
    pub octoprint_versions: Vec<String>,
    /// The date of the notice.
    pub date: Timestamp,
    /// The message, as plain text.
    pub text: String,
    /// A URL with more information.
    pub link: Option<String>,
    /// Whether the notice is marked as important.
    pub important: bool,
    /// The item as published: all keys in file order, known ones with the values that were read, `date` in UTC.
    pub published: Map<String, Value>,
}

/// One item of `blocklist.yaml`.
#[derive(Debug, Clone, PartialEq)]
pub struct Block {
    /// The plugin's id, as written in the file.
    pub plugin: String,
    /// The refused versions of the plugin; empty means all.
    pub versions: Vec<String>,
    /// The refused versions of the plugin, as specifiers.
    pub plugin_versions: Vec<String>,
    /// The versions of OctoPrint that refuse it, as specifiers; empty means all.
    pub octoprint_versions: Vec<String>,
    /// The reason, in Markdown.
    pub reason: Option<String>,
    /// The item as published: all keys in file order, known ones with the values that were read.
    pub published: Map<String, Value>,
}

/// Reads `notices.yaml`; an empty file is an empty list.
///
/// # Errors
/// As [`super::Read`].
pub fn notices(path: &str, bytes: &[u8], limits: &Limits) -> Read<Vec<Notice>> {
    items(path, bytes, limits, |mut item| {
        let plugin = item.required("plugin");
        let text = item.required("text");
        let date = item.date();
        let link = item.link();
        let important = item.boolean("important");
        let versions = item.versions();
        item.unknown_keys(&OF_NOTICES);
        let [versions, plugin_versions, octoprint_versions] = versions?;
        Some(Notice {
            plugin: plugin?,
            versions,
            plugin_versions,
            octoprint_versions,
            date: date?,
            text: text?,
            link,
            important,
            published: item.published,
        })
    })
}

/// Reads `blocklist.yaml`, or `blacklist.yaml`, its former name; an empty file is an empty list.
///
/// # Errors
/// As [`super::Read`].
pub fn blocklist(path: &str, bytes: &[u8], limits: &Limits) -> Read<Vec<Block>> {
    items(path, bytes, limits, |mut item| {
        let plugin = item.required("plugin");
        let reason = item.text("reason");
        let versions = item.versions();
        item.unknown_keys(&OF_BLOCKS);
        let [versions, plugin_versions, octoprint_versions] = versions?;
        let published = item.published;
        Some(Block { plugin: plugin?, versions, plugin_versions, octoprint_versions, reason, published })
    })
}

fn items<T>(
    path: &str,
    bytes: &[u8],
    limits: &Limits,
    mut read: impl FnMut(Item<'_, '_>) -> Option<T>,
) -> Read<Vec<T>> {
    let (text, tree) = super::read(path, bytes, limits)?;
    let mut reader = Reader::new(&text, &tree);
    let mut found = Vec::new();
    if let Some(root) = tree.root() {
        match root.items() {
            None => {
                let message = format!("the file must contain a list, found {}", root.describe());
                reader.refuse(text.problem(root.span(), message).help("begin each item with `- plugin: …`"));
            }
            Some(nodes) => {
                for node in nodes {
                    if node.fields().is_some() {
                        found.extend(read(Item::new(&mut reader, node)));
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

/// An item of a list. Reading a value also replaces the published value with the one that was read, so that warnings
/// apply to both.
struct Item<'r, 't> {
    reader: &'r mut Reader<'t>,
    node: Node<'t>,
    published: Map<String, Value>,
}

impl<'r, 't> Item<'r, 't> {
    fn new(reader: &'r mut Reader<'t>, node: Node<'t>) -> Self {
        let fields = node.fields().into_iter().flatten();
        let published = fields.map(|field| (field.key.to_owned(), field.value.to_json())).collect();
        Self { reader, node, published }
    }

    fn publish(&mut self, key: &str, value: Option<Value>) {
        match (value, self.published.get_mut(key)) {
            (Some(value), Some(published)) => *published = value,
            _ => {
                self.published.shift_remove(key);
            }
        }
    }

    fn present(&self, key: &str) -> Option<Field<'t>> {
        self.node.field(key).filter(|field| !field.value.is_null())
    }

    fn text(&mut self, key: &str) -> Option<String> {
        let field = self.present(key)?;
        let text = self.reader.text_in(Some(field));
        let blank = || field.value.scalar().map(|scalar| scalar.text.clone());
        self.publish(key, text.clone().or_else(blank).map(Value::String));
        text
    }

    fn required(&mut self, key: &str) -> Option<String> {
        let found = self.text(key);
        if found.is_none() {
            let message = format!("this item has no `{key}`; it is left out");
            self.reader.warn(Rule::DataItem, self.node.span(), message, &format!("add a line `{key}: …`"));
        }
        found
    }

    fn boolean(&mut self, key: &str) -> bool {
        let Some(field) = self.present(key) else { return false };
        let value = self.reader.boolean(Some(field));
        self.publish(key, Some(value.into()));
        value
    }

    fn date(&mut self) -> Option<Timestamp> {
        let written = self.required("date")?;
        if let Meaning::Time(time) = Meaning::of(written.trim()) {
            self.publish("date", Some(time.published().into()));
            return Some(time);
        }
        let message = format!(
            "bad `date` {}: expected a time of the form YYYY-MM-DD hh:mm:ss, with `Z` or an offset such as `+02:00` \
             after it; the item is left out",
            quote(&written)
        );
        let span = self.node.field("date")?.value.span();
        self.reader.warn(Rule::DataItem, span, message, "write it like `2020-08-03 10:30:00Z`");
        None
    }

    fn link(&mut self) -> Option<String> {
        let field = self.node.field("link")?;
        let link = self.text("link");
        let is_web =
            |link: &String| Url::parse(link).is_ok_and(|url| matches!(url.scheme(), "https" | "http"));
        if link.as_ref().is_some_and(is_web) {
            return link;
        }
        // Every OctoPrint would make it a link.
        self.publish("link", None);
        let message = format!(
            "bad `link` {}: expected a URL that begins with `https://` or `http://`; it is left out",
            quote(&link?)
        );
        self.reader.warn(Rule::BadAddress, field.value.span(), message, "correct the URL");
        None
    }

    /// The versions of the plugin, the same as specifiers, and those of OctoPrint. `None` if one of these lists is
    /// invalid: without it, the item would apply to every version, or to none.
    fn versions(&mut self) -> Option<[Vec<String>; 3]> {
        // Pages don't show the Python versions.
        let [versions, plugin, octoprint, python] =
            ["versions", "pluginversions", "octoversions", "pythonversions"].map(|key| self.versions_in(key));
        python.and(Some([versions?, plugin?, octoprint?]))
    }

    /// The versions in a list, as text, so that `1.10` does not become `1.1`.
    fn versions_in(&mut self, key: &str) -> Option<Vec<String>> {
        let Some(field) = self.present(key) else {
            // OctoPrint expects a list here, and drops the whole file if it finds anything else.
            self.publish(key, None);
            return Some(Vec::new());
        };
        const HELP: &str = "write `[1.0.0, 1.0.1]`, or remove the key if the item applies to every version";
        if field.value.fields().is_some() {
            let found = field.value.describe();
            let message = format!("`{key}` must be a list of versions, found {found}; the item is left out");
            self.reader.warn(Rule::DataItem, field.value.span(), message, HELP);
            return None;
        }
        let mut versions = Vec::new();
        for node in self.reader.list(Some(field), false) {
            match node.scalar() {
                Some(scalar) if !scalar.text.trim().is_empty() => versions.push(scalar.text.clone()),
                _ => {
                    let found = node.describe();
                    let message =
                        format!("each item of `{key}` must be a version, found {found}; it is left out");
                    self.reader.warn(Rule::BadType, node.span(), message, "write it as text");
                }
            }
        }
        if versions.is_empty() {
            let message = format!("`{key}` contains no versions; the item is left out");
            self.reader.warn(Rule::DataItem, field.value.span(), message, HELP);
            return None;
        }
        self.publish(key, Some(versions.clone().into()));
        Some(versions)
    }

    /// Warns about keys that look like misspellings of a known key that is missing. Other unknown keys are published as
    /// they are, for other programs.
    fn unknown_keys(&mut self, known: &[&str]) {
        let fields = self.node.fields().into_iter().flatten();
        for field in fields.filter(|field| !known.contains(&field.key)) {
            let is_meant = |known: &str| is_near(field.key, known) && self.node.field(known).is_none();
            let Some(near) = known.iter().find(|known| is_meant(known)) else { continue };
            let message = format!("unknown key {}: did you mean `{near}`?", quote(field.key));
            self.reader.warn(
                Rule::UnknownKey,
                field.key_span.clone(),
                message,
                "correct the key, or remove it",
            );
        }
    }
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
    use crate::warning::Warning;
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
        assert_eq!(problems[0].to_string(), "n.yaml:1:1: the file must contain a list, found a mapping");
        let file = b"- x\n- plugin: p\n  date: soon\n  text: t\n- plugin: p\n  date: 2020-02-03 10:30:00 +0200\n  text: t\n  link: javascript:x\n- date: 2020-02-03\n";
        let (found, warnings) = notices("n.yaml", file).unwrap();
        let [found] = found.try_into().unwrap();
        assert_eq!(found.published["date"], "2020-02-03 08:30:00 +0000");
        assert!(!found.published.contains_key("link"));
        let starts = [
            "n.yaml:1:3: each item must be a mapping, found the text `x`; it is left out",
            "n.yaml:3:9: bad `date` `soon`: expected a time of the form YYYY-MM-DD hh:mm:ss, with `Z` or an offset",
            "n.yaml:8:9: bad `link` `javascript:x`: expected a URL that begins with `https://` or `http://`",
            "n.yaml:9:3: this item has no `plugin`",
            "n.yaml:9:3: this item has no `text`",
        ];
        assert_eq!(warnings.len(), starts.len(), "{warnings:?}");
        for (warning, start) in warnings.iter().zip(starts) {
            assert!(warning.to_string().starts_with(start), "{warning}");
        }
    }

    #[test]
    fn what_is_published_is_what_was_read() {
        let file =
            b"- plugin: [a]\n  text: {a: b}\n  date: 2020-02-03\n  important: 'yes'\n  link:\n  other: [1]\n\
                     - plugin: 5\n  text: [a, b]\n  date: 2020-02-03\n  versions: [1.10, {a: b}]\n";
        let (notices, warnings) = notices("n.yaml", file).unwrap();
        let published: Vec<Value> = notices.iter().map(|notice| notice.published.clone().into()).collect();
        let date = "2020-02-03 00:00:00 +0000";
        let expected = json!([
            {"plugin": "a", "text": "a: b", "date": date, "important": true, "other": [1]},
            {"plugin": "5", "text": "a, b", "date": date, "versions": ["1.10"]},
        ]);
        assert_eq!(Value::from(published), expected);
        assert_eq!(warnings.len(), 5, "{warnings:?}");
        let file =
            b"- plugin: {x: y}\n  reason: [a, b]\n- plugin: p\n  reason: [[a]]\n- plugin: q\n  reason: ''\n";
        let (blocks, warnings) = blocklist("b.yaml", file).unwrap();
        let published: Vec<Value> = blocks.iter().map(|block| block.published.clone().into()).collect();
        let expected = json!([
            {"plugin": "x: y", "reason": "a, b"}, {"plugin": "p"}, {"plugin": "q", "reason": ""},
        ]);
        assert_eq!(Value::from(published), expected);
        assert_eq!(warnings.len(), 3, "{warnings:?}");
    }

    #[test]
    fn a_block_of_versions_that_can_not_be_read_blocks_neither_all_nor_none() {
        for (versions, expected) in [
            ("versions: {a: b}", "b.yaml:2:13: `versions` must be a list of versions, found a mapping"),
            ("versions: []", "b.yaml:2:13: `versions` contains no versions"),
            ("versions: ''", "b.yaml:2:13: `versions` contains no versions"),
            ("octoversions: [{a: b}]", "b.yaml:2:17: `octoversions` contains no versions"),
            ("pythonversions: [~]", "b.yaml:2:19: `pythonversions` contains no versions"),
            ("pluginversions: [[1.0]]", "b.yaml:2:19: `pluginversions` contains no versions"),
        ] {
            let file = format!("- plugin: a\n  {versions}\n");
            let (blocks, warnings) = blocklist("b.yaml", file.as_bytes()).unwrap();
            assert_eq!(blocks, [], "{versions}");
            let told = warnings.iter().filter(|warning| warning.rule == Rule::DataItem);
            let told: Vec<String> = told.map(ToString::to_string).collect();
            assert!(told.len() == 1 && told[0].starts_with(expected), "{versions}: {warnings:?}");
        }
    }

    #[test]
    fn a_key_that_is_nearly_a_known_one_is_told() {
        let told = |warnings: Vec<Warning>| warnings.iter().map(ToString::to_string).collect::<Vec<_>>();
        let file = b"- plugin: a\n  version: [1.0]\n  reson: x\n  level: 3\n  reasons: y\n  reason: z\n- plugin: b\n  reson: x\n";
        let expected = [
            "b.yaml:2:3: unknown key `version`: did you mean `versions`?",
            "b.yaml:8:3: unknown key `reson`: did you mean `reason`?",
        ];
        assert_eq!(told(blocklist("b.yaml", file).unwrap().1), expected);
        let file = b"- plugin: a\n  text: t\n  date: 2020-02-03\n  imporant: true\n";
        let expected = ["n.yaml:4:3: unknown key `imporant`: did you mean `important`?"];
        assert_eq!(told(notices("n.yaml", file).unwrap().1), expected);
    }
}
