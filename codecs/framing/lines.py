"""Lines and frames of a fixed length in a byte stream, by what a configuration says of them."""

from typing import Final

from torhaus.codecs.model import Reject, RejectReason

MAX_LINE: Final = 4096
"""The longest line that may be configured, in bytes."""


class LineFramer:
    """Cuts a stream at a terminator (a `Framer`). Yields lines without it; empty ones are passed over.

    A line without end within `max_bytes` is refused as LONG, up to where it ends, in pieces of `max_bytes`. Holds no
    more than that and what is fed at once.
    """

    __slots__ = ("_buf", "_end", "_long", "_max", "_scan")

    def __init__(self, terminator: bytes = b"\n", max_bytes: int = 256) -> None:
        if not terminator or not 1 <= max_bytes <= MAX_LINE:
            raise ValueError("a line has a terminator, and 1 to 4096 bytes")
        self._end = terminator
        self._max = max_bytes
        self._buf = bytearray()
        self._scan = 0
        self._long = False  # inside a line that is too long

    def feed(self, data: bytes) -> list[bytes | Reject]:
        """Take the next bytes of the stream."""
        out: list[bytes | Reject] = []
        self._buf += data
        start = 0
        while True:
            at = self._buf.find(self._end, max(start, self._scan))
            stop = at if at >= 0 else len(self._buf) - len(self._end) + 1  # may be the beginning of a terminator
            while stop - start > self._max:
                self._refuse(start, start + self._max, out)
                self._long = True
                start += self._max
            if at < 0:
                break
            if self._long:
                self._refuse(start, at, out)
                self._long = False
            elif at > start:
                line = bytes(self._buf[start:at]).strip(b"\r\n\0")
                if line:
                    out.append(line)
            start = at + len(self._end)
        del self._buf[:start]
        self._scan = max(0, len(self._buf) - len(self._end) + 1)
        return out

    def _refuse(self, start: int, end: int, out: list[bytes | Reject]) -> None:
        if end > start:
            text = f"no end of a line within {self._max} bytes"
            out.append(Reject(bytes(self._buf[start:end]), RejectReason.LONG, text))

    def reset(self) -> list[Reject]:
        """Forget what is incomplete (the link was lost); returns it as Reject if there was anything."""
        rest = bytes(self._buf)
        self._buf.clear()
        self._scan, self._long = 0, False
        return [Reject(rest, RejectReason.SHORT, "the link was lost inside a line")] if rest.strip() else []


class FixedFramer:
    """Cuts a stream into frames of `length` bytes that begin with `start` (a `Framer`).

    What stands between is refused as SYNTAX. A frame is not checked here: a `start` inside of data costs a frame or
    two, until one is found whose neighbours fit; so a mark of two bytes or more is wise.
    """

    __slots__ = ("_buf", "_length", "_start")

    def __init__(self, start: bytes, length: int) -> None:
        if not start or not len(start) <= length <= MAX_LINE:
            raise ValueError("a frame has a mark at its start, and at most 4096 bytes")
        self._start = start
        self._length = length
        self._buf = bytearray()

    def feed(self, data: bytes) -> list[bytes | Reject]:
        """Take the next bytes of the stream."""
        out: list[bytes | Reject] = []
        for at in range(0, len(data), MAX_LINE):
            self._buf += data[at : at + MAX_LINE]
            while self._step(out):
                pass
        return out

    def _step(self, out: list[bytes | Reject]) -> bool:
        buf = self._buf
        at = buf.find(self._start)
        if at == 0:
            if len(buf) < self._length:
                return False
            out.append(bytes(buf[: self._length]))
            del buf[: self._length]
            return bool(buf)
        if at < 0 and len(buf) <= MAX_LINE:
            return False
        junk = min(at if at > 0 else len(buf), MAX_LINE)
        out.append(Reject(bytes(buf[:junk]), RejectReason.SYNTAX, "no start of a frame"))
        del buf[:junk]
        return True

    def reset(self) -> list[Reject]:
        """Forget what is incomplete (the link was lost); returns it as Reject if there was anything."""
        rest = bytes(self._buf)
        self._buf.clear()
        return [Reject(rest, RejectReason.SHORT, "the link was lost inside a frame")] if rest else []
