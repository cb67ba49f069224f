//! GitHub's GraphQL endpoint: reads a request, refuses what GitHub would refuse, and executes the rest on a world.
//!
//! The transport follows <https://docs.github.com/graphql/guides/forming-calls-with-graphql>: a JSON object with
//! `query` and `variables` arrives by POST, and errors of a document are returned with status 200.

mod ask;
mod connection;
mod execute;
mod node;
mod schema;
mod variables;

use std::collections::HashMap;

use apollo_compiler::Node;
use apollo_compiler::ast::{Definition, Document, FragmentDefinition, OperationDefinition, OperationType};
use apollo_compiler::parser::{SourceMap, SourceSpan};
use serde_json::{Map, Value, json};

use super::limits::Budget;
use super::world::World;

pub use ask::Ask;
pub use schema::Schema;

/// The fragments of a document, by name.
pub(crate) type Fragments<'d> = HashMap<&'d str, &'d Node<FragmentDefinition>>;

/// A GraphQL request, read and checked but not executed.
#[derive(Debug)]
pub(crate) struct Call {
    ask: Ask,
    state: Result<Ready, Refusal>,
}

/// The result of a call.
#[derive(Debug)]
pub(crate) struct Answer {
    /// The status code.
    pub(crate) status: u16,
    /// The body.
    pub(crate) body: Value,
    /// The number of file texts in the body.
    pub(crate) texts: u64,
    /// Whether GitHub would refuse to execute the document.
    pub(crate) invalid: bool,
}

#[derive(Debug)]
struct Ready {
    document: Document,
    operation: Node<OperationDefinition>,
    variables: Map<String, Value>,
}

#[derive(Debug)]
struct Refusal {
    status: u16,
    body: Value,
    invalid: bool,
}

impl Refusal {
    fn bad_request(message: &str) -> Self {
        Self { status: 400, body: json!({"message": message}), invalid: false }
    }

    fn invalid(errors: Vec<Value>) -> Self {
        Self { status: 200, body: json!({"errors": Value::Array(errors)}), invalid: true }
    }
}

impl Call {
    /// Reads a request's body, and validates the document against the schema if there is one.
    pub(crate) fn read(body: &[u8], schema: Option<&Schema>) -> Self {
        let request = match Envelope::read(body) {
            Ok(request) => request,
            Err(refusal) => return Self { ask: Ask::default(), state: Err(refusal) },
        };
        let document = match Document::parse(request.query, "document.graphql") {
            Ok(document) => document,
            Err(broken) => {
                let errors = schema::errors(&broken.errors);
                return Self { ask: Ask::default(), state: Err(Refusal::invalid(errors)) };
            }
        };
        let operation = match choose(&document, request.operation.as_deref()) {
            Ok(operation) => operation,
            Err(refusal) => return Self { ask: Ask::default(), state: Err(refusal) },
        };
        let ask = Ask::of(&operation, &fragments(&document));
        let state = check(&document, &operation, &request.variables, schema).map(|variables| Ready {
            document,
            operation,
            variables,
        });
        Self { ask, state }
    }

    /// Returns the fields that the document asks for.
    pub(crate) fn ask(&self) -> Ask {
        self.ask
    }

    /// Executes the document. `budget` is the value of `rateLimit`.
    pub(crate) fn answer(&self, world: &World, budget: Budget) -> Answer {
        match &self.state {
            Err(Refusal { status, body, invalid }) => {
                Answer { status: *status, body: body.clone(), texts: 0, invalid: *invalid }
            }
            Ok(ready) => execute::run(ready, world, self.ask, budget),
        }
    }

    /// Returns GitHub's answer to a client without points left.
    pub(crate) fn exhausted() -> Value {
        json!({"errors": [{"type": "RATE_LIMITED", "message": "API rate limit exceeded for user ID 1."}]})
    }
}

/// The JSON object in a request's body.
struct Envelope {
    query: String,
    operation: Option<String>,
    variables: Map<String, Value>,
}

impl Envelope {
    fn read(body: &[u8]) -> Result<Self, Refusal> {
        let Ok(Value::Object(mut object)) = serde_json::from_slice(body) else {
            return Err(Refusal::bad_request("Problems parsing JSON"));
        };
        let Some(Value::String(query)) = object.remove("query") else {
            return Err(Refusal::bad_request("A query attribute must be specified and must be a string."));
        };
        let variables = match object.remove("variables") {
            None | Some(Value::Null) => Map::new(),
            Some(Value::Object(variables)) => variables,
            Some(_) => return Err(Refusal::bad_request("Variables must be an object.")),
        };
        let operation = object.get("operationName").and_then(Value::as_str).map(str::to_owned);
        Ok(Self { query, operation, variables })
    }
}

fn choose(document: &Document, name: Option<&str>) -> Result<Node<OperationDefinition>, Refusal> {
    let mut operations = document.definitions.iter().filter_map(|definition| match definition {
        Definition::OperationDefinition(operation) => Some(operation),
        _ => None,
    });
    let chosen = match name {
        Some(name) => operations.find(|it| it.name.as_ref().is_some_and(|it| it == name)),
        None => operations.next().filter(|_| operations.next().is_none()),
    };
    let message = match (chosen, name) {
        (Some(operation), _) if operation.operation_type == OperationType::Query => {
            return Ok(operation.clone());
        }
        (Some(_), _) => "The replay server only executes queries".to_owned(),
        (None, Some(name)) => format!("No operation named \"{name}\""),
        (None, None) => "An operation name is required".to_owned(),
    };
    Err(Refusal::invalid(vec![json!({"message": message})]))
}

fn check(
    document: &Document,
    operation: &OperationDefinition,
    given: &Map<String, Value>,
    schema: Option<&Schema>,
) -> Result<Map<String, Value>, Refusal> {
    if let Some(schema) = schema {
        schema.validate(document).map_err(Refusal::invalid)?;
    }
    variables::coerce(operation, given, &document.sources).map_err(Refusal::invalid)
}

fn fragments(document: &Document) -> Fragments<'_> {
    let named = document.definitions.iter().filter_map(|definition| match definition {
        Definition::FragmentDefinition(fragment) => Some((fragment.name.as_str(), fragment)),
        _ => None,
    });
    named.collect()
}

/// Returns the `locations` of an error: where in the document a node begins.
fn locations(span: Option<SourceSpan>, sources: &SourceMap) -> Value {
    match span.and_then(|span| span.line_column_range(sources)) {
        Some(range) => json!([{"line": range.start.line, "column": range.start.column}]),
        None => json!([]),
    }
}

#[cfg(test)]
mod tests;
