"""Deliberate differences are told by driver, and closer by line."""

import re

from torhaus.daemon.vectors.wmbus_exceptions import DIFFERENT, REFUSED, different, refused


def test_a_line_says_more_than_its_driver() -> None:
    assert refused("actislink", "anything") == "unsupported"
    assert refused("qwater", "0377d67397af") == "long"
    assert refused("qwater", "anything") is None
    assert different("em24", "anything") == "apparent_energy"
    assert different("em24", "9a895142be97") == "reactive_energy|apparent_energy"
    assert different("multical21", "anything") is None


def test_no_line_is_excused_as_a_whole() -> None:
    assert [name for name, pattern in DIFFERENT.items() if re.search(pattern, "total_energy_consumption_kwh")] == [
        "a96c2d1e48ef"
    ]
    assert REFUSED.keys() & DIFFERENT.keys() == set()
