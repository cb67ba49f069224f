"""Reads published sites with OctoPrint's own code, as its plugins do; prints what they made of each as JSON.

Called with the address below which sites are served, a folder to write into, and the names of the sites. What OctoPrint
logs as a failure is a fault here: it goes on without what it couldn't read.
"""

import json
import logging
import pathlib
import sys
import types

import octoprint
from octoprint.plugins import announcements, pluginmanager, softwareupdate
from octoprint.util import dict_merge


class Failures(logging.Handler):
    """Everything that is logged as a failure."""

    # What OctoPrint says of a version that it can't read, which it takes for one that doesn't fit.
    TOLERATED = "octoprint.util.version"

    def __init__(self):
        super().__init__()
        self.records = []

    def emit(self, record):
        message = record.getMessage()
        failed = record.levelno >= logging.WARNING or message.startswith("Unable")
        if failed and record.name != self.TOLERATED:
            why = f": {record.exc_info[1]!r}" if record.exc_info else ""
            self.records.append(f"{record.name}: {message}{why}")

    def taken(self):
        records, self.records = self.records, []
        return records


class Settings:
    """As much of OctoPrint's settings as readers ask for."""

    def __init__(self, values, folder=None):
        self.values = values
        self.folder = folder

    def get(self, path, **_):
        return self.values[".".join(path)]

    get_int = getInt = getFloat = get

    def getBaseFolder(self, _):
        return str(self.folder)

    def add_overlay(self, *_, **__):
        pass

    def remove_overlay(self, *_):
        pass


ONLINE = types.SimpleNamespace(online=True, check_immediately=lambda: True)


def ready(plugin, name, folder, values):
    plugin._identifier = name
    plugin._basefolder = str(folder)
    plugin._data_folder = str(folder)
    plugin._logger = logging.getLogger(f"octoprint.plugins.{name}")
    plugin._settings = Settings(values)
    plugin._connectivity_checker = ONLINE
    return plugin


def plugin_manager(site, folder):
    plugin = ready(
        pluginmanager.PluginManagerPlugin(),
        "pluginmanager",
        folder,
        {"repository": f"{site}/plugins.json", "notices": f"{site}/notices.json"},
    )
    plugin._repository_cache_path = folder / "plugins.json"
    plugin._notices_cache_path = folder / "notices.json"
    return plugin


def repository(site, folder):
    plugin = plugin_manager(site, folder)
    assert plugin._refresh_repository(), "no repository"
    return plugin._repository_plugins


def notices(site, folder):
    plugin = plugin_manager(site, folder)
    assert plugin._refresh_notices(), "no notices"
    shown = 0
    for key, about in plugin._notices.items():
        installed = types.SimpleNamespace(key=key, enabled=True, version="0.1.0")
        shown += len(plugin._get_notifications(installed))
    return {"read": sum(map(len, plugin._notices.values())), "shown": shown}


def blocklist(name):
    def read(site, folder):
        values = {
            "server.pluginBlacklist.url": f"{site}/{name}",
            "server.pluginBlacklist.ttl": 0,
            "server.pluginBlacklist.timeout": 3.05,
        }
        (folder / name).mkdir()
        return octoprint.get_plugin_blacklist(Settings(values, folder / name), ONLINE)

    return read


def overlays(is_python2):
    def read(site, folder):
        urls = {
            "check_overlay_url": f"{site}/update_check_overlay.json",
            "check_overlay_py2_url": f"{site}/update_check_overlay_py2.json",
        }
        plugin = ready(softwareupdate.SoftwareUpdatePlugin(), "softwareupdate", folder, urls)
        softwareupdate.is_python_compatible = lambda *_: is_python2
        found = plugin._get_check_overlays(force=True)
        # How a plugin's own check becomes what it is done by.
        own = {"type": "github_release", "user": "u", "repo": "r", "current": "1.0"}
        return {key: dict_merge(own, overlay) for key, overlay in found.items()}

    return read


def announced(site, folder):
    plugin = ready(announcements.AnnouncementPlugin(), "announcements", folder, {})
    settings = plugin.get_settings_defaults()
    channel = {**settings["channels"]["_plugins"], "url": f"{site}/feed.xml"}
    plugin._settings.values = {**settings, "channels": {"_plugins": channel}}
    feed = plugin._fetch_all_channels(force=True)["_plugins"]
    # What was written to the cache is what is shown from then on.
    again = plugin._fetch_all_channels()["_plugins"]
    entries = plugin._to_internal_feed(feed, read_until=0)
    assert plugin._to_internal_feed(again, read_until=0) == entries, "the cache has another feed"
    return entries


READERS = {
    "repository": repository,
    "notices": notices,
    "blacklist": blocklist("blacklist.json"),
    "blocklist": blocklist("blocklist.json"),
    "overlays": overlays(is_python2=False),
    "overlays_py2": overlays(is_python2=True),
    "announcements": announced,
}


def main():
    home, scratch, *names = sys.argv[1:]
    failures = Failures()
    logging.getLogger().addHandler(failures)
    logging.getLogger().setLevel(logging.INFO)
    sites = {}
    for name in names:
        sites[name] = {"faults": {}}
        for what, read in READERS.items():
            folder = pathlib.Path(scratch) / name / what
            folder.mkdir(parents=True)
            faults = []
            try:
                sites[name][what] = read(f"{home}/{name}", folder)
            except Exception as error:
                faults.append(repr(error))
            faults += failures.taken()
            if faults:
                sites[name]["faults"][what] = faults
    script = pathlib.Path(pluginmanager.__file__).parent / "static/js/pluginmanager.js"
    json.dump({"version": octoprint.__version__, "script": str(script), "sites": sites}, sys.stdout)


main()
