//! What GitHub's runners show of a build: annotations beside the lines that are wrong, and the job's summary.

use std::fs::OpenOptions;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use crate::build::Problems;
use crate::problem::Problem;
use crate::report::{Report, count, unrefreshed};

/// How many warnings become annotations: GitHub shows ten of a step
/// (<https://docs.github.com/en/rest/checks/runs>).
const WARNINGS: usize = 10;

/// The runner that this process runs on.
#[derive(Debug)]
pub(super) struct Runner {
    /// Where the site is in the repository, as annotations name files.
    site: PathBuf,
    summary: Option<PathBuf>,
}

impl Runner {
    /// GitHub's runner, if this is one, for a build of the site in a folder.
    pub(super) fn of_process(site: &Path) -> Option<Self> {
        let get = |name: &str| std::env::var_os(name).filter(|value| !value.is_empty());
        (get("GITHUB_ACTIONS")? == "true").then(|| {
            let site = std::path::absolute(site).unwrap_or_else(|_| site.to_path_buf());
            let workspace = get("GITHUB_WORKSPACE").map(PathBuf::from);
            let inside =
                workspace.and_then(|workspace| site.strip_prefix(workspace).ok().map(Path::to_path_buf));
            let named = inside.unwrap_or(site);
            // A folder that is given as `.` is no part of a path.
            let site = named.components().collect();
            Self { site, summary: get("GITHUB_STEP_SUMMARY").map(PathBuf::from) }
        })
    }

    /// Annotates what is wrong in files.
    pub(super) fn problems<'p>(&self, problems: impl IntoIterator<Item = &'p Problem>) {
        for problem in problems {
            say(&self.annotation(problem));
        }
    }

    /// Annotates an error of the whole build.
    pub(super) fn error(&self, error: &miette::Report) {
        if let Some(problems) = error.downcast_ref::<Problems>() {
            self.problems(&problems.problems);
        } else if let Some(problem) = error.downcast_ref::<Problem>() {
            self.problems([problem]);
        } else {
            say(&format!("::error title=shelflife::{}", data(&error.to_string())));
        }
        self.summarise(&format!("### The site was not built\n\n{}\n", text(&error.to_string())));
    }

    fn annotation(&self, problem: &Problem) -> String {
        let (line, column) = problem.line_column();
        let file = self.site.join(problem.path());
        let advice = problem.advice().map(|advice| format!("\n{advice}")).unwrap_or_default();
        format!(
            "::error file={},line={line},col={column},title=shelflife::{}",
            property(&file.to_string_lossy()),
            data(&format!("{}{advice}", problem.message()))
        )
    }

    /// Annotates warnings, and writes the summary.
    pub(super) fn report(&self, report: &Report, unreadable: &[Problem]) {
        self.problems(unreadable);
        for warning in report.warnings.iter().chain(&unrefreshed::title(&report.unrefreshed)).take(WARNINGS) {
            say(&format!("::warning title=shelflife::{}", data(warning)));
        }
        self.summarise(&summary(report, unreadable));
    }

    /// Adds to the summary of the step. A build is not worse for a summary that can't be written.
    fn summarise(&self, markdown: &str) {
        let Some(path) = &self.summary else { return };
        let written = OpenOptions::new()
            .append(true)
            .create(true)
            .open(path)
            .and_then(|mut file| file.write_all(markdown.as_bytes()));
        if let Err(error) = written {
            let message = format!("can't write the summary {}: {error}", path.display());
            say(&format!("::warning title=shelflife::{}", data(&message)));
        }
    }
}

fn summary(report: &Report, unreadable: &[Problem]) -> String {
    let mut markdown = format!("### {}\n\n", text(&report.summary()));
    if !report.unrefreshed.is_empty() {
        let title = unrefreshed::title(&report.unrefreshed).unwrap_or_default();
        markdown.push_str(&format!("{title}:\n\n{}\n", unrefreshed::markdown(&report.unrefreshed)));
    }
    let wrong = unreadable.iter().map(|problem| format!("left out: {problem}"));
    let lines: Vec<String> = wrong.chain(report.warnings.iter().chain(&report.left_out).cloned()).collect();
    for line in lines.iter().take(WARNINGS) {
        markdown.push_str(&format!("- {}\n", text(line)));
    }
    if let Some(more) = lines.len().checked_sub(WARNINGS).filter(|more| *more > 0) {
        markdown.push_str(&format!("- and {}\n", count(more, "more line")));
    }
    markdown.push('\n');
    markdown
}

/// A line as text of Markdown: nothing in it is markup, or a mention of somebody.
fn text(line: &str) -> String {
    let mut shown = String::with_capacity(line.len());
    for c in line.chars() {
        match c {
            '<' => shown.push_str("&lt;"),
            '&' => shown.push_str("&amp;"),
            '@' => shown.push_str("&#64;"),
            _ if c.is_control() => shown.push(' '),
            '\\' | '`' | '*' | '_' | '[' | ']' | '#' | '|' | '~' | '!' => shown.extend(['\\', c]),
            _ => shown.push(c),
        }
    }
    shown
}

/// The message of a workflow command
/// (<https://docs.github.com/en/actions/reference/workflows-and-actions/workflow-commands>).
fn data(text: &str) -> String {
    text.replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A")
}

/// A property of a workflow command.
fn property(text: &str) -> String {
    data(text).replace(':', "%3A").replace(',', "%2C")
}

/// Commands are read from standard output.
fn say(command: &str) {
    // Where nobody reads any more, there is nobody to tell.
    let _ = writeln!(std::io::stdout(), "{command}");
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;

    #[test]
    fn nothing_from_outside_is_a_command_or_markup() {
        let runner = Runner { site: "site".into(), summary: None };
        let text: Arc<str> = "x".into();
        let problem = Problem::new("a,b:c\n::error::.md", &text, 0..1, "50% of\nit").help("mend it");
        assert_eq!(
            runner.annotation(&problem),
            "::error file=site/a%2Cb%3Ac%0A%3A%3Aerror%3A%3A.md,line=1,col=1,title=shelflife::50%25 of%0Ait%0Amend it"
        );
        assert_eq!(super::text("<b> @ada [x](y) `z`\n"), "&lt;b> &#64;ada \\[x\\](y) \\`z\\` ");
    }
}
