//! Addresses of the site's pages.

use std::borrow::Cow;
use std::cmp::Ordering;
use std::fmt;
use std::sync::Arc;

use minijinja::value::{DynObject, Object, ObjectRepr, Value, serializing_for_value};
use serde::{Deserialize, Serialize, Serializer};
use url::{ParseError, Url};

use crate::config::View;
use crate::digest::Digest;
pub use crate::url_path::{is_rooted, is_web};
use crate::{markdown, url_path};

/// An address as written on the site's pages: a path from the root of the host, including the base path, or an address
/// on another host.
///
/// Whether a path already includes the base path can't be seen from its text: with the base path `/plugins`, people
/// write `/plugins/mqtt/` for what pages write as `/plugins/plugins/mqtt/`. So this is a separate type, and templates
/// get it as an object that behaves like a string.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(transparent)]
pub struct Local(String);

impl Local {
    /// Returns the address on pages of `path` from the site's root. Any other address is unchanged.
    pub fn of(settings: View<'_>, path: &str) -> Self {
        Self(based(settings.base_path(), path).unwrap_or_else(|| path.to_owned()))
    }

    /// Returns the address as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Returns the absolute address.
    pub fn absolute(&self, settings: View<'_>) -> String {
        if is_rooted(&self.0) { format!("{}{}", settings.url(), self.0) } else { self.0.clone() }
    }

    /// Returns the address as a template value.
    pub fn value(&self) -> Value {
        if is_rooted(&self.0) { Value::from_object(self.clone()) } else { Value::from(&self.0) }
    }
}

impl fmt::Display for Local {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Serialize for Local {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if serializing_for_value() {
            self.value().serialize(serializer)
        } else {
            serializer.serialize_str(&self.0)
        }
    }
}

impl Object for Local {
    fn repr(self: &Arc<Self>) -> ObjectRepr {
        ObjectRepr::Plain
    }

    fn custom_cmp(self: &Arc<Self>, other: &DynObject) -> Option<Ordering> {
        Some(self.0.cmp(&other.downcast_ref::<Self>()?.0))
    }

    fn render(self: &Arc<Self>, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Returns the address on pages of a path from the site's root; `None` if `address` is not one and stays as it is.
pub fn based(base_path: &str, address: &str) -> Option<String> {
    (is_rooted(address) && !base_path.is_empty()).then(|| format!("{base_path}{address}"))
}

/// Resolves `address` on the page with the absolute address `page`. `None` if it is already absolute, or not a valid
/// address.
pub fn resolved(base_path: &str, page: &str, address: &str) -> Option<String> {
    let address = based(base_path, address).map_or(Cow::Borrowed(address), Cow::Owned);
    joined(page, &address)
}

/// Resolves an address that already includes the base path.
pub fn joined(page: &str, address: &str) -> Option<String> {
    match Url::parse(address) {
        Err(ParseError::RelativeUrlWithoutBase) => {
            Some(Url::parse(page).ok()?.join(address).ok()?.to_string())
        }
        _ => None,
    }
}

/// Returns `text` with the percent-encoding that `href` and `src` need if it is an address. Other text is unchanged:
/// the reason why a plugin is abandoned can be an address or a sentence.
pub fn written(text: &str) -> String {
    if is_web(text) || is_rooted(text) { markdown::encode(text) } else { text.to_owned() }
}

/// Returns the absolute address: a path from the root gets the site's address and base path, anything else is
/// unchanged.
pub fn absolute(settings: View<'_>, path: &str) -> String {
    if is_rooted(path) {
        format!("{}{}{path}", settings.url(), settings.base_path())
    } else {
        path.to_owned()
    }
}

/// Returns the path of a plugin's page from the site's root.
pub fn plugin_page(stem: &str) -> String {
    format!("/plugins/{}/", url_path::segment(stem))
}

/// Returns the path from the site's root of the asset at `path` below the assets folder. If `fingerprinted`, eight
/// digits of its digest are inserted before the extension.
pub fn asset(path: &str, digest: Digest, fingerprinted: bool) -> String {
    if !fingerprinted {
        return format!("/assets/{path}");
    }
    let fingerprint = digest.short(8);
    let name_at = path.rfind('/').map_or(0, |slash| slash + 1);
    match path[name_at..].rfind('.') {
        Some(dot) if dot > 0 => {
            let (stem, extension) = path.split_at(name_at + dot);
            format!("/assets/{stem}.{fingerprint}{extension}")
        }
        _ => format!("/assets/{path}.{fingerprint}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Settings;

    #[test]
    fn fingerprints_stand_before_the_extension() {
        let digest = Digest::of(b"");
        for (path, expected) in [
            ("site.css", "/assets/site.af1349b9.css"),
            ("js/a.min.js", "/assets/js/a.min.af1349b9.js"),
            ("v1.2/LICENSE", "/assets/v1.2/LICENSE.af1349b9"),
            (".hidden", "/assets/.hidden.af1349b9"),
        ] {
            assert_eq!(asset(path, digest, true), expected);
            assert_eq!(asset(path, digest, false), format!("/assets/{path}"));
        }
    }

    #[test]
    fn every_path_gets_the_base_path() {
        for (base, path, expected) in [
            ("", "/a", None),
            ("/reg", "/a", Some("/reg/a")),
            ("/reg", "/", Some("/reg/")),
            ("/reg", "/register", Some("/reg/register")),
            ("/reg", "/reg/a", Some("/reg/reg/a")),
            ("/reg", "/reg", Some("/reg/reg")),
            ("/reg", "//reg/a", None),
            ("/reg", "a", None),
            ("/reg", "https://a.example/", None),
        ] {
            assert_eq!(based(base, path).as_deref(), expected, "{base} {path}");
            let settings =
                Settings { base_path: base.to_owned(), url: "https://s".to_owned(), ..Settings::default() };
            let local = Local::of(settings.view(), path);
            assert_eq!(local.as_str(), expected.unwrap_or(path), "{base} {path}");
            assert_eq!(local.absolute(settings.view()), absolute(settings.view(), path), "{base} {path}");
        }
    }

    #[test]
    fn addresses_are_resolved_against_the_page() {
        let page = "https://s.example/reg/plugins/one/";
        for (address, expected) in [
            ("", Some("https://s.example/reg/plugins/one/")),
            ("#x", Some("https://s.example/reg/plugins/one/#x")),
            ("../two/", Some("https://s.example/reg/plugins/two/")),
            ("/two/", Some("https://s.example/reg/two/")),
            ("//a.example/", Some("https://a.example/")),
            ("https://a.example", None),
            ("mailto:a@a.example", None),
            ("//[x", None),
        ] {
            assert_eq!(resolved("/reg", page, address).as_deref(), expected, "{address}");
        }
    }
}
