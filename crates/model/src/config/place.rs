//! The address at which a site is published: from the command line, else the environment, else the file.

use super::values::{base_path, site_url};
use super::{Environment, Overrides};

/// The address and the base path, if the command line or the environment gives them.
pub(super) struct Place {
    pub(super) url: Option<String>,
    pub(super) base_path: Option<String>,
}

impl Place {
    /// Reads both from the command line or else the environment.
    ///
    /// # Errors
    ///
    /// When an option or variable is invalid; the message names it and says what was expected.
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

/// Reads the option, or else the variable.
fn read(
    [option, variable]: [&str; 2],
    [given, set]: [&Option<String>; 2],
    read: fn(&str) -> Result<String, String>,
) -> miette::Result<Option<String>> {
    let given = given.as_ref().map(|text| (format!("the option {option}"), text));
    let set = set.as_ref().map(|text| (format!("the environment variable {variable}"), text));
    let Some((name, text)) = given.or(set) else { return Ok(None) };
    read(text.trim()).map(Some).map_err(|reason| miette::miette!("{name} is invalid: {reason}"))
}
