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
    /// Keep the cache in this file, and the state beside it [default: `paths.cache` of shelflife.toml]
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
        let site = folder(self.folder.as_deref(), None);
        Config::load(&site, &Environment::of_process(), &overrides)
    }
}

/// The site's folder: the one that is `given`, or the nearest that has a `shelflife.toml`, from the current folder upwards or
/// else from `path`, which the command is about; the current folder if there is none.
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
    // A site that is named is called as it was.
    if is_site(here) {
        return here.to_path_buf();
    }
    let named = path.filter(|path| is_site(path)).map(Path::to_path_buf);
    named.or_else(|| above(here)).or_else(|| above(path?)).unwrap_or_else(|| here.to_path_buf())
}
