"""What may be under way at once where the order must hold whatever the far side refuses for now. Pure."""

from torhaus.daemon.outbox.record import Stored


def cut(batch: list[Stored], *, strict: bool) -> tuple[list[Stored], list[Stored]]:
    """As much of a batch as may go out together, and the rest, in order.

    `strict`: one record; else one of each sender: if it is refused for now, none of its later ones is with the far
    side already.
    """
    if strict:
        return batch[:1], batch[1:]
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
