"""Every forwarder by type: one line each. Modules are imported when a forwarder of that type is configured."""

from importlib import import_module
from types import ModuleType
from typing import Final

FORWARDERS: Final[dict[str, str]] = {
    "chirpstack": "torhaus.daemon.forward.chirpstack",
    "file": "torhaus.daemon.forward.file",
    "gwmp": "torhaus.daemon.forward.gwmp",
    "mqtt": "torhaus.daemon.forward.mqtt",
    "nats": "torhaus.daemon.forward.nats",
}
"""Type to module. Each module has `Config` and `open_forwarder(config, context)`; a relay's (relay.py) says so."""


def load(kind: str) -> ModuleType:
    """The module of a type. KeyError when there is no such type; ImportError when its library is not installed."""
    return import_module(FORWARDERS[kind])


def is_relay(module: ModuleType) -> bool:
    """Whether forwarders of this module pass raw frames on to a network server (relay.py)."""
    return bool(getattr(module, "RELAY", False))
