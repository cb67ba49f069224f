//! The git repository around a folder: its root, branches and `origin`.

use std::path::{Path, PathBuf};
use std::process::Command;

use url::Url;

use crate::config::real;

/// The git repository that contains a folder.
#[derive(Debug)]
pub(super) struct Repository {
    /// The topmost folder of the work tree.
    pub(super) root: PathBuf,
    /// The default branch of `origin`, if git knows it.
    pub(super) default: Option<String>,
    /// The branch that is checked out.
    pub(super) checked_out: Option<String>,
    /// The remote `origin`.
    pub(super) origin: Option<Origin>,
}

/// The location of a remote repository.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Origin {
    host: String,
    /// `owner/name`.
    path: String,
}

impl Repository {
    /// Runs git in the folder, or in its nearest existing ancestor. Nothing is fetched from the network.
    pub(super) fn around(folder: &Path) -> Option<Self> {
        let folder = std::path::absolute(folder).ok()?;
        let there = folder.ancestors().find(|folder| folder.is_dir())?;
        let git = |arguments: &[&str]| {
            let output = Command::new("git").arg("-C").arg(there).args(arguments).output().ok()?;
            let text = String::from_utf8(output.stdout).ok().filter(|_| output.status.success())?;
            Some(text.trim_end_matches(['\r', '\n']).to_owned()).filter(|text| !text.is_empty())
        };
        let root = PathBuf::from(git(&["rev-parse", "--show-toplevel"])?);
        let default = git(&["symbolic-ref", "--short", "refs/remotes/origin/HEAD"]);
        let default = default.and_then(|name| name.strip_prefix("origin/").map(str::to_owned));
        let checked_out = git(&["symbolic-ref", "--short", "HEAD"]);
        let origin = git(&["remote", "get-url", "origin"]).and_then(|address| Origin::parse(&address));
        Some(Self { root, default, checked_out, origin })
    }

    /// A folder's path within the work tree, as workflows name it; `.` for the work tree itself.
    pub(super) fn below(&self, folder: &Path) -> String {
        let folder = std::path::absolute(folder).unwrap_or_else(|_| folder.to_path_buf());
        let (root, folder) = (real(&self.root), real(&folder));
        let below = folder.strip_prefix(root).unwrap_or(Path::new(""));
        let names: Vec<_> = below.components().map(|name| name.as_os_str().to_string_lossy()).collect();
        if names.is_empty() { ".".to_owned() } else { names.join("/") }
    }
}

impl Origin {
    /// Parses a URL in any form that git accepts (<https://git-scm.com/docs/git-clone#_git_urls>). Credentials in it
    /// are dropped. `None` if it is not `owner/name` on a host.
    fn parse(address: &str) -> Option<Self> {
        let (host, path) = match address.split_once("://") {
            Some((_, _)) => {
                let url = Url::parse(address).ok()?;
                (url.host_str()?.to_owned(), url.path().to_owned())
            }
            None => {
                let (host, path) = address.split_once(':')?;
                let host = host.rsplit_once('@').map_or(host, |(_, host)| host);
                (host.to_owned(), path.to_owned())
            }
        };
        let path = path.trim_matches('/');
        let path = path.strip_suffix(".git").unwrap_or(path);
        let is_name = |name: &str| {
            !name.is_empty()
                && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte))
        };
        let is_path = path.split_once('/').is_some_and(|(owner, name)| is_name(owner) && is_name(name));
        // A drive letter is not a host.
        (is_path && host.len() > 1 && host.split('.').all(is_name))
            .then(|| Self { host: host.to_ascii_lowercase(), path: path.to_owned() })
    }

    /// The URL of the repository's web page.
    pub(super) fn page(&self) -> String {
        format!("https://{}/{}", self.host, self.path)
    }

    /// The `url` and `base_path` under which GitHub Pages publishes the repository
    /// (<https://docs.github.com/en/pages/getting-started-with-github-pages/what-is-github-pages>).
    pub(super) fn pages(&self) -> Option<(String, String)> {
        let (owner, name) = self.path.split_once('/').filter(|_| self.host == "github.com")?;
        let host = format!("{}.github.io", owner.to_ascii_lowercase());
        let base_path = if name.eq_ignore_ascii_case(&host) { String::new() } else { format!("/{name}") };
        Some((format!("https://{host}"), base_path))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn origins_are_read_in_every_form() {
        for address in [
            "https://github.com/Ada/plugins.git",
            "https://GitHub.com/Ada/plugins/",
            "https://ada:secret@github.com/Ada/plugins",
            "git@github.com:Ada/plugins.git",
            "github.com:Ada/plugins",
            "ssh://git@github.com:22/Ada/plugins.git",
        ] {
            let origin = Origin::parse(address).unwrap_or_else(|| panic!("{address}"));
            assert_eq!(origin.page(), "https://github.com/Ada/plugins", "{address}");
            assert_eq!(origin.pages(), Some(("https://ada.github.io".to_owned(), "/plugins".to_owned())));
        }
        for address in
            ["/srv/git/plugins.git", "../plugins", "C:/work/plugins", "https://github.com/ada", "a:b/c\"d"]
        {
            assert_eq!(Origin::parse(address), None, "{address}");
        }
        let pages = |address: &str| Origin::parse(address).unwrap().pages();
        assert_eq!(pages("git@codeberg.org:ada/plugins.git"), None);
        let own = pages("git@github.com:Ada/ada.github.io.git");
        assert_eq!(own, Some(("https://ada.github.io".to_owned(), String::new())));
    }
}
