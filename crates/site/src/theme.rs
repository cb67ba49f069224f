//! The built-in theme: templates and assets embedded in the program.

use include_dir::{Dir, include_dir};

static TEMPLATES: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/../../site/templates");
static ASSETS: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/../../site/assets");

/// The name and text of each template.
pub fn templates() -> impl Iterator<Item = (&'static str, &'static str)> {
    files(&TEMPLATES).into_iter().filter_map(|(name, bytes)| Some((name, std::str::from_utf8(bytes).ok()?)))
}

/// The path below the assets folder and the content of each asset.
pub fn assets() -> impl Iterator<Item = (&'static str, &'static [u8])> {
    files(&ASSETS).into_iter()
}

fn files(root: &'static Dir<'static>) -> Vec<(&'static str, &'static [u8])> {
    let mut files = Vec::new();
    let mut folders = vec![root];
    while let Some(folder) = folders.pop() {
        folders.extend(folder.dirs());
        files.extend(folder.files().filter_map(|file| Some((file.path().to_str()?, file.contents()))));
    }
    files.sort_unstable();
    files
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn has_templates_and_a_style_sheet() {
        assert!(templates().any(|(name, _)| name == "plugin.html"));
        assert!(assets().any(|(path, _)| path == "site.css"));
    }
}
