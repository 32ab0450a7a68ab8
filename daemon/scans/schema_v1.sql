-- scans.db, version 1. States and evidence change in one transaction. Times: ns since the Unix epoch (wall) or boot.

CREATE TABLE store (
    one   INTEGER PRIMARY KEY CHECK (one = 1),
    store TEXT NOT NULL            -- 8 random hex digits, made with this file
) STRICT;

CREATE TABLE scan (
    seq           INTEGER PRIMARY KEY AUTOINCREMENT,  -- never used twice
    id            TEXT NOT NULL UNIQUE,               -- <site>/<store>/<seq>, for life
    station       TEXT NOT NULL,
    name          BLOB NOT NULL,                      -- as the directory had it
    state         TEXT NOT NULL,
    reason        TEXT,                               -- why it stands still or is sent again
    sha256        TEXT NOT NULL,
    size_bytes    INTEGER NOT NULL,
    media_type    TEXT NOT NULL,
    pages         INTEGER NOT NULL,
    flags         TEXT NOT NULL,                      -- space-separated
    duplicate_of  TEXT,                               -- id of the first scan with these bytes from this station
    target        TEXT,
    receipt       TEXT,                               -- what the target said, JSON
    arrived_ns    INTEGER NOT NULL,
    arrived_boot  INTEGER NOT NULL,
    boot_id       TEXT NOT NULL,
    synced        INTEGER NOT NULL,
    changed_ns    INTEGER NOT NULL,
    tries         INTEGER NOT NULL DEFAULT 0,         -- attempts that failed, for whatever reason
    refusals      INTEGER NOT NULL DEFAULT 0,         -- those of them that were this document's own
    due_boot      INTEGER NOT NULL DEFAULT 0,         -- next attempt; holds within due_boot_id only
    due_boot_id   TEXT NOT NULL DEFAULT ''
) STRICT;

CREATE INDEX scan_delivery ON scan (target, state, tries, seq);
CREATE INDEX scan_state ON scan (state, seq);
CREATE INDEX scan_counts ON scan (station, target, state);
CREATE INDEX scan_content ON scan (sha256, station);

-- Files that were taken in and still lie (or may lie) in the hot folder.
CREATE TABLE source (
    seq        INTEGER PRIMARY KEY REFERENCES scan (seq),
    station    TEXT NOT NULL,
    name       BLOB NOT NULL,      -- of the directory entry it was taken from
    dev        TEXT NOT NULL,      -- st_dev and st_ino are unsigned 64-bit: kept as text
    ino        TEXT NOT NULL,
    size_bytes INTEGER NOT NULL,
    mtime_ns   INTEGER NOT NULL,
    sha256     TEXT NOT NULL,
    stuck      INTEGER NOT NULL    -- 1: could not be removed
) STRICT;

CREATE TABLE evidence (
    seq   INTEGER PRIMARY KEY,     -- from 1, without gaps
    entry BLOB NOT NULL,           -- the canonical bytes that are hashed; they name the previous hash
    hash  BLOB NOT NULL,           -- SHA-256 of entry
    scan  TEXT                     -- id, for look-up only: what counts is in entry
) STRICT;

CREATE INDEX evidence_scan ON evidence (scan, seq);
