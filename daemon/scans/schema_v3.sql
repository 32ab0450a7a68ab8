-- scans.db, version 3: what comes on top of version 2.

-- The new scan of the same paper, where a document was bad; and when somebody said so, or that it is settled otherwise.
ALTER TABLE paper ADD COLUMN replaced_by INTEGER REFERENCES scan (seq);

ALTER TABLE paper ADD COLUMN settled_ns INTEGER;

-- Copies whose time may begin then: few of all that were ever scanned.
CREATE INDEX paper_settled ON paper (settled_ns) WHERE settled_ns IS NOT NULL;

-- When its department complained after its paper had been released, which took that back; null again with a new release.
ALTER TABLE paper ADD COLUMN withdrawn_ns INTEGER;

CREATE INDEX paper_withdrawn ON paper (scan) WHERE withdrawn_ns IS NOT NULL;
