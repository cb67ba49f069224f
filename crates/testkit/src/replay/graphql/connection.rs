//! Connections: lists of which GitHub returns a page, and its errors if a query asks for no page or for one too large.
//!
//! <https://docs.github.com/graphql/guides/using-pagination-in-the-graphql-api>.

use apollo_compiler::ast::Selection;
use serde_json::Value;

use super::node::{Arguments, Found, Node, leaf};

/// A list with a count, of which a page is returned.
#[derive(Debug, Clone)]
pub(super) struct Connection<'w> {
    /// The name of its type.
    pub(super) kind: &'static str,
    total: u64,
    /// The nodes; `None` if the world knows only their number.
    nodes: Option<Vec<Node<'w>>>,
    /// The argument `first` or `last`; `true` means `last`.
    page: Option<(u64, bool)>,
    /// How many nodes precede the page, from the argument `after`.
    after: usize,
}

fn lists(selection: &Selection) -> bool {
    selection.as_field().is_some_and(|field| matches!(field.name.as_str(), "nodes" | "edges"))
}

impl<'w> Connection<'w> {
    /// Returns a connection of which only the count is known.
    pub(super) fn counted(kind: &'static str, total: u64) -> Self {
        Self { kind, total, nodes: None, page: Some((0, false)), after: 0 }
    }

    /// Returns a connection of these nodes, on the page that the arguments ask for.
    pub(super) fn listed(kind: &'static str, nodes: Vec<Node<'w>>, arguments: &Arguments) -> Self {
        let number = |name| arguments.get(name).and_then(Value::as_u64);
        let page = number("first").map(|n| (n, false)).or_else(|| number("last").map(|n| (n, true)));
        let after = arguments.get("after").and_then(Value::as_str).and_then(|cursor| cursor.parse().ok());
        Self { kind, total: nodes.len() as u64, nodes: Some(nodes), page, after: after.unwrap_or(0) }
    }

    /// Returns the page's nodes with their positions, which count from 1 and serve as cursors.
    fn page(&self) -> Option<Vec<(usize, &Node<'w>)>> {
        let nodes = self.nodes.as_ref()?;
        let (count, last) = self.page?;
        let count = usize::try_from(count).unwrap_or(usize::MAX);
        let skipped = if last { nodes.len().saturating_sub(count) } else { 0 }.max(self.after);
        Some((1..).zip(nodes).skip(skipped).take(count).collect())
    }

    /// Returns the value of a field.
    pub(super) fn field(&self, name: &str) -> Option<Found<'w>> {
        let edge = if self.kind == "ReleaseConnection" { "ReleaseEdge" } else { "CommitEdge" };
        match name {
            "totalCount" => Some(leaf(self.total)),
            "nodes" => Some(Found::Many(self.page()?.into_iter().map(|(_, node)| node.clone()).collect())),
            "edges" => {
                let edges =
                    self.page()?.into_iter().map(|(at, node)| Node::Edge(edge, at, Box::new(node.clone())));
                Some(Found::Many(edges.collect()))
            }
            "pageInfo" => Some(Found::One(Node::PageInfo(self.clone()))),
            _ => None,
        }
    }

    /// Returns the value of a field of `pageInfo`.
    pub(super) fn page_info(&self, name: &str) -> Option<Found<'w>> {
        let page = self.page().unwrap_or_default();
        let first = page.first().map(|(at, _)| *at);
        let last = page.last().map(|(at, _)| *at);
        Some(match name {
            "hasNextPage" => leaf(last.is_some_and(|at| (at as u64) < self.total)),
            "hasPreviousPage" => leaf(first.is_some_and(|at| at > 1)),
            "startCursor" => leaf(first.map(|at| at.to_string())),
            "endCursor" => leaf(last.map(|at| at.to_string())),
            _ => return None,
        })
    }

    /// Returns GitHub's error if a query asks for nodes without bounds or beyond them.
    pub(super) fn problem(&self, field: &str, sets: &[&Vec<Selection>]) -> Option<(&'static str, String)> {
        match self.page {
            Some((count, last)) if count > 100 => {
                let bound = if last { "last" } else { "first" };
                let message = format!(
                    "Requesting {count} records on the `{field}` connection exceeds the `{bound}` limit of 100 records."
                );
                Some(("EXCESSIVE_PAGINATION", message))
            }
            None if sets.iter().copied().flatten().any(lists) => {
                let message = format!(
                    "You must provide a `first` or `last` value to properly paginate the `{field}` connection."
                );
                Some(("MISSING_PAGINATION_BOUNDARIES", message))
            }
            _ => None,
        }
    }
}
