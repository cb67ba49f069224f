//! What Lighthouse says of the home page, a list and a plugin's page on a phone with a slow link.
//!
//! `SHELFLIFE_LIGHTHOUSE` names `cli/index.js` of the npm package `lighthouse` (`.ci/run` gets it); without it, or
//! without Node.js or Chromium, this is skipped. Whatever ran beside it would be measured too.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::common::shelf::shelf;
use crate::common::skip;
use serde_json::Value;

/// The least that each category must have.
const LEAST: i64 = 98;
/// How often each page is measured; the middle counts.
const RUNS: usize = 3;
const CATEGORIES: [&str; 4] = ["performance", "accessibility", "best-practices", "seo"];

#[test]
fn lighthouse_is_content() {
    let _turn = crate::alone();
    const TEST: &str = "lighthouse_is_content";
    let lighthouse = match lighthouse() {
        Ok(lighthouse) => lighthouse,
        Err(lacking) => return skip(TEST, &lacking),
    };
    let mut faults = Vec::new();
    for page in ["/", "/by_name/", "/plugins/DisplayLayerProgress/"] {
        let reports: Vec<Value> = (0..RUNS).map(|_| report(&lighthouse, &shelf().url(page))).collect();
        for category in CATEGORIES {
            let score = |report: &Value| {
                // Rounded as Lighthouse itself shows it.
                report["categories"][category]["score"].as_f64().map(|score| (score * 100.0).round() as i64)
            };
            let mut scores: Vec<i64> = reports.iter().map(|report| score(report).unwrap_or(-1)).collect();
            scores.sort_unstable();
            let _ = writeln!(std::io::stderr(), "{page}: {category} {scores:?}");
            if scores[RUNS / 2] < LEAST {
                let why = lost(&reports[0], category);
                faults.push(format!("{page}: {category} {scores:?}, at least {LEAST}:\n{why}"));
            }
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

/// Lighthouse's script, or what is missing.
fn lighthouse() -> Result<PathBuf, String> {
    let path = std::env::var_os("SHELFLIFE_LIGHTHOUSE").map(PathBuf::from);
    let path = path.ok_or("SHELFLIFE_LIGHTHOUSE doesn't name Lighthouse's cli/index.js")?;
    if !path.is_file() {
        return Err(format!("SHELFLIFE_LIGHTHOUSE names {}, which is no file", path.display()));
    }
    match Command::new("node").arg("--version").output() {
        Ok(output) if output.status.success() => {}
        _ => return Err("no node".into()),
    }
    match Path::new("/usr/bin/chromium").exists() {
        true => Ok(path),
        false => Err("there is no /usr/bin/chromium".into()),
    }
}

#[track_caller]
fn report(lighthouse: &Path, url: &str) -> Value {
    let output = Command::new("node")
        .arg(lighthouse)
        .args([url, "--output=json", "--quiet", "--no-enable-error-reporting"])
        .arg(format!("--only-categories={}", CATEGORIES.join(",")))
        .arg("--chrome-flags=--headless=new --no-sandbox --disable-gpu")
        .env("CHROME_PATH", "/usr/bin/chromium")
        .output()
        .unwrap();
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "lighthouse: {}\n{stderr}", output.status);
    let report: Value =
        serde_json::from_slice(&output.stdout).unwrap_or_else(|why| panic!("{why}\n{stderr}"));
    assert_eq!(report["runtimeError"], Value::Null, "{url}");
    report
}

/// The audits that took points, a line each.
fn lost(report: &Value, category: &str) -> String {
    let audits = report["categories"][category]["auditRefs"].as_array().into_iter().flatten();
    let mut lines = Vec::new();
    for reference in audits.filter(|it| it["weight"].as_f64() > Some(0.0)) {
        let audit = &report["audits"][reference["id"].as_str().unwrap_or_default()];
        if audit["score"].as_f64().is_some_and(|score| score < 0.99) {
            let items = audit["details"]["items"].as_array().into_iter().flatten().take(5);
            let items: Vec<String> = items.map(|item| format!("    {item}")).collect();
            lines.push(format!("  {} {}\n{}", audit["title"], audit["displayValue"], items.join("\n")));
        }
    }
    lines.join("\n")
}
