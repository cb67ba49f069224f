//! Finds the output for a request path, and its media type.

use std::io;
use std::path::{Path, PathBuf};

use super::address::Address;
use super::live::Site;

/// The output at a path.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Found {
    /// A file: the path of its output, and its content.
    File(String, Vec<u8>),
    /// A folder, whose path must end with a slash.
    Folder,
    /// Nothing.
    Nothing,
}

/// Finds the output at `address`.
///
/// # Errors
///
/// If the file exists but can't be read.
pub(super) fn find(site: &Site, address: &Address) -> io::Result<Found> {
    let outputs = address.outputs();
    let is_first = |output: &String| outputs.first() == Some(output);
    for output in &outputs {
        let Some(place) = place(&site.output, output) else { continue };
        if output.ends_with("/index.html") && !is_first(output) {
            return Ok(Found::Folder);
        }
        return Ok(Found::File(output.clone(), std::fs::read(place)?));
    }
    Ok(Found::Nothing)
}

/// The path of the regular file at `path` below `folder`. Links that leave the folder are not followed.
fn place(folder: &Path, path: &str) -> Option<PathBuf> {
    let folder = folder.canonicalize().ok()?;
    let place = folder.join(path).canonicalize().ok()?;
    (place.starts_with(&folder) && place.is_file()).then_some(place)
}

/// The media type of an output (RFC 9110, section 8.3.1), by its extension.
pub(super) fn media_type(path: &str) -> String {
    let guess = mime_guess::from_path(path).first_or_octet_stream();
    // XML files declare their own encoding.
    let is_text = guess.type_() == mime_guess::mime::TEXT && guess.subtype() != mime_guess::mime::XML;
    if is_text { format!("{guess}; charset=utf-8") } else { guess.to_string() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn look(folder: &Path, path: &str) -> Found {
        let site = Site { output: folder.to_path_buf(), base_path: String::new() };
        find(&site, &Address::parse(path, "").unwrap()).unwrap()
    }

    #[test]
    fn files_and_folders_are_found() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir_all(folder.path().join("a/empty")).unwrap();
        std::fs::write(folder.path().join("a/index.html"), "page").unwrap();
        let page = || Found::File("a/index.html".to_owned(), b"page".to_vec());
        assert_eq!(look(folder.path(), "/a/"), page());
        assert_eq!(look(folder.path(), "/a/index.html"), page());
        assert_eq!(look(folder.path(), "/a"), Found::Folder);
        for nothing in ["/", "/b", "/b/", "/a/empty", "/a/empty/", "/a/index.html/"] {
            assert_eq!(look(folder.path(), nothing), Found::Nothing, "{nothing}");
        }
    }

    /// Responses have `nosniff`, so browsers would reject a script or style sheet with another type.
    #[test]
    fn the_extension_tells_the_media_type() {
        for (path, expected) in [
            ("a/index.html", "text/html; charset=utf-8"),
            ("OLD.HTM", "text/html; charset=utf-8"),
            ("assets/site.0123abcd.css", "text/css; charset=utf-8"),
            ("a.js", "text/javascript; charset=utf-8"),
            ("a.mjs", "application/javascript"),
            ("plugins.json", "application/json"),
            ("feed.xml", "text/xml"),
            ("feed.atom", "application/atom+xml"),
            ("robots.txt", "text/plain; charset=utf-8"),
            ("site.webmanifest", "application/manifest+json"),
            ("badge.svg", "image/svg+xml"),
            ("a.jpeg", "image/jpeg"),
            ("a.avif", "image/avif"),
            ("a.webp", "image/webp"),
            ("a.woff2", "font/woff2"),
            ("a.wasm", "application/wasm"),
            ("CNAME", "application/octet-stream"),
            ("a.nosuch", "application/octet-stream"),
        ] {
            assert_eq!(media_type(path), expected, "{path}");
        }
    }

    #[cfg(unix)]
    #[test]
    fn links_are_followed_within_the_folder() {
        let folder = tempfile::tempdir().unwrap();
        let output = folder.path().join("public");
        std::fs::create_dir_all(&output).unwrap();
        std::fs::write(folder.path().join("secret.txt"), "secret").unwrap();
        std::fs::write(output.join("a.txt"), "a").unwrap();
        for (target, link) in [("a.txt", "b.txt"), ("../secret.txt", "c.txt"), ("..", "up")] {
            std::os::unix::fs::symlink(target, output.join(link)).unwrap();
        }
        assert_eq!(look(&output, "/b.txt"), Found::File("b.txt".to_owned(), b"a".to_vec()));
        assert_eq!(look(&output, "/c.txt"), Found::Nothing);
        assert_eq!(look(&output, "/up/secret.txt"), Found::Nothing);
    }
}
