"""A byte transport to a device behind a URL: the door to `torhaus.drivers.links`.

    async with await open_link(parse_link("serial:///dev/ttyUSB0?baud=9600"), idle_s=60) as link:
        data = await link.read()

A link that is lost, or cannot be opened, raises DriverGone; the supervisor runs the driver again after a while, and so
also finds a device that is plugged in again. The URLs: torhaus.drivers.links.url.
"""

from typing import assert_never

from torhaus.drivers.links.base import READ_BYTES, Link
from torhaus.drivers.links.url import (
    Line,
    LinkPlace,
    LinkSpec,
    ReplaySpec,
    Rfc2217Spec,
    SerialSpec,
    TcpSpec,
    parse_link,
    place_of,
)

__all__ = ["READ_BYTES", "Line", "Link", "LinkPlace", "LinkSpec", "open_link", "parse_link", "place_of"]


async def open_link(spec: LinkSpec, idle_s: float = 0.0) -> Link:
    """The link, open. `idle_s`: a silence of so many seconds while reading is taken for a loss (0: never).

    Raises DriverGone whose text says what is wrong and, where that is known, what to do.
    """
    match spec:
        case SerialSpec():
            from torhaus.drivers.links.serial import open_serial

            return await open_serial(spec, idle_s)
        case TcpSpec():
            from torhaus.drivers.links.tcp import open_tcp

            return await open_tcp(spec, idle_s)
        case Rfc2217Spec():
            from torhaus.drivers.links.rfc2217 import open_rfc2217

            return await open_rfc2217(spec, idle_s)
        case ReplaySpec():
            from torhaus.drivers.links.replay import ReplayLink

            return ReplayLink(spec, idle_s)
        case _ as never:
            assert_never(never)
