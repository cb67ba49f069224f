//! `shelflife new`: write an entry from options or answers to prompts.

use std::io::{IsTerminal as _, Write as _};
use std::path::PathBuf;
use std::sync::Arc;

use clap::Args;
use dialoguer::Input;
use miette::miette;

use super::site::InSite;
use super::{Exit, show};
use crate::access::denied;
use crate::build::Problems;
use crate::check::{Finding, Options, Selection, check};
use crate::config::Config;
use crate::data::{Compat, compat};
use crate::edit::{Entries, NewEntry, archive};
use crate::entry;
use crate::problem::printable;
use crate::render::text::day_of;
use crate::report::did_you_mean;
use crate::rule::Degree;
use crate::versions::Admitted;
use crate::write::create;
use crate::yaml::is_forbidden;

/// Write an entry for a new plugin, prompting for missing values
#[derive(Debug, Args)]
#[command(after_help = AFTER_HELP)]
pub(super) struct Arguments {
    /// Identifier of the plugin, as in its setup.py; also the name of the entry's file
    #[arg(value_name = "ID", value_parser = identifier)]
    id: String,
    /// Name of the plugin
    #[arg(long, value_name = "TEXT", value_parser = line)]
    title: Option<String>,
    /// One sentence about what the plugin does
    #[arg(long, value_name = "TEXT", value_parser = line)]
    description: Option<String>,
    /// Author of the plugin; repeat for each author
    #[arg(long = "author", value_name = "NAME", value_parser = line)]
    authors: Vec<String>,
    /// License as an SPDX expression, such as MIT or AGPL-3.0-or-later
    #[arg(long, value_name = "SPDX", value_parser = license)]
    license: Option<String>,
    /// Homepage of the plugin [default: the source]
    #[arg(long, value_name = "URL", value_parser = address)]
    homepage: Option<String>,
    /// URL of the source code
    #[arg(long, value_name = "URL", value_parser = address)]
    source: Option<String>,
    /// URL that pip installs the plugin from
    #[arg(long, value_name = "URL", value_parser = address, conflicts_with = "branch")]
    archive: Option<String>,
    /// Let pip install this branch of the source, if it is hosted on a known forge
    #[arg(long, value_name = "NAME", value_parser = line)]
    branch: Option<String>,
    /// Tags, separated by commas
    #[arg(long, value_name = "TAGS", value_delimiter = ',', value_parser = line)]
    tags: Option<Vec<String>>,
    /// Compatible OctoPrint versions, such as 1.8.0 or ">=1.4,<2"; repeat for each [default: all]
    #[arg(long, value_name = "VERSIONS", value_parser = octoprint)]
    octoprint: Vec<String>,
    /// Compatible operating systems, separated by commas, such as linux,macos [default: all]
    #[arg(long, value_name = "SYSTEMS", value_delimiter = ',', value_parser = line)]
    os: Vec<String>,
    /// Compatible Python versions [default: >=3.7,<4]
    #[arg(long, value_name = "VERSIONS", value_parser = python)]
    python: Option<String>,
    /// Print the entry instead of writing a file
    #[arg(long)]
    stdout: bool,
    #[command(flatten)]
    site: InSite,
}

const AFTER_HELP: &str = "\
In a terminal, prompts for each missing value; Ctrl-C exits without writing anything. The date is the current one in \
the site's time zone. Warnings of `shelflife check` about the new entry are printed as well.

Exit codes:
  0  written
  1  the entry already exists, or the file can't be written
  2  invalid command line, environment or shelflife.toml, or an option is missing outside a terminal

Examples:
  shelflife new mqtt
  shelflife new mqtt --title MQTT --description 'Publishes events.' --author 'Gina Häußge' \\
      --license AGPL-3.0-or-later --tags mqtt,events \\
      --source https://github.com/OctoPrint/OctoPrint-MQTT --branch master";

/// The Python versions of a plugin that runs wherever OctoPrint does.
const PYTHON: &str = ">=3.7,<4";

fn identifier(text: &str) -> Result<String, &'static str> {
    if !entry::is_identifier(text) || !entry::is_stem(text) {
        return Err(
            "expected at most 100 letters (a-z, A-Z), digits, `_`, `-` and `.`, as in the plugin's setup.py",
        );
    }
    if entry::is_put_aside(&format!("{text}.md")) {
        return Err("a file whose name starts with `_` is a draft, which is never published");
    }
    Ok(text.to_owned())
}

/// Checks a text that must be on one line.
fn line(text: &str) -> Result<String, &'static str> {
    let text = text.trim();
    match text {
        "" => Err("must not be empty"),
        _ if text.contains(['\n', '\t']) => Err("expected one line"),
        _ if text.contains(is_forbidden) => {
            Err("must not contain control characters, or ones that change the direction of text")
        }
        _ => Ok(text.to_owned()),
    }
}

fn address(text: &str) -> Result<String, &'static str> {
    let text = text.trim();
    entry::web_address(text).map(|()| text.to_owned())
}

fn license(text: &str) -> Result<String, String> {
    entry::license(text).map_err(|near| {
        let meant = did_you_mean(&near).unwrap_or_else(|| "see https://spdx.org/licenses/".to_owned());
        format!("expected an SPDX license expression: {meant}")
    })
}

fn octoprint(text: &str) -> Result<String, &'static str> {
    let text = text.trim();
    // Older entries use `1.4.0+`, but `shelflife check` rejects it in new ones.
    if text.ends_with('+') {
        return Err("expected `1.4.0` or `>=1.4.0`, which means the same as `1.4.0+`");
    }
    entry::octoprint_versions(text).map(|()| text.to_owned())
}

fn python(text: &str) -> Result<String, &'static str> {
    let text = text.trim();
    entry::python_versions(text)?;
    if Admitted::of(&[text]).is_some_and(|these| these.has_python_of_octoprint()) {
        Ok(text.to_owned())
    } else {
        Err("must allow a version of Python 3 that OctoPrint runs on")
    }
}

/// The items of a list that is separated by commas.
fn items(text: &str, of: impl Fn(&str) -> Result<String, String>) -> Result<Vec<String>, String> {
    text.split(',').map(str::trim).filter(|item| !item.is_empty()).map(of).collect()
}

/// Why no entry was written.
enum Failure {
    /// The input is invalid.
    Wrong(miette::Report),
    /// The entry can't be written.
    Failed(miette::Report),
}

impl From<miette::Report> for Failure {
    fn from(error: miette::Report) -> Self {
        Self::Failed(error)
    }
}

pub(super) fn run(arguments: &Arguments) -> Exit {
    let config = match arguments.site.load() {
        Ok(config) => config,
        Err(error) => {
            show::error(&error);
            return Exit::Wrong;
        }
    };
    match write(arguments, &config) {
        Ok(told) => {
            // A closed pipe, such as that of `head`, is not an error.
            let _ = write!(std::io::stdout().lock(), "{told}");
            Exit::Done
        }
        Err(Failure::Wrong(error)) => {
            show::error(&error);
            Exit::Wrong
        }
        Err(Failure::Failed(error)) => {
            show::error(&error);
            Exit::Failed
        }
    }
}

/// Writes the entry, and returns the text to print.
fn write(arguments: &Arguments, config: &Config) -> Result<String, Failure> {
    let id = &arguments.id;
    let entries = Entries::read(config)?;
    if let Some(known) = entries.taken(id) {
        let path = config.paths.entry(&known.stem);
        let error = miette!(
            help = "choose another id, or edit that entry",
            "the id `{id}` is already used by {path}"
        );
        return Err(Failure::Failed(error));
    }
    let compat = systems(config)?;
    if let Some(system) = arguments.os.iter().find(|system| !compat.knows(system)) {
        return Err(Failure::Wrong(miette!("invalid value for --os: {}", unknown_system(system, &compat))));
    }
    let text = complete(arguments, config, &compat)?.text();
    let path = config.paths.entry(id);
    // Report mistakes now rather than in the next build.
    if let Err(problems) = entry::parse(&path, text.as_bytes(), &config.settings.limits) {
        return Err(Failure::Failed(Problems { problems, is_published: false }.into()));
    }
    if arguments.stdout {
        return Ok(text);
    }
    let place = config.paths.entries.join(format!("{id}.md"));
    if !create(&place, text.as_bytes()).map_err(miette::Report::from)? {
        let error = miette!(help = "choose another id, or move that file away", "{path} already exists");
        return Err(Failure::Failed(error));
    }
    warn(config, place, &text);
    Ok(format!("Wrote {path}\nAdd a description below the front matter, then run `shelflife check {path}`\n"))
}

/// Prints the warnings of `shelflife check` about the entry with this `text`.
fn warn(config: &Config, place: PathBuf, text: &str) {
    let selection = Selection::Files(vec![place]);
    // An error here is not about this entry, and the next check reports it.
    let Ok(checked) = check(config, &Options { selection: &selection, online: None }) else { return };
    let text: Arc<str> = text.into();
    for Finding { degree, found } in checked.findings.iter().filter(|it| it.degree >= Degree::Warning) {
        if let Some(problem) = found.problem(&text) {
            show::line(&problem.draw_as(degree.severity(), Some(found.rule.name()), true));
            show::line("");
        }
    }
}

/// The operating systems that the site knows.
fn systems(config: &Config) -> miette::Result<Compat> {
    for name in ["compat.yaml", "compat.yml"] {
        let place = config.paths.data.join(name);
        if place.is_file() {
            let bytes = std::fs::read(&place).map_err(denied("read", &place))?;
            let read = compat(name, &bytes, &config.settings.limits);
            return read
                .map(|(compat, _)| compat)
                .map_err(|problems| Problems { problems, is_published: false }.into());
        }
    }
    Ok(Compat::default())
}

fn unknown_system(system: &str, compat: &Compat) -> String {
    let known: Vec<&str> = compat.known().collect();
    format!("expected one of {}, found `{}`", known.join(", "), printable(system))
}

/// The entry with the values of all options and answers.
fn complete(arguments: &Arguments, config: &Config, compat: &Compat) -> Result<NewEntry, Failure> {
    let asks = std::io::stdin().is_terminal() && std::io::stderr().is_terminal();
    if !asks {
        missing(arguments)?;
    }
    let is_asked = asks && !is_complete(arguments);
    let given = |value: &Option<String>| value.clone();
    let github = config.settings.github_server.host_str();
    let title = or_ask(given(&arguments.title), "Title", Some(&arguments.id), line)?;
    let description = or_ask(given(&arguments.description), "Description, one sentence", None, line)?;
    let authors = match arguments.authors.as_slice() {
        [] => vec![ask("Author", None, line)?],
        authors => authors.to_vec(),
    };
    let license = or_ask(given(&arguments.license), "License (SPDX)", None, license)?;
    let source = or_ask(given(&arguments.source), "Source code (URL)", None, address)?;
    let homepage = match &arguments.homepage {
        Some(homepage) => homepage.clone(),
        None if is_asked => ask("Homepage (URL)", Some(&source), address)?,
        None => source.clone(),
    };
    let archive = match (&arguments.archive, &arguments.branch) {
        (Some(given), _) => given.clone(),
        (None, Some(branch)) => archive(&source, branch, github).ok_or_else(|| {
            Failure::Wrong(miette!(
                help = "give the URL of the archive with --archive",
                "can't derive the archive's URL from the source {source}"
            ))
        })?,
        (None, None) => {
            let usual = archive(&source, "main", github);
            ask("Archive that pip installs (URL)", usual.as_deref(), address)?
        }
    };
    let tags = match &arguments.tags {
        Some(tags) => tags.clone(),
        None if is_asked => ask_list("Tags, separated by commas", |tag| Ok(line(tag)?))?,
        None => Vec::new(),
    };
    let os = if is_asked && arguments.os.is_empty() {
        let known = |system: &str| {
            if compat.knows(system) { Ok(system.to_owned()) } else { Err(unknown_system(system, compat)) }
        };
        ask_list("Operating systems, separated by commas (empty for all)", known)?
    } else {
        arguments.os.clone()
    };
    let python = match &arguments.python {
        Some(python) => python.clone(),
        None if is_asked => ask("Python versions", Some(PYTHON), python)?,
        None => PYTHON.to_owned(),
    };
    Ok(NewEntry {
        id: arguments.id.clone(),
        title,
        description,
        authors,
        license,
        date: day_of(config.now, &config.settings.timezone),
        homepage,
        source,
        archive,
        tags,
        octoprint: arguments.octoprint.clone(),
        os,
        python,
    })
}

/// The required options that are missing.
fn needed(arguments: &Arguments) -> Vec<&'static str> {
    let all = [
        (arguments.title.is_none(), "--title"),
        (arguments.description.is_none(), "--description"),
        (arguments.authors.is_empty(), "--author"),
        (arguments.license.is_none(), "--license"),
        (arguments.source.is_none(), "--source"),
        (arguments.archive.is_none() && arguments.branch.is_none(), "--archive (or --branch)"),
    ];
    all.into_iter().filter(|(is_missing, _)| *is_missing).map(|(_, name)| name).collect()
}

fn is_complete(arguments: &Arguments) -> bool {
    needed(arguments).is_empty()
}

/// Fails, naming every missing option, if there is no terminal to prompt on.
fn missing(arguments: &Arguments) -> Result<(), Failure> {
    let missing = needed(arguments);
    if missing.is_empty() {
        return Ok(());
    }
    Err(Failure::Wrong(miette!(
        help = "add them, or run this in a terminal to be prompted for them",
        "missing options: {}",
        missing.join(", ")
    )))
}

fn or_ask<E: ToString>(
    given: Option<String>,
    question: &str,
    usual: Option<&str>,
    check: fn(&str) -> Result<String, E>,
) -> Result<String, Failure> {
    given.map_or_else(|| ask(question, usual, check), Ok)
}

/// Prompts until the answer is valid; `usual` is the answer if it is left empty.
fn ask<E: ToString>(
    question: &str,
    usual: Option<&str>,
    check: fn(&str) -> Result<String, E>,
) -> Result<String, Failure> {
    let mut input = Input::<String>::new().with_prompt(question);
    if let Some(usual) = usual {
        input = input.default(usual.to_owned());
    }
    let answer = input
        .validate_with(|answer: &String| check(answer).map(drop).map_err(|error| error.to_string()))
        .interact_text()
        .map_err(unanswered)?;
    check(&answer).map_err(|error| Failure::Wrong(miette!("{}", error.to_string())))
}

/// Prompts for a list, which may be empty.
fn ask_list(
    question: &str,
    check: impl Fn(&str) -> Result<String, String> + Copy,
) -> Result<Vec<String>, Failure> {
    let answer = Input::<String>::new()
        .with_prompt(question)
        .allow_empty(true)
        .validate_with(|answer: &String| items(answer, check).map(drop))
        .interact_text()
        .map_err(unanswered)?;
    items(&answer, check).map_err(|error| Failure::Wrong(miette!("{error}")))
}

/// The error if a prompt is not answered.
fn unanswered(error: dialoguer::Error) -> Failure {
    let dialoguer::Error::IO(error) = error;
    Failure::Failed(miette!("nothing was written: {error}"))
}
