import json

import pytest

from torhaus.daemon.evidence.proofs import sha256
from torhaus.daemon.evidence.stamped import check_export_stamps, check_stamps, parse_stamp_line, stamp_line, time_text


def test_lines() -> None:
    line = json.loads(stamp_line(17, b"\0\xff"))
    assert parse_stamp_line(line["stamp"]) == (17, b"\0\xff")
    for bad in ({"root": "17", "response": ""}, {"root": 17, "response": "~"}, {"root": True, "response": ""}):
        with pytest.raises(ValueError, match=r"."):
            parse_stamp_line(bad)
    assert time_text(1_795_000_000 * 10**9) == "2026-11-18T11:06:40Z"


def test_stamps_without_roots_and_entries_without_stamps() -> None:
    faults, facts = check_stamps({5: b"x", 9: b"y"}, [{"seq": 9}], {3: "h", 1: "h", 9: sha256(b"y")}, 2)
    assert [(fault.seq, fault.text.rpartition(",")[2] or fault.text) for fault in faults] == [
        (3, " and its stamp is not there"),
        (5, " and no such root"),
        (9, "the stamp of root 9 cannot be read: it is cut short"),
    ]
    assert facts == []
    assert check_stamps({}, [{"seq": 9}], {}, 1) == ([], [])
    assert check_export_stamps({"key.txt": b""}, {4: {}}) == ([], [])
