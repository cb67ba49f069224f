//! The material of generated entries: real front matter read line by line, and real bodies cut into blocks.
//!
//! This reads lines, not YAML, in the style of the entries of real registries. It needn't understand everything: the
//! generator writes what was read by its own rules, so that its output is always valid.

use std::collections::BTreeMap;
use std::io;
use std::path::Path;

use crate::replay::front_matter::scalar;

/// The kind of a block.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum BlockKind {
    Heading,
    Paragraph,
    List,
    Code,
    Image,
    Other,
}

/// A block of a body, without the blank lines around it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Block {
    pub(crate) kind: BlockKind,
    pub(crate) text: String,
}

/// A real entry, split into its parts.
#[derive(Debug, Clone, Default)]
pub(crate) struct Real {
    /// Single values: `title`, `author`, `license`, `compatibility.python`, `abandoned` and so on.
    pub(crate) values: BTreeMap<String, String>,
    pub(crate) tags: Vec<String>,
    pub(crate) octoprint: Vec<String>,
    pub(crate) os: Vec<String>,
    /// The `alt` or `caption` of each screenshot; empty if it has neither.
    pub(crate) screenshots: Vec<String>,
    pub(crate) blocks: Vec<Block>,
}

impl Real {
    /// Returns a single value; empty if there is none.
    pub(crate) fn value(&self, key: &str) -> &str {
        self.values.get(key).map_or("", String::as_str)
    }
}

/// Reads every `.md` file of a folder, sorted by name. Files without front matter are skipped.
///
/// # Errors
/// The folder or a file can't be read.
pub(crate) fn read(folder: &Path) -> io::Result<Vec<Real>> {
    let mut paths: Vec<_> =
        std::fs::read_dir(folder)?.map(|file| file.map(|it| it.path())).collect::<Result<_, _>>()?;
    paths.retain(|path| path.extension().is_some_and(|it| it == "md"));
    paths.sort();
    let mut all = Vec::new();
    for path in paths {
        all.extend(take_apart(&String::from_utf8_lossy(&std::fs::read(&path)?)));
    }
    Ok(all)
}

/// Splits an entry's file into its parts; returns `None` if it has no front matter.
pub(crate) fn take_apart(text: &str) -> Option<Real> {
    let text = text.trim_start_matches('\u{feff}').replace("\r\n", "\n");
    let (head, body) = text.strip_prefix("---\n")?.split_once("\n---")?;
    let body = body.split_once('\n').map_or("", |(_, body)| body);
    let mut real = Real { blocks: blocks(body), ..Real::default() };
    let (mut outer, mut inner) = ("", "");
    for line in head.lines() {
        let trimmed = line.trim();
        if trimmed.is_empty() || trimmed.starts_with('#') {
            continue;
        }
        if let Some(item) = trimmed.strip_prefix("- ") {
            match (outer, inner) {
                ("tags", _) => real.tags.extend(scalar(item)),
                ("compatibility", "octoprint") => real.octoprint.extend(scalar(item)),
                ("compatibility", "os") => real.os.extend(scalar(item)),
                ("screenshots", _) => real.screenshots.push(String::new()),
                _ => {}
            }
            continue;
        }
        let Some((key, rest)) = trimmed.split_once(':') else { continue };
        if line.starts_with(key) {
            (outer, inner) = (key, "");
        } else {
            inner = key;
        }
        let Some(value) = scalar(rest) else { continue };
        match (outer, inner) {
            ("screenshots", "alt" | "caption") => {
                if let Some(last) = real.screenshots.last_mut() {
                    *last = value;
                }
            }
            (outer, "") => {
                real.values.insert(outer.to_owned(), value);
            }
            (outer, inner) => {
                real.values.insert(format!("{outer}.{inner}"), value);
            }
        }
    }
    Some(real)
}

/// Cuts a body at blank lines, except those within fenced or indented code.
fn blocks(body: &str) -> Vec<Block> {
    let mut blocks = Vec::new();
    let mut current: Vec<&str> = Vec::new();
    let mut fence = None;
    for line in body.lines() {
        let mark = ["```", "~~~"].into_iter().find(|mark| line.trim_start().starts_with(mark));
        match (fence, mark) {
            (None, Some(mark)) => {
                finish(&mut blocks, &mut current);
                fence = Some(mark);
                current.push(line);
            }
            (Some(open), Some(mark)) if open == mark => {
                fence = None;
                current.push(line);
                finish(&mut blocks, &mut current);
            }
            (Some(_), _) => current.push(line),
            (None, None) if line.trim().is_empty() => finish(&mut blocks, &mut current),
            (None, None) if line.starts_with('#') => {
                finish(&mut blocks, &mut current);
                current.push(line);
                finish(&mut blocks, &mut current);
            }
            (None, None) => current.push(line),
        }
    }
    // An unclosed fence extends to the end; it is closed here, or it would swallow the blocks after it.
    if let Some(mark) = fence {
        current.push(mark);
    }
    finish(&mut blocks, &mut current);
    blocks
}

fn finish(blocks: &mut Vec<Block>, lines: &mut Vec<&str>) {
    if lines.is_empty() {
        return;
    }
    let text = lines.join("\n");
    lines.clear();
    let begin = text.trim_start();
    let numbered = begin.split_once(['.', ')']).is_some_and(|(number, rest)| {
        !number.is_empty() && number.bytes().all(|b| b.is_ascii_digit()) && rest.starts_with(' ')
    });
    let kind = if begin.starts_with("```") || begin.starts_with("~~~") || text.starts_with("    ") {
        BlockKind::Code
    } else if begin.starts_with('#') {
        BlockKind::Heading
    } else if begin.starts_with("![") {
        BlockKind::Image
    } else if numbered || ["- ", "* ", "+ "].iter().any(|mark| begin.starts_with(mark)) {
        BlockKind::List
    } else if begin.starts_with(['<', '|', '>', '{']) || begin.starts_with("---") || begin.starts_with('[') {
        BlockKind::Other
    } else {
        BlockKind::Paragraph
    };
    blocks.push(Block { kind, text });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_entry_comes_apart() {
        let real = take_apart(
            "---\r\nid: x\ntitle: \"A: b\"\ntags: \n- one\n-  two # why\nscreenshots:\n- url: /a.png\n  alt: Alt\n\
             - url: /b.png\ncompatibility:\n  octoprint:\n  - 1.2.0\n  os:\n  - linux\n  python: \">=2.7,<4\"\n---\n\
             # Head\ntext. More.\n\n```\na\n\nb\n```\n- list\n\n1. list\n\n![i](x)\n\n<b>x</b>\n\n    code\n",
        );
        let Some(real) = real else { panic!("no front matter") };
        assert_eq!(real.value("title"), "A: b");
        assert_eq!(real.value("compatibility.python"), ">=2.7,<4");
        assert_eq!(real.tags, ["one", "two"]);
        assert_eq!((real.octoprint, real.os), (vec!["1.2.0".to_owned()], vec!["linux".to_owned()]));
        assert_eq!(real.screenshots, ["Alt", ""]);
        use BlockKind::{Code, Heading, Image, List, Other, Paragraph};
        let kinds: Vec<_> = real.blocks.iter().map(|block| block.kind).collect();
        assert_eq!(kinds, [Heading, Paragraph, Code, List, List, Image, Other, Code]);
        assert_eq!(real.blocks[2].text, "```\na\n\nb\n```");
    }

    #[test]
    fn an_open_fence_is_closed() {
        let blocks = blocks("text\n\n~~~ yaml\na\n\nb\n");
        assert_eq!(blocks.last().map(|it| it.text.as_str()), Some("~~~ yaml\na\n\nb\n~~~"));
    }
}
