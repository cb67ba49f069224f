//! Content for the browser besides outputs: the script in each page, and pages shown in place of outputs.

use std::fmt::Write as _;

use super::live::Moment;
use crate::build::{Problems, is_published};
use crate::markdown::escape;
use crate::problem::{Problem, explain};

/// The path of the script. No output can be in its folder.
pub(super) const SCRIPT: &str = "/.shelflife/live.js";
/// The path of the event stream, which [`SCRIPT`] reads.
pub(super) const EVENTS: &str = "/.shelflife/events";

/// The script that reloads a page.
pub(super) const LIVE: &str = include_str!("live.js");

const STYLE: &str = include_str!("page.css");

/// Inserts the script at the end of the page's body.
pub(super) fn with_script(mut html: Vec<u8>, moment: &Moment) -> Vec<u8> {
    let end =
        html.windows(END.len()).rposition(|window| window.eq_ignore_ascii_case(END)).unwrap_or(html.len());
    let tag = script(moment).into_bytes();
    html.splice(end..end, tag);
    html
}

const END: &[u8] = b"</body>";

fn script(Moment { run, version, .. }: &Moment) -> String {
    format!("<script src=\"{SCRIPT}\" data-run=\"{run}\" data-seen=\"{version}\" defer></script>")
}

/// The page shown until the first build is done.
pub(super) fn unbuilt() -> String {
    let body = "<h1>Building the site</h1>\n<p>The page appears when the first build is done.</p>\n";
    whole("Building", "unbuilt", body)
}

/// The page shown while the site can't be built.
pub(super) fn broken(error: &miette::Report) -> String {
    let (title, files) = if is_published(error) {
        ("An entry can’t be read", "The published site shows its last good version.")
    } else {
        ("The site can’t be built", "The published files are unchanged.")
    };
    let mut body = format!("<h1>{title}</h1>\n<p>{files} This page reloads when you save a file.</p>\n");
    match (error.downcast_ref::<Problems>(), error.downcast_ref::<Problem>()) {
        (Some(problems), _) => problems.problems.iter().for_each(|problem| section_of(&mut body, problem)),
        (None, Some(problem)) => section_of(&mut body, problem),
        (None, None) => {
            let lines = explain(error);
            let (first, rest) =
                lines.split_first().map_or(("", &[][..]), |(first, rest)| (first.as_str(), rest));
            section(&mut body, first, &rest.join("\n"), None);
        }
    }
    whole(title, "broken", &body)
}

fn section_of(body: &mut String, problem: &Problem) {
    let drawn = problem.draw(false);
    // The heading already has the message. The help is wrapped separately, because it would be cut off on a narrow
    // screen.
    let below = drawn.split_once('\n').map_or("", |(_, below)| below);
    let advice = problem.advice();
    let lines = match below.rsplit_once("= help: ") {
        Some((lines, _)) if advice.is_some() => lines.trim_end_matches([' ', '|', '\n']),
        _ => below,
    };
    section(body, problem.message(), lines, advice);
}

fn section(body: &mut String, heading: &str, lines: &str, advice: Option<&str>) {
    let _ = write!(body, "<section>\n<h2>{}</h2>\n", escape(heading));
    if !lines.is_empty() {
        let _ = writeln!(body, "<pre tabindex=\"0\">{}</pre>", escape(lines));
    }
    if let Some(advice) = advice {
        let _ = writeln!(body, "<p>help: {}</p>", escape(advice));
    }
    body.push_str("</section>\n");
}

fn whole(title: &str, class: &str, body: &str) -> String {
    format!(
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n<title>{title}</title>\n\
         <link rel=\"icon\" href=\"data:,\">\n<style>\n{STYLE}</style>\n</head>\n<body class=\"{class}\">\n<main>\n\
         {body}</main>\n</body>\n</html>\n"
    )
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;
    use std::sync::Arc;

    use super::super::live::{Condition, Site};
    use super::*;

    fn moment() -> Moment {
        let site = Site { output: PathBuf::new(), base_path: String::new() };
        Moment { run: "r".to_owned(), version: 7, site, condition: Condition::Sound }
    }

    #[test]
    fn the_script_comes_last_in_the_body() {
        let tag = script(&moment());
        for (page, expected) in [
            ("<body>a</body></html>", format!("<body>a{tag}</body></html>")),
            ("<body><pre></body></pre>a</BODY>", format!("<body><pre></body></pre>a{tag}</BODY>")),
            ("no body", format!("no body{tag}")),
            ("", tag),
        ] {
            let page = with_script(page.as_bytes().to_vec(), &moment());
            assert_eq!(String::from_utf8(page).unwrap(), expected);
        }
        assert!(LIVE.contains(EVENTS));
    }

    #[test]
    fn a_problem_is_shown_as_text() {
        let text: Arc<str> = "eins\n<script>\n".into();
        let problem = Problem::new("a.md", &text, 5..13, "no <b>script</b>").help("take it out");
        let page = broken(&problem.into());
        assert!(page.contains("<h2>no &lt;b&gt;script&lt;/b&gt;</h2>"), "{page}");
        assert!(page.contains("--&gt; a.md:2:1") && page.contains("2 | &lt;script&gt;"), "{page}");
        assert!(page.contains("<p>help: take it out</p>") && !page.contains("= help"), "{page}");
        assert!(!page.contains("<script>"), "{page}");
    }

    #[test]
    fn an_error_without_a_place_is_told_with_its_help() {
        let page = broken(&miette::miette!(help = "fix it", "it is broken"));
        assert!(page.contains("<h2>it is broken</h2>") && page.contains("help: fix it"), "{page}");
    }
}
