//! URL paths (RFC 3986, section 3.3): file names as segments, and the outputs that addresses lead to.

use std::borrow::Cow;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};

/// Everything but `pchar`, which a segment may contain unencoded.
const ENCODED: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~')
    .remove(b'!')
    .remove(b'$')
    .remove(b'&')
    .remove(b'\'')
    .remove(b'(')
    .remove(b')')
    .remove(b'*')
    .remove(b'+')
    .remove(b',')
    .remove(b';')
    .remove(b'=')
    .remove(b':')
    .remove(b'@');

/// The percent-encoded path segment for the name of a file or folder.
pub fn segment(name: &str) -> Cow<'_, str> {
    utf8_percent_encode(name, ENCODED).into()
}

/// The address, from the site's root and without the base path, of the output at `path` below the output folder.
pub fn of_output(path: &str) -> String {
    let folder = path.strip_suffix("index.html").filter(|folder| folder.is_empty() || folder.ends_with('/'));
    folder.unwrap_or(path).split('/').flat_map(|name| [Cow::Borrowed("/"), segment(name)]).collect()
}

/// The path below the output folder of the file at `address`, which is relative to the site's root.
pub fn path_of(address: &str) -> String {
    let path = address.trim_start_matches('/');
    let path = if path.contains('%') { percent_decode_str(path).decode_utf8_lossy() } else { path.into() };
    let is_file = path.rsplit('/').next().is_some_and(|name| name.contains('.'));
    match &*path {
        "" => "index.html".to_owned(),
        path if path.ends_with('/') => format!("{path}index.html"),
        path if is_file => path.to_owned(),
        path => format!("{path}/index.html"),
    }
}

/// Whether `text` is an absolute `http` or `https` address.
pub fn is_web(text: &str) -> bool {
    let scheme = |name: &str| text.get(..name.len()).is_some_and(|start| start.eq_ignore_ascii_case(name));
    scheme("https://") || scheme("http://")
}

/// Whether `text` is a path from the site's root. `//host/…` is not: it leads to another host.
pub fn is_rooted(text: &str) -> bool {
    text.starts_with('/') && !text.starts_with("//")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn what_has_a_meaning_in_an_address_is_encoded() {
        for (name, expected) in [
            ("mqtt", "mqtt"),
            ("My Plugin", "My%20Plugin"),
            ("plügin", "pl%C3%BCgin"),
            ("C++ (1.0)", "C++%20(1.0)"),
            ("50%", "50%25"),
            ("a?b#c", "a%3Fb%23c"),
            ("<\"[x]\">", "%3C%22%5Bx%5D%22%3E"),
        ] {
            assert_eq!(segment(name), expected);
        }
        assert_eq!(of_output("index.html"), "/");
        assert_eq!(of_output("plugins/My Plugin/index.html"), "/plugins/My%20Plugin/");
        assert_eq!(of_output("api/50%.json"), "/api/50%25.json");
        assert_eq!(of_output("my-index.html"), "/my-index.html");
    }

    #[test]
    fn an_address_that_leaves_the_site_is_not_rooted() {
        assert!(is_rooted("/a") && !is_rooted("//a") && !is_rooted("a"));
        assert!(is_web("HTTPS://a") && is_web("http://a") && !is_web("javascript:a") && !is_web("httpsä"));
    }

    proptest! {
        #[test]
        fn an_address_leads_to_its_output(name in "[^/\\\\\\p{Cc}.][^/\\\\\\p{Cc}]{0,20}") {
            prop_assert_eq!(path_of(&format!("/plugins/{}/", segment(&name))), format!("plugins/{name}/index.html"));
            for path in [format!("plugins/{name}/index.html"), format!("api/{name}.json")] {
                prop_assert_eq!(path_of(&of_output(&path)), path);
            }
        }
    }
}
