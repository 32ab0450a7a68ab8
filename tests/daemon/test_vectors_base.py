"""How values are compared."""

import pytest

from torhaus.codecs.model import Value
from torhaus.daemon.vectors.base import MAX_SHOWN, differences, same


@pytest.mark.parametrize(
    ("a", "b", "is_same"),
    [(1, 1.0, True), (1.0, 1.0000000001, True), (1.0, 1.00001, False), (True, 1, False), ("1", 1, False),
     (None, None, True), (0.0, 1e-12, True),
     ("2026-01-02T03:04:05.678Z", "XXXX-XX-XXTXX:XX:XX.XXXZ", True), ("2026-01-02", "XXXX-XX-XXTXX:XX:XX.XXXZ", False),
     ("XXXX-XX-XXTXX:XX:XX.XXXZ", "2026-01-02T03:04:05.678Z", False)],
)  # fmt: skip
def test_same(a: object, b: object, is_same: bool) -> None:
    assert same(a, b) is is_same


def test_differences_name_what_is_missing_too_much_and_wrong() -> None:
    fields = {"a": Value(1, "V"), "b": Value(2), "d": Value(4, "m")}
    told = differences(fields, {"a": 1, "c": 3, "d": {"value": 4, "unit": "cm"}})
    assert told == "b: got 2, expected 'nothing'; c: got 'nothing', expected 3; d: got 4, expected 4 in cm"
    assert differences(fields, {"a": 1, "b": 2, "d": {"value": 4, "unit": "m"}}) is None


def test_a_long_list_is_cut() -> None:
    told = differences({}, {f"f{n:02}": n for n in range(MAX_SHOWN + 3)})
    assert told is not None
    assert told.endswith("; and 3 more")
