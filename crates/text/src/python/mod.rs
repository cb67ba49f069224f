//! Control properties out of a plugin's Python source, without running it.
//!
//! A plugin says which Python it runs on in `__plugin_pythoncompat__`, a module-level assignment in its package's
//! `__init__.py`; which package that is stands in `setup.py` or `pyproject.toml`. All three come from strangers'
//! repositories.
//!
//! A whole file is never given to a parser. `token` cuts it into tokens, those of any Python from 2.5 to 3.14,
//! `assign` finds the last top-level assignment to a wanted name among them, and `value` parses that one statement
//! with rustpython-parser. This order has three reasons. A file in Python 2 syntax, which no Python 3 parser
//! accepts, is read like any other. Code far away from the assignment, in a syntax newer than the parser, does no
//! harm. And everything that recurses (dropping a syntax tree, parsing f-strings) sees at most [`STATEMENT_LIMIT`]
//! bytes and [`TOKEN_LIMIT`] tokens, so no source can exhaust the stack; the first two steps are loops over bytes.
//!
//! What counts is what Python's own `ast` would show in the module's body: `NAME = value`, with several targets or
//! an annotation as well, also after a semicolon; nothing inside `if`, `try`, `def`, `class` and the like, and
//! nothing that binds a name by other means (tuples, `+=`, `:=`, imports). The last such assignment decides, whatever
//! its value: if that is no literal, an earlier literal isn't resurrected. A literal is a string, implicitly
//! concatenated strings, or `gettext(…)` around such; bytes, f-strings and expressions are none. In `ur"…"`, which only
//! Python 2 has, no escapes are interpreted.
//!
//! A source that no Python can read has no properties: a null byte (so UTF-16), an unterminated string, brackets that
//! don't match or nest deeper than [`NESTING_LIMIT`], a backslash before anything but a line end. Beyond that a
//! source isn't validated. Encoding declarations (PEP 263) need no attention: whatever extends ASCII is cut into
//! the same tokens, and a value that isn't ASCII is neither a package nor a specifier. Bytes that aren't UTF-8
//! are taken for Latin-1.

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

/// Raise when the same source can give other [`Properties`]: with [`Said`], this number is kept.
pub const VERSION: u32 = 1;

/// Sources of more bytes have no properties; a longer one is generated or hostile.
pub const SOURCE_LIMIT: usize = 1 << 20;

/// Of a `pyproject.toml` less is read, as parsing one takes more than a hundred times its size in memory.
pub const PYPROJECT_LIMIT: usize = 1 << 17;

/// Assignments of more bytes than this have no literal value, as no package or specifier is nearly as long.
pub const STATEMENT_LIMIT: usize = 4096;

/// Assignments of more tokens than this have no literal value; it bounds the depth of the syntax tree.
pub const TOKEN_LIMIT: usize = 256;

/// How deep brackets and f-strings may nest: CPython's tokenizer refuses more brackets (`MAXLEVEL`).
pub const NESTING_LIMIT: usize = 200;

/// The longest name of a package, in bytes; as long as file systems let one path component be.
pub const PACKAGE_LIMIT: usize = 255;

/// The longest specifier, in bytes.
pub const SPECIFIER_LIMIT: usize = 255;

/// Which of a plugin's files a source is; the same bytes say different things in different places.
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

/// What a plugin's source says about the plugin: a pure function of bytes and [`Role`], made to be stored under both
/// and [`VERSION`].
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Properties {
    /// The plugin's package, dotted; safe to build a path from with [`init_path`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub package: Option<String>,
    /// `__plugin_pythoncompat__` as written; anything at all unless [`valid_specifier`] says otherwise.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pythoncompat: Option<String>,
}

impl Properties {
    /// What the file with content `source` says in its `role`.
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

/// The plugin's identifier according to its `pyproject.toml`: the name of the first entry point of the group
/// `octoprint.plugin`.
pub fn identifier_of_pyproject(source: &[u8]) -> Option<String> {
    pyproject::entry_point(source).map(|(name, _)| name)
}

/// The plugin's package according to its `pyproject.toml`: the first entry point of the group `octoprint.plugin`
/// ([entry points specification](https://packaging.python.org/en/latest/specifications/entry-points/)).
///
/// Of `package` and `package:object` that is `package`, and of `package.module:object` too: an object is
/// defined in a module, and the module's package is what has an `__init__.py`.
///
/// `None` if the file isn't TOML, names no such entry point, or names one that isn't a plain dotted name.
pub fn package_of_pyproject(source: &[u8]) -> Option<String> {
    pyproject::package(source).filter(|package| is_package(package))
}

/// The value of `__plugin_pythoncompat__` according to a package's `__init__.py`, as written.
pub fn pythoncompat(source: &[u8]) -> Option<String> {
    let [compat] = literals(source, ["__plugin_pythoncompat__"])?;
    compat
}

/// Where a package's properties are, from the repository's root: `octoprint_foo/__init__.py`.
///
/// `None` unless `package` is a plain dotted name of ASCII letters, digits and underscores, and so can't lead
/// anywhere else.
pub fn init_path(package: &str) -> Option<String> {
    is_package(package).then(|| format!("{}/__init__.py", package.replace('.', "/")))
}

/// Whether `text` is a set of version specifiers
/// ([PEP 440](https://peps.python.org/pep-0440/#version-specifiers)) that constrains something.
///
/// Empty clauses, as after a trailing comma, are allowed as pip and OctoPrint allow them.
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

/// For each of `names` the literal that the module binds it to in the end. `None` if the source can't be read.
fn literals<const N: usize>(source: &[u8], names: [&str; N]) -> Option<[Option<String>; N]> {
    if source.len() > SOURCE_LIMIT {
        return None;
    }
    let found = assign::last_assignments(source, &names)?;
    Some(std::array::from_fn(|n| value::literal(source.get(found[n].clone()?)?, names[n])))
}
