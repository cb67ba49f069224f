//! Builds in the test's own process, and a builder that goes on from one to the next as `shelflife watch` has it.

use std::collections::{BTreeSet, HashSet};

use shelflife::build::{Builder, Built, Observer, Phase, fetch};
use shelflife::config::{Config, Environment, Overrides, Token};
use shelflife_testkit::replay::Server;

use super::Site;

/// Nobody who watches a build.
pub struct Silent;

impl Observer for Silent {
    fn progress(&self, _: Phase, _: usize, _: usize) {}
    fn warn(&self, _: &str) {}
}

impl Site {
    /// The configuration with which the site asks `server`.
    pub fn config(&self, server: &Server, overrides: &Overrides) -> miette::Result<Config> {
        let environment = Environment {
            github_token: Token::new("replay"),
            github_graphql: Some(server.graphql_url()),
            ..Environment::default()
        };
        Config::load(self.path(), &environment, overrides)
    }
}

/// Asks for what is due and builds with the answers, until nothing is due that was not asked for.
pub fn learn(builder: &mut Builder, config: &Config) -> miette::Result<Vec<Built>> {
    let offline = Config { offline: true, ..config.clone() };
    let (mut asked, mut builds) = (HashSet::new(), Vec::new());
    loop {
        let mut due = builder.due(config, &Silent)?;
        due.retain(|demand| asked.insert(demand.subject.clone()));
        if due.is_empty() {
            return Ok(builds);
        }
        let answers = fetch(config, due)?;
        builds.push(builder.build(&offline, Some(&BTreeSet::new()), &answers, &Silent)?);
    }
}
