"""PUSH_DATA bodies and what must hold for whatever is parsed from them."""

import base64
import json
from typing import Any

import msgspec

from torhaus.codecs.framing import semtech_udp as gwmp
from torhaus.codecs.model import MAX_DETAIL, Radio, RejectReason
from torhaus.daemon.outbox.record import Lora, Record

EUI = "aa555a0000000101"
HEAD = bytes.fromhex("02abcd00") + bytes.fromhex(EUI)
PHY = bytes.fromhex("4001000000000100 01aabbccdd")
DATA = base64.b64encode(PHY).decode()
PLAIN: dict[str, Any] = {"freq": 868.1, "data": DATA, "datr": "SF7BW125", "codr": "4/5", "rssi": -60, "lsnr": 9.5}


def push(body: object) -> gwmp.Push:
    """Parse a body; what comes of it must survive being stored and being sent."""
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    parsed = gwmp.parse_push(HEAD + raw, EUI)
    records = [
        Record("frame", "d", lora=Lora(r.freq_hz, r.modulation, r.datarate, r.coderate, rx=r.rx), raw=phy)
        for phy, r in parsed.frames
    ]
    records += [Record("frame", "d", detail=x.detail, event={"source": x.source or ""}) for x in parsed.rejects]
    records += [Record("event", "d", event=parsed.stat)] if parsed.stat is not None else []
    assert msgspec.msgpack.decode(msgspec.msgpack.encode(records), type=list[Record]) == records
    msgspec.json.encode(records)
    for reject in parsed.rejects:
        assert len(reject.detail) <= MAX_DETAIL
        assert reject.source == EUI
        assert reject.data in raw or reject.reason is RejectReason.LONG
    return parsed


def one(**changes: object) -> tuple[bytes, Radio]:
    parsed = push({"rxpk": [PLAIN | changes]})
    assert parsed.rejects == []
    ((phy, radio),) = parsed.frames
    return phy, radio


def refused(part: object, reason: RejectReason) -> None:
    """An rxpk between two good ones costs itself alone, and its bytes are kept."""
    text = part if isinstance(part, str) else json.dumps(part)
    plain = json.dumps(PLAIN)
    body = f'{{"rxpk":[{plain}, {text} ,{plain}],"stat":{{"rxnb":3}}}}'
    parsed = push(body.encode())
    assert [phy for phy, _ in parsed.frames] == [PHY, PHY]
    assert parsed.stat == {"rxnb": 3}
    (reject,) = parsed.rejects
    assert (reject.data, reject.reason) == (text.encode(), reason)
