//! The published site: its pages, feeds and files, read as files and seen in a real browser.
#![allow(missing_docs, unreachable_pub)]

#[path = "../common/mod.rs"]
mod common;

mod addresses;
mod browser;
mod budgets;
mod drafts;
mod entries;
mod groups;
mod jekyll;
mod known_facts;
mod octoprint_files;
mod own_pages;
mod page_text;
mod pictures;
mod preview;
mod published;
mod reference_cases;
mod related;
mod root_files;
mod sample_tree;
