//! `shelflife init`: set up a site.

use std::io::Write as _;
use std::path::{Path, PathBuf};

use clap::Args;

use super::{Exit, show};
use crate::init::{self, Action, Outcome, Plan};

/// Set up a site in a folder, keeping existing files
#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// Folder to set up, either empty or a registry built with Jekyll
    #[arg(default_value = ".")]
    folder: PathBuf,
    /// Add workflows that publish to GitHub Pages and check pull requests
    #[arg(long)]
    github: bool,
    /// Action with which the workflows install shelflife [default: the action of this release]
    #[arg(long, value_name = "OWNER/NAME@COMMIT", requires = "github")]
    action: Option<Action>,
    /// Show which files would be written, without writing them
    #[arg(long)]
    dry_run: bool,
}

pub(super) fn run(arguments: &Arguments) -> Exit {
    match arguments.action() {
        Ok(action) => {
            match init::plan(&arguments.folder, action.as_ref()).and_then(|plan| arguments.follow(plan)) {
                Ok(()) => Exit::Done,
                Err(error) => {
                    show::error(&error);
                    Exit::Failed
                }
            }
        }
        Err(error) => {
            show::error(&error);
            Exit::Wrong
        }
    }
}

impl Arguments {
    /// The action for the workflows, if requested.
    fn action(&self) -> miette::Result<Option<Action>> {
        if !self.github {
            return Ok(None);
        }
        self.action.clone().or_else(Action::of_release).map(Some).ok_or_else(|| {
            miette::miette!(
                help = "add `--action OWNER/NAME@COMMIT`: the GitHub repository with shelflife's source, and the \
                        commit to use",
                "can't tell from which GitHub repository the workflows should install shelflife, because this one \
                 was compiled from source"
            )
        })
    }

    fn follow(&self, plan: Plan) -> miette::Result<()> {
        let mut changed = false;
        plan.notes.iter().for_each(|line| say(line));
        for file in &plan.files {
            let outcome = if self.dry_run { file.outcome() } else { file.write()? };
            let path = self.shown(&file.path);
            match outcome {
                Outcome::Written => {
                    changed = true;
                    say(&format!(
                        "{} {}",
                        if self.dry_run { "would write" } else { "wrote" },
                        path.display()
                    ));
                }
                Outcome::Kept(None) => say(&format!("kept {}", path.display())),
                Outcome::Kept(Some(advice)) => say(&format!("kept {}: {advice}", path.display())),
            }
        }
        if !self.dry_run {
            let next = plan.next.iter().filter(|_| changed);
            plan.lacking.iter().chain(next).for_each(|line| say(&format!("next: {line}")));
        }
        plan.refused.map_or(Ok(()), Err)
    }

    /// The path relative to the current folder, if it is inside it.
    fn shown<'p>(&self, path: &'p Path) -> &'p Path {
        let from_here = path.strip_prefix(".").unwrap_or(path);
        let here = std::env::current_dir().ok();
        here.and_then(|here| from_here.strip_prefix(here).ok()).unwrap_or(from_here)
    }
}

/// Prints a line of the answer.
fn say(line: &str) {
    // A closed pipe, such as that of `head`, is not an error.
    let _ = writeln!(std::io::stdout().lock(), "{}", crate::problem::printable(line));
}
