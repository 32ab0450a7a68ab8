"""Every view, in the order of the menu: one line for each. Further ones are added here and nowhere else."""

from typing import Final

from torhaus.daemon.page.view import View
from torhaus.daemon.page.views import (
    decode, devices, forwarders, frames, gateways, letters, overview, quarantine, scans, strangers,
)  # fmt: skip

VIEWS: Final[tuple[View, ...]] = (
    overview.VIEW,
    gateways.VIEW,
    frames.VIEW,
    devices.VIEW,
    strangers.VIEW,
    forwarders.VIEW,
    letters.VIEW,
    quarantine.VIEW,
    scans.VIEW,
    decode.VIEW,
)
