//! Facts in a few words, for a person who asks what has changed.

use serde_json::{Map, Value};

use super::{Issue, Repository, Subject, Usage, Window};

/// What is known of a subject, before and after, in a few words each: of what has several members, only those that
/// are different. `None` stands for nothing known, `Some(None)` for that there is no such thing.
pub fn change(
    subject: &Subject,
    before: Option<Option<&[u8]>>,
    after: Option<Option<&[u8]>>,
) -> (String, String) {
    let members =
        |value: Option<Option<&[u8]>>| -> Option<Map<String, Value>> { serde_json::from_slice(value??).ok() };
    if let (Subject::Repository(_), Some(old), Some(new)) = (subject, members(before), members(after)) {
        let differing = |of: &Map<String, Value>, other: &Map<String, Value>| {
            let members = of.iter().filter(|(name, value)| other.get(*name) != Some(value));
            let told: Vec<String> = members.map(|(name, value)| member(name, value)).collect();
            told.join(", ")
        };
        let (before, after) = (differing(&old, &new), differing(&new, &old));
        if before != after {
            return (before, after);
        }
        // They differ in something of which not all is told, such as a release's title.
        let whole = |of: &Map<String, Value>, other: &Map<String, Value>| {
            let members = of.iter().filter(|(name, value)| other.get(*name) != Some(value));
            let told: Vec<String> = members.map(|(name, value)| format!("{name} {value}")).collect();
            told.join(", ")
        };
        return (whole(&old, &new), whole(&new, &old));
    }
    (value(subject, before), value(subject, after))
}

fn member(name: &str, value: &Value) -> String {
    let name = name.replace('_', " ");
    match value {
        Value::String(text) => format!("{name} {text}"),
        Value::Object(members) => {
            let tag = members.get("tag").and_then(Value::as_str).unwrap_or("another");
            format!("{name} {tag}")
        }
        Value::Null => format!("no {name}"),
        other => format!("{name} {other}"),
    }
}

/// What is known of a subject, in a few words.
pub fn value(subject: &Subject, value: Option<Option<&[u8]>>) -> String {
    match (value, subject) {
        (None, _) => "not known".to_owned(),
        (Some(None), _) => "there is none".to_owned(),
        (Some(Some(b"")), Subject::File { .. }) => "there is none".to_owned(),
        (Some(Some(value)), Subject::Repository(_)) => match serde_json::from_slice::<Repository>(value) {
            Ok(repository) => format!("stars {}", repository.stars),
            Err(_) => "known".to_owned(),
        },
        (Some(Some(value)), Subject::Issue(_)) => match serde_json::from_slice::<Issue>(value) {
            Ok(issue) => format!("opened {}", issue.created),
            Err(_) => "known".to_owned(),
        },
        (Some(Some(value)), Subject::File { .. }) => {
            let id: String = String::from_utf8_lossy(value).chars().take(12).collect();
            format!("git object {id}")
        }
        (Some(Some(value)), _) => format!("{} bytes", value.len()),
    }
}

/// How much a plugin is used in a window.
pub fn usage(window: Window, usage: &Usage) -> String {
    format!("{} instances and {} installs this {window}", usage.instances, usage.install_events)
}

/// The same, with the instances of each version.
pub fn usage_by_version(window: Window, of: &Usage) -> String {
    let versions: Vec<String> =
        of.versions.iter().map(|(version, one)| format!("{version} on {}", one.instances)).collect();
    let versions = if versions.is_empty() { "no version".to_owned() } else { versions.join(", ") };
    format!("{}: {versions}", usage(window, of))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fact::RepositoryName;

    #[test]
    fn only_what_differs_is_told() {
        let subject = Subject::Repository(RepositoryName::new("o", "n").unwrap());
        let old = br#"{"name":"o/n","stars":12,"latest_release":null,"last_push":"2020-01-01T00:00:00Z"}"#;
        let new =
            br#"{"name":"o/n","stars":13,"latest_release":{"tag":"1.0"},"last_push":"2020-01-01T00:00:00Z"}"#;
        let (before, after) = change(&subject, Some(Some(old)), Some(Some(new)));
        assert_eq!((&*before, &*after), ("stars 12, no latest release", "stars 13, latest release 1.0"));
        let old = br#"{"stars":1,"latest_release":{"tag":"1.0","name":"One"}}"#;
        let new = br#"{"stars":1,"latest_release":{"tag":"1.0","name":"Uno"}}"#;
        let (before, after) = change(&subject, Some(Some(old)), Some(Some(new)));
        assert_eq!(before, r#"latest_release {"tag":"1.0","name":"One"}"#);
        assert_eq!(after, r#"latest_release {"tag":"1.0","name":"Uno"}"#);
        let (before, after) = change(&subject, None, Some(None));
        assert_eq!((&*before, &*after), ("not known", "there is none"));
    }
}
