-- The digest of the address that the fact came from; NULL in rows that are older than the column.
ALTER TABLE fact ADD COLUMN origin BLOB;
