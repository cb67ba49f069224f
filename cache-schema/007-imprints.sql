-- The files of a tree: what they hold, and what they looked like then. `tree` is `site`; `output:` and a folder's
-- name for what a build has published there; or `coming:` and a folder's name for what a build is about to put
-- there, as long as it has not come to its end. `files` is a list of paths, digests and looks as postcard writes
-- it, behind a checksum of the tree and the list. The manifests of version 5 become such listings.
CREATE TABLE listing (
    tree  TEXT NOT NULL PRIMARY KEY,
    files BLOB NOT NULL
) STRICT;
DROP TABLE file;

-- What a build made of an entry, and what it made it from, as postcard writes it, behind a checksum.
CREATE TABLE imprint (
    entry   TEXT NOT NULL PRIMARY KEY,
    imprint BLOB NOT NULL
) STRICT;

-- What lists and feeds show of an entry: its `summary` (JSON), and its lines in plugins.json (`record`) and
-- search.json (`document`). The imprint has their digests.
CREATE TABLE shown (
    kind  TEXT NOT NULL,
    entry TEXT NOT NULL,
    text  TEXT NOT NULL,
    PRIMARY KEY (kind, entry)
) STRICT, WITHOUT ROWID;

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
