//! The settings as outputs read them: whoever reads one is told of, so that what depends on it is known.

use jiff::tz::TimeZone;
use url::Url;

use super::{Limits, RemotePictures, Settings, Synonyms};
use crate::fact::Window;

/// Told which settings are read.
pub trait Listener {
    /// The setting with this key, one of those in [`Settings::parts`], was read.
    fn read(&self, key: &'static str);
}

/// Settings of which each read may be told.
#[derive(Clone, Copy)]
pub struct View<'a> {
    settings: &'a Settings,
    listener: Option<&'a dyn Listener>,
}

impl Settings {
    /// The settings for a reader of whose reads nobody needs to know.
    pub fn view(&self) -> View<'_> {
        View { settings: self, listener: None }
    }
}

macro_rules! settings {
    ($($(#[$attr:meta])* $name:ident: $kind:ty = $key:literal, $read:expr;)*) => {
        $($(#[$attr])*
        pub fn $name(&self) -> $kind {
            self.read($key);
            let read: fn(&'a Settings) -> $kind = $read;
            read(self.settings)
        })*
    };
}

impl<'a> View<'a> {
    /// Settings of which each read is told.
    pub fn new(settings: &'a Settings, listener: &'a dyn Listener) -> Self {
        Self { settings, listener: Some(listener) }
    }

    fn read(&self, key: &'static str) {
        if let Some(listener) = self.listener {
            listener.read(key);
        }
    }

    settings! {
        /// The site's name.
        title: &'a str = "title", |settings| &settings.title;
        /// The site's address without a path and without a slash at the end.
        url: &'a str = "url", |settings| &settings.url;
        /// The path below which the site is served: empty, or `/` and a path without a slash at the end.
        base_path: &'a str = "base_path", |settings| &settings.base_path;
        /// One sentence about the site.
        description: &'a str = "description", |settings| &settings.description;
        /// Where the site's own source is, if people should know.
        repository: Option<&'a str> = "repository", |settings| settings.repository.as_deref();
        /// Where entry dates are midnights.
        timezone: &'a TimeZone = "timezone", |settings| &settings.timezone;
        /// The folder of entries, relative to the site, as the help pages call it.
        entries_path: &'a str = "paths.entries", |settings| &settings.entries_path;
        /// The server on which a `source` counts as a GitHub repository.
        github_server: &'a Url = "github.server", |settings| &settings.github_server;
        /// Whether `plugins.json` gives a disabled plugin the operating system `disabled`.
        hide_disabled: bool = "hide_disabled", |settings| settings.hide_disabled;
        /// Whether there is an API: what each page of a plugin shows, as JSON.
        api: bool = "outputs.api", |settings| settings.api;
        /// Whether each plugin has badges.
        badges: bool = "outputs.badges", |settings| settings.badges;
        /// Whether videos are shown with pictures of the site's own.
        thumbnails: bool = "thumbnails", |settings| settings.thumbnails;
        /// What becomes of pictures in descriptions that lie elsewhere.
        remote_pictures: RemotePictures = "markdown.remote_pictures", |settings| settings.remote_pictures;
        /// The windows for which a usage export is configured.
        usage_windows: &'a [Window] = "usage", |settings| &settings.usage_windows;
        /// Which words mean the same to a visitor who searches.
        synonyms: &'a [Synonyms] = "search.synonyms", |settings| &settings.synonyms;
    }

    /// How much of what strangers write is read.
    pub fn limits(&self) -> &'a Limits {
        self.settings.limits.parts().iter().for_each(|(key, _)| self.read(key));
        &self.settings.limits
    }
}

#[cfg(test)]
mod tests {
    use std::cell::RefCell;
    use std::collections::BTreeSet;

    use super::*;

    #[derive(Default)]
    struct Told(RefCell<BTreeSet<&'static str>>);

    impl Listener for Told {
        fn read(&self, key: &'static str) {
            self.0.borrow_mut().insert(key);
        }
    }

    #[test]
    fn every_read_is_told_under_a_key_that_there_is() {
        let (settings, told) = (Settings::default(), Told::default());
        let view = View::new(&settings, &told);
        assert_eq!(view.title(), settings.title);
        assert_eq!(*told.0.borrow(), BTreeSet::from(["title"]));
        let _ = (view.url(), view.base_path(), view.description(), view.repository(), view.timezone());
        let _ = (view.entries_path(), view.github_server(), view.hide_disabled(), view.api(), view.badges());
        let _ =
            (view.thumbnails(), view.remote_pictures(), view.usage_windows(), view.synonyms(), view.limits());
        let told = told.0.into_inner();
        let keys = settings.parts().into_iter().map(|(key, _)| key);
        // What the theme says is read by templates, which tell that themselves.
        let keys: BTreeSet<&str> = keys.filter(|key| !key.starts_with("theme.")).collect();
        assert_eq!(told, keys);
    }
}
