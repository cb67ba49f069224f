//! The rules for a site's files. Warnings carry their names, and docs/rules.md explains them.

mod degree;

use serde::{Deserialize, Serialize};

pub use degree::{Degree, Origin, default_degree};

/// The page that has a section on each rule.
const DOCS: &str = include_str!("../../../docs/rules.md");

/// A rule, in the order in which warnings are shown. Warnings about the same rule are shown as one group.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[allow(missing_docs, reason = "docs/rules.md explains each by its name")]
pub enum Rule {
    Deprecated,
    MissingUrl,
    KeptEntry,
    DataItem,
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
    DisabledReason,
    TooManyItems,
    ForbiddenCharacter,
    YamlTag,
    BadId,
    SameId,
    SameName,
    UnknownKey,
    UnknownSystem,
    UnknownShortcode,
    UnknownPlugin,
    UnknownTemplate,
    Conflict,
    NotRead,
    UnknownData,
    Contrast,
    Layout,
    Author,
    VersionForm,
    MissingPython,
    UnsupportedPython,
    PictureFolder,
    FeaturedOnly,
    LargePicture,
    FileName,
    LongDescription,
    SimilarTag,
    UnknownLicense,
    UnknownForge,
    FormText,
    Whitespace,
    DateChanged,
    IdChanged,
    Renamed,
    Removed,
    NotAList,
    RepositoryGone,
    ArchiveGone,
    IdMismatch,
    PythonMismatch,
    InsecureAddress,
    Refused,
    Output,
    Source,
}

impl Rule {
    /// All rules, in the order in which their warnings are shown.
    pub const ALL: [Self; 60] = [
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
        Self::Layout,
        Self::Author,
        Self::VersionForm,
        Self::MissingPython,
        Self::UnsupportedPython,
        Self::PictureFolder,
        Self::FeaturedOnly,
        Self::LargePicture,
        Self::FileName,
        Self::LongDescription,
        Self::SimilarTag,
        Self::UnknownLicense,
        Self::UnknownForge,
        Self::FormText,
        Self::Whitespace,
        Self::DateChanged,
        Self::IdChanged,
        Self::Renamed,
        Self::Removed,
        Self::NotAList,
        Self::RepositoryGone,
        Self::ArchiveGone,
        Self::IdMismatch,
        Self::PythonMismatch,
        Self::InsecureAddress,
        Self::Refused,
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
            Self::Layout => "layout",
            Self::Author => "author",
            Self::VersionForm => "version-form",
            Self::MissingPython => "missing-python",
            Self::UnsupportedPython => "unsupported-python",
            Self::PictureFolder => "picture-folder",
            Self::FeaturedOnly => "featured-only",
            Self::LargePicture => "large-picture",
            Self::FileName => "file-name",
            Self::LongDescription => "long-description",
            Self::SimilarTag => "similar-tag",
            Self::UnknownLicense => "unknown-license",
            Self::UnknownForge => "unknown-forge",
            Self::FormText => "form-text",
            Self::Whitespace => "whitespace",
            Self::DateChanged => "date-changed",
            Self::IdChanged => "id-changed",
            Self::Renamed => "renamed",
            Self::Removed => "removed",
            Self::NotAList => "not-a-list",
            Self::RepositoryGone => "repository-gone",
            Self::ArchiveGone => "archive-gone",
            Self::IdMismatch => "id-mismatch",
            Self::PythonMismatch => "python-mismatch",
            Self::InsecureAddress => "insecure-address",
            Self::Refused => "refused",
        }
    }

    /// The headline above several warnings about the rule. `None` if their messages have too little in common and each
    /// is shown by itself.
    pub fn headline(self) -> Option<&'static str> {
        Some(match self {
            Self::DuplicateKey => "duplicate keys; the last one is used",
            Self::MissingKey => "missing or empty keys; they are published empty",
            Self::BadAddress => "values that are not URLs",
            Self::BadDate => "dates that are not in the form YYYY-MM-DD",
            Self::BadVersion => "versions that are not valid under PEP 440; they are published as written",
            Self::BadPicture => "pictures that are neither a URL nor a path from the site's root",
            Self::BadType => "values of the wrong type",
            Self::BadRedirect => "paths that can't be redirected",
            Self::BadPage => "pages with unusable front matter",
            Self::FutureDate => "dates in the future; these plugins are published, but not listed as new",
            Self::BrokenLink => "broken links within the site",
            Self::MissingPicture => "missing pictures",
            Self::DisabledReason => "disabled plugins without a reason",
            Self::TooManyItems => "lists cut off at `limits.list_items`",
            Self::ForbiddenCharacter => "values with invisible characters, which were removed",
            Self::YamlTag => "YAML tags, which are ignored",
            Self::UnknownKey => "unknown keys",
            Self::UnknownSystem => "unknown operating systems",
            Self::UnknownShortcode => "unknown shortcodes; they are published as written",
            Self::UnknownPlugin => "ids or tags on pages that none of the plugins has",
            Self::UnknownTemplate => "pages with an unknown template",
            Self::BadId => "ids with characters that some plugin managers reject",
            Self::SameId => "duplicate ids; both entries are published",
            Self::SameName => "file names that differ only in case",
            Self::KeptEntry => "entries that can't be read; their last good version stays published",
            Self::DataItem => "data file items that can't be read; they are left out",
            Self::Conflict => "addresses that are already taken",
            Self::Contrast => "colors with too little contrast",
            // The messages of these rules differ too much, or a build never reports the rule.
            _ => return None,
        })
    }

    /// The rule about the site's files whose name is the most similar to `name`.
    pub fn nearest(name: &str) -> Self {
        let rules = Self::ALL.into_iter().filter(|rule| rule.is_about_files());
        let likeness = |rule: &Self| strsim::jaro_winkler(name, rule.name());
        let nearest = rules.max_by(|a, b| likeness(a).total_cmp(&likeness(b)));
        nearest.unwrap_or(Self::UnknownKey)
    }

    /// The rule's section in docs/rules.md, without its heading.
    pub fn explanation(self) -> Option<&'static str> {
        let heading = format!("## `{}`\n", self.name());
        let section = &DOCS[DOCS.find(&heading)? + heading.len()..];
        Some(section.split("\n## ").next().unwrap_or(section).trim())
    }

    /// Whether the rule can be checked only against the outside world, as `check --online` does.
    pub fn is_about_the_world(self) -> bool {
        matches!(
            self,
            Self::RepositoryGone
                | Self::ArchiveGone
                | Self::IdMismatch
                | Self::PythonMismatch
                | Self::InsecureAddress
        )
    }

    /// Whether the rule is about the site's files, so that `--strict` fails on it. Other rules are about the outside
    /// world, about what earlier builds left behind, or about an entry on which `--strict` fails anyway.
    pub fn is_about_files(self) -> bool {
        !matches!(self, Self::KeptEntry | Self::Output | Self::Source | Self::Deprecated)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_those_in_reports_and_in_the_documentation() {
        let names: std::collections::BTreeSet<&str> = Rule::ALL.iter().map(|rule| rule.name()).collect();
        assert_eq!(names.len(), Rule::ALL.len());
        for rule in Rule::ALL {
            assert_eq!(serde_json::to_value(rule).unwrap(), rule.name());
            assert!(rule.explanation().is_some(), "{} is not in docs/rules.md", rule.name());
        }
        let sections: Vec<&str> = DOCS.lines().filter_map(|line| line.strip_prefix("## `")).collect();
        for section in sections {
            assert!(names.contains(section.trim_end_matches('`')), "{section} is not a rule");
        }
    }
}
