-- A checksum of 16 bytes over the rest of the row, `used` excepted; NULL in rows that are older than the column,
-- which are believed.
ALTER TABLE fact ADD COLUMN seal BLOB;
