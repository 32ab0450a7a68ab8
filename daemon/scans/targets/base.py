"""What a scan target is: it hands one document over, and says which hash the far side has for it.

A target module has a config struct in `config.py`, a class, a sample in `config/scans/` and one line in `registry.py`.
Retry, back-off and the decision "verified" live in `delivery.py` and nowhere else.
"""

from pathlib import Path
from typing import Protocol

import msgspec

from torhaus.daemon.scans.states import Reason


class Parcel(msgspec.Struct, frozen=True, gc=False):
    """One document to be delivered. `path` is its blob, just re-hashed; `name` is display text; sha256 is hex."""

    id: str
    seq: int
    store: str
    station: str
    name: str
    path: Path
    sha256: str
    size_bytes: int
    media_type: str
    evidence_head: str  # "<seq>:<hash hex>": where our evidence chain stands


class Receipt(msgspec.Struct, frozen=True, omit_defaults=True):
    """The far side said yes. `stored_sha256` is the hash of what it stored, when it has told."""

    stored_sha256: str | None = None
    detail: str = ""


class TargetDown(Exception):  # noqa: N818 - a state of the far side
    """The far side takes nothing at present; no document is to blame. `after_s`: the pause it asked for."""

    def __init__(self, detail: str, after_s: float = 0.0) -> None:
        self.detail = detail
        self.after_s = after_s
        super().__init__(detail)


class NotNow(Exception):  # noqa: N818 - an answer
    """This document was not taken now, but may be later."""

    def __init__(self, detail: str, reason: Reason = Reason.TRIES) -> None:
        self.detail = detail
        self.reason = reason
        super().__init__(detail)


class Refused(Exception):  # noqa: N818 - an answer
    """This document will never be taken as it is: a person has to look."""

    def __init__(self, detail: str, reason: Reason = Reason.REFUSED) -> None:
        self.detail = detail
        self.reason = reason
        super().__init__(detail)


class Target(Protocol):
    """One far side. Both calls can be repeated for the same scan id without harm."""

    async def send(self, parcel: Parcel) -> Receipt:
        """Hand over. Raises TargetDown, NotNow, Refused; nothing else. Returning means "transferred", no more."""
        ...

    async def stored(self, parcel: Parcel) -> str | None:
        """SHA-256 (hex) of what the far side has for this scan; None when it has nothing. Raises as `send` does."""
        ...

    async def close(self) -> None:
        """Let go of connections. Never raises."""
        ...
