"""Bounds-checked reading of bytes: raises DecodeError(SHORT) and nothing else."""

from torhaus.codecs.model import DecodeError, RejectReason


class Cursor:
    """Reads a payload from front to back. Integers are unsigned unless the name has `i`; `be`, `le`: byte order."""

    __slots__ = ("data", "pos")

    def __init__(self, data: bytes) -> None:
        self.data = data
        self.pos = 0

    @property
    def left(self) -> int:
        """Bytes not read yet."""
        return len(self.data) - self.pos

    def take(self, n: int) -> bytes:
        """The next `n` bytes."""
        end = self.pos + n
        if n < 0 or end > len(self.data):
            raise DecodeError(RejectReason.SHORT, f"{n} bytes wanted at offset {self.pos}, {self.left} left")
        out = self.data[self.pos : end]
        self.pos = end
        return out

    def rest(self) -> bytes:
        """Everything that is left."""
        return self.take(self.left)

    def u8(self) -> int:
        """One byte."""
        return self.take(1)[0]

    def i8(self) -> int:
        """One byte, two's complement."""
        return int.from_bytes(self.take(1), "big", signed=True)

    def ube(self, n: int) -> int:
        """`n` bytes, most significant first."""
        return int.from_bytes(self.take(n), "big")

    def ibe(self, n: int) -> int:
        """`n` bytes, most significant first, two's complement."""
        return int.from_bytes(self.take(n), "big", signed=True)

    def ule(self, n: int) -> int:
        """`n` bytes, least significant first."""
        return int.from_bytes(self.take(n), "little")

    def ile(self, n: int) -> int:
        """`n` bytes, least significant first, two's complement."""
        return int.from_bytes(self.take(n), "little", signed=True)
