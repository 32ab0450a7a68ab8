"""Which records a forwarder wants, and as what it sends them. Pure."""

from torhaus.daemon.config.model import ForwarderCommon
from torhaus.daemon.forward.message import Kind
from torhaus.daemon.outbox.record import Record


def kind_of(record: Record, kinds: frozenset[str], devices: frozenset[str]) -> Kind | None:
    """As what a forwarder of these kinds and devices (none: all) sends a record; None when it is not for it."""
    if devices and record.device not in devices:
        return None
    if record.kind == "event":
        return "event" if "event" in kinds else None
    if "reading" in kinds and (record.pending or record.kind == "reading"):
        return "reading"
    return "frame" if "frame" in kinds else None


def wanted_devices(common: ForwarderCommon, tagged: dict[str, set[str]]) -> frozenset[str]:
    """The devices that a forwarder's `devices` and `tags` name (`tagged`: devices by tag); empty for all."""
    return frozenset(common.devices).union(*(tagged.get(tag, set()) for tag in common.tags))
