//! Execution: walks the selection sets, asks each node for its fields, and collects data and errors.
//!
//! It follows the GraphQL specification, section 6, and knows no field by name except `__typename`; `node.rs` has the
//! fields.

use apollo_compiler::Node as Ast;
use apollo_compiler::ast::{DirectiveList, Document, Field, Selection};
use serde_json::{Map, Value, json};

use super::node::{Found, Node, Scope};
use super::variables::literal;
use super::{Answer, Ask, Fragments, Ready, fragments, locations};
use crate::replay::limits::Budget;
use crate::replay::world::World;

/// The deepest nesting of selection sets; only a cycle of fragments goes deeper.
pub(super) const DEEPEST: usize = 40;

/// An error of the whole document: GitHub finds it before it executes anything, so there is no data.
struct Fatal(Value);

/// Executes a checked call.
pub(super) fn run(ready: &Ready, world: &World, ask: Ask, budget: Budget) -> Answer {
    let scope = Scope { world, budget, cost: ask.cost() };
    let fragments = fragments(&ready.document);
    let mut run = Run {
        document: &ready.document,
        fragments,
        variables: &ready.variables,
        scope,
        path: Vec::new(),
        errors: Vec::new(),
        texts: 0,
    };
    match run.object(&Node::Query, &[&ready.operation.selection_set]) {
        Ok(data) if run.errors.is_empty() => {
            Answer { status: 200, body: json!({"data": data}), texts: run.texts, invalid: false }
        }
        Ok(data) => {
            let body = json!({"data": data, "errors": run.errors});
            Answer { status: 200, body, texts: run.texts, invalid: false }
        }
        Err(Fatal(error)) => {
            Answer { status: 200, body: json!({"errors": [error]}), texts: 0, invalid: true }
        }
    }
}

struct Run<'a> {
    document: &'a Document,
    fragments: Fragments<'a>,
    variables: &'a Map<String, Value>,
    scope: Scope<'a>,
    path: Vec<Value>,
    errors: Vec<Value>,
    texts: u64,
}

/// Fields that share a response key, in the order in which the keys first appear.
type Collected<'a> = Vec<(&'a str, Vec<&'a Ast<Field>>)>;

impl<'a> Run<'a> {
    fn object(&mut self, node: &Node<'a>, sets: &[&'a Vec<Selection>]) -> Result<Value, Fatal> {
        let mut collected = Vec::new();
        let mut visited = Vec::new();
        for set in sets {
            self.collect(node, set, &mut visited, &mut collected);
        }
        let mut data = Map::new();
        for (key, fields) in collected {
            self.path.push(key.into());
            let value = self.field(node, &fields);
            self.path.pop();
            data.insert(key.to_owned(), value?);
        }
        Ok(Value::Object(data))
    }

    fn collect(
        &self,
        node: &Node<'_>,
        set: &'a [Selection],
        visited: &mut Vec<&'a str>,
        collected: &mut Collected<'a>,
    ) {
        for selection in set {
            match selection {
                Selection::Field(field) if self.included(&field.directives) => {
                    let key = field.alias.as_ref().unwrap_or(&field.name).as_str();
                    match collected.iter_mut().find(|(it, _)| *it == key) {
                        Some((_, fields)) => fields.push(field),
                        None => collected.push((key, vec![field])),
                    }
                }
                Selection::InlineFragment(fragment)
                    if self.included(&fragment.directives)
                        && fragment.type_condition.as_ref().is_none_or(|ty| node.is(ty)) =>
                {
                    self.collect(node, &fragment.selection_set, visited, collected);
                }
                Selection::FragmentSpread(spread) if self.included(&spread.directives) => {
                    let name = spread.fragment_name.as_str();
                    if visited.contains(&name) {
                        continue;
                    }
                    visited.push(name);
                    if let Some(fragment) = self.fragments.get(name).filter(|it| node.is(&it.type_condition))
                    {
                        self.collect(node, &fragment.selection_set, visited, collected);
                    }
                }
                _ => {}
            }
        }
    }

    /// Evaluates `@include` and `@skip` (section 3.13).
    fn included(&self, directives: &DirectiveList) -> bool {
        let says = |name: &str, flag: bool| {
            let directive = directives.iter().find(|directive| directive.name == name)?;
            let argument = directive.arguments.iter().find(|argument| argument.name == "if")?;
            Some(literal(&argument.value, self.variables) == Value::Bool(flag))
        };
        says("include", true).unwrap_or(true) && says("skip", false).unwrap_or(true)
    }

    fn field(&mut self, parent: &Node<'a>, fields: &[&'a Ast<Field>]) -> Result<Value, Fatal> {
        let Some(field) = fields.first() else { return Ok(Value::Null) };
        if self.path.len() > DEEPEST {
            return Err(self.fatal(field, "tooDeep", "The document nests too deeply"));
        }
        if field.name == "__typename" {
            return Ok(parent.type_name().into());
        }
        let arguments =
            field.arguments.iter().map(|it| (it.name.to_string(), literal(&it.value, self.variables)));
        let found = match parent.field(&field.name, &arguments.collect(), &self.scope) {
            Some(found) => found,
            None => return Err(self.undefined(parent, field)),
        };
        let sets: Vec<_> = fields.iter().map(|field| &field.selection_set).collect();
        let selects = sets.iter().any(|set| !set.is_empty());
        match found {
            Found::One(_) | Found::Many(_) | Found::Absent if !selects => {
                Err(self.mismatch(field, "must have selections"))
            }
            Found::Leaf(_) if selects => Err(self.mismatch(field, "can't have selections")),
            Found::Leaf(value) => {
                self.texts += u64::from(field.name == "text" && value.is_string());
                Ok(value)
            }
            Found::Absent => Ok(Value::Null),
            Found::One(node) => match node.connection().and_then(|it| it.problem(&field.name, &sets)) {
                Some((kind, message)) => Ok(self.refused(field, kind, &message)),
                None => self.object(&node, &sets),
            },
            Found::Many(nodes) => {
                let mut values = Vec::with_capacity(nodes.len());
                for (index, node) in nodes.iter().enumerate() {
                    self.path.push(index.into());
                    let value = self.object(node, &sets);
                    self.path.pop();
                    values.push(value?);
                }
                Ok(Value::Array(values))
            }
            Found::Refused(kind, message) => Ok(self.refused(field, kind, &message)),
            Found::Unfit { code, message } => Err(self.fatal(field, code, &message)),
        }
    }

    /// Records an error of this field alone, and returns null.
    fn refused(&mut self, field: &Ast<Field>, kind: &str, message: &str) -> Value {
        self.errors.push(json!({
            "type": kind,
            "path": self.path,
            "locations": locations(field.location(), &self.document.sources),
            "message": message,
        }));
        Value::Null
    }

    fn undefined(&self, parent: &Node<'_>, field: &Ast<Field>) -> Fatal {
        let message = format!("Field '{}' doesn't exist on type '{}'", field.name, parent.type_name());
        self.fatal(field, "undefinedField", &message)
    }

    fn mismatch(&self, field: &Ast<Field>, what: &str) -> Fatal {
        self.fatal(field, "selectionMismatch", &format!("Field '{}' {what}", field.name))
    }

    fn fatal(&self, field: &Ast<Field>, code: &str, message: &str) -> Fatal {
        let mut path = vec![Value::from("query")];
        path.extend(self.path.iter().cloned());
        Fatal(json!({
            "path": path,
            "extensions": {"code": code, "fieldName": field.name.as_str()},
            "locations": locations(field.location(), &self.document.sources),
            "message": message,
        }))
    }
}
