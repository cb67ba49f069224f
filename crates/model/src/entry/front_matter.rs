//! Splits a file into its front matter and its Markdown.

use std::ops::Range;

use crate::problem::Problem;
use crate::yaml::Text;

/// The parts of a file.
#[derive(Debug)]
pub struct Parts {
    /// The line that opens the front matter.
    pub opening: Range<usize>,
    /// The YAML between the two lines.
    pub yaml: Range<usize>,
    /// The Markdown after them.
    pub body: Range<usize>,
}

/// Splits a file as Jekyll does: the first line is `---`, the next line that is `---` or `...` ends the front matter,
/// and trailing spaces on either line don't matter.
pub fn split(text: &Text) -> Result<Parts, Problem> {
    const HELP: &str = "an entry begins with a line `---`, its keys, and another line `---`";
    let content = text.as_str();
    if content.trim().is_empty() {
        return Err(text.problem(0..0, "the file is empty, expected front matter").help(HELP));
    }
    let mut start = 0;
    let mut opening = None;
    for line in content.split_inclusive('\n') {
        let end = start + line.len();
        let bare = line.trim_end();
        match &opening {
            None if bare == "---" => opening = Some(start..end),
            None => {
                let message = "the file has no front matter: expected the first line to be `---`";
                return Err(text.problem(start..end, message).help(HELP));
            }
            Some(opening) if bare == "---" || bare == "..." => {
                return Ok(Parts {
                    opening: opening.clone(),
                    yaml: opening.end..start,
                    body: end..content.len(),
                });
            }
            Some(_) => {}
        }
        start = end;
    }
    let message = "the front matter is not closed: expected another line `---` below it";
    Err(text.problem(opening.unwrap_or(0..0), message).label("opened here").help(HELP))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parts(content: &str) -> (String, String) {
        let text = Text::read("a.md", content.as_bytes()).unwrap();
        let parts = split(&text).unwrap();
        (text.as_str()[parts.yaml].to_owned(), text.as_str()[parts.body].to_owned())
    }

    #[test]
    fn splits_whatever_the_editor_wrote() {
        let pair = |yaml: &str, body: &str| (yaml.to_owned(), body.to_owned());
        assert_eq!(parts("---\na: 1\n---\n\ntext"), pair("a: 1\n", "\ntext"));
        assert_eq!(parts("--- \t\r\na: 1\r\n---  \r\ntext\r\n"), pair("a: 1\n", "text\n"));
        assert_eq!(parts("\u{feff}---\ra: 1\r...\rtext\r"), pair("a: 1\n", "text\n"));
        assert_eq!(parts("---\na: 1\n---"), pair("a: 1\n", ""));
        assert_eq!(parts("---\n---\n---\n"), pair("", "---\n"));
        assert_eq!(parts("---\na: |\n  ---\n---- \n---\n"), pair("a: |\n  ---\n---- \n", ""));
    }
}
