"""What a scan target is: it hands one document over, and says which hash the far side has for it.

A target module has `Config` (frozen msgspec struct, a TargetConfig), `open_target(config, context) -> Target`, a sample
in `config/scan_targets/<type>.toml` and one line in `registry.py`. Retry, back-off, hours, pace and the decision
"verified" live in `delivery.py` and nowhere else.
"""

from collections.abc import Awaitable, Callable
from enum import StrEnum
from typing import Annotated, Protocol

import msgspec

from torhaus.daemon.clock import Clock
from torhaus.daemon.forward.windows import parse_window
from torhaus.daemon.scans.disk import Disk
from torhaus.daemon.scans.sealed import Content
from torhaus.daemon.scans.states import Reason
from torhaus.daemon.scans.stations import Name
from torhaus.daemon.scans.throttle import Throttle


class Proof(StrEnum):
    """The most that a target of some type can show. Only from `verified` on may the paper or our copy ever go.

    transferred: it said yes.  verified: it has our bytes, by its own stored hash or by reading them back.
    filed: also the id of the object that it made of them is known.
    """

    TRANSFERRED = "transferred"
    VERIFIED = "verified"
    FILED = "filed"


class _Named(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    name: Name


class TargetConfig(_Named, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What every target has, whatever its type."""

    max_tries: Annotated[int, msgspec.Meta(ge=1, le=1000)] = 10  # a document that is not taken this often is held
    concurrency: Annotated[int, msgspec.Meta(ge=1, le=16)] = 1  # documents under way at a time
    windows: tuple[str, ...] = ()  # hours in which documents go out, "22:00-06:00"; none: always
    max_bytes_per_s: Annotated[int, msgspec.Meta(ge=1024)] | None = None  # of all its documents together

    def __post_init__(self) -> None:
        """Raises ValueError that quotes the window that is none."""
        for text in self.windows:
            parse_window(text)

    @property
    def local_folder(self) -> str | None:
        """The folder on this machine that it writes to, so that no station takes from there."""
        return None


class Progress:
    """What a target wants to know of a document if the process dies on the way: an upload's URL, a task's id.

    `save` returns when it is on disk. It is forgotten when the document is verified, or was lost or altered there.
    """

    def __init__(self, text: str | None = None, keep: Callable[[str], Awaitable[None]] | None = None) -> None:
        self.text = text
        self._keep = keep

    async def save(self, text: str) -> None:
        """Keep this, at most a few KB, in place of what was kept before."""
        if self._keep is not None and text != self.text:
            await self._keep(text)
        self.text = text


class Parcel(msgspec.Struct, frozen=True, gc=False):
    """One document to be delivered. `path` opens as its bytes; `name` is display text; sha256 is hex."""

    id: str
    seq: int
    store: str
    station: str
    name: str
    path: Content
    sha256: str
    size_bytes: int
    media_type: str
    evidence_head: str  # "<seq>:<hash hex>": where our evidence chain stands
    progress: Progress = msgspec.field(default_factory=Progress)


class Receipt(msgspec.Struct, frozen=True, omit_defaults=True):
    """The far side said yes. `stored_sha256` is the hash of what it stored, when it has told, or was read back.

    `object_id`: what the far side calls the object that it made of the document.
    """

    stored_sha256: str | None = None
    detail: str = ""
    object_id: str | None = None


class TargetDown(Exception):  # noqa: N818 - a state of the far side
    """The far side takes nothing at present; no document is to blame. `after_s`: the pause it asked for."""

    def __init__(self, detail: str, after_s: float = 0.0) -> None:
        self.detail = detail
        self.after_s = after_s
        super().__init__(detail)


class Pending(Exception):  # noqa: N818 - a state of the far side
    """The far side is still at work on this document: asked again after `after_s`, and nobody is to blame."""

    def __init__(self, after_s: float) -> None:
        self.after_s = after_s
        super().__init__(f"under way, asked again after {after_s:g} s")


class NotNow(Exception):  # noqa: N818 - an answer
    """This document was not taken now, but may be later, after `after_s` at the earliest."""

    def __init__(self, detail: str, reason: Reason = Reason.TRIES, after_s: float = 0.0) -> None:
        self.detail = detail
        self.reason = reason
        self.after_s = after_s
        super().__init__(detail)


class Refused(Exception):  # noqa: N818 - an answer
    """This document will never be taken as it is: a person has to look."""

    def __init__(self, detail: str, reason: Reason = Reason.REFUSED) -> None:
        self.detail = detail
        self.reason = reason
        super().__init__(detail)


class Target(Protocol):
    """One far side. All calls can be repeated for the same scan id without harm, and run at once for several ones."""

    proves: Proof

    async def send(self, parcel: Parcel) -> Receipt:
        """Hand over. Raises TargetDown, Pending, NotNow, Refused; nothing else. Returning is "transferred", no more."""
        ...

    async def stored(self, parcel: Parcel) -> str | None:
        """SHA-256 (hex) of what the far side has for this scan; None when it has nothing. Raises as `send` does.

        Is not asked of a target that proves no more than `transferred`.
        """
        ...

    async def probe(self) -> str:
        """Whether documents could go there, without sending one: a line for people. Raises as `send` does."""
        ...

    async def close(self) -> None:
        """Let go of connections. Never raises."""
        ...


class Context(msgspec.Struct, frozen=True):
    """What a target is opened with, besides its own config."""

    disk: Disk
    clock: Clock
    throttle: Throttle
