"""Reads the XML files below a folder with expat, and its feeds with feedparser; prints what they found as JSON."""

import calendar
import json
import pathlib
import sys
import xml.etree.ElementTree

import feedparser


def malformed(file):
    try:
        xml.etree.ElementTree.parse(file)
    except xml.etree.ElementTree.ParseError as error:
        return str(error)
    return None


def seconds(time):
    return calendar.timegm(time) if time else None


def item(entry):
    return {
        "title": entry.get("title"),
        "link": entry.get("link"),
        "id": entry.get("id"),
        "guid_is_link": entry.get("guidislink"),
        "published": seconds(entry.get("published_parsed")),
        "authors": [author.get("name") for author in entry.get("authors", [])],
        "tags": [tag.get("term") for tag in entry.get("tags", [])],
        "summary": entry.get("summary"),
    }


def read(file):
    # As bytes: feedparser would take a text for a file's name, and the encoding is part of what is read.
    feed = feedparser.parse(file.read_bytes())
    return {
        "bozo": str(feed.get("bozo_exception", "yes")) if feed.bozo else None,
        "version": feed.version,
        "title": feed.feed.get("title"),
        "link": feed.feed.get("link"),
        "description": feed.feed.get("subtitle"),
        "updated": seconds(feed.feed.get("updated_parsed")),
        "self": [link.href for link in feed.feed.get("links", []) if link.rel == "self"],
        "items": [item(entry) for entry in feed.entries],
    }


def main():
    folder = pathlib.Path(sys.argv[1])
    files = sorted(file for file in folder.rglob("*") if file.is_file())
    feeds = ["feed.xml", "feed.atom", "releases.atom"]
    report = {
        "files": {str(file.relative_to(folder)): malformed(file) for file in files},
        "feeds": {name: read(folder / name) for name in feeds},
    }
    json.dump(report, sys.stdout)


main()
