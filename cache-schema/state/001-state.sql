-- What nobody can give back. Steps are only ever added to this folder.

-- What the outside world said. `value` is NULL where it said that there is no such thing; otherwise its first byte tells
-- how the rest is stored: 0 as it is, 1 as a zstd frame. Times are seconds since 1970. `used` is the number of the last
-- build that had a use for the row. `origin` is the digest of the address that the fact came from. `seal` is a checksum
-- of 16 bytes over the rest of the row, `used` excepted; NULL in rows that come from a cache of before there were any,
-- which are believed.
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

-- How the numbers of a plugin became what they are, by its id in lower case: a row for each plugin that ever had any,
-- whether or not the site still has it, since no source can tell it again. `series` is a list that postcard writes,
-- behind a checksum of 16 bytes of the id and the list. A table with a rowid, since long rows make others slow.
CREATE TABLE history (
    plugin TEXT NOT NULL PRIMARY KEY,
    series BLOB NOT NULL
) STRICT;

-- The text of each entry as it was last published, by the name of its file without `.md`. It stands for a file that can't
-- be read, and nobody but the file's history could give it back. `since` is when a build first published it, in seconds
-- since 1970; `digest` is that of the text; `text` is stored like fact.value, behind a checksum of 16 bytes of the name,
-- the time and the text.
CREATE TABLE good (
    entry  TEXT    NOT NULL PRIMARY KEY,
    since  INTEGER NOT NULL,
    digest BLOB    NOT NULL,
    text   BLOB    NOT NULL
) STRICT;

-- Single values, stored like fact.value behind a checksum of 16 bytes of the name and the value: `facts`, `answers`,
-- `history` and `good`, which are others whenever the rows that they stand for are; `seeding`, whether the published
-- site may have histories that are missing here; `builds`, how many builds evaluated the graph.
CREATE TABLE note (
    name  TEXT NOT NULL PRIMARY KEY,
    value BLOB NOT NULL
) STRICT, WITHOUT ROWID;
