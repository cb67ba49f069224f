//! An explanation as text for a terminal.

use std::fmt::Write as _;

use clap::builder::styling::{AnsiColor, Style};
use jiff::Timestamp;

use super::age::{ago, moment, span};
use crate::cache::Change;
use crate::explain::{Explanation, Known, LastMade, Plugins, Reason, Source, State, What};
use crate::problem::printable;
use crate::report;

const NAME: Style = Style::new().bold();
const FAINT: Style = Style::new().dimmed();
const STALE: Style = AnsiColor::Yellow.on_default();
const MISSING: Style = AnsiColor::Red.on_default();

/// The explanation as lines of text with colors.
pub(super) fn draw(explanation: &Explanation) -> String {
    let Explanation { output, address, what, now, made, depends_on } = explanation;
    let mut text = String::new();
    line(&mut text, 0, &styled(NAME, output));
    let is = match what {
        What::Plugin { entry } => Some(format!("the page of {entry}")),
        What::Alternate { entry } => Some(format!("an alternate of the page of {entry}")),
        What::Redirect { entry } => Some(format!("a redirect to the page of {entry}")),
        What::Asset { asset } => Some(format!("a copy of the asset {asset}")),
        What::Page { page } => Some(format!("the page from {page}")),
        What::Copy { file } => Some(format!("a copy of {file}")),
        What::Group => Some("the page of a tag or an author".to_owned()),
        What::Picture => Some("a video thumbnail".to_owned()),
        What::Site => None,
    };
    is.into_iter().for_each(|is| line(&mut text, 1, &printable(&is)));
    line(&mut text, 1, &styled(FAINT, address));
    text.push('\n');
    draw_made(&mut text, made.as_ref(), *now);

    let facts = depends_on.facts.iter().map(|fact| (fact.subject.clone(), freshness(fact, *now)));
    let of_plugins = depends_on.plugins.as_ref().map(|plugins| draw_plugins(plugins, *now));
    let mut rows = group(&depends_on.inputs);
    // Facts go between the output's own inputs and those that all outputs share.
    let place = rows.iter().position(|(name, _)| is_common(name)).unwrap_or(rows.len());
    rows.splice(place..place, facts.chain(of_plugins.into_iter().flatten()));
    text.push('\n');
    if rows.is_empty() {
        line(&mut text, 0, "Its dependencies are unknown: the cache was written by an older version.");
    } else {
        line(&mut text, 0, "Depends on:");
        columns(&mut text, &rows);
    }
    text
}

fn draw_made(text: &mut String, made: Option<&LastMade>, now: Timestamp) {
    let Some(LastMade { build, at, reason, changes }) = made else {
        line(
            text,
            0,
            "No build has recorded when this was written: it has not changed since the cache was cleared, or since an \
             older version wrote it.",
        );
        return;
    };
    let when = format!("by build {build} on {} ({})", moment(*at), ago(*at, now));
    match reason {
        Reason::New => {
            line(text, 0, &format!("First written {when}."));
        }
        Reason::Unknown => line(
            text,
            0,
            &format!(
                "Rebuilt {when}. The reason is unknown: the previous inputs are no longer in the cache."
            ),
        ),
        Reason::Changed => {
            line(text, 0, &format!("Rebuilt {when} because these inputs changed:"));
            let rows: Vec<_> = changes.iter().map(|change| (change.input.clone(), became(change))).collect();
            columns(text, &rows);
        }
    }
}

fn became(change: &Change) -> String {
    let arrow =
        |old: &str, new: &str| format!("{} {} {}", printable(old), styled(FAINT, "→"), printable(new));
    match (&change.old, &change.new) {
        (Some(old), Some(new)) => arrow(old, new),
        (None, Some(new)) => arrow("none", new),
        (Some(old), None) => arrow(old, "none"),
        (None, None) => String::new(),
    }
}

/// The age of a fact, and how long it stays fresh.
fn freshness(fact: &Known, now: Timestamp) -> String {
    let Some(fetched) = fact.fetched else {
        return styled(MISSING, "missing: never fetched");
    };
    let mut told = vec![format!("fetched {}", ago(fetched, now))];
    if fact.absent {
        told.push("does not exist".to_owned());
    }
    told.push(match fact.fresh_until {
        None => "always fresh".to_owned(),
        Some(_) if fact.state == State::Expired => {
            styled(MISSING, "expired: not confirmed within `fetch.stale_if_error`")
        }
        Some(_) if fetched > now => styled(STALE, "stale: fetched in the future"),
        Some(end) if fact.state == State::Stale => {
            let since = format!("stale for {}, since {}", span(now.duration_since(end)), moment(end));
            styled(STALE, &since)
        }
        Some(end) => format!("fresh for {}", span(end.duration_since(now))),
    });
    match fact.refusals {
        0 => {}
        1 => told.push(styled(STALE, "reported missing once since then")),
        times => told.push(styled(STALE, &format!("reported missing {times} times since then"))),
    }
    told.join(", ")
}

/// The plugins that an output shows, and how fresh their facts are.
fn draw_plugins(plugins: &Plugins, now: Timestamp) -> Vec<(String, String)> {
    let tally = &plugins.facts;
    let count = report::count(plugins.count, "plugin");
    let shown = if plugins.newest { format!("the newest of {count}") } else { count };
    let mut facts = vec![format!("{} fresh", tally.fresh)];
    if tally.stale > 0 {
        facts.push(styled(STALE, &format!("{} stale", tally.stale)));
    }
    if tally.expired > 0 {
        facts.push(styled(MISSING, &format!("{} expired", tally.expired)));
    }
    if tally.missing > 0 {
        facts.push(styled(MISSING, &format!("{} missing", tally.missing)));
    }
    if let Some(oldest) = tally.oldest {
        facts.push(format!("oldest fetched {}", ago(oldest, now)));
    }
    if let Some(end) = tally.fresh_until {
        facts.push(format!("next stale in {}", span(end.duration_since(now))));
    }
    vec![("plugins".to_owned(), shown), ("facts about plugins".to_owned(), facts.join(", "))]
}

/// Prefixes of input names that share a row, and the name of that row.
const MANY: [(&str, &str); 4] = [
    ("data file ", "data files"),
    ("template ", "templates"),
    ("address of ", "addresses of assets"),
    ("setting ", "settings"),
];

/// The program itself, an input of every output.
const PROGRAM: &str = "program";

fn is_common(name: &str) -> bool {
    name == PROGRAM || MANY.iter().any(|(_, all)| *all == name)
}

/// The inputs as rows; many inputs of one kind share a row.
fn group(inputs: &[Source]) -> Vec<(String, String)> {
    let is_of_many = |source: &&Source| MANY.iter().any(|(start, _)| source.input.starts_with(start));
    let (program, own): (Vec<&Source>, Vec<&Source>) =
        inputs.iter().filter(|source| !is_of_many(source)).partition(|source| source.input == PROGRAM);
    let row = |source: &Source| (source.input.clone(), printable(&source.value).into_owned());
    let many = MANY.iter().filter_map(|(start, all)| {
        let names: Vec<&str> = inputs.iter().filter_map(|source| source.input.strip_prefix(start)).collect();
        (!names.is_empty()).then(|| ((*all).to_owned(), printable(&names.join(", ")).into_owned()))
    });
    own.into_iter().map(row).chain(many).chain(program.into_iter().map(row)).collect()
}

/// Writes two columns. The second begins after the longest name, unless that is longer than `LONGEST`.
fn columns(text: &mut String, rows: &[(String, String)]) {
    const LONGEST: usize = 60;
    let rows: Vec<_> = rows.iter().map(|(name, is)| (printable(name), is)).collect();
    let widths = rows.iter().map(|(name, _)| name.chars().count());
    let width = widths.filter(|width| *width <= LONGEST).max().unwrap_or_default();
    for (name, is) in &rows {
        line(text, 1, format!("{name:<width$}  {is}").trim_end());
    }
}

fn line(text: &mut String, depth: usize, content: &str) {
    let _ = writeln!(text, "{:1$}{content}", "", depth * 2);
}

fn styled(style: Style, text: &str) -> String {
    format!("{style}{}{style:#}", printable(text))
}
