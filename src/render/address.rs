//! Addresses of the site's own pages, and whether an address is one.

use crate::config::Settings;

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
