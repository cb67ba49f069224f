//! The outside world on loopback: GitHub (GraphQL and REST) and the usage exports, as of a chosen moment.
//!
//! A [`World`] holds the repositories and the usage numbers. It is built by hand, or from one tick of a [`Trace`] of
//! real builds. A [`Server`] serves it on `127.0.0.1` and counts the requests. It doesn't know shelflife: its answers
//! follow GitHub's own documentation, so that a test against it says something about the real service.

pub(crate) mod dice;
mod exports;
mod fault;
pub(crate) mod front_matter;

mod git;
mod graphql;
mod http;
mod limits;
mod log;
mod repository;
mod rest;
mod server;
pub(crate) mod source;
mod thumbnails;
mod trace;

mod wire;
mod world;

pub use fault::{Fault, FaultAction};
pub use git::Oid;
pub use graphql::{Ask, Schema};
pub use limits::{Budget, Resource};
pub use log::{Counts, Kind, Request, RequestInfo};
pub use repository::{Access, Blob, Release, Repository};
pub use server::{Options, Server};

pub(crate) use trace::add_issue;
pub use trace::{Trace, TraceError, shared};
pub use world::{Usage, Window, World};
