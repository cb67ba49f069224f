//! `shelflife mark` and `shelflife unmark`: say in an entry's file what has become of the plugin.

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
    /// Nobody maintains the plugin any more
    Abandoned {
        /// The entry's id, or its file
        #[arg(value_name = "ENTRY")]
        entry: String,
        /// Where that is announced; an issue on GitHub becomes a notice to everybody who has the plugin
        #[arg(value_name = "URL", value_parser = address)]
        url: String,
    },
    /// The maintainer is looking for a successor
    Adoption {
        /// The entry's id, or its file
        #[arg(value_name = "ENTRY")]
        entry: String,
        /// Where somebody may offer to take it over [default: what the entry says already, or else its `source`]
        #[arg(value_name = "URL", value_parser = address)]
        url: Option<String>,
    },
    /// The plugin must not be installed any more
    Disabled {
        /// The entry's id, or its file
        #[arg(value_name = "ENTRY")]
        entry: String,
        /// What people are told, in Markdown
        #[arg(value_name = "REASON", value_parser = reason)]
        reason: String,
    },
}

/// Take back what `shelflife mark` has written
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
    /// The plugin has a maintainer again
    Abandoned {
        /// The entry's id, or its file
        #[arg(value_name = "ENTRY")]
        entry: String,
    },
    /// The maintainer is no longer looking for a successor
    Adoption {
        /// The entry's id, or its file
        #[arg(value_name = "ENTRY")]
        entry: String,
    },
    /// The plugin may be installed again
    Disabled {
        /// The entry's id, or its file
        #[arg(value_name = "ENTRY")]
        entry: String,
    },
}

const AFTER_MARK: &str = "\
Only that one key of the front matter is changed; comments, order and line ends stay as they are.

Exit codes:
  0  marked, or it was marked like that already
  1  there is no such entry, or its file can't be edited
  2  the command line, the environment or shelflife.toml is wrong

Examples:
  shelflife mark abandoned mqtt https://github.com/owner/registry/issues/12
  shelflife mark adoption mqtt
  shelflife mark disabled mqtt 'It deletes uploaded files, see [the issue](https://example.org/1).'";

const AFTER_UNMARK: &str = "\
Exit codes:
  0  taken back, or it wasn't marked
  1  there is no such entry, or its file can't be edited
  2  the command line, the environment or shelflife.toml is wrong";

/// What has become of a plugin.
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
        return Err("it is empty, expected what people are told");
    }
    // Those that a reader of the entry takes out.
    if text.contains(is_forbidden) {
        return Err("it has a control character, or one that changes the direction of text");
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
            // Whoever gives no address doesn't want the one that is there replaced.
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
        let but = if replaced { ", but `replaced` still says so" } else { "" };
        if !file.is_set(state.key()) {
            return Ok((Vec::new(), format!("{name} is not marked as {state}{but}: nothing to do")));
        }
        let edits = file.remove(state.key())?;
        Ok((edits, format!("{name} is no longer marked as {state}{but}")))
    })
}

/// The address at which people find the maintainer of an entry that gives no other one.
fn source(name: &str, file: &EntryFile) -> miette::Result<String> {
    let source = file.value("source").filter(|source| entry::web_address(source).is_ok());
    source.map(str::to_owned).ok_or_else(|| {
        miette!(
            help = "give an address: `shelflife mark adoption ENTRY URL`",
            "{name} has no `source` where people could offer to take it over"
        )
    })
}

/// Edits the entry that `given` means, and says what was done.
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
            // A reader that has seen enough, as `head` has, is no error.
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

/// The entry's file; none if it can't be edited, which is told then.
fn read(config: &Config, known: &Known) -> miette::Result<Option<EntryFile>> {
    let bytes = std::fs::read(&known.place).map_err(denied("read", &known.place))?;
    let path = config.paths.entry(&known.stem);
    match EntryFile::read(&path, &bytes, &config.settings.limits) {
        Ok(file) => Ok(Some(file)),
        Err(problems) => {
            problems.iter().for_each(show::problem);
            show::line(&format!("error: {path} can't be edited before that is corrected"));
            Ok(None)
        }
    }
}
