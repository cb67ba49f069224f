//! The table `search` of `shelflife.toml`: words that count as equal in searches.

use std::str::FromStr;

use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize};

/// The theme's own synonyms: words that visitors type, and words that plugins use.
const OWN: [&str; 10] = [
    "done, finished, complete, ready => notify, alert, push, message",
    "notify, alert, push",
    "camera, webcam",
    "power, plug, socket, outlet, relay",
    "off, shutdown => shutdown, power",
    "light, led, lamp",
    "phone, smartphone => mobile, android, ios",
    "theme, skin",
    "cost, price",
    "colour, color",
];

/// Words, and the words that they also find. Serialized as a list of two lists.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Synonyms(Vec<String>, Vec<String>);

impl FromStr for Synonyms {
    type Err = String;

    /// Parses `camera, webcam`, where each word finds the others, or `done, finished => notify, alert`, where the words
    /// before the arrow also find those after it.
    fn from_str(text: &str) -> Result<Self, String> {
        let words = |part: &str| -> Option<Vec<String>> {
            let is_word = |word: &&str| !word.is_empty() && word.chars().all(char::is_alphanumeric);
            part.split(',').map(|word| Some(word.trim()).filter(is_word).map(str::to_lowercase)).collect()
        };
        let read = match text.split_once("=>") {
            Some((from, to)) => words(from).zip(words(to)),
            None => words(text).filter(|words| words.len() > 1).map(|words| (words.clone(), words)),
        };
        let (from, to) = read.ok_or_else(|| {
            format!(
                "`{text}` is not a list of synonyms, expected single words such as \"camera, webcam\" or \
                 \"done, finished => notify, alert\""
            )
        })?;
        Ok(Self(from, to))
    }
}

impl<'de> Deserialize<'de> for Synonyms {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(D::Error::custom)
    }
}

#[derive(Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct Table {
    pub(super) synonyms: Vec<Synonyms>,
}

impl Default for Table {
    fn default() -> Self {
        Self { synonyms: OWN.iter().filter_map(|text| text.parse().ok()).collect() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_theme_knows_is_documented() {
        let docs = include_str!("../../../../docs/configuration.md");
        assert_eq!(Table::default().synonyms.len(), OWN.len());
        for text in OWN {
            assert!(docs.contains(&format!("  \"{text}\",\n")), "{text} is not in docs/configuration.md");
        }
    }

    #[test]
    fn words_mean_each_other_or_others() {
        let read = |text: &str| {
            text.parse::<Synonyms>().map(|Synonyms(from, to)| format!("{}>{}", from.join(" "), to.join(" ")))
        };
        assert_eq!(read(" Camera,webcam").unwrap(), "camera webcam>camera webcam");
        assert_eq!(read("done, finished => alert").unwrap(), "done finished>alert");
        for wrong in ["", "camera", "camera,", "=> alert", "done =>", "web cam, camera", "a => b => c"] {
            assert!(read(wrong).unwrap_err().contains("expected single words"), "{wrong}");
        }
    }
}
