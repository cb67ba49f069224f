//! Addresses of the site's own pages, and whether an address is one.

use std::borrow::Cow;

use url::{ParseError, Url};

use crate::config::Settings;
use crate::digest::Digest;
use crate::markdown;

/// Whether `text` is an absolute http or https address.
pub fn is_web(text: &str) -> bool {
    let scheme = |name: &str| text.get(..name.len()).is_some_and(|start| start.eq_ignore_ascii_case(name));
    scheme("https://") || scheme("http://")
}

/// Whether `text` is a path from the site's root. `//host/…` is not: it leaves the site.
pub fn is_rooted(text: &str) -> bool {
    text.starts_with('/') && !text.starts_with("//")
}

/// Whether `path` is `base_path` or below it. `/register` is not below `/reg`.
fn is_below(base_path: &str, path: &str) -> bool {
    let rest = path.strip_prefix(base_path).filter(|_| !base_path.is_empty());
    rest.is_some_and(|rest| rest.is_empty() || rest.starts_with(['/', '?', '#']))
}

/// The address within the site that a text gives which people wrote: a path from the root gets the base path,
/// unless it has it, as one does that a shortcode or template made. `None` if `address` stays as it is.
pub fn based(base_path: &str, address: &str) -> Option<String> {
    let bare = is_rooted(address) && !base_path.is_empty() && !is_below(base_path, address);
    bare.then(|| format!("{base_path}{address}"))
}

/// The absolute address that `address` stands for on the page at `page`, which is absolute. `None` if it is
/// absolute already, or can't be an address at all.
pub fn resolved(base_path: &str, page: &str, address: &str) -> Option<String> {
    let address = based(base_path, address).map_or(Cow::Borrowed(address), Cow::Owned);
    match Url::parse(&address) {
        Err(ParseError::RelativeUrlWithoutBase) => {
            Some(Url::parse(page).ok()?.join(&address).ok()?.to_string())
        }
        _ => None,
    }
}

/// The absolute address of a path that may have the base path already.
pub fn absolute_once(settings: &Settings, path: &str) -> String {
    if is_rooted(path) && is_below(&settings.base_path, path) {
        format!("{}{path}", settings.url)
    } else {
        absolute(settings, path)
    }
}

/// `text` as it may stand in `href` and `src`, if it is an address at all: what says why a plugin is abandoned may
/// also be a sentence, which stays.
pub fn written(text: &str) -> String {
    if is_web(text) || is_rooted(text) { markdown::encode(text) } else { text.to_owned() }
}

/// The address within the site: a path from the root gets the base path, anything else stays.
pub fn local(settings: &Settings, path: &str) -> String {
    if is_rooted(path) { format!("{}{path}", settings.base_path) } else { path.to_owned() }
}

/// The absolute address: a path from the root gets the site's address and base path, anything else stays.
pub fn absolute(settings: &Settings, path: &str) -> String {
    if is_rooted(path) { format!("{}{}{path}", settings.url, settings.base_path) } else { path.to_owned() }
}

/// The path of a plugin's page from the site's root.
pub fn plugin_page(stem: &str) -> String {
    format!("/plugins/{stem}/")
}

/// The path from the site's root under which the asset at `path` below the assets' folder is published. A
/// fingerprinted one has eight digits of its digest before its extension.
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
    fn the_base_path_is_put_before_a_path_once() {
        for (base, path, expected) in [
            ("", "/a", None),
            ("/reg", "/a", Some("/reg/a")),
            ("/reg", "/", Some("/reg/")),
            ("/reg", "/register", Some("/reg/register")),
            ("/reg", "/reg.html", Some("/reg/reg.html")),
            ("/reg", "/reg/a", None),
            ("/reg", "/reg", None),
            ("/reg", "/reg?a", None),
            ("/reg", "/reg#a", None),
            ("/reg", "//reg/a", None),
            ("/reg", "a", None),
            ("/reg", "https://a.example/", None),
        ] {
            assert_eq!(based(base, path).as_deref(), expected, "{base} {path}");
            let settings =
                Settings { base_path: base.to_owned(), url: "https://s".to_owned(), ..Settings::default() };
            let once = absolute_once(&settings, path);
            let shown = if is_rooted(path) {
                format!("https://s{}", expected.unwrap_or(path))
            } else {
                path.to_owned()
            };
            assert_eq!(once, shown, "{base} {path}");
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

    #[test]
    fn an_address_that_leaves_the_site_is_not_rooted() {
        assert!(is_rooted("/a") && !is_rooted("//a") && !is_rooted("a"));
        assert!(is_web("HTTPS://a") && is_web("http://a") && !is_web("javascript:a") && !is_web("httpsä"));
    }
}
