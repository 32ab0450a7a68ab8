"""The wireless meters' metrics. Names are API, as all in daemon/metrics.py, which yields these with its own.

No meter is a label: most of them are other people's.
"""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from prometheus_client.core import Metric

from torhaus.daemon.families import Rows, count, gauge

if TYPE_CHECKING:  # a site without a receiver starts without their room
    from torhaus.daemon.wmbus.wireless import Wireless

_ONE = ["driver"]


def families(wireless: "Wireless | None") -> Iterator[Metric]:
    """All of them."""
    ears = wireless.ears if wireless is not None else []
    heard: Rows = ()
    if wireless is not None:
        own, strangers = wireless.book.own, wireless.book.strangers
        in_trouble = sum(entry.trouble is not None for entry in own.values())
        heard = [(("own",), len(own)), (("unreadable",), in_trouble), (("unknown",), len(strangers))]
    text = "Wireless meters heard since the start: own ones, those of them that cannot be read now, and others"
    yield gauge("torhaus_wmbus_meters", text, ["kind"], heard)
    text = "Telegrams of wireless meters that were not kept"
    rows: Rows = [
        ((ear.name, reason), n)
        for ear in ears
        for reason, n in (("repeat", ear.repeats), ("interval", ear.thinned), ("unknown_meter", ear.unknown))
    ]
    yield count("torhaus_wmbus_dropped_telegrams", text, [*_ONE, "reason"], rows)
