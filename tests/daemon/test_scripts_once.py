"""One payload, one script, one process; no loop is running."""

from pathlib import Path

import pytest

from tests.daemon.clocks import FakeClock
from torhaus.codecs.model import DecodeError, RejectReason, Value
from torhaus.daemon.scripts import host
from torhaus.daemon.scripts.once import decode_once, encode_once
from torhaus.daemon.scripts.protocol import Encoded

SCRIPTS = Path(__file__).parent / "scripts"


def test_decode() -> None:
    assert decode_once(SCRIPTS / "ttn2.js", b"\x01\x02", 7) == {"port": Value(7), "sum": Value(3)}
    fields = decode_once(SCRIPTS / "bundle.js", b"\x05", None, "2026-01-02T03:04:05Z")
    assert fields == {"value": Value(0.5), "time": Value("2026-01-02T03:04:05.000Z")}


def test_refusal() -> None:
    with pytest.raises(DecodeError, match=r"script_error: climate\.js: unknown port"):
        decode_once(SCRIPTS / "climate.js", b"", 99)
    with pytest.raises(FileNotFoundError):
        decode_once(SCRIPTS / "none.js", b"")


def test_encode() -> None:
    assert encode_once(SCRIPTS / "downlinks.js", {"level": 10}) == Encoded(b"\x01\x0a", 7, ["loud"])
    assert encode_once(SCRIPTS / "downlinks.js", {"level": 1}, 9) == Encoded(b"\x01\x01", 9)
    with pytest.raises(DecodeError, match=r"script_error: downlinks\.js: no such command; second"):
        encode_once(SCRIPTS / "downlinks.js", "refuse")
    with pytest.raises(DecodeError, match=r"climate\.js: Error: the script has no encodeDownlink"):
        encode_once(SCRIPTS / "climate.js", 1)
    with pytest.raises(ValueError, match="at most 16384"):
        encode_once(SCRIPTS / "downlinks.js", "x" * 20_000)


def test_no_process(monkeypatch: pytest.MonkeyPatch) -> None:
    """A box on which no process starts gets an answer, not an endless wait."""
    command = ("/nonexistent/interpreter",)
    monkeypatch.setattr(host.ScriptHost.__init__, "__defaults__", (None, None, command, None))
    clock = _Impatient()
    with pytest.raises(DecodeError, match="no script process could be started") as caught:
        decode_once(SCRIPTS / "ttn2.js", b"", 1, clock=clock)
    assert caught.value.reason is RejectReason.SCRIPT_CRASH


class _Impatient(FakeClock):
    """Nobody sleeps."""

    async def sleep(self, seconds: float) -> None:
        await super().sleep(0)
