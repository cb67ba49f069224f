//! The Markdown page of a bench, and the format of its numbers.

use std::fmt::Write as _;

use super::Results;
use super::goals::{Facing, Row};
use super::report::PHASES;
use super::scenario::Measurement;

/// Formats seconds with three significant digits.
pub(crate) fn duration(seconds: f64) -> String {
    let milliseconds = seconds * 1000.0;
    match milliseconds {
        ms if ms < 9.995 => format!("{ms:.2} ms"),
        ms if ms < 99.95 => format!("{ms:.1} ms"),
        ms if ms < 999.5 => format!("{ms:.0} ms"),
        _ if seconds < 9.995 => format!("{seconds:.2} s"),
        _ => format!("{seconds:.1} s"),
    }
}

/// Formats bytes in binary units.
pub(crate) fn size(bytes: u64) -> String {
    let mib = bytes as f64 / f64::from(1 << 20);
    if mib >= 1000.0 { format!("{:.2} GiB", mib / 1024.0) } else { format!("{mib:.1} MiB") }
}

/// Formats a multiple: `0.5 ×`.
pub(crate) fn times(ratio: f64) -> String {
    if ratio < 9.995 {
        let text = format!("{ratio:.2}");
        format!("{} ×", text.trim_end_matches('0').trim_end_matches('.'))
    } else {
        format!("{ratio:.1} ×")
    }
}

/// Returns the whole page.
pub(crate) fn document(results: &Results, rows: &[Row]) -> String {
    let machine = &results.machine;
    let programs: Vec<String> =
        machine.programs.iter().map(|(name, version)| format!("{name} {version}")).collect();
    let mut text = format!(
        "# Benchmarks\n\n\
         `cargo xtask bench --output docs` wrote this page, the [chart](benchmarks.svg) and [all\n\
         runs](benchmarks.json). It generates registries that vary {} real entries, and runs each scenario as a\n\
         user would: with the release binary, one process a run. After one run that isn't counted there are {},\n\
         alternating with the peer's runs; the table shows medians. Compare ratios, not times: both sides of a\n\
         ratio were measured in turn on one machine. Files are in the system's cache. Everything written during\n\
         setup is on disk before a run begins, and nothing is deleted until the bench is done, since file systems\n\
         are slow to create files after that.\n\n\
         Measured on {} with {} cores and {} GiB: {}.\n\n\
         hugo and jekyll render the entries' own files, the same facts as a data file, a page for each plugin, the\n\
         four lists, the home page, the feed and `plugins.json`; hugo also renders a page for each tag and author,\n\
         for which jekyll would need a plugin. Their pages show the same as shelflife's, except related plugins,\n\
         and they don't sanitize HTML. The API files and badges, ten for each plugin, are turned off.\n\n\
         ![Each number as a share of its goal](benchmarks.svg)\n\n",
        machine.real_entries,
        machine.runs,
        machine.processor,
        machine.cores,
        machine.memory_gib,
        programs.join(", "),
    );
    text += &table(rows);
    if !results.skipped.is_empty() {
        text += "\nNot measured:\n\n";
        results.skipped.iter().for_each(|why| text += &format!("- {why}\n"));
    }
    text += &phases(&results.measurements);
    text += &made(&results.measurements);
    text
}

fn table(rows: &[Row]) -> String {
    let mut text = String::from(
        "| scenario | what | median | spread | peer | ratio | goal | met? |\n| --- | --- | --: | --: | --- | --: | --- | --- |\n",
    );
    for row in rows {
        let goal = row.facing.as_ref().map_or("–", |it| it.goal.as_str());
        let met = match row.facing.as_ref().map(|it: &Facing| (it.met(), it.share)) {
            None => String::new(),
            Some((Some(true), _)) => "yes".to_owned(),
            Some((Some(false), Some(share))) if share < 1.005 => "**no**".to_owned(),
            Some((Some(false), share)) => format!("**no**, by {}", times(share.unwrap_or(f64::NAN))),
            Some((None, _)) => "not measured".to_owned(),
        };
        let ratio = row.ratio.map(times).unwrap_or_default();
        let _ = writeln!(
            text,
            "| {} | {} | {} | {} | {} | {ratio} | {goal} | {met} |",
            row.scenario, row.what, row.median, row.spread, row.peer
        );
    }
    text
}

/// Returns the time of each phase, from the report of each scenario's first run.
fn phases(measurements: &[Measurement]) -> String {
    let mut text = format!(
        "\n## Where the time goes\n\nTimes in milliseconds, from the report of each scenario's first run. For builds\n\
         under `shelflife watch`, only the number of outputs is known.\n\n\
         | scenario | entries | {} | outputs written | pages of plugins rendered | Markdown rendered |\n\
         | --- | --: |{} --: | --: | --: |\n",
        PHASES.join(" | "),
        " --: |".repeat(PHASES.len())
    );
    for it in measurements {
        let Some(report) = &it.report else { continue };
        let number = |it: Option<u64>| it.map_or_else(|| "?".to_owned(), |it| it.to_string());
        let phases: Vec<String> = PHASES.iter().map(|phase| number(report.phase(phase))).collect();
        let _ = writeln!(
            text,
            "| {} | {} | {} | {} | {} | {} |",
            it.scenario,
            it.entries,
            phases.join(" | "),
            number(report.written()),
            number(report.pages()),
            number(report.markdown_renderings()),
        );
    }
    text
}

/// Returns the size of each program's output, so that readers can see whether they did the same work.
fn made(measurements: &[Measurement]) -> String {
    let mut text = String::new();
    for it in measurements {
        let Some(sizes) = it.more.as_object() else { continue };
        for (name, made) in sizes {
            let bytes =
                |key: &str| made.get(key).and_then(serde_json::Value::as_u64).map_or_else(String::new, size);
            let (html, json) = (bytes("html_bytes"), bytes("json_bytes"));
            let _ = writeln!(text, "| {} | {name} | {html} | {json} |", it.entries);
        }
    }
    if text.is_empty() {
        return text;
    }
    format!("\n## What was rendered\n\n| entries | by | HTML | JSON |\n| --: | --- | --: | --: |\n{text}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_have_three_digits_that_count() {
        assert_eq!(
            [0.001_234, 0.012_34, 0.1234, 1.234, 12.34].map(duration),
            ["1.23 ms", "12.3 ms", "123 ms", "1.23 s", "12.3 s"]
        );
        assert_eq!([0.5, 4.0, 5.5, 0.333, 12.34].map(times), ["0.5 ×", "4 ×", "5.5 ×", "0.33 ×", "12.3 ×"]);
        assert_eq!([1 << 20, 1 << 30].map(size), ["1.0 MiB", "1.00 GiB"]);
    }

    #[test]
    fn a_missed_goal_is_said_and_by_how_much() {
        let row = |share: Option<f64>| Row {
            scenario: "s".into(),
            what: "w".into(),
            median: "1 s".into(),
            spread: String::new(),
            peer: String::new(),
            ratio: None,
            facing: Some(Facing { goal: "g".into(), share }),
        };
        let last = |share| table(&[row(share)]).lines().last().map(str::to_owned).unwrap_or_default();
        assert!(last(Some(1.0)).ends_with("| g | yes |"));
        assert!(last(Some(2.5)).ends_with("| g | **no**, by 2.5 × |"), "{}", last(Some(2.5)));
        assert!(last(None).ends_with("| g | not measured |"));
    }
}
