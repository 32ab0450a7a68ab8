"""The book of gateways: who is there, whose word counts, what went through each, and that none of it grows for ever."""

import logging

import pytest

from tests.daemon.clocks import FakeClock
from tests.daemon.gateway_fakes import A, B, frame, report, seen
from torhaus.codecs.lorawan.downlink import TxAnswer, TxStatus
from torhaus.codecs.model import RejectReason
from torhaus.daemon.lora.gateways import GATEWAY_LINES, MAX_GATEWAYS, UNKNOWN, Counts, Gateways
from torhaus.drivers.base import GatewayLeft, GatewayReachable

STRANGER = RejectReason.UNKNOWN_GATEWAY


@pytest.fixture
def log(monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> pytest.LogCaptureFixture:
    monkeypatch.setattr(logging.getLogger("torhaus"), "propagate", True)
    caplog.set_level(logging.INFO)
    return caplog


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def book(clock: FakeClock) -> Gateways:
    return Gateways(clock.stamp)


def told(log: pytest.LogCaptureFixture) -> list[str]:
    found = [r.getMessage() for r in log.records]
    log.clear()
    return found


# -- who is there ------------------------------------------------------------------------------------------------------


def test_whether_there_are_several(book: Gateways, clock: FakeClock) -> None:
    assert not book.are_several()
    book.event("radio", seen(A))
    assert not book.are_several()
    book.event("radio", seen("cc" * 8, known=False, listed=False))
    assert not book.are_several(), "strangers are none of ours"
    book.event("radio", seen(B))
    assert book.are_several()
    clock.advance(book.offline_s / 2)
    book.heard("radio", [frame(clock.stamp())])
    clock.advance(book.offline_s / 2 + 1)
    book.look()
    assert not book.are_several(), "one has gone silent"


def test_who_is_silent_is_offline_and_that_is_told_once(
    book: Gateways, clock: FakeClock, log: pytest.LogCaptureFixture
) -> None:
    heard: list[tuple[str, bool]] = []
    book.listeners.append(lambda eui, g: heard.append((eui, g.online)))
    book.event("radio", seen(A))
    assert told(log) == ["gateway"]
    g = book.all[A]
    assert (g.online, g.last_ns, g.first_ns) == (True, clock.wall_ns(), clock.wall_ns())
    clock.advance(book.offline_s)
    book.look()
    assert book.all[A].online
    clock.step_wall(-86_400)  # the clock may step: silence is measured with what does not
    clock.advance(1)
    for _ in range(3):
        book.look()
    assert not g.online
    assert told(log) == ["gateway"]
    clock.advance(1000)
    book.heard("radio", [frame(clock.stamp()), frame(clock.stamp())])
    assert (g.online, g.last_ns, g.changed_ns) == (True, clock.wall_ns(), clock.wall_ns())
    assert told(log) == ["gateway"]
    assert heard == [(A, True), (A, False), (A, True)]


@pytest.mark.parametrize("sign", ["frame", "report", "pull"])
def test_every_sign_of_life_counts(book: Gateways, clock: FakeClock, sign: str) -> None:
    book.event("radio", seen(A))
    clock.advance(book.offline_s - 1)
    if sign == "frame":
        book.heard("radio", [frame(clock.stamp())])
    elif sign == "report":
        book.reported("radio", report(clock.stamp(), {}))
    else:
        book.event("radio", GatewayReachable(A, "10.0.0.1:5"))
    clock.advance(book.offline_s - 1)
    book.look()
    assert book.all[A].online


def test_a_connection_that_ends_is_told_at_once(book: Gateways, log: pytest.LogCaptureFixture) -> None:
    book.event("radio", seen(A))
    book.event("other", GatewayLeft(A))
    book.event("radio", GatewayLeft(B))
    assert book.all[A].online
    book.event("radio", GatewayLeft(A, "closed"))
    book.event("radio", GatewayLeft(A, "closed"))
    assert not book.all[A].online
    assert told(log) == ["gateway", "gateway"]


def test_gateways_that_the_configuration_names_are_missed(
    book: Gateways, clock: FakeClock, log: pytest.LogCaptureFixture
) -> None:
    book.expect("radio", (A, B))
    assert book.driver_of(A) == "radio"
    assert book.silent() == {}
    turned: list[tuple[str, bool]] = []
    book.listeners.append(lambda eui, g: turned.append((eui, g.online)))
    clock.advance(book.offline_s)
    book.look()
    assert not turned
    assert not told(log)
    clock.advance(60)
    for _ in range(3):
        book.look()
    assert book.absent() == [A, B]
    assert turned == [(A, False), (B, False)]  # whoever was told before the start that they are there hears that, too
    assert told(log) == ["gateway", "gateway"]
    assert book.silent() == {A: book.offline_s + 60, B: book.offline_s + 60}
    book.event("radio", seen(A, listed=True))
    assert set(book.silent()) == {B}
    assert (book.all[A].first_ns, book.all[B].first_ns) == (clock.wall_ns(), 0)
    assert turned[2:] == [(A, True)]
    assert book.absent() == [B]
    assert told(log) == ["gateway", "gateway"]  # where it is, and that it is there


# -- whose word counts -------------------------------------------------------------------------------------------------


def test_a_stranger_does_not_displace_a_gateway_that_we_know(
    book: Gateways, clock: FakeClock, log: pytest.LogCaptureFixture
) -> None:
    book.expect("radio", (A,))
    book.event("radio", seen(A, listed=True))
    told(log)
    for _ in range(8):
        book.event("radio", seen(A, "10.6.6.6", known=False, listed=True))  # from a network that it may not speak from
        book.heard("radio", [frame(clock.stamp(), stranger=STRANGER)])
        book.event("open", seen(A, "10.6.6.7"))  # on another driver, where anybody may speak
        book.heard("open", [frame(clock.stamp())])
        book.event("open", GatewayReachable(A, "10.6.6.7:1"))
        book.reported("open", report(clock.stamp(), {"temp": 99}))
        book.event("radio", seen(A, listed=True))  # itself once more: no news
    g = book.all[A]
    assert (g.driver, g.peer, g.known, g.address, g.counts.uplinks) == ("radio", "10.0.0.1", True, "", 0)
    assert g.report.temperature_celsius is None
    assert g.counts.impostors == 16
    assert told(log) == ["somebody speaks in a gateway's name"] * 5  # the 1st, 2nd, 4th, 8th and 16th time
    assert book.counts["radio", UNKNOWN].uplinks == book.counts["open", UNKNOWN].uplinks == 8


def test_a_stranger_that_turns_out_to_be_known_is_known(book: Gateways) -> None:
    book.event("radio", seen(A, "10.6.6.6", known=False))
    assert book.driver_of(A) is None
    book.event("radio", seen(A))
    assert book.driver_of(A) == "radio"
    book.event("roof", seen(A))  # of two that are as good the last one counts
    assert book.driver_of(A) == "roof"
    assert book.driver_of(B) is None


def test_the_way_down_moves(book: Gateways, log: pytest.LogCaptureFixture) -> None:
    book.event("radio", seen(A, listed=True))
    told(log)
    for address in ("10.0.0.1:40000", "10.0.0.1:40000", "10.0.0.1:40001", "10.0.0.9:40001", "[2001:db8::1]:1"):
        book.event("radio", GatewayReachable(A, address))
    assert book.all[A].address == "[2001:db8::1]:1"
    assert book.counts["radio", A].address_changes == 3
    assert told(log) == ["way down moved"] * 2  # another port is a router's business
    book.event("radio", seen(B, known=False))
    book.event("radio", GatewayReachable(B, "10.6.6.6:1"))
    book.event("radio", GatewayReachable("0" * 16, "10.6.6.6:1"))
    assert book.all[B].address == ""


def test_made_up_gateways_fill_neither_memory_nor_journal(
    book: Gateways, clock: FakeClock, log: pytest.LogCaptureFixture
) -> None:
    book.expect("radio", (A,))
    book.event("radio", seen(A, listed=True))
    for n in range(3 * MAX_GATEWAYS):
        book.event("radio", seen(f"{n:016x}", "10.6.6.6", known=False))
    assert len(book.all) == MAX_GATEWAYS
    assert book.all[A].known
    assert told(log) == ["gateway"] * GATEWAY_LINES + [
        "too many gateways: further ones are not logged within this hour"
    ]
    clock.advance(3601)
    book.event("radio", seen(B, "10.0.0.2"))
    assert told(log) == ["gateway"]
    assert set(book.counts) == {("radio", A)}
    everyone = Gateways(clock.stamp)  # without an allow-list all are known: who is silent the longest goes
    everyone.event("radio", seen(A))
    for n in range(MAX_GATEWAYS):
        everyone.event("radio", seen(f"{n:016x}"))
        everyone.heard("radio", [frame(clock.stamp())])
        clock.advance(1)
    assert len(everyone.all) == MAX_GATEWAYS
    assert A in everyone.all
    assert f"{0:016x}" not in everyone.all
    for n in range(MAX_GATEWAYS + 1):
        everyone.event("radio", seen(f"1{n:015x}", listed=True))
    assert len(everyone.all) == MAX_GATEWAYS


# -- what went through -------------------------------------------------------------------------------------------------


def test_frames_are_counted_for_whom_the_configuration_names_and_for_the_rest(book: Gateways, clock: FakeClock) -> None:
    book.event("radio", seen(A, listed=True))
    book.event("radio", seen(B))
    at = clock.stamp()
    book.heard("radio", [frame(at), frame(at, crc=-1), frame(at, B, crc=-1), frame(at, "0" * 16), frame(at, "")])
    assert book.counts["radio", A] == Counts(uplinks=2, crc_bad=1)
    assert book.counts["radio", UNKNOWN] == Counts(uplinks=2, crc_bad=1)
    assert (book.all[B].counts.uplinks, book.all[B].counts.crc_bad) == (1, 1)
    assert (book.label(A), book.label(B), book.label("0" * 16)) == (A, UNKNOWN, UNKNOWN)


def test_a_stranger_s_frames_are_its_own(book: Gateways, clock: FakeClock) -> None:
    book.event("radio", seen(B, known=False))
    book.heard("radio", [frame(clock.stamp(), B, stranger=STRANGER)])
    assert book.all[B].counts.uplinks == 1
    assert book.counts["radio", UNKNOWN].uplinks == 1


def test_downlinks_by_what_became_of_them(book: Gateways) -> None:
    book.event("radio", seen(A, listed=True))
    late, ok, ignored = (
        TxAnswer(TxStatus.TOO_LATE, answered_s=0.02),
        TxAnswer(TxStatus.OK, answered_s=0.04),
        TxAnswer(TxStatus.IGNORED),
    )
    assert book.answered(A, (ok, ignored)) == "OK"
    assert book.answered(A, (late, ok)) == "OK"
    assert book.answered(A, (late, late)) == "TOO_LATE"
    assert book.answered(A, (TxAnswer(TxStatus.NO_ANSWER), ignored)) == "NO_ANSWER"
    assert book.answered(A, ()) == "IGNORED"
    counts = book.counts["radio", A]
    assert counts.downlinks == {"OK": 2, "TOO_LATE": 1, "NO_ANSWER": 1, "IGNORED": 1}
    assert counts.fallbacks == 1
    assert sum(book.answered_s["radio", A].counts) == 5
    assert book.all[A].round_trip_s == 0.02
    book.answered("0" * 16, (TxAnswer(TxStatus.NO_GATEWAY),))
    assert book.counts["", UNKNOWN].downlinks == {"NO_GATEWAY": 1}


def test_reports(book: Gateways, clock: FakeClock) -> None:
    book.event("radio", seen(A, listed=True))
    book.event("radio", seen(B))
    at = clock.stamp()
    for _ in range(2):
        book.reported("radio", report(at, {"temp": 31.5, "rxnb": 7}))
        book.reported("radio", report(at, {"temp": 99, "rxnb": 9}, stranger=STRANGER))  # from who knows where
        book.reported("radio", report(at, {"rxnb": 4}, B, stranger=STRANGER))
    assert book.all[A].report.temperature_celsius == 31.5
    assert book.counts["radio", A].reported == {"received": 14}
    assert book.all[B].counts.reported == book.counts["radio", UNKNOWN].reported == {"received": 8}
