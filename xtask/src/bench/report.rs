//! The parts of `shelflife build --report` that benches use.

use serde_json::{Value, json};

/// The phases of a report that have durations, in order.
pub(crate) const PHASES: [&str; 6] = ["scan", "evaluate", "fetch", "render", "publish", "total"];

/// The queries that render Markdown as HTML. Each computation is a rendering, unless a memo answered it.
const MARKDOWN: [&str; 2] = ["description", "feed_description"];

/// The query that renders a plugin's page.
const PAGE: &str = "page";

/// A report of a build.
#[derive(Debug, Clone, Default)]
pub(crate) struct Report(Value);

impl Report {
    pub(crate) fn new(value: Value) -> Self {
        Self(value)
    }

    /// Reads the number of written outputs from a line of `shelflife watch`, whose builds write no report.
    pub(crate) fn of_line(line: &str) -> Option<Self> {
        let (before, _) =
            line.split_once(" outputs written").or_else(|| line.split_once(" output written"))?;
        let written: u64 = before.rsplit(' ').next()?.parse().ok()?;
        Some(Self(json!({"outputs": {"written": written}})))
    }

    fn number(&self, pointer: &str) -> Option<u64> {
        self.0.pointer(pointer).and_then(Value::as_u64)
    }

    /// Returns the duration of a phase, in milliseconds.
    pub(crate) fn phase(&self, phase: &str) -> Option<u64> {
        self.number(&format!("/durations/{phase}_ms"))
    }

    /// Returns the number of written files.
    pub(crate) fn written(&self) -> Option<u64> {
        self.number("/outputs/written")
    }

    /// Returns the number of rendered plugin pages; `None` if the report doesn't count queries.
    pub(crate) fn pages(&self) -> Option<u64> {
        self.0.get("queries")?;
        Some(self.number(&format!("/queries/{PAGE}/computed")).unwrap_or(0))
    }

    /// Returns the number of requests to all sources.
    pub(crate) fn requests(&self) -> u64 {
        let tallies = self.0.get("requests").and_then(Value::as_object);
        let count = |tally: &Value| tally.get("requests").and_then(Value::as_u64).unwrap_or(0);
        tallies.map_or(0, |tallies| tallies.values().map(count).sum())
    }

    /// Returns how many times Markdown was rendered, which memos are meant to reduce to zero: `memos.markdown.computed`
    /// if the report has it, otherwise the computations of the queries that render Markdown.
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

    /// Returns the parts of the report that a bench stores.
    pub(crate) fn json(&self) -> Value {
        json!({
            "durations": self.0.get("durations"),
            "written": self.written(),
            "pages_rendered": self.pages(),
            "requests": self.requests(),
            "markdown_renderings": self.markdown_renderings(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_tells_how_many_outputs_were_written() {
        let written = |line| Report::of_line(line).and_then(|report| report.written());
        assert_eq!(written("data/notices.yaml changed: 3 outputs written in 38 ms"), Some(3));
        assert_eq!(written("12 files changed: 1 output written, 2 removed in 71 ms"), Some(1));
        assert_eq!(written("Serving http://localhost:4000/ (press Ctrl-C to stop)"), None);
        let line = Report::of_line("the site changed: 1 output written in 12 ms").unwrap_or_default();
        assert_eq!((line.pages(), line.phase("total")), (None, None));
    }

    #[test]
    fn pages_that_nobody_rendered_are_none() {
        let pages = |queries: Value| Report::new(json!({"queries": queries})).pages();
        assert_eq!(pages(json!({})), Some(0));
        assert_eq!(pages(json!({"page": {"computed": 7, "reused": 9}})), Some(7));
    }

    #[test]
    fn renderings_are_counted_by_memo_or_by_query() {
        let queries = json!({"description": {"computed": 3}, "feed_description": {"computed": 2}, "x": {"computed": 9}});
        assert_eq!(Report::new(json!({"queries": queries})).markdown_renderings(), Some(5));
        let both = json!({"queries": queries, "memos": {"markdown": {"computed": 0}}});
        assert_eq!(Report::new(both).markdown_renderings(), Some(0));
        assert_eq!(Report::new(json!({})).markdown_renderings(), None);
    }
}
