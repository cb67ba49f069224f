//! Plugins as template values for lists. Members are converted when a template reads them, because lists read few of
//! many.

use std::sync::Arc;

use minijinja::context;
use minijinja::value::{Enumerator, Object, Serde, Value};

use super::address::Local;
use super::context::{Group, Summary};

/// A plugin in a long list, without numbers that change daily: with them, the list would change every day.
#[derive(Debug)]
struct Listed(Arc<Summary>);

/// The members that [`Listed`] omits.
const NUMBERS: [&str; 5] = ["usage", "stars", "latest_release", "last_push", "github_as_of"];

impl Object for Listed {
    fn get_value(self: &Arc<Self>, key: &Value) -> Option<Value> {
        if NUMBERS.contains(&key.as_str()?) { None } else { self.0.get_value(key) }
    }

    fn enumerate(self: &Arc<Self>) -> Enumerator {
        let names = MEMBERS.iter().filter(|name| !NUMBERS.contains(*name)).map(|name| Value::from(*name));
        Enumerator::Values(names.collect())
    }
}

impl Object for Summary {
    fn get_value(self: &Arc<Self>, key: &Value) -> Option<Value> {
        Some(match key.as_str()? {
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
    use crate::render::context::{Named, UsageNumbers, UsageWindows};

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
        json.as_object_mut().unwrap().retain(|key, _| !NUMBERS.contains(&key.as_str()));
        assert_eq!(serde_json::to_value(listed([&full])).unwrap()[0], json);
    }
}
