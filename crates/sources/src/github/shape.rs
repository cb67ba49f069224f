//! The JSON of GitHub's responses, as far as it is read.

use std::collections::HashMap;
use std::fmt;

use jiff::{SignedDuration, Timestamp};
use serde::de::{Error as _, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;
use shelflife_model::fact::{Issue, Release, Repository};
use url::Url;

#[derive(Deserialize)]
pub(super) struct Envelope<Data> {
    pub(super) data: Option<Data>,
    #[serde(default, deserialize_with = "errors")]
    pub(super) errors: Vec<GraphqlError>,
    pub(super) message: Option<String>,
}

/// The most errors that a response may have: several for each field that a request can ask for.
const MAX_ERRORS: usize = 1000;

/// How many steps of an error's path are read. Deeper ones are inside an object of a repository.
const MAX_PATH: usize = 4;

fn errors<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<GraphqlError>, D::Error> {
    let (errors, more) = first(deserializer, MAX_ERRORS)?;
    if more > 0 {
        return Err(D::Error::custom(format!("more than {MAX_ERRORS} errors")));
    }
    Ok(errors)
}

/// The path of an error: fields and aliases by name, `None` for an index of a list.
fn path<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Vec<Option<String>>>, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Step {
        Name(String),
        Place(IgnoredAny),
    }
    struct Path(Vec<Option<String>>);
    impl<'de> Deserialize<'de> for Path {
        fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
            let (steps, _) = first(deserializer, MAX_PATH)?;
            let name = |step| match step {
                Step::Name(name) => Some(name),
                Step::Place(IgnoredAny) => None,
            };
            Ok(Self(steps.into_iter().map(name).collect()))
        }
    }
    Ok(Option::<Path>::deserialize(deserializer)?.map(|path| path.0))
}

/// The first `most` items of a list, and the number of the remaining ones.
fn first<'de, T: Deserialize<'de>, D: Deserializer<'de>>(
    deserializer: D,
    most: usize,
) -> Result<(Vec<T>, usize), D::Error> {
    struct First<T>(usize, std::marker::PhantomData<T>);
    impl<'de, T: Deserialize<'de>> Visitor<'de> for First<T> {
        type Value = (Vec<T>, usize);

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("a list")
        }

        fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Self::Value, A::Error> {
            let mut items = Vec::new();
            while items.len() < self.0 {
                match list.next_element()? {
                    Some(item) => items.push(item),
                    None => return Ok((items, 0)),
                }
            }
            let mut more = 0;
            while list.next_element::<IgnoredAny>()?.is_some() {
                more += 1;
            }
            Ok((items, more))
        }
    }
    deserializer.deserialize_seq(First(most, std::marker::PhantomData))
}

/// The members of an object whose names are aliases of requests (a letter and a number), as raw JSON. All other members
/// are skipped, however many there are.
#[derive(Debug, Default)]
pub(super) struct Aliases<'a>(HashMap<String, &'a RawValue>);

impl<'a> Aliases<'a> {
    pub(super) fn remove(&mut self, alias: &str) -> Option<&'a RawValue> {
        self.0.remove(alias)
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Aliases<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Named;
        impl<'de> Visitor<'de> for Named {
            type Value = HashMap<String, &'de RawValue>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut members = HashMap::new();
                while let Some(name) = map.next_key::<String>()? {
                    let number = name.strip_prefix(['r', 'f', 'i']).unwrap_or_default();
                    if (1..=4).contains(&number.len()) && number.bytes().all(|byte| byte.is_ascii_digit()) {
                        members.insert(name, map.next_value()?);
                    } else {
                        map.next_value::<IgnoredAny>()?;
                    }
                }
                Ok(members)
            }
        }
        deserializer.deserialize_map(Named).map(Self)
    }
}

/// An error of the whole request or, with a `path`, of one alias (GraphQL, section 7.1.2). `type` is GitHub's
/// extension.
#[derive(Deserialize)]
pub(super) struct GraphqlError {
    #[serde(default)]
    pub(super) message: String,
    #[serde(rename = "type")]
    kind: Option<String>,
    #[serde(default, deserialize_with = "path")]
    path: Option<Vec<Option<String>>>,
}

impl GraphqlError {
    /// The field or alias at a depth of the path; `None` if the path is shorter.
    pub(super) fn at(&self, depth: usize) -> Option<&str> {
        self.path.as_ref()?.get(depth)?.as_deref()
    }

    /// Whether the budget is used up. Both names occur in practice.
    pub(super) fn limits(&self) -> bool {
        self.path.as_ref().is_none_or(Vec::is_empty)
            && matches!(self.kind.as_deref(), Some("RATE_LIMITED" | "RATE_LIMIT"))
    }

    /// Whether the request asked for more than a single request may.
    pub(super) fn exceeds(&self) -> bool {
        matches!(self.kind.as_deref(), Some("RESOURCE_LIMITS_EXCEEDED" | "MAX_NODE_LIMIT_EXCEEDED"))
    }

    /// Whether the repository or issue does not exist, is private (which GitHub reports as not found), or was blocked
    /// by GitHub. Other `FORBIDDEN` errors concern the token, for example an organization that does not admit it.
    pub(super) fn refuses(&self) -> bool {
        match self.kind.as_deref() {
            Some("NOT_FOUND") => true,
            Some("FORBIDDEN") => self.message.to_lowercase().contains("access blocked"),
            _ => false,
        }
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Details {
    name_with_owner: String,
    #[serde(deserialize_with = "address")]
    url: String,
    is_archived: bool,
    stargazer_count: u64,
    watchers: Total,
    open_issues: Total,
    closed_issues: Total,
    releases: Total,
    // With `deserialize_with`, these two must be present, if only as `null`.
    #[serde(deserialize_with = "Option::deserialize")]
    latest_release: Option<LatestRelease>,
    #[serde(deserialize_with = "Option::deserialize")]
    default_branch_ref: Option<Branch>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Total {
    total_count: u64,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct LatestRelease {
    name: Option<String>,
    tag_name: String,
    #[serde(default, deserialize_with = "moment")]
    published_at: Option<Timestamp>,
    #[serde(deserialize_with = "address")]
    url: String,
}

#[derive(Deserialize)]
struct Branch {
    target: Option<Commit>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Commit {
    #[serde(default, deserialize_with = "moment")]
    committed_date: Option<Timestamp>,
}

/// The beginning of the year 3000, in seconds since 1970.
const YEAR_3000: i64 = 32_503_680_000;

/// A moment from 1970, where git's time begins, until the year 3000. A commit's date is set by its author, so an
/// invalid one is ignored without affecting the other fields.
fn moment<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Timestamp>, D::Error> {
    let text = Option::<String>::deserialize(deserializer)?;
    let moment = text.and_then(|text| text.parse::<Timestamp>().ok());
    Ok(moment.filter(|moment| (0..YEAR_3000).contains(&moment.as_second())))
}

/// An http or https URL, which pages and feeds link to.
fn address<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    let text = String::deserialize(deserializer)?;
    match Url::parse(&text) {
        Ok(url) if matches!(url.scheme(), "https" | "http") => Ok(text),
        _ => Err(D::Error::custom("expected an http or https URL")),
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct OpenedIssue {
    created_at: Timestamp,
}

impl From<OpenedIssue> for Issue {
    fn from(issue: OpenedIssue) -> Self {
        Self { created: issue.created_at }
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct GitObject {
    #[serde(rename = "__typename")]
    kind: String,
    pub(super) oid: String,
    #[serde(default)]
    pub(super) is_binary: Option<bool>,
    #[serde(default)]
    pub(super) is_truncated: bool,
    pub(super) text: Option<String>,
}

impl GitObject {
    pub(super) fn is_blob(&self) -> bool {
        self.kind == "Blob"
    }
}

/// GitHub started in 2008, so nothing was pushed to it before. In seconds since 1970.
const GITHUB_BEGAN: i64 = 1_199_145_600;

/// How far ahead a committer's clock may be: a wrong time zone is plausible.
const AHEAD: SignedDuration = SignedDuration::from_hours(24);

impl Details {
    /// Converts the details, which were fetched at the moment `answered`. A commit's date is set by its author, so a
    /// date before GitHub existed, or after the response, is ignored.
    pub(super) fn repository(self, answered: Timestamp) -> Repository {
        let latest = answered.saturating_add(AHEAD).unwrap_or(Timestamp::MAX);
        let push = self.default_branch_ref.and_then(|branch| branch.target?.committed_date);
        Repository {
            name: self.name_with_owner,
            url: self.url,
            stars: self.stargazer_count,
            watchers: self.watchers.total_count,
            open_issues: self.open_issues.total_count,
            closed_issues: self.closed_issues.total_count,
            releases: self.releases.total_count,
            latest_release: self.latest_release.and_then(|release| {
                Some(Release {
                    name: release.name.unwrap_or_default(),
                    tag: release.tag_name,
                    date: release.published_at?,
                    url: release.url,
                })
            }),
            last_push: push.filter(|push| push.as_second() >= GITHUB_BEGAN && *push <= latest),
            archived: self.is_archived,
        }
    }
}
