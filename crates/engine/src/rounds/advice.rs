//! What the site lacks, and what to do about it.

use crate::config::{Config, Settings};
use crate::report;
use crate::source::github;

/// A line for each lack. `lacking` returns the number of facts of a source that are missing or stale.
pub(super) fn left_out(config: &Config, lacking: &dyn Fn(&str) -> usize) -> Vec<String> {
    let mut lines = Vec::new();
    let are = |number: usize| if number == 1 { "is" } else { "are" };
    let facts = lacking("github");
    if facts > 0 {
        let (count, are) = (report::count(facts, "fact"), are(facts));
        lines.push(format!("{count} from GitHub {are} missing or stale: {}", remedy_for_github(config)));
    }
    let exports = lacking("usage");
    if exports > 0 {
        let remedy = if config.offline {
            "build without --offline"
        } else {
            "build again when the usage exports can be reached"
        };
        let (count, are) = (report::count(exports, "usage export"), are(exports));
        lines.push(format!("{count} {are} missing or stale: {remedy}"));
    }
    if config.settings.usage_windows.is_empty() {
        lines.push(
            "there are no usage numbers: set `usage.week` and `usage.month` in shelflife.toml".to_owned(),
        );
    }
    lines
}

/// The note in the report of the build that begins a history.
pub(super) fn of_beginning(config: &Config) -> String {
    let Settings { url, base_path, .. } = &config.settings;
    let place = config.seed_address.as_ref().map_or_else(|| format!("{url}{base_path}"), ToString::to_string);
    format!(
        "the history of usage and stars begins with this build; if the site was published before, restore its \
         history with `shelflife cache seed {place}`"
    )
}

/// Everything that prevents asking GitHub; otherwise, the remedy for failed requests.
fn remedy_for_github(config: &Config) -> String {
    let offline = config.offline.then_some("build without --offline");
    let token = match &config.github.token {
        None => Some("set GITHUB_TOKEN to a token that may read public repositories"),
        Some(token) if !github::is_token(token) => Some(
            "set GITHUB_TOKEN to a token that may read public repositories (the current one contains characters that \
             are not allowed in a token)",
        ),
        Some(_) => None,
    };
    let remedies: Vec<&str> = offline.into_iter().chain(token).collect();
    if remedies.is_empty() {
        "build again when GitHub can be reached".to_owned()
    } else {
        remedies.join(" and ")
    }
}
