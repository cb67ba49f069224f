//! Nodes: the types of GitHub's schema that the replay server supports.
//!
//! Names and meanings follow <https://docs.github.com/graphql/reference>. A field that isn't supported is answered as
//! one that doesn't exist, so that a client can't come to rely on a made-up value.

use jiff::Timestamp;
use serde_json::{Map, Value};

use super::connection::Connection;
use super::variables::is_object_id;
use crate::replay::git::{Entry, Oid, Tree};
use crate::replay::limits::Budget;
use crate::replay::repository::{Access, Blob, Release, Repository};
use crate::replay::world::World;

/// The scope that every node can read.
#[derive(Debug, Clone, Copy)]
pub(super) struct Scope<'w> {
    pub(super) world: &'w World,
    pub(super) budget: Budget,
    pub(super) cost: u64,
}

/// An object of the graph.
#[derive(Debug, Clone)]
pub(super) enum Node<'w> {
    Query,
    Viewer,
    RateLimit,
    Repository(&'w Repository),
    Owner(&'w str),
    License(&'w str),
    Connection(Connection<'w>),
    /// The connection's type name, the position, and the node.
    Edge(&'static str, usize, Box<Node<'w>>),
    PageInfo(Connection<'w>),
    Release(&'w Repository, &'w Release),
    /// An issue's repository, number and opening time.
    Issue(&'w Repository, u64, Timestamp),
    Branch(&'w Repository, &'w str),
    Commit(&'w Repository, Oid),
    Tree(&'w Repository, std::rc::Rc<Tree>),
    TreeEntry(&'w Repository, Entry),
    Blob(&'w Blob),
}

/// The value of a field.
#[derive(Debug)]
pub(super) enum Found<'w> {
    /// A scalar or null.
    Leaf(Value),
    /// Null in place of an object.
    Absent,
    /// An object.
    One(Node<'w>),
    /// A list of objects.
    Many(Vec<Node<'w>>),
    /// Null, with an error of this type and message.
    Refused(&'static str, String),
    /// An error of the document.
    Unfit { code: &'static str, message: String },
}

/// A field's arguments, with variables replaced.
pub(super) type Arguments = Map<String, Value>;

impl<'w> Node<'w> {
    /// Returns the name of the node's type.
    pub(super) fn type_name(&self) -> &'static str {
        match self {
            Self::Query => "Query",
            Self::Viewer | Self::Owner(_) => "User",
            Self::RateLimit => "RateLimit",
            Self::Repository(_) => "Repository",
            Self::License(_) => "License",
            Self::Connection(connection) => connection.kind,
            Self::Edge(kind, ..) => kind,
            Self::PageInfo(_) => "PageInfo",
            Self::Release(..) => "Release",
            Self::Issue(..) => "Issue",
            Self::Branch(..) => "Ref",
            Self::Commit(..) => "Commit",
            Self::Tree(..) => "Tree",
            Self::TreeEntry(..) => "TreeEntry",
            Self::Blob(_) => "Blob",
        }
    }

    /// Returns whether a fragment on this type applies to the node.
    pub(super) fn is(&self, ty: &str) -> bool {
        let interfaces: &[&str] = match self {
            Self::Viewer | Self::Owner(_) => {
                &["Node", "Actor", "RepositoryOwner", "UniformResourceLocatable"]
            }
            Self::Repository(_) => {
                &["Node", "RepositoryInfo", "Starrable", "Subscribable", "UniformResourceLocatable"]
            }
            Self::Release(..) => &["Node", "UniformResourceLocatable"],
            Self::Issue(..) => &["Node", "RepositoryNode", "Comment", "UniformResourceLocatable"],
            Self::Commit(..) => &["Node", "GitObject", "Subscribable", "UniformResourceLocatable"],
            Self::Tree(..) | Self::Blob(_) => &["Node", "GitObject"],
            Self::Branch(..) | Self::License(_) => &["Node"],
            _ => &[],
        };
        ty == self.type_name() || interfaces.contains(&ty)
    }

    /// Returns the node as a connection, if it is one.
    pub(super) fn connection(&self) -> Option<&Connection<'w>> {
        match self {
            Self::Connection(connection) => Some(connection),
            _ => None,
        }
    }

    /// Returns the value of a field, or `None` if this type has no such field.
    pub(super) fn field(&self, name: &str, arguments: &Arguments, scope: &Scope<'w>) -> Option<Found<'w>> {
        match self {
            Self::Query => query(name, arguments, scope),
            Self::Viewer => (name == "login").then(|| leaf("replay")),
            Self::Owner(login) => match name {
                "login" => Some(leaf(*login)),
                "url" => Some(leaf(format!("https://github.com/{login}"))),
                _ => None,
            },
            Self::RateLimit => rate_limit(name, scope),
            Self::Repository(repository) => repository_field(repository, name, arguments),
            Self::License(spdx) => match name {
                "spdxId" | "name" => Some(leaf(*spdx)),
                "key" => Some(leaf(spdx.to_ascii_lowercase())),
                _ => None,
            },
            Self::Connection(connection) => connection.field(name),
            Self::Edge(_, position, node) => match name {
                "node" => Some(Found::One((**node).clone())),
                "cursor" => Some(leaf(position.to_string())),
                _ => None,
            },
            Self::PageInfo(connection) => connection.page_info(name),
            Self::Release(repository, release) => release_field(repository, release, name),
            Self::Issue(repository, number, opened) => match name {
                "number" => Some(leaf(*number)),
                "createdAt" => Some(time(*opened)),
                "url" => Some(leaf(format!("{}/issues/{number}", repository.url()))),
                _ => None,
            },
            Self::Branch(repository, branch) => match name {
                "name" => Some(leaf(*branch)),
                "prefix" => Some(leaf("refs/heads/")),
                "target" => Some(
                    repository.head().map_or(Found::Absent, |oid| Found::One(Self::Commit(repository, oid))),
                ),
                _ => None,
            },
            Self::Commit(repository, oid) => commit_field(repository, *oid, name, arguments),
            Self::Tree(repository, tree) => match name {
                "entries" => {
                    let entries = tree.entries.iter().map(|entry| Self::TreeEntry(repository, entry.clone()));
                    Some(Found::Many(entries.collect()))
                }
                _ => git_object(tree.oid, name),
            },
            Self::TreeEntry(repository, entry) => entry_field(repository, entry, name),
            Self::Blob(blob) => blob_field(blob, name),
        }
    }
}

/// Returns a scalar.
pub(super) fn leaf<'w>(value: impl Into<Value>) -> Found<'w> {
    Found::Leaf(value.into())
}

/// Returns a time in the format of GitHub's `DateTime`.
fn time<'w>(time: Timestamp) -> Found<'w> {
    leaf(time.strftime("%Y-%m-%dT%H:%M:%SZ").to_string())
}

fn query<'w>(name: &str, arguments: &Arguments, scope: &Scope<'w>) -> Option<Found<'w>> {
    match name {
        "viewer" => Some(Found::One(Node::Viewer)),
        "rateLimit" => Some(Found::One(Node::RateLimit)),
        "repository" => {
            let text = |name| arguments.get(name).and_then(Value::as_str);
            let (Some(owner), Some(name)) = (text("owner"), text("name")) else {
                let missing: Vec<_> = ["owner", "name"].into_iter().filter(|it| text(it).is_none()).collect();
                let missing = missing.join(", ");
                let message = format!("Field 'repository' is missing required arguments: {missing}");
                return Some(Found::Unfit { code: "missingRequiredArguments", message });
            };
            let follow = arguments.get("followRenames").and_then(Value::as_bool).unwrap_or(true);
            let full = format!("{owner}/{name}");
            // A slash within a part would name another repository.
            let plain = !owner.contains('/') && !name.contains('/');
            let found = if follow { scope.world.repository(&full) } else { scope.world.exact(&full) };
            Some(match found.filter(|_| plain) {
                Some(it) if it.access == Access::Public => Found::One(Node::Repository(it)),
                Some(it) if it.access == Access::Blocked => {
                    Found::Refused("FORBIDDEN", "Repository access blocked".into())
                }
                _ => {
                    let message = format!("Could not resolve to a Repository with the name '{full}'.");
                    Found::Refused("NOT_FOUND", message)
                }
            })
        }
        _ => None,
    }
}

fn rate_limit<'w>(name: &str, scope: &Scope<'w>) -> Option<Found<'w>> {
    Some(match name {
        "cost" => leaf(scope.cost),
        "limit" => leaf(scope.budget.limit),
        "remaining" => leaf(scope.budget.remaining()),
        "used" => leaf(scope.budget.used),
        "resetAt" => time(scope.budget.resets_at),
        "nodeCount" => leaf(0),
        _ => return None,
    })
}

fn repository_field<'w>(it: &'w Repository, name: &str, arguments: &Arguments) -> Option<Found<'w>> {
    let counted = |kind, total| Some(Found::One(Node::Connection(Connection::counted(kind, total))));
    Some(match name {
        "id" => leaf(format!("R_{}", it.name_with_owner().to_ascii_lowercase())),
        "name" => leaf(it.name.as_str()),
        "nameWithOwner" => leaf(it.name_with_owner()),
        "owner" => Found::One(Node::Owner(&it.owner)),
        "url" => leaf(it.url()),
        "stargazerCount" => leaf(it.stars),
        "stargazers" => return counted("StargazerConnection", it.stars),
        "watchers" => return counted("UserConnection", it.watchers),
        "issues" => return counted("IssueConnection", issues(it, arguments)),
        "issue" => issue(it, arguments),
        "releases" => {
            let nodes = it.visible_releases().map(|release| Node::Release(it, release)).collect();
            Found::One(Node::Connection(Connection::listed("ReleaseConnection", nodes, arguments)))
        }
        "latestRelease" => {
            it.latest_release().map_or(Found::Absent, |release| Found::One(Node::Release(it, release)))
        }
        "defaultBranchRef" => match &it.default_branch {
            Some(branch) if it.head().is_some() => Found::One(Node::Branch(it, branch)),
            _ => Found::Absent,
        },
        "isArchived" => leaf(it.archived),
        "isDisabled" => leaf(it.disabled),
        "isLocked" => leaf(it.locked),
        "isPrivate" => leaf(it.access == Access::Private),
        "isFork" => leaf(it.fork),
        "isEmpty" => leaf(it.head().is_none()),
        "description" => leaf(it.description.clone()),
        "homepageUrl" => leaf(it.homepage.clone()),
        "pushedAt" => time(it.pushed_at),
        "licenseInfo" => it.license.as_deref().map_or(Found::Absent, |spdx| Found::One(Node::License(spdx))),
        "object" => object(it, arguments),
        _ => return None,
    })
}

fn issues(it: &Repository, arguments: &Arguments) -> u64 {
    let states = match arguments.get("states") {
        None | Some(Value::Null) => return it.open_issues + it.closed_issues,
        Some(Value::Array(states)) => states.as_slice(),
        Some(state) => std::slice::from_ref(state),
    };
    let any = |state: &str| states.iter().any(|it| it == state);
    (if any("OPEN") { it.open_issues } else { 0 }) + (if any("CLOSED") { it.closed_issues } else { 0 })
}

/// Returns an issue by number. GitHub numbers issues and pull requests together, so a number may not belong to an
/// issue.
fn issue<'w>(it: &'w Repository, arguments: &Arguments) -> Found<'w> {
    let Some(number) = arguments.get("number").and_then(Value::as_i64) else {
        let message = "Field 'issue' is missing required arguments: number".to_owned();
        return Found::Unfit { code: "missingRequiredArguments", message };
    };
    match u64::try_from(number).ok().and_then(|number| it.issues.get_key_value(&number)) {
        Some((number, opened)) => Found::One(Node::Issue(it, *number, *opened)),
        None => {
            let message = format!("Could not resolve to an Issue with the number of {number}.");
            Found::Refused("NOT_FOUND", message)
        }
    }
}

/// Resolves an expression as git's `rev-parse` does, limited to `HEAD`, the default branch and paths.
fn object<'w>(it: &'w Repository, arguments: &Arguments) -> Found<'w> {
    let text = |name| arguments.get(name).and_then(Value::as_str);
    let found = match (text("expression"), text("oid")) {
        (Some(expression), None) => {
            let (revision, path) = match expression.split_once(':') {
                Some((revision, path)) => (revision, Some(path)),
                None => (expression, None),
            };
            let branch = it.default_branch.as_deref();
            let head = it.head();
            let is_head = revision == "HEAD"
                || branch.is_some_and(|it| revision.strip_prefix("refs/heads/").unwrap_or(revision) == it)
                || head.is_some_and(|oid| oid.to_string() == revision);
            match (head.filter(|_| is_head), path) {
                (None, _) => None,
                (Some(oid), None) => Some(Node::Commit(it, oid)),
                (Some(_), Some(path)) => at_path(it, path.trim_end_matches('/')),
            }
        }
        (None, Some(oid)) if is_object_id(oid) => by_id(it, &oid.to_ascii_lowercase()),
        (None, Some(oid)) => {
            let message = format!("Argument 'oid' on Field 'object' has an invalid value ({oid:?}).");
            return Found::Unfit { code: "argumentLiteralsIncompatible", message };
        }
        _ => None,
    };
    found.map_or(Found::Absent, Found::One)
}

fn at_path<'w>(it: &'w Repository, path: &str) -> Option<Node<'w>> {
    match it.files().get(path) {
        Some(blob) => Some(Node::Blob(blob)),
        None => it.tree(path).map(|tree| Node::Tree(it, tree.into())),
    }
}

fn by_id<'w>(it: &'w Repository, id: &str) -> Option<Node<'w>> {
    if let Some(blob) = it.files().values().find(|blob| blob.oid().to_string() == id) {
        return Some(Node::Blob(blob));
    }
    it.head().filter(|oid| oid.to_string() == id).map(|oid| Node::Commit(it, oid))
}

fn release_field<'w>(repository: &'w Repository, it: &'w Release, name: &str) -> Option<Found<'w>> {
    Some(match name {
        "name" => leaf(it.name.clone()),
        "tagName" => leaf(it.tag.as_str()),
        "publishedAt" => time(it.published_at),
        "createdAt" => time(it.created_at),
        "url" => leaf(it.url(repository)),
        "isPrerelease" => leaf(it.prerelease),
        "isDraft" => leaf(it.draft),
        "isLatest" => leaf(repository.latest_release() == Some(it)),
        _ => return None,
    })
}

fn git_object<'w>(oid: Oid, name: &str) -> Option<Found<'w>> {
    match name {
        "oid" => Some(leaf(oid.to_string())),
        "abbreviatedOid" => Some(leaf(oid.to_string().chars().take(7).collect::<String>())),
        _ => None,
    }
}

fn commit_field<'w>(it: &'w Repository, oid: Oid, name: &str, arguments: &Arguments) -> Option<Found<'w>> {
    Some(match name {
        "committedDate" | "authoredDate" => time(it.committed_at),
        // GitHub stopped filling in this field in 2023, as the schema says.
        "pushedDate" => leaf(Value::Null),
        "message" | "messageHeadline" => leaf(it.headline()),
        "url" => leaf(format!("{}/commit/{oid}", it.url())),
        "tree" => it.tree("").map_or(Found::Absent, |tree| Found::One(Node::Tree(it, tree.into()))),
        "history" => {
            let nodes = vec![Node::Commit(it, oid)];
            Found::One(Node::Connection(Connection::listed("CommitHistoryConnection", nodes, arguments)))
        }
        _ => return git_object(oid, name),
    })
}

fn entry_field<'w>(repository: &'w Repository, it: &Entry, name: &str) -> Option<Found<'w>> {
    Some(match name {
        "name" => leaf(it.name.as_str()),
        "path" => leaf(it.path.as_str()),
        "mode" => leaf(it.mode()),
        "type" => leaf(if it.folder { "tree" } else { "blob" }),
        "oid" => leaf(it.oid.to_string()),
        "object" => at_path(repository, &it.path).map_or(Found::Absent, Found::One),
        _ => return None,
    })
}

/// The largest file that GitHub returns as `text`, in bytes.
const TEXT_LIMIT: usize = 512_000;

fn blob_field<'w>(it: &'w Blob, name: &str) -> Option<Found<'w>> {
    let binary = it.bytes().contains(&0);
    Some(match name {
        "text" if binary => leaf(Value::Null),
        "text" => {
            let shown = it.bytes().get(..TEXT_LIMIT).unwrap_or(it.bytes());
            leaf(String::from_utf8_lossy(shown).into_owned())
        }
        "byteSize" => leaf(it.bytes().len()),
        "isBinary" => leaf(binary),
        "isTruncated" => leaf(it.bytes().len() > TEXT_LIMIT),
        _ => return git_object(it.oid(), name),
    })
}
