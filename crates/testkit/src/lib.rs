//! The test kit of shelflife: the outside world on loopback, generated registries, a browser.
//!
//! It shares no code with the program, and doesn't know it: it follows the documentation of the real services, so that
//! a test against it says something about them.
//!
//! # Start here
//!
//! - [`replay::World`] holds the data of GitHub and the usage exports, and [`replay::Server`] serves it.
//! - [`registry::Registry`] is a registry of any size, generated from the [`registry::Material`] of a real one.
//! - [`browser::Browser`] is a real browser, and [`host::Host`] serves a folder to it as static hosts do.
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
