//! The snapshot: the site's files and settings, which the recorder gives to queries.

use std::collections::BTreeMap;
use std::sync::{Arc, OnceLock};

use crate::config::Settings;
use crate::digest::Digest;
use crate::problem::Problem;
use crate::render::compact::compact;
use crate::render::environment::{Source, Templates, has_markup};
use crate::trace::{Input, Version};

/// Compiled templates, or the compile errors.
type Compiled = Result<Templates, Vec<Problem>>;

/// The site's files and settings.
#[derive(Debug, Default)]
pub struct Snapshot {
    /// The settings that outputs depend on.
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

/// A template of the theme or the site.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Template {
    /// The content.
    pub text: Arc<str>,
    /// Whether the template belongs to the site.
    pub is_own: bool,
}

/// A data file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DataFile {
    /// The path relative to the site, with `/`.
    pub path: Arc<str>,
    /// The content.
    pub content: Arc<[u8]>,
}

impl Snapshot {
    /// Creates a snapshot from settings, templates, published paths of assets, and data files.
    pub fn new(
        settings: Settings,
        templates: BTreeMap<Arc<str>, Template>,
        assets: BTreeMap<Arc<str>, Arc<str>>,
        data: BTreeMap<Arc<str>, DataFile>,
    ) -> Self {
        let values = settings.parts().into_iter().map(|(key, value)| (key, value.into())).collect();
        Self { settings, templates, assets, data, values, environment: OnceLock::new() }
    }

    /// Returns the version of a shared input; `None` for other inputs and for those that do not exist.
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
                // Messages about the file contain its path.
                let DataFile { path, content } = self.data.get(name)?;
                Some(Version::of(Digest::of_parts([path.as_bytes(), content])))
            }
            _ => None,
        }
    }

    /// Returns the compiled templates or their errors.
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
