"""The tables of value information: every row ends where the next begins."""

from torhaus.codecs.meter.mbus.vif import FB, FD, PRIMARY, Vif


def test_every_primary_code_has_a_meaning_but_those_that_lead_elsewhere() -> None:
    assert set(range(0x80)) - PRIMARY.keys() == {0x6F, 0x7B, 0x7C, 0x7D}


def test_rows_grow_by_tens() -> None:
    assert PRIMARY[0x00] == Vif("energy", "W.h", -3)
    assert PRIMARY[0x07] == Vif("energy", "W.h", 4)
    assert PRIMARY[0x27] == Vif("operating_time", "s", factor=86400)
    assert FD[0x4F] == Vif("voltage", "V", 6)
    assert FD[0x1B] == Vif("digital_input", kind="bits")
    assert FB[0x01] == Vif("energy", "W.h", 6)
    assert FB[0x7F] == Vif("power_maximum_count", "W", 4)
