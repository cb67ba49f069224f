//! Findings as SARIF 2.1.0, the format of code scanning
//! (<https://docs.oasis-open.org/sarif/sarif/v2.1.0/sarif-v2.1.0.html>).

use std::collections::BTreeSet;
use std::path::{Component, Path};

use serde_json::{Value, json};

use crate::check::{Checked, Finding, Found};
use crate::config::Check;
use crate::rule::{Degree, Origin, Rule};
use crate::url_path;

/// The log of one run. `site` is the site's folder in the repository.
pub(super) fn log(checked: &Checked, check: &Check, site: &Path) -> String {
    // A site outside the repository has no path in it.
    let site = if site.is_relative() { site } else { Path::new("") };
    let broken: BTreeSet<Rule> = checked.findings.iter().map(|finding| finding.found.rule).collect();
    let broken: Vec<Rule> = broken.into_iter().collect();
    let rules: Vec<Value> = broken.iter().map(|rule| about(*rule, check)).collect();
    let results: Vec<Value> = checked.findings.iter().map(|finding| result(finding, &broken, site)).collect();
    let log = json!({
        "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
        "version": "2.1.0",
        "runs": [{
            "tool": {"driver": {
                "name": "shelflife",
                "version": env!("CARGO_PKG_VERSION"),
                "rules": rules,
            }},
            // Section 3.14.17: what columns count.
            "columnKind": "unicodeCodePoints",
            "results": results,
        }],
    });
    format!("{log:#}\n")
}

fn level(degree: Degree) -> &'static str {
    match degree {
        Degree::Off => "none",
        Degree::Note => "note",
        Degree::Warning => "warning",
        Degree::Error => "error",
    }
}

fn about(rule: Rule, check: &Check) -> Value {
    let text = rule.explanation().unwrap_or_default();
    let first = text.split("\n\n").next().unwrap_or_default().replace('\n', " ");
    json!({
        "id": rule.name(),
        "shortDescription": {"text": first},
        "help": {"text": text, "markdown": text},
        "defaultConfiguration": {"level": level(check.degree(rule, Origin::Changed))},
    })
}

fn result(Finding { degree, found }: &Finding, rules: &[Rule], site: &Path) -> Value {
    let Found { rule, place, message, help, .. } = found;
    let help = help.iter().map(|help| format!("\n{help}")).collect::<String>();
    let mut result = json!({
        "ruleId": rule.name(),
        "ruleIndex": rules.iter().position(|known| known == rule),
        "level": level(*degree),
        "message": {"text": format!("{message}{help}")},
    });
    if let Some(place) = place {
        let mut region = json!({"startLine": place.line, "startColumn": place.column});
        if (place.end_line, place.end_column) > (place.line, place.column) {
            region["endLine"] = json!(place.end_line);
            region["endColumn"] = json!(place.end_column);
        }
        let path = site.join(&place.path);
        let parts = path.components().filter(|part| matches!(part, Component::Normal(_)));
        let parts: Vec<_> = parts.map(|part| part.as_os_str().to_string_lossy().into_owned()).collect();
        let path: Vec<_> = parts.iter().map(|part| url_path::segment(part)).collect();
        result["locations"] = json!([{"physicalLocation": {
            "artifactLocation": {"uri": path.join("/"), "uriBaseId": "%SRCROOT%"},
            "region": region,
        }}]);
    }
    result
}
