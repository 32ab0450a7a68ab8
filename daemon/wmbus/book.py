"""Which wireless meters are heard: for a technician who looks for his own among them. In memory only, and bounded.

Other people's meters are listed by address, which is printed on them and on the air; what they measured is not kept.
"""

from collections import OrderedDict
from typing import Final

import msgspec

from torhaus.codecs.framing.wmbus import Heard
from torhaus.codecs.meter.wmbus.telegram import Identity
from torhaus.codecs.model import Stamp

MAX_STRANGERS: Final = 1000


class Entry(msgspec.Struct, omit_defaults=True, kw_only=True):
    """One meter. `address`: what `torhaus devices add --wmbus` takes. Times: wall clock, nanoseconds since 1970."""

    address: str
    medium: str
    security: str
    last_ns: int
    driver: str
    device: str | None = None
    rssi_dbm: float | None = None
    mode: str | None = None
    telegrams: int = 0
    repeats: int = 0
    trouble: str | None = None  # of an own one: why its last telegram could not be read


class Book:
    """The meters heard since the start; of strangers the latest `MAX_STRANGERS`."""

    def __init__(self) -> None:
        self.own: dict[str, Entry] = {}
        self.strangers: OrderedDict[str, Entry] = OrderedDict()

    def note(self, driver: str, identity: Identity, heard: Heard, at: Stamp, device: str | None) -> Entry:
        """Write down that a telegram came."""
        address = str(identity.meter)
        there = self.strangers.get(address) if device is None else self.own.get(device)
        if there is None:
            there = Entry(address=address, medium="", security="", last_ns=0, driver=driver, device=device)
            if device is None:
                self.strangers[address] = there
                if len(self.strangers) > MAX_STRANGERS:
                    self.strangers.popitem(last=False)
            else:
                self.own[device] = there
        elif device is None:
            self.strangers.move_to_end(address)
        there.address, there.medium, there.security = address, identity.meter.medium, identity.security
        there.driver, there.last_ns, there.rssi_dbm, there.mode = driver, at.wall_ns, heard.rssi_dbm, heard.mode
        there.telegrams += 1
        return there

    def entries(self) -> list[Entry]:
        """All, own ones first, then the latest."""
        strangers = sorted(self.strangers.values(), key=lambda e: -e.last_ns)
        return [*sorted(self.own.values(), key=lambda e: e.device or ""), *strangers]
