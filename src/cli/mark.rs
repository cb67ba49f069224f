//! `shelflife mark` and `shelflife unmark`: set or remove a plugin's status in its entry file.

use std::fmt;
use std::io::Write as _;

use clap::{Args, Subcommand};
use miette::miette;

use super::site::InSite;
use super::{Exit, show};
use crate::access::denied;
use crate::config::Config;
use crate::edit::{Edit, Entries, EntryFile, Known, Value, apply};
use crate::entry;
use crate::problem::printable;
use crate::write::replace;
use crate::yaml::is_forbidden;

/// Mark a plugin as abandoned, up for adoption or disabled
#[derive(Debug, Args)]
#[command(after_help = AFTER_MARK)]
pub(super) struct Mark {
    #[command(subcommand)]
    state: NewState,
    #[command(flatten)]
    site: InSite,
}

#[derive(Debug, Clone, Subcommand)]
enum NewState {
    /// Mark a plugin as no longer maintained
    Abandoned {
        /// ID or file of the entry
        #[arg(value_name = "ENTRY")]
        entry: String,
        /// Where this is announced; if it is a GitHub issue, everyone who has the plugin sees a notice
        #[arg(value_name = "URL", value_parser = address)]
        url: String,
    },
    /// Mark a plugin as looking for a new maintainer
    Adoption {
        /// ID or file of the entry
        #[arg(value_name = "ENTRY")]
        entry: String,
        /// Where to volunteer as maintainer [default: the current value, or else `source`]
        #[arg(value_name = "URL", value_parser = address)]
        url: Option<String>,
    },
    /// Mark a plugin as disabled, so that it is no longer installed
    Disabled {
        /// ID or file of the entry
        #[arg(value_name = "ENTRY")]
        entry: String,
        /// Reason shown to users, in Markdown
        #[arg(value_name = "REASON", value_parser = reason)]
        reason: String,
    },
}

/// Remove a mark that `shelflife mark` has set
#[derive(Debug, Args)]
#[command(after_help = AFTER_UNMARK)]
pub(super) struct Unmark {
    #[command(subcommand)]
    state: OldState,
    #[command(flatten)]
    site: InSite,
}

#[derive(Debug, Clone, Subcommand)]
enum OldState {
    /// Unmark a plugin that is maintained again
    Abandoned {
        /// ID or file of the entry
        #[arg(value_name = "ENTRY")]
        entry: String,
    },
    /// Unmark a plugin that no longer needs a new maintainer
    Adoption {
        /// ID or file of the entry
        #[arg(value_name = "ENTRY")]
        entry: String,
    },
    /// Unmark a plugin that may be installed again
    Disabled {
        /// ID or file of the entry
        #[arg(value_name = "ENTRY")]
        entry: String,
    },
}

const AFTER_MARK: &str = "\
Changes one key of the front matter; comments, order and line endings are preserved.

Exit codes:
  0  marked, or already marked
  1  entry not found, or its file can't be edited
  2  invalid command line, environment or shelflife.toml

Examples:
  shelflife mark abandoned mqtt https://github.com/owner/registry/issues/12
  shelflife mark adoption mqtt
  shelflife mark disabled mqtt 'It deletes uploaded files, see [the issue](https://example.org/1).'";

const AFTER_UNMARK: &str = "\
Exit codes:
  0  mark removed, or there was none
  1  entry not found, or its file can't be edited
  2  invalid command line, environment or shelflife.toml";

/// The status of a plugin.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Abandoned,
    Adoption,
    Disabled,
}

impl State {
    fn key(self) -> &'static str {
        match self {
            Self::Abandoned => "abandoned",
            Self::Adoption => "up_for_adoption",
            Self::Disabled => "disabled",
        }
    }
}

impl fmt::Display for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Abandoned => "abandoned",
            Self::Adoption => "up for adoption",
            Self::Disabled => "disabled",
        })
    }
}

fn address(text: &str) -> Result<String, &'static str> {
    entry::web_address(text).map(|()| text.to_owned())
}

fn reason(text: &str) -> Result<String, &'static str> {
    if text.trim().is_empty() {
        return Err("must not be empty");
    }
    // Reading an entry removes such characters.
    if text.contains(is_forbidden) {
        return Err("must not contain control characters, or ones that change the direction of text");
    }
    Ok(text.trim().to_owned())
}

pub(super) fn mark(arguments: &Mark) -> Exit {
    let (state, entry, value) = match &arguments.state {
        NewState::Abandoned { entry, url } => (State::Abandoned, entry, Some(url.clone())),
        NewState::Adoption { entry, url } => (State::Adoption, entry, url.clone()),
        NewState::Disabled { entry, reason } => (State::Disabled, entry, Some(reason.clone())),
    };
    run(&arguments.site, entry, |name, file| {
        let key = state.key();
        let is_marked = file.is_set(key);
        let before = file.value(key).map(str::to_owned).filter(|_| is_marked);
        let already = || {
            let at = before.as_ref().map(|before| format!(" ({before})")).unwrap_or_default();
            format!("{name} is already marked as {state}{at}: nothing to do")
        };
        let value = match value {
            Some(value) => value,
            // Without a URL argument, an existing one is kept.
            None if is_marked => return Ok((Vec::new(), already())),
            None => source(name, file)?,
        };
        let edits = file.set(key, Value::Text(&value))?;
        if edits.is_empty() {
            return Ok((edits, already()));
        }
        let before = before.map(|before| format!(" (before: {before})")).unwrap_or_default();
        Ok((edits, format!("Marked {name} as {state}: {value}{before}")))
    })
}

pub(super) fn unmark(arguments: &Unmark) -> Exit {
    let (state, entry) = match &arguments.state {
        OldState::Abandoned { entry } => (State::Abandoned, entry),
        OldState::Adoption { entry } => (State::Adoption, entry),
        OldState::Disabled { entry } => (State::Disabled, entry),
    };
    run(&arguments.site, entry, |name, file| {
        let replaced = state == State::Abandoned && file.is_set("replaced");
        let but = if replaced { ", but still has `replaced`" } else { "" };
        if !file.is_set(state.key()) {
            return Ok((Vec::new(), format!("{name} is not marked as {state}{but}: nothing to do")));
        }
        let edits = file.remove(state.key())?;
        Ok((edits, format!("{name} is no longer marked as {state}{but}")))
    })
}

/// The URL where people reach the maintainer if an entry gives no other.
fn source(name: &str, file: &EntryFile) -> miette::Result<String> {
    let source = file.value("source").filter(|source| entry::web_address(source).is_ok());
    source.map(str::to_owned).ok_or_else(|| {
        miette!(
            help = "give a URL: `shelflife mark adoption ENTRY URL`",
            "{name} has no `source` to use as the URL"
        )
    })
}

/// Edits the entry that `given` names, and prints the result.
fn run(
    site: &InSite,
    given: &str,
    edit: impl FnOnce(&str, &EntryFile) -> miette::Result<(Vec<Edit>, String)>,
) -> Exit {
    let config = match site.load() {
        Ok(config) => config,
        Err(error) => {
            show::error(&error);
            return Exit::Wrong;
        }
    };
    let done = Entries::read(&config).and_then(|entries| {
        let known = entries.find(given)?;
        let Some(file) = read(&config, known)? else { return Ok(None) };
        let (edits, told) = edit(file.path(), &file)?;
        if !edits.is_empty() {
            replace(&known.place, &apply(file.bytes(), &edits))?;
        }
        Ok(Some(told))
    });
    match done {
        Ok(Some(told)) => {
            // A closed pipe, such as that of `head`, is not an error.
            let _ = writeln!(std::io::stdout().lock(), "{}", printable(&told));
            Exit::Done
        }
        Ok(None) => Exit::Failed,
        Err(error) => {
            show::error(&error);
            Exit::Failed
        }
    }
}

/// The entry's file, or `None` if it can't be edited, after printing why.
fn read(config: &Config, known: &Known) -> miette::Result<Option<EntryFile>> {
    let bytes = std::fs::read(&known.place).map_err(denied("read", &known.place))?;
    let path = config.paths.entry(&known.stem);
    match EntryFile::read(&path, &bytes, &config.settings.limits) {
        Ok(file) => Ok(Some(file)),
        Err(problems) => {
            problems.iter().for_each(show::problem);
            show::line(&format!("error: can't edit {path} until these problems are fixed"));
            Ok(None)
        }
    }
}
