//! Removal of indentation from templates: it makes the theme's pages a seventh smaller.

/// Removes indentation from an HTML or XML template, and line breaks after lines that consist of a single tag. Line
/// numbers are unchanged, so that error messages are correct. Text in `<pre>` is unchanged.
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
        // The last of the two on the line counts.
        is_preformatted = match (line.rfind("<pre"), line.rfind("</pre>")) {
            (Some(begin), Some(end)) => begin > end,
            (begin, end) => begin.is_some() || (is_preformatted && end.is_none()),
        };
    }
    compacted
}

/// Returns the beginning of a line that is a single tag and keeps the whitespace after it.
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
