//! Arguments that commands share: which site it is, and how to build it.

use std::path::PathBuf;

use clap::Args;

use crate::config::{Config, Environment, Overrides};

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
    /// The site's folder, the one that holds shelflife.toml
    #[arg(long = "site", default_value = ".", global = true, value_name = "SITE")]
    folder: PathBuf,
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
        Config::load(&self.folder, &Environment::of_process(), &overrides)
    }
}
