//! A Python source that goes away and comes back: which facts are known decides what is shown of it, and not what an
//! earlier build has made of a content that is known no longer.

use std::collections::BTreeSet;

use jiff::{SignedDuration, Timestamp};
use shelflife::build::{Afterwards, Builder};
use shelflife::config::{Config, Overrides};
use shelflife_testkit::replay::{Repository, Server, World};

use crate::common::Site;
use crate::common::builder::{Silent, learn};

const INIT: &str = "octoprint_one/__init__.py";

fn source(minor: u8) -> String {
    format!("__plugin_pythoncompat__ = '>=3.{minor},<4'\n")
}

fn asking() -> (Server, Site) {
    let mut world = World::new(at(0));
    world.add(
        Repository::new("owner/one")
            .with_file("setup.py", "plugin_package = 'octoprint_one'\n")
            .with_file(INIT, source(7)),
    );
    let server = Server::start(world).unwrap();
    let site = Site::asking(&server, super::warm_site::CONFIG, "1h");
    site.entry("one", "");
    (server, site)
}

/// The moment so many hours after all began.
fn at(hour: i64) -> Timestamp {
    "2020-08-01T00:00:00Z".parse::<Timestamp>().unwrap() + SignedDuration::from_hours(hour)
}

fn push(server: &Server, minor: u8) {
    server.change(|world| {
        world.repository_mut("owner/one").unwrap().set_file(INIT, source(minor));
    });
}

fn python(site: &Site) -> String {
    site.json("public/plugins.json")[0]["compatibility"]["python"].as_str().unwrap().to_owned()
}

/// Forgets what the last builds had no use for.
fn collect(site: &Site) {
    let mut gc = site.program(&["cache", "gc", "--keep", "1", "--site", site.path().to_str().unwrap()]);
    assert!(gc.output().unwrap().status.success());
}

/// Builds at these hours, each in a new process, or all by a builder that goes on.
struct Builds<'a> {
    site: &'a Site,
    server: &'a Server,
    builder: Option<Builder>,
}

impl Builds<'_> {
    fn build(&mut self, hour: i64) {
        let now = at(hour);
        let Some(builder) = &mut self.builder else {
            self.site.build(&["--now", &now.to_string()]).succeeded();
            return;
        };
        let overrides = Overrides { now: Some(now), ..Overrides::default() };
        let online = self.site.config(self.server, &overrides).unwrap();
        let offline = Config { offline: true, ..online.clone() };
        builder.build(&offline, Some(&BTreeSet::new()), &[], &Silent).unwrap();
        learn(builder, &online).unwrap();
    }
}

#[test]
fn a_content_that_went_and_came_back_is_what_a_first_build_with_the_same_facts_shows() {
    for goes_on in [false, true] {
        let (server, site) = asking();
        let builder = goes_on.then(|| Builder::new(Afterwards::GoOn));
        let mut builds = Builds { site: &site, server: &server, builder };
        // What the source says is found out once, and known from then on.
        for hour in [0, 2, 4, 6] {
            builds.build(hour);
            assert_eq!(python(&site), ">=3.7,<4");
        }
        push(&server, 8);
        builds.build(8);
        assert_eq!(python(&site), ">=3.8,<4");
        collect(&site);
        push(&server, 7);
        builds.build(10);
        assert_eq!(python(&site), ">=3.7,<4", "going on: {goes_on}");
        // Only a cache that nobody has open is whole in its file.
        drop(builds);
        site.assert_like_a_first_build(&at(10).to_string());
    }
}

/// The repository goes, with all that is known of it, and comes back with what it had.
#[test]
fn a_repository_that_went_and_came_back_is_what_a_first_build_with_the_same_facts_shows() {
    for goes_on in [false, true] {
        let (server, site) = asking();
        let builder = goes_on.then(|| Builder::new(Afterwards::GoOn));
        let mut builds = Builds { site: &site, server: &server, builder };
        for hour in [0, 2, 4] {
            builds.build(hour);
        }
        server.change(|world| world.remove("owner/one"));
        for hour in [6, 8, 10] {
            builds.build(hour);
        }
        assert_eq!(python(&site), ">=2.7,<3", "what a plugin means that says nothing");
        collect(&site);
        server.change(|world| {
            world.add(
                Repository::new("owner/one")
                    .with_file("setup.py", "plugin_package = 'octoprint_one'\n")
                    .with_file(INIT, source(7)),
            );
        });
        builds.build(12);
        assert_eq!(python(&site), ">=3.7,<4", "going on: {goes_on}");
        // Only a cache that nobody has open is whole in its file.
        drop(builds);
        site.assert_like_a_first_build(&at(12).to_string());
    }
}
