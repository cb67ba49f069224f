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
    /// What was taken from where, a line each.
    pub found: Vec<String>,
    /// The files that a site needs.
    pub files: Vec<Planned>,
    /// What else there is to do, a line each.
    pub next: Vec<String>,
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
/// When the folder can't be read, `_config.yml` in it makes no sense, or its name can't stand in a workflow.
pub fn plan(folder: &Path, action: Option<&Action>) -> miette::Result<Plan> {
    if folder.exists() && !folder.is_dir() {
        return Err(miette::miette!("{} is not a folder", folder.display()));
    }
    let repository = Repository::around(folder);
    let mut found = Vec::new();
    let settings = Settings::of(folder, repository.as_ref(), &mut found)?;
    let has_site = folder.join(FILE_NAME).exists();
    let mut files = vec![Planned::new(folder.join(FILE_NAME), settings.to_toml())];
    files.push(gitignore(folder));
    if !has_site && !settings.has_entries() {
        files.push(Planned::new(folder.join("entries/example.md"), EXAMPLE.to_owned()));
    }
    let mut next = Vec::new();
    if !has_site && settings.lacks_url() {
        next.push(format!("set `url` in {FILE_NAME} to the address where the site will be published"));
    }
    if let Some(action) = action {
        let (root, below, branch) = match &repository {
            Some(repository) => {
                (repository.root.clone(), repository.below(folder), repository.branch.clone())
            }
            None => (folder.to_path_buf(), ".".to_owned(), None),
        };
        let branch = branch.unwrap_or_else(|| {
            found.push("no branch: the workflow publishes `main`".to_owned());
            "main".to_owned()
        });
        let written = workflows::write(action, &below, &branch)?;
        let place = |name: &str| root.join(".github/workflows").join(name);
        files.extend(written.into_iter().map(|(name, content)| Planned::new(place(name), content)));
        next.push(
            "in the repository's settings, choose \"GitHub Actions\" as the source of GitHub Pages"
                .to_owned(),
        );
        next.push(format!("commit these files and push them to `{branch}`"));
    } else {
        next.push("run `shelflife watch --open` to see the site while you write".to_owned());
    }
    Ok(Plan { found, files, next })
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
