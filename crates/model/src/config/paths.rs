//! The paths of a site's folders and files, and the checks that they don't conflict.

use std::path::{Component, Path, PathBuf};

use miette::miette;

use crate::digest::Digest;
use crate::rule::Rule;
use crate::warning::Warning;

/// The paths of a site's folders and files, each joined to the site's folder unless it was absolute.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Paths {
    /// The site's folder.
    pub site: PathBuf,
    /// The entries' folder.
    pub entries: PathBuf,
    /// The data files' folder.
    pub data: PathBuf,
    /// The folder of images and other files to publish as they are.
    pub assets: PathBuf,
    /// The folder of templates that replace the theme's.
    pub templates: PathBuf,
    /// The folders of the site's own pages.
    pub pages: Vec<PathBuf>,
    /// The folders of topics.
    pub topics: Vec<PathBuf>,
    /// The folder whose files are copied to the root of the output.
    pub root: PathBuf,
    /// Whether files that belong at the root of a site, such as `CNAME`, are also copied from the site's own folder.
    pub copies_own: bool,
    /// The output folder.
    pub output: PathBuf,
    /// The cache file.
    pub cache: PathBuf,
}

/// Which folders are named in `shelflife.toml`; one that is named but missing may be a mistake.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Given {
    pub(super) data: bool,
    pub(super) assets: bool,
    pub(super) templates: bool,
    pub(super) pages: bool,
    pub(super) topics: bool,
    pub(super) root: bool,
}

impl Given {
    fn names(self, key: &str) -> bool {
        match key {
            "data" => self.data,
            "assets" => self.assets,
            "templates" => self.templates,
            "pages" => self.pages,
            "topics" => self.topics,
            "root" => self.root,
            _ => false,
        }
    }
}

impl Paths {
    /// The name of the output folder in the cache: its path relative to the site with `/`, or `outside:` and a digest,
    /// so that the cache doesn't reveal paths of the machine.
    pub fn output_name(&self) -> String {
        let output = normalize(&self.output);
        let inside = output.strip_prefix(&self.site).ok().and_then(Path::to_str);
        match inside {
            Some(path) => path.replace(std::path::MAIN_SEPARATOR, "/"),
            None => format!("outside:{}", Digest::of(output.as_os_str().as_encoded_bytes()).short(32)),
        }
    }

    /// The path of `path` relative to the output folder, with `/`: empty for the folder itself, `None` outside of it.
    pub fn below_output(&self, path: &Path) -> Option<String> {
        below(&self.output, path)
    }

    /// The path of `path` relative to the site's folder, like [`Self::below_output`].
    pub fn below_site(&self, path: &Path) -> Option<String> {
        below(&self.site, path)
    }

    /// The path of `path` relative to the folder of entries, like [`Self::below_output`].
    pub fn below_entries(&self, path: &Path) -> Option<String> {
        below(&self.entries, path)
    }

    /// The path of `path` relative to the folder of assets, like [`Self::below_output`].
    pub fn below_assets(&self, path: &Path) -> Option<String> {
        below(&self.assets, path)
    }

    /// Every folder that is read, with its key in the table `paths`.
    pub fn inputs(&self) -> impl Iterator<Item = (&'static str, &PathBuf)> {
        let single = [
            ("entries", &self.entries),
            ("data", &self.data),
            ("assets", &self.assets),
            ("templates", &self.templates),
            ("root", &self.root),
        ];
        let pages = self.pages.iter().map(|folder| ("pages", folder));
        let topics = self.topics.iter().map(|folder| ("topics", folder));
        single.into_iter().chain(pages).chain(topics)
    }

    /// The path of the entry whose file has this name without `.md`, relative to the site if it is inside.
    pub fn entry(&self, stem: &str) -> String {
        let path = self.entries.join(format!("{stem}.md"));
        path.strip_prefix(&self.site)
            .unwrap_or(&path)
            .to_string_lossy()
            .replace(std::path::MAIN_SEPARATOR, "/")
    }

    /// Refuses a site without entries, and folders in which reading and writing would conflict. Warns about other
    /// folders that are configured but missing, since git doesn't store empty ones.
    pub(super) fn check(&self, given: Given) -> miette::Result<Vec<Warning>> {
        let warnings = self.check_folders(given)?;
        self.check_output()?;
        self.check_cache()?;
        Ok(warnings)
    }

    fn check_folders(&self, given: Given) -> miette::Result<Vec<Warning>> {
        let mut warnings = Vec::new();
        let must_be_looked_at =
            |key: &str, folder: &Path| key == "entries" || given.names(key) || folder.exists();
        for (key, folder) in self.inputs().filter(|(key, folder)| must_be_looked_at(key, folder)) {
            if key != "entries" && !folder.exists() {
                let name = folder.strip_prefix(&self.site).unwrap_or(folder).display();
                let message = format!("the folder {name} of `paths.{key}` does not exist");
                let help = format!("create the folder, or remove `paths.{key}` from shelflife.toml");
                warnings.push(Warning::general(Rule::NotRead, message).help(help));
            } else if !folder.is_dir() {
                let what = if folder.exists() { "is a file, expected a folder" } else { "does not exist" };
                return Err(miette!(
                    help =
                        format!("create the folder, or set `paths.{key}` in shelflife.toml to another one"),
                    "the folder `paths.{key}` {what}: {}",
                    folder.display()
                ));
            }
        }
        Ok(warnings)
    }

    /// Refuses an output folder that is, contains, or is inside one of the folders that people write in.
    fn check_output(&self) -> miette::Result<()> {
        let output = normalize(&self.output);
        let is_link = self.output.symlink_metadata().is_ok_and(|metadata| metadata.is_symlink());
        if is_link && !self.output.exists() {
            return Err(miette!(
                help = "create the folder that it points to, or remove the link",
                "the output folder {} is a broken symbolic link",
                output.display()
            ));
        }
        if self.output.exists() && !self.output.is_dir() {
            return Err(miette!(
                help = "remove the file, or choose another folder with `paths.output` or `--output`",
                "the output folder {} is a file, expected a folder",
                output.display()
            ));
        }
        let inputs = || self.inputs().map(|(_, folder)| folder);
        for input in std::iter::once(&self.site).chain(inputs()) {
            if lies_in(input, &self.output) {
                let input = normalize(input);
                return Err(miette!(
                    help = "choose a separate folder with `paths.output` or `--output`, such as `public`",
                    "the output folder {} contains the site's own files in {}",
                    output.display(),
                    input.display(),
                ));
            }
        }
        for input in inputs() {
            if lies_in(&self.output, input) {
                return Err(miette!(
                    help = "choose a folder outside of it with `paths.output` or `--output`",
                    "the output folder {} is inside {}, which the build reads",
                    output.display(),
                    input.display(),
                ));
            }
        }
        Ok(())
    }

    /// Refuses a report that would overwrite something else.
    ///
    /// # Errors
    ///
    /// When `report` would overwrite a file of the site, or can't be written.
    pub fn check_report(&self, report: &Path) -> miette::Result<()> {
        let cwd = std::env::current_dir().unwrap_or_default();
        let report = normalize(&cwd.join(report));
        let mut folders = self.inputs().map(|(_, folder)| folder).chain([&self.output]);
        let taken = folders.any(|folder| report.starts_with(normalize(folder)))
            || [normalize(&self.cache), state_beside(&normalize(&self.cache))].contains(&report)
            || report.extension().is_some_and(|extension| extension == "toml");
        let folder = report.parent().is_some_and(Path::is_dir);
        if taken || report.is_dir() || !folder {
            let why = if taken {
                "belongs to the site"
            } else if folder {
                "is a folder"
            } else {
                "is in a folder that does not exist"
            };
            return Err(miette!(
                help = "choose a path for `--report` outside of the site's folders and the output folder",
                "the report {} {why}",
                report.display()
            ));
        }
        Ok(())
    }

    /// Refuses a cache that would be published, or that is in the output folder.
    fn check_cache(&self) -> miette::Result<()> {
        let (cache, output) = (normalize(&self.cache), normalize(&self.output));
        if lies_in(&self.cache, &self.output) {
            return Err(miette!(
                help = "choose another path for one of them with `paths.cache` and `paths.output`, or `--cache` and \
                        `--output`",
                "the cache {} is inside the output folder {}",
                cache.display(),
                output.display(),
            ));
        }
        for input in [&self.assets, &self.templates, &self.root] {
            // Hidden files are read only in the folder `root`.
            let is_read = cache.strip_prefix(normalize(input)).is_ok_and(|below| {
                *input == self.root
                    || !below.components().any(|part| part.as_os_str().as_encoded_bytes().starts_with(b"."))
            });
            if is_read {
                return Err(miette!(
                    help = "choose another path for the cache with `paths.cache` or `--cache`",
                    "the cache {} is inside {}, which the build reads",
                    cache.display(),
                    input.display(),
                ));
            }
        }
        Ok(())
    }
}

/// The path of `path` relative to `folder`, as written or else with links resolved.
fn below(folder: &Path, path: &Path) -> Option<String> {
    let strip = |folder: &Path, path: &Path| {
        let below = path.strip_prefix(folder).ok()?.to_str()?;
        Some(below.replace(std::path::MAIN_SEPARATOR, "/"))
    };
    strip(&normalize(folder), &normalize(path))
        .or_else(|| strip(&folder.canonicalize().ok()?, &path.canonicalize().ok()?))
}

/// Whether a path is or is inside a folder, as written or with links resolved.
fn lies_in(path: &Path, folder: &Path) -> bool {
    let (path, folder) = (normalize(path), normalize(folder));
    path.starts_with(&folder) || real(&path).starts_with(real(&folder))
}

/// Resolves the links in the part of a path that exists.
pub fn real(path: &Path) -> PathBuf {
    for place in path.ancestors() {
        if let (Ok(real), Ok(rest)) = (place.canonicalize(), path.strip_prefix(place)) {
            return real.join(rest);
        }
    }
    path.to_path_buf()
}

/// Resolves `.` and `..` in a path without reading the disk, so that two spellings compare equal.
pub(super) fn normalize(path: &Path) -> PathBuf {
    let mut out = PathBuf::new();
    for component in path.components() {
        match component {
            Component::CurDir => {}
            Component::ParentDir if matches!(out.components().next_back(), Some(Component::Normal(_))) => {
                out.pop();
            }
            other => out.push(other),
        }
    }
    out
}

/// The path of the state that belongs to the cache at `path`, in the same folder: `state.sqlite` for `cache.sqlite`,
/// and `name.state.sqlite` for `name.sqlite`.
pub fn state_beside(path: &Path) -> PathBuf {
    let stem = path.file_stem().unwrap_or_default();
    let mut name = stem.to_owned();
    if stem == "cache" {
        name = "state".into();
    } else {
        name.push(".state");
    }
    if let Some(extension) = path.extension() {
        name.push(".");
        name.push(extension);
    }
    path.with_file_name(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn paths(site: &Path, output: &str, cache: &str) -> Paths {
        std::fs::create_dir_all(site.join("entries")).unwrap();
        Paths {
            site: site.to_path_buf(),
            entries: site.join("entries"),
            data: site.join("data"),
            assets: site.join("assets"),
            templates: site.join("templates"),
            pages: vec![site.join("pages")],
            topics: vec![site.join("topics")],
            root: site.join("root"),
            copies_own: true,
            output: site.join(output),
            cache: site.join(cache),
        }
    }

    #[test]
    fn places_that_get_in_each_others_way_are_refused() {
        let site = tempfile::tempdir().unwrap();
        for (output, cache, expected) in [
            ("public", ".shelflife/cache.sqlite", ""),
            (".shelflife/public", ".shelflife/cache.sqlite", ""),
            ("public", "cache.sqlite", ""),
            ("public", "assets/.shelflife/cache.sqlite", ""),
            ("..", "cache.sqlite", "contains the site's own files"),
            ("x/..", "cache.sqlite", "contains the site's own files"),
            ("assets/x", "cache.sqlite", "which the build reads"),
            ("public", "public/cache.sqlite", "is inside the output folder"),
            ("public", "x/../public/deep/cache.sqlite", "is inside the output folder"),
            (".shelflife", ".shelflife/cache.sqlite", "is inside the output folder"),
            ("public", "public", "is inside the output folder"),
            ("public", "assets/cache.sqlite", "which the build reads"),
            ("public", "root/.shelflife/cache.sqlite", "which the build reads"),
            ("root/public", "cache.sqlite", "which the build reads"),
            ("topics/public", "cache.sqlite", "which the build reads"),
        ] {
            let checked = paths(site.path(), output, cache).check(Given::default());
            let error = checked.err().map(|error| error.to_string()).unwrap_or_default();
            assert!(error.contains(expected) && expected.is_empty() == error.is_empty(), "{output}: {error}");
        }
    }

    #[test]
    fn a_folder_that_is_named_and_missing_is_told() {
        let site = tempfile::tempdir().unwrap();
        let paths = paths(site.path(), "public", "cache.sqlite");
        assert!(paths.check(Given::default()).unwrap().is_empty());
        for (given, key) in [
            (Given { data: true, ..Given::default() }, "data"),
            (Given { assets: true, ..Given::default() }, "assets"),
            (Given { templates: true, ..Given::default() }, "templates"),
            (Given { pages: true, ..Given::default() }, "pages"),
            (Given { topics: true, ..Given::default() }, "topics"),
            (Given { root: true, ..Given::default() }, "root"),
        ] {
            let [warning] = &paths.check(given).unwrap()[..] else { panic!("{key}") };
            assert!(warning.message.contains(&format!("`paths.{key}` does not exist")), "{warning}");
        }
        std::fs::write(&paths.data, "").unwrap();
        let error = paths.check(Given::default()).unwrap_err().to_string();
        assert!(error.contains("`paths.data` is a file"), "{error}");
        std::fs::remove_dir(&paths.entries).unwrap();
        assert!(paths.check(Given::default()).unwrap_err().to_string().contains("`paths.entries` does not"));
    }

    #[test]
    fn an_output_folder_has_one_name_wherever_the_site_lies() {
        let site = tempfile::tempdir().unwrap();
        let name = |output: &str| paths(site.path(), output, "c").output_name();
        assert_eq!((name("public"), name("./a/../public")), ("public".to_owned(), "public".to_owned()));
        let outside = name("../elsewhere");
        assert!(outside.starts_with("outside:") && !outside.contains("elsewhere"), "{outside}");
    }
}
