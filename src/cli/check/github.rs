//! Findings as annotations and as a job summary on GitHub Actions.

use std::path::Path;

use crate::check::{Checked, Finding, Found, Stretch};
use crate::cli::runner::{data, property, text as escaped};
use crate::rule::Degree;

/// How many findings the summary lists.
const LISTED: usize = 50;

/// A workflow command for each finding, the worst first, because GitHub shows at most ten of each level per step
/// (<https://docs.github.com/en/actions/reference/workflows-and-actions/workflow-commands>). `site` is the site's
/// folder in the repository.
pub(super) fn commands(findings: &[&Finding], site: &Path) -> String {
    let command = |Finding { degree, found }: &Finding| {
        let level = match degree {
            Degree::Off | Degree::Note => "notice",
            Degree::Warning => "warning",
            Degree::Error => "error",
        };
        let place = found.place.as_ref().map_or_else(String::new, |place| {
            let Stretch { path, line, column, end_line, end_column } = place;
            let file = property(&site.join(path).to_string_lossy());
            // Columns are allowed only if start and end are on the same line.
            let end = if end_line == line && end_column > column {
                format!("endColumn={end_column},")
            } else {
                String::new()
            };
            format!("file={file},line={line},col={column},{end}")
        });
        let Found { rule, message, help, .. } = found;
        let help = help.iter().map(|help| format!("\n{help}")).collect::<String>();
        format!("::{level} {place}title={}::{}\n", rule.name(), data(&format!("{message}{help}")))
    };
    let mut findings = findings.to_vec();
    findings.sort_by_key(|finding| std::cmp::Reverse(finding.degree));
    findings.into_iter().map(command).collect()
}

/// The job's summary: `headline` and a table of findings.
pub(super) fn summary(checked: &Checked, headline: &str) -> String {
    let mut markdown = format!("### {}\n\n", escaped(headline));
    if checked.findings.is_empty() {
        return markdown;
    }
    markdown.push_str("| | place | message | rule |\n| --- | --- | --- | --- |\n");
    let mut findings: Vec<&Finding> = checked.findings.iter().collect();
    findings.sort_by_key(|finding| std::cmp::Reverse(finding.degree));
    for Finding { degree, found } in findings.iter().take(LISTED) {
        let place = found.place.as_ref().map_or_else(String::new, |it| format!("{}:{}", it.path, it.line));
        let help = found.help.iter().map(|help| format!(" (help: {help})")).collect::<String>();
        let what = escaped(&format!("{}{help}", found.message));
        let (place, rule) = (escaped(&place), found.rule.name());
        markdown.push_str(&format!("| {} | {place} | {what} | {rule} |\n", degree.name()));
    }
    if let Some(more) = findings.len().checked_sub(LISTED).filter(|more| *more > 0) {
        markdown.push_str(&format!("\nand {more} more\n"));
    }
    markdown.push('\n');
    markdown
}
