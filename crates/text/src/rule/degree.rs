//! The severity of breaking a rule, which depends on whether the file is new, changed or unchanged.

use serde::{Deserialize, Serialize};

use super::Rule;
use crate::problem::Severity;

/// The severity of breaking a rule.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Degree {
    /// The rule is not reported.
    Off,
    /// An optional improvement; only counted.
    Note,
    /// It should be fixed, but the check passes.
    Warning,
    /// It must be fixed: the check fails.
    Error,
}

impl Degree {
    /// The name in `shelflife.toml` and in reports.
    pub fn name(self) -> &'static str {
        match self {
            Self::Off => "off",
            Self::Note => "note",
            Self::Warning => "warning",
            Self::Error => "error",
        }
    }

    /// The severity with which a problem is drawn.
    pub fn severity(self) -> Severity {
        match self {
            Self::Off | Self::Note => Severity::Note,
            Self::Warning => Severity::Warning,
            Self::Error => Severity::Error,
        }
    }
}

/// Why a file is checked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Origin {
    /// The whole site is checked.
    Site,
    /// The file was changed, or was named on the command line.
    Changed,
    /// The file is new.
    New,
}

/// The severity of a rule if `shelflife.toml` doesn't set one. Rules that the OctoPrint plugin repository checks in
/// pull requests have the same severity for changed files here.
pub fn default_degree(rule: Rule, origin: Origin) -> Degree {
    use Degree::{Error, Note, Off, Warning};
    // Published entries must keep building, so newer requirements apply in full only to files that change.
    let since = |changed: Degree, before: Degree| if origin == Origin::Site { before } else { changed };
    let of_new = |new: Degree, others: Degree| if origin == Origin::New { new } else { others };
    match rule {
        Rule::Refused
        | Rule::MissingKey
        | Rule::Layout
        | Rule::BadAddress
        | Rule::BadVersion
        | Rule::UnknownSystem
        | Rule::BadPicture
        | Rule::MissingPicture
        | Rule::UnknownKey
        | Rule::BadType
        | Rule::DataItem
        | Rule::DateChanged
        | Rule::Renamed
        | Rule::BadRedirect
        | Rule::Conflict
        | Rule::RepositoryGone
        | Rule::ArchiveGone
        | Rule::IdMismatch => Error,
        Rule::VersionForm
        | Rule::NotAList
        | Rule::MissingPython
        | Rule::UnsupportedPython
        | Rule::BadDate
        | Rule::BadPage => since(Error, Warning),
        Rule::DuplicateKey | Rule::BadId | Rule::SameId | Rule::SameName | Rule::FormText => {
            of_new(Error, Warning)
        }
        Rule::Author
        | Rule::PictureFolder
        | Rule::FeaturedOnly
        | Rule::LargePicture
        | Rule::FileName
        | Rule::LongDescription
        | Rule::SimilarTag
        | Rule::UnknownForge
        | Rule::IdChanged
        | Rule::PythonMismatch
        | Rule::InsecureAddress
        | Rule::Removed
        | Rule::FutureDate
        | Rule::BrokenLink
        | Rule::DisabledReason
        | Rule::TooManyItems
        | Rule::ForbiddenCharacter
        | Rule::YamlTag
        | Rule::UnknownShortcode
        | Rule::UnknownPlugin
        | Rule::UnknownTemplate
        | Rule::NotRead
        | Rule::UnknownData
        | Rule::Contrast
        | Rule::MissingUrl
        | Rule::Deprecated => Warning,
        // SPDX identifiers were not common when registries began.
        Rule::UnknownLicense => since(Warning, Note),
        Rule::Whitespace => Note,
        // These rules are about builds; a check doesn't build.
        Rule::KeptEntry | Rule::Output | Rule::Source => Off,
    }
}
