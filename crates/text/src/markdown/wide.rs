//! Content that may be wider than its page and scrolls sideways. It must be reachable by keyboard, and needs a name for
//! that (WCAG 2.2, 2.1.1 and 4.1.2).

/// The class of the element around a table. A table that scrolls itself is not announced as a table by screen readers.
pub(super) const CLASS: &str = "scroll";

/// The start tag of the element around a table.
pub(super) const TABLE: &str = r#"<div aria-label="Table" class="scroll" role="group" tabindex="0">"#;

/// The same for a table within a link, where it must not be focusable.
pub(super) const LINKED_TABLE: &str = r#"<div class="scroll">"#;

/// The attributes of preformatted text with long lines.
pub(super) const CODE: &str = r#" aria-label="Code" role="group" tabindex="0""#;

/// The number of characters that fit on a line of preformatted text on the narrowest page whose style sheet doesn't
/// wrap such lines.
const LINE: usize = 50;
/// The maximum width of a tab in characters (CSS Text 3, `tab-size`).
const TAB: usize = 8;

/// Whether one of the texts above gives an attribute this value.
pub(super) fn is_attribute(name: &str, value: &str) -> bool {
    matches!((name, value), ("aria-label", "Code" | "Table") | ("role", "group") | ("tabindex", "0"))
}

/// Whether preformatted text, as HTML, has a line that may be too wide.
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
