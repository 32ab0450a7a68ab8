from pathlib import Path
from typing import Any

import pytest

from tests.daemon.scans_fakes import FakeClock
from torhaus.codecs.model import Frame
from torhaus.daemon.driver_host import DriverHost
from torhaus.daemon.scans.config import ScanConfig
from torhaus.daemon.scans.disk import Disk
from torhaus.daemon.scans.pull.codes import Codes
from torhaus.daemon.scans.pull.pulls import Pulls
from torhaus.daemon.scans.stations import SaneStation


class Scene:
    """Two scanners with a code each, and one that any code starts, at two readers."""

    def __init__(self, root: Path) -> None:
        def station(name: str, driver: str | None, code: str | None = None) -> SaneStation:
            return SaneStation(name=name, device="test:0", target="x", start_driver=driver, start_code=code)

        config = ScanConfig(
            (
                station("flur", "leser", "SCAN-FLUR"),
                station("keller", "leser", "SCAN-KELLER"),
                station("post", "zweiter"),
                station("hand", None),
            )
        )
        self.clock = FakeClock()
        self.pulls = Pulls(config, root, Disk(), self.clock)
        self.codes = Codes(config, self.pulls)
        self.stored: list[bytes] = []

    def host(self, driver: str) -> DriverHost:
        def accept(_: str, deliveries: list[Any], __: object) -> None:
            self.stored += [frame.data for frames, *_ in deliveries for frame in frames]

        host = DriverHost(accept, object(), self.clock, driver)  # type: ignore[arg-type]
        listener = self.codes.listener(driver)
        if listener is not None:
            host.overheard_by(listener)
        return host

    def read(self, driver: str, code: bytes) -> set[str]:
        """What runs afterwards."""
        self.host(driver).deliver([Frame(driver, code, self.clock.stamp(), device="d")], [])
        return set(self.pulls.last)


def test_a_code_starts_its_own_scanner_and_is_stored(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    s = Scene(tmp_path)
    assert s.read("leser", b"4006381333931") == set()
    assert s.read("leser", b"\xff\xfe") == set()
    assert s.read("leser", b"SCAN-KELLER") == {"keller"}
    first = s.pulls.last["keller"]
    assert s.read("leser", b"SCAN-KELLER") == {"keller"}
    assert s.pulls.last["keller"] is first  # it runs already
    assert s.read("leser", b" SCAN-FLUR\r") == {"keller", "flur"}
    assert s.read("zweiter", b"anything") == {"keller", "flur", "post"}
    assert len(s.stored) == 6
    assert "SCAN-KELLER" not in caplog.text
    assert s.codes.listener("radio") is None
