//! Text as YAML, quoted if any reader could take it for something other than text.

use crate::yaml::Meaning;

/// `text` as a YAML value after `key: `, on one line. Readers of YAML 1.1 and 1.2 read it back unchanged.
pub fn scalar(text: &str) -> String {
    write(text, is_plain(text))
}

/// `text` as an item of a list or mapping in flow style.
pub fn scalar_in_list(text: &str) -> String {
    // Readers disagree about punctuation before a comma or bracket.
    let ends_well = text.ends_with(|c: char| !c.is_ascii_punctuation() || ").".contains(c));
    write(text, is_plain(text) && ends_well && !text.contains([',', '[', ']', '{', '}']))
}

fn write(text: &str, plain: bool) -> String {
    if plain {
        return text.to_owned();
    }
    let escaped: String = text.chars().map(escape).collect();
    let is_escaped = escaped != text;
    // Single quotes need no escapes except for themselves, which keeps text with quotes and backslashes readable.
    if is_escaped && text.chars().all(is_printable) {
        return format!("'{}'", text.replace('\'', "''"));
    }
    format!("\"{escaped}\"")
}

/// Whether a text needs no quotes: it fits the plain style (<https://yaml.org/spec/1.2.2/#733-plain-style>), and has no
/// other meaning in either version.
fn is_plain(text: &str) -> bool {
    let begins_well = text.starts_with(|c: char| !c.is_whitespace() && !"-?:,[]{}#&*!|>'\"%@`<=".contains(c));
    let is_text = Meaning::of(text) == Meaning::Text && !means_more(text);
    begins_well
        && is_text
        && text.chars().all(is_printable)
        && !text.ends_with(|c: char| c.is_whitespace() || c == ':')
        && !text.contains(": ")
        && !text.contains(" #")
        && !text.contains('\t')
}

/// Whether some reader takes the text for something else: `y` and `n` are booleans in YAML 1.1, and YAML 1.2 has
/// numbers such as `0o17` and `1e3`.
fn means_more(text: &str) -> bool {
    matches!(text, "y" | "Y" | "n" | "N")
        || text.starts_with("0o")
        || text.starts_with("...")
        || text.parse::<f64>().is_ok()
}

/// Whether a character is allowed and visible in a value on one line.
fn is_printable(c: char) -> bool {
    !c.is_control() && !matches!(c, '\u{2028}' | '\u{2029}' | '\u{FEFF}' | '\u{FFFE}' | '\u{FFFF}')
}

/// A character in double quotes (<https://yaml.org/spec/1.2.2/#57-escaped-characters>).
fn escape(c: char) -> String {
    match c {
        '"' => "\\\"".to_owned(),
        '\\' => "\\\\".to_owned(),
        '\n' => "\\n".to_owned(),
        '\t' => "\\t".to_owned(),
        '\r' => "\\r".to_owned(),
        c if is_printable(c) => c.to_string(),
        c if u32::from(c) <= 0xFF => format!("\\x{:02X}", u32::from(c)),
        c if u32::from(c) <= 0xFFFF => format!("\\u{:04X}", u32::from(c)),
        c => format!("\\U{:08X}", u32::from(c)),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::config::Limits;
    use crate::yaml::{Text, Tree};

    fn read(yaml: &str) -> Option<String> {
        let text = Text::read("a", yaml.as_bytes()).ok()?;
        let tree = Tree::read(&text, 0..text.as_str().len(), Limits::default().yaml).ok()?;
        let value = tree.root()?.field("key")?.value;
        let scalar = value.scalar().or_else(|| value.items()?.next()?.scalar())?;
        (scalar.meaning() == Meaning::Text).then(|| scalar.text.clone())
    }

    #[test]
    fn quotes_are_only_put_where_they_are_needed() {
        for plain in ["MIT", "https://a.example/x#y", "What's up: nothing", "a, b", "1.4.0", "C#", "ä"] {
            let expected = if plain.contains(": ") { format!("\"{plain}\"") } else { plain.to_owned() };
            assert_eq!(scalar(plain), expected);
        }
        for (text, expected) in [
            (">=3.7,<4", "\">=3.7,<4\""),
            ("yes", "\"yes\""),
            ("y", "\"y\""),
            ("1.4", "\"1.4\""),
            ("1e3", "\"1e3\""),
            ("2020-02-03", "\"2020-02-03\""),
            ("", "\"\""),
            ("a #b", "\"a #b\""),
            ("say \"no\": it's", "'say \"no\": it''s'"),
            ("a\nb", "\"a\\nb\""),
            ("...", "\"...\""),
            (" a", "\" a\""),
        ] {
            assert_eq!(scalar(text), expected);
        }
        assert_eq!(scalar_in_list("a, b"), "\"a, b\"");
    }

    proptest! {
        #[test]
        fn what_is_written_is_read(text in "(\\PC|[\\n\\t:#'\"\\\\ ,\\[\\]{}&*!|>%@-])*") {
            // Reading removes characters that change the direction of text.
            prop_assume!(!text.chars().any(crate::yaml::is_forbidden));
            prop_assert_eq!(read(&format!("key: {} # comment\n", scalar(&text))), Some(text.clone()));
            prop_assert_eq!(read(&format!("key: [{}, x]\n", scalar_in_list(&text))), Some(text));
        }

        #[test]
        fn words_that_mean_something_stay_text(text in "[0-9a-zA-Z+.:_~ -]{0,8}") {
            prop_assert_eq!(read(&format!("key: {}\n", scalar(&text))), Some(text));
        }
    }
}
