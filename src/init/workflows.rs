//! The initial GitHub workflows of a registry, and the action that they use.

use std::path::Path;
use std::str::FromStr;

use miette::miette;

use super::Planned;

/// The templates, by the names of the workflow files.
const WORKFLOWS: [(&str, &str); 4] = [
    ("publish.yml", include_str!("workflows/publish.yml")),
    ("check.yml", include_str!("workflows/check.yml")),
    ("comment.yml", include_str!("workflows/comment.yml")),
    ("preview.yml", include_str!("workflows/preview.yml")),
];

/// Identifies the comment that Comment writes among the comments on a pull request.
const MARKER: &str = "<!-- shelflife check -->";

/// The action with which workflows install shelflife, pinned to a commit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Action {
    /// `owner/name@commit`, optionally followed by a comment that names the version.
    text: String,
}

impl Action {
    /// The action of this program's release. `None` for a build from source, which can't know the repository to install
    /// it from.
    pub fn of_release() -> Option<Self> {
        option_env!("SHELFLIFE_ACTION").and_then(|text| text.parse().ok())
    }
}

impl FromStr for Action {
    type Err = String;

    /// Parses `OWNER/NAME@COMMIT`, optionally followed by ` # VERSION`.
    fn from_str(text: &str) -> Result<Self, String> {
        let is_name = |name: &str| {
            !name.is_empty()
                && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte))
        };
        let (place, version) = match text.split_once(" # ") {
            Some((place, version)) => (place, Some(version)),
            None => (text, None),
        };
        let expected =
            || "expected OWNER/NAME@COMMIT, such as octocat/shelflife@ and 40 hexadecimal digits".to_owned();
        let (path, commit) = place.split_once('@').ok_or_else(expected)?;
        if !path.split_once('/').is_some_and(|(owner, name)| is_name(owner) && is_name(name)) {
            return Err(expected());
        }
        if commit.len() != 40 || !commit.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return Err(format!(
                "`{}` is not a commit, expected 40 hexadecimal digits: branches and tags can be moved by anyone with \
                 write access to the repository",
                commit.escape_default()
            ));
        }
        if version.is_some_and(|version| !is_name(version)) {
            return Err(expected());
        }
        // In the form in which git and the action print it.
        let commit = commit.to_ascii_lowercase();
        let version = version.map(|version| format!(" # {version}")).unwrap_or_default();
        Ok(Self { text: format!("{path}@{commit}{version}") })
    }
}

/// The workflows of a site in a folder of its repository; `.` means the root.
pub(super) fn write(
    action: &Action,
    root: &Path,
    folder: &str,
    branch: &str,
) -> miette::Result<Vec<Planned>> {
    for (what, name) in [("folder", folder), ("branch", branch)] {
        // In a workflow, some characters would start an expression or end the surrounding string.
        if !name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_./".contains(&byte)) {
            return Err(miette!(
                help = "rename it using only letters, digits, `-`, `_`, `.` and `/`, and run this again",
                "can't write workflows: the {what} `{}` has characters that are unsafe in a workflow",
                name.escape_default()
            ));
        }
    }
    let folder_of_workflows = root.join(".github/workflows");
    let plan = |(name, template): (&str, &str)| {
        let content = template
            .replace("__ACTION__", &action.text)
            .replace("__FOLDER__", folder)
            .replace("__BRANCH__", branch);
        Planned::new(folder_of_workflows.join(name), content)
    };
    let mut workflows: Vec<_> = WORKFLOWS.into_iter().map(plan).collect();
    if lacks_check(&folder_of_workflows)
        && let Some(check) = workflows.iter_mut().find(|workflow| workflow.path.ends_with("check.yml"))
    {
        let advice =
            "Comment needs a workflow called `Check` that uploads `summary.txt` as the artifact `check`";
        check.advice = Some(advice.to_owned());
    }
    Ok(workflows)
}

/// Whether Check was replaced by a workflow that Comment can't follow.
fn lacks_check(folder: &Path) -> bool {
    let read = |name: &str| std::fs::read_to_string(folder.join(name)).ok();
    let name_of = |line: &str| {
        let name = line.strip_prefix("name:")?.split(" #").next()?;
        Some(name.trim().trim_matches(['"', '\'']).to_owned())
    };
    let is_check = |text: &str| {
        text.lines().find_map(name_of).as_deref() == Some("Check") && text.contains("summary.txt")
    };
    let comments = read("comment.yml").is_none_or(|text| text.contains(MARKER));
    comments && read("check.yml").is_some_and(|text| !is_check(&text))
}

#[cfg(test)]
mod tests {
    use super::*;

    const COMMIT: &str = "0123456789abcdef0123456789abcdef01234567";

    #[test]
    fn actions_are_pinned() {
        for text in [format!("ada/shelflife@{COMMIT}"), format!("ada/shelf.life@{COMMIT} # v1.2.3")] {
            assert_eq!(text.parse::<Action>().unwrap().text, text);
        }
        let upper = format!("Ada/shelflife@{} # V1", COMMIT.to_ascii_uppercase());
        assert_eq!(upper.parse::<Action>().unwrap().text, format!("Ada/shelflife@{COMMIT} # V1"));
        for text in [
            "ada/shelflife",
            "ada/shelflife@v1",
            "shelflife@0123456789abcdef0123456789abcdef01234567",
            "ada/shelf\nlife@0123456789abcdef0123456789abcdef01234567",
            "ada/shelflife@0123456789abcdef0123456789abcdef01234567 # v1 ${{ x }}",
        ] {
            assert!(text.parse::<Action>().is_err(), "{text}");
        }
    }

    #[test]
    fn nothing_in_a_name_is_an_expression() {
        let action: Action = format!("ada/shelflife@{COMMIT}").parse().unwrap();
        for name in ["${{ github.token }}", "a\"b", "a\nb", "a b"] {
            let write = |folder, branch| write(&action, Path::new(""), folder, branch);
            assert!(write(name, "main").is_err() && write(".", name).is_err(), "{name:?}");
        }
        for Planned { path, content, .. } in write(&action, Path::new(""), "site", "trunk").unwrap() {
            assert!(!content.contains("__"), "{} has a placeholder", path.display());
            assert_eq!(content.contains(MARKER), path.ends_with("comment.yml"));
        }
    }
}
