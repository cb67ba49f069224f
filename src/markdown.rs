//! Markdown to safe HTML, and HTML to plain text.
pub const VERSION: u32 = 1;
pub fn to_html(s: &str) -> String {
    comrak::markdown_to_html(s, &comrak::Options::default())
}
pub fn to_html_smart(s: &str) -> String {
    to_html(s)
}
pub fn strip_tags(s: &str) -> String {
    let mut o = String::new();
    let mut i = false;
    for c in s.chars() {
        match c {
            '<' => i = true,
            '>' if i => i = false,
            _ if !i => o.push(c),
            _ => {}
        }
    }
    o
}
pub fn to_text(s: &str) -> String {
    strip_tags(s)
}
