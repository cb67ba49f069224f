//! Rendering: from data to the bytes of outputs.

pub mod address;
pub mod api;
pub mod badge;
pub mod browse_json;
pub mod compact;
pub mod context;
pub mod environment;
mod escape;
pub mod feed;
mod filters;
pub mod history;
pub mod object;
pub mod pictures;
pub mod plugins_json;
pub mod ranking;
mod reads;
pub mod search_json;
mod shared;
pub mod slug;
pub mod text;
