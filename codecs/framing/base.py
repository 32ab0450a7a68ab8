"""What every framer of a byte stream looks like: feed it anything, in any chunks."""

from typing import Protocol

from torhaus.codecs.model import Reject


class Framer(Protocol):
    """Cuts a byte stream into telegrams.

    `feed` keeps what is incomplete, returns whole telegrams as bytes and refused stretches as Reject, in stream order.
    It never raises, and never holds more than its stated maximum.
    """

    def feed(self, data: bytes) -> list[bytes | Reject]:
        """Take the next bytes of the stream."""
        ...

    def reset(self) -> list[Reject]:
        """Forget what is incomplete (the link was lost); returns it as Reject if there was anything."""
        ...
