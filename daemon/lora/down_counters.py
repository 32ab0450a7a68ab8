"""Downlink counters and all else that is kept of a session: on disk before it is used, no counter is used twice."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, Final, Literal, Protocol

import msgspec

from torhaus.codecs.lorawan.keys import Version
from torhaus.daemon.lora.network import Device
from torhaus.daemon.lora.radio_link import RadioLink

RESERVE: Final = 32
"""Counters that are set aside on disk at once; after a crash so many are left out at most."""
SAVED_S: Final = 3.0
"""Longer is of no use: the windows would be over."""
_MAX_FCNT: Final = (1 << 32) - 1

Which = Literal["fcnt_down_to", "afcnt_down_to"]
"""FCntDown of 1.0 and NFCntDown of 1.1; AFCntDown of 1.1, for application payloads. By the fields of Joined."""


class Keep(Protocol):
    """Where facts of a session are kept: those of a join, or of a personalised device."""

    def change(self, device: Device, **values: Any) -> None:  # noqa: ANN401 - fields of Joined
        """To be saved."""
        ...


class DownCounters:
    """`save` writes the state, and says whether what is kept under a device's key is on disk."""

    def __init__(self, joins: Keep, save: Callable[[str], Awaitable[bool]], personal: Keep | None = None) -> None:
        self._joins = joins
        self._personal = personal
        self._save = save

    def change(self, device: Device, **values: Any) -> None:  # noqa: ANN401 - fields of Joined
        """Of a session; to be saved."""
        assert device.join is not None
        keep = self._joins if device.join.number or self._personal is None else self._personal
        keep.change(device, **values)

    async def saved(self, key: str) -> bool:
        """Whether it is on disk in time."""
        try:
            async with asyncio.timeout(SAVED_S):
                return await self._save(key)
        except TimeoutError:
            return False

    async def next(
        self,
        device: Device,
        link: RadioLink,
        *,
        is_app: bool = False,
        pending: str | None = None,
        confirmed: bool = False,
        agreed: bool = False,
    ) -> int | None:
        """The next FCntDown; in 1.1 AFCntDown for an application's payload (`is_app`), else NFCntDown.

        `pending` are the requests that go with it, to be on disk as well; `agreed`: the device has taken new windows,
        and does not repeat that once it has this. None when that cannot be had, and so the counter must not be used, or
        when the session has used up all of its counters.
        """
        session = device.session
        assert session is not None
        is_1_1 = session.keys.version is Version.V1_1
        which: Which = "afcnt_down_to" if is_app and is_1_1 else "fcnt_down_to"
        async with link.lock:
            join = device.join
            assert join is not None
            before: int = getattr(join, which)
            fcnt = link.next_down.get(which, before)
            if fcnt > _MAX_FCNT:
                return None
            values: dict[str, Any] = {}
            if fcnt >= before:
                values[which] = fcnt + RESERVE
            if pending is not None and pending != join.mac.pending:
                values["mac"] = msgspec.structs.replace(join.mac, pending=pending)
            if confirmed and is_1_1:
                values["conf_fcnt"] = fcnt
            if values:
                self.change(device, **values)
            if (values or agreed) and not await self.saved(key_of(device)):
                self.change(device, **{which: before})
                return None
            if confirmed:
                session.conf_fcnt = fcnt
            link.next_down[which] = fcnt + 1
            return fcnt


def key_of(device: Device) -> str:
    """What a device's facts are kept under: its DevEUI, or the DevAddr of one that has none."""
    if device.dev_eui is not None:
        return device.dev_eui
    return device.session_id or ""
