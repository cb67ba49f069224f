//! Plans the files that turn a folder into a site, before anything is written.

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

/// The outputs of builds, which git should ignore.
const IGNORED: [&str; 2] = ["/public/", "/.shelflife/"];

/// The first entry of a registry without entries.
const EXAMPLE: &str = include_str!("init/example.md");

/// The files to write into a folder, and what was found there.
#[derive(Debug)]
pub struct Plan {
    /// The values that were found or ignored, and where, one per line.
    pub notes: Vec<String>,
    /// The files that a site needs.
    pub files: Vec<Planned>,
    /// What the user must still configure, one instruction per line.
    pub lacking: Vec<String>,
    /// What to do after the files are written, one instruction per line.
    pub next: Vec<String>,
    /// Why requested workflows are not among the files.
    pub refused: Option<miette::Report>,
}

/// A file that a site needs.
#[derive(Debug)]
pub struct Planned {
    /// The path to write to.
    pub path: PathBuf,
    content: String,
    /// What the user may need to do if another file already exists.
    advice: Option<String>,
}

/// The result of writing a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// The file was written.
    Written,
    /// A file already exists and was kept, with advice for the user if any.
    Kept(Option<String>),
}

/// Plans the files that the site in a folder needs, with workflows for GitHub that use `action`, if given.
///
/// # Errors
///
/// If `folder` is a file.
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
        lacking.push(format!("set `url` in {FILE_NAME} to the URL where the site will be published"));
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
                    "in the repository settings, choose \"GitHub Actions\" as the source of GitHub Pages"
                        .to_owned(),
                );
                next.push(format!("commit these files and push them to `{branch}`"));
            }
            Err(error) => refused = Some(error),
        }
    } else {
        next.push("run `shelflife watch --open` to preview the site while you edit it".to_owned());
    }
    Ok(Plan { notes, files, lacking, next, refused })
}

/// The branch to publish. If `origin` doesn't say which, a note explains the choice.
fn branch(repository: Option<&Repository>, notes: &mut Vec<String>) -> String {
    const UNKNOWN: &str = "git doesn't know the default branch of `origin` (`git remote set-head origin --auto` \
                           sets it)";
    let (branch, why) = match repository {
        Some(Repository { default: Some(branch), .. }) => return branch.clone(),
        Some(Repository { checked_out: Some(branch), .. }) => {
            (branch.as_str(), format!("which is checked out: {UNKNOWN}"))
        }
        Some(_) => ("main", format!("since no branch is checked out, and {UNKNOWN}")),
        None => ("main", "since the folder is not in a git repository".to_owned()),
    };
    notes.push(format!("using branch `{branch}`, {why}"));
    branch.to_owned()
}

/// Whether a configuration lacks `url`. A configuration that can't be read counts as having one.
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

    /// The result that [`Planned::write`] would have.
    pub fn outcome(&self) -> Outcome {
        match self.path.symlink_metadata() {
            Ok(_) => Outcome::Kept(self.advice.clone()),
            Err(_) => Outcome::Written,
        }
    }

    /// Writes the file, unless it already exists.
    ///
    /// # Errors
    ///
    /// If the file can't be written.
    pub fn write(&self) -> miette::Result<Outcome> {
        if let Some(folder) = self.path.parent() {
            std::fs::create_dir_all(folder).map_err(denied("create", folder))?;
        }
        // Checking first and writing then could overwrite a file created in between.
        let is_written = create(&self.path, self.content.as_bytes())?;
        Ok(if is_written { Outcome::Written } else { Outcome::Kept(self.advice.clone()) })
    }
}
