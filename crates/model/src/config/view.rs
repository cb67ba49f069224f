//! The settings as outputs read them: a listener is told of each read, which makes the setting a dependency.

use jiff::tz::TimeZone;
use url::Url;

use super::{Limits, RemotePictures, Settings, Synonyms};
use crate::fact::Window;

/// A listener that is told which settings are read.
pub trait Listener {
    /// The setting with this key was read; the key is one of those in [`Settings::parts`].
    fn read(&self, key: &'static str);
}

/// Settings that can tell a listener of each read.
#[derive(Clone, Copy)]
pub struct View<'a> {
    settings: &'a Settings,
    listener: Option<&'a dyn Listener>,
}

impl Settings {
    /// The settings without a listener.
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
    /// The settings with a listener that is told of each read.
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
        /// The address of the site's own source, if pages should link to it.
        repository: Option<&'a str> = "repository", |settings| settings.repository.as_deref();
        /// The time zone of entries' dates, each of which is midnight there.
        timezone: &'a TimeZone = "timezone", |settings| &settings.timezone;
        /// The path of the folder of entries relative to the site, for the help pages.
        entries_path: &'a str = "paths.entries", |settings| &settings.entries_path;
        /// The server on which a `source` counts as a GitHub repository.
        github_server: &'a Url = "github.server", |settings| &settings.github_server;
        /// Whether `plugins.json` gives a disabled plugin the operating system `disabled`.
        hide_disabled: bool = "hide_disabled", |settings| settings.hide_disabled;
        /// Whether the API is published: the data of each plugin's page as JSON.
        api: bool = "outputs.api", |settings| settings.api;
        /// Whether each plugin has badges.
        badges: bool = "outputs.badges", |settings| settings.badges;
        /// Whether videos are shown with thumbnails that the build fetches.
        thumbnails: bool = "thumbnails", |settings| settings.thumbnails;
        /// How remote pictures in descriptions are rendered.
        remote_pictures: RemotePictures = "markdown.remote_pictures", |settings| settings.remote_pictures;
        /// The windows for which a usage export is configured.
        usage_windows: &'a [Window] = "usage", |settings| &settings.usage_windows;
        /// Words that count as equal in searches.
        synonyms: &'a [Synonyms] = "search.synonyms", |settings| &settings.synonyms;
    }

    /// Limits on untrusted input.
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
        // Templates read the theme's settings, and record those reads themselves.
        let keys: BTreeSet<&str> = keys.filter(|key| !key.starts_with("theme.")).collect();
        assert_eq!(told, keys);
    }
}
