//! `shelflife explain`: why an output is what it is.

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

/// Tell why an output was made again the last time, what it depends on, and how old its facts are
#[derive(Debug, Args)]
#[command(after_help = AFTER_HELP)]
pub(super) struct Arguments {
    /// An output, an entry or an address of the site, see below
    #[arg(value_name = "OUTPUT|ENTRY|URL", value_parser = OsStringValueParser::new().try_map(text))]
    given: String,
    /// The site's folder, the one that holds shelflife.toml [default: this folder or the nearest above it]
    #[arg(long, value_name = "SITE")]
    site: Option<PathBuf>,
    /// The folder that the site was published into [default: `paths.output` of shelflife.toml]
    #[arg(long, short, value_name = "FOLDER")]
    output: Option<PathBuf>,
    /// The cache file [default: `paths.cache` of shelflife.toml]
    #[arg(long, value_name = "FILE")]
    cache: Option<PathBuf>,
    /// Read this file instead of SITE/shelflife.toml; paths in it are still relative to SITE
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Tell ages as of this moment, such as 2026-08-04T07:56:06Z [default: the clock]
    #[arg(long, value_name = "TIME")]
    now: Option<Timestamp>,
    /// Print one JSON document
    #[arg(long)]
    json: bool,
}

/// What outputs, entries and addresses are called is text, whatever the folders are called in which they lie.
fn text(given: OsString) -> Result<String, &'static str> {
    match given.into_string() {
        Ok(text) if text.is_empty() => Err("it is empty"),
        Ok(text) => Ok(text),
        Err(_) => {
            Err("it is not UTF-8; name it by its path below the output folder, or as an entry by its id")
        }
    }
}

const AFTER_HELP: &str = "\
What can be explained:
  a path below the output folder, or to a file in it    plugins/mqtt/index.html, public/feed.xml
  an entry, which means its page: its file, name or id  entries/mqtt.md, mqtt
  an address within the site, or all of it              /plugins/mqtt/, https://plugins.example.org/

It answers from what builds wrote into the cache, and writes nothing.

Exit codes:
  0  explained
  1  there is no such output or entry, or nothing was built yet
  2  the command line, the environment or shelflife.toml is wrong";

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
            // A reader that has seen enough, as `head` has, is no error.
            let _ = writeln!(anstream::stdout().lock(), "{}", text.trim_end());
            Exit::Done
        }
        Err(error) => {
            show::error(&error);
            if build::is_no_cache(&error) { Exit::Wrong } else { Exit::Failed }
        }
    }
}
