-- Everything about the log that is not the log: who has what, what was refused, and the devices' sessions.
CREATE TABLE forwarder (
    name TEXT NOT NULL,
    log TEXT NOT NULL,
    settled TEXT NOT NULL,           -- JSON [[start, end), ...]
    crc INTEGER NOT NULL,            -- CRC-32 over name, log and settled: a changed digit would lose records
    PRIMARY KEY (name, log)
) STRICT, WITHOUT ROWID;
CREATE TABLE exception (             -- set aside for a while: keeps its own copy, its CRC-32 before it
    forwarder TEXT NOT NULL,
    log TEXT NOT NULL,
    pos INTEGER NOT NULL,
    tries INTEGER NOT NULL,
    retry_at_ns INTEGER NOT NULL,
    reason TEXT NOT NULL,
    stored BLOB NOT NULL,
    PRIMARY KEY (forwarder, log, pos)
) STRICT, WITHOUT ROWID;
CREATE TABLE dead_letter (           -- refused for good: kept until a person retries or drops it
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    forwarder TEXT NOT NULL,
    log TEXT NOT NULL,
    pos INTEGER NOT NULL,
    at_ns INTEGER NOT NULL,
    reason TEXT NOT NULL,
    stored BLOB NOT NULL,
    UNIQUE (forwarder, log, pos)
) STRICT;
CREATE TABLE session (
    dev_eui TEXT PRIMARY KEY,
    dev_addr TEXT NOT NULL,
    fcnt_up INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE TABLE snapshot (              -- up to which position of the log `session` is complete
    log TEXT PRIMARY KEY,
    pos INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE TABLE boot (                  -- wall clock minus boot time, once the clock was synchronised in that boot
    boot TEXT PRIMARY KEY,
    offset_ns INTEGER NOT NULL,
    seen_ns INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE TABLE dropped (
    forwarder TEXT NOT NULL,
    reason TEXT NOT NULL,
    records INTEGER NOT NULL,
    PRIMARY KEY (forwarder, reason)
) STRICT, WITHOUT ROWID;
PRAGMA user_version = 1;
