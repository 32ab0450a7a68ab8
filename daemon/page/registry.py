"""Every view, in the order of the menu, with its module: one line for each. Further ones are added here."""

from importlib import import_module
from typing import Final

from torhaus.daemon.page.view import View

VIEWS: Final = {
    "": "torhaus.daemon.page.views.overview",
    "gateways": "torhaus.daemon.page.views.gateways",
    "frames": "torhaus.daemon.page.views.frames",
    "devices": "torhaus.daemon.page.views.devices",
    "strangers": "torhaus.daemon.page.views.strangers",
    "forwarders": "torhaus.daemon.page.views.forwarders",
    "dead-letters": "torhaus.daemon.page.views.letters",
    "quarantine": "torhaus.daemon.page.views.quarantine",
    "scans": "torhaus.daemon.page.views.scans",
    "release": "torhaus.daemon.page.views.release",
    "decode": "torhaus.daemon.page.views.decode",
}


def load() -> list[View]:
    """All of them."""
    found = [(name, import_module(module).VIEW) for name, module in VIEWS.items()]
    assert all(name == view.name for name, view in found)
    return [view for _, view in found]
