//! Rewords serde's errors in terms of a configuration file.

use std::fmt;
use std::marker::PhantomData;

use serde::de::value::MapAccessDeserializer;
use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};

/// A table of keys. Serde itself would also accept a list, and take its first item for the first key.
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

/// Rewords an error message of serde.
pub(super) fn message(said: &str) -> String {
    let said = said.trim_end().replace("unknown field", "unknown key").replace('\n', ", ");
    let wrong_type = said.strip_prefix("invalid type: ").and_then(|rest| rest.rsplit_once(", expected "));
    match wrong_type {
        Some((found, expected)) => format!("this is {}, expected {}", kind(found), wanted(expected)),
        None => said,
    }
}

/// The type that was found. Serde gives its name, usually followed by the value.
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

/// The type that was expected.
fn wanted(expected: &str) -> &str {
    match expected {
        "a string" | "path string" => "text in quotes",
        "i64" => "a whole number",
        "a boolean" => "true or false",
        other => other,
    }
}
