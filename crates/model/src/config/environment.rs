//! The environment variables that shelflife reads: its own, and those set by GitHub's runners and reproducible builds.

use jiff::Timestamp;
use url::Url;

use super::Token;
use super::values::has_credentials;

/// The environment variables that shelflife reads, as they were when the program started.
#[derive(Debug, Clone, Default)]
pub struct Environment {
    /// `GITHUB_TOKEN`: the token for GitHub's GraphQL API.
    pub github_token: Option<Token>,
    /// `GITHUB_GRAPHQL_URL`: the GraphQL endpoint.
    pub github_graphql: Option<String>,
    /// `GITHUB_API_URL`: the root of the REST API, from which the GraphQL endpoint is derived if that is not set.
    pub github_api: Option<String>,
    /// `GITHUB_SERVER_URL`: the server that hosts the repositories.
    pub github_server: Option<String>,
    /// `SHELFLIFE_URL`: the site's address, like `url` in the file.
    pub url: Option<String>,
    /// `SHELFLIFE_BASE_PATH`: the path below it, like `base_path` in the file.
    pub base_path: Option<String>,
    /// `SOURCE_DATE_EPOCH`: the time of the build in seconds since 1970
    /// (<https://reproducible-builds.org/specs/source-date-epoch/>).
    pub source_date_epoch: Option<String>,
    /// `CI` or `GITHUB_ACTIONS`: whether this is a CI runner
    /// (<https://docs.github.com/en/actions/reference/workflows-and-actions/variables>).
    pub is_runner: bool,
}

impl Environment {
    /// Reads the process's environment. An empty variable counts as unset.
    pub fn of_process() -> Self {
        let get = |name: &str| std::env::var(name).ok().filter(|value| !value.trim().is_empty());
        Self {
            github_token: get("GITHUB_TOKEN").and_then(|token| Token::new(&token)),
            github_graphql: get("GITHUB_GRAPHQL_URL"),
            github_api: get("GITHUB_API_URL"),
            github_server: get("GITHUB_SERVER_URL"),
            url: get("SHELFLIFE_URL"),
            base_path: get("SHELFLIFE_BASE_PATH"),
            source_date_epoch: get("SOURCE_DATE_EPOCH"),
            is_runner: ["CI", "GITHUB_ACTIONS"]
                .into_iter()
                .filter_map(get)
                .any(|value| !matches!(value.trim(), "false" | "0")),
        }
    }

    /// `SOURCE_DATE_EPOCH` as a timestamp.
    pub(super) fn source_date_epoch(&self) -> miette::Result<Option<Timestamp>> {
        let Some(text) = &self.source_date_epoch else { return Ok(None) };
        let second = text.trim().parse().ok().and_then(|second| Timestamp::from_second(second).ok());
        second.map(Some).ok_or_else(|| {
            miette::miette!(
                help = "set it to the number of seconds since 1970-01-01 00:00 UTC, or unset it",
                "the environment variable SOURCE_DATE_EPOCH is `{text}`, expected a whole number"
            )
        })
    }

    /// The GraphQL endpoint: `GITHUB_GRAPHQL_URL`, or else the one that belongs to `GITHUB_API_URL`. GitHub serves
    /// `api.github.com/graphql`; an enterprise server has `/api/v3` beside `/api/graphql`
    /// (<https://docs.github.com/en/enterprise-server/graphql>).
    pub(super) fn graphql_endpoint(&self) -> miette::Result<Option<Url>> {
        if let Some(endpoint) = &self.github_graphql {
            return url("GITHUB_GRAPHQL_URL", endpoint).map(Some);
        }
        let Some(api) = &self.github_api else { return Ok(None) };
        let api = url("GITHUB_API_URL", api)?;
        let root = api.as_str().trim_end_matches('/');
        let root = root.strip_suffix("/v3").unwrap_or(root);
        url("GITHUB_API_URL", &format!("{root}/graphql")).map(Some)
    }
}

/// Parses the URL in the environment variable `name`.
pub(super) fn url(name: &str, text: &str) -> miette::Result<Url> {
    let url = Url::parse(text.trim()).ok();
    if url.as_ref().is_some_and(has_credentials) {
        return Err(miette::miette!(
            help = "remove it; shelflife authenticates to GitHub with GITHUB_TOKEN",
            "the URL in the environment variable {name} contains a user name or password"
        ));
    }
    url.filter(|url| matches!(url.scheme(), "http" | "https")).ok_or_else(|| {
        miette::miette!(
            help = "set it to a URL that begins with https://, or unset it",
            "the environment variable {name} is `{text}`, expected a URL"
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn endpoint(graphql: Option<&str>, api: Option<&str>) -> Option<String> {
        let environment = Environment {
            github_graphql: graphql.map(str::to_owned),
            github_api: api.map(str::to_owned),
            ..Environment::default()
        };
        environment.graphql_endpoint().unwrap().map(String::from)
    }

    #[test]
    fn the_graphql_endpoint_follows_from_the_api_root() {
        assert_eq!(endpoint(None, None), None);
        assert_eq!(
            endpoint(None, Some("https://api.github.com")).as_deref(),
            Some("https://api.github.com/graphql")
        );
        assert_eq!(
            endpoint(None, Some("https://ghe.example/api/v3/")).as_deref(),
            Some("https://ghe.example/api/graphql")
        );
        assert_eq!(endpoint(Some("http://[::1]:7/q"), Some("x")).as_deref(), Some("http://[::1]:7/q"));
    }

    #[test]
    fn wrong_values_are_named() {
        let environment =
            Environment { source_date_epoch: Some("yesterday".into()), ..Environment::default() };
        assert!(environment.source_date_epoch().unwrap_err().to_string().contains("SOURCE_DATE_EPOCH"));
        assert!(url("GITHUB_API_URL", "file:///x").unwrap_err().to_string().contains("GITHUB_API_URL"));
        let error = url("GITHUB_SERVER_URL", "https://me:secret@ghe.example").unwrap_err().to_string();
        assert!(error.contains("GITHUB_SERVER_URL") && !error.contains("secret"), "{error}");
    }
}
