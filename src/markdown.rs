//! Markdown to safe HTML, and HTML to plain text.
