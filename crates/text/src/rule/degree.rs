//! How bad it is to break a rule, which depends on whether the file is new, changed, or was there already.

use serde::{Deserialize, Serialize};

use super::Rule;
use crate::problem::Severity;

/// How bad it is to break a rule.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Degree {
    /// Nobody is told.
    Off,
    /// It may be mended.
    Note,
    /// It should be mended.
    Warning,
    /// It has to be mended: the check fails.
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

    /// As a problem is drawn.
    pub fn severity(self) -> Severity {
        match self {
            Self::Off | Self::Note => Severity::Note,
            Self::Warning => Severity::Warning,
            Self::Error => Severity::Error,
        }
    }
}

/// Where a file comes from that is looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Origin {
    /// It is one of the site's, which is looked at as a whole.
    Site,
    /// It was changed, or somebody named it.
    Changed,
    /// It is new.
    New,
}

/// The degree of a rule, where `shelflife.toml` sets no other one. Rules that the OctoPrint plugin repository checks have
/// the degree for changed files that they have there.
pub fn default_degree(rule: Rule, origin: Origin) -> Degree {
    use Degree::{Error, Note, Off, Warning};
    // What was published must build, so what is asked of entries from some day on is asked of those that change.
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
        // Few wrote SPDX identifiers when registries began.
        Rule::UnknownLicense => since(Warning, Note),
        Rule::Whitespace => Note,
        // They are about builds, and a check makes none.
        Rule::KeptEntry | Rule::Output | Rule::Source => Off,
    }
}
