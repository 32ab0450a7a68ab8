"""The bench of decoding measures something, and its hostile script is really stopped."""

from bench.scenarios.decodes import hostile, native, script


def test_figures() -> None:
    assert native(10)["decodes_per_s"] > 0
    found = script(10)
    assert found["decodes_per_s"] > 0
    assert found["cold_ms"] > 0
    assert hostile(1)["broken_limits"] == 1
