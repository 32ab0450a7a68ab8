-- The sessions that joins brought. No keys: they are derived anew, from the device's root keys and what is kept here.
CREATE TABLE device_joins (
    dev_eui TEXT PRIMARY KEY,
    facts TEXT NOT NULL,             -- JSON of a DeviceJoins (joins.py)
    crc INTEGER NOT NULL             -- CRC-32 over dev_eui and facts: a changed digit would give other keys
) STRICT, WITHOUT ROWID;
PRAGMA user_version = 2;
