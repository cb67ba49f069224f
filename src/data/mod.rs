//! Data files: what the registry's maintainers keep beside the entries.

mod compat;
mod list;
mod overlays;

pub use compat::{Compat, compat};
pub use list::{Block, Notice, blacklist, notices};
pub use overlays::{Overlays, overlays};

use crate::config::Limits;
use crate::problem::Problem;
use crate::yaml::{Text, Tree};

/// The file's text and tree.
fn read(path: &str, bytes: &[u8], limits: &Limits) -> Result<(Text, Tree), Vec<Problem>> {
    let size = ("limits.data_size", limits.data_size);
    let text = Text::within(path, bytes, size).map_err(|problem| vec![problem])?;
    let length = text.as_str().len();
    let tree = Tree::read(&text, 0..length, limits.yaml)?;
    Ok((text, tree))
}
