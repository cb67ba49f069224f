//! Slugs: names of tags and authors as parts of addresses.

use unicode_normalization::UnicodeNormalization as _;

use crate::digest::Digest;

/// The maximum length of a slug in bytes. A slug is also the name of a folder.
const MAX_SLUG: usize = 120;

/// Returns the slug of a name. It depends only on the name, so that an address doesn't change when other names do.
///
/// Letters and digits become lower case, and runs of blanks and punctuation become a single `-`, as in addresses of
/// registries built with Jekyll. Signs that distinguish names are spelled out: `C++` becomes `c-plus-plus`. Other
/// characters, such as combining marks and emoji, are unchanged. A name that would be empty or too long gets letters of
/// its digest.
pub fn slug(name: &str) -> String {
    let mut slug = String::with_capacity(name.len());
    // Some file systems treat the composed and decomposed forms of accented letters as equal.
    let mut chars = name.nfc().peekable();
    let mut is_in_word = false;
    while let Some(c) = chars.next() {
        let begins_word = !is_in_word && chars.peek().is_some_and(|c| c.is_alphanumeric());
        is_in_word = c.is_alphanumeric();
        if let Some(word) = spelled(c, begins_word) {
            separate(&mut slug);
            slug.push_str(word);
            slug.push('-');
        } else if is_separator(c) {
            separate(&mut slug);
        } else {
            slug.extend(c.to_lowercase());
        }
    }
    let slug = slug.trim_end_matches('-');
    let digest = || Digest::of(name.as_bytes()).short(8);
    match slug {
        "" => digest(),
        slug if slug.len() <= MAX_SLUG => slug.to_owned(),
        slug => {
            let cut = slug.char_indices().map(|(at, _)| at).take_while(|at| *at <= MAX_SLUG - 9).last();
            format!("{}-{}", slug[..cut.unwrap_or(0)].trim_end_matches('-'), digest())
        }
    }
}

/// Ends the current word, if there is one.
fn separate(slug: &mut String) {
    if !slug.is_empty() && !slug.ends_with('-') {
        slug.push('-');
    }
}

/// Returns the spelled-out form of a sign that distinguishes names. A dot counts only at the beginning of a word:
/// `.NET`.
fn spelled(sign: char, begins_word: bool) -> Option<&'static str> {
    Some(match sign {
        '.' if begins_word => "dot",
        '#' if begins_word => "hash",
        '#' => "sharp",
        '+' => "plus",
        '&' => "and",
        '@' => "at",
        '%' => "percent",
        '*' => "star",
        '=' => "equals",
        '<' => "less",
        '>' => "greater",
        '$' => "dollar",
        '^' => "caret",
        '~' => "tilde",
        _ => return None,
    })
}

/// Returns whether `c` separates words: blanks, control characters and punctuation of ASCII, Latin-1, and the Unicode
/// blocks General Punctuation and CJK Symbols and Punctuation.
fn is_separator(c: char) -> bool {
    c.is_whitespace()
        || c.is_control()
        || c.is_ascii_punctuation()
        || matches!(c, '¡' | '§' | '«' | '\u{AD}' | '¶' | '·' | '»' | '¿' | '\u{FEFF}')
        || matches!(c, '\u{2000}'..='\u{206F}' | '\u{3000}'..='\u{3004}' | '\u{3008}'..='\u{3020}')
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn names_as_addresses() {
        for (name, expected) in [
            ("Gina Häußge", "gina-häußge"),
            ("  M33 Fio!! ", "m33-fio"),
            ("Ha\u{308}ußge", "häußge"),
            ("bed_level", "bed-level"),
            ("Foo, Inc.", "foo-inc"),
            ("Node.js 1.2", "node-js-1-2"),
            ("c", "c"),
            ("C++", "c-plus-plus"),
            ("C#", "c-sharp"),
            ("#c", "hash-c"),
            (".NET", "dot-net"),
            ("... net", "net"),
            ("R&D", "r-and-d"),
            ("A & B", "a-and-b"),
            ("100%", "100-percent"),
            ("हिन्दी", "हिन्दी"),
            ("Hot 🔥 – “end”", "hot-🔥-end"),
            ("!!!", "c5a90b6c"),
            ("???", "e7793967"),
        ] {
            assert_eq!(slug(name), expected, "{name}");
        }
        for long in ["ä".repeat(61), "a b ".repeat(100)] {
            let (one, other) = (slug(&format!("{long} one")), slug(&format!("{long} other")));
            assert!(one != other && one.len() <= MAX_SLUG && !one.contains("--"), "{one}");
        }
        assert_eq!(slug(&"a".repeat(MAX_SLUG)), "a".repeat(MAX_SLUG));
    }

    proptest! {
        /// A slug is the name of a folder, and ids on pages rely on slugs not containing `_`.
        #[test]
        fn a_slug_is_a_part_of_an_address(name in any::<String>()) {
            let slug = slug(&name);
            prop_assert!(!slug.is_empty() && slug.len() <= MAX_SLUG, "{slug}");
            prop_assert!(!slug.contains(['/', '\\', '.', '_', ' ', '\0']), "{slug}");
        }
    }
}
