//! The theme's templates and assets, combined with the site's own, which override those with the same name.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use miette::miette;

use super::Scanned;
use crate::config::Config;
use crate::digest::Digest;
use crate::graph::inputs::AssetLocation;
use crate::graph::snapshot::Template;
use crate::theme;

/// The style sheet that defines the theme's colors.
const COLORS: &str = "theme.css";

/// Checks that the logo in the settings exists. A template would fail as well, but can't name the setting.
///
/// # Errors
///
/// When neither the site nor the theme has it.
pub(super) fn check_logo(config: &Config) -> miette::Result<()> {
    let (logo, folder) = (&config.settings.theme.logo, &config.paths.assets);
    if folder.join(logo).is_file() || theme::assets().any(|(name, _)| name == logo) {
        return Ok(());
    }
    Err(miette!(
        help = "add the file, or set `theme.logo` to another one",
        "the logo {logo} does not exist in the assets folder {}",
        folder.display()
    ))
}

/// Whether an asset gets its digest in its name: templates ask for these by name. All others are requested by their
/// address, which must not change.
fn is_fingerprinted(path: &str) -> bool {
    Path::new(path).extension().is_some_and(|extension| extension == "css" || extension == "js")
}

/// The location of an asset's bytes, its digest, and whether it is fingerprinted.
pub(super) type Asset = (AssetLocation, Digest, bool);

/// The theme's templates and the site's.
pub(super) fn templates(of_site: &[Scanned]) -> miette::Result<BTreeMap<Arc<str>, Template>> {
    let mut templates: BTreeMap<Arc<str>, Template> = theme::templates()
        .map(|(name, text)| (name.into(), Template { text: text.into(), is_own: false }))
        .collect();
    for file in of_site {
        let text = String::from_utf8(file.content()?.to_vec()).map_err(|_| {
            miette!(help = "save it as UTF-8", "the template {} is not valid UTF-8", file.place.display())
        })?;
        // A file that is identical to the theme's, as in the theme's own site, is not an override.
        let is_own = templates.get(&*file.name).is_none_or(|theme| *theme.text != *text);
        templates.insert(file.name.as_str().into(), Template { text: text.into(), is_own });
    }
    Ok(templates)
}

/// The theme's assets, the style sheet made from the configuration, and the site's assets, given by name, digest and
/// place.
pub(super) fn assets(of_site: &[(&str, Digest, &Path)], config: &Config) -> BTreeMap<Arc<str>, Asset> {
    let mut assets: BTreeMap<Arc<str>, Asset> = theme::assets()
        .map(|(path, content)| (path.into(), (AssetLocation::Theme(content), Digest::of(content), true)))
        .collect();
    let colors: Arc<[u8]> = config.settings.theme.style_sheet().into_bytes().into();
    let digest = Digest::of(&colors);
    assets.insert(COLORS.into(), (AssetLocation::Made(colors), digest, true));
    for (name, digest, place) in of_site {
        let fingerprinted = assets.contains_key(*name) || is_fingerprinted(name);
        assets.insert((*name).into(), (AssetLocation::File(place.to_path_buf()), *digest, fingerprinted));
    }
    assets
}
