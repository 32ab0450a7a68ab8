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

-- What a station has brought lately is counted against its quota.
CREATE INDEX scan_arrival ON scan (station, arrived_ns);

-- Tokens with which stations upload.
CREATE TABLE token (
    id         TEXT PRIMARY KEY,   -- 8 random hex digits: its name for people
    station    TEXT NOT NULL,
    hash       BLOB NOT NULL,      -- SHA-256 of the token, which has 256 random bits
    made_ns    INTEGER NOT NULL,
    revoked_ns INTEGER             -- null: good
) STRICT;

-- Uploads by tus, under way or done and still remembered. Their bytes are files of the same name in the folder uploads.
CREATE TABLE upload (
    id         TEXT PRIMARY KEY,   -- 32 random hex digits
    station    TEXT NOT NULL,
    kind       TEXT NOT NULL,      -- whole, partial, final
    state      TEXT NOT NULL,      -- open, done, bad
    length     INTEGER,            -- null: not said yet
    offset     INTEGER NOT NULL,   -- so many bytes are flushed to disk
    name       BLOB NOT NULL,      -- as the metadata has it
    metadata   TEXT NOT NULL,      -- as it came
    concat     TEXT NOT NULL,      -- Upload-Concat as it came, empty without
    sha256     TEXT,               -- what the whole must have, hex, if the sender said
    expires_ns INTEGER NOT NULL,
    scan       INTEGER REFERENCES scan (seq)
) STRICT;

CREATE INDEX upload_station ON upload (station, state);

-- Uploads that were told a key of their own (Idempotency-Key): the same one again makes no second scan.
CREATE TABLE upload_key (
    station TEXT NOT NULL,
    key     BLOB NOT NULL,         -- SHA-256 of what was sent
    scan    INTEGER NOT NULL REFERENCES scan (seq),
    at_ns   INTEGER NOT NULL,
    PRIMARY KEY (station, key)
) STRICT;

-- What a target wants to know of a document that is on its way there (targets/base.py, Progress).
CREATE TABLE progress (
    scan   INTEGER NOT NULL REFERENCES scan (seq),
    target TEXT NOT NULL,
    text   TEXT NOT NULL,
    PRIMARY KEY (scan, target)
) STRICT;

-- What documents that another torhaus has delivered are called there.
CREATE TABLE origin (
    scan    INTEGER PRIMARY KEY REFERENCES scan (seq),
    id      TEXT NOT NULL UNIQUE,  -- <site>/<store>/<number>
    station TEXT NOT NULL          -- there
) STRICT;

-- Where the journals of other sites stood when they delivered something (uploads/heads.py).
CREATE TABLE site_head (
    station TEXT NOT NULL,
    store   TEXT NOT NULL,
    seq     INTEGER NOT NULL,
    hash    TEXT NOT NULL,
    at_ns   INTEGER NOT NULL,      -- when it was first heard of
    PRIMARY KEY (station, store, seq)
) STRICT;

-- Keys of the spool's sealed files (sealed.py). Who deletes a row makes the file unreadable for good.
CREATE TABLE spool_key (
    ref      BLOB PRIMARY KEY,     -- as the file's header has it
    sha256   TEXT NOT NULL,        -- of the document
    site_key TEXT NOT NULL,        -- which site key wraps it
    wrapped  BLOB NOT NULL         -- RFC 3394
) STRICT;

CREATE INDEX spool_key_content ON spool_key (sha256);

-- What quality control and release speak of: a batch, or a station's day. Null: not closed yet.
ALTER TABLE scan ADD COLUMN lot TEXT;

CREATE INDEX scan_lot ON scan (lot, seq);

CREATE TABLE lot (
    name     TEXT PRIMARY KEY,
    seed     TEXT NOT NULL,        -- with which its sample was drawn
    drawn_ns INTEGER NOT NULL
) STRICT;

-- What is known of a document's paper.
CREATE TABLE paper (
    scan        INTEGER PRIMARY KEY REFERENCES scan (seq),
    class       TEXT,                        -- as its sidecar or cover sheet said
    sampled     INTEGER NOT NULL DEFAULT 0,  -- 1: somebody must look at it
    quality     TEXT,                        -- what quality control found, null: has not looked
    feedback    TEXT,                        -- what its department said
    verified_ns INTEGER,                     -- when its target's bytes were proved, once the state no longer tells
    released_ns INTEGER                      -- when its paper was freed
) STRICT;

-- What somebody has to look at is counted every few seconds: of all that were ever scanned these are few.
CREATE INDEX paper_open ON paper (scan) WHERE sampled = 1 AND quality IS NULL;

CREATE INDEX paper_bad ON paper (scan) WHERE quality IS NOT NULL AND quality != 'ok';

-- The stack (id of its scan) that a document was split from; null: it came as it is.
ALTER TABLE scan ADD COLUMN derived_from TEXT;

CREATE INDEX scan_derived ON scan (derived_from, seq);
