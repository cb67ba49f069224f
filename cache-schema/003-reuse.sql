-- What a file looked like when its content had this digest, so that one that still looks so need not be
-- read. `tree` is 0 for the site's files and 1 for the published ones; the path is relative to the site or
-- to the output folder. Times are nanoseconds since 1970.
CREATE TABLE file (
    tree     INTEGER NOT NULL,
    path     TEXT    NOT NULL,
    size     INTEGER NOT NULL,
    modified INTEGER NOT NULL,
    changed  INTEGER NOT NULL,
    inode    INTEGER NOT NULL,
    digest   BLOB    NOT NULL,
    PRIMARY KEY (tree, path)
) STRICT, WITHOUT ROWID;

-- Single values: `facts`, a number that grows with every fact whose value changes; `builds`, how many builds
-- evaluated the graph; `build`, the record of the last one.
CREATE TABLE note (
    name  TEXT NOT NULL PRIMARY KEY,
    value BLOB NOT NULL
) STRICT, WITHOUT ROWID;

-- The number of the last build that had a use for the row.
ALTER TABLE memo ADD COLUMN used INTEGER NOT NULL DEFAULT 0;
ALTER TABLE blob ADD COLUMN used INTEGER NOT NULL DEFAULT 0;
ALTER TABLE fact ADD COLUMN used INTEGER NOT NULL DEFAULT 0;
