//! What may be wider than its page and scrolls sideways: the keyboard has to reach it, and it needs a name there
//! (WCAG 2.2, 2.1.1 and 4.1.2).

/// The class of what a table stands in: a table that scrolls itself is no table to screen readers.
pub(super) const CLASS: &str = "scroll";

/// What begins the element around a table.
pub(super) const TABLE: &str = r#"<div aria-label="Table" class="scroll" role="group" tabindex="0">"#;

/// The same without anything that could take the focus, within a link.
pub(super) const LINKED_TABLE: &str = r#"<div class="scroll">"#;

/// The attributes of preformatted text with long lines.
pub(super) const CODE: &str = r#" aria-label="Code" role="group" tabindex="0""#;

/// How many characters there is room for in a line of preformatted text: those of the narrowest page whose style
/// sheet doesn't wrap such lines.
const LINE: usize = 50;
/// How many characters a tab stands for at most (CSS Text 3, `tab-size`).
const TAB: usize = 8;

/// Whether this is what one of the texts above gives an attribute.
pub(super) fn is_attribute(name: &str, value: &str) -> bool {
    matches!((name, value), ("aria-label", "Code" | "Table") | ("role", "group") | ("tabindex", "0"))
}

/// Whether preformatted text, as HTML, has a line that may not fit.
pub(super) fn has_long_line(html: &str) -> bool {
    let (mut width, mut in_tag, mut in_reference) = (0, false, false);
    for c in html.chars() {
        match c {
            '<' => in_tag = true,
            '>' => in_tag = false,
            _ if in_tag => {}
            '\n' => width = 0,
            '&' => (width, in_reference) = (width + 1, true),
            ';' if in_reference => in_reference = false,
            _ if in_reference => {}
            '\t' => width += TAB,
            _ => width += 1,
        }
        if width > LINE {
            return true;
        }
    }
    false
}
