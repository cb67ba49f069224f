//! Generated plugin sources that resemble real ones: `setup.py`, `pyproject.toml`, `__init__.py`.
//!
//! A trace says which Python versions a build found for a plugin, not how the plugin declared them. Here each
//! repository declares them in one of the ways that real plugins use. The way depends on its name, so it is the same in
//! every run.

use std::collections::BTreeMap;

use super::dice::Dice;
use super::repository::Blob;

/// The values from which a repository's files are generated.
#[derive(Debug, Clone)]
pub(crate) struct Plugin<'a> {
    /// `owner/name`.
    pub(crate) repository: &'a str,
    /// The plugin's declared id.
    pub(crate) identifier: &'a str,
    /// The plugin's title.
    pub(crate) title: &'a str,
    /// The newest release's tag.
    pub(crate) tag: Option<&'a str>,
    /// The versions of Python that a build must find in the sources.
    pub(crate) python: &'a str,
}

/// The versions of Python that OctoPrint assumes if a plugin declares none.
pub(crate) const DEFAULT_PYTHON: &str = ">=2.7,<3";

/// How a repository names its package.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Naming {
    /// `plugin_package = "…"`, with the obvious name.
    Package,
    /// `plugin_package = "…"`, with another name.
    OtherPackage,
    /// Only `plugin_identifier`.
    Identifier,
    /// `plugin_package` twice; the second one counts.
    Twice,
    /// An entry point in `pyproject.toml`, and no `setup.py`.
    Project,
    /// An entry point in `pyproject.toml`, and a `setup.py` that only calls setuptools.
    Shim,
    /// Neither file.
    Nothing,
}

/// How a plugin declares its Python versions, if it does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Saying {
    /// A plain assignment.
    Plain,
    /// A plain assignment in single quotes, after an earlier one with another value.
    Again,
    /// An annotated assignment.
    Annotated,
    /// Within `gettext("…")`.
    Translated,
    /// A plain assignment in a file that only Python 2 can parse.
    OldSyntax,
    /// No declaration, in a file that every Python can parse.
    Silent,
    /// No declaration, in a file that only Python 2 can parse.
    OldSilent,
    /// `__init__.py` is missing.
    Absent,
}

/// The ways to declare versions other than the default. Plain assignments are by far the most frequent, as in reality.
const SPOKEN: [(Naming, Saying); 16] = [
    (Naming::Package, Saying::Plain),
    (Naming::Package, Saying::Plain),
    (Naming::Package, Saying::Plain),
    (Naming::Package, Saying::Plain),
    (Naming::Package, Saying::Again),
    (Naming::Package, Saying::Annotated),
    (Naming::Package, Saying::Translated),
    (Naming::Package, Saying::OldSyntax),
    (Naming::OtherPackage, Saying::Plain),
    (Naming::OtherPackage, Saying::Plain),
    (Naming::Identifier, Saying::Plain),
    (Naming::Identifier, Saying::Again),
    (Naming::Twice, Saying::Plain),
    (Naming::Project, Saying::Plain),
    (Naming::Project, Saying::Annotated),
    (Naming::Shim, Saying::Plain),
];

/// The ways to get the default: most such plugins are older than the declaration.
const UNSPOKEN: [(Naming, Saying); 16] = [
    (Naming::Package, Saying::Silent),
    (Naming::Package, Saying::Silent),
    (Naming::Package, Saying::Silent),
    (Naming::Package, Saying::Silent),
    (Naming::Package, Saying::OldSilent),
    (Naming::Package, Saying::OldSilent),
    (Naming::Package, Saying::OldSyntax),
    (Naming::Package, Saying::Plain),
    (Naming::Package, Saying::Again),
    (Naming::Package, Saying::Absent),
    (Naming::OtherPackage, Saying::Silent),
    (Naming::Identifier, Saying::Silent),
    (Naming::Identifier, Saying::Plain),
    (Naming::Twice, Saying::OldSyntax),
    (Naming::Project, Saying::Silent),
    (Naming::Nothing, Saying::Absent),
];

/// Returns the files of a plugin's repository.
pub(crate) fn files(plugin: &Plugin<'_>) -> BTreeMap<String, Blob> {
    let ways = if plugin.python == DEFAULT_PYTHON { &UNSPOKEN } else { &SPOKEN };
    let mut dice = Dice::new(&["source", &plugin.repository.to_ascii_lowercase()]);
    let (naming, saying) = dice.pick(ways).copied().unwrap_or((Naming::Package, Saying::Plain));
    let guess = format!("octoprint_{}", plugin.identifier);
    let package = match naming {
        // A Python module's name can't contain a dash, so a real plugin with a dash in its id has another package.
        Naming::OtherPackage => {
            format!("octoprint_{}_plugin", plugin.identifier.replace('-', "_").to_lowercase())
        }
        Naming::Identifier => guess,
        _ => guess.replace('-', "_"),
    };
    let mut files = BTreeMap::new();
    let mut write = |path: String, text: String| files.insert(path, Blob::new(text.as_bytes()));
    write("README.md".into(), format!("# {}\n\nInstall it with OctoPrint's plugin manager.\n", plugin.title));
    write("MANIFEST.in".into(), format!("include README.md\nrecursive-include {package}/static *\n"));
    match naming {
        Naming::Package | Naming::OtherPackage | Naming::Identifier | Naming::Twice => {
            write("setup.py".into(), setup(plugin, naming, &package));
        }
        Naming::Project => {
            write("pyproject.toml".into(), project(plugin, &package));
        }
        Naming::Shim => {
            write("pyproject.toml".into(), project(plugin, &package));
            write("setup.py".into(), "import setuptools\n\nsetuptools.setup()\n".into());
        }
        Naming::Nothing => {}
    }
    if saying != Saying::Absent {
        write(format!("{package}/__init__.py"), module(plugin, saying, &mut dice));
    }
    files
}

/// Returns the version of the newest tag, without characters that would end a string.
fn version(plugin: &Plugin<'_>) -> String {
    let tag = plugin.tag.unwrap_or("0.1.0");
    let digits = tag.trim_start_matches(|c: char| !c.is_ascii_digit());
    let version: String = digits.chars().filter(|c| c.is_ascii_alphanumeric() || *c == '.').collect();
    if version.is_empty() { "0.1.0".into() } else { version }
}

/// Returns a Python string literal that every version of Python reads the same way.
fn quoted(text: &str) -> String {
    let text: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""))
}

fn setup(plugin: &Plugin<'_>, naming: Naming, package: &str) -> String {
    let mut text =
        String::from("# coding=utf-8\n\n# What the plugin manager shows, and what pip installs.\n");
    text += &format!("plugin_identifier = {}\n", quoted(plugin.identifier));
    match naming {
        // The setup helper then derives the package from the identifier: `octoprint_` and the identifier.
        Naming::Identifier => {}
        Naming::Twice => {
            text += "plugin_package = \"octoprint_skeleton\"\n";
            text += &format!("plugin_package = '{package}'\n");
        }
        _ => text += &format!("plugin_package = {}\n", quoted(package)),
    }
    text += &format!("plugin_name = {}\nplugin_version = \"{}\"\n", quoted(plugin.title), version(plugin));
    let (owner, name) = plugin.repository.split_once('/').unwrap_or(("", plugin.repository));
    text +=
        &format!("plugin_author = {}\nplugin_url = \"https://github.com/{owner}/{name}\"\n", quoted(owner));
    text += "plugin_requires = []\nplugin_additional_data = []\nplugin_ignored_packages = []\n\n";
    text += "from setuptools import setup\n\ntry:\n    import octoprint_setuptools\nexcept ImportError:\n";
    text += "    import sys\n    print(\"Install this into the same environment as OctoPrint.\")\n    sys.exit(-1)\n\n";
    text += "parameters = octoprint_setuptools.create_plugin_setup_parameters(\n";
    for part in ["identifier", "package", "name", "version", "author", "url", "requires"] {
        if part != "package" || naming != Naming::Identifier {
            text += &format!("    {part}=plugin_{part},\n");
        }
    }
    text + ")\nsetup(**parameters)\n"
}

fn project(plugin: &Plugin<'_>, package: &str) -> String {
    format!(
        "[build-system]\nrequires = [\"setuptools>=40\", \"wheel\"]\nbuild-backend = \"setuptools.build_meta\"\n\n\
         [project]\nname = \"OctoPrint-{id}\"\nversion = \"{version}\"\ndynamic = [\"readme\"]\n\n\
         [project.entry-points.\"octoprint.plugin\"]\n{id} = \"{package}\"\n\n\
         [tool.setuptools]\ninclude-package-data = true\n",
        id = plugin.identifier,
        version = version(plugin),
    )
}

/// Settings of plugins. The plugin's name decides which ones it has.
const SETTINGS: [(&str, &str); 12] = [
    ("enabled", "True"),
    ("interval", "30"),
    ("host", "\"127.0.0.1\""),
    ("port", "1883"),
    ("username", "None"),
    ("show_in_navbar", "True"),
    ("command", "\"M105\""),
    ("temperature_limit", "42.5"),
    ("profiles", "[]"),
    ("colours", "dict(idle=\"#00ff00\", error=\"#ff0000\")"),
    ("retries", "3"),
    ("greeting", "u\"Grüß Gott\""),
];

/// Mixins of plugins, with a method of each.
const MIXINS: [(&str, &str, &str); 7] = [
    ("StartupPlugin", "on_after_startup(self)", "self._logger.info(\"%s is up\", self._identifier)"),
    (
        "TemplatePlugin",
        "get_template_configs(self)",
        "return [dict(type=\"settings\", custom_bindings=False)]",
    ),
    ("AssetPlugin", "get_assets(self)", "return dict(js=[\"js/view.js\"], css=[\"css/view.css\"])"),
    (
        "EventHandlerPlugin",
        "on_event(self, event, payload)",
        "self._events.append((event, dict(payload or {})))",
    ),
    ("ShutdownPlugin", "on_shutdown(self)", "self._timer = None"),
    ("SimpleApiPlugin", "get_api_commands(self)", "return dict(refresh=[], set=[\"value\"])"),
    ("ProgressPlugin", "on_print_progress(self, storage, path, progress)", "self._send(\"P%d\" % progress)"),
];

fn module(plugin: &Plugin<'_>, saying: Saying, dice: &mut Dice) -> String {
    let old = matches!(saying, Saying::OldSyntax | Saying::OldSilent);
    let mut text = String::from("# coding=utf-8\n");
    // A docstring that mentions the property without setting it.
    text += "\"\"\"\nA plugin for OctoPrint.\n\nSet `__plugin_pythoncompat__ = \">=3.99,<4\"` once that is out.\n\"\"\"\n";
    text += "from __future__ import absolute_import\n\nimport logging\nimport threading\n\n";
    text += "import octoprint.plugin\nfrom octoprint.events import Events\n";
    if saying == Saying::Translated {
        text += "from flask_babel import gettext\n";
    }
    let class: String =
        plugin.identifier.split(|c: char| !c.is_ascii_alphanumeric()).map(capitalized).collect();
    let class = format!("P{class}Plugin");
    let mut mixins: Vec<_> = MIXINS.iter().filter(|_| !dice.one_in(3)).collect();
    mixins.sort_by_cached_key(|_| dice.roll());
    text += &format!("\n\nclass {class}(\n    octoprint.plugin.SettingsPlugin,\n");
    mixins.iter().for_each(|(mixin, ..)| text += &format!("    octoprint.plugin.{mixin},\n"));
    text += "):\n    def __init__(self):\n        self._events = []\n        self._timer = None\n";
    text += "        self._lock = threading.RLock()\n        self._logger = logging.getLogger(__name__)\n\n";
    text += "    def get_settings_defaults(self):\n        return dict(\n";
    for (name, value) in SETTINGS.iter().filter(|_| !dice.one_in(3)) {
        text += &format!("            {name}={value},\n");
    }
    text += "        )\n";
    for (_, signature, body) in mixins {
        text += &format!("\n    def {signature}:\n        {body}\n");
    }
    text += "\n    def _send(self, line):\n        with self._lock:\n            try:\n";
    text += "                self._printer.commands([line])\n";
    text += if old {
        "            except Exception, e:\n                print \"could not send\", line, e\n                raise\n"
    } else {
        "            except Exception as e:\n                self._logger.error(\"could not send %s: %s\", line, e)\n"
    };
    text += &commands(dice, old);
    text += &format!("\n\n__plugin_name__ = {}\n", quoted(plugin.title));
    let value = quoted(plugin.python);
    match saying {
        Saying::Plain | Saying::OldSyntax => text += &format!("__plugin_pythoncompat__ = {value}\n"),
        Saying::Again => {
            text += "__plugin_pythoncompat__ = \">=2.6,<2.7\"\n";
            let value = plugin.python.replace(['\'', '\\'], "");
            text += &format!("__plugin_pythoncompat__ = '{value}'  # the last one counts\n");
        }
        Saying::Annotated => text += &format!("__plugin_pythoncompat__: str = {value}\n"),
        Saying::Translated => text += &format!("__plugin_pythoncompat__ = gettext({value})\n"),
        Saying::Silent | Saying::OldSilent | Saying::Absent => {}
    }
    text += &format!(
        "\n\ndef __plugin_load__():\n    global __plugin_implementation__\n    __plugin_implementation__ = {class}()\n"
    );
    text + "\n    # Local, so it says nothing about the module.\n    __plugin_version__ = \"0.0.0\"\n    return __plugin_version__\n"
}

/// Returns some handlers, so that the file is as long as real ones.
fn commands(dice: &mut Dice, old: bool) -> String {
    let mut text = String::new();
    for number in 0..2 + dice.below(14) {
        let code = 100 + dice.below(900);
        text += &format!("\n    def _handle_m{code}_{number}(self, comm, phase, cmd, *args, **kwargs):\n");
        text += &format!("        \"\"\"Called for M{code}, before it goes out.\"\"\"\n");
        text += &format!(
            "        if phase != \"queuing\" or not cmd.startswith(\"M{code}\"):\n            return None\n"
        );
        let letters = dice.pick(&["SP", "XYZ", "EF"]).copied().unwrap_or("S");
        let values = format!("[int(part[1:]) for part in cmd.split() if part[:1] in \"{letters}\"]");
        text += &format!("        values = {values}\n");
        if old && dice.one_in(2) {
            text += "        print \"values:\", values\n";
        }
        text += &format!("        return [\"M{code} S%d\" % sum(values), \"M400\"]\n");
    }
    text
}

fn capitalized(word: &str) -> String {
    let mut chars = word.chars();
    chars.next().map(|first| first.to_ascii_uppercase()).into_iter().chain(chars).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plugin<'a>(repository: &'a str, python: &'a str) -> Plugin<'a> {
        Plugin { repository, identifier: "some_id", title: "It \"works\"", tag: Some("v1.2-x"), python }
    }

    fn text(blob: &Blob) -> &str {
        std::str::from_utf8(blob.bytes()).expect("sources are UTF-8")
    }

    #[test]
    fn the_same_name_gives_the_same_files() {
        let ids = |name| files(&plugin(name, ">=2.7,<4")).values().map(Blob::oid).collect::<Vec<_>>();
        assert_eq!(ids("a/b"), ids("a/b"));
        assert_ne!(ids("a/b"), ids("a/c"));
    }

    #[test]
    fn every_way_occurs_and_files_have_a_real_ones_length() {
        let names: Vec<String> = (0..400).map(|n| format!("owner/{n}")).collect();
        let all = |python: &'static str| -> Vec<_> {
            names.iter().map(|name| files(&plugin(name, python))).collect()
        };
        let without_setup =
            |all: &[BTreeMap<String, Blob>]| all.iter().filter(|it| !it.contains_key("setup.py")).count();
        let (spoken, unspoken) = (all(">=2.7,<4"), all(DEFAULT_PYTHON));
        assert!(without_setup(&spoken) > 20 && without_setup(&unspoken) > 20);
        let modules = |all: &[BTreeMap<String, Blob>]| -> Vec<String> {
            let found =
                all.iter().flat_map(|files| files.iter().filter(|(path, _)| path.ends_with("/__init__.py")));
            found.map(|(_, blob)| text(blob).to_owned()).collect()
        };
        let spoken = modules(&spoken);
        assert_eq!(spoken.len(), names.len(), "every name must have been found");
        let length = spoken.iter().map(String::len).sum::<usize>() / spoken.len();
        assert!((2_000..8_000).contains(&length), "{length}");
        for mark in [
            "gettext(\">=",
            "compat__: str",
            "compat__ = '>=",
            "except Exception, e",
            "compat__ = \">=2.7,<4\"",
        ] {
            assert!(spoken.iter().any(|it| it.contains(mark)), "{mark}");
        }
        let said = |text: &&String| text.contains("\n__plugin_pythoncompat__");
        assert!(spoken.iter().all(|it| said(&it)));
        let unspoken = modules(&unspoken);
        assert!(unspoken.len() < names.len());
        let silent = unspoken.iter().filter(|it| !said(it)).count();
        assert!(silent > 100 && silent < unspoken.len(), "{silent}");
    }
}
