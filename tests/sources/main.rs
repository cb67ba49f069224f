//! Facts from outside: what is asked, what an answer changes, and what a failure leaves as it was.
#![allow(missing_docs, unreachable_pub)]

#[path = "../common/mod.rs"]
mod common;

mod abandoned;
mod fact_ages;
mod github;
mod graphql_documents;
mod implausible_answers;
mod last_push;
mod limits;
mod network;
mod network_faults;
mod shared_files;
mod thumbnails;
