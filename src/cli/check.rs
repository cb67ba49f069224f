//! `shelflife check`: what is to be said about a site's files, before they are published.

mod github;
mod sarif;

use std::collections::HashMap;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use clap::{Args, ValueEnum};
use serde_json::json;

use super::progress::Progress;
use super::runner::Runner;
use super::{Exit, show};
use crate::build::{Observer as _, Phase};
use crate::check::{Checked, Finding, Mended, Options, Selection, check, mend};
use crate::config::{Config, Environment, FILE_NAME, Overrides};
use crate::problem::printable;
use crate::report::count;
use crate::rule::{Degree, Origin, Rule};
use crate::yaml::Text;

/// Check entries, data files, pages and the configuration, without building
#[derive(Debug, Args)]
#[command(after_help = AFTER_HELP)]
pub(super) struct Arguments {
    /// Check these files or folders of the site, as strictly as changed ones [default: the whole site]
    #[arg(value_name = "PATH", conflicts_with = "since")]
    paths: Vec<PathBuf>,
    /// The site's folder, the one that holds shelflife.toml [default: this folder or the nearest above it; or else above
    /// the first PATH]
    #[arg(long, value_name = "SITE")]
    site: Option<PathBuf>,
    /// Read this file instead of SITE/shelflife.toml
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Check what was added or changed since this commit, which git must know
    #[arg(long, value_name = "REV")]
    since: Option<String>,
    /// How to print what was found [default: github on GitHub's runners, text elsewhere]
    #[arg(long, value_name = "FORMAT")]
    format: Option<Format>,
    /// Ask the world, too: repositories, archives, and what plugins' sources declare
    #[arg(long)]
    online: bool,
    /// Mend what has one right answer, and check again
    #[arg(long)]
    fix: bool,
    /// Fail on warnings, too
    #[arg(long)]
    strict: bool,
    /// Exit with 0 whatever was found
    #[arg(long, conflicts_with = "strict")]
    exit_zero: bool,
    /// Print notes, too, and not only their number
    #[arg(long, conflicts_with = "quiet")]
    notes: bool,
    /// Print errors alone
    #[arg(long, short)]
    quiet: bool,
    /// List all rules with their degrees
    #[arg(long, exclusive = true)]
    rules: bool,
    /// Explain a rule, such as `missing-key`
    #[arg(long, value_name = "RULE", exclusive = true)]
    explain: Option<String>,
}

/// How findings are printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    /// With the line that each is in, for people
    Text,
    /// A line each: `path:line:column: degree[rule]: message`
    Short,
    /// One JSON object
    Json,
    /// Annotations of GitHub's runners
    Github,
    /// SARIF 2.1.0, for code scanning
    Sarif,
}

const AFTER_HELP: &str = "\
Degrees are set in the table `check.rules` of shelflife.toml; docs/rules.md and --explain say what each rule is about.

Exit codes:
  0  no errors, or --exit-zero
  1  there are errors, or with --strict warnings
  2  the command line or shelflife.toml is wrong, or git doesn't know the commit

Examples:
  shelflife check                           check the whole site
  shelflife check site                      check another one
  shelflife check entries/mqtt.md           check one entry, as a pull request that changes it would be
  shelflife check --since origin/main       check what this branch adds or changes
  shelflife check --fix                     mend what has one right answer
  shelflife check --format sarif > x.sarif  for GitHub's code scanning";

pub(super) fn run(arguments: &Arguments) -> Exit {
    if arguments.rules {
        return print(&rules());
    }
    if let Some(name) = &arguments.explain {
        return explain(name);
    }
    let overrides =
        Overrides { config: arguments.config.clone(), offline: !arguments.online, ..Overrides::default() };
    let site = site(arguments);
    let runner = Runner::of_process(&site);
    let config = Config::load(&site, &Environment::of_process(), &overrides);
    let selection = match (&arguments.since, &arguments.paths[..]) {
        (Some(rev), _) => Selection::Since(rev.clone()),
        (None, []) => Selection::Site,
        (None, [one]) if *one == site => Selection::Site,
        (None, paths) => Selection::Files(paths.to_vec()),
    };
    let checked = config.and_then(|config| Ok((run_check(arguments, &config, &selection)?, config)));
    let (checked, config) = match checked {
        Ok(checked) => checked,
        Err(error) => {
            show::error(&error);
            if let Some(runner) = &runner {
                runner.annotate(&error);
            }
            return Exit::Wrong;
        }
    };
    let fails =
        checked.count(Degree::Error) + if arguments.strict { checked.count(Degree::Warning) } else { 0 };
    let shown = |finding: &&Finding| match finding.degree {
        Degree::Error => true,
        Degree::Warning => !arguments.quiet,
        Degree::Off | Degree::Note => arguments.notes,
    };
    let format = arguments.format.unwrap_or(if runner.is_some() { Format::Github } else { Format::Text });
    let printed = match format {
        Format::Text => text(&config, checked.findings.iter().filter(shown)),
        Format::Short => short(checked.findings.iter().filter(shown)),
        Format::Json => print(&json(&checked)),
        Format::Sarif => print(&sarif::log(&checked, &config.check)),
        Format::Github => {
            let folder = runner.as_ref().map_or_else(|| Path::new(""), Runner::site);
            let shown: Vec<&Finding> = checked.findings.iter().filter(shown).collect();
            print(&github::commands(&shown, folder))
        }
    };
    if !matches!(format, Format::Json | Format::Sarif) {
        for note in &checked.notes {
            show::line(&format!("note: {}", printable(note)));
        }
        show::line(&match &arguments.since {
            Some(rev) if checked.entries + checked.others == 0 => {
                format!("No file of the site has changed since {}", printable(rev))
            }
            _ => summary(&checked),
        });
        let fixable = checked.fixable();
        if fixable > 0 {
            show::line(&format!("help: `shelflife check --fix` mends {fixable} of them"));
        }
    }
    if let Some(runner) = runner.filter(|_| format == Format::Github) {
        runner.summarise(&github::summary(&checked, &summary(&checked)));
    }
    match printed {
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
    for Mended { path, what } in mend(config, selection, &secure)? {
        show::line(&format!("Mended {}: {}", printable(&path), printable(&what.join("; "))));
    }
    // What the world has said still holds, but for what was mended; everything else may stand in other places now.
    let mut checked = check(config, &Options { selection, online: None })?;
    let is_of_world = |finding: &Finding| finding.found.rule.is_about_the_world() && !finding.found.fixable;
    checked.findings.extend(findings.into_iter().filter(is_of_world));
    checked.notes = notes;
    Ok(checked)
}

/// The site's folder: the one that is given, or the nearest that has a `shelflife.toml`, from the current folder upwards or
/// else from the first path.
fn site(arguments: &Arguments) -> PathBuf {
    let above = |from: &Path| {
        let from = std::path::absolute(from).ok()?;
        Some(from.ancestors().find(|folder| folder.join(FILE_NAME).is_file())?.to_path_buf())
    };
    let here = Path::new(".");
    if let Some(site) = &arguments.site {
        return site.clone();
    }
    if here.join(FILE_NAME).is_file() {
        return here.to_path_buf();
    }
    let first = arguments.paths.first();
    // A site that is named is called as it was.
    let named = first.filter(|first| first.join(FILE_NAME).is_file()).cloned();
    named.or_else(|| above(here)).or_else(|| above(first?)).unwrap_or_else(|| here.to_path_buf())
}

/// Writes to standard output, without colors where that is no terminal. Nobody may be left to read it.
fn print(text: &str) -> Exit {
    match anstream::stdout().lock().write_all(text.as_bytes()) {
        Err(error) if error.kind() != std::io::ErrorKind::BrokenPipe => {
            show::line(&format!("error: can't write to standard output: {error}"));
            Exit::Failed
        }
        _ => Exit::Done,
    }
}

/// Each finding with its line.
fn text<'f>(config: &Config, findings: impl Iterator<Item = &'f Finding>) -> Exit {
    let mut files: HashMap<&str, Option<Arc<str>>> = HashMap::new();
    let mut text = String::new();
    for finding in findings {
        let Finding { degree, found } = finding;
        let content = files.entry(found.path()).or_insert_with(|| {
            let path = found.path();
            let bytes = std::fs::read(config.paths.site.join(path)).ok().filter(|_| !path.is_empty())?;
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

/// A line for each finding.
fn short<'f>(findings: impl Iterator<Item = &'f Finding>) -> Exit {
    print(&findings.map(|finding| format!("{finding}\n")).collect::<String>())
}

/// What was looked at, and what came of it: `Checked 122 entries and 9 other files: 3 errors, 1 warning`.
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
    let counts = if counts.is_empty() { "nothing found".to_owned() } else { counts.join(", ") };
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

/// Each rule with its degree: in a check of the whole site, of changed entries, and of new ones.
fn rules() -> String {
    let mut text = format!("{:<22}{:<10}{:<10}{:<10}\n", "rule", "site", "changed", "new");
    for rule in listed() {
        let degree = |origin| crate::rule::default_degree(rule, origin).name();
        let [site, changed, new] = [Origin::Site, Origin::Changed, Origin::New].map(degree);
        let about = rule.explanation().and_then(|text| text.split("\n\n").next()).unwrap_or_default();
        let about = about.replace('\n', " ");
        text.push_str(&format!("{:<22}{site:<10}{changed:<10}{new:<10}{about}\n", rule.name()));
    }
    text
}

/// Rules in the order of their names, without those that only builds have.
fn listed() -> Vec<Rule> {
    let mut rules: Vec<Rule> = Rule::ALL.into_iter().filter(|rule| rule.is_about_files()).collect();
    rules.sort_by_key(|rule| rule.name());
    rules
}

fn explain(name: &str) -> Exit {
    let known = Rule::ALL.into_iter().find(|rule| rule.name() == name);
    let Some(text) = known.and_then(Rule::explanation) else {
        let near = Rule::ALL
            .into_iter()
            .map(Rule::name)
            .max_by(|a, b| strsim::jaro_winkler(name, a).total_cmp(&strsim::jaro_winkler(name, b)));
        show::line(&format!("error: there is no rule `{}`", printable(name)));
        let help =
            near.map(|near| format!("  help: is it `{near}`? `shelflife check --rules` lists them all"));
        help.iter().for_each(|help| show::line(help));
        return Exit::Wrong;
    };
    print(&format!("{name}\n\n{text}\n"))
}
