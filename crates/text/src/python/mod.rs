//! Extracts control properties from a plugin's Python source without running it.
//!
//! A plugin declares the Python versions that it supports in `__plugin_pythoncompat__`, a module-level assignment in
//! the `__init__.py` of its package; `setup.py` or `pyproject.toml` names the package. All three files come from other
//! people's repositories.
//!
//! A parser never sees a whole file. `token` splits it into tokens of any Python from 2.5 to 3.14, `assign` finds the
//! last top-level assignment to a wanted name among them, and `value` parses that one statement with rustpython-parser.
//! This has three advantages. A file in Python 2 syntax, which Python 3 parsers reject, is read like any other.
//! Unrelated code may use syntax that is newer than the parser. And everything that recurses (dropping a syntax tree,
//! parsing f-strings) sees at most [`STATEMENT_LIMIT`] bytes and [`TOKEN_LIMIT`] tokens, so no source can exhaust the
//! stack; the first two steps are loops over bytes.
//!
//! Only assignments count that Python's own `ast` would show in the module's body: `NAME = value`, also with several
//! targets, with an annotation, or after a semicolon; nothing inside `if`, `try`, `def`, `class` and other blocks, and
//! no other binding of a name (tuples, `+=`, `:=`, imports). The last such assignment decides, whatever its value: if
//! that is not a literal, an earlier literal is not used instead. A literal is a string, a sequence of implicitly
//! concatenated strings, or `gettext(…)` around one; bytes, f-strings and expressions are not literals. Escapes in
//! `ur"…"`, which only Python 2 has, are not interpreted.
//!
//! A source that no version of Python can read has no properties: one with a null byte (and so UTF-16), an unterminated
//! string, brackets that don't match or nest deeper than [`NESTING_LIMIT`], or a backslash before anything but a line
//! end. Apart from that, the source is not validated. Encoding declarations (PEP 263) are ignored: every encoding that
//! extends ASCII gives the same tokens, and a value that isn't ASCII is neither a package nor a specifier. Bytes that
//! aren't UTF-8 are read as Latin-1.

mod assign;
mod pyproject;
mod said;
mod token;
mod value;

#[cfg(test)]
mod tests;

use pep440_rs::VersionSpecifiers;
use serde::{Deserialize, Serialize};

pub use said::Said;

/// The version of the extraction. Raise it when the same source can give other [`Properties`]; it is stored with
/// [`Said`].
pub const VERSION: u32 = 1;

/// The maximum size of a source in bytes; larger ones are generated or hostile, and have no properties.
pub const SOURCE_LIMIT: usize = 1 << 20;

/// The maximum size of a `pyproject.toml` in bytes; parsing one takes more than a hundred times its size in memory.
pub const PYPROJECT_LIMIT: usize = 1 << 17;

/// The maximum size of an assignment in bytes; a longer one counts as not literal. No package or specifier comes close.
pub const STATEMENT_LIMIT: usize = 4096;

/// The maximum number of tokens in an assignment, which bounds the depth of the syntax tree; a longer one counts as not
/// literal.
pub const TOKEN_LIMIT: usize = 256;

/// The maximum nesting of brackets and f-strings. CPython's tokenizer rejects deeper brackets (`MAXLEVEL`).
pub const NESTING_LIMIT: usize = 200;

/// The maximum length of a package name in bytes, which is that of a path component in most file systems.
pub const PACKAGE_LIMIT: usize = 255;

/// The maximum length of a specifier in bytes.
pub const SPECIFIER_LIMIT: usize = 255;

/// The kind of file that a source is from. The same bytes mean different things in different files.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// `setup.py`
    Setup,
    /// `pyproject.toml`
    Pyproject,
    /// A package's `__init__.py`
    Init,
}

/// The properties in a plugin's source: a pure function of its bytes and [`Role`], meant to be stored under both and
/// [`VERSION`].
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Properties {
    /// The plugin's package as a dotted name; [`init_path`] builds a safe path from it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub package: Option<String>,
    /// `__plugin_pythoncompat__` as written; [`valid_specifier`] checks whether it is a specifier.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pythoncompat: Option<String>,
}

impl Properties {
    /// The properties in `source`, the content of a file with this `role`.
    pub fn of(role: Role, source: &[u8]) -> Self {
        match role {
            Role::Setup => Self { package: package_of_setup(source), ..Self::default() },
            Role::Pyproject => Self { package: package_of_pyproject(source), ..Self::default() },
            Role::Init => Self { pythoncompat: pythoncompat(source), ..Self::default() },
        }
    }
}

/// The plugin's package according to its `setup.py`: `plugin_package`, or else `octoprint_` and
/// `plugin_identifier`.
///
/// `None` if neither is assigned a string literal, or if the result isn't a plain dotted name.
pub fn package_of_setup(source: &[u8]) -> Option<String> {
    let [package, identifier] = literals(source, ["plugin_package", "plugin_identifier"])?;
    package.or_else(|| Some(format!("octoprint_{}", identifier?))).filter(|package| is_package(package))
}

/// The plugin's identifier according to its `setup.py`: `plugin_identifier`, as written.
pub fn identifier_of_setup(source: &[u8]) -> Option<String> {
    let [identifier] = literals(source, ["plugin_identifier"])?;
    identifier
}

/// The plugin's identifier according to its `pyproject.toml`: the name of the first entry point in the group
/// `octoprint.plugin`.
pub fn identifier_of_pyproject(source: &[u8]) -> Option<String> {
    pyproject::entry_point(source).map(|(name, _)| name)
}

/// The plugin's package according to its `pyproject.toml`: the package of the first entry point in the group
/// `octoprint.plugin` ([entry points
/// specification](https://packaging.python.org/en/latest/specifications/entry-points/)).
///
/// `package` and `package:object` both mean `package`, and so does `package.module:object`: the object is defined in a
/// module, and `__init__.py` is in that module's package.
///
/// `None` if the file isn't TOML, has no such entry point, or the package isn't a plain dotted name.
pub fn package_of_pyproject(source: &[u8]) -> Option<String> {
    pyproject::package(source).filter(|package| is_package(package))
}

/// The value of `__plugin_pythoncompat__` in a package's `__init__.py`, as written.
pub fn pythoncompat(source: &[u8]) -> Option<String> {
    let [compat] = literals(source, ["__plugin_pythoncompat__"])?;
    compat
}

/// The path, from the repository's root, of the file with a package's properties: `octoprint_foo/__init__.py`.
///
/// `None` unless `package` is a plain dotted name of ASCII letters, digits and underscores, so that the path can't lead
/// anywhere else.
pub fn init_path(package: &str) -> Option<String> {
    is_package(package).then(|| format!("{}/__init__.py", package.replace('.', "/")))
}

/// Whether `text` is a non-empty set of version specifiers ([PEP
/// 440](https://peps.python.org/pep-0440/#version-specifiers)).
///
/// Empty clauses, as after a trailing comma, are allowed, as in pip and OctoPrint.
pub fn valid_specifier(text: &str) -> bool {
    let mut clauses = text.split(',').map(str::trim).filter(|clause| !clause.is_empty()).peekable();
    text.len() <= SPECIFIER_LIMIT
        && clauses.peek().is_some()
        && clauses.all(|clause| clause.parse::<VersionSpecifiers>().is_ok())
}

fn is_package(name: &str) -> bool {
    let is_identifier = |part: &str| {
        part.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
            && part.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_')
    };
    name.len() <= PACKAGE_LIMIT && name.split('.').all(is_identifier)
}

/// For each of `names` the literal that is last assigned to it. `None` if the source can't be read.
fn literals<const N: usize>(source: &[u8], names: [&str; N]) -> Option<[Option<String>; N]> {
    if source.len() > SOURCE_LIMIT {
        return None;
    }
    let found = assign::last_assignments(source, &names)?;
    Some(std::array::from_fn(|n| value::literal(source.get(found[n].clone()?)?, names[n])))
}
