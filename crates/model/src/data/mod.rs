//! Data files: what the registry's maintainers keep beside the entries.

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

/// The names of the data files that are read, without their extension.
pub const NAMES: [&str; 6] =
    ["blacklist", "blocklist", "compat", "notices", "update_check_overlays", "update_check_overlays_py2"];

/// What a data file says, and a warning of each item that is left out or read as something else.
///
/// # Errors
/// What makes the whole file unusable: it is not text, not YAML, or not the list or mapping that it should be. To go on
/// without it would publish, say, an empty blocklist.
pub type Read<T> = Result<(T, Vec<Warning>), Vec<Problem>>;

/// The file's text and tree.
fn read(path: &str, bytes: &[u8], limits: &Limits) -> Result<(Text, Tree), Vec<Problem>> {
    let size = ("limits.data_size", limits.data_size);
    let text = Text::within(path, bytes, size).map_err(|problem| vec![problem])?;
    let length = text.as_str().len();
    let tree = Tree::read(&text, 0..length, limits.yaml)?;
    Ok((text, tree))
}
