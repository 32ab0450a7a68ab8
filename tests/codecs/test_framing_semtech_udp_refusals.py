"""GWMP bodies that are wrong: each bad part costs itself alone, its bytes are kept, and only DecodeError escapes."""

import base64
import json
from contextlib import suppress

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.codecs.gwmp_fakes import DATA, PHY, PLAIN, push, refused
from torhaus.codecs.framing import semtech_udp as gwmp
from torhaus.codecs.model import DecodeError, RejectReason

HUGE = "1" + "0" * 400
R = RejectReason


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"datr": -1}, R.RANGE),
        ({"datr": 1.5}, R.RANGE),
        ({"modu": "FSK", "datr": -1}, R.RANGE),
        ({"modu": "FSK", "datr": 1.5}, R.RANGE),
        ({"modu": "FSK", "datr": "50000x"}, R.RANGE),
        ({"modu": "FSK", "datr": ""}, R.RANGE),
        ({"modu": "Fsk", "datr": 50000}, R.RANGE),
        ({"datr": "SF13BW125"}, R.RANGE),
        ({"datr": "SF７BW１２５"}, R.RANGE),  # noqa: RUF001 - digits of another script
        ({"datr": None}, R.SYNTAX),
        ({"modu": None}, R.SYNTAX),
        ({"modu": "X" * 60_000}, R.RANGE),
        ({"codr": "x/y"}, R.SYNTAX),
        ({"codr": "4/5\n"}, R.SYNTAX),
        ({"codr": "٤/٥"}, R.SYNTAX),  # noqa: RUF001
        ({"freq": 0}, R.SYNTAX),
        ({"freq": -868.1}, R.SYNTAX),
        ({"freq": 1e300}, R.SYNTAX),
        ({"freq": "868.1"}, R.SYNTAX),
        ({"freq": None}, R.SYNTAX),
        ({"data": None}, R.SYNTAX),
        ({"data": 5}, R.SYNTAX),
        ({"data": ""}, R.RANGE),
        ({"data": "A"}, R.SYNTAX),
        ({"data": "QA\nE="}, R.SYNTAX),
        ({"data": "Ünicode"}, R.SYNTAX),
        ({"data": "=" * 1000}, R.RANGE),
        ({"data": base64.b64encode(bytes(256)).decode()}, R.RANGE),
        ({"tmst": -1}, R.SYNTAX),
        ({"tmst": 1 << 32}, R.SYNTAX),
        ({"rssi": 1e9}, R.SYNTAX),
        ({"rssi": "-60"}, R.SYNTAX),
        ({"rssi": True}, R.SYNTAX),
        ({"lsnr": -301}, R.SYNTAX),
        ({"chan": 1 << 16}, R.SYNTAX),
        ({"brd": 10**30}, R.SYNTAX),
        ({"tmms": 10**400}, R.SYNTAX),
        ({"foff": -(1 << 32)}, R.SYNTAX),
        ({"time": "2" * 49}, R.SYNTAX),
        ({"meta": {str(i): "" for i in range(33)}}, R.SYNTAX),
        ({"meta": {"x" * 129: ""}}, R.SYNTAX),
        ({"meta": {"x": "y" * 129}}, R.LONG),
        ({"meta": {"x": 10**400}}, R.LONG),
        ({"meta": [1]}, R.SYNTAX),
        ({"rsig": {}}, R.SYNTAX),
        ({"rsig": [{"rssic": 10**30}]}, R.SYNTAX),
        ({"rsig": [{"ftime": 10**400}]}, R.SYNTAX),
        ({"rsig": [{"ant": 1 << 62}]}, R.SYNTAX),
        ({"rsig": [{"etime": "A" * 129}]}, R.SYNTAX),
    ],
    ids=lambda x: str(x)[:40],
)
def test_a_bad_rxpk_costs_only_itself(change: dict[str, object], reason: RejectReason) -> None:
    refused(PLAIN | change, reason)


@pytest.mark.parametrize(
    "text",
    [
        "null",
        "5",
        "[]",
        "{}",
        '"x"',
        '{"freq":1e999,"data":"QAE=","datr":"SF7BW125"}',
        '{"freq":868.1,"data":"QAE=","datr":1e999,"modu":"FSK"}',
        f'{{"freq":868.1,"data":"QAE=","datr":"SF7BW125","tmst":{HUGE}}}',
        f'{{"freq":868.1,"data":"QAE=","datr":"SF7BW125","tmst":{"9" * 5000}}}',
        f'{{"freq":{HUGE},"data":"QAE=","datr":"SF7BW125"}}',
        '{"freq":868.1,"data":"QAE=","datr":"SF7BW125","meta":{"a":' + "[" * 200 + "1" + "]" * 200 + "}}",
    ],
    ids=lambda x: str(x)[:60],
)
def test_an_odd_rxpk_costs_only_itself(text: str) -> None:
    body = f'{{"rxpk":[{json.dumps(PLAIN)},{text},{json.dumps(PLAIN)}]}}'.encode()
    parsed = push(body)
    assert [phy for phy, _ in parsed.frames] == [PHY, PHY]
    assert [x.data for x in parsed.rejects] == [text.encode()]


def test_bad_utf_8_in_an_rxpk_costs_only_itself() -> None:
    text = json.dumps(PLAIN).encode()
    bad = text.replace(b"SF7BW125", b"SF7\xff")
    parsed = push(b'{"rxpk":[%s,%s,%s]}' % (text, bad, text))
    assert len(parsed.frames) == 2
    assert [(x.data, x.reason) for x in parsed.rejects] == [(bad, RejectReason.SYNTAX)]


@pytest.mark.parametrize("stat", [b"5", b"[1]", b'"x"', b'{"a":1e999}', b'{"\xff":1}', b'{"a":' + b"9" * 5000 + b"}"])
def test_a_bad_stat_does_not_cost_the_frames(stat: bytes) -> None:
    parsed = push(b'{"rxpk":[%s],"stat":%s}' % (json.dumps(PLAIN).encode(), stat))
    assert len(parsed.frames) == 1
    assert parsed.stat is None
    assert [(x.data, x.reason) for x in parsed.rejects] == [(stat, RejectReason.SYNTAX)]


@pytest.mark.parametrize("rxpk", [b"5", b"{}", b'"x"', b"true"])
def test_a_bad_rxpk_list_does_not_cost_the_stat(rxpk: bytes) -> None:
    parsed = push(b'{"stat":{"rxnb":2},"rxpk":%s}' % rxpk)
    assert parsed.stat == {"rxnb": 2}
    assert [(x.data, x.reason) for x in parsed.rejects] == [(rxpk, RejectReason.SYNTAX)]


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b" ",
        b"{",
        b"null",
        b"[]",
        b"1",
        b"\xff\xfe",
        b"[" * 100_000,
        b'{"rxpk":' + b"[" * 60_000,
        b'{"x":' + b"[" * 30_000 + b"]" * 30_000 + b"}",
        b'{"stat":' + b'{"a":' * 10_000 + b"1" + b"}" * 10_001,
        b'{"rxpk":[{"freq":NaN}]}',
        b'{"rxpk":[{"time":"\\ud800"}]}',
        b'{"stat":{"a":"\\udfff\\ud800"}}',
        b'{"rxpk":[]}x',
        b'\xef\xbb\xbf{"rxpk":[]}',
    ],
    ids=lambda x: repr(x[:20]),
)
def test_what_is_not_json(body: bytes) -> None:
    with pytest.raises(DecodeError) as caught:
        push(body)
    assert caught.value.reason is RejectReason.SYNTAX


@pytest.mark.parametrize("body", [b"{}", b'{"rxpk":null,"stat":null}', b'{"rxpk":[]}', b'{"txpk":{"imme":true}}'])
def test_empty_is_not_wrong(body: bytes) -> None:
    assert push(body) == gwmp.Push([], None, [])


def test_of_duplicate_keys_the_last_counts() -> None:
    text = json.dumps(PLAIN).encode()
    parsed = push(b'{"rxpk":[5],"rxpk":[%s],"stat":{"a":1},"stat":{"b":2}}' % text)
    assert len(parsed.frames) == 1
    assert parsed.stat == {"b": 2}


# -- fuzz --------------------------------------------------------------------------------------------------------------

values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.integers(-(10**40), 10**40)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=8)
    | st.sampled_from([DATA, "SF7BW125", "4/5", "LORA", "FSK", 868.1, 50000]),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=6), inner, max_size=4),
    max_leaves=8,
)
FIELDS = sorted({f.name for f in msgspec.structs.fields(gwmp._Rxpk)} | {"size", "jver"})
RSIG = sorted({f.name for f in msgspec.structs.fields(gwmp._Rsig)})


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=200))
def test_random_bytes(body: bytes) -> None:
    with suppress(DecodeError):
        push(body)
    with suppress(DecodeError):
        gwmp.parse_header(body)


@settings(max_examples=200, deadline=None)
@given(
    st.lists(
        st.dictionaries(
            st.sampled_from(FIELDS),
            values | st.lists(st.dictionaries(st.sampled_from(RSIG), values, max_size=4), max_size=3),
            max_size=8,
        ),
        max_size=4,
    ),
    st.none() | st.dictionaries(st.text(max_size=8), values, max_size=6),
)
def test_odd_values_in_every_field(rxpk: list[dict[str, object]], stat: dict[str, object] | None) -> None:
    body = {"rxpk": [PLAIN, *(PLAIN | r for r in rxpk)], "stat": stat}
    try:
        text = json.dumps(body, ensure_ascii=False).encode()
    except UnicodeEncodeError:
        return
    parsed = push(text)
    assert len(parsed.frames) + len([x for x in parsed.rejects if not x.detail.startswith("stat")]) == 1 + len(rxpk)
    assert parsed.frames[0][0] == PHY


@settings(max_examples=200, deadline=None)
@given(st.data())
def test_damaged_and_truncated(data: st.DataObject) -> None:
    body = bytearray(
        json.dumps({"rxpk": [PLAIN | {"rsig": [{"ant": 1}], "meta": {"a": "b"}}], "stat": {"a": 1}}).encode()
    )
    for _ in range(data.draw(st.integers(1, 4))):
        body[data.draw(st.integers(0, len(body) - 1))] = data.draw(st.integers(0, 255))
    del body[data.draw(st.integers(0, len(body))) :]
    with suppress(DecodeError):
        push(bytes(body))
