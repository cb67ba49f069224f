//! The snapshot: what the site's files and settings are, for the recorder to give to those that say what they read.

use std::collections::BTreeMap;
use std::sync::{Arc, OnceLock};

use crate::config::Settings;
use crate::digest::Digest;
use crate::problem::Problem;
use crate::render::compact::compact;
use crate::render::environment::{Source, Templates, has_markup};
use crate::trace::{Input, Version};

/// Templates that compile, or what is wrong with those that don't.
type Compiled = Result<Templates, Vec<Problem>>;

/// What the site's files and settings are.
#[derive(Debug, Default)]
pub struct Snapshot {
    /// The part of the configuration that outputs depend on.
    pub(super) settings: Settings,
    /// Templates by their names.
    pub(super) templates: BTreeMap<Arc<str>, Template>,
    /// The published path of each asset, by its name.
    pub(super) assets: BTreeMap<Arc<str>, Arc<str>>,
    /// Data files by their names without extension.
    pub(super) data: BTreeMap<Arc<str>, DataFile>,
    /// The settings as text.
    values: BTreeMap<&'static str, Arc<str>>,
    environment: OnceLock<Compiled>,
}

/// One template, the theme's or the site's own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Template {
    /// The content.
    pub text: Arc<str>,
    /// Whether the site brought it.
    pub is_own: bool,
}

/// One data file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DataFile {
    /// The path relative to the site, with `/`.
    pub path: Arc<str>,
    /// The content.
    pub content: Arc<[u8]>,
}

impl Snapshot {
    /// A snapshot of a site with these settings, templates, published paths of assets, and data files.
    pub fn new(
        settings: Settings,
        templates: BTreeMap<Arc<str>, Template>,
        assets: BTreeMap<Arc<str>, Arc<str>>,
        data: BTreeMap<Arc<str>, DataFile>,
    ) -> Self {
        let values = settings.parts().into_iter().map(|(key, value)| (key, value.into())).collect();
        Self { settings, templates, assets, data, values, environment: OnceLock::new() }
    }

    /// What an input is that all targets share; `None` if there is no such thing. Of others, nothing is known here.
    pub(super) fn version(&self, input: &Input) -> Option<Version> {
        match input {
            Input::Program => Some(Version::of(Digest::of(crate::FINGERPRINT.as_bytes()))),
            Input::Setting(key) => self.values.get(&**key).map(|value| Version::short(Arc::clone(value))),
            Input::Template(name) => {
                let Template { text, is_own } = self.templates.get(name)?;
                Some(Version::of(Digest::of_parts([text.as_bytes(), &[u8::from(*is_own)]])))
            }
            Input::Asset(name) => self.assets.get(name).map(|path| Version::short(Arc::clone(path))),
            Input::Data(name) => {
                // What is wrong with it is told with its path.
                let DataFile { path, content } = self.data.get(name)?;
                Some(Version::of(Digest::of_parts([path.as_bytes(), content])))
            }
            _ => None,
        }
    }

    /// The templates, compiled, or what is wrong with them.
    pub(super) fn environment(&self) -> &Compiled {
        self.environment.get_or_init(|| {
            let sources = self.templates.iter().map(|(name, template)| source(name, template)).collect();
            Templates::compile(sources, &self.settings, self.assets.clone())
        })
    }
}

fn source(name: &Arc<str>, Template { text, is_own }: &Template) -> Source {
    let folder = if *is_own { "templates" } else { "(theme)" };
    let text = if !is_own && has_markup(name) { compact(text).into() } else { Arc::clone(text) };
    Source { path: format!("{folder}/{name}"), name: Arc::clone(name), text }
}
