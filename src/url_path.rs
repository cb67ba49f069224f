//! Names as segments of an address's path (RFC 3986, section 3.3).

use std::borrow::Cow;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

/// Everything but `pchar`, which stands for itself in a segment.
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

/// A name of a file or folder as a segment.
pub fn segment(name: &str) -> Cow<'_, str> {
    utf8_percent_encode(name, ENCODED).into()
}

/// The address from the site's root, without the base path, of the output at a path below the output folder.
pub fn of_output(path: &str) -> String {
    let folder = path.strip_suffix("index.html").filter(|folder| folder.is_empty() || folder.ends_with('/'));
    folder.unwrap_or(path).split('/').flat_map(|name| [Cow::Borrowed("/"), segment(name)]).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::graph::kinds::path_of;

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
