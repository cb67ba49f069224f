//! Tests of the extraction from Python, for any source.

mod hostile;
mod oracle;
mod pyproject;
mod random;
mod table;

use super::literals;

/// The literal that `source` assigns to `x`.
fn x(source: impl AsRef<[u8]>) -> Option<String> {
    literals(source.as_ref(), ["x"]).and_then(|[value]| value)
}
