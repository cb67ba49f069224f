//! Output for GitHub Actions: annotations on lines with problems, and the job's summary.

use std::collections::BTreeMap;
use std::fs::OpenOptions;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use super::failed;
use crate::build::{Problems, Strict};
use crate::problem::Problem;
use crate::report::{Headline, Report, count, unrefreshed};
use crate::rule::Rule;
use crate::warning::{Group, Place, Warning, grouped};

/// The most warnings that become annotations: GitHub shows ten per step
/// (<https://docs.github.com/en/rest/checks/runs>).
const WARNINGS: usize = 10;

/// The GitHub Actions runner of this process.
#[derive(Debug)]
pub(super) struct Runner {
    /// The site's folder in the repository, relative to which annotations name files.
    site: PathBuf,
    summary: Option<PathBuf>,
}

impl Runner {
    /// The runner for a build of the site in a folder, or `None` outside GitHub Actions.
    pub(super) fn of_process(site: &Path) -> Option<Self> {
        let get = |name: &str| std::env::var_os(name).filter(|value| !value.is_empty());
        (get("GITHUB_ACTIONS")? == "true").then(|| {
            let site = std::path::absolute(site).unwrap_or_else(|_| site.to_path_buf());
            let workspace = get("GITHUB_WORKSPACE").map(PathBuf::from);
            let inside =
                workspace.and_then(|workspace| site.strip_prefix(workspace).ok().map(Path::to_path_buf));
            let named = inside.unwrap_or(site);
            // Collecting the components drops a leading `.`.
            let site = named.components().collect();
            Self { site, summary: get("GITHUB_STEP_SUMMARY").map(PathBuf::from) }
        })
    }

    /// Prints an annotation for each problem.
    pub(super) fn problems<'p>(&self, problems: impl IntoIterator<Item = &'p Problem>) {
        for problem in problems {
            say(&self.annotation(problem));
        }
    }

    /// Prints annotations for as many warnings as GitHub shows.
    fn warnings<'w>(&self, warnings: impl IntoIterator<Item = &'w Warning>) {
        // One warning of each rule comes before the second of any, so that every rule is shown.
        let mut number: BTreeMap<Rule, usize> = BTreeMap::new();
        let numbered = warnings.into_iter().map(|warning| {
            let of_rule = number.entry(warning.rule).or_default();
            *of_rule += 1;
            (*of_rule, warning)
        });
        let mut numbered: Vec<(usize, &Warning)> = numbered.collect();
        numbered.sort_by_key(|(number, _)| *number);
        for (_, warning) in numbered.into_iter().take(WARNINGS) {
            say(&self.warning(warning));
        }
    }

    /// The site's folder in the repository.
    pub(super) fn site(&self) -> &Path {
        &self.site
    }

    /// Annotates an error of the whole build, and writes it to the summary.
    pub(super) fn error(&self, error: &miette::Report) {
        self.annotate(error);
        self.summarize(&summary_of_failure(error));
    }

    /// Annotates an error.
    pub(super) fn annotate(&self, error: &miette::Report) {
        if let Some(problems) = error.downcast_ref::<Problems>() {
            self.problems(&problems.problems);
        } else if let Some(strict) = error.downcast_ref::<Strict>() {
            self.problems(&strict.refused);
            self.warnings(&strict.warnings);
        } else if let Some(problem) = error.downcast_ref::<Problem>() {
            self.problems([problem]);
        } else {
            say(&format!("::error title=shelflife::{}", data(&error.to_string())));
        }
    }

    fn annotation(&self, problem: &Problem) -> String {
        self.command("error", Some(&Place::of(problem)), problem.message(), problem.advice())
    }

    fn warning(&self, warning: &Warning) -> String {
        self.command("warning", warning.place.as_ref(), &warning.message, warning.help.as_deref())
    }

    fn command(&self, level: &str, place: Option<&Place>, message: &str, advice: Option<&str>) -> String {
        let place = place.map_or_else(String::new, |Place { path, line, column }| {
            let file = self.site.join(path);
            format!("file={},line={line},col={column},", property(&file.to_string_lossy()))
        });
        let advice = advice.map(|advice| format!("\n{advice}")).unwrap_or_default();
        format!("::{level} {place}title=shelflife::{}", data(&format!("{message}{advice}")))
    }

    /// Annotates warnings, and writes the summary.
    pub(super) fn report(&self, report: &Report, refused: &[Problem]) {
        self.problems(refused);
        let unrefreshed = unrefreshed::title(&report.unrefreshed);
        let unrefreshed = unrefreshed.map(|title| Warning::general(Rule::Source, title));
        self.warnings(report.warnings.iter().chain(&unrefreshed));
        self.summarize(&summary(report, refused));
    }

    /// Appends to the summary of the step. A summary that can't be written is only a warning.
    pub(super) fn summarize(&self, markdown: &str) {
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

fn summary(report: &Report, refused: &[Problem]) -> String {
    let mut markdown = format!("### {}\n\n", text(&report.summary()));
    if !report.unrefreshed.is_empty() {
        let title = unrefreshed::title(&report.unrefreshed).unwrap_or_default();
        markdown.push_str(&format!("{title}:\n\n{}\n", unrefreshed::markdown(&report.unrefreshed)));
    }
    let wrong = refused.iter().map(|problem| format!("can't read {problem}"));
    let groups = grouped(&report.warnings, "").into_iter().map(|Group { title, lines }| {
        let lines = lines.iter().map(|line| format!("\n  - {}", text(line)));
        format!("{}{}", text(&title), lines.collect::<String>())
    });
    let left_out = report.left_out.iter().map(|line| text(line));
    let lines: Vec<String> = wrong.map(|line| text(&line)).chain(groups).chain(left_out).collect();
    markdown.push_str(&list(&lines));
    markdown
}

fn summary_of_failure(error: &miette::Report) -> String {
    let Headline { message, causes, help } = Headline::of(error);
    let problems = failed::problems(error).into_iter().map(|problem| {
        let place = problem.place.map(|place| format!("{place}: ")).unwrap_or_default();
        let help = problem.help.map(|help| format!(" ({help})")).unwrap_or_default();
        format!("{place}{}{help}", problem.message)
    });
    let lines = causes.into_iter().chain(problems).chain(help).map(|line| text(&line));
    format!("### The site was not built\n\n{}\n\n{}", text(&message), list(&lines.collect::<Vec<_>>()))
}

/// The first of some lines, as a Markdown list.
fn list(lines: &[String]) -> String {
    let mut markdown: String = lines.iter().take(WARNINGS).map(|line| format!("- {line}\n")).collect();
    if let Some(more) = lines.len().checked_sub(WARNINGS).filter(|more| *more > 0) {
        markdown.push_str(&format!("- and {}\n", count(more, "more line")));
    }
    markdown.push('\n');
    markdown
}

/// Escapes a line for Markdown, so that it contains neither markup nor mentions.
pub(super) fn text(line: &str) -> String {
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

/// Escapes the message of a workflow command
/// (<https://docs.github.com/en/actions/reference/workflows-and-actions/workflow-commands>).
pub(super) fn data(text: &str) -> String {
    text.replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A")
}

/// Escapes a property of a workflow command.
pub(super) fn property(text: &str) -> String {
    data(text).replace(':', "%3A").replace(',', "%2C")
}

/// Prints a workflow command, which the runner reads from standard output.
fn say(command: &str) {
    // If standard output is closed, there is nowhere to report that.
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
        let problem = Problem::new("a,b:c\n::error::.md", &text, 0..1, "50% of\nit").help("fix it");
        assert_eq!(
            runner.annotation(&problem),
            "::error file=site/a%2Cb%3Ac%0A%3A%3Aerror%3A%3A.md,line=1,col=1,title=shelflife::50%25 of%0Ait%0Afix it"
        );
        assert_eq!(super::text("<b> @ada [x](y) `z`\n"), "&lt;b> &#64;ada \\[x\\](y) \\`z\\` ");
    }
}
