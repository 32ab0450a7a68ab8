"""What may be under way at once where the order must hold whatever the far side refuses for now. Pure."""

from torhaus.codecs.model import RejectReason
from torhaus.daemon.outbox.record import Stored


def cut(batch: list[Stored], *, strict: bool, relay: bool = False) -> tuple[list[Stored], list[Stored]]:
    """As much of a batch as may go out together, and the rest, in order.

    `strict`: one record; else one of each sender: if it is refused for now, none of its later ones is with the far
    side already. `relay`: a sender is a DevAddr, and one frame as several gateways heard it is one.
    """
    if strict:
        return batch[:1], batch[1:]
    if relay:
        return _cut_frames(batch)
    first: dict[str, Stored] = {}
    for s in batch:
        first.setdefault(_sender(s), s)
    if len(first) == len(batch):
        return batch, []
    return list(first.values()), [s for s in batch if first[_sender(s)] is not s]


def _sender(stored: Stored) -> str:
    """Whose order is kept: the device, by its address where it has no name, or all that one driver says."""
    record = stored.record
    return record.device or (record.lora.dev_addr if record.lora else None) or f"driver {record.driver}"


def sender_of_frame(stored: Stored) -> str:
    """Whose order a network server minds: the DevAddr, the DevEUI of a join-request, or all else of one driver.

    Not the device's name: a frame that says a known DevAddr with a wrong MIC may still be this device's, with keys that
    only the network server has.
    """
    record = stored.record
    lora = record.lora
    if lora is not None and lora.dev_addr is not None and record.reason != RejectReason.RADIO_CRC.value:
        return lora.dev_addr
    return record.dev_eui or f"driver {record.driver}"


def _cut_frames(batch: list[Stored]) -> tuple[list[Stored], list[Stored]]:
    first: dict[str, bytes | None] = {}
    chosen, rest = [], []
    for s in batch:
        sender, raw = sender_of_frame(s), s.record.raw
        if sender not in first:
            first[sender] = raw
            chosen.append(s)
        elif first[sender] is not None and first[sender] == raw:
            chosen.append(s)
        else:
            first[sender] = None  # a later copy does not overtake what stands between
            rest.append(s)
    return chosen, rest
