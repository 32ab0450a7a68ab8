-- One segment of the log. A row of `batch` is one commit: `n` records from position `first`, packed (record.py).
CREATE TABLE meta (
    site TEXT NOT NULL,
    store TEXT NOT NULL,         -- 8 hex digits, part of every id
    first INTEGER NOT NULL,      -- first position
    first_seq INTEGER NOT NULL,  -- first number given out here: survives although the rows before are gone
    machine TEXT NOT NULL,       -- whose machine id wrote it: a copy of the disk in another box gets a new store
    created_ns INTEGER NOT NULL,
    crc INTEGER NOT NULL         -- CRC-32 over the columns before, created_ns excepted
) STRICT;
CREATE TABLE batch (
    first INTEGER PRIMARY KEY,
    n INTEGER NOT NULL,
    seq INTEGER NOT NULL,
    boot TEXT NOT NULL,
    wall_ns INTEGER NOT NULL,
    pending INTEGER NOT NULL,    -- records whose script had not answered when they were written
    data BLOB NOT NULL
) STRICT;
CREATE INDEX batch_pending ON batch (first) WHERE pending > 0;
CREATE TABLE verdict (           -- what a script made of a record of this segment, under the same id
    pos INTEGER PRIMARY KEY,
    crc INTEGER NOT NULL,
    data BLOB NOT NULL
) STRICT;
PRAGMA user_version = 1;
