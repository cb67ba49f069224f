-- The text of each entry as it was last published, by the name of its file without `.md`. It stands for a file that can't
-- be read, and nobody but the file's history could give it back. `since` is when a build first published it, in seconds
-- since 1970; `digest` is that of the text; `text` is behind a checksum of 16 bytes of the name, the time and the text.
CREATE TABLE good (
    entry TEXT NOT NULL PRIMARY KEY,
    since INTEGER NOT NULL,
    digest BLOB NOT NULL,
    text BLOB NOT NULL
) STRICT;

-- Imprints have more in them than they had.
DELETE FROM shard WHERE map = 'imprint';
