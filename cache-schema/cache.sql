-- What any build can recreate. There are no migrations: a file with another version is removed and created again.

-- Bytes under their BLAKE3 digest. The first byte tells how the rest is stored: 0 is uncompressed, 1 a zstd frame, 2 a
-- zstd frame that needs the dictionary with the number `dictionary`. `used` is the number of the last build that used
-- the row. It comes before the bytes, so that reading it doesn't read them.
CREATE TABLE blob (
    digest     BLOB    NOT NULL PRIMARY KEY,
    used       INTEGER NOT NULL,
    dictionary INTEGER,
    bytes      BLOB    NOT NULL
) STRICT;
CREATE INDEX blob_by_use ON blob (used, dictionary);

-- The contents of blobs of one kind, which begin with the same four bytes, as a dictionary for compressing others.
-- Blobs are compressed with the newest one of their kind. `content` is stored like memo.result.
CREATE TABLE dictionary (
    number  INTEGER NOT NULL PRIMARY KEY,
    kind    BLOB    NOT NULL,
    content BLOB    NOT NULL
) STRICT;

-- The results of pure functions, by the digest of all their inputs. `result` is stored like blob.bytes, after a
-- checksum of 16 bytes of the keys and the value.
CREATE TABLE memo (
    function TEXT    NOT NULL,
    inputs   BLOB    NOT NULL,
    result   BLOB    NOT NULL,
    used     INTEGER NOT NULL DEFAULT 0,
    PRIMARY KEY (function, inputs)
) STRICT, WITHOUT ROWID;

-- Single values, stored like memo.result, such as `builds`, the number of builds that evaluated the graph, and
-- `build`, the record of the last one.
CREATE TABLE note (
    name  TEXT NOT NULL PRIMARY KEY,
    value BLOB NOT NULL
) STRICT, WITHOUT ROWID;

-- The output folders of the site. A folder's name is its path relative to the site, or `outside:` and a digest of its
-- path. `used` is the number of the last build that published into it.
CREATE TABLE folder (
    name TEXT    NOT NULL PRIMARY KEY,
    used INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- Large maps in pieces, each after a checksum of the map's name, the piece's number and the piece.
-- A piece of these maps has the items whose keys have the same hash, as a postcard list; piece 0 always exists:
--   `entry_trace`: what a build made of each entry, with its trace, by the name of the entry's file;
--   `trace`: the traces of outputs that are not about a single entry, by path;
--   `removed:` and a folder's name: the files that builds have removed from there, by path.
-- A piece of these maps is a chunk of a manifest: consecutive files, sorted by path, with their digests and file stats.
-- Its number is a hash of its first path, or the next one that is free; 0 if there are no files:
--   `site`: the site's files;
--   `output:` and a folder's name: the files published there;
--   `coming:` and a folder's name: the files that an unfinished build is about to publish there.
CREATE TABLE shard (
    map    TEXT    NOT NULL,
    number INTEGER NOT NULL,
    items  BLOB    NOT NULL,
    PRIMARY KEY (map, number)
) STRICT;

-- What outputs other than an entry's own page contain of it: its summary in lists (JSON), and its lines in
-- plugins.json and search.json. The entry trace has their digests. These tables have a rowid, because many texts are
-- too long for WITHOUT ROWID.
CREATE TABLE shown_summary (entry TEXT NOT NULL PRIMARY KEY, text TEXT NOT NULL) STRICT;
CREATE TABLE shown_record (entry TEXT NOT NULL PRIMARY KEY, text TEXT NOT NULL) STRICT;
CREATE TABLE shown_document (entry TEXT NOT NULL PRIMARY KEY, text TEXT NOT NULL) STRICT;

-- Why each output last changed: the changed inputs, as JSON. `made` is in seconds since 1970.
CREATE TABLE made (
    output TEXT    NOT NULL PRIMARY KEY,
    build  INTEGER NOT NULL,
    made   INTEGER NOT NULL,
    why    TEXT    NOT NULL
) STRICT, WITHOUT ROWID;
