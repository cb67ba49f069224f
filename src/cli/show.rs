//! How errors are shown: `error: …`, the lines they point at, their causes, and what to do.

use std::io::Write as _;

use crate::build::Problems;
use crate::problem::{Problem, printable};

/// Shows an error on standard error.
pub(super) fn error(report: &miette::Report) {
    if let Some(problems) = report.downcast_ref::<Problems>() {
        for one in &problems.problems {
            problem(one);
        }
        line(&format!("error: {problems}"));
        return;
    }
    if let Some(one) = report.downcast_ref::<Problem>() {
        problem(one);
        return;
    }
    let mut shown = report.to_string();
    line(&format!("error: {}", printable(&shown)));
    for cause in report.chain().skip(1) {
        // Some libraries say in an error what its cause says once more.
        let cause = cause.to_string();
        if !shown.contains(&cause) {
            line(&format!("  caused by: {}", printable(&cause)));
            shown = cause;
        }
    }
    if let Some(help) = report.help() {
        line(&format!("  help: {}", printable(&help.to_string())));
    }
}

/// Shows a problem with the line that it is in, and an empty line after it.
pub(super) fn problem(problem: &Problem) {
    line(&problem.draw(true));
    line("");
}

/// Writes a line. Colours are taken out where standard error is no terminal, or `NO_COLOR` is set.
fn line(text: &str) {
    // Nobody is left to tell if standard error is closed.
    let _ = writeln!(anstream::stderr().lock(), "{text}");
}
