-- What was taken out of this segment to make room (thinning.py): one row, or none where it is whole.
CREATE TABLE thinned (
    kept INTEGER NOT NULL,   -- records that are left, at the positions from `first` on; above them is a hole
    step INTEGER NOT NULL,   -- about every how many-th of a device is left
    crc INTEGER NOT NULL     -- CRC-32 over first position, kept and step
) STRICT;
PRAGMA user_version = 3;
