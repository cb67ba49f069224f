//! The published form of a history, from which a lost cache is restored.

use std::collections::BTreeMap;
use std::fmt;

use serde::ser::SerializeMap as _;
use serde::{Deserialize, Serialize, Serializer};

use super::{Day, History, Measure, Observation, thinning};
use crate::entry::is_identifier;

/// The history of one plugin as published in `history.json`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Published {
    /// The name of the entry's file without `.md`, which is the plugin's id in the API.
    pub stem: String,
    /// The id that the entry declares.
    pub id: String,
    /// The history.
    pub history: History,
}

impl Published {
    /// The published form of a stored history, without usage numbers if usage is not counted. A history that can't be
    /// deserialized becomes empty.
    pub fn of(stem: &str, id: &str, packed: &[u8], is_counted: bool) -> Self {
        let history = History::unpack(packed).unwrap_or_default();
        let history = if is_counted { history } else { history.without_usage() };
        Self { stem: stem.to_owned(), id: id.to_owned(), history }
    }

    /// The content of `history.json`, on one line.
    pub fn to_json(&self) -> String {
        let mut text = serde_json::to_string(self).unwrap_or_default();
        text.push('\n');
        text
    }
}

impl Serialize for Published {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(3))?;
        map.serialize_entry("id", &self.stem)?;
        map.serialize_entry("declared_id", &self.id)?;
        map.serialize_entry("series", &Series(&self.history))?;
        map.end()
    }
}

/// The series that are not empty.
struct Series<'a>(&'a History);

impl Serialize for Series<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let series = Measure::ALL.into_iter().map(|measure| (measure.name(), self.0.of(measure)));
        let pairs = |all: &[Observation]| -> Vec<(String, u64)> {
            all.iter().map(|one| (one.day.to_string(), one.value)).collect()
        };
        let series = series.filter(|(_, all)| !all.is_empty());
        serializer.collect_map(series.map(|(name, all)| (name, pairs(all))))
    }
}

/// Why a text is not a usable history.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Unfit {
    /// It is not JSON of the expected shape.
    Shape(String),
    /// It is the history of another plugin.
    Other(String),
    /// The declared id is invalid.
    Id(String),
    /// The dates of a series are not in ascending order, or are before 1970, or are too many.
    Order(Measure),
    /// A date is later than today.
    Future(Measure),
}

impl fmt::Display for Unfit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Shape(error) => write!(f, "not a history: {error}"),
            Self::Other(stem) => write!(f, "this is the history of `{}`", stem.escape_default()),
            Self::Id(id) => write!(f, "`{}` is not a valid plugin id", id.escape_default()),
            Self::Order(measure) => {
                write!(f, "the dates of `{}` are not in ascending order", measure.name())
            }
            Self::Future(measure) => write!(f, "`{}` has a date in the future", measure.name()),
        }
    }
}

/// The most observations of one measure that are read. There are fewer days than that since 1970, and a thinned series
/// is far shorter.
const MOST: usize = 100_000;

impl Published {
    /// Reads the history of the plugin called `stem` in the API, with dates up to `today`. Unknown measures are
    /// ignored.
    ///
    /// # Errors
    ///
    /// When the text is not a valid history of this plugin; then nothing in it is usable.
    pub fn read(json: &[u8], stem: &str, today: Day) -> Result<Self, Unfit> {
        #[derive(Deserialize)]
        struct Text {
            id: String,
            declared_id: String,
            series: BTreeMap<String, Vec<(jiff::civil::Date, u64)>>,
        }
        let text: Text = serde_json::from_slice(json).map_err(|error| Unfit::Shape(error.to_string()))?;
        if text.id != stem {
            return Err(Unfit::Other(text.id));
        }
        if !is_identifier(&text.declared_id) {
            return Err(Unfit::Id(text.declared_id));
        }
        let mut history = History::default();
        for (name, pairs) in text.series {
            let Some(measure) = Measure::named(&name) else { continue };
            if pairs.len() > MOST {
                return Err(Unfit::Order(measure));
            }
            let series = &mut history.0[measure as usize];
            for (date, value) in pairs {
                let day = Day::from_date(date).ok_or(Unfit::Order(measure))?;
                if series.last().is_some_and(|last| last.day >= day) {
                    return Err(Unfit::Order(measure));
                }
                if day > today {
                    return Err(Unfit::Future(measure));
                }
                series.push(Observation { day, value });
            }
            thinning::thin(series);
        }
        Ok(Self { stem: text.id, id: text.declared_id, history })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn today() -> Day {
        Day::from_date(jiff::civil::date(2026, 11, 25)).unwrap()
    }

    fn read(json: &str) -> Result<Published, Unfit> {
        Published::read(json.as_bytes(), "mqtt", today())
    }

    #[test]
    fn what_is_published_is_read_again() {
        let mut history = History::default();
        history.observe(Measure::Stars, today(), 7);
        history.observe(Measure::InstancesMonth, Day::FIRST, u64::MAX);
        history.observe(Measure::InstancesMonth, today(), 12);
        let published = Published { stem: "mqtt".to_owned(), id: "MQTT".to_owned(), history };
        let json = published.to_json();
        assert_eq!(
            json,
            "{\"id\":\"mqtt\",\"declared_id\":\"MQTT\",\"series\":{\"instances_month\":[[\"1970-01-01\",18446744073709551615],\
             [\"2026-11-25\",12]],\"stars\":[[\"2026-11-25\",7]]}}\n"
        );
        assert_eq!(read(&json), Ok(published));
    }

    #[test]
    fn what_makes_no_sense_is_refused() {
        let text = |id: &str, declared: &str, series: &str| {
            read(&format!("{{\"id\": \"{id}\", \"declared_id\": \"{declared}\", \"series\": {{{series}}}}}"))
        };
        let of = |series: &str| text("mqtt", "mqtt", &format!("\"stars\": {series}"));
        assert!(of("[[\"2026-01-01\", 1], [\"2026-01-02\", 0]]").is_ok());
        for series in [
            "1",
            "[1]",
            "[[\"2026-01-01\", -1]]",
            "[[\"2026-01-01\", 1.5]]",
            "[[\"2026-01-01\", 1e30]]",
            "[[\"2026-01-01\", 18446744073709551616]]",
            "[[\"2026-01-01\", \"1\"]]",
            "[[\"2026-01-01\"]]",
            "[[\"2026-01-01\", 1, 2]]",
            "[[\"2026-02-30\", 1]]",
            "[[\"x\", 1]]",
        ] {
            assert!(matches!(of(series), Err(Unfit::Shape(_))), "{series}");
        }
        let order = Err(Unfit::Order(Measure::Stars));
        assert_eq!(of("[[\"2026-01-02\", 1], [\"2026-01-02\", 2]]"), order);
        assert_eq!(of("[[\"2026-01-02\", 1], [\"2026-01-01\", 2]]"), order);
        assert_eq!(of("[[\"1969-12-31\", 1]]"), order);
        assert_eq!(of("[[\"2026-11-26\", 1]]"), Err(Unfit::Future(Measure::Stars)));
        assert_eq!(text("other", "mqtt", ""), Err(Unfit::Other("other".to_owned())));
        assert_eq!(text("mqtt", "../x", ""), Err(Unfit::Id("../x".to_owned())));
        for json in ["", "[]", "{}", "{\"id\": \"mqtt\"}", &"[".repeat(100_000)] {
            assert!(matches!(read(json), Err(Unfit::Shape(_))), "{}", json.len());
        }
        let unknown = text("mqtt", "mqtt", "\"forks\": [[\"2026-01-01\", 1]]");
        assert!(unknown.unwrap().history.is_empty());
    }
}
