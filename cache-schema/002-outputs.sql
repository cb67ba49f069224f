-- Bytes under their BLAKE3 digest, stored like fact.value.
CREATE TABLE blob (
    digest BLOB NOT NULL PRIMARY KEY,
    bytes  BLOB NOT NULL
) STRICT;

-- The result of a pure function, under the digest of everything that it was given.
CREATE TABLE memo (
    function TEXT NOT NULL,
    inputs   BLOB NOT NULL,
    result   BLOB NOT NULL,
    PRIMARY KEY (function, inputs)
) STRICT, WITHOUT ROWID;

-- Files that a build wrote into the output folder. While a build publishes, a path may have two rows: what
-- was there before, and what comes.
CREATE TABLE manifest (
    path   TEXT NOT NULL,
    digest BLOB NOT NULL,
    PRIMARY KEY (path, digest)
) STRICT, WITHOUT ROWID;
