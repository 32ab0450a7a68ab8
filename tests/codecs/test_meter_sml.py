import json
import os
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from torhaus.codecs.framing.crc import crc16_x25
from torhaus.codecs.framing.sml_transport import SmlFramer, unwrap, wrap
from torhaus.codecs.meter.obis import octets_text, unit_code
from torhaus.codecs.meter.sml import MAX_MESSAGES, decode, scaled, server_id
from torhaus.codecs.meter.sml_encode import Entry, encode_file
from torhaus.codecs.model import DecodeError, RejectReason, Value

VECTORS = Path(os.environ.get("TORHAUS_VECTORS", str(Path(__file__).parents[3] / "shared" / "vectors"))) / "sml"
POWER = "1-0:16.7.0*255"


def dzg(number: int) -> bytes:
    return bytes.fromhex("0a01445a4700") + number.to_bytes(4, "big")


def message(tag: str, content: str) -> bytes:
    """One SML message with its checksum, from hex."""
    head = bytes.fromhex("76 0500000001 6200 6200 72" + tag + content)
    return head + b"\x63" + crc16_x25(head).to_bytes(2, "little") + b"\x00"


def get_list(entries: str, clock: str = "01", server: str = "0b0a014c4f470000bc614e") -> bytes:
    return message("630701", "7701" + server + "01" + clock + entries + "0101")


@pytest.mark.parametrize(
    ("n", "scaler", "text"),
    [
        (12345, -1, "1234.5"),
        (3, -1, "0.3"),
        (107323091, -1, "10732309.1"),
        (-56321916, -4, "-5632.1916"),
        (6, -2, "0.06"),
        (0, -1, "0.0"),
        (13024, 3, "13024000"),
        (-4308, 0, "-4308"),
        (9007199254740993, -1, "900719925474099.2"),  # more digits than a double has: the nearest one
    ],
)
def test_scaling_leaves_no_dirt(n: int, scaler: int, text: str) -> None:
    assert str(scaled(n, scaler)) == text


@settings(max_examples=200, deadline=None)
@given(st.integers(-(10**12), 10**12), st.integers(0, 3))
def test_scaled_decimals_read_as_they_were_sent(n: int, digits: int) -> None:
    assert round(scaled(n, -digits) * 10**digits) == n
    assert len(str(scaled(n, -digits))) <= len(str(n)) + 5


def test_beyond_64_bits_becomes_a_float() -> None:
    assert scaled(2**63 - 1, 0) == 2**63 - 1
    assert isinstance(scaled(2**63, 0), float)
    assert scaled(1, 127) == 1e127
    with pytest.raises(DecodeError):
        scaled(1, 128)


@pytest.mark.parametrize(
    ("number", "sent", "size", "watts"),
    [
        (42_000_000, 32805 - 65536, 2, 328.05),
        (48_999_999, -1, 1, 2.55),
        (55_000_000, -1, 3, 167772.15),
        (58_999_999, -10550, 4, -105.5),
        (41_999_999, -10550, 2, -105.5),
        (49_000_000, -10550, 2, -105.5),
        (40_000_017, -78851, 3, -788.51),
        (60_009_800, -10550, 2, -105.5),
        (42_000_000, 100, 2, 1.0),
    ],
)
def test_dzg_marks_unsigned_power_as_signed(number: int, sent: int, size: int, watts: float) -> None:
    telegram = encode_file(
        dzg(number), [Entry(POWER, sent, 27, -2, size=size), Entry("1-0:9.7.0*255", sent, 28, -2, size=size)]
    )
    fields = decode(telegram)
    assert fields[POWER] == Value(watts, "W")
    assert fields["1-0:9.7.0*255"] == Value(sent / 100, "V.A"), "active power only"


def test_other_makers_are_left_alone() -> None:
    telegram = encode_file(
        bytes.fromhex("0a0149534b00") + (42_000_000).to_bytes(4, "big"), [Entry(POWER, -5, 27, size=2)]
    )
    assert decode(telegram)[POWER] == Value(-5, "W")


@pytest.mark.parametrize(
    ("clock", "name", "seconds"),
    [
        ("726201650000000a", "sec_index", 10),
        ("72620265655a1f80", "timestamp", 0x655A1F80),
        ("72620373 65655a1f80 53003c 530000", "timestamp", 0x655A1F80),
        ("650000000a", "sec_index", 10),
        ("72620162ff", "sec_index", 255),
    ],
)
def test_clocks(clock: str, name: str, seconds: int) -> None:
    assert decode(get_list("70", clock)) == {"server_id": Value("1LOG0012345678"), name: Value(seconds, "s")}


@pytest.mark.parametrize("clock", ["01", "72620162 00", "6200"])
def test_no_clock(clock: str) -> None:
    assert decode(get_list("70", clock)) == {"server_id": Value("1LOG0012345678")}


@pytest.mark.parametrize("clock", ["72620462ff", "71620a", "0441424300"[:8], "7262020141"[:8], "4201", "726203 70"])
def test_a_clock_built_wrongly_is_counted(clock: str) -> None:
    entry = "71" + "77070100010800ff0101621e52ff530039" + "01"
    assert decode(get_list(entry, clock)) == {
        "server_id": Value("1LOG0012345678"),
        "1-0:1.8.0*255": Value(5.7, "W.h"),
        "malformed_entries": Value(1),
    }


def test_two_lists_in_one_file_lose_nothing() -> None:
    first = get_list("7177070100010800ff0101621e52ff53003901")
    second = get_list("7177070100010800ff6201 01621e52ff53003a01".replace(" ", ""), server="0b0a014c4f470000bc614f")
    assert decode(first + second) == {
        "server_id": Value("1LOG0012345678"),
        "1-0:1.8.0*255": Value(5.7, "W.h"),
        "server_id_2": Value("1LOG0012345679"),
        "1-0:1.8.0*255_2": Value(5.8, "W.h"),
        "1-0:1.8.0*255_2_status": Value(1),
    }


def test_messages_beside_the_list_are_passed_over() -> None:
    attention = message("63ff01", "74 0b0a014c4f470000bc614e 07818 1c7c7e1ff 01 01".replace(" ", ""))
    assert decode(attention + get_list("70") + b"\x00\x00")["server_id"] == Value("1LOG0012345678")
    with pytest.raises(DecodeError) as caught:
        decode(attention)
    assert caught.value.reason is RejectReason.UNSUPPORTED
    assert "ff01" in caught.value.detail


def test_checksum_whose_first_byte_is_zero_may_be_sent_short() -> None:
    for n in range(2000):
        head = (
            bytes.fromhex("76 05")
            + n.to_bytes(4, "big")
            + bytes.fromhex("6200 6200 72 630701 7701 0241 01 01 70 01 01")
        )
        crc = crc16_x25(head).to_bytes(2, "little")
        if crc[0] == 0:
            assert decode(head + b"\x62" + crc[1:] + b"\x00") == {"server_id": Value("A")}
            return
    pytest.fail("no such checksum among these")


def test_number_of_messages_is_bounded() -> None:
    closing = message("630201", "7101")
    with pytest.raises(DecodeError) as caught:
        decode(closing * (MAX_MESSAGES + 1))
    assert caught.value.reason is RejectReason.LONG


def test_server_id() -> None:
    opening = message("630101", "76 01 01 0141 0b0a014c4f470000bc614e 01 01".replace("0141", "0241"))
    assert server_id(opening) == "1LOG0012345678"
    assert server_id(wrap(opening)) == "1LOG0012345678"
    assert server_id(get_list("70", server="093031323334353637")) == "01234567"
    with pytest.raises(DecodeError) as caught:
        server_id(message("630201", "7101"))
    assert caught.value.reason is RejectReason.UNSUPPORTED


def test_every_cut_of_a_file_is_refused() -> None:
    file = unwrap(encode_file(dzg(1), [Entry(POWER, 5, 27)]))
    listed = file.rindex(b"\x76\x05")
    for n in range(len(file)):
        if n == listed:  # the closing message alone is missing
            assert decode(file[:n])
            continue
        with pytest.raises(DecodeError):
            decode(file[:n])


def frames() -> list[Any]:
    index = VECTORS / "index.jsonl"
    if not index.exists():
        return []
    lines = [json.loads(line) for line in index.read_text("utf-8").splitlines()]
    return [pytest.param(line["file"], line["expected"], id=line["file"]) for line in lines]


@pytest.mark.skipif(not frames(), reason=f"no SML dumps at {VECTORS} (TORHAUS_VECTORS)")
@pytest.mark.parametrize(("file", "expected"), frames())
def test_dumps_of_real_meters(file: str, expected: str) -> None:
    want = json.loads((VECTORS / expected).read_text("utf-8"))
    telegrams = [item for item in SmlFramer().feed((VECTORS / file).read_bytes()) if isinstance(item, bytes)]
    assert len(telegrams) == want["sml_files_found"]
    said_by_libsml = iter(want["libsml_lines"])
    for telegram, frame in zip(telegrams, want["frames"], strict=True):
        fields = decode(telegram)
        assert "malformed_entries" not in fields
        assert server_id(telegram) == fields["server_id"].value
        for entry in frame["values"]:
            got = fields[entry["obis"]]
            if isinstance(entry["raw_value"], str):
                raw = entry["raw_value"]
                texts = {raw, fields["server_id"].value}
                if len(raw) % 2 == 0 and all(c in "0123456789abcdef" for c in raw):
                    texts.add(octets_text(bytes.fromhex(raw)))
                assert got.value in texts, entry
            else:
                assert (got.value, got.unit) == (entry["value"], unit_code(entry["unit"])), entry
            status = fields.get(f"{entry['obis']}_status")
            assert (status.value if status else None) == entry["status"], entry
        codes = [name for name in fields if ":" in name and "_" not in name]
        if frame["values"]:
            assert set(codes) == {entry["obis"] for entry in frame["values"]}
            continue
        # one decoder gives up on this meter: take what the other prints, one line for each value
        for line in (next(said_by_libsml) for _ in codes):
            code, text, unit = line
            assert code in fields
            if unit:
                assert str(fields[code].value) == text
