"""Opens the configured drivers, and makes each known to what serves it: downlinks, the watch, the own meters."""

from typing import Any

import msgspec

from torhaus.daemon.config.load import Loaded
from torhaus.daemon.httpd import Route
from torhaus.daemon.lora.downlinks import Downlinks
from torhaus.daemon.status import Survey
from torhaus.daemon.watch import Watch


class Opened(msgspec.Struct):
    """Drivers by name, in the order of the configuration, and what the control socket gets with them."""

    drivers: dict[str, Any] = {}
    routes: list[tuple[str, str, Route]] = []


def open_drivers(loaded: Loaded, survey: Survey, watch: Watch, downlinks: Downlinks) -> Opened:
    """None of them runs yet."""
    opened = Opened()
    for module, config in loaded.drivers:
        opened.drivers[config.name] = driver = module.open(config)
        if hasattr(driver, "directory"):  # it knows meters by their keys: wireless M-Bus
            from torhaus.daemon.wmbus.wireless import join  # a site without such meters starts without their rooms

            opened.routes += join(survey, loaded, driver)
        downlinks.add(config.name, driver)
        watch.driver(config.name)
        watch.gateways.expect(config.name, getattr(driver, "gateways", ()))
    return opened
