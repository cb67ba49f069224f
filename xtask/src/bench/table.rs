//! The Markdown page of a bench, and the format of its numbers.

use std::fmt::Write as _;

use super::Results;
use super::goals::{Against, Row};
use super::lab::BEFORE;
use super::report::PHASES;
use super::scenario::Measurement;
use super::stage::Extent;

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
         runs](benchmarks.json). It generates registries that vary {} real entries, with the default settings except\n\
         that no thumbnails are fetched, and runs each scenario as a user would: with the release binary, one process\n\
         a run. After one run that isn't counted there are {}, in turn with what they are compared with; the tables\n\
         show medians. Compare ratios, not times: both sides of a ratio were measured in turn on one machine. The\n\
         ratio in brackets is that of processor times, of all threads, in user mode and in the system's; it is the\n\
         steadier one on a busy machine.\n\n\
         Measured on {} with {} cores and {} GiB: {}. All sites were {}.\n\n",
        machine.real_entries,
        machine.runs,
        machine.processor,
        machine.cores,
        machine.memory_gib,
        programs.join(", "),
        machine.place,
    );
    text += COMPARED;
    if machine.programs.iter().any(|(name, _)| *name == BEFORE) {
        text += "- **before** is an older shelflife, with sites and caches of its own.\n";
    }
    text += "\n![Each number as a share of its goal](benchmarks.svg)\n\n## Goals\n\n";
    text += &goals(rows);
    if !results.skipped.is_empty() {
        text += "\nNot measured:\n\n";
        results.skipped.iter().for_each(|why| text += &format!("- {why}\n"));
    }
    text += &table("All scenarios", rows, Extent::Defaults);
    text += &table("With the API and badges off", rows, Extent::WithoutApi);
    text += &phases(&results.measurements);
    text += &made(&results.measurements);
    text
}

/// What is compared with what.
const COMPARED: &str = "\
    - A **floor** is a small program that does only what a build can't avoid, with the same files, with as many\n\
    \x20 threads as there are cores. It is told beforehand which files there are, and how large they are. *stat*\n\
    \x20 reads the size and times of each of the site's files and outputs. *read and hash* reads all of them and\n\
    \x20 computes their BLAKE3 digests. *write* creates the folders and writes the outputs, each under a temporary\n\
    \x20 name before it is renamed; their content is at hand in a single file.\n\
    - **git status** looks at the same files as the build, outputs included: all are committed, and it doesn't\n\
    \x20 search for others (`--untracked-files=no`).\n\
    - **hugo** and **jekyll** make neither API files nor badges, ten for each plugin, so they are compared with\n\
    \x20 builds that have them off. They render the entries' own files, the same facts as a data file, a page for\n\
    \x20 each plugin, the four lists, the home page, the feed and `plugins.json`; hugo also renders a page for\n\
    \x20 each tag and author, for which jekyll would need a plugin. Their pages show the same as shelflife's,\n\
    \x20 except related plugins, and they don't sanitize HTML.\n";

/// Returns the numbers that have goals.
pub(crate) fn goals(rows: &[Row]) -> String {
    let mut text = String::from(
        "| scenario | median | compared with | ratio | goal | met? |\n| --- | --: | --- | --: | --- | --- |\n",
    );
    for row in rows {
        let Some(facing) = &row.facing else { continue };
        let met = match (facing.met(), facing.share) {
            (Some(true), _) => "yes".to_owned(),
            (Some(false), Some(share)) if share < 1.005 => "**no**".to_owned(),
            (Some(false), share) => format!("**no**, by {}", times(share.unwrap_or(f64::NAN))),
            (None, _) => "not measured".to_owned(),
        };
        let floor = row.floor.as_ref().map(|it| (format!("{} floor: {}", it.name, it.median), it));
        let peer = row.peer.as_ref().map(|it| (format!("{}: {}", it.name, it.median), it));
        let (name, ratio) = match peer.or(floor) {
            Some((name, against)) => (name, against.ratio.to_string()),
            None => ("–".to_owned(), "–".to_owned()),
        };
        let _ = writeln!(
            text,
            "| {} | {} | {name} | {ratio} | {} | {met} |",
            row.scenario, row.median, facing.goal
        );
    }
    text
}

/// Returns every number of one kind of site.
fn table(title: &str, rows: &[Row], extent: Extent) -> String {
    let mut text = String::new();
    for row in rows.iter().filter(|row| row.extent == extent) {
        let columns = |against: &Option<Against>| match against {
            Some(it) => format!("{}: {} | {}", it.name, it.median, it.ratio),
            None => " | ".to_owned(),
        };
        let scenario = row.scenario.strip_suffix(extent.suffix()).unwrap_or(&row.scenario);
        let _ = writeln!(
            text,
            "| {scenario} | {} | {} | {} | {} | {} | {} |",
            row.what,
            row.median,
            row.processor,
            row.spread,
            columns(&row.floor),
            columns(&row.peer)
        );
    }
    if text.is_empty() {
        return text;
    }
    format!(
        "\n## {title}\n\n\
         | scenario | what | median | CPU | spread | floor | × floor | peer | × peer |\n\
         | --- | --- | --: | --: | --: | --- | --: | --- | --: |\n{text}"
    )
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
            "| {}{} | {} | {} | {} | {} | {} |",
            it.scenario,
            it.extent.suffix(),
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
            let off = it.extent.suffix();
            let _ = writeln!(text, "| {} | {name}{off} | {html} | {json} |", it.entries);
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
    use crate::bench::goals::Facing;
    use crate::bench::scenario::Ratio;

    #[test]
    fn numbers_have_three_digits_that_count() {
        assert_eq!(
            [0.001_234, 0.012_34, 0.1234, 1.234, 12.34].map(duration),
            ["1.23 ms", "12.3 ms", "123 ms", "1.23 s", "12.3 s"]
        );
        assert_eq!([0.5, 4.0, 5.5, 0.333, 12.34].map(times), ["0.5 ×", "4 ×", "5.5 ×", "0.33 ×", "12.3 ×"]);
        assert_eq!([1 << 20, 1 << 30].map(size), ["1.0 MiB", "1.00 GiB"]);
    }

    fn row(share: Option<f64>) -> Row {
        Row {
            scenario: "s, API and badges off".into(),
            extent: Extent::WithoutApi,
            what: "w".into(),
            median: "1 s".into(),
            spread: "0 – 2 s".into(),
            processor: "3 s".into(),
            floor: None,
            peer: None,
            facing: Some(Facing { goal: "g".into(), share }),
        }
    }

    fn last(text: &str) -> &str {
        text.lines().last().unwrap_or_default()
    }

    #[test]
    fn a_missed_goal_is_said_and_by_how_much() {
        let of = |share| goals(&[row(share), Row { facing: None, ..row(None) }]);
        assert!(last(&of(Some(1.0))).ends_with("| – | – | g | yes |"));
        assert!(last(&of(Some(1.001))).ends_with("| g | **no** |"));
        assert!(last(&of(Some(2.5))).ends_with("| g | **no**, by 2.5 × |"));
        assert!(last(&of(None)).ends_with("| g | not measured |"));
    }

    #[test]
    fn what_a_number_is_compared_with_has_both_ratios() {
        let against = |name: &str, processor| {
            let ratio = Ratio { wall: 1.25, processor };
            Some(Against { name: name.into(), median: "4 s".into(), ratio })
        };
        let row = Row { floor: against("stat", Some(1.1)), ..row(Some(1.0)) };
        let goal = "| s, API and badges off | 1 s | stat floor: 4 s | 1.25 × (CPU 1.1 ×) | g | yes |";
        assert_eq!(last(&goals(std::slice::from_ref(&row))), goal);
        let row = Row { peer: against("hugo", None), ..row };
        assert!(last(&goals(std::slice::from_ref(&row))).contains("| hugo: 4 s | 1.25 × |"));
        let all = "| s | w | 1 s | 3 s | 0 – 2 s | stat: 4 s | 1.25 × (CPU 1.1 ×) | hugo: 4 s | 1.25 × |";
        assert_eq!(last(&table("t", std::slice::from_ref(&row), Extent::WithoutApi)), all);
        assert_eq!(table("t", &[row], Extent::Defaults), "");
    }
}
