//! Alternates: the files beside each plugin's page, for other programs.

use serde::{Deserialize, Serialize};

use crate::config::View;
use crate::url_path::segment;

/// A file beside a plugin's page.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Alternate {
    /// The data of the page as JSON.
    Api,
    /// The history of the plugin's numbers.
    History,
    /// A badge with one number or word, to embed in other sites.
    Badge(Badge, Form),
}

/// The content of a badge.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Badge {
    /// Instances with the plugin in the last 30 days.
    Installs,
    /// Stars of its repository.
    Stars,
    /// Its latest release.
    Release,
    /// The versions of Python that it runs on.
    Python,
}

/// The format of a badge.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Form {
    /// A picture.
    Svg,
    /// JSON from which [shields.io](https://shields.io/badges/endpoint-badge) makes an image.
    Endpoint,
}

impl Badge {
    /// All badges.
    pub const ALL: [Self; 4] = [Self::Installs, Self::Stars, Self::Release, Self::Python];

    /// The name of the badge's files, without extension.
    pub fn name(self) -> &'static str {
        match self {
            Self::Installs => "installs",
            Self::Stars => "stars",
            Self::Release => "release",
            Self::Python => "python",
        }
    }
}

impl Form {
    /// All forms.
    const ALL: [Self; 2] = [Self::Svg, Self::Endpoint];

    fn extension(self) -> &'static str {
        match self {
            Self::Svg => ".svg",
            Self::Endpoint => ".json",
        }
    }
}

/// The prefix of plugins' addresses in the API.
const API: &str = "/api/v1/plugins/";

/// The prefix of badges' addresses.
const BADGES: &str = "/badges/";

/// The suffix of a plugin's address in the API. The name of an entry must not end with it, see `entry`: otherwise the
/// folder of its history could be where another plugin's file is.
pub const ENDING: &str = ".json";

/// The suffix of the address of a plugin's history.
const HISTORY: &str = "/history.json";

impl Alternate {
    /// The alternates of each plugin on a site with these settings, in a fixed order.
    pub fn all(settings: View<'_>) -> impl Iterator<Item = Self> {
        let badges = Badge::ALL.into_iter().flat_map(|badge| Form::ALL.map(|form| Self::Badge(badge, form)));
        let api = [Self::Api, Self::History].into_iter().filter(move |_| settings.api());
        api.chain(badges.filter(move |_| settings.badges()))
    }

    /// The address from the site's root, without the base path. `stem` is the name of the entry's file without `.md`.
    pub fn address(self, stem: &str) -> String {
        let name = &*segment(stem);
        match self {
            Self::Api => [API, name, ENDING].concat(),
            Self::History => [API, name, HISTORY].concat(),
            Self::Badge(badge, form) => [BADGES, name, "/", badge.name(), form.extension()].concat(),
        }
    }

    /// The alternate at a path below the output folder, with the name of its entry's file without `.md`.
    pub fn at(path: &str) -> Option<(&str, Self)> {
        let below = |folder: &str| path.strip_prefix(folder.trim_start_matches('/'));
        if let Some(file) = below(API) {
            let named = |ending| file.strip_suffix(ending).filter(|stem| !stem.contains('/'));
            let history = || named(HISTORY).map(|stem| (stem, Self::History));
            return history().or_else(|| named(ENDING).map(|stem| (stem, Self::Api)));
        }
        let (stem, file) = below(BADGES)?.split_once('/')?;
        let badges = Badge::ALL.into_iter().flat_map(|badge| Form::ALL.map(|form| (badge, form)));
        let mut named = badges.filter(|(badge, form)| {
            file.strip_suffix(form.extension()).is_some_and(|name| name == badge.name())
        });
        named.next().map(|(badge, form)| (stem, Self::Badge(badge, form)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Settings;
    use crate::url_path::path_of;

    #[test]
    fn a_path_says_what_is_there() {
        for alternate in Alternate::all(Settings::default().view()) {
            for stem in ["mqtt", "a.b-c_D", "plugins", "My Plugin", "plügin", "50%25 (?)"] {
                let address = alternate.address(stem);
                assert!(address.is_ascii() && !address.contains([' ', '?']), "{address}");
                assert_eq!(Alternate::at(&path_of(&address)), Some((stem, alternate)));
            }
        }
        for path in [
            "api/v1/plugins.json",
            "api/v1/plugins/a/b.json",
            "api/v1/plugins/a/b/history.json",
            "badges/mqtt/other.svg",
            "badges/mqtt/stars.png",
            "badges/a/b/stars.svg",
            "plugins/mqtt/index.html",
        ] {
            assert_eq!(Alternate::at(path), None, "{path}");
        }
    }

    #[test]
    fn settings_say_which_there_are() {
        let count =
            |api, badges| Alternate::all(Settings { api, badges, ..Settings::default() }.view()).count();
        assert_eq!(
            (count(true, true), count(true, false), count(false, true), count(false, false)),
            (10, 2, 8, 0)
        );
    }
}
