//! Renamed keys of `shelflife.toml`, which are accepted for one version with a warning.

use std::sync::Arc;

use toml::Spanned;
use toml::de::{DeString, DeTable, DeValue};

use crate::problem::Problem;
use crate::rule::Rule;
use crate::warning::Warning;

/// A table, the former name of one of its keys, and its current name.
const RENAMED: [[&str; 3]; 1] = [["fetch", "keep", "stale_if_error"]];

/// Renames keys to their current names. `path` is the file's name in problems, `text` its content.
///
/// # Errors
///
/// When a table has the same key under both names.
pub(super) fn rename(path: &str, text: &Arc<str>, file: &mut DeTable<'_>) -> Result<Vec<Warning>, Problem> {
    let mut warnings = Vec::new();
    for [table, before, now] in RENAMED {
        let Some(DeValue::Table(keys)) = file.get_mut(table).map(Spanned::get_mut) else { continue };
        let Some((key, value)) = keys.remove_entry(before) else { continue };
        let place = key.span();
        if keys.contains_key(now) {
            let message =
                format!("`{table}.{before}` is the former name of `{table}.{now}`, which is also set");
            return Err(Problem::new(path, text, place, message).help("remove this line"));
        }
        let message = format!("`{table}.{before}` was renamed to `{table}.{now}`");
        let problem = Problem::new(path, text, place.clone(), message)
            .help(format!("rename the key; the next version of shelflife won't accept `{before}`"));
        warnings.push(Warning::at(Rule::Deprecated, &problem));
        keys.insert(Spanned::new(place, DeString::from(now)), value);
    }
    Ok(warnings)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn renamed(text: &str) -> Result<(String, Vec<Warning>), Problem> {
        let mut file = DeTable::parse(text).unwrap();
        let warnings = rename("shelflife.toml", &text.into(), file.get_mut())?;
        let table: toml::Table = serde::Deserialize::deserialize(toml::Deserializer::from(file)).unwrap();
        Ok((table.to_string(), warnings))
    }

    #[test]
    fn each_earlier_name_means_the_present_one_with_a_warning() {
        for [table, before, now] in RENAMED {
            let (file, warnings) = renamed(&format!("[{table}]\n{before} = 1\nother = 2")).unwrap();
            assert_eq!(file, format!("[{table}]\nother = 2\n{now} = 1\n"));
            let [warning] = warnings.as_slice() else { panic!("one warning in {warnings:?}") };
            assert_eq!(warning.rule, Rule::Deprecated);
            assert_eq!(warning.message, format!("`{table}.{before}` was renamed to `{table}.{now}`"));
            assert_eq!(warning.place.as_ref().unwrap().to_string(), "shelflife.toml:2:1");
            let (_, none) = renamed(&format!("[{table}]\n{now} = 1")).unwrap();
            assert!(none.is_empty(), "{none:?}");
        }
    }

    #[test]
    fn a_key_under_both_names_is_refused() {
        let [table, before, now] = RENAMED[0];
        let problem = renamed(&format!("[{table}]\n{now} = 1\n{before} = 2")).unwrap_err();
        assert!(problem.to_string().starts_with("shelflife.toml:3:1: "), "{problem}");
    }
}
