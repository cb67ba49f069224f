//! The table `limits` of `shelflife.toml`: how much of untrusted input is read.

use serde::de::Error as _;
use serde::{Deserialize, Deserializer};

use super::values::Size;
pub use shelflife_text::yaml::{Bytes, YamlLimits};

/// Limits on untrusted input. Larger input is an error that names the setting; a larger answer counts as a failure of
/// its source.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// The largest size of an entry's file, in bytes.
    pub entry_size: usize,
    /// The largest size of a data file, in bytes.
    pub data_size: usize,
    /// How many items each list of an entry may have, such as its tags.
    pub list_items: usize,
    /// The limits on YAML.
    pub yaml: YamlLimits,
    /// The largest size of a source's answer, in bytes.
    pub answer_size: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            entry_size: 128 << 10,
            data_size: 1 << 20,
            list_items: 100,
            yaml: YamlLimits::default(),
            answer_size: 32 << 20,
        }
    }
}

impl Limits {
    /// The limits for the last good version of an entry, which was within the limits of its time: only its lists are
    /// cut off.
    pub fn for_what_was_good(&self) -> Self {
        let yaml = YamlLimits { depth: DEPTH, alias_values: VALUES, alias_size: usize::MAX };
        Self { entry_size: usize::MAX, yaml, ..*self }
    }

    /// The limits that outputs depend on: each key in `shelflife.toml` with its value as text.
    pub(super) fn parts(&self) -> [(&'static str, String); 6] {
        let Self { entry_size, data_size, list_items, yaml, .. } = self;
        let YamlLimits { depth, alias_values, alias_size } = yaml;
        [
            ("limits.entry_size", entry_size.to_string()),
            ("limits.data_size", data_size.to_string()),
            ("limits.list_items", list_items.to_string()),
            ("limits.yaml_depth", depth.to_string()),
            ("limits.alias_values", alias_values.to_string()),
            ("limits.alias_size", alias_size.to_string()),
        ]
    }
}

/// The largest depth that can be configured.
const DEPTH: usize = 100;
/// The largest number of values that can be configured.
const VALUES: usize = 1_000_000;

#[derive(Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct Table {
    entry_size: Size,
    data_size: Size,
    #[serde(deserialize_with = "items")]
    list_items: usize,
    #[serde(deserialize_with = "depth")]
    yaml_depth: usize,
    #[serde(deserialize_with = "values")]
    alias_values: usize,
    alias_size: Size,
    answer_size: Size,
}

impl Default for Table {
    fn default() -> Self {
        let Limits { entry_size, data_size, list_items, yaml, answer_size } = Limits::default();
        let size = |bytes: usize| Size(bytes as u64);
        Self {
            entry_size: size(entry_size),
            data_size: size(data_size),
            list_items,
            yaml_depth: yaml.depth,
            alias_values: yaml.alias_values,
            alias_size: size(yaml.alias_size),
            answer_size: size(answer_size),
        }
    }
}

impl From<Table> for Limits {
    fn from(table: Table) -> Self {
        let bytes = |Size(bytes)| usize::try_from(bytes).unwrap_or(usize::MAX);
        Self {
            entry_size: bytes(table.entry_size),
            data_size: bytes(table.data_size),
            list_items: table.list_items,
            yaml: YamlLimits {
                depth: table.yaml_depth,
                alias_values: table.alias_values,
                alias_size: bytes(table.alias_size),
            },
            answer_size: bytes(table.answer_size),
        }
    }
}

/// Reads a depth. The limit of 100 keeps published JSON within the 128 levels that its parser accepts.
fn depth<'de, D: Deserializer<'de>>(deserializer: D) -> Result<usize, D::Error> {
    within(deserializer, DEPTH, "a depth")
}

fn items<'de, D: Deserializer<'de>>(deserializer: D) -> Result<usize, D::Error> {
    within(deserializer, 1000, "a number of items")
}

fn values<'de, D: Deserializer<'de>>(deserializer: D) -> Result<usize, D::Error> {
    within(deserializer, VALUES, "a number of values")
}

fn within<'de, D: Deserializer<'de>>(deserializer: D, most: usize, what: &str) -> Result<usize, D::Error> {
    let number = i64::deserialize(deserializer)?;
    let fits = usize::try_from(number).ok().filter(|number| (1..=most).contains(number));
    fits.ok_or_else(|| D::Error::custom(format!("`{number}` is not {what}, expected 1 to {most}")))
}
