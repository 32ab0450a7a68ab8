import time
from collections.abc import Iterator
from random import Random

import msgspec
import pytest

from tests.daemon.frame_fakes import ROOF, TOWER, WALL_NS, downlink, join, stored, stranger, uplink
from torhaus.codecs.lorawan.downlink import TxAnswer, TxStatus
from torhaus.codecs.model import Reception, Value
from torhaus.daemon.cli.lora_lines import Gateways, line
from torhaus.daemon.lora.seen import Seen, seen_downlink, seen_record
from torhaus.daemon.outbox.record import Record
from torhaus.daemon.outbox.store import MAIN, STRANGERS


@pytest.fixture(autouse=True)
def utc(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("TZ", "UTC")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


def up(record: Record, log: str = MAIN) -> Seen:
    return seen_record(log, stored(record, at_ns=WALL_NS + 3 * 10**8), "rathaus")


def down(*answers: TxAnswer) -> Seen:
    seen = seen_downlink(WALL_NS, "dach", downlink(), answers)
    assert seen is not None
    return seen


def test_a_reading() -> None:
    words = " ".join(line(up(uplink(7))).split())
    assert words == (
        "11:06:40.3 up 868.100 SF7BW125 -97 dBm 7.5 dB aa555a0000000101 data up flur (26011bda) "
        "FCnt 65543 FPort 5 16 B temperature 21.4 Cel ADR"
    )


@pytest.mark.parametrize(
    ("record", "says"),
    [
        (stranger(9), "26011bda FCnt 9 FPort 5 16 B unknown_device"),
        (join(), "join-request a81758fffe0312ab 23 B unknown_device: join-request"),
        (msgspec.structs.replace(join(), reason=None), "23 B is answered, or passed on"),
        (uplink(pending=True, fields=None), "waits for its script"),
        (uplink(fields=None, kind="frame"), "no codec"),
        (uplink(fields={f"v{n}": Value(n) for n in range(9)}), "v5 5, and 3 more"),
        (uplink(reason="short", detail=None, fields=None), "short"),
    ],
)
def test_others(record: Record, says: str) -> None:
    assert says in " ".join(line(up(record)).split())


def test_downlinks() -> None:
    words = " ".join(line(down(TxAnswer(TxStatus.TOO_LATE), TxAnswer(TxStatus.OK))).split())
    assert words == (
        "11:06:40.0 down 869.525 SF12BW125 27 dBm aa555a0000000101 data down 26011bda FCnt 3 FPort 10 15 B "
        "sent (TOO_LATE, OK) immediately ACK"
    )
    assert "not sent (NO_GATEWAY) 1 s after its uplink" in line(down(TxAnswer(TxStatus.NO_GATEWAY)))


def test_several_gateways() -> None:
    record = uplink(7)
    assert record.lora is not None
    record.lora.rx.append(Reception(TOWER, rssi_dbm=-60, snr_db=9))
    assert f"-60 dBm    9 dB  {TOWER} +1" in line(up(record))


def test_colours() -> None:
    assert line(up(uplink(7)), colour=True).startswith("\x1b[32m")
    assert line(up(uplink(reason="short", fields=None)), colour=True).startswith("\x1b[33m")
    assert line(up(stranger(), STRANGERS), colour=True).startswith("\x1b[2m")
    assert line(down(TxAnswer(TxStatus.OK)), colour=True).endswith("\x1b[0m")
    assert "\x1b" not in line(up(uplink(fields=None)), colour=True)


def test_what_others_send_moves_no_cursor() -> None:
    s = up(uplink(fields={"text": Value("\x1b[2Jboo\n")}))
    assert "\x1b" not in line(s)
    assert "\n" not in line(s)


def test_the_table() -> None:
    gateways = Gateways()
    assert gateways.text() == "no frames yet"
    for s in (
        up(uplink(1)),
        up(uplink(2, device="keller")),
        up(uplink(3, pending=True, fields=None)),
        up(stranger(4, gateway=TOWER), STRANGERS),
        down(TxAnswer(TxStatus.OK)),
        down(TxAnswer(TxStatus.NO_GATEWAY)),
    ):
        gateways.add(s)
    head, roof, tower = gateways.text().splitlines()
    assert head.split()[:3] == ["GATEWAY", "UP", "DEVICES"]
    assert roof.split() == [ROOF, "2", "2", "0", "0", "-97", "dBm", "7.5", "dB", "1", "0.0", "s"]
    assert tower.split()[:5] == [TOWER, "1", "0", "1", "1"]


def test_any_frame_has_a_line() -> None:
    random = Random(8)
    for _ in range(500):
        record = stranger(random.randrange(100), random.choice(("mic", "short")))
        record.raw = random.randbytes(random.randint(0, 60))
        assert record.lora is not None
        record.lora.rx = [Reception("x")] * random.randint(0, 2)
        assert line(up(record, random.choice((MAIN, STRANGERS))), colour=random.random() < 0.5)
