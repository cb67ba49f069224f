-- What any build can make again. There are no migrations: a file of another version is removed and made anew.

-- Bytes under their BLAKE3 digest. The first byte tells how the rest is stored: 0 as it is, 1 as a zstd frame. `used` is
-- the number of the last build that had a use for the row; it stands before the bytes, so that reading it does not lead
-- through all of them.
CREATE TABLE blob (
    digest BLOB    NOT NULL PRIMARY KEY,
    used   INTEGER NOT NULL,
    bytes  BLOB    NOT NULL
) STRICT;
CREATE INDEX blob_by_use ON blob (used);

-- The result of a pure function, under the digest of everything that it was given. `result` is stored like blob.bytes,
-- behind a checksum of 16 bytes of the keys and the value.
CREATE TABLE memo (
    function TEXT    NOT NULL,
    inputs   BLOB    NOT NULL,
    result   BLOB    NOT NULL,
    used     INTEGER NOT NULL DEFAULT 0,
    PRIMARY KEY (function, inputs)
) STRICT, WITHOUT ROWID;

-- Single values, stored like memo.result: `builds`, how many builds evaluated the graph; `build`, the record of the last
-- one; and others that builds write down.
CREATE TABLE note (
    name  TEXT NOT NULL PRIMARY KEY,
    value BLOB NOT NULL
) STRICT, WITHOUT ROWID;

-- One site may be published into several folders. A folder's name is its path relative to the site, or `outside:` and a
-- digest of where it is. `used` is the number of the last build that published into it.
CREATE TABLE folder (
    name TEXT    NOT NULL PRIMARY KEY,
    used INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- Large maps in pieces: the items whose keys have the same hash, as a list that postcard writes, behind a checksum of
-- the map's name, the piece's number and the list. There is always a piece 0. The maps are
--   `entry trace`: what a build made of an entry, and what it made it from, by the name of the entry's file;
--   `site`: what the site's files hold, and what they looked like then, by their paths;
--   `output:` and a folder's name: the same of what a build has published there;
--   `coming:` and a folder's name: what a build is about to put there, as long as it has not come to its end;
--   `removed:` and a folder's name: what builds have removed from there, by paths.
CREATE TABLE shard (
    map    TEXT    NOT NULL,
    number INTEGER NOT NULL,
    items  BLOB    NOT NULL,
    PRIMARY KEY (map, number)
) STRICT;

-- What outputs beside its own page show of an entry: what lists show (JSON), and its lines in plugins.json and
-- search.json. The entry trace has their digests. Tables with a rowid, since many a text is too long for others.
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
