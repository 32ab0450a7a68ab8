"""Barcode readers that start jobs: who holds a station's code under the reader has its pages fetched."""

from collections.abc import Callable

from torhaus.codecs.model import Frame
from torhaus.daemon import logs
from torhaus.daemon.scans.config import ScanConfig
from torhaus.daemon.scans.pull.pulls import Pulls
from torhaus.daemon.scans.stations import PulledStation


class Codes:
    """What readers are listened to, and for what. The code itself is logged nowhere."""

    def __init__(self, config: ScanConfig, pulls: Pulls) -> None:
        self._pulls = pulls
        self._stations: dict[str, list[PulledStation]] = {}
        for station in config.station:
            if isinstance(station, PulledStation) and station.start_driver is not None:
                self._stations.setdefault(station.start_driver, []).append(station)

    def listener(self, driver: str) -> Callable[[Frame], None] | None:
        """Whom a driver's frames are told to; None where no station waits for them."""
        return self.heard if driver in self._stations else None

    def heard(self, frame: Frame) -> None:
        """Start what waits for this code. While a station's job runs, its code says nothing more."""
        code = frame.data.strip()
        for station in self._stations[frame.driver]:
            if station.start_code is not None and code != station.start_code.encode():
                continue
            try:
                self._pulls.start(station.name, f"driver:{frame.driver}")
            except ValueError:
                logs.info("scan pull: a code was read while a job runs", station=station.name)
            else:
                logs.info("scan pull started by a code", station=station.name, driver=frame.driver)
