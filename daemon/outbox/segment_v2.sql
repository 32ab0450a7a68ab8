-- Which records of this segment are alarms: found again after a restart without reading all the others.
CREATE TABLE alarm (
    pos INTEGER PRIMARY KEY
) STRICT;
PRAGMA user_version = 2;
