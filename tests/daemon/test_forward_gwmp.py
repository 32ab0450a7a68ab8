"""Forwarder `gwmp` against a strict server, polite and not: what goes up, and what counts as delivered."""

from collections.abc import Callable

import pytest

from tests.daemon.gwmp_scene import JOIN, OTHER, Scene, deaf_to, on_scene
from tests.daemon.gwmp_server import GATEWAY, Address, GwmpServer, polite
from torhaus.codecs.framing.semtech_udp import PUSH_DATA, ack, parse_header


def test_frames_go_out_under_the_gateways_own_or_its_other_eui() -> None:
    async def body(s: Scene) -> None:
        await s.forwarder.open()
        outcome = await s.forwarder.send([s.item(), s.item(gateway=OTHER, tmst_us=8)])
        assert outcome.accepted in ([0, 1], [1, 0])
        assert {gateway for gateway, _, _ in s.server.pushes} == {"b827ebfffe000001", OTHER}
        assert len({addr for _, _, addr in s.server.pushes}) == 2, "a server tells them apart by where they speak from"
        assert {one["tmst"] for one in s.server.rxpk} == {7, 8}

    on_scene(body, gateway=[{"local": GATEWAY.upper(), "remote": "B827EBFFFE000001"}])


def test_up_to_eight_frames_in_a_datagram() -> None:
    async def body(s: Scene) -> None:
        await s.forwarder.open()
        outcome = await s.forwarder.send([s.item(b"\x40" + bytes([n]) * 12, tmst_us=n) for n in range(30)])
        assert sorted(outcome.accepted) == list(range(30))
        assert [one["tmst"] for one in s.server.rxpk] == list(range(30))
        assert len(s.server.pushes) < 15

    on_scene(body)


def test_without_an_answer_everything_is_kept_and_goes_again() -> None:
    silent = True

    def manners(server: GwmpServer, data: bytes, addr: Address) -> list[bytes]:
        return [] if silent and data[3] == PUSH_DATA else polite(server, data, addr)

    async def body(s: Scene) -> None:
        nonlocal silent
        await s.forwarder.open()
        outcome = await s.forwarder.send([s.item()])
        assert (outcome.accepted, outcome.kept) == ([], {0: "no PUSH_ACK within 0.05 s"})
        silent = False
        assert (await s.forwarder.send([s.item()])).accepted == [0]
        assert len(s.server.rxpk) == 2

    on_scene(body, manners)


@pytest.mark.parametrize(
    "spoil",
    [
        lambda answer: [answer[:1] + bytes([answer[1] ^ 1, answer[2]]) + answer[3:]],
        lambda answer: [answer[:3]],
        lambda answer: [answer[:3] + b"\4"],  # a PULL_ACK
        lambda answer: [b"\3" + answer[1:]],
        lambda _: [b"", b"\0" * 4, b"x" * 5000],
    ],
)
def test_only_the_token_of_its_own_datagram_counts(spoil: Callable[[bytes], list[bytes]]) -> None:
    def manners(server: GwmpServer, data: bytes, addr: Address) -> list[bytes]:
        (answer,) = polite(server, data, addr)
        return spoil(answer) if data[3] == PUSH_DATA else [answer]

    async def body(s: Scene) -> None:
        await s.forwarder.open()
        outcome = await s.forwarder.send([s.item()])
        assert outcome.accepted == []
        assert list(outcome.kept) == [0]

    on_scene(body, manners)


def test_late_and_repeated_answers_settle_nothing_else() -> None:
    held: list[tuple[bytes, Address]] = []

    def manners(server: GwmpServer, data: bytes, addr: Address) -> list[bytes]:
        if data[3] != PUSH_DATA:
            return polite(server, data, addr)
        held.append((ack(parse_header(data)), addr))
        return [held[0][0]] * 3 if len(held) > 1 else []  # always the first one's

    async def body(s: Scene) -> None:
        await s.forwarder.open()
        for _ in range(3):
            assert (await s.forwarder.send([s.item()])).accepted == []

    on_scene(body, manners)


def test_stale_join_requests_are_never_sent_and_late_frames_as_configured() -> None:
    async def body(s: Scene) -> None:
        await s.forwarder.open()
        outcome = await s.forwarder.send([s.item(JOIN, 4), s.item(JOIN, 6), s.item(age_s=3600, tmst_us=9)])
        assert sorted(outcome.accepted) == [0, 2]
        assert outcome.dropped == {1: "stale_join"}
        late = s.server.rxpk[-1]
        assert late["tmst"] == (9 + 3_600_000_000) % (1 << 32)
        assert late["time"] == s.item(age_s=3600).message.at

    on_scene(body)

    async def dropping(s: Scene) -> None:
        await s.forwarder.open()
        outcome = await s.forwarder.send([s.item(age_s=6), s.item(age_s=4)])
        assert (outcome.accepted, outcome.dropped) == ([1], {0: "late"})

    on_scene(dropping, late="drop")


def test_reports_of_gateways_are_passed_on_while_they_are_new() -> None:
    async def body(s: Scene) -> None:
        await s.forwarder.open()
        outcome = await s.forwarder.send([s.report(), s.report(120), s.report(gateway="../x")])
        assert (outcome.accepted, outcome.dropped, list(outcome.rejected)) == ([0], {1: "late_report"}, [2])
        assert s.server.stats == [(GATEWAY, {"rxnb": 3, "lati": 51.76})]

    on_scene(body)


def test_what_is_no_frame_of_a_gateway_is_refused() -> None:
    async def body(s: Scene) -> None:
        await s.forwarder.open()
        outcome = await s.forwarder.send([s.item(gateway="roof"), s.item(b""), s.item()])
        assert (outcome.accepted, list(outcome.rejected)) == ([2], [0, 1])

    on_scene(body)


def test_a_gateway_that_the_server_does_not_know_holds_nobody_up() -> None:
    async def body(s: Scene) -> None:
        await s.forwarder.open()

        async def work() -> None:
            outcome = await s.forwarder.send([s.item(), s.item(gateway=OTHER)])
            assert (outcome.accepted, list(outcome.kept)) == ([0], [1]), "for now: it may have been the network"
            await s.until(lambda: s.forwarder.note, 1)
            assert s.forwarder.note == f"not answered by the server: gateway {OTHER}"
            await s.until(lambda: s.forwarder._gateways[GATEWAY].missed == 0)
            outcome = await s.forwarder.send([s.item(), s.item(gateway=OTHER)])
            assert outcome.accepted == [0]
            assert "is it registered there?" in outcome.rejected[1]

        await s.watching(work)

    on_scene(body, deaf_to(OTHER), gateway=[{"local": GATEWAY}], keepalive_s=1)
