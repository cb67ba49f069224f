//! Finds the package of a plugin in its `pyproject.toml`.

use toml::de::{DeTable, DeValue};

use super::PYPROJECT_LIMIT;

/// The package of the first entry point, in the order of the file, in the group `octoprint.plugin`; not validated.
pub(super) fn package(source: &[u8]) -> Option<String> {
    let (_, reference) = entry_point(source)?;
    // `module:object [extra]`, with optional whitespace everywhere.
    let reference = reference.split('[').next()?.trim();
    let Some((module, _)) = reference.split_once(':') else { return Some(reference.to_owned()) };
    let module = module.trim_end();
    Some(module.rsplit_once('.').map_or(module, |(package, _)| package).to_owned())
}

/// The name and object reference of the first entry point, in the order of the file, in the group `octoprint.plugin`.
pub(super) fn entry_point(source: &[u8]) -> Option<(String, String)> {
    if source.len() > PYPROJECT_LIMIT {
        return None;
    }
    let source = std::str::from_utf8(source.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(source)).ok()?;
    let document = DeTable::parse(source).ok()?;
    let mut table = document.get_ref();
    for key in ["project", "entry-points", "octoprint.plugin"] {
        let DeValue::Table(inner) = table.get(key)?.get_ref() else { return None };
        table = inner;
    }
    let (name, first) = table.iter().min_by_key(|(name, _)| name.span().start)?;
    let DeValue::String(reference) = first.get_ref() else { return None };
    Some((name.get_ref().clone().into_owned(), reference.clone().into_owned()))
}
