//! The sample site, byte for byte: nothing that makes a build faster may change what it writes unnoticed.

use std::path::Path;

use shelflife_testkit::sample::Sample;

use crate::common::Site;

/// The address of the published site, whatever port the sample has.
const URL: &str = "https://plugins.example.org";

/// Why the snapshot may differ, and what to do then.
const HELP: &str = "If the sample site, the theme or a published format was meant to change, renew the digests with \
                    `INSTA_UPDATE=always cargo test --test site sample_tree`, and read which paths differ.";

/// Builds the sample site with facts and the history of three days, and lists each output after its digest.
fn digests(folder: &Path) -> String {
    let sample = Sample::write(folder, "").unwrap();
    let config = folder.join("shelflife.toml");
    let text = std::fs::read_to_string(&config).unwrap().replace(&sample.host().origin(), URL);
    assert!(text.contains(URL));
    std::fs::write(config, text).unwrap();
    let topics = Path::new(env!("CARGO_MANIFEST_DIR")).join("site/topics");
    std::fs::create_dir(folder.join("topics")).unwrap();
    for (path, content) in Site::files(&topics) {
        std::fs::write(folder.join("topics").join(path), content).unwrap();
    }
    sample.build(Path::new(env!("CARGO_BIN_EXE_shelflife")), 3).unwrap();
    let mut lines = String::new();
    let mut files = Site::files(&folder.join("public"));
    // The list of outputs belongs to the program, which may change its format.
    assert!(files.remove(Path::new(".shelflife-manifest")).is_some());
    for (path, content) in files {
        let digest = blake3::hash(&content).to_hex();
        lines += &format!("{} {}\n", &digest[..32], path.to_str().unwrap().replace('\\', "/"));
    }
    lines
}

#[test]
fn the_sample_site_has_the_same_bytes_as_ever() {
    let folder = tempfile::tempdir().unwrap();
    let digests = digests(folder.path());
    insta::with_settings!({ description => HELP, omit_expression => true }, {
        insta::assert_snapshot!(digests);
    });
}
