"""What the OctoPrint plugin repository's own check says of entries: its rules, written down once more.

Reads the entries of a folder with PyYAML and packaging, as that check does, and prints a JSON object: for each file the
verdicts, as pairs of a rule and a degree. Arguments: the folder of entries, and the site's folder.
"""

import json
import pathlib
import re
import sys
from urllib.parse import urlparse

import yaml
from packaging.specifiers import InvalidSpecifier, SpecifierSet
from packaging.version import InvalidVersion, Version

REQUIRED = ["layout", "id", "title", "description", "license", "date", "homepage", "source", "archive"]
KNOWN = set(REQUIRED) | {
    "author", "authors", "follow_dependency_links", "no_build_isolation", "tags", "screenshots", "featuredimage",
    "compatibility", "disabled", "abandoned", "replaced", "up_for_adoption", "note", "redirect_from", "attributes",
    "privacypolicy",
}
SYSTEMS = {"windows", "linux", "macos", "freebsd", "posix", "nix"}
PYTHONS = [f"3.{minor}.{patch}" for minor in range(6, 14) for patch in range(40)]
PICTURES = "/assets/img/plugins/"


def specifiers(text):
    """The specifiers that a text stands for; a bare version means that one or a newer one."""
    try:
        return SpecifierSet(f">={Version(text)}")
    except InvalidVersion:
        return SpecifierSet(text)


def is_valid(text):
    try:
        return bool(text) and specifiers(text) is not None
    except InvalidSpecifier:
        return False


def is_url(text):
    parts = urlparse(text)
    return parts.scheme in ("http", "https") and bool(parts.netloc)


def pictures(front):
    if front.get("featuredimage"):
        yield front["featuredimage"]
    for shot in front.get("screenshots") or []:
        if isinstance(shot, dict) and shot.get("url"):
            yield shot["url"]


def verdicts(stem, front, site):
    found = set()
    for key in REQUIRED:
        if not front.get(key):
            found.add(("layout" if key == "layout" else "missing-key", "error"))
    if front.get("layout") and front["layout"] != "plugin":
        found.add(("layout", "error"))
    author, authors = front.get("author"), front.get("authors")
    if not author and not authors:
        found.add(("missing-key", "error"))
    if (author and authors) or (isinstance(author, str) and re.search(r", | & | and ", author)):
        found.add(("author", "warning"))
    for key in ["homepage", "source", "archive", "up_for_adoption"]:
        if front.get(key) and not is_url(front[key]):
            found.add(("address", "error"))
    compatibility = front.get("compatibility") or {}
    versions = compatibility.get("octoprint") or []
    for version in [versions] if isinstance(versions, str) else versions:
        if not is_valid(version):
            found.add(("version", "error"))
    if isinstance(versions, str) or isinstance(compatibility.get("os"), str):
        found.add(("list", "error"))
    python = compatibility.get("python")
    if not python:
        found.add(("missing-python", "error"))
    elif not is_valid(python):
        found.add(("version", "error"))
    elif not any(specifiers(python).contains(version) for version in PYTHONS):
        found.add(("unsupported-python", "error"))
    systems = compatibility.get("os") or []
    if not {name for name in ([systems] if isinstance(systems, str) else systems)} <= SYSTEMS:
        found.add(("unknown-system", "error"))
    for picture in pictures(front):
        if is_url(picture):
            continue
        if not picture.startswith(PICTURES) or not (site / picture.lstrip("/")).is_file():
            found.add(("picture", "error"))
        if not picture.startswith(f"{PICTURES}{stem}/"):
            found.add(("picture-folder", "warning"))
    if front.get("featuredimage") and not front.get("screenshots"):
        found.add(("featured-only", "warning"))
    if front.get("id") != stem:
        found.add(("file-name", "warning"))
    if set(front) - KNOWN:
        found.add(("unknown-key", "error"))
    return sorted(found)


def main(entries, site):
    result = {}
    for path in sorted(entries.glob("*.md")):
        text = path.read_text(encoding="utf-8-sig")
        match = re.match(r"---\r?\n(.*?)\r?\n---", text, re.DOTALL)
        # Values as they are written: whether `1.4` is a number is nothing to this check.
        front = yaml.load(match.group(1), Loader=yaml.BaseLoader)
        result[path.name] = verdicts(path.stem, front, site)
    json.dump(result, sys.stdout)


main(pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2]))
