//! Due plugins: those whose date is not in the future. Others are published, but not listed as new until their date.
//!
//! Queries depend on the date only through the number of due plugins.
#![allow(missing_docs, reason = "salsa's macros generate undocumented functions")]

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
    /// The number of due plugins, which come first in the order of dates.
    fn due_count(db: Reader<'_>) -> usize {
        let today = db.today();
        plugins(db).partition_point(|file| date(db, *file) <= Some(today))
    }
}

fn date(db: Reader<'_>, file: EntryFile) -> Option<Date> {
    front(db, file).map(|front| front.date)
}

/// Returns the due plugins, in the order of dates.
pub fn due(db: Reader<'_>) -> &[EntryFile] {
    plugins(db).get(..*due_count(db)).unwrap_or_default()
}

/// Returns the due plugins that have a date, in the order of dates: those that feeds and the home page can list as new.
pub fn dated(db: Reader<'_>) -> &[EntryFile] {
    let due = due(db);
    due.get(due.partition_point(|file| date(db, *file) <= Some(UNKNOWN_DATE))..).unwrap_or_default()
}

/// Returns the plugins whose date is in the future, in the order of dates.
pub fn to_come(db: Reader<'_>) -> &[EntryFile] {
    plugins(db).get(*due_count(db)..).unwrap_or_default()
}

/// Returns the latest date of a due plugin and the earliest date of one that is not due.
pub fn days_around<'a>(db: impl Into<Reader<'a>>) -> (Option<Date>, Option<Date>) {
    let db = db.into();
    let of = |file: Option<&EntryFile>| file.and_then(|file| date(db, *file));
    (of(due(db).last()), of(to_come(db).first()))
}

/// Returns a warning for each plugin whose date is in the future.
pub fn warnings<'a>(db: impl Into<Reader<'a>>) -> Vec<Warning> {
    let db = db.into();
    let of_one = |file: &EntryFile| {
        let front = front(db, *file)?;
        let [line, column] = [front.date_at.0, front.date_at.1].map(|it| usize::try_from(it).unwrap_or(1));
        let place = Place { path: file.path(db).to_string(), line, column };
        let message = format!(
            "the date {} is in the future: the plugin is published, but not listed as new until then",
            front.date
        );
        Some(Warning::in_file(Rule::FutureDate, place, message))
    };
    to_come(db).iter().filter_map(of_one).collect()
}
