//! The GitHub server in use: from `shelflife.toml`, else the environment, else github.com.

use url::Url;

use super::Environment;
use super::environment;

/// A GitHub server and its GraphQL endpoint.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Servers {
    /// The server that hosts the repositories.
    pub(super) server: Url,
    /// The GraphQL endpoint.
    pub(super) graphql: Url,
}

/// The keys in the file.
#[derive(Debug, Clone, Default)]
pub(super) struct Given {
    pub(super) server: Option<Url>,
    pub(super) graphql: Option<Url>,
}

impl Servers {
    /// The file takes precedence over the runner's environment. The runner's endpoint belongs to the runner's server,
    /// so it is ignored if the file names another server.
    ///
    /// # Errors
    ///
    /// When a variable that is used is not a URL.
    pub(super) fn of(given: &Given, environment: &Environment) -> miette::Result<Self> {
        let of_runner = environment.github_server.as_deref();
        let server = match (&given.server, of_runner) {
            (Some(server), _) => server.clone(),
            (None, Some(server)) => environment::url("GITHUB_SERVER_URL", server)?,
            (None, None) => github(),
        };
        if let Some(graphql) = &given.graphql {
            return Ok(Self { graphql: graphql.clone(), server });
        }
        let is_meant = |text: &str| Url::parse(text.trim()).is_ok_and(|url| url.origin() == server.origin());
        let endpoint = if of_runner.is_none_or(is_meant) { environment.graphql_endpoint()? } else { None };
        Ok(Self { graphql: endpoint.unwrap_or_else(|| endpoint_of(&server)), server })
    }
}

/// The GraphQL endpoint of a server: github.com and hosts below ghe.com have a separate API host
/// (<https://docs.github.com/en/graphql/guides/forming-calls-with-graphql>,
/// <https://docs.github.com/en/enterprise-cloud@latest/admin/data-residency>), an Enterprise Server serves
/// `/api/graphql` (<https://docs.github.com/en/enterprise-server/graphql>).
fn endpoint_of(server: &Url) -> Url {
    let mut endpoint = server.clone();
    let host = server.host_str().unwrap_or_default();
    let own = (host == "github.com" || host.ends_with(".ghe.com")).then(|| format!("api.{host}"));
    let has_own = own.is_some_and(|own| endpoint.set_host(Some(&own)).is_ok());
    endpoint.set_path(if has_own { "/graphql" } else { "/api/graphql" });
    endpoint.set_query(None);
    endpoint.set_fragment(None);
    endpoint
}

/// The public GitHub.
#[expect(clippy::expect_used, reason = "the tests read it")]
pub(super) fn github() -> Url {
    Url::parse("https://github.com").expect("a valid URL")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The server and endpoint for a file and an environment, each given as `server` and `graphql`; empty if unset.
    fn servers(file: [&str; 2], runner: [&str; 2]) -> miette::Result<[String; 2]> {
        let given = |text: &str| (!text.is_empty()).then(|| Url::parse(text).unwrap());
        let set = |text: &str| (!text.is_empty()).then(|| text.to_owned());
        let [server, graphql] = file.map(given);
        let [github_server, github_graphql] = runner.map(set);
        let environment = Environment { github_server, github_graphql, ..Environment::default() };
        let found = Servers::of(&Given { server, graphql }, &environment)?;
        Ok([found.server, found.graphql].map(|url| url.as_str().trim_end_matches('/').to_owned()))
    }

    const GITHUB: [&str; 2] = ["https://github.com", "https://api.github.com/graphql"];
    const RUNNER: [&str; 2] = ["https://ghe.example", "https://ghe.example/api/graphql"];

    #[test]
    fn the_file_goes_before_the_environment() {
        let other = "http://127.0.0.1:7/graphql";
        for (file, runner, expected) in [
            (["", ""], ["", ""], GITHUB),
            (["", ""], RUNNER, RUNNER),
            // A runner of an Enterprise Server that builds a registry of repositories on github.com.
            ([GITHUB[0], ""], RUNNER, GITHUB),
            (GITHUB, RUNNER, GITHUB),
            // The other way round.
            ([RUNNER[0], ""], GITHUB, RUNNER),
            (["https://ghe.example/", ""], [RUNNER[0], other], [RUNNER[0], other]),
            ([RUNNER[0], ""], ["", other], [RUNNER[0], other]),
            ([GITHUB[0], ""], ["", ""], GITHUB),
            (
                ["https://octocorp.ghe.com", ""],
                GITHUB,
                ["https://octocorp.ghe.com", "https://api.octocorp.ghe.com/graphql"],
            ),
            (["", other], RUNNER, [RUNNER[0], other]),
            (["", other], ["", ""], [GITHUB[0], other]),
            (["", ""], ["", other], [GITHUB[0], other]),
            ([RUNNER[0], other], ["nonsense", "nonsense"], [RUNNER[0], other]),
        ] {
            assert_eq!(servers(file, runner).unwrap(), expected, "{file:?} {runner:?}");
        }
    }

    #[test]
    fn a_variable_that_is_used_must_hold_an_address() {
        let error = |file, runner| servers(file, runner).unwrap_err().to_string();
        assert!(error(["", ""], ["nonsense", ""]).contains("GITHUB_SERVER_URL"));
        assert!(error(["", ""], ["", "nonsense"]).contains("GITHUB_GRAPHQL_URL"));
    }
}
