//! Licenses: whether a text is an SPDX license expression, and which identifier somebody may have meant.

/// What people write for licenses whose identifiers are spelled otherwise.
const MEANT: [(&str, &str); 12] = [
    ("agplv3", "AGPL-3.0-or-later"),
    ("agpl3", "AGPL-3.0-or-later"),
    ("agpl", "AGPL-3.0-or-later"),
    ("gplv3", "GPL-3.0-or-later"),
    ("gplv2", "GPL-2.0-or-later"),
    ("gpl", "GPL-3.0-or-later"),
    ("lgplv3", "LGPL-3.0-or-later"),
    ("apache", "Apache-2.0"),
    ("apache2", "Apache-2.0"),
    ("bsd", "BSD-3-Clause"),
    ("unlicence", "Unlicense"),
    ("publicdomain", "CC0-1.0"),
];

/// Whether `text` is an SPDX license expression, in any letter case
/// (<https://spdx.github.io/spdx-spec/v3.0.1/annexes/spdx-license-expressions/>).
///
/// # Errors
///
/// The identifier that it may be meant to be, if there is one that is near.
pub(super) fn read(text: &str) -> Result<(), Option<&'static str>> {
    // Identifiers are compared regardless of letter case.
    let canonical = |word: &str| {
        let found = spdx::identifiers::LICENSES.iter().find(|known| known.name.eq_ignore_ascii_case(word));
        found.map_or_else(|| word.to_owned(), |known| known.name.to_owned())
    };
    let is_separator = |c: char| c.is_whitespace() || matches!(c, '(' | ')');
    let mut expression = String::with_capacity(text.len());
    let mut rest = text.trim();
    while !rest.is_empty() {
        let end = rest.find(is_separator).unwrap_or(rest.len());
        expression.push_str(&canonical(&rest[..end]));
        rest = &rest[end..];
        let next = rest.find(|c| !is_separator(c)).unwrap_or(rest.len());
        expression.push_str(&rest[..next]);
        rest = &rest[next..];
    }
    if spdx::Expression::parse(&expression).is_ok() { Ok(()) } else { Err(nearest(text)) }
}

fn nearest(text: &str) -> Option<&'static str> {
    let plain = |text: &str| -> String {
        let lower = text.to_lowercase();
        let words = lower.replace("license", "").replace("licence", "licence").replace("version", "v");
        words.chars().filter(|c| c.is_alphanumeric()).collect()
    };
    let wanted = plain(text);
    if let Some((_, meant)) = MEANT.iter().find(|(written, _)| *written == wanted) {
        return Some(meant);
    }
    let all =
        spdx::identifiers::LICENSES.iter().filter(|known| known.flags & spdx::flags::IS_DEPRECATED == 0);
    let near = all.map(|known| (strsim::jaro_winkler(&wanted, &plain(known.name)), known.name));
    let best = near.max_by(|a, b| a.0.total_cmp(&b.0).then_with(|| b.1.len().cmp(&a.1.len())));
    best.filter(|(similarity, _)| *similarity > 0.9).map(|(_, name)| name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn expressions_are_read_in_any_letter_case() {
        for text in ["MIT", "agpl-3.0-or-later", "MIT OR Apache-2.0", "(mit or apache-2.0)", "GPL-2.0+"] {
            assert_eq!(read(text), Ok(()), "{text}");
        }
    }

    #[test]
    fn what_was_meant_is_proposed() {
        for (text, expected) in [
            ("AGPLv3", Some("AGPL-3.0-or-later")),
            ("aGPLv3", Some("AGPL-3.0-or-later")),
            ("GPLv3", Some("GPL-3.0-or-later")),
            ("MIT License", Some("MIT")),
            ("unlicence", Some("Unlicense")),
            ("Apache 2.0", Some("Apache-2.0")),
            ("CC BY-NC-SA 4.0", Some("CC-BY-NC-SA-4.0")),
            ("Creative Commons", None),
            ("see the repository", None),
        ] {
            assert_eq!(read(text), Err(expected), "{text}");
        }
    }
}
