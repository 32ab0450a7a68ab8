"""Downlinks as scripts return them."""

import random

import pytest

from torhaus.codecs.model import DecodeError, RejectReason
from torhaus.daemon.scripts.encoded import read_encoded
from torhaus.daemon.scripts.protocol import MAX_DOWNLINK_BYTES, Encoded


@pytest.mark.parametrize(
    ("text", "made"),
    [
        ('{"bytes":[1,255,0],"fPort":10}', Encoded(b"\x01\xff\x00", 10)),
        ('{"bytes":"0100B4","fPort":"5"}', Encoded(b"\x01\x00\xb4", 5)),
        ('{"bytes":[1.0],"port":100,"warnings":["w"],"errors":[]}', Encoded(b"\x01", 100, ["w"])),
        ('{"bytes":[]}', Encoded(b"")),
        ("[3,4]", Encoded(b"\x03\x04")),
    ],
)
def test_downlinks(text: str, made: Encoded) -> None:
    assert read_encoded(text) == made


@pytest.mark.parametrize(
    ("text", "reason", "detail"),
    [
        ('{"errors":["a","b"],"bytes":[1]}', RejectReason.SCRIPT_ERROR, "a; b"),
        ("{}", RejectReason.SCRIPT_RESULT, "no bytes"),
        ("7", RejectReason.SCRIPT_RESULT, "no downlink"),
        ("null", RejectReason.SCRIPT_RESULT, "no downlink"),
        ('{"bytes":{"0":1}}', RejectReason.SCRIPT_RESULT, "no list"),
        ('{"bytes":[1,256]}', RejectReason.SCRIPT_RESULT, "byte 1 is no whole number"),
        ('{"bytes":[-1]}', RejectReason.SCRIPT_RESULT, "byte 0"),
        ('{"bytes":[1.5]}', RejectReason.SCRIPT_RESULT, "byte 0"),
        ('{"bytes":[null]}', RejectReason.SCRIPT_RESULT, "byte 0"),
        ('{"bytes":[true]}', RejectReason.SCRIPT_RESULT, "byte 0"),
        ('{"bytes":"0g"}', RejectReason.SCRIPT_RESULT, "hexadecimal"),
        ('{"bytes":[1],"fPort":256}', RejectReason.SCRIPT_RESULT, "fPort"),
        ('{"bytes":[1],"fPort":"٣"}', RejectReason.SCRIPT_RESULT, "fPort"),
        ('{"bytes":[1],"fPort":true}', RejectReason.SCRIPT_RESULT, "fPort"),
        ("{", RejectReason.SCRIPT_RESULT, "not JSON"),
        ("[" * 100_000, RejectReason.SCRIPT_RESULT, "not JSON"),
    ],
)
def test_no_downlinks(text: str, reason: RejectReason, detail: str) -> None:
    with pytest.raises(DecodeError) as caught:
        read_encoded(text)
    assert caught.value.reason is reason
    assert detail in caught.value.detail


@pytest.mark.parametrize("bytes_", ["[" + "1," * MAX_DOWNLINK_BYTES + "1]", '{"bytes":"' + "00" * 300 + '"}'])
def test_too_long(bytes_: str) -> None:
    with pytest.raises(DecodeError, match="more than 242 bytes"):
        read_encoded(bytes_)


def test_only_refusals_leave() -> None:
    rand = random.Random(11)
    good = '{"bytes":[1,255,0],"fPort":10,"warnings":["x"]}'
    refused = 0
    for _ in range(3000):
        at = rand.randrange(len(good))
        try:
            made = read_encoded(good[:at] + rand.choice('{}[],:"019-.eE\\ n') * rand.randrange(3) + good[at + 1 :])
            assert len(made.payload) <= MAX_DOWNLINK_BYTES
        except DecodeError:
            refused += 1
    assert 0 < refused < 3000
