//! What a source says in each role that it can have, in a few bytes: what is kept of a source once it has been read.

use serde::{Deserialize, Serialize};

use super::{Properties, Role, VERSION};

/// What a source says in each role.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Said {
    /// The [`VERSION`] of what has read it.
    python_properties: u32,
    setup: Properties,
    pyproject: Properties,
    init: Properties,
}

impl Said {
    /// What a source says.
    pub fn by(source: &[u8]) -> Self {
        let of = |role| Properties::of(role, source);
        Self {
            python_properties: VERSION,
            setup: of(Role::Setup),
            pyproject: of(Role::Pyproject),
            init: of(Role::Init),
        }
    }

    /// As it is kept.
    pub fn to_json(&self) -> Vec<u8> {
        serde_json::to_vec(self).unwrap_or_default()
    }

    /// Takes back what [`Said::to_json`] gave; `None` for anything else.
    fn from_json(json: &[u8]) -> Option<Self> {
        serde_json::from_slice(json).ok()
    }

    /// What is said in a role by what is kept: this, or a source as it is, which versions up to 0.1 kept.
    pub fn properties(kept: &[u8], role: Role) -> Properties {
        let Some(said) = Self::from_json(kept) else { return Properties::of(role, kept) };
        match role {
            Role::Setup => said.setup,
            Role::Pyproject => said.pyproject,
            Role::Init => said.init,
        }
    }

    /// Whether the source would have to be read again, since what has read it is not what would read it now.
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
