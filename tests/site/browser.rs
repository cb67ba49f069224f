//! The published site in a real browser.

mod axe;
mod groups;
mod hostile_entries;
mod journeys;
mod layout;
mod pages;
mod search;
