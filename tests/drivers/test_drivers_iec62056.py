"""Conversations with a meter by IEC 62056-21: every mode, rates, and bad manners."""

import asyncio
from typing import Any

import msgspec
import pytest

from tests.drivers.fakes import FakeHost, run
from torhaus.codecs.framing.iec62056 import acknowledge, bcc, sign_on
from torhaus.codecs.model import RejectReason
from torhaus.drivers import iec62056, polling
from torhaus.drivers.base import DeviceChanged
from torhaus.drivers.links.base import Link

BODY = b"F.F(00)\r\n1.8.0(0012345.678*kWh)\r\n!\r\n\x03"
DATA = b"\x02" + BODY + bytes((bcc(BODY),))


class Meter(Link):
    """The meter at the other end: what it answers to what, and at which rate. Silence moves the time."""

    def __init__(self, *, answers: list[tuple[bytes, int, bytes]], sets_baud: bool = True, echo: bool = True) -> None:
        super().__init__("fake")
        self.sets_baud = sets_baud
        self.answers = answers
        self.echo = echo
        self.baud = 300
        self.heard: list[tuple[bytes, int]] = []
        self._said = b""

    async def _read(self, max_bytes: int) -> bytes:
        if not self._said:
            asyncio.get_running_loop().advance(61)  # type: ignore[attr-defined]
            await asyncio.Event().wait()
        said, self._said = self._said[:7], self._said[7:]
        return said

    async def _write(self, data: bytes) -> None:
        self.heard.append((data, self.baud))
        if self.echo:
            self._said += data
        if self.answers and (self.answers[0][0], self.answers[0][1]) == (data, self.baud):
            self._said += self.answers.pop(0)[2]

    async def _set_baud(self, baud: int) -> None:
        self.baud = baud

    async def close(self) -> None: ...


def config(**more: Any) -> iec62056.Config:
    return iec62056.Config(name="strom", link="serial:///dev/none", device="zaehler", **more)


def read(meter: Meter, monkeypatch: pytest.MonkeyPatch, **more: Any) -> FakeHost:
    """One reading, or the news that there is none."""

    async def opened(*_: object) -> Meter:
        return meter

    monkeypatch.setattr(polling, "open_link", opened)

    async def main() -> FakeHost:
        host = FakeHost()
        running = asyncio.create_task(iec62056.open(config(**more)).run(host))
        await host.until_events(2)
        running.cancel()
        await asyncio.wait([running])
        return host

    return run(main())


C5, B, A = b"/TOR5CELLAR1\r\n", b"/TORCCELLAR1\r\n", b"/TOR CELLAR1\r\n"


@pytest.mark.parametrize("echo", [True, False])
def test_mode_c_goes_on_at_the_rate_that_is_agreed(monkeypatch: pytest.MonkeyPatch, echo: bool) -> None:
    answers = [(sign_on(), 300, b"\x00\xff" + C5), (acknowledge("5"), 300, DATA)]
    meter = Meter(answers=answers, echo=echo)
    host = read(meter, monkeypatch)
    assert [frame.data for frame in host.frames] == [C5 + DATA]
    assert meter.heard[:2] == [(sign_on(), 300), (acknowledge("5"), 300)]
    assert meter.baud in {9600, 300}
    assert host.events[1] == DeviceChanged("zaehler", up=True)
    assert host.rejects == []


def test_no_faster_than_said_and_by_address(monkeypatch: pytest.MonkeyPatch) -> None:
    answers = [(sign_on("42"), 300, C5), (acknowledge("3"), 300, DATA)]
    host = read(Meter(answers=answers), monkeypatch, max_baud=2400, address="42")
    assert len(host.frames) == 1


def test_modes_b_and_a(monkeypatch: pytest.MonkeyPatch) -> None:
    meter = Meter(answers=[(sign_on(), 300, B + DATA)])
    assert read(meter, monkeypatch).frames[0].data == B + DATA
    assert {data for data, _ in meter.heard} == {sign_on()}, "no acknowledgement in mode B"
    plain = b"1.8.0(0012345.678*kWh)\r\n!\r\n"
    host = read(Meter(answers=[(sign_on(), 300, A + plain)]), monkeypatch)
    assert host.frames[0].data == A + plain


def test_a_converter_that_cannot_change_its_rate(monkeypatch: pytest.MonkeyPatch) -> None:
    answers = [(sign_on(), 300, C5), (acknowledge("0"), 300, DATA)]
    host = read(Meter(answers=answers, sets_baud=False), monkeypatch)
    assert len(host.frames) == 1


def test_parity_as_the_eighth_bit(monkeypatch: pytest.MonkeyPatch) -> None:
    def even(data: bytes) -> bytes:
        return bytes(octet | 0x80 * (octet.bit_count() % 2) for octet in data)

    answers = [(sign_on(), 300, even(C5)), (acknowledge("0"), 300, even(DATA))]
    host = read(Meter(answers=answers, sets_baud=False, echo=False), monkeypatch, strip_parity=True)
    assert host.frames[0].data == C5 + DATA


@pytest.mark.parametrize(
    ("first", "reason"),
    [
        (DATA.replace(b"678", b"679"), RejectReason.CRC),
        (DATA[:20], RejectReason.SHORT),
        (b"\x02" + b"1" * 20_000, RejectReason.LONG),
    ],
)
def test_a_bad_answer_is_kept_and_asked_for_again(
    monkeypatch: pytest.MonkeyPatch, first: bytes, reason: RejectReason
) -> None:
    answers = [(sign_on(), 300, C5), (acknowledge("5"), 300, first)]
    answers += [(sign_on(), 300, C5), (acknowledge("5"), 300, DATA)]
    meter = Meter(answers=answers, echo=False)
    write = meter._write

    async def forget(data: bytes) -> None:
        if data == sign_on():
            meter._said = b""  # a meter that is woken anew starts anew
        await write(data)

    monkeypatch.setattr(meter, "_write", forget)
    host = read(meter, monkeypatch)
    assert [reject.reason for reject in host.rejects] == [reason]
    assert host.rejects[0].source == "zaehler"
    assert host.frames[0].data == C5 + DATA


def test_who_does_not_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    meter = Meter(answers=[], echo=False)
    host = read(meter, monkeypatch)
    assert host.events[1] == DeviceChanged("zaehler", up=False, detail="no answer within 3 s")
    assert meter.heard[0] == meter.heard[1] == (sign_on(), 300)
    assert host.rejects == []


def test_a_wrong_config_says_what_is_right() -> None:
    table = {"name": "x", "link": "tcp://h:1", "device": "d", "address": "/?!"}
    with pytest.raises(msgspec.ValidationError, match="at most 32"):
        msgspec.convert(table, iec62056.Config)
    pushed = iec62056.open(config(mode="D"))
    assert not isinstance(pushed, iec62056.Iec62056)
