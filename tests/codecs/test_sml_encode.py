import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from torhaus.codecs.framing.crc import crc16_kermit, crc16_x25
from torhaus.codecs.framing.sml_transport import SmlFramer, unwrap
from torhaus.codecs.meter.obis import obis_text, octets_text
from torhaus.codecs.meter.sml import decode, scaled, server_id
from torhaus.codecs.meter.sml_encode import Checksum, Entry, encode_file
from torhaus.codecs.model import DecodeError, Fields, RejectReason, Value

METER = bytes.fromhex("0a014c4f4700") + (12345678).to_bytes(4, "big")

INT64 = st.integers(-(2**63), 2**63 - 1)
ENTRIES = st.lists(
    st.builds(
        Entry,
        obis=st.binary(min_size=6, max_size=6).map(obis_text),
        value=st.none() | INT64 | st.booleans() | st.binary(min_size=1, max_size=300),
        unit=st.none() | st.just(30),
        scaler=st.none() | st.integers(-9, 9),
        status=st.none() | st.integers(0, 2**64 - 1),
        sec_index=st.none() | st.integers(1, 2**32 - 1),
    ),
    max_size=20,
    unique_by=lambda entry: entry.obis,
)


def as_fields(entries: list[Entry], sec_index: int | None) -> Fields:
    """What the decoder must make of it, said independently."""
    fields = {"server_id": Value("1LOG0012345678")}
    if sec_index:
        fields["sec_index"] = Value(sec_index, "s")
    for entry in entries:
        if entry.value is None:
            continue
        unit = "W.h" if entry.unit else None
        if isinstance(entry.value, bool | bytes):
            fields[entry.obis] = Value(
                octets_text(entry.value) if isinstance(entry.value, bytes) else entry.value, unit
            )
        else:
            fields[entry.obis] = Value(scaled(entry.value, entry.scaler or 0), unit)
        if entry.status is not None:
            fields[f"{entry.obis}_status"] = Value(entry.status)
        if entry.sec_index is not None:
            fields[f"{entry.obis}_sec_index"] = Value(entry.sec_index, "s")
    return fields


@settings(max_examples=150, deadline=None)
@given(ENTRIES, st.none() | st.integers(1, 2**32 - 1), st.sampled_from([crc16_x25, crc16_kermit]))
def test_round_trip(entries: list[Entry], sec_index: int | None, checksum: Checksum) -> None:
    telegram = encode_file(METER, entries, sec_index=sec_index, checksum=checksum)
    assert SmlFramer().feed(telegram) == [telegram]
    assert decode(telegram) == as_fields(entries, sec_index)
    assert decode(unwrap(telegram)) == as_fields(entries, sec_index)
    assert server_id(telegram) == "1LOG0012345678"


def test_first_bytes_of_a_file() -> None:
    telegram = encode_file(METER, [Entry("1-0:1.8.0*255", 12345, 30, -1)], sec_index=7, transaction=0x01020304)
    file = unwrap(telegram).hex()
    # open: transaction, group, abort on error, tag, six elements with the transaction and the meter
    assert file.startswith(
        "7605010203046200620072" + "630101" + "760101" + "0501020304" + "0b" + METER.hex() + "0101" + "63"
    )
    assert "7605010203056200620072" + "630701" + "7701" + "0b" + METER.hex() + "070100620affff" + "72620165" in file
    assert "77070100010800ff0101" + "621e" + "52ff" + "533039" + "01" in file
    assert "7605010203066200620072" + "630201" + "7101" + "63" in file
    assert file.endswith("00")


@pytest.mark.parametrize("n", [0, 1, 127, 128, -1, -128, -129, 255, 2**31, -(2**31), 2**63 - 1, -(2**63)])
def test_numbers_at_their_ends(n: int) -> None:
    telegram = encode_file(METER, [Entry("1-0:16.7.0*255", n, 27)])
    assert decode(telegram)["1-0:16.7.0*255"] == Value(n, "W")


@pytest.mark.parametrize(
    ("entry", "reason"),
    [
        (Entry("1-0:1.8.0*255", 2**63), RejectReason.RANGE),
        (Entry("1-0:1.8.0*255", 300, size=1), RejectReason.RANGE),
        (Entry("1-0:1.8.0*255", 1, unit=256), RejectReason.RANGE),
        (Entry("1-0:1.8.0*255", 1, status=-1), RejectReason.RANGE),
        (Entry("1.8.0", 1), RejectReason.SYNTAX),
    ],
)
def test_what_cannot_be_sent(entry: Entry, reason: RejectReason) -> None:
    with pytest.raises(DecodeError) as caught:
        encode_file(METER, [entry])
    assert caught.value.reason is reason


@pytest.mark.parametrize("size", [0, 1, 14, 15, 16, 252, 253, 254, 255, 300, 4092, 4093, 5000])
def test_octet_strings_around_the_length_steps(size: int) -> None:
    telegram = encode_file(METER, [Entry("0-0:96.14.0*255", b"x" * size), Entry("1-0:1.8.0*255", 1)])
    fields = decode(telegram)
    assert fields.get("0-0:96.14.0*255") == (Value("x" * size) if size else None)
    assert fields["1-0:1.8.0*255"] == Value(1)


def test_a_list_of_more_than_fifteen() -> None:
    entries = [Entry(f"1-0:1.8.{n}*255", n, 30) for n in range(40)]
    assert len(decode(encode_file(METER, entries))) == 41
