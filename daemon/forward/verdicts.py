"""What became of each record, from the receipts of the messages that held them: one protocol's table, applied. Pure.

A parcel that is refused for good is taken apart: its records go out one by one until it is known which it was. The same
where the far side disconnects over one of several messages.
"""

from typing import Protocol

from torhaus.daemon.forward.base import Item, Outcome, Unavailable
from torhaus.daemon.forward.flight import MAX_WINDOW, UNSENDABLE, Receipts
from torhaus.daemon.forward.parcels import Encoder, Parcel, parcels_of


class Reasons(Protocol):
    """What the codes of one protocol mean. `no_receipt`: said of what was in flight without a further reason."""

    no_receipt: str

    def is_final(self, code: int) -> bool:
        """Whether a message with this answer will never be taken."""
        ...

    def blames_message(self, code: int) -> bool:
        """Whether the end of the connection, with this code, was provoked by one of the messages in flight."""
        ...

    def describe(self, code: int, detail: str | None = None) -> str:
        """One line for status and log."""
        ...


class Verdicts:
    """Of one forwarder that packs up to `pack` late records into a message."""

    def __init__(self, reasons: Reasons, encoder: Encoder, pack: int) -> None:
        self._reasons = reasons
        self._encoder = encoder
        self._pack = pack
        self._suspects: set[str] = set()  # ids of the records one of which made the far side disconnect
        self._unpacked: set[str] = set()  # ids of records that are sent by themselves: their parcel was refused

    def alone(self, batch: list[Item]) -> bool:
        """Whether these are to be sent one after the other, with nothing beside."""
        return bool(self._suspects) and not self._suspects.isdisjoint(item.message.id for item in batch)

    def parcels(self, batch: list[Item], *, alone: bool) -> list[Parcel] | None:
        """How the batch is packed; None for a message for each record."""
        if self._pack < 2 or alone or not batch or not batch[0].message.late:
            return None
        return parcels_of(batch, self._encoder, self._pack, self._unpacked)

    def outcome(self, batch: list[Item], parcels: list[Parcel] | None, receipts: Receipts, *, alone: bool) -> Outcome:
        """What became of the batch. Raises Unavailable when the connection was lost and nothing is known of any."""
        codes = receipts.codes
        if codes.count(0) == len(codes):
            outcome = Outcome(accepted=list(range(len(batch))))
        else:
            outcome = Outcome([], {}, {})
            for index, code in enumerate(codes):
                indices = [index] if parcels is None else parcels[index].indices
                self._sort(batch, indices, outcome, index, code, receipts)
        if self._unpacked:
            self._unpacked.difference_update(batch[i].message.id for i in outcome.accepted)
            self._unpacked.difference_update(batch[i].message.id for i in outcome.rejected)
        if alone:
            self._suspects.difference_update(
                item.message.id for item, code in zip(batch, codes, strict=True) if code >= 0 or code == UNSENDABLE
            )
        if receipts.lost is not None:
            self._lost(batch, parcels, receipts, outcome)
        return outcome

    def _sort(
        self, batch: list[Item], indices: list[int], outcome: Outcome, index: int, code: int, receipts: Receipts
    ) -> None:
        """What one message's answer means for the records in it."""
        if code == 0:
            outcome.accepted += indices
            return
        if code == UNSENDABLE:
            why = receipts.texts.get(index, "")
        elif code > 0:
            why = self._reasons.describe(code, receipts.texts.get(index))
        elif index in receipts.in_flight:
            why = receipts.lost or self._reasons.no_receipt
        else:
            return  # it was not sent: kept, and nothing is held against it
        if not (code == UNSENDABLE or (code > 0 and self._reasons.is_final(code))):
            outcome.kept |= dict.fromkeys(indices, why)
        elif len(indices) == 1:
            outcome.rejected[indices[0]] = why
        else:
            self._send_singly(batch, indices)

    def _send_singly(self, batch: list[Item], indices: list[int]) -> None:
        """One of them is to blame: next time each goes by itself."""
        if len(self._unpacked) > MAX_WINDOW * self._pack:
            self._unpacked.clear()
        self._unpacked.update(batch[i].message.id for i in indices)

    def _lost(self, batch: list[Item], parcels: list[Parcel] | None, receipts: Receipts, outcome: Outcome) -> None:
        """The connection ended within this batch. Raises Unavailable where nothing is known of any item."""
        code = receipts.lost_code
        if code is not None and self._reasons.blames_message(code) and receipts.in_flight:
            suspects = [[index] if parcels is None else parcels[index].indices for index in receipts.in_flight]
            if receipts.all_in_flight == 1 and len(suspects[0]) == 1:
                (index,) = suspects[0]
                outcome.rejected[index] = receipts.lost or ""
                outcome.kept.pop(index, None)
                self._suspects.discard(batch[index].message.id)
            else:  # one of them: they go out one by one next time, until it is found
                if len(self._suspects) > MAX_WINDOW:
                    self._suspects.clear()
                self._suspects.update(batch[i].message.id for indices in suspects for i in indices)
        if not outcome.accepted and not outcome.rejected and all(code < 0 for code in receipts.codes):
            raise Unavailable(receipts.lost or "")
