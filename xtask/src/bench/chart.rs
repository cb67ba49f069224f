//! The chart: a bar for each number that has a goal, as long as its share of the goal.

use std::fmt::Write as _;

use super::goals::{Facing, Row};
use super::table::times;

/// Lengths are in pixels.
const WIDTH: f64 = 970.0;
const LABELS: f64 = 460.0;
const BAR: f64 = 18.0;
const STEP: f64 = 30.0;
const TOP: f64 = 56.0;
/// The share of the goal at which the chart ends; longer bars are cut off and marked.
const END: f64 = 2.0;

/// Colors for light and for dark mode; text has a contrast of at least 4.5 in both.
const STYLE: &str = "\
text { font: 13px system-ui, sans-serif; fill: #24292f }
.title { font-weight: 600; font-size: 15px }
.soft { fill: #57606a }
.met { fill: #1a7f37 }
.missed { fill: #bc4c00 }
.goal { stroke: #24292f; stroke-width: 1.5; stroke-dasharray: 4 3 }
@media (prefers-color-scheme: dark) {
  text { fill: #e6edf3 }
  .soft { fill: #9ea7b3 }
  .met { fill: #3fb950 }
  .missed { fill: #f0883e }
  .goal { stroke: #e6edf3 }
}";

/// Draws the rows whose share of the goal is known.
pub(crate) fn draw(rows: &[Row]) -> String {
    let share = |row: &Row| row.facing.as_ref().and_then(|it: &Facing| it.share);
    let known: Vec<(&Row, f64)> = rows.iter().filter_map(|row| Some((row, share(row)?))).collect();
    let bottom = TOP + STEP * known.len() as f64;
    let height = bottom + 34.0;
    let unit = (WIDTH - LABELS - 120.0) / END;
    let goal = LABELS + unit;
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {height}\" role=\"img\" \
         aria-labelledby=\"title\">\n<title id=\"title\">Each number as a share of its goal: shorter is better</title>\n\
         <style>\n{STYLE}\n</style>\n<text class=\"title\" x=\"16\" y=\"26\">Share of the goal: shorter is better</text>\n"
    );
    for (number, (row, share)) in known.iter().enumerate() {
        let y = TOP + STEP * number as f64;
        let length = (share.min(END) * unit).max(1.0);
        let (class, mark) = if *share <= 1.0 { ("met", "") } else { ("missed", "missed: ") };
        let more = if *share > END { "» " } else { "" };
        let goal = row.facing.as_ref().map_or("", |it| it.goal.as_str());
        let _ = writeln!(
            svg,
            "<g><title>{scenario}: {median}; goal: {goal}</title>\
             <text x=\"{x:.1}\" y=\"{text:.1}\" text-anchor=\"end\">{scenario}</text>\
             <rect class=\"{class}\" x=\"{LABELS}\" y=\"{y:.1}\" width=\"{length:.1}\" height=\"{BAR}\" rx=\"2\"/>\
             <text class=\"soft\" x=\"{after:.1}\" y=\"{text:.1}\">{more}{mark}{share}</text></g>",
            scenario = escaped(&row.scenario),
            median = escaped(&row.median),
            goal = escaped(goal),
            x = LABELS - 10.0,
            text = y + BAR - 4.5,
            after = LABELS + length + 6.0,
            share = times(*share),
        );
    }
    let _ = writeln!(
        svg,
        "<line class=\"goal\" x1=\"{goal:.1}\" y1=\"{:.1}\" x2=\"{goal:.1}\" y2=\"{bottom:.1}\"/>\n\
         <text class=\"soft\" x=\"{goal:.1}\" y=\"{:.1}\" text-anchor=\"middle\">the goal</text>\n</svg>",
        TOP - 10.0,
        bottom + 18.0,
    );
    svg
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bench::stage::Extent;

    fn row(scenario: &str, share: Option<f64>) -> Row {
        Row {
            scenario: scenario.into(),
            extent: Extent::Defaults,
            what: String::new(),
            median: "1 s".into(),
            spread: String::new(),
            processor: String::new(),
            floor: None,
            peer: None,
            facing: Some(Facing { goal: "at most 1 & <2>".into(), share }),
        }
    }

    /// Returns the tags in order, and panics at the first one that doesn't open and close as XML requires.
    fn tags(xml: &str) -> Vec<String> {
        let (mut open, mut seen, mut rest) = (Vec::new(), Vec::new(), xml);
        while let Some((text, after)) = rest.split_once('<') {
            let stray =
                text.replace("&amp;", "").replace("&lt;", "").replace("&gt;", "").replace("&quot;", "");
            assert!(!stray.contains('&') && !stray.contains('>') || text.contains("prefers"), "{text}");
            let Some((tag, after)) = after.split_once('>') else { panic!("an open tag at {after}") };
            rest = after;
            if let Some(name) = tag.strip_prefix('/') {
                assert_eq!(open.pop().as_deref(), Some(name));
                continue;
            }
            assert_eq!(tag.matches('"').count() % 2, 0, "{tag}");
            let name = tag.split([' ', '\n', '/']).next().unwrap_or_default().to_owned();
            seen.push(name.clone());
            if !tag.ends_with('/') {
                open.push(name);
            }
        }
        assert!(open.is_empty(), "{open:?}");
        seen
    }

    #[test]
    fn it_is_xml_with_a_bar_for_each_known_share() {
        let svg = draw(&[row("a < b & \"c\"", Some(0.3)), row("unknown", None), row("far", Some(25.0))]);
        assert_eq!(tags(&svg).iter().filter(|tag| *tag == "rect").count(), 2);
        assert!(svg.contains("a &lt; b &amp; &quot;c&quot;"));
        assert!(svg.contains("» missed: 25.0 ×"));
        assert!(!svg.contains("unknown"));
        assert_eq!(tags(&draw(&[])).first().map(String::as_str), Some("svg"));
    }
}
