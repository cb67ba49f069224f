//! Data files: lists and settings that the registry's maintainers keep beside the entries.

mod compat;
mod list;
mod overlays;

pub use compat::{Compat, compat};
pub use list::{Block, Notice, blocklist, notices};
pub use overlays::{Overlays, overlays};

use crate::config::Limits;
use crate::problem::Problem;
use crate::warning::Warning;
use crate::yaml::{Text, Tree};

/// The names of the data files, without extension.
pub const NAMES: [&str; 6] =
    ["blacklist", "blocklist", "compat", "notices", "update_check_overlays", "update_check_overlays_py2"];

/// The content of a data file, and a warning about each item that was left out or reinterpreted.
///
/// # Errors
/// When the whole file is unusable: it is not text, not YAML, or not the expected list or mapping. Ignoring the file
/// would publish, for example, an empty blocklist.
pub type Read<T> = Result<(T, Vec<Warning>), Vec<Problem>>;

/// Parses the file.
fn read(path: &str, bytes: &[u8], limits: &Limits) -> Result<(Text, Tree), Vec<Problem>> {
    let size = ("limits.data_size", limits.data_size);
    let text = Text::within(path, bytes, size).map_err(|problem| vec![problem])?;
    let length = text.as_str().len();
    let tree = Tree::read(&text, 0..length, limits.yaml)?;
    Ok((text, tree))
}
