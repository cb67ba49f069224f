//! Generated registries, which benches measure, are registries: every entry of theirs can be built.

use std::path::Path;

use crate::common::{Site, skip};
use shelflife_testkit::registry::{Material, Registry};
use shelflife_testkit::replay::shared;

fn assert_builds(folder: &Path) {
    let material = Material::read(folder).unwrap();
    for seed in ["a", "b"] {
        let registry = Registry::generate(&material, 300, seed);
        let site = Site::new("url = \"https://plugins.example\"\n");
        registry.write(site.path()).unwrap();
        let report = site.report(&["--offline"]);
        assert_eq!(report["entries"]["total"], 300);
        assert_eq!(report["entries"]["left_out"], 0);
        // Real descriptions lead to plugins that this registry doesn't have.
        let warnings = report["warnings"].as_array().unwrap().iter();
        let others: Vec<_> = warnings.filter(|warning| warning["rule"] != "broken-link").collect();
        assert!(others.is_empty(), "{others:?}");
        let built = site.json("public/plugins.json");
        let disabled = registry.entries.iter().filter(|entry| entry.more.contains_key("disabled")).count();
        assert!(built.as_array().unwrap().len() >= 300 - disabled);
        for entry in registry.entries.iter().step_by(29) {
            let page = site.read(&format!("public/plugins/{}/index.html", entry.stem));
            let described = !entry.body.trim().is_empty();
            assert_eq!(page.contains("class=\"prose\""), described, "{}", entry.stem);
        }
    }
}

#[test]
fn registries_made_of_the_sample_site_build() {
    assert_builds(&Path::new(env!("CARGO_MANIFEST_DIR")).join("site/entries"));
}

#[test]
fn registries_made_of_a_real_one_build() {
    match shared() {
        Some(shared) => assert_builds(&shared.join("registry/_plugins")),
        None => skip("registries_made_of_a_real_one_build", "no ../shared"),
    }
}
