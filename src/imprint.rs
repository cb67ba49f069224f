//! Imprints: what a build made of an entry, and the digest of everything that went into it.
//!
//! An imprint stands in for its entry in later builds: as long as all that went into it is the same, neither the
//! entry's file nor any fact about it has to be read again.

use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use crate::digest::Digest;
use crate::fact::Subject;

/// What a build made of an entry.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Imprint {
    /// What decides about other outputs than the entry's own page.
    pub front: Front,
    /// The digests of what lists and feeds show.
    pub shown: Shown,
    /// The digest of the plugin's page.
    pub page: Digest,
    /// What the entry says in vain, a line each.
    pub warnings: Vec<String>,
    /// What it was made from.
    pub inputs: Inputs,
    /// The memos that were of use, by function and inputs.
    pub memos: Vec<(String, Digest)>,
    /// The inputs of the memo that has the description for feeds, if a feed had it.
    pub feed: Option<Digest>,
}

/// What is known of an entry before any fact about it is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Front {
    /// The id that it declares.
    pub id: String,
    /// When it was registered.
    pub date: Date,
    /// Whether usage is counted for it.
    pub counted: bool,
    /// What it says about being abandoned.
    pub abandoned: Option<String>,
    /// What it says about being up for adoption.
    pub up_for_adoption: Option<String>,
    /// Earlier addresses of its page.
    pub redirects: Vec<Redirect>,
}

/// An earlier address of a plugin's page.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Redirect {
    /// The path from the site's root.
    pub from: String,
    /// Where it stands: `path:line:column`.
    pub place: String,
}

/// The texts of a plugin that outputs beside its own page consist of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ShownKind {
    /// What lists show, as JSON.
    Summary,
    /// The line in `plugins.json`.
    Record,
    /// The line in `search.json`.
    Document,
}

impl ShownKind {
    /// All kinds.
    pub const ALL: [Self; 3] = [Self::Summary, Self::Record, Self::Document];

    /// The name under which the cache has such texts.
    pub fn name(self) -> &'static str {
        match self {
            Self::Summary => "summary",
            Self::Record => "record",
            Self::Document => "document",
        }
    }
}

/// The digests of the texts of a plugin, one of each kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Shown {
    /// What lists show.
    pub summary: Digest,
    /// The line in `plugins.json`.
    pub record: Digest,
    /// The line in `search.json`.
    pub document: Digest,
}

impl Shown {
    /// The digest of the text of one kind.
    pub fn of(&self, kind: ShownKind) -> Digest {
        match kind {
            ShownKind::Summary => self.summary,
            ShownKind::Record => self.record,
            ShownKind::Document => self.document,
        }
    }
}

/// Everything that an imprint was made from, beside what all imprints of a site have in common.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Inputs {
    /// The entry's file.
    pub entry: Digest,
    /// How much the plugin is used.
    pub usage: Digest,
    /// Notices and blacklist items about the plugin.
    pub concerning: Digest,
    /// What was known about each subject that was looked at.
    pub facts: Vec<(Subject, Digest)>,
}

/// One of the things that an imprint was made from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Input<'a> {
    /// The entry's file.
    Entry,
    /// How much the plugin is used.
    Usage,
    /// Notices and blacklist items about the plugin.
    Concerning,
    /// What is known about a subject.
    Fact(&'a Subject),
}

/// What an input was and is; `None` where it was not or is no longer one.
pub type Change<'a> = (Input<'a>, Option<Digest>, Option<Digest>);

impl Inputs {
    /// Every input with its digest.
    pub fn each(&self) -> impl Iterator<Item = (Input<'_>, Digest)> {
        let own =
            [(Input::Entry, self.entry), (Input::Usage, self.usage), (Input::Concerning, self.concerning)];
        own.into_iter().chain(self.facts.iter().map(|(subject, digest)| (Input::Fact(subject), *digest)))
    }

    fn get(&self, wanted: Input<'_>) -> Option<Digest> {
        self.each().find(|(input, _)| *input == wanted).map(|(_, digest)| digest)
    }

    /// What is different from `before`.
    pub fn changes_since<'a>(&'a self, before: &'a Self) -> Vec<Change<'a>> {
        let new = self.each().map(|(input, digest)| (input, before.get(input), Some(digest)));
        let gone = before.each().filter(|(input, _)| self.get(*input).is_none());
        let gone = gone.map(|(input, digest)| (input, Some(digest), None));
        new.chain(gone).filter(|(_, old, new)| old != new).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fact::Window;

    #[test]
    fn changes_are_what_differs() {
        let (one, two) = (Digest::of(b"1"), Digest::of(b"2"));
        let (week, month) = (Subject::Usage(Window::Week), Subject::Usage(Window::Month));
        let inputs =
            |entry, facts: Vec<(Subject, Digest)>| Inputs { entry, usage: one, concerning: one, facts };
        let before = inputs(one, vec![(week.clone(), one)]);
        assert_eq!(before.changes_since(&before), []);
        let after = inputs(two, vec![(month.clone(), one)]);
        let expected = [
            (Input::Entry, Some(one), Some(two)),
            (Input::Fact(&month), None, Some(one)),
            (Input::Fact(&week), Some(one), None),
        ];
        assert_eq!(after.changes_since(&before), expected);
    }
}
