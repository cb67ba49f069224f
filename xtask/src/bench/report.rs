//! What `shelflife build --report` wrote, as far as a bench wants to know.

use serde_json::{Value, json};

/// The phases whose durations a report has, in their order.
pub(crate) const PHASES: [&str; 6] = ["scan", "evaluate", "fetch", "render", "publish", "total"];

/// Queries that turn Markdown into HTML. Each computation of one of them is a rendering, unless a memo answered it.
const MARKDOWN: [&str; 2] = ["description", "feed_description"];

/// A build's report.
#[derive(Debug, Clone, Default)]
pub(crate) struct Report(Value);

impl Report {
    pub(crate) fn new(value: Value) -> Self {
        Self(value)
    }

    fn number(&self, pointer: &str) -> Option<u64> {
        self.0.pointer(pointer).and_then(Value::as_u64)
    }

    /// How long a phase took, in milliseconds.
    pub(crate) fn phase(&self, phase: &str) -> Option<u64> {
        self.number(&format!("/durations/{phase}_ms"))
    }

    /// Files that were written.
    pub(crate) fn written(&self) -> Option<u64> {
        self.number("/outputs/written")
    }

    /// Requests to all sources.
    pub(crate) fn requests(&self) -> u64 {
        let tallies = self.0.get("requests").and_then(Value::as_object);
        let count = |tally: &Value| tally.get("requests").and_then(Value::as_u64).unwrap_or(0);
        tallies.map_or(0, |tallies| tallies.values().map(count).sum())
    }

    /// How often Markdown was rendered: this is what memos are to bring to zero. Where the report counts memos
    /// (`memos.markdown.computed`), that counts; otherwise each computation of a query that renders Markdown does.
    pub(crate) fn markdown_renderings(&self) -> Option<u64> {
        if let Some(computed) = self.number("/memos/markdown/computed") {
            return Some(computed);
        }
        let queries = self.0.get("queries")?.as_object()?;
        let computed = |(name, count): (&String, &Value)| {
            let last = name.rsplit(':').next().unwrap_or(name);
            MARKDOWN.contains(&last).then(|| count.get("computed").and_then(Value::as_u64).unwrap_or(0))
        };
        Some(queries.iter().filter_map(computed).sum())
    }

    /// The parts that a bench keeps.
    pub(crate) fn json(&self) -> Value {
        json!({
            "durations": self.0.get("durations"),
            "written": self.written(),
            "requests": self.requests(),
            "markdown_renderings": self.markdown_renderings(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn renderings_are_counted_by_memo_or_by_query() {
        let queries = json!({"description": {"computed": 3}, "feed_description": {"computed": 2}, "x": {"computed": 9}});
        assert_eq!(Report::new(json!({"queries": queries})).markdown_renderings(), Some(5));
        let both = json!({"queries": queries, "memos": {"markdown": {"computed": 0}}});
        assert_eq!(Report::new(both).markdown_renderings(), Some(0));
        assert_eq!(Report::new(json!({})).markdown_renderings(), None);
    }
}
