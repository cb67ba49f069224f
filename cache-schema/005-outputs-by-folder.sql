-- One site may be published into several folders. A folder's name is its path relative to the site, or
-- `outside:` and a digest of where it is. `used` is the number of the last build that published into it;
-- `publishing` is 1 from before the first file is written until after the last.
CREATE TABLE folder (
    name       TEXT    NOT NULL PRIMARY KEY,
    used       INTEGER NOT NULL,
    publishing INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

ALTER TABLE manifest RENAME TO manifest_of_one;
CREATE TABLE manifest (
    folder TEXT NOT NULL,
    path   TEXT NOT NULL,
    digest BLOB NOT NULL,
    PRIMARY KEY (folder, path, digest)
) STRICT, WITHOUT ROWID;
-- Where the files were is not known; the default is the likeliest. A file is removed only if it has the bytes
-- that a build wrote, so a wrong guess loses nothing.
INSERT INTO manifest SELECT 'public', path, digest FROM manifest_of_one;
INSERT INTO folder SELECT 'public', 0, 0 WHERE EXISTS (SELECT 1 FROM manifest_of_one);
DROP TABLE manifest_of_one;

-- `tree` is `site`, or `output:` and the folder's name. `seal` is a checksum of the rest of the row.
DROP TABLE file;
CREATE TABLE file (
    tree     TEXT    NOT NULL,
    path     TEXT    NOT NULL,
    size     INTEGER NOT NULL,
    modified INTEGER NOT NULL,
    changed  INTEGER NOT NULL,
    inode    INTEGER NOT NULL,
    digest   BLOB    NOT NULL,
    seal     BLOB    NOT NULL,
    PRIMARY KEY (tree, path)
) STRICT, WITHOUT ROWID;

-- From here on `memo.result` and `note.value` begin with a checksum of 16 bytes, of their keys and the value;
-- behind it they are stored like fact.value. Those without count as none, and so the builds are counted anew.
DELETE FROM memo;
DELETE FROM note;
UPDATE blob SET used = 0;
UPDATE fact SET used = 0;
