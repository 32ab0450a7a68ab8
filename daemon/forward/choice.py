"""Which records a forwarder wants, and as what it sends them. Pure."""

from torhaus.daemon.config.devices import DeviceConfig
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


def wanted_devices(common: ForwarderCommon, devices: list[DeviceConfig]) -> frozenset[str]:
    """The devices that a forwarder's `devices` and `tags` name; empty for all."""
    tagged = {d.name for d in devices if not set(common.tags).isdisjoint(d.tags)}
    return frozenset(common.devices) | tagged
