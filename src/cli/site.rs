//! Arguments that commands share: which site to use, and how to build it.

use std::path::{Path, PathBuf};

use clap::Args;

use crate::config::{Config, Environment, FILE_NAME, Overrides};

/// Which site to build, and how.
#[derive(Debug, Args)]
pub(super) struct Site {
    /// Site folder, which contains shelflife.toml
    #[arg(id = "site", value_name = "SITE", default_value = ".")]
    pub(super) folder: PathBuf,
    /// Publish to this folder [default: `paths.output` in shelflife.toml]
    #[arg(long, short, value_name = "FOLDER")]
    output: Option<PathBuf>,
    /// Cache file; the state file is stored beside it [default: `paths.cache` in shelflife.toml]
    #[arg(long, value_name = "FILE")]
    cache: Option<PathBuf>,
    /// Configuration file; its paths are still relative to SITE [default: SITE/shelflife.toml]
    #[arg(long, value_name = "FILE")]
    pub(super) config: Option<PathBuf>,
    /// Publish under this URL, such as a preview's [default: SHELFLIFE_URL, or `url` in shelflife.toml]
    #[arg(long, value_name = "URL")]
    url: Option<String>,
    /// Publish below this path of the URL, such as /preview [default: SHELFLIFE_BASE_PATH, or `base_path` in
    /// shelflife.toml]
    #[arg(long, value_name = "PATH")]
    base_path: Option<String>,
    /// Run without network access; known facts are used however old they are
    #[arg(long)]
    offline: bool,
}

impl Site {
    /// The settings that these arguments override.
    pub(super) fn overrides(&self) -> Overrides {
        Overrides {
            config: self.config.clone(),
            output: self.output.clone(),
            cache: self.cache.clone(),
            url: self.url.clone(),
            base_path: self.base_path.clone(),
            offline: self.offline,
            ..Overrides::default()
        }
    }
}

/// The site of a command that does not build.
#[derive(Debug, Args)]
pub(super) struct InSite {
    /// Site folder, which contains shelflife.toml [default: the current folder or its nearest ancestor with one]
    #[arg(long = "site", global = true, value_name = "SITE")]
    folder: Option<PathBuf>,
    /// Configuration file; its paths are still relative to SITE [default: SITE/shelflife.toml]
    #[arg(long, global = true, value_name = "FILE")]
    config: Option<PathBuf>,
}

impl InSite {
    /// The site's configuration.
    ///
    /// # Errors
    /// If it can't be read, or a value is invalid.
    pub(super) fn load(&self) -> miette::Result<Config> {
        let overrides = Overrides { config: self.config.clone(), ..Overrides::default() };
        let site = folder(self.folder.as_deref(), None);
        Config::load(&site, &Environment::of_process(), &overrides)
    }
}

/// The site folder: `given`, or else the nearest ancestor of the current folder with a `shelflife.toml`, or else that
/// of `path`, the file a command works on. Falls back to the current folder.
pub(super) fn folder(given: Option<&Path>, path: Option<&Path>) -> PathBuf {
    let is_site = |folder: &Path| folder.join(FILE_NAME).is_file();
    let above = |from: &Path| {
        let from = std::path::absolute(from).ok()?;
        Some(from.ancestors().find(|folder| is_site(folder))?.to_path_buf())
    };
    let here = Path::new(".");
    if let Some(given) = given {
        return given.to_path_buf();
    }
    // A path that the user gave is shown as they wrote it.
    if is_site(here) {
        return here.to_path_buf();
    }
    let named = path.filter(|path| is_site(path)).map(Path::to_path_buf);
    named.or_else(|| above(here)).or_else(|| above(path?)).unwrap_or_else(|| here.to_path_buf())
}
