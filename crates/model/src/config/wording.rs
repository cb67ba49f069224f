//! What is said of a wrong value, in the words of a configuration file and not in those of the program.

use std::fmt;
use std::marker::PhantomData;

use serde::de::value::MapAccessDeserializer;
use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};

/// A table of keys. Left to itself, serde takes a list for one as well: its first item for the first key.
#[derive(Default)]
pub(super) struct Table<T>(pub(super) T);

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Table<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Keys<T>(PhantomData<T>);
        impl<'de, T: Deserialize<'de>> Visitor<'de> for Keys<T> {
            type Value = T;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a table")
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<T, A::Error> {
                T::deserialize(MapAccessDeserializer::new(map))
            }
        }
        deserializer.deserialize_map(Keys(PhantomData)).map(Self)
    }
}

/// The message for what serde says.
pub(super) fn message(said: &str) -> String {
    let said = said.trim_end().replace("unknown field", "unknown key").replace('\n', ", ");
    let wrong_type = said.strip_prefix("invalid type: ").and_then(|rest| rest.rsplit_once(", expected "));
    match wrong_type {
        Some((found, expected)) => format!("this is {}, expected {}", kind(found), wanted(expected)),
        None => said,
    }
}

/// What stands there. serde gives its type, and mostly its value behind it.
fn kind(found: &str) -> &str {
    let kinds = [
        ("integer", "a whole number"),
        ("floating point", "a number"),
        ("boolean", "true or false without quotes"),
        ("string", "text"),
        ("sequence", "a list"),
        ("map", "a table"),
    ];
    kinds.iter().find(|(name, _)| found.starts_with(name)).map_or(found, |(_, words)| words)
}

/// What should stand there.
fn wanted(expected: &str) -> &str {
    match expected {
        "a string" | "path string" => "text in quotes",
        "i64" => "a whole number",
        "a boolean" => "true or false",
        other => other,
    }
}
