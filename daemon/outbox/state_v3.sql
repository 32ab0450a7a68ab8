-- Downlinks that wait for their devices, and what became of the last ones: a command that comes twice is known by it.
CREATE TABLE downlink (
    id TEXT PRIMARY KEY,
    facts TEXT NOT NULL,             -- JSON of a Queued (queued.py)
    crc INTEGER NOT NULL             -- CRC-32 over id and facts: a changed digit would be another command
) STRICT, WITHOUT ROWID;
PRAGMA user_version = 3;
