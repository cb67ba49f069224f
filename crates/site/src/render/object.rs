//! Plugins as template values. Members are converted when a template reads them, because templates read few of many.

use std::sync::{Arc, LazyLock, OnceLock};

use foldhash::HashMap;
use minijinja::context;
use minijinja::value::{Enumerator, Object, Serde, Value};

use super::address::Local;
use super::context::{Full, Group, Summary};

/// A plugin in a long list, without numbers that change daily: with them, the list would change every day.
#[derive(Debug)]
struct Listed(Arc<Summary>);

/// The members that [`Listed`] omits.
const NUMBERS: [&str; 5] = ["usage", "stars", "latest_release", "last_push", "github_as_of"];

impl Object for Listed {
    fn get_value(self: &Arc<Self>, key: &Value) -> Option<Value> {
        self.get_value_by_str(key.as_str()?)
    }

    fn get_value_by_str(self: &Arc<Self>, key: &str) -> Option<Value> {
        if NUMBERS.contains(&key) { None } else { self.0.get_value_by_str(key) }
    }

    fn enumerate(self: &Arc<Self>) -> Enumerator {
        let names = MEMBERS.iter().filter(|name| !NUMBERS.contains(*name)).map(|name| Value::from(*name));
        Enumerator::Values(names.collect())
    }
}

impl Object for Summary {
    fn get_value(self: &Arc<Self>, key: &Value) -> Option<Value> {
        self.get_value_by_str(key.as_str()?)
    }

    fn get_value_by_str(self: &Arc<Self>, key: &str) -> Option<Value> {
        Some(match key {
            "stem" => self.stem.as_str().into(),
            "id" => self.id.as_str().into(),
            "title" => self.title.as_str().into(),
            "description" => self.description.as_str().into(),
            "url" => self.url.value(),
            "page" => self.page.as_str().into(),
            "authors" => Value::from(Serde(&self.authors)),
            "date" => self.date.as_str().into(),
            "published" => self.published.as_str().into(),
            "image" => self.image.as_ref().map(Local::value).into(),
            "tags" => Value::from(Serde(&self.tags)),
            "python" => self.python.as_deref().into(),
            "python3" => self.python3.into(),
            "abandoned" => self.abandoned.into(),
            "disabled" => self.disabled.into(),
            "up_for_adoption" => self.up_for_adoption.into(),
            "abandoned_at" => self.abandoned_at.as_deref().into(),
            "replaced" => self.replaced.as_deref().into(),
            "up_for_adoption_at" => self.up_for_adoption_at.as_deref().into(),
            "attributes" => Value::from(Serde(&self.attributes)),
            "usage" => Value::from(Serde(&self.usage)),
            "stars" => self.stars.into(),
            "latest_release" => Value::from(Serde(&self.latest_release)),
            "last_push" => self.last_push.as_deref().into(),
            "github_as_of" => self.github_as_of.as_deref().into(),
            "archived" => self.archived.into(),
            "os" => Value::from(Serde(&self.os)),
            "octoprint" => Value::from(Serde(&self.octoprint)),
            _ => return None,
        })
    }

    fn enumerate(self: &Arc<Self>) -> Enumerator {
        Enumerator::Str(&MEMBERS)
    }
}

const MEMBERS: [&str; 28] = [
    "stem",
    "id",
    "title",
    "description",
    "url",
    "page",
    "authors",
    "date",
    "published",
    "image",
    "tags",
    "python",
    "python3",
    "abandoned",
    "disabled",
    "up_for_adoption",
    "abandoned_at",
    "replaced",
    "up_for_adoption_at",
    "attributes",
    "usage",
    "stars",
    "latest_release",
    "last_push",
    "github_as_of",
    "archived",
    "os",
    "octoprint",
];

/// A plugin on its own page, which reads many members more than once: each is converted at its first use.
#[derive(Debug)]
struct Shown {
    full: Arc<Full>,
    converted: [OnceLock<Value>; MEMBERS.len() + OWN.len()],
}

/// The members of [`Full`] beside those of its summary.
const OWN: [&str; 23] = [
    "homepage",
    "source",
    "archive",
    "follow_dependency_links",
    "no_build_isolation",
    "license",
    "license_url",
    "screenshots",
    "compatibility",
    "disabled_html",
    "replaced_html",
    "note",
    "note_html",
    "privacy_policy",
    "github",
    "versions",
    "history",
    "notices",
    "blocklist",
    "body",
    "related",
    "others",
    "extra",
];

impl Shown {
    fn names() -> impl Iterator<Item = &'static str> {
        MEMBERS.into_iter().chain(OWN)
    }

    fn convert(&self, key: &str) -> Option<Value> {
        let full = &self.full;
        Some(match key {
            "homepage" => full.homepage.as_str().into(),
            "source" => full.source.as_str().into(),
            "archive" => full.archive.as_str().into(),
            "follow_dependency_links" => full.follow_dependency_links.into(),
            "no_build_isolation" => full.no_build_isolation.into(),
            "license" => full.license.as_str().into(),
            "license_url" => full.license_url.as_deref().into(),
            "screenshots" => Value::from(Serde(&full.screenshots)),
            "compatibility" => Value::from(Serde(&full.compatibility)),
            "disabled_html" => full.disabled_html.as_deref().into(),
            "replaced_html" => full.replaced_html.as_deref().into(),
            "note" => full.note.as_deref().into(),
            "note_html" => full.note_html.as_deref().into(),
            "privacy_policy" => full.privacy_policy.as_deref().into(),
            "github" => Value::from(Serde(&full.github)),
            "versions" => Value::from(Serde(&full.versions)),
            "history" => Value::from(Serde(&full.history)),
            "notices" => Value::from(Serde(&full.notices)),
            "blocklist" => Value::from(Serde(&full.blocklist)),
            "body" => full.body.as_str().into(),
            "related" => Value::from(Serde(&full.related)),
            "others" => Value::from(Serde(&full.others)),
            "extra" => Value::from(Serde(&full.extra)),
            key => return full.summary.get_value_by_str(key),
        })
    }
}

impl Object for Shown {
    fn get_value(self: &Arc<Self>, key: &Value) -> Option<Value> {
        self.get_value_by_str(key.as_str()?)
    }

    fn get_value_by_str(self: &Arc<Self>, key: &str) -> Option<Value> {
        static PLACES: LazyLock<HashMap<&str, usize>> =
            LazyLock::new(|| Shown::names().enumerate().map(|(place, name)| (name, place)).collect());
        let converted = self.converted.get(*PLACES.get(key)?)?;
        match converted.get() {
            Some(value) => Some(value.clone()),
            None => {
                let value = self.convert(key)?;
                Some(converted.get_or_init(|| value).clone())
            }
        }
    }

    fn enumerate(self: &Arc<Self>) -> Enumerator {
        Enumerator::Values(Self::names().map(Value::from).collect())
    }
}

/// Returns a plugin on its own page as a template value.
pub fn on_own_page(full: &Arc<Full>) -> Value {
    Value::from_object(Shown { full: Arc::clone(full), converted: std::array::from_fn(|_| OnceLock::new()) })
}

/// The variables of a template: few, so that comparing names is faster than hashing them.
#[derive(Debug)]
struct Variables(Vec<(&'static str, Value)>);

impl Object for Variables {
    fn get_value(self: &Arc<Self>, key: &Value) -> Option<Value> {
        self.get_value_by_str(key.as_str()?)
    }

    fn get_value_by_str(self: &Arc<Self>, key: &str) -> Option<Value> {
        self.0.iter().find(|(name, _)| *name == key).map(|(_, value)| value.clone())
    }

    fn enumerate(self: &Arc<Self>) -> Enumerator {
        Enumerator::Values(self.0.iter().map(|(name, _)| Value::from(*name)).collect())
    }
}

/// Returns the context of a template with these variables.
pub fn variables(variables: impl IntoIterator<Item = (&'static str, Value)>) -> Value {
    Value::from_object(Variables(variables.into_iter().collect()))
}

/// Returns a plugin's summary as a template value.
pub fn plugin(summary: &Arc<Summary>) -> Value {
    Value::from_dyn_object(Arc::clone(summary))
}

/// Returns a list of summaries as a template value.
pub fn plugins<'a>(summaries: impl IntoIterator<Item = &'a Arc<Summary>>) -> Value {
    summaries.into_iter().map(plugin).collect::<Vec<_>>().into()
}

/// Returns a plugin in a long list as a template value.
pub fn in_list(summary: &Arc<Summary>) -> Value {
    Value::from_object(Listed(Arc::clone(summary)))
}

/// Returns a long list of plugins as a template value.
pub fn listed<'a>(summaries: impl IntoIterator<Item = &'a Arc<Summary>>) -> Value {
    summaries.into_iter().map(in_list).collect::<Vec<_>>().into()
}

/// Returns a group of plugins in a long list as a template value.
pub fn group(group: Group<'_>) -> Value {
    let (url, plugins) = (group.url.as_ref().map(Local::value), listed(group.plugins));
    context! { name => group.name, slug => group.slug, url => url, plugins => plugins }
}

/// Returns a list of groups as a template value.
pub fn groups(groups: Vec<Group<'_>>) -> Value {
    groups.into_iter().map(group).collect::<Vec<_>>().into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Settings;
    use crate::render::context::{
        Card, Compatibility, Named, OperatingSystem, Shot, UsageNumbers, UsageWindows,
    };

    fn shown(summary: Arc<Summary>) -> Full {
        let text = |text: &str| text.to_owned();
        Full {
            homepage: text("homepage"),
            source: text("source"),
            archive: text("archive"),
            follow_dependency_links: true,
            no_build_isolation: false,
            license: text("license"),
            license_url: Some(text("license_url")),
            screenshots: vec![Shot { url: summary.url.clone(), alt: Some(text("alt")), caption: None }],
            compatibility: Compatibility {
                octoprint: vec![text("1.4.0")],
                os: vec![OperatingSystem { id: text("linux"), name: text("Linux") }],
                python: Some(text(">=3")),
                python2: Some(false),
                python_declared: true,
            },
            disabled_html: Some(text("disabled_html")),
            replaced_html: Some(text("replaced_html")),
            note: Some(text("note")),
            note_html: Some(text("note_html")),
            privacy_policy: Some(text("privacy_policy")),
            github: None,
            versions: Vec::new(),
            history: None,
            notices: Vec::new(),
            blocklist: Vec::new(),
            body: text("body"),
            related: vec![Card::from(&*summary)],
            others: Vec::new(),
            extra: [(text("key"), "value".into())].into_iter().collect(),
            summary,
        }
    }

    #[test]
    fn an_object_has_the_members_of_what_it_stands_for() {
        let named = || vec![Named { name: "A b".to_owned(), slug: "a-b".to_owned() }];
        let settings = Settings { base_path: "/base".to_owned(), ..Settings::default() };
        let numbers = |instances| UsageNumbers { instances, install_events: 2 };
        let full = Summary {
            stem: "stem".to_owned(),
            id: "id".to_owned(),
            title: "title".to_owned(),
            description: "description".to_owned(),
            url: Local::of(settings.view(), "/plugins/stem/"),
            page: "https://example.org/plugins/stem/".to_owned(),
            authors: named(),
            date: "2020-01-01".to_owned(),
            published: "2020-01-01T00:00:00+00:00".to_owned(),
            image: Some(Local::of(settings.view(), "/image.png")),
            tags: named(),
            python: Some(">=3".to_owned()),
            python3: Some(true),
            abandoned: true,
            disabled: false,
            up_for_adoption: true,
            abandoned_at: Some("abandoned".to_owned()),
            replaced: Some("replaced".to_owned()),
            up_for_adoption_at: None,
            attributes: vec!["cloud".to_owned()],
            usage: Some(UsageWindows { week: numbers(1), month: numbers(3), as_of: None }),
            stars: Some(7),
            latest_release: None,
            last_push: Some("2020-01-02T03:04:05Z".to_owned()),
            github_as_of: Some("2020-01-03".to_owned()),
            archived: true,
            os: vec!["linux".to_owned()],
            octoprint: vec!["1.4.0".to_owned()],
        };
        let mut json = serde_json::to_value(&full).unwrap();
        let full = Arc::new(full);
        assert_eq!(serde_json::to_value(plugin(&full)).unwrap(), json);
        let shown = shown(Arc::clone(&full));
        let page = on_own_page(&Arc::new(shown.clone()));
        assert_eq!(serde_json::to_string(&page).unwrap(), serde_json::to_string(&shown).unwrap());
        // The second time, the members are converted already.
        assert_eq!(serde_json::to_string(&page).unwrap(), serde_json::to_string(&shown).unwrap());
        json.as_object_mut().unwrap().retain(|key, _| !NUMBERS.contains(&key.as_str()));
        assert_eq!(serde_json::to_value(listed([&full])).unwrap()[0], json);
    }
}
