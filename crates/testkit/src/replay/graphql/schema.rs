//! GitHub's schema, parsed once per process, and the validation of documents.

use std::collections::HashMap;
use std::fmt;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, LazyLock, Mutex, PoisonError};

use apollo_compiler::ast::Document;
use apollo_compiler::validation::{DiagnosticList, Valid};
use serde_json::{Value, json};

/// A GraphQL schema to validate documents against. Cheap to clone.
#[derive(Clone)]
pub struct Schema(Arc<Valid<apollo_compiler::Schema>>);

impl Schema {
    /// Loads a schema from a file. GitHub's takes a good part of a second to parse, so each file is parsed once per
    /// process.
    ///
    /// # Errors
    /// The file can't be read, or isn't a schema ([`io::ErrorKind::InvalidData`]).
    pub fn load(path: &Path) -> io::Result<Self> {
        static LOADED: LazyLock<Mutex<HashMap<PathBuf, Schema>>> = LazyLock::new(Mutex::default);
        let path = path.canonicalize()?;
        // The lock is held while parsing: tests start many servers at once, and only one should do the work.
        let mut loaded = LOADED.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(schema) = loaded.get(&path) {
            return Ok(schema.clone());
        }
        let text = std::fs::read_to_string(&path)?;
        let schema = Self::parse(&text).map_err(|why| {
            io::Error::new(io::ErrorKind::InvalidData, format!("{}: {why}", path.display()))
        })?;
        loaded.insert(path, schema.clone());
        Ok(schema)
    }

    /// Parses a schema.
    ///
    /// Of a field that is defined twice, the first definition counts: GitHub has published schemas with such fields.
    ///
    /// # Errors
    /// The text isn't a valid schema in any other way.
    pub fn parse(text: &str) -> Result<Self, String> {
        let schema = match apollo_compiler::Schema::parse_and_validate(text, "schema.graphql") {
            Ok(schema) => schema,
            Err(broken) if broken.errors.iter().all(|it| is_second_field(&it.error.to_string())) => {
                Valid::assume_valid(broken.partial)
            }
            Err(broken) => return Err(broken.errors.to_string()),
        };
        Ok(Self(Arc::new(schema)))
    }

    /// Validates the text of a document, as the server does with the documents it receives.
    ///
    /// # Errors
    /// The document isn't valid; the message says why.
    pub fn check(&self, document: &str) -> Result<(), String> {
        let document = Document::parse(document, "document.graphql").map_err(|it| it.errors.to_string())?;
        document.to_executable_validate(&self.0).map(drop).map_err(|broken| broken.errors.to_string())
    }

    /// Validates all operations of a document (GraphQL specification, section 5).
    pub(super) fn validate(&self, document: &Document) -> Result<(), Vec<Value>> {
        document.to_executable_validate(&self.0).map(drop).map_err(|broken| errors(&broken.errors))
    }
}

impl fmt::Debug for Schema {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Schema({} types)", self.0.types.len())
    }
}

/// Returns whether a diagnostic reports a field that is defined twice. The library offers no other way to recognize it.
fn is_second_field(message: &str) -> bool {
    message.starts_with("duplicate definitions for the ") && message.contains(" field of object type ")
}

/// Formats diagnostics as a GraphQL response does.
pub(super) fn errors(diagnostics: &DiagnosticList) -> Vec<Value> {
    let errors = diagnostics.iter().map(|diagnostic| {
        let error = diagnostic.to_json();
        json!({"message": error.message, "locations": error.locations})
    });
    errors.collect()
}
