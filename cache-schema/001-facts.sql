-- What the outside world said. `value` is NULL where it said that there is no such thing; otherwise its
-- first byte tells how the rest is stored: 0 as it is, 1 as a zstd frame. Times are seconds since 1970.
CREATE TABLE fact (
    subject       TEXT    NOT NULL PRIMARY KEY,
    value         BLOB,
    fetched       INTEGER NOT NULL,
    fresh_until   INTEGER NOT NULL,
    etag          TEXT,
    last_modified TEXT,
    refusals      INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
