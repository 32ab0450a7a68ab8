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
