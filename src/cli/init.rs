//! `shelflife init`: make a folder a site.

use std::io::Write as _;
use std::path::{Path, PathBuf};

use clap::Args;

use super::{Exit, show};
use crate::init::{self, Action, Outcome, Plan};

/// Write what a registry needs into a folder, taking over what is there; no file is overwritten
#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// The folder, which may be a registry that Jekyll builds, or empty
    #[arg(default_value = ".")]
    folder: PathBuf,
    /// Write workflows that publish the registry on GitHub Pages and check pull requests
    #[arg(long)]
    github: bool,
    /// The action that the workflows install shelflife with [default: that of this release]
    #[arg(long, value_name = "OWNER/NAME@COMMIT", requires = "github")]
    action: Option<Action>,
    /// Say what would be written, and write nothing
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
    /// The action for the workflows, if they are wanted.
    fn action(&self) -> miette::Result<Option<Action>> {
        if !self.github {
            return Ok(None);
        }
        self.action.clone().or_else(Action::of_release).map(Some).ok_or_else(|| {
            miette::miette!(
                help = "add `--action OWNER/NAME@COMMIT`: the GitHub repository that has shelflife's source, and the \
                        commit to use of it",
                "this shelflife was compiled from source, so it doesn't know which GitHub repository the workflows \
                 can install it from"
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

    /// A path as a person would write it: from the folder that was given, if that is around it.
    fn shown<'p>(&self, path: &'p Path) -> &'p Path {
        let from_here = path.strip_prefix(".").unwrap_or(path);
        let here = std::env::current_dir().ok();
        here.and_then(|here| from_here.strip_prefix(here).ok()).unwrap_or(from_here)
    }
}

/// Writes a line of the answer.
fn say(line: &str) {
    // A reader that has seen enough, as `head` has, is no error.
    let _ = writeln!(std::io::stdout().lock(), "{}", crate::problem::printable(line));
}
