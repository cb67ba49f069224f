//! The rules that a site's files are held to, by the names that warnings carry and docs/entries.md explains.

use serde::{Deserialize, Serialize};

/// What a warning is about. Warnings about the same rule are shown together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[allow(missing_docs, reason = "docs/entries.md explains each by its name")]
pub enum Rule {
    DuplicateKey,
    MissingKey,
    BadAddress,
    BadDate,
    BadVersion,
    BadPicture,
    BadType,
    BadRedirect,
    BadPage,
    FutureDate,
    BrokenLink,
    MissingPicture,
    MissingUrl,
    DisabledReason,
    TooManyItems,
    ForbiddenCharacter,
    YamlTag,
    UnknownKey,
    UnknownSystem,
    UnknownShortcode,
    UnknownPlugin,
    UnknownTemplate,
    BadId,
    SameId,
    SameName,
    KeptEntry,
    DataItem,
    UnknownData,
    NotRead,
    Conflict,
    Contrast,
    Output,
    Source,
    Deprecated,
}

impl Rule {
    /// Every rule, in the order in which warnings are shown.
    pub const ALL: [Self; 34] = [
        Self::Deprecated,
        Self::MissingUrl,
        Self::KeptEntry,
        Self::DataItem,
        Self::DuplicateKey,
        Self::MissingKey,
        Self::BadAddress,
        Self::BadDate,
        Self::BadVersion,
        Self::BadPicture,
        Self::BadType,
        Self::BadRedirect,
        Self::BadPage,
        Self::FutureDate,
        Self::BrokenLink,
        Self::MissingPicture,
        Self::DisabledReason,
        Self::TooManyItems,
        Self::ForbiddenCharacter,
        Self::YamlTag,
        Self::BadId,
        Self::SameId,
        Self::SameName,
        Self::UnknownKey,
        Self::UnknownSystem,
        Self::UnknownShortcode,
        Self::UnknownPlugin,
        Self::UnknownTemplate,
        Self::Conflict,
        Self::NotRead,
        Self::UnknownData,
        Self::Contrast,
        Self::Output,
        Self::Source,
    ];

    /// The rule's name in messages, reports and the documentation.
    pub fn name(self) -> &'static str {
        match self {
            Self::DuplicateKey => "duplicate-key",
            Self::MissingKey => "missing-key",
            Self::BadAddress => "bad-address",
            Self::BadDate => "bad-date",
            Self::BadVersion => "bad-version",
            Self::BadPicture => "bad-picture",
            Self::BadType => "bad-type",
            Self::BadRedirect => "bad-redirect",
            Self::BadPage => "bad-page",
            Self::FutureDate => "future-date",
            Self::BrokenLink => "broken-link",
            Self::MissingPicture => "missing-picture",
            Self::MissingUrl => "missing-url",
            Self::DisabledReason => "disabled-reason",
            Self::TooManyItems => "too-many-items",
            Self::ForbiddenCharacter => "forbidden-character",
            Self::YamlTag => "yaml-tag",
            Self::UnknownKey => "unknown-key",
            Self::UnknownSystem => "unknown-system",
            Self::UnknownShortcode => "unknown-shortcode",
            Self::UnknownPlugin => "unknown-plugin",
            Self::UnknownTemplate => "unknown-template",
            Self::BadId => "bad-id",
            Self::SameId => "same-id",
            Self::SameName => "same-name",
            Self::KeptEntry => "kept-entry",
            Self::DataItem => "data-item",
            Self::UnknownData => "unknown-data",
            Self::NotRead => "not-read",
            Self::Conflict => "conflict",
            Self::Contrast => "contrast",
            Self::Output => "output",
            Self::Source => "source",
            Self::Deprecated => "deprecated",
        }
    }

    /// What several warnings about the rule have in common, as a headline above them; `None` where each says
    /// something else and is shown by itself.
    pub fn headline(self) -> Option<&'static str> {
        Some(match self {
            Self::DuplicateKey => "keys that are given twice; the last one counts",
            Self::MissingKey => "keys that are missing or empty; they are published empty",
            Self::BadAddress => "values that are not web addresses",
            Self::BadDate => "dates that are not written as YYYY-MM-DD",
            Self::BadVersion => "versions that are not PEP 440; they are published as written",
            Self::BadPicture => "pictures that are not an address or a path from the site's root",
            Self::BadType => "values of the wrong type",
            Self::BadRedirect => "earlier addresses that can't be redirected",
            Self::BadPage => "pages with front matter that can't be used",
            Self::FutureDate => "dates in the future; these plugins are published, but not as new",
            Self::BrokenLink => "links to pages or files that the site doesn't have",
            Self::MissingPicture => "pictures that the site doesn't have",
            Self::DisabledReason => "disabled plugins that don't say why",
            Self::TooManyItems => "lists that are cut off at `limits.list_items`",
            Self::ForbiddenCharacter => "invisible characters that were taken out",
            Self::YamlTag => "YAML tags; they are ignored",
            Self::UnknownKey => "keys that nothing reads",
            Self::UnknownSystem => "operating systems that the registry doesn't know",
            Self::UnknownShortcode => "Liquid tags that are published as written",
            Self::UnknownPlugin => "ids and tags on pages that no plugin has",
            Self::UnknownTemplate => "templates of pages that do not exist",
            Self::BadId => "ids and file names that plugin managers may stumble over",
            Self::SameId => "ids that another entry has too; both entries are published",
            Self::SameName => "file names that differ only in letter case",
            Self::KeptEntry => "entries that can't be read; their last good version stays published",
            Self::DataItem => "data file items that can't be read; they are left out",
            Self::Conflict => "addresses that are already taken",
            Self::Contrast => "colors that are hard to read",
            Self::MissingUrl
            | Self::UnknownData
            | Self::NotRead
            | Self::Output
            | Self::Source
            | Self::Deprecated => {
                return None;
            }
        })
    }

    /// Whether it is about the site's files, so that `--strict` fails on it; other warnings are about the outside
    /// world, or about what earlier builds left.
    pub fn is_about_files(self) -> bool {
        !matches!(self, Self::Output | Self::Source | Self::Deprecated)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_those_in_reports_and_in_the_documentation() {
        let docs = include_str!("../docs/entries.md");
        for rule in Rule::ALL {
            assert_eq!(serde_json::to_value(rule).unwrap(), rule.name());
            assert!(
                docs.contains(&format!("`{}`", rule.name())),
                "{} is not in docs/entries.md",
                rule.name()
            );
        }
    }
}
