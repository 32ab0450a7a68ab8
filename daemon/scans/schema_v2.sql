-- scans.db, version 2: what comes on top of version 1.

-- What a scan came in with (a batch folder, an upload with parts); null: alone.
ALTER TABLE scan ADD COLUMN batch TEXT;

CREATE INDEX scan_batch ON scan (batch, seq);

-- What codes of cover sheets were found, JSON: [[page, text], ...].
ALTER TABLE scan ADD COLUMN codes TEXT NOT NULL DEFAULT '[]';

-- Cover sheets that came back, and with which document first.
CREATE TABLE sheet (
    number TEXT PRIMARY KEY,
    scan   INTEGER NOT NULL REFERENCES scan (seq)
) STRICT;

-- What its sidecar says, JSON (codecs/sidecar.py, Told).
ALTER TABLE scan ADD COLUMN told TEXT NOT NULL DEFAULT '{}';

-- Hash trees over the journal's entries: each day's, and one with every export.
CREATE TABLE root (
    seq    INTEGER PRIMARY KEY,  -- of the entry that says it
    last   INTEGER NOT NULL,
    signed BLOB NOT NULL,        -- as it was signed, JSON
    stamp  BLOB                  -- what a time-stamping authority said of it (RFC 3161), DER
) STRICT;

CREATE INDEX root_last ON root (last);

-- What was there last time and is compared at each start: configuration files, the journal's key.
CREATE TABLE seen (
    name   TEXT PRIMARY KEY,
    sha256 TEXT NOT NULL
) STRICT;
