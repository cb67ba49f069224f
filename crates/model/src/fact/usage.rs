//! The usage exports: how many instances have a plugin, and how often it was installed.

use std::collections::BTreeMap;
use std::fmt;

use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::value::RawValue;

/// The period that an export covers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Window {
    /// The last 7 days.
    Week,
    /// The last 30 days.
    Month,
}

impl Window {
    /// All windows, shortest first.
    pub const ALL: [Self; 2] = [Self::Week, Self::Month];
}

impl fmt::Display for Window {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Week => "week",
            Self::Month => "month",
        })
    }
}

/// The usage of one plugin in a window.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Usage {
    /// OctoPrint instances with the plugin.
    #[serde(default)]
    pub instances: u64,
    /// Installations of the plugin.
    #[serde(default)]
    pub install_events: u64,
    /// Instances by version of the plugin.
    #[serde(default)]
    pub versions: BTreeMap<String, VersionUsage>,
}

/// The usage of one version of a plugin.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct VersionUsage {
    /// OctoPrint instances with this version.
    #[serde(default)]
    pub instances: u64,
}

/// Usage in an export. At least one member is required, to reject JSON that is not an export.
struct Told(Usage);

impl<'de> Deserialize<'de> for Told {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        struct Members {
            instances: Option<u64>,
            install_events: Option<u64>,
            versions: Option<BTreeMap<String, VersionUsage>>,
        }
        let Members { instances, install_events, versions } = Members::deserialize(deserializer)?;
        if instances.is_none() && install_events.is_none() && versions.is_none() {
            return Err(D::Error::custom(
                "expected `instances`, `install_events` or `versions` for each plugin",
            ));
        }
        Ok(Self(Usage {
            instances: instances.unwrap_or_default(),
            install_events: install_events.unwrap_or_default(),
            versions: versions.unwrap_or_default(),
        }))
    }
}

/// One export: usage by plugin id in lower case.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Export(pub BTreeMap<String, Usage>);

impl Export {
    /// Parses an export, with or without the `plugins` wrapper that newer ones have.
    ///
    /// # Errors
    ///
    /// When the text is not JSON of either shape.
    pub fn from_json(json: &[u8]) -> Result<Self, serde_json::Error> {
        #[derive(Deserialize)]
        struct Wrapped {
            plugins: BTreeMap<String, Told>,
        }
        // An export without the wrapper may contain a plugin called "plugins", whose members are numbers and
        // `versions`; the members of a wrapper are plugins.
        let says_usage = |(name, value): (&String, &serde_json::Value)| {
            value.is_number() || (name == "versions" && value.is_object())
        };
        let wrapped = |value: &serde_json::Value| {
            let members = value.get("plugins").and_then(serde_json::Value::as_object);
            members.is_some_and(|members| !members.iter().any(says_usage))
        };
        let plugins = if wrapped(&serde_json::from_slice(json)?) {
            serde_json::from_slice::<Wrapped>(json)?.plugins
        } else {
            serde_json::from_slice::<BTreeMap<String, Told>>(json)?
        };
        let plugins = plugins.into_iter().map(|(id, Told(usage))| (id, usage)).collect();
        Ok(Self(plugins))
    }

    /// The canonical form for the cache: equal exports have equal bytes.
    pub fn to_json(&self) -> Vec<u8> {
        serde_json::to_vec(self).unwrap_or_default()
    }
}

/// An export in its canonical form whose plugins are parsed on demand, because most builds need only a few.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(transparent)]
pub struct CanonicalExport(BTreeMap<String, Box<RawValue>>);

impl CanonicalExport {
    /// Parses the result of [`Export::to_json`].
    ///
    /// # Errors
    ///
    /// When the text is not JSON of that shape.
    pub fn from_json(json: &[u8]) -> Result<Self, serde_json::Error> {
        serde_json::from_slice(json)
    }

    /// Whether the export contains no plugins.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The usage of the plugin with this id in lower case; zero if the export doesn't contain it.
    pub fn usage(&self, id: &str) -> Usage {
        let usage = self.0.get(id).and_then(|usage| serde_json::from_str(usage.get()).ok());
        usage.unwrap_or_default()
    }
}

impl PartialEq for CanonicalExport {
    fn eq(&self, other: &Self) -> bool {
        self.0.len() == other.0.len()
            && self.0.iter().zip(&other.0).all(|(a, b)| a.0 == b.0 && a.1.get() == b.1.get())
    }
}

impl Eq for CanonicalExport {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_both_shapes() {
        let usage =
            r#"{"mqtt": {"instances": 3, "install_events": 1, "versions": {"1.0": {"instances": 3}}}}"#;
        let bare = Export::from_json(usage.as_bytes()).unwrap();
        let wrapped =
            Export::from_json(format!(r#"{{"_generated": 1, "plugins": {usage}}}"#).as_bytes()).unwrap();
        assert_eq!(bare, wrapped);
        assert_eq!(bare.0["mqtt"].versions["1.0"].instances, 3);
        assert_eq!(Export::from_json(&bare.to_json()).unwrap(), bare);
        let canonical = CanonicalExport::from_json(&bare.to_json()).unwrap();
        assert_eq!(
            (canonical.usage("mqtt"), canonical.usage("x")),
            (bare.0["mqtt"].clone(), Usage::default())
        );
    }

    #[test]
    fn a_plugin_called_plugins_is_not_a_wrapper() {
        let export = Export::from_json(br#"{"plugins": {"instances": 3, "install_events": 1}}"#).unwrap();
        assert_eq!(export.0["plugins"].instances, 3);
    }

    #[test]
    fn refuses_what_is_not_an_export() {
        for json in [
            "",
            "[]",
            "{\"plugins\": 7}",
            "{\"a\": {\"instances\": -1}}",
            "{\"a\": {\"instances\": 1e30}}",
            "{\"plugins\": {\"a\": {\"instances\": -5}}}",
            "{\"plugins\": {\"a\": {\"instances\": 1}, \"b\": {\"instances\": \"x\"}}}",
            "{\"plugins\": {\"a\": {\"instances\": 1e400}}}",
        ] {
            assert!(Export::from_json(json.as_bytes()).is_err(), "{json}");
        }
    }
}
