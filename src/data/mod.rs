//! Data files: what the registry's maintainers keep beside the entries.
use crate::problem::Problem;
use serde_json::{Map, Value};
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Notice {
    pub plugin: String,
    pub date: jiff::Timestamp,
    pub text: String,
    pub link: Option<String>,
    pub important: bool,
    pub versions: Vec<String>,
    pub octoversions: Vec<String>,
    pub json: Map<String, Value>,
}
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BlacklistItem {
    pub plugin: String,
    pub reason: Option<String>,
    pub versions: Vec<String>,
    pub octoversions: Vec<String>,
    pub json: Map<String, Value>,
}
pub type Overlays = std::collections::BTreeMap<String, Map<String, Value>>;
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Compat {}
impl Compat {
    pub fn expand(&self, o: &[String]) -> Vec<String> {
        o.iter()
            .flat_map(|o| match o.as_str() {
                "nix" => vec!["linux".to_string(), "freebsd".into()],
                "posix" => vec!["linux".to_string(), "freebsd".into(), "macos".into()],
                o => vec![o.to_string()],
            })
            .collect()
    }
    pub fn name<'a>(&'a self, i: &'a str) -> &'a str {
        i
    }
}
pub fn notices(_: &str, _: &[u8]) -> Result<Vec<Notice>, Vec<Problem>> {
    Ok(vec![])
}
pub fn blacklist(_: &str, _: &[u8]) -> Result<Vec<BlacklistItem>, Vec<Problem>> {
    Ok(vec![])
}
pub fn overlays(_: &str, _: &[u8]) -> Result<Overlays, Vec<Problem>> {
    Ok(Default::default())
}
pub fn compat(_: &str, _: &[u8]) -> Result<Compat, Vec<Problem>> {
    Ok(Default::default())
}
