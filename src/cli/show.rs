//! How errors are shown: `error: …`, the lines they point at, their causes, and what to do.

use std::io::Write as _;

use crate::build::{Problems, Strict};
use crate::problem::{Problem, explain};
use crate::warning::{Group, Warning, grouped};

/// Shows an error on standard error.
pub(super) fn error(report: &miette::Report) {
    if let Some(problems) = report.downcast_ref::<Problems>() {
        for one in &problems.problems {
            problem(one);
        }
        line(&format!("error: {problems}"));
        return;
    }
    if let Some(strict) = report.downcast_ref::<Strict>() {
        strict.refused.iter().for_each(problem);
        warnings(&strict.warnings, "").into_iter().for_each(|text| line(&text));
        line(&format!("error: {strict}"));
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

/// Warnings as lines, those about the same rule together; `all` says where to find the ones that are not shown.
pub(super) fn warnings(warnings: &[Warning], all: &str) -> Vec<String> {
    let of_group = |Group { title, lines }: Group| {
        let lines = lines.into_iter().map(|line| format!("  {line}"));
        std::iter::once(format!("warning: {title}")).chain(lines).collect::<Vec<_>>()
    };
    grouped(warnings, all).into_iter().flat_map(of_group).collect()
}

/// Writes a line. Colours are taken out where standard error is no terminal, or `NO_COLOR` is set.
pub(super) fn line(text: &str) {
    // Nobody is left to tell if standard error is closed.
    let _ = writeln!(anstream::stderr().lock(), "{text}");
}
