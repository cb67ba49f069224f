-- What can't be recreated. Migrations are only ever added to this folder.

-- What the outside world said. `value` is NULL if it said that the subject does not exist; otherwise its first byte
-- tells how the rest is stored: 0 is uncompressed, 1 a zstd frame. Times are in seconds since 1970. `used` is the
-- number of the last build that used the row. `origin` is the digest of the URL that the fact came from. `seal` is a
-- checksum of 16 bytes over the rest of the row except `used`; it is NULL in rows from before checksums were
-- introduced, which are trusted.
CREATE TABLE fact (
    subject       TEXT    NOT NULL PRIMARY KEY,
    value         BLOB,
    fetched       INTEGER NOT NULL,
    fresh_until   INTEGER NOT NULL,
    etag          TEXT,
    last_modified TEXT,
    refusals      INTEGER NOT NULL,
    used          INTEGER NOT NULL DEFAULT 0,
    origin        BLOB,
    seal          BLOB
) STRICT, WITHOUT ROWID;

-- The history of each plugin's numbers, by its id in lower case. A row is kept even if the site no longer has the
-- plugin, because no source can provide it again. `series` is a postcard list, after a checksum of 16 bytes of the id
-- and the list. This table has a rowid, because long rows slow down tables WITHOUT ROWID.
CREATE TABLE history (
    plugin TEXT NOT NULL PRIMARY KEY,
    series BLOB NOT NULL
) STRICT;

-- The text of each entry as last published, by the name of its file without `.md`. It is used while the file can't be
-- read. `since` is when a build first published it, in seconds since 1970; `digest` is the digest of the text; `text`
-- is stored like fact.value, after a checksum of 16 bytes of the name, the time and the text.
CREATE TABLE good (
    entry  TEXT    NOT NULL PRIMARY KEY,
    since  INTEGER NOT NULL,
    digest BLOB    NOT NULL,
    text   BLOB    NOT NULL
) STRICT;

-- Single values, stored like fact.value after a checksum of 16 bytes of the name and the value: the counters `facts`,
-- `answers`, `history` and `good`, which change whenever the rows that they stand for do; `seeding`, whether the
-- published site may have histories that are missing here; `builds`, the number of builds that evaluated the graph.
CREATE TABLE note (
    name  TEXT NOT NULL PRIMARY KEY,
    value BLOB NOT NULL
) STRICT, WITHOUT ROWID;
