//! `update_check_overlays.yaml`, and its variant for Python 2: where OctoPrint checks plugins for updates.

use serde_json::{Map, Value};

use super::Read;
use crate::config::Limits;
use crate::rule::Rule;
use crate::yaml::Reader;

/// For each plugin's id, in file order, the settings that replace the plugin's own (`user`, `repo`, `pip`, …), as YAML
/// 1.1 values.
pub type Overlays = Map<String, Value>;

/// Reads `update_check_overlays.yaml` or its variant for Python 2; an empty file is an empty mapping.
///
/// # Errors
/// As [`super::Read`].
pub fn overlays(path: &str, bytes: &[u8], limits: &Limits) -> Read<Overlays> {
    let (text, tree) = super::read(path, bytes, limits)?;
    let mut reader = Reader::new(&text, &tree);
    let mut found = Overlays::new();
    if let Some(root) = tree.root() {
        if root.fields().is_none() {
            let message = format!("the file must contain a mapping of plugin ids, found {}", root.describe());
            let problem = text.problem(root.span(), message);
            reader.refuse(problem.help("write `plugin_id:`, with its settings indented below it"));
        }
        for field in root.fields().into_iter().flatten() {
            if field.value.fields().is_some() {
                found.insert(field.key.to_owned(), field.value.to_json());
            } else {
                let message = format!(
                    "this overlay must be a mapping, found {}; it is left out",
                    field.value.describe()
                );
                let help = "write settings such as `repo: …` indented below the id";
                reader.warn(Rule::DataItem, field.key_span.clone(), message, help);
            }
        }
    }
    reader.finish(Some(found))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn overlays(path: &str, bytes: &[u8]) -> Read<Overlays> {
        super::overlays(path, bytes, &Limits::default())
    }

    #[test]
    fn overlays_keep_order_and_types() {
        let file = b"b_plugin:\n  user: x\n  prerelease: yes\n  a: [1]\na_plugin: {repo: r}\n";
        let json = serde_json::to_string(&overlays("o.yaml", file).unwrap().0).unwrap();
        assert_eq!(json, r#"{"b_plugin":{"user":"x","prerelease":true,"a":[1]},"a_plugin":{"repo":"r"}}"#);
        assert_eq!(overlays("o.yaml", b"# none"), Ok((Overlays::new(), vec![])));
        let (rest, warnings) = overlays("o.yaml", b"a:\nb: 1\nc: {repo: r}").unwrap();
        let lines: Vec<_> = warnings.iter().map(|warning| warning.place.as_ref().unwrap().line).collect();
        assert_eq!((lines, rest.len()), (vec![1, 2], 1));
        assert!(overlays("o.yaml", b"- a").is_err());
    }
}
