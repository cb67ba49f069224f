//! What tests, benches and chores of shelflife use: the outside world on loopback, registries, a browser.
//!
//! Nothing of it is a part of the program, and it knows nothing of it: a test that passes against it says something about
//! the real thing.
//!
//! # Start here
//!
//! - [`replay::World`] is what GitHub and the usage exports know, and [`replay::Server`] answers for it.
//! - [`registry::Registry`] is a registry of any size, made of the [`registry::Material`] of a real one.
//! - [`browser::Browser`] is a real browser, and [`host::Host`] serves it a folder as static hosts do.
//!
//! ```
//! use shelflife_testkit::replay::{Repository, Server, World};
//!
//! let mut world = World::new("2020-08-01T00:00:00Z".parse().unwrap());
//! world.add(Repository::new("owner/mqtt").with_stars(7));
//! let server = Server::start(world).unwrap();
//! assert!(server.graphql_url().starts_with("http://127.0.0.1:"));
//! ```

pub mod actions;
pub mod browser;
pub mod failure;
pub mod host;
pub mod http;
pub mod job;
pub mod registry;
pub mod replay;
pub mod sample;
