//! Checks a site's files for everything that breaks a rule, including what doesn't prevent publishing.

mod across;
mod changes;
mod finding;
mod fixing;
mod history;
mod lint;
mod memory;
mod online;
mod selection;

use std::collections::{BTreeMap, BTreeSet};

use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use crate::build::{self, Inspected};
use crate::cache::{Cache, Tree};
use crate::config::{Check, Config};
use crate::digest::Digest;
use crate::rule::{Degree, Rule};
use crate::scan::{Scan, Scanned};

use across::Cards;
use lint::Card;
use memory::Memory;
use selection::Selected;

pub use changes::place_in_repository;
pub use finding::{Finding, Found, Stretch};
pub use fixing::{Fixed, fix_files};
pub use selection::Selection;

/// How to check.
#[derive(Clone, Copy)]
pub struct Options<'a> {
    /// The files to report on.
    pub selection: &'a Selection,
    /// Also check over the network. The function is called with the number of finished and of all requests.
    pub online: Option<&'a (dyn Fn(usize, usize) + Send + Sync)>,
}

/// The result of a check.
#[derive(Debug, Default)]
pub struct Checked {
    /// The findings, ordered by file and place.
    pub findings: Vec<Finding>,
    /// The number of entries checked.
    pub entries: usize,
    /// The number of other files checked.
    pub others: usize,
    /// The number of those entries that are drafts, which are not checked.
    pub drafts: usize,
    /// URLs that start with `http://` and also work with `https://`; empty unless checked online.
    pub secure: BTreeSet<String>,
    /// Notes for the user on the selection, and on what could not be checked.
    pub notes: Vec<String>,
}

impl Checked {
    /// The number of findings that `--fix` can fix.
    pub fn fixable(&self) -> usize {
        self.findings.iter().filter(|finding| finding.found.fixable).count()
    }

    /// The number of findings of this severity.
    pub fn count(&self, degree: Degree) -> usize {
        self.findings.iter().filter(|finding| finding.degree == degree).count()
    }
}

/// Checks a site's files. Writes nothing except its own results, beside the cache.
///
/// # Errors
///
/// If a file can't be read, or the selection names a file that doesn't exist.
pub fn check(config: &Config, options: &Options<'_>) -> miette::Result<Checked> {
    let scan = scan(config)?;
    let selected = Selected::of(config, &scan, options.selection)?;
    let Whole { mut found, taken, drafts } = whole(config, &scan)?;
    found.extend(build::beside_files(config, &scan).into_iter().map(Found::from));
    if !selected.is_site() {
        found.retain(|found| !matches!(found.rule, Rule::SameId | Rule::SameName));
        found.extend(taken);
    }
    if let Some(changes) = selected.changes() {
        found.extend(history::since(config, changes, &scan)?);
    }
    let mut notes: Vec<String> = selected.note().into_iter().collect();
    let mut secure = BTreeSet::new();
    if let Some(progress) = options.online {
        let cards = cards_of(config, &scan, |path| selected.has(path))?;
        let answers = online::ask(config, &cards, progress)?;
        found.extend(answers.found);
        notes.extend(answers.notes);
        secure = answers.secure;
    }
    // Changed rules don't apply to the change that makes them.
    let check = match selected.changes() {
        Some(changes) => changes.check(config, &mut notes)?,
        None => config.check.clone(),
    };
    let entries = scan.entries().iter().filter(|file| selected.has(&file.path_in_site(config))).count();
    Ok(Checked {
        findings: findings(&check, &selected, found),
        entries,
        others: selected.files().saturating_sub(entries),
        drafts: drafts.iter().filter(|path| selected.has(path)).count(),
        secure,
        notes,
    })
}

/// Scans the site's folder. Files whose file stat is the one that a build recorded are not read.
fn scan(config: &Config) -> miette::Result<Scan> {
    let known = Cache::read(&config.paths.cache, |cache| cache.manifest(Tree::Site));
    let (scan, _) = Scan::with(config, &known.ok().flatten().unwrap_or_default())?;
    Ok(scan)
}

/// The findings in the selected files, without duplicates, ordered by file and place.
fn findings(check: &Check, selected: &Selected, found: Vec<Found>) -> Vec<Finding> {
    let found = without_echoes(found).into_iter();
    let mut findings: Vec<Finding> = found
        .filter_map(|found| {
            let degree = check.degree(found.rule, selected.origin(&found)?);
            (degree != Degree::Off).then_some(Finding { degree, found })
        })
        .collect();
    findings.sort_by(|a, b| {
        let key = |it: &Finding| (it.found.place.clone(), std::cmp::Reverse(it.degree), it.found.rule);
        key(a).cmp(&key(b))
    });
    findings
}

/// Drops findings that repeat another one, or say less.
fn without_echoes(mut found: Vec<Found>) -> Vec<Found> {
    let place = |found: &Found| found.place.as_ref().map(|it| (it.path.clone(), it.line, it.column));
    let of = |rule: Rule| -> BTreeSet<(String, usize, usize)> {
        found.iter().filter(|found| found.rule == rule).filter_map(place).collect()
    };
    let (bad_pictures, renamed) = (of(Rule::BadPicture), of(Rule::Renamed));
    let mut seen = BTreeSet::new();
    found.retain(|found| {
        let Some(at) = place(found) else { return true };
        match found.rule {
            // A picture that must move elsewhere need not be added here.
            Rule::MissingPicture => !bad_pictures.contains(&at),
            // A build and a check both report pictures in a wrong place.
            Rule::BadPicture => seen.insert((found.rule, at, String::new())),
            // `Rule::Renamed` already tells that the file has another name.
            Rule::FileName => !renamed.iter().any(|(path, ..)| *path == at.0),
            _ => seen.insert((found.rule, at, found.message.clone())),
        }
    });
    found
}

/// The findings in all files of a scan, before selection.
#[derive(Debug, Default, Serialize, Deserialize)]
struct Whole {
    /// The findings.
    found: Vec<Found>,
    /// Ids and file names that another entry also has, at each entry.
    taken: Vec<Found>,
    /// The paths of drafts.
    drafts: Vec<String>,
}

/// The findings of an earlier check of the same files, if stored, or else computed.
fn whole(config: &Config, scan: &Scan) -> miette::Result<Whole> {
    let memory = Memory::of(config, scan);
    if let Some(whole) = memory.recall() {
        return Ok(whole);
    }
    let Inspected { warnings, refused } = build::inspect(config, scan)?;
    let remembered = cards(config, scan, &memory)?;
    let cards: Cards<'_> = remembered.iter().map(|(path, (_, card))| (path.as_str(), card)).collect();
    let mut found: Vec<Found> = warnings.into_iter().map(Found::from).collect();
    found.extend(refused.iter().map(|problem| Found::of(Rule::Refused, problem)));
    found.extend(cards.values().flat_map(|card| card.found.iter().cloned()));
    found.extend(across::similar_tags(&cards));
    found.extend(across::large_pictures(&cards, &config.paths.assets, config.check.picture_size));
    let taken = across::taken(&cards);
    for found in &mut found {
        let line = found.place.as_ref().map_or(0, |place| place.line);
        let Some(card) = cards.get(found.path()) else { continue };
        found.fixable |= card.fixable.contains(&(found.rule, line));
        // A fix must not overwrite another entry.
        let other = card.id.as_ref().and_then(|(id, _)| scan.entry(id));
        if let Some(other) = other.filter(|_| found.rule == Rule::FileName) {
            let help = format!("{}.md is another entry; give this one a unique id", other.stem());
            found.help = Some(help);
        }
    }
    let drafts = cards.iter().filter(|(_, card)| card.is_draft).map(|(path, _)| (*path).to_owned());
    let whole = Whole { found, taken, drafts: drafts.collect() };
    // If a file can't be read, the findings also depend on its last good version.
    if refused.is_empty() {
        memory.keep(&whole);
    }
    Ok(whole)
}

/// The card of each entry by path, reusing stored ones if the file is unchanged.
fn cards(config: &Config, scan: &Scan, memory: &Memory) -> miette::Result<memory::Cards> {
    let known = memory.cards();
    let of_one = |file: &Scanned| {
        let path = file.path_in_site(config);
        let same = known.get(&path).filter(|(digest, _)| *digest == file.digest());
        let card = match same {
            Some((_, card)) => card.clone(),
            None => card(config, file)?,
        };
        Ok((path, (file.digest(), card)))
    };
    let cards = scan.entries().par_iter().map(of_one).collect::<miette::Result<memory::Cards>>()?;
    let is_known =
        |(path, (digest, _)): (&String, &(Digest, Card))| known.get(path).map(|it| it.0) == Some(*digest);
    if cards.len() != known.len() || !cards.iter().all(is_known) {
        memory.keep_cards(&cards);
    }
    Ok(cards)
}

/// The cards of the entries whose paths are wanted, by path.
fn cards_of(
    config: &Config,
    scan: &Scan,
    is_wanted: impl Fn(&str) -> bool + Sync,
) -> miette::Result<BTreeMap<String, Card>> {
    let files = scan.entries().par_iter().map(|file| (file, file.path_in_site(config)));
    let files = files.filter(|(_, path)| is_wanted(path));
    files.map(|(file, path)| Ok((path, card(config, file)?))).collect()
}

fn card(config: &Config, file: &Scanned) -> miette::Result<Card> {
    Ok(lint::card(&file.path_in_site(config), &file.content()?, &config.settings.limits, &config.check))
}
