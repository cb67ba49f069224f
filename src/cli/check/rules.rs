//! `shelflife check --rules` and `--explain`.

use super::print;
use crate::cli::{Exit, show};
use crate::config::Check;
use crate::problem::printable;
use crate::rule::{Origin, Rule};

/// The column headings of the origins of files.
const ORIGINS: [(&str, Origin); 3] =
    [("site", Origin::Site), ("changed", Origin::Changed), ("new", Origin::New)];

/// Lists the rules with their severities: in a check of the whole site, of changed entries, and of new ones.
pub(super) fn list(check: &Check) -> Exit {
    let columns: String = ORIGINS.iter().map(|(name, _)| format!("{name:<10}")).collect();
    let mut text = format!("{:<22}{columns}\n", "rule");
    let mut rules: Vec<Rule> = Rule::ALL.into_iter().filter(|rule| rule.is_about_files()).collect();
    rules.sort_by_key(|rule| rule.name());
    for rule in rules {
        let degrees = ORIGINS.iter().map(|(_, origin)| format!("{:<10}", check.degree(rule, *origin).name()));
        let about = rule.explanation().and_then(|text| text.split("\n\n").next()).unwrap_or_default();
        let (degrees, about) = (degrees.collect::<String>(), about.replace('\n', " "));
        text.push_str(&format!("{:<22}{degrees}{about}\n", rule.name()));
    }
    print(&text)
}

/// Prints the text of docs/rules.md on a rule, and its severities.
pub(super) fn explain(name: &str, check: &Check) -> Exit {
    let known = Rule::ALL.into_iter().find(|rule| rule.name() == name);
    let Some((rule, text)) = known.and_then(|rule| Some((rule, rule.explanation()?))) else {
        show::line(&format!("error: unknown rule `{}`", printable(name)));
        let nearest = Rule::nearest(name).name();
        show::line(&format!("  help: did you mean `{nearest}`? `shelflife check --rules` lists all rules"));
        return Exit::Wrong;
    };
    let degrees = ORIGINS.map(|(name, origin)| format!("{name}: {}", check.degree(rule, origin).name()));
    print(&format!("{name} ({})\n\n{text}\n", degrees.join(", ")))
}
