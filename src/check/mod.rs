//! The check: everything that is to be said about a site's files, whether or not it keeps them from being published.

mod across;
mod changes;
mod finding;
mod history;
mod license;
mod lint;
mod selection;

use std::collections::{BTreeMap, BTreeSet};

use rayon::prelude::*;

use crate::build::{self, Inspected};
use crate::cache::{Cache, Tree};
use crate::config::Config;
use crate::rule::{Degree, Rule};
use crate::scan::Scan;

use across::Cards;
use lint::Card;
use selection::Selected;

pub use finding::{Finding, Found, Stretch};
pub use selection::Selection;

/// What a check came to.
#[derive(Debug, Default)]
pub struct Checked {
    /// What breaks rules, in the order of files and places.
    pub findings: Vec<Finding>,
    /// How many entries were looked at.
    pub entries: usize,
    /// How many other files were.
    pub others: usize,
    /// How many of the entries are drafts, of which nothing is said.
    pub drafts: usize,
    /// What the user should know about what was looked at.
    pub note: Option<String>,
}

impl Checked {
    /// How many findings are as bad as that.
    pub fn count(&self, degree: Degree) -> usize {
        self.findings.iter().filter(|finding| finding.degree == degree).count()
    }
}

/// Looks at a site's files, and writes nothing.
///
/// # Errors
///
/// When a file can't be read, or the selection names what is not there.
pub fn check(config: &Config, selection: &Selection) -> miette::Result<Checked> {
    let known = Cache::read(&config.paths.cache, |cache| cache.listing(Tree::Site));
    let known = known.ok().flatten().unwrap_or_default();
    let (scan, _) = Scan::with(config, &known)?;
    let selected = Selected::of(config, &scan, selection)?;
    let Inspected { warnings, refused } = build::inspect(config, &scan)?;
    let cards = cards(config, &scan)?;
    let cards: Cards<'_> = cards.iter().map(|(path, card)| (path.as_str(), card)).collect();

    let mut found: Vec<Found> = warnings.into_iter().map(Found::from).collect();
    found.extend(refused.iter().map(|problem| Found::of(Rule::Refused, problem)));
    found.extend(cards.values().flat_map(|card| card.found.iter().cloned()));
    found.extend(across::similar_tags(&cards));
    found.extend(across::large_pictures(&cards, &config.paths.assets, config.check.picture_size));
    if !selected.is_site() {
        found.retain(|found| !matches!(found.rule, Rule::SameId | Rule::SameName));
        found.extend(across::taken(&cards, selected.paths()));
    }
    if let Some(changes) = selected.changes() {
        found.extend(history::since(config, changes, &cards)?);
    }
    let mut seen = BTreeSet::new();
    let mut findings: Vec<Finding> = found
        .into_iter()
        .filter_map(|found| {
            let degree = config.check.degree(found.rule, selected.origin(&found)?);
            (degree != Degree::Off).then_some(Finding { degree, found })
        })
        // A place may break a rule in the eyes of a build and in those of a check.
        .filter(|finding| {
            let place = finding.found.place.as_ref().map(|it| (it.path.clone(), it.line, it.column));
            place.is_none_or(|place| seen.insert((finding.found.rule, place)))
        })
        .collect();
    findings.sort_by(|a, b| {
        let key = |it: &Finding| (it.found.place.clone(), std::cmp::Reverse(it.degree), it.found.rule);
        key(a).cmp(&key(b))
    });
    let entries = cards.iter().filter(|(path, _)| selected.has(path));
    let (entries, drafts) =
        entries.fold((0, 0), |(all, drafts), (_, card)| (all + 1, drafts + usize::from(card.is_draft)));
    let others = selected.files().saturating_sub(entries);
    Ok(Checked { findings, entries, others, drafts, note: selected.note() })
}

/// What each entry's file shows by itself, by its path.
fn cards(config: &Config, scan: &Scan) -> miette::Result<BTreeMap<String, Card>> {
    let of_one = |file: &crate::scan::Scanned| {
        let path = file.path_in_site(config);
        let card = lint::card(&path, &file.content()?, &config.settings.limits, &config.check);
        Ok((path, card))
    };
    scan.entries().par_iter().map(of_one).collect()
}
