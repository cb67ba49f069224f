//! The table `check` of `shelflife.toml`: the settings of `shelflife check`.

use std::collections::BTreeMap;

use serde::de::Error as _;
use serde::{Deserialize, Deserializer};

use super::values::Size;
use super::wording;
use crate::rule::{Degree, Origin, Rule, default_degree};

/// The settings of `shelflife check`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Check {
    /// Severities that differ from the defaults.
    pub rules: BTreeMap<Rule, Degree>,
    /// The size from which a picture is reported as large, in bytes.
    pub picture_size: u64,
    /// The length from which a description is reported as long, in characters.
    pub description_length: usize,
    /// Keys of entries that the site's templates read.
    pub keys: Vec<String>,
}

impl Default for Check {
    fn default() -> Self {
        Self { rules: BTreeMap::new(), picture_size: 1 << 20, description_length: 200, keys: Vec::new() }
    }
}

impl Check {
    /// Reads the settings from the text of a `shelflife.toml`; `None` if it can't be parsed.
    pub fn of_file(text: &str) -> Option<Self> {
        #[derive(Default, Deserialize)]
        #[serde(default)]
        struct File {
            check: wording::Table<Table>,
        }
        toml::from_str(text).ok().map(|File { check }| check.0.into())
    }

    /// The severity of breaking `rule` in a file of this origin.
    pub fn degree(&self, rule: Rule, origin: Origin) -> Degree {
        self.rules.get(&rule).copied().unwrap_or_else(|| default_degree(rule, origin))
    }
}

#[derive(Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct Table {
    picture_size: Size,
    #[serde(deserialize_with = "description_length")]
    description_length: usize,
    keys: Vec<String>,
    rules: wording::Table<Rules>,
}

#[derive(Default)]
struct Rules(BTreeMap<Rule, Degree>);

impl<'de> Deserialize<'de> for Rules {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let given: BTreeMap<Name, Given> = BTreeMap::deserialize(deserializer)?;
        Ok(Self(given.into_iter().map(|(Name(rule), Given(degree))| (rule, degree)).collect()))
    }
}

/// A rule by its name.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct Name(Rule);

impl<'de> Deserialize<'de> for Name {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let name = String::deserialize(deserializer)?;
        let known = Rule::ALL.into_iter().find(|rule| rule.name() == name && rule.is_about_files());
        known.map(Self).ok_or_else(|| {
            let nearest = Rule::nearest(&name).name();
            D::Error::custom(format!(
                "unknown rule `{name}`: did you mean `{nearest}`? `shelflife check --rules` lists all rules"
            ))
        })
    }
}

/// A severity by its name.
struct Given(Degree);

impl<'de> Deserialize<'de> for Given {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let degree = String::deserialize(deserializer)?;
        let all = [Degree::Off, Degree::Note, Degree::Warning, Degree::Error];
        let known = all.into_iter().find(|known| known.name() == degree);
        known.map(Self).ok_or_else(|| {
            D::Error::custom(format!(
                "`{degree}` is not a severity, expected \"off\", \"note\", \"warning\" or \"error\""
            ))
        })
    }
}

fn description_length<'de, D: Deserializer<'de>>(deserializer: D) -> Result<usize, D::Error> {
    let number = i64::deserialize(deserializer)?;
    usize::try_from(number).ok().filter(|number| (1..=10_000).contains(number)).ok_or_else(|| {
        D::Error::custom(format!("`{number}` is not a length, expected 1 to 10000 characters"))
    })
}

impl Default for Table {
    fn default() -> Self {
        let Check { picture_size, description_length, keys, .. } = Check::default();
        Self { picture_size: Size(picture_size), description_length, keys, rules: wording::Table::default() }
    }
}

impl From<Table> for Check {
    fn from(Table { picture_size, description_length, keys, rules }: Table) -> Self {
        Self { rules: rules.0.0, picture_size: picture_size.0, description_length, keys }
    }
}
