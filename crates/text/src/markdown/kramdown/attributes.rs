//! Attribute lists: `{: .class #id key="value" name}`.

use std::collections::HashMap;
use std::rc::Rc;

use super::lines;

/// The maximum length of a list in bytes; it limits the search in an unclosed one.
const MAX_LENGTH: usize = 500;

/// The maximum number of attributes in a list, and under a name; real ones have five.
const MAX_ATTRIBUTES: usize = 50;

/// Names with their values, as written. Each use of a named list shares its attributes, so that it costs little.
pub(in crate::markdown) type Attributes = Vec<Rc<(String, String)>>;

/// The content of the braces at the start of `text`, and the text after them.
pub(super) fn braces(text: &str) -> Option<(&str, &str)> {
    let inner = text.strip_prefix("{:")?;
    let bytes = inner.as_bytes().get(..MAX_LENGTH).unwrap_or(inner.as_bytes());
    let mut escaped = false;
    let end = bytes.iter().position(|&byte| {
        let end = byte == b'}' && !escaped;
        escaped = byte == b'\\' && !escaped;
        end
    })?;
    (end > 0).then(|| (&inner[..end], &inner[end + 1..]))
}

/// The content of braces that fill the line.
fn block(line: &str) -> Option<&str> {
    let (inner, rest) = braces(lines::unindented(line)?)?;
    rest.trim().is_empty().then_some(inner)
}

/// The attributes for a neighboring block, from a line of their own.
pub(super) fn of_block(line: &str) -> Option<&str> {
    block(line).filter(|inner| !inner.starts_with([':', '/']) && definition(inner).is_none())
}

/// Whether a line gives attributes to a block or defines a named list, and so ends a paragraph.
pub(super) fn is_block(line: &str) -> bool {
    block(line).is_some_and(|inner| !inner.starts_with([':', '/']))
}

/// Whether a line defines a named attribute list.
pub(super) fn is_definition(line: &str) -> bool {
    block(line).and_then(definition).is_some()
}

/// The name in `{:name: …}`, and its attributes.
fn definition(inner: &str) -> Option<(&str, &str)> {
    let (name, list) = inner.split_once(':')?;
    is_name(name).then_some((name, list))
}

/// All named attribute lists in `text`.
pub(super) fn named(text: &str) -> HashMap<String, Attributes> {
    let mut named: HashMap<String, Attributes> = HashMap::new();
    if text.contains("{:") {
        for (name, list) in text.lines().filter_map(block).filter_map(definition) {
            let attributes = parse(list, &HashMap::new());
            extend(named.entry(name.to_owned()).or_default(), attributes);
        }
    }
    named
}

/// Adds attributes up to the limits on number and size.
fn extend(attributes: &mut Attributes, more: impl IntoIterator<Item = Rc<(String, String)>>) {
    let size = |attribute: &(String, String)| attribute.0.len() + attribute.1.len();
    let mut total: usize = attributes.iter().map(|attribute| size(attribute)).sum();
    for attribute in more {
        total += size(&attribute);
        if attributes.len() >= MAX_ATTRIBUTES || total > MAX_LENGTH {
            return;
        }
        attributes.push(attribute);
    }
}

/// The attributes in `list`, with named lists expanded.
pub(super) fn parse(list: &str, named: &HashMap<String, Attributes>) -> Attributes {
    let mut attributes = Attributes::new();
    let mut rest = list.trim();
    while !rest.is_empty() && attributes.len() < MAX_ATTRIBUTES {
        let pair = rest.split_once('=').filter(|(key, _)| is_name(key)).and_then(|(key, value)| {
            let quote = value.chars().next().filter(|c| matches!(c, '"' | '\''))?;
            let inner = &value[1..];
            let end = inner.find(quote)?;
            Some((key, &inner[..end], &inner[end + 1..]))
        });
        if let Some((key, value, after)) = pair {
            extend(&mut attributes, [Rc::new((key.to_ascii_lowercase(), value.to_owned()))]);
            rest = after.trim_start();
            continue;
        }
        let (word, after) = rest.split_once(|c: char| c.is_ascii_whitespace()).unwrap_or((rest, ""));
        rest = after.trim_start();
        if let Some(known) = named.get(word) {
            extend(&mut attributes, known.iter().cloned());
        }
        // `.a.b#c` is two classes and an id.
        let mut parts = word;
        while let Some(kind) = parts.chars().next().filter(|c| matches!(c, '.' | '#')) {
            let name = &parts[1..];
            let end = name.find(['.', '#']).unwrap_or(name.len());
            let key = if kind == '.' { "class" } else { "id" };
            extend(&mut attributes, [Rc::new((key.to_owned(), name[..end].to_owned()))]);
            parts = &name[end..];
        }
    }
    attributes
}

fn is_name(name: &str) -> bool {
    name.starts_with(|c: char| c.is_alphanumeric() || c == '_')
        && name.chars().all(|c| c.is_alphanumeric() || matches!(c, '_' | '-'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn attributes_of_every_kind() {
        let named = named("x\n{:wide: width=\"9\"}\n");
        let parsed = parse(" .a.b#c wide target='_blank' nothing .d", &named);
        let expected = [
            ("class", "a"),
            ("class", "b"),
            ("id", "c"),
            ("width", "9"),
            ("target", "_blank"),
            ("class", "d"),
        ];
        assert_eq!(parsed, expected.map(|(key, value)| Rc::new((key.to_owned(), value.to_owned()))));
    }

    #[test]
    fn lists_and_names_have_an_end() {
        let classes = format!("{{:x:{}}}\n", ".a".repeat(200));
        let titles = format!("{{:y: title=\"{}\"}}\n", "b".repeat(400));
        let named = named(&(classes + &titles).repeat(20));
        assert_eq!((named["x"].len(), named["y"].len()), (MAX_ATTRIBUTES, 1));
        for (list, expected) in [("x x x", MAX_ATTRIBUTES), ("y y y", 1), (&"#c".repeat(200), MAX_ATTRIBUTES)]
        {
            assert_eq!(parse(list, &named).len(), expected, "{list}");
        }
        assert!(Rc::ptr_eq(&parse("y", &named)[0], &named["y"][0]));
    }

    #[test]
    fn lines_that_are_attributes() {
        for (line, of_block, ends) in [
            ("{:.a}", true, true),
            ("   {: a=\"}\" }", false, false),
            ("{:.a} text", false, false),
            ("{:a: .b}", false, true),
            ("{::comment}", false, false),
            ("{:/}", false, false),
            ("{:}", false, false),
            ("    {:.a}", false, false),
        ] {
            assert_eq!((super::of_block(line).is_some(), is_block(line)), (of_block, ends), "{line}");
        }
    }
}
