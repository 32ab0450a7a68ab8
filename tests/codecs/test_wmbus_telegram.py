"""Telegrams whose records end in something else, and makers that send no records at all."""

import pytest

from tests.codecs.wmbus_fakes import VALUES, Meter
from torhaus.codecs.meter.wmbus.compact import Formats
from torhaus.codecs.meter.wmbus.telegram import decode
from torhaus.codecs.model import DecodeError, RejectReason, Value

AIR = Meter()


def test_what_cannot_be_read_behind_the_records_costs_nothing_but_itself() -> None:
    fields = decode(AIR.plain(VALUES + bytes.fromhex("dd2f")))
    assert fields["volume"] == Value(12345.678, "m3")
    assert fields["unread_data"] == Value("dd2f")


def test_records_that_end_early_teach_no_format() -> None:
    formats = Formats()
    decode(AIR.plain(VALUES + bytes.fromhex("0c1378")), formats=formats)
    assert formats._by_signature == {}
    decode(AIR.plain(VALUES), formats=formats)
    assert len(formats._by_signature) == 1


def test_not_even_one_record_is_a_refusal() -> None:
    with pytest.raises(DecodeError) as caught:
        decode(AIR.plain(bytes.fromhex("0c1378")))
    assert caught.value.reason is RejectReason.SHORT


def test_a_maker_that_sends_no_records_is_refused() -> None:
    with pytest.raises(DecodeError, match="own form of BFW") as caught:
        decode(Meter(maker="d708", version=3, kind=8).plain(VALUES))
    assert caught.value.reason is RejectReason.UNSUPPORTED
