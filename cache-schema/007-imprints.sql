-- Large maps in pieces: the items whose keys have the same hash, as a list that postcard writes, behind a checksum of
-- the map's name, the piece's number and the list. There is always a piece 0. The maps are
--   `imprint`: what a build made of an entry, and what it made it from, by the name of the entry's file;
--   `site`: what the site's files hold, and what they looked like then, by their paths;
--   `output:` and a folder's name: the same of what a build has published there;
--   `coming:` and a folder's name: what a build is about to put there, as long as it has not come to its end;
--   `removed:` and a folder's name: what builds have removed from there, by paths.
-- The manifests of version 5 become such maps.
CREATE TABLE shard (
    map    TEXT    NOT NULL,
    number INTEGER NOT NULL,
    items  BLOB    NOT NULL,
    PRIMARY KEY (map, number)
) STRICT;
DROP TABLE file;

-- What outputs beside its own page show of an entry: what lists show (JSON), and its lines in plugins.json and
-- search.json. The imprint has their digests. Tables with a rowid, since many a text is too long for others.
CREATE TABLE shown_summary (entry TEXT NOT NULL PRIMARY KEY, text TEXT NOT NULL) STRICT;
CREATE TABLE shown_record (entry TEXT NOT NULL PRIMARY KEY, text TEXT NOT NULL) STRICT;
CREATE TABLE shown_document (entry TEXT NOT NULL PRIMARY KEY, text TEXT NOT NULL) STRICT;

-- Why an output was made the last time that it changed: which inputs had, as JSON. `made` is in seconds since 1970.
CREATE TABLE made (
    output TEXT    NOT NULL PRIMARY KEY,
    build  INTEGER NOT NULL,
    made   INTEGER NOT NULL,
    why    TEXT    NOT NULL
) STRICT, WITHOUT ROWID;

-- `used` stands before the bytes, so that reading it does not lead through all of them.
ALTER TABLE blob RENAME TO blob_of_version_6;
CREATE TABLE blob (
    digest BLOB    NOT NULL PRIMARY KEY,
    used   INTEGER NOT NULL,
    bytes  BLOB    NOT NULL
) STRICT;
INSERT INTO blob SELECT digest, used, bytes FROM blob_of_version_6;
DROP TABLE blob_of_version_6;
CREATE INDEX blob_by_use ON blob (used);
