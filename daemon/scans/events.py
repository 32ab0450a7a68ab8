"""What the scan queue tells the daemon, which counts and logs it. No event carries a document's name or content."""

from collections.abc import Callable

import msgspec

from torhaus.daemon.scans.states import Reason, State


class ScanMoved(msgspec.Struct, frozen=True, gc=False):
    """A scan changed its state; committed."""

    id: str
    station: str
    target: str | None
    state: State
    reason: Reason | None = None
    size_bytes: int = 0


class StationChanged(msgspec.Struct, frozen=True, gc=False):
    """A hot folder can or cannot be read. Once per episode; `detail`: which folder, and why."""

    station: str
    up: bool
    detail: str = ""


class NotTaken(msgspec.Struct, frozen=True, gc=False):
    """A directory entry stays where it is: symlink, special, too_large, overflow, unreadable. Once per entry."""

    station: str
    kind: str


class Unfinished(msgspec.Struct, frozen=True, gc=False):
    """A quiet file does not pass the check yet; quarantine follows if it stays so. Once per version of the file."""

    station: str
    reason: Reason


class IntakeStalled(msgspec.Struct, frozen=True, gc=False):
    """A finished file cannot be taken in for reasons of ours: disk_full, io, store, no_checker. It stays there."""

    station: str
    kind: str


class IntakeFlows(msgspec.Struct, frozen=True, gc=False):
    """What was stalled is so no more: something was taken in, or there is nothing left to take."""

    station: str


class SourceStuck(msgspec.Struct, frozen=True, gc=False):
    """A taken file cannot be removed from its folder. It is remembered and not taken again. Once per file."""

    station: str
    id: str


class TargetChanged(msgspec.Struct, frozen=True, gc=False):
    """A target answers or does not. Once per episode; `detail` is short and has no secrets."""

    target: str
    up: bool
    detail: str = ""


class Attempted(msgspec.Struct, frozen=True, gc=False):
    """One delivery attempt: verified, transferred, pending, down, refused, not_now, lost, mismatch."""

    target: str
    outcome: str
    seconds: float


class ReleaseWithdrawn(msgspec.Struct, frozen=True, gc=False):
    """A department complained of a document whose paper had been released: it must not be destroyed any more."""

    id: str
    station: str


class StoreStalled(msgspec.Struct, frozen=True, gc=False):
    """The scans store failed (disk full, I/O): nothing moves until it works again. `detail` names the error's kind."""

    where: str
    detail: str


class StampingChanged(msgspec.Struct, frozen=True, gc=False):
    """The time-stamping authority gives good stamps, or does not. Once per episode; `detail` says why not."""

    up: bool
    detail: str = ""


class EvidenceBroken(msgspec.Struct, frozen=True, gc=False):
    """Entries of the journal are not what they were when they were written. `seq` and `what`: of the first fault."""

    seq: int
    what: str
    count: int


class SiteJournalBroken(msgspec.Struct, frozen=True, gc=False):
    """A site's journal is not the one that it was. `what`: rewritten (an entry has another hash), went_back."""

    station: str
    what: str
    seq: int


class LoginRefused(msgspec.Struct, frozen=True, gc=False):
    """Somebody wanted to upload and may not. `kind`: no_login, token, station (a right token, another's station)."""

    station: str  # one that is configured, or ""
    kind: str


Event = (
    ScanMoved
    | StationChanged
    | NotTaken
    | Unfinished
    | IntakeStalled
    | IntakeFlows
    | SourceStuck
    | TargetChanged
    | Attempted
    | ReleaseWithdrawn
    | StoreStalled
    | EvidenceBroken
    | StampingChanged
    | LoginRefused
    | SiteJournalBroken
)
Report = Callable[[Event], None]
