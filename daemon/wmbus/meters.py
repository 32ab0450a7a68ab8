"""The site's own wireless meters: found by address, their telegrams read with their keys.

Formats of compact frames are shared by all own meters: a format is proved by its signature, and the values by the
checksum over both. What an own meter's counter said last is kept in memory: after a start the first telegram counts.
"""

from collections import OrderedDict
from collections.abc import Callable, Iterable
from typing import Final

from torhaus.codecs.meter.wmbus.compact import Formats
from torhaus.codecs.meter.wmbus.layers import NOTHING
from torhaus.codecs.meter.wmbus.telegram import Counter, Identity, fields_of, opened
from torhaus.codecs.model import DecodeError, Fields, RejectReason
from torhaus.daemon.config.device_keys import DeviceKeys
from torhaus.daemon.config.devices import DeviceConfig

CODEC: Final = "wmbus"
MAX_LOOKED: Final = 64
"""Telegrams of one meter that were looked at and not decoded yet: no more arrive in one piece."""


class Meter:
    """One meter in the list of devices. `decode` is a codec for its telegrams. Prints no key.

    `allow_reset`: its counter may start again, or go back.
    """

    def __init__(self, device: str, key: bytes | None, formats: Formats, *, allow_reset: bool = False) -> None:
        self.device = device
        self.trouble: str | None = None  # why its last telegram could not be read
        self._key = key
        self._formats = formats
        self._allow_reset = allow_reset
        self._counter: Counter | None = None
        self._looked: OrderedDict[bytes, Fields | DecodeError] = OrderedDict()

    def __repr__(self) -> str:
        return f"Meter({self.device!r})"

    @property
    def has_key(self) -> bool:
        """Whether its telegrams must be protected."""
        return self._key is not None

    def decode(self, data: bytes, fport: int | None = None) -> Fields:  # noqa: ARG002 - as all codecs
        """Fields of a telegram. Raises DecodeError."""
        found = self._looked.pop(data, None)
        if found is None:
            found = self._look(data)
        if isinstance(found, DecodeError):
            raise found
        return found

    def can_read(self, data: bytes) -> bool:
        """Whether it can be read. What it says of formats and counters is remembered, and its fields for `decode`."""
        found = self._look(data)
        self._looked[data] = found
        if len(self._looked) > MAX_LOOKED:
            self._looked.popitem(last=False)
        return not isinstance(found, DecodeError)

    def forget(self, data: bytes) -> None:
        """It will not be decoded."""
        self._looked.pop(data, None)

    def _look(self, data: bytes) -> Fields | DecodeError:
        try:
            found = self._read(data)
        except DecodeError as e:
            self.trouble = str(e)
            return e
        self.trouble = None
        return found

    def _read(self, data: bytes) -> Fields:
        telegram = opened(data, self._key)
        if self._key is not None and not telegram.secured and telegram.content != NOTHING:
            raise DecodeError(RejectReason.KEY, "not encrypted, though there is a key for this meter")
        counter, last = telegram.counter, self._counter
        is_new = counter is not None and counter.verified
        if counter is not None and is_new and not self._allow_reset and _is_behind(counter, last):
            raise DecodeError(RejectReason.REPLAY, f"the {counter.kind} is {counter.number}, and was higher before")
        fields = fields_of(telegram, self._formats)
        if is_new:
            self._counter = counter
        return fields


def _is_behind(counter: Counter, last: Counter | None) -> bool:
    return last is not None and last.kind == counter.kind and counter.number < last.number


class Meters:
    """All own meters."""

    def __init__(self, devices: Iterable[DeviceConfig], keys: dict[str, DeviceKeys]) -> None:
        formats = Formats(max_formats=256)
        self.by_name: dict[str, Meter] = {}
        self.decoders: dict[str, Callable[[bytes, int | None], Fields]] = {}  # of those that have this codec
        self._by_address: dict[str, Meter] = {}
        for device in devices:
            if device.wmbus is None:
                continue
            own = keys.get(device.name)
            key = own.wmbus_key if own is not None else None
            meter = Meter(device.name, key, formats, allow_reset=device.allow_fcnt_reset)
            self.by_name[device.name] = meter
            self._by_address[device.wmbus] = meter
            if device.codec == CODEC:
                self.decoders[device.name] = meter.decode

    def find(self, identity: Identity) -> Meter | None:
        """The meter of a telegram, by whose data it has, else by who sent it; the most exact name counts."""
        for address in (identity.meter, identity.sender):
            for name in address.names():
                if (meter := self._by_address.get(name)) is not None:
                    return meter
        return None
