//! Taxonomies: tags and authors, each term with its own page.

use std::collections::BTreeMap;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde::{Deserialize, Serialize};

use super::recorder::{Reader, query};
use super::views;
use crate::digest::Digest;
use crate::render::address;
use crate::render::context::{Group, Named, Summary};

/// A way to group plugins.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Taxonomy {
    /// By topic.
    Tag,
    /// By author.
    Author,
}

impl Taxonomy {
    /// All taxonomies.
    pub const ALL: [Self; 2] = [Self::Tag, Self::Author];

    /// Returns a plugin's terms.
    fn names(self, summary: &Summary) -> &[Named] {
        match self {
            Self::Tag => &summary.tags,
            Self::Author => &summary.authors,
        }
    }

    /// Returns the address of a term's page from the site's root.
    pub fn page(self, slug: &str) -> String {
        let slug = utf8_percent_encode(slug, UNSAFE);
        match self {
            Self::Tag => format!("/by_tag/{slug}/"),
            Self::Author => format!("/by_author/{slug}/"),
        }
    }

    /// Returns the template of a term's page.
    pub fn template(self) -> &'static str {
        match self {
            Self::Tag => "tag.html",
            Self::Author => "author.html",
        }
    }
}

/// The characters that are percent-encoded in slugs: all except ASCII letters, digits and `-`, so that an address has
/// only one spelling (RFC 3986, section 2.3).
const UNSAFE: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-');

/// A term: a taxonomy and a slug.
pub type Key = (Taxonomy, String);

/// Returns the term whose page is the file at `path` below the output folder.
pub fn at(path: &str) -> Option<Key> {
    let (folder, rest) = path.split_once('/')?;
    let taxonomy = match folder {
        "by_tag" => Taxonomy::Tag,
        "by_author" => Taxonomy::Author,
        _ => return None,
    };
    let slug = rest.strip_suffix("/index.html").filter(|slug| !slug.contains('/'))?;
    Some((taxonomy, slug.to_owned()))
}

/// The plugins of a term.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct Members {
    name: String,
    /// Positions in the list of all plugins by title.
    places: Vec<usize>,
}

query! {
    unnoted;
    /// Returns the plugins of all terms.
    fn members(db: Reader<'_>) -> BTreeMap<Key, Members> {
        let mut groups: BTreeMap<Key, Members> = BTreeMap::new();
        for (place, summary) in views::by_title(db).iter().enumerate() {
            for taxonomy in Taxonomy::ALL {
                for Named { name, slug } in taxonomy.names(summary) {
                    let group = groups.entry((taxonomy, slug.clone())).or_default();
                    if group.places.is_empty() {
                        group.name.clone_from(name);
                    }
                    // Two spellings of a tag have the same slug: list the plugin only once.
                    if group.places.last() != Some(&place) {
                        group.places.push(place);
                    }
                }
            }
        }
        groups
    }
}

/// Returns all terms of a taxonomy in the order of their slugs, each with its plugins in the order of their titles.
pub fn groups(db: Reader<'_>, taxonomy: Taxonomy) -> Vec<Group<'_>> {
    let groups = members(db).iter().filter(|((of, _), _)| *of == taxonomy);
    groups.map(|(key, members)| with_plugins(db, key, members)).collect()
}

/// Returns the plugins of a term.
pub fn group<'db>(db: Reader<'db>, key: &Key) -> Option<Group<'db>> {
    members(db).get(key).map(|members| with_plugins(db, key, members))
}

fn with_plugins<'db>(db: Reader<'db>, (taxonomy, slug): &Key, members: &Members) -> Group<'db> {
    let all = views::by_title(db);
    let url = address::Local::of(db.settings(), &taxonomy.page(slug));
    Group {
        name: members.name.clone(),
        slug: slug.clone(),
        url: Some(url),
        plugins: members.places.iter().filter_map(|place| all.get(*place)).collect(),
    }
}

/// The function of the memo that holds the digests of all terms. Its key is the digest of everything that long lists
/// show and of the program, which decides which terms exist.
const GROUPS: &str = "groups";

query! {
    unnoted;
    /// The digest of the content of each term's page.
    pub fn digests(db: Reader<'_>) -> BTreeMap<Key, Digest> {
        let listed = views::listed_digest(db);
        let inputs = Digest::of_parts([listed.as_bytes().as_slice(), crate::FINGERPRINT.as_bytes()]);
        let known = db.memory().memo(GROUPS, inputs).and_then(|bytes| postcard::from_bytes(&bytes).ok());
        if let Some(known) = known {
            return known;
        }
        let listed = views::listed(db);
        let all: Vec<Option<Digest>> =
            views::by_title(db).iter().map(|summary| listed.get(summary.stem.as_str()).copied()).collect();
        let digest = |members: &Members| {
            let mut text = format!("{}\0", members.name).into_bytes();
            for digest in members.places.iter().filter_map(|place| *all.get(*place)?) {
                text.extend_from_slice(digest.as_bytes());
            }
            Digest::of(&text)
        };
        let digests: BTreeMap<Key, Digest> =
            members(db).iter().map(|(key, members)| (key.clone(), digest(members))).collect();
        db.memory().keep_memo(GROUPS, inputs, &postcard::to_stdvec(&digests).unwrap_or_default());
        digests
    }
}

/// Returns the digest of the content of a term's page.
pub fn digest<'a>(db: impl Into<Reader<'a>>, key: &Key) -> Digest {
    let db = db.into();
    digests(db).get(key).copied().unwrap_or_else(|| Digest::of(b""))
}
