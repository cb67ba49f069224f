//! Short descriptions of facts, for explanations of what changed.

use serde_json::{Map, Value};

use super::{Issue, Repository, Subject, Usage, Window};

/// Describes a fact before and after a change; of a value with several members, only those that differ. `None` stands
/// for an unknown fact, `Some(None)` for one that says the subject does not exist.
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
        // The short descriptions are equal, for example because only a release's title differs.
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

/// Describes a fact.
pub fn value(subject: &Subject, value: Option<Option<&[u8]>>) -> String {
    match (value, subject) {
        (None, _) => "unknown".to_owned(),
        (Some(None), _) => "not found".to_owned(),
        (Some(Some(b"")), Subject::File { .. }) => "not found".to_owned(),
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

/// Describes a plugin's usage in a window.
pub fn usage(window: Window, usage: &Usage) -> String {
    format!("{} instances and {} installs this {window}", usage.instances, usage.install_events)
}

/// Describes a plugin's usage in a window, with the instances of each version.
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
        assert_eq!((&*before, &*after), ("unknown", "not found"));
    }
}
