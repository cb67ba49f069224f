//! `compat.yaml`: the names of operating systems, and groups of them.

use std::collections::HashSet;

use super::Read;
use crate::config::Limits;
use crate::rule::Rule;
use crate::yaml::{Field, Node, Reader};

/// Operating systems and groups of them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Compat {
    names: Vec<(String, String)>,
    groups: Vec<(String, Vec<String>)>,
    default: Vec<String>,
}

impl Default for Compat {
    /// The values for a registry without the file.
    fn default() -> Self {
        let names = [("windows", "Windows"), ("linux", "Linux"), ("macos", "macOS"), ("freebsd", "FreeBSD")];
        let list = |names: &[&str]| names.iter().map(|&name| name.to_owned()).collect::<Vec<_>>();
        Self {
            names: names.iter().map(|&(id, name)| (id.to_owned(), name.to_owned())).collect(),
            groups: vec![
                ("posix".to_owned(), list(&["linux", "freebsd", "macos"])),
                ("nix".to_owned(), list(&["linux", "freebsd"])),
            ],
            default: list(&["windows", "linux", "macos", "freebsd"]),
        }
    }
}

impl Compat {
    /// `declared` with each group replaced by its systems, without duplicates.
    pub fn expand(&self, declared: &[String]) -> Vec<String> {
        let mut seen = HashSet::new();
        let mut expanded = Vec::new();
        for name in declared {
            let group = self.groups.iter().find(|(group, _)| group == name);
            let systems = group.map_or(std::slice::from_ref(name), |(_, systems)| systems);
            expanded.extend(systems.iter().filter(|system| seen.insert(system.as_str())).cloned());
        }
        expanded
    }

    /// The display name of the system `id`; the id itself if the file has no name for it.
    pub fn name<'a>(&'a self, id: &'a str) -> &'a str {
        self.names.iter().find(|(known, _)| known == id).map_or(id, |(_, name)| name)
    }

    /// Whether the file has a system or group `id`.
    pub fn knows(&self, id: &str) -> bool {
        self.known().any(|known| known == id)
    }

    /// All systems and groups of the file, in file order.
    pub fn known(&self) -> impl Iterator<Item = &str> {
        let names = self.names.iter().map(|(name, _)| name.as_str());
        names.chain(self.groups.iter().map(|(group, _)| group.as_str()))
    }

    /// The systems of a plugin that declares none.
    pub fn default_systems(&self) -> &[String] {
        &self.default
    }
}

/// Reads `compat.yaml`. What is missing or invalid in the file is as in [`Compat::default`].
///
/// # Errors
/// As [`super::Read`].
pub fn compat(path: &str, bytes: &[u8], limits: &Limits) -> Read<Compat> {
    let (text, tree) = super::read(path, bytes, limits)?;
    let mut reader = Reader::new(&text, &tree);
    let mut found = Compat::default();
    let systems =
        tree.root().and_then(|root| mapping(&mut reader, "the file", root)?.find(|field| field.key == "os"));
    if let Some(systems) = systems.and_then(|field| inner(&mut reader, field)) {
        for field in systems {
            match field.key {
                "name" => {
                    found.names = inner(&mut reader, field)
                        .into_iter()
                        .flatten()
                        .filter_map(|field| Some((field.key.to_owned(), reader.text_in(Some(field))?)))
                        .collect();
                }
                "map" => {
                    found.groups = inner(&mut reader, field)
                        .into_iter()
                        .flatten()
                        .map(|field| (field.key.to_owned(), texts(&mut reader, field)))
                        .collect();
                }
                "default" => found.default = texts(&mut reader, field),
                _ => {}
            }
        }
    }
    reader.finish(Some(found))
}

fn texts<'t>(reader: &mut Reader<'t>, field: Field<'t>) -> Vec<String> {
    reader.texts(Some(field), false).into_iter().map(|(text, _)| text).collect()
}

fn inner<'t>(reader: &mut Reader<'t>, field: Field<'t>) -> Option<impl Iterator<Item = Field<'t>> + use<'t>> {
    mapping(reader, &format!("`{}`", field.key), field.value)
}

fn mapping<'t>(
    reader: &mut Reader<'t>,
    name: &str,
    node: Node<'t>,
) -> Option<impl Iterator<Item = Field<'t>> + use<'t>> {
    let fields = node.fields();
    if fields.is_none() && !node.is_null() {
        let message = format!("{name} must be a mapping, found {}; it is left out", node.describe());
        reader.warn(Rule::DataItem, node.span(), message, "");
    }
    fields
}

#[cfg(test)]
mod tests {
    use super::*;

    fn compat(path: &str, bytes: &[u8]) -> (Compat, Vec<String>) {
        let (compat, warnings) = super::compat(path, bytes, &Limits::default()).unwrap();
        (compat, warnings.iter().map(ToString::to_string).collect())
    }

    fn list(names: &[&str]) -> Vec<String> {
        names.iter().map(|&name| name.to_owned()).collect()
    }

    #[test]
    fn groups_are_expanded_once() {
        let compat = Compat::default();
        assert_eq!(
            compat.expand(&list(&["macos", "nix", "posix", "beos"])),
            ["macos", "linux", "freebsd", "beos"]
        );
        assert_eq!(compat.expand(&[]), Vec::<String>::new());
        assert_eq!(compat.name("freebsd"), "FreeBSD");
        assert_eq!(compat.name("beos"), "beos");
        assert!(compat.knows("nix") && compat.knows("windows") && !compat.knows("beos"));
    }

    #[test]
    fn a_file_replaces_what_it_names() {
        let file = b"os:\n  name: {beos: BeOS}\n  map:\n    all: [beos, linux]\n";
        let (compat, warnings) = compat("c.yaml", file);
        assert!(warnings.is_empty());
        assert_eq!(compat.name("beos"), "BeOS");
        assert_eq!(compat.expand(&list(&["all", "nix"])), ["beos", "linux", "nix"]);
        assert_eq!(compat.default_systems(), Compat::default().default_systems());
    }

    #[test]
    fn wrong_types_are_told() {
        let (compat, shown) =
            compat("c.yaml", b"os:\n  name: [x]\n  map:\n    posix: linux\n  default: {}\n");
        assert_eq!(
            shown,
            [
                "c.yaml:2:9: `name` must be a mapping, found a list; it is left out",
                "c.yaml:4:12: `posix` must be a list, found the text `linux`; it is read as a list with one item",
                "c.yaml:5:12: `default` must be a list, found a mapping; it is read as a list with one item",
                "c.yaml:5:12: each item of `default` must be text, found a mapping; it is left out",
            ]
        );
        assert_eq!(compat.name("windows"), "windows", "the file has no names");
        assert_eq!(compat.expand(&list(&["posix"])), ["linux"]);
    }
}
