//! A rig: a generated registry with cache and outputs, built by one binary.

use std::path::{Path, PathBuf};

use shelflife_testkit::registry::Registry;
use shelflife_testkit::replay::Server;

use super::Job;
use super::stage::{Extent, Outputs, Stage, Trash, run_unmeasured};
use super::{Failure, at};

/// The most builds that a site gets to fetch all its facts.
const BUILDS: usize = 4;

/// A registry that was built once by a binary, so that its cache and outputs exist.
pub(crate) struct Rig {
    /// Its place in the lab: 0 for the measured binary, 1 for the one before.
    pub(crate) number: usize,
    pub(crate) folder: PathBuf,
    /// The site that is edited.
    pub(crate) main: Stage,
    /// A copy of the site that is always built with facts alone.
    bare: Stage,
    /// A state that holds facts alone.
    facts: PathBuf,
}

impl Rig {
    /// Writes the registry into `folder`, and builds it with the facts that `server` has.
    pub(crate) fn open(
        (number, binary): (usize, &Path),
        folder: PathBuf,
        registry: &Registry,
        trash: &Trash,
        server: &Server,
        extent: Extent,
    ) -> Result<Self, Failure> {
        let main = Stage::new(folder.join("main"), binary, trash, server, extent.settings())?;
        registry.write(&main.site).map_err(at(&main.site))?;
        // Builds until nothing is left to fetch: a fact that arrives late would change outputs in a measured run.
        let mut builds = 1;
        while run_unmeasured(main.build())?.is_some_and(|report| report.requests() > 0) && builds < BUILDS {
            builds += 1;
        }
        let bare = main.copy_to(folder.join("bare"), Outputs::Omitted)?;
        let facts = folder.join("facts.sqlite");
        std::fs::copy(main.state(), &facts).map_err(at(&facts))?;
        Ok(Self { number, folder, main, bare, facts })
    }

    /// Resets the copy of the site to facts alone, and returns its build.
    pub(crate) fn with_facts_alone(&self) -> Result<Job, Failure> {
        self.bare.drop_outputs()?;
        self.bare.put_state(&self.facts)?;
        Ok(self.bare.build())
    }

    /// Removes what the copy of the site was built into.
    pub(crate) fn drop_rendered(&self) -> Result<(), Failure> {
        self.bare.drop_outputs()?;
        self.bare.drop_cache()
    }
}
