//! `shelflife check`: check a site's files before they are published.

mod github;
mod rules;
mod sarif;

use std::collections::HashMap;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use clap::{Args, ValueEnum};
use serde_json::json;

use super::progress::Progress;
use super::runner::Runner;
use super::site::folder;
use super::{Exit, show};
use crate::build::{Observer as _, Phase};
use crate::check::{self, Checked, Finding, Fixed, Found, Options, Selection, check, fix_files};
use crate::config::{Check, Config, Environment, FILE_NAME, Overrides};
use crate::problem::{Problem, printable};
use crate::report::count;
use crate::rule::{Degree, Rule};
use crate::yaml::Text;

/// Check entries, data files, pages and the configuration, without building
#[derive(Debug, Args)]
#[command(after_help = AFTER_HELP)]
pub(super) struct Arguments {
    /// Files or folders of the site to check, as strictly as changed ones [default: the whole site]
    #[arg(value_name = "PATH", conflicts_with = "since")]
    paths: Vec<PathBuf>,
    /// Site folder, which contains shelflife.toml [default: the current folder or its nearest ancestor with one, or
    /// else the site of the first PATH]
    #[arg(long, value_name = "SITE")]
    site: Option<PathBuf>,
    /// Configuration file [default: SITE/shelflife.toml]
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Check only files added or changed since this commit
    #[arg(long, value_name = "REV")]
    since: Option<String>,
    /// Output format [default: github on GitHub Actions, otherwise text]
    #[arg(long, value_name = "FORMAT")]
    format: Option<Format>,
    /// Also check repositories and archives over the network, and what the plugins' sources declare
    #[arg(long)]
    online: bool,
    /// Fix problems that have only one solution, then check again
    #[arg(long)]
    fix: bool,
    /// Fail on warnings
    #[arg(long)]
    strict: bool,
    /// Exit with code 0 even if there are errors
    #[arg(long, conflicts_with = "strict")]
    exit_zero: bool,
    /// Print all notes, not just how many there are
    #[arg(long, conflicts_with = "quiet")]
    notes: bool,
    /// Print only errors
    #[arg(long, short)]
    quiet: bool,
    /// List all rules and their severities
    #[arg(long, conflicts_with_all = ["paths", "since", "format"])]
    rules: bool,
    /// Explain a rule, such as `missing-key`
    #[arg(long, value_name = "RULE", conflicts_with_all = ["paths", "since", "format", "rules"])]
    explain: Option<String>,
}

/// The format in which findings are printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    /// Each finding with its source line
    Text,
    /// One line each: `path:line:column: severity[rule]: message`
    Short,
    /// One JSON object
    Json,
    /// Annotations for GitHub Actions
    Github,
    /// SARIF 2.1.0, for code scanning
    Sarif,
}

const AFTER_HELP: &str = "\
Set the severities of rules in the table `check.rules` of shelflife.toml. docs/rules.md and \
--explain describe each rule.

Exit codes:
  0  no errors found, or --exit-zero
  1  errors found, or warnings with --strict
  2  invalid command line or shelflife.toml, unknown commit, or a file can't be read or written

Examples:
  shelflife check                           check the whole site
  shelflife check site                      check the site in another folder
  shelflife check entries/mqtt.md           check one entry as strictly as in a pull request
  shelflife check --since origin/main       check files that this branch adds or changes
  shelflife check --fix                     fix problems that have only one solution
  shelflife check --format sarif > x.sarif  write a report for GitHub's code scanning";

pub(super) fn run(arguments: &Arguments) -> Exit {
    let overrides =
        Overrides { config: arguments.config.clone(), offline: !arguments.online, ..Overrides::default() };
    let site = folder(arguments.site.as_deref(), arguments.paths.first().map(PathBuf::as_path));
    let runner = Runner::of_process(&site);
    let config = Config::load(&site, &Environment::of_process(), &overrides);
    if arguments.rules || arguments.explain.is_some() {
        // Outside a site, the default severities apply.
        let check = match config {
            Ok(config) => config.check,
            Err(error) if site.join(FILE_NAME).is_file() => {
                show::error(&error);
                return Exit::Wrong;
            }
            Err(_) => Check::default(),
        };
        let name = arguments.explain.as_deref();
        return name.map_or_else(|| rules::list(&check), |name| rules::explain(name, &check));
    }
    let selection = match (&arguments.since, &arguments.paths[..]) {
        (Some(rev), _) => Selection::Since(rev.clone()),
        (None, []) => Selection::Site,
        (None, [one]) if is_same(one, &site) => Selection::Site,
        (None, paths) => Selection::Files(paths.to_vec()),
    };
    let format = arguments.format.unwrap_or(if runner.is_some() { Format::Github } else { Format::Text });
    let checked = config.and_then(|config| Ok((run_check(arguments, &config, &selection)?, config.check)));
    let (checked, rules, is_wrong) = match checked {
        Ok((checked, check)) => (checked, check, false),
        Err(error) => {
            show::error(&error);
            // Machine-readable formats report an error in the configuration like those in other files.
            let Some(problem) = error.downcast_ref::<Problem>() else {
                if let Some(runner) = &runner {
                    runner.annotate(&error);
                }
                return Exit::Wrong;
            };
            let found = Found::of(Rule::Refused, problem);
            let findings = vec![Finding { degree: Degree::Error, found }];
            (Checked { findings, ..Checked::default() }, Check::default(), true)
        }
    };
    if is_wrong && matches!(format, Format::Text | Format::Short) {
        return Exit::Wrong;
    }
    let fails =
        checked.count(Degree::Error) + if arguments.strict { checked.count(Degree::Warning) } else { 0 };
    let shown = |finding: &&Finding| match finding.degree {
        Degree::Error => true,
        Degree::Warning => !arguments.quiet || arguments.strict,
        Degree::Off | Degree::Note => arguments.notes,
    };
    let in_repository = || match &runner {
        Some(runner) => runner.site().to_path_buf(),
        None => check::place_in_repository(&site).unwrap_or_default(),
    };
    let printed = match format {
        Format::Text => text(&site, checked.findings.iter().filter(shown)),
        Format::Short => short(checked.findings.iter().filter(shown)),
        Format::Json => print(&json(&checked)),
        Format::Sarif => print(&sarif::log(&checked, &rules, &in_repository())),
        Format::Github => {
            let shown: Vec<&Finding> = checked.findings.iter().filter(shown).collect();
            print(&github::commands(&shown, &in_repository()))
        }
    };
    if !is_wrong && !matches!(format, Format::Json | Format::Sarif) {
        for note in &checked.notes {
            show::line(&format!("note: {}", printable(note)));
        }
        show::line(&match &arguments.since {
            Some(rev) if checked.entries + checked.others == 0 => {
                format!("No files of the site have changed since {}", printable(rev))
            }
            _ => summary(&checked),
        });
        let fixable = checked.fixable();
        if fixable > 0 {
            show::line(&format!("help: `shelflife check --fix` fixes {fixable} of them"));
        }
        if checked.count(Degree::Note) > 0 && !arguments.notes && !arguments.quiet {
            show::line("help: use `--notes` to show the notes");
        }
    }
    if let Some(runner) = runner.filter(|_| format == Format::Github) {
        let headline = if is_wrong { "The check could not run".to_owned() } else { summary(&checked) };
        runner.summarize(&github::summary(&checked, &headline));
    }
    match printed {
        Exit::Done if is_wrong => Exit::Wrong,
        Exit::Done if fails > 0 && !arguments.exit_zero => Exit::Failed,
        printed => printed,
    }
}

fn run_check(arguments: &Arguments, config: &Config, selection: &Selection) -> miette::Result<Checked> {
    let progress = Progress::new(arguments.quiet);
    let tell = |done, total| progress.progress(Phase::Fetch, done, total);
    let online: Option<&(dyn Fn(usize, usize) + Send + Sync)> =
        if arguments.online { Some(&tell) } else { None };
    let checked = check(config, &Options { selection, online });
    progress.finish();
    if !arguments.fix {
        return checked;
    }
    let Checked { secure, notes, findings, .. } = checked?;
    for Fixed { path, what } in fix_files(config, selection, &secure)? {
        show::line(&format!("Fixed {}: {}", printable(&path), printable(&what.join("; "))));
    }
    // Online findings still hold, apart from the fixed ones. Others may have moved within their files.
    let mut checked = check(config, &Options { selection, online: None })?;
    let is_of_world = |finding: &Finding| finding.found.rule.is_about_the_world() && !finding.found.fixable;
    checked.findings.extend(findings.into_iter().filter(is_of_world));
    checked.notes = notes;
    Ok(checked)
}

/// Whether both paths name the same file or folder.
fn is_same(one: &Path, other: &Path) -> bool {
    one == other || one.canonicalize().is_ok_and(|one| other.canonicalize().is_ok_and(|other| one == other))
}

/// Prints to standard output, without colors if that is not a terminal. A closed pipe is not an error.
fn print(text: &str) -> Exit {
    match anstream::stdout().lock().write_all(text.as_bytes()) {
        Err(error) if error.kind() != std::io::ErrorKind::BrokenPipe => {
            show::line(&format!("error: can't write to standard output: {error}"));
            Exit::Failed
        }
        _ => Exit::Done,
    }
}

/// Prints each finding with its source line.
fn text<'f>(site: &Path, findings: impl Iterator<Item = &'f Finding>) -> Exit {
    let mut files: HashMap<&str, Option<Arc<str>>> = HashMap::new();
    let mut text = String::new();
    for finding in findings {
        let Finding { degree, found } = finding;
        let content = files.entry(found.path()).or_insert_with(|| {
            let path = found.path();
            let bytes = std::fs::read(site.join(path)).ok().filter(|_| !path.is_empty())?;
            Some(Text::read(path, &bytes).ok()?.as_str().into())
        });
        let problem = content.as_ref().and_then(|content| found.problem(content));
        match problem {
            Some(problem) => {
                text.push_str(&problem.draw_as(degree.severity(), Some(found.rule.name()), true));
            }
            None => {
                text.push_str(&finding.to_string());
                let help = found.help.iter().map(|help| format!("\n  help: {}", printable(help)));
                text.extend(help);
            }
        }
        text.push_str("\n\n");
    }
    print(&text)
}

/// Prints each finding on one line.
fn short<'f>(findings: impl Iterator<Item = &'f Finding>) -> Exit {
    print(&findings.map(|finding| format!("{finding}\n")).collect::<String>())
}

/// What was checked and the number of findings: `Checked 122 entries and 9 other files: 3 errors, 1 warning`.
fn summary(checked: &Checked) -> String {
    let entries = match checked.entries {
        0 if checked.others > 0 => String::new(),
        entries => count(entries, "entry"),
    };
    let others = match (checked.entries, checked.others) {
        (_, 0) => String::new(),
        (0, others) => count(others, "file"),
        (_, others) => format!(" and {}", count(others, "other file")),
    };
    let drafts = match checked.drafts {
        0 => String::new(),
        1 => " (1 is a draft)".to_owned(),
        drafts => format!(" ({drafts} are drafts)"),
    };
    let degrees = [(Degree::Error, "error"), (Degree::Warning, "warning"), (Degree::Note, "note")];
    let counts = degrees.into_iter().map(|(degree, noun)| (checked.count(degree), noun));
    let counts: Vec<String> =
        counts.filter(|(number, _)| *number > 0).map(|(number, noun)| count(number, noun)).collect();
    let counts = if counts.is_empty() { "no problems found".to_owned() } else { counts.join(", ") };
    format!("Checked {entries}{drafts}{others}: {counts}")
}

fn json(checked: &Checked) -> String {
    let value = json!({
        "version": env!("CARGO_PKG_VERSION"),
        "entries": checked.entries,
        "other_files": checked.others,
        "errors": checked.count(Degree::Error),
        "warnings": checked.count(Degree::Warning),
        "notes": checked.count(Degree::Note),
        "remarks": checked.notes,
        "findings": checked.findings,
    });
    format!("{value:#}\n")
}
