//! The properties of a source in each possible role, stored in place of the source.

use serde::{Deserialize, Serialize};

use super::{Properties, Role, VERSION};

/// The properties of a source in each role.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Said {
    /// The [`VERSION`] of the extraction.
    python_properties: u32,
    setup: Properties,
    pyproject: Properties,
    init: Properties,
}

impl Said {
    /// Extracts the properties from a source.
    pub fn by(source: &[u8]) -> Self {
        let of = |role| Properties::of(role, source);
        Self {
            python_properties: VERSION,
            setup: of(Role::Setup),
            pyproject: of(Role::Pyproject),
            init: of(Role::Init),
        }
    }

    /// The stored form.
    pub fn to_json(&self) -> Vec<u8> {
        serde_json::to_vec(self).unwrap_or_default()
    }

    /// Reads the output of [`Said::to_json`]; `None` for anything else.
    fn from_json(json: &[u8]) -> Option<Self> {
        serde_json::from_slice(json).ok()
    }

    /// The properties in `role` from stored bytes: the output of [`Said::to_json`], or a whole source, as versions up
    /// to 0.1 stored it.
    pub fn properties(kept: &[u8], role: Role) -> Properties {
        let Some(said) = Self::from_json(kept) else { return Properties::of(role, kept) };
        match role {
            Role::Setup => said.setup,
            Role::Pyproject => said.pyproject,
            Role::Init => said.init,
        }
    }

    /// Whether another version of the extraction wrote the stored bytes, so that the source has to be read again.
    pub fn is_outdated(kept: &[u8]) -> bool {
        Self::from_json(kept).is_some_and(|said| said.python_properties != VERSION)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_kept_says_what_the_source_says() {
        for source in
            [&b"plugin_package = 'octoprint_a'\n__plugin_pythoncompat__ = '>=3'\n"[..], b"", b"\0", b"{}"]
        {
            let kept = Said::by(source).to_json();
            for role in [Role::Setup, Role::Pyproject, Role::Init] {
                assert_eq!(Said::properties(&kept, role), Properties::of(role, source));
                assert_eq!(Said::properties(source, role), Properties::of(role, source));
            }
            assert!(!Said::is_outdated(&kept) && !Said::is_outdated(source));
        }
        let older = br#"{"python_properties":0,"setup":{},"pyproject":{},"init":{"pythoncompat":">=3"}}"#;
        assert!(Said::is_outdated(older));
        assert_eq!(Said::properties(older, Role::Init).pythoncompat.as_deref(), Some(">=3"));
    }
}
