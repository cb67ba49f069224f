//! Edits of files other than entries: the text that is written, and the output that shows it.

use std::fs;
use std::path::{Path, PathBuf};

use shelflife_testkit::registry::Registry;

use super::scenario::Scenario;
use super::stage::Stage;
use super::{Failure, at};

/// An edit that can be repeated with a new mark each time, and undone.
pub(crate) struct Edit {
    file: PathBuf,
    /// The file's text before the edit; `None` if the site has no such file.
    before: Option<String>,
    /// The text before and after the mark.
    around: (String, String),
    /// The folder of the output that shows the mark, and the beginning of the output's name.
    output: (PathBuf, &'static str),
}

impl Edit {
    /// Returns the edit of a scenario under watch; `None` if the registry has no entries.
    pub(crate) fn under_watch(
        scenario: Scenario,
        stage: &Stage,
        registry: &Registry,
    ) -> Result<Option<Self>, Failure> {
        let Some(entry) = registry.entries.first() else { return Ok(None) };
        let page = format!("plugins/{}", entry.stem);
        let edit = match scenario {
            Scenario::WatchListTemplate => Self::of_theme(stage, "templates/by_name.html", "by_name")?,
            Scenario::WatchPluginTemplate => Self::of_theme(stage, "templates/plugin.html", &page)?,
            Scenario::WatchStyleSheet => Self::of_theme(stage, "assets/site.css", "assets")?,
            Scenario::WatchNotice => Self::appended(
                stage,
                "data/notices.yaml",
                &format!("\n- plugin: {}\n  date: 2020-08-01 10:30:00Z\n  text: ", entry.id),
                "\n",
                &page,
            )?,
            Scenario::WatchSetting => {
                Self::appended(stage, "shelflife.toml", "\n[theme.texts]\nheading = \"", "\"\n", "")?
            }
            _ => return Ok(None),
        };
        Ok(Some(edit))
    }

    /// Returns an edit that adds search synonyms.
    pub(crate) fn synonym(stage: &Stage) -> Result<Self, Failure> {
        Self::appended(stage, "shelflife.toml", "\n[search]\nsynonyms = [\"word, ", "\"]\n", "")
    }

    /// Returns an edit that appends to a file of the site.
    fn appended(stage: &Stage, path: &str, begin: &str, end: &str, output: &str) -> Result<Self, Failure> {
        let file = stage.site.join(path);
        let before = fs::read_to_string(&file).map_err(at(&file))?;
        let around = (format!("{before}{begin}"), end.to_owned());
        Ok(Self { file, before: Some(before), around, output: (stage.output().join(output), "index.html") })
    }

    /// Returns an edit that copies a file of the theme into the site and adds a comment to it.
    fn of_theme(stage: &Stage, path: &str, output: &str) -> Result<Self, Failure> {
        let theirs = Path::new(env!("CARGO_MANIFEST_DIR")).join("../site").join(path);
        let text = fs::read_to_string(&theirs).map_err(at(&theirs))?;
        let around = match text.rsplit_once("{% endblock %}") {
            Some((before, after)) => (format!("{before}<!-- "), format!(" -->{{% endblock %}}{after}")),
            None => (format!("{text}/* "), " */\n".to_owned()),
        };
        let name = if path.ends_with(".css") { "site." } else { "index.html" };
        let file = stage.site.join(path);
        if let Some(folder) = file.parent() {
            fs::create_dir_all(folder).map_err(at(folder))?;
        }
        Ok(Self { file, before: None, around, output: (stage.output().join(output), name) })
    }

    /// Writes the edit with this mark.
    pub(crate) fn make(&self, mark: &str) -> Result<(), Failure> {
        let (before, after) = &self.around;
        fs::write(&self.file, format!("{before}{mark}{after}")).map_err(at(&self.file))
    }

    /// Returns whether the output shows this mark.
    pub(crate) fn shows(&self, mark: &str) -> bool {
        let (folder, name) = &self.output;
        let files = fs::read_dir(folder).into_iter().flatten().flatten();
        let mut shown = files.filter(|file| file.file_name().to_string_lossy().starts_with(name));
        shown.any(|file| fs::read_to_string(file.path()).is_ok_and(|text| text.contains(mark)))
    }

    /// Restores the file.
    pub(crate) fn undo(&self) -> Result<(), Failure> {
        match &self.before {
            Some(before) => fs::write(&self.file, before),
            None => fs::remove_file(&self.file),
        }
        .map_err(at(&self.file))
    }
}
