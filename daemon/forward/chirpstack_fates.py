"""What the broker's answers mean for the records of a batch, each of which may be several messages. Pure.

The table of what a reason code means: daemon/mqtt/reasons.py.
"""

from collections.abc import Callable, Sequence
from typing import Final

from torhaus.daemon.forward.base import Outcome
from torhaus.daemon.forward.chirpstack_frames import Parcel
from torhaus.daemon.forward.flight import UNSENDABLE, Receipts
from torhaus.daemon.mqtt import reasons

_TAKEN: Final = 0
_UNSENT: Final = 1
_KEPT: Final = 2
_REFUSED: Final = 3


class Fates:
    """By item: what became of the message of it that fared worst. `lost`: why the connection ended meanwhile."""

    def __init__(self) -> None:
        self.lost: str | None = None
        self.blamed: bool = False  # the broker ended it over one of several messages, nobody knows which
        self._worst: dict[int, tuple[int, str]] = {}

    def note(self, parcels: Sequence[Parcel], receipts: Receipts) -> None:
        """These were published."""
        for at, (parcel, code) in enumerate(zip(parcels, receipts.codes, strict=True)):
            self._add(parcel.index, *_fate(at, code, receipts))
        if receipts.lost is None:
            return
        self.lost = receipts.lost
        if receipts.lost_code is not None and reasons.blames_message(receipts.lost_code) and receipts.in_flight:
            if receipts.all_in_flight == 1:
                self._add(parcels[receipts.in_flight[0]].index, _REFUSED, receipts.lost)
            else:
                self.blamed = True

    def unsent(self, parcels: Sequence[Parcel]) -> None:
        """These could not even be tried."""
        for parcel in parcels:
            self._add(parcel.index, _UNSENT, "")

    def _add(self, index: int, fate: int, why: str) -> None:
        if fate >= self._worst.get(index, (_TAKEN, ""))[0]:
            self._worst[index] = fate, why

    def into(self, outcome: Outcome, is_stale: Callable[[int], bool]) -> None:
        """Enter it. `is_stale`: whether an item that is refused for now is not worth being kept."""
        for index, (fate, why) in self._worst.items():
            if fate == _TAKEN:
                outcome.accepted.append(index)
            elif fate == _REFUSED:
                outcome.rejected[index] = why
            elif fate == _KEPT and is_stale(index):
                outcome.dropped[index] = "late_report"
            elif fate == _KEPT:
                outcome.kept[index] = why


def _fate(at: int, code: int, receipts: Receipts) -> tuple[int, str]:
    if code == 0:
        return _TAKEN, ""
    text = receipts.texts.get(at)
    if code == UNSENDABLE:
        return _REFUSED, text or "cannot be sent"
    if code > 0:
        is_final = reasons.verdict_on_message(code) is reasons.Verdict.DEAD_LETTER
        return _REFUSED if is_final else _KEPT, reasons.describe(code, text)
    if at in receipts.in_flight:
        return _KEPT, receipts.lost or "no PUBACK"
    return _UNSENT, ""
