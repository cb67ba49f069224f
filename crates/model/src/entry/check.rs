//! Checks of single values of an entry.

use std::str::FromStr;

use pep440_rs::{Version, VersionSpecifiers};
use percent_encoding::percent_decode_str;
use url::Url;

use crate::markdown::is_forbidden;

/// The longest identifier, in characters.
pub const MAX_IDENTIFIER: usize = 100;
/// The longest former address, in bytes; folders are created from it.
pub const MAX_REDIRECT: usize = 500;
/// The longest part of a former address, in bytes: file systems allow 255, some of which a suffix may need.
pub const MAX_REDIRECT_SEGMENT: usize = 200;

/// The longest part of a path, in bytes: file systems allow 255, some of which a suffix may need.
const MAX_PART: usize = 200;

/// The expectation that a value doesn't meet.
type Expectation = &'static str;

/// Checks an identifier: an entry's `id`.
pub(super) fn identifier(text: &str) -> Result<(), Expectation> {
    const EXPECTED: Expectation =
        "expected at most 100 letters (a-z, A-Z), digits, `_`, `-` and `.`, not beginning with `.`";
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.');
    let valid =
        !text.is_empty() && text.len() <= MAX_IDENTIFIER && !text.starts_with('.') && text.bytes().all(plain);
    if valid { Ok(()) } else { Err(EXPECTED) }
}

/// Checks a part of a path: it must not lead to another folder, be hidden, or contain invisible characters.
pub(super) fn part(text: &str) -> Result<(), Expectation> {
    const EXPECTED: Expectation = "expected a name of at most 200 bytes without `/`, `\\` and control characters that does not begin with `.`";
    let plain = |c: char| !c.is_control() && !is_forbidden(c) && !matches!(c, '/' | '\\');
    let valid =
        !text.is_empty() && text.len() <= MAX_PART && !text.starts_with('.') && text.chars().all(plain);
    if valid { Ok(()) } else { Err(EXPECTED) }
}

/// Whether a text that is not a URL is safe to publish as one: it has no scheme, or one that pip supports
/// (<https://pip.pypa.io/en/stable/topics/vcs-support/>), none of which makes browsers run a script.
pub(super) fn is_harmless(text: &str) -> bool {
    const KNOWN: [&str; 8] = ["http", "https", "ftp", "git", "hg", "svn", "bzr", "ssh"];
    if text.chars().any(char::is_control) {
        return false;
    }
    let is_known = |scheme: &str| scheme.split('+').next().is_some_and(|scheme| KNOWN.contains(&scheme));
    match Url::parse(text) {
        Ok(url) => is_known(url.scheme()),
        // Another parser may accept what this one rejects.
        Err(_) => text.split_once(':').is_none_or(|(scheme, _)| {
            let scheme = scheme.trim().to_ascii_lowercase();
            !is_scheme(&scheme) || is_known(&scheme)
        }),
    }
}

/// Whether a text may be the scheme of a URL (RFC 3986, section 3.1).
fn is_scheme(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_alphabetic())
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'-' | b'.'))
}

/// Checks the name of an entry's file without `.md`. It becomes a part of paths and, percent-encoded, of addresses.
pub(super) fn stem(text: &str) -> Result<(), Expectation> {
    const EXPECTED: Expectation =
        "expected a name that does not end with `.json`, which is reserved for files of the API";
    part(text)?;
    if text.to_ascii_lowercase().ends_with(crate::alternate::ENDING) { Err(EXPECTED) } else { Ok(()) }
}

/// Checks an absolute `http` or `https` URL.
pub(super) fn web_address(text: &str) -> Result<(), Expectation> {
    const EXPECTED: Expectation = "expected an absolute URL that begins with `https://` or `http://`";
    let url = Url::parse(text).map_err(|_| EXPECTED)?;
    // The URL standard also accepts `https:example.com` and surrounding spaces; browsers may, but readers of JSON
    // don't.
    let written = text.to_ascii_lowercase();
    let rooted = written.starts_with("https://") || written.starts_with("http://");
    let valid = rooted && url.has_host() && !text.contains(|c: char| c.is_whitespace() || c == '\\');
    if valid { Ok(()) } else { Err(EXPECTED) }
}

/// Checks the address of a picture or policy: an absolute URL, or a path on the site.
pub(super) fn reference(text: &str) -> Result<(), Expectation> {
    const EXPECTED: Expectation =
        "expected a URL that begins with `https://` or `http://`, or a path such as `/assets/img/x.png`";
    if text.starts_with('/') {
        // `//example.org/x` is on another site; for browsers, so is `/\example.org/x`.
        let rooted = !text.starts_with("//") && !text.contains('\\');
        return if rooted { Ok(()) } else { Err(EXPECTED) };
    }
    web_address(text).map_err(|_| EXPECTED)
}

/// Checks a former address of a page: a path from the site's root, with or without a leading slash, that can't leave
/// the site, be hidden, or be anything but a page.
pub(super) fn redirect(text: &str) -> Result<(), Expectation> {
    const EXPECTED: Expectation = "expected a path from the site's root such as `/plugins/old/`, without `\\`, `?` and `#`, of at most 500 bytes, of which no part begins with `.`";
    const PAGE: Expectation = "expected a page's address, such as `/plugins/old/`, `/plugins/old` or `/old.html`: its last part may not have an extension other than `.html`, `.htm` or `.md`";
    let decoded = percent_decode_str(text).decode_utf8().map_err(|_| EXPECTED)?;
    let part =
        |part: &str| !part.starts_with('.') && part.trim() == part && part.len() <= MAX_REDIRECT_SEGMENT;
    let character =
        |c: char| !c.is_control() && !matches!(c, '\\' | '?' | '#' | '<' | '>' | '"' | '|' | '*' | ':');
    // An encoded slash would change the structure of the path.
    let slashes = text.matches('/').count() == decoded.matches('/').count();
    let valid = !decoded.is_empty()
        && !decoded.contains("//")
        && slashes
        && text.len() <= MAX_REDIRECT
        && decoded.split('/').all(part)
        && decoded.chars().all(character);
    if !valid {
        return Err(EXPECTED);
    }
    let name = decoded.rsplit('/').next().unwrap_or_default();
    let page = name.rsplit_once('.').is_none_or(|(_, ending)| matches!(ending, "html" | "htm" | "md"));
    if page { Ok(()) } else { Err(PAGE) }
}

/// Checks versions of Python: a PEP 440 specifier set, or one version.
pub(super) fn python(text: &str) -> Result<(), Expectation> {
    const EXPECTED: Expectation = "expected a PEP 440 specifier such as `>=3.7,<4`, or a version";
    let valid =
        VersionSpecifiers::from_str(text).is_ok_and(|set| !set.is_empty()) || Version::from_str(text).is_ok();
    if valid { Ok(()) } else { Err(EXPECTED) }
}

/// Checks versions of OctoPrint: as for Python, or `1.3.4+`, an old way to write "1.3.4 or later".
pub(super) fn octoprint(text: &str) -> Result<(), Expectation> {
    const EXPECTED: Expectation =
        "expected a version such as `1.4.0`, a PEP 440 specifier such as `>=1.4.0,<2`, or `1.4.0+`";
    let version = text.strip_suffix('+').unwrap_or(text);
    if python(text).is_ok() || Version::from_str(version).is_ok() { Ok(()) } else { Err(EXPECTED) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(of: fn(&str) -> Result<(), Expectation>, good: &[&str], bad: &[&str]) {
        for text in good {
            assert_eq!(of(text), Ok(()), "{text:?}");
        }
        for text in bad {
            assert!(of(text).is_err(), "{text:?}");
        }
    }

    #[test]
    fn identifiers_name_one_file() {
        let long = "x".repeat(101);
        check(
            identifier,
            &["mqtt", "OctoPrint-hueCommands", "a.b_c-9"],
            &["", "../x", ".x", "a/b", "a b", "ä", "a\\b", &long],
        );
    }

    #[test]
    fn files_have_names_that_stay_in_their_folder() {
        let (long, longest) = ("ü".repeat(101), "ü".repeat(100));
        check(
            stem,
            &["mqtt", "My Plugin", "plügin", "C++ (50%)", "a?b#c", "x..", "json", &longest],
            &["", ".x", "..", "a/b", "a\\b", "a\0b", "a\nb", "a.json", "a.JSON", &long],
        );
    }

    #[test]
    fn addresses_are_absolute_and_of_the_web() {
        check(
            web_address,
            &["https://a.example/x?y#z", "HTTP://a.example"],
            &[
                "",
                "example.com",
                "/x",
                "//a.example",
                "ftp://a.example",
                "javascript:alert(1)",
                "https:a",
                "https://",
                "https://a b",
                "https:\\\\a.example",
                " https://a.example",
            ],
        );
        check(
            reference,
            &["/assets/x.png", "/assets/x y.png", "https://a.example/x.png"],
            &[
                "assets/x.png",
                "../x.png",
                "a.example/x.png",
                "//a.example/x",
                "/\\a.example/x",
                "javascript:alert(1)",
                "data:image/png;base64,x",
                "\\\\a\\b",
            ],
        );
    }

    #[test]
    fn no_scheme_is_harmless_that_is_not_known() {
        for (text, expected) in [
            ("plugin.zip", true),
            ("/x", true),
            ("see below: nothing", true),
            ("git@github.com:owner/name", true),
            ("git+https://a.example/x.git", true),
            ("https://", true),
            ("https://[a", true),
            ("GIT+ssh://[a", true),
            ("javascript:alert(1)", false),
            ("javascript://[%0aalert(1)", false),
            (" JavaScript://[%0aalert(1)", false),
            ("\u{a0}javascript://[%0aalert(1)", false),
            ("java\tscript:alert(1)", false),
            ("vbscript://[x", false),
            ("data://x:y/", false),
            ("x-y.z+1://[", false),
        ] {
            assert_eq!(is_harmless(text), expected, "{text:?}");
        }
    }

    #[test]
    fn redirects_stay_on_the_site() {
        check(
            redirect,
            &[
                "/plugins/old/",
                "/plugins/old",
                "plugins/old",
                "/plugins/old.md",
                "/old.html",
                "/v1.2/old.htm",
                "/v1.2/",
                "/a%20b/",
                "/",
            ],
            &[
                "",
                "../old",
                "//evil.example",
                "/../x",
                "/a/%2e%2e/b",
                "/a%2fb",
                "/a\\b",
                "/a%5cb",
                "/a?b",
                "/a#b",
                "/a\u{0}",
                "/a/./b",
                "/%ff",
                "https://a.example/",
                "/C:/x",
                "/old.json",
                "/CNAME.txt",
                "/a.html.gz",
                "/old.",
                "/.git/config.html",
                "/a/%2egit/",
                "/a/.../",
                "/a /b",
                "/a/%20",
            ],
        );
    }

    #[test]
    fn specifiers() {
        check(
            octoprint,
            &["1.4.0", "1.3.4+", ">=1.2.7,<1.2.8", "1.4.0rc1", "1.4"],
            &["", "+", "latest", ">1.x", "=>1.4", "1.4.0++", "any"],
        );
        check(python, &[">=2.7,<4", "3", ">=3.7, <4"], &["", "three", "2.7+", ">=3,<"]);
    }
}
