//! Licenses as SPDX expressions, and suggestions for other names.

use std::sync::LazyLock;

use spdx::identifiers::LICENSES;
use spdx::{Expression, license_id};

/// The number of licenses that an error suggests.
const NAMED: usize = 3;

/// Names of license families, and the current licenses that they may refer to.
const FAMILIES: [(&str, &[&str]); 7] = [
    ("agpl", &["AGPL-3.0-only", "AGPL-3.0-or-later"]),
    ("apache", &["Apache-2.0"]),
    ("bsd", &["BSD-2-Clause", "BSD-3-Clause"]),
    ("cc0", &["CC0-1.0"]),
    ("gpl", &["GPL-3.0-only", "GPL-3.0-or-later"]),
    ("lgpl", &["LGPL-3.0-only", "LGPL-3.0-or-later"]),
    ("mpl", &["MPL-2.0"]),
];

/// Parses an SPDX license expression (<https://spdx.github.io/spdx-spec/v3.0.1/annexes/spdx-license-expressions/>) such
/// as `MIT OR Apache-2.0` or `LicenseRef-Own`. Identifiers may be in any case; the result has them in SPDX's own.
///
/// # Errors
/// The identifiers that may have been meant, most likely first; possibly none.
pub fn license(text: &str) -> Result<String, Vec<&'static str>> {
    let canonical = |word: &str| {
        let found = LICENSES.iter().find(|known| known.name.eq_ignore_ascii_case(word));
        found.map_or_else(|| word.to_owned(), |known| known.name.to_owned())
    };
    let is_separator = |c: char| c.is_whitespace() || matches!(c, '(' | ')');
    let mut expression = String::with_capacity(text.len());
    for word in text.trim().split_inclusive(is_separator) {
        let bare = word.trim_end_matches(is_separator);
        expression.push_str(&canonical(bare));
        expression.push_str(&word[bare.len()..]);
    }
    if Expression::parse(&expression).is_ok() { Ok(expression) } else { Err(meant(text)) }
}

/// The current identifiers that `text` may refer to.
fn meant(text: &str) -> Vec<&'static str> {
    let wanted = plain(text);
    let named = CURRENT.iter().filter(|known| known.short == wanted || known.full == wanted);
    let mut named: Vec<&str> = named.map(|known| known.name).collect();
    let is_later = |name: &str| name.ends_with("-or-later");
    if text.trim_end().ends_with('+') && named.iter().any(|name| is_later(name)) {
        named.retain(|name| is_later(name));
    }
    named.truncate(NAMED);
    if !named.is_empty() {
        return named;
    }
    if let Some((_, members)) = FAMILIES.into_iter().find(|(family, _)| *family == wanted) {
        return members.to_vec();
    }
    let most = (wanted.chars().count() / 4).min(2);
    let distance = |known: &Known| (strsim::osa_distance(&wanted, &known.short), known.name);
    let mut near: Vec<(usize, &str)> =
        CURRENT.iter().map(distance).filter(|(distance, _)| *distance <= most).collect();
    near.sort_unstable();
    near.into_iter().map(|(_, name)| name).take(NAMED).collect()
}

/// A license with its simplified names.
struct Known {
    name: &'static str,
    short: String,
    full: String,
}

/// The licenses that are not deprecated by SPDX. Computed once, because there are hundreds and every entry may need
/// them.
static CURRENT: LazyLock<Vec<Known>> = LazyLock::new(|| {
    let is_current = |name: &str| license_id(name).is_some_and(|license| !license.is_deprecated());
    let known = LICENSES.iter().filter(|license| is_current(license.name)).map(|license| Known {
        name: license.name,
        short: plain(license.name.trim_end_matches("-or-later").trim_end_matches("-only")),
        full: plain(license.full_name),
    });
    known.collect()
});

/// Simplifies a name, so that `GNU AGPL v3`, `AGPLv3` and `AGPL-3.0` are equal.
fn plain(name: &str) -> String {
    let name = name.to_lowercase().replace(".0", "");
    let words = name.split(|c: char| !c.is_alphanumeric());
    let words = words.filter(|word| !matches!(*word, "the" | "gnu" | "license" | "licence" | "version"));
    let is_version = |rest: &str| rest.starts_with(|c: char| c.is_ascii_digit());
    let mut plain = String::new();
    for word in words {
        match word.rsplit_once('v') {
            Some((before, rest)) if is_version(rest) => plain.extend([before, rest]),
            _ => plain.push_str(word),
        }
    }
    plain
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn expressions_are_licences() {
        for (text, canonical) in [
            ("MIT", "MIT"),
            ("mit", "MIT"),
            (" agpl-3.0-OR-LATER ", "AGPL-3.0-or-later"),
            ("(mit OR apache-2.0)", "(MIT OR Apache-2.0)"),
            ("LicenseRef-Own", "LicenseRef-Own"),
        ] {
            assert_eq!(license(text), Ok(canonical.to_owned()), "{text}");
        }
    }

    #[test]
    fn what_is_meant_is_suggested() {
        for (text, expected) in [
            ("AGPLv3", &["AGPL-3.0-only", "AGPL-3.0-or-later"][..]),
            ("AGPL-3.0", &["AGPL-3.0-only", "AGPL-3.0-or-later"]),
            ("GNU GPL v2", &["GPL-2.0-only", "GPL-2.0-or-later"]),
            ("GPL-2.0+", &["GPL-2.0-or-later"]),
            ("GPL", &["GPL-3.0-only", "GPL-3.0-or-later"]),
            ("CC BY-NC-SA 4.0", &["CC-BY-NC-SA-4.0"]),
            ("Creative Commons", &[]),
            ("MIT License", &["MIT"]),
            ("The MIT licence", &["MIT"]),
            ("Apache 2.0", &["Apache-2.0"]),
            ("Apache License, Version 2.0", &["Apache-2.0"]),
            ("BSD", &["BSD-2-Clause", "BSD-3-Clause"]),
            ("BSD-3 Clause", &["BSD-3-Clause"]),
            ("Unlicence", &["Unlicense"]),
            ("ask me", &[]),
            ("", &[]),
        ] {
            assert_eq!(license(text), Err(expected.to_vec()), "{text}");
        }
    }
}
