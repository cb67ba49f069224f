//! Licences by their names in SPDX expressions, and what is meant by other names.

use spdx::identifiers::LICENSES;
use spdx::{Expression, license_id};

/// How many names an error suggests.
const NAMED: usize = 3;

/// What people call licences of which there are several, and those that are meant today.
const FAMILIES: [(&str, &[&str]); 7] = [
    ("agpl", &["AGPL-3.0-only", "AGPL-3.0-or-later"]),
    ("apache", &["Apache-2.0"]),
    ("bsd", &["BSD-2-Clause", "BSD-3-Clause"]),
    ("cc0", &["CC0-1.0"]),
    ("gpl", &["GPL-3.0-only", "GPL-3.0-or-later"]),
    ("lgpl", &["LGPL-3.0-only", "LGPL-3.0-or-later"]),
    ("mpl", &["MPL-2.0"]),
];

/// Makes sure that a text is an SPDX licence expression
/// (<https://spdx.github.io/spdx-spec/v3.0.1/annexes/spdx-license-expressions/>) of licences that SPDX does not advise
/// against: `MIT`, `MIT OR Apache-2.0`, `LicenseRef-Own`.
///
/// # Errors
/// The names of licences that may be meant, most likely first; maybe none.
pub fn license(text: &str) -> Result<(), Vec<&'static str>> {
    if Expression::parse(text).is_ok() {
        return Ok(());
    }
    let wanted = plain(text);
    let current = || {
        LICENSES
            .iter()
            .map(|license| (license.name, license.full_name))
            .filter(|(name, _)| license_id(name).is_some_and(|license| !license.is_deprecated()))
    };
    let bare = |name: &str| plain(name.trim_end_matches("-or-later").trim_end_matches("-only"));
    let named: Vec<&str> = current()
        .filter(|(name, full)| bare(name) == wanted || plain(full) == wanted)
        .map(|(name, _)| name)
        .collect();
    if !named.is_empty() {
        return Err(named.into_iter().take(NAMED).collect());
    }
    if let Some((_, members)) = FAMILIES.into_iter().find(|(family, _)| *family == wanted) {
        return Err(members.to_vec());
    }
    let most = (wanted.chars().count() / 4).min(2);
    let mut near: Vec<(usize, &str)> = current()
        .map(|(name, _)| (strsim::osa_distance(&wanted, &bare(name)), name))
        .filter(|(distance, _)| *distance <= most)
        .collect();
    near.sort_unstable();
    Err(near.into_iter().map(|(_, name)| name).take(NAMED).collect())
}

/// A name without what people leave out or add: `GNU AGPL v3`, `AGPLv3` and `AGPL-3.0` are the same.
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
        for text in ["MIT", "AGPL-3.0-or-later", "MIT OR Apache-2.0", "LicenseRef-Own"] {
            assert_eq!(license(text), Ok(()), "{text}");
        }
    }

    #[test]
    fn what_is_meant_is_suggested() {
        for (text, expected) in [
            ("AGPLv3", &["AGPL-3.0-only", "AGPL-3.0-or-later"][..]),
            ("AGPL-3.0", &["AGPL-3.0-only", "AGPL-3.0-or-later"]),
            ("GNU GPL v2", &["GPL-2.0-only", "GPL-2.0-or-later"]),
            ("GPL", &["GPL-3.0-only", "GPL-3.0-or-later"]),
            ("mit", &["MIT"]),
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
