//! The JSON of GitHub's answers, as far as it is read.

use jiff::Timestamp;
use serde::de::Error as _;
use serde::{Deserialize, Deserializer};
use serde_json::{Map, Value};
use url::Url;

use crate::fact::{Release, Repository};

#[derive(Deserialize)]
pub(super) struct Envelope<Data = Map<String, Value>> {
    pub(super) data: Option<Data>,
    #[serde(default)]
    pub(super) errors: Vec<GraphqlError>,
    pub(super) message: Option<String>,
}

/// An error of the whole request or, through `path`, of one alias (GraphQL, section 7.1.2). `type` is
/// GitHub's own.
#[derive(Deserialize)]
pub(super) struct GraphqlError {
    #[serde(default)]
    pub(super) message: String,
    #[serde(rename = "type")]
    kind: Option<String>,
    #[serde(default)]
    path: Option<Vec<Value>>,
}

impl GraphqlError {
    /// The field or alias at a depth of the path; `None` where the path is shorter.
    pub(super) fn at(&self, depth: usize) -> Option<&str> {
        self.path.as_ref()?.get(depth)?.as_str()
    }

    /// Whether GitHub says that the budget is spent. Both names have been seen.
    pub(super) fn limits(&self) -> bool {
        self.path.as_ref().is_none_or(Vec::is_empty)
            && matches!(self.kind.as_deref(), Some("RATE_LIMITED" | "RATE_LIMIT"))
    }

    /// Whether GitHub says that one request asked for more than a request may.
    pub(super) fn exceeds(&self) -> bool {
        matches!(self.kind.as_deref(), Some("RESOURCE_LIMITS_EXCEEDED" | "MAX_NODE_LIMIT_EXCEEDED"))
    }

    /// Whether GitHub says that there is no such repository, or none that may be seen.
    pub(super) fn refuses(&self) -> bool {
        matches!(self.kind.as_deref(), Some("NOT_FOUND" | "FORBIDDEN"))
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
    // Read by a function, these two have to be there, if only as `null`.
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

/// A moment since 1970, where git's time begins, and before the year 3000. Whoever makes a commit says when that was: a
/// date that makes no sense is none, and takes nothing else away.
fn moment<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Timestamp>, D::Error> {
    let text = Option::<String>::deserialize(deserializer)?;
    let moment = text.and_then(|text| text.parse::<Timestamp>().ok());
    Ok(moment.filter(|moment| (0..YEAR_3000).contains(&moment.as_second())))
}

/// An address of the web, which pages and feeds link to.
fn address<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    let text = String::deserialize(deserializer)?;
    match Url::parse(&text) {
        Ok(url) if matches!(url.scheme(), "https" | "http") => Ok(text),
        _ => Err(D::Error::custom("what should be an address of the web is something else")),
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

impl From<Details> for Repository {
    fn from(details: Details) -> Self {
        Self {
            name: details.name_with_owner,
            url: details.url,
            stars: details.stargazer_count,
            watchers: details.watchers.total_count,
            open_issues: details.open_issues.total_count,
            closed_issues: details.closed_issues.total_count,
            releases: details.releases.total_count,
            latest_release: details.latest_release.and_then(|release| {
                Some(Release {
                    name: release.name.unwrap_or_default(),
                    tag: release.tag_name,
                    date: release.published_at?,
                    url: release.url,
                })
            }),
            last_push: details.default_branch_ref.and_then(|branch| branch.target?.committed_date),
            archived: details.is_archived,
        }
    }
}
