-- How the numbers of a plugin became what they are, by its id in lower case: a row for each plugin that ever had any,
-- whether or not the site still has it, since no source can tell it again. `series` is a list that postcard writes,
-- behind a checksum of 16 bytes of the id and the list. A table with a rowid, since long rows make others slow.
CREATE TABLE history (
    plugin TEXT NOT NULL PRIMARY KEY,
    series BLOB NOT NULL
) STRICT;

-- Imprints name the history that they were made of.
DELETE FROM shard WHERE map = 'imprint';
