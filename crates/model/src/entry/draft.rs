//! Drafts: files that Jekyll leaves out, and shelflife as well.

use super::front_matter;
use crate::config::YamlLimits;
use crate::yaml::{Meaning, Node, Text, Tree};

/// Whether a file or folder of this name is left out because it is hidden, set aside, or an editor's backup
/// (<https://jekyllrb.com/docs/structure/>).
pub fn is_put_aside(name: &str) -> bool {
    name.starts_with(['.', '_', '#', '~']) || name.ends_with('~')
}

/// Whether front matter marks its file as a draft: `published: false` or `draft: true`.
pub fn says_draft(root: Node<'_>) -> bool {
    let says = |key, value| {
        let scalar = root.field(key).and_then(|field| field.value.scalar());
        scalar.is_some_and(|scalar| scalar.meaning() == Meaning::Boolean(value))
    };
    says("published", false) || says("draft", true)
}

/// Whether an entry's file is marked as a draft. Nothing else in a draft is checked.
pub fn is_draft(content: &[u8], limits: YamlLimits) -> bool {
    // Parsing the front matter twice is slow, and most files contain neither word.
    let words = String::from_utf8_lossy(content);
    if !words.contains("published") && !words.contains("draft") {
        return false;
    }
    let Ok(text) = Text::read("", content) else { return false };
    let Ok(parts) = front_matter::split(&text) else { return false };
    let tree = Tree::read(&text, parts.yaml, limits);
    tree.is_ok_and(|tree| tree.root().is_some_and(says_draft))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Limits;

    #[test]
    fn names_that_are_left_out() {
        for name in ["_draft.md", ".hidden.md", "#x.md#", "~x.md", "x.md~"] {
            assert!(is_put_aside(name), "{name}");
        }
        assert!(!is_put_aside("x_y.md"));
    }

    #[test]
    fn only_front_matter_makes_a_draft() {
        let is = |file: &str| is_draft(file.as_bytes(), Limits::default().yaml);
        for draft in ["draft: true", "published: false", "published: no", "title:\ndraft: yes"] {
            assert!(is(&format!("---\n{draft}\n---\n")), "{draft}");
        }
        for published in
            ["draft: false", "published: true", "draft: 'true'", "published:", "a: {draft: true}"]
        {
            assert!(!is(&format!("---\n{published}\n---\ndraft: true\n")), "{published}");
        }
        assert!(!is("draft: true") && !is("---\n[draft\n---\n"));
    }
}
