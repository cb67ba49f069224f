//! The fields that a document asks for, counted before it is executed.

use apollo_compiler::Node;
use apollo_compiler::ast::{Field, OperationDefinition, Selection};

use super::Fragments;

/// The fields that a GraphQL document asks for, with fragments expanded. Counts are of fields, not of their values.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Ask {
    /// `repository` fields.
    pub repositories: u64,
    /// `issue` fields.
    pub issues: u64,
    /// `object` fields with an `expression`.
    pub by_expression: u64,
    /// `object` fields with an `oid`.
    pub by_oid: u64,
    /// Connections: fields that GitHub counts as requests of their own.
    pub connections: u64,
    /// `text` fields.
    pub texts: u64,
}

/// The most selections to visit: fragments of fragments can make a short document exponential.
const ENOUGH: usize = 1_000_000;

impl Ask {
    /// Counts the fields of an operation.
    pub(super) fn of(operation: &OperationDefinition, fragments: &Fragments<'_>) -> Self {
        let mut ask = Self::default();
        let mut open: Vec<(&[Selection], usize)> = vec![(&operation.selection_set, 0)];
        let mut seen = 0;
        while let Some((selections, depth)) = open.pop() {
            seen += selections.len();
            // Only a cycle of fragments nests deeper than this, and execution refuses it.
            if depth > super::execute::DEEPEST || seen > ENOUGH {
                break;
            }
            for selection in selections {
                match selection {
                    Selection::Field(field) => {
                        ask.count(field);
                        open.push((&field.selection_set, depth + 1));
                    }
                    Selection::InlineFragment(fragment) => open.push((&fragment.selection_set, depth + 1)),
                    Selection::FragmentSpread(spread) => {
                        if let Some(fragment) = fragments.get(spread.fragment_name.as_str()) {
                            open.push((&fragment.selection_set, depth + 1));
                        }
                    }
                }
            }
        }
        ask
    }

    fn count(&mut self, field: &Node<Field>) {
        let has = |name: &str| field.arguments.iter().any(|argument| argument.name == name);
        match field.name.as_str() {
            "repository" => self.repositories += 1,
            "issue" => self.issues += 1,
            "object" => {
                self.by_expression += u64::from(has("expression"));
                self.by_oid += u64::from(has("oid"));
            }
            "text" => self.texts += 1,
            "stargazers" | "watchers" | "issues" | "releases" | "history" => self.connections += 1,
            _ => {}
        }
    }

    /// Returns the cost of executing the document, in points: GitHub divides the requests for connections by 100,
    /// rounds, and charges at least one.
    pub fn cost(&self) -> u64 {
        ((self.connections + 50) / 100).max(1)
    }
}
