"""Personalised devices (ABP) of a site that is its own network server: what is kept of their sessions, as of joins.

Such a session has the number 0. Its downlink counter only rises, also when the device has started anew (1.0): with the
same keys a counter must never be used twice, and a device that starts over takes any counter below 16,384.
"""

from collections.abc import Iterable
from typing import Any

import msgspec

from torhaus.daemon.lora.network import Device
from torhaus.daemon.outbox.flush import Flush
from torhaus.daemon.outbox.joins import DeviceJoins, Joined
from torhaus.daemon.outbox.mac_state import STARTED


class Personal:
    """Those of the devices that have session keys and no root keys."""

    def __init__(self, devices: Iterable[Device]) -> None:
        self._devices = {d.session_id: d for d in devices if d.session is not None and d.session_id is not None}
        self._changed: set[str] = set()

    def restore(self, stored: dict[str, DeviceJoins], now_ns: int) -> None:
        """Take over what was on disk; those that were not are known from now on (wall clock)."""
        for key, device in self._devices.items():
            assert device.session is not None
            kept = stored.get(key, DeviceJoins()).sessions
            before = next((j for j in kept if j.number == 0 and j.dev_addr == device.session.dev_addr), None)
            addr = device.session.dev_addr
            device.join = before or Joined(0, addr, 0, 0, 0, 0, at_ns=now_ns, is_proved=True, is_ours=True, mac=STARTED)
            device.session.conf_fcnt = device.join.conf_fcnt

    def change(self, device: Device, **values: Any) -> None:  # noqa: ANN401 - fields of Joined
        """To be saved."""
        assert device.join is not None
        assert device.session_id is not None
        device.join = msgspec.structs.replace(device.join, **values)
        self._changed.add(device.session_id)

    def save(self, flush: Flush) -> None:
        """Have what has changed written with the rest of the state."""
        for key in self._changed:
            joined = self._devices[key].join
            assert joined is not None
            flush.joins[key] = DeviceJoins(sessions=(joined,))
        self._changed.clear()
