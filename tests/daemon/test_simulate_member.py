"""The device's half against a server's half that is written out here: joins and frames of both versions."""

from random import Random

import pytest

from torhaus.codecs.lorawan.build import build_downlink
from torhaus.codecs.lorawan.crypto import SessionKeys
from torhaus.codecs.lorawan.join import JOIN_REQUEST, Asked, JoinAcceptBody, build_join_accept, verify_request
from torhaus.codecs.lorawan.keys import derive_1_0, derive_1_1, derive_join_server
from torhaus.codecs.lorawan.phy import DataFrame, JoinRequest, RejoinRequest, parse
from torhaus.daemon.simulate.identity import Identity, identities
from torhaus.daemon.simulate.member import Member

ADDR = 0x26011234


def accept(one: Identity, nonce: int, join_nonce: int = 1, *, kind: int = JOIN_REQUEST, opt_neg: bool = True) -> bytes:
    """A server's answer."""
    body = JoinAcceptBody(join_nonce, 0x13, ADDR, 0x80 if one.is_1_1 and opt_neg else 0, 1)
    js = derive_join_server(one.join_key, one.dev_eui)
    key = one.join_key if kind == JOIN_REQUEST else js.js_enc_key
    return build_join_accept(key, body, js_int_key=js.js_int_key, asked=Asked(kind, one.join_eui, nonce))


def session(one: Identity, nonce: int, join_nonce: int = 1) -> SessionKeys:
    if one.nwk_key is not None:
        return SessionKeys(derive_1_1(one.nwk_key, one.app_key, join_nonce, one.join_eui, nonce))
    return SessionKeys(derive_1_0(one.app_key, join_nonce, 0x13, nonce))


def joined(version: str) -> tuple[Member, SessionKeys]:
    one = identities(1, (version,), 7)[0]
    it = Member(one)
    asked = parse(it.ask())
    assert isinstance(asked, JoinRequest)
    assert it.take(accept(one, asked.dev_nonce))
    return it, session(one, asked.dev_nonce)


@pytest.mark.parametrize("version", ["1.0.2", "1.0.4", "1.1"])
def test_it_joins_and_both_sides_understand_each_other(version: str) -> None:
    it, server = joined(version)
    assert (it.dev_addr, it.has_1_1_session) == (ADDR, version == "1.1")
    phy = it.uplink(b"hello", fopts=b"\x02", adr=True, tx_dr=3, tx_ch=4)
    frame = parse(phy)
    assert isinstance(frame, DataFrame)
    assert server.verify_uplink(phy, frame, 0, tx_dr=3, tx_ch=4)
    assert (server.decrypt(frame, 0), server.decrypt_fopts(frame, 0), frame.adr) == (b"hello", b"\x02", True)
    again = it.repeat(tx_dr=2, tx_ch=1)
    other = parse(again)
    assert isinstance(other, DataFrame)
    assert server.verify_uplink(again, other, 0, tx_dr=2, tx_ch=1)
    assert (again == phy) == (version != "1.1")
    down = it.hear(build_downlink(server, ADDR, 0, None, fopts=b"\x06", ack=True))
    assert down is not None
    assert (down.fcnt, down.commands, down.ack, down.fport, down.payload) == (0, b"\x06", True, None, b"")
    down = it.hear(build_downlink(server, ADDR, 1, 5, b"value", confirmed=True, f_pending=True))
    assert down is not None
    assert (down.payload, down.confirmed, down.pending, down.commands) == (b"value", True, True, b"")
    acknowledging = parse(phy := it.uplink())
    assert isinstance(acknowledging, DataFrame)
    assert acknowledging.ack
    assert server.verify_uplink(phy, acknowledging, 1, tx_dr=5, conf_fcnt=1)
    assert not parse(it.uplink()).ack  # type: ignore[union-attr]
    down = it.hear(build_downlink(server, ADDR, 2, 0, b"\x06\x06"))
    assert down is not None
    assert (down.commands, down.payload) == (b"\x06\x06", b"")


@pytest.mark.parametrize("version", ["1.0.3", "1.1"])
def test_counters_go_up_only(version: str) -> None:
    it, server = joined(version)
    assert it.hear(build_downlink(server, ADDR, 65_535, None)) is not None
    assert it.hear(build_downlink(server, ADDR, 65_537, None)) is not None
    for fcnt in (65_537, 65_535, 65_536):  # once more, a recording, one that was left out
        assert it.hear(build_downlink(server, ADDR, fcnt, None)) is None
    assert it.reused == 3
    assert (it.hear(build_downlink(server, ADDR, 5, 9, b"x")) is not None) == (version == "1.1")  # a counter of its own
    for wrong in (b"", b"\x60" + bytes(11), it.uplink(), build_downlink(server, ADDR + 1, 70_000, None)):
        assert it.hear(wrong) is None
    assert it.reused == 3 + (version == "1.0.3")
    it.forget()
    assert it.hear(build_downlink(server, ADDR, 70_000, None)) is None


@pytest.mark.parametrize("version", ["1.0.3", "1.0.4", "1.1"])
def test_which_accepts_are_taken(version: str) -> None:
    one = identities(1, (version,), 7)[0]
    it = Member(one)
    it.ask()
    assert not it.take(accept(identities(2, (version,), 7)[1], 1))
    assert not it.take(b"\x20short")
    assert it.take(accept(one, 1, 5))
    it.ask()
    old = it.take(accept(one, 2, 5))
    assert old == (version == "1.0.3")  # from 1.0.4 on a JoinNonce is not taken twice
    if version == "1.1":
        assert not it.take(accept(one, 1, 6))  # the answer to another request
        assert it.take(accept(one, 2, 6, opt_neg=False))  # a server of 1.0
        assert not it.has_1_1_session


def test_dev_nonces_rise_or_are_random() -> None:
    rising = Member(identities(1, ("1.0.4",), 7)[0], Random(1), dev_nonce=9)
    assert [parse(rising.ask()).dev_nonce for _ in range(3)] == [10, 11, 12]  # type: ignore[union-attr]
    random = Member(identities(1, ("1.0.3",), 7)[0], Random(1))
    nonces = {parse(random.ask()).dev_nonce for _ in range(50)}  # type: ignore[union-attr]
    assert len(nonces) == 50
    assert max(nonces) > 1000


def test_it_rejoins_under_keys_of_its_own() -> None:
    it, _ = joined("1.1")
    one = it.identity
    for kind, count in ((0, 0), (2, 1)):
        phy = it.rejoin(kind)
        asked = parse(phy)
        assert isinstance(asked, RejoinRequest)
        assert (asked.rejoin_type, asked.net_id, asked.rj_count) == (kind, 0x13, count)
        keys = derive_1_1(one.nwk_key or b"", one.app_key, 1, one.join_eui, 1)
        assert verify_request(keys.s_nwk_s_int_key, phy, asked)
    assert not it.take(accept(one, 0, 2, kind=2))
    assert it.take(accept(one, 1, 2, kind=2))
    server = session(one, 1, 2)
    assert it.hear(build_downlink(server, ADDR, 0, None)) is not None
