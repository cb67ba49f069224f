//! What a folder needs to become a site, worked out before anything is written.

mod jekyll;
mod remote;
mod settings;
mod workflows;

use std::path::{Path, PathBuf};

use crate::access::denied;
use crate::config::FILE_NAME;
use crate::write::create;

pub use workflows::Action;

use remote::Repository;
use settings::Settings;

/// What git should leave alone: what builds write.
const IGNORED: [&str; 2] = ["/public/", "/.shelflife/"];

/// The first entry of a registry that has none.
const EXAMPLE: &str = include_str!("init/example.md");

/// What is written into a folder, and what was found there.
#[derive(Debug)]
pub struct Plan {
    /// What was taken from where, and what was left out, a line each.
    pub notes: Vec<String>,
    /// The files that a site needs.
    pub files: Vec<Planned>,
    /// What the site lacks until somebody does it, a line each.
    pub lacking: Vec<String>,
    /// What to do once files have been written, a line each.
    pub next: Vec<String>,
    /// Why workflows that were asked for are not among the files.
    pub refused: Option<miette::Report>,
}

/// A file that a site needs.
#[derive(Debug)]
pub struct Planned {
    /// Where it belongs.
    pub path: PathBuf,
    content: String,
    /// What its owner may want to do if there is another file.
    advice: Option<String>,
}

/// What became of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// It was written.
    Written,
    /// There is a file already, which stays as it is; and what its owner may want to do.
    Kept(Option<String>),
}

/// Works out what the site in a folder needs, with workflows for GitHub that use `action` if there is one.
///
/// # Errors
///
/// When there is a file in the folder's place.
pub fn plan(folder: &Path, action: Option<&Action>) -> miette::Result<Plan> {
    if folder.exists() && !folder.is_dir() {
        return Err(miette::miette!("{} is not a folder", folder.display()));
    }
    let repository = Repository::around(folder);
    let mut notes = Vec::new();
    let settings = Settings::of(folder, repository.as_ref(), &mut notes);
    let has_site = folder.join(FILE_NAME).exists();
    let mut files = vec![Planned::new(folder.join(FILE_NAME), settings.to_toml())];
    files.push(gitignore(folder));
    if !has_site && !settings.has_entries() {
        files.push(Planned::new(folder.join("entries/example.md"), EXAMPLE.to_owned()));
    }
    let lacks_url = if has_site { has_no_url(&folder.join(FILE_NAME)) } else { settings.lacks_url() };
    let mut lacking = Vec::new();
    if lacks_url {
        lacking.push(format!("set `url` in {FILE_NAME} to the address where the site will be published"));
    }
    let mut next = Vec::new();
    let mut refused = None;
    if let Some(action) = action {
        let (root, below) = match &repository {
            Some(repository) => (repository.root.clone(), repository.below(folder)),
            None => (folder.to_path_buf(), ".".to_owned()),
        };
        let branch = branch(repository.as_ref(), &mut notes);
        match workflows::write(action, &root, &below, &branch) {
            Ok(workflows) => {
                files.extend(workflows);
                next.push(
                    "in the repository's settings, choose \"GitHub Actions\" as the source of GitHub Pages"
                        .to_owned(),
                );
                next.push(format!("commit these files and push them to `{branch}`"));
            }
            Err(error) => refused = Some(error),
        }
    } else {
        next.push("run `shelflife watch --open` to see the site while you write".to_owned());
    }
    Ok(Plan { notes, files, lacking, next, refused })
}

/// The branch that is published, and in `notes` why it is that one, where `origin` doesn't say.
fn branch(repository: Option<&Repository>, notes: &mut Vec<String>) -> String {
    const UNKNOWN: &str = "git doesn't know the default branch of `origin` (`git remote set-head origin --auto` \
                           asks for it)";
    let (branch, why) = match repository {
        Some(Repository { default: Some(branch), .. }) => return branch.clone(),
        Some(Repository { checked_out: Some(branch), .. }) => {
            (branch.as_str(), format!("which is checked out: {UNKNOWN}"))
        }
        Some(_) => ("main", format!("since none is checked out, and {UNKNOWN}")),
        None => ("main", "since the folder is not in a git repository".to_owned()),
    };
    notes.push(format!("took the branch `{branch}`, {why}"));
    branch.to_owned()
}

/// Whether a configuration sets no `url`. Of one that can't be read, that is not known.
fn has_no_url(config: &Path) -> bool {
    let text = std::fs::read_to_string(config).ok();
    let table: Option<toml::Table> = text.and_then(|text| toml::from_str(&text).ok());
    table.is_some_and(|table| !table.contains_key("url"))
}

fn gitignore(folder: &Path) -> Planned {
    let path = folder.join(".gitignore");
    let present = std::fs::read_to_string(&path).unwrap_or_default();
    let is_there = |line: &str| {
        let bare = line.trim_matches('/');
        present.lines().any(|other| other.trim().trim_matches('/') == bare)
    };
    let lacking: Vec<_> = IGNORED.into_iter().filter(|line| !is_there(line)).collect();
    let mut planned = Planned::new(path, IGNORED.map(|line| format!("{line}\n")).concat());
    planned.advice = (!lacking.is_empty()).then(|| format!("add {}", lacking.join(" and ")));
    planned
}

impl Planned {
    fn new(path: PathBuf, content: String) -> Self {
        Self { path, content, advice: None }
    }

    /// What [`Planned::write`] would do.
    pub fn outcome(&self) -> Outcome {
        match self.path.symlink_metadata() {
            Ok(_) => Outcome::Kept(self.advice.clone()),
            Err(_) => Outcome::Written,
        }
    }

    /// Writes the file unless there is one.
    ///
    /// # Errors
    ///
    /// When the system refuses to write it.
    pub fn write(&self) -> miette::Result<Outcome> {
        if let Some(folder) = self.path.parent() {
            std::fs::create_dir_all(folder).map_err(denied("create", folder))?;
        }
        // To look first and write then would overwrite what comes in between.
        let is_written = create(&self.path, self.content.as_bytes())?;
        Ok(if is_written { Outcome::Written } else { Outcome::Kept(self.advice.clone()) })
    }
}
