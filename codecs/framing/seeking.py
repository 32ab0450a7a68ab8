"""A framer for frames that say how long they are and have a checksum: what does not fit is looked at again."""

from collections.abc import Callable

from torhaus.codecs.model import DecodeError, Reject, RejectReason

Fault = tuple[RejectReason, str]
Size = Callable[[bytes | bytearray], int | None]
"""Bytes of the frame that starts here, as far as they show; None when none starts here."""
Check = Callable[[bytes], Fault | None]
"""What is wrong with a frame of the right length, or None."""


def check_whole(frame: bytes, size: Size, check: Check) -> None:
    """Raises DecodeError SHORT, LONG, SYNTAX, or what the check finds, unless this is one whole frame."""
    expected = size(frame)
    if expected is None:
        raise DecodeError(RejectReason.SYNTAX, "no start of a frame")
    if len(frame) < expected:
        raise DecodeError(RejectReason.SHORT, f"{len(frame)} of {expected} bytes")
    if len(frame) > expected:
        raise DecodeError(RejectReason.LONG, f"{len(frame)} bytes, the frame says {expected}")
    fault = check(frame)
    if fault is not None:
        raise DecodeError(*fault)


class SeekingFramer:
    """Cuts a byte stream into frames (a `Framer`).

    Yields whole frames that were found good. Of a stretch that is no frame only its first byte is refused for sure:
    what follows is looked at again, so a good frame behind noise or inside a false start is kept. Holds at most
    `max_frame` bytes of a frame and as many of noise.
    """

    __slots__ = ("_buf", "_check", "_fault", "_junk", "_max", "_size")

    def __init__(self, max_frame: int, size: Size, check: Check) -> None:
        self._max = max_frame
        self._size = size
        self._check = check
        self._buf = bytearray()
        self._junk = bytearray()
        self._fault: Fault | None = None

    @property
    def is_inside(self) -> bool:
        """Whether it holds the beginning of a frame."""
        return bool(self._buf)

    def feed(self, data: bytes) -> list[bytes | Reject]:
        """Take the next bytes of the stream."""
        out: list[bytes | Reject] = []
        for at in range(0, len(data), self._max):
            self._buf += data[at : at + self._max]
            while self._buf and self._step(out):
                pass
        return out

    def flush(self) -> list[bytes | Reject]:
        """The device has been silent for too long to be in a frame: a start without end is given up.

        Good frames behind a false start, which held them back, are found.
        """
        out: list[bytes | Reject] = []
        while self._buf:
            if not self._step(out):
                self._give_up((RejectReason.SHORT, "the stream ended inside a frame"), out)
        self._refuse(out)
        return out

    def reset(self) -> list[Reject]:
        """Forget what is incomplete (the link was lost, or the device's time is over)."""
        out: list[bytes | Reject] = []
        self._refuse(out)
        rest = bytes(self._buf)
        self._buf.clear()
        if rest:
            out.append(Reject(rest, RejectReason.SHORT, "the stream ended inside a frame"))
        return [piece for piece in out if isinstance(piece, Reject)]

    def _step(self, out: list[bytes | Reject]) -> bool:
        size = self._size(self._buf)
        fault: Fault | None = (RejectReason.SYNTAX, "no start of a frame")
        if size is not None:
            if len(self._buf) < size:
                return False
            frame = bytes(self._buf[:size])
            fault = self._check(frame)
            if fault is None:
                self._refuse(out)
                out.append(frame)
                del self._buf[:size]
                return True
        self._give_up(fault, out)
        return True

    def _give_up(self, fault: Fault | None, out: list[bytes | Reject]) -> None:
        """Refuse the first byte."""
        self._fault = self._fault or fault
        self._junk.append(self._buf[0])
        del self._buf[0]
        if len(self._junk) >= self._max:
            self._refuse(out)

    def _refuse(self, out: list[bytes | Reject]) -> None:
        if self._junk and self._fault:
            out.append(Reject(bytes(self._junk), *self._fault))
        self._junk.clear()
        self._fault = None
