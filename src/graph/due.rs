//! Which plugins are due: one that is dated in the future is published, but nothing calls it new before its day.
//!
//! This is all that queries see of the clock, and nothing changes with it but how many plugins are due.
#![allow(missing_docs, reason = "salsa's macros write functions without comments")]

use jiff::civil::Date;

use super::context::Part;
use super::entries::front;
use super::plugins::plugins;
use super::{Db, EntryFile, Site};
use crate::entry::UNKNOWN_DATE;
use crate::rule::Rule;
use crate::warning::{Place, Warning};

/// How many plugins are due; those come first in the order of dates.
#[salsa::tracked]
fn due_count(db: &dyn Db) -> usize {
    let today = *Site::get(db).today(db);
    plugins(db).partition_point(|file| date(db, *file) <= Some(today))
}

fn date(db: &dyn Db, file: EntryFile) -> Option<Date> {
    front(db, file).map(|front| front.date)
}

/// The plugins that are due, in the order of dates.
pub fn due(db: &dyn Db) -> &[EntryFile] {
    plugins(db).get(..*due_count(db)).unwrap_or_default()
}

/// The plugins that are due and say since when there are any, in the order of dates: those that feeds and the start page
/// may call new.
pub fn dated(db: &dyn Db) -> &[EntryFile] {
    let due = due(db);
    due.get(due.partition_point(|file| date(db, *file) <= Some(UNKNOWN_DATE))..).unwrap_or_default()
}

/// The plugins that are not due yet, in the order of dates.
pub fn to_come(db: &dyn Db) -> &[EntryFile] {
    plugins(db).get(*due_count(db)..).unwrap_or_default()
}

/// The last day that has come, and the first that has not, of those on which plugins are dated.
pub fn days_around(db: &dyn Db) -> (Option<Date>, Option<Date>) {
    let of = |file: Option<&EntryFile>| file.and_then(|file| date(db, *file));
    (of(due(db).last()), of(to_come(db).first()))
}

/// What outputs are made from that show which plugins are new, beside those plugins. They are in the order of dates,
/// so the number says which.
pub(super) fn part(db: &dyn Db) -> Part {
    Part::short("plugins dated in the future", to_come(db).len().to_string())
}

/// A warning for each plugin that is not due.
pub fn warnings(db: &dyn Db) -> Vec<Warning> {
    let of_one = |file: &EntryFile| {
        let front = front(db, *file)?;
        let [line, column] = [front.date_at.0, front.date_at.1].map(|it| usize::try_from(it).unwrap_or(1));
        let place = Place { path: file.path(db).to_string(), line, column };
        let message = format!(
            "the date {} is in the future; the plugin is published, but not shown as new before that day",
            front.date
        );
        Some(Warning::in_file(Rule::FutureDate, place, message))
    };
    to_come(db).iter().filter_map(of_one).collect()
}
