"""BFW's heat cost allocators."""

import pytest

from tests.codecs.wmbus_own_fakes import BFW, other
from torhaus.codecs.meter.wmbus.own.bfw import units
from torhaus.codecs.meter.wmbus.telegram import decode
from torhaus.codecs.model import DecodeError, RejectReason


def test_units_and_their_months() -> None:
    fields = decode(other(BFW, "d708", 2, 8))
    assert (fields["heat_cost_allocator"].value, fields["heat_cost_allocator_storage_1"].value) == (0x123, 0x200)
    assert fields["date"].value == "2025-12-31"
    assert [fields[f"heat_cost_allocator_storage_{n}"].value for n in range(8, 26)] == [0x20A, 0x1E2] * 9
    assert "heat_cost_allocator_storage_26" not in fields


def test_no_date_and_no_form() -> None:
    data = bytes.fromhex(BFW.replace(" ", ""))[5:]
    assert next(r for r in units(data[:-3] + b"\x99\x99\x99") if r.quantity == "date").value is None
    for short in (data[:-1], b"", b"\x2f"):
        with pytest.raises(DecodeError) as caught:
            list(units(short))
        assert caught.value.reason in {RejectReason.SHORT, RejectReason.UNSUPPORTED}
