//! `shelflife explain`: why an output was rebuilt, and what it depends on.

mod age;
mod text;

use std::ffi::OsString;
use std::io::Write as _;
use std::path::PathBuf;

use clap::Args;
use clap::builder::{OsStringValueParser, TypedValueParser as _};
use jiff::Timestamp;
use miette::IntoDiagnostic as _;

use super::site::folder;
use super::{Exit, build, show};
use crate::config::{Config, Environment, Overrides};
use crate::explain::explain;

/// Explain why an output was last rebuilt, what it depends on and how old its facts are
#[derive(Debug, Args)]
#[command(after_help = AFTER_HELP)]
pub(super) struct Arguments {
    /// Output, entry or URL to explain; see below
    #[arg(value_name = "OUTPUT|ENTRY|URL", value_parser = OsStringValueParser::new().try_map(text))]
    given: String,
    /// Site folder, which contains shelflife.toml [default: the current folder or its nearest ancestor with one]
    #[arg(long, value_name = "SITE")]
    site: Option<PathBuf>,
    /// Folder the site was published to [default: `paths.output` in shelflife.toml]
    #[arg(long, short, value_name = "FOLDER")]
    output: Option<PathBuf>,
    /// Cache file [default: `paths.cache` in shelflife.toml]
    #[arg(long, value_name = "FILE")]
    cache: Option<PathBuf>,
    /// Configuration file; its paths are still relative to SITE [default: SITE/shelflife.toml]
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Show ages as of this time, such as 2026-08-04T07:56:06Z [default: the current time]
    #[arg(long, value_name = "TIME")]
    now: Option<Timestamp>,
    /// Print the explanation as JSON
    #[arg(long)]
    json: bool,
}

/// Outputs, entries and URLs have UTF-8 names, whatever the folders above them are called.
fn text(given: OsString) -> Result<String, &'static str> {
    match given.into_string() {
        Ok(text) if text.is_empty() => Err("must not be empty"),
        Ok(text) => Ok(text),
        Err(_) => Err("not valid UTF-8; give a path relative to the output folder, or an entry's id"),
    }
}

const AFTER_HELP: &str = "\
What can be explained:
  an output, by its path in the output folder   plugins/mqtt/index.html, public/feed.xml
  an entry's page, by the entry's file or id    entries/mqtt.md, mqtt
  a page, by its path on the site or its URL    /plugins/mqtt/, https://plugins.example.org/

Reads what earlier builds recorded in the cache; nothing is written.

Exit codes:
  0  explained
  1  output or entry not found, or the site was never built
  2  invalid command line, environment or shelflife.toml";

pub(super) fn run(arguments: &Arguments) -> Exit {
    let overrides = Overrides {
        config: arguments.config.clone(),
        output: arguments.output.clone(),
        cache: arguments.cache.clone(),
        now: arguments.now,
        ..Overrides::default()
    };
    let site = folder(arguments.site.as_deref(), None);
    let config = match Config::load(&site, &Environment::of_process(), &overrides) {
        Ok(config) => config,
        Err(error) => {
            show::error(&error);
            return Exit::Wrong;
        }
    };
    let told = explain(&arguments.given, &config).and_then(|explanation| {
        if arguments.json {
            serde_json::to_string_pretty(&explanation).into_diagnostic()
        } else {
            Ok(text::draw(&explanation))
        }
    });
    match told {
        Ok(text) => {
            // A closed pipe, such as that of `head`, is not an error.
            let _ = writeln!(anstream::stdout().lock(), "{}", text.trim_end());
            Exit::Done
        }
        Err(error) => {
            show::error(&error);
            if build::is_no_cache(&error) { Exit::Wrong } else { Exit::Failed }
        }
    }
}
