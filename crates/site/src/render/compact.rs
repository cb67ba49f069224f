//! Templates without what only makes them pleasant to read: a page of the theme is a seventh shorter without indentation.

/// A template of HTML or XML without the indentation of its lines, and without the line breaks after lines that are
/// nothing but a tag. Each line stays where it is, so that an error names the right one. What is within `<pre>` stays
/// as it is.
pub fn compact(template: &str) -> String {
    let mut compacted = String::with_capacity(template.len());
    let mut is_preformatted = false;
    for line in template.split_inclusive('\n') {
        if is_preformatted {
            compacted.push_str(line);
        } else {
            let content = line.trim_start_matches([' ', '\t']);
            match lone_tag(content.trim_end()) {
                Some(tag) => {
                    compacted.push_str(tag);
                    compacted.push_str(" -%}\n");
                }
                None => compacted.push_str(content),
            }
        }
        // Whichever of the two comes last on the line.
        is_preformatted = match (line.rfind("<pre"), line.rfind("</pre>")) {
            (Some(begin), Some(end)) => begin > end,
            (begin, end) => begin.is_some() || (is_preformatted && end.is_none()),
        };
    }
    compacted
}

/// The beginning of a line that is one tag and keeps the white space after it.
fn lone_tag(line: &str) -> Option<&str> {
    let tag = line.strip_prefix("{%")?.strip_suffix("%}")?;
    let is_lone = !tag.contains("%}") && !tag.ends_with(['-', '+']);
    is_lone.then(|| line.trim_end_matches("%}").trim_end())
}

#[cfg(test)]
mod tests {
    use minijinja::{Environment, context};

    use super::*;

    #[test]
    fn only_white_space_goes_and_lines_stay() {
        let template = "<ul>\n  {% for it in list %}\n  {% if it %}\n  <li>{{ it }}</li>\n  {% endif %}\n  {% endfor -%}\n\
                        </ul>\nsome\n  {% if list %}\n words\n{% endif %}\n  here {% if 0 %}x{% endif %}\n";
        let compacted = compact(template);
        assert_eq!(compacted.lines().count(), template.lines().count());
        let render =
            |text: &str| Environment::new().render_str(text, context!(list => ["a", "", "b"])).unwrap();
        let words = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
        assert_eq!(words(&render(&compacted)), words(&render(template)));
        assert_eq!(render(&compacted), "<ul>\n<li>a</li>\n<li>b</li>\n</ul>\nsome\nwords\nhere ");
    }

    #[test]
    fn what_is_preformatted_stays_as_it_is() {
        let template =
            "  <pre><code>---\n  a: {% if 1 %}\n  {% endif %}\n  b</code></pre>\n  <pre>c</pre> d\n  e\n";
        let compacted =
            "<pre><code>---\n  a: {% if 1 %}\n  {% endif %}\n  b</code></pre>\n<pre>c</pre> d\ne\n";
        assert_eq!(compact(template), compacted);
    }
}
