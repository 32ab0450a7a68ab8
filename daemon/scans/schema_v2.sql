-- scans.db, version 2: what comes on top of version 1.

-- What a scan came in with (a batch folder, an upload with parts); null: alone.
ALTER TABLE scan ADD COLUMN batch TEXT;

CREATE INDEX scan_batch ON scan (batch, seq);
