//! `update_check_overlays.yaml`: where to look for a plugin's updates instead of where the plugin says.

use serde_json::{Map, Value};

use crate::config::Limits;
use crate::problem::Problem;
use crate::yaml::Reader;

/// For each plugin's id, in the order of the file, the settings that replace its own (`user`, `repo`, `pip`, …), by
/// their YAML 1.1 meaning.
pub type Overlays = Map<String, Value>;

/// Reads `update_check_overlays.yaml`; an empty file is an empty mapping.
///
/// # Errors
/// Everything that is wrong with the file, in its order.
pub fn overlays(path: &str, bytes: &[u8], limits: &Limits) -> Result<Overlays, Vec<Problem>> {
    let (text, tree) = super::read(path, bytes, limits)?;
    let mut reader = Reader::new(&text);
    let mut found = Overlays::new();
    if let Some(root) = tree.root() {
        if root.fields().is_none() {
            let message = format!("the file must hold a mapping of plugin ids, found {}", root.describe());
            reader.wrong(root.span(), message, "write `plugin_id:` and its settings indented below it");
        }
        for field in root.fields().into_iter().flatten() {
            if field.value.fields().is_some() {
                found.insert(field.key.to_owned(), field.value.to_json());
            } else {
                let message =
                    format!("the overlay of a plugin must be a mapping, found {}", field.value.describe());
                reader.wrong(
                    field.key_span.clone(),
                    message,
                    "write settings such as `repo: …` indented below the id",
                );
            }
        }
    }
    reader.finish(Some(found))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn overlays(path: &str, bytes: &[u8]) -> Result<Overlays, Vec<Problem>> {
        super::overlays(path, bytes, &Limits::default())
    }

    #[test]
    fn overlays_keep_order_and_types() {
        let file = b"b_plugin:\n  user: x\n  prerelease: yes\n  a: [1]\na_plugin: {repo: r}\n";
        let json = serde_json::to_string(&overlays("o.yaml", file).unwrap()).unwrap();
        assert_eq!(json, r#"{"b_plugin":{"user":"x","prerelease":true,"a":[1]},"a_plugin":{"repo":"r"}}"#);
        assert_eq!(overlays("o.yaml", b"# none"), Ok(Overlays::new()));
        let problems = overlays("o.yaml", b"a:\nb: 1").unwrap_err();
        let lines: Vec<_> = problems.iter().map(|problem| problem.line_column().0).collect();
        assert_eq!(lines, [1, 2]);
    }
}
