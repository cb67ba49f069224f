//! The GraphQL documents that are sent. Everything from outside goes into variables, never into the document's text.

use std::fmt::Write as _;

use serde_json::{Map, Value, json};
use shelflife_model::fact::{IssueName, ObjectId, RepositoryName};

/// The questions about one repository.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ask {
    /// The repository.
    pub repository: RepositoryName,
    /// Whether to ask for the fields of [`shelflife_model::fact::Repository`].
    pub details: bool,
    /// The git objects to ask for; an object's position is the number of its alias.
    pub objects: Vec<Object>,
    /// The repository's issues to ask for; an issue's position is the number of its alias.
    pub issues: Vec<IssueName>,
}

/// A git object to ask for.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Object {
    /// The object at a path on the default branch.
    Path {
        /// The path from the repository's root.
        path: String,
        /// Whether to ask for the content along with the id.
        text: bool,
    },
    /// The content of the blob with this id.
    Id(ObjectId),
}

impl Object {
    fn with_text(&self) -> bool {
        matches!(self, Self::Id(_) | Self::Path { text: true, .. })
    }
}

/// A repository's details. `latestRelease` excludes drafts and pre-releases, `totalCount` includes them. The target's
/// `committedDate` is what the registry has always called the last push.
const DETAILS: &str = "\
fragment details on Repository {
  nameWithOwner
  url
  isArchived
  stargazerCount
  watchers { totalCount }
  openIssues: issues(states: OPEN) { totalCount }
  closedIssues: issues(states: CLOSED) { totalCount }
  releases { totalCount }
  latestRelease { name tagName publishedAt url }
  defaultBranchRef { target { ... on Commit { committedDate } } }
}
";

const ID: &str = "\
fragment id on GitObject {
  __typename
  oid
}
";

const ISSUE: &str = "\
fragment issue on Issue {
  createdAt
}
";

const TEXT: &str = "\
fragment text on GitObject {
  __typename
  oid
  ... on Blob { isBinary isTruncated text }
}
";

/// The document for some repositories.
pub fn document(asks: &[Ask]) -> String {
    let mut parameters = String::new();
    let mut selections = String::new();
    for (i, ask) in asks.iter().enumerate() {
        let _ = write!(parameters, "$o{i}: String!, $n{i}: String!, ");
        let _ = writeln!(selections, "  r{i}: repository(owner: $o{i}, name: $n{i}) {{");
        if ask.details {
            selections.push_str("    ...details\n");
        }
        for (j, object) in ask.objects.iter().enumerate() {
            let (kind, argument) = match object {
                Object::Path { .. } => ("String!", "expression"),
                Object::Id(_) => ("GitObjectID!", "oid"),
            };
            let fragment = if object.with_text() { "text" } else { "id" };
            let _ = write!(parameters, "$r{i}f{j}: {kind}, ");
            let _ = writeln!(selections, "    f{j}: object({argument}: $r{i}f{j}) {{ ...{fragment} }}");
        }
        for j in 0..ask.issues.len() {
            let _ = write!(parameters, "$r{i}i{j}: Int!, ");
            let _ = writeln!(selections, "    i{j}: issue(number: $r{i}i{j}) {{ ...issue }}");
        }
        selections.push_str("  }\n");
    }
    let parameters = parameters.trim_end_matches(", ");
    let mut document = format!("query({parameters}) {{\n{selections}}}\n");
    // An unused fragment makes a document invalid (GraphQL, section 5.5.1.4).
    let objects = || asks.iter().flat_map(|ask| &ask.objects);
    if asks.iter().any(|ask| ask.details) {
        document.push_str(DETAILS);
    }
    if objects().any(|object| !object.with_text()) {
        document.push_str(ID);
    }
    if objects().any(Object::with_text) {
        document.push_str(TEXT);
    }
    if asks.iter().any(|ask| !ask.issues.is_empty()) {
        document.push_str(ISSUE);
    }
    document
}

/// The variables of [`document`].
pub fn variables(asks: &[Ask]) -> Map<String, Value> {
    let mut variables = Map::new();
    for (i, ask) in asks.iter().enumerate() {
        variables.insert(format!("o{i}"), ask.repository.owner().into());
        variables.insert(format!("n{i}"), ask.repository.name().into());
        for (j, object) in ask.objects.iter().enumerate() {
            let value = match object {
                Object::Path { path, .. } => format!("HEAD:{path}"),
                Object::Id(id) => id.to_string(),
            };
            variables.insert(format!("r{i}f{j}"), value.into());
        }
        for (j, issue) in ask.issues.iter().enumerate() {
            variables.insert(format!("r{i}i{j}"), issue.number().into());
        }
    }
    variables
}

/// The request's body.
pub fn body(asks: &[Ask]) -> Vec<u8> {
    json!({ "query": document(asks), "variables": variables(asks) }).to_string().into_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_from_outside_is_in_the_text() {
        let repository = RepositoryName::new("some-owner", "some.name").unwrap();
        let asks = [Ask {
            repository: repository.clone(),
            details: false,
            objects: vec![Object::Path { path: "a\"){evil}".into(), text: true }],
            issues: vec![IssueName::new(repository, 7).unwrap()],
        }];
        let document = document(&asks);
        assert!(!document.contains("some") && !document.contains("evil"), "{document}");
        assert_eq!(variables(&asks)["r0f0"], "HEAD:a\"){evil}");
        assert_eq!(variables(&asks)["r0i0"], 7);
    }
}
