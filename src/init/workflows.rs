//! The workflows for GitHub that a registry begins with, and the action that they use.

use std::str::FromStr;

use miette::miette;

/// The templates, by the names of the files that come of them.
const WORKFLOWS: [(&str, &str); 4] = [
    ("publish.yml", include_str!("workflows/publish.yml")),
    ("check.yml", include_str!("workflows/check.yml")),
    ("comment.yml", include_str!("workflows/comment.yml")),
    ("preview.yml", include_str!("workflows/preview.yml")),
];

/// The action that workflows install shelflife with, pinned to a commit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Action {
    /// `owner/name@commit`, and perhaps a comment that names the version.
    text: String,
}

impl Action {
    /// The action of the release that this program is. `None` for a build of one's own, which does not know in which
    /// repository it can be found.
    pub fn of_release() -> Option<Self> {
        option_env!("SHELFLIFE_ACTION").and_then(|text| text.parse().ok())
    }
}

impl FromStr for Action {
    type Err = String;

    /// Reads `OWNER/NAME@COMMIT`, with ` # VERSION` behind it if that is known.
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
        if commit.len() != 40 || !commit.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f')) {
            return Err(format!(
                "`{}` is not a commit, expected 40 hexadecimal digits: whoever can write to a repository can move its \
                 branches and tags",
                commit.escape_default()
            ));
        }
        if version.is_some_and(|version| !is_name(version)) {
            return Err(expected());
        }
        Ok(Self { text: text.to_owned() })
    }
}

/// The workflows of a site in a folder of its repository, `.` for the whole of it, each with its file's name.
pub(super) fn write(
    action: &Action,
    folder: &str,
    branch: &str,
) -> miette::Result<impl Iterator<Item = (&'static str, String)>> {
    for (what, name) in [("folder", folder), ("branch", branch)] {
        // In a workflow, some characters would begin an expression, or end the text that the name is part of.
        if !name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_./".contains(&byte)) {
            return Err(miette!(
                help = "give it a name of letters, digits, `-`, `_`, `.` and `/`",
                "the {what} `{}` can't be named in a workflow",
                name.escape_default()
            ));
        }
    }
    let fill = move |template: &str| {
        template
            .replace("__ACTION__", &action.text)
            .replace("__FOLDER__", folder)
            .replace("__BRANCH__", branch)
    };
    Ok(WORKFLOWS
        .into_iter()
        .map(move |(name, template)| (name, fill(template)))
        .collect::<Vec<_>>()
        .into_iter())
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
        for text in [
            "ada/shelflife",
            "ada/shelflife@v1",
            "shelflife@0123456789abcdef0123456789abcdef01234567",
            "ada/shelflife@0123456789ABCDEF0123456789abcdef01234567",
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
            assert!(write(&action, name, "main").is_err() && write(&action, ".", name).is_err(), "{name:?}");
        }
        for (name, workflow) in write(&action, "site", "trunk").unwrap() {
            assert!(!workflow.contains("__"), "{name} has a placeholder");
        }
    }
}
