//! Where the site is published: what the command line says of it, or else the environment, or else the file.

use super::values::{base_path, site_url};
use super::{Environment, Overrides};

/// The address and the base path, where something else than the file says them.
pub(super) struct Place {
    pub(super) url: Option<String>,
    pub(super) base_path: Option<String>,
}

impl Place {
    /// Reads what is said.
    ///
    /// # Errors
    ///
    /// Names the option or variable that is wrong, and says what was expected.
    pub(super) fn of(environment: &Environment, overrides: &Overrides) -> miette::Result<Self> {
        Ok(Self {
            url: read(["--url", "SHELFLIFE_URL"], [&overrides.url, &environment.url], site_url)?,
            base_path: read(
                ["--base-path", "SHELFLIFE_BASE_PATH"],
                [&overrides.base_path, &environment.base_path],
                base_path,
            )?,
        })
    }
}

/// The option, or else the variable.
fn read(
    [option, variable]: [&str; 2],
    [given, set]: [&Option<String>; 2],
    read: fn(&str) -> Result<String, String>,
) -> miette::Result<Option<String>> {
    let given = given.as_ref().map(|text| (format!("the option {option}"), text));
    let set = set.as_ref().map(|text| (format!("the environment variable {variable}"), text));
    let Some((name, text)) = given.or(set) else { return Ok(None) };
    read(text.trim()).map(Some).map_err(|reason| miette::miette!("{name} is wrong: {reason}"))
}
