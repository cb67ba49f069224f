//! Arguments that commands share: which site it is, and how to build it.

use std::path::{Path, PathBuf};

use clap::Args;

use crate::config::{Config, Environment, FILE_NAME, Overrides};

/// Which site, and how to build it.
#[derive(Debug, Args)]
pub(super) struct Site {
    /// The site's folder, the one that holds shelflife.toml
    #[arg(id = "site", value_name = "SITE", default_value = ".")]
    pub(super) folder: PathBuf,
    /// Publish into this folder [default: `paths.output` of shelflife.toml]
    #[arg(long, short, value_name = "FOLDER")]
    output: Option<PathBuf>,
    /// Keep facts, blobs and memos in this file [default: `paths.cache` of shelflife.toml]
    #[arg(long, value_name = "FILE")]
    cache: Option<PathBuf>,
    /// Read this file instead of SITE/shelflife.toml; paths in it are still relative to SITE
    #[arg(long, value_name = "FILE")]
    pub(super) config: Option<PathBuf>,
    /// Publish under this address, as for a preview [default: SHELFLIFE_URL, or `url` of shelflife.toml]
    #[arg(long, value_name = "URL")]
    url: Option<String>,
    /// Publish below this path of the address, such as /preview [default: SHELFLIFE_BASE_PATH, or `base_path` of
    /// shelflife.toml]
    #[arg(long, value_name = "PATH")]
    base_path: Option<String>,
    /// Ask nothing of the network; facts that are known stay, however old
    #[arg(long)]
    offline: bool,
}

impl Site {
    /// What these arguments say.
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

/// Which site a command is about that builds nothing.
#[derive(Debug, Args)]
pub(super) struct InSite {
    /// The site's folder, the one that holds shelflife.toml [default: this folder or the nearest above it]
    #[arg(long = "site", global = true, value_name = "SITE")]
    folder: Option<PathBuf>,
    /// Read this file instead of SITE/shelflife.toml; paths in it are still relative to SITE
    #[arg(long, global = true, value_name = "FILE")]
    config: Option<PathBuf>,
}

impl InSite {
    /// The site's configuration.
    ///
    /// # Errors
    /// When it can't be read, or says what can't be.
    pub(super) fn load(&self) -> miette::Result<Config> {
        let overrides = Overrides { config: self.config.clone(), ..Overrides::default() };
        let folder = self.folder.clone().unwrap_or_else(|| {
            let here = Path::new(".");
            let above = || nearest(here).filter(|_| !here.join(FILE_NAME).is_file());
            above().unwrap_or_else(|| here.to_path_buf())
        });
        Config::load(&folder, &Environment::of_process(), &overrides)
    }
}

/// The nearest folder that has a `shelflife.toml`, from a place upwards.
pub(super) fn nearest(from: &Path) -> Option<PathBuf> {
    let from = std::path::absolute(from).ok()?;
    Some(from.ancestors().find(|folder| folder.join(FILE_NAME).is_file())?.to_path_buf())
}
