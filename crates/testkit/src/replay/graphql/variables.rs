//! Variables: the client's values and the defaults, checked against the operation's declarations.

use apollo_compiler::ast::{OperationDefinition, Type, Value as Literal, VariableDefinition};
use apollo_compiler::parser::SourceMap;
use serde_json::{Map, Value, json};

use super::locations;

/// Returns the values of an operation's variables (GraphQL specification, section 6.1.2), or GitHub's errors.
pub(super) fn coerce(
    operation: &OperationDefinition,
    given: &Map<String, Value>,
    sources: &SourceMap,
) -> Result<Map<String, Value>, Vec<Value>> {
    let mut values = Map::new();
    let mut errors = Vec::new();
    for definition in &operation.variables {
        let name = definition.name.as_str();
        let value = match (given.get(name), &definition.default_value) {
            (Some(value), _) => value.clone(),
            (None, Some(default)) => literal(default, &Map::new()),
            (None, None) if definition.ty.is_non_null() => Value::Null,
            (None, None) => continue,
        };
        match problem(&value, &definition.ty) {
            None => {
                values.insert(name.to_owned(), value);
            }
            Some(why) => errors.push(json!({
                "message": message(definition),
                "locations": locations(definition.location(), sources),
                "extensions": {"value": value, "problems": [{"path": [], "explanation": why}]},
            })),
        }
    }
    if errors.is_empty() { Ok(values) } else { Err(errors) }
}

fn message(definition: &VariableDefinition) -> String {
    format!("Variable ${} of type {} was provided invalid value", definition.name, definition.ty)
}

fn problem(value: &Value, ty: &Type) -> Option<String> {
    if value.is_null() {
        return ty.is_non_null().then(|| "Expected value to not be null".to_owned());
    }
    let fits = match ty {
        Type::List(item) | Type::NonNullList(item) => {
            return match value {
                Value::Array(values) => values.iter().find_map(|value| problem(value, item)),
                // A single value stands for a list of one.
                value => problem(value, item),
            };
        }
        Type::Named(name) | Type::NonNullNamed(name) => match name.as_str() {
            "Int" => value.as_i64().is_some_and(|n| i32::try_from(n).is_ok()),
            "Float" => value.is_number(),
            "Boolean" => value.is_boolean(),
            "ID" => value.is_string() || value.is_i64() || value.is_u64(),
            "GitObjectID" => value.as_str().is_some_and(is_object_id),
            // Enumerations and unknown scalars are strings in JSON; input objects are objects.
            "String" => value.is_string(),
            _ => value.is_string() || value.is_object(),
        },
    };
    (!fits).then(|| format!("Could not coerce value {value} to {}", ty.inner_named_type()))
}

/// Returns whether this is a full object id. GitHub accepts no abbreviation here.
pub(super) fn is_object_id(text: &str) -> bool {
    text.len() == 40 && text.bytes().all(|byte| byte.is_ascii_hexdigit())
}

/// Converts a literal to JSON, with variables replaced; a variable without a value is null.
pub(super) fn literal(value: &Literal, variables: &Map<String, Value>) -> Value {
    match value {
        Literal::Null => Value::Null,
        Literal::Enum(name) => name.as_str().into(),
        Literal::Variable(name) => variables.get(name.as_str()).cloned().unwrap_or(Value::Null),
        Literal::String(text) => text.as_str().into(),
        Literal::Float(number) => number.try_to_f64().map_or(Value::Null, Value::from),
        Literal::Int(number) => number.as_str().parse::<i64>().map_or(Value::Null, Value::from),
        Literal::Boolean(flag) => (*flag).into(),
        Literal::List(items) => items.iter().map(|item| literal(item, variables)).collect(),
        Literal::Object(fields) => {
            let fields = fields.iter().map(|(name, value)| (name.to_string(), literal(value, variables)));
            Value::Object(fields.collect())
        }
    }
}
