//! An explanation as a person reads it.

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

/// The explanation in lines, with colours.
pub(super) fn draw(explanation: &Explanation) -> String {
    let Explanation { output, address, what, now, made, depends_on } = explanation;
    let mut text = String::new();
    line(&mut text, 0, &styled(NAME, output));
    let is = match what {
        What::Plugin { entry } => Some(format!("the page of {entry}")),
        What::Alternate { entry } => Some(format!("a file beside the page of {entry}")),
        What::Redirect { entry } => Some(format!("a redirect to the page of {entry}")),
        What::Asset { asset } => Some(format!("a copy of the asset {asset}")),
        What::Page { page } => Some(format!("a page of the site's own: {page}")),
        What::Copy { file } => Some(format!("a copy of {file}")),
        What::Group => Some("the page of a tag or an author".to_owned()),
        What::Picture => Some("a picture of a video".to_owned()),
        What::Site => None,
    };
    is.into_iter().for_each(|is| line(&mut text, 1, &printable(&is)));
    line(&mut text, 1, &styled(FAINT, address));
    text.push('\n');
    draw_made(&mut text, made.as_ref(), *now);

    let facts = depends_on.facts.iter().map(|fact| (fact.subject.clone(), freshness(fact, *now)));
    let of_plugins = depends_on.plugins.as_ref().map(|plugins| draw_plugins(plugins, *now));
    let mut rows = group(&depends_on.inputs);
    // Between what is its own and what it has in common with others.
    let place = rows.iter().position(|(name, _)| is_common(name)).unwrap_or(rows.len());
    rows.splice(place..place, facts.chain(of_plugins.into_iter().flatten()));
    text.push('\n');
    if rows.is_empty() {
        line(&mut text, 0, "No build has noted what it depends on: the cache is from an older version.");
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
            "No build has noted when it was made: it has not changed since the cache was cleared, or was an older \
             version's.",
        );
        return;
    };
    let when = format!("by build {build} on {} ({})", moment(*at), ago(*at, now));
    match reason {
        Reason::New => {
            line(text, 0, &format!("Made for the first time {when}: there was no such output before."));
        }
        Reason::Unknown => line(
            text,
            0,
            &format!(
                "Made again {when}. Which input had changed is not known: the cache had lost what it was made of."
            ),
        ),
        Reason::Changed => {
            line(text, 0, &format!("Made again {when}, because these changed:"));
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

/// How old a fact is, and until when it is fresh.
fn freshness(fact: &Known, now: Timestamp) -> String {
    let Some(fetched) = fact.fetched else {
        return styled(MISSING, "missing: nobody has answered yet");
    };
    let mut told = vec![format!("answered {}", ago(fetched, now))];
    if fact.absent {
        told.push("there is none".to_owned());
    }
    told.push(match fact.fresh_until {
        None => "never stale".to_owned(),
        Some(_) if fact.state == State::Expired => {
            styled(MISSING, "expired: not confirmed within `fetch.stale_if_error`")
        }
        Some(_) if fetched > now => styled(STALE, "stale: a clock was ahead"),
        Some(end) if fact.state == State::Stale => {
            let since = format!("stale for {}, since {}", span(now.duration_since(end)), moment(end));
            styled(STALE, &since)
        }
        Some(end) => format!("fresh for {}", span(end.duration_since(now))),
    });
    match fact.refusals {
        0 => {}
        1 => told.push(styled(STALE, "refused once since")),
        times => told.push(styled(STALE, &format!("refused {times} times since"))),
    }
    told.join(", ")
}

/// The plugins that an output shows, and how fresh what is known of them is.
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
        facts.push(format!("the oldest answered {}", ago(oldest, now)));
    }
    if let Some(end) = tally.fresh_until {
        facts.push(format!("the next one stale in {}", span(end.duration_since(now))));
    }
    vec![("plugins".to_owned(), shown), ("facts about plugins".to_owned(), facts.join(", "))]
}

/// What the names of inputs begin with of which there are many, and what all of them are called.
const MANY: [(&str, &str); 4] = [
    ("data file ", "data files"),
    ("template ", "templates"),
    ("address of ", "addresses of assets"),
    ("setting ", "settings"),
];

/// The program, which all outputs are made by.
const PROGRAM: &str = "program";

fn is_common(name: &str) -> bool {
    name == PROGRAM || MANY.iter().any(|(_, all)| *all == name)
}

/// Inputs in rows: those of which there are many in one row.
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

/// Writes two columns. The second one begins where the longest name of the first ends, unless that is very long.
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
