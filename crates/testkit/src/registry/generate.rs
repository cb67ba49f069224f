//! Generated registries of any size whose entries are all different but distributed like those of a real registry.
//!
//! Entries come in cohorts as large as the real registry. Within a cohort, each real entry is the model of one new
//! entry: it gives the number of tags and screenshots, the kinds and lengths of blocks, the declared keys, and the
//! entries that share its author. So every distribution is the real one at every size. The text is new: see
//! [`super::words`].

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::fmt::Write as _;
use std::io;
use std::path::Path;

use jiff::civil::Date;
use jiff::{Span, ToSpan as _};

use super::material::{self, Real};
use super::words::{self, Words};
use crate::replay::dice::Dice;

/// How many days an entry's date may differ from its model's.
const DAYS: u64 = 120;

/// A generated entry.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Entry {
    /// The file name without `.md`.
    pub stem: String,
    /// The id in the front matter.
    pub id: String,
    /// The title.
    pub title: String,
    /// The description, one sentence.
    pub description: String,
    /// The author.
    pub author: String,
    /// The license, as people write licenses.
    pub license: String,
    /// The date of registration.
    pub date: Date,
    /// The repository on GitHub as `owner/name`; `None` if the source is elsewhere.
    pub repository: Option<String>,
    /// The address of the source.
    pub source: String,
    /// The tags; may be empty.
    pub tags: Vec<String>,
    /// The caption of each screenshot; empty if it has none.
    pub screenshots: Vec<String>,
    /// Whether lists show one of the screenshots.
    pub featured: bool,
    /// Supported versions of OctoPrint.
    pub octoprint: Vec<String>,
    /// Supported operating systems.
    pub os: Vec<String>,
    /// The declared versions of Python, if any.
    pub python: Option<String>,
    /// Other single values: `abandoned`, `follow_dependency_links` and so on.
    pub more: BTreeMap<String, String>,
    /// The description page in Markdown.
    pub body: String,
}

/// A generated registry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Registry {
    /// The entries. Their stems and ids are unique regardless of letter case.
    pub entries: Vec<Entry>,
}

/// The real entries that registries are generated from.
#[derive(Debug)]
pub struct Material {
    reals: Vec<Real>,
    words: Words,
}

impl Material {
    /// Reads the entries of a folder.
    ///
    /// # Errors
    /// The folder can't be read, or has no entries.
    pub fn read(folder: &Path) -> io::Result<Self> {
        let reals = material::read(folder)?;
        if reals.is_empty() {
            let message = format!("{} has no entries", folder.display());
            return Err(io::Error::new(io::ErrorKind::NotFound, message));
        }
        let words = Words::of(&reals);
        Ok(Self { reals, words })
    }

    /// Returns the number of real entries.
    pub fn entries(&self) -> usize {
        self.reals.len()
    }
}

impl Registry {
    /// Generates a registry of `size` entries, which is the same for the same material and seed.
    ///
    /// A larger registry starts with the entries of a smaller one.
    pub fn generate(material: &Material, size: usize, seed: &str) -> Self {
        let mut taken = HashSet::new();
        let mut entries = Vec::with_capacity(size);
        for cohort in 0.. {
            let name = cohort.to_string();
            let mut order: Vec<&Real> = material.reals.iter().collect();
            let mut dice = Dice::new(&["cohort", seed, &name]);
            order.sort_by_cached_key(|_| dice.roll());
            for (place, real) in order.into_iter().enumerate() {
                if entries.len() == size {
                    return Self { entries };
                }
                let mut dice = Dice::new(&["entry", seed, &name, &place.to_string()]);
                let author =
                    author(material, real, &Dice::new(&["author", seed, &name, real.value("author")]));
                entries.push(entry(material, real, author, &mut taken, &mut dice));
            }
        }
        Self { entries }
    }

    /// Writes the entries, their pictures, and data files about some of them, as folders of a site.
    ///
    /// # Errors
    /// A folder or a file can't be written.
    pub fn write(&self, site: &Path) -> io::Result<()> {
        let entries = site.join("entries");
        std::fs::create_dir_all(&entries)?;
        for entry in &self.entries {
            std::fs::write(entries.join(entry.file()), entry.markdown())?;
        }
        let pictures: BTreeSet<String> = self.entries.iter().flat_map(Entry::pictures).collect();
        for picture in pictures {
            let place = site.join(picture.trim_start_matches('/'));
            std::fs::create_dir_all(place.parent().unwrap_or(site))?;
            std::fs::write(place, "a picture")?;
        }
        let data = site.join("data");
        std::fs::create_dir_all(&data)?;
        std::fs::write(data.join("notices.yaml"), self.notices())?;
        std::fs::write(data.join("blacklist.yaml"), self.blacklist())
    }

    /// Returns notices about one entry in 20, as in the real registry.
    fn notices(&self) -> String {
        let mut text = String::new();
        for entry in self.entries.iter().skip(7).step_by(20) {
            let note = format!("There is a newer version of {} to install by hand.", entry.title);
            let _ = writeln!(
                text,
                "- plugin: {}\n  date: {} 10:30:00Z\n  versions: [\"0.1.0\", \"0.1.1\"]\n  text: {}\n  link: {}",
                quoted(&entry.id),
                entry.date,
                quoted(&note),
                quoted(&entry.source),
            );
        }
        text
    }

    /// Returns a blacklist with one entry in 60, as in the real registry.
    fn blacklist(&self) -> String {
        let mut text = String::new();
        for entry in self.entries.iter().skip(11).step_by(60) {
            let reason = format!("[An error at the start of the server]({}).", entry.source);
            let _ = writeln!(
                text,
                "- plugin: {}\n  versions: [\"0.1.0\"]\n  reason: {}",
                quoted(&entry.id),
                quoted(&reason)
            );
        }
        text
    }
}

/// Returns the author, which is the same for all entries of a cohort whose models share one.
fn author(material: &Material, real: &Real, dice: &Dice) -> String {
    material.words.author(real.value("author"), &mut dice.clone())
}

fn entry(
    material: &Material,
    real: &Real,
    author: String,
    taken: &mut HashSet<String>,
    dice: &mut Dice,
) -> Entry {
    let title = material.words.title(real.value("title"), dice);
    let id = match real.value("id") {
        id if id.chars().any(char::is_uppercase) => words::plain(&title, ""),
        id if id.contains('_') => words::plain(&title, "_").to_lowercase(),
        _ => words::plain(&title, "").to_lowercase(),
    };
    let id = free(if id.is_empty() { "plugin" } else { &id }, taken);
    let stem = if dice.one_in(12) { free(&format!("{id}_plugin"), taken) } else { id.clone() };
    let owner: String = words::plain(&author, "-").chars().take(39).collect();
    let owner = if owner.is_empty() { "somebody".into() } else { owner };
    let on_github = real.value("source").contains("github.com");
    let repository = format!("{owner}/OctoPrint-{id}");
    let host = if on_github { "github.com" } else { "gitlab.com" };
    let source = format!("https://{host}/{repository}");
    let tags = tags(material, real, dice);
    let caption = |like: &String, dice: &mut Dice| {
        if like.is_empty() { String::new() } else { material.words.title(like, dice) }
    };
    let python = real.values.get("compatibility.python").cloned();
    let mut more = BTreeMap::new();
    for key in ["follow_dependency_links", "disabled", "abandoned", "up_for_adoption"] {
        if let Some(value) = real.values.get(key) {
            let value = if value.contains("://") { format!("{source}/issues/1") } else { value.clone() };
            more.insert(key.to_owned(), value);
        }
    }
    let body: Vec<String> = real.blocks.iter().map(|block| material.words.block(block, dice)).collect();
    Entry {
        description: material.words.description(dice),
        date: date(real.value("date"), dice),
        repository: on_github.then_some(repository),
        screenshots: real.screenshots.iter().map(|like| caption(like, dice)).collect(),
        featured: real.values.contains_key("featuredimage"),
        octoprint: real.octoprint.clone(),
        os: real.os.clone(),
        license: real.value("license").to_owned(),
        body: body.join("\n\n"),
        stem,
        id,
        title,
        author,
        source,
        tags,
        python,
        more,
    }
}

/// Returns as many tags as the model has. Most are real ones, chosen by how many entries have them. Rare ones are new,
/// since a registry ten times as large has more tags.
fn tags(material: &Material, real: &Real, dice: &mut Dice) -> Vec<String> {
    let mut tags: Vec<String> = Vec::new();
    for _ in &real.tags {
        let of = dice.pick(&material.reals).map_or(&[][..], |other| &other.tags);
        let tag = match dice.pick(of) {
            Some(tag) if !dice.one_in(4) => tag.to_lowercase(),
            _ => material.words.tag(dice),
        };
        if !tags.contains(&tag) {
            tags.push(tag);
        }
    }
    tags
}

/// Returns an unused name, regardless of letter case: this one, or this one with a number.
fn free(name: &str, taken: &mut HashSet<String>) -> String {
    let mut candidate = name.to_owned();
    let mut number = 1;
    while !taken.insert(candidate.to_lowercase()) {
        number += 1;
        candidate = format!("{name}{number}");
    }
    candidate
}

fn date(like: &str, dice: &mut Dice) -> Date {
    let like: Date = like.parse().unwrap_or(jiff::civil::date(2018, 1, 1));
    let days: Span = i32::try_from(dice.below(2 * DAYS)).unwrap_or(0).days();
    like.saturating_add(days).saturating_sub(i32::try_from(DAYS).unwrap_or(0).days())
}

impl Entry {
    /// Returns the file name.
    pub fn file(&self) -> String {
        format!("{}.md", self.stem)
    }

    /// Returns the address of the screenshot with this number, which all entries share.
    pub fn picture(number: usize) -> String {
        format!("/assets/img/plugins/screenshot_{number}.png")
    }

    /// Returns the addresses of the site's pictures that the entry shows.
    fn pictures(&self) -> Vec<String> {
        const FOLDER: &str = "/assets/";
        let of_body = self.body.split(FOLDER).skip(1).filter_map(|rest| {
            let end = rest.find(|c: char| !c.is_ascii_alphanumeric() && !matches!(c, '/' | '.' | '-' | '_'));
            let path = &rest[..end.unwrap_or(rest.len())];
            let is_plain =
                path.contains('.') && path.split('/').all(|name| !name.is_empty() && !name.starts_with('.'));
            is_plain.then(|| format!("{FOLDER}{path}"))
        });
        (0..self.screenshots.len()).map(Self::picture).chain(of_body).collect()
    }

    /// Returns the address from which pip installs the plugin.
    pub fn archive(&self) -> String {
        format!("{}/archive/master.zip", self.source)
    }

    /// Returns the text of the file: front matter and body.
    pub fn markdown(&self) -> String {
        let mut text = String::from("---\nlayout: plugin\n\n");
        let mut line = |key: &str, value: &str| {
            let _ = writeln!(text, "{key}: {}", written(value));
        };
        line("id", &self.id);
        line("title", &self.title);
        line("description", &self.description);
        line("author", &self.author);
        line("license", &self.license);
        line("date", &self.date.to_string());
        line("homepage", &self.source);
        line("source", &self.source);
        line("archive", &self.archive());
        for (key, value) in &self.more {
            let flag = matches!(value.as_str(), "true" | "false");
            let _ = writeln!(text, "{key}: {}", if flag { value.clone() } else { written(value) });
        }
        list(&mut text, "tags", &self.tags);
        if !self.screenshots.is_empty() {
            text += "\nscreenshots:\n";
        }
        for (number, caption) in self.screenshots.iter().enumerate() {
            let _ = writeln!(text, "- url: {}", Self::picture(number));
            if !caption.is_empty() {
                let _ = writeln!(text, "  alt: {0}\n  caption: {0}", written(caption));
            }
        }
        if self.featured {
            let _ = writeln!(text, "\nfeaturedimage: {}", Self::picture(0));
        }
        if !self.octoprint.is_empty() || !self.os.is_empty() || self.python.is_some() {
            text += "\ncompatibility:\n";
            list(&mut text, "  octoprint", &self.octoprint);
            list(&mut text, "  os", &self.os);
            if let Some(python) = &self.python {
                let _ = writeln!(text, "  python: {}", quoted(python));
            }
        }
        let _ = write!(text, "\n---\n\n{}\n", self.body);
        text
    }
}

/// Writes a list under a key, at the key's indentation.
fn list(text: &mut String, key: &str, items: &[String]) {
    if items.is_empty() {
        return;
    }
    let _ = writeln!(text, "{key}:");
    let indent = &key[..key.len() - key.trim_start().len()];
    for item in items {
        let _ = writeln!(text, "{indent}- {}", written(item));
    }
}

/// Writes a value as people do: bare if it is unambiguous, quoted otherwise.
fn written(value: &str) -> String {
    let address = value.starts_with("https://") || value.starts_with('/');
    let safe =
        |c: char| c.is_ascii_alphanumeric() || matches!(c, ' ' | ',' | '.' | '/' | '-' | '_' | '(' | ')');
    let words = value.starts_with(|c: char| c.is_ascii_alphabetic())
        && value.len() > 5
        && value.chars().all(safe)
        && !value.ends_with(' ');
    let day = value.parse::<Date>().is_ok();
    let plain_address = address && value.chars().all(|c| safe(c) || c == ':') && !value.contains(' ');
    if words || day || plain_address { value.to_owned() } else { quoted(value) }
}

/// Returns a text in double quotes. A JSON string is also a YAML string (YAML 1.2, section 1.3).
fn quoted(value: &str) -> String {
    serde_json::Value::from(value).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn material() -> Material {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../site/entries");
        match Material::read(&folder) {
            Ok(material) => material,
            Err(why) => panic!("{why}"),
        }
    }

    #[test]
    fn the_same_seed_gives_the_same_registry_and_another_another() {
        let material = material();
        let registry = |size, seed| Registry::generate(&material, size, seed);
        let (small, large) = (registry(40, "a"), registry(90, "a"));
        assert_eq!(small, registry(40, "a"));
        assert_eq!(small.entries[..], large.entries[..40]);
        assert_ne!(small, registry(40, "b"));
    }

    #[test]
    fn entries_are_varied_and_spread_like_the_real_ones() {
        let material = material();
        let registry = Registry::generate(&material, 30 * material.entries(), "x");
        let all = &registry.entries;
        let distinct = |of: fn(&Entry) -> String| all.iter().map(of).collect::<HashSet<_>>().len();
        assert_eq!(distinct(|it| it.id.to_lowercase()), all.len());
        assert_eq!(distinct(|it| it.stem.to_lowercase()), all.len());
        assert!(distinct(|it| it.body.clone()) > all.len() * 98 / 100, "{}", distinct(|it| it.body.clone()));
        assert!(distinct(|it| it.title.clone()) > all.len() / 2);
        assert!(distinct(|it| it.description.clone()) * 10 > all.len());
        let mean = |of: &dyn Fn(&Real) -> usize| {
            material.reals.iter().map(of).sum::<usize>() as f64 / material.reals.len() as f64
        };
        let generated = |of: fn(&Entry) -> usize| all.iter().map(of).sum::<usize>() as f64 / all.len() as f64;
        let is_near = |a: f64, b: f64, what| assert!((a / b - 1.0).abs() < 0.2, "{what}: {a} against {b}");
        is_near(generated(|it| it.screenshots.len()), mean(&|it| it.screenshots.len()), "screenshots");
        is_near(generated(|it| it.tags.len()), mean(&|it| it.tags.len()), "tags");
        let length = mean(&|it| it.blocks.iter().map(|block| block.text.len() + 2).sum());
        is_near(generated(|it| it.body.len()), length, "length of bodies");
        let declared = mean(&|it| usize::from(it.values.contains_key("compatibility.python")));
        is_near(generated(|it| usize::from(it.python.is_some())), declared, "declared Python");
    }

    #[test]
    fn values_are_bare_only_where_they_mean_themselves() {
        for bare in ["Adds a tab", "2020-02-03", "https://github.com/a/b", "/assets/img/x.png", "bed level"] {
            assert_eq!(written(bare), bare);
        }
        for tricky in ["true", "null", "1.2", "a: b", "a #b", "- x", "@me", "", "x", "ends ", "Ünï", "a\"b\\"]
        {
            assert_eq!(written(tricky), quoted(tricky), "{tricky}");
        }
    }
}
