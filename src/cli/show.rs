//! Prints errors: `error: …`, the lines they point at, their causes, and help.

use std::io::Write as _;

use crate::build::{Problems, Strict};
use crate::problem::{Problem, explain};
use crate::warning::{Group, Warning, grouped};

/// Prints an error to standard error.
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

/// Prints a problem with its line, and an empty line after it.
pub(super) fn problem(problem: &Problem) {
    line(&problem.draw(true));
    line("");
}

/// Warnings as lines, grouped by rule; `all` says where to find the ones that are left out.
pub(super) fn warnings(warnings: &[Warning], all: &str) -> Vec<String> {
    let of_group = |Group { title, lines }: Group| {
        let lines = lines.into_iter().map(|line| format!("  {line}"));
        std::iter::once(format!("warning: {title}")).chain(lines).collect::<Vec<_>>()
    };
    grouped(warnings, all).into_iter().flat_map(of_group).collect()
}

/// Prints a line. Colors are removed where standard error is not a terminal or `NO_COLOR` is set.
pub(super) fn line(text: &str) {
    // If standard error is closed, there is nowhere to report that.
    let _ = writeln!(anstream::stderr().lock(), "{text}");
}
