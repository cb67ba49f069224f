//! Which plugins are due: one that is dated in the future is published, but nothing calls it new before its day.
//!
//! This is all that queries see of the clock, and nothing changes with it but how many plugins are due.
#![allow(missing_docs, reason = "salsa's macros write functions without comments")]

use jiff::civil::Date;

use super::EntryFile;
use super::entries::front;
use super::plugins::plugins;
use super::recorder::{Reader, query};
use crate::entry::UNKNOWN_DATE;
use crate::rule::Rule;
use crate::trace::Input;
use crate::warning::{Place, Warning};

query! {
    as Input::ToCome, None;
    /// How many plugins are due; those come first in the order of dates.
    fn due_count(db: Reader<'_>) -> usize {
        let today = db.today();
        plugins(db).partition_point(|file| date(db, *file) <= Some(today))
    }
}

fn date(db: Reader<'_>, file: EntryFile) -> Option<Date> {
    front(db, file).map(|front| front.date)
}

/// The plugins that are due, in the order of dates.
pub fn due(db: Reader<'_>) -> &[EntryFile] {
    plugins(db).get(..*due_count(db)).unwrap_or_default()
}

/// The plugins that are due and say since when there are any, in the order of dates: those that feeds and the start page
/// may call new.
pub fn dated(db: Reader<'_>) -> &[EntryFile] {
    let due = due(db);
    due.get(due.partition_point(|file| date(db, *file) <= Some(UNKNOWN_DATE))..).unwrap_or_default()
}

/// The plugins that are not due yet, in the order of dates.
pub fn to_come(db: Reader<'_>) -> &[EntryFile] {
    plugins(db).get(*due_count(db)..).unwrap_or_default()
}

/// The last day that has come, and the first that has not, of those on which plugins are dated.
pub fn days_around<'a>(db: impl Into<Reader<'a>>) -> (Option<Date>, Option<Date>) {
    let db = db.into();
    let of = |file: Option<&EntryFile>| file.and_then(|file| date(db, *file));
    (of(due(db).last()), of(to_come(db).first()))
}

/// A warning for each plugin that is not due.
pub fn warnings<'a>(db: impl Into<Reader<'a>>) -> Vec<Warning> {
    let db = db.into();
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
