//! How errors are shown: `error: …`, the lines they point at, their causes, and what to do.

use std::io::Write as _;

use crate::build::Problems;
use crate::problem::{Problem, explain};

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
    for (number, text) in explain(report).into_iter().enumerate() {
        line(&if number == 0 { format!("error: {text}") } else { format!("  {text}") });
    }
}

/// Shows a problem with the line that it is in, and an empty line after it.
pub(super) fn problem(problem: &Problem) {
    line(&problem.draw(true));
    line("");
}

/// Writes a line. Colours are taken out where standard error is no terminal, or `NO_COLOR` is set.
pub(super) fn line(text: &str) {
    // Nobody is left to tell if standard error is closed.
    let _ = writeln!(anstream::stderr().lock(), "{text}");
}
