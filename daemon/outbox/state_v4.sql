-- What counters said in the last reading that is on disk, so that what was counted since is known after a restart.
CREATE TABLE device_counters (
    device TEXT PRIMARY KEY,
    facts TEXT NOT NULL,             -- JSON of DeviceCounters (counters.py)
    crc INTEGER NOT NULL             -- CRC-32 over device and facts: a changed digit would be a consumption
) STRICT, WITHOUT ROWID;
PRAGMA user_version = 4;
