//! Addresses of the site's own pages, and whether an address is one.

use crate::config::Settings;
use crate::digest::Digest;

/// Whether `text` is an absolute http or https address.
pub fn is_web(text: &str) -> bool {
    let scheme = |name: &str| text.get(..name.len()).is_some_and(|start| start.eq_ignore_ascii_case(name));
    scheme("https://") || scheme("http://")
}

/// Whether `text` is a path from the site's root. `//host/…` is not: it leaves the site.
pub fn is_rooted(text: &str) -> bool {
    text.starts_with('/') && !text.starts_with("//")
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
    fn an_address_that_leaves_the_site_is_not_rooted() {
        assert!(is_rooted("/a") && !is_rooted("//a") && !is_rooted("a"));
        assert!(is_web("HTTPS://a") && is_web("http://a") && !is_web("javascript:a") && !is_web("httpsä"));
    }
}
